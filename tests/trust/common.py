"""What the trust tests share: the program in a home of its own, files to sign, flipped bytes, and what must hold for `retort update` wherever releases come from."""
import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

parser = argparse.ArgumentParser()
parser.add_argument("--retort", required=True)
parser.add_argument("--races", type=int, default=40)
parser.add_argument("--killer", help="the library of killer.c")
parser.add_argument("--kills", type=int, default=40)
parser.add_argument("--every-step", action="store_true", help="kill at each step and in each manner, not at every fourth")
parser.add_argument("--go-tool", help="the program model-signing of the Go implementation")
parser.add_argument("--watch", help="the library of watch.c")
parser.add_argument("--model", default="", help="SmolLM2-135M-Instruct.Q4_1.gguf; tests that need it are skipped without")
parser.add_argument("--tarball", help="the board's release, for the commands of docs/DEVICE.md")
parser.add_argument("--board", default="", help="what runs another machine's program, before its words")
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

    def retort(self, *words, under=(), **more):
        return self.run_tool(*under, arguments.retort, *words, **more)

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


class Installing(Case):
    """`retort update` into the folder self.dev. A subclass has release(number), which makes a signed release, and update(release, ...), which installs it."""
    def setUp(self):
        super().setUp()
        for key in ("fleet", "stranger"):
            self.retort("keygen", self.path(key))
        self.dev = self.path("dev")

    def current(self):
        """The number of the release that `current` names; it must be whole and good."""
        target = os.readlink(os.path.join(self.dev, "current"))
        self.assertRegex(target, r"^releases/bot@[0-9]+-[0-9a-f]{16}$")
        inside = os.path.join(self.dev, "current")
        self.retort("verify", "--key", self.path("fleet.pub"), inside if os.path.exists(os.path.join(inside, "model.sig")) else os.path.join(inside, "bot.gguf"))
        return int(target.split("@")[1].split("-")[0])

    def tidy(self):
        self.assertLessEqual(set(os.listdir(self.dev)), {".retort-update", "releases", "current", "previous"})
        links = {os.path.basename(os.readlink(os.path.join(self.dev, n))) for n in ("current", "previous") if os.path.lexists(os.path.join(self.dev, n))}
        self.assertEqual(set(os.listdir(os.path.join(self.dev, "releases"))), links)

    def before_the_third(self):
        """self.dev with release 2 and, behind it, 1, kept for `restore`. Returns release 3."""
        self.update(self.release(1))
        self.update(self.release(2))
        new = self.release(3)
        shutil.copytree(self.dev, self.path("state"), symlinks=True)
        return new

    def restore(self):
        shutil.rmtree(self.dev)
        shutil.copytree(self.path("state"), self.dev, symlinks=True)

    def kill_at_steps(self, change, then):
        """change(**environment) on the kept state, killed at one step after the other: which release was there after each kill. `then` must succeed after each."""
        seen = []
        for torn in ("0", "2", "4", "lost") if arguments.every_step else ("2", "lost"):
            for step in range(1, 1000, 1 if arguments.every_step else 4):
                self.restore()
                code, text = change(code=None, more_env={"LD_PRELOAD": arguments.killer, "RETORT_KILL_AT": str(step), "RETORT_TORN": torn})
                self.assertIn(code, (0, -signal.SIGKILL), text)
                if code == 0:
                    break
                seen.append(self.current())
                code, text = then(code=None)
                if torn == "lost" and code == REFUSED:  # zeros in what had come of a download: refused, and not gone on with
                    code, text = then(code=None)
                self.assertEqual(code, 0, text)
                self.tidy()
        print(f"killed at {len(seen)} steps, there was then: {', '.join(f'{seen.count(n)} times release {n}' for n in sorted(set(seen)))}", file=sys.stderr)
        return seen

    @unittest.skipUnless(arguments.killer, "no library to preload (a sanitizer build, or --killer was not given)")
    def test_killed_at_steps(self):
        new = self.before_the_third()
        seen = self.kill_at_steps(lambda **how: self.update(new, **how), lambda **how: self.update(new, **how))
        self.assertGreater(seen.count(2), 6)
        self.assertLessEqual(set(seen), {2, 3})
        if arguments.every_step:
            self.assertGreater(seen.count(3), 6)

    @unittest.skipUnless(arguments.killer, "no library to preload (a sanitizer build, or --killer was not given)")
    def test_a_full_disk(self):
        self.update(self.release(1))
        new = self.release(2)
        for left in (0, 1000, 20000):
            self.update(new, code=1, says="No space left", more_env={"LD_PRELOAD": arguments.killer, "RETORT_FULL": str(left)})
            self.assertEqual(self.current(), 1)
        self.update(new, says="now runs bot@2")
        self.tidy()

    def test_a_read_only_folder(self):
        self.update(self.release(1))
        new = self.release(2)
        if os.geteuid() == 0:  # who writes into read-only folders too, but not into read-only file systems
            mount = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', self.dev]
            if subprocess.run([*mount, "true"], stderr=subprocess.DEVNULL).returncode != 0:
                self.skipTest("this system does not let a folder be mounted read-only")
            self.update(new, code=1, says="Read-only file system", under=mount)
        else:
            os.chmod(self.dev, 0o555)
            self.update(new, code=1, says="Permission denied")
            os.chmod(self.dev, 0o755)
        self.assertEqual(self.current(), 1)
        self.tidy()


def program(name):
    return shutil.which(name)


def main():
    unittest.main(argv=[sys.argv[0], "-v", *chosen])
