"""Holds our tokenizer against the reference (PyPI tokenizers) on real vocabularies: every id of every text must be equal.

    test_tokens.py --driver tokenize_driver --cache FOLDER [--model SmolLM2.gguf] [--data SHARED_DATA] --count N [--seed S]

`count` texts for each vocabulary, half of them real prose and code, half made to hurt; each with special tokens recognised and not. Vocabularies that
cannot be had here are skipped by name. Texts with ill-formed UTF-8 go to the reference as Python's errors="replace" reads them.
Left out: the 13 digits that Unicode 17 added, which one stage of the reference (Digits, in Rust's own Unicode version) counts as digits and its own
regular expressions (Unicode 16) do not.
"""
import argparse
import gzip
import pathlib
import random
import struct
import subprocess
import sys
import sysconfig
import zipfile

import vocabularies

DJANGO = ("Django==5.2", "91ceed4e3a6db5aedced65e3c8f963118ea9ba753fc620831c77074e620e7d83")  # translations into about 100 languages
DIGITS_17 = {*range(0x11DE0, 0x11DEA), 0x16FF4, 0x16FF5, 0x16FF6}


# ---- real text ----


def translations(cache):
    folder = pathlib.Path(cache)
    wheel = next(folder.glob("[Dd]jango-5.2-*.whl"), None)
    if not wheel:
        command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", str(folder), DJANGO[0]]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
            wheel = next(folder.glob("[Dd]jango-5.2-*.whl"))
        except (OSError, subprocess.SubprocessError, StopIteration):
            print(f"skipped: translations of {DJANGO[0]}: pip could not fetch it")
            return []
    if vocabularies.hashlib.sha256(wheel.read_bytes()).hexdigest() != DJANGO[1]:
        raise SystemExit(f"{wheel} is not the pinned file")
    with zipfile.ZipFile(wheel) as z:
        return [z.read(n).decode("utf-8") for n in z.namelist() if n.endswith(".po")]


def real_texts(cache):
    """What this machine has: translations, source code, manuals, licences, locale definitions."""
    texts, roots = translations(cache), []
    roots.append((pathlib.Path(__file__).parents[2], ("*.c", "*.h", "*.py", "*.md")))
    roots.append((pathlib.Path(sysconfig.get_paths()["stdlib"]), ("*.py", "*.txt")))
    roots.append((pathlib.Path(sysconfig.get_paths()["purelib"]), ("*.py", "*.json", "*.md", "*.txt")))
    roots += [(pathlib.Path("/usr/share/man"), ("*.gz",)), (pathlib.Path("/usr/share/common-licenses"), ("*",)), (pathlib.Path("/usr/share/i18n/locales"), ("*",))]
    for root, patterns in roots:
        files = sorted(p for pattern in patterns for p in root.rglob(pattern) if p.is_file() and "build" not in p.relative_to(root).parts)
        for path in files[:: max(1, len(files) // 400)]:
            try:
                raw = path.read_bytes()[:2_000_000]
                texts.append((gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", "replace"))
            except (OSError, EOFError):
                pass
    return [t for t in texts if len(t) > 20]


def real_sample(r, texts):
    text = r.choice(texts)
    size = r.choice((5, 20, 80, 80, 300, 1000))
    at = r.randrange(len(text))
    return text[at : at + r.randint(1, size)]


# ---- made text ----

SCRIPTS = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x800), (0x900, 0xE00), (0xE00, 0x1000), (0x1000, 0x1100), (0x1100, 0x1200),
           (0x1780, 0x1800), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2C00), (0x2C00, 0x3000), (0x3000, 0x3100), (0x3400, 0xA000), (0xA000, 0xAC00),
           (0xAC00, 0xD7B0), (0xD7B0, 0xD800), (0xF900, 0xFB00), (0xFB00, 0xFE00), (0xFE00, 0x10000), (0x10000, 0x10800), (0x10800, 0x11000), (0x11000, 0x12000),
           (0x1D000, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x20100), (0x2F800, 0x2FA20), (0xE0000, 0xE01F0)]
BLANKS = " \t\n\r\v\f\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
EMOJI = "\U0001f600\U0001f999\U0001f680\u2705\u2764\ufe0f\u200d\U0001f469\U0001f3fd\U0001f1e9\U0001f1ea\U0001f32b#\u20e3*1"
MARKS = "".join(map(chr, [*range(0x300, 0x370), 0x5B0, 0x5BF, 0x64B, 0x651, 0x93C, 0x94D, 0xE38, 0x1DC0, 0x20D0, 0x302A, 0x3099, 0x309A, 0xFE20, 0x1D165, 0x1D16D]))
BASES = "aeiouAEIOUnNcCsS\u03b1\u03c9\u0391\u0623\u064a\u0915\u0928\u304b\u30cf\u1100\u1161\uac00\u00e2\u1ea0\u0627"


def letter(r):
    while True:
        low, high = r.choice(SCRIPTS) if r.random() < 0.8 else (0, 0x110000)
        c = r.randrange(low, high)
        if not 0xD800 <= c < 0xE000 and c not in DIGITS_17:
            return chr(c)


def soup(r, alphabet, most):
    return "".join(r.choice(alphabet) for _ in range(r.randint(1, most)))


def lookalike(r, added):
    parts = []
    for _ in range(r.randint(1, 6)):
        t = r.choice(added)
        kind = r.randrange(8)
        if kind == 0:
            t = t[: r.randrange(len(t) + 1)]
        elif kind == 1:
            t = t[r.randrange(len(t)) :]
        elif kind == 2:
            t = t.replace("\uff5c", "|").replace("\u2581", "_")
        elif kind == 3:
            t = t[0] + t
        elif kind == 4:
            t = soup(r, " ab\n1'", 5) + t + soup(r, " ab\n1'", 5)
        elif kind == 5:
            t = r.choice("\u0301e\uac00") + t + r.choice("\u0301\u11a8 ")
        parts.append(t)
    return "".join(parts)


def ill_formed(r, texts):
    data = bytearray(real_sample(r, texts).encode("utf-8", "replace") or b"x")
    for _ in range(r.randint(1, 5)):
        at = r.randrange(len(data) + 1)
        if r.random() < 0.5 and at < len(data):
            data[at] = r.randrange(256)
        else:
            data[at:at] = r.choice((b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xff", b"\x80\x80", b"\xe0\x80", b"\xf0\x8f"))
    return bytes(data[: r.randint(1, len(data))])


def made_sample(r, texts, added):
    kind = r.randrange(13)
    if kind == 0:
        return "".join(letter(r) for _ in range(r.randint(1, 40)))
    if kind == 1:
        low, high = r.choice(SCRIPTS)
        return "".join(chr(c) for c in (r.randrange(low, high) for _ in range(r.randint(1, 60))) if c not in DIGITS_17)
    if kind == 2:
        return soup(r, "'' \"'sStTrReEvVmMlLdD\u017f\u212a's'll\n\u2019", 30)
    if kind == 3:
        return soup(r, BLANKS + "  \n\na.1", 40)
    if kind == 4:
        return r.choice(("A", "a", " ", "\n", "\r\n", "0", "=", "\u4e00", "\u00e9", "e\u0301", "\u3000", "'", "\t", "\U0001f600", "\u0e01", " \n", "ab", ".\n")) * r.randint(1, r.choice((50, 500, 3000))) + r.choice(("", "x", " ", "\n"))
    if kind == 5:
        return soup(r, "0123456789 .,-+e\u0660\u0967\u00b2\u2167\uff11\u4e00", 30)
    if kind == 6:
        return soup(r, EMOJI, 25)
    if kind in (7, 8):
        return "".join(r.choice(BASES) + soup(r, MARKS, 5 if r.random() < 0.9 else 60) * (r.random() < 0.8) for _ in range(r.randint(1, 12)))
    if kind == 9:
        return "".join(chr(r.choice((r.randrange(0x1100, 0x1113), r.randrange(0x1161, 0x1176), r.randrange(0x11A7, 0x11C3), r.randrange(0xAC00, 0xD7A4)))) for _ in range(r.randint(1, 20)))
    if kind == 10:
        return ill_formed(r, texts)
    if kind == 11:
        return lookalike(r, added)
    return soup(r, "abcXYZ \t\n!?;:()[]{}<>/\\|`~@#$%^&*_-+=.,\"'0123456789\u00e9\u4e2d\u3042\uff5c", 60)


# ---- comparing ----


def ours(driver, path, flags, data):
    blob = b"".join(struct.pack("<I", len(d)) + d for d in data)
    run = subprocess.run([driver, path, str(flags)], input=blob, capture_output=True)
    if run.returncode:
        raise SystemExit(f"{driver} {path}: {run.stderr.decode('utf-8', 'replace')}")
    out, at = [], 0
    while at < len(run.stdout):
        (n,) = struct.unpack_from("<I", run.stdout, at)
        out.append(list(struct.unpack_from(f"<{n}I", run.stdout, at + 4)))
        at += 4 + 4 * n
    return out


def compare(driver, vocabulary, data):
    wrong = ids = 0
    for flags, reference in ((1, vocabulary.special), (0, vocabulary.plain)):
        for start in range(0, len(data), 20000):
            chunk = data[start : start + 20000]
            expected = [e.ids for e in reference.encode_batch([d.decode("utf-8", "replace") for d in chunk], add_special_tokens=False)]
            for d, a, b in zip(chunk, ours(driver, vocabulary.path, flags, chunk), expected, strict=True):
                ids += len(b)
                if a != b:
                    wrong += 1
                    if wrong <= 10:
                        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                        print(f"  {vocabulary.name} flags {flags}: {d[:200]!r}: from {at}: ours {a[at:at+8]}, reference {b[at:at+8]}")
    print(f"{vocabulary.name}: {2 * len(data)} comparisons, {ids} ids, {wrong} texts differ")
    return wrong


def compare_vectors(driver, data, name, path):
    """Texts and ids that llama.cpp's tests carry."""
    texts = (data / f"{name}.inp").read_bytes().split(b"\n__ggml_vocab_test__\n")
    expected = [[int(x) for x in line.split()] for line in (data / f"{name}.out").read_text().split("\n")[: len(texts)]]
    wrong = [t for t, a, b in zip(texts, ours(driver, path, 1, texts), expected, strict=True) if a != b]
    print(f"llama.cpp vectors {name}: {len(texts)} texts, {len(wrong)} differ {wrong[:5] or ''}")
    return len(wrong)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--driver", required=True)
    p.add_argument("--cache", required=True)
    p.add_argument("--model")
    p.add_argument("--data", default="")
    p.add_argument("--count", type=int, required=True)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    pathlib.Path(a.cache).mkdir(parents=True, exist_ok=True)
    texts = real_texts(a.cache)
    shared, header = pathlib.Path(a.data or "absent") / "tokenizer", pathlib.Path(a.data or "absent") / "r1-distill-qwen-7b.header.gguf"
    wrong, found = 0, 0

    if shared.is_dir() and header.exists():
        for name, path in (("gpt-2", shared / "gpt-2.gguf"), ("deepseek-llm", shared / "deepseek-llm.gguf"), ("qwen2", header)):
            wrong += compare_vectors(a.driver, shared, name, str(path))
    makers = {name: (lambda name=name: vocabularies.from_package(name, a.cache)) for name in vocabularies.PACKAGES}
    for name, path, pre in (("smollm", a.model, None), ("r1-distill-qwen", header, "qwen2"), ("gpt-2", shared / "gpt-2.gguf", None),
                            ("deepseek-llm", shared / "deepseek-llm.gguf", None), ("deepseek-coder", shared / "deepseek-llm.gguf", "deepseek-coder")):
        if path and pathlib.Path(path).exists():
            makers[name] = lambda name=name, path=path, pre=pre: vocabularies.from_gguf(name, path, a.cache, pre)
        else:
            print(f"skipped: {name}: {path} is not here")
    for name, make in makers.items():
        try:
            vocabulary = make()
        except vocabularies.Unreachable as e:
            print(f"skipped: {name}: {e}")
            continue
        r = random.Random(f"{a.seed} {name}")
        samples = (real_sample(r, texts) if i % 2 else made_sample(r, texts, vocabulary.added) for i in range(a.count))
        data = [s if isinstance(s, bytes) else s.encode("utf-8") for s in samples]
        wrong += compare(a.driver, vocabulary, data)
        found += 1
        sys.stdout.flush()
    if not found:
        print("skipped: no vocabulary could be had")
        return 77
    return 1 if wrong else 0


sys.exit(main())
