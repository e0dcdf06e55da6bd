"""Writes case_table.h: Unicode case mappings as runs, from this Python's own str.upper, str.lower and str.title.

python3 runtime/template/make_case_table.py > runtime/template/case_table.h
"""
import unicodedata

CHARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def runs(change):
    """(first, last, delta, step): characters first, first+step, ... last each map to themselves + delta."""
    out = []
    for char in CHARS:
        mapped = change(char)
        if len(mapped) != 1 or mapped == char:
            continue
        c, delta = ord(char), ord(mapped) - ord(char)
        if out:
            first, last, d, step = out[-1]
            if d == delta and (c - last in (1, 2) if first == last else c - last == step):
                out[-1] = (first, c, d, c - last if first == last else step)
                continue
        out.append((c, c, delta, 1))
    return out


def table(name, kind, rows):
    print(f"static const {kind} {name}[] = {{")
    line = " "
    for row in rows:
        cell = " {" + ", ".join(row) + "},"
        if len(line) + len(cell) > 138:
            print(line)
            line = " "
        line += cell
    print(line + "\n};")


special = lambda change: [(c, change(c)) for c in CHARS if len(change(c)) > 1]
print("/* case_table.h - made by make_case_table.py from Unicode %s: do not edit. */" % unicodedata.unidata_version)
print("typedef struct case_run {\n  uint32_t first, last;\n  int32_t delta;\n  uint8_t step;\n} case_run;")
print("typedef struct case_special {\n  uint32_t from, to[3];\n} case_special;")
for name, change in (("upper_runs", str.upper), ("lower_runs", str.lower)):
    table(name, "case_run", [(f"0x{a:X}", f"0x{b:X}", str(d), str(s)) for a, b, d, s in runs(change)])
for name, rows in (("upper_special", special(str.upper)), ("lower_special", special(str.lower)),
                   ("title_special", [(c, c.title()) for c in CHARS if c.title() != c.upper()])):
    table(name, "case_special", [(f"0x{ord(c):X}", "{" + ", ".join(f"0x{ord(m):X}" for m in to) + "}") for c, to in rows])
