"""reference.py - llama, qwen2 and qwen3 in double precision: what the logits of a GGUF file are when nothing is rounded.

Written from the papers and the GGUF specification, not from the runtime. Weights come out of PyPI `gguf`'s own reader and dequantisers, in
float32, and every operation after that is numpy's in float64. Slow and plain on purpose.
"""
import math

import gguf
import numpy as np


class Reference:
    def __init__(self, path):
        self.reader = reader = gguf.GGUFReader(path)
        self.tensors = {t.name: t for t in reader.tensors}
        self.cache = {}
        self.arch = self.key("general.architecture")
        a = self.arch
        self.layers = int(self.key(f"{a}.block_count"))
        self.d = int(self.key(f"{a}.embedding_length"))
        self.heads = int(self.key(f"{a}.attention.head_count"))
        self.kv_heads = int(self.key(f"{a}.attention.head_count_kv", self.heads))
        self.dim = int(self.key(f"{a}.attention.key_length", self.d // self.heads))
        self.eps = float(self.key(f"{a}.attention.layer_norm_rms_epsilon"))
        self.rot = int(self.key(f"{a}.rope.dimension_count", self.dim))
        self.frequency, self.magnitude = self.rope()

    def key(self, name, default=None):
        field = self.reader.get_field(name)
        return default if field is None else field.contents()

    def weight(self, name, keep=True):
        """(rows, cols) float64; None where there is no such tensor."""
        if name in self.cache:
            return self.cache[name]
        if name not in self.tensors:
            return None
        t = self.tensors[name]
        shape = tuple(int(n) for n in reversed(t.shape))
        w = gguf.dequantize(t.data, t.tensor_type).reshape(shape).astype(np.float64)
        if keep:
            self.cache[name] = w
        return w

    def rope(self):
        a, n = self.arch, self.rot
        base = float(self.key(f"{a}.rope.freq_base", 10000.0))
        kind = self.key(f"{a}.rope.scaling.type", "linear")
        factor = float(self.key(f"{a}.rope.scaling.factor", 1.0))
        pair = np.arange(n // 2, dtype=np.float64)
        frequency = base ** (-2.0 * pair / n)
        magnitude = 1.0
        if kind == "linear":
            frequency = frequency / factor
        elif kind == "yarn":  # arXiv 2309.00071, sections 3.2 to 3.4
            original = float(self.key(f"{a}.rope.scaling.original_context_length", self.key(f"{a}.context_length")))
            fast = float(self.key(f"{a}.rope.scaling.yarn_beta_fast", 32.0))
            slow = float(self.key(f"{a}.rope.scaling.yarn_beta_slow", 1.0))
            where = lambda turns: n * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))
            low, high = max(0, math.floor(where(fast))), min(n - 1, math.ceil(where(slow)))
            ramp = np.clip((pair - low) / max(0.001, high - low), 0, 1)
            frequency = frequency / factor * ramp + frequency * (1 - ramp)
            magnitude = 1 + 0.1 * math.log(factor)
            magnitude *= float(self.key(f"{a}.rope.scaling.yarn_attn_factor", self.key(f"{a}.rope.scaling.attn_factor", 1.0)))
        divisors = self.weight("rope_freqs.weight")
        return (frequency if divisors is None else frequency / divisors), magnitude

    def turn(self, x, positions):
        """x: (n, heads, dim)"""
        angle = positions[:, None] * self.frequency[None, :]
        cos, sin = (np.cos(angle) * self.magnitude)[:, None, :], (np.sin(angle) * self.magnitude)[:, None, :]
        out = x.copy()
        if self.arch == "llama":
            first, second = slice(0, self.rot, 2), slice(1, self.rot, 2)
        else:
            first, second = slice(0, self.rot // 2), slice(self.rot // 2, self.rot)
        out[..., first] = x[..., first] * cos - x[..., second] * sin
        out[..., second] = x[..., first] * sin + x[..., second] * cos
        return out

    def norm(self, x, w):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * w

    def project(self, x, name):
        y = x @ self.weight(name + ".weight").T
        bias = self.weight(name + ".bias")
        return y if bias is None else y + bias

    def hidden(self, ids):
        """(n, d): the normed state that the output matrix multiplies, for positions 0..n-1."""
        n = len(ids)
        positions = np.arange(n, dtype=np.float64)
        x = self.weight("token_embd.weight")[np.asarray(ids)]
        visible = np.tril(np.ones((n, n), dtype=bool))
        for i in range(self.layers):
            b = f"blk.{i}."
            h = self.norm(x, self.weight(b + "attn_norm.weight"))
            q = self.project(h, b + "attn_q").reshape(n, self.heads, self.dim)
            k = self.project(h, b + "attn_k").reshape(n, self.kv_heads, self.dim)
            v = self.project(h, b + "attn_v").reshape(n, self.kv_heads, self.dim)
            if self.arch == "qwen3":
                q, k = self.norm(q, self.weight(b + "attn_q_norm.weight")), self.norm(k, self.weight(b + "attn_k_norm.weight"))
            q, k = self.turn(q, positions), self.turn(k, positions)
            out = np.empty_like(q)
            for head in range(self.heads):
                g = head * self.kv_heads // self.heads
                score = np.where(visible, q[:, head] @ k[:, g].T / math.sqrt(self.dim), -np.inf)
                p = np.exp(score - score.max(-1, keepdims=True))
                out[:, head] = p / p.sum(-1, keepdims=True) @ v[:, g]
            x = x + self.project(out.reshape(n, -1), b + "attn_output")
            h = self.norm(x, self.weight(b + "ffn_norm.weight"))
            gate = self.project(h, b + "ffn_gate")
            x = x + self.project(gate / (1 + np.exp(-gate)) * self.project(h, b + "ffn_up"), b + "ffn_down")
        return self.norm(x, self.weight("output_norm.weight"))

    def output(self):
        w = self.weight("output.weight")
        return self.weight("token_embd.weight") if w is None else w

    def logits(self, ids):
        return self.hidden(ids) @ self.output().T


def log_softmax(logits):
    logits = logits.astype(np.float64)
    logits = logits - logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def divergence(expected, got):
    """KL(expected || got) of each row's next-token distribution."""
    p, q = log_softmax(expected), log_softmax(got)
    return (np.exp(p) * (p - q)).sum(-1)
