"""What is no leak though it is made of items: the negative controls of the battery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import words
from pipelines.planting.texts import whole, word_texts

NullPlanting = Callable[["Subject", "Subject | None", np.random.Generator], str | None]

SHUFFLED_FROM_WORDS: Final = 8  # different ones; fewer may fall back into their order


@dataclass(frozen=True, slots=True)
class Subject:
    """An item of a null, and the word of its question before which half of its information lies.

    Half of the words can be nearly all of an item: many begin with the same sentence.
    """

    item: Item
    middle: int


@dataclass(frozen=True, slots=True)
class Null:
    """A text made of an item and another one of its benchmark that must not count as the item.

    `plant` is given None where the benchmark has no other item that is different enough.
    """

    plant: NullPlanting
    description: str


def _words_shuffled(
    own: Subject, _other: Subject | None, random: np.random.Generator
) -> str | None:
    texts = word_texts(whole(own.item))
    if len(set(texts)) < SHUFFLED_FROM_WORDS:
        return None
    return " ".join(texts[at] for at in random.permutation(len(texts)))


def _spliced(own: Subject, other: Subject | None, _random: np.random.Generator) -> str | None:
    """Join the words before the middle of one question and those after it of the other."""
    if other is None:
        return None
    first, second = own.item.question, other.item.question
    ends, starts = words(first).ends, words(second).starts
    if own.middle < 1 or other.middle + 1 >= len(starts):
        return None
    return f"{first[: int(ends[own.middle - 1])]} {second[int(starts[other.middle + 1]) :]}"


def _sibling(_own: Subject, other: Subject | None, _random: np.random.Generator) -> str | None:
    return None if other is None else whole(other.item)


def _nothing(_own: Subject, _other: Subject | None, _random: np.random.Generator) -> str:
    return ""


NULLS: Final[dict[str, Null]] = {
    "shuffled words": Null(_words_shuffled, "the words of the item in random order"),
    "spliced halves": Null(
        _spliced, "the first half of a question and the second of another, by information"
    ),
    "sibling item": Null(
        _sibling, "another item of the benchmark, as alike as any with under half of its words"
    ),
    "plain document": Null(_nothing, "a document that holds less than a third of the item"),
}
