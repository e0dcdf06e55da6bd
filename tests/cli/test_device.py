"""test_device.py - `retort device`, and the memory check before loading. What is chosen on which board is test_board.c's subject."""
import json
import os
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


if __name__ == "__main__":
    main()
