"""test_gate.py - no byte of a model is used before somebody the user trusts vouches for it; and a writer that changes the file meanwhile gains nothing."""
import json
import os
import pathlib
import random
import sys
import threading
import unittest

import numpy as np

from common import REFUSED, Case, arguments, main, program

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle"))
import tiny  # noqa: E402


class Gate(Case):
    def setUp(self):
        super().setUp()
        self.model = self.path("tiny.gguf")
        self.ids = ",".join(map(str, tiny.write(self.model, next(iter(tiny.CASES.values())))))

    def logits(self, *words, code=0, **more):
        return self.retort("logits", "-m", self.model, "--ids", self.ids, "--out", "logits.npy", *words, code=code, **more)

    def test_three_ways_on(self):
        for command in (["logits", "-m", self.model, "--ids", "1", "--out", "x"], ["inspect", "-m", self.model], ["tokenize", "-m", self.model, "a"],
                        ["perplexity", "-m", self.model, self.model], ["bench", "-m", self.model, "-p", "1", "-n", "0"]):
            self.retort(*command, code=REFUSED, says="--allow-unsigned")
        self.logits("--allow-unsigned", "-v", says="UNSIGNED")
        self.logits(code=REFUSED)  # that was for once
        self.retort("trust", "add", self.model)
        self.logits("-v", says="pinned by its SHA-256")
        self.retort("trust", "remove", "tiny.gguf")
        self.logits(code=REFUSED, says="retort trust add")
        self.retort("keygen", "k")
        self.retort("sign", "-k", "k.key", self.model)
        self.logits(code=REFUSED, says="not among those that you trust")
        self.retort("trust", "add", "k.pub")
        self.logits("-v", says="signed by key")
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
        self.retort("trust", "list", says="ember")

    def test_refused_before_it_is_parsed(self):
        """A file that is not even GGUF is refused for who vouches, not for what it holds."""
        self.file("tiny.gguf", 5000)
        for command in (["inspect"], ["logits", "--ids", "1", "--out", "x"]):
            self.retort(*command, "-m", self.model, code=REFUSED)
            self.retort(*command, "-m", self.model, "--allow-unsigned", code=3)

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
