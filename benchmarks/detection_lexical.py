"""What texts share with items: distinct features (words, character 5-grams) and runs of words.

The rules of the field that need no package: any shared run of n words, and the containment of an
item's character 5-grams in the document. Written for a comparison, not for speed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from corpora.kernels import kernel

WORD: Final = re.compile(r"[^\W_]+")
SPACE: Final = re.compile(r"\s+")
CHARS: Final = 5
LEAST_RUN: Final = 5  # words; shorter shared runs count as none
MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


class SharedFeatures:
    """Which items have a feature; features are uint64."""

    def __init__(self, features: Sequence[np.ndarray]) -> None:
        self.sizes = np.array([len(one) for one in features], np.int64)
        flat = np.concatenate(features)
        order = np.argsort(flat, kind="stable")
        self.owners = np.repeat(np.arange(len(features), dtype=np.int32), self.sizes)[order]
        self.keys, first = np.unique(flat[order], return_index=True)
        self.bounds = np.append(first, len(flat))
        self.owners_of_key = np.diff(self.bounds)

    def counts(self, features: np.ndarray) -> np.ndarray:
        """Return how many of the distinct features each item has: int32 (items,)."""
        rows, _ = self.find(features)
        out = np.zeros(len(self.sizes), np.int32)
        _count(rows, self.bounds, self.owners, out)
        return out

    def find(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the features that any item has, and their places in `features`."""
        rows = np.searchsorted(self.keys, features)
        places = np.flatnonzero(self.keys[np.minimum(rows, len(self.keys) - 1)] == features)
        return rows[places], places


@kernel
def _count(rows: Any, bounds: Any, owners: Any, out: Any) -> None:
    for row in rows:
        for at in range(bounds[row], bounds[row + 1]):
            out[owners[at]] += 1


def char_grams(text: str) -> np.ndarray:
    """Return the distinct character 5-grams of a text in lower case, white space as one space."""
    plain = SPACE.sub(" ", text.lower()).strip()
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), np.uint32)
    return np.unique(_windows(codes.astype(np.uint64), CHARS))


def _windows(values: np.ndarray, n: int) -> np.ndarray:
    """Return a hash of each run of n values: uint64 (max(0, len - n + 1),)."""
    size = max(0, len(values) - n + 1)
    hashes = np.zeros(size, np.uint64)
    for at in range(n):
        hashes = (hashes + values[at : at + size] + np.uint64(1)) * MULTIPLIER
        hashes ^= hashes >> np.uint64(29)
    return hashes


class CharContainment:
    """The share of an item's distinct character 5-grams that a document has."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.shared = SharedFeatures([char_grams(text) for text in texts])

    def scores(self, text: str) -> np.ndarray:
        """Return the score of each item, in [0, 1]."""
        return self.shared.counts(char_grams(text)) / np.maximum(1, self.shared.sizes)


class LongestRun:
    """The longest run of words that item and document share; words are alphanumeric, lower-case."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = [WORD.findall(text.lower()) for text in texts]
        self.ids: dict[str, int] = {}
        for word in (word for text in words for word in text):
            self.ids.setdefault(word, len(self.ids))
        grams = [_windows(self._numbers(text), LEAST_RUN) for text in words]
        self.shared = SharedFeatures(grams)
        places = np.concatenate([np.arange(len(one)) for one in grams])
        self.places = places[np.argsort(np.concatenate(grams), kind="stable")]

    def scores(self, text: str) -> np.ndarray:
        """Return the longest run of each item in words, 0 below `LEAST_RUN`."""
        grams = _windows(self._numbers(WORD.findall(text.lower())), LEAST_RUN)
        rows, at = self.shared.find(grams)
        sizes = self.shared.owners_of_key[rows]
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        hits = np.repeat(self.shared.bounds[rows], sizes) + inside
        item, document = self.shared.owners[hits], np.repeat(at, sizes)
        diagonal = document - self.places[hits]
        order = np.lexsort((document, diagonal, item))
        item, document, diagonal = item[order], document[order], diagonal[order]
        new = np.ones(len(item), np.bool_)
        new[1:] = (np.diff(item) != 0) | (np.diff(diagonal) != 0) | (np.diff(document) != 1)
        first = np.flatnonzero(new)
        out = np.zeros(len(self.shared.sizes), np.int64)
        np.maximum.at(out, item[first], np.diff(np.append(first, len(item))) + LEAST_RUN - 1)
        return out

    def _numbers(self, words: Sequence[str]) -> np.ndarray:
        unknown = len(self.ids) + 1  # of the document only: in no run of an item
        return np.array([self.ids.get(word, unknown) for word in words], np.uint64)
