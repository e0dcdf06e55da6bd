"""Sums, differences, products, quotients and three-term sums, each worked in columns."""

from .common import Problem, difference_lines, flat, number, product_lines, quotient_lines, sum_lines


def bare(op):
    return [f"{{a}} {op} {{b}}", f"{{a}}{op}{{b}}", f"What is {{a}} {op} {{b}}?", f"{{a}} {op} {{b}} = ?", f"Calculate {{a}} {op} {{b}}.", f"{{a}} {op} {{b}} =",
            f"Compute {{a}} {op} {{b}}.", f"How much is {{a}} {op} {{b}}?", f"Solve {{a}} {op} {{b}}.", f"What's {{a}} {op} {{b}}?",
            f"{{a}}{op}{{b}}=?", f"what does {{a}} {op} {{b}} equal?", f"Work out {{a}} {op} {{b}}.", f"Evaluate {{a}} {op} {{b}}.", f"Can you calculate {{a}} {op} {{b}}?"]


ADD = bare("+") + ["What is {a} plus {b}?", "Add {a} and {b}.", "What is the sum of {a} and {b}?", "How much is {a} plus {b}?", "{a} plus {b}?",
                   "Add {b} to {a}.", "Find the sum of {a} and {b}.", "What do you get if you add {a} and {b}?", "{a} and {b} together is how much?",
                   "What is the total of {a} and {b}?", "Work out {a} plus {b}.", "Sum {a} and {b}.", "Increase {a} by {b}.", "Give me the sum of {a} and {b}."]
SUB = bare("-") + ["What is {a} minus {b}?", "Subtract {b} from {a}.", "What is the difference between {a} and {b}?", "How much is {a} minus {b}?",
                   "{a} minus {b}?", "What is {a} − {b}?", "Take {b} away from {a}.", "{a} − {b}", "What is left if you take {b} from {a}?",
                   "Find the difference of {a} and {b}.", "Work out {a} minus {b}.", "How much more is {a} than {b}?", "Decrease {a} by {b}.", "Compute {a} less {b}."]
MUL = bare("×") + bare("*") + ["What is {a} times {b}?", "Multiply {a} by {b}.", "What is the product of {a} and {b}?", "{a} times {b}?", "How much is {a} times {b}?",
                               "{a} x {b}", "What is {a} x {b}?", "Find the product of {a} and {b}.", "Work out {a} times {b}.", "Multiply {a} and {b}.",
                               "What do you get if you multiply {a} by {b}?", "Calculate {a} multiplied by {b}.", "What is {a} multiplied by {b}?", "Compute {a} x {b}.",
                               "Give me the product of {a} and {b}."]
DIV = bare("/") + bare("÷") + ["What is {a} divided by {b}?", "Divide {a} by {b}.", "How much is {a} divided by {b}?", "{a} divided by {b}?", "What is the quotient of {a} and {b}?",
                               "How many times does {b} go into {a}?", "What is {a} : {b}?", "Work out {a} divided by {b}.", "Divide {a} by {b} with remainder.",
                               "Calculate {a} divided by {b}.", "Find {a} divided by {b}.", "What is the remainder and quotient of {a} by {b}?", "Split {a} into {b} equal parts.",
                               "{a} over {b}?", "Please divide {a} by {b}."]
SUM3 = ["{a} + {b} + {c}", "What is {a} + {b} + {c}?", "{a}+{b}+{c}", "Add {a}, {b} and {c}.", "What is the sum of {a}, {b} and {c}?",
        "Calculate {a} + {b} + {c}.", "What is {a} plus {b} plus {c}?", "{a} + {b} + {c} = ?", "Find the sum of {a}, {b} and {c}.", "Compute {a} + {b} + {c}.",
        "How much is {a} + {b} + {c}?", "{a}+{b}+{c}=?", "Sum up {a}, {b} and {c}.", "Total of {a}, {b} and {c}?", "What's {a} + {b} + {c}?"]


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
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The answer is {total}.", ADD)


def sub(rng, most):
    a, b = sorted((operand(rng, d) for d in lengths(rng, most)), reverse=True)
    lines, rest = difference_lines(a, b)
    return Problem((a, b), dict(a=a, b=b), flat(lines), f"The answer is {rest}.", SUB)


def product(rng, da, db):
    a, b = operand(rng, da), operand(rng, db)
    lines, value = product_lines(a, b)
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The answer is {value}.", MUL)


def mul(rng, most):
    shapes = [(1, 1), (2, 1), (1, 2), (2, 1), (2, 2), (2, 2), (3, 1), (1, 3), (3, 2), (2, 3), (3, 2), (3, 3), (3, 3), (3, 3)]
    return product(rng, *rng.choice([s for s in shapes if sum(s) <= most]))


def div(rng, most):
    a, b = operand(rng, rng.randint(1, most)), rng.randint(2, 9)
    if rng.random() < 0.3:
        a -= a % b
    lines, quotient, rest = quotient_lines(a, b)
    return Problem((a, b), dict(a=a, b=b), flat(lines), f"The answer is {quotient}" + (f" remainder {rest}." if rest else "."), DIV)


def sum3(rng, most):
    a, b, c = (operand(rng, rng.randint(1, most)) for _ in range(3))
    lines, total = sum_lines([a, b, c])
    return Problem(tuple(sorted((a, b, c))), dict(a=a, b=b, c=c), flat(lines), f"The answer is {total}.", SUM3)
