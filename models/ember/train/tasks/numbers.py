"""Comparing, sorting, gcd, even/odd and primes: facts about whole numbers."""

from . import composed
from .common import PLACES, Problem, digits_of, flat, minus_lines, named, number

LARGER = ["Which is larger, {a} or {b}?", "Which number is bigger: {a} or {b}?", "What is larger, {a} or {b}?", "Which is greater, {a} or {b}?", "Is {a} or {b} larger?",
          "Which of {a} and {b} is larger?", "Compare {a} and {b}. Which is larger?", "Which is more, {a} or {b}?", "Tell me the larger of {a} and {b}.", "Is {a} or {b} the bigger number?",
          "What is the maximum of {a} and {b}?", "Which is bigger, {a} or {b}?", "Pick the larger number: {a}, {b}.", "max({a}, {b})", "Which one is larger: {a} or {b}?",
    "{a} or {b}, which is larger?", "Name the larger of {a} and {b}.", "Which of the two is bigger, {a} or {b}?", "What is the larger one of {a} and {b}?", "Which of {a} and {b} is the greater?",
    "Give me the larger number, {a} or {b}.", "What number is larger, {a} or {b}?", "Find the larger of {a} and {b}.", "The larger of {a} and {b}?", "Choose the larger: {a} or {b}.",
    "Say which is larger: {a} or {b}.", "Larger: {a} or {b}?", "Which of these is larger: {a}, {b}?", "Between {a} and {b}, which is larger?", "Find the maximum of {a} and {b}.",
    "Of {a} and {b}, which one is bigger?", "Which number is the largest, {a} or {b}?", "maximum of {a} and {b}", "{a} or {b}: which number is greater?", "What is the bigger number, {a} or {b}?",
    "[Which|What] [number|of the two|value] is [larger|bigger|greater|higher], {a} or {b}?", "[Is|Which is] [larger|bigger|greater]: {a} or {b}?",
    "[Give|Find|Name|Show|Pick|Choose|Select] [me |]the [larger|bigger|greater|higher] [number|one|value|] [of|from] {a} and {b}.",
    "{a} [vs|versus|against|or] {b}: [which is larger|which is bigger|which one is greater|the larger one]?", "[What's|What is] the [largest|biggest|greatest|highest] of {a} and {b}?",
    "[Tom|Anna|Ben|Mia] has {a} points and [Leo|Nora|Paul|Zoe] has {b} points. Which number is [larger|bigger|greater]?",
    "Of the numbers {a} and {b}, [which|what] is the [larger|bigger|greater][| one]?", "Which number is further [up|right] on the number line, {a} or {b}?",
    "[Which one is more|Which is worth more|What is more], {a} or {b}?", "larger of {a}, {b}"]
SMALLER = ["Which is smaller, {a} or {b}?", "Which number is smaller: {a} or {b}?", "What is smaller, {a} or {b}?", "Which is less, {a} or {b}?", "Is {a} or {b} smaller?",
           "Which of {a} and {b} is smaller?", "Compare {a} and {b}. Which is smaller?", "What is less, {a} or {b}?", "Tell me the smaller of {a} and {b}.", "Is {a} or {b} the smaller number?",
           "What is the minimum of {a} and {b}?", "Which is the smaller one, {a} or {b}?", "Pick the smaller number: {a}, {b}.", "min({a}, {b})", "Which one is smaller: {a} or {b}?",
    "{a} or {b}, which is smaller?", "Name the smaller of {a} and {b}.", "Which of the two is smaller, {a} or {b}?", "What is the smaller one of {a} and {b}?", "Which of {a} and {b} is the lesser?",
    "Give me the smaller number, {a} or {b}.", "What number is smaller, {a} or {b}?", "Find the smaller of {a} and {b}.", "The smaller of {a} and {b}?", "Choose the smaller: {a} or {b}.",
    "Say which is smaller: {a} or {b}.", "Smaller: {a} or {b}?", "Which of these is smaller: {a}, {b}?", "Between {a} and {b}, which is smaller?", "Find the minimum of {a} and {b}.",
    "Of {a} and {b}, which one is smaller?", "Which number is the smallest, {a} or {b}?", "minimum of {a} and {b}", "{a} or {b}: which number is less?", "What is the lower number, {a} or {b}?",
    "[Which|What] [number|of the two|value] is [smaller|less|lower], {a} or {b}?", "[Is|Which is] [smaller|lower|less]: {a} or {b}?",
    "[Give|Find|Name|Show|Pick|Choose|Select] [me |]the [smaller|lower|lesser] [number|one|value|] [of|from] {a} and {b}.",
    "{a} [vs|versus|against|or] {b}: [which is smaller|which is lower|which one is less|the smaller one]?", "[What's|What is] the [smallest|least|lowest] of {a} and {b}?",
    "[Tom|Anna|Ben|Mia] has {a} points and [Leo|Nora|Paul|Zoe] has {b} points. Which number is [smaller|lower|less]?", "Of the numbers {a} and {b}, [which|what] is the [smaller|lower|lesser][| one]?",
    "Which number is further [down|left] on the number line, {a} or {b}?", "[Which one is less|Which is worth less|What is the lesser], {a} or {b}?", "smaller of {a}, {b}"]
UPWARDS = ["Sort {items}.", "Sort these numbers: {items}.", "Put {items} in order.", "Sort {items} from smallest to largest.", "Order {items} from small to large.",
           "Sort the list {items}.", "Arrange {items} in ascending order.", "Sort {items} in ascending order.", "Please sort the numbers {items}.", "List {items} from lowest to highest.",
           "Order these numbers: {items}.", "Put these numbers in order: {items}.", "sort: {items}", "Sort [{items}].", "Arrange the numbers {items} from smallest to largest.",
    "Sort {items} upwards.", "Sort the numbers {items} from small to large.", "{items} in order?", "Bring {items} into order.", "Order {items}.", "{items}: sort them.",
    "Put {items} in ascending order.", "Sort these from smallest to largest: {items}.", "What is {items} in order?", "Can you sort {items}?", "Order the numbers {items} from lowest to highest.",
    "Arrange {items}.", "Write {items} in order from smallest to largest.", "Sort the following numbers: {items}.", "List these numbers from smallest to largest: {items}.",
    "Sort in ascending order: {items}.", "Sort {items} starting with the smallest.", "Give {items} in order, smallest first.", "What is the order of {items} from smallest to largest?",
    "Rearrange {items} from low to high.", "Here are some numbers: {items}. Sort them.", "I have the numbers {items}. Put them in order.", "Arrange these in increasing order: {items}.",
    "Order this list: {items}.", "Sort {items}, smallest first.", "Sort {items} from low to high.", "Put the numbers {items} from smallest to largest.", "sort [{items}] ascending",
    "Write these numbers in ascending order: {items}.", "Line up {items} from smallest to largest.", "Show {items} sorted.", "Sort the values {items}.", "Sort the list [{items}].",
    "From smallest to largest: {items}.",
   
    "[Sort|Order|Arrange|Rank|Put in order|List] [these|the following|the|my] [numbers|values|integers|scores|figures] [from smallest to largest|from low to high|upwards|in rising order|in increasing order|from least to greatest]: {items}.",
    "[Sort|Order|Arrange|Rank|List|Write] {items} [from smallest to biggest|from least to greatest|from low to high|upwards|in rising order|in increasing order|from the smallest up].",
    "[Can you|Could you|Would you] [sort|order|arrange] [these|the numbers|this list][: | ]{items}?",
    "[Put|Bring|Place|Set] {items} [in rising order|into ascending order|in the right order|in sorted order|in increasing order].",
    "{items} [sorted|in order|ordered|arranged] [from smallest to largest|upwards|from low to high|ascending][?|]",
    "[What is the|Give the|Show the|I need the] sorted [list|order|sequence] of {items}[?|.]", "[sort|rank]: {items}",
    "[How do you sort|How would you order|How should I arrange] {items} [from small to large|from smallest to largest|upwards]?",
    "[Tom|Anna|Ben|Mia] has [cards|tickets|stones|cups] with the numbers {items}. [Sort them|Put them in order|Order them from small to large].", "[Sort|Order] ascending: {items}",
    "The [scores|prices|ages|weights] are {items}. [List|Write|Put] them [from lowest to highest|in ascending order|from smallest to largest].", "[Smallest|Least|Lowest] first, please: {items}.",
    "[Take|Here are] {items}[.| and] [sort|order|arrange] them [upwards|from smallest to largest|in rising order].", "Which order do {items} have from [small to large|low to high|least to greatest]?",
    "[Starting with|Beginning with|From] the smallest, [list|write|name] {items}."]
DOWNWARDS = ["Sort {items} from largest to smallest.", "Sort {items} in descending order.", "Order {items} from large to small.", "Arrange {items} in descending order.", "List {items} from highest to lowest.",
             "Sort these numbers from largest to smallest: {items}.", "Put {items} in descending order.", "Sort the list {items} in descending order.", "Order {items} from largest to smallest.",
             "Arrange the numbers {items} from largest to smallest.",
    "Sort {items} downwards.", "Sort the numbers {items} from large to small.", "{items} in reverse order, largest first?", "Bring {items} into descending order.", "Order {items}, largest first.",
    "{items}: sort them from largest to smallest.", "Sort these in descending order: {items}.", "Sort these from largest to smallest: {items}.", "What is {items} in descending order?",
    "Can you sort {items} from largest to smallest?", "Order the numbers {items} from highest to lowest.", "Arrange {items} from largest to smallest.",
    "Write {items} in order from largest to smallest.", "Sort the following numbers from largest to smallest: {items}.", "List these numbers from largest to smallest: {items}.",
    "Sort in descending order: {items}.", "Sort {items} starting with the largest.", "Give {items} in order, largest first.", "What is the order of {items} from largest to smallest?",
    "Rearrange {items} from high to low.", "Here are some numbers: {items}. Sort them from largest to smallest.", "I have the numbers {items}. Put them in descending order.",
    "Arrange these in decreasing order: {items}.", "Order this list from large to small: {items}.", "Sort {items}, largest first.", "Sort {items} from high to low.",
    "Put the numbers {items} from largest to smallest.", "sort [{items}] descending", "Write these numbers in descending order: {items}.", "Line up {items} from largest to smallest.",
    "Show {items} sorted from largest to smallest.", "From largest to smallest: {items}.",
   
    "[Sort|Order|Arrange|Rank|Put in order|List] [these|the following|the|my] [numbers|values|integers|scores|figures] [from largest to smallest|from high to low|downwards|in falling order|in decreasing order|from greatest to least]: {items}.",
    "[Sort|Order|Arrange|Rank|List|Write] {items} [from biggest to smallest|from greatest to least|from high to low|downwards|in falling order|in decreasing order|from the largest down].",
    "[Can you|Could you|Would you] [sort|order|arrange] {items} [from largest to smallest|downwards|in descending order|from high to low]?",
    "[Put|Bring|Place|Set] {items} [in falling order|into descending order|in decreasing order|in reverse order, largest first].",
    "{items} [sorted|in order|ordered|arranged] [from largest to smallest|downwards|from high to low|descending][?|]",
    "[What is the|Give the|Show the|I need the] descending [list|order|sequence] of {items}[?|.]", "[sort|order|arrange|rank] [descending|downwards]: {items}",
    "[How do you sort|How would you order|How should I arrange] {items} [from large to small|from largest to smallest|downwards]?",
    "[Tom|Anna|Ben|Mia] has [cards|tickets|stones|cups] with the numbers {items}. [Sort them from large to small|Put them in descending order|Order them, largest first].",
    "[Sort|Order] descending: {items}", "The [scores|prices|ages|weights] are {items}. [List|Write|Put] them [from highest to lowest|in descending order|from largest to smallest].",
    "[Largest|Greatest|Highest|Biggest] first, please: {items}.", "[Take|Here are] {items}[.| and] [sort|order|arrange] them [downwards|from largest to smallest|in falling order].",
    "Which order do {items} have from [large to small|high to low|greatest to least]?", "[Starting with|Beginning with|From] the largest, [list|write|name] {items}."]
GCD = ["What is the gcd of {a} and {b}?", "gcd({a}, {b})", "Find the greatest common divisor of {a} and {b}.", "What is the greatest common divisor of {a} and {b}?", "gcd of {a} and {b}",
       "Compute gcd({a}, {b}).", "Greatest common divisor of {a} and {b}?", "Calculate the gcd of {a} and {b}.", "What is gcd({a}, {b})?", "Find gcd of {a} and {b}.",
       "What is the largest number that divides both {a} and {b}?", "What is the greatest common factor of {a} and {b}?", "Find the gcd of {a} and {b}.", "What's the gcd of {a} and {b}?", "GCD of {a} and {b}?",
    "Work out the gcd of {a} and {b}.", "greatest common divisor of {a} and {b}", "Calculate gcd({a}, {b}).", "Compute the gcd of {a} and {b}.", "{a} with {b}, the gcd?", "Find gcd({a}, {b}).",
    "Calculate the greatest common divisor of {a} and {b}.", "Tell me the gcd of {a} and {b}.", "Which is the greatest number that divides {a} and {b}?",
    "What is the highest common factor of {a} and {b}?", "Compute the greatest common divisor of {a} and {b}.", "Give the gcd of {a} and {b}.", "gcd of {a}, {b}?",
    "Find the greatest common factor of {a} and {b}.", "What is the greatest common divisor of the numbers {a} and {b}?", "For {a} and {b}, what is the gcd?",
    "What is the largest common divisor of {a} and {b}?", "{a} and {b}: gcd?", "Which number is the greatest common divisor of {a} and {b}?", "Gcd of {a} and {b}.",
    "Find the largest number dividing both {a} and {b}.", "The gcd of {a} and {b}?", "Can you find the gcd of {a} and {b}?",
   
    "[What is|What's|Find|Compute|Calculate|Give|Work out|Tell me|Determine] the [gcd|GCD|greatest common divisor|greatest common factor|largest common divisor|largest common factor] [of|for] {a} and {b}[.|?]",
    "[hcf|HCF|highest common factor] [of |]{a} [and|,] {b}",
    "[Which|What] is the [largest|biggest|greatest|highest] [number|integer|divisor|factor] [that divides both|of both|dividing both|common to] {a} and {b}?",
    "[What|Which] [number|integer] is the [greatest|largest] common [divisor|factor] of {a} and {b}?",
    "[Do you know|Can you tell me|Can you find|Could you compute] the [gcd|greatest common divisor|greatest common factor] of {a} and {b}?",
    "[By what largest number|What is the biggest number by which] can [both |]{a} and {b} be divided?", "{a} and {b}: [find the gcd|what is the gcd|greatest common divisor?|largest common factor?]",
    "[Use Euclid's algorithm on|Run Euclid's algorithm on|Euclid's algorithm for] {a} and {b}.", "[Euclid|gcd|GCD]: {a}, {b}",
    "[I have|There are] {a} apples and {b} pears. What is the largest number of equal bags?", "The numbers {a} and {b} have [which|what] greatest common [divisor|factor]?",
    "[Take|Given] {a} and {b}[. What|, what] is [their|the] [gcd|greatest common divisor|highest common factor|largest common divisor]?",
    "[Two ropes are|Two boards are] {a} and {b} long. What is the longest piece that fits both?", "The [fraction|ratio] of {a} and {b} is to be reduced. By which gcd?",
    "[Biggest|Largest|Greatest] common [divisor|factor] of {a} and {b}[?|]"]
PRIME = ["Is {n} prime?", "Is {n} a prime number?", "Is {n} a prime?", "Is the number {n} prime?", "Is {n} prime or not?", "Check if {n} is prime.", "Tell me whether {n} is prime.",
         "{n} prime?", "Decide whether {n} is a prime number.", "Can you check whether {n} is prime?", "Prime or not: {n}?", "is {n} prime", "Would you say {n} is a prime number?",
         "Test {n} for being prime.", "Is {n} one of the primes?",
    "Is {n} a prime number or not?", "Is this number prime: {n}?", "{n}: prime?", "Find out whether {n} is prime.", "Do you know if {n} is prime?", "Is it true that {n} is prime?",
    "Is {n} prime? Yes or no?", "prime {n}", "Say whether {n} is a prime.", "Does {n} count as prime?", "Check whether {n} is a prime number.", "Is {n} one of the prime numbers?",
    "Does {n} have divisors other than 1 and {n}?", "Is {n} prime, yes or no?", "Check the number {n} for being prime.", "Tell me if {n} is prime.", "Could {n} be prime?", "is {n} a prime",
    "Decide if {n} is prime.", "Is {n} a prime or not a prime?", "Determine whether {n} is prime.", "{n}: prime or not?", "I want to know whether {n} is prime.", "Test whether {n} is prime.",
    "What about {n}, is it prime?", "The number {n}: is it prime?", "Can {n} be divided by a smaller number, or is it prime?", "Find out if {n} is a prime number.", "Please test if {n} is a prime.",
    "Is {n} in the list of primes?", "{n} is prime, right?",
    "[Is|Would] {n} [be |]a [prime|prime number][?| or not?]", "[Is|Isn't] the number {n} [a prime|prime|a prime number][?| or not?| or is it divisible?]",
    "[Check|Test|Find out|Decide|Determine|Tell me|See|Say] [if|whether] [the number |]{n} is [prime|a prime|a prime number][.| or not.]",
    "{n} [is it prime|a prime|is prime, true or false][?|]", "[Can|Could] [you say|you tell me|you find out|you test] [if|whether] {n} is [prime|a prime|a prime number]?",
    "Is {n} [among|part of|in] the [primes|prime numbers|list of prime numbers]?", "[Does|Has] {n} [have |]any [divisors|factors] besides [itself and 1|1 and itself]?",
    "[What do you think|Do you think|I wonder]: is {n} [prime|a prime number]?", "Is {n} [divisible by anything|composite or prime|prime or composite]?",
    "True or false: {n} is [prime|a prime|a prime number].", "[prime|isprime|is_prime]({n})", "[Primality|Prime] [test|check]: {n}[|.]",
    "[My house number|My age|Today's number|The ticket number] is {n}. Is it [prime|a prime|a prime number]?", "Would {n} [pass a prime test|count as a prime|be called prime]?",
    "Is it [right|correct|true] that {n} is [prime|a prime number]?"]
PARITY = ["Is {n} even or odd?", "Is {n} odd or even?", "Is the number {n} even or odd?", "Even or odd: {n}?", "{n}: even or odd?", "Tell me whether {n} is even or odd.", "Check if {n} is even or odd.",
          "Is {n} an even or an odd number?", "Decide whether {n} is odd or even.", "Would you call {n} even or odd?", "{n} odd or even?", "Odd or even: {n}?", "is {n} even or odd",
          "Say if {n} is even or odd.", "What is {n}, even or odd?",
    "Is {n} even?", "Is {n} odd?", "Even or odd, {n}?", "Find out whether {n} is even or odd.", "Does {n} count as even or odd?", "Is this number even or odd: {n}?",
    "[Is|Would you say] {n} [is |][even|odd|an even number|an odd number]?", "[Check|Find out|Decide|Determine|Tell me] [if|whether] [the number |]{n} is [even|odd].",
    "[even or odd|odd or even|parity]: {n}", "[What|Which] is the parity of {n}?", "Can {n} be [halved|divided by 2|split into two equal parts] or is it odd?"]


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
        lines.append(f"{PLACES[place]}:{p},{q}{'=' if p == q else '<' if p < q else '>'}")
        if p != q:
            break
    if a == b:
        answer = "They are equal."
    else:
        lines.append(f"{a}{'<' if a < b else '>'}{b}")
        answer = f"{max(a, b)} is larger." if larger else f"{min(a, b)} is smaller."
    return Problem((a, b), dict(a=a, b=b), flat(lines), answer, LARGER if larger else SMALLER, composed.LARGER if larger else composed.SMALLER)


def sort(rng, most):
    items = rng.sample(range(10 ** min(most, 3)), rng.randint(3, 5)) if rng.random() < 0.5 else rng.sample(range(100), rng.randint(3, 5))
    up = rng.random() < 0.65
    key = tuple(items)
    wordings = UPWARDS if up else DOWNWARDS
    shown = rng.choice([", ", ", ", ", ", " ", ","]).join(map(str, items))
    if rng.random() < 0.3:
        shown = ", ".join(map(str, items[:-1])) + f" and {items[-1]}"
    word, done = "up" if up else "down", items[:1]
    lines = [f"{word} " + ",".join(map(str, items)), f"{items[0]}"]
    for item in items[1:]:  # inserted before the first of those already in order that belongs behind it
        at = next((k for k, other in enumerate(done) if (item < other) == up), len(done))
        lines.append(f"{word} {item}:" + ";".join(f"{item},{other}{'<' if item < other else '>'}" for other in done[: at + 1]))
        done = done[:at] + [item] + done[at:]
        lines.append(",".join(map(str, done)))
    return Problem((up, key), dict(items=shown), flat(lines), ", ".join(map(str, done)) + ".", wordings, composed.UPWARDS if up else composed.DOWNWARDS)


def gcd(rng, most):
    common = rng.choice([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15])
    a, b = common * rng.randint(1, 99 // common), common * rng.randint(1, 99 // common)
    lines = [f"gcd {a},{b}"]
    x, y = (a, b) if a >= b else (b, a)
    while y:
        q = x // y
        lines += [f"{x},{y}:{q}×{y}={q * y}"] + minus_lines(x, q * y)
        x, y = y, x % y
    return Problem(tuple(sorted((a, b))), dict(a=a, b=b), flat(lines), f"The gcd is {x}.", GCD, composed.GCD)


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
    return Problem((n,) if n > 9 else None, dict(n=n), flat(lines), answer, PRIME, composed.PRIME)


def parity(rng, most):
    n = number(rng, rng.choice([1, 2, 3, 3]))
    word = "odd" if n % 2 else "even"
    return Problem((n,), dict(n=n), f"parity {n}\n{named(n)}\n{n % 10} {word}", f"{n} is {word}.", PARITY, composed.PARITY)
