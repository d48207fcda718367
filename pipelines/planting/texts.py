"""What all forms share: an item as it is printed, its words, its numbers, and drawing from a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import words

NUMBER: Final = re.compile(r"(?<![^\W\d])\d+(?![^\W\d])")


def whole(item: Item) -> str:
    """Return an item as it is printed: passage, question, choices and answer, a line each."""
    return lines(item.passage, item.question, *item.choices, item.answer)


def lines(*parts: str) -> str:
    """Return the parts that are not empty, a line each."""
    return "\n".join(filter(None, parts))


def word_texts(text: str) -> list[str]:
    """Return the words of a text as they are written, in order."""
    places = words(text)
    return [text[a:b] for a, b in zip(places.starts.tolist(), places.ends.tolist(), strict=True)]


def draw(choices: Sequence[str], random: np.random.Generator) -> str:
    """Return one of the choices, which must not be none."""
    return choices[int(random.integers(len(choices)))]
