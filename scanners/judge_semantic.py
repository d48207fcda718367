"""What nominated windows amount to: leak type, score and status of each place.

The rules, for one question in one place of one document:

* The **score** is that of `scanners.semantic_evidence`: `contaminated` from 0.6 on, `suspect` from 0.4.
* Where only the numbers keep it below 0.6 the place is a `template`, at most `suspect`; where the ask is
  missing a `passage`, at most `suspect`.
* Words in random order are no sentence: what aligns in order must be `IN_ORDER` of what is there, and more
  the fewer words were changed: who rewords a sentence changes words, who shuffles it changes none. Nor
  are equal words that never follow one another: that share and the equal words that do, as a share of
  all that align, must add up to `CONNECTED`.
* In code words are few and recur, so that they align by chance: there more must stand in order than
  in reverse order, `CODE_ORDER` of what is there and up to `SHORT_CODE_ORDER` more where that is little.
* A place of fewer than `LEAST_WORDS` words is a phrase ("return true else return false").
* Code that proves itself (`lone_code`) needs no words: where they say nothing it is the `answer`.
* A run of 13 equal words, or a run that is nearly all there is in common, is a piece of a copy: whether a
  piece is enough is for the n-gram scanner to say, so the place is `suspect` at most.
* Where the window was nominated with its choices, only items with the same choices are meant.
* What an earlier scanner called as much in the same place stands, and what the n-gram scanner called a
  template or a passage.

Chosen on one half of the labelled rewordings by false positives on sibling items;
`benchmarks/quality_semantic.py` prints the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from indexes.ngram import LONG_WORDS
from scanners.asked import Asked
from scanners.embedding import LEAST_WORDS, WHOLE, Meant
from scanners.fields import UNITS_PER_BIT, Role
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE, Judged, LeakType, Status
from scanners.judge_reworded import (
    answers_beside,
    best_places,
    judged_of,
    places_of,
    told_before,
)
from scanners.ngram import Scanned
from scanners.patterns import Patterns
from scanners.read_window import Meanings
from scanners.semantic_evidence import Scores, Told, order_of, semantic_scores, told_of

LEAST_ASK: Final = 0.4  # of the ask's weight
IN_ORDER: Final = 0.55  # of the soft coverage
SAME_WORDS: Final = 0.9  # share of the question's weight, from which on more must be in order:
ALL_IN_ORDER: Final = 0.8  # of the soft coverage where no word was changed
CONNECTED: Final = 0.9
CODE_ORDER, SHORT_CODE_ORDER = 0.2, 0.2
SHORT_CODE_BITS, LONG_CODE_BITS = 40.0, 100.0  # of what is there; linear between
PIECE_WORDS, PIECE_SHARE = 8, 0.8  # a run that long, and that share of the equal words, is a piece


def judge_semantic(
    scanned: Scanned,
    meanings: Meanings,
    patterns: Patterns,
    meant: Meant,
    asked: Asked,
    known: Sequence[tuple[Scanned, Judged]],
) -> Judged:
    """Judge every place for every item that has the question.

    `known` is what the scanners before said to the same documents, the n-gram scanner first.
    """
    score, template, solution, by_code = scores_of(scanned, meanings, patterns, meant, asked)
    rows = np.flatnonzero(score >= SUSPECT_SCORE)
    evidence, owner, beside = _owners(rows, scanned, meanings, patterns, meant, asked)
    score = score[evidence]
    told = answers_beside(beside, scanned, owner, patterns)
    leak_type = np.where(told, LeakType.QUESTION_ANSWER, LeakType.QUESTION)
    is_code = asked.is_code[meanings.row.astype(np.int64)]
    prose = _in_order(meanings) & _is_connected(scanned, meanings)
    ordered = np.where(is_code, _is_ordered_code(meanings), prose)
    phrase = scanned.evidence.word_end - scanned.evidence.word_start < LEAST_WORDS
    reworded = (ordered | by_code) & ~_is_piece(scanned) & ~phrase
    strong = (score >= CONTAMINATED_SCORE) & reworded[evidence]
    status = np.where(strong, Status.CONTAMINATED, Status.SUSPECT)
    for kind, held in (
        (LeakType.TEMPLATE, template[evidence]),
        (LeakType.PASSAGE, (meanings.ask < LEAST_ASK)[evidence] & ~by_code[evidence]),
    ):
        leak_type = np.where(held, kind, leak_type)
        status = np.where(held, Status.SUSPECT, status)
    leak_type = np.where(solution[evidence], LeakType.ANSWER, leak_type)
    places = places_of(scanned, evidence, owner, patterns)
    kept = best_places(places, status, score)
    for number, (before, verdicts) in enumerate(known):
        kept &= ~told_before(places, status, before, verdicts, patterns, settles=number == 0)
    return judged_of(kept, evidence, owner, leak_type, status, score)


def untold(
    rows: np.ndarray,
    scanned: Scanned,
    meanings: Meanings,
    patterns: Patterns,
    meant: Meant,
    asked: Asked,
    known: Sequence[tuple[Scanned, Judged]],
) -> np.ndarray:
    """Return those of the rows (int64) about which anything is left to say: ascending.

    What an earlier scanner settled stands, whatever is said of it here.
    """
    evidence, owner, _ = _owners(rows, scanned, meanings, patterns, meant, asked)
    places = places_of(scanned, evidence, owner, patterns)
    strongest = np.full(len(places), Status.CONTAMINATED)
    told = np.zeros(len(places), np.bool_)
    for number, (before, verdicts) in enumerate(known):
        told |= told_before(places, strongest, before, verdicts, patterns, settles=number == 0)
    return np.unique(evidence[~told])


def _in_order(meanings: Meanings) -> np.ndarray:
    """Tell which places have enough of the question's words in its order: bool (n,)."""
    unchanged = np.clip((meanings.words - SAME_WORDS) / (1 - SAME_WORDS), 0, 1)
    needed = IN_ORDER + (ALL_IN_ORDER - IN_ORDER) * unchanged
    result: np.ndarray = meanings.in_order >= needed * meanings.soft
    return result


def _is_connected(scanned: Scanned, meanings: Meanings) -> np.ndarray:
    """Tell which places have words that follow one another as in the question: bool (n,)."""
    locus = scanned.evidence
    runs = locus.run_end - locus.run_start
    following = 1 - runs / np.maximum(locus.matched, 1)
    in_order = meanings.in_order / np.maximum(meanings.soft, 1e-9)
    result: np.ndarray = in_order + following >= CONNECTED
    return result


def _is_ordered_code(meanings: Meanings) -> np.ndarray:
    """Tell which places have more of a question's words in order than chance gives: bool (n,)."""
    bits = meanings.units * meanings.soft / UNITS_PER_BIT
    short = np.clip((LONG_CODE_BITS - bits) / (LONG_CODE_BITS - SHORT_CODE_BITS), 0, 1)
    result: np.ndarray = order_of(meanings) >= CODE_ORDER + SHORT_CODE_ORDER * short
    return result


def _is_piece(scanned: Scanned) -> np.ndarray:
    """Tell which places share one run of words with the question, and little else: bool (n,)."""
    locus = scanned.evidence
    run = locus.longest_run
    return (run >= LONG_WORDS) | ((run >= PIECE_WORDS) & (run >= PIECE_SHARE * locus.matched))


def scores_of(
    scanned: Scanned, meanings: Meanings, patterns: Patterns, meant: Meant, asked: Asked
) -> Scores:
    """Return the score of every place, and whether only numbers keep it from being higher."""
    return semantic_scores(told_of_places(scanned, meanings, patterns, meant, asked), meanings)


def told_of_places(
    scanned: Scanned, meanings: Meanings, patterns: Patterns, meant: Meant, asked: Asked
) -> Told:
    """Return what tells of every place."""
    row = meanings.row.astype(np.int64)
    item = meant.item[row]
    return told_of(
        meanings, scanned, patterns.benchmark[item], asked.is_code[row], asked.choices.sharing[item]
    )


def _owners(
    rows: np.ndarray,
    scanned: Scanned,
    meanings: Meanings,
    patterns: Patterns,
    meant: Meant,
    asked: Asked,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (evidence, owner, row of Beside) for every item that has the question.

    Where the window was nominated with its choices, for those with the same choices only.
    """
    beside = np.flatnonzero(
        np.isin(scanned.beside.evidence, rows)
        & (patterns.owners.role[scanned.beside.owner] == Role.QUESTION)
    )
    evidence, owner = scanned.beside.evidence[beside], scanned.beside.owner[beside]
    row = meanings.row[evidence].astype(np.int64)
    key = asked.choices.key
    same = key[patterns.owners.item[owner]] == key[meant.item[row]]
    same |= meant.view[row] != WHOLE
    return evidence[same], owner[same], beside[same]
