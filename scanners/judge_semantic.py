"""What nominated windows amount to: leak type, score and status of each place.

The rules, for one question in one place of one document:

* The **score** is the mean of four shares (`scanners.meaning`): the question's weight that the place
  stands for, the same in order, the part of the place's own sentences that the question accounts for,
  and the static cosine of the window. Half of it is the ask's. It is cut down where the question says
  little (under `ENOUGH_BITS` in all, with the choices that stand behind it), and by numbers that do not
  agree; and scaled so that 0.6 is what is needed, more where fewer than two numbers are shared.
* With a transformer its cosine takes part as a fifth share, as far as it is above what siblings of
  the benchmark reach (`scanners.sibling_cosines`): no cosine means the same for every model and
  benchmark.
* `contaminated` from 0.6 on, `suspect` from 0.4.
* Where only the numbers keep the score down, or most of them are others, it is a `template`, at most
  `suspect`; where the ask is missing a `passage`, at most `suspect`.
* Words in random order are no sentence: what aligns in order must be `IN_ORDER` of what is there.
* What an earlier scanner called as much, or a template or a passage, in the same place stands.

Chosen on one half of the labelled rewordings by false positives on sibling items;
`benchmarks/quality_semantic.py` prints the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from scanners.asked import Asked
from scanners.embedding import ASK, WHOLE, Meant
from scanners.fields import UNITS_PER_BIT, Role
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE, Judged, LeakType, Status
from scanners.judge_reworded import answers_beside, best_places, number_agreement, told_before
from scanners.meaning import Meanings
from scanners.ngram import Scanned
from scanners.patterns import Patterns

ENOUGH_BITS: Final = 100.0  # of the question, in words that mean the same, and of its choices
NUMBER_PRICE: Final = 0.7  # of the score, where all numbers differ
NEEDED: Final = 0.5  # of the plain score, where two numbers are shared
NEEDED_WITHOUT_NUMBERS: Final = 0.2  # more, where none is; half of it with one
TELLING_NUMBERS: Final = 2
LEAST_ASK: Final = 0.4  # of the ask's weight
IN_ORDER: Final = 0.6  # of the soft coverage


def judge_semantic(
    scanned: Scanned,
    meanings: Meanings,
    patterns: Patterns,
    meant: Meant,
    asked: Asked,
    known: Sequence[tuple[Scanned, Judged]],
) -> Judged:
    """Judge every place for every item that has the question.

    `known` is what the scanners before said to the same documents.
    """
    score, template = semantic_scores(meanings)
    rows = np.flatnonzero(score >= SUSPECT_SCORE)
    evidence, owner, beside = _owners(rows, scanned, meanings, patterns, meant, asked)
    score = score[evidence]
    told = answers_beside(beside, scanned, owner, patterns)
    leak_type = np.where(told, LeakType.QUESTION_ANSWER, LeakType.QUESTION)
    in_order = meanings.in_order >= IN_ORDER * meanings.soft
    strong = (score >= CONTAMINATED_SCORE) & in_order[evidence]
    status = np.where(strong, Status.CONTAMINATED, Status.SUSPECT)
    for kind, held in (
        (LeakType.TEMPLATE, template[evidence]),
        (LeakType.PASSAGE, meanings.ask[evidence] < LEAST_ASK),
    ):
        leak_type = np.where(held, kind, leak_type)
        status = np.where(held, Status.SUSPECT, status)
    locus = scanned.evidence
    places = np.stack(
        [
            locus.document[evidence],
            patterns.owners.item[owner],
            locus.word_start[evidence],
            locus.word_end[evidence],
        ],
        axis=1,
    ).astype(np.int64)
    kept = best_places(places, status, score)
    for before, verdicts in known:
        kept &= ~told_before(places, status, before, verdicts, patterns)
    return Judged(
        evidence[kept],
        owner[kept],
        leak_type[kept].astype(np.int8),
        status[kept].astype(np.int8),
        score[kept],
    )


def semantic_scores(meanings: Meanings) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of every place, and whether only numbers keep it from being higher."""
    shares = [meanings.soft, meanings.in_order, meanings.told, np.clip(meanings.cosine, 0, 1)]
    text = np.mean(shares, axis=0) * (1 + meanings.ask) / 2
    units = meanings.units * meanings.soft + meanings.choice_units
    text = text * np.sqrt(np.minimum(1.0, units / (ENOUGH_BITS * UNITS_PER_BIT)))
    missing = np.clip(TELLING_NUMBERS - meanings.shared_numbers, 0, TELLING_NUMBERS)
    needed = NEEDED + NEEDED_WITHOUT_NUMBERS * missing / TELLING_NUMBERS
    scaled = np.minimum(1.0, text * CONTAMINATED_SCORE / needed)
    agreement = number_agreement(meanings.numbers, meanings.place_numbers, meanings.shared_numbers)
    score = scaled * (1 - NUMBER_PRICE + NUMBER_PRICE * agreement)
    template = (scaled >= CONTAMINATED_SCORE) & (score < CONTAMINATED_SCORE)
    return np.where(template, np.maximum(score, SUSPECT_SCORE), score), template


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
    same &= (meant.view[row] != ASK) | (patterns.owners.item[owner] == meant.item[row]) | same
    return evidence[same], owner[same], beside[same]
