"""The words of benchmark items, field by field, and what each word weighs.

A word weighs its inverse document frequency: over the questions at hand and over the background,
whichever knows it as more common. The corpus under test has no say, because there the most leaked
item is the most frequent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final

import numpy as np

from corpora.benchmarks import Item
from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import hash_words, table, word_hashes
from indexes.background import Background

UNITS_PER_BIT: Final = 16  # weights are whole numbers, so sums do not depend on their order
LEAST_BITS, MOST_BITS = 0.5, 14.0  # of a word: never free, never a whole sentence's worth
QUESTION_PRIOR: Final = 1000  # added to the questions at hand, so that a small benchmark's own rare
# words do not look common (one item of 50 is no rate of 2%)


LEAST_VOCABULARY: Final = 1 << 12  # words for which there is room at first
WELL_MIXED: Final = np.uint64(7)  # bits of a word hash that have no say in its place in a table
DIGIT: Final = np.uint64(1)  # the bit of a word hash that says so
NUMBER_WORDS: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million dozen half twice double triple third quarter"
)


class Role(IntEnum):
    """Which part of an item a text is."""

    QUESTION = 0
    CHOICE = 1
    ANSWER = 2
    PASSAGE = 3
    COMPOSITE = 4  # question with choices or answer, as documents lay them out


@dataclass(frozen=True, slots=True)
class FieldTable:
    """Texts of items and their words, in item order."""

    item: np.ndarray  # int32 (fields,)
    role: np.ndarray  # int8
    choice: np.ndarray  # int16, number of the choice, -1 elsewhere
    words: np.ndarray  # uint64, all fields' words in a row
    starts: np.ndarray  # int64 (fields + 1,)


@dataclass(frozen=True, slots=True)
class WordWeights:
    """Weight of each distinct word of the items, in 1/16 bits."""

    vocabulary: np.ndarray  # uint64, sorted
    weight: np.ndarray  # int32
    unknown: int
    fields: np.ndarray  # int32, of each word of the fields, in order

    def of(self, words: np.ndarray) -> np.ndarray:
        """Return the weights (int32) of word hashes of any shape (n,)."""
        if not len(self.vocabulary):
            return np.full(len(words), self.unknown, np.int32)
        at = np.minimum(np.searchsorted(self.vocabulary, words), len(self.vocabulary) - 1)
        known = self.vocabulary[at] == words
        return np.where(known, self.weight[at], self.unknown).astype(np.int32)


def item_fields(item: Item) -> Iterator[tuple[Role, int, str]]:
    """Yield the non-empty fields of an item as (role, choice number or -1, text)."""
    for role, text in (
        (Role.QUESTION, item.question),
        (Role.ANSWER, item.answer),
        (Role.PASSAGE, item.passage),
    ):
        if text:
            yield role, -1, text
    for number, text in enumerate(item.choices):
        if text:
            yield Role.CHOICE, number, text


def field_text(item: Item, role: int, choice: int) -> str:
    """Return the text of a field; a composite's is the question."""
    if role == Role.CHOICE:
        return item.choices[choice]
    return {Role.ANSWER: item.answer, Role.PASSAGE: item.passage}.get(Role(role), item.question)


def tokenize(items: Sequence[Item]) -> FieldTable:
    """Hash the words of every non-empty field."""
    item: list[int] = []
    role: list[int] = []
    choice: list[int] = []
    texts: list[str] = []
    for number, one in enumerate(items):
        for its_role, its_choice, text in item_fields(one):
            item.append(number)
            role.append(its_role)
            choice.append(its_choice)
            texts.append(text)
    words, starts = _hash_texts(texts)
    return FieldTable(
        np.array(item, np.int32), np.array(role, np.int8), np.array(choice, np.int16), words, starts
    )


def count_words(texts: Sequence[str]) -> np.ndarray:
    """Return the number of words of each text: int32 (texts,)."""
    return np.diff(_hash_texts(texts)[1]).astype(np.int32)


def _hash_texts(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the word hashes of all texts in a row, and where each text's begin."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(data) for data in encoded], out=bounds[1:])
    starts = np.zeros(len(texts) + 1, np.int64)
    return _hash_fields(
        np.frombuffer(b"".join(encoded), np.uint8), bounds, *table(), starts
    ), starts


@kernel
def _hash_fields(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, starts: Any
) -> Any:
    words = np.empty(len(data) // 2 + 64, np.uint64)
    n = 0
    for field in range(len(bounds) - 1):
        need = n + 2 * (bounds[field + 1] - bounds[field]) + 1
        if need > len(words):
            words = _grown(words, n, 2 * need)
        n += hash_words(data, bounds[field], bounds[field + 1], page_of, entries, parts, words[n:])
        starts[field + 1] = n
    return words[:n].copy()


@kernel
def _grown(array: Any, used: int, size: int) -> Any:
    out = np.empty(size, array.dtype)
    out[:used] = array[:used]
    return out


@cache
def number_words() -> np.ndarray:
    """Return the hashes of English number words: uint64, sorted."""
    return np.sort(word_hashes(NUMBER_WORDS))


@kernel
def is_number(word: Any, spelled_out: Any) -> bool:
    """Tell whether a word hash is a number's: in digits, or among the sorted number words."""
    if word & DIGIT:
        return True
    at = np.searchsorted(spelled_out, word)
    return at < len(spelled_out) and spelled_out[at] == word


def weigh(fields: FieldTable, background: Background) -> WordWeights:
    """Weigh every word: -log2 of the larger of its document rates (questions, background)."""
    vocabulary, word_of = _vocabulary(fields.words)
    questions = fields.role == Role.QUESTION
    frequency = _document_frequency(word_of, fields.starts, questions, len(vocabulary))
    rate = np.maximum(frequency - 1, 0) / (np.count_nonzero(questions) + QUESTION_PRIOR)
    rate = np.maximum(rate, background.rate_of(vocabulary))
    weight = _units(rate)
    return WordWeights(vocabulary, weight, int(_units(np.zeros(1))[0]), weight[word_of])


def _vocabulary(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different words, sorted, and which of them each word is: int64 (len(words),).

    As `numpy.unique` does, which sorts all words instead of the different ones.
    """
    found, number = _numbered(words)
    order = np.argsort(found)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return found[order], rank[number]


@kernel
def _numbered(words: Any) -> Any:
    """Return the different words in the order in which they come, and the number of each word."""
    number = np.empty(len(words), np.int32)
    found = np.empty(LEAST_VOCABULARY, np.uint64)
    table = np.full(2 * LEAST_VOCABULARY, -1, np.int32)
    n = 0
    for at in range(len(words)):
        slot = _slot_of(words[at], found, table)
        if table[slot] < 0:
            if n == len(found):
                found = _grown(found, n, 2 * n)
                table = np.full(4 * n, -1, np.int32)
                for known in range(n):
                    table[_slot_of(found[known], found, table)] = known
                slot = _slot_of(words[at], found, table)
            found[n] = words[at]
            table[slot] = n
            n += 1
        number[at] = table[slot]
    return found[:n], number


@inline_kernel
def _slot_of(word: Any, found: Any, table: Any) -> int:
    """Return where a word is in a table of numbers of words, or where it belongs."""
    mask = len(table) - 1
    slot = np.int64(word >> WELL_MIXED) & mask
    while table[slot] >= 0 and found[table[slot]] != word:
        slot = slot + 1 & mask
    return slot


def sum_by_row(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum values[starts[r]:starts[r + 1]] for every row: int64 (len(starts) - 1,)."""
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums[starts[1:]] - sums[starts[:-1]]


def _units(rate: np.ndarray) -> np.ndarray:
    """Information of a word of document rate `rate`, in whole units within the limits."""
    with np.errstate(divide="ignore"):
        bits = np.clip(-np.log2(rate), LEAST_BITS, MOST_BITS)
    return np.rint(bits * UNITS_PER_BIT).astype(np.int32)


@kernel
def _document_frequency(word_of: Any, starts: Any, counted: Any, vocabulary: int) -> Any:
    """Number of counted fields in which each word occurs."""
    out = np.zeros(vocabulary, np.int64)
    last = np.full(vocabulary, -1, np.int64)
    for field in range(len(starts) - 1):
        if counted[field]:
            for at in range(starts[field], starts[field + 1]):
                if last[word_of[at]] != field:
                    last[word_of[at]] = field
                    out[word_of[at]] += 1
    return out
