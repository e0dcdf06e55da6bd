"""Weekdays by counting along the week, clock times by columns of minutes and hours."""

from . import composed
from .common import Problem, flat, minus_lines

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
AFTER = ["What day is {n} days after {day}?", "Today is {day}. What day is it in {n} days?", "If today is {day}, what day will it be in {n} days?", "Which weekday comes {n} days after {day}?",
         "What day of the week is {n} days after {day}?", "It is {day}. Which day is it in {n} days?", "{n} days after {day} is which day?", "{day} plus {n} days?",
         "It is {day} today. What day comes {n} days later?", "What weekday is it {n} days after {day}?", "What day will it be {n} days from {day}?",
         "Count {n} days on from {day}.", "If it is {day} now, what day is it after {n} days?", "My trip starts on {day} and ends {n} days later. Which day is that?", "Today is {day}. Which weekday is it {n} days from now?",
    "What day comes {n} days after {day}?", "{n} days from {day}, what day is it?", "Today is {day}. In {n} days, what day is it?", "Add {n} days to {day}.", "Which day is {n} days later than {day}?",
    "What day follows {day} by {n} days?", "{day} + {n} days", "If today is {day}, which day is {n} days later?", "What day is it {n} days from {day}?", "Tell me the day {n} days after {day}.",
    "[What|Which] day [is it|will it be|do we have|comes] {n} days [after|from|later than|past] {day}?",
    "[Today is|It's|Today it is|We have] {day}. [In {n} days|{n} days from now|{n} days later|After {n} days], [what|which] day [is it|will it be|comes]?",
    "[My trip|The party|The exam|A race|My holiday|The fair] [is|starts|begins] {n} days after {day}. [Which|What] [day|weekday] is that?",
    "I wait {n} days, starting on {day}. On [what|which] [day|weekday] [do I stop|does it end|am I done]?", "{n} days [after|later than] {day}[?| is?|: which day?]",
    "[Find|Name|Give|Say|Work out] the [day|weekday|day of the week] {n} days [after|from|later than] {day}.",
    "[Start|Begin] on {day} and [go|count|move] {n} days [on|forward|ahead]. [Where do you land|What day is it|Which day do you reach]?",
    "[Which weekday|What weekday] do we get [if we add|by adding] {n} days to {day}?", "[Suppose|Say|Let us say] it is {day}. [What|Which] day [will it be|is it] {n} days [later|from now]?",
    "A [letter|parcel|ship] [sent|posted] on {day} [takes|needs] {n} days. On which day does it arrive?", "[On|From] {day} [I add|add|one adds] {n} days. What day [is it|is that|do I get]?",
    "If [yesterday's calendar|the calendar|my calendar] says {day}, what will it say {n} days later?", "[day|weekday] {n} days after {day}",
    "The [shop|school|library] opens again {n} days after {day}. On which day?", "What [day|weekday] [follows|is next] {n} days after {day}?"]
BEFORE = ["What day is {n} days before {day}?", "Today is {day}. What day was it {n} days ago?", "If today is {day}, what day was it {n} days ago?", "Which weekday comes {n} days before {day}?",
          "What day of the week is {n} days before {day}?", "It is {day}. Which day was it {n} days ago?", "{n} days before {day} is which day?", "{day} minus {n} days?",
          "Today is {day}. Which weekday was {n} days ago?", "What weekday was it {n} days before {day}?",
    "What day comes {n} days before {day}?", "{n} days back from {day}, what day is it?", "Today is {day}. Which day did we have {n} days ago?", "Take {n} days from {day}.",
    "Which day is {n} days earlier than {day}?", "Count {n} days back from {day}.", "{day} - {n} days", "If today is {day}, which day was {n} days earlier?", "What day was it {n} days before {day}?",
    "Tell me the day {n} days before {day}.", "It is {day} today. What day was it {n} days ago?", "Going back {n} days from {day}, which day is it?",
    "If it is {day} now, what day was it {n} days ago?",
    "[What|Which] day [is it|was it|did we have|comes] {n} days [before|earlier than|prior to] {day}?",
    "[Today is|It's|Today it is|We have] {day}. {n} days [ago|earlier|before], [what|which] day was it?",
    "[My trip|The party|The exam|A race|My holiday|The fair] [was|started|began] {n} days before {day}. [Which|What] [day|weekday] was that?",
    "I stopped on {day} after {n} days. On [what|which] [day|weekday] did I start?", "{n} days [before|earlier than] {day}[?| is?|: which day?]",
    "[Find|Name|Give|Say|Work out] the [day|weekday|day of the week] {n} days [before|earlier than] {day}.",
    "[Start|Begin] on {day} and [go|count|move] {n} days back. [Where do you land|What day is it|Which day do you reach]?",
    "[Which weekday|What weekday] do we get [if we take|by taking] {n} days [away from|from] {day}?", "[Suppose|Say|Let us say] it is {day}. [What|Which] day was it {n} days [ago|earlier|before]?",
    "A [letter|parcel|ship] came on {day} after {n} days. On which day was it sent?", "[On|From] {day} [I take|take|one takes] {n} days [off|away]. What day [is it|is that|do I get]?",
    "[day|weekday] {n} days before {day}", "The [shop|school|library] closed {n} days before {day}. On which day?"]
SPAN = ["How long is it from {a} to {b}?", "How much time is there between {a} and {b}?", "How long from {a} to {b}?", "How much time passes from {a} to {b}?", "What is the time between {a} and {b}?",
        "A train leaves at {a} and arrives at {b}. How long is the trip?", "A film starts at {a} and ends at {b}. How long is it?", "I work from {a} to {b}. How long is that?", "From {a} until {b}, how long is that?",
        "How many hours and minutes are there from {a} to {b}?", "The lesson goes from {a} to {b}. How long does it last?", "Time from {a} to {b}?", "How long is the time from {a} until {b}?",
        "A bus leaves at {a} and arrives at {b}. How long does it take?", "How many hours and minutes lie between {a} and {b}?",
    "How long does it take from {a} to {b}?", "What is the difference between {a} and {b}?", "It is {a}. How long until {b}?", "A meeting runs from {a} to {b}. How long does it run?",
    "How long is {a} to {b}?", "How much time is it from {a} until {b}?", "Count the time from {a} to {b}.", "The shop opens at {a} and closes at {b}. How long is it open?", "{a} to {b}: how long?",
    "Tell me how long it is from {a} to {b}.", "{a} - {b}, how long is that?", "Work out the time between {a} and {b}.", "I slept from {a} to {b}. How long did I sleep?",
    "How many hours and minutes from {a} to {b}?", "If I start at {a} and stop at {b}, how long did I work?", "We left at {a} and arrived at {b}. How long did we drive?",
    "How long must I wait from {a} to {b}?", "What is the duration from {a} to {b}?", "The game began at {a} and was over at {b}. How long did it go on?",
    "Between {a} and {b}, how much time is there?", "How long is a trip that starts at {a} and ends at {b}?", "Find the time from {a} to {b}.",
    "It is {a} now. The bus comes at {b}. How long do I wait?", "Calculate how long it is from {a} to {b}.", "The concert starts at {a} and finishes at {b}. How long does it take?",
    "How long between {a} and {b}?", "My flight leaves at {a} and lands at {b}. How long am I in the air?", "What length of time is {a} to {b}?", "She ran from {a} until {b}. How long did she run?",
    "How much time lies between {a} and {b}?", "How long does a lesson last from {a} to {b}?", "The oven was on from {a} to {b}. For how long?", "Give me the time between {a} and {b}.",
    "How much time will pass between {a} and {b}?", "School starts at {a} and is over at {b}. How long is school?",
   
    "A [train|bus|plane|boat|ferry|taxi|tram|coach] [leaves|departs|sets off] at {a} and [arrives|gets there|comes in] at {b}. [How long is the ride|How long does the journey take|How long is it on the way|What is the travel time]?",
    "[The|A|This] [film|movie|concert|play|show|game|match|party] [starts|begins] at {a} and [ends|is over|finishes] at {b}. [How long does it last|How long is it|How long does it take]?",
    "[Tom|Anna|Ben|Mia|My sister|My father|She|He|The baker] [works|sleeps|reads|studies|plays|paints|swims|cooks] from {a} [to|until|till] {b}. How long [is that|does that take|is this]?",
    "[What|How much] time [passes|goes by|elapses|is there] [between {a} and {b}|from {a} to {b}|from {a} until {b}]?",
    "How [many minutes and hours|much time] [are|is] left from {a} [to|until] {b}?", "The [clock|watch] [shows|says] {a}. How long is it [until|till] {b}?",
    "The [museum|library|shop|bank|pool|park|office|market] [opens|is open from] {a} [to|and closes at|until] {b}. [How long is that|For how long is it open|How long can people visit]?",
    "[It is|It's|Now it is] {a}. [How long until|How long is it to|How much time is left until] {b}?",
    "[Compute|Find|Work out|Determine|Give|State] the [time|duration|length of time|interval] [between|from] {a} [and|to] {b}.", "Start {a}, end {b}. How long [is it|was it|did it take]?",
    "I [left|went out] at {a} and [came back|was home again] at {b}. How long was I [away|out|gone]?",
    "[What is|Tell me] the [duration|length] of a [meeting|lesson|trip|walk|call] from {a} to {b}[|, please].",
    "My [meeting|lesson|class|shift|break|walk|flight|ride] [goes|runs|lasts] from {a} to {b}. [How long is it|How much time is that|How long does it go on]?",
    "From {a} to {b}[ - how long|: how much time|, how much time is that|, what is the duration]?",
    "[Dinner|Lunch|The cake|The soup|The bread] [went in at {a} and was done|was started at {a} and ready] at {b}. How long did it [take|cook|bake]?",
    "[duration|time difference|time] {a} [to|-|until] {b}", "How [far apart|long apart] are {a} and {b}?",
    "[Between|In between] {a} and {b} [how much time passes|how long is it|how much time goes by]?",
    "The [battery|lamp|heater|machine|rain|storm] [ran|lasted|went on] from {a} until {b}. How long [was it|did it go on]?",
    "[We|They|You] waited from {a} [to|until] {b}. How long did [we|they|you] wait?"]
LATER = ["What time is it {d} after {a}?", "It is {a}. What time is it in {d}?", "What is the time {d} after {a}?", "A film starts at {a} and takes {d}. When does it end?", "{a} plus {d}?",
         "If it is {a} now, what time will it be in {d}?", "A train leaves at {a} and needs {d}. When does it arrive?", "What time comes {d} after {a}?", "It is {a} now. What is the time in {d}?",
         "What will the clock show {d} after {a}?",
    "What is {a} plus {d}?", "{d} after {a}?", "It is {a}. What will the time be in {d}?", "A meeting begins at {a} and lasts {d}. When is it over?", "Add {d} to {a}.", "{a} + {d}",
    "The clock shows {a}. What does it show {d} later?", "I start at {a} and work for {d}. When do I stop?", "What time will it be {d} after {a}?", "What time is it in {d} if it is {a} now?",
    "The bus leaves at {a} and drives for {d}. When does it get there?", "It is {a} and dinner is in {d}. When is dinner?", "Tell me the time {d} after {a}.",
    "School starts at {a} and goes on for {d}. When does it end?", "When is it {d} later than {a}?", "If I leave at {a} and drive for {d}, when do I arrive?",
    "Now it is {a}. {d} later, what time is it?", "What do you get if you add {d} to {a}?", "Starting at {a}, what time is it after {d}?", "The cake goes in at {a} and needs {d}. When is it done?",
    "{d} from {a}, what time is that?", "Find the time {d} after {a}.", "A game starts at {a} and takes {d}. At what time is it over?", "My flight leaves at {a} and takes {d}. When do I land?",
    "After {d}, what time is it if it was {a}?", "What is {d} after {a}?", "We meet at {a} and talk for {d}. What time is it then?", "Work out the time {d} after {a}.",
    "What time is {d} later than {a}?", "She sleeps at {a} and wakes up {d} later. When does she wake up?", "Calculate {a} plus {d}.", "I have been waiting since {a} for {d}. What time is it now?",
    "[What|Which] time [is it|will it be|do we have|does the clock show] {d} [after|later than|from|past] {a}?",
    "A [train|bus|plane|boat|ferry|taxi|coach] [leaves|departs|sets off] at {a}. The [ride|trip|journey] [takes|lasts] {d}. [When does it arrive|When does it get there|At what time does it arrive]?",
    "[The|A|My] [film|movie|concert|play|show|game|lesson|class|party] [starts|begins] at {a} and [lasts|goes on for|runs for] {d}. [When is it over|When does it finish|At what time does it end]?",
    "It is {a}. [In {d}|After {d}|{d} from now], [what time will it be|what will the time be|what will the clock say]?",
    "[The clock|My watch|The watch] [says|shows] {a}. What will it [say|show] [in|after] {d}?", "Put {d} [onto|on to|on top of] {a}[| and give the time].",
    "[Tom|Anna|Ben|Mia|She|He|My sister] [starts|begins] [work|to read|to run|to cook|a walk] at {a} and [needs|takes] {d}. When [is it finished|is it done|is that over]?",
    "[Starting|Beginning|Counting] [at|from] {a}, [what time is it|where is the clock|which time is it] {d} later?",
    "The [bread|cake|pizza|pie] [goes|went] into the oven at {a}. It [needs|takes|bakes] {d}. When is it [ready|done]?", "[What do I get|What time comes out|What is the result] if I add {d} to {a}?",
    "[Now it's|It's|It is now] {a}. [I wait|We wait|I sleep|I drive] {d}. What time is it then?", "[Find|Compute|Determine|Give|Name] the time [that is|that comes|] {d} [after|later than] {a}.",
    "{a} and [then|another|after that] {d}: [what time is it|which time is that|what time]?",
    "At {a} [I|we|you] [wait|must wait|go to sleep] for {d}. [At what time does that end|Until when is that|When is that over]?",
    "The alarm [rings|is to ring] {d} after {a}. [When is that|At what time does it ring|What time is that]?",
    "The [shop|museum|bank|pool|office] opens at {a} and closes {d} later. When does it close?", "{d} [past|later than] {a} [is what time|is when|is which time]?",
    "[Move|Turn|Set] the clock {d} [on|forward|ahead] from {a}. What does it show?",
    "[Our|Her|His|The] flight [departs|starts] at {a} and is {d} in the air. [When does it land|At what time does it land]?", "[Time|Clock time|time] {d} after {a}[|?]"]
EARLIER = ["What time is it {d} before {a}?", "It is {a}. What time was it {d} ago?", "What is the time {d} before {a}?", "A film ends at {a} after {d}. When did it start?", "{a} minus {d}?",
           "If it is {a} now, what time was it {d} ago?", "I must be there at {a} and need {d}. When do I leave?", "What time comes {d} before {a}?", "It is {a} now. What was the time {d} ago?",
           "What did the clock show {d} before {a}?",
    "What is {a} minus {d}?", "{d} before {a}?", "It is {a}. What was the time {d} ago?", "A meeting ended at {a} and lasted {d}. When did it begin?", "Take {d} away from {a}.", "{a} - {d}",
    "The clock shows {a}. What did it show {d} earlier?", "I stopped at {a} after {d} of work. When did I start?", "What time was it {d} before {a}?", "What time was it {d} ago if it is {a} now?",
    "The bus arrived at {a} after {d}. When did it leave?", "It is {a} and I came {d} ago. When did I come?", "Tell me the time {d} before {a}.",
    "School was over at {a} after {d}. When did it start?", "When is it {d} earlier than {a}?", "If I arrive at {a} after {d}, when did I leave?", "Now it is {a}. {d} earlier, what time was it?",
    "What do you get if you take {d} from {a}?", "Subtract {d} from {a}.", "The cake was done at {a} after {d}. When did it go in?", "Going back {d} from {a}, what time is that?",
    "Find the time {d} before {a}.", "A game was over at {a} and took {d}. At what time did it start?", "My flight landed at {a} and took {d}. When did it leave?", "Count back {d} from {a}.",
    "What is {d} before {a}?", "We stopped at {a} after talking for {d}. When did we meet?", "Work out the time {d} before {a}.", "What time is {d} earlier than {a}?",
    "She woke up at {a} after {d} of sleep. When did she go to sleep?", "Calculate {a} minus {d}.", "The show starts at {a} and I need {d} to get there. When must I go?",
    "[What|Which] time [was it|is it|did we have|did the clock show] {d} [before|earlier than|prior to] {a}?",
    "A [train|bus|plane|boat|ferry|taxi|coach] [arrives|gets there|comes in] at {a}. The [ride|trip|journey] [took|lasted] {d}. [When did it leave|When did it set off|At what time did it depart]?",
    "[The|A|My] [film|movie|concert|play|show|game|lesson|class|party] [ended|was over|finished] at {a} and [lasted|went on for|ran for] {d}. [When did it begin|When did it start|At what time did it start]?",
    "It is {a}. {d} ago, [what time was it|what was the time|what did the clock say]?", "[The clock|My watch|The watch] [says|shows] {a}. What did it [say|show] {d} [ago|before|earlier]?",
    "[Subtract|Take] {d} from {a}[| and give the time].",
    "[Tom|Anna|Ben|Mia|She|He|My sister] [finished|stopped] at {a} after {d} of [work|reading|running|cooking]. When did [that|it|the work] [start|begin]?",
    "[Starting at|Counting back from|Going back from] {a}, [what time is it|which time is it] {d} [earlier|before]?",
    "The [bread|cake|pizza|pie] was [ready|done] at {a} and was in the oven for {d}. When did it go in?", "[What do I get|What time comes out|What is the result] if I take {d} from {a}?",
    "[Now it's|It's|It is now] {a}. [I have waited|We have waited|I slept|I drove] {d}. What time was it [when I began|at the start|at first]?",
    "[Find|Compute|Determine|Give|Name] the time [that is|that comes|] {d} [before|earlier than] {a}.", "{a} [less|without|take away] {d}: [what time is it|which time is that|what time]?",
    "[I|We|You] must [be there|arrive|be at work] at {a} and the [way|road|trip] takes {d}. [When must I go|When do we have to leave|At what time do I have to leave]?",
    "The alarm rings {d} before {a}. [When is that|At what time does it ring|What time is that]?", "The [shop|museum|bank|pool|office] closes at {a}. It opened {d} earlier. When did it open?",
    "{d} [before|earlier than] {a} [is what time|is when|is which time]?", "[Move|Turn|Set] the clock {d} back from {a}. What does it show?",
    "[Our|Her|His|The] flight [landed|arrived] at {a} and was {d} in the air. [When did it start|At what time did it depart]?", "[Time|Clock time|time] {d} before {a}[|?]"]


def plural(n, word):
    return f"{n} {word}" + ("" if n == 1 else "s")


def weekday(rng, most):
    day, n, forward = rng.randrange(7), rng.randint(1, rng.choice([14, 40, 100, 100])), rng.random() < 0.65
    step = 1 if forward else -1
    lines = [f"{DAYS[day]} {'+' if forward else '-'}{n}", f"{n}={n // 7}×7+{n % 7}"]
    lines += [f"{k} {DAYS[(day + step * k) % 7]}" for k in range(0, n % 7 + 1)]
    problem = Problem((day, n, forward), dict(day=DAYS[day], n=n), flat(lines), f"It is {DAYS[(day + step * n) % 7]}.", AFTER if forward else BEFORE, composed.AFTER if forward else composed.BEFORE)
    if n == 1:
        problem.slots["n"] = 1
        problem.wordings, problem.composed = ([w.replace("{n} days", "{n} day") for w in ws] for ws in (problem.wordings, problem.composed))
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
        wordings, more, shown = SPAN, composed.SPAN, dict(a=clock(a), b=clock(b))
        length = b - a
        lines = [f"{clock(b)}-{clock(a)}"]
    else:
        length = rng.choice([rng.randint(1, 59), rng.randint(1, 180), 15 * rng.randint(1, 20), rng.randint(60, 600)])
        a = rng.randrange(24 * 60 - length) if kind == "later" else rng.randrange(length, 24 * 60)
        b = a + length if kind == "later" else a - length
        text = duration(rng, length)
        wordings, more, shown = LATER if kind == "later" else EARLIER, composed.LATER if kind == "later" else composed.EARLIER, dict(a=clock(a), d=text)
        sign = "+" if kind == "later" else "-"
        lines = [f"{clock(a)}{sign}{text}"] + ([f"{length}={length // 60}×60+{length % 60}"] if length >= 60 and "hour" not in text else [])
        lines.append(f"{clock(a)}{sign}{clock(length)}")
    if kind == "later":
        minutes = a % 60 + length % 60
        carry = minutes >= 60
        lines.append(f"minutes:{a % 60}+{length % 60}={minutes}" + (f",{minutes}-60={minutes - 60}" if carry else ""))
        lines.append(f"hours:{a // 60}+{length // 60}" + ("+1" if carry else "") + f"={b // 60}")
    else:
        top, low = (b, a) if kind == "span" else (a, length)
        minutes = top % 60 - low % 60
        borrow = minutes < 0
        lines.append(f"minutes:{top % 60}-{low % 60}" + (f"<0,+60={top % 60 + 60}" if borrow else ""))
        lines += minus_lines(top % 60 + 60 * borrow, low % 60)
        lines.append(f"hours:{top // 60}-{low // 60}" + ("-1" if borrow else "") + f"={(top - low) // 60}")
    if kind == "span":
        parts = [plural(n, word) for n, word in ((length // 60, "hour"), (length % 60, "minute")) if n]
        answer = "It is " + " and ".join(parts) + "."
    else:
        answer = f"It is {clock(b)}."
    return Problem((kind, a, length), shown, flat(lines), answer, wordings, more)
