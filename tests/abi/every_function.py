"""every_function.py HEADER TEST: each function that the header declares is called in the test with NULL in place of its pointers."""
import pathlib
import re
import sys

header, test = (pathlib.Path(p).read_text() for p in sys.argv[1:])
declared = set(re.findall(r"^RETORT_API[^;{]*?\b(retort_\w+)\(", header, re.M))
missing = sorted(f for f in declared if not re.search(r"\b%s\(" % f, test))
if not declared or missing:
    sys.exit(f"{sys.argv[2]} does not call {', '.join(missing) or 'anything'}")
