"""Other words: numbers swapped, a share of the words edited, every fourth word replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import word_hashes, words
from pipelines.planting.forms import Expected, Form
from pipelines.planting.texts import NUMBER, draw, whole

NUMBER_NAMES: Final = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
NUMBER_NAME: Final = re.compile(rf"\b(?:{'|'.join(NUMBER_NAMES)})\b", re.IGNORECASE)
EDITS: Final[tuple[tuple[int, Expected], ...]] = (
    (5, "contaminated"),
    (10, "contaminated"),
    (20, "suspect"),
)
THINNED_FROM_WORDS: Final = 25  # of the question; of a shorter one too few runs of words are left
THINNED_STEP: Final = 4  # three words in a row stay: none of the runs of 5 that are seeds
FOREIGN_DRAWS: Final = 50  # of words, most of which an item does not have


def _numbers_swapped(item: Item, random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """Another number in the place of each, in digits or in words."""
    if not NUMBER.search(item.question):
        return None
    text = NUMBER.sub(partial(_other_number, random=random), whole(item))
    return NUMBER_NAME.sub(partial(_other_name, random=random), text)


def _other_number(match: re.Match[str], random: np.random.Generator) -> str:
    """Return another number of about as many digits."""
    size = len(match[0])
    digits = "".join(str(d) for d in random.integers(1, 10, size))
    return digits if digits != match[0] else f"{digits[:-1]}{int(digits[-1]) % 9 + 1}"


def _other_name(match: re.Match[str], random: np.random.Generator) -> str:
    others = [name for name in NUMBER_NAMES if name != match[0].lower()]
    other = draw(others, random)
    return other.capitalize() if match[0][0].isupper() else other


def _edited(
    item: Item,
    random: np.random.Generator,
    filler: Sequence[str],
    *,
    share: float,
    edit: Callable[[str, str], str],
) -> str | None:
    """Edit a share of the words of the whole item; None where that is less than one word."""
    text = whole(item)
    places = words(text)
    count = int(share * len(places.starts))
    if count < 1 or not filler:
        return None
    chosen = random.choice(len(places.starts), count, replace=False)
    for at in sorted(chosen.tolist(), reverse=True):  # from the end: earlier places stay
        start, end = int(places.starts[at]), int(places.ends[at])
        text = text[:start] + edit(text[start:end], draw(filler, random)) + text[end:]
    return text


def _replace(_word: str, new: str) -> str:
    return f" {new} "


def _delete(_word: str, _new: str) -> str:
    return " "


def _insert(word: str, new: str) -> str:
    return f" {new} {word}"


def _thinned(item: Item, random: np.random.Generator, filler: Sequence[str]) -> str | None:
    """Replace every fourth word of the whole item by one that the item does not have.

    So each run of 4 words holds a foreign one, and no run of 5 is shared with any field.
    """
    if len(words(item.question).starts) < THINNED_FROM_WORDS:
        return None
    text = whole(item)
    places = words(text)
    own = frozenset(word_hashes(text).tolist())
    for at in reversed(range(THINNED_STEP - 1, len(places.starts), THINNED_STEP)):
        foreign = _foreign_word(own, random, filler)
        if foreign is None:
            return None
        start, end = int(places.starts[at]), int(places.ends[at])
        text = f"{text[:start]} {foreign} {text[end:]}"
    return text


def _foreign_word(
    own: frozenset[int], random: np.random.Generator, filler: Sequence[str]
) -> str | None:
    """Draw a word that is not among `own`, hashes of words; None where there seems to be none."""
    for _ in range(FOREIGN_DRAWS if filler else 0):
        word = draw(filler, random)
        if own.isdisjoint(word_hashes(word).tolist()):
            return word
    return None


def _edit_forms() -> Iterator[tuple[str, Form]]:
    """Yield the forms with a share of the words edited, the slightest first."""
    for percent, expected in EDITS:
        for done, edit in (("replaced", _replace), ("deleted", _delete), ("inserted", _insert)):
            yield (
                f"{percent}% of words {done}",
                Form(
                    partial(_edited, share=percent / 100, edit=edit),
                    expected,
                    f"{percent} of 100 words of the whole item {done}, at random places",
                ),
            )


EDITED: Final[dict[str, Form]] = {
    "numbers swapped": Form(
        _numbers_swapped, "template", "another number in the place of each: a sibling"
    ),
    **dict(_edit_forms()),
    "every fourth word replaced": Form(
        _thinned, "suspect", "no run of more than 3 words is left, but most of the characters"
    ),
}
