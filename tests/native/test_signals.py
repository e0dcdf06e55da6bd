"""Signals end every command at every stage within a fifth of a second, and leave nothing half done."""
import os
import signal
import subprocess
import time
import unittest

from common import TINY, Case, arguments, environment, main, path, unsigned

FEW = 0.2  # seconds
TRIES = 5  # on a machine that does other things too, the best counts


class Signals(Case):
    def ended(self, *words, after, by=signal.SIGINT, stdin=subprocess.DEVNULL, **more):
        """Seconds from the signal, sent `after` seconds or once `after()` holds, to the end with exit code 130."""
        run = subprocess.Popen([arguments.retort, *unsigned(words)], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**more))
        if callable(after):
            deadline = time.time() + 60
            while not after() and time.time() < deadline and run.poll() is None:
                time.sleep(0.002)
        else:
            time.sleep(after)
        self.assertIsNone(run.poll(), "it ended before the signal")
        sent = time.time()
        run.send_signal(by)
        said = run.communicate(timeout=60)[1].decode(errors="replace")
        took = time.time() - sent
        self.assertEqual(run.returncode, 130, said)
        self.assertIn("interrupted", said)
        return took

    def test_a_terminal_that_goes_away_leaves_nothing_half_written(self):
        ids = ",".join("1" * 60000)
        for by in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            with open(path("ids.txt"), "w") as file:
                file.write(ids)

            def parts():
                return [name for name in os.listdir(os.path.dirname(path("x"))) if name.endswith(".part")]
            with open(path("ids.txt")) as file:
                self.ended("logits", "-m", TINY, "--ids", "-", "-o", path("cut.npy"), after=parts, by=by, stdin=file)
            self.assertEqual(parts(), [])
            self.assertFalse(os.path.exists(path("cut.npy")))

    def test_nohup_is_heeded(self):
        run = subprocess.Popen([arguments.retort, "run", "--allow-unsigned", "-m", TINY, "--thinking-budget", "0", "-n", "5", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment(), preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        time.sleep(0.3)
        run.send_signal(signal.SIGHUP)
        self.assertEqual(run.communicate(b"hello", timeout=60)[1], b"")
        self.assertEqual(run.returncode, 0)


if __name__ == "__main__":
    main()
