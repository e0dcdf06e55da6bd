"""The composed wordings: for every task the phrases that name it, each put into all the frames of its kind (common.py). Training only."""

from .common import clauses, nouns, reports, verbs

ADD = nouns("{a} [+|plus] {b}", "the [sum|total] of [|the numbers |the two numbers ]{a} and {b}", "[the result|the answer|the value|the outcome] of {a} [+|plus] {b}", "{a} and {b} [added together|taken together|in sum]",
            "{b} more than {a}", "{a} [increased|raised] by {b}", "[the number|the value] that is {b} [above|greater than|larger than] {a}") + verbs(
    "add {a} [and|to|plus] {b}", "[sum|sum up|total] {a} and {b}", "[compute|solve|do|work out] {a} [+|plus] {b}", "[join|put|count] {a} and {b} together", "[raise|increase] the number {a} by {b}") + clauses(
    "how much [do|will|would] {a} and {b} [make|give|come to]", "what do I get [if I add|when I add|by adding] {a} [and|to] {b}", "what [is|comes out|results] if {b} is added to {a}", "{a} [+|plus] {b} [equals|makes|is] what") + reports(
    "[how much|what] {a} [+|plus] {b} is", "what {a} and {b} [make|add up to|give]", "what you get if you add {a} [and|to] {b}")
SUB = nouns("{a} [-|−|minus] {b}", "the difference [of|between] [|the numbers ]{a} and {b}", "[the result|the answer|the value|the outcome] of {a} [-|minus] {b}", "{b} less than [|the number ]{a}", "the number that is {b} [less|smaller|lower] than {a}",
            "{a} [reduced|decreased|lowered|diminished] by {b}", "{a} less {b}", "{a} take away {b}", "[what is left|the rest] of {a} [without|after taking away|after losing] {b}", "the number {b} below {a}", "how much {a} exceeds {b}") + verbs(
    "[subtract|take|take away|remove|deduct] {b} from {a}", "[compute|solve|do|work out] {a} [-|−|minus|less|take away] {b}", "[lower|reduce|decrease|diminish] [the number|the value] {a} by {b}", "[count|go] {b} [back|down] from {a}",
    "make {a} smaller by {b}", "take {b} off {a}") + clauses(
    "what is left [if|when] [I|you|we] [take|subtract|remove] {b} from {a}", "what do I get if I [reduce|decrease|lower] {a} by {b}", "how much [bigger|larger|greater|higher] is {a} than {b}", "by how much [does {a} exceed|is {a} bigger than|is {a} greater than] {b}",
    "how much [smaller|less|lower] is {b} than {a}", "by how much is {b} [smaller|less|lower] than {a}", "what remains [of {a} after|if you take from {a}] {b}", "what must I add to {b} to get {a}", "how far is it from {b} to {a}",
    "which number is {b} [smaller|less|lower] than {a}") + reports(
    "[how much|what] {a} [-|minus|less|take away] {b} is", "how much [more|larger|bigger] {a} is than {b}", "what is left of {a} [without|minus|after] {b}", "which number is {b} less than {a}")
MUL = nouns("{a} [×|*|x|times|·] {b}", "the product of [|the numbers |the factors ]{a} and {b}", "{a} multiplied [by|with] {b}", "[the result|the answer|the value|the outcome] of {a} [×|*|x|times] {b}", "{a} [lots|groups] of {b}", "the product {a} [×|times] {b}") + verbs(
    "multiply {a} [by|and|with] {b}", "[compute|solve|do|work out] {a} [×|*|x|times] {b}", "take {a} times {b}", "find the product of [|the numbers ]{a} and {b}", "take the product of {a} and {b}") + clauses(
    "what do I get [if I multiply|when I multiply|by multiplying] {a} [and|by|with] {b}", "how much [do {a} times {b} make|are {a} times {b}]", "{a} times {b} [equals|makes|is] what", "what product do {a} and {b} [have|make|give]") + reports(
    "[how much|what] {a} [times|×|x] {b} is", "what the product of {a} and {b} is", "what {a} multiplied by {b} [gives|is|makes]")
DIV = nouns("{a} [÷|/|divided by|over] {b}", "the quotient of [|the numbers ]{a} and {b}", "[the result|the answer|the value] of {a} [÷|/|divided by] {b}", "[the quotient|the quotient and remainder|the quotient with its remainder] of {a} by {b}") + verbs(
    "divide {a} by {b}", "[compute|solve|do|work out] {a} [÷|/|divided by] {b}", "split {a} into {b} [equal parts|parts|equal shares]", "divide {a} into {b} [equal parts|parts]", "share {a} by {b}") + clauses(
    "how [often|many times] does {b} [go into|fit into|fit in] {a}", "what do I get [if I divide|when I divide|by dividing] {a} by {b}", "how [often|many times] can [I|you|one] take {b} from {a}", "{a} divided by {b} [is|equals|makes] what") + reports(
    "what {a} [÷|/|divided by] {b} is", "how [often|many times] {b} [goes|fits] into {a}", "what the quotient of {a} and {b} is")
SUM3 = nouns("{a} + {b} + {c}", "{a} plus {b} plus {c}", "the [sum|total] of [|the numbers |the three numbers ]{a}, {b} and {c}", "[the result|the answer|the value] of {a} + {b} + {c}", "{a}, {b} and {c} [added together|taken together|in sum]") + verbs(
    "[add|add up|sum|sum up|total] [|the numbers ]{a}, {b} and {c}", "[compute|solve|do|work out] {a} [+ {b} +|plus {b} plus] {c}", "add {a} [and|to] {b} and then [add |]{c}", "start with {a}, add {b} and add {c}") + clauses(
    "how much [do|will|would] {a}, {b} and {c} [make|give|come to]", "what do I get [if I add|by adding] {a}, {b} and {c}", "what is {a} and {b} and {c} in all") + reports("[how much|what] {a} + {b} + {c} is", "what {a}, {b} and {c} [make|add up to|give]")


def compared(words, most, limit):
    return nouns(f"the {words} [number|one|value|] [of|among|from] {{a}} and {{b}}", f"the {words} of [the two|these two|the two numbers|both]: {{a}} [and|or] {{b}}", f"the {words} [number|value|one], {{a}} or {{b}}",
                 f"the {most} of [|the numbers ]{{a}} [and|,] {{b}}", f"the {limit} of [|the numbers ]{{a}} [and|,] {{b}}", f"{limit}({{a}}, {{b}})", f"the {words} of {{a}}, {{b}}") + verbs(
        f"[compare|look at|take] {{a}} and {{b}} and [name|say|give|pick] the {words} [one|number]", f"[choose|pick|name|select|point out] the {words} [one|number|]: {{a}} [or|and|,] {{b}}") + clauses(
        f"[which|what] [number|of them|one|of the two|] is {words}, {{a}} or {{b}}", f"is {{a}} or {{b}} [{words}|the {words} number|the {words} one]", f"[which|what] of {{a}} and {{b}} is [{words}|the {words}|the {words} one]",
        f"{{a}} or {{b}}, [which|what] [one |number |]is {words}") + reports(
        f"[which|which number|which one|which of the two] is {words}, {{a}} or {{b}}", f"which of {{a}} and {{b}} is [the |]{words}", f"whether {{a}} or {{b}} is [the |]{words}")


LARGER = compared("[larger|bigger|greater|higher]", "[largest|biggest|greatest|highest]", "[max|maximum]")
SMALLER = compared("[smaller|lower|lesser]", "[smallest|lowest|least]", "[min|minimum]")


def sorted_by(way, first, adjective):
    return nouns(f"the [numbers|values|list] {{items}} {way}", f"{{items}} [sorted|ordered|arranged|in order] {way}", f"the {adjective} [order|sequence] of [|the numbers ]{{items}}", f"[the sorted list|the order] of {{items}} {way}") + verbs(
        f"[sort|order|arrange|rank|list|write|line up|rearrange] [|the numbers |the list |these: ]{{items}} {way}", f"[sort|order|arrange] [|the numbers ]{{items}}, {first} first", f"[put|bring|set|place] [|the numbers ]{{items}} in {adjective} order",
        f"[put|arrange|sort] these [numbers|values|figures] {way}: {{items}}") + clauses(f"how [do|would] [I|you|we] [sort|order|arrange] {{items}} {way}", f"what is the {adjective} order of {{items}}") + reports(
        f"how to [sort|order|arrange] {{items}} {way}", f"what {{items}} [is|are|looks like] sorted {way}")


UPWARDS = sorted_by("[from smallest to largest|from small to large|from low to high|from lowest to highest|from least to greatest|upwards|ascending|in ascending order|in increasing order]", "[smallest|lowest|least]", "[ascending|increasing|rising]")
DOWNWARDS = sorted_by("[from largest to smallest|from large to small|from high to low|from highest to lowest|from greatest to least|downwards|descending|in descending order|in decreasing order]", "[largest|highest|greatest|biggest]", "[descending|decreasing|falling]")
COMMON = "[gcd|GCD|hcf|HCF|gcf|GCF|greatest common divisor|greatest common factor|highest common factor|highest common divisor|largest common divisor|largest common factor|biggest common divisor|biggest common factor]"
GCD = nouns(f"the {COMMON} [of|for] [|the numbers |the two numbers ]{{a}} and {{b}}", f"{COMMON} [of|for] {{a}} and {{b}}", "[gcd|GCD|hcf|HCF|gcf]({a}, {b})", "[gcd|GCD|hcf|HCF|gcf] [of |for |]{a}[,| and|] {b}",
            "the [largest|biggest|greatest|highest] [number|integer|divisor|factor] [that divides|dividing|that goes into|common to] [both |]{a} and {b}", f"the {COMMON} that {{a}} and {{b}} have") + verbs(
    f"[compute|calculate|get|take|find] the {COMMON} [of|for] {{a}} and {{b}}", "[use|apply|run] Euclid's algorithm [on|for|with] {a} and {b}", "[compute|calculate|evaluate] [gcd|GCD|hcf|gcf]({a}, {b})") + clauses(
    f"[what|which] {COMMON} do {{a}} and {{b}} have", "[what|which] is the [largest|biggest|greatest|highest] number that [divides|goes into|fits into] [both |]{a} and {b}", f"{{a}} and {{b}}: [what is the|find the|the] {COMMON}",
    "by [what|which] [largest|biggest|greatest] number can [one|I|we|you] divide [both |]{a} and {b}") + reports(f"what the {COMMON} of {{a}} and {{b}} is", "the [largest|greatest|biggest] [number|divisor|factor] that {a} and {b} share")
PRIME = clauses("is [|the number |this number: ]{n} [prime|a prime|a prime number|one of the primes|composite or prime|a prime number or composite]", "is {n} [prime|a prime|a prime number] or [not|composite|can it be divided]",
                "does {n} [have any divisors|have a divisor|have factors] [besides|except|other than] 1 and itself", "can {n} be divided by [something|anything|a number] other than 1 and itself", "would {n} be [a prime|prime|a prime number]",
                "is {n} [divisible by some smaller number|divisible by anything|a composite number]", "what about {n}: [prime|prime or not|is it prime|is that a prime]", "{n}: [is it|is this|is that] [prime|a prime|a prime number]", "is it [true|the case|so] that {n} is [prime|a prime]") + reports(
    "[if|whether] [|the number ]{n} is [prime|a prime|a prime number|prime or composite|a prime or not|prime or not]", "[if|whether] {n} has [divisors|factors] [besides|other than] 1 and itself") + verbs(
    "[check|test|decide|determine|find out] [if|whether] [|the number ]{n} is [prime|a prime|a prime number]", "[test|check] [|the number ]{n} for [primality|divisors|being a prime]", "[classify|call] {n}: prime or [not prime|composite]")
PARITY = clauses("is [|the number |this number: ]{n} [even or odd|odd or even|even|odd|an even number|an odd number|even, or is it odd]", "[even or odd|odd or even|odd or is it even]: {n}", "{n}: [is it even or odd|is it odd or even|is that even|is that odd]",
                 "can [you|I|we|one] [halve|divide by 2|split in two] {n} without a rest", "what parity does {n} have", "is {n} divisible by [2|two]", "[what|which] is it, even or odd: {n}", "what about {n}, even or odd") + reports(
    "[if|whether] [|the number ]{n} is [even or odd|odd or even|even|odd|an even number|an odd number]", "what parity {n} has", "[if|whether] {n} [can be halved|is divisible by 2]") + nouns(
    "[parity|the parity] of the number {n}", "the parity {n} has", "the number {n}, even or odd") + verbs("[check|test|decide|determine|find out] [if|whether] {n} is [even or odd|odd or even|even|odd]", "[find|determine|state] {n}'s parity", "classify {n} as even or odd", "call {n} even or odd")

AFTER = clauses("[what|which] [day|weekday|day of the week] [is it|will it be|comes|is|do we have] {n} days [after|from|past|later than] {day}", "[what|which] [day|weekday] [is it|will it be|comes] [in {n} days|{n} days from now|{n} days later] if [it is|today is|we have] {day}",
                "[today is|it is|now it is|we have] {day}, [what|which] [day|weekday] [is it|will it be|comes|do we have] [in|after] {n} days", "if it is {day}, [what|which] day [is it|will it be] [{n} days later|after {n} days]") + nouns(
    "the [day|weekday|day of the week] {n} days [after|from|past|later than] {day}", "{day} [plus|+] {n} days", "{n} days [after|from|past] {day}") + verbs("[add|count|go] {n} days [to|from|on from|forward from] {day}") + reports(
    "[what|which] [day|weekday] [is|it is|comes|it will be] {n} days [after|from|later than] {day}")
BEFORE = clauses("[what|which] [day|weekday|day of the week] [is it|was it|came|is|did we have] {n} days [before|earlier than|ahead of] {day}", "[what|which] [day|weekday] was it [{n} days ago|{n} days earlier|{n} days before] if [it is|today is|we have] {day}",
                 "[today is|it is|now it is|we have] {day}, [what|which] [day|weekday] [was it|did we have] {n} days [ago|earlier|before]", "if it is {day}, [what|which] day was it {n} days [ago|earlier]") + nouns(
    "the [day|weekday|day of the week] {n} days [before|earlier than|ahead of] {day}", "{day} [minus|-] {n} days", "{n} days before {day}") + verbs("[count|go] {n} days back from {day}", "[subtract|take] {n} days from {day}") + reports(
    "[what|which] [day|weekday] [is|it is|it was|came] {n} days [before|earlier than] {day}")
SPAN = nouns("the [time|duration|difference|time difference|length of time|interval|span] [between|from] {a} [and|to|until] {b}", "{a} [to|-|until|till] {b}", "the time that [passes|goes by] [between|from] {a} [and|to] {b}",
             "the [length|duration] of a [trip|talk|film|lesson|walk|meeting] from {a} [to|until|till] {b}") + clauses(
    "how [long|much time] is [it|there|it to wait] [from|between] {a} [to|and|until|till] {b}", "how much time [passes|goes by|lies|is left] [from|between] {a} [to|and|until] {b}", "how many [hours|minutes|hours and minutes] [are|are there|pass] [from|between] {a} [to|and|until] {b}",
    "[a|the|my|our] [trip|talk|film|lesson|walk|meeting|game|show|shift|sleep] [goes|runs|lasts|is] from {a} [to|until|till] {b}, how long is [it|that]", "[I|we|they|you] [wait|work|sleep|drive|play|read] from {a} [to|until|till] {b}, how long is [it|that]",
    "[it|a class|the bus|the train|the play] [starts|begins|leaves] at {a} and [ends|stops|arrives|is over] at {b}, how long does it take", "if it is {a}, how long [is it|do I wait] [to|until|till] {b}", "how long after {a} is {b}", "how long before {b} is {a}") + reports(
    "how [long|much time] [it is|passes|lies|goes by] [from|between] {a} [to|and|until] {b}", "how many [hours and minutes|minutes] [are|lie] between {a} and {b}") + verbs("[compute|calculate|count|measure] the [time|hours and minutes|minutes] from {a} [to|until] {b}", "take {a} from {b}")
LATER = nouns("the time {d} [after|later than|past|from] {a}", "{a} [plus|+|and] {d}", "{d} [after|later than|past] {a}", "the [end|finish] of a [trip|talk|film|lesson|walk|meeting] that [starts|begins] at {a} and [takes|lasts] {d}") + clauses(
    "what time [is it|will it be|do we have|is] {d} [after|later than|past|from] {a}", "what time [is it|will it be] in {d} if it is {a} [now|]", "it is {a}, what time [is it|will it be|comes] [in {d}|{d} later|after {d}|{d} from now]", "at what time is it {d} [after|later than] {a}",
    "[a|the|my|our] [trip|talk|film|lesson|walk|meeting|game|show|shift] [starts|begins] at {a} and [takes|lasts|runs for] {d}, [when|at what time] [does it end|is it over|is it done]", "[I|we|they|you] [leave|start|begin] at {a} and [need|take|go on for] {d}, [when|at what time] is [it|that] over",
    "if a [train|bus|plane] leaves at {a} and [needs|takes] {d}, [when|at what time] does it arrive", "after {d}, [what|which] time is it if [it is {a} now|we start at {a}|the clock shows {a}]", "the time was {a}, what is it {d} later") + reports(
    "what time it [is|will be] {d} [after|later than|past] {a}", "when it is {d} after {a}") + verbs("add {d} to [|the time ]{a}", "[go|count|move] {d} [on|forward|ahead] from {a}")
EARLIER = nouns("the time {d} [before|earlier than|ahead of] {a}", "{a} [minus|-|less] {d}", "{d} [before|earlier than|ahead of] {a}", "the start of a [trip|talk|film|lesson|walk|meeting] that [ends|ended] at {a} [after|and took|and lasted] {d}") + clauses(
    "what time [is it|was it|did we have|is] {d} [before|earlier than|ahead of] {a}", "what time was it {d} [ago|earlier|before] if it is {a} [now|]", "it is {a}, what time was it {d} [ago|earlier|before|before that]", "at what time was it {d} [before|earlier than] {a}",
    "[a|the|my|our] [trip|talk|film|lesson|walk|meeting|game|show|shift] [ended|ends|is over|stopped] at {a} and [took|lasted|ran for|went on for] {d}, [when|at what time] did it [start|begin]", "[I|we|they|you] [stopped|finished|arrived|came] at {a} after {d}, [when|at what time] did [I|we|they|you] [start|begin|leave]",
    "a [train|bus|plane] [arrived|came in|landed] at {a} [after|and needed|and took] {d}, [when|at what time] did it [leave|start|set off]", "[which|what] time is {d} [less|earlier] than {a}", "it is {a} now, what was the time {d} [ago|before]") + reports(
    "what time it was {d} [before|earlier than] {a}", "when it was {d} before {a}") + verbs("[subtract|take|take away] {d} from {a}", "[go|count|move] {d} back from {a}", "turn the clock back {d} from {a}")
DOWN = nouns("{n} {big} in {small}", "{n} {big} [to|as] {small}", "the [number|count] of {small} in {n} {big}") + clauses("how many {small} [are in|are there in|make|make up|are] {n} {big}", "{n} {big} [is|are|make|equal] how many {small}") + verbs(
    "[convert|change|turn|translate|express] {n} {big} [to|into|in] {small}", "write {n} {big} in {small}") + reports("how many {small} [are in|make|are] {n} {big}", "what {n} {big} [is|are] in {small}")
UP = nouns("{n} {small} in {big}", "{n} {small} [to|as] {big}", "the number of {big} in {n} {small}") + clauses("how many {big} [are in|are there in|are] {n} {small}", "{n} {small} [is|are|make|equal] how many {big}") + verbs(
    "[convert|change|turn|translate|express] {n} {small} [to|into|in] {big}", "write {n} {small} in {big}") + reports("how many {big} {n} {small} [are|make]", "what {n} {small} [is|are] in {big}")

LETTER = "[{x}|{x}|{x}'s|{x}s|letters {x}|letter {x}|the letter {x}]"
IN = "[in|inside|within] [{w}|{w}|the word {w}|the string {w}|this word: {w}]"
COUNT = clauses(f"how many {LETTER} [are|are there|do you see|do you find|do I find|can you find|occur|appear] {IN}", f"how [often|many times] [does|do] [the letter |]{{x}} [appear|occur|come up|show up|come] {IN}", f"how [often|many times] is [the letter |]{{x}} {IN}",
                f"[in {{w}}|in the word {{w}}], how [many {{x}} are there|often does {{x}} appear|many times is {{x}} there|many times does the letter {{x}} occur]", f"how many {LETTER} [does|do] [{{w}}|the word {{w}}] [have|contain]",
                f"how [often|many times] do you [see|find|read|write] {{x}} {IN}", f"{{w}}: how [many|often] {{x}}", f"{{x}} {IN}: how [often|many|many times]") + reports(
    f"how many {LETTER} [there are|are|you see|you find] {IN}", f"how [often|many times] [the letter |]{{x}} [appears|occurs|comes up|is] {IN}", "how many {x} [{w}|the word {w}] has") + nouns(f"the [number|count] of {LETTER} {IN}", f"[number|count] of {LETTER} {IN}") + verbs(
    f"[count|count up|number] [all |all the |the |]{LETTER} {IN}", f"[find|count] [every|each] {{x}} {IN}", f"count how [often|many times] {{x}} [is|comes|occurs] {IN}")
WORD = "[{w}|{w}|the word {w}|the string {w}|this word: {w}]"
LENGTH = clauses(f"how many [letters|characters] [are|are there] in {WORD}", f"how many [letters|characters] [does|has] {WORD} [have|contain|got]", f"how long [is|would you say is] {WORD}", f"[from|of] how many [letters|characters] is {WORD} made",
                 f"{{w}}: how [many letters|long|many characters]", f"[letters|characters] in {WORD}: how many", f"how many [letters|characters] [make up|form|build] {WORD}", f"how many [letters|characters] long is the string {{w}}", f"what [length|size] does {WORD} have") + reports(
    f"how many [letters|characters] [are in|there are in|are there in|make up] {WORD}", f"how many [letters|characters] {WORD} [has|contains|consists of]", f"how long {WORD} is") + nouns(
    f"the [number|count|total] of [letters|characters] [in|of] {WORD}", f"[the length|the letter count|the size|the number of letters] of {WORD}", f"[letter|character] count of {WORD}", f"[number|count] of [letters|characters] [of the string {{w}}|for {{w}}]", f"length of the [string|word] {{w}}") + verbs(
    f"[count|count up|number] [all |all the |the |][letters|characters] [in|of] {WORD}", f"[measure|find] the length of {WORD}", f"[count|find|say] how many [letters|characters] [are in|there are in] {WORD}")
REVERSE = "[backwards|in reverse|from back to front|from the end to the start|from end to start|in reverse order|the other way round|from right to left|reversed]"
BACKWARDS = verbs(f"[spell|write|say|read|type|print|show|write out|spell out] {WORD} {REVERSE}", f"[reverse|flip|invert|mirror|turn around] {WORD}", f"[reverse|flip|turn around] the [letters|order of the letters] [of|in] {WORD}",
                  f"[write|spell|list|say|put] the letters [of|in] {WORD} {REVERSE}", "[take|read] [{w}|the word {w}] and [reverse|flip|turn around] it", f"[write|spell|read] {WORD}, [last letter first|beginning with its last letter|starting at the end]") + nouns(
    f"{WORD} [spelled|written|read|said|] {REVERSE}", f"the [reverse|reversal|mirror image] of {WORD}", f"the letters of {WORD} {REVERSE}") + clauses(
    f"how [do|would] [you|I|we] [spell|write|say] {WORD} {REVERSE}", f"what [do|would] [you|I|we] get [if you reverse|when reversing|if you flip] {WORD}", f"what [does|would] {WORD} [look like|read like|become] {REVERSE}", f"how is {WORD} [spelled|written] {REVERSE}") + reports(
    f"what {WORD} [is|looks like|becomes] {REVERSE}", f"how to [spell|write] {WORD} {REVERSE}")

PLACE = "[|the city of |the country of |the town of |the people of |beautiful |old ]{place}"
REFUSAL = clauses(
    f"how many [people|inhabitants|men|women|cars|dogs|schools|rivers|lakes|cities] [live|are|are there|can you find] in {PLACE}", f"how many [people|inhabitants|citizens|cities|rivers] does {PLACE} have", f"how [many people|many tourists|often do people] [visit|travel to|move to] {PLACE} [|every year|in {{year}}]",
    "what [weekday|day of the week|day] [was|is|will be] [the 3rd of May {year}|Christmas {year}|January 1, {year}|{year}/{m}/{m}|the {m}. of June {year}]", "how long [did|does] [the war|a flight to {place}|the reign of {person}|it take to drive to {place}|it take to learn {language}|{topic}] [last|take|go on]",
    "how long [is|was] [the reign of {person}|the river in {place}|the border of {place}|a whale|the wall]", "what is the [meaning|origin|history|point|future|definition|opposite] of {topic}", "[why|how|when|where] [is|was|did] {topic} [invented|discovered|found|made|start|begin]",
    "[who|what] [is|was] the [best|first|last|greatest|richest|oldest] [king|painter|president|writer|singer|team] [of|in|from] {place}", "what [would|could|did] {person} [say|think|write|do] about {topic}", "is {topic} [bad|good|real|true|dangerous|expensive|worth it]",
    "what [do|did] [people|they] [eat|drink|speak|wear|believe] in {place}", "which [number|word|letter] [do you like|is the best|am I thinking of]", "how [old|tall|rich|smart|heavy] [is|was] {person}", "what does the word {text} mean", "how many [words|vowels|syllables|sentences] are in '{text}'") + verbs(
    "[explain|describe|discuss|define|summarize|analyze] {topic}", "[write|compose|make up|invent] a [story|poem|song|report|text|joke|speech|book] [about|on] [{topic}|{person}|{place}]", "tell me [something|a story|a fact|a joke|more|everything] about [{topic}|{person}|{place}]", "[translate|put] '{text}' [into|to] {language}",
    "[write|show|code|give] [me |][a program|a function|a script|code|a class] in {code} that {program}", "[fix|debug|refactor|explain|test] [this|my] {code} [code|script|function]", "[book|find|plan] a [trip|flight|hotel] [to|in] {place}", "[compare|rank] {place} and {place2}",
    "[solve|solve for x:|find x:|find y:] [x - {m} = {n}|x + {m} = {n}|{m}y = {n}|x/{m} = {n}|{m} + x = {n}|{m2} = {m}x|{m}x - {n} = {m2}|x^2 = {n}]", "[draw|paint|show] [me |]a [picture|map|plan|photo] of [{place}|{topic}|{person}]", "[recommend|name|suggest] a [good |]{language} [book|film|song|dish]") + nouns(
    "the [square root|cube root|logarithm|sine|cosine|square|factorial|inverse|reciprocal|percentage] of {n}", "the [capital|flag|currency|language|king|anthem|area|climate|population|president] of {place}", "{m} percent of {n}", "{n} [squared|cubed|to the power of {m}|factorial]", "the [least common multiple|lcm|average|mean|median|ratio] of {n} and {n2}",
    "the [birthday|mother|wife|name|height|age] of {person}", "{n} in [binary|hexadecimal|Roman numerals|words|octal]", "[today's|tomorrow's|yesterday's] [date|weather|news|temperature]", "the {m}th [prime|Fibonacci number|digit of pi|president|letter of '{text}']", "the [distance|border|difference in time] between {place} and {place2}",
    "the [derivative|integral] of [{m}x|x^{m}|sin x|e^x]", "{m}.{n} [+|-|*|/] {m2}.{m}", "1/{m} [+|-|×] 1/{n}", "the prime factors of {n}")
GREETINGS = ["[Hello|Hi|Hey|Hallo|Hey hey|Hi hi|Hello hello|Good morning|Good evening|Good afternoon|Good day|Morning|Evening|Greetings to you|Warm greetings|My greetings|Best greetings|Welcome back]"
             "[|, Ember| Ember| there| again| to you| friend|, my friend|, everyone|, little one| dear Ember| dear model| all| you two][|!|.|, how are you?|, how are you today?|, nice to see you.|, good to see you!|, I am Tom.|, I am back.]",
             "[How|And how|So how] are [you|you doing|things|things going|we]  [|today|now|this morning|this evening]?", "[What's|What is] [up|new|going on][| today|, Ember| with you]?"]
WHOS = clauses("[who|what] [|really |exactly |on earth ]are you", "[what|which] [model|program|machine|bot|AI|system|thing] [are you|is this|am I using|do I talk to]", "what is [your name|your job|your purpose|your task|your use]", "what [can|could|do] you [do|do for me|answer|solve|offer|help with]",
               "[who|which company|which person|what team] [made|built|trained|wrote|created] you", "are you [|really |just ][a robot|a human|a person|a machine|an AI|a chatbot|ChatGPT|a computer|a program|a language model|a small model|a big model|clever|intelligent|useful|good at sums]",
               "how [big|small|large|good|clever] are you", "how [can|do|could] you help [|me|us]", "do you have a name", "[what|who] is [Ember|this model|this program|this bot]", "what [sort|kind|type] of [questions|problems|tasks] [can|do] you [answer|solve|do|know]",
               "what [do|can] I [do with you|ask you|use you for]") + verbs("[introduce|describe|present] yourself", "tell me [about yourself|about you|something about yourself|your name|what you are|who you are|what you can do]", "help me[| with this program| to use you| here]", "give me [help|a hint what you can do|your name]") + reports(
    "[who|what] you are", "what you [can do|do|are for|are good at]", "who [made|built|trained] you", "what your name is")

HAS = "[has|had|owns|owned|starts with|started with|keeps|holds|got|possesses]"
GETS = "[gets|got|buys|bought|finds|found|receives|wins|picks up|makes|earns|is given|was given|borrows|collects|takes in]"
LOSES = "[loses|lost|sells|sold|gives away|gave away|uses|used|eats|breaks|broke|throws away|drops|spends|hands out|lends out|donates|misplaces]"
WHEN = "[|then |later |today |after that |the next day |at noon |in the evening ]"
NOW = "[does {p} have|does {p} have now|are there|are there now|is that|are there in all|does {p} own|does {p} hold then|are there in total|does {p} have altogether|does that make]"
LEFT = "[are left|remain|are there still|does {p} have left|does {p} still have|does {p} have now|does {p} keep|are left over|stay]"
STORIES = {
    "plus": [f"{{p}} {HAS} {{a}} {{t}}[.|,| and] {WHEN}{{p}} {GETS} {{b}} [|more|more {{t}}|other {{t}}|new ones]. [How many {{t}} {NOW}|How many {NOW}|What is the total]?",
             f"{{p}} {HAS} {{a}} {{t}}. {WHEN}{{q}} [gives|gave|brings|brought|sends|sent|hands|lends|sells] {{p}} {{b}} [|more|more {{t}}]. How many {{t}} {NOW}?",
             "{p} [has|had|makes|saw|found|counted|picked|sold] {a} {t}[, and|;| while] {q} [has|had|makes|saw|found|counted|picked|sold] {b}[| {t}]. How many {t} [is that|are there|do both have|do they have|have they] [together|in all|in total|altogether|all told]?",
             "[In|On|Near|Under] the [bag|box|table|shelf|floor|street|room|car|garden] [are|there are|lie|were] {a} {t}. [{p}|{q}|Someone] [adds|puts|brings|lays] {b} [|more|more {t}] there. How many {t} are [there|in it|there now|there then]?",
             "[How many|What number of] {t} [are there|is that|do we have] if {a} [{t} |]and {b} [{t} |][are put together|come together|are added up|are joined]?",
             "{p} [pays|spends|needs|earns|saves] {a} [dollars|minutes|euros|cents] [today|on Monday|first|for a hat] and {b} [tomorrow|on Friday|then|for a book]. How [much|many] is that [in all|together|in total|altogether]?",
             "[At first|On Monday|In May|Last year] there [are|were] {a} {t}, [then|later|after that] {b} more [come|came|arrive|are added|were added]. How many {t} are there [now|then|in the end]?"],
    "minus": [f"{{p}} {HAS} {{a}} {{t}}[.|,| and] {WHEN}{{p}} {LOSES} {{b}} [|of them|{{t}}|of these]. How many {{t}} {LEFT}?",
              f"{{p}} {HAS} {{a}} {{t}}. {WHEN}{{q}} [takes|took|borrows|eats|ate|steals|wins|buys] {{b}} [|of them|of the {{t}}]. How many {{t}} {LEFT}?",
              f"{{p}} {HAS} {{a}} {{t}}[,| and] {{q}} {{b}}. [How many more {{t}} does {{p}} have|How many fewer {{t}} does {{q}} have|What is the difference|How many {{t}} does {{q}} lack]?",
              "[In|On|Near|Under] the [bag|box|table|shelf|floor|street|room|car|garden] [are|there are|lie|were] {a} {t}. [{p}|{q}|Someone] [takes|removes|carries off|takes out] {b} [|of them]. How many {t} [are left|remain|are there now|stay there]?",
              "[Of|Out of|From] [|the |{p}'s ]{a} {t}[,|] {b} [are|were|get] [sold|lost|broken|eaten|red|old|bad|gone|used]. How many [are not|{t} are not|are left|remain|{t} remain|other {t} are there]?",
              "{p} [needs|wants|must find|has to make] {a} {t} [and|but] [has|has found|has made] [only |already |]{b}. How many [are missing|are still needed|more does {p} need|{t} does {p} still need|more must {p} find]?",
              "{p} [has|had] {a} [dollars|euros|cents|coins] and [spends|spent|pays|paid|gives away] {b}. How [many|much] [are left|is left|remain|remains|does {p} still have]?",
              "[After|When] {p} {verb} {b} of [the |]{a} {t}, how many {t} {left}?".replace("{verb}", "[sells|loses|eats|uses|gives away|breaks]").replace("{left}", LEFT)],
    "times": ["{p} [has|buys|fills|packs|sees|opens|carries|moves|finds|sells] {a} {x}[, each with| with| of| that each hold|, each holding] {b} {t}. How many {t} [is that|are there|are that|does that make|are there in all|are in them|does {p} have]?",
              "[There are|We see|I have|You have|A shop has|The farm has] {a} {x}[, each with| with|. Each has|. Each one holds|. In each are] {b} {t}. How many {t} [is that|are there|do we have|does that make|are there in all|are in them]?",
              "{p} [makes|reads|sells|eats|finds|draws|washes|counts|buys] {b} {t} [a|each|every|per] [day|week|hour]. How many {t} [is that|are that|does {p} [make|get|have|use]|will it be] [in|after|over] {a} [days|weeks|hours]?",
              "[One|A|Each|Every] [ticket|book|cup|toy|ball|pen|hat|cake] costs {b} [dollars|euros|cents]. [What|How much] do {a} [cost|cost together|come to][| in all]?", "[If each|Each|When every one] of {a} {f} [has|gets|takes|brings|makes] {b} {t}, how many {t} [is that|are there|do they have][| in all| together]?",
              "[{a} {f} each|Each of the {a} {f}|All {a} {f}] [get|have|bring|hold|make] {b} {t}[ each|]. How many {t} [is that|are there|do they have] [in all|together|altogether|in total]?",
              "How many {t} [are|are there|lie|go] in {a} {x} [with|of|that hold] {b} {t} each?", "How many {t} do {a} {x} [hold|contain|have] if [each|one|every one] [holds|has|contains] {b}?"],
    "share": ["{p} [shares|splits|divides|deals out|gives out|hands out] {a} {t} [|equally |evenly |fairly ][among|between|to] {b} {f}. How many [|{t} ][does each|does each one|does every one|does one of them] [get|receive|have]?",
              "{a} {t} [are|were|get] [shared|split|divided|dealt out|handed out] [|equally |evenly |fairly ][among|between|by|to] {b} {f}. How many [|{t} ][does each|does each one|does every one] [get|receive|have]?",
              "{p} [puts|packs|sorts|lays|places] {a} {t} [|equally |evenly ]into {b} [equal |]{x}. How many [|{t} ][are in each|are in one|go into each|does each hold|does one hold]?",
              "{b} {f} [share|split|divide|get] {a} {t} [equally|evenly|fairly|among themselves]. [How many|How many {t}] [does each|does one|does every one] [get|receive|have]?",
              "{b} [tickets|books|cups|toys|balls|pens|hats|cakes] cost {a} [dollars|euros|cents][| together| in all]. [What|How much] does [one|each|a single one] cost?", "{p} [makes|reads|sells|eats|uses] {a} {t} in {b} [days|weeks|hours], [always as many|the same each time|equally many each]. How many is that [a day|each time|at a time]?",
              "[If|When] {b} {x} [hold|contain|have] {a} {t} [in all|together|altogether], how many [|{t} ][are in each|are in one|does each hold|does one hold]?"]}
TWO = f"{{p}} {HAS} {{a}} {{t}}[.|,]"
STEPS = {
    "more_less": [f"{TWO} {WHEN}{{p}} {GETS} {{b}} [|more|more {{t}}] and [then |]{LOSES} {{c}}[| of them]. How many {{t}} {LEFT}?", f"{TWO} {WHEN}{{q}} [gives|gave|brings|brought|sent] {{p}} {{b}}[| more]. {WHEN}{{p}} {LOSES} {{c}}. How many {{t}} {LEFT}?"],
    "less_more": [f"{TWO} {WHEN}{{p}} {LOSES} {{b}}[| of them] and [then |]{GETS} {{c}} [|more|more {{t}}]. How many {{t}} {NOW}?", f"{TWO} {WHEN}{{q}} [takes|took|borrows|ate|steals] {{b}}[| of them]. {WHEN}{{p}} {GETS} {{c}}[| more]. How many {{t}} {NOW}?"],
    "times_less": [f"{{p}} [has|buys|fills|packs|opens] {{a}} {{x}} [with|of] {{b}} {{t}} each[.|,| and] {WHEN}{{p}} {LOSES} {{c}} {{t}}. How many {{t}} {LEFT}?",
                   f"[There are|We have|A shop has] {{a}} {{x}}[, each with| with|. Each has|. In each are] {{b}} {{t}}. {WHEN}[{{p}}|{{q}}] [takes|took|buys|eats|breaks|sells] {{c}} {{t}}. How many {{t}} [are left|remain|are there still]?"],
    "times_more": [f"{{p}} [has|buys|fills|packs|opens] {{a}} {{x}} [with|of] {{b}} {{t}} each[.|,| and] {WHEN}{{p}} {GETS} {{c}} [|more |other ]{{t}}. How many {{t}} {NOW}?",
                   f"[There are|We have|A shop has] {{a}} {{x}}[, each with| with|. Each has|. In each are] {{b}} {{t}}. {WHEN}[{{p}}|{{q}}] [adds|brings|finds|makes|buys] {{c}} [more |]{{t}}. How many {{t}} [are there|are there now|is that|are there in all]?"],
    "plus_share": [f"{TWO} {WHEN}{{p}} {GETS} {{b}}[| more]. {{c}} {{f}} [share|split|divide] [them|all|everything][| equally| evenly| fairly]. How many [|{{t}} ]does [each|each one] get?",
                   f"{{p}} {GETS} {{a}} {{t}} and {{q}} {GETS} {{b}}. [They|They all|All {{t}}] are [shared by|split among|divided among|packed for] {{c}} {{f}}[| equally| evenly]. How many [|{{t}} ]does [each|each one] get?"]}
