"""Items as they are printed: whole, in part, in another order, in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import words
from pipelines.planting.forms import Form
from pipelines.planting.texts import draw, lines, whole

LONG_ANSWER_WORDS: Final = 20  # shorter ones are sentences that others write, too
TRUNCATED_FROM_WORDS: Final = 16  # half of a shorter question is a phrase
DISTANCE_WORDS: Final = 40  # a paragraph between question and answer


def _verbatim(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    return whole(item)


def _question_only(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return item.question or None


def _answer_only(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    long = not item.choices and len(words(item.answer).starts) >= LONG_ANSWER_WORDS
    return item.answer if long else None


def _answer_first(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    if not item.answer:
        return None
    return lines(item.answer, item.passage, item.question, *item.choices)


def _at_a_distance(item: Item, random: np.random.Generator, filler: Sequence[str]) -> str | None:
    if not item.answer or not filler:
        return None
    between = " ".join(draw(filler, random) for _ in range(DISTANCE_WORDS))
    question = lines(item.passage, item.question, *item.choices)
    return "\n\n".join([question, between, item.answer])


def _two_paragraphs(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """A blank line in the middle of the question, between two words."""
    starts = words(item.question).starts
    if len(starts) < 2:
        return None
    middle = int(starts[len(starts) // 2])
    first, second = item.question[:middle].rstrip(), item.question[middle:]
    return lines(item.passage, f"{first}\n\n{second}", *item.choices, item.answer)


def _truncated(
    item: Item, _random: np.random.Generator, _filler: Sequence[str], *, share: float
) -> str | None:
    ends = words(item.question).ends
    if len(ends) < TRUNCATED_FROM_WORDS:
        return None
    return item.question[: int(ends[round(share * len(ends)) - 1])]


PRINTED: Final[dict[str, Form]] = {
    "verbatim": Form(_verbatim, "contaminated", "question, choices and answer as they are", True),
    "question only": Form(_question_only, "contaminated", "the question as it is", True),
    "answer only": Form(_answer_only, "suspect", "a long free-text answer as it is"),
    "answer first": Form(_answer_first, "contaminated", "the answer before the question"),
    "answer at a distance": Form(
        _at_a_distance, "contaminated", f"{DISTANCE_WORDS} other words between question and answer"
    ),
    "two paragraphs": Form(
        _two_paragraphs, "contaminated", "a blank line in the middle of the question", True
    ),
    "truncated to 75%": Form(
        partial(_truncated, share=0.75), "suspect", "the first 75% of the words of the question"
    ),
    "truncated to 50%": Form(
        partial(_truncated, share=0.5), "suspect", "the first half of the words of the question"
    ),
}
