"""Fingerprints of documents: the few seeds that stand for all runs of 13 words.

Of every nine seeds in a row (five words each, so 13 words) the one that comes first in a fixed order is
kept: a minimizer (Schleimer, Wilkerson and Aiken 2003; Roberts et al. 2004). Two texts that share a run
of 13 words share its nine seeds, so the same one is kept in both: **every shared run of 13 words
shares a fingerprint**. The order is that of a hash, with two exceptions that are read off the five words
alone. Seeds whose middle word has the smallest hash of the five come first: two of them are never side by
side, so that 0.174 of all seeds are kept and not 0.2 (open syncmers: Edgar 2021; as minimizers: Groot
Koerkamp, Liu and Pibiri 2025). Seeds that the background knows as common come last: they are kept only
where nothing else stands, so a fingerprint seldom says what stands everywhere.

A fingerprint carries a few bits of each of the seven words before and after it, more of the near ones.
They tell nearly always whether the run goes on to 13 words, so that a document need not be read for a
shared phrase of five.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.intrinsics import trailing_zeros
from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import hash_words, table
from corpora.pieces import cut_text
from indexes.background import Background
from indexes.ngram import LONG_WORDS, bit_filter, may_hold
from indexes.seeds import SEED_WORDS, seed_at

SCHEME: Final = "minimizers/3"  # raised when the same text gives other fingerprints
WINDOW_SEEDS: Final = LONG_WORDS - SEED_WORDS + 1
CONTEXT_WORDS: Final = LONG_WORDS - SEED_WORDS  # on each side
WIDTHS: Final = (4, 3, 2, 1, 1, 1, 1, 0)  # bits of each of them, the nearest word's first
KEY_BITS: Final = 38  # of a seed's hash
PIECE_BYTES: Final = 1 << 19  # longer documents are fingerprinted in pieces, so scratch stays small
CARRIED_WORDS: Final = 2 * LONG_WORDS + CONTEXT_WORDS
U64 = np.uint64
ORDER: Final = U64(0x9FB21C651E98DF25)
LAST, LATER = U64(1 << 63), U64(1 << 62)
TWO, KEY_SHIFT, CONTEXT_SHIFT = U64(2), U64(64 - KEY_BITS), U64(40)
SIDE_BITS: Final = sum(WIDTHS)
CONTEXT_BITS: Final = 2 * SIDE_BITS
SIDE: Final = U64((1 << SIDE_BITS) - 1)
PAST_SIDE: Final = U64(1 << SIDE_BITS)
_PLACES: Final = np.cumsum([0, *WIDTHS]).astype(
    np.uint64
)  # where in a side the bits of a word begin
_MASKS: Final = (U64(1) << np.array(WIDTHS, np.uint64)) - U64(1)
# How many words agree if the lowest bit that differs is this one; past the last bit: all of them.
_ALIKE: Final = np.searchsorted(_PLACES, np.arange(SIDE_BITS + 1), side="right") - 1


class CommonSeeds(NamedTuple):
    """Seeds that are kept last, as a bit filter: what it lets through by chance counts as common."""

    bits: np.ndarray  # uint64
    shift: np.uint64


class Fingerprints(NamedTuple):
    """Fingerprints of a batch in text order, (n,) each."""

    key: np.ndarray  # uint64, 38 bits of the seed's hash
    context: np.ndarray  # uint32, 26 bits of the words around it
    document: np.ndarray  # int64, number in the batch


def common_seeds(background: Background) -> CommonSeeds:
    """Return the filter of the seeds that the background knows as common phrases."""
    return CommonSeeds(*bit_filter(background.phrase_hash))


def scheme_of(background: Background) -> str:
    """Return the name of these fingerprints: equal names mean equal fingerprints of equal words."""
    phrases = hashlib.sha256(background.phrase_hash.tobytes()).hexdigest()
    return f"{SCHEME}-{phrases[:12]}"


def fingerprint(
    data: np.ndarray, bounds: np.ndarray, common: CommonSeeds
) -> tuple[Fingerprints, int]:
    """Return the fingerprints of documents and the number of their words.

    Documents are `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8; bounds int64 (n + 1,)). Those of
    fewer than five words have none. Releases the interpreter lock.
    """
    key, context, document, words = _fingerprint(data, bounds, *table(), *common)
    return Fingerprints(key, context, document), words


@inline_kernel
def seed_key(seed: Any) -> Any:
    """Return the bits of a seed's hash that are stored."""
    return seed >> KEY_SHIFT


@inline_kernel
def _rank(words: Any, at: int, seed: Any, bits: Any, shift: Any) -> Any:
    """Return the place in the order of the seed at a word: smaller ones are kept."""
    middle = words[at + SEED_WORDS // 2]
    rank = seed * ORDER >> TWO
    for other in range(at, at + SEED_WORDS):
        if words[other] < middle:
            rank |= LATER
    return rank | LAST if may_hold(bits, shift, seed) else rank


@kernel
def kept_seeds(words: Any, common: Any) -> Any:
    """Tell which seeds of a text of word hashes are its fingerprints: bool (seeds,)."""
    n_seeds = max(0, len(words) - SEED_WORDS + 1)
    ranks = np.empty(n_seeds, np.uint64)
    for at in range(n_seeds):
        seed = seed_at(words, at, SEED_WORDS)
        ranks[at] = _rank(words, at, seed, common.bits, common.shift)
    out = np.zeros(n_seeds, np.bool_)
    kept = -1
    for stop in range(min(WINDOW_SEEDS, n_seeds), n_seeds + 1):
        kept = _kept_of(ranks, max(0, stop - WINDOW_SEEDS), stop, kept)
        if n_seeds:
            out[kept] = True
    return out


@inline_kernel
def _kept_of(ranks: Any, start: int, stop: int, kept: int) -> int:
    """Return the last of the smallest of `ranks[start:stop]`; `kept` is that of the window before."""
    if kept < start:
        kept = start
        for at in range(start + 1, stop):
            if ranks[at] <= ranks[kept]:
                kept = at
    elif ranks[stop - 1] <= ranks[kept]:
        kept = stop - 1
    return kept


@kernel
def context_of(words: Any, first: int, last: int, at: int) -> Any:
    """Return the bits of the words around the seed at `at`, of `words[first:last]`.

    Those of the words before it are the low half, the nearest word lowest; what is not there is zero.
    """
    before = after = U64(0)
    for k in range(min(CONTEXT_WORDS, at - first)):
        before |= _bits_of_word(words[at - 1 - k], k)
    for k in range(min(CONTEXT_WORDS, last - at - SEED_WORDS)):
        after |= _bits_of_word(words[at + SEED_WORDS + k], k)
    return np.uint32(after << U64(SIDE_BITS) | before)


@inline_kernel
def _bits_of_word(word: Any, k: int) -> Any:
    """Return the bits of the word that is `k` words from the seed, where they stand in its side."""
    return (word >> CONTEXT_SHIFT & _MASKS[k]) << _PLACES[k]


@inline_kernel
def shared_run(ours: Any, theirs: Any, before: int, after: int) -> tuple[int, int]:
    """Return how long a run two texts may share around a seed, and how much of it is before the seed.

    `before` and `after` are the words that ours has on each side. Never less than what the texts share
    of the 21 words around.
    """
    differing = U64(ours ^ theirs)
    shared_before = min(before, _alike(differing & SIDE))
    shared_after = min(after, _alike(differing >> U64(SIDE_BITS)))
    return SEED_WORDS + shared_before + shared_after, shared_before


@inline_kernel
def _alike(side: Any) -> int:
    """Return how many words of a side agree, given the bits in which it differs."""
    return np.int64(_ALIKE[trailing_zeros(side | PAST_SIDE)])


@kernel
def _fingerprint(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, bits: Any, shift: Any
) -> tuple[Any, Any, Any, int]:
    longest = 0
    for document in range(len(bounds) - 1):
        longest = max(longest, bounds[document + 1] - bounds[document])
    room = CARRIED_WORDS + 2 * min(longest, PIECE_BYTES) + 1
    hashes = np.empty(room, np.uint64)
    ranks = np.empty(room, np.uint64)
    guess = 1024 + len(data) // 16
    key = np.empty(guess, np.uint64)
    context = np.empty(guess, np.uint32)
    owner = np.empty(guess, np.int64)
    n = words = 0
    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        carried = own_first = 0
        while True:
            end = cut_text(data, first, last, PIECE_BYTES)
            n_words = carried + hash_words(
                data, first, end, page_of, entries, parts, hashes[carried:]
            )
            words += n_words - carried
            n_seeds = n_words - SEED_WORDS + 1
            if n + n_words > len(key):
                size = 2 * (n + n_words)
                key, context, owner = (
                    _grown(key, n, size),
                    _grown(context, n, size),
                    _grown(owner, n, size),
                )
            for at in range(n_seeds):
                ranks[at] = _rank(hashes, at, seed_at(hashes, at, SEED_WORDS), bits, shift)
            # A seed at a seam is kept in the piece that has all windows and words around it.
            own_last = max(own_first, n_seeds - LONG_WORDS) if end < last else n_seeds
            kept = -1
            for stop in range(min(WINDOW_SEEDS, n_seeds), n_seeds + 1):
                before = kept
                kept = _kept_of(ranks, max(0, stop - WINDOW_SEEDS), stop, kept)
                if kept != before and own_first <= kept < own_last:
                    key[n] = seed_key(seed_at(hashes, kept, SEED_WORDS))
                    context[n] = context_of(hashes, 0, n_words, kept)
                    owner[n] = document
                    n += 1
            if end >= last:
                break
            carried = min(n_words, CARRIED_WORDS)
            hashes[:carried] = hashes[n_words - carried : n_words].copy()
            first, own_first = end, own_last - (n_words - carried)
    return key[:n].copy(), context[:n].copy(), owner[:n].copy(), words


@kernel
def _grown(array: Any, used: int, size: int) -> Any:
    out = np.empty(size, array.dtype)
    out[:used] = array[:used]
    return out
