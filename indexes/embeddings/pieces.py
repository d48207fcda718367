"""WordPiece: a word of the normal form cut into the longest known pieces, in a kernel.

Schuster and Nakajima 2012, as BERT uses it: the longest piece of the vocabulary that the word begins
with, then the longest that what is left goes on with, and so forth. A word with a rest that no piece
begins is unknown as a whole, and so is one of more than `MOST_CHARS` characters. Pieces are found
by 64-bit hashes of their characters. BERT strips accents; so combining diacritics are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel

MOST_CHARS: Final = 100  # of a word that is cut up, as in the `tokenizers` library
CONTINUES: Final = "##"  # before a piece that goes on with a word
FIRST_DIACRITIC, LAST_DIACRITIC = 0x300, 0x36F
TABLE_SLACK: Final = 4  # slots for each piece: most of what is looked up is not there
U64 = np.uint64
BEGIN, CONTINUE = U64(0xCBF29CE484222325), U64(0x84222325CBF29CE4)
MULTIPLIER: Final = U64(0x9E3779B97F4A7C15)
SHIFT, SLOT_SHIFT = U64(32), U64(20)
FREE: Final = U64(0)


class Pieces(NamedTuple):
    """A vocabulary to be looked up in: an open hash table of a power of two slots."""

    keys: np.ndarray  # uint64 (slots,), hash of a piece; 0 where free
    rows: np.ndarray  # int32 (slots,), number of the piece
    longest: int  # characters of the longest piece


def enter_pieces(vocabulary: Sequence[str]) -> Pieces:
    """Return the table of a vocabulary; piece n is `vocabulary[n]`, of equals the first counts."""
    joined = "\n".join(piece.removeprefix(CONTINUES) for piece in vocabulary)
    letters = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
    continues = np.array([piece.startswith(CONTINUES) for piece in vocabulary], np.bool_)
    ends = np.append(np.flatnonzero(letters == ord("\n")), len(letters))
    size = 16
    while size < TABLE_SLACK * len(vocabulary):
        size *= 2
    keys, rows = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    _enter(letters, ends[: len(vocabulary)], continues, keys, rows)
    lengths = np.diff(np.append(-1, ends)) - 1
    return Pieces(keys, rows, min(int(lengths.max(initial=0)), MOST_CHARS))


@kernel
def _enter(letters: Any, ends: Any, continues: Any, keys: Any, rows: Any) -> None:
    mask = len(keys) - 1
    at = 0
    for row in range(len(ends)):
        h = CONTINUE if continues[row] else BEGIN
        for letter in letters[at : ends[row]]:
            h = _push(h, letter)
        slot = _slot(keys, h, mask)
        if at < ends[row] and keys[slot] == FREE:
            keys[slot] = h
            rows[slot] = row
        at = ends[row] + 1


@kernel
def cut_word(letters: Any, first: int, end: int, pieces: Any, out: Any) -> int:
    """Cut the word `letters[first:end]` (code points); return its number of pieces, 0 if unknown.

    Their numbers go to `out` (int32, room for `MOST_CHARS`).
    """
    keys, rows, longest = pieces
    mask = len(keys) - 1
    word = np.empty(MOST_CHARS, np.uint32)
    hashes = np.empty(MOST_CHARS, np.uint64)
    size = 0
    for letter in letters[first:end]:
        if FIRST_DIACRITIC <= letter <= LAST_DIACRITIC:
            continue
        if size == MOST_CHARS:
            return 0
        word[size] = letter
        size += 1
    n = at = 0
    while at < size:
        h = CONTINUE if at else BEGIN
        reach = min(size - at, longest)
        for k in range(reach):
            h = _push(h, word[at + k])
            hashes[k] = h
        while reach:
            slot = _slot(keys, hashes[reach - 1], mask)
            if keys[slot] != FREE:
                break
            reach -= 1
        if reach == 0:
            return 0
        out[n] = rows[slot]
        n += 1
        at += reach
    return n


@inline_kernel
def _push(h: Any, letter: Any) -> Any:
    h = (h ^ U64(letter)) * MULTIPLIER
    return h ^ h >> SHIFT


@inline_kernel
def _slot(keys: Any, key: Any, mask: int) -> int:
    """Return the slot of a key, or the free slot where it would be."""
    slot = np.int64(key >> SLOT_SHIFT) & mask
    while keys[slot] != FREE and keys[slot] != key:
        slot = slot + 1 & mask
    return slot
