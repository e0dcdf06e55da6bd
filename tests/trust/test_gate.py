"""test_gate.py - no byte of a model is used before somebody the user trusts vouches for it; and a writer that changes the file meanwhile gains nothing."""
import json
import os
import pathlib
import random
import sys
import threading
import time
import unittest

import numpy as np

from common import REFUSED, Case, arguments, main, program

for other in ("oracle", "support"):
    sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", other))
import tiny  # noqa: E402
import tiny_gguf  # noqa: E402

MIB = 1 << 20


class Gate(Case):
    def setUp(self):
        super().setUp()
        self.model = self.path("tiny.gguf")
        self.ids = ",".join(map(str, tiny.write(self.model, next(iter(tiny.CASES.values())))))

    def logits(self, *words, code=0, **more):
        return self.retort("logits", "-m", self.model, "--ids", self.ids, "--out", "logits.npy", *words, code=code, **more)

    def test_three_ways_on(self):
        for command in (["logits", "-m", self.model, "--ids", "1", "--out", "x"], ["tokenize", "-m", self.model, "a"],
                        ["perplexity", "-m", self.model, self.model], ["bench", "-m", self.model, "-p", "1", "-n", "0"]):
            self.retort(*command, code=REFUSED, says="--allow-unsigned")
        self.retort("inspect", self.model, says="nobody vouches")  # a stranger's header is looked at
        self.assertNotIn("not verified", self.retort("inspect", self.model, "--allow-unsigned"))
        self.retort("inspect", self.model, "--pin", "0" * 64, code=REFUSED)  # but not against one's word
        self.logits("--allow-unsigned", "-v", says="UNSIGNED")
        self.logits(code=REFUSED)  # that was for once
        self.retort("trust", "add", self.model)
        self.logits("-v", says="pinned by its SHA-256")
        self.retort("trust", "remove", "tiny.gguf")
        self.logits(code=REFUSED, says="retort trust add")
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        self.logits(code=REFUSED, says="not among those that you trust")
        self.retort("inspect", self.model, says="nobody vouches")
        self.retort("trust", "add", "k.pub")
        self.logits("-v", says="signed by key")
        self.assertNotIn("nobody vouches", self.retort("inspect", self.model))
        self.flip(self.model, 200)
        self.logits(code=REFUSED, says="SHA-256 differs")
        self.logits("--mmap", code=REFUSED)
        self.flip(self.model, 200)
        self.logits("--mmap", says="warning")

    def test_names_in_json(self):
        odd = self.path('a "b" \u00e9.gguf')
        os.rename(self.model, odd)
        key = json.loads(self.retort("keygen", "--json", 'k "1"'))
        self.assertEqual(key["public_key"], 'k "1".pub')
        made = json.loads(self.retort("sign", "--json", "-k", 'k "1".key', "--name", 'n "x"', odd))
        self.assertEqual((made["signature"], made["signer"]), (odd + ".sig", key["signer"]))
        good = json.loads(self.retort("verify", "--json", "--key", 'k "1".pub', odd))
        self.assertEqual((good["model"], good["name"], good["signer"], good["digest"]), (odd, 'n "x"', key["signer"], made["digest"]))
        pinned = json.loads(self.retort("trust", "add", "--json", odd))
        self.assertEqual(pinned["name"], os.path.basename(odd))
        self.assertEqual(json.loads(self.retort("trust", "add", "--json", 'k "1".pub')), {"trusted": key["signer"]})
        store = json.loads(self.retort("trust", "list", "--json"))
        self.assertEqual(([a["signer"] for a in store["anchors"]], store["pins"]), ([key["signer"]], [{"name": pinned["name"], "sha256": pinned["pinned"]}]))
        self.assertEqual(json.loads(self.retort("trust", "remove", "--json", pinned["name"]))["removed"], pinned["pinned"])

    def test_the_verdict_is_said_to_programs(self):
        """In --json of the commands and on one line of -v: method, signer, when, digest, what was hashed, how it is held."""
        before = int(time.time())
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        said = json.loads(self.retort("verify", "--json", "--key", "k.pub", self.model))
        self.assertTrue(before <= said["signed_time"] <= time.time(), said)
        self.assertEqual((said["method"], said["mode"], said["valid_time"], said["files"], said["bytes"]), ("key", "whole", None, 1, os.path.getsize(self.model)))
        ember = json.loads(self.retort("run", "--json", "-n", "1", "2 + 2").split("\n")[0])["trust"]
        self.assertEqual((ember["method"], ember["name"], ember["mode"], ember["memory"]), ("key", "ember", "chunks", "embedded"))
        self.assertEqual(len(ember["digest"]), 64)
        lines = [line for line in self.retort("run", "-v", "-n", "1", "2 + 2").split("\n") if line.startswith("retort: trust: ")]
        self.assertEqual(len(lines), 1)
        for part in (ember["signer"], 'as "ember"', ember["digest"], "every chunk hashed"):
            self.assertIn(part, lines[0])
        self.retort("keygen", "--minisign", "--no-password", "m")
        self.retort("sign", "-k", "m.key", self.model)
        said = json.loads(self.retort("verify", "--json", "--minisign-key", "m.pub", self.model))
        self.assertTrue(before <= said["signed_time"] <= time.time(), said)

    def test_a_store_that_others_may_change_is_refused(self):
        store = self.path("home/.config/retort/trust")
        self.assertFalse(json.loads(self.retort("trust", "list", "--json"))["anchors"])
        self.assertFalse(os.path.exists(self.path("home/.config")))  # looking makes nothing
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        self.retort("trust", "add", "k.pub")
        self.retort("trust", "add", self.model)
        self.assertEqual(os.stat(store).st_mode & 0o777, 0o700)
        self.logits()
        entries = [os.path.join(store, name) for name in os.listdir(store)]
        self.assertEqual(len(entries), 2)
        for path in (store, *entries):
            mode = os.stat(path).st_mode & 0o777
            for more in (0o020, 0o002):
                os.chmod(path, mode | more)
                self.logits(code=REFUSED, says="can be changed by others")
                self.retort("trust", "remove", "k.pub", code=REFUSED)
            os.chmod(path, mode)
            if os.geteuid() == 0:
                os.chown(path, 1234, -1)
                self.logits(code=REFUSED, says="belongs to another user")
                os.chown(path, 0, -1)
        for parent in ("home/.config/retort", "home/.config", "home"):
            os.chmod(self.path(parent), 0o777)
            self.logits(code=REFUSED, says="can be changed by everybody")
            self.retort("trust", "remove", "k.pub", code=REFUSED)
            os.chmod(self.path(parent), 0o1777)  # everybody may add, and nobody may rename what is ours
            self.logits()
            os.chmod(self.path(parent), 0o755)
        self.logits(more_env={"XDG_CONFIG_HOME": "elsewhere"})  # a relative one counts as none
        self.logits(code=REFUSED, more_env={"XDG_CONFIG_HOME": self.path("elsewhere")})
        self.logits()
        os.mkfifo(os.path.join(store, "key-fifo.pem"))
        self.logits(code=REFUSED, says="not a file")
        os.remove(os.path.join(store, "key-fifo.pem"))
        pathlib.Path(store, "key-large.pem").write_bytes(b"-" * 70000)
        self.logits(code=REFUSED, says="larger than")
        os.remove(os.path.join(store, "key-large.pem"))
        os.rename(store, store + "2")
        pathlib.Path(store).write_text("")
        self.logits(code=1, says="cannot read the trust store")

    def test_removing_names_one(self):
        for name in "ab":
            self.retort("keygen", name)
            self.retort("trust", "add", name + ".pub")
        listed = [a["signer"] for a in json.loads(self.retort("trust", "list", "--json"))["anchors"]]
        self.assertEqual(len(listed), 2)
        self.retort("trust", "remove", "sha256", code=2, says="part of the names of 2 keys")
        self.retort("trust", "remove", "nobody", code=2, says="has no 'nobody'")
        self.retort("trust", "remove", listed[0])
        self.retort("trust", "remove", listed[1][11:30])
        self.assertEqual(json.loads(self.retort("trust", "list", "--json"))["anchors"], [])

    def test_side_files_that_are_no_files(self):
        """A pipe, an endless or a huge file in the place of a signature or a chunk list is refused at once."""
        self.retort("keygen", "k")
        for suffix, says in ((".sig", "larger than"), (".chunks", "larger than")):
            side = self.model + suffix
            os.mkfifo(side)
            self.logits("--key", "k.pub", code=REFUSED, says="is not a file")
            os.remove(side)
            os.symlink("/dev/zero", side)
            self.logits("--key", "k.pub", code=REFUSED, says="is not a file")
            os.remove(side)
            with open(side, "wb") as f:
                f.truncate(1 << 40)
            self.logits("--key", "k.pub", code=REFUSED, says=says)
            os.remove(side)
        self.retort("sign", "-k", "k.key", self.model)
        self.run_tool("bash", "-c", f'exec "{arguments.retort}" verify --key <(cat k.pub) -s <(cat {self.model}.sig) {self.model}')  # pipes that the user names are his choice

    def test_secrets_are_written_where_nobody_waits(self):
        for name in ("k.key", "k.key.part"):
            os.symlink(self.path("elsewhere"), self.path(name))
        self.retort("keygen", "k", code=1, says="a link that leads to nothing")
        self.assertFalse(os.path.exists(self.path("elsewhere")) or os.path.exists(self.path("k.pub")))
        os.remove(self.path("k.key"))
        self.retort("keygen", "k")
        self.assertFalse(os.path.exists(self.path("elsewhere")))
        info = os.lstat(self.path("k.key"))
        self.assertEqual(info.st_mode & 0o170777, 0o100600)
        self.retort("keygen", "k", code=2, says="never written over")
        self.assertEqual([n for n in os.listdir(self.folder.name) if n.endswith(".part")], ["k.key.part"])

    def test_pins_and_keys_on_the_command_line(self):
        text = self.retort("trust", "add", self.model)
        digest = text.split()[1]
        self.retort("trust", "remove", digest)
        self.logits("--pin", digest)
        self.logits("--pin", digest[::-1], code=REFUSED)
        self.logits("--pin", "abc", code=2)
        self.retort("keygen", "k")
        self.logits("--key", "k.pub", code=REFUSED, says="no signature beside it")
        self.logits("--pin", digest, "--key", "k.pub", code=2)

    def test_the_project_key_vouches_for_its_own_model_only(self):
        """A program with another key in the place of the project's: the secret half of the real one is not here."""
        self.retort("trust", "list", says="ember")
        self.retort("keygen", "k")
        root = pathlib.Path(__file__).resolve().parents[2]
        ours, project = pathlib.Path(self.path("k.pub")).read_bytes(), (root / "models/retort-project.pub").read_bytes()
        program = pathlib.Path(arguments.retort).read_bytes()
        self.assertEqual((len(ours), program.count(project)), (len(project), 1))
        changed = self.path("changed")
        pathlib.Path(changed).write_bytes(program.replace(project, ours))
        os.chmod(changed, 0o755)
        for name, code in (("ember", 0), ("other", REFUSED), ("ember2", REFUSED)):
            self.retort("sign", "-k", "k.key", "--name", name, self.model)
            self.run_tool(changed, "verify", self.model, code=code, says='as "ember"' if code == 0 else "is refused")
            self.run_tool(changed, "verify", "--model-name", "other", self.model, code=REFUSED)
            self.retort("verify", self.model, code=REFUSED)  # the real program does not know this key

    def watched(self, *words, **more):
        """What the program gave back to the system: [(bytes, bytes of them that are not zero)] of each large mapping."""
        log = pathlib.Path(self.path("watched"))
        log.write_text("")
        self.logits(*words, more_env={"LD_PRELOAD": arguments.watch, "RETORT_WATCH": str(log)}, **more)
        return [tuple(map(int, line.split())) for line in log.read_text().split("\n") if line]

    @unittest.skipUnless(arguments.watch, "no library to preload (a sanitizer build, or --watch was not given)")
    def test_refused_bytes_are_wiped(self):
        size = 9 * MIB + 5
        with open(self.model, "ab") as f:
            f.write(random.Random(5).randbytes(size - os.path.getsize(self.model)))
        self.retort("keygen", "k")
        self.retort("keygen", "--minisign", "--no-password", "m")
        digest = self.retort("trust", "add", self.model).split()[1]
        self.retort("trust", "remove", digest)
        ways = {"k.key": ("--key", "k.pub"), "k.key --no-chunks": ("--key", "k.pub"), "m.key": ("--minisign-key", "m.pub"), "": ("--pin", digest)}
        for way, trust in ways.items():
            if way:
                self.retort("sign", "-k", *way.split(), self.model)
            self.assertGreater(max(other for n, other in self.watched(*trust) if n >= size), size // 2)  # what is used is given back as it is
            for at in (0, 5 * MIB, size - 1):
                self.flip(self.model, at)
                large = [other for n, other in self.watched(*trust, code=REFUSED) if n >= size]
                self.assertEqual(large, [0], (way, at))
                self.flip(self.model, at)
            for side in (".sig", ".chunks", ".minisig"):
                pathlib.Path(self.model + side).unlink(missing_ok=True)

    @unittest.skipUnless(arguments.watch, "no library to preload (a sanitizer build, or --watch was not given)")
    def test_how_memory_is_held_is_said(self):
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        sealed = {"LD_PRELOAD": arguments.watch, "RETORT_SEALED": "1"}
        self.assertIn("(private copy)", self.logits("--key", "k.pub", "-v"))
        text = self.logits("--key", "k.pub", "-v", "--mmap")
        self.assertIn("(shared map)", text)
        self.assertIn("warning", text)
        text = self.logits("--key", "k.pub", "-v", "--mmap", more_env=sealed)
        self.assertIn("(fs-verity map)", text)
        self.assertNotIn("warning", text)
        self.assertIn("(private copy)", self.logits("--key", "k.pub", "-v", more_env=sealed))
        self.flip(self.model, 300)
        self.logits("--key", "k.pub", "--mmap", code=REFUSED, more_env=sealed)  # sealed, but not what was signed

    def test_metadata_needs_the_chunks_of_the_header_only(self):
        tiny_gguf.make(self.model)
        plain = self.retort("tokenize", "-m", self.model, "--allow-unsigned", "hello")
        with open(self.model, "ab") as f:
            f.write(random.Random(5).randbytes(20 * MIB))
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        self.flip(self.model, 19 * MIB)
        tokenize = lambda *words, **more: self.retort("tokenize", "-m", self.model, "--key", "k.pub", *words, "hello", **more)
        self.assertEqual(tokenize(), plain)
        tokenize("-v", says="header: 8.00 MiB of")
        self.logits("--key", "k.pub", code=REFUSED)  # weights are another matter
        self.flip(self.model, 7 * MIB)
        tokenize(code=REFUSED, says="bytes 7340032 to 8388607 differ")
        self.flip(self.model, 7 * MIB)
        os.remove(self.model + ".chunks")
        tokenize(code=REFUSED, says="SHA-256 differs")
        self.flip(self.model, 19 * MIB)
        self.assertEqual(tokenize(), plain)

    def test_long_headers(self):
        """A header of 12 MiB is found at the second try; one that never comes is an error."""
        tiny_gguf.make(self.model, template="x" * (12 * MIB))
        with open(self.model, "ab") as f:
            f.write(random.Random(5).randbytes(30 * MIB))
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        self.retort("tokenize", "-m", self.model, "--key", "k.pub", "-v", "hello", says="header: 32.0 MiB of")
        data = pathlib.Path(self.model).read_bytes()
        pathlib.Path(self.model).write_bytes(data[:11 * MIB])
        self.retort("sign", "-k", "k.key", self.model)
        self.retort("tokenize", "-m", self.model, "--key", "k.pub", "hello", code=3)

    def test_refused_before_it_is_parsed(self):
        """A file that is not even GGUF is refused for who vouches, not for what it holds."""
        self.file("tiny.gguf", 5000)
        for command in (["tokenize", "a"], ["logits", "--ids", "1", "--out", "x"]):
            self.retort(*command, "-m", self.model, code=REFUSED)
            self.retort(*command, "-m", self.model, "--allow-unsigned", code=3)

    def test_inspect_shows_the_header_of_a_strangers_file(self):
        """As data: no vocabulary is made of it, no weight is used, and it says so. Who asks for a check gets one."""
        tiny_gguf.make(self.model)
        inspect = lambda *words, **more: self.retort("inspect", self.model, *words, **more)
        seen = json.loads(inspect("--json"))
        tried = json.loads(inspect("--json", "--allow-unsigned"))
        self.assertEqual((seen["verified"], seen["runs"], seen["tokenizer"]), (False, None, None))
        self.assertEqual((tried["verified"], tried["runs"]), (False, True))
        self.assertEqual([len(seen["warnings"]), "not verified (there is no signature beside it)" in seen["warnings"][0]], [1, True])
        for same in ("architecture", "name", "metadata", "tensors", "types", "parameters", "files"):
            self.assertEqual(seen[same], tried[same], same)
        self.assertNotIn("tokens", json.dumps(seen["warnings"]))
        text = inspect("-v", says="NOT CHECKED: nobody vouches for this file")
        self.assertIn("runs here    not tried", text)
        self.assertNotIn("BOS", text)
        for option in (["--pin", "0" * 64], ["--model-name", "tiny"]):
            self.retort("inspect", self.model, *option, code=REFUSED)
        os.truncate(self.model, 1 << 41)  # a hole of 2 TiB, more than any memory: what is not read is not asked for either
        self.assertEqual(json.loads(inspect("--json"))["tensors"], seen["tensors"])
        tiny_gguf.make(self.model)
        for size in (0, 3, 100, 700):  # it is the parser that is asked, and it is bounded
            os.truncate(self.model, size)
            inspect(code=3)

    def test_inspect_refuses_what_is_not_what_was_signed(self):
        tiny_gguf.make(self.model)
        self.retort("keygen", "k")
        self.retort("trust", "add", "k.pub")
        self.retort("sign", "-k", "k.key", self.model)
        good = json.loads(self.retort("inspect", self.model, "--json"))
        self.assertEqual((good["verified"], good["runs"]), (True, True))
        self.flip(self.model, 300)
        self.retort("inspect", self.model, code=REFUSED, says="is not the file that was signed")

    def race(self, chunked):
        """Bytes behind the last tensor belong to nobody but are signed too: they make the file large enough for a chunk list."""
        with open(self.model, "ab") as f:
            f.write(random.Random(5).randbytes((3 << 20) if chunked else 100000))
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model, *([] if chunked else ["--no-chunks"]))
        self.logits("--key", "k.pub", "-v", says="every chunk hashed" if chunked else "whole files hashed")
        expected = np.load(self.path("logits.npy"))
        good = pathlib.Path(self.model).read_bytes()
        over = threading.Event()

        def writer():
            dice = random.Random(7)
            descriptor = os.open(self.model, os.O_RDWR)
            while not over.is_set():
                at = dice.randrange(len(good) - 64) if dice.random() < 0.5 else dice.randrange(4096)
                os.pwrite(descriptor, bytes(64), at)
                over.wait(dice.random() * 0.02)
                os.pwrite(descriptor, good[at:at + 64], at)
                over.wait(dice.random() * 0.02)
            os.close(descriptor)

        thread = threading.Thread(target=writer)
        thread.start()
        counts = {0: 0, REFUSED: 0}
        try:
            for _ in range(arguments.races // 2):
                if os.path.exists(self.path("logits.npy")):
                    os.remove(self.path("logits.npy"))
                code, text = self.logits("--key", "k.pub", code=None)
                self.assertIn(code, counts, text)
                counts[code] += 1
                if code == 0:
                    np.testing.assert_array_equal(np.load(self.path("logits.npy")), expected)
                else:
                    self.assertFalse(os.path.exists(self.path("logits.npy")))
        finally:
            over.set()
            thread.join()
        print(f"{counts[0]} loads gave the signed model's logits, {counts[REFUSED]} were refused", file=sys.stderr)
        self.assertGreater(counts[0], 0)
        self.assertGreater(counts[REFUSED], 0)

    def test_races_chunked(self):
        self.race(True)

    def test_races_whole(self):
        self.race(False)


if __name__ == "__main__":
    main()
