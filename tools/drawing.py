#!/usr/bin/env python3
"""drawing.py - docs/house.svg: the rooms of the project and who includes whom, from the #include lines as they are.

    tools/drawing.py            draws it
    tools/drawing.py --check    changes nothing; fails where the drawing is not what the code says

A room is a folder of runtime/, or one of the folders around it. It stands one floor above the highest room that it includes. An arrow says
"includes"; one that a longer way says too is left out (a room that sees model/ may see what model/ sees). The public headers are the bar between the
core and what is built on it: everything above sees the core through them alone, and everything below may include them."""
import argparse
import html
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FILE = ROOT / "docs/house.svg"
# Room -> its column in the drawing, and what it is.
OUTSIDE = {"native": (0, "the retort program"), "wasm": (2, "WebAssembly modules"), "service": (1, "what both need above the core")}
CORE = {"generate": (1, "sessions, sampling, drafts"), "model": (0, "architectures, KV cache"), "template": (2, "chat templates"),
        "text": (1, "tokenizers, Unicode"), "kernels": (0, "matrix products, attention"), "quant": (0, "block formats"), "gguf": (1, "reader, writer"),
        "trust": (2, "signatures"), "base": (1, "memory, checks, own math")}
BOX, GAP_X, GAP_Y, MARGIN = (190, 46), 56, 40, 16


def room_of(path):
    """"text" of runtime/text/vocab.c, "native" of native/main.c, "include" of the public headers; None of other files."""
    parts = path.parts
    if parts[0] == "runtime" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in OUTSIDE else None


def rooms():
    """Room -> the rooms that it includes."""
    files = [p for folder in ("runtime", *OUTSIDE) for end in "ch" for p in (ROOT / folder).rglob(f"*.{end}") if (ROOT / folder).is_dir()]
    seen = {}
    for file in files:
        path = file.relative_to(ROOT)
        if "hosts" in path.parts or "tests" in path.parts or not (room := room_of(path)):
            continue
        below = seen.setdefault(room, set())
        for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', file.read_text(encoding="utf-8"), re.M):
            for base in (file.parent, ROOT / "runtime", ROOT / "runtime/include", ROOT, ROOT / path.parts[0]):
                target = (base / name).resolve()
                if target.exists() and target.is_relative_to(ROOT):
                    other = room_of(target.relative_to(ROOT))
                    below |= {other} - {None, room}
                    break
    return seen


def reached(graph, room):
    return {r for other in graph[room] for r in {other} | reached(graph, other)}


def reduced(graph):
    return {room: {b for b in below if not any(b in reached(graph, c) for c in below - {b})} for room, below in graph.items()}


def floors(graph):
    height = {}

    def of(room):
        if room not in height:
            height[room] = 1 + max(map(of, graph[room]), default=-1)
        return height[room]

    for room in graph:
        of(room)
    return [[r for r in graph if height[r] == h] for h in sorted(set(height.values()), reverse=True)]


def drawing():
    seen = rooms()
    unknown = set(seen) - set(OUTSIDE) - set(CORE) - {"include"}
    if unknown:
        sys.exit(f"tools/drawing.py: say in CORE or OUTSIDE where and what {', '.join(sorted(unknown))} is")
    for room in seen:
        if room in reached(seen, room):
            sys.exit(f"tools/drawing.py: {room} includes what includes {room}")
    core = reduced({r: seen[r] - {"include"} for r in CORE if r in seen})
    top = reduced({r: (seen[r] & set(OUTSIDE)) for r in OUTSIDE if r in seen})
    bad = {r: seen[r] - set(OUTSIDE) - {"include"} for r in OUTSIDE if r in seen}
    for room, others in bad.items():
        if others:
            sys.exit(f"tools/drawing.py: {room} looks past the public headers into {', '.join(sorted(others))}")
    rows, column = [*floors(top), ["include"], *floors(core)], {r: c for r, (c, _) in {**OUTSIDE, **CORE}.items()}
    step = BOX[0] + GAP_X
    at = {room: (MARGIN + column.get(room, 0) * step, MARGIN + y * (BOX[1] + GAP_Y)) for y, row in enumerate(rows) for room in row}
    width, height = 2 * MARGIN + 2 * step + BOX[0], 2 * MARGIN + len(rows) * (BOX[1] + GAP_Y) - GAP_Y
    if len(set(at.values())) < len(at):
        sys.exit("tools/drawing.py: two rooms stand in one place; give one of them another column")
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#222" text-anchor="middle">',
           "<title>The rooms of retort; arrows point to what a room includes</title>", f'<rect width="{width}" height="{height}" fill="#fff"/>',
           '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>']
    bar, all_below = at["include"][1], {**core, **top}
    arrow = lambda path: svg.append(f'<path d="{path}" stroke="#555" fill="none" marker-end="url(#tip)"/>')
    bend = lambda x1, y1, x2, y2: f"C{x1:g} {(y1 + y2) / 2:g} {x2:g} {(y1 + y2) / 2:g} {x2:g} {y2:g}"
    for room, below in sorted(all_below.items()):
        (x, y), y1 = at[room], at[room][1] + BOX[1]
        if room in top and not below:  # stands on the public headers
            arrow(f"M{x + BOX[0] / 2:g} {y1}V{bar - 2}")
        targets = sorted(below, key=lambda b: at[b])
        for k, other in enumerate(targets):
            users = sorted((u for u, b in all_below.items() if other in b), key=lambda u: (column[u], -at[u][1]))
            x1, x2 = x + BOX[0] * (k + 1) / (len(targets) + 1), at[other][0] + BOX[0] * (users.index(room) + 1) / (len(users) + 1)
            y2, next_top = at[other][1] - 2, y1 + GAP_Y
            in_between = [r for r in at if column.get(r) == column[room] and y < at[r][1] < at[other][1]]
            if column[room] == column[other] and not in_between:
                x1 = x2
            if in_between:  # past the rooms below, between two columns
                side = x + BOX[0] + GAP_X / 2 if column[other] >= column[room] else x - GAP_X / 2
                arrow(f"M{x1:g} {y1}{bend(x1, y1, side, next_top)}V{y2 - GAP_Y + 2:g}{bend(side, y2 - GAP_Y + 2, x2, y2)}")
            else:
                arrow(f"M{x1:g} {y1}V{y2 - GAP_Y + 2:g}{bend(x1, y2 - GAP_Y + 2, x2, y2)}")
    svg += [f'<rect x="{MARGIN}" y="{bar}" width="{width - 2 * MARGIN}" height="{BOX[1]}" rx="4" fill="#fbe3d3" stroke="#a3430f"/>',
            f'<text x="{width / 2:g}" y="{bar + 20}" font-weight="bold">runtime/include</text>',
            f'<text x="{width / 2:g}" y="{bar + 37}" font-size="11">retort.h and retort_platform.h: the contract. Above: what is built on the core. Below: the core.</text>']
    for room, (_, words) in {**OUTSIDE, **CORE}.items():
        if room in at:
            x, y = at[room]
            name = room + "/" if room in OUTSIDE else f"runtime/{room}"
            fill = "#e9f1ea" if room in OUTSIDE else "#eef2f8"
            svg += [f'<rect x="{x:g}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" rx="4" fill="{fill}" stroke="#667"/>',
                    f'<text x="{x + BOX[0] / 2:g}" y="{y + 20}" font-weight="bold">{name}</text>',
                    f'<text x="{x + BOX[0] / 2:g}" y="{y + 37}" font-size="11">{html.escape(words)}</text>']
    return "\n".join([*svg, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where the drawing is not what the code says, and change nothing")
    text = drawing()
    if parser.parse_args().check:
        if not FILE.exists() or FILE.read_text(encoding="utf-8") != text:
            sys.exit("docs/house.svg is not what the includes say; run tools/drawing.py, look at it, and commit it")
    else:
        FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
