"""Writes tiny GGUF models with the standard library alone: random weights, a byte-level vocabulary, a chat template with reasoning.

They say nothing sensible, but they load, tokenise, think and answer within milliseconds, so that the program around them can be tested.
"""
import random
import struct

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
U16, I32 = 2, 5
TEMPLATE = ("{% for m in messages %}{% if m['role'] == 'system' %}<|system|>{% elif m['role'] == 'user' %}<|user|>{% else %}<|assistant|>{% endif %}"
            "{{ m['content'] }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}")


def byte_letters():
    """GPT-2's printable letter for each byte."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, extra = {}, 256
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(extra)
        extra += byte not in plain
    return [letters[byte] for byte in range(256)]


SPECIALS = ["<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<think>", "</think>"]


def _string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(kind, value):
    if kind == STRING:
        return _string(value)
    if isinstance(kind, tuple):
        return struct.pack("<IQ", kind[1], len(value)) + b"".join(_value(kind[1], v) for v in value)
    return struct.pack({U16: "<H", U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _entry(key, kind, value):
    return _string(key) + struct.pack("<I", ARRAY if isinstance(kind, tuple) else kind) + _value(kind, value)


def _write(path, entries, tensors):
    out, offset, data = bytearray(), 0, bytearray()
    out += struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(entries))
    for e in entries:
        out += _entry(*e)
    for name, dims, values in tensors:
        out += _string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims) + struct.pack("<IQ", 0, offset)
        data += values + bytes(-len(values) % 32)
        offset = len(data)
    out += bytes(-len(out) % 32)
    with open(path, "wb") as file:
        file.write(out + data)


def make(path, architecture="llama", layers=2, template=TEMPLATE, parts=1, endless=False, says=None):
    """One file, or with parts > 1 a split set of which `path` is the first file (NAME-00001-of-0000N.gguf).
    With `endless` the end token's logit is always 0, which --top-k 10 never lets through. With `says` the model follows a script: a dictionary
    from each token's text to the next one's; after any other it ends its turn."""
    embd, heads, ff, seed = 32, 2, 64, random.Random(1)
    tokens = byte_letters() + SPECIALS
    vocab = len(tokens)
    if says is not None:
        embd, layers = 288, 1  # a direction for each token, and layers that add nothing
    a = architecture
    entries = [
        ("general.architecture", STRING, a), ("general.name", STRING, "tiny"),
        (f"{a}.context_length", U32, 8192), (f"{a}.embedding_length", U32, embd), (f"{a}.block_count", U32, layers),
        (f"{a}.feed_forward_length", U32, ff), (f"{a}.attention.head_count", U32, heads), (f"{a}.attention.head_count_kv", U32, heads),
        (f"{a}.attention.layer_norm_rms_epsilon", F32, 1e-5), (f"{a}.rope.freq_base", F32, 10000.0), (f"{a}.vocab_size", U32, vocab),
        ("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, "gpt-2"), ("tokenizer.ggml.tokens", (ARRAY, STRING), tokens),
        ("tokenizer.ggml.token_type", (ARRAY, I32), [1] * 256 + [3] * len(SPECIALS)),
        ("tokenizer.ggml.merges", (ARRAY, STRING), []),
        ("tokenizer.ggml.bos_token_id", U32, 256), ("tokenizer.ggml.eos_token_id", U32, 257), ("tokenizer.ggml.add_bos_token", BOOL, True),
    ]
    if template:
        entries.append(("tokenizer.chat_template", STRING, template))

    def matrix(name, *dims):
        n = 1
        for d in dims:
            n *= d
        scale = 3.0 / dims[0] ** 0.5
        return name, dims, struct.pack(f"<{n}f", *(seed.uniform(-scale, scale) for _ in range(n)))

    def ones(name):
        return name, (embd,), struct.pack(f"<{embd}f", *[1.0] * embd)

    tensors = [matrix("token_embd.weight", embd, vocab), ones("output_norm.weight"), matrix("output.weight", embd, vocab)]
    if says is not None:
        name, dims, values = tensors[0]
        tensors[0] = name, dims, b"".join(struct.pack(f"<{embd}f", *(float(i == k) for k in range(embd))) for i in range(vocab))
        follows = {tokens.index(a): tokens.index(b) for a, b in says.items()}
        rows = [[2.0 * (follows.get(k) == i) + 1.0 * (i == 257) for k in range(embd)] for i in range(vocab)]
        tensors[2] = tensors[2][0], tensors[2][1], b"".join(struct.pack(f"<{embd}f", *row) for row in rows)
        matrix = lambda name, *dims: (name, dims, bytes(4 * dims[0] * dims[1]))
    if endless:
        name, dims, values = tensors[2]
        tensors[2] = name, dims, values[:257 * embd * 4] + bytes(embd * 4) + values[258 * embd * 4:]
    for i in range(layers):
        tensors += [ones(f"blk.{i}.attn_norm.weight"), ones(f"blk.{i}.ffn_norm.weight")]
        tensors += [matrix(f"blk.{i}.attn_{x}.weight", embd, embd) for x in ("q", "k", "v", "output")]
        tensors += [matrix(f"blk.{i}.ffn_gate.weight", embd, ff), matrix(f"blk.{i}.ffn_up.weight", embd, ff), matrix(f"blk.{i}.ffn_down.weight", ff, embd)]
    if parts == 1:
        return _write(path, entries, tensors)
    each = -(-len(tensors) // parts)
    for k in range(parts):
        own = [("split.no", U16, k), ("split.count", U16, parts), ("split.tensors.count", I32, len(tensors))]
        _write(path.replace("-00001-of-", f"-{k + 1:05}-of-"), (entries if k == 0 else []) + own, tensors[k * each:(k + 1) * each])
