#!/usr/bin/env python3
"""Speed of retort as a ratio to a peer, measured in one interleaved run on the same files.

Each repetition runs every engine once on each row, one after the other, so that a change of the machine's mood hits all of them. Printed: the
median over repetitions, the spread (min..max), and the median of the ratios retort/peer taken repetition by repetition.

The model files have real shapes and random weights (shape.py); they are made once, in --models.
The peer llama.cpp is the Python package of requirements.txt, built from source for this machine. Any other program that takes llama-bench's flags
and prints its JSON can stand beside it: --peer ik_llama.cpp=/path/to/llama-bench"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def measure(command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    if done.returncode:
        sys.exit(f"failed: {shlex.join(command)}\n{done.stderr[-2000:]}")
    rows = json.loads(done.stdout)
    return {"prefill" if row["n_prompt"] else "decode": row["avg_ts"] for row in rows}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--retort", required=True, help="the program to measure")
    ap.add_argument("--retort-args", default="", help="further arguments for `retort bench`, for example '--kernels avx2'")
    ap.add_argument("--models", required=True, help="folder for the model files")
    ap.add_argument("--shape", default="r1-qwen-1.5b")
    ap.add_argument("--types", default="Q4_0,Q4_K_M,Q8_0")
    ap.add_argument("--file", action="append", default=[], help="measure this GGUF file instead of made ones; may be repeated")
    ap.add_argument("-p", type=int, default=256, help="prompt tokens (default 256)")
    ap.add_argument("-n", type=int, default=32, help="generated tokens (default 32)")
    ap.add_argument("-d", type=int, default=0, help="depth: tokens already in the cache (default 0)")
    ap.add_argument("-t", type=int, default=os.cpu_count(), help="threads (default: all)")
    ap.add_argument("-r", type=int, default=5, help="repetitions (default 5)")
    ap.add_argument("--peer", action="append", default=[], help="llama.cpp (default), or NAME=LLAMA_BENCH_PROGRAM [ARGS]; may be repeated")
    ap.add_argument("--json", action="store_true", help="print every measured value as JSON")
    a = ap.parse_args()
    os.makedirs(a.models, exist_ok=True)

    files = [(os.path.basename(f), f) for f in a.file]
    for mix in [] if files else a.types.split(","):
        path = os.path.join(a.models, f"{a.shape}-{mix}.gguf")
        if not os.path.exists(path):
            print(f"making {path}", file=sys.stderr)
            subprocess.run([sys.executable, os.path.join(HERE, "shape.py"), a.shape, mix, path], check=True)
        files.append((mix, path))

    common = ["-p", str(a.p), "-n", str(a.n), "-t", str(a.t), "-d", str(a.d), "-r", "1"]
    engines = [("retort", lambda f: [a.retort, "bench", "--allow-unsigned", "-m", f, *common, "--json", *shlex.split(a.retort_args)])]
    for peer in a.peer or ["llama.cpp"]:
        if peer == "llama.cpp":
            engines.append((peer, lambda f: [sys.executable, os.path.join(HERE, "peer_llama.py"), "-m", f, *common]))
        elif "=" in peer:
            name, program = peer.split("=", 1)
            engines.append((name, lambda f, program=program: [*shlex.split(program), "-m", f, *common, "-o", "json"]))
        else:
            sys.exit(f"--peer {peer}: say NAME=PROGRAM, where PROGRAM takes llama-bench's flags")

    seen = {}  # (file, work) -> engine -> [tokens/s]
    for repeat in range(a.r):
        for name, path in files:
            for engine, command in engines:
                print(f"\r\033[Krepetition {repeat + 1}/{a.r}: {name} {engine}" if sys.stderr.isatty() else
                      f"repetition {repeat + 1}/{a.r}: {name} {engine}\n", end="", file=sys.stderr, flush=True)
                for work, speed in measure(command(path)).items():
                    seen.setdefault((name, work), {}).setdefault(engine, []).append(speed)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if a.json:
        print(json.dumps([{"file": name, "work": work, "engine": e, "tokens_per_s": v} for (name, work), by in seen.items() for e, v in by.items()]))
        return
    print(f"{a.t} threads, {a.p} prompt tokens, {a.n} generated, depth {a.d}, {a.r} repetitions, tokens/s: median (min..max)")
    peers = [e for e, _ in engines[1:]]
    print(f"{'file':<24} {'work':<8} {'retort':>24} " + " ".join(f"{p:>24} {'ratio':>7}" for p in peers))
    show = lambda v: f"{statistics.median(v):8.2f} ({min(v):.1f}..{max(v):.1f})"
    for (name, work), by in seen.items():
        line = f"{name:<24} {work:<8} {show(by['retort']):>24} "
        for p in peers:
            ratio = statistics.median(x / y for x, y in zip(by["retort"], by[p]))
            line += f"{show(by[p]):>24} {ratio:6.2f}x"
        print(line)


main()
