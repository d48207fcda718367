"""The letters of some words of a text, for those who hash all of them and show few.

`corpora.normal_form.find_words` hashes at the speed of the disk and notes where each word begins; here
chosen words are spelled from there. A profile names every word once, however often it stands in a corpus.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.spelling import MOST_MARKS, spell

MOST_NAME_CHARS: Final = 80  # of a word that is kept; a longer one (base64) ends with an ellipsis
MOST_NAME_BYTES: Final = 4 * MOST_NAME_CHARS + 3
ELLIPSIS: Final = 0x2026
U32 = np.uint32


@kernel
def name_words(
    data: Any, last: int, begins: Any, n_all: int, wanted: Any, n_wanted: int, page_of: Any,
    entries: Any, parts: Any, names: Any, used: int, ends: Any, n_names: int,
) -> tuple[Any, int]:  # fmt: skip
    """Append the normal form of words of a text that ends at byte `last`, as UTF-8, to `names`.

    `begins` is that of `find_words` for the same text, of `n_all` words. `wanted` (int64, ascending, the
    first `n_wanted` count): their numbers. Word k of them ends at `ends[n_names + k]` (int64). Returns
    `names` (uint8), which may have grown, and how much of it is used.
    """
    letters = np.empty(0, U32)
    folded = np.empty(0, U32)
    letter_ends = np.empty(0, np.int64)
    hashes = np.empty(0, np.uint64)
    marks = np.empty((MOST_MARKS, 2), np.int64)
    none = np.empty(0, np.int64)
    spelled = -1  # from where `letters` were spelled: once for all words that stand there
    first_word = 0
    for k in range(n_wanted):
        word = wanted[k]
        begin = begins[word]
        if used + MOST_NAME_BYTES > len(names):
            names = _longer(names, used)
        if begin >= 0:
            used = _name_ascii(data, begin, last, names, used)
            ends[n_names + k] = used
            continue
        begin = ~begin
        if begin != spelled:
            spelled = begin
            first_word = word
            while first_word and begins[first_word - 1] == ~begin:
                first_word -= 1
            n_words, end = _spelled_together(begins, first_word, n_all, last)
            if 8 * (end - begin) + 2 > len(letters):
                letters = np.empty(8 * (end - begin) + 2, U32)
                folded = np.empty(len(letters), U32)
            if n_words > len(hashes):
                letter_ends, hashes = np.empty(n_words, np.int64), np.empty(n_words, np.uint64)
            spell(
                data, begin, last, 0, page_of, entries, parts, hashes, none, none, letter_ends,
                letters, folded, marks, 0, True,
            )  # fmt: skip
        at = word - first_word
        first_letter = letter_ends[at - 1] + 1 if at else 0
        used = _name_letters(letters, first_letter, letter_ends[at], names, used)
        ends[n_names + k] = used
    return names, used


@inline_kernel
def _spelled_together(begins: Any, first_word: int, n_all: int, last: int) -> tuple[int, int]:
    """Return how many words are spelled from where this one is, and the byte at which the next begins."""
    word = first_word
    while word < n_all and begins[word] == begins[first_word]:
        word += 1
    end = last
    if word < n_all:
        end = begins[word] if begins[word] >= 0 else ~begins[word]
    return word - first_word, end


@kernel
def _name_ascii(data: Any, begin: int, last: int, names: Any, used: int) -> int:
    n = 0
    while begin + n < last:
        byte = data[begin + n]
        if not (97 <= (byte | 32) <= 122 or 48 <= byte <= 57):
            break
        if n == MOST_NAME_CHARS:
            return _put(names, used, ELLIPSIS)
        names[used] = byte | 32  # digits have that bit already
        used += 1
        n += 1
    return used


@kernel
def _name_letters(letters: Any, first: int, end: int, names: Any, used: int) -> int:
    for at in range(first, min(end, first + MOST_NAME_CHARS)):
        used = _put(names, used, np.int64(letters[at]))
    if end - first > MOST_NAME_CHARS:
        used = _put(names, used, ELLIPSIS)
    return used


@inline_kernel
def _put(names: Any, used: int, char: int) -> int:
    """Write a character as UTF-8; return where the next one goes."""
    if char < 0x80:
        names[used] = char
        return used + 1
    if char < 0x800:
        names[used] = 0xC0 | char >> 6
        names[used + 1] = 0x80 | char & 63
        return used + 2
    if char < 0x10000:
        names[used] = 0xE0 | char >> 12
        names[used + 1] = 0x80 | char >> 6 & 63
        names[used + 2] = 0x80 | char & 63
        return used + 3
    names[used] = 0xF0 | char >> 18
    names[used + 1] = 0x80 | char >> 12 & 63
    names[used + 2] = 0x80 | char >> 6 & 63
    names[used + 3] = 0x80 | char & 63
    return used + 4


@kernel
def _longer(array: Any, used: int) -> Any:
    """Return a copy of what is used of an array of bytes, in one twice as long."""
    longer = np.empty(2 * len(array) + MOST_NAME_BYTES, np.uint8)
    longer[:used] = array[:used]
    return longer
