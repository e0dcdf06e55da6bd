"""test_docs.py - what the pages on trust say is so: the commands of docs/FIRST_RUN.md and docs/SIGNING.md give the output
shown there, and the tests that docs/THREATS.md names exist.

    test_docs.py --retort PROGRAM --model SmolLM2-135M-Instruct.Q4_1.gguf [--write]

`--write` puts the output of this run into the pages. In SIGNING.md keys are new in each run, so digests are compared as "some digest", times as some
time, and what openssl says about itself is not compared. FIRST_RUN.md has no keys: its output, proofs included, is the same on every machine.
"""
import importlib.util
import os
import pathlib
import re
import shutil
import sys
import unittest

from common import Case, arguments, chosen, main, parser, program

parser.add_argument("--write", action="store_true")
WRITE = parser.parse_known_args()[0].write
if WRITE:
    chosen.remove("--write")
ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST, SIGNING, THREATS = ROOT / "docs/FIRST_RUN.md", ROOT / "docs/SIGNING.md", ROOT / "docs/THREATS.md"
SOME = "0" * 64


def missing():
    if not os.path.exists(arguments.model):
        return "the test model SmolLM2-135M-Instruct.Q4_1.gguf is not here (--model)"
    if not program("openssl"):
        return "openssl is not installed"
    return None if importlib.util.find_spec("model_signing") else "PyPI model-signing is not installed in this Python"


class Docs(Case):
    def alike(self, command, text):
        if command.startswith(("openssl", "minisign -G")):
            return ""
        text = re.sub(r"timestamp:\d+", "timestamp", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE", text))
        return re.sub(r"\b[0-9a-f]{64}\b", SOME, re.sub(r"key [0-9A-F]{16}", "key ID", text))

    def replay(self, path, number, commands, alike):
        """Runs the commands of the page's block `number` in this test's folder."""
        page = path.read_text()
        block = re.findall(r"```\n(\$ .*?)```\n", page, re.S)[number]
        steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*?)\(exit (\d+)\)\n", block, re.M)
        self.assertEqual("".join(f"$ {c}\n{text}(exit {code})\n" for c, text, code in steps), block, "something in the block is not a step")
        self.assertEqual(len(steps), commands)
        env = {"PATH": os.pathsep.join((self.folder.name, os.path.dirname(sys.executable), os.environ["PATH"]))}
        said = ""
        for command, text, code in steps:
            got_code, got = self.run_tool("bash", "-c", command, code=None, more_env=env)
            said += f"$ {command}\n{got}(exit {got_code})\n"
            if not WRITE:
                self.assertEqual((got_code, alike(command, got)), (int(code), alike(command, text)), command)
        if WRITE:
            path.write_text(page.replace(block, said))
        return said

    def test_the_commands_of_the_first_run(self):
        os.symlink(arguments.retort, self.path("retort"))
        shutil.copy(ROOT / "models/ember/ember.gguf", self.path("my-model.gguf"))
        exactly = lambda command, text: text
        self.replay(FIRST, 0, 3, exactly)
        proofs = re.findall(r"^proof: .*$", self.replay(FIRST, 1, 2, exactly), re.M)
        self.assertTrue(len(proofs) == 2 and proofs[0] == proofs[1], proofs)
        self.replay(FIRST, 2, 4, exactly)

    def signing(self, number, commands):
        shutil.copy(arguments.model, self.path("model.gguf"))
        with open(self.path("model.gguf"), "ab") as f:
            f.write(b"\0")  # the program knows the model itself
        os.symlink(arguments.retort, self.path("retort"))
        self.replay(SIGNING, number, commands, self.alike)

    @unittest.skipIf(missing(), missing())
    def test_the_ten_commands_of_the_signing_page(self):
        self.signing(0, 10)

    @unittest.skipIf(missing() or not program("minisign"), missing() or "minisign is not installed")
    def test_the_commands_with_minisign(self):
        self.signing(1, 6)

    def test_each_promise_names_its_tests(self):
        """Each item of the first list names tests as `file: name`; these, and those of the lists by attacker, exist."""
        promises, by_target = (re.sub(r"\s+", " ", part) for part in THREATS.read_text().split("\n## ")[:2])
        items = re.split(r" - (?=\*\*)", promises)[1:]
        self.assertGreater(len(items), 8)
        named = re.compile(r"`([a-z_0-9]+\.(?:c|py|mjs)): ([^`]+)`")
        for item in items:
            self.assertTrue(named.search(item), f"no test is named: {item}")
        self.assertGreater(len(named.findall(by_target)), 10)
        for file, name in named.findall(promises + by_target):
            found = [*(ROOT / "tests").glob(f"*/{file}"), *(ROOT / "tests/wasm/hosts").glob(file)]
            self.assertEqual(len(found), 1, file)
            definition = {".c": r"^static void %s\(void \*\*state\)", ".py": r"^(?:    )?def %s\((?:self|host)", ".mjs": r"title: '%s'"}[found[0].suffix] % re.escape(name)
            self.assertRegex(found[0].read_text(), re.compile(definition, re.M), f"{file} has no test {name}")


if __name__ == "__main__":
    main()
