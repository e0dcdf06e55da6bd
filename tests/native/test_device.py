"""test_device.py - `retort device`, and the memory check before loading. What is chosen on which board is test_hardware.c's subject."""
import json
import os
import resource
import shutil
import subprocess
import time
import unittest

from common import Case, arguments, main, path


class Device(Case):
    def test_it_describes_this_machine(self):
        seen = json.loads(self.ok("device", "--json"))
        allowed = os.sched_getaffinity(0)
        self.assertEqual({c["cpu"] for c in seen["cores"] if c["allowed"]}, allowed)
        self.assertTrue(1 <= seen["threads"] <= len(allowed))
        with open("/proc/meminfo") as f:
            total = next(int(line.split()[1]) * 1024 for line in f if line.startswith("MemTotal"))
        self.assertEqual(seen["memory"]["total"], total)
        self.assertTrue(0 < seen["memory"]["available"] <= total)
        self.assertTrue(0 <= seen["bandwidth"] < 1e13)
        sizes = [m["bytes"] for m in seen["models"]]
        self.assertEqual(len(sizes), 8)
        for m in seen["models"]:
            self.assertEqual(m["fits"], m["context"] > 0)
            self.assertTrue(not m["fits"] or m["bytes"] < seen["memory"]["available"])
        self.assertNotIn("storage", seen)
        text = self.ok("device").decode()
        for word in ("kernels", "threads", "memory", "bandwidth", "Ember"):
            self.assertIn(word, text)

    def test_one_allowed_core_means_one_thread(self):
        core = min(os.sched_getaffinity(0))
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            seen = json.loads(self.ok("device", "--json"))
        finally:
            os.sched_setaffinity(0, before)
        self.assertEqual(seen["threads"], 1)
        self.assertEqual([c["cpu"] for c in seen["cores"] if c["fast"]], [core])

    def test_storage_of_a_named_file(self):
        with open(path("storage"), "wb") as f:
            f.write(os.urandom(3 << 20))
        seen = json.loads(self.ok("device", path("storage"), "--json"))
        self.assertGreater(seen["storage"]["bytes_per_second"], 0)
        self.fails(3, "device", path("missing"), says="cannot open")
        self.fails(2, "device", "a", "b", says="one file at most")

    @unittest.skipUnless(arguments.model, "no --model")
    def test_a_context_that_cannot_fit_is_refused_before_the_weights_are_read(self):
        start = time.monotonic()
        text = self.fails(5, "run", "-m", arguments.model, "--ctx", "16777216", "hello", says=("keys and values", "would fit"))
        self.assertLess(time.monotonic() - start, 20)
        fits = int(text.split("--ctx ")[1].split()[0])
        self.assertTrue(256 <= fits < 16777216)

    def bare(self, *words, limit=None):
        """With nothing that a small device lacks: no environment, no home, no terminal; `limit`: bytes of address space, which holds all memory and more."""
        def prepare():
            if limit:
                resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env={}, cwd="/", preexec_fn=prepare, timeout=120)

    def test_ember_in_512_mb_without_home_or_locale(self):
        if self.bare(arguments.retort, "--version", limit=512 << 20).returncode != 0:
            self.skipTest("the sanitizers alone need more address space")
        # Malloc sets 64 MB of address space aside for each thread, used or not.
        for threads in range(1, min(4, len(os.sched_getaffinity(0))) + 1):
            done = self.bare(arguments.retort, "run", "--threads", str(threads), "What is 4821 + 396?", limit=512 << 20)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"5217", done.stdout)
        with open(path("memory"), "wb") as f:
            process = subprocess.Popen([arguments.retort, "run", "--threads", "2", "What is 4821 + 396?"], stdout=f, env={})
            used = os.wait4(process.pid, 0)[2].ru_maxrss * 1024
        self.assertLess(used, 64 << 20)
        done = self.bare(arguments.retort, "run", "--ctx", "16777216", "hello", limit=512 << 20)
        self.assertEqual(done.returncode, 5, done.stderr)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "making the root read-only takes root and unshare")
    def test_a_read_only_root(self):
        read_only = ["unshare", "--mount", "sh", "-c", "mount -o remount,bind,ro / && ! touch /retort-test 2>/dev/null && exec \"$@\"", "sh"]
        if self.bare(*read_only, "/bin/true").returncode != 0:
            self.skipTest("this system does not let the root be made read-only")
        done = self.bare(*read_only, arguments.retort, "run", "What is 4821 + 396?")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertIn(b"5217", done.stdout)

    def test_pauses(self):
        words = ("run", "--temp", "0", "--json", "What is 4821 + 396?")
        plain, paused = (json.loads(self.ok(*words[:1], *more, *words[1:])) for more in ((), ("--duty", "20")))
        self.assertEqual(plain["ids"], paused["ids"])
        self.assertGreater(paused["timings"]["generation_s"], 1.5 * plain["timings"]["generation_s"])
        self.fails(2, "run", "--duty", "0", "hello", says="--duty")
        self.fails(2, "run", "--max-temp", "5", "hello", says="--max-temp")


if __name__ == "__main__":
    main()
