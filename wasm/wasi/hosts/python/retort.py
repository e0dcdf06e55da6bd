"""retort.py - a reasoning model in a sandbox inside your Python program: retort-plugin.wasm under wasmtime.

The module imports nothing: no file, clock or network is open to it. This file reads the model and feeds it piece by piece; the plugin hashes each
piece, and parses nothing before all of it was verified. docs/PLUGIN.md describes the functions called here.

    with Model("retort-plugin.wasm", "ember.gguf", {"method": "key", "anchors": [open("key.pub").read()]}) as model:
        for piece in model.session().chat([{"role": "user", "content": "What is 2+3?"}]):
            print(piece.text, end="")

A session ends an answer early when you leave the loop. One Model is for one thread at a time; make several for several threads.
"""
import json
import os
import struct
from collections import namedtuple

import wasmtime

PIECE = 16 << 20  # bytes read at a time where the file has no list of chunks
Piece = namedtuple("Piece", "text section token finish")  # section: "answer" or "reasoning"; finish: set on the last piece


class Error(Exception):
    """What the plugin refused: `kind` is a stable word ("trust", "memory", "format", ...)."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


class Model:
    """`files`: one GGUF file or the list of a split set; signatures and chunk lists are found beside them (FILE.sig, FILE.minisig, FILE.chunks).
    `trust`: the policy, which has no default. `memory_limit`: the most bytes that the sandbox may take. `engine`, `module`: to share compiled code.
    `directory`: for retort-plugin.directory.wasm, which finds the files in that one, open to it for reading only.
    `read_at`: for retort-plugin.pull.wasm, a function of file index, offset and size to the bytes, b"" at the end; `files` are then (name, size) and
    `signatures` texts."""

    def __init__(self, plugin, files, trust, *, memory_limit=None, engine=None, module=None, directory=None, read_at=None, signatures=()):
        self.engine = engine or wasmtime.Engine()
        self.module = module or wasmtime.Module.from_file(self.engine, plugin)
        self._store = wasmtime.Store(self.engine)
        if memory_limit:
            self._store.set_limits(memory_size=memory_limit)
        linker = wasmtime.Linker(self.engine)
        if directory:
            linker.define_wasi()
            access = wasmtime.WasiConfig()
            access.preopen_dir(str(directory), "/", False)
            self._store.set_wasi(access)
        if read_at:
            linker.define_func("retort", "read_at", wasmtime.FuncType([wasmtime.ValType.i32(), wasmtime.ValType.i64(), wasmtime.ValType.i32(), wasmtime.ValType.i32()], [wasmtime.ValType.i32()]),
                               lambda *args: self._put(read_at, *args))
        self._exports = linker.instantiate(self._store, self.module).exports(self._store)
        self._memory = self._exports["memory"]
        files = [files] if isinstance(files, (str, os.PathLike)) else list(files)
        if directory:
            self._model = self._send("load_directory", {"trust": trust, "files": files})
        elif read_at:
            described = [{"name": name, "size": size} for name, size in files]
            self._model = self.call("load_pull", self._send("load_begin", {"trust": trust, "signatures": list(signatures), "files": described}))
        else:
            self._model = self._load(files, trust)
        self.info = self._json("model_info", self._model)

    def session(self, **options):
        """A conversation; options: n_ctx, n_batch, kv."""
        return Session(self, options)

    def tokenize(self, text, *, special=False, bos=False):
        n = self._with_bytes(text.encode(), lambda at, size: self.call("tokenize", self._model, at, size, special | bos << 1))
        return list(struct.unpack(f"<{n}i", self._result(4 * n)))

    def detokenize(self, ids, *, special=False):
        n = self._with_bytes(struct.pack(f"<{len(ids)}i", *ids), lambda at, size: self.call("detokenize", self._model, at, len(ids), int(special)))
        return self._result(n)

    def memory_bytes(self):
        return self._memory.data_len(self._store)

    def close(self):
        self._exports = self._memory = self._store = None  # the whole sandbox goes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the functions of the plugin ----

    def call(self, name, *args):
        value = self._exports["retort_" + name](self._store, *args)
        if value is not None and value < 0:
            raise Error(self._word("status_name", value), self._text(self._exports["retort_last_error"](self._store)))
        return value

    def _address(self, name, *args):
        at = self._exports["retort_" + name](self._store, *args) & 0xFFFFFFFF
        if at == 0:
            raise Error("memory", "the sandbox has no more memory")
        return at

    def _word(self, name, value):
        return self._text(self._exports["retort_" + name](self._store, value) & 0xFFFFFFFF)

    def _text(self, at):
        found = self._read(at, 508)
        return found[: found.index(0)].decode()

    def _read(self, at, size):
        return bytes(self._memory.read(self._store, at, at + size))

    def _result(self, size):
        return self._read(self._exports["retort_result"](self._store) & 0xFFFFFFFF, size)

    def _json(self, name, *args):
        return json.loads(self._result(self.call(name, *args)))

    def _with_bytes(self, data, use):
        at = self._address("alloc", len(data))
        try:
            self._memory.write(self._store, data, at)
            return use(at, len(data))
        finally:
            self.call("free", at)

    def _send(self, name, value, *before):
        return self._with_bytes(json.dumps(value).encode(), lambda at, size: self.call(name, *before, at, size))

    # ---- loading ----

    def _put(self, read_at, file, offset, at, size):
        data = read_at(file, offset, size & 0xFFFFFFFF)
        self._memory.write(self._store, data, at & 0xFFFFFFFF)
        return len(data)

    def _load(self, files, trust):
        bundle = [f"{files[0]}.sig", os.path.join(os.path.dirname(files[0]), "model.sig")]
        minisig = [f"{name}.minisig" for name in files] if trust.get("method") == "minisign" else [f"{name}.sig" for name in files] if trust.get("method") == "signify" else None
        paths = [name for name in minisig if os.path.exists(name)] if minisig else [name for name in bundle if os.path.exists(name)][:1]
        signatures = [open(path, encoding="utf-8").read() for path in paths] if trust.get("method") not in ("unsigned", "pinned") else []
        described = [{"name": os.path.basename(name), "size": os.path.getsize(name)} for name in files]
        loader = self._send("load_begin", {"trust": trust, "signatures": signatures, "files": described})
        for index, name in enumerate(files):
            if os.path.exists(f"{name}.chunks"):
                with open(f"{name}.chunks", "rb") as f:
                    self._with_bytes(f.read(), lambda at, size: self.call("load_chunks", loader, index, at, size))
        self.call("load_open", loader)
        for index, name in enumerate(files):
            step = self.call("load_chunk_size", loader, index) or (described[index]["size"] or 1 if trust.get("method") == "signify" else PIECE)
            at = self._address("load_buffer", loader, index)
            with open(name, "rb") as f:
                offset = 0
                while data := f.read(step):
                    self._memory.write(self._store, data, at + offset)
                    self.call("load_fed", loader, index, offset, len(data))
                    offset += len(data)
        return self.call("load_finish", loader)


class Session:
    def __init__(self, model, options):
        self._model = model
        self._id = model._send("session_new", options, model._model)

    def chat(self, messages, *, work=0, **options):
        """Yields pieces as they come. `work`: prompt tokens, or drafts, per step at most: how long the plugin keeps your thread at a time.
        Options: temperature, top_p, seed, max_tokens, thinking_budget, stop, proof, ... (docs/PLUGIN.md)."""
        return self._answer({"messages": messages, **options}, work)

    def complete(self, prompt, *, work=0, **options):
        """The same for raw text, without the chat template."""
        return self._answer({"prompt": prompt, **options}, work)

    def _answer(self, request, work):
        model = self._model
        model._send("chat", request, self._id)
        while True:
            kind = model.call("step", self._id, work)
            _, token, section, text, size, finish, *_ = struct.unpack("<Ii7I", model._read(model._address("event", self._id), 36))
            if kind == 0:
                continue
            yield Piece(model._read(text, size).decode(), "reasoning" if section else "answer", token, model._word("finish_name", finish) if kind == 2 else None)
            if kind == 2:
                return

    def usage(self):
        return self._model._json("usage", self._id)

    def proof(self):
        return self._model._json("proof", self._id)

    def info(self):
        return self._model._json("session_info", self._id)

    def close(self):
        self._model.call("close", self._id)
