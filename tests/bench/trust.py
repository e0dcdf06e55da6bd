#!/usr/bin/env python3
"""What verifying costs: loading a signed model against reading it, `retort verify` against the Python tool, and the way to the first token.

All ways take turns in each repetition, from a warm page cache; printed are medians and the spread. "Plain reading" is this script: N threads that
read the file into fresh anonymous memory, once with the kernel's small pages, as a program gets them from malloc, and once with huge ones, as
retort asks for them. The file is signed with a key made for the purpose; its signature lies in a temporary folder, beside a link or copy.

usage: trust.py --retort build/retort (--file MODEL.gguf | --models FOLDER) [--model-signing PROGRAM]"""
import argparse
import json
import mmap
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PIECE = 8 << 20


def read_plainly(path, threads, huge):
    """Seconds to get the file into private memory."""
    size, descriptor = os.path.getsize(path), os.open(path, os.O_RDONLY)
    start = time.perf_counter()
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if huge:
        memory.madvise(mmap.MADV_HUGEPAGE)
    view, pieces = memoryview(memory), iter(range(0, size, PIECE))

    def work():
        for at in pieces:  # next() of a range's iterator is one step under the interpreter's lock
            os.preadv(descriptor, [view[at:at + PIECE]], at)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    took = time.perf_counter() - start
    view.release()
    memory.close()
    os.close(descriptor)
    return took


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--retort", required=True)
    ap.add_argument("--file", help="GGUF to measure with")
    ap.add_argument("--models", help="folder for a made file in the shape of R1-Qwen-1.5B, Q4_0 (needs numpy and gguf)")
    ap.add_argument("--model-signing", help="the Python tool's program; without it that row is left out")
    ap.add_argument("-t", type=int, default=os.cpu_count(), help="threads (default: all)")
    ap.add_argument("-r", type=int, default=7, help="repetitions (default 7)")
    a = ap.parse_args()
    path = a.file or os.path.join(a.models, "r1-qwen-1.5b-Q4_0.gguf")
    if not os.path.exists(path):
        subprocess.run([sys.executable, os.path.join(HERE, "shape.py"), "r1-qwen-1.5b", "Q4_0", path], check=True)

    with tempfile.TemporaryDirectory() as folder:
        chunked, whole, retort = f"{folder}/a/model.gguf", f"{folder}/b/model.gguf", os.path.abspath(a.retort)
        for target in (chunked, whole):
            os.mkdir(os.path.dirname(target))
            try:
                os.link(path, target)
            except OSError:
                subprocess.run(["cp", path, target], check=True)
        run = lambda *words: subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True).stdout
        run(retort, "keygen", f"{folder}/k")
        run(retort, "sign", "-k", f"{folder}/k.key", chunked)
        run(retort, "sign", "-k", f"{folder}/k.key", "--no-chunks", whole)
        with open(chunked, "rb") as f:
            while f.read(PIECE):
                pass
        rows, splits = {}, []

        def note(name, took):
            rows.setdefault(name, []).append(took)

        def timed(name, *words):
            start = time.perf_counter()
            out = run(*words)
            note(name, time.perf_counter() - start)
            return out

        def load(name, model, *trust):
            t = json.loads(run(retort, "logits", "--json", "-t", a.t, "-m", model, "--ids", "1", "--out", f"{folder}/x.npy", *trust))["timings"]
            note(name, t["load_s"])
            return t

        # The host of a virtual machine takes freed memory back after a second or two; to get it again costs more than all that is measured here.
        # So each way is tried right after as much memory was taken and given back.
        settle = lambda: read_plainly(chunked, a.t, True)
        key = ("--key", f"{folder}/k.pub")
        for _ in range(a.r):
            settle()
            note("plain reading, small pages", read_plainly(chunked, a.t, False))
            settle()
            note("plain reading, huge pages", read_plainly(chunked, a.t, True))
            settle()
            load("load, unsigned", chunked, "--allow-unsigned")
            settle()
            start = time.perf_counter()
            t = load("load, signed, chunk list", chunked, *key)
            splits.append((t["read_s"], t["hash_s"], t["parse_s"], t["eval_s"], time.perf_counter() - start))
            settle()
            load("load, signed, no chunk list", whole, *key)
            timed("retort verify", retort, "verify", "-t", a.t, *key, chunked)
            timed("retort verify, no chunk list", retort, "verify", "-t", a.t, *key, whole)
            if a.model_signing:
                timed("model_signing verify", a.model_signing, "verify", "key", chunked, "--signature", chunked + ".sig", "--public_key", f"{folder}/k.pub")

        size = os.path.getsize(path)
        print(f"{os.path.basename(path)}, {size / 1e9:.2f} GB, {a.t} threads, {a.r} repetitions")
        for name, times in rows.items():
            m = statistics.median(times)
            print(f"{name:30} {1e3 * m:6.0f} ms ({1e3 * min(times):.0f}..{1e3 * max(times):.0f})  {size / m / 1e9:5.2f} GB/s")
        ratio = lambda x, y: statistics.median(p / q for p, q in zip(rows[x], rows[y]))
        print(f"load, signed / plain reading, small pages: {ratio('load, signed, chunk list', 'plain reading, small pages'):.2f}x")
        print(f"load, signed / plain reading, huge pages:  {ratio('load, signed, chunk list', 'plain reading, huge pages'):.2f}x")
        if a.model_signing:
            print(f"model_signing verify / retort verify:      {ratio('model_signing verify', 'retort verify'):.1f}x")
        names = ("read", "hash", "parse", "first token", "start to end of process")
        print("start to first token: " + ", ".join(f"{n} {1e3 * statistics.median(column):.0f} ms" for n, column in zip(names, zip(*splits))))


if __name__ == "__main__":
    main()
