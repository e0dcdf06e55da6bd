"""Sums, differences, products, quotients and three-term sums, each worked in columns."""

from . import composed
from .common import Problem, difference_lines, flat, number, product_lines, quotient_lines, sum_lines


def bare(op):
    return [f"{{a}} {op} {{b}}", f"{{a}}{op}{{b}}", f"What is {{a}} {op} {{b}}?", f"{{a}} {op} {{b}} = ?", f"Calculate {{a}} {op} {{b}}.", f"{{a}} {op} {{b}} =",
            f"Compute {{a}} {op} {{b}}.", f"How much is {{a}} {op} {{b}}?", f"Solve {{a}} {op} {{b}}.", f"What's {{a}} {op} {{b}}?",
            f"{{a}}{op}{{b}}=?", f"what does {{a}} {op} {{b}} equal?", f"Work out {{a}} {op} {{b}}.", f"Evaluate {{a}} {op} {{b}}.", f"Can you calculate {{a}} {op} {{b}}?"]


ADD = bare("+") + ["What is {a} plus {b}?", "Add {a} and {b}.", "What is the sum of {a} and {b}?", "How much is {a} plus {b}?", "{a} plus {b}?",
                   "Add {b} to {a}.", "Find the sum of {a} and {b}.", "What do you get if you add {a} and {b}?", "{a} and {b} together is how much?",
                   "What is the total of {a} and {b}?", "Work out {a} plus {b}.", "Sum {a} and {b}.", "Increase {a} by {b}.", "Give me the sum of {a} and {b}.",
    "Find {a} plus {b}.", "{a} and {b} make how much?", "Total: {a} and {b}", "What is the total if you add {a} and {b}?", "What is {b} more than {a}?", "Put {a} and {b} together.",
    "{a} added to {b}?", "What is {a} added to {b}?", "Add up {a} and {b}.", "What number is {b} more than {a}?", "Add the numbers {a} and {b}.", "The sum of {a} and {b}?", "Total of {a} and {b}?",
    "What do {a} and {b} add up to?",
    "[What do you get|What is the result|What comes out] [if you add|when you add|by adding] {a} [and|to] {b}?", "[add|sum|plus]: {a}, {b}", "{a} [and|with] {b} [added|summed|in total][?|]",
    "[Could you|Can you|Would you] [add|sum] {a} and {b}?", "[Find|Give|Tell me] the [total|sum] of {a} [and|plus] {b}.", "If I have {a} and get {b}, how much [is that|do I have]?"]
SUB = bare("-") + ["What is {a} minus {b}?", "Subtract {b} from {a}.", "What is the difference between {a} and {b}?", "How much is {a} minus {b}?",
                   "{a} minus {b}?", "What is {a} − {b}?", "Take {b} away from {a}.", "{a} − {b}", "What is left if you take {b} from {a}?",
                   "Find the difference of {a} and {b}.", "Work out {a} minus {b}.", "How much more is {a} than {b}?", "Decrease {a} by {b}.", "Compute {a} less {b}.",
    "Find {a} minus {b}.", "What is {b} less than {a}?", "The difference of {a} and {b}?", "What is {b} taken from {a}?", "Take {b} from {a}.", "{b} less than {a}?",
    "What is the difference of {a} and {b}?", "What number is {b} less than {a}?", "Find the difference between {a} and {b}.", "How much is left of {a} after taking {b}?", "Reduce {a} by {b}.",
    "What remains of {a} without {b}?", "Compute the difference of {a} and {b}.", "The difference between {a} and {b}?",
    "[What do you get|What is the result|What comes out] if you [subtract|take] {b} from {a}?", "[Could you|Can you|Would you] [subtract|take] {b} from {a}?",
    "[Find|Give|Tell me] the [difference|result] of {a} minus {b}.", "{a} [take away|less|without] {b}[?|]", "If I have {a} and lose {b}, how much is left?",
    "What is {a} take away {b}?", "By how much is {a} [larger|more] than {b}?"]
MUL = bare("×") + bare("*") + ["What is {a} times {b}?", "Multiply {a} by {b}.", "What is the product of {a} and {b}?", "{a} times {b}?", "How much is {a} times {b}?",
                               "{a} x {b}", "What is {a} x {b}?", "Find the product of {a} and {b}.", "Work out {a} times {b}.", "Multiply {a} and {b}.",
                               "What do you get if you multiply {a} by {b}?", "Calculate {a} multiplied by {b}.", "What is {a} multiplied by {b}?", "Compute {a} x {b}.",
                               "Give me the product of {a} and {b}.",
    "Find {a} times {b}.", "The product of {a} and {b}?", "How much is {a} multiplied by {b}?", "Calculate the product of {a} and {b}.", "{a} multiplied by {b}?",
    "What do you get from {a} times {b}?", "Multiply the numbers {a} and {b}.", "Calculate {a} x {b}.", "Compute {a} times {b}.", "Product of {a} and {b}?",
    "[What do you get|What is the result|What comes out] [if you multiply|when you multiply|by multiplying] {a} [and|by] {b}?", "[Could you|Can you|Would you] multiply {a} [by|and|with] {b}?",
    "[Find|Give|Tell me] the product of {a} [and|times] {b}.", "{a} [by|multiplied with|groups of] {b}[?|]", "How much [do|are] {a} times {b} [make|]?", "{a} · {b}"]
DIV = bare("/") + bare("÷") + ["What is {a} divided by {b}?", "Divide {a} by {b}.", "How much is {a} divided by {b}?", "{a} divided by {b}?", "What is the quotient of {a} and {b}?",
                               "How many times does {b} go into {a}?", "What is {a} : {b}?", "Work out {a} divided by {b}.", "Divide {a} by {b} with remainder.",
                               "Calculate {a} divided by {b}.", "Find {a} divided by {b}.", "What is the remainder and quotient of {a} by {b}?", "Split {a} into {b} equal parts.",
                               "{a} over {b}?", "Please divide {a} by {b}.",
    "[What do you get|What is the result|What comes out] [if you divide|when you divide|by dividing] {a} by {b}?", "[Could you|Can you|Would you] divide {a} by {b}?",
    "[Find|Give|Tell me] the quotient of {a} [and|by] {b}.", "How often does {b} [go into|fit into] {a}?", "How many times is {b} [in|contained in] {a}?", "Share {a} into {b} equal parts."]
SUM3 = ["{a} + {b} + {c}", "What is {a} + {b} + {c}?", "{a}+{b}+{c}", "Add {a}, {b} and {c}.", "What is the sum of {a}, {b} and {c}?",
        "Calculate {a} + {b} + {c}.", "What is {a} plus {b} plus {c}?", "{a} + {b} + {c} = ?", "Find the sum of {a}, {b} and {c}.", "Compute {a} + {b} + {c}.",
        "How much is {a} + {b} + {c}?", "{a}+{b}+{c}=?", "Sum up {a}, {b} and {c}.", "Total of {a}, {b} and {c}?", "What's {a} + {b} + {c}?",
    "[Add|Sum|Total|Add up|Add together] {a}, {b} and {c}.", "[What is|What's|How much is|Find|Compute|Give me] the [total|grand total] of {a}, {b}[ and|, and] {c}[?|.]", "{a} plus {b} plus {c}[|?| =]",
    "[What do|How much do] {a}, {b} and {c} [make|add up to|give] [together|in all|]?", "[sum|total|add]: {a}, {b}, {c}", "{a}, {b} and {c} [together|in total|added up][?| is how much?]",
    "[Work out|Evaluate|Solve] {a} + {b} + {c}[.| = ?]", "What do you get [if you add|by adding|from adding] {a}, {b} and {c}?", "Put {a}, {b} and {c} together.", "Add {a} to {b}, then add {c}."]


def operand(rng, digits):
    """A number with more zeros and nines than chance gives: carries that run on are the hard cases."""
    n = number(rng, digits)
    if rng.random() < 0.15:
        text = [rng.choice("09") if rng.random() < 0.5 else d for d in str(n)]
        if text[0] == "0" and digits > 1:
            text[0] = rng.choice("19")
        n = int("".join(text))
    return n


def lengths(rng, most):
    """Two lengths: the longer one balanced over 1..most, equal lengths half of the time."""
    longer = rng.randint(1, most)
    return longer, longer if rng.random() < 0.5 else rng.randint(1, longer)


def add(rng, most):
    a, b = (operand(rng, d) for d in lengths(rng, most))
    if rng.random() < 0.5:
        a, b = b, a
    lines, total = sum_lines([a, b])
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The answer is {total}.", ADD, composed.ADD)


def sub(rng, most):
    a, b = sorted((operand(rng, d) for d in lengths(rng, most)), reverse=True)
    lines, rest = difference_lines(a, b)
    return Problem((a, b), dict(a=a, b=b), flat(lines), f"The answer is {rest}.", SUB, composed.SUB)


def product(rng, da, db):
    a, b = operand(rng, da), operand(rng, db)
    lines, value = product_lines(a, b)
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The answer is {value}.", MUL, composed.MUL)


def mul(rng, most):
    shapes = [(1, 1), (2, 1), (1, 2), (2, 1), (2, 2), (2, 2), (3, 1), (1, 3), (3, 2), (2, 3), (3, 2), (3, 3), (3, 3), (3, 3)]
    return product(rng, *rng.choice([s for s in shapes if sum(s) <= most]))


def div(rng, most):
    a, b = operand(rng, rng.randint(1, most)), rng.randint(2, 9)
    if rng.random() < 0.3:
        a -= a % b
    lines, quotient, rest = quotient_lines(a, b)
    return Problem((a, b), dict(a=a, b=b), flat(lines), f"The answer is {quotient}" + (f" remainder {rest}." if rest else "."), DIV, composed.DIV)


def sum3(rng, most):
    a, b, c = (operand(rng, rng.randint(1, most)) for _ in range(3))
    lines, total = sum_lines([a, b, c])
    return Problem(tuple(sorted((a, b, c))), dict(a=a, b=b, c=c), flat(lines), f"The answer is {total}.", SUM3, composed.SUM3)
