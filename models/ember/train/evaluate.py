"""Exact-match figures on problems and wordings that training never saw.

As a program it fills the model card's table: every row is so many problems that the split keeps from training, answered by the retort binary
(one process a problem, the file as it is shipped; PyTorch is not needed then) or, for a look at a checkpoint, by PyTorch. An answer counts when the whole sentence after
the thinking equals the expected one. Writes the figures as JSON and prints them as Markdown."""

import argparse
import concurrent.futures
import json
import pathlib
import random
import subprocess

from tasks import TASKS, arithmetic, chat, example
from tasks.common import RAW_OFF, RAW_ON

IN_SCOPE = [t for t in TASKS if t not in ("refusal", "smalltalk")]
# label, bar in per cent (None: no bar), task, generator if it is not the task's own
ROWS = [
    ("+ up to 4 digits", 99.5, "add", lambda r, m: arithmetic.add(r, 4)),
    ("− up to 4 digits", 99.5, "sub", lambda r, m: arithmetic.sub(r, 4)),
    ("+ up to 8 digits", 98, "add", lambda r, m: arithmetic.add(r, 8)),
    ("− up to 8 digits", 98, "sub", lambda r, m: arithmetic.sub(r, 8)),
    ("three-term sums", None, "sum3", None),
    ("× 2 by 1 digits", 99, "mul", lambda r, m: arithmetic.product(r, 2, 1)),
    ("× 2 by 2 digits", 98, "mul", lambda r, m: arithmetic.product(r, 2, 2)),
    ("× 3 by 2 digits", 96, "mul", lambda r, m: arithmetic.product(r, 3, 2)),
    ("× 3 by 3 digits", 93, "mul", lambda r, m: arithmetic.product(r, 3, 3)),
    ("÷ up to 5 by 1 digits", 96, "div", None),
    ("gcd", 96, "gcd", None),
    ("primes", 96, "prime", None),
    ("even or odd", 96, "parity", None),
    ("comparison", 96, "compare", None),
    ("sorting", 96, "sort", None),
    ("weekdays", 95, "weekday", None),
    ("times", 95, "interval", None),
    ("units", 95, "units", None),
    ("counting a letter", 95, "count", None),
    ("word length", 95, "length", None),
    ("backwards", 95, "backwards", None),
    ("word problems, one step", 95, "story1", None),
    ("word problems, two steps", 90, "story2", None),
    ("greetings, who are you", None, "smalltalk", None),
    ("refusals out of scope", 95, "refusal", None),
]


def plain(text):
    return text.replace(RAW_ON, "").replace(RAW_OFF, "")


def answer_of(text):
    """The part behind the thinking; None where the thinking never ended."""
    _, end, answer = text.partition("</think>")
    return answer.strip() if end else None


def right(e, answer):
    return answer == plain(e.answer)


def exact(model, encoder, examples, limit):
    """Fraction of exact answers by PyTorch, all in one batch; marks each example with what was given."""
    import torch

    from model import generate, has_bfloat16

    model.eval()
    device = model.embed.weight.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=has_bfloat16(device)):
        outputs = generate(model, [encoder.prompt(e.prompt) for e in examples], encoder.end, limit)
    for e, ids in zip(examples, outputs):
        e.given = answer_of(encoder.decode(ids))
    return sum(right(e, e.given) for e in examples) / len(examples)


def quick(model, encoder, rows, stage=2, tasks=None, seed=0, limit=330):
    """Fraction of exact answers per task, a few rows each, all tasks in one batch."""
    rng = random.Random(f"quick.{seed}")
    examples = [example(rng, t, held_out=True, stage=stage) for t in tasks or TASKS for _ in range(rows)]
    exact(model, encoder, examples, limit)
    return {t: sum(right(e, e.given) for e in examples if e.task == t) / rows for t in tasks or TASKS}


class Binary:
    """Answers through `retort run`, several processes at once."""

    def __init__(self, program, model, budget, jobs):
        self.command, self.jobs = [program, "run", "--allow-unsigned", "-m", model, "--json", "-t", "1", "--max-tokens", str(budget)], jobs

    def one(self, prompt, temperature, seed):
        sampling = ["--temp", str(temperature)] + (["--top-p", "0.95", "--seed", str(seed)] if temperature else [])
        done = subprocess.run(self.command + sampling + ["--", prompt], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{prompt!r}: {done.stderr.strip()}")
        result = json.loads(done.stdout)
        return result["text"].strip() if result["finish_reason"] == "stop" else None

    def answers(self, prompts, temperature):
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(lambda p: self.one(p[1], temperature, p[0]), enumerate(prompts, 1)))


class Torch:
    """Answers through PyTorch, in batches."""

    def __init__(self, checkpoint, budget, threads):
        import torch

        from export import load
        from tokenizer import Encoder

        torch.set_num_threads(threads)
        self.model, self.encoder, self.budget = load(checkpoint)[0], Encoder(), budget

    def answers(self, prompts, temperature):
        from model import generate

        out = []
        for start in range(0, len(prompts), 100):
            ids = generate(self.model, [self.encoder.prompt(p) for p in prompts[start : start + 100]], self.encoder.end, self.budget, temperature, 0.95, seed=start)
            out += [answer_of(self.encoder.decode(i)) for i in ids]
        return out


def measure(source, examples, temperature=0.0):
    answers = source.answers([e.prompt for e in examples], temperature)
    for e, a in zip(examples, answers):
        e.given = a
    n = len(examples)
    return dict(n=n, right=100 * sum(right(e, a) for e, a in zip(examples, answers)) / n, ended=100 * sum(a is not None for a in answers) / n, refused=100 * sum(a == chat.REFUSAL for a in answers) / n)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file (with --retort) or a checkpoint")
    parser.add_argument("--retort", help="the program to measure through")
    parser.add_argument("--rows", type=int, default=1000, help="problems a row")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--budget", type=int, default=400, help="tokens an answer may take, thinking included")
    parser.add_argument("--only", help="only these tasks, comma-separated")
    parser.add_argument("--warm", action="store_true", help="repeat each row at temperature 0.6, top-p 0.95")
    parser.add_argument("--out", type=pathlib.Path, help="write the figures here as JSON")
    parser.add_argument("--wrong", type=pathlib.Path, help="write the wrong answers here, for a look")
    args = parser.parse_args()
    source = Binary(args.retort, args.model, args.budget, args.jobs) if args.retort else Torch(args.model, args.budget, args.jobs)
    rng, figures, wrong = random.Random(2026), {}, []
    print("| | bar | exact | unseen wordings |" + (" at temperature 0.6 |" if args.warm else "") + "\n|---|---|---|---|" + ("---|" if args.warm else ""))
    for label, bar, task, make in ROWS:
        if args.only and task not in args.only.split(","):
            continue
        seen = [example(rng, task, held_out=True, make=make) for _ in range(args.rows)]
        unseen = [example(rng, task, held_out=True, new_wording=True, make=make) for _ in range(args.rows // 4)]
        row = figures[label] = dict(bar=bar, task=task, seen=measure(source, seen), unseen=measure(source, unseen))
        wrong += [dict(task=e.task, prompt=e.prompt, expected=plain(e.answer), given=e.given) for e in seen + unseen if not right(e, e.given)]
        if args.warm:
            row["warm"] = measure(source, seen, 0.6)
        print(f"| {label} | {'' if bar is None else f'{bar} %'} | {row['seen']['right']:.1f} % | {row['unseen']['right']:.1f} % |" + (f" {row['warm']['right']:.1f} % |" if args.warm else ""), flush=True)
    inside = [f for f in figures.values() if f["task"] in IN_SCOPE]
    if inside:
        mean = lambda kind, what: sum(f[kind][what] for f in inside) / len(inside)  # noqa: E731
        print(f"\nIn scope, mean of the rows: {mean('seen', 'right'):.1f} % exact, {mean('unseen', 'right'):.1f} % with unseen wordings; refused though in scope: {mean('seen', 'refused'):.2f} %; thinking ended in time: {mean('seen', 'ended'):.2f} %.")
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    if args.wrong:
        args.wrong.write_text("".join(json.dumps(w, ensure_ascii=False) + "\n" for w in wrong))


if __name__ == "__main__":
    main()
