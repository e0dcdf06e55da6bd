"""test_llamacpp.py - the runtime beside llama.cpp, on the same files.

First every kind of tiny F32 model, where the two must agree to rounding; then one model, wide enough for 8-bit
activations, in each tensor type, quantised by llama.cpp. There both programs round activations in their own way, so both are measured against the double-precision evaluation of the same
weights: the runtime's mean KL divergence must stay below LIMIT and not exceed llama.cpp's by more than a tenth, and its top token must agree
as often as llama.cpp's, up to three positions in a hundred (eight of 256: chance).
"""
import argparse
import os
import sys
import tempfile

import numpy as np

import llamacpp
import reference
import tiny

TINY_LIMIT, LIMIT = 1e-5, 4e-3
SHAPE = dict(arch="qwen2", layers=3, d=1024, ff=2048, heads=16, kv_heads=4, vocab=2000, bias=True, tokens=256, eps=1e-6, seed=100)
# What llama.cpp 0.3.36 (ggml 0.25.3) does otherwise, and why the models are left out.
UNLIKE = {
    "llama-partial": "does not load partial rotation for llama",
    "qwen2-partial": "does not load partial rotation for qwen2",
    "qwen3-yarn-attn": "ignores the key yarn_attn_factor that its own converter writes",
    "llama-f16": "rounds activations to float16",
    "llama-bf16": "rounds activations to bfloat16",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retort", required=True)
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "model.gguf"), os.path.join(folder, "logits.npy")
        for name, options in tiny.CASES.items():
            unlike = "rounds activations to 8 bits" if "_" in options.get("type", "") else UNLIKE.get(name)
            if unlike:
                print(f"{name:20s} left out: llama.cpp {unlike}")
                continue
            ids = tiny.write(path, options)
            ours, theirs = tiny.logits(args.retort, path, ids, "f32", out), llamacpp.logits(path, ids, "f32")
            error = np.abs(ours - theirs).max() / np.abs(theirs).max()
            print(f"{name:20s} max |dlogit| / max |logit| {error:.2e} (limit {TINY_LIMIT:g})")
            failed += not error <= TINY_LIMIT
        for kind in llamacpp.TYPES:
            ids = tiny.write(path, {**SHAPE, "type": kind}, llamacpp.quantize)
            exact = reference.Reference(path).logits(ids)
            result = {}
            for name, got in (("retort", tiny.logits(args.retort, path, ids, "f16", out)), ("llama.cpp", llamacpp.logits(path, ids))):
                result[name] = reference.divergence(exact, got).mean(), (got.argmax(-1) == exact.argmax(-1)).mean()
            (kl, top), (their_kl, their_top) = result["retort"], result["llama.cpp"]
            good = kl <= LIMIT and kl <= 1.1 * their_kl and top >= their_top - 0.03
            failed += not good
            print(f"{kind:7s} mean KL divergence {kl:.3e} (llama.cpp {their_kl:.3e}), top token {100 * top:.1f} % ({100 * their_top:.1f} %)"
                  f"{'' if good else '  FAILED'}")
    print(f"{failed} comparisons failed")
    sys.exit(failed > 0)


main()
