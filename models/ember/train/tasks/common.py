"""What every task shares: the example, the split, the wordings and the written-out column work.

Invariants: a problem belongs to training or to evaluation by a hash of its own key, never by chance, so the two are disjoint by construction;
every fifth wording of a task is evaluation-only. Texts may hold RAW_ON..RAW_OFF around letters that must stay single-letter tokens (a word that was
just assembled letter by letter); only answers and traces may, never a prompt, because a prompt reaches the runtime as plain text."""

import hashlib
import re
from dataclasses import dataclass

RAW_ON, RAW_OFF = "\x01", "\x02"
PLACES = ["ones", "tens", "hundreds", "thousands", "tenthousands", "hundredthousands", "millions", "tenmillions", "hundredmillions"]


@dataclass
class Problem:
    key: tuple  # what makes the problem; decides its side of the split (None: always training's)
    slots: dict  # fills the wording
    trace: str  # the work inside <think>..</think>, without its last newline
    answer: str  # the sentence after </think>
    wordings: list  # templates; index % 5 == 4 is evaluation-only


@dataclass
class Example:
    task: str
    prompt: str
    trace: str
    answer: str


def is_held_out(task, key, share=8):
    """A key of None is a fact that no rule gives (is 1 prime?): it is learnt, never asked in an evaluation."""
    if key is None:
        return False
    digest = hashlib.blake2s(repr((task, key)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % share == 0


def varied(rng, wording):
    """One of the phrasings of a wording: each [this|that] in it becomes one of its alternatives."""
    return re.sub(r"\[([^][]*\|[^][]*)\]", lambda m: rng.choice(m[1].split("|")), wording)


OPENERS = ["Please tell me: ", "Hey, ", "Hi! ", "Can you help? ", "Question: ", "Quick question: ", "Tell me, ", "I need help. ", "Ember, "]
HELD_OPENERS = ["Hello Ember. ", "One more: "]
CLOSERS = [" Thanks.", " Please.", " Thank you!", " Show your work.", " Think step by step.", " please"]
HELD_CLOSERS = [" Think about it.", " Thank you."]


def dress(rng, text, held_out):
    """Everyday noise around a wording: an opener, a closer, lower case, a missing or doubled mark."""
    openers, closers = (HELD_OPENERS, HELD_CLOSERS) if held_out else (OPENERS, CLOSERS)
    chance = rng.random()
    if chance < 0.12:
        opener = rng.choice(openers)
        text = opener + (text[0].lower() + text[1:] if opener.endswith(", ") and not text[:2].isupper() else text)
    elif chance < 0.2:
        text += rng.choice(closers)
    if rng.random() < 0.1 and text[-1] in "?.":
        text = text[:-1]
    if rng.random() < 0.1:
        text = text[0].lower() + text[1:]
    return text


def number(rng, digits):
    """A number of exactly that many digits (one digit: 0..9)."""
    return rng.randrange(10 ** (digits - 1) if digits > 1 else 0, 10**digits)


def digits_of(n):
    """Digits from the ones upwards."""
    return [int(d) for d in reversed(str(n))]


def named(n):
    """4821 -> '4 thousands 8 hundreds 2 tens 1 ones': the copy in reading order that makes every later look-up a look-up by name."""
    d = digits_of(n)
    return " ".join(f"{d[i]} {PLACES[i]}" for i in reversed(range(len(d))))


def sum_lines(terms):
    """Columns with carries. 2 or 3 terms."""
    columns = [digits_of(t) for t in terms]
    lines = ["+".join(str(t) for t in terms), named(terms[0])] + ["+" + named(t) for t in terms[1:]]
    carry, place = 0, 0
    total = sum(terms)
    while place < max(len(c) for c in columns):
        parts = [c[place] for c in columns if place < len(c)] + ([carry] if carry else [])
        value = sum(parts)
        lines.append(f"{PLACES[place]}:" + "+".join(map(str, parts)) + (f"={value}" if len(parts) > 1 else ""))
        carry, place = value // 10, place + 1
    if carry:
        lines.append(f"{PLACES[place]}:{carry}")
    return lines + ["=" + named(total)], total


def minus_columns(a, b):
    """The columns of a - b with borrows; a >= b."""
    x, y, lines, borrow = digits_of(a), digits_of(b), [], 0
    for place, top in enumerate(x):
        taken = ([y[place]] if place < len(y) else []) + ([1] if borrow else [])
        text, value = "".join(f"-{t}" for t in taken), top - sum(taken)
        line = f"{PLACES[place]}:{top}{text}"
        if value < 0:
            line += f"<0,{top + 10}{text}={value + 10}"
        elif taken:
            line += f"={value}"
        lines.append(line)
        borrow = value < 0
    return lines


def difference_lines(a, b):
    return [f"{a}-{b}", named(a), "-" + named(b)] + minus_columns(a, b) + ["=" + named(a - b)], a - b


def minus_lines(a, b):
    """A step inside a longer work: numbers of at most two digits need no names of places."""
    return [f"{a}-{b}"] + minus_columns(a, b) + [f"={a - b}"]


def product_lines(a, b):
    """Column by column: the carry, then every digit product that falls on this place with its running sum."""
    x, y = digits_of(a), digits_of(b)
    lines = [f"{a}×{b}", named(a), "×" + named(b)]
    carry, place = 0, 0
    while place < len(x) + len(y) - 1 or carry:
        total, parts = carry, []
        for i in range(min(place, len(x) - 1), -1, -1):
            j = place - i
            if j < len(y):
                total += x[i] * y[j]
                parts.append(f"{PLACES[i]}×{PLACES[j]} {x[i]}×{y[j]}={x[i] * y[j]},{total}")
        if not parts:
            total = carry
        lines.append(f"{PLACES[place]} {carry}" + (":" + ";".join(parts) if parts else ""))
        if not parts:
            break
        carry, place = total // 10, place + 1
    product = a * b
    return lines + ["=" + named(product)], product


def quotient_lines(a, b):
    """Long division by one digit."""
    lines = [f"{a}÷{b}", named(a)]
    rest = 0
    for place, digit in reversed(list(enumerate(digits_of(a)))):
        part = rest * 10 + digit
        rest = part % b
        lines.append(f"{PLACES[place]}:{part}÷{b}={part // b} r{rest}")
    return lines + [f"={named(a // b)} r{rest}"], a // b, rest


def flat(lines):
    return "\n".join(lines)
