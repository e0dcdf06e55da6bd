"""test_exactness.py - how far the runtime's next-token distributions are from those of the same weights evaluated in double precision.

On a committed text of 2,048 tokens the mean KL divergence must be no larger than llama.cpp's own, and the perplexity within 0.1 % of the
double-precision one. Both programs run with their default float16 KV cache.
"""
import argparse
import ctypes
import os
import subprocess
import sys
import tempfile

import numpy as np

import llama_cpp
import llamacpp
import reference

TOKENS, CHUNK = 2048, 128


def tokenize(model, text):
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    handle = llama_cpp.llama_model_load_from_file(model.encode(), params)
    ids = (ctypes.c_int32 * (len(text) + 8))()
    n = llama_cpp.llama_tokenize(llama_cpp.llama_model_get_vocab(handle), text, len(text), ids, len(ids), False, False)
    llama_cpp.llama_model_free(handle)
    return list(ids[:n])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    args = parser.parse_args()
    with open(args.text, "rb") as file:
        ids = tokenize(args.model, file.read())
    assert len(ids) == TOKENS, f"{args.text} is {len(ids)} tokens, not {TOKENS}"
    ids = ids[: args.tokens]
    n = len(ids)
    model = reference.Reference(args.model)
    hidden, output = model.hidden(ids), model.output()
    model.cache.clear()
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "logits.npy")
        subprocess.run([args.retort, "logits", "-m", args.model, "--ids", ",".join(map(str, ids)), "--out", out], check=True)
        logits = {"retort": np.load(out, mmap_mode="r"), "llama.cpp": llamacpp.logits(args.model, ids)}
        divergence = {name: 0.0 for name in logits}
        agree = {name: 0 for name in logits}
        surprise = {name: 0.0 for name in ["double", *logits]}
        for first in range(0, n, CHUNK):
            rows = slice(first, min(first + CHUNK, n))
            exact = hidden[rows] @ output.T
            following = np.array(ids[first + 1 : rows.stop + 1])
            log_p = {"double": reference.log_softmax(exact), **{k: reference.log_softmax(v[rows]) for k, v in logits.items()}}
            for name, lp in log_p.items():
                surprise[name] -= lp[np.arange(len(following)), following].sum()
                if name != "double":
                    divergence[name] += (np.exp(log_p["double"]) * (log_p["double"] - lp)).sum()
                    agree[name] += (lp.argmax(-1) == log_p["double"].argmax(-1)).sum()
    perplexity = {name: float(np.exp(s / (n - 1))) for name, s in surprise.items()}
    print(f"perplexity in double precision: {perplexity['double']:.5f} over {n} tokens")
    for name in logits:
        print(f"{name:9s}: mean KL divergence {divergence[name] / n:.3e}, top token agrees {100 * agree[name] / n:.2f} %, "
              f"perplexity {perplexity[name]:.5f} ({100 * (perplexity[name] / perplexity['double'] - 1):+.4f} %)")
    good = divergence["retort"] <= divergence["llama.cpp"] and abs(perplexity["retort"] / perplexity["double"] - 1) <= 0.001
    sys.exit(0 if good else 1)


main()
