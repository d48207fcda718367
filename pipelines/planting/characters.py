"""The same words in other characters: the normal form makes nothing of the difference."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from pipelines.planting.forms import Form
from pipelines.planting.texts import draw, whole

LOOK_ALIKES: Final = str.maketrans("aeopcxy", "аеорсху")
OTHER_PUNCTUATION: Final = ".,;:!?-()"


def _other_case(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: "".join(map(_upper, text)))


def _upper(char: str) -> str:
    """Return the capital of a letter that folds back to it (not so the Turkish dotless i)."""
    upper = char.upper()
    return upper if upper.casefold() == char.casefold() else char


def _no_punctuation(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: "".join(" " if _is_mark(c) else c for c in text))


def _other_punctuation(
    item: Item, random: np.random.Generator, _filler: Sequence[str]
) -> str | None:
    def change(text: str) -> str:
        return "".join(
            draw(OTHER_PUNCTUATION.replace(c, ""), random) if _is_mark(c) else c for c in text
        )

    return _changed(item, change)


def _is_mark(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def _full_width(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    forms = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    return _changed(item, lambda text: text.translate(forms))


def _zero_width(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """A zero-width space after every second letter of a word."""
    return _changed(item, lambda text: re.sub(r"(\w\w)(?=\w)", "\\1\N{ZERO WIDTH SPACE}", text))


def _cyrillic(item: Item, random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    def change(text: str) -> str:
        swapped = random.random(len(text)) < 0.5
        return "".join(
            c.translate(LOOK_ALIKES) if s else c for c, s in zip(text, swapped, strict=True)
        )

    return _changed(item, change)


def _decomposed(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: unicodedata.normalize("NFD", text))


def _changed(item: Item, change: Callable[[str], str]) -> str | None:
    """Return the changed item; None where that changes nothing in its question."""
    if change(item.question) == item.question:
        return None
    return change(whole(item))


OTHER_CHARACTERS: Final[dict[str, Form]] = {
    "upper case": Form(_other_case, "contaminated", "all letters in upper case", True),
    "no punctuation": Form(
        _no_punctuation, "contaminated", "a space for each punctuation mark", True
    ),
    "other punctuation": Form(
        _other_punctuation, "contaminated", "another mark for each punctuation mark", True
    ),
    "full-width": Form(_full_width, "contaminated", "full-width letters and digits", True),
    "zero-width": Form(_zero_width, "contaminated", "zero-width spaces inside words", True),
    "Cyrillic look-alikes": Form(
        _cyrillic, "contaminated", "half of the letters a, c, e, o, p, x, y Cyrillic"
    ),
    "decomposed": Form(_decomposed, "contaminated", "accents as characters of their own (NFD)"),
}
