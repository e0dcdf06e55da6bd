#!/usr/bin/env python3
"""figures.py - the figures of the pages come from docs/measured.json, never from a hand.

    tools/figures.py            rewrites every marked block of the pages, and the plots, from the file
    tools/figures.py --check    changes nothing; fails where a page or a plot is not what the file says
    tools/figures.py --ember F  takes Ember's accuracy from F, which models/ember/train/evaluate.py --out F wrote, then rewrites

A block of a page stands between `<!-- figures NAME -->` and `<!-- /figures -->`. NAME is an entry under "measurements" of the file:

    what, machine, date, commit   said above the table. The commit is the one measured; in entries older than this file it is the one that
                                  wrote the figures into the page
    earlier                       true where the code measured has changed since; said above the table too
    command                       what repeats it: a line or a list of lines, or absent
    columns, rows                 the table, cell by cell; or, from tests/bench/bench.py --record NAME:
    limits, bench                 speeds as [median, least, most] over the repetitions, their shares of the limit, and the ratios to the peers

Under "plots" stand the drawings of bench entries: {"docs/FILE.svg": {"from": NAME, "row": ROW, "title": TEXT}}.

Only the standard library is used, and a plot is written number by number, so the same file gives the same bytes everywhere."""
import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILE = ROOT / "docs/measured.json"
WIDTH = 120
BLOCK = re.compile(r"(<!-- figures ([a-z0-9-]+) -->\n).*?(<!-- /figures -->)", re.S)
NEEDED = ("what", "machine", "date", "commit")


def load(path=FILE):
    return json.loads(path.read_text(encoding="utf-8"))


def dump(value, indent=0):
    """JSON with a line for each member, and for each element of a list: one changed figure is one changed line."""
    flat = json.dumps(value, ensure_ascii=False)
    if indent >= 4 or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, dict):
        inside = [f"{pad}{json.dumps(k, ensure_ascii=False)}: {dump(v, indent + 1)}" for k, v in value.items()]
    else:
        inside = [pad + dump(v, 4) for v in value]
    a, b = "{}" if isinstance(value, dict) else "[]"
    return f"{a}\n" + ",\n".join(inside) + f"\n{' ' * indent}{b}"


def save(data, path=FILE):
    path.write_text(dump(data) + "\n", encoding="utf-8")


def spread(values, digits=1):
    """'median (least..most)', or the one value where nothing was repeated."""
    middle, least, most = (f"{v:.{digits}f}" for v in values)
    return middle if least == most else f"{middle} ({least}..{most})"


def table(columns, rows):
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" if cells else "|" + "---|" * len(columns) for cells in [columns, None, *rows])


def limits_text(limits):
    """One sentence a limit."""
    said = []
    for limit in limits:
        threads = f"{limit['threads']} thread{'s' * (limit['threads'] > 1)}"
        peak = f", and {limit['kernels']} multiplies {spread(limit['int8_gmac_s'], 0)} G bytes/s" if limit.get("int8_gmac_s") else ""
        said.append(f"- Limits with {threads}: memory is read at {spread(limit['read_gb_s'], 0)} GB/s{peak}.")
    return "\n".join(said)


def bench_table(rows):
    """Tokens per second, of tests/bench/bench.py."""
    peers = list(dict.fromkeys(p for row in rows for p in row["tokens_per_s"] if p != "retort"))
    many = len({row["row"] for row in rows}) > 1
    lines = []
    for row in rows:
        speeds = row["tokens_per_s"]
        label = f"{row['row']}: " * many + f"{row['file']}, {row['work']}" + (f" at depth {row['depth']:,}" if row["depth"] else "")
        cells = [label, spread(speeds["retort"]), f"{row['of_limit']} %" if row.get("of_limit") is not None else "-"]
        for peer in peers:
            cells += [spread(speeds[peer]), f"{row['ratio'][peer]:.2f}x"] if peer in speeds else ["-", "-"]
        lines.append(cells)
    return table(["tokens/s", "retort", "of the limit", *(word for peer in peers for word in (peer, "ratio"))], lines)


def command_text(command):
    """A code block; a long command goes on after a backslash."""
    out = []
    for one in command if isinstance(command, list) else [command]:
        parts = [one] if len(one) <= WIDTH - 4 else textwrap.wrap(one, WIDTH - 6, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        out += [f"    {part} \\" for part in parts[:-1]] + [f"    {parts[-1]}"]
    return "\n".join(out)


def block(name, entry):
    """What stands between the markers."""
    if missing := [key for key in NEEDED if not entry.get(key)]:
        sys.exit(f"docs/measured.json: '{name}' lacks {', '.join(missing)}")
    since = " The code has changed since." if entry.get("earlier") else ""
    head = f"*{entry['what']}. {entry['machine']}. {entry['date']}, commit {entry['commit']}.{since}*"
    parts = [textwrap.fill(head, WIDTH, break_long_words=False, break_on_hyphens=False)]
    if entry.get("limits"):
        parts.append(limits_text(entry["limits"]))
    parts.append(bench_table(entry["bench"]) if "bench" in entry else table(entry["columns"], entry["rows"]))
    if entry.get("command"):
        parts.append("Repeat with\n\n" + command_text(entry["command"]))
    return "\n" + "\n\n".join(parts) + "\n\n"


def plot(rows, title):
    """An SVG of tokens/s over depth, a line an engine."""
    left, right, top, bottom, width, height = 52, 14, 30, 42, 640, 360
    curves = {}
    for row in rows:
        for engine, values in row["tokens_per_s"].items():
            curves.setdefault(engine, []).append((row["depth"], values[0]))
    x_max = max(x for points in curves.values() for x, _ in points)
    y_step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if max(y for points in curves.values() for _, y in points) / s <= 8)
    y_max = y_step * -(-max(y for points in curves.values() for _, y in points) // y_step)
    at_x = lambda x: f"{left + (width - left - right) * x / x_max:.1f}"
    at_y = lambda y: f"{height - bottom - (height - top - bottom) * y / y_max:.1f}"
    text = lambda x, y, words, more="": f'<text x="{x}" y="{y}" {more}>{words}</text>'
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#222">',
           f"<title>{title}</title>", f'<rect width="{width}" height="{height}" fill="#fff"/>', text(width / 2, 18, title, 'text-anchor="middle" font-size="14"')]
    for k in range(int(y_max / y_step) + 1):
        y = at_y(k * y_step)
        svg += [f'<path d="M{left} {y}H{width - right}" stroke="#ddd"/>', text(left - 6, y, f"{k * y_step:g}", 'text-anchor="end" dominant-baseline="middle"')]
    for x in sorted({x for points in curves.values() for x, _ in points}):
        svg += [f'<path d="M{at_x(x)} {top}V{height - bottom}" stroke="#ddd"/>', text(at_x(x), height - bottom + 16, f"{x:,}", 'text-anchor="middle"')]
    svg += [text((left + width - right) / 2, height - 8, "tokens in the context", 'text-anchor="middle"'),
            text(14, height / 2, "tokens/s generated", f'text-anchor="middle" transform="rotate(-90 14 {height / 2:g})"')]
    for (engine, points), colour, k in zip(curves.items(), ("#0b62a4", "#c8590a", "#2c7a3f", "#7a3fa0"), range(4)):
        points = sorted(points)
        svg.append(f'<polyline points="{" ".join(f"{at_x(x)},{at_y(y)}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        svg += [f'<circle cx="{at_x(x)}" cy="{at_y(y)}" r="3.5" fill="{colour}"/>' for x, y in points]
        svg += [f'<path d="M{width - 150} {top + 18 + 18 * k}h22" stroke="{colour}" stroke-width="2"/>', text(width - 122, top + 22 + 18 * k, engine)]
    return "\n".join([*svg, "</svg>"]) + "\n"


def ember(measurements, rows):
    """The two tables of Ember's card from the rows of evaluate.py. The bars of the means are the card's."""
    percent = lambda value, digits=1: f"{value:.{digits}f} %"
    inside = [r for r in rows.values() if r["task"] not in ("refusal", "smalltalk")]  # evaluate.py's IN_SCOPE
    mean = lambda kind, what="right": sum(r[kind][what] for r in inside) / len(inside)
    means = [["training's wordings", "", percent(mean("seen"))], ["unseen wordings", "", percent(mean("unseen"))],
             ["unseen wordings, of the training's", "92 %", percent(100 * mean("unseen") / mean("seen"), 0)],
             ["declined though in scope", "1 %", percent(mean("seen", "refused"), 2)],
             ["thinking that ended in time", "99.5 %", percent(mean("seen", "ended"), 2)]]
    if all("warm" in r for r in inside):
        means.append(["at temperature 0.6 and top-p 0.95, training's wordings", percent(mean("seen") - 2), percent(mean("warm"))])
    measurements["ember-accuracy"]["rows"] = [[label, f"{r['bar']} %" if r["bar"] is not None else "", percent(r["seen"]["right"]), percent(r["unseen"]["right"])]
                                              for label, r in rows.items()]
    measurements["ember-means"]["rows"] = means
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    some = next(iter(rows.values()))
    for name in ("ember-accuracy", "ember-means"):
        measurements[name].update(date=datetime.date.today().isoformat(), commit=commit)
    measurements["ember-accuracy"]["what"] = ("Exact answers of the shipped ember.gguf, greedy: "
                                              f"{some['seen']['n']:,} problems a row in training's wordings, {some['unseen']['n']:,} in unseen ones")


def wanted(data):
    """Path -> the text that it should have."""
    found = {}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "models/ember/README.md"]:
        text = path.read_text(encoding="utf-8")

        def fill(match):
            if match[2] not in data["measurements"]:
                sys.exit(f"{path.relative_to(ROOT)}: docs/measured.json has no measurement '{match[2]}'")
            return match[1] + block(match[2], data["measurements"][match[2]]) + match[3]

        if text.count("<!-- figures ") != len(BLOCK.findall(text)):
            sys.exit(f"{path.relative_to(ROOT)}: a figures marker is not closed, or its name has other letters than a-z, 0-9 and -")
        found[path] = BLOCK.sub(fill, text)
    for name, spec in data["plots"].items():
        rows = [row for row in data["measurements"][spec["from"]]["bench"] if row["row"] == spec["row"]]
        found[ROOT / name] = plot(rows, spec["title"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a page differs from the file, and change nothing")
    parser.add_argument("--ember", type=pathlib.Path, help="what evaluate.py --out wrote")
    given = parser.parse_args()
    check, differ, data = given.check, [], load()
    if given.ember:
        ember(data["measurements"], load(given.ember))
        save(data)
    for path, text in wanted(data).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            differ.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and differ:
        sys.exit(f"{', '.join(differ)}: not what docs/measured.json says; run tools/figures.py and commit what it writes")
    print("\n".join(f"wrote {name}" for name in differ) or "pages and plots are what docs/measured.json says")


if __name__ == "__main__":
    main()
