"""What the tests of the program share: its path, the tiny models, and how it is called."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import tiny_gguf

parser = argparse.ArgumentParser()
parser.add_argument("--retort", required=True)
parser.add_argument("--model", default="", help="SmolLM2-135M-Instruct.Q4_1.gguf; tests that need it are skipped without")
arguments, _ = parser.parse_known_args()
arguments.retort = os.path.abspath(arguments.retort)

folder = tempfile.TemporaryDirectory()
TINY = os.path.join(folder.name, "tiny.gguf")
tiny_gguf.make(TINY)
ENDLESS = os.path.join(folder.name, "endless.gguf")  # with --top-k 10 it never ends its turn
tiny_gguf.make(ENDLESS, endless=True)


def path(name):
    return os.path.join(folder.name, name)


def environment(**more):
    """Nothing of the caller's own settings leaks in."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("RETORT_", "XDG_", "NO_COLOR"))}
    env.update({"HOME": folder.name, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more})
    return env


def unsigned(words):
    """The tiny models are signed by nobody; what that means is tested in tests/trust/."""
    loads = words and words[0] in ("run", "chat", "inspect", "tokenize", "perplexity", "logits", "bench")
    return [*words[:1], *(["--allow-unsigned"] if loads else []), *words[1:]]


def retort(*words, stdin=b"", env=None, timeout=120):
    return subprocess.run([arguments.retort, *unsigned(words)], input=stdin, capture_output=True, env=env or environment(), timeout=timeout, cwd=folder.name)


class Case(unittest.TestCase):
    maxDiff = None

    def ok(self, *words, **more):
        done = retort(*words, **more)
        self.assertEqual(done.returncode, 0, done.stderr.decode(errors="replace"))
        return done.stdout

    def fails(self, code, *words, says=(), **more):
        """The exit code, one `retort: error:` on standard error that says what is wanted, nothing on standard output; the same with --json as an object."""
        done = retort(*words, **more)
        text = done.stderr.decode()
        self.assertEqual(done.returncode, code, text)
        self.assertEqual(text.count("retort: error: "), 1, text)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, text)
        self.assertEqual(done.stdout, b"")
        done = retort(words[0], "--json", *words[1:], **more)
        self.assertEqual(done.returncode, code)
        error = json.loads(done.stdout)["error"]
        self.assertEqual(error["code"], code)
        self.assertIn(error["message"], done.stderr.decode())
        self.assertTrue(error["kind"])
        return text


def main():
    unittest.main(argv=[sys.argv[0], "-v"])
