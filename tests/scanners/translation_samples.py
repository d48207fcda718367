"""A made-up language, questions in it, and a model that knows it.

The other language has the words of English in Georgian letters, which look like no Latin ones; its sentences
say the same in another order.
"""

import re
import zlib
from functools import cache

import numpy as np

from corpora.benchmarks import Benchmark, Item
from indexes.background import load_background
from indexes.embeddings.card import ModelCard
from indexes.embeddings.probes import ENGLISH, TRANSLATED
from scanners.patterns import build_patterns

LETTERS = dict(zip("abcdefghijklmnopqrstuvwxyz", "აბცდეფგჰიჯკლმნოპქრსტუვწხყზ", strict=True))
BACK = {theirs: ours for ours, theirs in LETTERS.items()}
TRADES = (
    "baker bread loaf oven", "sailor harbour anchor rope", "farmer barley field plough",
    "tailor jacket button thread", "gardener orchard pear ladder", "printer poster ink paper",
    "potter vase clay kiln", "miner tunnel copper lamp", "teacher lesson pupil chalk",
    "carpenter table plank nail", "fisher trout river net", "mason chimney brick mortar",
    "weaver carpet wool loom", "smith horseshoe iron anvil", "painter portrait canvas brush",
    "cobbler boot leather heel", "florist tulip ribbon bouquet", "pilot airport luggage runway",
    "nurse bandage clinic syringe", "librarian novel shelf catalogue", "brewer barrel hops cellar",
    "jockey stable saddle race", "dentist tooth drill crown", "sculptor marble statue chisel",
)  # fmt: skip
TELLING = frozenset(" ".join(TRADES).split())
FILLER = (
    "the valley lay under heavy snow and nobody had seen the postman since thursday. old people spoke of a "
    "winter when wolves came down to the church. a lantern swung above the door of the inn all night. "
    "in the morning the children found strange tracks beside the frozen pond. their grandmother told them "
    "to stay near the house. "
)


def question(number):
    """A question of a trade, with numbers of its own."""
    trade, thing, part, tool = TRADES[number].split()
    first, second = 13 + 7 * number, 31 + 11 * number
    return (
        f"The {trade} prepares {first} pieces of {thing} every week and needs {second} units of {part} "
        f"for each. A new {tool} saves a tenth of the {part}. How many units of {part} does the "
        f"{trade} need for the {thing} in a month with the {tool}?"
    )


def translated(text):
    """The same in the other language."""
    turned = []
    for sentence in re.findall(r"[^.?]+[.?] ?", text):
        mark = sentence.rstrip()[-1]
        turned.append(" ".join(reversed(sentence.rstrip(" .?").split())) + mark)
    return "".join(LETTERS.get(letter, letter) for letter in " ".join(turned).lower())


def other_numbers(text):
    """The text with other numbers."""
    return re.sub(r"\d+", lambda found: str(int(found[0]) + 400), text)


def benchmark(left_out=(), n=24):
    """A benchmark of the questions."""
    return Benchmark(
        "trades", "", "", "",
        tuple(Item(str(k), question(k), "", "", ()) for k in range(n) if k not in left_out),
    )  # fmt: skip


def patterns_of(one):
    """The patterns of a benchmark."""
    return build_patterns([one], load_background())


@cache
def _meaning(word):
    """A direction of the word's own; what all questions have in common says less."""
    weight = 1.0 if word in TELLING or word.startswith("probe") else 0.6
    return weight * np.random.default_rng(zlib.crc32(word.encode())).normal(size=256)


class Polyglot:
    """A model of bags of words that knows both languages, and the probes by heart."""

    card = ModelCard(name="polyglot", files={}, dimension=256)
    dimension, longest, truncated = 256, None, 0

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts += texts
        out = np.zeros((len(texts), 256), np.float32)
        for row, text in enumerate(texts):
            out[row] = sum(map(_meaning, self.words(text)), np.zeros(256))
        sizes = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, sizes, out=out, where=sizes > 0)

    def words(self, text):
        for sentences in TRANSLATED.values():
            if text in sentences:
                return [f"probe {sentences.index(text)}"]
        if text in ENGLISH:
            return [f"probe {ENGLISH.index(text)}"]
        return re.findall("[a-z]+", "".join(BACK.get(c, c) for c in text.lower()))

    def n_tokens(self, texts):
        return np.array([len(text.split()) for text in texts], np.int64)


class Monoglot(Polyglot):
    """The same without the other languages."""

    card = ModelCard(name="monoglot", files={}, dimension=256)

    def words(self, text):
        return re.findall(r"\w+", text.lower())
