"""One MinHash signature for each text of an Arrow buffer, by character 5-grams of the normal form.

Bytes in, signatures out, in one kernel: words are spelled, their 5-grams hashed and signed, as
`signature_of(text_shingles(text))` would. A text says the same 5-grams over and over, and taking one in
twice changes nothing, so a small table of those seen lately turns most of them away before the 128
permutations, which are what costs: two of three in source code, one of two in prose.

Batches are independent, and scratch does not grow with the text.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import table
from corpora.spelling import spell_words
from indexes.minhash import EMPTY, N_PERMUTATIONS, permutations, sign
from indexes.shingles import LETTERS_PER_BYTE, SHINGLE_CHARS, shingle_at

SEGMENT_BYTES: Final = 1 << 16  # longer texts go in pieces
SEEN_BITS: Final = 14  # of the table's slots: 128 KiB, which a core's own cache holds
SEEN_MASK: Final = np.uint32((1 << SEEN_BITS) - 1)
U64, SHIFT_32 = np.uint64, np.uint64(32)


def shingle_signatures(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the signature of each text `data[bounds[t]:bounds[t + 1]]`: uint32 (texts, 128).

    `data` is uint8, valid UTF-8; `bounds` int64. A text of less than five characters has none: `EMPTY`
    everywhere. A word of more than 64 KiB counts as several. Releases the interpreter lock.
    """
    out = np.full((len(bounds) - 1, N_PERMUTATIONS), EMPTY, np.uint32)
    _sign_texts(data, bounds, *table(), *permutations(), out)
    return out


@kernel
def _sign_texts(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, a: Any, b: Any, out: Any
) -> None:
    longest = 0
    for text in range(len(bounds) - 1):
        longest = max(longest, bounds[text + 1] - bounds[text])
    segment = min(longest, SEGMENT_BYTES)
    room = SHINGLE_CHARS + LETTERS_PER_BYTE * segment + 2
    letters, folded = np.empty(room, np.uint32), np.empty(room, np.uint32)
    ends, hashes = np.empty(2 * segment + 1, np.int64), np.empty(2 * segment + 1, np.uint64)
    fresh = np.empty(room, np.uint32)
    seen = np.zeros(1 << SEEN_BITS, np.uint64)
    for text in range(len(bounds) - 1):
        first, last = bounds[text], bounds[text + 1]
        carried = 0
        while first < last:
            end = _piece(data, first, last)
            n = spell_words(
                data, first, end, page_of, entries, parts, letters[carried:], folded, ends, hashes
            )
            held = carried + (ends[n - 1] + 1 if n else 0)
            # The space after the last word counts only if another word comes.
            n_fresh = _take_fresh(letters, held - SHINGLE_CHARS, text + 1, seen, fresh)
            sign(fresh, 0, n_fresh, a, b, out[text])
            carried = min(held, SHINGLE_CHARS)
            letters[:carried] = letters[held - carried : held].copy()
            first = end


@kernel
def _piece(data: Any, first: int, last: int) -> int:
    """Return the end of a piece: after ASCII white space, so that no word is cut, if there is any."""
    end = first + SEGMENT_BYTES
    if end >= last:
        return last
    for at in range(end, first, -1):
        if data[at - 1] == 32 or data[at - 1] == 10:
            return at
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return end


@kernel
def _take_fresh(letters: Any, n: int, text: int, seen: Any, fresh: Any) -> int:
    """Hash the first n 5-grams, leave those not seen lately in `fresh`; return how many.

    `seen` keeps the last 5-gram of each slot, with the number of its text.
    """
    n_fresh = 0
    mark = U64(text) << SHIFT_32
    for at in range(n):
        shingle = shingle_at(letters, at)
        slot, key = shingle & SEEN_MASK, mark | U64(shingle)
        fresh[n_fresh] = shingle
        n_fresh += seen[slot] != key  # no branch: it would be mispredicted
        seen[slot] = key
    return n_fresh
