#!/usr/bin/env python3
"""Writes a GGUF with the shape of a real model and random blocks of the wanted types: for speed and memory work, its text is noise.

The mixes follow llama.cpp's quantiser: Q4_K_M keeps attn_v and ffn_down of some layers, and the output head, in Q6_K. There is no
vocabulary inside (tokenizer.ggml.model = "no_vocab"), so the file stays as small as its weights; or, where the program measured takes text only,
one of the single bytes and of tokens that no text has.

usage: shape.py SHAPE MIX OUT.gguf [bytes]     SHAPE: r1-qwen-1.5b r1-qwen-7b r1-llama-8b smollm2-135m    MIX: Q4_0 Q8_0 Q4_K_M Q6_K F16 ..."""
import os
import sys

import numpy as np
import gguf
from gguf import GGMLQuantizationType as T

# arch, layers, d, ffn, heads, kv heads, head_dim, rope theta, eps, vocabulary rows
SHAPES = {
    "r1-qwen-1.5b": ("qwen2", 28, 1536, 8960, 12, 2, 128, 10000.0, 1e-6, 151936),
    "r1-qwen-7b": ("qwen2", 28, 3584, 18944, 28, 4, 128, 10000.0, 1e-6, 152064),
    "r1-llama-8b": ("llama", 32, 4096, 14336, 32, 8, 128, 500000.0, 1e-5, 128256),
    "smollm2-135m": ("llama", 30, 576, 1536, 9, 3, 64, 100000.0, 1e-5, 49152),
}
# Byte offsets of the f16 scales in a block of each type, and the range that random values of them are drawn from.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2],
          T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0], T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0], T.IQ3_XXS: [0], T.IQ3_S: [0],
          T.IQ1_S: [0], T.TQ1_0: [52], T.TQ2_0: [64], T.MXFP4: []}
# Scales that keep random weights near 1/sqrt(inputs): typical |code| x scale of a block.
SPREAD = {T.Q4_0: 5, T.Q4_1: 5, T.Q5_0: 9, T.Q5_1: 9, T.Q8_0: 74, T.Q2_K: 16, T.Q3_K: 40, T.Q4_K: 250, T.Q5_K: 500, T.Q6_K: 1400,
          T.IQ4_NL: 60, T.IQ4_XS: 1200, T.IQ2_XXS: 52, T.IQ2_XS: 52, T.IQ2_S: 52, T.IQ3_XXS: 132, T.IQ3_S: 128, T.IQ1_S: 6, T.TQ1_0: 1, T.TQ2_0: 1, T.MXFP4: 1}


def random_tensor(rng, kind, rows, cols):
    if kind in (T.F32, T.F16):
        return (rng.standard_normal((rows, cols), dtype=np.float32) * cols ** -0.5).astype(np.float32 if kind == T.F32 else np.float16)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows, cols // block, size), dtype=np.uint8)
    scale = cols ** -0.5 / SPREAD[kind]
    for at in SCALES[kind]:
        values = (scale * rng.uniform(0.5, 1.5, data.shape[:2])).astype(np.float16)
        data[:, :, at:at + 2] = values[..., None].view(np.uint8)
    if kind == T.MXFP4:  # the power of two that is a scale
        data[:, :, 0] = 127 + np.round(np.log2(scale / 3)).astype(int) + rng.integers(-1, 2, data.shape[:2])
    return data.reshape(rows, -1)


def types_of(mix, layers):
    """(attn_q/k/o + ffn_gate/up, attn_v, ffn_down, embedding, output) for each layer, as llama.cpp's quantiser mixes them."""
    if mix == "Q4_K_M":
        more = [i < layers // 8 or i >= 7 * layers // 8 or (i - layers // 8) % 3 == 2 for i in range(layers)]
        return [(T.Q4_K, T.Q6_K if m else T.Q4_K, T.Q6_K if m else T.Q4_K) for m in more], T.Q4_K, T.Q6_K
    kind = T[mix]
    # The quantiser keeps the head of the plain 4-bit files in Q6_K, and head and embedding of files of fewer bits in more.
    head = {T.Q4_0: T.Q6_K, T.Q4_1: T.Q6_K, T.IQ3_S: T.Q6_K, T.MXFP4: T.Q8_0}.get(kind, kind)
    embedding = kind
    if kind in (T.IQ1_S, T.IQ2_XXS, T.IQ2_XS, T.IQ2_S, T.IQ3_XXS):
        embedding, head = T.Q2_K, T.Q5_K
    return [(kind, kind, kind)] * layers, embedding, head


def main():
    shape, mix, out = sys.argv[1:4]
    arch, layers, d, ffn, heads, kv, hd, theta, eps, vocab = SHAPES[shape]
    rng = np.random.default_rng(1)
    w = gguf.GGUFWriter(out + ".part", arch)
    w.add_name(f"random {shape} {mix}")
    w.add_block_count(layers); w.add_context_length(131072); w.add_embedding_length(d); w.add_feed_forward_length(ffn)
    w.add_head_count(heads); w.add_head_count_kv(kv); w.add_key_length(hd); w.add_value_length(hd); w.add_vocab_size(vocab)
    w.add_rope_dimension_count(hd); w.add_rope_freq_base(theta); w.add_layer_norm_rms_eps(eps)
    if sys.argv[4:] == ["bytes"]:
        w.add_tokenizer_model("gpt2"); w.add_tokenizer_pre("qwen2"); w.add_eos_token_id(vocab - 1)
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes: these stand for themselves
        others = [b for b in range(256) if b not in printable]
        letters = {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}
        w.add_token_list([letters[i] if i < 256 else letters[32] * 2 if i == 256 else f"<unused {i}>" for i in range(vocab)])
        w.add_token_types([gguf.TokenType.NORMAL if i <= 256 else gguf.TokenType.CONTROL for i in range(vocab)])
        w.add_token_merges([f"{letters[32]} {letters[32]}"])  # one there must be
    else:
        w.add_tokenizer_model("no_vocab")
    per_layer, embedding, head = types_of(mix, layers)

    def matrix(name, rows, cols, kind):
        if kind in SCALES and cols % gguf.GGML_QUANT_SIZES[kind][0]:
            kind = {T.Q4_K: T.Q5_0, T.Q6_K: T.Q8_0}.get(kind, T.Q8_0)  # the quantiser's fallback for odd rows
        w.add_tensor(name, random_tensor(rng, kind, rows, cols), raw_dtype=kind)

    def vector(name, n, mean):
        w.add_tensor(name, (mean + 0.05 * rng.standard_normal(n)).astype(np.float32))

    matrix("token_embd.weight", vocab, d, embedding)
    for i, (usual, v, down) in enumerate(per_layer):
        p = f"blk.{i}."
        vector(p + "attn_norm.weight", d, 1)
        matrix(p + "attn_q.weight", heads * hd, d, usual)
        matrix(p + "attn_k.weight", kv * hd, d, usual)
        matrix(p + "attn_v.weight", kv * hd, d, v)
        matrix(p + "attn_output.weight", d, heads * hd, usual)
        if arch == "qwen2":
            vector(p + "attn_q.bias", heads * hd, 0); vector(p + "attn_k.bias", kv * hd, 0); vector(p + "attn_v.bias", kv * hd, 0)
        vector(p + "ffn_norm.weight", d, 1)
        matrix(p + "ffn_gate.weight", ffn, d, usual)
        matrix(p + "ffn_up.weight", ffn, d, usual)
        matrix(p + "ffn_down.weight", d, ffn, down)
    vector("output_norm.weight", d, 1)
    matrix("output.weight", vocab, d, head)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    os.replace(out + ".part", out)


if __name__ == "__main__":
    main()
