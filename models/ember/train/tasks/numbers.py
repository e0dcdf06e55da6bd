"""Comparing, sorting, gcd, even/odd and primes: facts about whole numbers."""

from .common import PLACES, Problem, digits_of, flat, named, number

LARGER = ["Which is larger, {a} or {b}?", "Which number is bigger: {a} or {b}?", "What is larger, {a} or {b}?", "Which is greater, {a} or {b}?", "Is {a} or {b} larger?",
          "Which of {a} and {b} is larger?", "Compare {a} and {b}. Which is larger?", "Which is more, {a} or {b}?", "Tell me the larger of {a} and {b}.", "Is {a} or {b} the bigger number?",
          "What is the maximum of {a} and {b}?", "Which is bigger, {a} or {b}?", "Pick the larger number: {a}, {b}.", "max({a}, {b})", "Which one is larger: {a} or {b}?"]
SMALLER = ["Which is smaller, {a} or {b}?", "Which number is smaller: {a} or {b}?", "What is smaller, {a} or {b}?", "Which is less, {a} or {b}?", "Is {a} or {b} smaller?",
           "Which of {a} and {b} is smaller?", "Compare {a} and {b}. Which is smaller?", "What is less, {a} or {b}?", "Tell me the smaller of {a} and {b}.", "Is {a} or {b} the smaller number?",
           "What is the minimum of {a} and {b}?", "Which is the smaller one, {a} or {b}?", "Pick the smaller number: {a}, {b}.", "min({a}, {b})", "Which one is smaller: {a} or {b}?"]
UPWARDS = ["Sort {items}.", "Sort these numbers: {items}.", "Put {items} in order.", "Sort {items} from smallest to largest.", "Order {items} from small to large.",
           "Sort the list {items}.", "Arrange {items} in ascending order.", "Sort {items} in ascending order.", "Please sort the numbers {items}.", "List {items} from lowest to highest.",
           "Order these numbers: {items}.", "Put these numbers in order: {items}.", "sort: {items}", "Sort [{items}].", "Arrange the numbers {items} from smallest to largest."]
DOWNWARDS = ["Sort {items} from largest to smallest.", "Sort {items} in descending order.", "Order {items} from large to small.", "Arrange {items} in descending order.", "List {items} from highest to lowest.",
             "Sort these numbers from largest to smallest: {items}.", "Put {items} in descending order.", "Sort the list {items} in descending order.", "Order {items} from largest to smallest.",
             "Arrange the numbers {items} from largest to smallest."]
GCD = ["What is the gcd of {a} and {b}?", "gcd({a}, {b})", "Find the greatest common divisor of {a} and {b}.", "What is the greatest common divisor of {a} and {b}?", "gcd of {a} and {b}",
       "Compute gcd({a}, {b}).", "Greatest common divisor of {a} and {b}?", "Calculate the gcd of {a} and {b}.", "What is gcd({a}, {b})?", "Find gcd of {a} and {b}.",
       "What is the largest number that divides both {a} and {b}?", "What is the greatest common factor of {a} and {b}?", "Find the gcd of {a} and {b}.", "What's the gcd of {a} and {b}?", "GCD of {a} and {b}?"]
PRIME = ["Is {n} prime?", "Is {n} a prime number?", "Is {n} a prime?", "Is the number {n} prime?", "Is {n} prime or not?", "Check if {n} is prime.", "Tell me whether {n} is prime.",
         "{n} prime?", "Decide whether {n} is a prime number.", "Can you check whether {n} is prime?", "Prime or not: {n}?", "is {n} prime", "Would you say {n} is a prime number?",
         "Test {n} for being prime.", "Is {n} one of the primes?"]
PARITY = ["Is {n} even or odd?", "Is {n} odd or even?", "Is the number {n} even or odd?", "Even or odd: {n}?", "{n}: even or odd?", "Tell me whether {n} is even or odd.", "Check if {n} is even or odd.",
          "Is {n} an even or an odd number?", "Decide whether {n} is odd or even.", "Would you call {n} even or odd?", "{n} odd or even?", "Odd or even: {n}?", "is {n} even or odd",
          "Say if {n} is even or odd.", "What is {n}, even or odd?"]


def compare(rng, most):
    da = rng.randint(1, most)
    a = number(rng, da)
    if rng.random() < 0.65:  # equally long, agreeing on a prefix: the cases that need more than the length
        text = str(a)
        keep = rng.randrange(len(text))
        b = int(text[:keep] + "".join(rng.choice("0123456789") for _ in text[keep:])) if keep else number(rng, da)
    else:
        b = number(rng, rng.randint(1, most))
    larger = rng.random() < 0.6
    lines = [f"{a},{b} {'larger' if larger else 'smaller'}", named(a), "," + named(b)]
    x, y = digits_of(a), digits_of(b)
    for place in reversed(range(max(len(x), len(y)))):
        p, q = (d[place] if place < len(d) else 0 for d in (x, y))
        lines.append(f"{PLACES[place]}:{p}{'=' if p == q else '<' if p < q else '>'}{q}")
        if p != q:
            break
    if a == b:
        answer = "They are equal."
    else:
        lines.append(f"{a}{'<' if a < b else '>'}{b}")
        answer = f"{max(a, b)} is larger." if larger else f"{min(a, b)} is smaller."
    return Problem((a, b), dict(a=a, b=b), flat(lines), answer, LARGER if larger else SMALLER)


def sort(rng, most):
    items = rng.sample(range(10 ** min(most, 3)), rng.randint(3, 5)) if rng.random() < 0.5 else rng.sample(range(100), rng.randint(3, 5))
    up = rng.random() < 0.65
    key = tuple(items)
    wordings = UPWARDS if up else DOWNWARDS
    shown = rng.choice([", ", ", ", ", ", " ", ","]).join(map(str, items))
    if rng.random() < 0.3:
        shown = ", ".join(map(str, items[:-1])) + f" and {items[-1]}"
    lines, done, left = [f"{'up' if up else 'down'} " + ",".join(map(str, items))], [], items
    while len(left) > 1:
        best, scan = left[0], []
        for item in left:
            best = min(best, item) if up else max(best, item)
            scan.append(f"{item}:{best}")
        left = [i for i in left if i != best]
        done.append(best)
        lines += [";".join(scan), ",".join(map(str, done)) + "|" + ",".join(map(str, left))]
    return Problem((up, key), dict(items=shown), flat(lines), ", ".join(map(str, done + left)) + ".", wordings)


def gcd(rng, most):
    common = rng.choice([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15])
    a, b = common * rng.randint(1, 99 // common), common * rng.randint(1, 99 // common)
    lines = [f"gcd {a},{b}"]
    x, y = (a, b) if a >= b else (b, a)
    while y:
        q = x // y
        lines.append(f"{x},{y}:{q}×{y}={q * y},{x}-{q * y}={x % y}")
        x, y = y, x % y
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The gcd is {x}.", GCD)


def prime(rng, most):
    n = number(rng, rng.choice([1, 2, 3, 3, 3, 3]))
    if rng.random() < 0.4:  # primes are rare and their traces the longest: show them more often
        while any(n % p == 0 for p in range(2, int(n**0.5) + 1)):
            n = number(rng, rng.choice([2, 3, 3]))
    lines, answer = [f"prime {n}", named(n)], None
    if n < 2:
        answer = f"No, {n} is not prime."
    for p in [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]:
        if answer:
            break
        if p * p > n:
            lines.append(f"{p}:{p * p}>{n}")
            answer = f"Yes, {n} is prime."
            break
        digits = [int(d) for d in str(n)]
        steps, rest = [], 0
        for k, d in enumerate(digits):
            part = rest * 10 + d
            if part < p and k + 1 < len(digits):
                rest = part
                continue
            rest = part % p
            steps.append(f"{part} r{rest}")
        lines.append(f"{p}:{p * p};" + ",".join(steps))
        if rest == 0:
            answer = f"No, {n} is divisible by {p}."
    return Problem((n,), dict(n=n), flat(lines), answer, PRIME)


def parity(rng, most):
    n = number(rng, rng.choice([1, 2, 3, 3]))
    word = "odd" if n % 2 else "even"
    return Problem((n,), dict(n=n), f"parity {n}\n{named(n)}\n{n % 10} {word}", f"{n} is {word}.", PARITY)
