"""hosts.py - the plugin in its hosts against the native program: same answers, same bits, same refusals.

python hosts.py --retort build/retort --dist dist [--node NODE] [HOST...]; a host that cannot be had is named with the reason and counts as not run.
"""
import argparse
import glob
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
HOSTS = os.path.join(HERE, "../hosts")
sys.path[:0] = [HERE, os.path.join(HOSTS, "python")]
sys.dont_write_bytecode = True
import models  # noqa: E402
import retort  # noqa: E402

EMBER, KEY = os.path.join(ROOT, "models/ember/ember.gguf"), os.path.join(ROOT, "models/retort-project.pub")
SIGNED = {"method": "key", "anchors": [open(KEY).read()], "model_name": "ember"}
QUESTION = "What is 4821 + 396?"
MOST_BYTES = 500000  # of a module; the aim is 450000

IMPORTS, EXPORTS = [], open(os.path.join(HERE, "exports.txt")).read().split()


class Missing(Exception):
    """A host that this machine does not have."""


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing(f"there is no {name}")
    return path


def built(host, args, command, result):
    """Builds a host's program in a copy of its folder; `result` is what to run."""
    folder = os.path.join(args.build, host)
    shutil.copytree(os.path.join(HOSTS, host), folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("target"))
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if made.returncode:
        raise Missing(f"its program could not be built: {(made.stderr or made.stdout).strip()[-300:]}")
    return [os.path.join(folder, part) if part.startswith("./") else part for part in result]


def c_api(args):
    """The compiler's arguments for wasmtime's C API: $WASMTIME_C_API (an unpacked release), or the library in the Python wheel and the headers in the
    crate of the same version."""
    import wasmtime

    home = os.environ.get("WASMTIME_C_API")
    if home:
        return ["-isystem", os.path.join(home, "include"), os.path.join(home, "lib/libwasmtime.a"), "-lpthread", "-ldl", "-lm"]
    library = os.path.join(os.path.dirname(wasmtime.__file__), "linux-x86_64/_libwasmtime.so")
    if not os.path.exists(library):
        raise Missing("there is no wasmtime C API: set WASMTIME_C_API to an unpacked release")
    folder, version = os.path.join(args.build, "c-api"), importlib.metadata.version("wasmtime")
    os.makedirs(folder, exist_ok=True)
    manifest = os.path.join(folder, "Cargo.toml")
    open(manifest, "w").write(f'[package]\nname = "headers"\nversion = "0.1.0"\nedition = "2021"\n[lib]\npath = "empty.rs"\n[dependencies]\n'
                              f'wasmtime-c-api-impl = {{ version = "={version}", default-features = false }}\n')
    open(os.path.join(folder, "empty.rs"), "w").close()
    listed = subprocess.run([tool("cargo"), "metadata", "--format-version", "1", "--manifest-path", manifest], capture_output=True, text=True)
    if listed.returncode:
        raise Missing(f"the headers of wasmtime {version} could not be had: {listed.stderr.strip()[-300:]}")
    include = next(os.path.join(os.path.dirname(p["manifest_path"]), "include") for p in json.loads(listed.stdout)["packages"] if p["name"] == "wasmtime-c-api-impl")
    shutil.copytree(include, os.path.join(folder, "include"), dirs_exist_ok=True)
    features = [line.split()[1] for line in open(os.path.join(include, "wasmtime/conf.h.in")) if line.startswith("#cmakedefine") and "DISABLE_LOGGING" not in line]
    with open(os.path.join(folder, "include/wasmtime/conf.h"), "w") as conf:  # a release has every feature, and the size of a value depends on them
        conf.writelines(f"#define {f}\n" for f in [*features, "WASMTIME_FEATURE_COMPILER"])
    return ["-isystem", os.path.join(folder, "include"), library, f"-Wl,-rpath,{os.path.dirname(library)}"]


def c_program(args):
    if not os.path.exists(os.path.join(args.deps, "lib/libjansson.a")):
        raise Missing(f"there is no jansson below {args.deps}")
    options = ["-std=c17", "-Wall", "-Wextra", "-Werror", "-O1", "-isystem", os.path.join(args.deps, "include")]
    api = c_api(args)
    built("c", args, [tool("cc"), *options, "example.c", "retort_plugin.c", *api, "-o", "example"], [])
    return built("c", args, [tool("cc"), *options, "ask.c", "retort_plugin.c", os.path.join(args.deps, "lib/libjansson.a"), *api, "-o", "ask"], ["./ask"])


def java_program(args):
    """GraalWasm needs Java 21 or newer: $JAVA_HOME, or one where Linux keeps them."""
    for home in [os.environ.get("JAVA_HOME"), *sorted(glob.glob("/usr/lib/jvm/*"), reverse=True)]:
        release = os.path.join(home or "", "release")
        found = re.search(r'JAVA_VERSION="(\d+)', open(release).read()) if home and os.path.exists(release) else None
        if found and int(found[1]) >= 21 and os.path.exists(os.path.join(home, "bin/javac")):
            break
    else:
        raise Missing("there is no JDK 21 or newer: set JAVA_HOME")
    os.environ["JAVA_HOME"] = home
    built("java", args, [tool("mvn"), "-q", "compile", "dependency:copy-dependencies", "-DincludeTypes=jar"], [])
    target = os.path.join(args.build, "java/target")
    return [os.path.join(home, "bin/java"), "-cp", f"{target}/classes:{target}/dependency/*", "retort.Ask"]


# For each host the command that runs its `ask`, and whether its engine has the relaxed dot product.
PROGRAMS = {
    "python": (lambda args: [sys.executable, os.path.join(HOSTS, "python/ask.py")], True),
    "node": (lambda args: [args.node or tool("node"), os.path.join(HOSTS, "node/ask.mjs")], True),
    "go": (lambda args: built("go", args, [tool("go"), "build", "-o", "ask", "./cmd/ask"], ["./ask"]), False),
    "rust": (lambda args: built("rust", args, [tool("cargo"), "build", "--release", "--quiet", "--bin", "ask"], ["./target/release/ask"]), True),
    "c": (c_program, True),
    "java": (java_program, False),
}


class Host:
    def __init__(self, name, command, plugin):
        self.name, self.command, self.plugin = name, command, plugin

    def ask(self, file, trust, chat):
        done = subprocess.run([*self.command, self.plugin, file], input=json.dumps({"trust": trust, "chat": chat}), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{self.name} ended with {done.returncode}: {done.stderr[-2000:]}"
        return json.loads(done.stdout)

    def refused(self, kind, file, trust):
        got = self.ask(file, trust, {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1, "proof": True})
        assert got.get("error") == kind and got["message"], f"{self.name}: wanted the error {kind}, got {str(got)[:300]}"


def native(program, file, question, *options):
    done = subprocess.run([program, "run", "-m", file, "--json", "--proof", *options, question], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same_answer(host, args, folder):
    for options, words in (({"temperature": 0, "max_tokens": 200}, ["--temp", "0", "-n", "200"]), ({"seed": "18446744073709551615", "max_tokens": 40}, ["--seed", "18446744073709551615", "-n", "40"]),
                           ({"max_tokens": 60, "thinking_budget": 5, "top_k": 20, "min_p": 0.05, "stop": ["7"]},
                            ["-n", "60", "--thinking-budget", "5", "--top-k", "20", "--min-p", "0.05", "--stop", "7"])):
        got = host.ask(EMBER, SIGNED, {"messages": [{"role": "user", "content": QUESTION}], "proof": True, **options})
        wanted = native(args.retort, EMBER, QUESTION, "--key", KEY, *words)
        for key in ("text", "reasoning", "finish_reason", "proof"):
            assert got[key] == wanted[key], f"{host.name}: {key} is {got[key]}, natively {wanted[key]}"
        for key in ("method", "signer", "name", "digest", "files", "bytes"):
            assert got["info"]["trust"][key] == wanted["trust"][key], key
    assert "5217" in host.ask(EMBER, SIGNED, {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "proof": True})["text"]
    return "three answers of Ember, with their proofs, verdicts and finish reasons"


def same_bits(host, args, folder):
    for kind in models.TYPES:
        file = os.path.join(folder, f"mini-{kind}.gguf")
        if not os.path.exists(file):
            models.write(file, kind)
        pinned = {"method": "pinned", "pins": [hashlib.sha256(open(file, "rb").read()).hexdigest()]}
        got = host.ask(file, pinned, {"messages": [{"role": "user", "content": "Grüße from the sandbox, " * 4}], "max_tokens": 12, "proof": True})
        wanted = native(args.retort, file, "Grüße from the sandbox, " * 4, "--pin", pinned["pins"][0], "-n", "12")
        assert got["proof"] == wanted["proof"] and got["proof"]["positions"] > 0, f"{host.name} {kind}: {got.get('proof', got)}, natively {wanted['proof']}"
    return f"{len(models.TYPES)} tensor types: {' '.join(models.TYPES)}"


def trust(host, args, folder):
    data = open(EMBER, "rb").read()
    copies = {}
    for name, at in (("whole", None), ("header", 40), ("middle", len(data) // 2), ("end", len(data) - 1)):
        place = os.path.join(folder, "trust-" + name)
        os.makedirs(place, exist_ok=True)
        changed = bytearray(data)
        if at is not None:
            changed[at] ^= 1
        copies[name] = os.path.join(place, "ember.gguf")
        open(copies[name], "wb").write(changed)
        for suffix in (".sig", ".chunks"):
            shutil.copy(EMBER + suffix, copies[name] + suffix)
    for name in ("header", "middle", "end"):
        host.refused("trust", copies[name], SIGNED)
        host.refused("trust", copies[name], {"method": "pinned", "pins": [hashlib.sha256(data).hexdigest()]})
    os.remove(copies["whole"] + ".chunks")
    ask = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 3, "proof": True}
    assert host.ask(copies["whole"], SIGNED, ask)["info"]["trust"]["method"] == "key"  # in order, without the list of chunks
    host.refused("trust", EMBER, {**SIGNED, "model_name": "another"})
    host.refused("trust", EMBER, {})
    host.refused("json", EMBER, {**SIGNED, "modelname": "ember"})
    host.refused("trust", EMBER, {"method": "pinned", "pins": ["0" * 64]})
    os.remove(copies["whole"] + ".sig")
    got = host.ask(copies["whole"], SIGNED, ask)
    assert got.get("error") in ("trust", "argument"), got
    assert host.ask(copies["whole"], {"method": "unsigned"}, ask)["info"]["trust"]["method"] == "unsigned"
    return "signed with and without chunks, pinned, unsigned; 6 tampered copies, a wrong name, pin and key word, no policy, no signature"


def hostile(host, args, folder):
    source, opened = os.path.join(folder, "mini-Q4_0.gguf"), 0
    models.write(source, "Q4_0")
    cases = list(models.hostile(source))
    for name, data in cases:
        file = os.path.join(folder, "hostile.gguf")
        open(file, "wb").write(data)
        got = host.ask(file, {"method": "unsigned"}, {"messages": [{"role": "user", "content": "x"}], "max_tokens": 1, "proof": True})
        opened += "error" not in got
        assert "error" in got or name.startswith("random"), f"{host.name} opened the file '{name}'"
    return f"{len(cases)} files, {len(cases) - opened} refused, {opened} harmless, no trap"


def lifecycle(host, args, folder):
    if host.name == "node":
        words = [*host.command[:1], os.path.join(HERE, "lifecycle.mjs"), os.path.join(HOSTS, "node/retort.mjs"), host.plugin, EMBER, KEY]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    if host.name != "python":
        return None
    ask = [{"role": "user", "content": QUESTION}]
    one = retort.Model(host.plugin, EMBER, SIGNED)
    two = retort.Model(host.plugin, EMBER, SIGNED, engine=one.engine, module=one.module)
    a, b, turns = one.session(), two.session(), 0
    for x, y in zip(a.chat(ask, temperature=0, proof=True), b.chat(ask, temperature=0, proof=True)):
        assert x == y
        turns += 1
    assert turns > 20 and a.proof() == b.proof()
    left = one.session()
    for piece in left.chat(ask):
        if piece.text:
            break
    again = one.session()
    list(again.chat(ask, temperature=0, proof=True, work=1))
    assert again.proof() == a.proof()
    for session in (a, left, again):
        session.close()
    for i in range(100):
        session = one.session()
        list(session.chat(ask, max_tokens=2))
        session.close()
        if i == 1:
            before = one.memory_bytes()
    assert one.memory_bytes() == before, (before, one.memory_bytes())
    for limit in (2 << 20, 4 << 20, 6 << 20, 8 << 20):  # smaller than the model; and too small for a session, at one step or another
        try:
            model = retort.Model(host.plugin, EMBER, SIGNED, memory_limit=limit, engine=one.engine, module=one.module)
            list(model.session(n_ctx=1024).chat(ask, max_tokens=4))
            assert limit > 2 << 20
        except retort.Error as error:
            assert error.kind == "memory", error
    assert one.detokenize(one.tokenize("Grüße, 12 km")).decode() == "Grüße, 12 km"
    for wrong in ({"temperatur": 1}, {"seed": -1}, {"seed": "1x"}, {"stop": [1]}, {"max_tokens": 1.5}, {"messages": 3}):
        try:
            list(retort.Session(one, {})._answer({"messages": ask, **wrong}, 0))
            raise AssertionError(f"{wrong} was taken")
        except retort.Error as error:
            assert error.kind in ("json", "template"), error
    return f"{turns} tokens in turns by two instances; {before} bytes after 2 sessions and after 100; memory limits and wrong options are errors"


def abi(args):
    """What a module imports and exports, against the committed list; and its size."""
    import wasmtime

    for name in ("retort-plugin.wasm", "retort-plugin.relaxed.wasm"):
        path = os.path.join(args.dist, name)
        module = wasmtime.Module.from_file(wasmtime.Engine(), path)
        imports, exports = [f"{i.module}.{i.name}" for i in module.imports], sorted(e.name for e in module.exports)
        assert imports == IMPORTS, f"{name} imports {imports}"
        assert exports == EXPORTS, f"{name} exports {sorted(set(exports) ^ set(EXPORTS))} differently from exports.txt"
        size = os.path.getsize(path)
        assert size <= MOST_BYTES, f"{name} has {size} bytes"
        print(f"ok       {name}: {size} bytes, no imports, {len(exports)} exports")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--dist", required=True)
    parser.add_argument("--node")
    parser.add_argument("--deps", default="build/deps")
    parser.add_argument("hosts", nargs="*", default=list(PROGRAMS))
    args = parser.parse_args()
    args.retort, args.dist, args.deps = os.path.abspath(args.retort), os.path.abspath(args.dist), os.path.abspath(args.deps)
    args.build = os.path.join(ROOT, "build/hosts")
    abi(args)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in args.hosts or PROGRAMS:
            make, has_relaxed = PROGRAMS[name]
            try:
                command = make(args)
            except Missing as reason:
                print(f"NOT RUN  {name}: {reason}")
                continue
            for plugin in ("retort-plugin.wasm", "retort-plugin.relaxed.wasm")[: 1 + has_relaxed]:
                host = Host(name, command, os.path.join(args.dist, plugin))
                for check in (same_answer, same_bits, trust, hostile, lifecycle):
                    try:
                        said = check(host, args, folder)
                    except (AssertionError, subprocess.TimeoutExpired, json.JSONDecodeError) as problem:
                        failed += 1
                        said = None
                        print(f"FAILED   {name} {plugin} {check.__name__}: {problem}")
                    if said:
                        print(f"ok       {name} {plugin} {check.__name__}: {said}", flush=True)
    sys.exit(failed > 0)


main()
