#!/usr/bin/env python3
"""house.py - the walls of the house: who may see whom, and how large a part may be.

    house.py includes                reads every #include line
    house.py calls FOLDER=OBJECTS... reads what objects define and take from each other (nm); the objects of FOLDER's sources are below OBJECTS
    house.py form [--core-lines N]   columns, lines of a function, lines of the core
    house.py format CLANG_FORMAT     each C file is as clang-format would write it

    --root ROOT      another house than this one: broken/ is a small one in which every rule is broken once
    --expect FILE    succeeds where exactly the lines of FILE are found

runtime/ is a house of rooms; a room may see itself and the rooms below it. service/ stands on retort.h and the JSON library. The programs around
them see service/ and the public headers. Standard C headers are open to all; the operating system, instruction sets and libraries each to the rooms
that are named for it. Files do not call each other in a circle."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

# Room -> the rooms that it may see.
BELOW = {"base": (), "quant": ("base",), "kernels": ("quant", "base"), "gguf": ("trust", "base"), "trust": ("base",), "text": ("gguf", "base"),
         "template": ("text", "gguf", "base"), "model": ("kernels", "quant", "gguf", "base"),
         "generate": ("model", "kernels", "template", "text", "gguf", "base")}
NATIVE = ("commands", "models", "machine", "terminal")  # downwards; main.c sees all
PUBLIC = ("runtime/include/retort.h", "runtime/include/retort_platform.h")

# No clock, no signals, no threads, no locale in the core.
STANDARD = "assert ctype float inttypes limits math stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string".split()
INSTRUCTIONS = "immintrin cpuid arm_neon arm_acle wasm_simd128".split()
ALLOWED = {"kernels": INSTRUCTIONS, "quant": INSTRUCTIONS, "trust": ["sodium", "mbedtls/.*"], "base": ["jansson", *INSTRUCTIONS], "service": ["jansson"]}

COLUMNS, FUNCTION_LINES, CORE_LINES = 140, 60, 25000
HOUSES = ("runtime", "service", "native", "wasm", "web")


def c_files(root, *folders):
    return sorted(p.relative_to(root).as_posix() for f in folders for p in (root / f).rglob("*.[ch]") if "broken" not in p.relative_to(root).parts)


def place(path):
    """(house, room) of a file: ("runtime", "text"), ("native", "models"), ("native", "") of native/main.c."""
    parts = path.split("/")
    return parts[0], parts[1] if len(parts) > 2 else ""


def wall(a, b):
    """Why file `a` may not see file `b`; None where it may. Headers that are public are the caller's matter."""
    (house, room), (to_house, to_room) = place(a), place(b)
    if house == to_house == "runtime":
        if room != to_room and to_room not in (*BELOW.get(room, ()), "include"):
            return f"{room}/ may not look into {to_room}/"
        kind, to_kind = (p.split("/")[2] if room == "kernels" and p.count("/") > 2 else "" for p in (a, b))
        if to_room == "kernels" and b.count("/") > 2 and (room != "kernels" or kind and to_kind != kind):
            return "an instruction set is seen by kernels/ and by itself only"
    elif house == "runtime":
        return "the core may not look out of runtime/"
    elif to_house == "runtime":
        if house == "service" and b != PUBLIC[0]:
            return "service/ sees retort.h only"
        if b not in PUBLIC:
            return f"{house}/ sees retort.h and retort_platform.h only"
    elif house == to_house == "native" and room and NATIVE.index(room) > (NATIVE.index(to_room) if to_room else -1):
        return f"{room}/ may not look into {to_room or 'main.c'}{'/' if to_room else ''}"
    elif house != to_house and not (to_house == "service" and house in ("native", "wasm")):
        return f"{house}/ may not look into {to_house}/"
    return None


def includes(root):
    files = c_files(root, *HOUSES)
    for file in files:
        house, room = place(file)
        allowed = ALLOWED.get("service" if house == "service" else room, [])
        for quoted, angled in re.findall(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<(.+)\.h>)', (root / file).read_text(), re.M):
            if quoted:
                bases = (root / file).parent, root / "runtime", root / "runtime/include", root / "native", root
                found = next((p for b in bases if (p := pathlib.Path(os.path.normpath(b / quoted))).exists()), None)
                if not found:
                    yield f'{file} includes "{quoted}", which is nowhere'
                elif why := wall(file, target := found.relative_to(root).as_posix()):
                    yield f"{file} includes {target}: {why}"
            elif house in ("runtime", "service") and not any(re.fullmatch(p, angled) for p in (*STANDARD, *allowed)):
                yield f"{file} includes <{angled}.h>: {room or house}/ may not use it"


def symbols(root, objects):
    """file -> (defined, taken): global symbols of the objects; objects is [FOLDER=PATH]. What is left of a source that is gone does not count."""
    table = {}
    for folder, path in (pair.split("=", 1) for pair in objects):
        said = subprocess.run(["nm", "-A", "-P", *sorted(map(str, pathlib.Path(path).rglob("*.o")))], capture_output=True, text=True, check=True).stdout
        for at, name, kind in re.findall(r"^(.+)\.o: (\S+) (\S)", said, re.M):
            file = os.path.normpath(os.path.join(folder, os.path.relpath(at, path)))
            if kind.isupper() and (root / file).exists():
                table.setdefault(file, (set(), set()))[kind == "U"].add(name)
        if not any(file.startswith(folder) or folder == "." for file in table):
            sys.exit(f"there are no objects below {path}")
    return table


def calls(root, objects):
    table = symbols(root, objects)
    owner = {name: file for file, (defined, _) in table.items() for name in defined}
    graph = {}
    for file, (_, taken) in sorted(table.items()):
        for name in sorted(taken):
            target = owner.get(name)
            if not target or target == file:
                continue
            graph.setdefault(file, set()).add(target)
            # What programs may call is what the public headers declare: by its prefix.
            public = place(target)[0] == "runtime" and place(file)[0] != "runtime" and name.startswith("retort_")
            if not public and (why := wall(file, target)):
                yield f"{file} takes {name} of {target}: {why}"
    for circle in circles(graph):
        yield f"call each other in a circle: {' '.join(sorted(circle))}"


def circles(graph):
    """The sets of files of which each reaches each."""
    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for other in graph.get(todo.pop(), ()):
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return seen

    reach = {file: reached(file) for file in graph}
    return sorted({frozenset(b for b in reach[a] if a in reach.get(b, ())) for a in graph if a in reach[a]}, key=sorted)


def form(root, most):
    files = c_files(root, *HOUSES, "tests")
    for file in files:
        lines = (root / file).read_text().split("\n")
        for n, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield f"{file}:{n}: {len(line)} columns, {COLUMNS} are allowed"
        for first, last in functions(lines):
            if last - first + 1 > FUNCTION_LINES:
                name = re.match(r"[^(]*?(\w+)\(", lines[first - 1])[1]
                yield f"{file}: {name}() has {last - first + 1} lines, {FUNCTION_LINES} are allowed"
    lines = sum((root / f).read_text().count("\n") for f in files if f.startswith("runtime/"))
    if lines >= most:
        yield f"runtime/ has {lines} lines, less than {most} are allowed"
    print(f"{len(files)} files; runtime/ has {lines} lines")


def functions(lines):
    """(first, last) line of each function, as clang-format lays them out: from a line at the margin to the next "}" there."""
    first = None
    for n, line in enumerate(lines, 1):
        if re.match(r"[A-Za-z_]", line) and not line.endswith(";"):
            first = n
        elif line == "}" and first:
            head = " ".join(lines[first - 1:n]).split("{")[0]
            if "(" in head and "=" not in head:
                yield first, n
            first = None


def formatted(root, clang_format):
    files = c_files(root, *HOUSES, "tests")
    done = subprocess.run([clang_format, "--dry-run", "--ferror-limit=1", *files], cwd=root, capture_output=True, text=True)
    for file in sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: .*clang-format-violations", done.stderr, re.M))):
        yield f"{file} is not as clang-format writes it"
    if done.returncode:
        yield done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=("includes", "calls", "form", "format"))
    parser.add_argument("given", nargs="*")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--expect", type=pathlib.Path)
    parser.add_argument("--core-lines", type=int, default=CORE_LINES)
    args = parser.parse_intermixed_args()
    root = args.root.resolve()
    found = list({"includes": lambda: includes(root), "calls": lambda: calls(root, args.given), "form": lambda: form(root, args.core_lines),
                  "format": lambda: formatted(root, args.given[0])}[args.check]())
    print("\n".join(found) or "nothing wrong")
    wanted = args.expect.read_text().splitlines() if args.expect else []
    sys.exit(found != wanted)


if __name__ == "__main__":
    main()
