"""test_update.py - `retort update`: a newer signed release replaces the installed one whole, or nothing changes, wherever it is killed."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import unittest

import common
from common import REFUSED, arguments, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tiny_gguf


class Update(common.Installing):
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

    def everything(self, folder):
        return sorted((str(p.relative_to(folder)), p.read_bytes() if p.is_file() else None) for p in pathlib.Path(folder).rglob("*"))

    def test_what_update_did_not_make_stays(self):
        foreign = pathlib.Path(self.path("foreign"))
        for name in ("releases/v1.0/app.tar.gz", "incoming/letter.txt", "download/film.part"):
            (foreign / name).parent.mkdir(parents=True, exist_ok=True)
            (foreign / name).write_text("precious")
        os.symlink("releases/v1.0", foreign / "current")
        before = self.everything(foreign)
        self.retort("update", "--rollback", "--key", self.path("fleet.pub"), foreign, code=2, says="was not made by retort update")
        for source in (self.path("nowhere"), self.release(1)):
            self.retort("update", "--from", source, "--key", self.path("fleet.pub"), foreign, code=2, says="was not made by retort update")
        self.assertEqual(self.everything(foreign), before)
        linked = pathlib.Path(self.path("linked"))  # `releases` is a link to somebody's folder
        linked.mkdir()
        self.retort("update", "--from", self.release(2), "--key", self.path("fleet.pub"), linked)
        os.rename(linked / "releases", self.path("theirs"))
        pathlib.Path(self.path("theirs"), "bot@1-0123456789abcdef").mkdir()
        os.symlink(self.path("theirs"), linked / "releases")
        self.retort("update", "--from", self.release(3), "--key", self.path("fleet.pub"), linked, code=1)
        self.assertTrue(os.path.isdir(os.path.join(self.path("theirs"), "bot@1-0123456789abcdef")))

    def test_the_installed_release_stays_however_current_is_written(self):
        for prefix in (self.dev + "/", "./"):
            self.update(self.release(1, folder=prefix == "./"))
            link = os.path.join(self.dev, "current")
            target = os.readlink(link)
            os.remove(link)
            os.symlink(prefix + target, link)
            self.update(self.path("nowhere"), code=3)
            self.assertTrue(os.path.exists(os.path.join(link, "bot.gguf")))
            self.update(self.release(2 if prefix != "./" else 3, folder=prefix == "./"))
            self.assertTrue(os.path.isdir(os.path.join(self.dev, target)) or prefix)
            shutil.rmtree(self.dev)

    def test_other_files_in_the_folder_stay(self):
        self.update(self.release(1))
        kept = pathlib.Path(self.dev, "releases", "notes-of-mine")
        kept.mkdir()
        (kept / "a").write_text("b")
        pathlib.Path(self.dev, "README").write_text("c")
        self.update(self.release(2))
        self.update(self.release(3))
        self.assertTrue((kept / "a").exists() and os.path.exists(os.path.join(self.dev, "README")))

    def test_a_folder_of_an_older_version_is_taken_over(self):
        self.update(self.release(1))
        os.remove(os.path.join(self.dev, ".retort-update"))
        self.update(self.release(2), says="now runs bot@2")
        self.retort("update", "--rollback", "--key", self.path("fleet.pub"), self.dev, says="is back at bot@1")

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
    def test_a_rollback_killed_at_steps(self):
        new = self.before_the_third()
        back = lambda **how: self.retort("update", "--rollback", "--key", self.path("fleet.pub"), self.dev, **how)

        def then(**how):  # the release that was left is still there to go back to
            code, text = back(**how)
            self.assertEqual(code, 0, text)
            return self.update(new, **how)
        seen = self.kill_at_steps(back, then)
        self.assertLessEqual(set(seen), {1, 2})
        self.assertIn(2, seen)

    def test_killed_at_any_moment(self):
        new, rng, seen = self.before_the_third(), random.Random(1), []
        for _ in range(arguments.kills):
            self.restore()
            process = subprocess.Popen([arguments.retort, "update", "--from", new, "--key", self.path("fleet.pub"), self.dev], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * 0.05)
            process.kill()
            process.wait()
            seen.append(self.current())
        self.assertLessEqual(set(seen), {2, 3})


if __name__ == "__main__":
    main()
