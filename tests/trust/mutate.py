"""mutate.py - breaks each refusal of the trust code in turn and sees that a test fails.

    PYTHON tests/trust/mutate.py --build build/test [FILE.c...] [--only TEXT]

A refusal is an `if` or a `bool` expression that leads to an error, to "false", or to poison. Each is broken in two ways: never taken, and with each
of its alternatives ("a || b || c", "a && b" where it must hold) left out. A changed file is compiled apart and linked in front of the core's
library; then the unit tests run, the corpora are replayed, and for the ones left the scripts run over the program. What survives is
listed; a survivor is a missing test or a check that another one repeats. PYTHON has
tests/requirements.txt. Not part of the test runs: it takes an hour.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRUST = ["encoding", "chunks", "bundle", "minisign", "verify", "x509"]
UNIT = ["test_trust_forms", "test_trust_x509", "test_trust_wycheproof", "test_trust"]  # the fast ones first
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]  # so that a length no longer looked at shows
REPLAY = {"bundle": 60, "minisign": 300, "chunks": 2000, "pem": 60}
REFUSAL = re.compile(r"rt_fail\(|\bbad\(|return false|return NULL|poison|\*flags \|=|__builtin_trap|RETORT_ERROR|return -1|return 0;")
PROVIDES = re.compile(r"(?:bool ok|ok|bool plain|complete|found|whole|bool all|return) =? ?(.*&&.*);")


def terms(text, operator):
    """Splits at top level; one term where the operator is not there."""
    out, depth, start, quoted = [], 0, 0, None
    i = 0
    while i < len(text):
        c = text[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == quoted:
                quoted = None
        elif c in "\"'":
            quoted = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(operator, i):
            out.append(text[start:i].strip())
            i += len(operator)
            start = i
            continue
        i += 1
    return out + [text[start:].strip()]


def condition_at(text, at):
    """The end of the parenthesis that opens at `at`."""
    depth, quoted, i = 0, None, at
    while True:
        c = text[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == quoted:
                quoted = None
        elif c in "\"'":
            quoted = c
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == 0:
                return i
        i += 1


def mutants(text):
    """(line, what, changed text)."""
    for match in re.finditer(r"\bif \(", text):
        open_at = match.end() - 1
        close = condition_at(text, open_at)
        inside = text[open_at + 1:close]
        rest = text[close + 1:close + 400]
        statement = rest.split(";")[0] + ";" if not rest.lstrip().startswith("{") else rest[:rest.index("}")] if "}" in rest else rest
        if not REFUSAL.search(statement) or "status = " in inside or inside in ("status", "!status") or inside.startswith("status"):
            continue
        line = text.count("\n", 0, match.start()) + 1
        yield line, "never", text[:open_at + 1] + "0 && (" + inside + ")" + text[close:]
        for operator in ("||", "&&"):
            parts = terms(inside, operator)
            if len(parts) > 1:
                for k, part in enumerate(parts):
                    if operator == "&&" and (part.startswith("!status") or part.endswith("status")):
                        continue
                    if part in ("error", "random", "first"):
                        continue
                    left = f" {operator} ".join(parts[:k] + parts[k + 1:])
                    yield line, f"without: {part}", text[:open_at + 1] + left + text[close:]
                break
    for match in re.finditer(r"(?:\b(?:ok|all|complete) = |\breturn )([^;{}]*(?:&&|\|\|)[^;{}]*);", text):
        inside = match.group(1)
        parts = terms(inside, "&&")
        if len(parts) > 1 and "?" not in inside:
            line = text.count("\n", 0, match.start()) + 1
            for k, part in enumerate(parts):
                left = " && ".join(parts[:k] + parts[k + 1:])
                yield line, f"without: {part}", text[:match.start(1)] + left + text[match.end(1):]


class Builder:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.commands = {pathlib.Path(c["file"]).resolve(): c for c in json.loads((build / "compile_commands.json").read_text())}
        deps = re.search(r"^RETORT_DEPS:\w+=(.*)$", (build / "CMakeCache.txt").read_text(), re.M).group(1)
        self.libraries = [str(build / "runtime/libretort_core.a"), *(f"{deps}/lib/lib{n}.a" for n in ("cmocka-static", "jansson", "mbedtls", "sodium", "edit")), "-lpthread", "-lm"]

    def objects(self, folder):
        return [str(p) for p in sorted((self.build / folder).rglob("*.o"))]

    def compile(self, source, text):
        command = shlex.split(self.commands[source]["command"])
        if "ccache" in command[0]:
            command = command[1:]
        changed = self.folder / source.name
        changed.write_text(text)
        out = self.folder / (source.stem + ".o")
        words = [w for w in command[:command.index("-o")] if w not in ("-O3", "-Werror")] + ["-O1", "-w", *SANITIZERS, f"-I{source.parent}", "-o", str(out), "-c", str(changed)]
        done = subprocess.run(words, cwd=self.commands[source]["directory"], capture_output=True, text=True)
        return out if done.returncode == 0 else None

    def link(self, name, objects):
        out = self.folder / name
        done = subprocess.run(["cc", *SANITIZERS, *map(str, objects), *self.libraries, "-o", str(out)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return out


def fails(words, seconds=900):
    os.environ.update(CMOCKA_TEST_ABORT="1", ASAN_OPTIONS="quarantine_size_mb=16")  # a test looks at the memory that was ever held
    try:
        return subprocess.run([str(w) for w in words], capture_output=True, timeout=seconds).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def killer(b, source, mutant, units_only=False):
    """The name of the first test that fails; None where none does."""
    out = b.compile(source, mutant)
    if not out:
        return "the compiler"
    core = ROOT / "runtime" in source.parents
    if core:
        for unit in UNIT:
            objects = b.build / f"tests/CMakeFiles/{unit}.dir/trust/{unit}.c.o"
            if objects.exists() and fails([b.link(unit, [objects, out])]):
                return unit
        for name, changes in REPLAY.items():
            if name == "bundle" and source.stem == "bundle":
                continue  # the target includes the file itself
            if fails([b.link("replay", [*b.objects(f"tests/fuzz/CMakeFiles/replay_{name}.dir"), out]), changes, ROOT / "tests/data/trust" / name]):
                return f"corpus_{name}"
    if core and units_only:
        return None
    program = [o for o in b.objects("native/CMakeFiles/retort_native.dir") if core or not o.endswith(f"/{source.name}.o")]
    retort = b.link("retort", [*program, out])
    for script in ("test_gate.py", "test_tools.py"):
        words = [sys.executable, ROOT / "tests/trust" / script, "--retort", retort]
        if fails(words + ["-f"]):
            return script
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="", help="only mutants whose description has this in it")
    parser.add_argument("--units", action="store_true", help="do not run the slow scripts over the program for what survives the unit tests")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    files = [pathlib.Path(f).resolve() for f in arguments.files] or [ROOT / "runtime" / "trust" / f"{n}.c" for n in TRUST]
    counts, survivors = {}, []
    with tempfile.TemporaryDirectory() as folder:
        b = Builder(pathlib.Path(arguments.build).resolve(), pathlib.Path(folder))
        for source in files:
            text = source.read_text()
            if not arguments.list and (by := killer(b, source, text, arguments.units)):
                sys.exit(f"{by} fails with {source.name} as it is")
            for line, what, mutant in mutants(text):
                name = f"{source.name}:{line}: {what}"
                if arguments.only not in name:
                    continue
                if arguments.list:
                    print(name)
                    continue
                by = killer(b, source, mutant, arguments.units)
                counts[by] = counts.get(by, 0) + 1
                print(f"{'SURVIVES' if by is None else by:16} {name}", flush=True)
                if by is None:
                    survivors.append(name)
    print({str(k): v for k, v in counts.items()})
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
