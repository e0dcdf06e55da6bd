#!/usr/bin/env python3
"""Writes unicode_tables.h: the Unicode properties that tokenising needs, as small tables; a page downloads them before it can do anything.

    make_unicode.py DERIVED_AGE > unicode_tables.h

Two versions of Unicode are used on purpose, because the reference tokenizers (PyPI `tokenizers` 0.23) do:
  - character classes: Unicode 16.0, from PyPI unicodedata2==16.0.0 (its regular expressions agree on every code point);
  - NFC: Unicode 9.0, that is, characters that came later are neither reordered nor composed. Normalisation of a character never changes
    once it is assigned, so the 16.0 data restricted by age is the 9.0 data. DERIVED_AGE is DerivedAge.txt of Unicode 15.0 (Debian package
    unicode-data) or later.
"""
import sys

import unicodedata2 as ucd

assert ucd.unidata_version == "16.0.0"
CLASSES = {"L": 1, "N": 2, "M": 3, "P": 4, "S": 5}
SPACES = [*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]  # White_Space


def ages(path):
    age = {}
    for line in open(path, encoding="utf-8"):
        fields = line.split("#")[0].split(";")
        if len(fields) != 2:
            continue
        first, _, last = fields[0].strip().partition("..")
        for c in range(int(first, 16), int(last or first, 16) + 1):
            age[c] = float(fields[1])
    return age


def table(kind, name, values, form, per_line):
    print(f"static const {kind} {name}[{len(values)}] = {{")
    for i in range(0, len(values), per_line):
        print("    " + ", ".join(form(v) for v in values[i : i + per_line]) + ",")
    print("};\n")


def classes():
    """Runs of one class: its lengths, those above 8191 in parts, and the class."""
    runs, previous = [], None
    for c in range(0x110000):
        surrogate = 0xD800 <= c < 0xE000
        k = 6 if c in SPACES else 0 if surrogate else CLASSES.get(ucd.category(chr(c))[0], 0)
        if k == previous and runs[-1] >> 3 < 8191:
            runs[-1] += 8
        else:
            runs.append(1 << 3 | k)
            previous = k
    return runs


def main():
    age = ages(sys.argv[1])
    known = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and age.get(c, 99.0) <= 9.0]
    print("/* unicode_tables.h - written by make_unicode.py, which says from what; not to be edited. Included by unicode.c alone. */\n")
    runs = classes()
    print("/* Runs of one class from U+0000 on: length << 3 | class; and the first code point of every 32nd. */")
    table("uint16_t", "class_runs", runs, lambda v: f"0x{v:X}", 18)
    table("uint32_t", "class_starts", [sum(v >> 3 for v in runs[:i]) for i in range(0, len(runs), 32)], lambda v: f"0x{v:X}", 16)

    marks, run = [], None
    for c in known:
        ccc = ucd.combining(chr(c))
        if not ccc:
            continue
        if run and run[2] == ccc and run[0] + run[1] == c and run[1] < 8:
            run[1] += 1
        else:
            run = [c, 1, ccc]
            marks.append(run)
    print("/* Combining classes: first code point << 11 | (length - 1) << 8 | class; runs of at most 8. */")
    table("uint32_t", "mark_runs", [c << 11 | (n - 1) << 8 | ccc for c, n, ccc in marks], lambda v: f"0x{v:X}", 14)

    decompositions, pairs, runs, tails = [], [], [], []
    for c in known:
        text = ucd.decomposition(chr(c))
        if not text or text[0] == "<":
            continue
        a, b = ([int(x, 16) for x in text.split()] + [0])[:2]
        if b and ucd.normalize("NFC", chr(c)) == chr(c):
            pairs.append((a, b, len(decompositions)))
        if not runs or c - (runs[-1] >> 12) != len(decompositions) - (runs[-1] & 0xFFF):
            runs.append(c << 12 | len(decompositions))
        tail = a >> 16 << 21 | b
        if tail not in tails:
            tails.append(tail)
        decompositions.append((a & 0xFFFF, tails.index(tail)))
    assert max(runs) < 1 << 32 and len(tails) <= 256
    print("/* Canonical decompositions, one step; Hangul is arithmetic, not here. Runs of neighbours: first code point << 12 | its index. Then for each index the")
    print(" * first part's lower 16 bits, and which of the tails: the first part's upper bits << 21 | second part (0: none). */")
    table("uint32_t", "decomposed_runs", runs, lambda v: f"0x{v:X}", 14)
    table("uint16_t", "first_parts", [a for a, _ in decompositions], lambda v: f"0x{v:X}", 18)
    table("uint8_t", "tail_of", [t for _, t in decompositions], str, 30)
    table("uint32_t", "tails", tails, lambda v: f"0x{v:X}", 14)
    print("/* Indices of the decompositions that compose again, in order of (first, second). */")
    table("uint16_t", "compositions", [i for _, _, i in sorted(pairs)], str, 26)


main()
