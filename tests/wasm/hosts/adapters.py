"""adapters.py - the builds of the plugin that import something, each in real hosts: what they import and export, Ember's answer with native's bits, refusals.

python adapters.py --retort build/retort --dist build/adapters [--node NODE]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
sys.path.insert(0, os.path.join(ROOT, "wasm/wasi/hosts/python"))
sys.dont_write_bytecode = True
import extism  # noqa: E402
import retort  # noqa: E402
import wasmtime  # noqa: E402
from wasmtime import component as components  # noqa: E402

EMBER, KEY = os.path.join(ROOT, "models/ember/ember.gguf"), os.path.join(ROOT, "models/retort-project.pub")
BYTES, BUNDLE = open(EMBER, "rb").read(), open(EMBER + ".sig").read()
SIGNED = {"method": "key", "anchors": [open(KEY).read()], "model_name": "ember"}
ASK = {"messages": [{"role": "user", "content": "What is 4821 + 396?"}], "temperature": 0, "proof": True}
COMMON = open(os.path.join(HERE, "exports.txt")).read().split()
WASI = ["wasi_snapshot_preview1." + name for name in ("fd_close", "fd_filestat_get", "fd_pread", "path_open")]
EXTISM = ["extism:host/env." + name for name in ("alloc", "config_get", "error_set", "input_length", "input_load_u8", "length", "load_u8", "output_set", "store_u8")]
# An adapter's imports and what it exports beyond the plugin.
ADAPTERS = {"pull": (["retort.read_at"], ["retort_load_pull"]), "directory": (WASI, ["retort_load_directory"]), "extism": (EXTISM + WASI, ["chat", "retort_load_directory"])}


def raises(kind, call):
    try:
        call()
    except retort.Error as error:
        assert error.kind == kind, f"wanted {kind}, got {error.kind}: {error}"
        return str(error)
    raise AssertionError(f"nothing was refused; wanted {kind}")


def answer(model):
    session = model.session()
    text = "".join(p.text for p in session.chat(ASK["messages"], temperature=0, proof=True) if p.section == "answer")
    return text, session.proof()


def pull(plugin, folder, wanted):
    tampered = bytearray(BYTES)
    tampered[len(BYTES) // 2] ^= 1

    def opened(data, size=len(BYTES), **more):
        return retort.Model(plugin, [("ember.gguf", size)], SIGNED, read_at=lambda file, at, n: bytes(data[at:at + min(n, 100000)]), signatures=[BUNDLE], **more)

    with opened(BYTES) as model:
        assert answer(model) == wanted
    raises("trust", lambda: opened(tampered))
    raises("io", lambda: opened(BYTES[:5000]))
    raises("memory", lambda: opened(BYTES, memory_limit=3 << 20))
    return "answers of pieces of 100 kB; tampered, shortened and too large refused"


def directory(plugin, folder, wanted):
    os.makedirs(os.path.join(folder, "bad"), exist_ok=True)
    for suffix in ("", ".sig", ".chunks"):
        shutil.copy(EMBER + suffix, os.path.join(folder, "ember.gguf" + suffix))
        shutil.copy(EMBER + suffix, os.path.join(folder, "bad/ember.gguf" + suffix))
    with open(os.path.join(folder, "bad/ember.gguf"), "r+b") as file:
        file.seek(len(BYTES) // 2)
        file.write(bytes([BYTES[len(BYTES) // 2] ^ 1]))

    def opened(name, trust=SIGNED, **more):
        return retort.Model(plugin, name, trust, directory=folder, **more)

    with opened("ember.gguf") as model:
        assert answer(model) == wanted
    raises("trust", lambda: opened("bad/ember.gguf"))
    raises("trust", lambda: opened("ember.gguf", {}))
    raises("memory", lambda: opened("ember.gguf", memory_limit=3 << 20))
    assert "none.gguf" in raises("io", lambda: opened("none.gguf"))
    raises("io", lambda: opened("../" + os.path.basename(folder) + "/ember.gguf"))
    raises("json", lambda: opened([4]))
    os.remove(os.path.join(folder, "ember.gguf.chunks"))
    assert answer(opened("ember.gguf")) == wanted  # in order
    os.remove(os.path.join(folder, "ember.gguf.sig"))
    raises("argument", lambda: opened("ember.gguf"))  # the policy wants one signature, and there is none
    shutil.copy(EMBER + ".sig", os.path.join(folder, "model.sig"))
    assert answer(opened("ember.gguf")) == wanted
    return "with and without chunks, model.sig; a tampered copy, no signature, no policy, too large, no file, a path out of the directory refused"


def extism_chat(plugin, folder, wanted):
    for suffix in ("", ".sig", ".chunks"):
        shutil.copy(EMBER + suffix, os.path.join(folder, "ember.gguf" + suffix))

    def opened(load, **more):
        return extism.Plugin({"wasm": [{"path": plugin}], "allowed_paths": {"ro:" + folder: "/"}, **more}, wasi=True, config={"load": json.dumps(load)} if load else {})

    def refused(what, plugin, request=ASK):
        try:
            plugin.call("chat", json.dumps(request))
        except extism.Error as error:
            assert what in str(error), error
            return
        raise AssertionError(f"nothing was refused; wanted {what}")

    with opened({"trust": SIGNED, "files": ["ember.gguf"]}) as plugin_:
        for _ in range(2):  # the model and the session stay
            got = json.loads(plugin_.call("chat", json.dumps(ASK)))
            assert (got["text"], got["proof"]) == wanted and got["finish_reason"] == "stop" and "4821+396" in got["reasoning"], got
        assert got["usage"]["cached_tokens"] > 0
        refused("temperatur", plugin_, {**ASK, "temperatur": 1})
        assert json.loads(plugin_.call("chat", json.dumps({**ASK, "proof": False})))["text"] == wanted[0]
    refused("load", opened(None))
    refused("none.gguf", opened({"trust": SIGNED, "files": ["none.gguf"]}))
    refused("vouched", opened({"trust": {}, "files": ["ember.gguf"]}))
    refused("oom", opened({"trust": SIGNED, "files": ["ember.gguf"]}, memory={"max_pages": 64}))  # Extism's own: it ends the call where memory cannot grow
    return "two answers of one model; a wrong request, config, file, policy and memory cap are errors"


def extism_page(plugin, folder, wanted):
    """The program of docs/PLUGIN.md, just as it is printed there but for the models' folder."""
    program = re.search(r"```python\n(import extism.*?)```", open(os.path.join(ROOT, "docs/PLUGIN.md")).read(), re.S)[1]
    assert program.count("/srv/models") == 1, program
    for path in (plugin, KEY, *(EMBER + suffix for suffix in ("", ".sig", ".chunks"))):
        shutil.copy(path, folder)
    done = subprocess.run([sys.executable, "-c", program.replace("/srv/models", folder)], cwd=folder, capture_output=True, text=True)
    assert done.stdout.strip() == wanted[0] == "The answer is 5217.", done
    return "the program of docs/PLUGIN.md prints " + wanted[0]


def component(plugin, folder, wanted):
    """Through the types of retort.wit, under wasmtime's component model."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = components.Linker(engine).instantiate(store, components.Component.from_file(engine, plugin))
    runtime = instance.get_export_index(store, "retort:plugin/runtime@0.1.0")

    def call(name, *args):
        function = instance.get_func(store, instance.get_export_index(store, name, runtime))
        got = function(store, *args)
        function.post_return(store)
        return got.payload if isinstance(got, components.Variant) else got  # a result of two records

    def load(data, trust=SIGNED):
        loader = call("load-begin", json.dumps({"trust": trust, "signatures": [BUNDLE], "files": [{"name": "ember.gguf", "size": len(data)}]}))
        call("load-chunks", loader, 0, open(EMBER + ".chunks", "rb").read())
        if (refused := call("load-open", loader)) is not None:
            return refused
        step = call("load-chunk-size", loader, 0)
        assert step == 1 << 20, step
        for at in range(0, len(data), step):
            if (refused := call("load-feed", loader, 0, at, data[at:at + step])) is not None:
                return refused
        return call("load-finish", loader)

    model = load(BYTES)
    assert json.loads(call("model-info", model))["trust"]["method"] == "key"
    session = call("session-new", model, "{}")
    assert call("chat", session, json.dumps(ASK)) > 0
    text = ""
    while (event := call("step", session, 0)).kind != "end":
        text += event.text if event.section == "answer" else ""
    text += event.text
    assert (text, json.loads(call("proof", session))) == wanted and event.finish == "stop", (text, event)
    assert json.loads(call("usage", session))["completion_tokens"] > 50 and json.loads(call("session-info", session))["n_past"] > 50
    ids = call("tokenize", model, "Grüße, 12 km", 0)
    assert bytes(call("detokenize", model, ids, 0)).decode() == "Grüße, 12 km"
    tampered = bytearray(BYTES)
    tampered[len(BYTES) // 2] ^= 1
    assert load(bytes(tampered)).kind == "trust" and load(BYTES, {}).kind == "trust"
    assert call("chat", session, "{").kind == "json" and call("close", model).kind == "argument"
    assert call("close", session) is None and call("close", model) is None and call("step", session, 0).message
    assert call("version") == subprocess.run([RETORT, "--version"], capture_output=True, text=True).stdout.split()[1]
    return "Ember's answer through typed calls; tampered, no policy, bad JSON, closed numbers refused"


NODE = """
import fs from 'node:fs'
import assert from 'node:assert'
import { Model } from './retort.mjs'
const [adapter, plugin, file, folder, key, wanted] = process.argv.slice(2)
const bytes = fs.readFileSync(file), trust = { method: 'key', anchors: [fs.readFileSync(key, 'utf8')], model_name: 'ember' }
const open = (data) => adapter === 'pull'
  ? Model.open(plugin, [{ name: 'ember.gguf', size: bytes.length }], trust, { readAt: (f, at, n) => data.subarray(at, at + Math.min(n, 65536)), signatures: [fs.readFileSync(file + '.sig', 'utf8')] })
  : Model.open(plugin, data === bytes ? 'ember.gguf' : 'none.gguf', trust, { directory: folder })
const session = (await open(bytes)).session()
for (const piece of session.chat([{ role: 'user', content: 'What is 4821 + 396?' }], { temperature: 0, proof: true }));
assert.equal(session.proof().logits_sha256, wanted)
await assert.rejects(open(bytes.subarray(0, 100)), { kind: 'io' })
"""


def in_node(node, adapter, plugin, folder, wanted):
    for suffix in ("", ".sig", ".chunks"):
        shutil.copy(EMBER + suffix, os.path.join(folder, "ember.gguf" + suffix))
    shutil.copy(os.path.join(ROOT, "wasm/wasi/hosts/node/retort.mjs"), folder)
    script = os.path.join(folder, "adapter.mjs")
    open(script, "w").write(NODE)
    done = subprocess.run([node, "--no-warnings", script, adapter, plugin, EMBER, folder, KEY, wanted[1]["logits_sha256"]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return "the same bits; what is not there is refused"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--retort", required=True)
    parser.add_argument("--dist", required=True)
    parser.add_argument("--node", required=True)
    args = parser.parse_args()
    done = subprocess.run([args.retort, "run", "--json", "--proof", "--temp", "0", ASK["messages"][0]["content"]], capture_output=True, text=True, check=True)
    wanted = json.loads(done.stdout)
    wanted = (wanted["text"], wanted["proof"])
    global RETORT
    RETORT, failed = args.retort, 0

    def checked(host, plugin, check):
        nonlocal failed
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"ok       {host} {os.path.basename(plugin)}: {check(plugin, folder, wanted)}", flush=True)
            except Exception as problem:
                failed += 1
                print(f"FAILED   {host} {os.path.basename(plugin)}: {problem}, line {traceback.extract_tb(problem.__traceback__)[1].lineno}", flush=True)

    for adapter, (imports, exports) in ADAPTERS.items():
        for suffix in ("", ".relaxed"):
            plugin = os.path.abspath(os.path.join(args.dist, f"retort-plugin.{adapter}{suffix}.wasm"))
            module = wasmtime.Module.from_file(wasmtime.Engine(), plugin)
            assert sorted(f"{i.module}.{i.name}" for i in module.imports) == sorted(imports), [f"{i.module}.{i.name}" for i in module.imports]
            assert sorted(e.name for e in module.exports) == sorted(COMMON + exports), sorted(e.name for e in module.exports)
            checked("python", plugin, {"pull": pull, "directory": directory, "extism": extism_chat}[adapter])
            if adapter != "extism":
                checked("node", plugin, lambda *given: in_node(args.node, adapter, *given))
            elif not suffix:
                checked("python", plugin, extism_page)
    for suffix in ("", ".relaxed"):
        plugin = os.path.abspath(os.path.join(args.dist, f"retort-plugin.component{suffix}.wasm"))
        if os.path.exists(plugin):
            checked("python", plugin, component)
        else:
            print(f"NOT RUN  {os.path.basename(plugin)}: it was not built, which takes wasm-tools or cargo")
    sys.exit(failed > 0)


main()
