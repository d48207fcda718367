"""The normal form at the speed of the disk: texts in, word hashes and word places out.

`corpora.reference_form` defines the normal form; this module gives the same words from a character
table (built by `tools/build_normal_form.py`) with Numba kernels that work on UTF-8 bytes, release
the interpreter lock and make no Python object. Two ways through a text:

* `hash_words`: 64-bit hashes only, eight ASCII bytes at a time (SIMD within a register);
* `place_words`: hashes with character offsets, for benchmark items and for documents that hold a
  candidate.

The hash of a word is taken over the UTF-8 bytes of its normal form in chunks of eight; its lowest bit
says whether the word begins with an ASCII digit, so that numbers can be told without the text. It
nominates; equality is proven on the text (`scanners.findings`).
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.intrinsics import load_8_bytes, trailing_zeros
from corpora.kernels import inline_kernel, kernel
from corpora.spelling import BASIS, MOST_MARKS, ONE, ZERO, finish, mix, spell

VERSION: Final = 3  # raised when the rules or the hash change without the table changing

U64 = np.uint64

HIGH: Final = U64(0x8080808080808080)
LOW_7: Final = U64(0x7F7F7F7F7F7F7F7F)
ONE_CASE: Final = U64(0x2020202020202020)
FROM_A: Final = U64(
    0x1F1F1F1F1F1F1F1F
)  # 0x80 - ord("a") in each byte: sets the high bit from "a" on
PAST_Z: Final = U64(0x0505050505050505)  # 0x7f - ord("z"): sets the high bit past "z"
FROM_0: Final = U64(0x5050505050505050)
PAST_9: Final = U64(0x4646464646464646)
CASE_SHIFT: Final = U64(2)  # high bit 0x80 -> 0x20, the bit that makes a letter lower-case
DIGIT_SHIFT: Final = U64(7)
FIRST_BYTE_HIGH: Final = U64(0x80)


class Table(NamedTuple):
    """The character table: `entries[page_of[c >> 8] << 8 | c & 255]` tells how `c` is spelled."""

    page_of: np.ndarray  # uint16 (4352,)
    entries: np.ndarray  # uint32: first part << 8 | number of parts, or class and order << 8 | 255
    parts: np.ndarray  # uint64: character, class, order, Latin look-alike (see the tool)


class Words(NamedTuple):
    """The words of one text, in order."""

    hashes: np.ndarray  # uint64 (n,)
    starts: np.ndarray  # int64 (n,), offset of the first character in the raw text
    ends: np.ndarray  # int64 (n,), offset past the last character


@cache
def table() -> Table:
    """Load the character table that ships with the package."""
    with files("corpora").joinpath("data/normal_form.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        return Table(arrays["page_of"], arrays["entries"], arrays["parts"])


@cache
def fingerprint() -> str:
    """Return the name of this normal form: equal names mean equal words for every text."""
    digest = hashlib.sha256(str(VERSION).encode())
    for array in table():
        digest.update(array.tobytes())
    return f"nf{VERSION}-{digest.hexdigest()[:16]}"


def word_hashes(text: str) -> np.ndarray:
    """Return the hashes of the words of `text`: uint64 of shape (n,), in order."""
    data = np.frombuffer(text.encode(), np.uint8)
    return hash_text(data)


def hash_text(data: np.ndarray) -> np.ndarray:
    """Return the word hashes of one UTF-8 text given as uint8 of shape (bytes,)."""
    out = np.empty(2 * len(data) + 1, np.uint64)
    return out[: hash_words(data, 0, len(data), *table(), out)].copy()


def words(text: str) -> Words:
    """Return the words of `text` with their places (character offsets)."""
    data = np.frombuffer(text.encode(), np.uint8)
    size = 2 * len(data) + 1
    found = Words(
        np.empty(size, np.uint64),
        np.empty(size, np.int64),
        np.empty(size, np.int64),
    )
    n = place_words(data, 0, len(data), *table(), *found)
    return Words(*(array[:n].copy() for array in found))


@kernel
def hash_words(
    data: Any, first: int, last: int, page_of: Any, entries: Any, parts: Any, out: Any
) -> int:
    """Hash the words of the UTF-8 bytes `data[first:last]` into `out`; return their number.

    `out` (uint64) must have room for 2 * (last - first) + 1 words: no character spells more than two
    words for each of its bytes.
    """
    nowhere = np.empty(0, np.int64)
    return find_words(data, first, last, page_of, entries, parts, out, nowhere)


@kernel
def find_words(
    data: Any, first: int, last: int, page_of: Any, entries: Any, parts: Any, out: Any, begins: Any
) -> int:
    """Hash the words of `data[first:last]` as `hash_words` does, and say where each is spelled.

    `begins` (int64, empty or with the same room as `out`): the byte at which a word begins that is
    plain ASCII; of any other the complement (~) of the byte from which `spell` reads it, and its
    neighbours that have the same. `corpora.word_names` goes back there for the letters.
    """
    none, no_letters = np.empty(0, np.int64), np.empty(0, np.uint32)
    marks = np.empty((MOST_MARKS, 2), np.int64)
    n = 0
    i = first
    while i < last:
        if i + 8 > last:
            group, n_before = i, n
            i, n, _ = spell(
                data,
                i,
                last,
                0,
                page_of,
                entries,
                parts,
                out,
                none,
                none,
                none,
                no_letters,
                no_letters,
                marks,
                n,
                True,
            )
            _note(begins, group, n_before, n)
            continue
        x = load_8_bytes(data, i)
        if x & HIGH:
            group, n_before = i, n
            i, n, _ = spell(
                data,
                i,
                last,
                0,
                page_of,
                entries,
                parts,
                out,
                none,
                none,
                none,
                no_letters,
                no_letters,
                marks,
                n,
                True,
            )
            _note(begins, group, n_before, n)
            continue
        letters = _ascii_letters(x)
        inside = letters | _ascii_digits(x)
        if not inside & FIRST_BYTE_HIGH:  # separators first: skip them
            i += trailing_zeros(inside) >> 3 if inside else 8
            continue
        start = i
        digit = (
            ~letters >> DIGIT_SHIFT & ONE
        )  # of the first byte: in a word, so a letter or a digit
        h = BASIS
        beyond_ascii = False
        while inside == HIGH:
            h = mix(h, x | letters >> CASE_SHIFT)
            i += 8
            if i + 8 > last:
                beyond_ascii = True  # too close to the end for a load: let spell do this word
                break
            x = load_8_bytes(data, i)
            letters = _ascii_letters(x)
            inside = (letters | _ascii_digits(x)) & ~x
        if not beyond_ascii:
            bits = trailing_zeros(inside ^ HIGH) - 7
            beyond_ascii = (x >> U64(bits)) & FIRST_BYTE_HIGH != ZERO
        if beyond_ascii:
            group, n_before = start, n
            i, n, _ = spell(
                data,
                start,
                last,
                0,
                page_of,
                entries,
                parts,
                out,
                none,
                none,
                none,
                no_letters,
                no_letters,
                marks,
                n,
                True,
            )
            _note(begins, group, n_before, n)
            continue
        out[n] = finish(h, (x | letters >> CASE_SHIFT) & ((ONE << U64(bits)) - ONE), digit)
        if len(begins):
            begins[n] = start
        n += 1
        i += (bits >> 3) + 1  # the byte after the word is a separator
    return n


@kernel
def place_words(
    data: Any,
    first: int,
    last: int,
    page_of: Any,
    entries: Any,
    parts: Any,
    hashes: Any,
    starts: Any,
    ends: Any,
) -> int:
    """Hash the words of `data[first:last]` and place them; return their number.

    `starts` and `ends` count characters from `first`. All outputs need the room that `hash_words`
    names.
    """
    none, no_letters = np.empty(0, np.int64), np.empty(0, np.uint32)
    marks = np.empty((MOST_MARKS, 2), np.int64)
    _, n, _ = spell(
        data,
        first,
        last,
        0,
        page_of,
        entries,
        parts,
        hashes,
        starts,
        ends,
        none,
        no_letters,
        no_letters,
        marks,
        0,
        False,
    )
    return n


@inline_kernel
def _note(begins: Any, group: int, first_word: int, n_words: int) -> None:
    """Say of the words that `spell` read together where it began."""
    if len(begins):
        begins[first_word:n_words] = ~group


@inline_kernel
def _ascii_letters(x: Any) -> Any:
    """Mark the bytes that are ASCII letters by their high bit."""
    lower = (x | ONE_CASE) & LOW_7
    return (lower + FROM_A) & ~(lower + PAST_Z) & HIGH & ~x


@inline_kernel
def _ascii_digits(x: Any) -> Any:
    """Mark the bytes that are ASCII digits by their high bit."""
    low = x & LOW_7
    return (low + FROM_0) & ~(low + PAST_9) & HIGH & ~x
