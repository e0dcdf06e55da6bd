"""The catalogue: every task with its share of the mix, its curriculum, and the one door to examples."""

from . import arithmetic, calendar, chat, letters, numbers, stories, units
from .common import Example, dress, is_held_out, phrase

# task: (generator, share of the mix, sizes allowed at the curriculum's stages 0, 1, 2). A size bounds digits (for products: of both factors together).
TASKS = {
    "add": (arithmetic.add, 0.9, (3, 5, 8)),
    "sub": (arithmetic.sub, 1.2, (3, 5, 8)),
    "mul": (arithmetic.mul, 1.2, (4, 5, 6)),
    "div": (arithmetic.div, 0.4, (3, 5, 5)),
    "sum3": (arithmetic.sum3, 1.0, (3, 4, 4)),
    "compare": (numbers.compare, 0.9, (4, 8, 8)),
    "sort": (numbers.sort, 1.0, (2, 3, 3)),
    "gcd": (numbers.gcd, 0.9, (2, 2, 2)),
    "prime": (numbers.prime, 1.4, (3, 3, 3)),
    "parity": (numbers.parity, 0.4, (3, 3, 3)),
    "weekday": (calendar.weekday, 0.8, (0, 0, 0)),
    "interval": (calendar.interval, 1.8, (0, 0, 0)),
    "units": (units.units, 0.5, (0, 0, 0)),
    "count": (letters.count, 1.1, (0, 0, 0)),
    "length": (letters.length, 1.5, (0, 0, 0)),
    "backwards": (letters.backwards, 1.9, (0, 0, 0)),
    "story1": (stories.story1, 1.2, (0, 0, 0)),
    "story2": (stories.story2, 1.0, (0, 0, 0)),
    "refusal": (chat.refusal, 1.4, (0, 0, 0)),
    "smalltalk": (chat.smalltalk, 1.0, (0, 0, 0)),
}


def example(rng, task, held_out=False, new_wording=False, stage=2, make=None):
    """One example. held_out: a problem never trained on; new_wording: a wording never trained on."""
    generator, _, sizes = TASKS[task]
    while True:
        problem = (make or generator)(rng, sizes[stage])
        if is_held_out(task, problem.key) == held_out:
            break
    prompt = dress(rng, phrase(rng, problem, new_wording), new_wording)
    return Example(task, prompt, problem.trace, problem.answer)


def mixture(rng, stage, only=None):
    names = only or list(TASKS)
    return example(rng, rng.choices(names, [TASKS[n][1] for n in names])[0], stage=stage)
