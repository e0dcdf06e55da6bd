"""Renders the chat templates of real models with Python jinja2 and with the C engine, on every conversation: no difference is accepted.

The templates belong to the models' makers and are not part of this repository: --templates names a folder of *.jinja files, --gguf a GGUF file
with one inside (may be repeated). Without any it says so and skips (exit code 77).
"""
import argparse
import pathlib
import struct
import sys

import conversations
import hf


def from_gguf(path):
    """The value of tokenizer.chat_template, read from the raw bytes: the file may be cut after its header."""
    data = path.read_bytes()[: 64 << 20]
    key = b"tokenizer.chat_template"
    at = data.find(struct.pack("<Q", len(key)) + key) + 8 + len(key)
    kind, size = struct.unpack_from("<IQ", data, at)
    assert kind == 8, "the chat template is no string"
    return data[at + 12 : at + 12 + size].decode()


def specials(text, spans):
    """Offsets of special-token texts that are not touched by input, in rendered bytes."""
    marks = bytearray(len(text))
    for offset, size in spans:
        marks[offset : offset + size] = b"\x01" * size
    found = []
    for token in SPECIAL:
        at = text.find(token)
        while at >= 0:
            if not any(marks[at : at + len(token)]):
                found.append((at, token))
            at = text.find(token, at + 1)
    return sorted(found)


SPECIAL = [t.encode() for t in ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>", "<|im_start|>", "<|im_end|>",
                                "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|python_tag|>", "<｜tool▁calls▁begin｜>", "<｜tool▁call▁end｜>")]


def neutral(value):
    """The same conversation with every special token's text defused, for counting what the template itself writes."""
    if isinstance(value, str):
        for token in SPECIAL:
            value = value.replace(token.decode(), "_" * len(token.decode()))
        return value
    if isinstance(value, list):
        return [neutral(v) for v in value]
    if isinstance(value, dict):
        return {neutral(k): v if k in ("bos_token", "eos_token") else neutral(v) for k, v in value.items()}
    return value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--templates", type=pathlib.Path)
    parser.add_argument("--gguf", type=pathlib.Path, action="append", default=[])
    args = parser.parse_args()
    sources = {p.name: p.read_text() for p in sorted(args.templates.glob("*.jinja"))} if args.templates and args.templates.is_dir() else {}
    sources.update({p.name: from_gguf(p) for p in args.gguf if p.is_file()})
    if not sources:
        print("skipped: no real chat templates are here (--templates, --gguf)")
        return 77
    env, engine = hf.environment(), hf.Engine(args.driver)
    compared = failures = both_fail = forged = 0
    for name, source in sources.items():
        for title, variables in conversations.all_conversations():
            compared += 1
            both_fail += hf.reference(env, source, variables)[1] is not None
            difference = hf.compare(env, engine, source, variables)
            if difference:
                failures += 1
                if failures <= 20:
                    print(f"{name}, {title}: {difference}")
                continue
            text, error, spans = engine.render(source, variables)
            if error is None and variables["messages"]:
                # The template's own special tokens, and no others, lie outside of the input spans.
                plain, plain_error, plain_spans = engine.render(source, neutral(variables))
                mine = [t for _, t in specials(text.encode(), spans)]
                theirs = [t for _, t in specials(plain.encode(), plain_spans)] if plain_error is None else mine
                if mine != theirs and "</think>" not in str(variables):
                    forged += 1
                    print(f"{name}, {title}: special tokens outside of input: {mine} against {theirs}")
    engine.close()
    print(f"{len(sources)} templates, {compared} renderings compared ({both_fail} of them errors on both sides), {failures} differences, {forged} forged tokens")
    return 1 if failures or forged else 0


if __name__ == "__main__":
    sys.exit(main())
