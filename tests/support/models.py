"""models.py - small models of random weights in every tensor type, and files made to hurt, with the standard library alone."""
import os
import random
import struct
import sys

from tiny_gguf import ARRAY, BOOL, F32, I32, SPECIALS, STRING, TEMPLATE, U32, _entry, _string, byte_letters  # noqa: E402

# id, weights in a block, bytes of a block, and where in a block its float16 scales are
TYPES = {"F32": (0, 1, 4, None), "F16": (1, 1, 2, None), "BF16": (30, 1, 2, None), "Q4_0": (2, 32, 18, [0]), "Q4_1": (3, 32, 20, [0, 2]), "Q5_0": (6, 32, 22, [0]), "Q5_1": (7, 32, 24, [0, 2]),
         "Q8_0": (8, 32, 34, [0]), "Q2_K": (10, 256, 84, [80, 82]), "Q3_K": (11, 256, 110, [108]), "Q4_K": (12, 256, 144, [0, 2]), "Q5_K": (13, 256, 176, [0, 2]),
         "Q6_K": (14, 256, 210, [208]), "IQ4_NL": (20, 32, 18, [0]), "IQ4_XS": (23, 256, 136, [0]), "IQ2_XXS": (16, 256, 66, [0]),
         "IQ3_S": (21, 256, 110, [0]), "IQ1_S": (19, 256, 50, [0]), "TQ2_0": (35, 256, 66, [64]), "Q1_0": (41, 128, 18, [0])}
SCALE = {"Q8_0": 3e-4, "Q2_K": 6e-3, "Q3_K": 6e-4, "Q4_K": 2e-4, "Q5_K": 1e-4, "Q6_K": 5e-5, "IQ4_NL": 4e-4, "IQ4_XS": 2e-5, "IQ2_XXS": 1e-3, "IQ3_S": 5e-4, "IQ1_S": 5e-3, "TQ2_0": 5e-2, "Q1_0": 5e-2}


def encoded(seed, kind, n):
    """`n` random weights as bytes: blocks of random codes under scales that keep the numbers tame."""
    _, weights, size, scales = TYPES[kind]
    if kind == "F32":
        return struct.pack(f"<{n}f", *(seed.uniform(-0.1, 0.1) for _ in range(n)))
    if kind == "F16":
        return struct.pack(f"<{n}e", *(seed.uniform(-0.1, 0.1) for _ in range(n)))
    if kind == "BF16":
        return b"".join(struct.pack("<f", seed.uniform(-0.1, 0.1))[2:] for _ in range(n))
    data = bytearray(seed.randbytes(n // weights * size))
    for block in range(0, len(data), size):
        for at in scales:
            struct.pack_into("<e", data, block + at, seed.uniform(0.5, 1) * SCALE.get(kind, 4e-3))
    return bytes(data)


def write(path, kind, embd=256, layers=2, gap=0):
    """`gap`: bytes of a tensor that nobody needs, before all others; a hole in the file."""
    seed, tokens = random.Random(kind), byte_letters() + SPECIALS
    entries = [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, "mini " + kind), ("llama.context_length", U32, 2048), ("llama.embedding_length", U32, embd),
        ("llama.block_count", U32, layers), ("llama.feed_forward_length", U32, embd), ("llama.attention.head_count", U32, 4), ("llama.attention.head_count_kv", U32, 4),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5), ("llama.rope.freq_base", F32, 10000.0), ("llama.vocab_size", U32, len(tokens)), ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, "gpt-2"), ("tokenizer.ggml.tokens", (ARRAY, STRING), tokens), ("tokenizer.ggml.token_type", (ARRAY, I32), [1] * 256 + [3] * len(SPECIALS)),
        ("tokenizer.ggml.merges", (ARRAY, STRING), []), ("tokenizer.ggml.bos_token_id", U32, 256), ("tokenizer.ggml.eos_token_id", U32, 257),
        ("tokenizer.ggml.add_bos_token", BOOL, True), ("tokenizer.chat_template", STRING, TEMPLATE)]
    tensors = [("token_embd.weight", (embd, len(tokens)), kind), ("output_norm.weight", (embd,), "F32"), ("output.weight", (embd, len(tokens)), kind)]
    for i in range(layers):
        tensors += [(f"blk.{i}.{x}_norm.weight", (embd,), "F32") for x in ("attn", "ffn")]
        tensors += [(f"blk.{i}.{x}.weight", (embd, embd), kind) for x in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")]
    out, data = bytearray(struct.pack("<4sIQQ", b"GGUF", 3, len(tensors) + bool(gap), len(entries))), bytearray()
    for e in entries:
        out += _entry(*e)
    if gap:
        out += _string("gap") + struct.pack("<IQIQ", 1, gap // 4, TYPES["F32"][0], 0)
    for name, dims, type_name in tensors:
        out += _string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims) + struct.pack("<IQ", TYPES[type_name][0], gap + len(data))
        n = dims[0] * (dims[1] if len(dims) > 1 else 1)
        values = struct.pack(f"<{n}f", *[1.0] * n) if len(dims) == 1 else encoded(seed, type_name, n)
        data += values + bytes(-len(values) % 32)
    out += bytes(-len(out) % 32)
    with open(path, "wb") as file:
        file.write(out)
        file.seek(gap, os.SEEK_CUR)
        file.write(data)


def browser(folder, gap=None):
    """For tests/web: prints the names of the files that it makes in `folder`: one a type, or one type without and with a gap of that many bytes."""
    for kind in [] if gap else TYPES:
        write(os.path.join(folder, f"mini-{kind}.gguf"), kind)
        print(f"mini-{kind}.gguf")
    for name, size in (("small.gguf", 0), (f"large-{gap}.gguf", int(gap))) if gap else ():
        write(os.path.join(folder, name), "Q8_0", gap=size)
        print(name)


def hostile(source):
    """(name, bytes): `source` cut short, its counts and sizes blown up, its bytes changed at random, and no GGUF at all."""
    data, seed = open(source, "rb").read(), random.Random(7)
    yield "empty", b""
    yield "text", b"This is no model.\n"
    for size in (3, 4, 23, 24, 100, 5000, len(data) // 2, len(data) - 1):
        yield f"cut at {size}", data[:size]
    for at, what in ((8, "tensors"), (16, "entries"), (24, "a key's length")):
        for value in (0, 2**31, 2**32 - 1, 2**63, 2**64 - 1):
            yield f"{what} {value}", data[:at] + struct.pack("<Q", value) + data[at + 8:]
    for i in range(40):
        changed = bytearray(data)
        for _ in range(1 + i % 8):
            changed[seed.randrange(9000)] = seed.randrange(256)
        yield f"random {i}", bytes(changed)
