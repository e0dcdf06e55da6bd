"""Writes a checkpoint's averaged weights as a GGUF file: matrices Q8_0, norms and biases F32, and the metadata an R1 distill of Qwen2 carries."""

import argparse
import json
import pathlib

import gguf
import torch

from model import Config, Ember
from tokenizer import BEGIN, CONTROL, END, PATH, SPECIALS

HERE = pathlib.Path(__file__).parent
NAMES = {"attn_norm": "attn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "ffn_norm": "ffn_norm", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}


def load(path):
    """The averaged weights of a checkpoint, in a model."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Ember(Config(**state["config"]))
    for p, a in zip(model.parameters(), state["average"]):
        p.data.copy_(a)
    return model.eval(), state


def tensor_name(name):
    if name == "embed.weight":
        return "token_embd.weight"
    if name == "norm.weight":
        return "output_norm.weight"
    _, layer, part, kind = name.split(".")
    return f"blk.{layer}.{NAMES[part]}.{kind}"


def read(path):
    """The weights of a GGUF that write() made, back in a model: a start for more training where the checkpoint is gone."""
    reader = gguf.GGUFReader(path)
    tensors = {t.name: torch.from_numpy(gguf.dequantize(t.data, t.tensor_type).copy()) for t in reader.tensors}
    model = Ember(Config(vocab=tensors["token_embd.weight"].shape[0]))
    for name, p in model.named_parameters():
        p.data.copy_(tensors[tensor_name(name)])
    return model


def write(model, path):
    c = model.config
    w = gguf.GGUFWriter(path, "qwen2")
    w.add_type("model")
    w.add_name("Ember")
    w.add_basename("Ember")
    w.add_size_label(f"{sum(p.numel() for p in model.parameters()) / 1e6:.1f}M")
    w.add_license("apache-2.0")
    w.add_description("A small demonstration model that reasons about sums, numbers, times, units and letters.")
    w.add_block_count(c.layers)
    w.add_context_length(c.context)
    w.add_embedding_length(c.width)
    w.add_feed_forward_length(c.hidden)
    w.add_head_count(c.heads)
    w.add_head_count_kv(c.kv_heads)
    w.add_rope_freq_base(c.rope_base)
    w.add_layer_norm_rms_eps(c.epsilon)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    vocabulary = json.loads(PATH.read_text())
    ids = dict(vocabulary["model"]["vocab"])
    ids.update({t["content"]: t["id"] for t in vocabulary["added_tokens"]})
    tokens = sorted(ids, key=ids.get)
    assert [ids[t] for t in tokens] == list(range(c.vocab))
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types([gguf.TokenType.CONTROL if t in CONTROL else gguf.TokenType.USER_DEFINED if t in SPECIALS else gguf.TokenType.NORMAL for t in tokens])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in vocabulary["model"]["merges"]])
    w.add_bos_token_id(ids[BEGIN])
    w.add_eos_token_id(ids[END])
    w.add_pad_token_id(ids[END])
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_chat_template((HERE / "chat_template.jinja").read_text())
    for name, p in model.named_parameters():
        data = p.detach().float().numpy()
        if data.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            w.add_tensor(tensor_name(name), gguf.quantize(data, kind), raw_dtype=kind)
        else:
            w.add_tensor(tensor_name(name), data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("gguf", type=pathlib.Path)
    args = parser.parse_args()
    model, state = load(args.checkpoint)
    write(model, args.gguf)
    print(f"{args.gguf}: {args.gguf.stat().st_size:,} bytes, step {state['step']}, {state['seen']:,} tokens")
