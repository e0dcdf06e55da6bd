"""Chat templates as the program runs them: the date they are told, how long they may take, and Ctrl-C meanwhile."""
import json
import signal
import subprocess
import time
import unittest

from common import Case, arguments, environment, main, path, unsigned
import tiny_gguf

DATED = path("dated.gguf")
tiny_gguf.make(DATED, template="{{ strftime_now('%d %b %Y') }}" + tiny_gguf.TEMPLATE)
TIMED = path("timed.gguf")
tiny_gguf.make(TIMED, template="{{ strftime_now('%H:%M') }}" + tiny_gguf.TEMPLATE)
SLOW = path("slow.gguf")  # ends by its number of steps, which takes a good part of a second
tiny_gguf.make(SLOW, template="{% for i in range(100000) %}{% for j in range(1000) %}{% set x = i + j %}{% endfor %}{% endfor %}" + tiny_gguf.TEMPLATE)


class Templates(Case):
    def answer(self, model, *words, **more):
        return json.loads(self.ok("run", "-m", model, "--json", "--proof", "-n", "1", *words, "Hello", **more))

    def test_the_date_is_utc_and_named_in_the_proof(self):
        east, west = (self.answer(DATED, env=environment(TZ=zone)) for zone in ("EAST-14", "WEST+12"))
        self.assertEqual(east["prompt_ids"], west["prompt_ids"])
        day = east["proof"]["options"]["date"]
        self.assertRegex(day, r"^\d{4}-\d\d-\d\d$")
        self.assertEqual(self.answer(DATED, "--date", day)["proof"], east["proof"])

    def test_a_date_can_be_given(self):
        got = self.answer(DATED, "--date", "2024-07-26")
        self.assertEqual(bytes(got["prompt_ids"][1:12]), b"26 Jul 2024")
        self.assertEqual(got["proof"]["options"]["date"], "2024-07-26")
        self.assertEqual(bytes(self.answer(TIMED, "--date", "2024-07-26 17:04:59")["prompt_ids"][1:6]), b"17:04")
        self.assertRegex(self.answer(TIMED)["proof"]["options"]["date"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.fails(1, "run", "-m", DATED, "--date", "yesterday", "Hello", says=("date", "YYYY-MM-DD"))

    def test_a_template_that_does_not_ask_leaves_the_proof_alone(self):
        plain = path("plain.gguf")
        tiny_gguf.make(plain)
        self.assertNotIn("date", self.answer(plain)["proof"]["options"])

    def test_ctrl_c_ends_a_template(self):
        run = subprocess.Popen([arguments.retort, *unsigned(["run", "-m", SLOW, "-t", "1", "Hello"])], stderr=subprocess.PIPE, env=environment())
        time.sleep(0.15)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=20)[1].decode()
        self.assertIn(run.returncode, (130, 1), said)  # 1: a fast machine was at the end of the steps before
        self.assertIn("interrupted" if run.returncode == 130 else "steps", said)


if __name__ == "__main__":
    main()
