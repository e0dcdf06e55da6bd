"""A few problems of each row of the model card's table, by the program that fills it (models/ember/train/evaluate.py), on the shipped file.

Four problems a row say nothing about accuracy; they show that the recipe's evaluation still runs and counts. Most sums and differences must be right:
a file that lost its arithmetic is another matter than one that a wording misleads."""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAIN, MODEL = ROOT / "models/ember/train", ROOT / "models/ember/ember.gguf"
parser = argparse.ArgumentParser()
parser.add_argument("--retort", required=True)
arguments = parser.parse_args()
sys.dont_write_bytecode = True
sys.path.insert(0, str(TRAIN))
from evaluate import ROWS  # noqa: E402


def evaluate(*words):
    """The printed rows, {label: [bar, exact, unseen wordings]}, the figures and the wrong answers."""
    with tempfile.TemporaryDirectory() as folder:
        out, wrong = pathlib.Path(folder, "out.json"), pathlib.Path(folder, "wrong.jsonl")
        command = [sys.executable, "-B", str(TRAIN / "evaluate.py"), str(MODEL), "--retort", arguments.retort, "--rows", "4", "--out", str(out), "--wrong", str(wrong), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        cells = [[c.strip() for c in line.strip("|").split("|")] for line in done.stdout.splitlines() if line.startswith("|")][2:]
        return {c[0]: c[1:] for c in cells}, json.loads(out.read_text()), [json.loads(line) for line in wrong.read_text().splitlines()], done.stdout


class Evaluate(unittest.TestCase):
    def test_the_table(self):
        rows, figures, wrong, text = evaluate()
        self.assertEqual(list(rows), [label for label, *_ in ROWS])
        for label, (bar, exact, unseen) in rows.items():
            row = figures[label]
            self.assertEqual((exact, unseen), (f"{row['seen']['right']:.1f} %", f"{row['unseen']['right']:.1f} %"))
            self.assertEqual((row["seen"]["n"], row["unseen"]["n"]), (4, 1))
        missed = sum(row[kind]["n"] * (100 - row[kind]["right"]) / 100 for row in figures.values() for kind in ("seen", "unseen"))
        self.assertEqual(len(wrong), round(missed))
        self.assertTrue(all(w["given"] != w["expected"] for w in wrong), wrong)
        sums = [label for label in rows if re.match("[+−] up to", label)]
        self.assertEqual(len(sums), 4)
        # Sixteen problems of rows that the file answers to 99 % (the card): thirteen or fewer right would be one case in two thousand.
        self.assertGreaterEqual(sum(figures[label]["seen"]["right"] for label in sums) / 25, 14, [w for w in wrong if w["task"] in ("add", "sub")])
        self.assertRegex(text, r"In scope, mean of the rows: [0-9.]+ % exact")

    def test_an_answer_cut_short_does_not_count(self):
        rows, figures, wrong, _ = evaluate("--only", "add", "--budget", "12")
        self.assertEqual([row[1:] for row in rows.values()], [["0.0 %", "0.0 %"]] * 2)
        self.assertEqual(figures["+ up to 4 digits"]["seen"]["ended"], 0)
        self.assertEqual(len(wrong), 10)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
