"""The architecture GGUF calls qwen2: pre-norm RMSNorm, grouped-query attention with biases on q, k, v, NEOX RoPE, SwiGLU, tied embedding."""

import re
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Config:
    vocab: int = 640
    width: int = 192
    layers: int = 8
    heads: int = 6
    kv_heads: int = 2
    hidden: int = 512
    context: int = 1024
    rope_base: float = 10000.0
    epsilon: float = 1e-6

    @property
    def head(self):
        return self.width // self.heads

    def dict(self):
        return asdict(self)


def has_bfloat16(device):
    """Whether the hardware multiplies bfloat16; a CPU without the instructions takes six times as long for it as for float32."""
    return device != "cpu" or torch.cpu.get_capabilities().get("avx512_bf16", False)


def rope(config, positions):
    """cos and sin, (..., head / 2), for the halves that NEOX pairs up."""
    frequency = config.rope_base ** (-torch.arange(0, config.head, 2, device=positions.device).float() / config.head)
    angle = positions[..., None].float() * frequency
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).type_as(x)


class Norm(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(config.width))
        self.epsilon = config.epsilon

    def forward(self, x):
        f = x.float()
        return (f * torch.rsqrt(f.square().mean(-1, keepdim=True) + self.epsilon) * self.weight).type_as(x)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c = config
        self.attn_norm, self.ffn_norm = Norm(config), Norm(config)
        kv = config.kv_heads * config.head
        self.q, self.k, self.v = nn.Linear(config.width, config.width), nn.Linear(config.width, kv), nn.Linear(config.width, kv)
        self.o = nn.Linear(config.width, config.width, bias=False)
        self.gate, self.up = nn.Linear(config.width, config.hidden, bias=False), nn.Linear(config.width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x, cos, sin, mask, cache=None):
        b, t, _ = x.shape
        h = self.attn_norm(x)
        q = rotate(self.q(h).view(b, t, self.c.heads, self.c.head).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(b, t, self.c.kv_heads, self.c.head).transpose(1, 2), cos, sin)
        v = self.v(h).view(b, t, self.c.kv_heads, self.c.head).transpose(1, 2)
        if cache is not None:
            k, v = cache.append(self, k, v)
        group = self.c.heads // self.c.kv_heads
        y = F.scaled_dot_product_attention(q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1), attn_mask=mask)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, -1))
        h = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Ember(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = Norm(config)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02 if "embed" in name or name.endswith(("o.weight", "down.weight")) else p.shape[1] ** -0.5)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, tokens, positions, mask, cache=None):
        """tokens, positions (B, T); mask (B, 1, T, S) true where a query may look. Returns logits (B, T, vocab)."""
        x = self.embed(tokens)
        cos, sin = rope(self.config, positions)
        for block in self.blocks:
            x = block(x, cos[:, None], sin[:, None], mask, cache)
        return F.linear(self.norm(x), self.embed.weight)


def grown(weights, layers):
    """The same function with more layers: weights (a state_dict) with new blocks spread among the old ones, whose output matrices are zero."""
    old = 1 + max(int(n.split(".")[1]) for n in weights if n.startswith("blocks."))
    model = Ember(Config(vocab=weights["embed.weight"].shape[0], layers=layers))
    place = [(2 * i + 1) * layers // (2 * old) for i in range(old)]
    moved = {re.sub(r"^blocks\.(\d+)", lambda m: f"blocks.{place[int(m[1])]}", name): p for name, p in weights.items()}
    for i in set(range(layers)) - set(place):
        nn.init.zeros_(model.blocks[i].o.weight)
        nn.init.zeros_(model.blocks[i].down.weight)
    model.load_state_dict(moved, strict=False)
    return model.state_dict()


class Cache:
    """Keys and values of a batch of left-padded sequences, all at the same length."""

    def __init__(self, rows, length, config):
        self.store = {}
        self.shape, self.filled = (rows, config.kv_heads, length, config.head), 0

    def append(self, block, k, v):
        if block not in self.store:
            self.store[block] = (k.new_zeros(self.shape), v.new_zeros(self.shape))
        keys, values = self.store[block]
        end = self.filled + k.shape[2]
        keys[:, :, self.filled : end], values[:, :, self.filled : end] = k, v
        return keys[:, :, :end], values[:, :, :end]

    def keep(self, rows):
        self.store = {b: (k[rows], v[rows]) for b, (k, v) in self.store.items()}
        self.shape = (len(rows), *self.shape[1:])


@torch.inference_mode()
def generate(model, prompts, end, limit=400, temperature=0.0, top_p=1.0, seed=0):
    """Completions (lists of ids, without `end`) of a list of prompts. Rows that have ended leave the batch."""
    device = model.embed.weight.device
    longest = max(map(len, prompts))
    pad = torch.tensor([longest - len(p) for p in prompts], device=device)
    tokens = torch.tensor([[0] * (longest - len(p)) + p for p in prompts], device=device)
    cache = Cache(len(prompts), longest + limit, model.config)
    source = torch.Generator(device=device).manual_seed(seed)
    out, live = [[] for _ in prompts], torch.arange(len(prompts), device=device)
    places = torch.arange(longest + limit, device=device)
    for step in range(limit):
        start, stop = cache.filled, cache.filled + tokens.shape[1]
        mask = (places[None, None, :stop] <= places[None, start:stop, None]) & (places[None, None, :stop] >= pad[:, None, None])
        mask = mask | (places[None, start:stop, None] == places[None, None, :stop])  # a padded query sees itself, so that no row of the softmax is empty
        logits = model(tokens, (places[None, start:stop] - pad[:, None]).clamp(min=0), mask[:, None], cache)[:, -1].float()
        cache.filled = stop
        if temperature > 0:
            p, order = (logits / temperature).softmax(-1).sort(-1, descending=True)
            p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0.0)
            nxt = order.gather(1, torch.multinomial(p, 1, generator=source))[:, 0]
        else:
            nxt = logits.argmax(-1)
        go_on = nxt != end
        for row, token in zip(live[go_on].tolist(), nxt[go_on].tolist()):
            out[row].append(token)
        if not go_on.any():
            break
        if not go_on.all():
            rows = go_on.nonzero()[:, 0]
            cache.keep(rows)
            live, pad, nxt = live[rows], pad[rows], nxt[rows]
        tokens = nxt[:, None]
    return out
