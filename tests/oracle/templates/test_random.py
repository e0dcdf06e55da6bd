"""Random templates from the language's pieces, with a fixed seed: the same text as Python jinja2, or an error on both sides.

Where this engine refuses what Python can do, its message says that it is not supported (or has no room), and the case is counted apart. So
is what jinja2 itself answers in two ways: slices of constants that have none, like (2)[1:], are undefined when its optimiser folds them, and an
error when they are computed. This engine computes.
"""
import argparse
import random
import re
import sys
import warnings

import hf
import snippets

ATOMS = ["s", "e", "u", "ws", "n", "z", "neg", "f", "t", "no", "none_value", "l", "words", "nested", "empty", "mixed", "d", "ed", "people", "quotes", "m", "missing", "d.b", "d.b.c", "people[0]",
         "1", "2", "-1", "0.5", "true", "none", "'a'", "'l'", "''", "'é'", "' '", "','", "[1, 2]", "(1, 'a')", "{'k': 1}", "range(4)", "'a,b,c'", "'</think>'", "x", "x", "loop.index", "'%s'", "'{}'"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "is", "+", "~", "~", "in", "=="]
FILTERS = ["upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "join", "join(',')", "list", "string", "int", "float", "default('q')", "d('q', true)", "tojson", "tojson(indent=2)",
           "sort", "unique|list", "reverse", "reverse|list", "replace('a', 'bb')", "replace('l', '')", "abs", "round", "min", "max", "sum", "items|list", "dictsort", "map('string')|list", "map('upper')|join('-')",
           "select|list", "reject('none')|list", "select('string')|list", "map(attribute='name')|list", "selectattr('age')|list", "batch(2)|list", "indent", "indent(2, true)", "center(9)", "trim('a')", "count",
           "map('first')|list", "map('length')|list", "sort(reverse=true)", "select('in', 'abc')|list", "tojson(sort_keys=true)", "map('default', 'z')|list", "attr('x')", "sort(attribute='name')|map(attribute='name')|join"]
METHODS = ["upper()", "split()", "split(',')", "split('l')", "split(' ', 1)", "strip()", "strip('a')", "lstrip()", "rstrip('dl')", "startswith('H')", "endswith('x')", "replace('l', 'L')", "items()", "keys()|list",
           "values()|list", "get('a')", "get('zz', 3)", "title()", "capitalize()", "find('l')", "rfind('l')", "count('l')", "count(1)", "index(1)", "join(words)", "join('ab')", "splitlines()", "partition('l')",
           "rsplit('l', 1)", "zfill(5)", "removeprefix('He')", "isupper()", "islower()", "format(1, 2)", "rpartition(' ')", "split('</think>')", "swapcase()", "lower().upper()"]
TESTS = ["defined", "undefined", "none", "not none", "string", "number", "mapping", "iterable", "sequence", "odd", "even", "true", "false", "boolean", "integer", "float", "lower", "upper", "divisibleby(2)", "eq(1)", "in([1, 2, 'a'])", "gt(0)", "sameas(none)"]
SLICES = ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "['a']", "['name']", ".a", ".b", ".name", ".c", "[1]", "[-2:]", "[::2]", "[5]", "['x']", ".items", "[1:][0]", "[n]", "[2:0:-1]", "['b']['c']"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def expression(self, depth):
        if depth <= 0 or self.random.random() < 0.15:
            return self.pick(ATOMS)
        inner = self.expression(depth - 1)
        kind = self.random.randrange(11)
        if kind == 0:
            return f"({inner})"
        if kind in (1, 2):
            return f"{inner} {self.pick(BINARY[:-6])} {self.expression(depth - 1)}" if self.random.random() < 0.8 else f"({inner}) {self.pick(BINARY)} ({self.expression(depth - 1)})"
        if kind in (3, 4):
            return f"({inner})|{self.pick(FILTERS)}" if self.random.random() < 0.5 else f"{inner}|{self.pick(FILTERS)}"
        if kind == 5:
            return f"({inner}).{self.pick(METHODS)}"
        if kind == 6:
            return f"({inner}){self.pick(SLICES)}"
        if kind == 7:
            return f"{inner} is {self.pick(TESTS)}"
        if kind == 8:
            return f"{inner} if {self.expression(depth - 1)} else {self.expression(depth - 1)}"
        if kind == 9:
            return f"[{inner}, {self.expression(depth - 1)}]" if self.random.random() < 0.6 else "{'a': " + inner + ", " + self.expression(0) + ": 2}"
        return f"not {inner}" if self.random.random() < 0.5 else f"-{inner}"

    def block(self, depth):
        tag = lambda text: "{%" + self.pick(["", "", "", "-", "+"]) + " " + text + " " + self.pick(["", "", "", "-", "+"]) + "%}"
        space = lambda: self.pick(["", "", " ", "\n", "\n  ", " \n", "a", "b\n", "  c  ", "\t", "\n\n", "é"])
        parts = [space()]
        for _ in range(self.random.randrange(1, 4)):
            kind = self.random.randrange(10) if depth > 0 else 0
            body = self.block(depth - 1) if kind else ""
            e = self.expression(2)
            if kind < 3:
                parts.append("{{" + self.pick(["", "-"]) + " " + self.expression(2) + " " + self.pick(["", "-"]) + "}}")
            elif kind == 3:
                parts.append(tag(f"if {e}") + body + (tag("else") + self.block(depth - 1) if self.random.random() < 0.5 else "") + tag("endif"))
            elif kind == 4:
                parts.append(tag(f"for x in {self.pick(['l', 'words', 'd', 's', 'people', 'nested', 'empty', 'd.items()', 'range(3)', e])}" + (f" if {e}" if self.random.random() < 0.2 else "")) + body
                             + (tag(f"if {self.expression(1)}") + tag(self.pick(["break", "continue"])) + tag("endif") if self.random.random() < 0.3 else "") + space()
                             + (tag("else") + self.block(0) if self.random.random() < 0.3 else "") + tag("endfor"))
            elif kind == 5:
                parts.append(tag(f"set x = {e}"))
            elif kind == 6:
                parts.append(tag("set x") + body + tag("endset") + "{{ x }}")
            elif kind == 7:
                parts.append("{#" + self.pick(["", "-"]) + " c " + self.pick(["", "-"]) + "#}")
            elif kind == 8:
                parts.append(tag("macro f(x, y=2)") + body + tag("endmacro") + "{{ f(" + self.expression(1) + ") }}")
            else:
                parts.append(tag(f"filter {self.pick(['upper', 'trim', 'length', 'replace(1, 2)', 'title', 'indent'])}") + body + tag("endfilter"))
            parts.append(space())
        return "".join(parts)


ADDRESS = re.compile(r"<(generator|built-in|bound|function|dict_|list_rev|class|Macro|callable_iterator|filter|map|reversed|.{0,60} object|.{0,60} at 0x)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # Python comments on what it compiles
    env, engine = hf.environment(), hf.Engine(args.driver)
    maker = Maker(args.seed)
    failures = errors = refused = texts = folded = 0
    for i in range(args.count):
        source = "{{ " + maker.expression(3) + " }}" if i % 3 else maker.block(2)
        want, error = hf.reference(env, source, snippets.VARIABLES)
        if want is not None and ADDRESS.search(want):
            continue  # shows Python's insides
        got, message, _ = engine.render(source, snippets.VARIABLES)
        if want is not None and message is not None and ("not supported" in message or "64 bits" in message or "has no text" in message):
            refused += 1
            continue
        if want is not None and message is not None and "cannot be sliced" in message:
            folded += 1
            continue
        if (want is None) != (got is None) or want != got:
            failures += 1
            if failures <= 30:
                print(f"{source!r}\n  python: {want!r} {error!r}\n  retort: {got!r} {message}"[:700])
        errors += want is None
        texts += want is not None
    engine.close()
    print(f"seed {args.seed}: {texts} texts and {errors} errors compared, {refused} refused as not supported, {folded} folded, {failures} differences")
    return 1 if failures or texts < args.count // 4 else 0


if __name__ == "__main__":
    sys.exit(main())
