"""Word problems of one and two steps. A story says which expression it hides; the trace states that expression and works it in columns."""

from .common import Problem, difference_lines, flat, number, product_lines, quotient_lines, sum_lines

NAMES = "Tom Anna Ben Mia Sam Lily Max Emma Leo Nora Paul Ella Jack Zoe Adam Ruth Omar Lena Ali Sara Ivan Maria Luis Nina".split()
THINGS = "apples pens books cards stamps coins marbles cookies eggs stickers balls flowers shells toys candies cups plates keys buttons stones oranges pencils tickets photos".split()
BOXES = "boxes bags baskets shelves rows packs jars crates tables drawers".split()
FRIENDS = "friends children students neighbors cousins players".split()

PLUS = ["{p} has {a} {t} and gets {b} more. How many {t} does {p} have now?", "{p} has {a} {t}. {q} gives {p} {b} more. How many {t} does {p} have?",
        "{p} has {a} {t} and {q} has {b} {t}. How many {t} do they have together?", "There are {a} {t} in one box and {b} {t} in another. How many {t} are there in all?",
        "{p} had {a} {t} and bought {b} more. How many {t} does {p} have now?", "{p} found {a} {t} on Monday and {b} {t} on Tuesday. How many {t} did {p} find?",
        "A shop sold {a} {t} in the morning and {b} {t} in the evening. How many {t} did it sell?", "{p} collects {t}. {p} has {a} and gets {b} more from {q}. How many is that now?",
        "There are {a} {t} on the table. {p} puts {b} more {t} there. How many {t} are on the table now?", "{p} picked {a} {t} and {q} picked {b} {t}. How many {t} did they pick altogether?",
        "{p} read {a} pages yesterday and {b} pages today. How many pages is that in total?", "{p} counts {a} {t}, then {b} more. How many {t} is that?",
        "A bus has {a} people. {b} more people get on. How many people are on the bus?", "{p} owns {a} {t}. {q} owns {b} {t}. How many {t} are there together?", "{p} saved {a} dollars and then earned {b} dollars. How many dollars does {p} have?"]
MINUS = ["{p} has {a} {t} and gives {b} to {q}. How many {t} does {p} have left?", "{p} had {a} {t} and lost {b}. How many {t} are left?", "There were {a} {t} in a box. {p} took {b}. How many {t} are left?",
         "{p} has {a} {t} and {q} has {b} {t}. How many more {t} does {p} have?", "{p} had {a} {t} and sold {b} of them. How many {t} does {p} still have?",
         "A shop had {a} {t} and sold {b}. How many {t} remain?", "{p} bakes {a} cookies and eats {b}. How many cookies are left?", "There are {a} {t} on the table. {p} takes {b} away. How many {t} remain?",
         "A book has {a} pages. {p} has read {b} pages. How many pages are left?", "Of {a} {t}, {b} are broken. How many {t} are not broken?",
         "{p} has {a} dollars and spends {b} dollars. How many dollars are left?", "A bus has {a} people. {b} people get off. How many people are on the bus?", "{p} had {a} {t}. {q} took {b} of them. How many {t} does {p} have now?",
         "From {a} {t}, {p} gives away {b}. How many {t} does {p} keep?", "{p} wants {a} {t} and already has {b}. How many {t} does {p} still need?"]
TIMES = ["{p} has {a} {x} with {b} {t} each. How many {t} does {p} have?", "There are {a} {x}. Each holds {b} {t}. How many {t} are there?", "Each of {a} {f} has {b} {t}. How many {t} do they have together?",
         "{p} buys {a} {x} of {b} {t} each. How many {t} is that?", "A ticket costs {b} dollars. How many dollars do {a} tickets cost?", "{p} reads {b} pages a day. How many pages does {p} read in {a} days?",
         "{a} {x} hold {b} {t} each. How many {t} are there in all?", "One box has {b} {t}. How many {t} are in {a} boxes?", "{p} earns {b} dollars a day. How much does {p} earn in {a} days?", "In each of {a} {x} there are {b} {t}. How many {t} are there altogether?",
         "{p} fills {a} {x} with {b} {t} each. How many {t} does {p} need?", "{a} {f} bring {b} {t} each. How many {t} do they bring?", "There are {a} rows of {b} seats. How many seats are there?", "A shop has {a} {x} with {b} {t} in each. How many {t} does it have?",
         "{p} gives {b} {t} to each of {a} {f}. How many {t} is that in total?"]
SHARE = ["{p} shares {a} {t} equally among {b} {f}. How many {t} does each get?", "{a} {t} are put into {b} {x} equally. How many {t} are in each?", "{p} divides {a} {t} among {b} {f}. How many {t} does each one get?",
         "{b} {f} share {a} {t} equally. How many {t} does each get?", "{p} packs {a} {t} into {b} equal {x}. How many {t} go into each?", "{a} dollars are split equally among {b} {f}. How many dollars does each get?",
         "{p} puts {a} {t} into {b} {x}, the same number in each. How many {t} are in each?", "A team of {b} {f} splits {a} {t} equally. How many {t} does each get?", "{p} has {a} {t} for {b} {f}. How many {t} does each get if all get the same?",
         "If {b} {f} share {a} {t} fairly, how many {t} does each one receive?"]

# Two steps: (kind, wordings). Letters a, b, c in the order of the story.
MORE_LESS = ["{p} has {a} {t}, gets {b} more and gives {c} to {q}. How many {t} does {p} have now?", "{p} had {a} {t}, bought {b} more and lost {c}. How many {t} are left?",
             "There are {a} {t} in a box. {p} adds {b} and takes out {c}. How many {t} are in the box?", "A bus has {a} people. {b} get on and {c} get off. How many people are on the bus?",
             "{p} found {a} {t} and {q} found {b}. Together they lost {c}. How many {t} are left?", "{p} has {a} dollars, earns {b} dollars and spends {c} dollars. How many dollars does {p} have?",
             "A shop has {a} {t}, gets {b} more and sells {c}. How many {t} does it have now?", "{p} picks {a} {t} in the morning and {b} in the evening, then gives away {c}. How many {t} are left?",
             "{p} had {a} {t}. {q} gave {p} {b} more. Then {p} sold {c}. How many {t} does {p} have?", "{p} bakes {a} cookies, then {b} more, and eats {c}. How many cookies are left?"]
LESS_MORE = ["{p} has {a} {t}, gives {b} to {q} and then gets {c} more. How many {t} does {p} have now?", "{p} had {a} {t}, lost {b} and found {c}. How many {t} does {p} have?",
             "There are {a} {t} in a box. {p} takes out {b} and puts in {c}. How many {t} are in the box?", "A bus has {a} people. {b} get off and {c} get on. How many people are on the bus?",
             "A shop has {a} {t}, sells {b} and gets {c} new ones. How many {t} does it have?", "{p} has {a} dollars, spends {b} dollars and earns {c} dollars. How many dollars does {p} have?",
             "{p} had {a} {t}. {q} took {b} of them. Then {p} bought {c}. How many {t} does {p} have now?", "Of {a} {t}, {p} sells {b} and then buys {c} more. How many {t} is that?",
             "{p} owns {a} {t}, gives away {b} and gets {c} back. How many {t} does {p} have?", "There were {a} {t} on the table. {p} took {b}, then {q} put {c} there. How many {t} are on the table?"]
TIMES_LESS = ["{p} has {a} {x} with {b} {t} each and gives away {c} {t}. How many {t} are left?", "There are {a} {x} with {b} {t} each. {p} takes {c} {t}. How many {t} are left?",
              "{p} buys {a} {x} of {b} {t} and loses {c} {t}. How many {t} does {p} have?", "{p} fills {a} {x} with {b} {t} each, but {c} {t} break. How many {t} are left?",
              "Each of {a} {f} brings {b} {t}. {c} {t} are eaten. How many {t} are left?", "{p} earns {b} dollars a day for {a} days and spends {c} dollars. How many dollars are left?",
              "A shop has {a} {x} with {b} {t} each and sells {c} {t}. How many {t} remain?", "{p} has {a} {x}. Each holds {b} {t}. {q} takes {c} {t}. How many {t} does {p} have now?",
              "From {a} {x} of {b} {t} each, {p} uses {c} {t}. How many {t} are left?", "There are {a} rows of {b} seats. {c} seats are taken. How many seats are free?"]
TIMES_MORE = ["{p} has {a} {x} with {b} {t} each and {c} more {t}. How many {t} does {p} have?", "There are {a} {x} with {b} {t} each. {p} adds {c} {t}. How many {t} are there?",
              "{p} buys {a} {x} of {b} {t} and finds {c} more {t}. How many {t} does {p} have?", "Each of {a} {f} brings {b} {t}. {p} brings {c} {t}. How many {t} are there?",
              "{p} has {c} {t} and buys {a} {x} with {b} {t} each. How many {t} does {p} have now?", "{p} earns {b} dollars a day for {a} days and then gets {c} dollars more. How many dollars is that?",
              "A shop has {a} {x} with {b} {t} each and gets {c} {t} more. How many {t} does it have?", "{p} fills {a} {x} with {b} {t} each and has {c} {t} over. How many {t} did {p} have?",
              "{q} has {c} {t}. {p} has {a} {x} with {b} {t} each. How many {t} do they have together?", "There are {a} rows of {b} seats and {c} more seats at the side. How many seats are there?"]
PLUS_SHARE = ["{p} has {a} {t} and gets {b} more. {p} shares them equally among {c} {f}. How many {t} does each get?", "{p} has {a} {t} and {q} has {b}. They share all of them equally among {c} {f}. How many {t} does each get?",
              "There are {a} red and {b} blue {t}. They are put into {c} {x} equally. How many {t} are in each?", "{p} picks {a} {t}, {q} picks {b}. They pack them into {c} equal {x}. How many {t} go into each?",
              "{a} {t} and {b} more are divided among {c} {f}. How many {t} does each get?"]


def cast(rng):
    p, q = rng.sample(NAMES, 2)
    return dict(p=p, q=q, t=rng.choice(THINGS), x=rng.choice(BOXES), f=rng.choice(FRIENDS))


def sized(rng):
    return number(rng, rng.choice([1, 2, 2, 2, 3]))


def story1(rng, most):
    kind = rng.choice(["plus", "minus", "times", "share"])
    if kind == "plus":
        a, b = max(sized(rng), 2), max(sized(rng), 2)
        lines, value = sum_lines([a, b])
    elif kind == "minus":
        a, b = sorted((max(sized(rng), 2), max(sized(rng), 2)), reverse=True)
        a += a == b
        lines, value = difference_lines(a, b)
    elif kind == "times":
        a, b = rng.randint(2, 12), rng.randint(2, rng.choice([12, 60]))
        lines, value = product_lines(a, b)
    else:
        b, value = rng.randint(2, 9), rng.randint(2, rng.choice([20, 99]))
        a = b * value
        lines = quotient_lines(a, b)[0]
    wordings = dict(plus=PLUS, minus=MINUS, times=TIMES, share=SHARE)[kind]
    return Problem((kind, a, b), dict(cast(rng), a=a, b=b), flat(lines), f"The answer is {value}.", wordings)


def story2(rng, most):
    kind = rng.choice(["more_less", "less_more", "times_less", "times_more", "plus_share"])
    a, b, c = (rng.randint(2, rng.choice([20, 99, 99, 200])) for _ in range(3))
    if kind == "more_less":
        c = rng.randint(1, a + b - 1)
        first, middle = sum_lines([a, b])
        second, value = difference_lines(middle, c)
    elif kind == "less_more":
        a, b = max(a, b) + 1, min(a, b)
        first, middle = difference_lines(a, b)
        second, value = sum_lines([middle, c])
    elif kind == "plus_share":
        c = rng.randint(2, 9)
        b += -(a + b) % c
        first, middle = sum_lines([a, b])
        second, value, _ = quotient_lines(middle, c)
    else:
        a, b = rng.randint(2, 12), rng.randint(2, rng.choice([12, 40]))
        first, middle = product_lines(a, b)
        if kind == "times_less":
            c = rng.randint(1, middle - 1)
            second, value = difference_lines(middle, c)
        else:
            second, value = sum_lines([middle, c])
    wordings = dict(more_less=MORE_LESS, less_more=LESS_MORE, times_less=TIMES_LESS, times_more=TIMES_MORE, plus_share=PLUS_SHARE)[kind]
    return Problem((kind, a, b, c), dict(cast(rng), a=a, b=b, c=c), flat(first + [f"{middle}"] + second), f"The answer is {value}.", wordings)
