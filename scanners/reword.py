"""Reading a candidate of the MinHash scanner: is this place a rewording of the question?

A rewording keeps the rare words, the names and the numbers, in another order and with other words
between. So the place is cut out first: the part of the window that gains most when a word of the
question counts its weight and any other word costs `OTHER_WORD`. Then, between question and place:

* **word coverage**: the share of the question's weight whose words the place has (each as often as there),
* **spelling coverage**: the same with partial credit, the share of a word's character 5-grams that
  the place has, which sees endings change and words stay together,
* **numbers**: how many different ones both have, and either,
* the words that can be **aligned** in order, which prove the finding on the text.

`scanners.judge_reworded` says what they amount to.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import word_hashes
from corpora.spelling import SPACE
from indexes.shingles import SHINGLE_CHARS, shingle_at
from scanners.fields import UNITS_PER_BIT, is_number
from scanners.loci import (
    ASK_UNITS,
    COLUMNS,
    ITEM_END,
    ITEM_START,
    LONGEST_RUN,
    MATCHED,
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

OTHER_WORD: Final = 3 * UNITS_PER_BIT // 2  # cost of a word that the question does not have
SMALLEST_WINDOW: Final = 16  # words
READ_SHARE: Final = 0.3  # of the question's weight, below which a place is not looked at further
LONGEST_PLACE: Final = 3  # times the words of the question
TABLE_SLACK: Final = 2  # slots for each entry of a hash table
MOST_NUMBERS: Final = 64  # different ones that are told apart
FREE_WORD: Final = np.uint64(0)
ONE: Final = np.uint64(1)
SPELLED_NUMBERS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)


class ItemText(NamedTuple):
    """The questions that are sought by signature, spelled; row s is pattern `pattern[s]`."""

    pattern: np.ndarray  # int64 (questions,)
    letters: np.ndarray  # uint32, characters of all questions in a row
    first: np.ndarray  # int64 (questions + 1,), where a question's characters begin
    spelled: np.ndarray  # uint64, hashes of spelled-out numbers, sorted
    digits: np.ndarray  # uint64, hashes of the same numbers in digits

    @staticmethod
    def of(pattern: np.ndarray, letters: np.ndarray, first: np.ndarray) -> ItemText:
        """Return the texts with the table of numbers."""
        return ItemText(pattern.astype(np.int64), letters, first, *_number_names())


class Features(NamedTuple):
    """What a place and a question share, by row of the evidence: float64 (n,) each."""

    words: np.ndarray  # share of the question's weight whose words the place has
    spelling: np.ndarray  # the same by character 5-grams
    numbers: np.ndarray  # different numbers of the question,
    place_numbers: np.ndarray  # of the place,
    shared_numbers: np.ndarray  # of both
    aligned: np.ndarray  # share of the question's weight whose words align in order
    ask: np.ndarray  # of the ask's weight what the place has; 1 where none is judged apart


N_FEATURES: Final = len(Features._fields)
F_WORDS, F_SPELLING, F_NUMBERS, F_PLACE_NUMBERS, F_SHARED_NUMBERS, F_ALIGNED, F_ASK = range(
    N_FEATURES
)


class Scratch(NamedTuple):
    """Room that the candidates of a thread share."""

    keys: np.ndarray  # uint64, words of the question
    own: np.ndarray  # int32, times that the question has them
    here: np.ndarray  # int32, times that the place has them
    weight: np.ndarray  # int32
    grams: np.ndarray  # uint64, 5-grams of the place, 0 where free


@cache
def _number_names() -> tuple[np.ndarray, np.ndarray]:
    spelled = word_hashes(SPELLED_NUMBERS)
    digits = word_hashes(" ".join(str(number) for number in range(len(spelled))))
    order = np.argsort(spelled)
    return spelled[order], digits[order]


@kernel
def new_scratch() -> Any:
    """Return room for questions of any length that is sought; tables grow where they must."""
    return (
        np.zeros(1 << 14, np.uint64), np.zeros(1 << 14, np.int32), np.zeros(1 << 14, np.int32),
        np.zeros(1 << 14, np.int32), np.zeros(1 << 18, np.uint64),
    )  # fmt: skip


@kernel
def read_candidate(
    number: int, start: int, stop: int, hashes: Any, letters: Any, ends: Any, n: int, target: Any,
    texts: Any, scratch: Any, rows: Any, features: Any, from_row: int, n_rows: int, runs: Any,
    n_runs: int,
) -> tuple[int, int, Any, Any, int, Any, int]:  # fmt: skip
    """Read the window `start..stop` and what is beside it; append a row where it may be a rewording.

    Returns the words that were read, the tables and their lengths. Of two rows of a question that
    overlap (from `from_row` on) the better one stays.
    """
    pattern = texts.pattern[number]
    first, last = target.ngrams.starts[pattern], target.ngrams.starts[pattern + 1]
    m = last - first
    item, weights = target.ngrams.words[first:last], target.weights[first:last]
    reach = 2 * SMALLEST_WINDOW
    while reach <= m:
        reach *= 2  # the larger window of the question: whichever part was nominated, all is read
    low, high = max(0, start - reach), min(n, stop + reach)
    keys, own, here, weight, grams = scratch
    mask = _slots(m) - 1
    _enter_words(item, weights, keys, own, here, weight, mask)
    total = target.totals[pattern]
    begin, finish = _best_place(hashes, low, high, keys, weight, mask, LONGEST_PLACE * m)
    units = _count_here(hashes, begin, finish, keys, own, here, weight, mask)
    if units < READ_SHARE * total:
        return low, high, rows, features, n_rows, runs, n_runs
    for known in range(from_row, n_rows):
        same = rows[known, PATTERN] == pattern and rows[known, WORD_START] == begin
        if same and rows[known, WORD_END] == finish:
            return low, high, rows, features, n_rows, runs, n_runs
    spelling = spelling_coverage(
        texts.letters, texts.first[number], texts.first[number + 1], weights, letters,
        ends[begin - 1] + 1 if begin else 0, ends[finish - 1], grams,
    )  # fmt: skip
    if n_rows == len(rows):
        rows = more_rows(rows)
        grown = np.empty((len(rows), N_FEATURES), np.float64)
        grown[:n_rows] = features
        features = grown
    row, feature = rows[n_rows], features[n_rows]
    feature[F_WORDS] = units / total
    feature[F_SPELLING] = spelling
    ours, theirs, shared = compare_numbers(item, hashes[begin:finish], target, texts)
    feature[F_NUMBERS], feature[F_PLACE_NUMBERS], feature[F_SHARED_NUMBERS] = ours, theirs, shared
    ask_start, ask_end = target.ask_start[pattern], target.ask_end[pattern]
    ask_units = ask_total = 0
    for at in range(ask_start, ask_end):
        ask_total += weights[at]
        if here[_slot(keys, item[at], mask)]:
            ask_units += weights[at]
    feature[F_ASK] = ask_units / ask_total if ask_total else 1.0
    row[PATTERN], row[WORD_START], row[WORD_END] = pattern, begin, finish
    row[UNITS], row[ASK_UNITS] = units, ask_units
    row[NUMBERS_MATCHED], row[NUMBERS_SWAPPED] = shared, min(ours, theirs) - shared
    row[SWAPPED_UNITS] = 0
    runs, to_run, aligned = align_place(
        item, weights, hashes[begin:finish], begin, row, runs, n_runs
    )
    feature[F_ALIGNED] = aligned / total
    row[RUN_START], row[RUN_END] = n_runs, to_run
    return low, high, rows, features, n_rows + 1, runs, to_run


@kernel
def _slots(n: int) -> int:
    """Return the size of a hash table for n entries: a power of two."""
    size = 16
    while size < TABLE_SLACK * n:
        size *= 2
    return size


@kernel
def _slot(keys: Any, word: Any, mask: int) -> int:
    """Return the slot of a word, or the free slot where it would be."""
    slot = np.int64(word >> np.uint64(20)) & mask
    while keys[slot] != FREE_WORD and keys[slot] != word:
        slot = slot + 1 & mask
    return slot


@kernel
def _enter_words(
    item: Any, weights: Any, keys: Any, own: Any, here: Any, weight: Any, mask: int
) -> None:
    for slot in range(mask + 1):
        keys[slot], own[slot], here[slot] = FREE_WORD, 0, 0
    for at in range(len(item)):
        slot = _slot(keys, item[at], mask)
        keys[slot] = item[at]
        # A word inside a common phrase weighs less there than elsewhere: let it cover the least.
        weight[slot] = min(weights[at], weight[slot]) if own[slot] else weights[at]
        own[slot] += 1


@kernel
def _best_place(
    hashes: Any, low: int, high: int, keys: Any, weight: Any, mask: int, longest: int
) -> tuple[int, int]:
    """Return the words [begin, end) that gain most (Bentley 1984, largest sum of a segment)."""
    best = here = 0
    begin = finish = since = low
    for at in range(low, high):
        slot = _slot(keys, hashes[at], mask)
        gain = np.int64(weight[slot]) if keys[slot] != FREE_WORD else -OTHER_WORD
        if here <= 0 or at - since >= longest:
            here, since = 0, at
        here += gain
        if here > best:
            best, begin, finish = here, since, at + 1
    return begin, finish


@kernel
def _count_here(
    hashes: Any, begin: int, finish: int, keys: Any, own: Any, here: Any, weight: Any, mask: int
) -> int:
    """Count the place's words that the question has; return the weight that they cover."""
    units = 0
    for at in range(begin, finish):
        slot = _slot(keys, hashes[at], mask)
        if keys[slot] != FREE_WORD:
            if here[slot] < own[slot]:
                units += weight[slot]
            here[slot] += 1
    return units


@kernel
def spelling_coverage(
    item_letters: Any, item_first: int, item_last: int, weights: Any, letters: Any, first: int,
    last: int, grams: Any,
) -> float:  # fmt: skip
    """Return the covered share of the question's weight, each word's by its 5-grams that the place has.

    A 5-gram belongs to the word of its middle character (of a space, the word before); a word at the
    end that is too short to have any does not count.
    """
    size = _slots(last - first)
    if size > len(grams):
        grams = np.zeros(size, np.uint64)
    mask = size - 1
    grams[: mask + 1] = 0
    for at in range(first, last - SHINGLE_CHARS + 1):
        gram = np.uint64(shingle_at(letters, at)) + ONE
        grams[_gram_slot(grams, gram, mask)] = gram
    covered = countable = 0.0
    word = there = total = 0
    for at in range(item_first, min(item_last, item_first + SHINGLE_CHARS // 2)):
        word += item_letters[at] == SPACE
    for at in range(item_first, item_last - SHINGLE_CHARS + 1):
        gram = np.uint64(shingle_at(item_letters, at)) + ONE
        total += 1
        there += grams[_gram_slot(grams, gram, mask)] == gram
        is_last = at == item_last - SHINGLE_CHARS
        if item_letters[at + SHINGLE_CHARS // 2] == SPACE or is_last:
            covered += weights[word] * there / total
            countable += weights[word]
            word += 1
            there = total = 0
    return covered / max(1.0, countable)


@kernel
def _gram_slot(grams: Any, gram: Any, mask: int) -> int:
    slot = np.int64(gram * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) & mask
    while grams[slot] != 0 and grams[slot] != gram:
        slot = slot + 1 & mask
    return slot


@kernel
def compare_numbers(item: Any, place: Any, target: Any, texts: Any) -> tuple[int, int, int]:
    """Return how many different numbers the question has, the place has, and both have."""
    ours, theirs = np.empty(MOST_NUMBERS, np.uint64), np.empty(MOST_NUMBERS, np.uint64)
    n_ours = _distinct_numbers(item, target.number_words, texts, ours)
    n_theirs = _distinct_numbers(place, target.number_words, texts, theirs)
    shared = 0
    for number in ours[:n_ours]:
        for other in theirs[:n_theirs]:
            shared += number == other
    return n_ours, n_theirs, shared


@kernel
def _distinct_numbers(words: Any, number_words: Any, texts: Any, out: Any) -> int:
    """Collect different numbers, those in words as if in digits; return how many."""
    n = 0
    for word in words:
        if not is_number(word, number_words):
            continue
        at = np.searchsorted(texts.spelled, word)
        number = word
        if at < len(texts.spelled) and texts.spelled[at] == word:
            number = texts.digits[at]
        new = n < len(out)
        for known in out[:n]:
            new &= known != number
        if new:
            out[n] = number
            n += 1
    return n


@kernel
def align_place(
    item: Any, weights: Any, place: Any, begin: int, row: Any, runs: Any, n_runs: int
) -> tuple[Any, int, int]:
    """Align question and place word by word: the common subsequence of largest weight.

    Fills in what the alignment says, appends its exact runs, and returns its weight. The longest run
    is that of the place, be it part of the alignment or not.
    """
    m, size = len(item), len(place)
    best = np.zeros((2, size + 1), np.int64)
    run = np.zeros((2, size + 1), np.int64)  # equal words that end here
    longest = 0
    move = np.zeros(
        (m + 1, size + 1), np.uint8
    )  # 1: both, 2: word of the question, 3: of the place
    for i in range(1, m + 1):
        above, here = best[(i - 1) & 1], best[i & 1]
        run_above, run_here = run[(i - 1) & 1], run[i & 1]
        for j in range(1, size + 1):
            score, step = above[j], 2
            if here[j - 1] > score:
                score, step = here[j - 1], 3
            run_here[j] = 0
            if item[i - 1] == place[j - 1]:
                run_here[j] = run_above[j - 1] + 1
                longest = max(longest, run_here[j])
                if above[j - 1] + weights[i - 1] >= score:
                    score, step = above[j - 1] + weights[i - 1], 1
            here[j], move[i, j] = score, step
    pairs = np.empty((min(m, size), 2), np.int64)
    n = 0
    i, j = m, size
    while i > 0 and j > 0:
        if move[i, j] == 1:
            i, j = i - 1, j - 1
            pairs[n, 0], pairs[n, 1] = i, j
            n += 1
        elif move[i, j] == 2:
            i -= 1
        else:
            j -= 1
    columns = 0
    before_i, before_j = -1, -1
    for k in range(n - 1, -1, -1):
        i, j = pairs[k]
        if k < n - 1:
            columns += max(i - before_i, j - before_j)
        else:
            columns = 1
        if k < n - 1 and i == before_i + 1 and j == before_j + 1:
            runs[n_runs - 1, 2] += 1
        else:
            if n_runs == len(runs):
                runs = more_rows(runs)
            runs[n_runs, 0], runs[n_runs, 1], runs[n_runs, 2] = i, begin + j, 1
            n_runs += 1
        before_i, before_j = i, j
    row[ITEM_START], row[ITEM_END] = pairs[n - 1, 0], pairs[0, 0] + 1
    row[MATCHED], row[COLUMNS], row[LONGEST_RUN] = n, columns, longest
    return runs, n_runs, best[m & 1, size]
