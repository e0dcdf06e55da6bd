#!/usr/bin/env python3
"""llama.cpp (PyPI llama-cpp-python, low-level interface) measured the way its own llama-bench does: prefill of -p tokens, decode of -n tokens,
each from depth -d, warmed up once, -r times. Prints llama-bench's JSON rows."""
import argparse
import ctypes
import json
import statistics
import sys
import time

import llama_cpp as L


def main():
    ap = argparse.ArgumentParser()
    for flag, kind, default in (("-m", str, None), ("-p", int, 512), ("-n", int, 128), ("-t", int, 2), ("-r", int, 5), ("-d", str, "0")):
        ap.add_argument(flag, type=kind, default=default)
    a = ap.parse_args()
    depths = sorted(int(d) for d in a.d.split(","))
    quiet = L.llama_log_callback(lambda level, text, user: None)
    L.llama_log_set(quiet, None)
    L.llama_backend_init()
    model = L.llama_model_load_from_file(a.m.encode(), L.llama_model_default_params())
    if not model:
        sys.exit("llama.cpp cannot load " + a.m)
    n_vocab = L.llama_vocab_n_tokens(L.llama_model_get_vocab(model))
    cp = L.llama_context_default_params()
    cp.n_ctx = depths[-1] + max(a.p, a.n) + 8
    cp.n_threads = cp.n_threads_batch = a.t
    ctx = L.llama_init_from_model(model, cp)
    memory = L.llama_get_memory(ctx)

    def feed(count, one_by_one=False):
        done = 0
        while done < count:
            n = 1 if one_by_one else min(cp.n_batch, count - done)
            ids = (ctypes.c_int32 * n)(*[(7919 * (done + i) + 13) % n_vocab for i in range(n)])
            if L.llama_decode(ctx, L.llama_batch_get_one(ids, n)):
                sys.exit("llama_decode failed")
            done += n
        L.llama_synchronize(ctx)

    rows, filled = [], 0
    for depth in depths:
        for n_prompt, n_gen in ((a.p, 0), (0, a.n)):
            if not n_prompt and not n_gen:
                continue
            speeds = []
            for repeat in range(a.r + 1):
                if not L.llama_memory_seq_rm(memory, 0, filled, -1):
                    sys.exit("llama_memory_seq_rm failed")
                feed(depth - filled)
                filled = depth
                start = time.perf_counter()
                feed(n_prompt or n_gen, one_by_one=bool(n_gen))
                if repeat:  # the first is the warm-up
                    speeds.append((n_prompt or n_gen) / (time.perf_counter() - start))
            rows.append({"n_prompt": n_prompt, "n_gen": n_gen, "n_depth": depth, "n_threads": a.t, "avg_ts": statistics.mean(speeds),
                         "stddev_ts": statistics.stdev(speeds) if len(speeds) > 1 else 0.0})
    print(json.dumps(rows))


main()
