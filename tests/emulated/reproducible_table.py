#!/usr/bin/env python3
"""Joins what test_reproducible said on several machines into one table: a line a model, a column a kernel variant.

  reproducible_table.py LOG...     logs that hold its "row" lines: ctest's LastTest.log, those of the emulated machines

Each model has one expected SHA-256; a column says in how many cells of {threads, split, way} the variant gave it. The exit status is 1 where logs
expect different values, a cell was wrong, or there is no row at all. A variant that no log has run is named as not run.
"""
import sys


def read(path, models, seen):
    wrong = 0
    for line in open(path, errors="replace"):
        fields = line.rstrip("\r\n").split("\t")
        if fields[0] != "row" or len(fields) < 7:
            continue
        name, expected = " ".join(fields[1:5]), fields[5]
        known, cells = models.setdefault(name, (expected, {}))
        if known != expected:
            print(f"WRONG: {path}: {name} is expected to be {expected}, elsewhere {known}")
            wrong += 1
        for field in fields[6:]:
            variant, _, count = field.partition("=")
            seen.setdefault(variant, None)
            if count == "not run":
                continue
            right, of = map(int, count.split("/"))
            if right != of:
                print(f"WRONG: {path}: {name}: {variant} gave another value in {of - right} of {of} cells")
                wrong += 1
            cells[variant] = max(cells.get(variant, 0), right)
    return wrong


def main(paths):
    models, seen = {}, {}
    wrong = sum([read(path, models, seen) for path in paths])
    variants = list(seen)
    print("| model, type, size, KV | SHA-256 of all logits | " + " | ".join(variants) + " |")
    print("|---" * (2 + len(variants)) + "|")
    for name, (expected, cells) in models.items():
        print(f"| {name} | {expected[:16]} | " + " | ".join(str(cells.get(v, "not run")) for v in variants) + " |")
    for v in variants:
        n = sum(v in cells for _, cells in models.values())
        print(f"{v}: " + (f"the expected value in all {sum(cells.get(v, 0) for _, cells in models.values())} cells of {n} of {len(models)} models" if n else "NOT RUN"))
    print(f"{len(models)} models, one value each; {wrong} wrong" if models else "no rows")
    return 1 if wrong or not models else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        sys.exit(0 if len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help") else 2)
    sys.exit(main(sys.argv[1:]))
