"""Draws the training log: the loss over tokens, and the accuracy of each task over tokens."""

import argparse
import json
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

GROUPS = {
    "arithmetic": ["add", "sub", "mul", "div", "sum3"],
    "numbers": ["compare", "sort", "gcd", "prime", "parity"],
    "times, units": ["weekday", "interval", "units"],
    "letters": ["count", "length", "backwards"],
    "words": ["story1", "story2", "refusal", "smalltalk"],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.log.read_text().splitlines()]
    losses, looks = [r for r in rows if "loss" in r], [r for r in rows if "scores" in r]
    plt.figure(figsize=(7, 3.5))
    plt.semilogy([r["tokens"] / 1e6 for r in losses], [r["loss"] for r in losses], lw=1)
    plt.xlabel("tokens, millions")
    plt.ylabel("loss on the answers")
    plt.grid(alpha=0.3)
    plt.tight_layout()
    plt.savefig(args.folder / "loss.svg")
    figure, axes = plt.subplots(1, len(GROUPS), figsize=(14, 3.5), sharey=True)
    for axis, (title, tasks) in zip(axes, GROUPS.items()):
        for task in tasks:
            points = [(r["tokens"] / 1e6, 100 * r["scores"][task]) for r in looks if task in r["scores"]]
            axis.plot(*zip(*points), marker=".", lw=1, label=task)
        axis.set_title(title)
        axis.set_xlabel("tokens, millions")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    axes[0].set_ylabel("exact, % (small held-out samples)")
    figure.tight_layout()
    figure.savefig(args.folder / "accuracy.svg")


if __name__ == "__main__":
    main()
