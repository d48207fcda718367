"""Character 5-grams of the normal form, as 32-bit hashes.

The characters of a text are those of its words, one space between two words. Rewordings share most
stems and names and so most 5-grams, even where no two words in a row are the same. Some 5-grams stand
in every text (" the ", "tion "): `common_shingles` of the background turns those away, so that what two
texts share says something about them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import table
from corpora.spelling import spell_words

SHINGLE_CHARS: Final = 5
BUCKET_BITS: Final = 20  # of a shingle's hash, by which common ones are told
BUCKET_SHIFT: Final = np.uint32(32 - BUCKET_BITS)
LETTERS_PER_BYTE: Final = 8  # room that spell_words asks for
U64 = np.uint64
FACTORS: Final = (
    U64(0x9E3779B97F4A7C15), U64(0xD6E8FEB86659FD93), U64(0xA0761D6478BD642F),
    U64(0xE7037ED1A0B428DB), U64(0x8EBC6AF09C88C6E3),
)  # fmt: skip
FIRST, SECOND, THIRD, FOURTH, FIFTH = FACTORS
FINISHER: Final = U64(0x589965CC75374CC3)
SHIFT_29, SHIFT_32 = U64(29), U64(32)
SIX, SIXTY_THREE, ONE = np.uint32(6), np.uint32(63), U64(1)


def characters(text: str) -> np.ndarray:
    """Return the characters of the words of a text, a space between two: uint32 (n,), code points."""
    data = np.frombuffer(bytearray(text.encode("utf-8", "replace")), np.uint8)
    letters, folded = np.empty((2, LETTERS_PER_BYTE * len(data) + 2), np.uint32)
    ends, hashes = np.empty(2 * len(data) + 1, np.int64), np.empty(2 * len(data) + 1, np.uint64)
    n = spell_words(data, 0, len(data), *table(), letters, folded, ends, hashes)
    return letters[: ends[n - 1]].copy() if n else letters[:0].copy()


def shingle_hash(shingle: bytes) -> int:
    """Return the hash of one character 5-gram given in UTF-8: a `hashfunc` for datasketch.

    The definition of what `shingle_at` computes.
    """
    total = sum(ord(c) * int(f) for c, f in zip(shingle.decode(), FACTORS, strict=True))
    h = total & 0xFFFFFFFFFFFFFFFF
    h ^= h >> 29
    return (h * int(FINISHER) & 0xFFFFFFFFFFFFFFFF) >> 32


def text_shingles(text: str) -> np.ndarray:
    """Return the hash of every character 5-gram of a text in order: uint32 (max(0, n - 4),)."""
    letters = characters(text)
    out = np.empty(max(0, len(letters) - SHINGLE_CHARS + 1), np.uint32)
    hash_shingles(letters, 0, len(out), out)
    return out


@inline_kernel
def shingle_at(letters: Any, at: int) -> Any:
    """Return the hash (uint32) of the five characters that begin at `at`."""
    h = (
        U64(letters[at]) * FIRST
        + U64(letters[at + 1]) * SECOND
        + U64(letters[at + 2]) * THIRD
        + U64(letters[at + 3]) * FOURTH
        + U64(letters[at + 4]) * FIFTH
    )
    h ^= h >> SHIFT_29
    return np.uint32((h * FINISHER) >> SHIFT_32)


@kernel
def hash_shingles(letters: Any, first: int, last: int, out: Any) -> None:
    """Hash the 5-grams that begin at characters first .. last - 1 into `out`."""
    for at in range(first, last):
        out[at - first] = shingle_at(letters, at)


@inline_kernel
def is_common(common: Any, shingle: Any) -> Any:
    """Tell whether a shingle is common; `common` (uint64) has a bit for each bucket."""
    bucket = shingle >> BUCKET_SHIFT
    return common[bucket >> SIX] >> U64(bucket & SIXTY_THREE) & ONE


def common_bits(buckets: np.ndarray) -> np.ndarray:
    """Return the buckets (integers below 2**20) of common shingles as bits: uint64 (2**14,)."""
    bits = np.zeros(1 << BUCKET_BITS, np.uint8)
    bits[buckets] = 1
    return np.packbits(bits, bitorder="little").view(np.uint64)
