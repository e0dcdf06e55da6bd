#!/usr/bin/env python3
"""record.py - has test_memory_faults try every request, and writes its figures into docs/measured.json and the pages: record.py PROGRAM MACHINE"""
import datetime
import json
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
program, machine = sys.argv[1:]
done = subprocess.run([program, "full"], capture_output=True, text=True)
if done.returncode:
    sys.exit(done.stdout + done.stderr)
lines = re.findall(r"^memory: (.*): (\d+) requests, (\d+) refused: (\d+) told, (\d+) of them as another error, (\d+) not needed$", done.stdout, re.M)
rows = [[name, *counts, "0"] for name, requests, *counts in lines]
measured = root / "docs/measured.json"
data = json.loads(measured.read_text(encoding="utf-8"))
commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
data["measurements"]["memory-faults"] = {
    "what": "Each request for memory refused in turn, the core's and its libraries'", "machine": machine, "date": str(datetime.date.today()), "commit": commit,
    "command": ["./build.sh test full", "build/venv/bin/python tests/faults/record.py build/test/tests/test_memory_faults MACHINE"],
    "columns": ["task", "refused", "told", "of these as another error", "not needed", "crashed, leaked, or not to be done again"], "rows": rows}
sys.path.insert(0, str(root / "tools"))
import figures

figures.save(data)
subprocess.run([sys.executable, root / "tools/figures.py"], check=True)
