"""What the candidates of the MinHash scanner amount to: leak type, score and status of each place.

The rules, for one question in one place of one document:

* The **score** is the mean of word and spelling coverage (`scanners.reword`), cut down by numbers that
  do not agree (a sibling tells the same story with other numbers) and by too little information, and
  scaled so that 0.6 is what a question of its length needs: 0.45 from 45 words on, 0.7 for 15 words
  and fewer, and up to 0.3 more where fewer than two numbers are shared, because then a single word can
  make it another question.
* `contaminated` from 0.6 on, `suspect` from 0.4.
* The place must hold some of the last sentence, the ask, too; else it is a `passage`, at most `suspect`.
* Where only the numbers keep the score down it is a `template`, at most `suspect`.
* The words must stand in order, as in a sentence. Two shares of the word coverage tell: what aligns in
  order, and what is said of spelling, because 5-grams that reach from one word to the next are lost where
  words are shuffled. Their sum is about 1.0 in random order and 1.7 in rewordings; it must be 1.45 (up to
  0.15 more for short questions, which align by chance) to be contaminated, 1.3 to be suspect.
* A place with a run of 13 equal words belongs to the n-gram scanner, which is bound to have judged it;
  and where that scanner calls a place a template, a passage, or as much as we do, its word stands.

Chosen on one half of the labelled rewordings by false positives on sibling items;
`benchmarks/thresholds_minhash.py` prints the curve.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from indexes.ngram import LONG_WORDS
from scanners.fields import UNITS_PER_BIT, Role
from scanners.judge import (
    CONTAMINATED_SCORE,
    SUSPECT_SCORE,
    WEAK_ANSWER_BITS,
    Judged,
    LeakType,
    Status,
)
from scanners.ngram import Scanned
from scanners.patterns import ENOUGH_BITS, Patterns
from scanners.reword import Features

NEEDED_LONG, NEEDED_SHORT = 0.45, 0.7  # of the plain score, for questions of so many words
LONG_WORDS_FROM, SHORT_WORDS_TO = 45, 15  # linear between
NEEDED_WITHOUT_NUMBERS: Final = 0.3  # more, where no number is shared; half of it with one
TELLING_NUMBERS: Final = 2
MOST_NEEDED: Final = 0.95
NUMBER_PRICE: Final = 0.7  # of the score, where all numbers differ
LEAST_ASK: Final = 0.4  # of the ask's weight
IN_ORDER, LEAST_IN_ORDER = 1.45, 1.3  # aligned and spelled share of the word coverage, added
SHORT_ORDER: Final = 0.15  # more, at SHORT_WORDS_TO words and fewer


def judge_reworded(
    scanned: Scanned, features: Features, patterns: Patterns, known: Scanned, verdicts: Judged
) -> Judged:
    """Judge every place for every item that has the question.

    `known` and `verdicts` are what the n-gram scanner said to the same documents.
    """
    locus = scanned.evidence
    score, template = _scores(scanned, features, patterns)
    in_order, above_chance = _order(scanned, features, patterns)
    rows = np.flatnonzero(
        (score >= SUSPECT_SCORE) & (locus.longest_run < LONG_WORDS) & above_chance
    )
    evidence, owner, beside = _by_question(rows, scanned, patterns)
    score = score[evidence]
    told = answers_beside(beside, scanned, owner, patterns)
    leak_type = np.where(told, LeakType.QUESTION_ANSWER, LeakType.QUESTION)
    strong = (score >= CONTAMINATED_SCORE) & in_order[evidence]
    status = np.where(strong, Status.CONTAMINATED, Status.SUSPECT)
    for kind, held in (
        (LeakType.TEMPLATE, template[evidence]),
        (LeakType.PASSAGE, features.ask[evidence] < LEAST_ASK),
    ):
        leak_type = np.where(held, kind, leak_type)
        status = np.where(held, Status.SUSPECT, status)
    places = places_of(scanned, evidence, owner, patterns)
    kept = best_places(places, status, score)
    kept &= ~told_before(places, status, known, verdicts, patterns)
    return judged_of(kept, evidence, owner, leak_type, status, score)


def _scores(
    scanned: Scanned, features: Features, patterns: Patterns
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of every place, and whether only numbers keep it from being higher."""
    locus = scanned.evidence
    coverage = (features.words + features.spelling) / 2
    coverage = coverage * np.minimum(1.0, locus.units / (ENOUGH_BITS * UNITS_PER_BIT))
    needed = needed_score(np.diff(patterns.index.starts)[locus.pattern], features.shared_numbers)
    agreement = number_agreement(features.numbers, features.place_numbers, features.shared_numbers)
    scaled = np.minimum(1.0, coverage * CONTAMINATED_SCORE / needed)
    score = scaled * (1 - NUMBER_PRICE + NUMBER_PRICE * agreement)
    template = (scaled >= CONTAMINATED_SCORE) & (score < CONTAMINATED_SCORE)
    return np.where(template, np.maximum(score, SUSPECT_SCORE), score), template


def _order(
    scanned: Scanned, features: Features, patterns: Patterns
) -> tuple[np.ndarray, np.ndarray]:
    """Tell where the words stand in order, and where at least more so than by chance."""
    words = np.diff(patterns.index.starts)[scanned.evidence.pattern]
    order = (features.aligned + features.spelling) / np.maximum(features.words, 1e-9)
    more = SHORT_ORDER * shortness(words)
    return order >= IN_ORDER + more, order >= LEAST_IN_ORDER + more


def shortness(words: np.ndarray) -> np.ndarray:
    """Return 0 for questions of so many words and more, 1 for short ones, and what is between."""
    result: np.ndarray = np.clip(
        (LONG_WORDS_FROM - words) / (LONG_WORDS_FROM - SHORT_WORDS_TO), 0, 1
    )
    return result


def needed_score(words: np.ndarray, shared_numbers: np.ndarray) -> np.ndarray:
    """Return the plain score that makes a question of so many words contaminated."""
    short = shortness(words)
    missing = np.clip(TELLING_NUMBERS - shared_numbers, 0, TELLING_NUMBERS) / TELLING_NUMBERS
    needed = NEEDED_LONG + (NEEDED_SHORT - NEEDED_LONG) * short + NEEDED_WITHOUT_NUMBERS * missing
    return np.minimum(MOST_NEEDED, needed)


def number_agreement(ours: np.ndarray, theirs: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Return how far two sets of numbers agree: Dice's coefficient, with one agreement assumed."""
    return (2 * shared + 1) / (ours + theirs + 1)


def _by_question(
    rows: np.ndarray, scanned: Scanned, patterns: Patterns
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (evidence, owner, row of Beside) for every item that has the question."""
    beside = np.flatnonzero(
        np.isin(scanned.beside.evidence, rows)
        & (patterns.owners.role[scanned.beside.owner] == Role.QUESTION)
    )
    return scanned.beside.evidence[beside], scanned.beside.owner[beside], beside


def answers_beside(
    beside: np.ndarray, scanned: Scanned, owner: np.ndarray, patterns: Patterns
) -> np.ndarray:
    """Tell where the item's short answer stands beside the place."""
    units = patterns.answer_units[patterns.owners.item[owner]]
    informative = units >= WEAK_ANSWER_BITS * UNITS_PER_BIT
    there = scanned.beside.announced[beside] > 0
    result: np.ndarray = there | (informative & (scanned.beside.answers[beside] > 0))
    return result


def places_of(
    scanned: Scanned, evidence: np.ndarray, owner: np.ndarray, patterns: Patterns
) -> np.ndarray:
    """Return (document, item, first word, word behind the last) of evidence and owner: int64 (n, 4)."""
    locus = scanned.evidence
    columns = (
        locus.document[evidence],
        patterns.owners.item[owner],
        locus.word_start[evidence],
        locus.word_end[evidence],
    )
    return np.stack(columns, axis=1).astype(np.int64)


def judged_of(
    kept: np.ndarray,
    evidence: np.ndarray,
    owner: np.ndarray,
    leak_type: np.ndarray,
    status: np.ndarray,
    score: np.ndarray,
) -> Judged:
    """Return the verdicts (n,) that are kept: bool (n,)."""
    return Judged(
        evidence[kept],
        owner[kept],
        leak_type[kept].astype(np.int8),
        status[kept].astype(np.int8),
        score[kept],
    )


def best_places(places: np.ndarray, status: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Tell which of the places of an item that overlap is the best; earlier ones among equals."""
    order = np.lexsort((places[:, 2], -score, -status, places[:, 1], places[:, 0]))
    kept = np.zeros(len(places), np.bool_)
    _keep_best(places, order, kept)
    return kept


@kernel
def _keep_best(places: Any, order: Any, kept: Any) -> None:
    first = 0
    for at in range(len(order)):
        row = order[at]
        start = order[first]
        if places[row, 0] != places[start, 0] or places[row, 1] != places[start, 1]:
            first = at
        free = True
        for other in order[first:at]:
            apart = places[other, 3] <= places[row, 2] or places[row, 3] <= places[other, 2]
            free &= apart or not kept[other]
        kept[row] = free


def told_before(
    places: np.ndarray,
    status: np.ndarray,
    known: Scanned,
    verdicts: Judged,
    patterns: Patterns,
    settles: bool = True,
) -> np.ndarray:
    """Tell which places another scanner has judged: as strongly, or as a template or passage.

    The latter only where it `settles` them, as the n-gram scanner does.
    """
    theirs = places_of(known, verdicts.evidence, verdicts.owner, patterns)
    settled = settles & np.isin(verdicts.leak_type, (LeakType.TEMPLATE, LeakType.PASSAGE))
    strength = np.where(
        settled & (verdicts.status >= Status.SUSPECT), Status.CONTAMINATED, verdicts.status
    )
    order = np.lexsort((theirs[:, 1], theirs[:, 0]))
    out = np.zeros(len(places), np.bool_)
    _cover(places, status.astype(np.int64), theirs[order], strength[order].astype(np.int64), out)
    return out


@kernel
def _cover(places: Any, status: Any, theirs: Any, strength: Any, out: Any) -> None:
    """Mark the places that overlap a row of `theirs` (sorted by document) of the same item."""
    for row in range(len(places)):
        at = np.searchsorted(theirs[:, 0], places[row, 0])
        while at < len(theirs) and theirs[at, 0] == places[row, 0]:
            overlaps = theirs[at, 2] < places[row, 3] and places[row, 2] < theirs[at, 3]
            if overlaps and theirs[at, 1] == places[row, 1] and strength[at] >= status[row]:
                out[row] = True
            at += 1
