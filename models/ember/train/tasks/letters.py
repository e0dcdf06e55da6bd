"""Spelling: counting a letter, counting letters, writing a word backwards. Words are spelled out first; afterwards every step is a look-up by index."""

import json
import pathlib

from . import composed
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
dragon wizard monster giant treasure pirate adventure mystery secret shadow dream wonder magic silence freedom justice courage wisdom patience kindness
monday tuesday wednesday thursday friday saturday sunday birthday holiday daylight pancake notebook keyhole rainbow snowman sunflower football handbag doorbell fireplace newspaper weekend
backpack toothbrush grandmother grandfather understand together another between without before after under over thing think thank three thirty thousand hundred million number numbers
order largest smallest greater common divisor remember minutes hours seconds weeks months dollars cents meters grams liters inches many much more less times plus minus equal total
share sharing letters words reverse backward spelling counting reading writing running swimming jumping sleeping waiting walking talking playing singing painting cooking baking
always never often sometimes maybe perhaps almost really quickly slowly softly loudly kindly gently carefully suddenly finally usually certainly absolutely immediately
world people place power water light money story point group woman women children country company system program state night right house where which while white whole their there
about above across again against along among around because become begin behind believe below beside better beyond black blue bring brought build built carry catch change check choose
clean clear climb close cover create cross daily decide deliver depend describe design detail develop direct discover divide double early earth east easy either else empty enough enter
even evening event ever every exact example except expect explain express face fact fall famous far fast favorite feel few field fight fill final find fine finish first five floor follow
force foreign form forward four free fresh front full future game general give glad gold good govern great ground grow guess guide half happen hard have heart heavy help here high hold hope""".split()
VOCABULARY = pathlib.Path(__file__).parents[1] / "tokenizer.json"  # (absent while it is being learnt)
ONE_TOKEN = {t.lstrip("Ġ").lower() for t in json.loads(VOCABULARY.read_text())["model"]["vocab"]} if VOCABULARY.exists() else set()
ONSETS = "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sh sk sl sm sn sp st str t th tr v w x y z".split() + ["", ""]
VOWELS = "a a e e i i o o u u ai ea ee ie oo ou y".split()
CODAS = "b ck d ff g l ll m mp n nd ng nk nt p r rd rk rm rn rs rt s sh sk ss st t th tt x".split() + [""] * 12
COUNT = ["How many times does the letter {x} appear in {w}?", "How many {x}'s are in {w}?", "How many {x}s are in {w}?", "Count the letter {x} in {w}.", "How often does {x} occur in {w}?",
         "How many times is the letter {x} in {w}?", "How many letters {x} are there in {w}?", "How many {x}'s are there in the word {w}?", "Count the {x}'s in {w}.", "How often does the letter {x} appear in the word {w}?",
         "In {w}, how many times does {x} occur?", "How many {x} are in {w}?", "Count how often {x} appears in {w}.", "How many times does {x} appear in the word {w}?", "Number of {x} in {w}?",
    "In the word {w}, how many {x}'s are there?", "How many times can you find {x} in {w}?", "What is the number of {x}'s in {w}?", "Find how many times {x} is in {w}.", "Count {x} in {w}.",
    "How many times does {w} contain {x}?", "Tell me how many {x} there are in {w}.", "The word {w}: how many {x}?", "How many times do you see {x} in {w}?", "How many of the letters in {w} are {x}?",
    "How often is {x} in {w}?", "In the word {w}, count the letter {x}.", "How many letters of {w} are {x}?", "How often can you find the letter {x} in {w}?", "Look at {w}. How many {x} do you see?",
    "How many {x} does {w} have?", "How many {x} does the word {w} contain?", "Give me the number of {x} in {w}.", "How often do you find {x} in the word {w}?", "count {x} in the word {w}",
    "In {w}, how many letters are {x}?", "Take the word {w}. How many times is {x} in it?", "How many times {x} in {w}?", "What is the count of {x} in {w}?",
    "Work out how many times {x} appears in {w}.", "Look for {x} in {w}. How many do you find?", "How many {x} can you count in {w}?", "For the word {w}, how often does {x} appear?",
    "{w}: how many {x} are there?", "How many times does one find {x} in {w}?",
    "[How many|What number of] [{x}|{x}'s|{x}s|letters {x}] [are there|are|do you find|can I find|do you count] in [{w}|the word {w}]?",
    "How [often|many times] [do you see|can you find|do you find] [the letter |an |]{x} [inside|within] [{w}|the word {w}]?",
    "[Count|Find|Tell me|Give|Give me|Work out] [the number of|how many] {x}[|'s| letters] in [{w}|the word {w}].",
    "[In|Within] [{w}|the word {w}], how [often|many times] [do we see|is there|do you find|appears] [the letter |]{x}?", "[number of|count of|how many] [{x}|{x}'s|letter {x}] in {w}",
    "[Take|Look at|Read] the word {w}. How [often|many times] does [the letter |]{x} [appear|occur|come up|show up]?", "How many of the letters of {w} are an {x}?",
    "The letter {x}: how [often|many times] is it in {w}?", "Does {w} have [an |the letter |]{x}, and how many?", "I [write|wrote|read] {w}. How many {x} [did I write|are there|is that]?",
    "How many times must I [type|press|write] {x} [to write|for] {w}?", "[letter|character] {x} in {w}: [how many|how often|count]?", "[Go through|Spell] {w} and count the [letter |]{x}.",
    "[What is the frequency of|How frequent is] {x} in {w}?", "How [often|many times] is {x} [used|written|found] in {w}?"]
LENGTH = ["How many letters are in {w}?", "How many letters does {w} have?", "How many letters does the word {w} have?", "Count the letters in {w}.", "How long is the word {w}?",
          "How many letters has {w}?", "What is the number of letters in {w}?", "How many letters are there in the word {w}?", "Count the letters of the word {w}.", "Number of letters in {w}?",
    "Tell me how many letters {w} has.", "How many letters in {w}?", "How long is {w}?", "What is the length of {w}?", "How many letters do you see in {w}?", "How many letters make up {w}?",
    "The word {w} has how many letters?", "letters in {w}?", "Find the number of letters in {w}.", "How many letters long is {w}?", "Length of {w}?", "What is the length of the word {w}?",
    "In {w}, how many letters are there?", "Give me the length of {w}.", "Tell me the number of letters of {w}.", "How many letters are in the word {w}?", "Count how many letters {w} has.",
    "Say how many letters are in {w}.", "How many letters can you count in {w}?", "Number of letters of the word {w}?", "How many letters do you need to write {w}?", "{w} has how many letters?",
    "{w}: how many letters?", "How many letters does one need for {w}?", "Letters of {w}: how many?", "Work out how many letters {w} has.", "How many letters long is the word {w}?",
    "What is the letter count of {w}?", "Take the word {w}. How many letters does it have?", "What number of letters does {w} have?", "Find the length of {w}.", "How many letters is {w}?",
    "The word {w}: how many letters?", "count all letters in {w}", "Can you count the letters in {w}?", "Look at {w}. How many letters do you see?", "Tell me the length of {w}.",
    "How long a word is {w}?", "For the word {w}, give the number of letters.", "I want to know how many letters {w} has.",
    "How [many letters|many characters] [are in|does|are there in] [{w}|the word {w}][?| have?]", "[Count|Count up|Number] [the|all the|all] [letters|characters] [in|of] [{w}|the word {w}].",
    "[What is|What's|Give|Find|Compute] the [length|number of letters|number of characters|letter count] of [{w}|the word {w}][.|?]",
    "What length is [{w}|the word {w}|the string {w}][| in letters| in characters]?", "[{w}|The word {w}]: how long is it?",
    "[Take|Look at|Read|Spell] [{w}|the word {w}]. How [many letters does it have|long is it|many letters are there]?", "[length|word length|letter count|len] [of |]{w}",
    "How many [letters|characters] [must|do|would] [I|you|we] [write|type] for {w}?", "How many letters [will I need|does it take|are needed] to [write|spell] {w}?",
    "[Could you|Can you] [tell me|say] how [long|many letters] [{w} is|{w} has]?", "[Of|From] how many letters is {w} [made|built]?",
    "A [child|friend|boy|girl] writes {w}. How many letters [is that|are that|are there]?", "[Counting|If you count] the letters of {w}, [how many are there|how many do you get|what do you get]?",
    "Is {w} a long word? How many letters [does it have|are in it]?", "[I want|I need] the [length|number of letters|letter count] of {w}.", "len({w})",
    "How many letters [stand in|make|form] [{w}|the word {w}]?", "Say the [length|number of letters] of [{w}|the word {w}].", "{w} [consists of|is made of|contains] how many letters?",
    "What is {w}'s length?"]
BACKWARDS = ["Spell {w} backwards.", "Write {w} backwards.", "What is {w} backwards?", "Reverse the word {w}.", "Write the word {w} in reverse.",
             "Reverse {w}.", "Spell the word {w} backwards.", "How do you spell {w} backwards?", "What is {w} spelled backwards?", "Can you write {w} from back to front?",
             "{w} backwards?", "Turn the word {w} around.", "Give me {w} backwards.", "Please reverse the letters of {w}.", "Say {w} backwards.",
    "What do you get if you write {w} backwards?", "Spell {w} in reverse.", "{w} in reverse?", "Write {w} from the last letter to the first.", "{w}, but backwards", "Write the letters of {w} backwards.",
    "What is the reverse of {w}?", "Read {w} backwards.", "Can you spell {w} backwards?", "Show me {w} backwards.", "{w} from back to front?", "Take the word {w} and write it backwards.",
    "How is {w} written backwards?", "What does {w} look like backwards?", "Tell me {w} backwards.", "Reverse the letters in {w}.", "Give the reverse of the word {w}.", "What is {w} in reverse?",
    "backwards: {w}", "Write out {w} backwards.", "Can you reverse {w}?", "Turn {w} around.", "Put the letters of {w} in reverse order.", "Which word is {w} backwards?", "The word {w} backwards?",
    "Reverse this word: {w}.", "Spell the letters of {w} from the end.", "How does {w} read backwards?", "Write this backwards: {w}.", "Spell backwards: {w}.",
    "[Spell|Type|Print] [{w}|the word {w}] [backwards|in reverse|from back to front|the other way round|from the end to the start].",
    "[What is|What's|How is] [{w}|the word {w}] [backwards|in reverse|read backwards|spelled from the end|spelled in reverse|written in reverse]?",
    "[Reverse|Flip|Turn round|Invert] [{w}|the word {w}|the string {w}|the letters of {w}|the letters in {w}].",
    "[Can|Could|Would] you [spell|write|say|read] [{w}|the word {w}] [backwards|in reverse|from the last letter to the first]?", "[{w}|The word {w}] [reversed|from the end][?|]",
    "[How do I|How do you|How would you] [spell|write|say] [{w}|the word {w}] [backwards|in reverse]?",
    "[Take|Read|Look at] [{w}|the word {w}] [and|, then] [reverse it|spell it backwards|write it in reverse|turn it around].", "[reverse|backwards|flip|mirror]: {w}", "reverse({w})",
    "What [word|string] do you get [by reversing|if you reverse|when you read backwards] {w}?", "Read from [right to left|the end], what is {w}?",
    "[Start|Begin] with the last letter of {w} and [write|spell] it to the first.", "In a mirror {w} is read backwards. What [does it say|do you read]?",
    "The letters of {w} in [reverse order|the opposite order|backward order]?", "[Last letter first|From the last letter on]: [write|spell] {w}."]


def key(word, *more):
    """None for the thirty words that are one token each (" saturday"): nothing but having seen it spelled says how."""
    return None if word.lower() in ONE_TOKEN else (word, *more)


def word(rng):
    chance = rng.random()
    if chance < 0.35:
        return rng.choice(WORDS)
    if chance < 0.6:  # the front of one word and the back of another: every piece that the tokenizer knows turns up in new company
        front, back = rng.choice(WORDS), rng.choice(WORDS)
        return (front[: rng.randint(1, len(front))] + back[rng.randrange(len(back)) :])[:12]
    if chance < 0.68:
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
    return Problem(key(w, x), dict(w=quoted(rng, w), x=rng.choice([x, x, f'"{x}"'])), flat(lines), f"The letter {raw(x)} appears {seen} time{'' if seen == 1 else 's'}.", COUNT, composed.COUNT)


def indexed(w):
    return "".join(f" {letter}{k}" for k, letter in enumerate(w, 1))


def length(rng, most):
    w = word(rng)
    return Problem(key(w), dict(w=quoted(rng, w)), flat(["length", raw(" " + spelled(w)), raw(indexed(w))]), f"It has {len(w)} letters.", LENGTH, composed.LENGTH)


def backwards(rng, most):
    w = word(rng)
    reverse = "".join(f" {w[k - 1]}{k}" for k in range(len(w), 0, -1))
    return Problem(key(w), dict(w=quoted(rng, w)), flat(["backwards", raw(" " + spelled(w)), raw(indexed(w)), raw(reverse)]), f"It is {raw(w[::-1])}.", BACKWARDS, composed.BACKWARDS)
