"""Reading one window: the best place for a question in it, and what the two share."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.embeddings.word_vectors import word_row
from scanners.asked import unit_vector
from scanners.embedding import SIZES
from scanners.fields import is_number
from scanners.loci import (
    ASK_UNITS,
    ITEM_END,
    ITEM_START,
    NUMBERS_MATCHED,
    NUMBERS_SWAPPED,
    PATTERN,
    RUN_END,
    RUN_START,
    SWAPPED_UNITS,
    UNITS,
    WORD_END,
    WORD_START,
    more_rows,
)
from scanners.reword import align_place, compare_numbers, spelling_coverage
from scanners.soft_words import best_place, covered, covered_in_order, liken, told_share

MOST_REACH: Final = max(SIZES)  # words on both sides of a window that are read, too
LONGEST_PLACE: Final = 3  # times the words of the question
LEAST_REACH: Final = 12
SOUGHT_CHOICES: Final = (
    40  # words behind the place, and twice those of the choices, that are looked at
)
CHOICE_FOUND: Final = 0.8  # of a choice's weight
LEAST_SAME: Final = 0.15  # of the question's weight, that rewordings keep in the same words


class Meanings(NamedTuple):
    """What a place and a question share, by row of the evidence: float64 (n,) each.

    Shares are of weight, in [0, 1].
    """

    row: np.ndarray  # of `Meant`
    cosine: np.ndarray  # of the nominated window
    place_cosine: np.ndarray  # of the place itself
    units: np.ndarray  # weight of the question, or of its ask, in 1/16 bits
    words: np.ndarray  # share of it in the same words
    spelling: np.ndarray  # by 5-grams of characters
    soft: np.ndarray  # in words that mean the same
    rare: np.ndarray  # the same by squared weight: of the words that few others have
    in_order: np.ndarray  # the same, as far as it aligns in order
    in_reverse: np.ndarray  # as far as it aligns with the place read backwards
    told: np.ndarray  # share of the place's sentences that the question accounts for
    told_rare: np.ndarray  # the same by squared weight
    ask: np.ndarray  # of the ask what the place stands for; 1 where there is none
    numbers: np.ndarray  # different ones of the question
    place_numbers: np.ndarray
    shared_numbers: np.ndarray
    choices: np.ndarray  # share of the choices that stand behind the place; 0 where there are none
    choice_units: np.ndarray  # weight of what was found of them
    text_start: np.ndarray  # words of the document: the place's sentences
    text_end: np.ndarray
    model_cosine: np.ndarray  # by the transformer, where one was asked; NaN elsewhere
    code_bits: np.ndarray  # what the item's code and that of the place have in common, in order
    code_share: np.ndarray  # of what the item's code tells
    code_told: np.ndarray  # share of the place's code, there, that the item accounts for
    code_names: np.ndarray  # names that stand for the same name as before, less those that do not


N_FEATURES: Final = len(Meanings._fields)
(
    F_ROW, F_COSINE, F_PLACE_COSINE, F_UNITS, F_WORDS, F_SPELLING, F_SOFT, F_RARE, F_IN_ORDER, F_IN_REVERSE, F_TOLD, F_TOLD_RARE, F_ASK,
    F_NUMBERS, F_PLACE_NUMBERS, F_SHARED_NUMBERS, F_CHOICES, F_CHOICE_UNITS, F_TEXT_START, F_TEXT_END,
    F_MODEL_COSINE, F_CODE_BITS, F_CODE_SHARE, F_CODE_TOLD, F_CODE_NAMES,
) = range(N_FEATURES)  # fmt: skip


@kernel
def read_window(
    row: int, start: int, stop: int, cosine: float, text: Any, item_of: Any, row_vectors: Any,
    asked: Any, target: Any, spell: Any, kept: Any, grams: Any, rows: Any, features: Any, n_rows: int,
    runs: Any, n_runs: int,
) -> tuple[Any, Any, int, Any, int]:  # fmt: skip
    """Read one window; append a row of evidence with its features where a word is shared."""
    hashes, letters, ends, breaks = text
    number = asked.number[row]
    pattern = asked.texts.pattern[number]
    first, last = asked.first_word[row], asked.last_word[row]
    from_word = target.ngrams.starts[pattern]
    item = target.ngrams.words[from_word + first : from_word + last]
    weights = target.weights[from_word + first : from_word + last]
    slots = asked.slot[asked.slot_first[number] + first : asked.slot_first[number] + last]
    m = len(item)
    reach = max(LEAST_REACH, min(m, MOST_REACH) // 2)
    low, high = max(0, start - reach), min(len(hashes), stop + reach)
    here = hashes[low:high]
    by_code = cosine <= 0  # nominated by its tokens: it may have hardly a word of the question
    if not (by_code or _share_words(item, weights, here)):
        return rows, features, n_rows, runs, n_runs
    vectors, lengths, words, numbers = _vectors_of(
        here, letters, ends, low, asked, target, spell, kept
    )
    likeness = np.empty((m, high - low), np.float32)
    liken(
        asked.vectors[slots], asked.words[slots], asked.number_word[slots], vectors, words, numbers,
        likeness,
    )  # fmt: skip
    begin, end = best_place(likeness, weights, LONGEST_PLACE * m)
    if by_code:
        begin, end = start - low, min(stop, high) - low
    units = ask_units = total = ask_total = 0
    ask_first = max(0, target.ask_start[pattern] - first)
    ask_last = max(ask_first, min(m, target.ask_end[pattern] - first))
    for i in range(m):
        same = False
        for j in range(begin, end):
            same |= likeness[i, j] == 1
        total += weights[i]
        units += weights[i] * same
        if ask_first <= i < ask_last:
            ask_total += weights[i]
            ask_units += weights[i] * same
    shared = False
    for word in here[begin:end]:  # "seven" for "7" proves nothing on the text
        shared |= (item == word).any()
    if not shared:
        return rows, features, n_rows, runs, n_runs
    if n_rows == len(rows):
        rows = more_rows(rows)
        grown = np.empty((len(rows), N_FEATURES), np.float64)
        grown[:n_rows] = features
        features = grown
    into, feature = rows[n_rows], features[n_rows]
    n_rows += 1
    first_word, last_word = begin, end
    while first_word > 0 and not breaks[low + first_word - 1]:
        first_word -= 1
    while last_word < high - low and not breaks[low + last_word - 1]:
        last_word += 1
    weights_here = _background_weights(here, asked)
    feature[F_ROW], feature[F_COSINE] = row, cosine
    feature[F_PLACE_COSINE] = _cosine(vectors, lengths, begin, end, row_vectors[row])
    feature[F_UNITS], feature[F_WORDS] = total, units / total
    feature[F_SOFT] = covered(likeness, weights, begin, end, 0, m) / total
    squares = weights.astype(np.int64) ** 2
    feature[F_RARE] = covered(likeness, squares, begin, end, 0, m) / squares.sum()
    feature[F_IN_ORDER] = covered_in_order(likeness, weights, begin, end) / total
    feature[F_IN_REVERSE] = covered_in_order(likeness, weights, begin, end, True) / total
    feature[F_TOLD] = told_share(likeness, weights_here, first_word, last_word)
    squares_here = weights_here.astype(np.int64) ** 2
    feature[F_TOLD_RARE] = told_share(likeness, squares_here, first_word, last_word)
    feature[F_ASK] = 1.0
    if ask_total and ask_total < total:
        feature[F_ASK] = covered(likeness, weights, begin, end, ask_first, ask_last) / ask_total
    begin, end = low + begin, low + end
    texts = asked.texts
    feature[F_SPELLING] = 1.0
    if last - first == len(asked.slot[asked.slot_first[number] : asked.slot_first[number + 1]]):
        feature[F_SPELLING] = spelling_coverage(
            texts.letters, texts.first[number], texts.first[number + 1], weights, letters,
            ends[begin - 1] + 1 if begin else 0, ends[end - 1], grams,
        )  # fmt: skip
    ours, theirs, both = compare_numbers(item, hashes[begin:end], target, texts)
    feature[F_NUMBERS], feature[F_PLACE_NUMBERS], feature[F_SHARED_NUMBERS] = ours, theirs, both
    feature[F_CHOICES], feature[F_CHOICE_UNITS] = _choices_behind(
        hashes, end, item_of[row], asked.choices
    )
    feature[F_TEXT_START], feature[F_TEXT_END] = low + first_word, low + last_word
    feature[F_MODEL_COSINE] = np.nan
    feature[F_CODE_BITS], feature[F_CODE_SHARE] = 0.0, 0.0  # by `scanners.code_match`
    feature[F_CODE_TOLD], feature[F_CODE_NAMES] = 0.0, 0.0
    into[PATTERN], into[WORD_START], into[WORD_END] = pattern, begin, end
    into[UNITS], into[ASK_UNITS] = units, ask_units
    into[NUMBERS_MATCHED], into[NUMBERS_SWAPPED] = both, min(ours, theirs) - both
    into[SWAPPED_UNITS] = 0
    runs, to_run, _ = align_place(item, weights, hashes[begin:end], begin, into, runs, n_runs)
    for run in runs[n_runs:to_run]:
        run[0] += first
    into[ITEM_START] += first
    into[ITEM_END] += first
    into[RUN_START], into[RUN_END] = n_runs, to_run
    return rows, features, n_rows, runs, to_run


@kernel
def _share_words(item: Any, weights: Any, here: Any) -> bool:
    """Tell whether a text has `LEAST_SAME` of a question's weight in the same words."""
    total = np.int64(0)
    for i in range(len(item)):
        total += weights[i]
    same = np.int64(0)
    for i in range(len(item)):
        for word in here:
            if word == item[i]:
                same += weights[i]
                break
        if same >= LEAST_SAME * total:
            return True
    return False


@kernel
def _vectors_of(
    here: Any, letters: Any, ends: Any, low: int, asked: Any, target: Any, spell: Any, kept: Any
) -> tuple[Any, Any, Any, Any]:
    """Return of each word its unit vector (a column), its length, its hash as a number's, and whether it is one."""
    n = len(here)
    vectors = np.empty((asked.vectors.shape[1], n), np.float32)
    one = np.empty(asked.vectors.shape[1], np.float32)
    lengths, words, numbers = np.empty(n), here.copy(), np.empty(n, np.bool_)
    for j in range(n):
        at = low + j
        begin = ends[at - 1] + 1 if at else 0
        row = word_row(here[j], letters, begin, ends[at], spell, kept)
        lengths[j] = unit_vector(kept.vectors[row], one)
        vectors[:, j] = one
        numbers[j] = is_number(here[j], target.number_words)
        place = np.searchsorted(asked.texts.spelled, here[j])
        if place < len(asked.texts.spelled) and asked.texts.spelled[place] == here[j]:
            words[j] = asked.texts.digits[place]
    return vectors, lengths, words, numbers


@kernel
def _background_weights(words: Any, asked: Any) -> Any:
    out = np.empty(len(words), np.int32)
    for j in range(len(words)):
        at = np.searchsorted(asked.background_words, words[j])
        known = at < len(asked.background_words) and asked.background_words[at] == words[j]
        out[j] = asked.background_weights[at] if known else asked.unknown_weight
    return out


@kernel
def _cosine(vectors: Any, lengths: Any, begin: int, end: int, row: Any) -> float:
    """Return the cosine of the sum of some words' vectors and a unit vector."""
    product = square = 0.0
    for k in range(len(row)):
        total = 0.0
        for j in range(begin, end):
            total += vectors[k, j] * lengths[j]
        square += total * total
        product += total * row[k]
    return product / np.sqrt(square) if square > 0 else 0.0


@kernel
def _choices_behind(hashes: Any, end: int, item: int, choices: Any) -> tuple[float, float]:
    """Return the share of the item's choices behind word `end`, and the weight that was found."""
    first, last = choices.first[item], choices.first[item + 1]
    if first == last:
        return 0.0, 0.0
    n_words = choices.start[last] - choices.start[first]
    stop = min(len(hashes), end + SOUGHT_CHOICES + 2 * min(n_words, MOST_REACH))
    found, units = 0, 0.0
    for choice in range(first, last):
        own = total = 0
        for at in range(choices.start[choice], choices.start[choice + 1]):
            total += choices.weights[at]
            for word in hashes[end:stop]:
                if word == choices.words[at]:
                    own += choices.weights[at]
                    break
        found += own >= CHOICE_FOUND * total
        units += own
    return found / (last - first), units
