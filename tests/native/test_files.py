"""Models that are missing, damaged, split, of another kind, or too large; inspect, tokenize, logits, perplexity and bench."""
import array
import json
import math
import os
import resource
import signal
import struct
import subprocess

from common import ENDLESS, TINY, Case, arguments, environment, main, path, retort
import tiny_gguf


def read_npy(name):
    with open(name, "rb") as file:
        data = file.read()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    size = struct.unpack("<H", data[8:10])[0]
    assert (10 + size) % 64 == 0
    header = eval(data[10:10 + size])  # written by the program under test, of a fixed form
    assert header["descr"] == "<f4" and not header["fortran_order"]
    values = array.array("f", data[10 + size:])
    rows, columns = header["shape"]
    assert len(values) == rows * columns
    return [values[i * columns:(i + 1) * columns] for i in range(rows)]


class Files(Case):
    def test_model_from_environment(self):
        self.assertEqual(self.ok("tokenize", "x", env=environment(RETORT_MODEL=TINY)), self.ok("tokenize", "-m", TINY, "x"))
        self.assertNotEqual(self.ok("tokenize", "x", env=environment(RETORT_MODEL=TINY)), self.ok("tokenize", "x"))

    def test_missing_and_odd_files(self):
        self.fails(3, "run", "-m", path("nowhere.gguf"), "x", says="No such file")
        self.fails(3, "run", "-m", path(""), "x", says="folder")
        open(path("empty.gguf"), "wb").close()
        self.fails(3, "run", "-m", path("empty.gguf"), "x")
        with open(path("text.gguf"), "w") as file:
            file.write("not a model" * 100)
        for command in ("run", "inspect", "tokenize"):
            self.fails(3, command, "-m", path("text.gguf"), *([] if command == "inspect" else ["x"]))

    def test_truncated(self):
        with open(TINY, "rb") as file:
            data = file.read()
        for size in (4, 20, 100, 3000, len(data) // 2, len(data) - 40):
            with open(path("cut.gguf"), "wb") as file:
                file.write(data[:size])
            with self.subTest(size=size):
                for way in ([], ["--mmap"]):
                    self.fails(3, "run", "-m", path("cut.gguf"), *way, "x", says="cut.gguf")

    def test_unknown_tensor_type_can_be_inspected_not_run(self):
        with open(TINY, "rb") as file:
            data = bytearray(file.read())
        at = data.index(b"blk.0.ffn_up.weight") + len("blk.0.ffn_up.weight") + 4 + 16
        data[at:at + 4] = (77).to_bytes(4, "little")
        with open(path("type.gguf"), "wb") as file:
            file.write(data)
        info = json.loads(self.ok("inspect", "-m", path("type.gguf"), "--json"))
        self.assertEqual([t["name"] for t in info["tensors"] if t["type"] == "unknown"], ["blk.0.ffn_up.weight"])
        self.assertIs(info["runs"], False)
        self.assertTrue(any("blk.0.ffn_up.weight has the type 77" in w for w in info["warnings"]), info["warnings"])
        self.fails(4, "run", "-m", path("type.gguf"), "x", says="has the type 77")

    def test_other_architecture_can_be_inspected_not_run(self):
        tiny_gguf.make(path("other.gguf"), architecture="mamba")
        self.fails(4, "run", "-m", path("other.gguf"), "x", says="mamba")
        info = json.loads(self.ok("inspect", "-m", path("other.gguf"), "--json"))
        self.assertFalse(info["runs"])
        self.assertTrue(any("mamba" in w for w in info["warnings"]))

    def test_split_set(self):
        first = path("part-00001-of-00003.gguf")
        tiny_gguf.make(first, parts=3)
        whole = self.ok("run", "-m", TINY, "-n", "8", "hello")
        self.assertEqual(self.ok("run", "-m", first, "-n", "8", "hello"), whole)
        self.assertEqual(self.ok("run", "-m", path("part-00002-of-00003.gguf"), "--mmap", "-n", "8", "hello"), whole)
        info = json.loads(self.ok("inspect", first, "--json"))
        self.assertEqual(len(info["files"]), 3)
        self.assertTrue(info["runs"])
        os.remove(path("part-00002-of-00003.gguf"))
        self.fails(3, "run", "-m", first, "x", says="part-00002-of-00003.gguf is missing")

    def test_files_of_a_set_by_any_name(self):
        tiny_gguf.make(path("set-00001-of-00003.gguf"), parts=3)
        whole, names = self.ok("run", "-m", TINY, "-n", "8", "hello"), [path(n) for n in ("one.gguf", "two.GGUF", "three")]
        for i, name in enumerate(names):
            os.rename(path(f"set-0000{i + 1}-of-00003.gguf"), name)
        each = [word for name in names for word in ("-m", name)]
        self.assertEqual(self.ok("run", *each, "-n", "8", "hello"), whole)
        self.assertEqual(self.ok("run", *each, "--mmap", "-n", "8", "hello"), whole)
        self.assertEqual(len(json.loads(self.ok("inspect", *names, "--json"))["files"]), 3)
        self.ok("bench", *each, "-p", "1", "-n", "0", "-r", "1")
        self.fails(3, "run", "-m", names[0], "x", says=("file 1 of a set of 3", "-m once for each"))
        self.fails(3, "run", "-m", names[0], "-m", names[2], "-m", names[1], "x", says="in order")
        self.fails(3, "run", *each[:4], "-m", path("nowhere"), "x", says=("nowhere", "No such file"))
        upper = path("UPPER-00001-of-00003.GGUF")
        for i, name in enumerate(names):
            os.rename(name, upper.replace("00001", f"0000{i + 1}", 1))
        self.assertEqual(self.ok("run", "-m", upper, "-n", "8", "hello"), whole)
        with open(path("joined.gguf"), "wb") as joined:
            for i in range(3):
                with open(upper.replace("00001", f"0000{i + 1}", 1), "rb") as file:
                    joined.write(file.read())
        self.fails(3, "run", "-m", path("joined.gguf"), "x", says=("one after another", "--merge"))

    def test_two_models_make_no_sense(self):
        for words in (("bench", "-m", TINY, "-m", ENDLESS), ("inspect", TINY, ENDLESS), ("run", "-m", TINY, "-m", TINY, "hi")):
            self.fails(3, *words, says="one model is used at a time")

    def test_pieces_of_a_file_are_named_as_such(self):
        with open(TINY, "rb") as file:
            data = file.read()
        for name, piece in (("x.gguf.part1of2", data[:5000]), ("x.gguf.part2of2", data[5000:]), ("y.gguf-split-a", data[:5000])):
            with open(path(name), "wb") as file:
                file.write(piece)
            self.fails(3, "run", "-m", path(name), "hi", says=(f"cat {name[0]}.gguf* > {name[0]}.gguf", "one piece"))
        with open(path("x.gguf"), "wb") as file:
            file.write(data)
        os.rename(path("x.gguf"), path("z.gguf.part1of1"))  # a whole model is one by any name
        self.ok("run", "-m", path("z.gguf.part1of1"), "-n", "1", "hi")

    def test_context_that_does_not_fit_in_memory(self):
        tiny_gguf.make(path("deep.gguf"), layers=64)
        text = self.fails(5, "run", "-m", path("deep.gguf"), "--ctx", "16777216", "--kv", "f32", "x", says="keys and values")
        self.assertRegex(text, r"--ctx \d+ would fit|not even 256")

    def test_working_memory_counts(self):
        """Keys and values alone would fit."""
        tiny_gguf.make(path("deep.gguf"), layers=64)
        for _ in range(10):  # what is available changes with what else runs
            available = json.loads(self.ok("inspect", TINY, "--json"))["memory"]["available"]
            context = (available - (104 << 20)) // (64 * 128)
            done = retort("run", "-m", path("deep.gguf"), "-c", str(min(context, 16777216)), "--batch", "65536", "-n", "1", "x")
            if b"of working memory" in done.stderr:
                break
        self.assertIn(b"of working memory", done.stderr)
        self.assertEqual(done.returncode, 5)

    def test_inspect(self):
        info = json.loads(self.ok("inspect", TINY, "--json"))
        self.assertEqual((info["architecture"], info["name"], info["context_length"], info["runs"]), ("llama", "tiny", 8192, True))
        self.assertEqual(info["types"]["F32"]["tensors"], len(info["tensors"]))
        self.assertEqual(info["memory"]["kv_bytes_per_token"], 2 * 2 * 2 * 16 * 2)
        self.assertEqual(info["memory"]["kv"][-1], {"context": 8192, "bytes": 8192 * 256})
        self.assertEqual(info["tokenizer"]["bos"], {"id": 256, "text": "<|bos|>"})
        self.assertEqual(info["tokenizer"]["think_end"]["text"], "</think>")
        self.assertEqual(info["metadata"]["llama.block_count"], 2)
        self.assertEqual(info["metadata"]["tokenizer.ggml.tokens"][-1], "...")
        self.assertEqual(len(json.loads(self.ok("inspect", TINY, "--json", "--all"))["metadata"]["tokenizer.ggml.tokens"]), 263)
        text = self.ok("inspect", "-m", TINY, "--all").decode()
        for part in ("tiny", "blk.1.ffn_down.weight", "llama.rope.freq_base", "runs here    yes"):
            self.assertIn(part, text)

    def test_inspect_cpu(self):
        info = json.loads(self.ok("inspect", "--cpu", "--json"))
        portable = [k for k in info["kernels"] if k["name"] == "portable"]
        self.assertTrue(portable[0]["available"])
        self.assertGreaterEqual(info["threads"], 1)
        self.assertIn("portable", self.ok("inspect", "--cpu").decode())

    def test_tokenize(self):
        text = "Hi <think> \u00e9\n".encode()
        ids = json.loads(self.ok("tokenize", "-m", TINY, "--json", stdin=text))
        self.assertEqual(ids, [ord("H"), ord("i"), 32, 261, 32, 0xc3, 0xa9, 10])
        plain = json.loads(self.ok("tokenize", "-m", TINY, "--json", "--no-special", stdin=text))
        self.assertEqual(plain, list(text))
        self.assertEqual(json.loads(self.ok("tokenize", "-m", TINY, "--json", stdin=b"")), [])
        self.assertEqual(self.ok("tokenize", "-m", TINY, "--decode", stdin=json.dumps(ids).encode()), text)
        self.assertEqual(self.ok("tokenize", "-m", TINY, "--decode", "--no-special", stdin=json.dumps(ids).encode()), text.replace(b"<think>", b""))
        self.assertIn(b"8 tokens", self.ok("tokenize", "-m", TINY, stdin=text))
        self.fails(2, "tokenize", "-m", TINY, "--decode", "1 x 2", says="'x' is not a token id")
        self.fails(2, "tokenize", "-m", TINY, "--decode", "263", says="0 to 262")

    def test_logits_do_not_depend_on_batch_threads_or_mmap(self):
        ids = ",".join(str(7 * i % 256) for i in range(40))
        out = path("a.npy")
        self.ok("logits", "-m", TINY, "--ids", ids, "--out", out)
        rows = read_npy(out)
        self.assertEqual((len(rows), len(rows[0])), (40, 263))
        self.assertTrue(all(math.isfinite(x) for row in rows for x in row))
        self.assertGreater(len(set(rows[-1])), 200)
        for more in (["--batch", "1"], ["--batch", "7", "-t", "1"], ["-t", "3"], ["--mmap"], ["--kernels", "portable"]):
            self.ok("logits", "-m", TINY, "--ids", "-", "--out", path("b.npy"), *more, stdin=f"[{ids}]".encode())
            self.assertEqual(read_npy(path("b.npy")), rows, more)
        self.ok("logits", "-m", TINY, "--ids", ids, "--out", path("b.npy"), "--kv", "f32")
        self.assertNotEqual(read_npy(path("b.npy")), rows)
        self.fails(1, "logits", "-m", TINY, "--ids", ids, "--out", path("no/such/folder.npy"), says="cannot write")
        self.fails(2, "logits", "-m", TINY, "--ids", "", "--out", out, says="empty")

    def test_nothing_from_a_file_steers_the_terminal(self):
        with open(TINY, "rb") as file:
            plain = file.read()
        for evil in (b"\x1b[1m", b"\xc2\x9b1m", b"a\xe2\x80\xae", b"a\nb\r", b"a\xffb\x7f"):
            name = path("evil.gguf")
            with open(name, "wb") as file:
                file.write(plain.replace(b"tiny", evil).replace(b"gpt-2", evil + b"z"))
            for words in (("inspect", "-m", name), ("inspect", "-m", name, "--all"), ("inspect", "-m", name, "--json"), ("run", "-m", name, "-v", "hi"), ("run", "-m", name, "--json", "hi")):
                done = retort(*words, env=environment(LC_ALL="C"))
                said = (done.stdout + done.stderr).decode("utf-8")  # an error where it is not UTF-8
                self.assertFalse([c for c in said if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0 or c == "\u202e"], (words, evil))
        raises = path("raises.gguf")
        tiny_gguf.make(raises, template="{{ raise_exception('\x1b[31m' ~ messages[0].content) }}")
        done = retort("run", "-m", raises, "one\nretort: two\u202e")
        self.assertIn(rb"\x1b[31mone\nretort: two\u202e", done.stderr)
        done = retort("run", "-m", b"no\xff\x1b.gguf", "--json", "hi")
        self.assertIn("no\\xff\\x1b.gguf", json.loads(done.stdout)["error"]["message"])

    def test_pipes_as_models_are_refused_and_not_waited_for(self):
        os.mkfifo(path("pipe.gguf"))
        for words in (("run", "-m", path("pipe.gguf"), "hi"), ("inspect", path("pipe.gguf")), ("verify", "--pin", "0" * 64, path("pipe.gguf"))):
            done = retort(*words, timeout=10)
            self.assertIn(done.returncode, (3, 7), words)
        self.assertIn(b"device or pipe", retort("run", "-m", path("pipe.gguf"), "hi").stderr)

    def test_what_cannot_be_written_stays_as_it_was(self):
        out = path("kept.npy")
        with open(out, "wb") as file:
            file.write(b"as it was")
        os.chmod(out, 0o640)

        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        words = [arguments.retort, "logits", "--allow-unsigned", "-m", TINY, "--ids", ",".join("1" * 400), "-o", out]
        done = subprocess.run(words, capture_output=True, env=environment(), preexec_fn=small)
        self.assertEqual(done.returncode, 1, done.stderr)
        with open(out, "rb") as file:
            self.assertEqual(file.read(), b"as it was")
        self.assertFalse([name for name in os.listdir(os.path.dirname(out)) if name.endswith(".part")])
        os.symlink("kept.npy", path("link.npy"))
        self.ok("logits", "-m", TINY, "--ids", "1,2", "-o", path("link.npy"))
        self.assertTrue(os.path.islink(path("link.npy")))
        self.assertEqual((len(read_npy(out)), os.stat(out).st_mode & 0o777), (2, 0o640))

    def test_any_name_that_a_folder_takes_can_be_written(self):
        for name in ("n" * 251 + ".npy", "\u00e9" * 125 + ".npy"):
            self.ok("logits", "-m", TINY, "--ids", "1,2", "-o", path(name))
            self.assertEqual(len(read_npy(path(name))), 2)
        self.fails(1, "logits", "-m", TINY, "--ids", "1", "-o", path("n" * 256), says="File name too long")

    def test_links_that_lead_nowhere_stay(self):
        os.symlink("nothing.npy", path("dangling.npy"))
        self.fails(1, "logits", "-m", TINY, "--ids", "1", "-o", path("dangling.npy"), says="a link that leads to nothing")
        self.assertEqual(os.readlink(path("dangling.npy")), "nothing.npy")

    def test_devices_are_written_to_and_stay(self):
        self.ok("logits", "-m", TINY, "--ids", "1,2", "-o", "/dev/null")
        self.assertEqual(retort("logits", "-m", TINY, "--ids", "1,2", "-o", "/dev/full").returncode, 1)
        self.assertTrue(os.path.exists("/dev/full") and os.path.exists("/dev/null"))

    def test_a_mapped_file_that_becomes_shorter_is_an_error(self):
        with open(ENDLESS, "rb") as file:
            data = file.read()
        for threads, more in (("1", []), ("2", ["--json"])):
            name = path("mapped.gguf")
            with open(name, "wb") as file:
                file.write(data)
            words = [arguments.retort, "run", "--allow-unsigned", "--mmap", "-m", name, "-t", threads, "-v", "--raw", "-c", "400000", "--top-k", "10", *more, "hi"]
            run = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
            while b"temperature" not in run.stderr.readline():  # what follows is the answer
                pass
            os.truncate(name, 4096)
            out, said = run.communicate(timeout=60)
            self.assertEqual(run.returncode, 3, said)
            self.assertIn(b"mapped.gguf became shorter", said)
            if more:
                self.assertEqual(json.loads(out)["error"]["code"], 3)
            os.remove(name)

    def test_perplexity_is_that_of_the_logits(self):
        text = bytes(32 + (i * i) % 90 for i in range(300))
        with open(path("text.txt"), "wb") as file:
            file.write(text)
        for window, skip in ((100, 50), (300, 0), (128, 5)):
            got = json.loads(self.ok("perplexity", "-m", TINY, "--json", "--window", str(window), "--skip", str(skip), path("text.txt")))
            losses = []
            for at in range(0, 300 - window + 1, window):
                ids = [256] + list(text[at + 1:at + window])  # the first token is replaced by the BOS
                self.ok("logits", "-m", TINY, "--ids", ",".join(map(str, ids)), "--out", path("p.npy"))
                for row, following in list(zip(read_npy(path("p.npy")), ids[1:]))[skip:]:
                    losses.append(math.log(sum(math.exp(x) for x in row)) - row[following])
            self.assertEqual(got["scored"], len(losses))
            self.assertAlmostEqual(got["mean_nll"], sum(losses) / len(losses), places=6)
            self.assertAlmostEqual(got["perplexity"], math.exp(got["mean_nll"]), places=3)
        human = self.ok("perplexity", "-m", TINY, "--window", "100", path("text.txt")).decode()
        self.assertIn("in each of 3 windows of 100 tokens the predictions of tokens 51 to 99", human)
        self.fails(1, "perplexity", "-m", TINY, path("none.txt"), says="cannot open")

    def test_bench(self):
        rows = json.loads(self.ok("bench", "-m", TINY, "-p", "4,8", "-n", "3", "-d", "0,16", "-t", "1,2", "-r", "2", "--json"))
        self.assertEqual([(r["n_threads"], r["n_depth"], r["n_prompt"], r["n_gen"]) for r in rows],
                         [(t, d, p, n) for t in (1, 2) for d in (0, 16) for p, n in ((4, 0), (8, 0), (0, 3))])
        for row in rows:
            self.assertEqual(len(row["samples_ts"]), 2)
            self.assertAlmostEqual(row["avg_ts"], sum(row["samples_ts"]) / 2, delta=1e-6 * row["avg_ts"])
            self.assertGreaterEqual(row["stddev_ts"], 0)
            self.assertTrue({"model_type", "model_size", "kernels"} <= set(row))
        self.assertIn("tg3 @ d16", self.ok("bench", "-m", TINY, "-p", "0", "-n", "3", "-d", "16", "-r", "1").decode())


if __name__ == "__main__":
    main()
