"""test_stores.py - what 0.1.0 left behind is read for ever: its trust store, signature, history, proof line and what its page kept.
tests/data/stores-0.1.0 was written by that version (tests/data/README.md)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from common import Case, arguments, environment, main
from test_terminal import CTRL_D, UP, Terminal

SOURCE = pathlib.Path(__file__).resolve().parents[2]
STORES = SOURCE / "tests/data/stores-0.1.0"
MODEL = SOURCE / "tests/data/gguf/all_types.gguf"


class Stores(Case):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        home = pathlib.Path(self.folder.name)
        for name in ("config", "state"):
            shutil.copytree(STORES / name, home / name, copy_function=shutil.copyfile)
        for path in home.rglob("*"):  # whatever a checkout makes of the modes: the store must be ours alone
            path.chmod(0o700 if path.is_dir() else 0o600)
        self.where = {"XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state"), "HOME": str(home)}
        self.env = environment(**self.where)

    def test_the_trust_store(self):
        listed = json.loads(self.ok("trust", "list", "--json", env=self.env))
        self.assertEqual({a["signer"] for a in listed["anchors"]}, {
            "key sha256:84b82e7471984fc33359a01d94262454ebd988f53e71ca56071ea9c00f143fa5", "certificate CN=Root", "minisign key 3A5FD5B53D57C4A7"})
        self.assertEqual([p["name"] for p in listed["pins"]], ["all_types.gguf"])

    def test_its_pin_and_its_key_vouch(self):
        self.assertIn(b"pinned", self.ok("verify", str(MODEL), env=self.env))
        signed = self.ok("verify", "--signature", str(STORES / "all_types.gguf.sig"), str(MODEL), env=self.env)
        self.assertIn(b"signed by key sha256:84b82e747198", signed)

    def test_the_history(self):
        t = Terminal("chat", **self.where)
        t.wait_for(rb">.* ")
        t.send(UP)
        t.wait_for(rb"What is 7 \+ 8\?")
        t.send(UP)
        t.wait_for("Wie heißt der Fluß\\?  back\\\\slash # hash".encode())
        t.send(b"\x15" + CTRL_D)
        self.assertEqual(t.end(), 0)

    def test_its_proof_holds(self):
        proof = (STORES / "proof.txt").read_text()
        said = self.ok("run", "--json", "--proof", "--temp", "0.7", "--seed", "11", "--kv", "q8_0", "What is 4821 + 396?", env=self.env)
        now = json.loads(said)["proof"]
        self.assertIn(now["logits_sha256"], proof)
        self.assertIn(now["model_sha256"][0], proof)
        self.assertEqual(now["numerics"], int(re.search(r"RETORT_NUMERICS=(\d+)", proof)[1]))

    @unittest.skipUnless(shutil.which("node"), "Node.js is not installed")
    def test_the_page(self):
        script = """import fs from 'node:fs'
            const kept = JSON.parse(fs.readFileSync(process.argv[1]))
            globalThis.localStorage = { getItem: (k) => kept[k] ?? null, setItem: (k, v) => { kept[k] = v } }
            const { chats, settingsKept, titleOf, markdownOf } = await import(process.argv[2])
            console.log(JSON.stringify({ settings: settingsKept(), titles: chats().map(titleOf), text: chats().map(markdownOf) }))"""
        done = subprocess.run(["node", "--input-type=module", "-e", script, "--", str(STORES / "page.json"), (SOURCE / "web/demo/keep.js").as_uri()],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        page = json.loads(done.stdout)
        self.assertEqual(page["titles"], ["Wie heißt “der” Fluß?", "What is 4821 + 396?"])
        self.assertIn("The answer is 5217.", page["text"][1])
        fields = re.findall(r'<input[^>]*\bname="(\w+)"', (SOURCE / "web/demo/index.html").read_text())
        self.assertLessEqual(set(page["settings"]), set(fields), "a setting that 0.1.0 kept is not among today's")
        self.assertEqual(page["settings"]["max_reasoning_tokens"], 512)


if __name__ == "__main__":
    main()
