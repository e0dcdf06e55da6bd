"""What the trust tests share: the program in a home of its own, files to sign, flipped bytes."""
import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

parser = argparse.ArgumentParser()
parser.add_argument("--retort", required=True)
parser.add_argument("--races", type=int, default=40)
parser.add_argument("--killer", help="the library of killer.c")
parser.add_argument("--kills", type=int, default=40)
parser.add_argument("--go-tool", help="the program model-signing of the Go implementation")
parser.add_argument("--watch", help="the library of watch.c")
parser.add_argument("--model", default="", help="SmolLM2-135M-Instruct.Q4_1.gguf; tests that need it are skipped without")
arguments, chosen = parser.parse_known_args()
arguments.retort = os.path.abspath(arguments.retort)
arguments.killer = arguments.killer and os.path.abspath(arguments.killer)
arguments.go_tool = arguments.go_tool and os.path.abspath(arguments.go_tool)
arguments.watch = arguments.watch and os.path.abspath(arguments.watch)

REFUSED = 7


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.home = self.path("home")
        os.mkdir(self.home)

    def path(self, *parts):
        return os.path.join(self.folder.name, *parts)

    def run_tool(self, *words, code=0, stdin=b"", says=None, more_env=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("RETORT_", "XDG_"))}
        env.update({"HOME": self.home, **(more_env or {})})
        done = subprocess.run([str(w) for w in words], input=stdin, capture_output=True, env=env, timeout=300, cwd=self.folder.name)
        text = (done.stdout + done.stderr).decode(errors="replace")
        if code is not None:
            self.assertEqual(done.returncode != 0 if code == "fails" else done.returncode, True if code == "fails" else code, f"{words}\n{text}")
        if says:
            self.assertIn(says, text)
        return text if code is not None else (done.returncode, text)

    def retort(self, *words, **more):
        return self.run_tool(arguments.retort, *words, **more)

    def file(self, name, size, seed=1):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(random.Random(seed).randbytes(size))
        return path

    def flip(self, path, offset):
        with open(path, "r+b") as f:
            f.seek(offset)
            byte = f.read(1)[0]
            f.seek(offset)
            f.write(bytes([byte ^ 1]))


def program(name):
    return shutil.which(name)


def main():
    unittest.main(argv=[sys.argv[0], "-v", *chosen])
