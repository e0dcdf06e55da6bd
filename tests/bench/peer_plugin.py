#!/usr/bin/env python3
"""retort-plugin.wasm under wasmtime (one thread), measured the way llama-bench measures: -p prompt tokens read, -n tokens generated, -r times.
Stands beside the program in bench.py, on a file that has a vocabulary:

shape.py r1-qwen-1.5b Q4_0 FILE.gguf bytes
./build.sh bench --rows one --file FILE.gguf --peer 'SIMD128=python peer_plugin.py --plugin dist/retort-plugin.wasm'

A prompt's time includes choosing one token; a generated token's is the mean over those that follow the first."""
import argparse
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../wasm/wasi/hosts/python"))
import retort  # noqa: E402


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--plugin", required=True)
    for flag, kind, default in (("-m", str, None), ("-p", int, 512), ("-n", int, 128), ("-t", int, 1), ("-r", int, 5), ("-d", int, 0)):
        ap.add_argument(flag, type=kind, default=default)
    ap.add_argument("-o", help="json, the only form there is")
    a = ap.parse_args()
    if a.t != 1 or a.d:
        sys.exit("the plugin has one thread, and depths are not measured: -t 1 -d 0")
    model = retort.Model(a.plugin, a.m, {"method": "unsigned"})
    ids = model.tokenize(" ".join(f"{7919 * i % 997}" for i in range(a.p)))[: a.p]
    prompt, size = model.detokenize(ids).decode(), len(ids)
    reading, writing = [], []
    for repeat in range(a.r + 1):
        session = model.session(n_ctx=size + a.n + 16)
        start = time.perf_counter()
        times = [time.perf_counter() for _ in session.complete(prompt, temperature=0, max_tokens=a.n + 1, draft=0)][: a.n + 1]
        session.close()
        if repeat:  # the first is the warm-up
            reading.append(size / (times[0] - start))
            writing.append((len(times) - 1) / (times[-1] - times[0]))
    row = lambda prompt, generated, speeds: {"n_prompt": prompt, "n_gen": generated, "n_depth": 0, "n_threads": 1, "avg_ts": statistics.mean(speeds),
                                             "stddev_ts": statistics.stdev(speeds) if len(speeds) > 1 else 0.0}
    print(json.dumps([row(size, 0, reading), row(0, a.n, writing)]))


main()
