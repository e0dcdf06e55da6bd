"""What the program can no longer do once it has read its command line: a library that is preloaded into it (escape.c) tries. Where the kernel has no Landlock or no seccomp that is skipped; that
commands do their work inside is what all other tests show."""
import json
import os
import signal
import subprocess
import unittest

from common import TINY, Case, arguments, environment, main, parser, path, retort, unsigned

parser.add_argument("--escape", default="", help="the library of escape.c")
arguments = parser.parse_known_args()[0]
SANDBOX = retort("run", "-v", "-m", TINY, "-n", "1", "hi").stderr.decode().split("\n")[0]
ALL = "files (Landlock) and system calls (seccomp)"


@unittest.skipUnless(arguments.escape, "no library to preload (a sanitizer build)")
@unittest.skipUnless(SANDBOX.endswith(ALL), SANDBOX)
class Sandbox(Case):
    def setUp(self):
        self.secret = path("home/.ssh/id")
        os.makedirs(os.path.dirname(self.secret), exist_ok=True)
        with open(self.secret, "w") as file:
            file.write("secret")
        for name in ("models", "work", "out", "home/.config/retort/trust"):
            os.makedirs(path(name), exist_ok=True)
        self.model = path("models/tiny.gguf")
        if not os.path.exists(self.model):
            os.link(TINY, self.model)
        for name in ("models/beside", "out/there", "work/note"):
            with open(path(name), "w"):
                pass

    def tries(self, words, attempts, **more):
        """What came of each attempt, the same in every thread."""
        env = environment(HOME=path("home"), LD_PRELOAD=arguments.escape, RETORT_ESCAPE="\n".join(attempts))
        done = subprocess.run([arguments.retort, *unsigned(words)], stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=60, cwd=path("work"), **more)
        said = done.stderr.decode()
        found = {where: dict(line.split(": ", 1)[1].rsplit(": ", 1) for line in said.splitlines() if line.startswith(where + ": ")) for where in ("main", "thread")}
        self.assertEqual(len(found["main"]), len(attempts), said)
        again = {what: how for what, how in found["thread"].items() if not what.startswith(("write", "folder", "link", "remove"))}
        self.assertLessEqual(again.items(), found["main"].items())
        return {what.strip(): how for what, how in found["thread"].items()}

    NOTHING = ["exec", "trace", "socket", "unix", "kill"]

    def test_every_command_reads_what_it_was_given_and_no_more(self):
        for words in (["run", "-m", self.model, "-n", "1", "hi"], ["tokenize", "-m", self.model, "hi"], ["inspect", self.model], ["bench", "-m", self.model, "-p", "1", "-n", "1", "-r", "1"],
                      ["logits", "-m", self.model, "--ids", "1", "-o", path("out/x.npy")], ["chat", "-m", self.model], ["perplexity", "-m", self.model, self.model]):
            with self.subTest(words=words):
                got = self.tries(words, [*self.NOTHING, "read " + self.secret, "read " + path("models/beside"), "change " + path("models/beside"), "change " + self.model, "write " + path("home/new"),
                                         "change /etc/passwd", "remove " + self.model, "folder " + path("home/folder"), "link " + path("home/link")])
                for what in self.NOTHING:
                    self.assertEqual(got[what], "Operation not permitted", what)
                for what, how in got.items():
                    if " " in what:
                        self.assertEqual(how, "done" if what == "read " + path("models/beside") else "Permission denied", what)

    def test_outputs_are_written_below_their_folders(self):
        out, work = "write " + path("out/new"), "write " + path("work/new")
        got = self.tries(["logits", "-m", self.model, "--ids", "1", "-o", path("out/x.npy")], [out, work])
        self.assertEqual((got[out], got[work]), ("done", "Permission denied"))
        got = self.tries(["chat", "-m", self.model], [out, work])
        self.assertEqual((got[out], got[work]), ("Permission denied", "done"))
        got = self.tries(["run", "-m", self.model, "-n", "1", "hi"], [out, work])
        self.assertEqual(set(got.values()), {"Permission denied"})

    def test_it_can_be_switched_off_and_says_so(self):
        got = self.tries(["run", "--no-sandbox", "-m", self.model, "-n", "1", "hi"], ["read " + self.secret, "socket"])
        self.assertEqual(set(got.values()), {"done"})
        self.assertTrue(SANDBOX.endswith(ALL))
        self.assertIn("retort: sandbox: off, as asked", retort("run", "-v", "--no-sandbox", "-m", TINY, "-n", "1", "hi").stderr.decode())

    def test_what_is_refused_says_why(self):
        done = subprocess.run([arguments.retort, "chat", "--allow-unsigned", "-m", self.model], input=f"/save {path('out/chat.txt')}\n/save chat.txt\n".encode(), capture_output=True,
                              env=environment(), timeout=60, cwd=path("work"))
        said = (done.stdout + done.stderr).decode()
        self.assertIn("--no-sandbox switches it off", said)
        self.assertTrue(os.path.exists(path("work/chat.txt")))
        self.assertFalse(os.path.exists(path("out/chat.txt")))


if __name__ == "__main__":
    main()
