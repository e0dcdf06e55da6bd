"""What every task shares: the example, the split, the wordings and the written-out column work.

Invariants: a problem belongs to training or to evaluation by a hash of its own key, never by chance, so the two are disjoint by construction;
every fifth wording of a task is evaluation-only. Texts may hold RAW_ON..RAW_OFF around letters that must stay single-letter tokens (a word that was
just assembled letter by letter); only answers and traces may, never a prompt, because a prompt reaches the runtime as plain text."""

import functools
import hashlib
import itertools
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
    composed: list = ()  # more templates, of training only: see nouns, verbs, clauses and reports


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
    """One of the phrasings of a wording: each [this|that] in it, innermost first, becomes one of its alternatives."""
    while (chosen := CHOICE.sub(lambda m: rng.choice(m[1].split("|")), wording)) != wording:
        wording = chosen
    return wording


CHOICE = re.compile(r"\[([^][]*\|[^][]*)\]")
# The frames of composed wordings: whole sentences around a noun phrase, an imperative, a question and an indirect question.
NOUN = "[|[What is|What's|What would be|So what is|And what is|How much is|Find|Give|Give me|Tell me|Show me|Work out|Figure out|Determine|State|Say|I need|I want|I want to know|I'd like|Please find|Please give|Can you find|Can you tell me|Could you work out|Would you find|Let me know|How about|Do you know] ]%s[?|.|, please.|]"
VERB = "[|Please |Can you |Could you |Would you |Will you |Now |I want you to |I need you to |Try to |Let us |Help me |Help me to |Task: |Next, |I have to ]%s[.|?|, please.| for me.|]"
CLAUSE = "[|Tell me: |So |And |Now |I wonder: |Do you know: |Question: |Say, |Help me: ]%s[?|?|]"
REPORT = "[Tell me|Say|I want to know|I need to know|Do you know|Can you tell me|Could you tell me|Can you say|Find out|Work out|Figure out|Let me know|I'd like to know|I wonder|Please say|Please tell me|Show me|Would you check] %s[.|?|]"


def nouns(*phrases):
    return [NOUN % p for p in phrases]


def verbs(*phrases):
    return [VERB % p for p in phrases]


def clauses(*phrases):
    return [CLAUSE % p for p in phrases]


def reports(*phrases):
    return [REPORT % p for p in phrases]


def plain_form(wording):
    """A wording without marks, capitals and courtesies, for telling whether two are the same sentence."""
    return re.sub(r"^(please|now|so|and|next|tell me|question) | (please|for me)$", "", " ".join(re.findall(r"[a-z']+|\{\w+\}|[^\s\w.,:;?!{}]", wording.lower())))


def tidy(text):
    """What composing leaves behind: doubled spaces, spaces before marks, small letters after a full stop."""
    text = re.sub(r" +([.,;?])", r"\1", re.sub(r"  +", " ", text)).strip()
    return re.sub(r"[.?] [a-z]", lambda m: m[0].upper(), text)


def expansions(wording):
    """Every phrasing of a wording."""
    found = CHOICE.search(wording)
    if not found:
        return {wording}
    return {whole for choice in found[1].split("|") for whole in expansions(wording[: found.start()] + choice + wording[found.end() :])}


@functools.cache
def held_forms(wordings):
    return {plain_form(w) for held in wordings[4::5] for w in expansions(held)}


def phrase(rng, problem, held_out):
    """A sentence for a problem. A trained one that says what an evaluation-only one says, but for marks, capitals and courtesies, is drawn again."""
    while True:
        if problem.composed and not held_out and rng.random() < 0.5:
            text = tidy(varied(rng, rng.choice(problem.composed)))
            text = text[0].upper() + text[1:] if rng.random() < 0.7 else text
        else:
            text = varied(rng, rng.choice([w for i, w in enumerate(problem.wordings) if (i % 5 == 4) == held_out]))
        if held_out or plain_form(text) not in held_forms(tuple(problem.wordings)):
            return text.format(**problem.slots)


OPENERS = ["Please tell me: ", "Hey, ", "Hi! ", "Can you help? ", "Question: ", "Quick question: ", "Tell me, ", "I need help. ", "Ember, ", "Hello! ", "Hello. ", "Hi Ember, ", "Dear Ember, ", "Good morning. ", "One question: ", "Next: ",
           "Another one: ", "Now this: ", "Okay, ", "OK: ", "So, ", "Well, ", "Here is a question. ", "My teacher asks: ", "Homework: ", "I was wondering, ", "Just tell me: ", "Let me ask: ", "First question: ", "The last one: ",
           "A short one: ", "Excuse me, ", "Sorry, ", "By the way, ", "It is raining. ", "I like numbers. ", "My friend asked me this. ", "I have a test tomorrow. ", "Let us try this. ", "Hey Ember! ", "Good evening, Ember. ", "Two more: "]
HELD_OPENERS = ["Hello Ember. ", "One more: "]
CLOSERS = [" Thanks.", " Please.", " Thank you so much.", " Show your work.", " Think step by step.", " please", " Think carefully.", " Take your time.", " Be careful.", " Explain.", " Show the steps.", " Thanks in advance.", " Cheers.",
           " Answer briefly.", " Go step by step.", " I need it fast.", " thx", " Can you do it?", " I am not sure.", " Check it.", " Think first.", " Let me know.", " Do not guess.", " Thanks a lot!", " What do you think?", " I forgot it.", " Think hard about this."]
HELD_CLOSERS = [" Think about it.", " Thank you."]


def dress(rng, text, held_out):
    """Everyday noise around a wording: an opener, a closer, lower case, a missing mark, a doubled space."""
    openers, closers = (HELD_OPENERS, HELD_CLOSERS) if held_out else (OPENERS, CLOSERS)
    chance = rng.random()
    if chance < 0.15:
        opener = rng.choice(openers)
        text = opener + (text[0].lower() + text[1:] if opener.endswith(", ") and not text[:2].isupper() else text)
    elif chance < 0.3:
        text += rng.choice(closers)
    if rng.random() < 0.1 and text[-1] in "?.":
        text = text[:-1]
    if rng.random() < 0.1:
        text = text[0].lower() + text[1:]
    if not held_out and rng.random() < 0.02:
        text = text.replace(" ", "  ", 1)
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
        if len(terms) == 3 and len(parts) > 2:  # step by step: the sum of four digits at once is a fact too many
            so_far = itertools.accumulate(parts)
            lines.append(f"{PLACES[place]}:{next(so_far)}" + "".join(f"+{p}={s}" for p, s in zip(parts[1:], so_far)))
        else:
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
