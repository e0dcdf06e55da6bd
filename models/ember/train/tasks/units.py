"""Unit conversion: the fact, then the product or the division it asks for."""

from . import composed
from .common import Problem, flat, product_lines, quotient_lines

FACTS = [("metre", "metres", "centimetres", 100), ("meter", "meters", "centimeters", 100), ("kilometre", "kilometres", "metres", 1000), ("kilometer", "kilometers", "meters", 1000), ("km", "km", "m", 1000),
         ("m", "m", "cm", 100), ("centimetre", "centimetres", "millimetres", 10), ("cm", "cm", "mm", 10), ("kilogram", "kilograms", "grams", 1000), ("kg", "kg", "g", 1000), ("litre", "litres", "millilitres", 1000),
         ("liter", "liters", "milliliters", 1000), ("hour", "hours", "minutes", 60), ("minute", "minutes", "seconds", 60), ("day", "days", "hours", 24), ("week", "weeks", "days", 7), ("year", "years", "months", 12),
         ("foot", "feet", "inches", 12), ("yard", "yards", "feet", 3), ("euro", "euros", "cents", 100), ("dollar", "dollars", "cents", 100), ("tonne", "tonnes", "kilograms", 1000)]
DOWN = ["How many {small} are in {n} {big}?", "Convert {n} {big} to {small}.", "How many {small} are there in {n} {big}?", "What is {n} {big} in {small}?", "Turn {n} {big} into {small}.",
        "{n} {big} in {small}?", "{n} {big} to {small}", "Give {n} {big} in {small}.", "{n} {big} is how many {small}?", "How many {small} make {n} {big}?",
        "Express {n} {big} in {small}.", "Change {n} {big} into {small}.", "{n} {big} = ? {small}", "I have {n} {big}. How many {small} is that?", "How much is {n} {big} in {small}?",
    "How many {small} [do|does] {n} {big} [have|contain|make|give]?", "[Convert|Change|Translate] {n} {big} [to|into] {small}.",
    "[Tell me|Say|Write|Work out] {n} {big} in {small}.", "{n} {big} [equals|equal|are|is] how many {small}?", "[unit conversion|in other units]: {n} {big} [to|into|in] {small}",
    "If I have {n} {big}, how many {small} [do I have|is that|are that]?", "[What are|What's] {n} {big} [expressed |measured |]in {small}?"]
UP = ["How many {big} are {n} {small}?", "Convert {n} {small} to {big}.", "How many {big} are there in {n} {small}?", "What is {n} {small} in {big}?", "Turn {n} {small} into {big}.",
      "{n} {small} in {big}?", "{n} {small} to {big}", "Give {n} {small} in {big}.", "{n} {small} is how many {big}?", "How many {big} do {n} {small} make?",
      "Express {n} {small} in {big}.", "Change {n} {small} into {big}.", "{n} {small} = ? {big}", "I have {n} {small}. How many {big} is that?", "How much is {n} {small} in {big}?",
    "How many {big} [do|does] {n} {small} [have|contain|give]?", "[Convert|Change|Translate] {n} {small} [to|into] {big}.", "[Tell me|Say|Write|Work out] {n} {small} in {big}.",
    "{n} {small} [equals|equal|are|is] how many {big}?", "[unit conversion|in other units]: {n} {small} [to|into|in] {big}", "If I have {n} {small}, how many {big} [do I have|is that|are that]?",
    "[What are|What's] {n} {small} [expressed |measured |]in {big}?"]


def units(rng, most):
    one, many, small, factor = rng.choice(FACTS)
    fact = f"1 {one}={factor} {small}"
    zeros = len(str(factor)) - 1 if factor in (10, 100, 1000) else 1 if factor == 60 else 0
    n = rng.randint(1, rng.choice([9, 30, 99]))
    big = one if n == 1 else many
    if rng.random() < 0.6 or factor in (12, 24):
        if factor in (10, 100, 1000):
            work = [f"{n}×{factor}={n * factor}"]
        else:
            work, _ = product_lines(n, factor)
        return Problem(("down", one, n), dict(n=n, big=big, small=small), flat([f"{n} {big} to {small}", fact] + work), f"That is {n * factor} {small}.", DOWN, composed.DOWN)
    total = n * factor
    work = [f"{total} {small} to {many}", fact]
    if zeros:
        work.append(f"{total}÷{factor}={total // 10**zeros}" + ("÷6" if factor == 60 else ""))
    if factor == 60:
        work += quotient_lines(total // 10, 6)[0]
    elif not zeros:
        work += quotient_lines(total, factor)[0]
    return Problem(("up", one, n), dict(n=total, big=many, small=small), flat(work), f"That is {n} {big}.", UP, composed.UP)
