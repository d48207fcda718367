"""The curve of the n-gram scanner: what the score of a question says, by the words of the question.

Part (c) of thresholds_minhash.py, which says how to run it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from harness import Filler, filler_words, table
from thresholds_documents import (
    NULL,
    NULL_NAMES,
    PLAIN,
    SIBLING,
    Class,
    Family,
    Index,
    Places,
    Reading,
    by_ngrams,
    class_name,
    in_filler,
    nearest,
    planted_nulls,
    within,
)

from corpora.benchmarks import Item
from pipelines.planting import FORMS
from scanners import judge
from scanners.fields import Role
from scanners.judge import LeakType, Status

SCORES: Final = (0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
WORDS: Final = ((1, 8), (9, 12), (13, 16), (17, 20), (21, 24), (25, math.inf))
PER_CLASS: Final = 300  # items of each length
EDITS: Final = ("10% of words replaced", "20% of words replaced")
AS_JUDGED: Final = "as judged"


def print_ngram_scores(
    negatives: Sequence[Reading], index: Index, filler: Filler, data: Path
) -> None:
    """Print how many documents have a question with at least a score, by its words."""
    print(
        "## c. The score of the n-gram scanner by words of the question\n\n"
        "Documents with a question (not a template, not a passage) of at least this score. Copies and "
        "nulls are made of at most\n300 items of each length, all of which are searched for; copies "
        "hold the question only. In siblings and nulls any item\ncounts, in copies their own. Bold: "
        "nearest to the score that a question of that length needs to be contaminated; the\nlast "
        "column is what the whole rule makes of it (a short question needs its choices or answer, and "
        "choices beside a\nquestion count as words).\n"
    )
    words = filler_words(data)
    chosen = {limits: _drawn(limits, index, filler) for limits in WORDS}
    copies = [list(_copies(name, chosen, index, filler, words)) for name in EDITS]
    nulls = [
        [index.read(_null_family(name, items, index, filler)) for items in chosen.values()]
        for name in NULL_NAMES
    ]
    for name, readings in zip((*EDITS, *NULL_NAMES), (*copies, *nulls), strict=True):
        rows = [
            _row(limits, [reading], index) for limits, reading in zip(WORDS, readings, strict=True)
        ]
        _print(f"{name}: share of documents", rows, share=True)
    for kind in (SIBLING, PLAIN):
        for reading in negatives:
            if reading.family.kind == kind:
                n = len(reading.family.texts)
                rows = [_row(limits, [reading], index) for limits in WORDS]
                _print(f"{reading.family.name}: documents, of {n}", rows, share=False)


def _drawn(limits: Class, index: Index, filler: Filler) -> list[int]:
    """Return items with questions of a length, at most 300, in random order."""
    lengths = index.question_words(np.arange(len(index.plan.items)))
    searched = np.array([not reason for reason in index.patterns.reasons])
    fit = np.flatnonzero(searched & (lengths > 0) & within(lengths, limits))
    return filler.random.permutation(fit)[:PER_CLASS].tolist()


def _copies(
    form: str,
    chosen: dict[Class, list[int]],
    index: Index,
    filler: Filler,
    words: Sequence[str],
) -> Iterator[Reading]:
    """Read, for each length, questions with a share of their words replaced."""
    for items in chosen.values():
        asked = [_question_only(index.plan.items[number]) for number in items]
        texts = [FORMS[form].plant(item, filler.random, words) or item.question for item in asked]
        hidden = [in_filler(text, filler) for text in texts]
        yield index.read(Family(form, form, "", hidden, [item.id for item in asked]))


def _question_only(item: Item) -> Item:
    return replace(item, passage="", choices=(), answer="")


def _null_family(name: str, items: Sequence[int], index: Index, filler: Filler) -> Family:
    texts = planted_nulls(name, items, index, filler)
    return Family(name, NULL, "", texts, [""] * len(texts))


def _row(limits: Class, readings: Sequence[Reading], index: Index) -> tuple[Class, int, list[int]]:
    """Return how many documents have at least each score, and are contaminated, with such a question."""
    n = 0
    counts = np.zeros(len(SCORES) + 1, np.int64)
    for reading in readings:
        places = by_ngrams(reading, index)
        places = places.some(within(index.question_words(places.item), limits))
        places = places.some(np.isin(places.role, (Role.QUESTION, Role.COMPOSITE)))
        asked = places.some(
            np.isin(places.leak_type, (LeakType.QUESTION, LeakType.QUESTION_ANSWER))
        )
        n += len(reading.family.texts)
        counts += [*(_documents(asked, asked.score >= score) for score in SCORES),
                   _documents(places, places.status == Status.CONTAMINATED)]  # fmt: skip
    return limits, n, counts.tolist()


def _documents(places: Places, chosen: np.ndarray) -> int:
    return len(np.unique(places.document[chosen]))


def _print(title: str, rows: Sequence[tuple[Class, int, list[int]]], *, share: bool) -> None:
    lines = []
    for limits, n, counts in rows:
        cells = [f"{count / max(1, n):.2f}" if share else str(count) for count in counts]
        at = nearest(SCORES, _needed(limits))
        cells[at] = f"**{cells[at]}**"
        lines.append((class_name(limits), *((n,) if share else ()), *cells))
    print(f"### {title}\n")
    header = ("words", *(("n",) if share else ()), *map(str, SCORES), AS_JUDGED)
    print(table(lines, header) + "\n")


def _needed(limits: Class) -> float:
    """Return the score that a question in the middle of a class needs."""
    middle = (
        limits[1] if limits[0] == 1 else limits[0] if limits[1] == math.inf else sum(limits) / 2
    )
    return float(judge._needed(middle))
