"""Word problems of one and two steps. A story says which expression it hides; the trace states that expression and works it in columns."""

from . import composed
from .common import Problem, difference_lines, flat, number, product_lines, quotient_lines, sum_lines

NAMES = "Tom Anna Ben Mia Sam Lily Max Emma Leo Nora Paul Ella Jack Zoe Adam Ruth Omar Lena Ali Sara Ivan Maria Luis Nina Peter Clara Felix Julia Oscar Laura David Alice Henry Grace Noah Rosa Hugo Eva Jonas Lucy Karl Amy Victor Ines Omid Yuki".split()
THINGS = "apples pens books cards stamps coins marbles cookies eggs stickers balls flowers shells toys candies cups plates keys buttons stones oranges pencils tickets photos pears lemons nuts cakes rings dolls cars boats hats socks brushes candles bottles pictures letters posters spoons magnets beads ribbons sweets carrots tomatoes notebooks stars".split()
BOXES = "boxes bags baskets shelves rows packs jars crates tables drawers cartons trays bowls buckets sacks chests albums folders".split()
FRIENDS = "friends children students neighbors cousins players classmates sisters brothers guests teachers workers girls boys people".split()

PLUS = ["{p} has {a} {t} and gets {b} more. How many {t} does {p} have now?", "{p} has {a} {t}. {q} gives {p} {b} more. How many {t} does {p} have?",
        "{p} has {a} {t} and {q} has {b} {t}. How many {t} do they have together?", "There are {a} {t} in one box and {b} {t} in another. How many {t} are there in all?",
        "{p} had {a} {t} and bought {b} more. How many {t} does {p} have now?", "{p} found {a} {t} on Monday and {b} {t} on Tuesday. How many {t} did {p} find?",
        "A shop sold {a} {t} in the morning and {b} {t} in the evening. How many {t} did it sell?", "{p} collects {t}. {p} has {a} and gets {b} more from {q}. How many is that now?",
        "There are {a} {t} on the table. {p} puts {b} more {t} there. How many {t} are on the table now?", "{p} picked {a} {t} and {q} picked {b} {t}. How many {t} did they pick altogether?",
        "{p} read {a} pages yesterday and {b} pages today. How many pages is that in total?", "{p} counts {a} {t}, then {b} more. How many {t} is that?",
        "A bus has {a} people. {b} more people get on. How many people are on the bus?", "{p} owns {a} {t}. {q} owns {b} {t}. How many {t} are there together?", "{p} saved {a} dollars and then earned {b} dollars. How many dollars does {p} have?",
    "{p} has {a} {t}. Then {p} buys {b} {t}. How many {t} does {p} have now?", "First {p} gets {a} {t}, then {b} {t}. How many {t} is that in all?",
    "{a} {t} are red and {b} are blue. How many {t} are there?", "There are {a} {t} in a box. {p} puts in {b} more. How many {t} are in the box?",
    "{p} made {a} {t} and {q} made {b}. How many did they make together?", "{p} has {a} {t} and finds {b}. How many {t} is that?",
    "{p} walks {a} minutes and then {b} minutes. How many minutes is that?", "A class has {a} girls and {b} boys. How many children are there?",
    "How many {t} are there if {p} has {a} and {q} has {b}?", "{p} sold {a} {t} today and {b} yesterday. How many {t} did {p} sell in all?",
    "If {p} has {a} {t} and gets {b} from {q}, how many {t} does {p} have?",
    "[{p}|My friend {p}|A {f} of {p}] has {a} {t} and [gets|receives|wins|finds|is given|buys] {b} [more|extra|new ones]. How many {t} [is that|are there|make that] [now|in all|altogether]?",
    "{p} [had|owned] {a} {t}. [Later|Then|Today|After that] {q} [gave {p}|brought {p}|lent {p}] {b} [more|{t}]. How many {t} does {p} [have|own] now?",
    "In a [garden|field|park|yard] there are {a} [trees|flowers|birds|ducks]. {b} more [come|are added]. How many are there [now|then]?",
    "[Yesterday|On Monday|Last week] {p} [made|sold|saw|drew|caught] {a} {t}, and [today|on Friday|this week] {b}. How many [is that|{t} is that] [together|in all|in total]?",
    "{p} [drives|walks|rides|runs] {a} [miles|km|steps], then {b} more. How [far|many] is that in all?",
    "A [library|school|museum|zoo] has {a} {t} [upstairs|on the left|in one room] and {b} [downstairs|on the right|in another room]. How many {t} does it have?",
    "{p} is {a} years old. How old will {p} be in {b} years?", "{p} [pays|spends] {a} dollars for {t} and {b} dollars for [bread|a bag|a hat]. How many dollars [is that|does {p} pay] in all?",
    "[Altogether, how|How] many {t} do {p} and {q} have, if {p} has {a} and {q} has {b}?", "{q} has {a} {t}. {p} has {b} more than {q}. How many {t} does {p} have?"]
MINUS = ["{p} has {a} {t} and gives {b} to {q}. How many {t} does {p} have left?", "{p} had {a} {t} and lost {b}. How many {t} are left?", "There were {a} {t} in a box. {p} took {b}. How many {t} are left?",
         "{p} has {a} {t} and {q} has {b} {t}. How many more {t} does {p} have?", "{p} had {a} {t} and sold {b} of them. How many {t} does {p} still have?",
         "A shop had {a} {t} and sold {b}. How many {t} remain?", "{p} bakes {a} cookies and eats {b}. How many cookies are left?", "There are {a} {t} on the table. {p} takes {b} away. How many {t} remain?",
         "A book has {a} pages. {p} has read {b} pages. How many pages are left?", "Of {a} {t}, {b} are broken. How many {t} are not broken?",
         "{p} has {a} dollars and spends {b} dollars. How many dollars are left?", "A bus has {a} people. {b} people get off. How many people are on the bus?", "{p} had {a} {t}. {q} took {b} of them. How many {t} does {p} have now?",
         "From {a} {t}, {p} gives away {b}. How many {t} does {p} keep?", "{p} wants {a} {t} and already has {b}. How many {t} does {p} still need?",
    "{p} has {a} {t}. Then {p} loses {b} {t}. How many {t} does {p} have now?", "{a} {t} were in the box, but {b} are gone. How many {t} are there still?",
    "Of {a} {t}, {b} are red. How many are not red?", "There are {a} {t} in a box. {p} takes out {b}. How many {t} are in the box?", "{p} made {a} {t} and {q} took {b}. How many {t} are left?",
    "{p} has {a} {t} and breaks {b}. How many {t} are whole?", "{p} must walk {a} minutes and has walked {b} minutes. How many minutes are left?",
    "A class has {a} children. {b} are boys. How many are girls?", "How many {t} are left if {p} has {a} and gives away {b}?", "{p} had {a} {t} and used {b}. How many {t} remain?",
    "If {p} has {a} {t} and gives {b} to {q}, how many {t} does {p} have left?", "{q} has {b} {t}, {p} has {a}. How many more {t} does {p} have than {q}?",
    "[{p}|My friend {p}] has {a} {t} and [gives away|loses|sells|eats|throws away|uses up] {b}[| of them]. How many {t} [remain|are left|are still there|does {p} have left]?",
    "{p} [had|owned] {a} {t}. [Later|Then|Today|After that] {q} [took|borrowed|stole|ate] {b}. How many {t} does {p} [still have|have now|have left]?",
    "In a [garden|field|park|yard] there are {a} [trees|flowers|birds|ducks]. {b} of them [go|are taken away|disappear]. How many are [left|still there]?",
    "[There were|A box held|The basket had] {a} {t}, [but|and] {b} [were sold|broke|fell out|were eaten]. How many {t} [remain|are left]?",
    "A trip is {a} [miles|km] long. {p} has [done|gone|driven] {b}. How many [miles|km] are [left|still to go]?",
    "A [library|school|museum|shop] had {a} {t} and [lent|gave away|lost] {b}. How many {t} does it have now?", "{p} is {a} years old. How old was {p} {b} years ago?",
    "{p} has {a} dollars and [pays|gives the baker|spends on {t}] {b}. How many dollars does {p} have left?", "{p} has {a} {t}. {q} has {b} fewer than {p}. How many {t} does {q} have?",
    "[{p} has|There are] {a} {t}. If {b} [are taken|are gone|get lost], how many [remain|stay|are left]?", "A rope is {a} cm long. {p} cuts off {b} cm. How many cm are left?"]
TIMES = ["{p} has {a} {x} with {b} {t} each. How many {t} does {p} have?", "There are {a} {x}. Each holds {b} {t}. How many {t} are there?", "Each of {a} {f} has {b} {t}. How many {t} do they have together?",
         "{p} buys {a} {x} of {b} {t} each. How many {t} is that?", "A ticket costs {b} dollars. How many dollars do {a} tickets cost?", "{p} reads {b} pages a day. How many pages does {p} read in {a} days?",
         "{a} {x} hold {b} {t} each. How many {t} are there in all?", "One box has {b} {t}. How many {t} are in {a} boxes?", "{p} earns {b} dollars a day. How much does {p} earn in {a} days?", "In each of {a} {x} there are {b} {t}. How many {t} are there altogether?",
         "{p} fills {a} {x} with {b} {t} each. How many {t} does {p} need?", "{a} {f} bring {b} {t} each. How many {t} do they bring?", "There are {a} rows of {b} seats. How many seats are there?", "A shop has {a} {x} with {b} {t} in each. How many {t} does it have?",
         "{p} gives {b} {t} to each of {a} {f}. How many {t} is that in total?",
    "There are {b} {t} in each of {a} {x}. How many {t} is that?", "{p} has {a} {x}. In each there are {b} {t}. How many {t} does {p} have?",
    "{a} {f} have {b} {t} each. How many {t} do they have in all?", "{p} walks {b} minutes a day. How many minutes is that in {a} days?", "One {t} costs {b} dollars. What do {a} cost in dollars?",
    "{p} makes {b} {t} an hour. How many {t} does {p} make in {a} hours?", "If one box holds {b} {t}, how many {t} do {a} boxes hold?", "How many {t} are in {a} {x} of {b} {t}?",
    "A class has {a} tables with {b} children each. How many children are there?", "{p} packs {b} {t} into each of {a} {x}. How many {t} is that?",
    "[There are|{p} sees|{p} finds|We have] {a} {x} [with|holding|containing] {b} {t} [each|in each]. How many {t} [are there|is that|are that] [in all|altogether|in total]?",
    "{p} [makes|sells|draws|reads|eats|finds] {b} {t} [a day|each day|every day|per day]. How many {t} [is that|are that] in {a} days?",
    "[Each|Every|Every one] of the {a} {f} [gets|has|brings|takes|buys] {b} {t}. How many {t} is that [in all|together|altogether]?",
    "A [box|bag|pack] [costs|is] {b} dollars. {p} buys {a}. How many dollars [is that|does {p} pay]?", "{a} [times|days in a row] {p} [takes|brings|buys] {b} {t}. How many {t} is that?",
    "[A hall|A bus|A train|A plane] has {a} rows [with|of] {b} seats. How many seats [does it have|are there]?", "{p} [runs|walks|drives] {b} km [a day|every day] for {a} days. How many km is that?",
    "If [each|every] [{f}|child|player] has {b} {t}, how many {t} do {a} have?", "{p} lays {a} rows of {b} {t}. How many {t} [does {p} use|are there]?"]
SHARE = ["{p} shares {a} {t} equally among {b} {f}. How many {t} does each get?", "{a} {t} are put into {b} {x} equally. How many {t} are in each?", "{p} divides {a} {t} among {b} {f}. How many {t} does each one get?",
         "{b} {f} share {a} {t} equally. How many {t} does each get?", "{p} packs {a} {t} into {b} equal {x}. How many {t} go into each?", "{a} dollars are split equally among {b} {f}. How many dollars does each get?",
         "{p} puts {a} {t} into {b} {x}, the same number in each. How many {t} are in each?", "A team of {b} {f} splits {a} {t} equally. How many {t} does each get?", "{p} has {a} {t} for {b} {f}. How many {t} does each get if all get the same?",
         "If {b} {f} share {a} {t} fairly, how many {t} does each one receive?",
    "There are {a} {t} for {b} {f}. How many {t} does each get?", "{p} has {a} {t} and {b} {x}. How many {t} go into each?", "Divide {a} {t} among {b} {f}. How many {t} does each get?",
    "{a} {t} are shared by {b} {f}. How many {t} does each have?", "{p} gives {a} {t} to {b} {f}, the same number to each. How many {t} does each get?",
    "{b} {x} hold {a} {t}, all the same number. How many {t} are in one?", "{p} splits {a} {t} into {b} equal parts. How many {t} are in each part?",
    "If {a} {t} are shared among {b} {f}, how many {t} are there for each?", "{p} reads {a} pages in {b} days, the same number each day. How many pages a day is that?",
    "{b} tickets cost {a} dollars. How many dollars does one cost?",
    "{p} [has|finds|buys|brings] {a} {t} and [shares|splits|divides] them [equally|fairly|evenly] [among|between] {b} {f}. How many {t} does [each|each one|every one] [get|have]?",
    "{a} {t} [are split|are divided|are dealt out|are given out] [evenly|equally|fairly] to {b} {f}. How many {t} [does each get|per head|are there for each]?",
    "{p} [packs|puts|sorts|lays] {a} {t} [evenly|equally] into {b} {x}. How many {t} [are in one|does each hold|are in each]?",
    "If {a} {t} fill {b} {x} [equally|evenly], how many {t} are in [one|each]?", "{p} needs {b} days for {a} pages. How many pages is that [a day|per day]?",
    "{b} {t} cost {a} dollars. How much [is one|does one cost]?", "{a} [children|people|players] form {b} equal [teams|groups]. How many are in [each|one]?",
    "{p} cuts a rope of {a} cm into {b} equal [pieces|parts]. How many cm is [each|one]?", "[How many {t} does each get|What does each get], if {b} {f} [share|split] {a} {t} [equally|fairly]?"]

# Two steps: (kind, wordings). Letters a, b, c in the order of the story.
MORE_LESS = ["{p} has {a} {t}, gets {b} more and gives {c} to {q}. How many {t} does {p} have now?", "{p} had {a} {t}, bought {b} more and lost {c}. How many {t} are left?",
             "There are {a} {t} in a box. {p} adds {b} and takes out {c}. How many {t} are in the box?", "A bus has {a} people. {b} get on and {c} get off. How many people are on the bus?",
             "{p} found {a} {t} and {q} found {b}. Together they lost {c}. How many {t} are left?", "{p} has {a} dollars, earns {b} dollars and spends {c} dollars. How many dollars does {p} have?",
             "A shop has {a} {t}, gets {b} more and sells {c}. How many {t} does it have now?", "{p} picks {a} {t} in the morning and {b} in the evening, then gives away {c}. How many {t} are left?",
             "{p} had {a} {t}. {q} gave {p} {b} more. Then {p} sold {c}. How many {t} does {p} have?", "{p} bakes {a} cookies, then {b} more, and eats {c}. How many cookies are left?",
    "{p} had {a} {t}. {p} got {b} more, then gave {c} to {q}. How many {t} does {p} have left?", "{p} has {a} {t} and {q} has {b} {t}. They give away {c}. How many {t} do they have together?",
    "{p} buys {a} {t}. Then {p} buys {b} more. {c} of them break. How many {t} are left?",
    "A train has {a} people. At a station {b} people get on and {c} people get off. How many people are on the train?", "{p} had {a} {t}, found {b} and sold {c}. How many {t} does {p} still have?",
    "There were {a} {t} on the table. {p} put {b} more there, then {q} took {c}. How many {t} are on the table?",
    "{p} saved {a} dollars, got {b} dollars and paid {c} dollars. How many dollars are left?", "First {p} gets {a} {t}, then {b} more, and then {p} loses {c}. How many {t} is that?",
    "{p} picked {a} {t} and {q} picked {b}. They ate {c}. How many {t} are left?", "If {p} has {a} {t}, gets {b} and gives {c} away, how many {t} are left?",
    "There are {a} red and {b} blue {t}. {p} takes {c} of them. How many {t} remain?", "{p} starts with {a} {t}, adds {b} and takes away {c}. How many {t} does {p} have?",
    "A farm has {a} {t} and buys {b} more. Then {c} are sold. How many {t} are there now?",
    "{p} collects {a} {t} on Monday and {b} on Tuesday. {q} takes {c} of them. How many {t} does {p} have left?", "A shop had {a} {t}. {b} more came in and {c} were sold. How many {t} remain?",
   
    "{p} [has|owns|starts with] {a} {t}, [finds|wins|buys|gets|receives] {b} [more|new ones] and [then |]{c} [get lost|are stolen|break|are sold|are eaten]. How many {t} [are left|remain|does {p} have]?",
    "[On Monday|In the morning|At first|Yesterday] {p} [got|found|made|bought] {a} {t} and [on Tuesday|at noon|later|today] {b}. [Then {q} took|{p} gave {q}|{p} lost] {c}. How many {t} [does {p} have|are left|remain]?",
    "In a [garden|field|park|pond] there are {a} [birds|ducks|frogs|bees]. {b} come and {c} [go|fly away|leave]. How many are there now?",
    "A [library|museum|school|farm|bakery] has {a} {t}. It [gets|buys|makes] {b} and [sells|lends|gives away] {c}. How many {t} [does it have now|are left]?",
    "{p} has {a} dollars. {q} gives {p} {b} dollars. {p} [pays|spends] {c} dollars. How many dollars [does {p} have|are left] [now|then]?",
    "{p} and {q} put {a} and {b} {t} [into a bag|together|on a table]. {c} [fall out|are taken|get lost]. How many {t} [are left|remain]?",
    "{a} [people|children|guests] are in a [room|hall|bus|train]. {b} come in, {c} [go out|leave]. How many are [in it|there] then?",
    "{p} [collected|gathered|picked] {a} {t}, and {b} more [after lunch|the next day]. {c} were [bad|broken|lost]. How many were [good|left]?",
    "{p} had {a} {t}. After [getting|buying|winning] {b} more, {p} [gave|sold|sent] {c} to {q}. How many {t} [did {p} keep|are left]?",
    "[Add|{p} adds] {b} {t} to {a} {t} and [take|takes] {c} away. How many {t} [are there|remain]?"]
LESS_MORE = ["{p} has {a} {t}, gives {b} to {q} and then gets {c} more. How many {t} does {p} have now?", "{p} had {a} {t}, lost {b} and found {c}. How many {t} does {p} have?",
             "There are {a} {t} in a box. {p} takes out {b} and puts in {c}. How many {t} are in the box?", "A bus has {a} people. {b} get off and {c} get on. How many people are on the bus?",
             "A shop has {a} {t}, sells {b} and gets {c} new ones. How many {t} does it have?", "{p} has {a} dollars, spends {b} dollars and earns {c} dollars. How many dollars does {p} have?",
             "{p} had {a} {t}. {q} took {b} of them. Then {p} bought {c}. How many {t} does {p} have now?", "Of {a} {t}, {p} sells {b} and then buys {c} more. How many {t} is that?",
             "{p} owns {a} {t}, gives away {b} and gets {c} back. How many {t} does {p} have?", "There were {a} {t} on the table. {p} took {b}, then {q} put {c} there. How many {t} are on the table?",
    "{p} had {a} {t}. {p} gave {b} to {q}, then got {c} more. How many {t} does {p} have?", "{p} has {a} {t} and loses {b}. {q} gives {p} {c} {t}. How many {t} does {p} have now?",
    "{p} has {a} {t}. {b} of them break. Then {p} buys {c} more. How many {t} is that?",
    "A train has {a} people. At a station {b} people get off and {c} people get on. How many people are on the train?", "{p} had {a} {t}, sold {b} and found {c}. How many {t} does {p} have now?",
    "There were {a} {t} in the basket. {p} ate {b}, then {q} added {c}. How many {t} are in the basket?",
    "{p} saved {a} dollars, paid {b} dollars and got {c} dollars. How many dollars does {p} have?", "First {p} has {a} {t}, then {p} loses {b}, and then {p} gets {c}. How many {t} is that?",
    "A farm has {a} {t} and sells {b}. Then it buys {c} more. How many {t} are there now?", "If {p} has {a} {t}, gives {b} away and gets {c}, how many {t} does {p} have?",
    "{p} starts with {a} {t}, takes away {b} and adds {c}. How many {t} does {p} have?", "A shop had {a} {t}. {b} were sold and {c} more came in. How many {t} are there?",
    "From {a} {t}, {p} uses {b}. Then {p} gets {c} more. How many {t} does {p} have?", "{q} took {b} of the {a} {t} that {p} had. Then {p} found {c}. How many {t} does {p} have?",
    "{p} had {a} {t} and used {b}. Then {q} brought {c}. How many {t} are there now?",
    "{p} [has|owns|starts with] {a} {t}, [loses|sells|eats|gives away] {b} and then [finds|wins|buys|gets|receives] {c} [more|new ones]. How many {t} [are there|does {p} have|is that]?",
    "[On Monday|In the morning|At first|Yesterday] {p} had {a} {t}. {q} took {b}. [On Tuesday|Later|Today|At noon] {p} [got|found|made|bought] {c}. How many {t} does {p} have [now|then]?",
    "In a [garden|field|park|pond] there are {a} [birds|ducks|frogs|bees]. {b} [go|fly away|leave] and {c} come. How many are there now?",
    "A [library|museum|school|farm|bakery] has {a} {t}. It [sells|lends|gives away] {b} and [gets|buys|makes] {c}. How many {t} does it have now?",
    "{p} has {a} dollars. {p} [pays|spends] {b} dollars. {q} gives {p} {c} dollars. How many dollars does {p} have [now|then]?",
    "{a} [people|children|guests] are in a [room|hall|bus|train]. {b} [go out|leave], {c} come in. How many are [in it|there] then?",
    "{p} had {a} {t}. After [selling|losing|giving away] {b}, {p} [got|bought|found] {c} more. How many {t} does {p} have [now|in the end]?",
    "[Take|{p} takes] {b} {t} from {a} {t} and [put|puts] {c} [more |]there. How many {t} [are there|is that]?",
    "Of {p}'s {a} {t}, {b} [are lost|broke|were sold]. {q} brings {c} [new ones|more]. How many {t} are there [now|then]?",
    "{p} [eats|uses|breaks] {b} of {a} {t} and [bakes|makes|gets] {c} more. How many {t} [are there|does {p} have]?"]
TIMES_LESS = ["{p} has {a} {x} with {b} {t} each and gives away {c} {t}. How many {t} are left?", "There are {a} {x} with {b} {t} each. {p} takes {c} {t}. How many {t} are left?",
              "{p} buys {a} {x} of {b} {t} and loses {c} {t}. How many {t} does {p} have?", "{p} fills {a} {x} with {b} {t} each, but {c} {t} break. How many {t} are left?",
              "Each of {a} {f} brings {b} {t}. {c} {t} are eaten. How many {t} are left?", "{p} earns {b} dollars a day for {a} days and spends {c} dollars. How many dollars are left?",
              "A shop has {a} {x} with {b} {t} each and sells {c} {t}. How many {t} remain?", "{p} has {a} {x}. Each holds {b} {t}. {q} takes {c} {t}. How many {t} does {p} have now?",
              "From {a} {x} of {b} {t} each, {p} uses {c} {t}. How many {t} are left?", "There are {a} rows of {b} seats. {c} seats are taken. How many seats are free?",
    "{p} has {a} {x}. In each there are {b} {t}. {p} gives {c} {t} away. How many {t} are left?", "There are {b} {t} in each of {a} {x}. {c} {t} are sold. How many {t} remain?",
    "{p} buys {a} {x} with {b} {t} each and gives {c} {t} to {q}. How many {t} does {p} keep?", "{a} {f} have {b} {t} each. They lose {c} {t}. How many {t} do they have left?",
    "{p} makes {b} {t} a day for {a} days and sells {c}. How many {t} are left?", "A hall has {a} rows with {b} seats. {c} seats are taken. How many seats are empty?",
    "{a} {x} hold {b} {t} each. {p} takes out {c} {t}. How many {t} are left?", "{p} packs {a} {x} with {b} {t} each. Then {q} takes {c} {t}. How many {t} remain?",
    "If {p} has {a} {x} of {b} {t} and loses {c} {t}, how many {t} are left?", "A book has {a} parts of {b} pages. {p} has read {c} pages. How many pages are left?",
    "{p} earns {b} dollars in each of {a} weeks and spends {c} dollars. How many dollars does {p} have?", "There are {a} {x}, each with {b} {t}. {c} {t} are broken. How many {t} are whole?",
    "{p} had {a} {x} of {b} {t} each. {p} used {c} {t}. How many {t} are there still?", "Each of {a} {x} has {b} {t}. {q} takes {c} of the {t}. How many {t} are left?",
    "A farm fills {a} {x} with {b} {t} each and sells {c} {t}. How many {t} are left?",
    "[There are|{p} has|A shop has] {a} {x} [with|holding|of] {b} {t} [each|in each]. [Then |]{c} {t} [are sold|get lost|are taken|are eaten|break]. How many {t} [are left|remain|are still there]?",
    "{p} [draws|finds|buys] {b} {t} [a day|each day|every day] for {a} days and [gives away|loses|sells] {c}. How many {t} [are left|does {p} keep|remain]?",
    "[Each|Every one] of {a} {f} [has|brings|buys] {b} {t}. [Together they lose|They eat|They give away] {c}. How many {t} are left?",
    "A [hall|bus|train|plane] has {a} rows of {b} seats. {c} are [taken|broken|full]. How many seats are [free|left|not taken]?",
    "{p} pays for {a} {x} at {b} dollars each and gets {c} dollars off. How many dollars [does {p} pay|is that]?",
    "{p} [fills|packs|opens] {a} {x} of {b} {t}. {q} [takes|eats|borrows] {c}. How many {t} [remain|are left|does {p} have left]?",
    "A [book|story] has {a} [sections|chapters] of {b} pages [each|]. {p} has read {c} pages. How many [are left|pages are left]?",
    "{p} earns {b} dollars [a day|a week|an hour], {a} times, and [spends|pays] {c} dollars. How many dollars are left?",
    "[From|Out of] {a} {x} with {b} {t} [each|in each], {c} {t} are [bad|broken|gone]. How many are [good|left]?", "{p} plants {a} rows of {b} [trees|flowers]. {c} die. How many are left?"]
TIMES_MORE = ["{p} has {a} {x} with {b} {t} each and {c} more {t}. How many {t} does {p} have?", "There are {a} {x} with {b} {t} each. {p} adds {c} {t}. How many {t} are there?",
              "{p} buys {a} {x} of {b} {t} and finds {c} more {t}. How many {t} does {p} have?", "Each of {a} {f} brings {b} {t}. {p} brings {c} {t}. How many {t} are there?",
              "{p} has {c} {t} and buys {a} {x} with {b} {t} each. How many {t} does {p} have now?", "{p} earns {b} dollars a day for {a} days and then gets {c} dollars more. How many dollars is that?",
              "A shop has {a} {x} with {b} {t} each and gets {c} {t} more. How many {t} does it have?", "{p} fills {a} {x} with {b} {t} each and has {c} {t} over. How many {t} did {p} have?",
              "{q} has {c} {t}. {p} has {a} {x} with {b} {t} each. How many {t} do they have together?", "There are {a} rows of {b} seats and {c} more seats at the side. How many seats are there?",
    "{p} has {a} {x}. In each there are {b} {t}. {p} gets {c} more {t}. How many {t} is that?", "There are {b} {t} in each of {a} {x}. {c} {t} are added. How many {t} are there now?",
    "{p} buys {a} {x} with {b} {t} each and gets {c} {t} from {q}. How many {t} does {p} have?", "{a} {f} have {b} {t} each. They find {c} {t}. How many {t} do they have now?",
    "{p} makes {b} {t} a day for {a} days and then {c} more. How many {t} is that?", "A hall has {a} rows with {b} seats and {c} more seats. How many seats does it have?",
    "{a} {x} hold {b} {t} each. {p} puts in {c} more {t}. How many {t} are there?", "{p} packs {a} {x} with {b} {t} each. Then {q} brings {c} {t}. How many {t} are there?",
    "If {p} has {a} {x} of {b} {t} and finds {c} {t}, how many {t} does {p} have?", "A book has {a} parts of {b} pages and {c} more pages at the end. How many pages does it have?",
    "{p} earns {b} dollars in each of {a} weeks and gets {c} dollars as well. How many dollars does {p} have?",
    "There are {a} {x}, each with {b} {t}, and {c} {t} on the table. How many {t} are there?", "{p} had {c} {t}. Then {p} got {a} {x} of {b} {t} each. How many {t} does {p} have?",
    "Each of {a} {x} has {b} {t}. {q} adds {c} {t}. How many {t} are there in all?", "A farm fills {a} {x} with {b} {t} each and has {c} more {t}. How many {t} does it have?",
   
    "[There are|{p} has|A shop has] {a} {x} [with|holding|of] {b} {t} [each|in each]. [Then |]{c} {t} [are added|come in|are brought|are found]. How many {t} [are there now|are there in all|is that]?",
    "{p} [makes|draws|finds|buys] {b} {t} [a day|each day|every day] for {a} days and [then gets|then finds] {c} more. How many {t} [are there|does {p} have|is that]?",
    "[Each|Every one] of {a} {f} [has|brings|buys] {b} {t}. {q} [has|brings|adds] {c}. How many {t} are there [in all|together]?",
    "A [hall|bus|train|plane] has {a} rows of {b} seats and {c} [extra|other|single] seats. How many seats [are there|does it have]?",
    "{p} pays for {a} {x} at {b} dollars each and {c} dollars for a [bag|ticket|hat]. How many dollars [does {p} pay|is that]?",
    "{p} [fills|packs|opens] {a} {x} of {b} {t}. {q} [brings|adds|has] {c} more. How many {t} [are there|are there in all]?",
    "A [book|story] has {a} [parts|chapters] of {b} pages [each|] and {c} pages [of notes|at the end]. How many pages are there?",
    "{p} earns {b} dollars [a day|a week|an hour], {a} times, and [finds|is given] {c} dollars. How many dollars [is that|does {p} have]?",
    "{c} {t} lie [on the table|on the floor|outside] and {b} in each of {a} {x}. How many {t} are there [in all|altogether]?",
    "{p} plants {a} rows of {b} [trees|flowers] and {c} more. How many are there?"]
PLUS_SHARE = ["{p} has {a} {t} and gets {b} more. {p} shares them equally among {c} {f}. How many {t} does each get?", "{p} has {a} {t} and {q} has {b}. They share all of them equally among {c} {f}. How many {t} does each get?",
              "There are {a} red and {b} blue {t}. They are put into {c} {x} equally. How many {t} are in each?", "{p} picks {a} {t}, {q} picks {b}. They pack them into {c} equal {x}. How many {t} go into each?",
              "{a} {t} and {b} more are divided among {c} {f}. How many {t} does each get?",
    "{p} has {a} {t} and finds {b} more. They are shared by {c} {f}. How many {t} does each get?", "{p} buys {a} {t} and then {b} more. {p} puts them into {c} {x} equally. How many {t} are in each?",
    "There are {a} {t} in one box and {b} in another. {c} {f} share them all. How many {t} does each get?", "{c} {f} share {a} red and {b} blue {t} equally. How many {t} does each get?",
    "{p} brings {a} {t}, {q} brings {b}. {c} {f} divide them equally. How many {t} are there for each?",
    "{p} has {a} {t}, gets {b} from {q} and packs all into {c} equal {x}. How many {t} are in each?",
    "{p} made {a} {t} and {q} made {b}. They split them among {c} {f}. How many {t} does each one get?",
    "{p} earns {a} dollars and {q} earns {b} dollars. {c} {f} share the money equally. How many dollars does each get?", "If {a} {t} and {b} {t} are shared among {c} {f}, how many {t} does each get?",
    "First {p} gets {a} {t}, then {b} more, and divides them among {c} {f}. How many {t} does each get?", "{a} {t} and then {b} more are put into {c} equal {x}. How many {t} are in each?",
    "{p} had {a} {t} and got {b}. {p} split them into {c} equal parts. How many {t} are in each part?",
    "A shop has {a} {t}, gets {b} more and packs them into {c} {x} equally. How many {t} go into each?",
    "{p} and {q} have {a} and {b} {t}. They share them with {c} {f} who get all of them. How many {t} does each get?",
    "{p} found {a} {t} on Monday and {b} on Tuesday. {c} {f} share them equally. How many {t} does each get?", "{p} adds {b} {t} to {a} {t} and shares them among {c} {f}. How many {t} does each get?",
    "There are {a} big and {b} small {t} for {c} {f}. How many {t} does each get?",
    "{p} [has|finds|buys] {a} {t}, [and |]{q} [has|finds|buys] {b}. [All|All of them|They] are [shared|split|divided] [equally|fairly|evenly] among {c} {f}. How many {t} does [each|each one] get?",
    "{a} [red|big|old|round] {t} and {b} [blue|small|new|square] {t} are [put|packed|sorted] [equally|evenly] into {c} {x}. How many {t} are in [each|one]?",
    "{p} [bakes|makes|picks|collects] {a} {t} [in the morning|on Monday|at first] and {b} [in the evening|on Tuesday|later]. {c} {f} [share|split|divide] them [equally|evenly|fairly]. How many {t} does each get?",
    "{p} has {a} dollars and {q} has {b} dollars. They [split|share] all [the money|of it] among {c} {f}. How many dollars does each get?",
    "A [class|school] has {a} girls and {b} boys. They form {c} equal [teams|groups]. How many [children|] are in [each|one]?",
    "{p} adds {b} {t} to [a box of|the] {a} {t} and packs all into {c} {x} evenly. How many {t} does each hold?",
    "{a} and {b} {t} are [shared|split|divided] [fairly|equally] by {c} {f}. How many does [each|one] get?",
    "After {p} has [found|bought] {a} {t} and {b} more, {c} {f} share them [equally|fairly]. How many {t} does each have?",
    "{p} [ties|joins] a rope of {a} cm and one of {b} cm and cuts it into {c} equal parts. How many cm is [each|one]?",
    "{p} reads {a} pages and then {b}, in {c} days, the same number each day. How many pages is that a day?"]


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
    return Problem((kind, a, b), dict(cast(rng), a=a, b=b), flat(lines), f"The answer is {value}.", wordings, composed.STORIES[kind])


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
    return Problem((kind, a, b, c), dict(cast(rng), a=a, b=b, c=c), flat(first + [f"{middle}"] + second), f"The answer is {value}.", wordings, composed.STEPS[kind])
