"""Reading a nominated window: how much of a question's meaning is there, and in which words.

Where `scanners.reword` looks for the question's own words, this looks for words that mean the same
(`scanners.soft_words`): first for the place in and around the window that gains most by them, then, in
that place,

* how much of the question's weight it stands for, in any order and in order, and in the same words;
* how much of the place's own sentences the question accounts for: a short question is soon contained
  in a longer text that says something else;
* the ask, the numbers, the choices that stand behind it.

`scanners.judge_semantic` says what they amount to.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import place_words
from corpora.pieces import cut_text
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import kept_words, new_room, spell_segment, speller, word_row
from scanners.asked import Asked, unit_vector
from scanners.beside import MOST_WINDOW, look_beside
from scanners.embedding import SIZES, Meant, Nominated
from scanners.fields import is_number
from scanners.loci import (
    ASK_UNITS,
    DOCUMENT,
    DOCUMENT_WORDS,
    N_COLUMNS,
    NUMBERS_MATCHED,
    NUMBERS_SWAPPED,
    PATTERN,
    RUN_END,
    RUN_START,
    SWAPPED_UNITS,
    UNITS,
    WORD_END,
    WORD_START,
    Evidence,
    more_rows,
)
from scanners.ngram import N_BESIDE, Beside, Scanned, Sought
from scanners.reword import align_place, compare_numbers, spelling_coverage
from scanners.soft_words import best_place, covered, covered_in_order, liken, told_share

SEGMENT_BYTES: Final = 1 << 16
MOST_REACH: Final = max(SIZES)  # words on both sides of a window that are read, too
CARRIED_WORDS: Final = 3 * max(SIZES) + 2 * MOST_WINDOW
LONGEST_PLACE: Final = 3  # times the words of the question
LEAST_REACH: Final = 12
SOUGHT_CHOICES: Final = (
    40  # words behind the place, and twice those of the choices, that are looked at
)
CHOICE_FOUND: Final = 0.8  # of a choice's weight


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
    in_order: np.ndarray  # the same, as far as it aligns in order
    told: np.ndarray  # share of the place's sentences that the question accounts for
    ask: np.ndarray  # of the ask what the place stands for; 1 where there is none
    numbers: np.ndarray  # different ones of the question
    place_numbers: np.ndarray
    shared_numbers: np.ndarray
    choices: np.ndarray  # share of the choices that stand behind the place; 0 where there are none
    choice_units: np.ndarray  # weight of what was found of them
    text_start: np.ndarray  # words of the document: the place's sentences
    text_end: np.ndarray
    model_cosine: np.ndarray  # by the transformer, where one was asked; NaN elsewhere


N_FEATURES: Final = len(Meanings._fields)
(
    F_ROW, F_COSINE, F_PLACE_COSINE, F_UNITS, F_WORDS, F_SPELLING, F_SOFT, F_IN_ORDER, F_TOLD, F_ASK,
    F_NUMBERS, F_PLACE_NUMBERS, F_SHARED_NUMBERS, F_CHOICES, F_CHOICE_UNITS, F_TEXT_START, F_TEXT_END,
    F_MODEL_COSINE,
) = range(N_FEATURES)  # fmt: skip


def read_nominated(
    data: np.ndarray,
    bounds: np.ndarray,
    nominated: Nominated,
    meant: Meant,
    asked: Asked,
    target: Sought,
    model: StaticModel,
) -> tuple[Scanned, Meanings]:
    """Read the nominated windows of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8).

    Places that share no word at all with their question are left out: there is nothing to prove them
    by. Releases the interpreter lock.
    """
    rows, features, beside, runs = _read(
        data, bounds, nominated, meant.item, meant.vectors, asked, target, speller(model),
        kept_words(model),
    )  # fmt: skip
    scanned = Scanned(
        Evidence(*np.ascontiguousarray(rows.T)),
        Beside(*np.ascontiguousarray(beside.T)),
        runs,
        0,  # counted by the scanners before
    )
    return scanned, Meanings(*np.ascontiguousarray(features.T))


def with_cosines(meanings: Meanings, chosen: np.ndarray, cosines: np.ndarray) -> Meanings:
    """Return the same with the transformer's cosines (n,) of the chosen rows (int64 (n,))."""
    model_cosine = meanings.model_cosine.copy()
    model_cosine[chosen] = cosines
    return meanings._replace(model_cosine=model_cosine)


@kernel
def _read(
    data: Any, bounds: Any, nominated: Any, item_of: Any, row_vectors: Any, asked: Any, target: Any,
    spell: Any, kept: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    room = 2 * SEGMENT_BYTES + CARRIED_WORDS + 1
    hashes, ends = np.empty(room, np.uint64), np.empty(room, np.int64)
    letters = np.empty(0, np.uint32)
    breaks = np.empty(room, np.bool_)  # whether a sentence ends after the word
    scratch = (np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64))
    grams = np.zeros(1 << 14, np.uint64)
    spelled = new_room()
    rows, features = np.empty((16, N_COLUMNS), np.int64), np.empty((16, N_FEATURES), np.float64)
    runs, beside = np.empty((64, 3), np.int64), np.empty((16, N_BESIDE), np.int64)
    n_rows = n_runs = n_beside = at = 0
    while at < len(nominated.document):
        document, upto = nominated.document[at], at
        while upto < len(nominated.document) and nominated.document[upto] == document:
            upto += 1
        done = np.zeros(upto - at, np.bool_)
        document_row = n_rows
        first, last = bounds[document], bounds[document + 1]
        base = n = n_letters = 0
        while True:
            end = cut_text(data, first, last, SEGMENT_BYTES)
            spelled, n_new = spell_segment(data, first, end, spell, spelled)
            need = n_letters + (spelled[1][n_new - 1] + 1 if n_new else 0)
            if need > len(letters):
                grown = np.empty(2 * need, np.uint32)
                grown[:n_letters] = letters[:n_letters]
                letters = grown
            letters[n_letters:need] = spelled[2][: need - n_letters]
            hashes[n : n + n_new] = spelled[0][:n_new]
            for word in range(n_new):
                ends[n + word] = spelled[1][word] + n_letters
            _end_sentences(data, first, end, spell, scratch, breaks[n:])
            n, n_letters, first = n + n_new, need, end
            whole = end >= last
            for k in range(at, upto):
                margin = nominated.word_end[k] + MOST_REACH + MOST_WINDOW
                if done[k - at] or not (whole or margin <= base + n):
                    continue
                done[k - at] = True
                if asked.number[nominated.row[k]] < 0:
                    continue
                from_row = n_rows
                rows, features, n_rows, runs, n_runs, grams = _read_window(
                    nominated.row[k], nominated.word_start[k] - base, nominated.word_end[k] - base,
                    nominated.cosine[k], (hashes[:n], letters, ends, breaks), item_of, row_vectors,
                    asked, target, spell, kept, grams, rows, features, n_rows, runs, n_runs,
                )  # fmt: skip
                if n_rows == from_row:
                    continue
                beside, n_beside = look_beside(
                    rows, from_row, n_rows, hashes, n, target, beside, n_beside
                )
                row = rows[from_row]
                row[DOCUMENT] = document
                row[WORD_START] += base
                row[WORD_END] += base
                features[from_row, F_TEXT_START] += base
                features[from_row, F_TEXT_END] += base
                for run in runs[row[RUN_START] : n_runs]:
                    run[1] += base
            if whole:
                break
            some = min(n, CARRIED_WORDS)
            cut = ends[n - some - 1] + 1 if n > some else 0
            n_letters -= cut
            letters[:n_letters] = letters[cut : cut + n_letters].copy()
            hashes[:some] = hashes[n - some : n].copy()
            breaks[:some] = breaks[n - some : n].copy()
            for word in range(some):
                ends[word] = ends[n - some + word] - cut
            base, n = base + n - some, some
        for row in rows[document_row:n_rows]:
            row[DOCUMENT_WORDS] = base + n
        at = upto
    return (
        rows[:n_rows].copy(),
        features[:n_rows].copy(),
        beside[:n_beside].copy(),
        runs[:n_runs].copy(),
    )


@kernel
def _end_sentences(data: Any, first: int, end: int, spell: Any, scratch: Any, breaks: Any) -> None:
    """Tell of each word of `data[first:end]` whether a sentence or line ends behind it."""
    hashes, starts, stops = scratch
    n = place_words(
        data, first, end, spell.page_of, spell.entries, spell.parts, hashes, starts, stops
    )
    word, character = 0, 0
    for at in range(first, end):
        if data[at] & 0xC0 == 0x80:
            continue
        while word < n and stops[word] <= character:
            breaks[word] = False
            word += 1
        if word and (word == n or character < starts[word]):
            byte = data[at]
            mark = byte == 46 or byte == 33 or byte == 63 or byte == 58 or byte == 59  # . ! ? : ;
            spaced = at + 1 == end or data[at + 1] <= 32 or data[at + 1] == 34 or data[at + 1] == 39
            if byte == 10 or (mark and spaced):
                breaks[word - 1] = True
        character += 1
    while word < n:
        breaks[word] = False
        word += 1


@kernel
def _read_window(
    row: int, start: int, stop: int, cosine: float, text: Any, item_of: Any, row_vectors: Any,
    asked: Any, target: Any, spell: Any, kept: Any, grams: Any, rows: Any, features: Any, n_rows: int,
    runs: Any, n_runs: int,
) -> tuple[Any, Any, int, Any, int, Any]:  # fmt: skip
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
    vectors, lengths, words, numbers = _vectors_of(
        here, letters, ends, low, asked, target, spell, kept
    )
    likeness = np.empty((m, high - low), np.float32)
    liken(
        asked.vectors[slots], asked.words[slots], asked.number_word[slots], vectors, words, numbers,
        likeness,
    )  # fmt: skip
    begin, end = best_place(likeness, weights, LONGEST_PLACE * m)
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
        return rows, features, n_rows, runs, n_runs, grams
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
    feature[F_IN_ORDER] = covered_in_order(likeness, weights, begin, end) / total
    feature[F_TOLD] = told_share(likeness, weights_here, first_word, last_word)
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
    into[PATTERN], into[WORD_START], into[WORD_END] = pattern, begin, end
    into[UNITS], into[ASK_UNITS] = units, ask_units
    into[NUMBERS_MATCHED], into[NUMBERS_SWAPPED] = both, min(ours, theirs) - both
    into[SWAPPED_UNITS] = 0
    runs, to_run, _ = align_place(item, weights, hashes[begin:end], begin, into, runs, n_runs)
    for run in runs[n_runs:to_run]:
        run[0] += first
    into[2] += first
    into[3] += first
    into[RUN_START], into[RUN_END] = n_runs, to_run
    return rows, features, n_rows, runs, to_run, grams


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
