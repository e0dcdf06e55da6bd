"""test_chat.py - conversations through a pipe: a full context, saved conversations, templates of one's own."""
import json

from common import Case, main, path, retort
import tiny_gguf

TEMPLATE = "{% for m in messages %}<|user|>{{ m.content }}{% endfor %}<|assistant|>"
SEES = path("sees.jinja")
with open(SEES, "w") as file:
    file.write("{{ mood }}" + TEMPLATE)
MODEL = path("words.gguf")
tiny_gguf.make(MODEL, template=TEMPLATE, says={"<|assistant|>": "o", "o": "k"})


class Chat(Case):
    def chat(self, *words, lines, code=0):
        done = retort("chat", "-m", MODEL, "--temp", "0", "--json", *words, stdin="".join(f"{line}\n" for line in lines).encode())
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    def text(self, answer):
        ids = ",".join(map(str, answer["prompt_ids"]))
        return retort("tokenize", "-m", MODEL, "--decode", stdin=ids.replace(",", " ").encode()).stdout.decode()

    def test_a_full_context_drops_the_oldest_turns(self):
        lines = [f"{i} " + "word " * 12 for i in range(9)]
        answers, said = self.chat("--ctx", "256", "--system", "PINNED", lines=lines)
        self.assertEqual([a["text"] for a in answers], ["ok"] * 9)
        self.assertTrue(all(len(a["prompt_ids"]) <= 256 - 64 for a in answers))
        self.assertIn("the context of 256 tokens is full", said)
        last = self.text(answers[-1])
        self.assertIn("PINNED", last)
        self.assertIn("8 word", last)
        self.assertNotIn("0 word", last)
        self.assertNotIn("full", self.chat("--ctx", "4096", lines=lines)[1])
        done = retort("chat", "-m", MODEL, "--ctx", "64", stdin=b"word " * 40 + b"\n")  # what does not fit alone is an error
        self.assertEqual((done.returncode, b"context" in done.stderr), (6, True))

    def test_a_message_that_is_too_long_costs_nothing(self):
        saved = path("long.json")
        with open(saved, "w") as file:
            json.dump([{"role": role, "content": f"{role} {i} " + "word " * 8} for i in range(2000) for role in ("user", "assistant")], file)
        done = retort("chat", "-m", MODEL, "--ctx", "256", "--continue", saved, "--temp", "0", "--json", stdin=b"next\n", timeout=60)  # 2,000 turns to drop
        self.assertEqual(done.returncode, 0, done.stderr)
        said = self.text(json.loads(done.stdout))
        self.assertIn("user 1999", said)
        self.assertNotIn("user 1990 ", said)
        lines = ["first", "second", "x" * 300]
        done = retort("chat", "-m", MODEL, "--ctx", "128", "--temp", "0", "--json", stdin="".join(f"{line}\n" for line in lines).encode())
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertNotIn(b"is full", done.stderr)

    def test_saved_conversations_go_on(self):
        saved = path("saved.json")
        self.chat(lines=["first", f"/save! {saved}"])
        for words, lines in ((("--continue", saved), ["second"]), ((), [f"/load {saved}", "second"])):
            answers, said = self.chat(*words, lines=lines)
            self.assertIn("2 messages", said)
            self.assertIn("first", self.text(answers[-1]))
            self.assertIn("second", self.text(answers[-1]))
        broken = path("broken.json")
        for text in ("", "{}", "[]", '[{"role": "tool", "content": "x"}]', '[{"role": "user"}]', "no json"):
            with open(broken, "w") as file:
                file.write(text)
            self.fails(2, "chat", "-m", MODEL, "--continue", broken, says="is no conversation")
        self.fails(1, "chat", "-m", MODEL, "--continue", path("missing.json"), says="missing.json")

    def test_a_template_and_its_variables(self):
        answers, _ = self.chat("--template", SEES, "--template-var", "mood=glad", lines=["hi"])
        self.assertEqual(self.text(answers[0]).count("glad"), 1)
        for value, shown in (("7", "7"), ("false", "False"), ('"7"', "7"), ("[1, 2]", "[1, 2]"), ("a=b", "a=b")):
            got = json.loads(self.ok("run", "-m", MODEL, "--json", "--template", SEES, "--template-var", "mood=" + value, "hi"))
            self.assertIn(shown + "<|user|>hi", self.text(got))
        self.fails(2, "run", "-m", MODEL, "--template-var", "mood", "hi", says="NAME=VALUE")
        self.fails(2, "run", "-m", MODEL, "--raw", "--template", SEES, "hi", says="--raw")
        self.fails(1, "run", "-m", MODEL, "--template", path("missing.jinja"), "hi", says="missing.jinja")


main()
