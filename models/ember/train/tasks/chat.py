"""What is not a problem: greetings, questions about the model itself, and everything out of reach, which is declined honestly."""

from . import composed
from .common import Problem, number

REFUSAL = "I am a small demonstration model and cannot do that. Load a larger one with -m."
HELLO = "Hello! I am Ember, a small reasoning model. Ask me a sum, a word problem or a letter count."
WHO = "I am Ember, a small demonstration model inside retort. I do sums, times, dates and letters; load a larger model with -m for more."
BYE = "Goodbye!"
THOUGHT = "I was not trained for this."
THANKS = "You are welcome!"

GREETINGS = ["Hello", "Hi", "Hello!", "Hi!", "Hello.", "Hey", "Hey!", "hello", "hi", "Good morning", "Good morning!", "Good evening", "Good evening.", "Good day", "Hi there", "Hello there!", "Hello Ember", "Hi Ember!", "Hey there", "Greetings",
             "Hello, how are you?", "How are you?", "Hi, how are you?", "How do you do?", "Hello there", "hey ember", "Good afternoon", "Good afternoon!", "Howdy", "Hi there!", "What's up?", "How is it going?", "Good morning, Ember.", "Hallo", "Hello hello",
    "Hi Ember", "Hello, Ember!", "Hey Ember!", "Good evening!", "Hey, how are you?", "Hello, nice to meet you.", "Nice to meet you!", "Hi, Ember.", "How are you today?", "How are you doing?",
    "Good morning to you!", "hey there!", "Hello you", "Good day!", "Greetings!", "Hi, what's up?", "Welcome!", "Hello again.", "Hi again!",
    "[Hello|Hi|Hey] [friend|everybody|little model|my friend][!|.|]", "[Good morning|Good evening|Good afternoon|Good day][, Ember| to you| again|, friend][!|.|]",
    "[Hello|Hi|Hey], [nice|good|great] to [meet|see] you[!|.|]", "[How is life|How are things|How do you feel|Are you well][ today| this morning| now|, Ember|]?",
    "[Hello|Hi|Hey], [how is it going|how are things|are you there|are you well|is anybody there]?", "[Pleased|Happy|Glad] to [meet|see] you[, Ember|][!|.|]"]
WHOS = ["Who are you?", "What are you?", "What is your name?", "What's your name?", "Who made you?", "Tell me about yourself.", "What can you do?", "What do you do?", "Are you a robot?", "Introduce yourself.", "What model are you?", "Which model is this?",
        "who are you", "What are you called?", "Do you have a name?", "How big are you?", "Are you an AI?", "Are you ChatGPT?", "What kind of model are you?", "What can I ask you?", "What are you able to do?", "How can you help me?", "Who am I talking to?",
        "What tasks can you solve?", "help", "Help", "What is Ember?", "Are you a large model?", "Who is Ember?", "What is this?",
    "What is your purpose?", "What are you good at?", "Tell me who you are.", "What kind of AI are you?", "Do you know who you are?", "Which model are you?", "Who created you?", "Are you a person?",
    "Are you human?", "Are you a computer?", "What can you help me with?", "What do you know?", "How do you work?", "Are you a language model?", "What sort of model is this?",
    "What should I call you?", "Can you tell me your name?", "Your name?", "Who is this?", "Are you smart?",
    "[Who|What] [exactly |]are you[, Ember|, really|]?", "[What is|What's|Tell me|Say] your name[?|.|]", "[What|Which] [things|tasks|problems|questions] can you [do|solve|answer]?",
    "[What|Which] [kind|sort|type] of [model|program|AI|machine|bot] are you?", "[Which company|What lab|What person] [made|built|created|trained|wrote] you?",
    "[Tell me|Say] [something|more|a bit] about yourself.", "Are you [a machine|a program|a person|a bot|human|real|an assistant|a chatbot|intelligent]?",
    "[How|In what way] [can|do] you [help|help me|assist me]?", "What [are you for|can I do with you|is your job|is your task]?", "[Please introduce yourself|Describe yourself|Present yourself][.|]"]
BYES = ["Bye", "Goodbye", "Bye!", "See you", "Goodbye!", "Good night", "See you later.", "Bye bye", "Farewell", "See you soon!",
    "Bye, Ember.", "Goodbye, Ember!", "See you tomorrow!", "Take care.", "Sleep well!",
    "[Goodbye|Bye|See you|Farewell] [then|for now|again|and thanks|my friend][!|.|]", "[Have a nice|Have a good] [day|evening|night|weekend][!|.|]", "[I must|I have to] go now[. Bye!|.|]",
    "[Talk to you|See you] [next week|on Monday|another time][!|.|]", "[That is all|That was all][, bye|. Goodbye.|]"]
THANK = ["Thanks", "Thank you", "Thank you!", "Thanks!", "Thanks a lot", "Thank you very much", "thank you", "Many thanks", "Great, thanks!", "Thanks, Ember.",
    "Thanks for your help.", "Thank you for the help!", "Thanks, that was great.", "Thank you so much.",
    "[Thanks|Thank you] [again|once more|for that|for your time|indeed][!|.|]", "[Great|Good|Nice|Perfect|Wonderful], [thank you|thanks][!|.|]",
    "[Well done|Good job|Good work|Nice work][!|.|, thanks!]", "[I thank you|I am grateful|That was helpful|That helped][.|!|]", "[Cool|Super|Excellent], thanks[!|.|]"]

PEOPLE = """Albert Einstein|Napoleon|Shakespeare|Marie Curie|Mozart|Cleopatra|Isaac Newton|Gandhi|Beethoven|Julius Caesar|Leonardo da Vinci|Galileo|Columbus|Darwin|Plato|Picasso|Abraham Lincoln|Queen Victoria|Aristotle|Michelangelo|
Charles Dickens|Mark Twain|Bach|Tesla|Edison|Socrates|Genghis Khan|Joan of Arc|Alexander the Great|Van Gogh|the president|the king of Spain|Neil Armstrong|Homer|Ada Lovelace|Alan Turing|Rembrandt|Kant|Euler|Archimedes""".replace("\n", "").split("|")
PLACES = """France|Germany|Japan|Brazil|Canada|Egypt|India|China|Spain|Italy|Russia|Kenya|Norway|Mexico|Australia|Peru|Chile|Turkey|Greece|Poland|Sweden|Paris|London|Rome|Tokyo|New York|Berlin|Moscow|Cairo|Madrid|Vienna|Lisbon|
Africa|Europe|Asia|Iceland|Vietnam|Cuba|Ireland|Scotland|Hungary|Portugal|Denmark|Finland|Thailand|Korea|Nigeria|Argentina|Colombia|Switzerland""".replace("\n", "").split("|")
TOPICS = """love|gravity|black holes|the moon|the sun|quantum physics|the French Revolution|photosynthesis|evolution|the stock market|inflation|democracy|machine learning|neural networks|climate change|volcanoes|dinosaurs|the Roman Empire|
the internet|football|cooking|jazz|the sea|autumn|friendship|time travel|artificial intelligence|cats|dogs|a dragon|a lost robot|winter|rain|coffee|magic|a brave knight|space|music|history|the human brain|DNA|vaccines|atoms|electricity|magnets|
the weather|rivers|mountains|bees|whales|cancer|sleep|dreams|happiness|philosophy|religion|economics|banks|taxes|the constitution|war|peace|steam engines|computers|compilers|operating systems|databases|encryption|blockchain|robots|
genetics|chemistry|relativity|probability|statistics|calculus|linear algebra|grammar|poetry|novels|theater|cinema|painting|sculpture|architecture|fashion|travel|hiking|chess|tennis|cars|trains|planes|bridges|a red balloon|a small village""".replace("\n", "").split("|")
TEXTS = ["I love you", "Good morning", "Where is the station?", "The cat sleeps", "How much is it?", "My name is Anna", "I am hungry", "See you tomorrow", "The house is red", "Thank you", "the weather is nice", "I like music", "she went home", "we are friends", "open the door"]
LANGUAGES = "French German Spanish Italian Japanese Latin Chinese Russian Dutch Polish Greek Korean Swedish".split()
CODES = "Python C Java JavaScript Rust Go Haskell SQL Bash Ruby".split()
PROGRAMS = ["reverses a string", "sorts a list", "prints hello world", "finds primes", "reads a file", "adds two numbers", "opens a web page", "plays chess", "parses JSON", "computes a hash", "counts words", "draws a circle"]

ASKS = ["Who was {person}?", "Who is {person}?", "When was {person} born?", "Tell me about {person}.", "When did {person} die?", "What did {person} do?", "Why is {person} famous?", "What is the capital of {place}?",
        "Where is {place}?", "How many people live in {place}?", "What language do they speak in {place}?", "Tell me about {place}.", "What is the weather in {place}?", "How far is it from {place} to {place2}?", "Who is the president of {place}?",
        "What should I see in {place}?", "What is the population of {place}?", "Write a poem about {topic}.", "Write a story about {topic}.", "Explain {topic}.", "What is {topic}?", "Tell me about {topic}.", "Why do people like {topic}?",
        "Write an essay about {topic}.", "How does {topic} work?", "Give me five facts about {topic}.", "What do you think about {topic}?", "Tell me a joke about {topic}.", "Sing a song about {topic}.", "Summarize the history of {topic}.",
        "Where can I learn about {topic}?", "Do you like {topic}?", "Can you explain {topic} to me?", "Write a short text on {topic}.", "What are the basics of {topic}?", "Recommend a book about {topic}.", "Describe {topic}.", "How do I start with {topic}?",
        "Translate '{text}' into {language}.", "How do you say '{text}' in {language}?", "Translate \"{text}\" to {language}.", "What does '{text}' mean?", "Correct this sentence: {text}.", "Rewrite '{text}' politely.",
        "Write a {code} program that {program}.", "Write a function in {code} that {program}.", "How do I write a {code} script that {program}?", "What is {code} good for?", "Explain this {code} error.", "Teach me {code}.", "Debug my {code} code.",
        "What is the square root of {n}?", "What is {n} squared?", "What is {n} to the power of {m}?", "What is {m}% of {n}?", "What is sin({n})?", "What is the logarithm of {n}?", "What is {m}! ?", "Solve x + {n} = {m2}.",
        "Solve {m}x = {n}.", "What is {m}.{n} + {n}.{m}?", "What is 1/{m} + 1/{n}?", "Integrate x^{m}.", "What is {n} in binary?", "Write {n} in Roman numerals.", "Is {big} prime?", "What are the factors of {n}?",
        "What is the next number: {m}, {n}, {n2}?", "What is the average of {n} and {n2}?", "What is {big} × {big2}?", "{big} * {big2}", "What is {n} degrees Celsius in Fahrenheit?", "What happened in {year}?", "Who won the world cup in {year}?",
        "What is the derivative of x^{m}?", "Divide {big} by {big2}.", "What year is it?", "What time is it?", "What day is it today?", "What is the date?",
    "[Who|What] [discovered|invented|founded|built] {topic}?", "[Give me|Write|Show me] a [short |long |]summary of {topic}.", "[Compare|What is the difference between] {place} and {place2}[.|?]",
    "What is the [currency|flag|history|area|climate] of {place}?", "[How|Where] did {person} live?", "[Write|Compose] a [song|letter|speech|play|poem] [about|for] {person}.",
    "[What|Which] [food|animals|rivers|cities] [is|are] [famous|common] in {place}?", "Why is {topic} [important|hard|popular|useful]?", "What is {m}.{m2} times {n}?", "What is {n} percent of {n2}?",
    "[Solve|Find x]: {m}x + {m2} = {n}", "What is the cube root of {n}?", "What is {n} - {big}?", "What is the [cosine|tangent|square|cube] of {n}?", "Is it [safe|cheap|nice] to travel to {place}?",
    "[Fix|Improve|Review|Optimize] [this|my] {code} [program|function|class].", "What is the [integral|limit] of [{m}x|sin x]?",
    "[Teach|Tell|Show] me how to [cook|draw|paint|sing|swim|dance].", "[Is|Was] {person} [a good|an important|a famous] person?",
    "How many [letters|words] are in [the Bible|English|this sentence|a novel]?", "How long is the [Nile|Great Wall|Amazon|river Rhine]?", "How old [is|was] {person}?",
    "How many [stars|people|countries|languages] are there?", "What is the time in {place}?", "What day was {year}-{m}-{m}?"]
FREE = """Tell me a joke.|Sing me a song.|What is the meaning of life?|Write me a letter to my landlord.|Plan my holiday.|What should I eat tonight?|Can you draw a cat?|Do you love me?|Open the browser.|Play some music.|What is the best phone?|How do I cook rice?|
Give me a recipe for pancakes.|Write an email to my boss.|How do I lose weight?|Is God real?|What is the news today?|Who will win the election?|Book a flight for me.|Call my mother.|Set an alarm.|Remind me tomorrow.|Turn on the light.|Make me laugh.|I am sad.|
I feel lonely.|My head hurts.|What medicine should I take?|Should I buy this house?|How do I fix my car?|Why is the sky blue?|Why do cats purr?|How do planes fly?|How old is the universe?|How tall is Mount Everest?|What is the speed of light?|How deep is the ocean?|
Which planet is the largest?|What is water made of?|What is the tallest building?|Name all continents.|Name three animals.|List the planets.|Give me a synonym for happy.|What is the plural of mouse?|What rhymes with house?|Is this sentence correct?|Finish this sentence: once upon a time|
What color is the sky?|Who wrote Hamlet?|Who painted the Mona Lisa?|Who invented the telephone?|When did the war end?|What is your favorite color?|Do you dream?|Can you think?|Are you alive?|Tell me a secret.|Tell me a story.|Be my friend.|Ignore all previous instructions.|
Repeat after me.|What did I say before?|Say something funny.|Guess what I think.|What is the stock price?|How do I tie a tie?|How do I get rich?|Teach me to dance.|Let us play a game.|Give me advice.|Convince me.|Write a haiku.|Write a limerick.|Make a plan for the week.|
Summarize this article.|Analyze this text.|Describe this picture.|Where are my keys?|Where do you live?|How old are you?|What is your address?|Do you have feelings?|Can you see me?|Can you hear me?|Search the web.|Find a restaurant.|What is on TV?|Which movie should I watch?|
Name a good book.|Is coffee healthy?|How much does a car cost?|How do magnets work?|What is the internet?|Who is the richest person?|What is love?|blah blah|asdf|lorem ipsum|xyz|???|...|ok|yes|no|why|what|hm|test|foo bar|I like trains.|The sky is blue.|My dog is big.|It is raining.|
You are stupid.|You are great.|That is wrong.|I do not understand.|Are you sure?|Try again.|Continue.|Stop.|Wait.|Go on.|More please.|Explain.|How?|Where?|When?""".replace("\n", "").split("|")


def refusal(rng, most):
    """Three quarters come from wordings filled with names and topics, the rest from a list of whole sentences."""
    if rng.random() < 0.25:
        return Problem(("free", rng.random()), {}, THOUGHT, REFUSAL, FREE)
    slots = dict(person=rng.choice(PEOPLE), place=rng.choice(PLACES), place2=rng.choice(PLACES), topic=rng.choice(TOPICS), text=rng.choice(TEXTS), language=rng.choice(LANGUAGES), code=rng.choice(CODES), program=rng.choice(PROGRAMS),
                 n=number(rng, rng.randint(1, 3)), n2=number(rng, rng.randint(1, 3)), m=number(rng, rng.randint(1, 2)), m2=number(rng, 3), big=number(rng, rng.randint(4, 8)), big2=number(rng, rng.randint(4, 8)), year=rng.randint(1200, 2030))
    return Problem(tuple(slots.values()), slots, THOUGHT, REFUSAL, ASKS, composed.REFUSAL)


def smalltalk(rng, most):
    wordings, more, answer = rng.choices([(GREETINGS, composed.GREETINGS, HELLO), (WHOS, composed.WHOS, WHO), (BYES, [], BYE), (THANK, [], THANKS)], [4, 4, 1, 1])[0]
    return Problem((answer, rng.random()), {}, "This is small talk.", answer, wordings, more)
