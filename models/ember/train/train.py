"""Trains Ember. Resumable: a checkpoint holds weights, both optimisers' state, the averaged weights and the step, and the step alone
decides the data (every batch has its own seed; with --hard the weights choose from it), so an interrupted run goes on as if nothing had happened.

Muon (Jordan et al. 2024: momentum, then the nearest orthogonal matrix by Newton-Schulz) moves the matrices, AdamW the embedding, norms and
biases. The exported weights are an exponential average of the trained ones, which stands in for a decay of the learning rate at any time."""

import argparse
import json
import math
import multiprocessing
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded: a forked worker cannot use its parent's pool of threads
import torch
import torch.nn.functional as F

from evaluate import Binary, exact, measure, quick
from export import load, read, write
from model import Config, Ember, grown, has_bfloat16
from tasks import arithmetic, example, mixture
from tokenizer import Encoder

IGNORE = -100
SMOKE_STEPS, SMOKE_BAR = 400, 0.6


def drawn(encoder, rng, size, length, draw):
    """Examples of size tokens and a little more, as (prompt, completion); those longer than a row are drawn again."""
    examples = []
    while size > 0:
        e = draw(rng)
        prompt, completion = encoder.prompt(e.prompt), encoder.completion(e.trace, e.answer)
        if len(prompt) + len(completion) <= length + 1:
            examples.append((prompt, completion))
            size -= len(prompt) + len(completion) - 1
    return examples


def packed(examples, rows, length):
    """Whole examples in rows, longest first. Tokens, targets (IGNORE off the completions), the place in examples (from 1) that each position belongs to."""
    tokens, targets, owner = torch.zeros(rows, length, dtype=torch.long), torch.full((rows, length), IGNORE), torch.zeros(rows, length, dtype=torch.long)
    used = [0] * rows
    for n, (prompt, completion) in sorted(enumerate(examples, 1), key=lambda e: -len(e[1][0]) - len(e[1][1])):
        need = len(prompt) + len(completion) - 1
        row = min((r for r in range(rows) if used[r] + need <= length), key=used.__getitem__, default=None)
        if row is None:
            continue
        at = slice(used[row], used[row] + need)
        tokens[row, at] = torch.tensor((prompt + completion)[:-1])
        targets[row, at] = torch.tensor([IGNORE] * (len(prompt) - 1) + completion)
        owner[row, at] = n
        used[row] += need
    return tokens, targets, owner


def losses_of(model, tokens, targets, owner):
    """Each position's loss, 0 off the completions."""
    t = tokens.shape[1]
    causal = torch.ones(t, t, dtype=torch.bool, device=tokens.device).tril()
    mask = (owner[:, :, None] == owner[:, None, :]) & causal
    positions = torch.arange(t, device=tokens.device)[None]
    logits = model(tokens, positions, mask[:, None])
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORE, reduction="none")


class Muon:
    def __init__(self, parameters, momentum=0.95, decay=0.05):
        self.groups = {}
        for p in parameters:  # (tall matrices are turned, so that all of one shape are orthogonalised at once)
            self.groups.setdefault(tuple(sorted(p.shape)), []).append(p)
        self.momentum, self.decay = momentum, decay
        self.state = {shape: torch.zeros(len(ps), *shape, device=ps[0].device) for shape, ps in self.groups.items()}

    @torch.no_grad()
    def step(self, rate):
        for shape, ps in self.groups.items():
            g = torch.stack([p.grad if p.shape == shape else p.grad.T for p in ps])
            m = self.state[shape].mul_(self.momentum).add_(g, alpha=1 - self.momentum)
            x = g.lerp(m, self.momentum)
            x = x.bfloat16() if has_bfloat16(x.device.type) else x
            x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
            for _ in range(5):
                a = x @ x.mT
                x = 3.4445 * x + (-4.775 * a + 2.0315 * (a @ a)) @ x
            x = x.float() * (0.2 * math.sqrt(shape[1]))
            for p, u in zip(ps, x):
                p.mul_(1 - rate * self.decay).add_(u if p.shape == shape else u.T, alpha=-rate)


def rate_at(step, args):
    """Warm-up, then constant; with --decay-from the last stretch falls to a twentieth."""
    rate = min(1.0, (step + 1) / args.warmup)
    if args.decay_from is not None and step > args.decay_from:
        rate *= max(0.05, 1 - (step - args.decay_from) / max(1, args.steps - args.decay_from))
    return rate * args.rate


def stage_at(step, args):
    return 0 if step < args.stages[0] else 1 if step < args.stages[1] else 2


def save(path, **state):
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").rename(path)


class Team:
    """Workers of one thread each that share the weights and take small batches from one counter: on busy cores nobody waits for long,
    and one thread a process uses a core better than two threads an operation. Every worker sums its gradients into its own shared buffer."""

    def __init__(self, model, args, encoder, draw):
        self.model, self.args, self.encoder, self.draw = model.share_memory() if args.workers > 1 else model, args, encoder, draw
        self.parameters = list(model.parameters())
        size = sum(p.numel() for p in self.parameters)
        self.gradients = torch.zeros(args.workers, size, device=args.device)
        self.losses = torch.zeros(args.workers)
        context = multiprocessing.get_context("fork")
        self.taken, self.barrier = context.Value("l", 0), context.Barrier(args.workers)
        if args.workers > 1:
            self.gradients.share_memory_()
            self.losses.share_memory_()
        self.context = context

    def start(self, step):
        self.helpers = [self.context.Process(target=self.help, args=(rank, step), daemon=True) for rank in range(1, self.args.workers)]
        for h in self.helpers:
            h.start()
        signal.signal(signal.SIGCHLD, self.check)
        self.join(0)

    def check(self, *_):
        """On the end of any child: without one of the team, the others would wait at the barrier for ever."""
        if not all(h.is_alive() for h in self.helpers):
            self.end()
            raise SystemExit("a worker died (out of memory?); the same command goes on from the last checkpoint")

    def join(self, rank):
        self.rank, at = rank, 0
        for p in self.parameters:  # backward adds into these views
            p.grad = self.gradients[rank, at : at + p.numel()].view_as(p)
            at += p.numel()
        self.losses_of = torch.compile(losses_of) if self.args.compile else losses_of

    def end(self):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for h in self.helpers:
            h.kill()

    def help(self, rank, step):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the first worker ends the team, after its checkpoint
        self.join(rank)
        while True:
            self.work(step)
            step += 1

    def work(self, step):
        """This worker's part of a step; returns when all parts are done."""
        args = self.args
        self.gradients[self.rank].zero_()
        self.losses[self.rank] = 0
        self.barrier.wait()
        while True:
            with self.taken.get_lock():
                part = self.taken.value
                self.taken.value += 1
            if part >= args.parts:
                break
            examples = self.examples(random.Random(f"{args.seed}.{step}.{part}"), 0.97 * args.rows * args.length, lambda rng: self.draw(rng, step))
            losses, targets, _ = self.measured(examples)
            loss = losses.sum() / (targets != IGNORE).sum() / args.parts
            loss.backward()
            self.losses[self.rank] += loss.detach()
        self.barrier.wait()

    def measured(self, examples):
        """Each position's loss, its target and the place of its example in the list, from 1."""
        data = [t.to(self.args.device) for t in packed(examples, self.args.rows, self.args.length)]
        with torch.autocast(self.args.device, dtype=torch.bfloat16, enabled=has_bfloat16(self.args.device)):
            return self.losses_of(self.model, *data), *data[1:]

    def examples(self, rng, size, draw):
        """Enough to fill a part. With --hard, only what the model does not know yet, and one in twenty of the rest: a look without a gradient costs
        a third of a step, and nearly all that a step would teach lies in these few (Jiang et al. 2019, Selective-Backprop)."""
        args = self.args
        if args.hard is None:
            return drawn(self.encoder, rng, size, args.length, draw)
        kept = []
        while size > 0:
            examples = drawn(self.encoder, rng, 0.97 * args.rows * args.length, args.length, draw)
            with torch.no_grad():
                losses, _, owner = self.measured(examples)
            worst = torch.zeros(len(examples) + 1).scatter_reduce(0, owner.cpu().flatten(), losses.cpu(), "amax")[1:]
            for e, w in zip(examples, worst.tolist()):
                if w > -math.log(args.hard) or rng.random() < 0.05:
                    kept.append(e)
                    size -= len(e[0]) + len(e[1]) - 1
        return kept

    def step(self, step):
        """The whole team's mean loss; the gradients lie in the parameters of the first worker."""
        self.taken.value = 0
        self.work(step)
        for other in self.gradients[1:]:
            self.gradients[0] += other
        return self.losses.sum().item()


def run(args, config=None, draw=None, score=None):
    """Trains, and returns the last look's scores. config, draw (rng, step -> Example) and score (model, step -> dict) default to Ember and all its tasks."""
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    encoder, config = Encoder(), config or Config(layers=args.layers)
    config.vocab = encoder.size
    model = Ember(config).to(args.device)
    only = args.tasks.split(",") if args.tasks else None
    draw = draw or (lambda rng, step: mixture(rng, stage_at(step, args), only))
    score = score or (lambda model, step: quick(model, encoder, args.look_rows, stage_at(step, args), only, seed=step))
    team = Team(model, args, encoder, draw)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    muon, adam = Muon(matrices), torch.optim.AdamW(others, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0)
    average = [p.detach().clone() for p in model.parameters()]
    step, seen = 0, 0
    checkpoint = out / "checkpoint.pt"
    source = pathlib.Path(args.start) if args.start else checkpoint
    if source.suffix == ".gguf":
        model.load_state_dict(read(source).state_dict())
        average = [p.detach().clone() for p in model.parameters()]
    elif source.exists():
        state = torch.load(source, map_location=args.device, weights_only=True)
        if state["config"]["layers"] < config.layers:
            model.load_state_dict(grown(state["model"], config.layers))
            average, step, seen = [p.detach().clone() for p in model.parameters()], 0, state["seen"]
        else:
            model.load_state_dict(state["model"])
            adam.load_state_dict(state["adam"])
            muon.state = {tuple(k): v for k, v in state["muon"]}
            average, step, seen = state["average"], state["step"], state["seen"]
    elif args.start:
        raise SystemExit(f"{source}: no such checkpoint")
    shadow = Ember(config).to(args.device)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, from step {step}, {seen:,} tokens", flush=True)
    log = open(out / "log.jsonl", "a")
    team.start(step)

    def write():
        save(checkpoint, model=model.state_dict(), adam=adam.state_dict(), muon=list(muon.state.items()), average=average, step=step, seen=seen, config=config.dict())

    def look():
        for p, a in zip(shadow.parameters(), average):
            p.data.copy_(a)
        scores = score(shadow, step)
        print(f"step {step} tokens {seen:,} " + " ".join(f"{k} {v:.0%}" for k, v in scores.items()), flush=True)
        log.write(json.dumps(dict(step=step, tokens=seen, scores=scores)) + "\n")
        log.flush()
        return scores

    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    began, clock, losses = time.time(), time.time(), []
    saved = looked = time.time()
    while not stop and step < args.steps and (args.minutes is None or time.time() - began < 60 * args.minutes):
        losses.append(team.step(step))
        rate = rate_at(step, args)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for group in adam.param_groups:
            group["lr"] = rate
        adam.step()
        muon.step(rate)
        step, seen = step + 1, seen + args.parts * args.rows * args.length
        with torch.no_grad():
            torch._foreach_lerp_(average, [p.detach() for p in model.parameters()], max(1 / (step + 1), 1 / args.average))
        if step % 50 == 0:
            now, mean = time.time(), sum(losses) / len(losses)
            print(f"step {step} tokens {seen:,} loss {mean:.4f} rate {rate:.1e} {len(losses) * args.parts * args.rows * args.length / (now - clock):,.0f} tok/s {(now - began) / 60:.1f} min", flush=True)
            log.write(json.dumps(dict(step=step, tokens=seen, loss=mean, seconds=now - began)) + "\n")
            clock, losses = now, []
        if time.time() - looked > 60 * args.look:
            look()
            looked = clock = time.time()
            losses = []
        if time.time() - saved > 60 * args.save:
            write()
            saved = time.time()
    write()
    team.end()
    return look()


def smoke(args):
    """The recipe in a minute: a model of 0.4 M parameters learns sums of up to 2 digits and must answer at least SMOKE_BAR of 200 that it never saw,
    by PyTorch and, given --retort, exported and through that program too."""
    args.rows, args.length, args.steps, args.compile, args.average, args.warmup, args.look = 4, 128, SMOKE_STEPS, False, 40, 20, 1e9
    config = Config(width=96, layers=3, heads=3, kv_heads=1, hidden=256)

    def make(rng, most):
        return arithmetic.add(rng, 2)

    rng = random.Random(9)
    unseen = [example(rng, "add", held_out=True, make=make) for _ in range(200)]
    with tempfile.TemporaryDirectory() as folder:
        args.out = folder
        reached = run(args, config, lambda rng, step: example(rng, "add", make=make), lambda model, step: {"PyTorch": exact(model, Encoder(), unseen, 80)})
        if args.retort:
            write(load(f"{folder}/checkpoint.pt")[0], f"{folder}/smoke.gguf")
            reached["the exported file"] = measure(Binary(args.retort, f"{folder}/smoke.gguf", 80, 2), unseen)["right"] / 100
    print("smoke: " + ", ".join(f"{share:.0%} by {source}" for source, share in reached.items()) + f" of 200 unseen sums exact; at least {SMOKE_BAR:.0%} expected")
    return 0 if min(reached.values()) >= SMOKE_BAR else 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="ember-run", help="folder of the checkpoint and the log")
    parser.add_argument("--start", help="checkpoint to start from instead of the one in --out; or a GGUF, whose weights start a new run (take another --seed)")
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--rows", type=int, default=4, help="rows of a part")
    parser.add_argument("--parts", type=int, default=4, help="parts of a step, shared out among the workers")
    parser.add_argument("--workers", type=int, default=2, help="processes (1 on an accelerator)")
    parser.add_argument("--length", type=int, default=320)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=100)
    parser.add_argument("--decay-from", type=int, help="step where the learning rate starts to fall, until --steps")
    parser.add_argument("--stages", type=int, nargs=2, default=(400, 900), help="steps where the curriculum moves on")
    parser.add_argument("--average", type=float, default=300, help="steps the average of the weights reaches back")
    parser.add_argument("--hard", type=float, metavar="P", help="train on the examples alone of which a token is given less than this probability, and one in twenty of the rest")
    parser.add_argument("--tasks", help="only these, comma-separated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, default=Config.layers, help="a checkpoint of fewer grows: the new layers change nothing at first")
    parser.add_argument("--threads", type=int, default=1, help="threads of each worker")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--save", type=float, default=4, help="minutes between checkpoints")
    parser.add_argument("--look", type=float, default=6, help="minutes between looks at the accuracy")
    parser.add_argument("--look-rows", type=int, default=16)
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--smoke", action="store_true", help="a minute's miniature of the whole recipe; fails below its stated accuracy")
    parser.add_argument("--retort", help="with --smoke: the program that must read the exported miniature")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    if arguments.smoke:
        sys.exit(smoke(arguments))
    run(arguments)
