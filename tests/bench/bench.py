#!/usr/bin/env python3
"""Speed of retort as a ratio to its peers and as a share of the machine's limits, measured in one interleaved run on the same files.

Each repetition runs every engine once on each row, one after the other, and the limits (limits.c) beside them, so that a change of the machine's
mood hits all of them. Printed: the median over repetitions, the spread (min..max), the median share of the limit, and the median of the ratios
retort/peer, both taken repetition by repetition. The limit of reading a prompt is the rate at which the instruction set multiplies bytes, that of
generating the bandwidth of memory: all weights but the embedding table are read once a token, and the cache up to the depth.

Rows (--rows, separated by commas, or all):
  base    256 prompt tokens, 32 generated      one     the same on one thread      avx2    the same with retort's AVX2 kernels
  long    4,096 prompt tokens                  deep    32 generated at depth 8,192
  sweep   32 generated at the depths of --depths
  small   SmolLM2-135M Q4_1: 256 prompt tokens, 64 generated
  draft   SmolLM2-135M goes on with a text that stands in its prompt: drafting ahead against not drafting

The model files have real shapes and random weights (shape.py); they are made once, in --models.
The peer llama.cpp is the Python package of requirements.txt, built from source for this machine. ik_llama.cpp is fetched at a pinned commit and
built beside the files of --models, unless $RETORT_IK_BENCH names a llama-bench of it; it generates with -rtr 1, its fastest mode. Any other program
that takes llama-bench's flags and prints its JSON can stand beside them: --peer NAME=/path/to/llama-bench"""
import argparse
import datetime
import json
import os
import re
import shlex
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
IK = "https://github.com/ikawrakow/ik_llama.cpp", "8337e4cd3861406fc04e0854b1409cd1b027fbc9"
ROWS = {"base": {"p": 256, "n": 32}, "one": {"p": 256, "n": 32, "t": 1}, "avx2": {"p": 256, "n": 32, "kernels": "avx2"}, "long": {"p": 4096, "n": 0},
        "deep": {"p": 0, "n": 32, "d": "8192"}, "sweep": {"p": 0, "n": 32}, "small": {"p": 256, "n": 64}, "draft": {}}
TEXT = ("The baker of the village rose at three, when the road was still dark, and lit the oven with the wood of old pear trees. He weighed the flour "
        "on his father's scales, added water, salt and the sour dough from the day before, and kneaded until the dough came away from his hands. "
        "While it rested he swept the floor and listened to the wind. At five he shaped forty loaves, cut a cross into each, and pushed them into the "
        "heat with the long wooden shovel. By six the first children stood at the door, and the whole street smelled of bread.")


def output(command, env=None):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    if done.returncode:
        sys.exit(f"failed: {shlex.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def speeds(command):
    """(work, depth) -> tokens/s of llama-bench's JSON rows, and the last row. Its -gp rows have a prompt before what they generate."""
    rows = output(command)
    return {("decode", r.get("n_depth") or r["n_prompt"]) if r["n_gen"] else ("prefill", r.get("n_depth") or 0): r["avg_ts"] for r in rows}, rows[-1]


def ik_program(folder):
    if os.environ.get("RETORT_IK_BENCH"):
        return os.environ["RETORT_IK_BENCH"]
    url, commit = IK
    source = os.path.join(folder, "ik_llama.cpp-" + commit[:12])
    program = os.path.join(source, "build/bin/llama-bench")
    if not os.path.exists(program):
        print(f"building ik_llama.cpp {commit[:12]} in {source} (once, some ten minutes)", file=sys.stderr)
        for command in (["git", "init", "-q", source], ["git", "-C", source, "fetch", "-q", "--depth", "1", url, commit],
                        ["git", "-C", source, "checkout", "-q", "FETCH_HEAD"],
                        ["cmake", "-S", source, "-B", source + "/build", "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON", "-DLLAMA_CURL=OFF"],
                        ["cmake", "--build", source + "/build", "-j", str(os.cpu_count()), "--target", "llama-bench"]):
            subprocess.run(command, check=True, stdout=sys.stderr)
    return program


def work_of(path):
    """Multiplications and bytes of weights that a token takes, and bytes of cache that each token before it costs."""
    import gguf
    reader = gguf.GGUFReader(path)
    value = lambda key: int(reader.fields[key].parts[-1][0])
    arch = bytes(reader.fields["general.architecture"].parts[-1]).decode()
    tied = all(t.name != "output.weight" for t in reader.tensors)
    heads = value(f"{arch}.attention.head_count")
    size = value(f"{arch}.attention.key_length") if f"{arch}.attention.key_length" in reader.fields else value(f"{arch}.embedding_length") // heads
    return {"macs": sum(int(t.n_elements) for t in reader.tensors if len(t.shape) == 2 and t.name.startswith("blk.")),
            "bytes": sum(int(t.n_bytes) for t in reader.tensors if tied or t.name != "token_embd.weight"),
            "cache": value(f"{arch}.block_count") * value(f"{arch}.attention.head_count_kv") * size * 2 * 2}


def generation_speed(retort, model, draft):
    answer = output([retort, "run", "--json", "--allow-unsigned", "-m", model, "--raw", "--temp", "0", "-n", "96", "--draft", draft, f"{TEXT}\n\n{TEXT[:len(TEXT) // 4]}"])
    def find(node):
        if isinstance(node, dict):
            return node.get("generation_tokens_per_s") or next(filter(None, map(find, node.values())), None)
    return find(answer)


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def rounded(values):
    return [float(f"{f(values):.2f}") for f in (statistics.median, min, max)]


def record(a, seen, shares, limits):
    """The run as an entry of docs/measured.json, from where tools/figures.py puts it into the pages."""
    sys.path.insert(0, os.path.join(ROOT, "tools"))
    import figures
    given, own = [], ("--retort", "--limits", "--models", "--small", "--record", "--machine")  # what build.sh adds, and what says where to write
    for word, before in zip(sys.argv[1:], [None, *sys.argv[1:]]):
        if word not in own and before not in own:
            given.append(word)
    rows = []
    for at, by in seen.items():
        row, name, work, depth = at
        ratio = {e: float(f"{statistics.median(x / y for x, y in zip(by['retort'], v)):.2f}") for e, v in by.items() if e != "retort"}
        rows.append({"row": row, "file": name, "work": work, "depth": depth, "tokens_per_s": {e: rounded(v) for e, v in by.items()},
                     "of_limit": round(100 * statistics.median(shares[at])) if at in shares else None, "ratio": ratio})
    entry = {"what": f"{', '.join(map(os.path.basename, a.file)) or a.shape + ' shape'}, {a.t} threads but in row one, {a.r} repetition{'s' * (a.r > 1)}", "machine": a.machine,
             "date": datetime.date.today().isoformat(), "commit": git("rev-parse", "--short", "HEAD"), "command": shlex.join(["./build.sh", "bench", *given]),
             "limits": [{"threads": t, "kernels": k, **{key: rounded([x[key] for x in found]) for key in ("read_gb_s", "int8_gmac_s") if found[0][key]}}
                        for (t, k), found in limits.items()], "bench": rows}
    data = figures.load()
    data["measurements"][a.record] = entry
    figures.save(data)
    print(f"recorded as '{a.record}' in docs/measured.json; tools/figures.py shows it where a page has <!-- figures {a.record} -->", file=sys.stderr)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--retort", required=True, help="the program to measure")
    ap.add_argument("--limits", required=True, help="the program built of limits.c")
    ap.add_argument("--models", required=True, help="folder for the model files")
    ap.add_argument("--small", help="SmolLM2-135M-Instruct.Q4_1.gguf")
    ap.add_argument("--rows", default="base", help="what to measure (default base)")
    ap.add_argument("--depths", default="0,512,1024,2048,4096,8192", help="of the row sweep")
    ap.add_argument("--record", metavar="NAME", help="put the run into docs/measured.json under this name (a-z, 0-9, -), in place of what has it")
    ap.add_argument("--machine", help="with --record: the machine and what else it did, in words")
    ap.add_argument("--shape", default="r1-qwen-1.5b")
    ap.add_argument("--types", default="Q4_0,Q4_K_M,Q8_0")
    ap.add_argument("--file", action="append", default=[], help="measure this GGUF file instead of made ones; may be repeated")
    ap.add_argument("-t", type=int, default=os.cpu_count(), help="threads (default: all)")
    ap.add_argument("-r", type=int, default=5, help="repetitions (default 5)")
    ap.add_argument("--peer", action="append", default=[], help="llama.cpp (default), ik_llama.cpp, or NAME=LLAMA_BENCH_PROGRAM [ARGS]; may be repeated")
    ap.add_argument("--json", action="store_true", help="print every measured value as JSON")
    a = ap.parse_args()
    if a.record and not (a.machine and re.fullmatch("[a-z0-9-]+", a.record)):
        sys.exit("--record wants a name of a-z, 0-9 and -, and --machine with the machine in words")
    if a.record and git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"):
        sys.exit("--record: there are changes that are not committed, so no commit would name what is measured")
    os.makedirs(a.models, exist_ok=True)
    names = list(ROWS) if a.rows == "all" else a.rows.split(",")
    if unknown := [n for n in names if n not in ROWS]:
        sys.exit(f"--rows {unknown[0]}: there are {', '.join(ROWS)}, all")
    if {"small", "draft"} & set(names) and not (a.small and os.path.exists(a.small)):
        sys.exit("the rows small and draft need --small")
    # (file, its name) of each row
    files = [(f, os.path.basename(f)) for f in a.file]
    if not files and set(names) - {"small", "draft"}:
        for mix in a.types.split(","):
            path = os.path.join(a.models, f"{a.shape}-{mix}.gguf")
            if not os.path.exists(path):
                print(f"making {path}", file=sys.stderr)
                subprocess.run([sys.executable, os.path.join(HERE, "shape.py"), a.shape, mix, path], check=True)
            files.append((path, mix))

    peers = {}  # name -> f(file, p, n, d, t) -> commands
    for peer in a.peer or ["llama.cpp"]:
        if peer == "llama.cpp":
            peers[peer] = lambda f, p, n, d, t: [[sys.executable, os.path.join(HERE, "peer_llama.py"), "-m", f, "-p", str(p), "-n", str(n), "-d", d, "-t", str(t), "-r", "1"]]
        elif peer == "ik_llama.cpp":
            def ik(f, p, n, d, t, program=ik_program(a.models)):
                common = [program, "-m", f, "-t", str(t), "-r", "1", "-o", "json"]
                depths = [["-gp", f"{k},{n}"] if k != "0" else ["-n", str(n)] for k in d.split(",")]
                decode = [*common, "-p", "0", "-rtr", "1", *([] if "0" in d.split(",") else ["-n", "0"]), *sum(depths, [])]
                return [[*common, "-p", str(p), "-n", "0"]] * (p > 0) + [decode] * (n > 0)
            peers[peer] = ik
        elif "=" in peer:
            name, program = peer.split("=", 1)
            peers[name] = lambda f, p, n, d, t, program=program: [[*shlex.split(program), "-m", f, "-p", str(p), "-n", str(n), "-d", d, "-t", str(t), "-r", "1", "-o", "json"]]
        else:
            sys.exit(f"--peer {peer}: say llama.cpp, ik_llama.cpp or NAME=PROGRAM, where PROGRAM takes llama-bench's flags")

    seen, shares, sizes, limits = {}, {}, {}, {}  # seen: (row, file, work, depth) -> engine -> [tokens/s]

    def say(text):
        print(f"\r\033[K{text}" if sys.stderr.isatty() else f"{text}\n", end="", file=sys.stderr, flush=True)

    for repeat in range(a.r):
        now = {}  # this repetition's limits
        for row in names:
            if row == "draft":
                by = seen.setdefault((row, "SmolLM2 Q4_1", "decode", 0), {})
                for engine, draft in (("retort", "auto"), ("no drafts", "off")):
                    say(f"repetition {repeat + 1}/{a.r}: {row} {engine}")
                    by.setdefault(engine, []).append(generation_speed(a.retort, a.small, draft))
                continue
            spec = {"d": a.depths if row == "sweep" else "0", "t": a.t, **ROWS[row]}
            for path, name in [(a.small, "SmolLM2 Q4_1")] if row == "small" else files:
                own = [a.retort, "bench", "--allow-unsigned", "-m", path, "-p", str(spec["p"]), "-n", str(spec["n"]), "-d", spec["d"], "-t", str(spec["t"]), "-r", "1", "--json"]
                say(f"repetition {repeat + 1}/{a.r}: {row} {name} retort")
                got, last = speeds(own + (["--kernels", spec["kernels"]] if "kernels" in spec else []))
                key = spec["t"], last["kernels"]
                if key not in now:
                    now[key] = output([a.limits, str(key[0]), key[1]])
                    limits.setdefault(key, []).append(now[key])
                size = sizes.setdefault(path, work_of(path))
                for (work, depth), speed in got.items():
                    at = row, name, work, depth
                    seen.setdefault(at, {}).setdefault("retort", []).append(speed)
                    if work == "decode":
                        shares.setdefault(at, []).append(1e-9 * speed * (size["bytes"] + depth * size["cache"]) / now[key]["read_gb_s"])
                    elif now[key]["int8_gmac_s"]:
                        shares.setdefault(at, []).append(1e-9 * speed * size["macs"] / now[key]["int8_gmac_s"])
                for peer, commands in peers.items():
                    say(f"repetition {repeat + 1}/{a.r}: {row} {name} {peer}")
                    for command in commands(path, spec["p"], spec["n"], spec["d"], spec["t"]):
                        for (work, depth), speed in speeds(command)[0].items():
                            if (row, name, work, depth) in seen:
                                seen[row, name, work, depth].setdefault(peer, []).append(speed)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    if a.record:
        record(a, seen, shares, limits)
    if a.json:
        print(json.dumps([{"row": r, "file": f, "work": w, "depth": d, "engine": e, "tokens_per_s": v} for (r, f, w, d), by in seen.items() for e, v in by.items()]))
        return
    for (threads, kernels), found in limits.items():
        spread = lambda key: f"{statistics.median(x[key] for x in found):.0f} ({min(x[key] for x in found):.0f}..{max(x[key] for x in found):.0f})"
        peak = f", {kernels} multiplies {spread('int8_gmac_s')} G bytes/s" if found[0]["int8_gmac_s"] else ""
        print(f"limits, {threads} thread{'s' * (threads > 1)}: memory read at {spread('read_gb_s')} GB/s{peak}")
    print(f"{a.r} repetition{'s' * (a.r > 1)}, {a.t} threads but in row one; tokens/s: median (min..max)")
    show = lambda v: f"{statistics.median(v):.1f} ({min(v):.1f}..{max(v):.1f})"
    print(f"{'row':<6} {'file':<13} {'work':<13} {'retort':>21} {'limit':>6}" + "".join(f" {p:>21} {'ratio':>6}" for p in peers))
    for at, by in seen.items():
        row, name, work, depth = at
        share = f"{100 * statistics.median(shares[at]):.0f} %" if at in shares else "-"
        line = f"{row:<6} {name:<13} {work + (f' @ {depth}' if depth else ''):<13} {show(by['retort']):>21} {share:>6}"
        for p in ["no drafts"] if row == "draft" else peers:
            ratio = f"{statistics.median(x / y for x, y in zip(by['retort'], by[p])):.2f}x" if p in by else "-"
            line += f" {show(by[p]) if p in by else '-':>21} {ratio:>6}" + (f"  ({p})" if row == "draft" else "")
        print(line)


if __name__ == "__main__":
    main()
