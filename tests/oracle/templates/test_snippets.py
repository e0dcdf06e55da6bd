"""Renders every snippet with Python jinja2 and with the C engine: same text, or an error on both sides.

So is the project's own chat template on every conversation. --write FOLDER stores the results (templates_golden.json) for
tests/template/test_template.c, which needs no Python.
"""
import argparse
import json
import pathlib
import sys

import conversations
import hf
import snippets

# Where this engine refuses what Python can do, on purpose: each with the words that its message must hold.
REFUSED = {
    "{{ 10 ** 30 }}": "64 bits", "{{ 9223372036854775807 + 1 }}": "64 bits", "{{ 9223372036854775807 * 2 }}": "64 bits", "{{ big ** 2 }}": "64 bits",
    "{{ (-9223372036854775807 - 1) // -1 }}": "64 bits", "{{ (-8) ** 0.5 }}": "complex", "{{ s|striptags }}": "not supported",
    "{{ é }}": "ASCII", "{{ self }}": "", "{{ d.items }}": "call it", "{{ d|items }}": "generator",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--write")
    args = parser.parse_args()
    env, engine = hf.environment(), hf.Engine(args.driver)
    failures = errors = refused = 0
    golden = []
    every = list(dict.fromkeys(snippets.snippets()))
    for source in every:
        want, want_error = hf.reference(env, source, snippets.VARIABLES)
        errors += want_error is not None
        if source in REFUSED:
            got, message, _ = engine.render(source, snippets.VARIABLES)
            if message is None or REFUSED[source] not in message:
                failures += 1
                print(f"{source!r} should be refused: {got!r} {message}")
            refused += 1
            golden.append({"template": source, "refused": True})
            continue
        difference = hf.compare(env, engine, source, snippets.VARIABLES)
        if difference:
            failures += 1
            print(f"{source!r}: {difference}")
        golden.append({"template": source, "error": True} if want_error else {"template": source, "text": want})
    own = pathlib.Path(__file__).parents[2] / "data" / "templates" / "turns.jinja"
    chats = []
    for title, variables in conversations.all_conversations():
        want, want_error = hf.reference(env, own.read_text(), variables)
        difference = hf.compare(env, engine, own.read_text(), variables)
        if difference:
            failures += 1
            print(f"{own.name}, {title}: {difference}")
        if len(json.dumps(variables)) < 3000 and variables["add_generation_prompt"]:
            chats.append({"variables": variables, "error": True} if want_error else {"variables": variables, "text": want})
    engine.close()
    print(f"{len(every)} snippets compared ({errors} of them errors on both sides, {refused} refused on purpose), {failures} differences")
    if args.write:
        lines = lambda rows: ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
        with open(pathlib.Path(args.write) / "templates_golden.json", "w", encoding="utf-8") as file:
            file.write('{"made_by": "tests/oracle/templates/test_snippets.py --write tests/data, with Python jinja2 %s",\n"variables": %s,\n"cases": [\n%s\n],\n"chats": [\n%s\n]}\n'
                       % (hf.jinja2.__version__, json.dumps(snippets.VARIABLES, ensure_ascii=True), lines(golden), lines(chats)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
