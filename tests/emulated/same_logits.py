#!/usr/bin/env python3
"""same_logits.py - another machine's program gives the very logits of this machine's: same_logits.py HERE "EMULATOR THERE" WORD QUESTION OPTION...

HERE and THERE are `retort` programs; each runs as its CPU lets it. The answer must hold WORD, so that not both are wrong in the same way."""
import json
import shlex
import subprocess
import sys

here, there, word, *words = sys.argv[1:]


def answer(program, *options):
    done = subprocess.run([*program, "run", "--json", "--proof", "--temp", "0", *options, *words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{program} failed: {done.stderr}")
    return json.loads(done.stdout)


wanted, got = answer([here]), answer(shlex.split(there), "--threads", "2")
if word not in got["text"] + got["reasoning"]:
    sys.exit(f"no {word} in {got}")
digests = [a["proof"]["logits_sha256"] for a in (wanted, got)]
if digests[0] != digests[1]:
    sys.exit(f"logits {digests[1]} are not this machine's {digests[0]}")
print(f"{word}, logits as here ({digests[0]})")
