"""The last stage, R1's recipe in miniature: reinforcement learning with verifiable rewards.

GRPO (Shao et al. 2024, DeepSeekMath, section 4.1): for each problem a group of completions is sampled, each is rewarded by rule, and its advantage is
its reward against the group's mean, in standard deviations. The reward is 1 for the exact answer after a thinking that ended, less up to a half for a
trace longer than the reference's. Each sample is used for one step only, so the ratio of old to new probability is 1 and nothing is clipped;
deliberately absent is the KL term against a reference model, which at this size and so few steps holds nothing that the small rate does not.

Problems come from training's side of the split. A task is drawn the more often the more of it fails now; a group whose samples are all right or all
wrong teaches nothing and is left out. Keep the result only if evaluate.py finds it better, row by row."""

import argparse
import json
import os
import pathlib
import random
import time

import torch
import torch.nn.functional as F

from evaluate import answer_of, quick, right
from export import load, read
from model import generate
from tasks import TASKS, example
from tokenizer import Encoder


def reward(e, encoder, ids):
    """1 for an exact answer, falling to a half from a tenth over the reference's length to twice the length."""
    if not right(e, answer_of(encoder.decode(ids))):
        return 0.0
    expected = len(encoder.completion(e.trace, e.answer))
    return 1 - 0.5 * min(1.0, max(0.0, len(ids) / expected - 1.1) / 0.9)


def log_probabilities(model, prompts, completions):
    """Of each completion's tokens, and which of the (rows, longest) places hold one."""
    rows = [p + c for p, c in zip(prompts, completions)]
    longest = max(map(len, rows))
    tokens = torch.zeros(len(rows), longest, dtype=torch.long)
    mine = torch.zeros(len(rows), longest, dtype=torch.bool)
    for n, (row, prompt) in enumerate(zip(rows, prompts)):
        tokens[n, : len(row)] = torch.tensor(row)
        mine[n, len(prompt) : len(row)] = True
    causal = torch.ones(longest - 1, longest - 1, dtype=torch.bool).tril()[None, None]
    logits = model(tokens[:, :-1], torch.arange(longest - 1)[None], causal)
    return -F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none").view(len(rows), -1), mine[:, 1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=pathlib.Path, help="a checkpoint of train.py, or a GGUF")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("ember-reinforced"), help="folder of the checkpoint and the log")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--problems", type=int, default=12, help="problems a step")
    parser.add_argument("--group", type=int, default=8, help="samples a problem")
    parser.add_argument("--limit", type=int, default=330, help="tokens a sample may take")
    parser.add_argument("--rate", type=float, default=3e-5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--look-rows", type=int, default=16, help="problems a task of the looks before and after")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    model, state = load(args.start) if args.start.suffix != ".gguf" else (read(args.start), {"step": 0, "seen": 0})
    encoder, rng = Encoder(), random.Random(args.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0)
    average = [p.detach().clone() for p in model.parameters()]
    failing = {task: 0.3 for task in TASKS}  # share of each task's samples that fail, of late
    args.out.mkdir(parents=True, exist_ok=True)
    log, began, step, seen = open(args.out / "log.jsonl", "a"), time.time(), 0, state["seen"]

    def note(**what):
        log.write(json.dumps(dict(reinforced=step, tokens=seen, **what)) + "\n")
        log.flush()
        print(f"step {step} " + json.dumps(what), flush=True)

    note(scores=quick(model, encoder, args.look_rows))
    while time.time() - began < 60 * args.minutes:
        problems = [example(rng, rng.choices(list(failing), [0.02 + f for f in failing.values()])[0]) for _ in range(args.problems)]
        prompts = [encoder.prompt(e.prompt) for e in problems for _ in range(args.group)]
        model.eval()
        samples = generate(model, prompts, encoder.end, args.limit, temperature=1.0, seed=args.seed * 1_000_000 + step)
        rewards = torch.tensor([reward(problems[n // args.group], encoder, ids) for n, ids in enumerate(samples)]).view(-1, args.group)
        for e, r in zip(problems, rewards):
            failing[e.task] += 0.1 * ((r == 0).float().mean().item() - failing[e.task])
        advantages = ((rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-4)).flatten()
        chosen = advantages.abs().gt(1e-3).nonzero()[:, 0].tolist()
        model.train()
        ended = [samples[n] + [encoder.end] * (len(samples[n]) < args.limit) for n in chosen]
        size = sum(map(len, ended))
        for at in range(0, len(chosen), args.group):
            part = chosen[at : at + args.group]
            logs, mine = log_probabilities(model, [prompts[n] for n in part], ended[at : at + args.group])
            (-(logs * mine * advantages[part, None]).sum() / size).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        step, seen = step + 1, seen + sum(map(len, samples))
        with torch.no_grad():
            torch._foreach_lerp_(average, [p.detach() for p in model.parameters()], max(1 / (step + 1), 0.05))
        if step % 10 == 0:
            note(reward=rewards.mean().item(), informative=len(chosen) / len(samples), seconds=time.time() - began, failing={t: round(f, 3) for t, f in failing.items()})
            torch.save(dict(average=average, config=model.config.dict(), step=state["step"], seen=seen), args.out / "checkpoint.pt")
    for p, a in zip(model.parameters(), average):
        p.data.copy_(a)
    torch.save(dict(average=average, config=model.config.dict(), step=state["step"], seen=seen), args.out / "checkpoint.pt")
    note(scores=quick(model, encoder, args.look_rows, seed=step))


if __name__ == "__main__":
    main()
