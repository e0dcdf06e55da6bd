"""test_update.py - `retort update`: a newer signed release replaces the installed one whole, or nothing changes, wherever it is killed."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from common import REFUSED, Case, arguments, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import tiny_gguf


class Update(Case):
    def setUp(self):
        super().setUp()
        self.retort("keygen", self.path("fleet"))
        self.retort("keygen", self.path("stranger"))
        self.dev = self.path("dev")

    def release(self, number, key="fleet", name="bot", folder=False, selftest=None, endless=False):
        """A folder with a model signed as NAME@NUMBER; `folder`: by one signature over all of it."""
        where = self.path(f"release-{name}-{number}-{key}-{folder}-{endless}")
        os.makedirs(where)
        model = os.path.join(where, "bot.gguf")
        tiny_gguf.make(model, endless=endless)
        if selftest is not None:
            with open(os.path.join(where, "selftest.json"), "w") as f:
                json.dump(selftest, f)
        self.retort("sign", "-k", self.path(key + ".key"), "--name", f"{name}@{number}", where if folder else model)
        return where

    def update(self, source, *more, **how):
        return self.retort("update", "--from", source, "--key", self.path("fleet.pub"), self.dev, *more, **how)

    def current(self):
        """The release that `current` names; it must be whole, good and answer, and nothing else may lie about."""
        target = os.readlink(os.path.join(self.dev, "current"))
        self.assertRegex(target, r"^releases/bot@[0-9]+-[0-9a-f]{16}$")
        inside = os.path.join(self.dev, "current")
        self.retort("verify", "--key", self.path("fleet.pub"), inside if os.path.exists(os.path.join(inside, "model.sig")) else os.path.join(inside, "bot.gguf"))
        return int(target.split("@")[1].split("-")[0])

    def tidy(self):
        allowed = {"releases", "current", "previous"}
        self.assertLessEqual(set(os.listdir(self.dev)), allowed)
        links = {os.path.basename(os.readlink(os.path.join(self.dev, n))) for n in ("current", "previous") if os.path.lexists(os.path.join(self.dev, n))}
        self.assertEqual(set(os.listdir(os.path.join(self.dev, "releases"))), links)

    def test_newer_replaces_and_rollback_goes_back(self):
        self.update(self.release(1), says="now runs bot@1")
        self.assertEqual(self.current(), 1)
        self.update(self.release(2, folder=True), says="now runs bot@2")
        self.assertEqual(self.current(), 2)
        self.tidy()
        seen = json.loads(self.update(self.release(10, endless=True), "--json"))
        self.assertEqual((seen["result"], seen["name"], seen["release"]), ("now runs", "bot", 10))
        self.tidy()
        self.retort("run", "-m", os.path.join(self.dev, "current", "bot.gguf"), "--key", self.path("fleet.pub"), "-n", 2, "hello")
        self.retort("update", "--rollback", "--key", self.path("fleet.pub"), self.dev, says="is back at bot@2")
        self.assertEqual(self.current(), 2)
        self.update(self.path("release-bot-10-fleet-False-True"), says="now runs bot@10")
        self.update(self.path("release-bot-10-fleet-False-True"), says="already runs bot@10")
        self.tidy()

    def test_what_must_not_replace_anything(self):
        self.retort("update", "--rollback", "--key", self.path("fleet.pub"), self.dev, code=3)
        self.update(self.release(5))
        self.retort("update", "--rollback", "--key", self.path("fleet.pub"), self.dev, code=3, says="no release before")
        cut = self.release(6)
        os.truncate(os.path.join(cut, "bot.gguf"), os.path.getsize(os.path.join(cut, "bot.gguf")) - 100)
        flipped = self.release(7)
        self.flip(os.path.join(flipped, "bot.gguf"), 5000)
        unsigned = self.release(8)
        os.remove(os.path.join(unsigned, "bot.gguf.sig"))
        link = self.release(9)
        os.symlink("bot.gguf", os.path.join(link, "extra"))
        added = self.release(11, folder=True)
        pathlib.Path(added, "extra").write_text("not signed")
        plain = self.release(12)
        self.retort("sign", "-k", self.path("fleet.key"), "--name", "bot", os.path.join(plain, "bot.gguf"))
        broken = self.release(13)
        pathlib.Path(broken, "bot.gguf").write_bytes(pathlib.Path(broken, "bot.gguf").read_bytes()[:-100])
        self.retort("sign", "-k", self.path("fleet.key"), "--name", "bot@13", os.path.join(broken, "bot.gguf"))
        wrong = self.release(14, folder=True, selftest={"prompt": "hello", "max_tokens": 3, "logits_sha256": "0" * 64})
        for source, code, says in ((self.release(4), REFUSED, "older than the installed release 5"), (self.release(5, endless=True), REFUSED, "other bytes under the same number"),
                                   (self.release(6, key="stranger"), REFUSED, ""), (self.release(6, name="cat"), REFUSED, "holds bot"), (cut, REFUSED, ""), (flipped, REFUSED, ""),
                                   (unsigned, REFUSED, ""), (link, 3, "not a plain file"), (added, REFUSED, ""), (plain, REFUSED, "NAME@NUMBER"), (broken, 3, "failed its self-test"),
                                   (wrong, 1, "failed its self-test: its logits are"), (self.path("nowhere"), 3, "cannot open"), (self.home, 3, "there is no .gguf")):
            with self.subTest(source):
                text = self.update(source, code=code, says=says)
                self.assertIn("retort: error: ", text)
                self.assertEqual(self.current(), 5)
                self.tidy()
        self.retort("update", self.dev, code=2)
        self.retort("update", "--from", "x", "--rollback", self.dev, code=2)

    def test_a_known_answer_is_asked_for(self):
        model = os.path.join(self.release(1), "bot.gguf")
        seen = self.retort("run", "-m", model, "--key", self.path("fleet.pub"), "--json", "--proof", "--temp", 0, "-n", 5, "--ctx", 1024, "hello")
        proof = json.loads(seen[seen.index("{"):seen.rindex("}") + 1])["proof"]["logits_sha256"]
        self.update(self.release(2, folder=True, selftest={"prompt": "hello", "max_tokens": 5, "logits_sha256": proof}), says="now runs bot@2")

    def test_two_updates_exclude_each_other(self):
        import fcntl
        self.update(self.release(1))
        held = os.open(self.dev, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        self.update(self.release(2), code=1, says="another process")
        os.close(held)

    @unittest.skipUnless(arguments.killer, "no library to preload (a sanitizer build, or --killer was not given)")
    def test_a_full_disk(self):
        self.update(self.release(1))
        new = self.release(2)
        for left in (0, 1000, 20000):
            self.update(new, code=1, says="No space left", more_env={"LD_PRELOAD": arguments.killer, "RETORT_FULL": str(left)})
            self.assertEqual(self.current(), 1)
            self.tidy()

    @unittest.skipIf(os.geteuid() == 0, "root writes read-only folders too")
    def test_a_read_only_folder(self):
        self.update(self.release(1))
        os.chmod(self.dev, 0o555)
        self.update(self.release(2), code=1)
        os.chmod(self.dev, 0o755)
        self.assertEqual(self.current(), 1)

    def killed(self, new, state, **environment):
        """One update on a copy of `state`; true where it was killed."""
        shutil.rmtree(self.dev, ignore_errors=True)
        shutil.copytree(state, self.dev, symlinks=True)
        code, text = self.update(new, code=None, more_env=environment)
        self.assertIn(code, (0, -signal.SIGKILL), text)
        return code != 0

    @unittest.skipUnless(arguments.killer, "no library to preload (a sanitizer build, or --killer was not given)")
    def test_killed_at_every_step(self):
        self.update(self.release(1))
        self.update(self.release(2))
        new, state, seen = self.release(3, folder=True), self.path("state"), []
        os.rename(self.dev, state)
        for at in range(1, 1000):
            if not self.killed(new, state, LD_PRELOAD=arguments.killer, RETORT_KILL_AT=str(at)):
                break
            seen.append(self.current())
            self.update(new)  # the next one succeeds, and tidies
            self.assertEqual(self.current(), 3)
            self.tidy()
        print(f"killed at {len(seen)} steps: {seen.count(2)} times the old release, {seen.count(3)} times the new", file=sys.stderr)
        self.assertGreater(seen.count(2), 10)
        self.assertGreaterEqual(seen.count(3), 1)
        self.assertEqual(seen, sorted(seen))

    def test_killed_at_any_moment(self):
        self.update(self.release(1))
        self.update(self.release(2))
        new, state, rng, seen = self.release(3), self.path("state"), random.Random(1), []
        os.rename(self.dev, state)
        for _ in range(arguments.kills):
            shutil.rmtree(self.dev, ignore_errors=True)
            shutil.copytree(state, self.dev, symlinks=True)
            process = subprocess.Popen([arguments.retort, "update", "--from", new, "--key", self.path("fleet.pub"), self.dev], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.05)
            process.kill()
            process.wait()
            seen.append(self.current())
        self.assertLessEqual(set(seen), {2, 3})


if __name__ == "__main__":
    main()
