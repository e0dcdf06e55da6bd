"""hosts.py - the plugin in its hosts against the native program: same answers, same bits, same refusals.

python hosts.py --retort build/retort --dist dist [--node NODE] [HOST...]; a host that cannot be had is named with the reason and counts
as not run: exit status 77 where there is no other. `modules`: what the modules import and export.

Each host's `ask` program is given the module and answers lines of JSON, one for one, an error as {"error": kind, "message"}:
  {"open": file, "trust": policy}          -> {"model": n, "info": {...}}; each model in an instance of its own
  {"session": model, "options": {...}}     -> {"session": n}
  {"in": session, "chat": {...}}           -> {"answer", "reasoning", "finish_reason", "usage", "proof"}
     with "after": n                          leaves after n pieces; or, with "meanwhile": a request, answers that one there and goes on
  {"end": session}                         -> {"memory": bytes of its instance}
  {"close": model}                         -> {}
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
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
HOSTS = os.path.join(ROOT, "wasm/wasi/hosts")
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
sys.dont_write_bytecode = True
import models  # noqa: E402

EMBER, KEY = os.path.join(ROOT, "models/ember/ember.gguf"), os.path.join(ROOT, "models/retort-project.pub")
SIGNED = {"method": "key", "anchors": [open(KEY).read()], "model_name": "ember"}
QUESTION = "What is 4821 + 396?"
MOST_BYTES = 600 << 10  # of a module

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
    """GraalWasm needs Java 21 or newer: $JAVA_HOME, or one where Linux keeps them. A JDK 25 with JVMCI compiles hot code with the compiler of the pom."""
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
    options = []
    if int(found[1]) == 25 and "jdk.internal.vm.ci" in open(release).read():
        compiler = [jar for name in ("compiler", "truffle-compiler", "collections", "word") for jar in glob.glob(f"{target}/dependency/{name}-*.jar")]
        options = ["-XX:+UnlockExperimentalVMOptions", "-XX:+EnableJVMCI", "--upgrade-module-path=" + ":".join(compiler)]
    if int(found[1]) >= 24:
        options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    return [os.path.join(home, "bin/java"), *options, "-cp", f"{target}/classes:{target}/dependency/*", "retort.Ask"]


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
    """A running `ask`. `limit`: the most bytes of memory for an instance."""

    def __init__(self, name, command, plugin, limit=None):
        self.name, self.command, self.plugin = name, command, plugin
        words = [*command, plugin]
        if limit and name == "node":  # V8's own cap
            words.insert(1, f"--wasm-max-mem-pages={limit >> 16}")
        elif limit and name == "java":  # GraalWasm keeps the sandbox's memory on Java's heap
            words.insert(1, f"-Xmx{limit}")
        elif limit:
            words.append(str(limit))
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def request(self, **what):
        patience = threading.Timer(900, self.process.kill)
        patience.start()
        try:
            self.process.stdin.write(json.dumps(what) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        patience.cancel()
        assert line, f"{self.name} ended with {self.process.wait()} at {str(what)[:200]}: {self.process.stderr.read()[-2000:]}"
        return json.loads(line)

    def good(self, **what):
        got = self.request(**what)
        assert "error" not in got, f"{self.name}: {got} at {str(what)[:200]}"
        return got

    def ask(self, file, trust, chat, **options):
        """A model, a session, an answer; all closed again."""
        model = self.request(open=file, trust=trust)
        if "error" in model:
            return model
        session = self.request(session=model["model"], options=options)
        got = session if "error" in session else self.request(**{"in": session["session"], "chat": chat})
        if "error" not in session:
            self.good(end=session["session"])
        self.good(close=model["model"])
        return {"info": model["info"], **got}

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
        wanted["answer"] = wanted["text"]
        for key in ("answer", "reasoning", "finish_reason", "proof"):
            assert got[key] == wanted[key], f"{host.name}: {key} is {got[key]}, natively {wanted[key]}"
        for key in ("method", "signer", "name", "digest", "files", "bytes"):
            assert got["info"]["trust"][key] == wanted["trust"][key], key
    assert "5217" in host.ask(EMBER, SIGNED, {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "proof": True})["answer"]
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
    messages = [{"role": "user", "content": QUESTION}]
    greedy = {"messages": messages, "temperature": 0, "max_tokens": 200, "proof": True}
    wanted = native(args.retort, EMBER, QUESTION, "--key", KEY, "--temp", "0", "-n", "200")["proof"]

    def session(model):
        return host.good(session=model, options={})["session"]

    one, two = (host.good(open=EMBER, trust=SIGNED)["model"] for _ in range(2))
    first, other = session(one), session(two)
    got = host.good(**{"in": first, "chat": greedy, "after": 5, "meanwhile": {"in": other, "chat": greedy}})
    assert got["proof"] == got["meanwhile"]["proof"] == wanted, got
    left = session(one)
    got = host.good(**{"in": left, "chat": greedy, "after": 7})
    assert not got.get("finish_reason") and got["usage"]["completion_tokens"] == 7, got
    for again in (session(one), left):  # a new session; and the one that was left
        assert host.good(**{"in": again, "chat": greedy})["proof"] == wanted
    sizes = []
    for _ in range(200):
        short = session(one)
        host.good(**{"in": short, "chat": {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2, "proof": True}})
        sizes.append(host.good(end=short)["memory"])
    # libc's heap settles while holes between what lives longer are filled, by less than a session; then it may not grow at all.
    assert len(set(sizes[100:])) == 1 and sizes[-1] - sizes[0] <= 2 << 20, sizes
    for wrong in ({"temperatur": 1}, {"seed": -1}, {"seed": "1x"}, {"stop": [1]}, {"max_tokens": 1.5}, {"messages": 3}):
        got = host.request(**{"in": first, "chat": {"messages": messages, **wrong}})
        assert got.get("error") in ("json", "template"), (wrong, got)
    host.good(end=first)
    assert host.request(end=first)["error"] == "argument"
    return f"two instances at once, one left in the middle and asked again, {sizes[-1]} bytes after 100 sessions and after 200, six wrong requests"


def memory(host, args, folder):
    """An instance that may take less than the model, or than a session, says so and lives on."""
    if host.name == "java":
        limits, large = (192 << 20,), os.path.join(folder, "large.gguf")  # room for Java's compiler, which lives on the same heap and ends the process where it has none
        models.write(large, "Q8_0", gap=256 << 20)
    else:
        limits, large = (2 << 20, 4 << 20, 6 << 20, 8 << 20, 32 << 20), EMBER
    trust = SIGNED if large == EMBER else {"method": "unsigned"}
    said = []
    for limit in limits:
        with Host(host.name, host.command, host.plugin, limit) as small:
            for _ in range(2):
                got = small.ask(large, trust, {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 4, "proof": True}, n_ctx=1024)
                assert got.get("error", "memory") == "memory" and ("error" in got) >= (limit == limits[0]) and ("error" not in got or limit < 32 << 20 or large != EMBER), f"{host.name} with {limit} bytes: {got}"
            said.append(f"{limit >> 20} MiB {'refused' if 'error' in got else 'enough'}")
    return "Ember within " + ", ".join(said) if large == EMBER else "a model of 257 MB within a Java heap of 192: refused"


def page(host, args, folder):
    """The host's program in docs/PLUGIN.md, just as it is printed there, in a folder with the files that it names; and what the page says of its output."""
    text = open(os.path.join(ROOT, "docs/PLUGIN.md")).read()
    language = {"node": "js"}.get(host.name, host.name)
    program = re.search(rf"```{language}\n(.*?)```", text, re.S)[1]
    lines = len([line for line in program.splitlines() if line.strip()])
    long = re.search(r"\n((?:    .*\n)+)", text[text.index("the others show the reasoning too:"):])[1].replace("\n    ", "\n").strip()
    for path in (EMBER, EMBER + ".sig", EMBER + ".chunks", KEY, host.plugin):
        shutil.copy(path, folder)
    there = os.path.join(args.build, host.name)
    home = {"go": os.path.join(there, "cmd/page/main.go"), "rust": os.path.join(there, "src/bin/page.rs"), "c": os.path.join(there, "page.c"), "java": os.path.join(folder, "Sum.java"),
            "python": os.path.join(folder, "page.py"), "node": os.path.join(folder, "page.mjs")}[host.name]
    os.makedirs(os.path.dirname(home), exist_ok=True)
    open(home, "w").write(program)
    if host.name == "python":
        shutil.copy(os.path.join(HOSTS, "python/retort.py"), folder)
        command = [sys.executable, home]
    elif host.name == "node":
        shutil.copy(os.path.join(HOSTS, "node/retort.mjs"), folder)
        command = [host.command[0], home]
    elif host.name == "go":
        command = built("go", args, [tool("go"), "build", "-o", "page", "./cmd/page"], ["./page"])
    elif host.name == "rust":
        command = built("rust", args, [tool("cargo"), "build", "--release", "--quiet", "--bin", "page"], ["./target/release/page"])
    elif host.name == "c":
        command = built("c", args, [tool("cc"), "-std=c17", "-Wall", "-Wextra", "-Werror", "page.c", "retort_plugin.c", *c_api(args), "-o", "page"], ["./page"])
    else:
        command = [*host.command[:-1], home]
    start = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.monotonic() - start
    assert done.returncode == 0 and not done.stderr, f"{done.returncode} {done.stderr[-2000:]}"
    wanted = "The answer is 5217." if host.name in ("python", "node") else long
    assert done.stdout.strip() == wanted and lines < 20, f"{lines} lines print {done.stdout!r}, and the page says {wanted!r}"
    return f"the {lines} lines of docs/PLUGIN.md print what it says, in {seconds:.2f} s"


def modules(args):
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
    parser.add_argument("hosts", nargs="*", default=["modules", *PROGRAMS])
    args = parser.parse_args()
    args.retort, args.dist, args.deps = os.path.abspath(args.retort), os.path.abspath(args.dist), os.path.abspath(args.deps)
    args.build = os.path.join(ROOT, "build/hosts")
    failed = missing = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in args.hosts:
            if name == "modules":
                modules(args)
                continue
            make, has_relaxed = PROGRAMS[name]
            try:
                command = make(args)
            except Missing as reason:
                missing += 1
                print(f"NOT RUN  {name}: {reason}")
                continue
            for plugin in ("retort-plugin.wasm", "retort-plugin.relaxed.wasm")[: 1 + has_relaxed]:
                for check in (same_answer, same_bits, trust, hostile, lifecycle, memory, *([] if "relaxed" in plugin else [page])):
                    start = time.monotonic()
                    try:
                        with Host(name, command, os.path.join(args.dist, plugin)) as host:
                            said = f"ok       {name} {plugin} {check.__name__}: {check(host, args, folder)}"
                    except (AssertionError, json.JSONDecodeError, Missing) as problem:
                        failed += 1
                        said = f"FAILED   {name} {plugin} {check.__name__}: {problem}"
                    print(f"{said} ({time.monotonic() - start:.0f} s)", flush=True)
    sys.exit(1 if failed else 77 if missing == len(args.hosts) else 0)


main()
