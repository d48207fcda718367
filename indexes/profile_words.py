"""What a profile takes from the words of documents, in one way through them.

Of each document: how many words it has, a hash of all of them in order (that of
`indexes.document_signatures`), by which it falls into one of 256 groups, and a key that near-duplicates
share. With a tally also the count of every word, and the letters of those met for the first time.

The near key is the hash of the NEAR_HASHES smallest shingle hashes, where a shingle is five words in a
row (Broder 1997, On the resemblance and containment of documents: the smallest hashes of a set are a
random sample of it). Two documents whose shingle sets have Jaccard similarity J share the key if
the NEAR_HASHES smallest of their union are in both: with probability J^NEAR_HASHES, a little less for
short ones. One hash per shingle is enough for it, where independent min-hashes would take NEAR_HASHES.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import find_words, table
from corpora.pieces import cut_between_words
from corpora.word_names import name_words
from indexes.document_signatures import MOST_WORDS_PER_BYTE, SHINGLE_WORDS, chain, unchained
from indexes.seeds import SPREAD, STEP
from indexes.tally import (
    N_ROWS,
    Tally,
    close_document,
    find_rows,
    make_room,
    touch_rows,
)

GROUPS: Final = 256
GROUPS_PER_FOLD: Final = 8
NEAR_HASHES: Final = 8
PIECE_BYTES: Final = 1 << 16  # what is known of a piece's words stays in the processor's cache
U64 = np.uint64
GROUP_MIX: Final = U64(0xD6E8FEB86659FD93)
GROUP_SHIFT: Final = U64(56)
NEAR_MIX: Final = U64(0xA0761D6478BD642F)
SHIFT_32: Final = U64(32)
NO_HASH: Final = U64(0xFFFFFFFFFFFFFFFF)
ZERO: Final = U64(0)
STEP_OUT: Final = U64(pow(int(STEP), SHINGLE_WORDS, 1 << 64))  # of the word that leaves a shingle


class Names(NamedTuple):
    """The normal form of the words of a tally's rows, in the order of the rows."""

    letters: np.ndarray  # uint8, UTF-8
    ends: np.ndarray  # int64 (room,), where each ends


class ReadDocuments(NamedTuple):
    """What is known of each document of a batch."""

    words: np.ndarray  # int64 (n,)
    text_hash: np.ndarray  # uint64 (n,), of all words in order
    near_key: np.ndarray  # uint64 (n,)


def no_names() -> Names:
    """Return names for an empty tally."""
    return Names(np.empty(1 << 12, np.uint8), np.empty(1 << 12, np.int64))


def read_documents(
    data: np.ndarray, bounds: np.ndarray, domains: np.ndarray, tally: Tally, names: Names, *,
    counts: bool, piece_bytes: int = PIECE_BYTES,
) -> tuple[Tally, Names, ReadDocuments]:  # fmt: skip
    """Read the UTF-8 texts `data[bounds[d]:bounds[d + 1]]` (uint8, int64 (n + 1,)).

    With `counts` their words go into the tally under `domains[d]` (int64), and the names of new ones to
    `names`; both are returned, and what was given is void. `piece_bytes` changes memory, never a result.
    """
    n = len(bounds) - 1
    read = ReadDocuments(np.empty(n, np.int64), np.empty(n, np.uint64), np.empty(n, np.uint64))
    tally, *spelled = _read_documents(
        data, bounds, domains, counts, *table(), piece_bytes, tally, *names, *read
    )
    return tally, Names(*spelled), read


def group_of(text_hash: np.ndarray) -> np.ndarray:
    """Return the group of documents by their text hashes: int64 (n,) below GROUPS."""
    return (text_hash * GROUP_MIX >> GROUP_SHIFT).astype(np.int64)


@kernel
def _read_documents(
    data: Any, bounds: Any, domains: Any, counts: bool, page_of: Any, entries: Any, parts: Any,
    piece_bytes: int, tally: Any, letters: Any, ends: Any, words: Any, text_hashes: Any, near_keys: Any,
) -> Any:  # fmt: skip
    hashes = np.empty(0, np.uint64)
    begins = np.empty(0, np.int64)
    near = np.empty(NEAR_HASHES, np.uint64)
    used = ends[tally.sizes[N_ROWS] - 1] if tally.sizes[N_ROWS] else 0
    for document in range(len(bounds) - 1):
        at, last = bounds[document], bounds[document + 1]
        carried = n_words = 0
        text_hash, rolled = unchained(), ZERO
        near[:] = NO_HASH
        while at < last:
            end = cut_between_words(data, at, last, piece_bytes)
            room = SHINGLE_WORDS + MOST_WORDS_PER_BYTE * (end - at) + 1
            if room > len(hashes):
                before = hashes[:carried].copy()
                hashes, begins = np.empty(room, np.uint64), np.empty(room, np.int64)
                hashes[:carried] = before
            n = find_words(data, at, end, page_of, entries, parts, hashes[carried:], begins)
            n_words += n
            n += carried
            if counts:
                tally = make_room(tally, n)
                n_before = tally.sizes[N_ROWS]
                n_new = find_rows(hashes, carried, n, domains[document], tally)
                ends = _with_room(ends, n_before, n_new)
                letters, used = name_words(
                    data, end, begins, n - carried, tally.new, n_new, page_of, entries, parts, letters,
                    used, ends, n_before,
                )  # fmt: skip
            text_hash, rolled = _take_words(hashes, carried, n, text_hash, rolled, near)
            if counts:
                touch_rows(tally, n - carried)
            carried = min(n, SHINGLE_WORDS)
            for word in range(carried):
                hashes[word] = hashes[n - carried + word]
            at = end
        words[document], text_hashes[document] = n_words, text_hash
        near_keys[document] = _near_key(near) if n_words >= SHINGLE_WORDS else text_hash
        if counts:
            group = np.int64(text_hash * GROUP_MIX >> GROUP_SHIFT)
            tally = close_document(tally, group // GROUPS_PER_FOLD, n_words)
    return tally, letters, ends


@kernel
def _take_words(
    hashes: Any, first: int, last: int, text_hash: Any, rolled: Any, near: Any
) -> tuple[Any, Any]:  # fmt: skip
    """Take the words from `first` on into the text hash, and the shingles that end with them into `near`.

    A shingle's hash is that of `seed_at`: a polynomial of the words' hashes, which rolls on from word to
    word. In one loop, because the text hash waits for itself.
    """
    limit = near[NEAR_HASHES - 1]
    for word in range(first, last):
        text_hash = chain(text_hash, hashes[word])
        rolled = rolled * STEP + hashes[word]
        if word >= SHINGLE_WORDS:
            rolled -= hashes[word - SHINGLE_WORDS] * STEP_OUT
        h = rolled * SPREAD
        h ^= h >> SHIFT_32
        if h < limit and word >= SHINGLE_WORDS - 1:
            _keep(h, near)
            limit = near[NEAR_HASHES - 1]
    return text_hash, rolled


@kernel
def _with_room(ends: Any, n: int, more: int) -> Any:
    if n + more <= len(ends):
        return ends
    longer = np.empty(2 * (n + more), np.int64)
    longer[:n] = ends[:n]
    return longer


@kernel
def _keep(h: Any, near: Any) -> None:
    at = len(near) - 1
    while at and near[at - 1] > h:
        at -= 1
    if at and near[at - 1] == h:
        return
    for k in range(len(near) - 1, at, -1):
        near[k] = near[k - 1]
    near[at] = h


@inline_kernel
def _near_key(near: Any) -> Any:
    key = NEAR_MIX
    for k in range(len(near)):
        key = (key ^ near[k]) * NEAR_MIX
        key ^= key >> SHIFT_32
    return key
