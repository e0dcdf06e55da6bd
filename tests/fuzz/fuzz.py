"""fuzz.py - runs the fuzzers, keeps what they learned, and says what they reach.

    PYTHON tests/fuzz/fuzz.py BUILD CORPORA MINUTES [TARGET...]

BUILD is the build for fuzzing (preset `fuzz`), CORPORA a folder that lasts: one corpus a target, made small again after each run. Words for the
dictionaries are the string literals of the sources. What is found lies in BUILD/findings; executions.tsv beside this file counts, for each target, the
executions since its last finding. Exit status 1: there was a finding.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
counts = here / "executions.tsv"
ROOMS = ("runtime", "service", "native", "wasm")
# Seeds (as CMakeLists.txt has them), longest input, and the sources whose words help.
TARGETS = {
    "gguf": ("gguf", 8192, ["runtime/gguf/*.c", "runtime/model/*.c"]),
    "template": ("templates", 8192, ["runtime/template/*.c"]),
    "tokenize": ("vocab", 8192, ["runtime/text/*.c"]),
    "bundle": ("trust/bundle", 8192, ["runtime/trust/bundle.c"]),
    "minisign": ("trust/minisign", 1024, ["runtime/trust/minisign.c"]),
    "chunks": ("trust/chunks", 4096, []),
    "pem": ("trust/pem", 8192, ["runtime/trust/x509.c"]),
    "request": ("fuzz/request", 4096, ["service/*.c", "service/options.def"]),
    "reasoning": ("fuzz/reasoning", 512, ["runtime/generate/reasoning.c"]),
    "arguments": ("fuzz/arguments", 512, ["native/commands/*.c", "native/terminal/options.h", "service/options.def"]),
    "model": ("fuzz/model", 2048, ["runtime/text/*.c", "runtime/template/*.c", "runtime/model/*.c"]),
    "verify": ("fuzz/verify", 512, []),
    "abi": ("fuzz/abi", 2048, ["wasm/*.c", "service/*.c", "service/options.def"]),
}


def dictionary(target, folder):
    """The string literals of the target's sources, as libFuzzer's dictionary: the options that name it; none where there are none."""
    words = set()
    for pattern in TARGETS[target][2]:
        for path in sorted(root.glob(pattern)):
            words.update(re.findall(r'"((?:[^"\\\n]|\\["\\])*)"', path.read_text()))
            if path.suffix == ".def":
                words.update(re.findall(r"\b[a-z][a-z_]{3,}\b", path.read_text()))
    path = folder / f"{target}.dict"
    path.write_text("".join(f'"{word}"\n' for word in sorted(words) if 0 < len(word) <= 40 and "%" not in word and word.isascii()))
    return [f"-dict={path}"] if words else []


class Run:
    """One target: its programs, its corpus, and what a run of it said."""

    def __init__(self, target, build, corpora):
        self.target = target
        self.program = build / "tests" / "fuzz" / f"fuzz_{target}"
        self.seeds = root / "tests" / "data" / TARGETS[target][0]
        self.corpus = corpora / target
        self.findings = build / "findings"
        self.scratch = build / "scratch" / target
        for folder in (self.corpus, self.findings, self.scratch):
            folder.mkdir(parents=True, exist_ok=True)

    def call(self, *options, profile="/dev/null"):
        """Standard error is the fuzzer's own: what the target prints is dropped, but for reports of sanitizers."""
        environment = dict(os.environ, LLVM_PROFILE_FILE=str(profile), ASAN_OPTIONS="allocator_may_return_null=1")
        words = [self.program, "-close_fd_mask=3", f"-max_len={TARGETS[self.target][1]}", *options]
        return subprocess.run([str(w) for w in words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.scratch, text=True, errors="replace")

    def fuzz(self, minutes):
        found = lambda: set(self.findings.glob(f"{self.target}-*"))
        before = found()
        done = self.call(f"-max_total_time={round(minutes * 60)}", "-timeout=120", "-rss_limit_mb=3000", "-print_final_stats=1", "-reload=0", "-verbosity=0",
                         f"-artifact_prefix={self.findings}/{self.target}-", *dictionary(self.target, self.scratch), self.corpus, self.seeds)
        stats = dict(re.findall(r"stat::(\w+):\s*(\d+)", done.stderr))
        self.executions = int(stats.get("number_of_executed_units", 0))
        self.slowest = int(stats.get("slowest_unit_time_sec", 0))
        self.found = sorted(found() - before)
        if done.returncode and not self.found:
            sys.exit(f"fuzz_{self.target} failed:\n{done.stderr[-4000:]}")
        if self.found:
            (self.findings / f"{self.target}.log").write_text(done.stderr)
        else:
            self.minimise()
        return self

    def minimise(self):
        smaller = self.scratch / "smaller"
        shutil.rmtree(smaller, ignore_errors=True)
        smaller.mkdir()
        if self.call("-merge=1", "-timeout=120", smaller, self.corpus).returncode == 0:
            shutil.rmtree(self.corpus)
            shutil.copytree(smaller, self.corpus)
        shutil.rmtree(smaller)

    def profile(self):
        raw = self.scratch / "reached.profraw"
        self.call("-runs=0", self.corpus, self.seeds, profile=raw)
        return raw


def count(run):
    """Adds to executions.tsv; a finding begins the count anew."""
    table = dict(line.split("\t") for line in counts.read_text().splitlines()[1:]) if counts.exists() else {}
    table[run.target] = 0 if run.found else int(table.get(run.target, 0)) + run.executions
    counts.write_text("target\texecutions since the last finding\n" + "".join(f"{name}\t{table[name]}\n" for name in TARGETS if name in table))


def coverage(runs, build):
    """Which part of each file's lines the corpora of these targets reach."""
    merged = build / "reached.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", merged, *[run.profile() for run in runs]], check=True)
    programs = [word for run in runs for word in ("-object", str(run.program))][1:]
    told = subprocess.run(["llvm-cov", "export", "-summary-only", f"-instr-profile={merged}", *programs], check=True, stdout=subprocess.PIPE, text=True)
    files = {}
    for entry in json.loads(told.stdout)["data"][0]["files"]:
        name = os.path.relpath(entry["filename"], root)
        if name.split(os.sep)[0] in ROOMS:
            files[name] = entry["summary"]["lines"]
    print(f"{'lines reached':>16}  of    file")
    for name, lines in sorted(files.items(), key=lambda item: item[1]["percent"]):
        print(f"{lines['percent']:14.1f} %  {lines['count']:5} {name}")
    total, reached = sum(f["count"] for f in files.values()), sum(f["covered"] for f in files.values())
    print(f"{100 * reached / max(total, 1):14.1f} %  {total:5} in all")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("corpora", type=pathlib.Path)
    parser.add_argument("minutes", type=float, help="for each target")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all: " + " ".join(TARGETS))
    arguments = parser.parse_args()
    unknown = [name for name in arguments.targets if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target {unknown[0]}; there are: {' '.join(TARGETS)}")
    build = arguments.build.resolve()
    runs = [Run(name, build, arguments.corpora.resolve()) for name in arguments.targets or TARGETS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for run in pool.map(lambda run: run.fuzz(arguments.minutes), runs):
            print(f"{run.target:10} {run.executions:10} executions, {len(list(run.corpus.iterdir())):5} inputs kept, slowest {run.slowest} s, "
                  f"{len(run.found)} findings {' '.join(map(str, run.found))}", flush=True)
            count(run)
    coverage(runs, build)
    return 1 if any(run.found for run in runs) else 0


sys.exit(main())
