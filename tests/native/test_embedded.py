"""The model that is part of the program: the same bits as the file, no file touched, and refused when a byte of it is changed."""
import json
import resource
import subprocess
from pathlib import Path

import common

EMBER = Path(__file__).resolve().parents[2] / "models/ember/ember.gguf"
QUESTION = "What is 4821 + 396?"
WORDS = ["run", "--temp", "0", "--json", "--proof", QUESTION]


def bare(*words, program=None, env=None):
    """Without the --allow-unsigned that the tiny models need."""
    return subprocess.run([program or common.arguments.retort, *words], stdin=subprocess.DEVNULL, capture_output=True, env=env or common.environment(), timeout=120, cwd=common.folder.name)


class Embedded(common.Case):
    def test_it_answers_without_any_file(self):
        done = bare("run", "--temp", "0", "--show-thinking", QUESTION)
        self.assertEqual(done.returncode, 0, done.stderr)
        reasoning, answer = done.stdout.split(b"</think>")
        self.assertIn(b"4 thousands 8 hundreds 2 tens 1 ones", reasoning)
        self.assertIn(b"5217", answer)

    def test_it_is_the_file_bit_for_bit(self):
        embedded, file = (bare(*WORDS[:1], *more, *WORDS[1:]) for more in ([], ["-m", str(EMBER)]))
        self.assertEqual((embedded.returncode, file.returncode), (0, 0), embedded.stderr + file.stderr)
        embedded, file = json.loads(embedded.stdout), json.loads(file.stdout)
        self.assertEqual(len(embedded["proof"]["logits_sha256"]), 64)
        for key in ("proof", "prompt_ids", "ids", "text", "reasoning", "usage"):
            self.assertEqual(embedded[key], file[key], key)
        program = Path(common.arguments.retort).read_bytes()
        for part in (EMBER, f"{EMBER}.sig", f"{EMBER}.chunks"):
            self.assertEqual(program.count(Path(part).read_bytes()), 1, part)

    def test_it_says_that_it_is_embedded(self):
        done = bare("run", "-v", "-n", "1", "Hello")
        self.assertIn(b"retort: trust: the model embedded in the program: signed by ", done.stderr)
        self.assertIn(b"(embedded)", done.stderr)
        self.assertIn(b"embedded/ember.gguf: good: signed by ", bare("verify").stdout)

    def test_inspect_tells_what_memory_it_takes(self):
        done = json.loads(bare("inspect", "--json").stdout)["memory"]
        self.assertEqual(done["weights"], EMBER.stat().st_size)
        session = bare("run", "-v", "-n", "1", "Hello").stderr.decode()
        self.assertIn("working memory %.2f MiB" % (done["work_bytes"] / 2**20), session)
        self.assertIn("about %.2f MiB of working memory" % (done["work_bytes"] / 2**20), bare("inspect").stdout.decode())

    def test_every_command_takes_it(self):
        text = Path(common.path("text.txt"))
        text.write_text("Twelve and three are fifteen. " * 20)
        for words in (["inspect"], ["tokenize", "one two"], ["bench", "-p", "8", "-n", "2", "-r", "1"], ["perplexity", "-w", "64", str(text)], ["logits", "--ids", "1,2,3", "--out", common.path("out.npy")], ["verify"]):
            with self.subTest(words=words):
                done = bare(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout or Path(common.path("out.npy")).stat().st_size > 3 * 4 * 640)

    def test_chat_takes_it(self):
        done = subprocess.run([common.arguments.retort, "chat", "--temp", "0"], input=b"What is 12 + 30?\n", capture_output=True, env=common.environment(), timeout=120)
        self.assertEqual((done.returncode, done.stdout), (0, b"The answer is 42.\n"), done.stderr)

    def test_its_weights_are_not_copied(self):
        """Of memory that can be written, the file needs at least its own size more."""
        if b"__asan_init" in Path(common.arguments.retort).read_bytes():
            self.skipTest("the address sanitizer reserves more memory than the limit that this sets")

        def runs(limit, more):
            words = [common.arguments.retort, "run", "-t", "1", "--ctx", "64", "-n", "1", "--temp", "0", *more, QUESTION]
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=common.environment(), timeout=120,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
            return done.returncode == 0

        def needed(*more):
            low, high = 0, 64 << 20
            self.assertTrue(runs(high, more))
            while high - low > 64 << 10:
                middle = (low + high) // 2
                low, high = (low, middle) if runs(middle, more) else (middle, high)
            return high

        embedded, file = needed(), needed("-m", str(EMBER))
        self.assertGreater(file - embedded, EMBER.stat().st_size - (128 << 10), (embedded, file))

    def test_an_environment_variable_comes_first(self):
        done = bare("inspect", env=common.environment(RETORT_MODEL="/there/is/none.gguf"))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"/there/is/none.gguf", done.stderr)

    def test_one_changed_byte_is_refused(self):
        program = Path(common.arguments.retort).read_bytes()
        model, signature, chunks = (Path(p).read_bytes() for p in (EMBER, f"{EMBER}.sig", f"{EMBER}.chunks"))
        begin = program.index(model)
        places = [begin, begin + len(model) // 2, begin + len(model) - 1, program.index(chunks) + 60, program.index(signature) + signature.index(b'"sig":"') + 20]
        for place in places:
            changed = bytearray(program)
            changed[place] ^= 1
            copy = Path(common.path(f"changed-{place}"))
            copy.write_bytes(changed)
            copy.chmod(0o700)
            for words in (["run", QUESTION], ["tokenize", "one"], ["verify"]):
                with self.subTest(place=place, words=words):
                    done = bare(*words, program=str(copy))
                    self.assertEqual(done.returncode, 7, done.stderr)
                    self.assertEqual(done.stdout, b"")
            copy.unlink()

    def test_a_key_that_did_not_sign_it_is_refused(self):
        done = bare("keygen", common.path("other"))
        self.assertEqual(done.returncode, 0, done.stderr)
        key = next(p for p in Path(common.folder.name).glob("other*") if b"PUBLIC KEY" in p.read_bytes())
        self.assertEqual(bare("run", "--key", str(key), QUESTION).returncode, 7)
        self.assertEqual(bare("run", "--key", str(EMBER.parents[1] / "retort-project.pub"), "-n", "1", QUESTION).returncode, 0)


if __name__ == "__main__":
    common.main()
