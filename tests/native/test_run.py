"""`run` and `chat` as scripts use them: prompts, options, JSON, proof, pipes."""
import hashlib
import json
import os
import resource
import struct
import subprocess
import time
import unittest

from common import ENDLESS, TINY, Case, arguments, environment, main, path, retort, unsigned
import tiny_gguf
from test_files import read_npy


class Run(Case):
    def run_json(self, *words, **more):
        return json.loads(self.ok("run", "-m", TINY, "--json", *words, **more))

    def test_json_keys(self):
        got = self.run_json("-n", "6", "Hello")
        self.assertTrue({"text", "reasoning", "prompt_ids", "ids", "finish_reason", "usage", "timings"} <= set(got))
        self.assertEqual(got["finish_reason"], "length")
        self.assertEqual(len(got["ids"]), 6)
        self.assertEqual(got["prompt_ids"], [256, 259, *b"Hello", 257, 260, 261, 10])  # <|bos|><|user|>Hello<|end|><|assistant|><think>\n
        usage = got["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]), (11, 6, 17))
        for key in ("load_s", "prompt_s", "generation_s", "generation_tokens_per_s"):
            self.assertGreaterEqual(got["timings"][key], 0)
        self.assertNotIn("proof", got)
        self.assertEqual((got["trust"]["method"], got["trust"]["signer"]), ("unsigned", ""))

    def test_prompt_from_stdin_is_that_of_the_argument(self):
        ids = self.run_json("-n", "1", "Hello you")["prompt_ids"]
        self.assertEqual(self.run_json("-n", "1", "Hello", "you")["prompt_ids"], ids)
        self.assertEqual(self.run_json("-n", "1", stdin=b"Hello you\n")["prompt_ids"], ids)
        self.assertEqual(self.run_json("-n", "1", "-", stdin=b"Hello you")["prompt_ids"], ids)

    def test_a_prompt_has_parts(self):
        ids = self.run_json("-n", "1", "Sum up:\n\nA text\n\nof two.")["prompt_ids"]
        self.assertEqual(self.run_json("-n", "1", "Sum", "up:", stdin=b"A text\n\nof two.\n")["prompt_ids"], ids)
        with open(path("part.txt"), "w") as file:
            file.write("A text\n")
        self.assertEqual(self.run_json("-n", "1", "-f", path("part.txt"), "Sum up:", stdin=b"of two.")["prompt_ids"], ids)
        alone = self.run_json("-n", "1", "-f", path("part.txt"))["prompt_ids"]
        self.assertEqual(self.run_json("-n", "1", "A text")["prompt_ids"], alone)
        self.fails(1, "run", "-m", TINY, "-f", path("nowhere.txt"), says="nowhere.txt")

    def test_a_first_argument_that_is_a_model_is_the_model(self):
        both = [json.loads(self.ok("run", *words, "--json", "-n", "1", "Hello")) for words in (("-m", TINY), (TINY,))]
        self.assertEqual(both[0]["prompt_ids"], both[1]["prompt_ids"])
        self.assertEqual(json.loads(self.ok("run", TINY, "--json", "-n", "1", stdin=b"Hello"))["prompt_ids"], both[0]["prompt_ids"])
        self.fails(3, "inspect", TINY, TINY, says="one model is used at a time")

    def test_habits_of_other_programs_are_answered(self):
        for words, says in ((("run", "--prompt", "hi"), "retort run"), (("run", "-p", "hi"), "retort run"), (("run", "--n-predict", "5", "hi"), "--max-tokens"),
                            (("run", "--n-gpu-layers", "99", "hi"), "processor"), (("run", "--ctx-size", "9", "hi"), "--ctx"), (("run", "--jinja", "hi"), "always used")):
            self.fails(2, *words, says=says)
        for word in ("list", "ls", "rm", "pull", "serve"):
            self.assertIn(f"there is no command '{word}':", retort(word).stderr.decode())

    def test_a_pipe_that_does_not_wait_loses_nothing(self):
        ids = len(self.ok("tokenize", "-m", TINY, stdin=b"x" * 90000).split())
        self.assertGreaterEqual(ids, 90000)
        read, write = os.pipe()
        os.set_blocking(write, False)
        done = subprocess.Popen([arguments.retort, "tokenize", "--allow-unsigned", "-m", TINY], stdin=subprocess.PIPE, stdout=write, env=environment())
        os.close(write)
        done.stdin.write(b"x" * 90000)
        done.stdin.close()
        got = b""
        while piece := os.read(read, 1 << 16):
            got += piece
        os.close(read)
        self.assertEqual((done.wait(), len(got.split())), (0, ids))
        read, write = os.pipe()
        os.set_blocking(read, False)
        done = subprocess.Popen([arguments.retort, *unsigned(["run", "-m", TINY, "--json", "-n", "1"])], stdin=read, stdout=subprocess.PIPE, env=environment())
        os.close(read)
        time.sleep(0.2)
        os.write(write, b"Hello")
        os.close(write)
        self.assertEqual(json.loads(done.communicate(timeout=60)[0])["prompt_ids"], self.run_json("-n", "1", "Hello")["prompt_ids"])

    def test_lines_may_end_as_on_windows(self):
        done = retort("chat", "-m", TINY, "-n", "2", stdin=b"/reset\r\n/quit\r\nHello\r\n")
        self.assertEqual((done.returncode, done.stdout), (0, b""))

    def test_a_small_stack_is_enough(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_STACK, (65536, 65536))
        done = subprocess.run([arguments.retort, *unsigned(["run", "-m", TINY, "-n", "4", "-t", "2", "Hello"])], capture_output=True, env=environment(), preexec_fn=limit)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_more_threads_than_processors(self):
        done = retort("run", "-m", TINY, "-n", "4", "-t", "1000", "Hello", timeout=20)
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"1000 threads are asked for", done.stderr)

    def test_raw_and_system(self):
        self.assertEqual(self.run_json("--raw", "-n", "1", "a<think>b\n")["prompt_ids"], [256, 97, 261, 98, 10])
        self.assertEqual(self.run_json("--raw", "-n", "1", stdin=b"ab\n")["prompt_ids"], [256, 97, 98, 10])
        self.assertEqual(self.run_json("--system", "S", "-n", "1", "U")["prompt_ids"][:6], [256, 258, ord("S"), 257, 259, ord("U")])
        self.assertEqual(self.run_json("-n", "1", "<think>")["prompt_ids"][2:9], list(b"<think>"))  # a message cannot forge a token

    def test_the_same_answer_every_time(self):
        def ids(*words):
            return self.run_json("-n", "40", "--thinking-budget", "0", *words, "Hello")["ids"]
        first = ids()
        self.assertEqual(ids("-t", "1"), first)
        self.assertEqual(ids("--batch", "3", "--mmap"), first)
        self.assertEqual(ids("--kernels", "portable"), first)
        self.assertNotEqual(ids("--seed", "1"), first)
        self.assertNotEqual(ids("--seed", "random"), ids("--seed", "random"))
        self.assertEqual(ids("--temp", "0"), ids("--temp", "0", "--seed", "5"))

    def test_greedy_is_the_largest_logit_and_the_proof_is_that_of_the_logits(self):
        got = self.run_json("--temp", "0", "-n", "12", "--proof", "Hello")
        ids = got["prompt_ids"] + got["ids"]
        self.ok("logits", "-m", TINY, "--ids", ",".join(map(str, ids[:-1])), "--out", path("proof.npy"))
        rows = read_npy(path("proof.npy"))[len(got["prompt_ids"]) - 1:]
        self.assertEqual(got["ids"], [max(range(len(row)), key=row.__getitem__) for row in rows])
        digest = hashlib.sha256(b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)).hexdigest()
        proof = got["proof"]
        self.assertEqual(proof["logits_sha256"], digest)
        with open(TINY, "rb") as file:
            self.assertEqual(proof["model_sha256"], [hashlib.sha256(file.read()).hexdigest()])
        self.assertEqual(proof["prompt_sha256"], hashlib.sha256(struct.pack(f"<{len(got['prompt_ids'])}i", *got["prompt_ids"])).hexdigest())
        self.assertEqual((proof["seed"], proof["options"]["temperature"], proof["numerics"]), ("0", 0, 1))
        line = self.ok("run", "-m", TINY, "--temp", "0", "-n", "12", "--proof", "Hello").decode(errors="replace").splitlines()[-1]
        self.assertTrue(line.startswith("proof: RETORT_NUMERICS=1 model=sha256:" + proof["model_sha256"][0]))
        self.assertIn("seed=0", line)
        self.assertTrue(line.endswith("logits=sha256:" + digest))

    def test_drafting_changes_no_bit(self):
        drafted = accepted = 0
        for options in ("--temp", "0"), ("--temp", "0.3", "--seed", "4"), ("--temp", "0.8", "--repeat-penalty", "1.2", "--thinking-budget", "5", "--stop", "a"):
            words = ["-n", "150", "--top-k", "10", "--proof", *options, "one two three one two three one two"]
            plain = self.run_json("--draft", "off", *words)
            self.assertEqual(plain["timings"]["drafted_tokens"], 0)
            for draft in "auto", "1", "7", "15":
                got = self.run_json("--draft", draft, *words)
                for key in "text", "reasoning", "ids", "finish_reason", "usage", "proof":
                    self.assertEqual(got[key], plain[key], (draft, key))
                drafted += got["timings"]["drafted_tokens"]
                accepted += got["timings"]["accepted_tokens"]
            lines = {self.ok("run", "-m", TINY, "--draft", draft, *words).splitlines()[-1] for draft in ("off", "auto", "5")}
            self.assertEqual(len(lines), 1)
        self.assertTrue(0 < accepted < drafted, (accepted, drafted))
        for draft in "16", "-1", "many":
            self.fails(2, "run", "-m", TINY, f"--draft={draft}", "x", says="--draft is auto")

    def test_thinking_budget(self):
        got = self.run_json("--thinking-budget", "5", "-n", "60", "--seed", "3", "Hello")
        self.assertIn(262, got["ids"])
        self.assertLessEqual(got["ids"].index(262), 9)  # five tokens, and what finishes a character
        self.assertTrue(got["text"])
        self.assertNotIn("</think>", got["text"])
        self.assertNotIn("</think>", got["reasoning"])

    def test_where_reasoning_goes(self):
        words = ["run", "-m", TINY, "--thinking-budget", "5", "-n", "60", "--seed", "3"]
        got = json.loads(self.ok(*words, "--json", "Hello"))
        answer = got["text"].lstrip("\n")
        plain = self.ok(*words, "Hello").decode()
        self.assertEqual(plain.rstrip("\n"), answer.rstrip("\n"))
        shown = self.ok(*words, "--show-thinking", "Hello").decode()
        self.assertTrue(shown.startswith("<think>\n"))
        self.assertIn("\n</think>\n\n" + answer.rstrip("\n"), shown)

    def test_stop_string(self):
        text = self.run_json("--raw", "-n", "50", "--seed", "4", "Hello")["text"]
        middle = text[len(text) // 2:len(text) // 2 + 2]
        got = self.run_json("--raw", "-n", "50", "--seed", "4", "--stop", middle, "Hello")
        self.assertEqual((got["finish_reason"], got["text"]), ("stop_string", text[:text.index(middle)]))

    def test_prompt_longer_than_the_context(self):
        self.fails(6, "run", "-m", TINY, "--ctx", "32", "x" * 100, says="context")
        got = self.run_json("--ctx", "32", "Hello")
        self.assertEqual(got["finish_reason"], "length")
        self.assertLessEqual(len(got["prompt_ids"]) + len(got["ids"]), 33)

    def test_invalid_utf8(self):
        self.fails(2, "run", "-m", TINY, stdin=b"a\xff", says="not valid UTF-8")
        self.ok("run", "-m", TINY, "--raw", "-n", "1", stdin=b"a\xff")

    def test_no_template(self):
        tiny_gguf.make(path("bare.gguf"), template=None)
        done = retort("run", "-m", path("bare.gguf"), "-n", "2", "x")
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"warning: this model has no chat template", done.stderr)
        self.fails(4, "chat", "-m", path("bare.gguf"), says="no chat template")

    def test_verbose(self):
        done = retort("run", "-m", TINY, "-v", "-n", "2", "x")
        for part in (b"context 4096 tokens (default; the model was made for 8192)", b"temperature 0.6", b"kernels", b"thread", b"loaded in"):
            self.assertIn(part, done.stderr)
        self.assertEqual(retort("run", "-m", TINY, "-n", "2", "--raw", "x").stderr, b"")
        self.assertIn(b"no answer", retort("run", "-m", TINY, "-n", "2", "x").stderr)
        self.assertIn(b"(forced)", retort("run", "-m", TINY, "-v", "-n", "2", "x", env=environment(RETORT_KERNELS="portable")).stderr)
        self.assertIn(b"longer than the 8192", retort("run", "-m", TINY, "-c", "9000", "-n", "2", "x").stderr)

    def test_reader_goes_away(self):
        program = subprocess.Popen([arguments.retort, "run", "--allow-unsigned", "-m", ENDLESS, "--top-k", "10", "-c", "200000", "--raw", "x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        program.stdout.read(1)
        program.stdout.close()
        self.assertIn(program.wait(timeout=60), (-13, 1))
        program.stderr.close()

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_disk(self):
        for words in (["run", "-m", TINY, "-n", "20", "--raw", "x"], ["inspect", TINY], ["help"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([arguments.retort, *unsigned(words)], stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=60)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(b"cannot write", done.stderr)

    def test_chat_of_a_script(self):
        lines = self.ok("chat", "-m", TINY, "--json", "-n", "4", "--thinking-budget", "0", stdin=b"Hello\n\nAgain\n/reset\nHello\n/quit\nnever\n").splitlines()
        first, second, third = map(json.loads, lines)
        self.assertGreater(len(second["prompt_ids"]), len(first["prompt_ids"]))
        self.assertGreater(second["usage"]["cached_tokens"], 5)
        self.assertEqual((third["prompt_ids"], third["ids"]), (first["prompt_ids"], first["ids"]))
        saved = path("saved.json")
        self.ok("chat", "-m", TINY, "-n", "4", "--system", "S", stdin=f"Hello\n/save {saved}\n".encode())
        with open(saved) as file:
            self.assertEqual([m["role"] for m in json.load(file)], ["system", "user", "assistant"])
        self.fails(6, "chat", "-m", TINY, "--ctx", "32", stdin=b"x" * 100 + b"\n", says="context")
        kept = open(saved, "rb").read()
        done = retort("chat", "-m", TINY, "-n", "4", stdin=f"/save {saved}\n/save! {saved}\n".encode())
        self.assertIn(b"exists already", done.stderr)
        self.assertNotEqual(open(saved, "rb").read(), kept)  # an empty conversation, on the second wish

    @unittest.skipUnless(arguments.model, "no --model: SmolLM2-135M-Instruct was not given")
    def test_a_real_model_answers(self):
        prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
        got = json.loads(self.ok("run", "-m", arguments.model, "--json", "--temp", "0", "-n", "32", "--raw", prompt, timeout=280))
        self.assertIn("Paris", got["text"])
        self.assertEqual(got["finish_reason"], "stop")


if __name__ == "__main__":
    main()
