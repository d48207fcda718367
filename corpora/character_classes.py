r"""Which characters belong to a class such as `\p{L}`: asked of the `tokenizers` library itself.

Unicode has a new version each year, and the library, Python and Rust each know their own. So no
table of ours is consulted: every character in use is put before the library's own engine, once per
class. Characters of one membership in all classes become one symbol, which is what an automaton reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np

# Planes 0 to 3 up to the last ideographs, and the tags; nothing beyond is in public use.
ASKED: Final = (range(0xD800), range(0xE000, 0x34000), range(0xE0000, 0xE1000))
PAGE: Final = 256
N_PAGES: Final = 0x110000 // PAGE
UNKNOWN: Final = (
    255  # the symbol of a character that was not asked for: its document goes elsewhere
)
MOST_SYMBOLS: Final = 250
MOST_CLASSES: Final = 63  # one bit each


class TooManyClassesError(ValueError):
    """The patterns tell more kinds of characters apart than the tables have room for."""


class Symbols(NamedTuple):
    """A number for every character: `symbols[page_of[c >> 8] << 8 | c & 255]`; page 0 is the first."""

    page_of: np.ndarray  # uint16 (4352,)
    symbols: np.ndarray  # uint8 (pages * 256,)


def symbols_of(classes: Sequence[str]) -> tuple[Symbols, np.ndarray]:
    """Return the symbol of each character, and which symbols belong to which class.

    The second is bool of shape (symbols, classes).

    Raises:
        TooManyClassesError: where there are more classes or symbols than the tables hold.
    """
    if len(classes) > MOST_CLASSES:
        raise TooManyClassesError(f"{len(classes)} classes")
    points = _asked_points()
    members = np.zeros(len(points), np.uint64)
    for number, text in enumerate(classes):
        members |= _members(text).astype(np.uint64) << np.uint64(number)
    kinds, symbol = np.unique(members, return_inverse=True)
    if len(kinds) > MOST_SYMBOLS:
        raise TooManyClassesError(f"{len(kinds)} kinds of characters")
    dense = np.full(N_PAGES * PAGE, UNKNOWN, np.uint8)
    dense[points] = symbol
    table = as_pages(dense)
    belongs = kinds[:, None] >> np.arange(len(classes), dtype=np.uint64) & np.uint64(1)
    return table, belongs.astype(bool)


def as_pages(dense: np.ndarray) -> Symbols:
    """Return the table of a uint8 for each of the 0x110000 characters."""
    rows = dense.reshape(N_PAGES, PAGE)
    others, page_of = np.unique(rows[1:], axis=0, return_inverse=True)
    first_and_others = np.concatenate([[0], page_of.ravel() + 1]).astype(np.uint16)
    return Symbols(first_and_others, np.concatenate([rows[0], others.ravel()]))


@cache
def _asked_points() -> np.ndarray:
    return np.concatenate([np.arange(part.start, part.stop) for part in ASKED])


@cache
def _asked_text() -> tuple[str, np.ndarray]:
    """Return all characters as one text, and the byte at which each begins (and the last ends)."""
    text = "".join(map(chr, _asked_points().tolist()))
    points = _asked_points()
    sizes = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    return text, np.concatenate([[0], np.cumsum(sizes)])


@cache
def _members(text: str) -> np.ndarray:
    """Tell for each character that is asked for whether the class, given as a pattern, has it."""
    from tokenizers import PreTokenizedString, Regex
    from tokenizers.pre_tokenizers import Split

    everything, starts = _asked_text()
    asked = PreTokenizedString(everything)
    Split(Regex(f"(?:{text})+"), "removed", invert=True).pre_tokenize(asked)
    runs = np.array([place for _, place, _ in asked.get_splits("original", "byte")], np.int64)
    members = np.zeros(len(starts), np.int8)
    if len(runs):
        bounds = np.searchsorted(starts, runs)
        np.add.at(members, bounds[:, 0], 1)
        np.add.at(members, bounds[:, 1], -1)
    return np.cumsum(members[:-1]).astype(bool)
