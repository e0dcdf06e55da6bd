"""The vocabulary: byte-level BPE behind Qwen2's splitting rule, so that digits never merge, with the special strings of the R1 distills.

Run as a program it learns the merges from the generator's own texts and writes tokenizer.json. The words of the spelling tasks are left out of
that text: a word to be spelled should reach the model in short pieces, while the words of the traces become one token each."""

import argparse
import pathlib
import random
import re

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from tasks import TASKS, example
from tasks.common import PLACES, RAW_OFF, RAW_ON

HERE = pathlib.Path(__file__).parent
PATH = HERE / "tokenizer.json"
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
# In the order of the distills' ids. The control ones are never printed; the others are text that the runtime shows.
END, USER, ASSISTANT, BEGIN, EOT, THINK, UNTHINK = "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜begin▁of▁sentence｜>", "<|EOT|>", "<think>", "</think>"
SPECIALS = [END, USER, ASSISTANT, BEGIN, EOT, THINK, UNTHINK]
CONTROL = {END, BEGIN, EOT}
SIZE = 640
SPELLED = RAW_ON + "[^" + RAW_OFF + "]*" + RAW_OFF


def train(path=PATH, examples=60000):
    rng = random.Random(5)
    spelling = {"count", "length", "backwards"}

    def texts():
        for _ in range(3000):  # every letter alone, with its space, and the names of the places
            yield from (f" {letter}" for letter in "abcdefghijklmnopqrstuvwxyz")
        for _ in range(300):
            for place in PLACES:
                yield f"4 {place}\n{place}:1\n×{place};{place}×{place}"
        for n in range(examples):
            task = list(TASKS)[n % len(TASKS)]
            e = example(rng, task)
            if task in spelling:
                e = example(rng, task, make=lambda r, m: plain_word(r, m, task))
            yield e.prompt
            yield re.sub(SPELLED, "1", e.trace) + "\n"
            yield "\n\n" + re.sub(SPELLED, "1", e.answer)

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=SIZE - len(SPECIALS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts(), trainer)
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.save(str(path))
    return tokenizer


def plain_word(rng, most, task):
    """The spelling task with its word emptied, for learning merges from its wording alone."""
    problem = TASKS[task][0](rng, most)
    problem.slots["w"] = ""
    return problem


class Encoder:
    def __init__(self, path=PATH):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.ids = self.tokenizer.get_vocab()
        self.size = self.tokenizer.get_vocab_size()
        self.end, self.newline = self.ids[END], self.tokenizer.encode("\n").ids
        self.unthink, self.pause = self.ids[UNTHINK], self.tokenizer.encode("\n\n").ids
        self.head = [self.ids[BEGIN], self.ids[USER]]
        self.tail = [self.ids[ASSISTANT], self.ids[THINK]] + self.newline

    def text(self, text):
        """Plain text by BPE; between RAW marks letter by letter (a letter may take the space before it along)."""
        out = []
        for n, part in enumerate(text.split(RAW_ON)):
            if n:
                letters, part = part.split(RAW_OFF)
                k = 0
                while k < len(letters):
                    pair = "Ġ" + letters[k + 1 : k + 2] if letters[k] == " " else ""
                    out.append(self.ids[pair] if len(pair) == 2 and pair in self.ids else self.tokenizer.encode(letters[k]).ids[0])
                    k += 2 if len(pair) == 2 and pair in self.ids else 1
            if part:
                out += self.tokenizer.encode(part).ids
        return out

    def prompt(self, prompt):
        """What the chat template makes of one user message, with the generation prompt."""
        return self.head + self.tokenizer.encode(prompt, add_special_tokens=False).ids + self.tail

    def completion(self, trace, answer):
        return self.text(trace + "\n") + [self.unthink] + self.text("\n\n" + answer) + [self.end]

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=60000)
    tokenizer = train(examples=parser.parse_args().examples)
    print(tokenizer.get_vocab_size(), "tokens")
