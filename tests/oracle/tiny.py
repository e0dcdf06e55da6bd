"""tiny.py - writes small random GGUF models of every shape that the architectures allow, with PyPI `gguf`'s writer.

A model is a dict of options over DEFAULTS; CASES are the ones that the tests use. Weights are scaled so that no layer vanishes or explodes, which
keeps every part of the model visible in the logits.
"""
import subprocess

import gguf
import numpy as np

DEFAULTS = dict(arch="llama", seed=1, layers=2, d=64, ff=96, heads=4, kv_heads=2, dim=None, vocab=160, context=512, tied=False, bias=False, eps=1e-5,
                base=10000.0, freqs=False, rot=None, scaling=None, factor=None, original=None, attn_factor=None, attn_key="yarn_attn_factor",
                type="F32", tokens=48)

CASES = {
    "llama": {},
    "llama-mha": dict(heads=4, kv_heads=4, seed=2),
    "llama-6-3": dict(d=96, heads=6, kv_heads=3, ff=128, seed=3),
    "llama-odd": dict(d=172, heads=2, kv_heads=1, dim=86, ff=236, seed=4),
    "llama-odd-heads": dict(d=60, heads=6, kv_heads=3, ff=68, seed=5, vocab=97),
    "llama-tied": dict(tied=True, seed=6),
    "llama-bias": dict(bias=True, seed=7),
    "llama-freqs": dict(freqs=True, base=500000.0, seed=8, tokens=200),
    "llama-linear": dict(scaling="linear", factor=4.0, seed=9, tokens=200),
    "llama-partial": dict(rot=8, seed=10),
    "llama-long": dict(seed=11, tokens=300, layers=1),
    "qwen2": dict(arch="qwen2", bias=True, seed=12),
    "qwen2-tied": dict(arch="qwen2", bias=True, tied=True, seed=13, d=72, heads=6, kv_heads=2, ff=200),
    "qwen2-no-bias": dict(arch="qwen2", seed=14),
    "qwen2-partial": dict(arch="qwen2", bias=True, rot=10, seed=15),
    "qwen2-yarn": dict(arch="qwen2", bias=True, scaling="yarn", factor=4.0, original=64, context=256, seed=16, tokens=250),
    "qwen3": dict(arch="qwen3", dim=32, seed=17),
    "qwen3-mha": dict(arch="qwen3", dim=24, heads=3, kv_heads=3, seed=18, tied=True),
    "qwen3-yarn": dict(arch="qwen3", dim=32, scaling="yarn", factor=4.0, original=64, context=256, base=1e6, seed=19, tokens=250),
    "qwen3-yarn-attn": dict(arch="qwen3", dim=32, scaling="yarn", factor=4.0, original=64, context=256, base=1e6, attn_factor=0.8782488562869419,
                            seed=20, tokens=250),
    "qwen3-yarn-old-key": dict(arch="qwen3", dim=32, scaling="yarn", factor=4.0, original=64, context=256, base=1e6, attn_factor=0.8782488562869419,
                               attn_key="attn_factor", seed=21, tokens=250),
    "llama-f16": dict(type="F16", d=172, heads=2, kv_heads=1, dim=86, ff=236, seed=22),
    "qwen2-q4_0": dict(arch="qwen2", bias=True, type="Q4_0", seed=24),
    "qwen3-q4_1": dict(arch="qwen3", dim=32, type="Q4_1", seed=25),
    "llama-q5_0": dict(type="Q5_0", seed=26),
    "qwen2-q5_1": dict(arch="qwen2", bias=True, type="Q5_1", seed=27),
    "llama-q8_0": dict(type="Q8_0", d=96, heads=6, kv_heads=3, ff=160, seed=28),
    "llama-bf16": dict(type="BF16", d=172, heads=2, kv_heads=1, dim=86, ff=236, seed=23),
}


def quantize(w, kind):
    """(encoded rows, type id) of a float32 matrix."""
    if kind == "F32":
        return w.astype(np.float32), gguf.GGMLQuantizationType.F32
    if kind == "F16":
        return w.astype(np.float16), gguf.GGMLQuantizationType.F16
    q = gguf.GGMLQuantizationType[kind]
    return gguf.quantize(w.astype(np.float32), q), q


def write(path, options, quantize=quantize):
    o = {**DEFAULTS, **options}
    r = np.random.default_rng(o["seed"])
    dim = o["dim"] or o["d"] // o["heads"]
    w = gguf.GGUFWriter(path, o["arch"])
    w.add_name("random " + o["arch"])
    w.add_block_count(o["layers"])
    w.add_context_length(o["context"])
    w.add_embedding_length(o["d"])
    w.add_feed_forward_length(o["ff"])
    w.add_head_count(o["heads"])
    if o["kv_heads"] != o["heads"]:
        w.add_head_count_kv(o["kv_heads"])
    if o["dim"]:
        w.add_key_length(dim)
        w.add_value_length(dim)
    w.add_layer_norm_rms_eps(o["eps"])
    w.add_rope_freq_base(o["base"])
    w.add_vocab_size(o["vocab"])
    w.add_tokenizer_model("no_vocab")
    if o["rot"]:
        w.add_rope_dimension_count(o["rot"])
    if o["scaling"]:
        w.add_string(f"{o['arch']}.rope.scaling.type", o["scaling"])
        w.add_float32(f"{o['arch']}.rope.scaling.factor", o["factor"])
    if o["original"]:
        w.add_uint32(f"{o['arch']}.rope.scaling.original_context_length", o["original"])
    if o["attn_factor"]:
        w.add_float32(f"{o['arch']}.rope.scaling.{o['attn_key']}", o["attn_factor"])

    def matrix(name, rows, cols, scale):
        data, kind = quantize((r.standard_normal((rows, cols)) * scale).astype(np.float32), o["type"])
        w.add_tensor(name, data, raw_dtype=kind)

    def vector(name, n, mean, deviation=0.2):
        w.add_tensor(name, (mean + deviation * r.standard_normal(n)).astype(np.float32))

    matrix("token_embd.weight", o["vocab"], o["d"], 1.0)
    if o["freqs"]:  # Llama 3's shape: 1 for fast pairs, `factor` for slow ones, a ramp between
        n = (o["rot"] or dim) // 2
        w.add_tensor("rope_freqs.weight", np.interp(np.arange(n), [0, n / 3, 2 * n / 3, n], [1, 1, 8, 8]).astype(np.float32))
    for i in range(o["layers"]):
        b = f"blk.{i}."
        vector(b + "attn_norm.weight", o["d"], 1.0)
        for name, rows in (("attn_q", o["heads"] * dim), ("attn_k", o["kv_heads"] * dim), ("attn_v", o["kv_heads"] * dim)):
            matrix(b + name + ".weight", rows, o["d"], o["d"] ** -0.5 * 1.3)
            if o["bias"]:
                vector(b + name + ".bias", rows, 0.0, 0.5)
        if o["arch"] == "qwen3":
            vector(b + "attn_q_norm.weight", dim, 1.2)
            vector(b + "attn_k_norm.weight", dim, 1.2)
        matrix(b + "attn_output.weight", o["d"], o["heads"] * dim, (o["heads"] * dim) ** -0.5 * 2)
        vector(b + "ffn_norm.weight", o["d"], 1.0)
        matrix(b + "ffn_gate.weight", o["ff"], o["d"], o["d"] ** -0.5)
        matrix(b + "ffn_up.weight", o["ff"], o["d"], o["d"] ** -0.5)
        matrix(b + "ffn_down.weight", o["d"], o["ff"], o["ff"] ** -0.5 * 2)
    vector("output_norm.weight", o["d"], 1.0)
    if not o["tied"]:
        matrix("output.weight", o["vocab"], o["d"], o["d"] ** -0.5 * 3)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    return [int(i) for i in r.integers(0, o["vocab"], o["tokens"])]


def logits(retort, path, ids, kv, out):
    """The program's logits of every position; `out` is a file to use."""
    subprocess.run([retort, "logits", "--allow-unsigned", "-m", path, "--ids", ",".join(map(str, ids)), "--kv", kv, "--out", out], check=True)
    return np.load(out)
