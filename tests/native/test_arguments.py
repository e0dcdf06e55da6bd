"""Help, version, mistakes on the command line, and their exit codes."""
from common import TINY, Case, main, retort

COMMANDS = ["run", "chat", "inspect", "tokenize", "perplexity", "logits", "bench"]


class Arguments(Case):
    def test_help_of_the_program(self):
        text = self.ok("help").decode()
        for name in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {name} +\w")
        self.assertEqual(self.ok("--help").decode(), text)
        self.assertIn("exit codes", text)

    def test_help_of_each_command(self):
        for name in COMMANDS:
            text = self.ok(name, "--help").decode()
            self.assertEqual(self.ok("help", name).decode(), text)
            for part in (f"usage: retort {name}", "options:", "examples:", "exit codes:", "--json", "--help"):
                self.assertIn(part, text)
            for line in text.split("examples:")[0].splitlines():
                self.assertLessEqual(len(line), 100, line)
                self.assertEqual(line, line.rstrip())

    def test_flags_that_others_rely_on(self):
        wanted = {
            "run": "--temp --top-p --top-k --min-p --repeat-penalty --seed --stop --max-tokens --thinking-budget --raw --system --proof --json --ctx --threads --batch --kv --kernels",
            "bench": "-m, -p, -n, -t, -r, -d, --json", "tokenize": "--no-special --decode --json", "logits": "--ids --out --batch --kv", "inspect": "--cpu --json",
        }
        for name, flags in wanted.items():
            text = self.ok(name, "--help").decode()
            for flag in flags.split():
                self.assertIn(flag if name == "bench" else flag + " ", text)

    def test_version(self):
        self.assertRegex(self.ok("--version").decode(), r"^retort \d+\.\d+\.\d+ \(numerics \d+\)\n$")

    def test_no_command(self):
        done = retort()
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"usage", done.stdout)

    def test_unknown_command(self):
        done = retort("tokenise")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"did you mean tokenize?", done.stderr)
        self.assertEqual(retort("zzz").returncode, 2)

    def test_usage_errors(self):
        for words, says in [
            (["run", "--tmep", "1", "x"], "did you mean --temp?"),
            (["run", "--temp", "hot", "x"], "--temp wants a number from 0 to 100, not 'hot'"),
            (["run", "--temp", "nan", "x"], "--temp wants a number"),
            (["run", "--temp", "1x", "x"], "--temp wants a number"),
            (["run", "--top-p", "1.5", "x"], "from 0 to 1"),
            (["run", "-n", "-3", "x"], "--max-tokens wants a whole number"),
            (["run", "-n", "99999999999999999999", "x"], "--max-tokens wants a whole number"),
            (["run", "--seed", "-1", "x"], "--seed wants"),
            (["run", "--seed", "18446744073709551616", "x"], "--seed wants"),
            (["run", "--kv", "q4", "x"], "one of f16|f32|q8_0"),
            (["run", "--stop", "", "x"], "--stop wants"),
            (["run", "--ctx"], "wants a value"),
            (["run", "--raw=yes", "x"], "takes no value"),
            (["run", "-Q", "x"], "unknown option -Q"),
            (["run", "--raw", "--system", "s", "x"], "--raw"),
            (["run", "--show-thinking", "--hide-thinking", "x"], "contradict"),
            (["run", ""], "prompt is empty"),
            (["chat", "hello"], "retort run"),
            (["logits", "--ids", "1"], "--out"),
            (["perplexity"], "one text file"),
            (["bench", "-p", "12,x"], "--n-prompt wants"),
            (["bench", "-t", "0"], "--threads wants"),
            (["bench", "-p", "0", "-n", "0"], "nothing to measure"),
            (["run", "--kernels", "quantum", "-m", TINY, "x"], "no kernel variant 'quantum'; this build has"),
        ]:
            with self.subTest(words=words):
                self.fails(2, *words, says=says)

    def test_a_prompt_may_begin_with_a_dash(self):
        self.ok("run", "-m", TINY, "-n", "1", "--", "--what")


if __name__ == "__main__":
    main()
