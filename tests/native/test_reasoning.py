"""test_reasoning.py - what `run` says of reasoning that does not end as it should, with models that follow a script."""
import json

from common import Case, main, path, retort
import tiny_gguf

TEMPLATE = "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|assistant|>"


def model(name, says):
    tiny_gguf.make(path(name), template=TEMPLATE, says=says)
    return path(name)


UNCLOSED = model("unclosed.gguf", {"<|assistant|>": "<think>", "<think>": "a", "a": "b", "b": "c"})
REOPENS = model("reopens.gguf", {"<|assistant|>": "<think>", "<think>": "a", "a": "b", "b": "a", "</think>": "<think>"})
CLOSES = model("closes.gguf", {"<|assistant|>": "a", "a": "b", "b": "</think>", "</think>": "c"})
GREEDY = ("--temp", "0", "-n", "40")


class Reasoning(Case):
    def test_the_turn_ends_inside_the_reasoning(self):
        done = retort("run", "-m", UNCLOSED, *GREEDY, "hi")
        self.assertEqual((done.returncode, done.stdout), (8, b""))
        self.assertIn(b"there is no answer", done.stderr)
        self.assertIn(b"this was the reasoning:\nabc\n", done.stderr)
        done = retort("run", "-m", UNCLOSED, *GREEDY, "--show-thinking", "hi")
        self.assertEqual((done.returncode, done.stdout.count(b"abc"), done.stderr.count(b"abc")), (8, 1, 0))
        done = retort("run", "-m", UNCLOSED, *GREEDY, "--json", "hi")
        got = json.loads(done.stdout)
        self.assertEqual((done.returncode, got["finish_reason"], got["reasoning"], got["text"]), (8, "reasoning", "abc", ""))

    def test_a_budget_closes_it_once_and_for_all(self):
        for budget in 0, 2:
            got = json.loads(self.ok("run", "-m", REOPENS, *GREEDY, "--thinking-budget", str(budget), "--json", "hi"))
            self.assertEqual((got["finish_reason"], got["reasoning"], got["text"]), ("stop", "ab"[:budget], ""))
            self.assertLess(len(got["ids"]), 6)

    def test_a_closing_tag_alone(self):
        got = json.loads(self.ok("run", "-m", CLOSES, *GREEDY, "--json", "hi"))
        self.assertEqual((got["reasoning"], got["text"], got["usage"]["reasoning_tokens"]), ("ab", "c", 2))
        done = retort("run", "-m", CLOSES, *GREEDY, "hi")
        self.assertEqual((done.returncode, done.stdout), (0, b"ab\n\nc\n"))
        self.assertIn(b"was reasoning", done.stderr)

    def test_the_line_of_a_proof_says_how_far_it_goes(self):
        line = self.ok("run", "-m", CLOSES, "--temp", "0", "-n", "2", "--proof", "hi").decode().splitlines()[-1]
        self.assertIn(" positions=2 ", line)


main()
