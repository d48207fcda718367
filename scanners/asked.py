"""What reading a nominated window takes: the words of the questions, their vectors, and the choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.kernels import kernel
from indexes.background import Background
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import kept_words, speller, word_row
from indexes.shingles import characters
from scanners.embedding import ASK, Meant
from scanners.fields import LEAST_BITS, MOST_BITS, UNITS_PER_BIT, Role, is_number, number_words
from scanners.patterns import CODE_MARKS, Patterns
from scanners.reword import ItemText

MOST_WORDS: Final = 512  # of a question that are compared: the last ones


class Choices(NamedTuple):
    """The choices of each item, word by word."""

    first: np.ndarray  # int64 (items + 1,), rows of item i are first[i] .. first[i + 1]
    start: np.ndarray  # int64 (rows + 1,), into words
    words: np.ndarray  # uint64
    weights: np.ndarray  # int32
    key: np.ndarray  # uint64 (items,), equal where the choices are
    sharing: np.ndarray  # int64 (items,), items with the same choices


class Asked(NamedTuple):
    """The questions behind the rows of `Meant`."""

    number: np.ndarray  # int64 (rows,), of the row's question in `texts`; -1: not read
    first_word: np.ndarray  # int32 (rows,), words of the question that the row is compared by
    last_word: np.ndarray
    is_code: np.ndarray  # bool (rows,), whether the question is code
    texts: ItemText
    slot: np.ndarray  # int32, words of all texts in a row: rows of `vectors`
    slot_first: np.ndarray  # int64 (texts + 1,)
    vectors: np.ndarray  # float32 (distinct words, dimension), of unit length or zero
    words: np.ndarray  # uint64 (distinct words,), numbers as in digits
    number_word: np.ndarray  # bool (distinct words,)
    choices: Choices
    background_words: np.ndarray  # uint64, sorted
    background_weights: np.ndarray  # int32
    unknown_weight: int


def ask_items(
    meant: Meant,
    patterns: Patterns,
    items: Sequence[Item],
    background: Background,
    model: StaticModel,
) -> Asked:
    """Gather what reading takes; `items` are those of the patterns."""
    rows = np.flatnonzero(meant.pattern >= 0)
    chosen, first = np.unique(meant.pattern[rows], return_index=True)
    texts = [characters(items[i].question) for i in meant.item[rows[first]].tolist()]
    bounds = _bounds([len(text) for text in texts])
    letters = np.concatenate([np.zeros(0, np.uint32), *texts])
    item_text = ItemText.of(chosen, letters, bounds)
    number = np.full(len(meant.pattern), -1, np.int64)
    number[rows] = np.searchsorted(chosen, meant.pattern[rows])
    starts = patterns.index.starts
    lengths = np.diff(starts)[chosen]
    slot_first = _bounds(lengths.tolist())
    all_words = np.concatenate(
        [np.zeros(0, np.uint64), *(patterns.index.words[starts[p] : starts[p + 1]] for p in chosen)]
    )
    distinct, at, slot = np.unique(all_words, return_index=True, return_inverse=True)
    vectors = np.zeros((len(distinct), model.vectors.shape[1]), np.float32)
    _embed(letters, bounds, slot_first, distinct, at, speller(model), kept_words(model), vectors)
    numeric = np.array([is_number(word, number_words()) for word in distinct], np.bool_)
    by_ask = meant.view == ASK
    code = np.array([any(mark in one.question for mark in CODE_MARKS) for one in items], np.bool_)
    code &= meant.codes.total > 0  # "return" is a word of prose, too
    pattern = np.maximum(meant.pattern, 0)
    last = np.diff(starts)[pattern]
    return Asked(
        number,
        np.where(by_ask, patterns.ask_start[pattern], np.maximum(0, last - MOST_WORDS)).astype(
            np.int32
        ),
        np.where(by_ask, patterns.ask_end[pattern], last).astype(np.int32),
        code[meant.item],
        item_text,
        slot.astype(np.int32),
        slot_first,
        vectors,
        _in_digits(distinct, item_text),
        numeric,
        _choices(patterns, background),
        background.word_hash,
        _weights(background.word_df / max(1, background.documents)),
        int(_weights(np.zeros(1))[0]),
    )


def _bounds(lengths: Sequence[int]) -> np.ndarray:
    out = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def _in_digits(words: np.ndarray, texts: ItemText) -> np.ndarray:
    """Return word hashes, those of spelled-out numbers as in digits."""
    at = np.minimum(np.searchsorted(texts.spelled, words), len(texts.spelled) - 1)
    return np.where(texts.spelled[at] == words, texts.digits[at], words)


def _weights(rate: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        bits = np.clip(-np.log2(rate), LEAST_BITS, MOST_BITS)
    return np.rint(bits * UNITS_PER_BIT).astype(np.int32)


def _choices(patterns: Patterns, background: Background) -> Choices:
    fields = patterns.fields
    rows = np.flatnonzero(fields.role == Role.CHOICE)
    words = [fields.words[fields.starts[row] : fields.starts[row + 1]] for row in rows.tolist()]
    start = _bounds([len(one) for one in words])
    flat = np.concatenate([np.zeros(0, np.uint64), *words])
    n_items = len(patterns.benchmark)
    first = np.searchsorted(fields.item[rows], np.arange(n_items + 1))
    key = np.zeros(n_items, np.uint64)
    _choice_keys(first, start, flat, key)
    _, of, sharing = np.unique(key, return_inverse=True, return_counts=True)
    return Choices(first, start, flat, _weights(background.rate_of(flat)), key, sharing[of])


@kernel
def _choice_keys(first: Any, start: Any, words: Any, key: Any) -> None:
    for item in range(len(key)):
        h = np.uint64(0xCBF29CE484222325)
        for row in range(first[item], first[item + 1]):
            for word in words[start[row] : start[row + 1]]:
                h = (h ^ word) * np.uint64(0x9E3779B97F4A7C15)
                h ^= h >> np.uint64(29)
            h = (h ^ np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        key[item] = h


@kernel
def _embed(
    letters: Any, bounds: Any, slot_first: Any, words: Any, at: Any, spell: Any, kept: Any, out: Any
) -> None:
    """Leave the unit vector of each distinct word in `out`; word w stands first at place `at[w]`."""
    begins = np.empty(slot_first[-1], np.int64)
    ends = np.empty(slot_first[-1], np.int64)
    for text in range(len(bounds) - 1):
        word, begin = slot_first[text], bounds[text]
        for letter in range(bounds[text], bounds[text + 1] + 1):
            if letter == bounds[text + 1] or letters[letter] == 32:
                if word < slot_first[text + 1]:
                    begins[word], ends[word] = begin, letter
                word, begin = word + 1, letter + 1
    for number in range(len(words)):
        place = at[number]
        row = word_row(words[number], letters, begins[place], ends[place], spell, kept)
        unit_vector(kept.vectors[row], out[number])


@kernel
def unit_vector(vector: Any, out: Any) -> float:
    """Leave an int16 vector at unit length in `out` (float32); return its length, 0 for none."""
    square = 0.0
    for k in range(len(vector)):
        square += float(vector[k]) * float(vector[k])
    length = np.sqrt(square)
    for k in range(len(out)):
        out[k] = np.float32(vector[k] / length) if length > 0 else np.float32(0)
    return length
