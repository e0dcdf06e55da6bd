#!/usr/bin/env python3
"""pages.py - what a page points to is there, its lines are of at most 120 columns, and the index has every page: pages.py [ROOT]

Of every Markdown file below ROOT: relative links lead to files (and their #anchors to headings); every file or folder of this tree that is named, in
backticks or in plain text, exists. A name counts when it begins with a folder of the root ("runtime/gguf/reader.c") or ends like a source file
("reader.c", found anywhere). Braces and stars are alternatives, as in a shell. What builds make (build/, dist/) is not looked for, nor what stands
in a block of code, but for lines that are too wide. Each page of docs/ is linked from docs/README.md.

Lines may be wider in two places: in a transcript of commands, whose output is the programs' (a fenced block that begins with "$ "), and where a
single word, an address or a link, does not fit."""
import fnmatch
import os
import pathlib
import re
import sys

WIDTH = 120
SOURCES = "c|h|py|mjs|js|ts|sh|cmake|wit|json|jinja"
MADE = ("build/", "dist/", "node_modules/")
# Names of products, and files of the reader's that pages take as examples.
EXAMPLES = {"Node.js", "main.js", "config.json", "tokenizer.json", "release-12/selftest.json", "selftest.json"}


def tree(root):
    """All files and folders below root, as paths from it."""
    found = set()
    for folder, folders, files in os.walk(root):
        at = os.path.relpath(folder, root)
        folders[:] = [f for f in folders if f not in (".git", "node_modules", "__pycache__") and not (at == "." and f in ("build", "dist"))]
        found.update(os.path.normpath(os.path.join(at, name)) for name in folders + files)
    return found


def alternatives(name):
    """a{b,c}d -> abd, acd."""
    m = re.search(r"\{([^{}]*,[^{}]*)\}", name)
    return [x for part in m[1].split(",") for x in alternatives(name[:m.start()] + part + name[m.end():])] if m else [name]


def anchors(text):
    """The names that a Markdown renderer gives the headings."""
    headings = re.findall(r"^#+ +(.*?) *$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def prose(lines):
    """(number, line) of what is no block of code."""
    fenced, blank = False, True
    for n, line in enumerate(lines, 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not (line.startswith("    ") and blank):
            yield n, line
            blank = not line.strip() or line.startswith("<!--")


def transcripts(text):
    """The numbers of the lines that show what commands print."""
    inside = set()
    for m in re.finditer(r"^```\n\$ .*?^```$", text, re.M | re.S):
        first = text.count("\n", 0, m.start()) + 1
        inside.update(range(first, first + m[0].count("\n")))
    return inside


def wrong(root, page, files, ends):
    """What is wrong with a page. `ends` are the files, and what is left of each path without its first folders."""
    text = page.read_text(encoding="utf-8")
    lines = text.split("\n")
    here, shown = page.relative_to(root), transcripts(text)
    for n, line in enumerate(lines, 1):
        if len(line) > WIDTH and n not in shown and max(map(len, line.split())) + len(line) - len(line.lstrip()) <= WIDTH:
            yield f"{here}:{n}: {len(line)} columns, {WIDTH} are allowed"
    if str(here) == "docs/README.md":
        for other in sorted(page.parent.glob("*.md")):
            if other != page and f"]({other.name}" not in text:
                yield f"{here}: {other.name} is not listed"
    for n, line in prose(lines):
        for target in map("".join, re.findall(r"\]\(([^)\s]+)\)|^\[[^]]+\]: (\S+)$", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            if not other.exists():
                yield f"{here}:{n}: the link {target} leads nowhere"
            elif anchor and anchor not in anchors(other.read_text(encoding="utf-8")):
                yield f"{here}:{n}: the link {target} leads to no heading"
        for name in re.findall(r"(?<![\w/:@<-])[\w.{][\w./{},*+-]*", re.sub(r"\]\([^)]*\)|[a-z]+://\S+", "", line)):
            name = name.rstrip(".,/").removeprefix("./")
            rooted = "/" in name and name.split("/")[0] in files
            if (rooted or re.search(rf"\w\.({SOURCES})$", name)) and not name.startswith(MADE) and name not in EXAMPLES:
                for one in alternatives(name):
                    if not (fnmatch.filter(ends, one) if "*" in one else one in (files if rooted else ends)):
                        yield f"{here}:{n}: there is no {one}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]).resolve()
    files = tree(root)
    ends = {f[at:] for f in files for at in (0, *(m.end() for m in re.finditer("/", f)))}
    pages = sorted(root / f for f in files if f.endswith(".md") and not f.startswith("tests/structure/broken/"))
    found = [w for page in pages for w in wrong(root, page, files, ends)]
    print("\n".join(found) or f"{len(pages)} pages read")
    sys.exit(bool(found) or not pages)


if __name__ == "__main__":
    main()
