"""Signatures of whole documents, for near-duplicates: words in, 128 numbers each out.

The set of a document is that of its word 5-grams (Lee et al. 2021, arXiv 2107.06499; FineWeb). Characters
will not do here: a long text holds most character 5-grams of its language, so two long documents are alike
by chance. A document of fewer than five words has one shingle, the whole text; one without words has none
and is alike to nothing. Beside the signature stands a hash of all words in order, by which exact
duplicates are told: copies that differ in case, punctuation and spacing only.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import hash_words, table
from corpora.pieces import cut_between_words
from indexes.minhash import EMPTY, N_PERMUTATIONS, permutations, sign
from indexes.seeds import seed_at

SHINGLE_WORDS: Final = 5
PIECE_BYTES: Final = 1 << 18  # longer documents are taken in pieces, so scratch stays in the cache
MOST_WORDS_PER_BYTE: Final = 2  # of text; the room that hash_words asks for
U64 = np.uint64
BASIS: Final = U64(0xCBF29CE484222325)
MULTIPLIER: Final = U64(0x9E3779B97F4A7C15)
SHIFT_32: Final = U64(32)
LOW_HALF: Final = U64(0xFFFFFFFF)


class SignedDocuments(NamedTuple):
    """What is kept of each document of a batch."""

    signatures: np.ndarray  # uint32 (n, 128); EMPTY throughout where there are no words
    words: np.ndarray  # int64 (n,)
    text_hashes: np.ndarray  # uint64 (n,), of all words in order


def sign_documents(
    data: np.ndarray, bounds: np.ndarray, piece_bytes: int = PIECE_BYTES
) -> SignedDocuments:
    """Sign the UTF-8 texts `data[bounds[d]:bounds[d + 1]]` (uint8, int64 (n + 1,)).

    `piece_bytes` changes memory, never a result.
    """
    n = len(bounds) - 1
    signed = SignedDocuments(
        np.full((n, N_PERMUTATIONS), EMPTY, np.uint32),
        np.empty(n, np.int64),
        np.empty(n, np.uint64),
    )
    _sign_documents(data, bounds, *table(), *permutations(), piece_bytes, *signed)
    return signed


def word_shingles(word_hashes: np.ndarray) -> np.ndarray:
    """Return the hash of every shingle of a document, given its words' hashes: uint32 (n,).

    The definition of what is signed; equal shingles are repeated.
    """
    n = len(word_hashes)
    if n == 0:
        return np.empty(0, np.uint32)
    size = min(n, SHINGLE_WORDS)
    return np.array([shingle_at(word_hashes, at, size) for at in range(n - size + 1)], np.uint32)


@kernel
def shingle_at(word_hashes: Any, at: int, size: int) -> Any:
    """Return the hash (uint32) of the `size` words that begin at `at`.

    `seed_at` has folded the high half of its 64 bits onto the low one, which is kept.
    """
    return np.uint32(seed_at(word_hashes, at, size) & LOW_HALF)


@kernel
def _sign_documents(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, a: Any, b: Any, piece_bytes: int,
    signatures: Any, words: Any, text_hashes: Any,
) -> None:  # fmt: skip
    hashes = np.empty(0, np.uint64)
    shingles = np.empty(0, np.uint32)
    for document in range(len(bounds) - 1):
        at, last = bounds[document], bounds[document + 1]
        carried = n_words = 0
        text_hash = unchained()
        while at < last:
            end = cut_between_words(data, at, last, piece_bytes)
            room = carried + MOST_WORDS_PER_BYTE * (end - at) + 1
            if room > len(hashes):
                before = hashes[:carried].copy()
                hashes, shingles = np.empty(room, np.uint64), np.empty(room, np.uint32)
                hashes[:carried] = before
            n = carried + hash_words(data, at, end, page_of, entries, parts, hashes[carried:])
            for word in range(carried, n):
                text_hash = chain(text_hash, hashes[word])
            n_words += n - carried
            n_shingles = max(0, n - SHINGLE_WORDS + 1)
            for shingle in range(n_shingles):
                shingles[shingle] = shingle_at(hashes, shingle, SHINGLE_WORDS)
            sign(shingles, 0, n_shingles, a, b, signatures[document])
            carried = min(n, SHINGLE_WORDS - 1)
            for word in range(carried):
                hashes[word] = hashes[n - carried + word]
            at = end
        if 0 < n_words < SHINGLE_WORDS:
            shingles[0] = shingle_at(hashes, 0, n_words)
            sign(shingles, 0, 1, a, b, signatures[document])
        words[document] = n_words
        text_hashes[document] = text_hash


@inline_kernel
def unchained() -> Any:
    """Return the text hash of a document without words."""
    return BASIS


@inline_kernel
def chain(text_hash: Any, word_hash: Any) -> Any:
    """Take the next word into a document's text hash."""
    text_hash = (text_hash ^ word_hash) * MULTIPLIER
    return text_hash ^ text_hash >> SHIFT_32
