"""Weekdays by counting along the week, clock times by columns of minutes and hours."""

from .common import Problem, flat

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
AFTER = ["What day is {n} days after {day}?", "Today is {day}. What day is it in {n} days?", "If today is {day}, what day will it be in {n} days?", "Which weekday comes {n} days after {day}?",
         "What day of the week is {n} days after {day}?", "It is {day}. Which day is it in {n} days?", "{n} days after {day} is which day?", "{day} plus {n} days?",
         "It is {day} today. What day comes {n} days later?", "What weekday is it {n} days after {day}?", "What day will it be {n} days from {day}?",
         "Count {n} days on from {day}.", "If it is {day} now, what day is it after {n} days?", "My trip starts on {day} and ends {n} days later. Which day is that?", "Today is {day}. Which weekday is it {n} days from now?"]
BEFORE = ["What day is {n} days before {day}?", "Today is {day}. What day was it {n} days ago?", "If today is {day}, what day was it {n} days ago?", "Which weekday comes {n} days before {day}?",
          "What day of the week is {n} days before {day}?", "It is {day}. Which day was it {n} days ago?", "{n} days before {day} is which day?", "{day} minus {n} days?",
          "Today is {day}. Which weekday was {n} days ago?", "What weekday was it {n} days before {day}?"]
SPAN = ["How long is it from {a} to {b}?", "How much time is there between {a} and {b}?", "How long from {a} to {b}?", "How much time passes from {a} to {b}?", "What is the time between {a} and {b}?",
        "A train leaves at {a} and arrives at {b}. How long is the trip?", "A film starts at {a} and ends at {b}. How long is it?", "I work from {a} to {b}. How long is that?", "From {a} until {b}, how long is that?",
        "How many hours and minutes are there from {a} to {b}?", "The lesson goes from {a} to {b}. How long does it last?", "Time from {a} to {b}?", "How long is the time from {a} until {b}?",
        "A bus leaves at {a} and arrives at {b}. How long does it take?", "How many hours and minutes lie between {a} and {b}?"]
LATER = ["What time is it {d} after {a}?", "It is {a}. What time is it in {d}?", "What is the time {d} after {a}?", "A film starts at {a} and takes {d}. When does it end?", "{a} plus {d}?",
         "If it is {a} now, what time will it be in {d}?", "A train leaves at {a} and needs {d}. When does it arrive?", "What time comes {d} after {a}?", "It is {a} now. What is the time in {d}?",
         "What will the clock show {d} after {a}?"]
EARLIER = ["What time is it {d} before {a}?", "It is {a}. What time was it {d} ago?", "What is the time {d} before {a}?", "A film ends at {a} after {d}. When did it start?", "{a} minus {d}?",
           "If it is {a} now, what time was it {d} ago?", "I must be there at {a} and need {d}. When do I leave?", "What time comes {d} before {a}?", "It is {a} now. What was the time {d} ago?",
           "What did the clock show {d} before {a}?"]


def plural(n, word):
    return f"{n} {word}" + ("" if n == 1 else "s")


def weekday(rng, most):
    day, n, forward = rng.randrange(7), rng.randint(1, rng.choice([14, 40, 100])), rng.random() < 0.65
    step = 1 if forward else -1
    lines = [f"{DAYS[day]} {'+' if forward else '-'}{n}", f"{n}={n // 7}×7+{n % 7}"]
    lines += [f"{k} {DAYS[(day + step * k) % 7]}" for k in range(0, n % 7 + 1)]
    problem = Problem((day, n, forward), dict(day=DAYS[day], n=n), flat(lines), f"It is {DAYS[(day + step * n) % 7]}.", AFTER if forward else BEFORE)
    if n == 1:
        problem.slots["n"] = 1
        problem.wordings = [w.replace("{n} days", "{n} day") for w in problem.wordings]
    return problem


def clock(minutes):
    return f"{minutes // 60}:{minutes % 60:02d}"


def duration(rng, minutes):
    if minutes % 60 == 0:
        return plural(minutes // 60, "hour")
    if minutes < 60 or rng.random() < 0.3:
        return plural(minutes, "minute")
    return plural(minutes // 60, "hour") + " and " + plural(minutes % 60, "minute")


def interval(rng, most):
    kind = rng.choice(["span", "span", "later", "earlier"])
    if kind == "span":
        a, b = sorted(rng.sample(range(24 * 60), 2))
        wordings, shown = SPAN, dict(a=clock(a), b=clock(b))
        length = b - a
        lines = [f"{clock(b)}-{clock(a)}"]
    else:
        length = rng.choice([rng.randint(1, 59), rng.randint(1, 180), 15 * rng.randint(1, 20), rng.randint(60, 600)])
        a = rng.randrange(24 * 60 - length) if kind == "later" else rng.randrange(length, 24 * 60)
        b = a + length if kind == "later" else a - length
        text = duration(rng, length)
        wordings, shown = (LATER if kind == "later" else EARLIER), dict(a=clock(a), d=text)
        lines = [f"{length}={length // 60}×60+{length % 60}"] if length > 60 and "hour" not in text else []
        lines.append(f"{clock(a)}{'+' if kind == 'later' else '-'}{clock(length)}")
    if kind == "later":
        minutes = a % 60 + length % 60
        carry = minutes >= 60
        lines.append(f"minutes:{a % 60}+{length % 60}={minutes}" + (f",{minutes}-60={minutes - 60}" if carry else ""))
        lines.append(f"hours:{a // 60}+{length // 60}" + ("+1" if carry else "") + f"={b // 60}")
    else:
        top, low = (b, a) if kind == "span" else (a, length)
        minutes = top % 60 - low % 60
        borrow = minutes < 0
        lines.append(f"minutes:{top % 60}-{low % 60}" + (f"<0,{top % 60 + 60}-{low % 60}={minutes + 60}" if borrow else f"={minutes}"))
        lines.append(f"hours:{top // 60}-{low // 60}" + ("-1" if borrow else "") + f"={(top - low) // 60}")
    if kind == "span":
        parts = [plural(n, word) for n, word in ((length // 60, "hour"), (length % 60, "minute")) if n]
        answer = "It is " + " and ".join(parts) + "."
    else:
        answer = f"It is {clock(b)}."
    return Problem((kind, a, length), shown, flat(lines), answer, wordings)
