"""Spelling: counting a letter, counting letters, writing a word backwards. Words are spelled out first; afterwards every step is a look-up by index."""

from .common import RAW_OFF, RAW_ON, Problem, flat

WORDS = """apple banana cherry lemon orange melon grape peach plum berry strawberry raspberry tomato potato carrot onion pepper garlic spinach lettuce bread butter cheese honey sugar salt
water coffee juice milk soup pasta pizza salad dinner lunch breakfast kitchen table chair window door floor garden flower forest river lake ocean mountain valley desert island beach stone
sand cloud rain snow storm wind thunder summer winter spring autumn morning evening night today tomorrow yesterday hour minute second week month year dog cat horse cow sheep goat pig duck
chicken rabbit mouse tiger lion elephant giraffe monkey zebra camel snake turtle eagle parrot penguin dolphin whale shark salmon spider butterfly mosquito house school library hospital church
station airport bridge street village city country castle tower market office factory museum theater cinema doctor teacher student farmer driver pilot sailor soldier baker butcher painter
singer dancer writer lawyer engineer scientist king queen prince princess mother father sister brother uncle aunt cousin friend neighbor family child baby people person head hand foot finger
shoulder elbow knee stomach heart brain blood bone muscle skin hair face mouth nose tooth tongue throat shirt jacket trousers dress skirt shoe sock glove scarf hat ring watch mirror bottle glass
plate spoon fork knife lamp candle clock picture paper pencil book letter number color yellow green purple silver golden happy angry hungry thirsty tired clever strong quick slow quiet loud
bright little great small large long short round square circle triangle music guitar piano violin trumpet drum football tennis hockey chess puzzle ticket money pocket basket hammer ladder
engine wheel bicycle tractor rocket planet computer keyboard screen program network battery camera telephone message question answer problem solution science history language mathematics
mississippi tennessee committee balloon coffee bookkeeper address success possible different beginning accommodate parallel umbrella chocolate vanilla cinnamon pineapple watermelon blueberry
dragon wizard monster giant treasure pirate adventure mystery secret shadow dream wonder magic silence freedom justice courage wisdom patience kindness""".split()
ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sh sk sl sm sn sp st str t th tr v w x y z".split() + ["", ""]
VOWELS = "a a e e i i o o u u ai ea ee ie oo ou y".split()
CODAS = "b ck d ff g l ll m mp n nd ng nk nt p r rd rk rm rn rs rt s sh sk ss st t th tt x".split() + [""] * 12
COUNT = ["How many times does the letter {x} appear in {w}?", "How many {x}'s are in {w}?", "How many {x}s are in {w}?", "Count the letter {x} in {w}.", "How often does {x} occur in {w}?",
         "How many times is the letter {x} in {w}?", "How many letters {x} are there in {w}?", "How many {x}'s are there in the word {w}?", "Count the {x}'s in {w}.", "How often does the letter {x} appear in the word {w}?",
         "In {w}, how many times does {x} occur?", "How many {x} are in {w}?", "Count how often {x} appears in {w}.", "How many times does {x} appear in the word {w}?", "Number of {x} in {w}?"]
LENGTH = ["How many letters are in {w}?", "How many letters does {w} have?", "How many letters does the word {w} have?", "Count the letters in {w}.", "How long is the word {w}?",
          "How many letters has {w}?", "What is the number of letters in {w}?", "How many letters are there in the word {w}?", "Count the letters of the word {w}.", "Number of letters in {w}?"]
BACKWARDS = ["Spell {w} backwards.", "Write {w} backwards.", "What is {w} backwards?", "Reverse the word {w}.", "Write the word {w} in reverse.",
             "Reverse {w}.", "Spell the word {w} backwards.", "How do you spell {w} backwards?", "What is {w} spelled backwards?", "Can you write {w} from back to front?",
             "{w} backwards?", "Turn the word {w} around.", "Give me {w} backwards.", "Please reverse the letters of {w}.", "Say {w} backwards."]


def word(rng):
    chance = rng.random()
    if chance < 0.4:
        return rng.choice(WORDS)
    if chance < 0.5:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 8)))
    made = ""
    for _ in range(rng.randint(1, 3)):
        made += rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    return made[:12] if len(made) > 1 else rng.choice(WORDS)


def quoted(rng, w):
    return rng.choice([f'"{w}"', f"'{w}'", w, w, w])


def raw(text):
    return RAW_ON + text + RAW_OFF


def spelled(w):
    return " ".join(w)


def count(rng, most):
    w = word(rng)
    x = rng.choice(w) if rng.random() < 0.75 else rng.choice("abcdefghijklmnopqrstuvwxyz")
    lines, seen, marks = [f"count{raw(' ' + x)}", raw(" " + spelled(w))], 0, ""
    for letter in w:
        seen += letter == x
        marks += f" {letter}{seen}"
    lines.append(raw(marks))
    return Problem((w, x), dict(w=quoted(rng, w), x=rng.choice([x, x, f'"{x}"'])), flat(lines), f"The letter {raw(x)} appears {seen} time{'' if seen == 1 else 's'}.", COUNT)


def indexed(w):
    return "".join(f" {letter}{k}" for k, letter in enumerate(w, 1))


def length(rng, most):
    w = word(rng)
    return Problem((w,), dict(w=quoted(rng, w)), flat(["length", raw(" " + spelled(w)), raw(indexed(w))]), f"It has {len(w)} letters.", LENGTH)


def backwards(rng, most):
    w = word(rng)
    reverse = "".join(f" {w[k - 1]}{k}" for k in range(len(w), 0, -1))
    return Problem((w,), dict(w=quoted(rng, w)), flat(["backwards", raw(" " + spelled(w)), raw(indexed(w)), raw(reverse)]), f"It is {raw(w[::-1])}.", BACKWARDS)
