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

VERSION: Final = 3  # raised when the rules or the hash change without the table changing

U64 = np.uint64
BASIS: Final = U64(0xCBF29CE484222325)
MULTIPLIER: Final = U64(0x9E3779B97F4A7C15)
FINISHER: Final = U64(0xD6E8FEB86659FD93)
BYTE, BLOCK, SHIFT_32, SHIFT_29 = U64(8), U64(64), U64(32), U64(29)

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
ONE, FIRST_BYTE_HIGH, ZERO = U64(1), U64(0x80), U64(0)

# Classes of spelled characters, as in reference_form.CharacterClass.
SEPARATOR, WORD, IGNORED, SINGLE, MARK = 0, 1, 2, 3, 4
SELF_SPELLED: Final = 255
IOTA_MARK: Final = 0x345
IOTA: Final = 0x3B9
LATIN_I: Final = 0x69
MOST_MARKS: Final = 255  # marks in a row that are put into canonical order together
NO_PLACE: Final = -1
SPACE: Final = 32  # after each spelled word


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
    none, no_letters = np.empty(0, np.int64), np.empty(0, np.uint32)
    marks = np.empty((MOST_MARKS, 2), np.int64)
    n = 0
    i = first
    while i < last:
        if i + 8 > last:
            i, n, _ = _spell(
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
            continue
        x = load_8_bytes(data, i)
        if x & HIGH:
            i, n, _ = _spell(
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
            h = _mix(h, x | letters >> CASE_SHIFT)
            i += 8
            if i + 8 > last:
                beyond_ascii = True  # too close to the end for a load: let _spell do this word
                break
            x = load_8_bytes(data, i)
            letters = _ascii_letters(x)
            inside = (letters | _ascii_digits(x)) & ~x
        if not beyond_ascii:
            bits = trailing_zeros(inside ^ HIGH) - 7
            beyond_ascii = (x >> U64(bits)) & FIRST_BYTE_HIGH != ZERO
        if beyond_ascii:
            i, n, _ = _spell(
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
            continue
        out[n] = _finish(h, (x | letters >> CASE_SHIFT) & ((ONE << U64(bits)) - ONE), digit)
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
    _, n, _ = _spell(
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


@kernel
def spell_words(
    data: Any, first: int, last: int, page_of: Any, entries: Any, parts: Any, letters: Any,
    folded: Any, letter_ends: Any, hashes: Any,
) -> int:  # fmt: skip
    """Spell the words of `data[first:last]`; return their number, that of `hash_words`.

    Their characters (code points, uint32) go to `letters`, a space after each word; word w ends
    before its space at `letter_ends[w]` (int64). `folded` is scratch. `letters` and `folded` need room
    for 8 * (last - first) + 2 characters, `letter_ends` and `hashes` that which `hash_words` names;
    `hashes` is written where a word is not plain ASCII only.
    """
    none = np.empty(0, np.int64)
    marks = np.empty((MOST_MARKS, 2), np.int64)
    n = m = 0
    i = first
    while i < last:
        if not _is_ascii_word(data[i]):
            if data[i] < 0x80:
                i += 1
                continue
            i, n, _ = _spell(
                data, i, last, 0, page_of, entries, parts, hashes, none, none, letter_ends,
                letters, folded, marks, n, True,
            )  # fmt: skip
            m = letter_ends[n - 1] + 1 if n else 0
            continue
        at = i
        while at < last and _is_ascii_word(data[at]):
            letters[m + at - i] = data[at] | 32  # digits have that bit already
            at += 1
        if at < last and data[at] >= 0x80:  # what comes next may belong to the word
            i, n, _ = _spell(
                data, i, last, 0, page_of, entries, parts, hashes, none, none, letter_ends,
                letters, folded, marks, n, True,
            )  # fmt: skip
            m = letter_ends[n - 1] + 1 if n else 0
            continue
        m += at - i
        letter_ends[n] = m
        letters[m] = SPACE
        m += 1
        n += 1
        i = at
    return n


@inline_kernel
def _is_ascii_word(byte: Any) -> bool:
    """Tell whether a byte is an ASCII letter or digit."""
    return 97 <= (byte | 32) <= 122 or 48 <= byte <= 57


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


@inline_kernel
def _mix(h: Any, chunk: Any) -> Any:
    """Take eight bytes into a word's hash."""
    h = (h ^ chunk) * MULTIPLIER
    return h ^ h >> SHIFT_32


@inline_kernel
def _finish(h: Any, chunk: Any, digit: Any) -> Any:
    """Take the last, zero-padded chunk (possibly empty) and finish the hash; `digit` is 0 or 1."""
    h = (h ^ chunk) * MULTIPLIER
    h ^= h >> SHIFT_32
    h *= FINISHER
    return (h ^ h >> SHIFT_29) & ~ONE | digit


@inline_kernel
def _push(h: Any, chunk: Any, shift: Any, char: int) -> tuple[Any, Any, Any]:
    """Append the UTF-8 bytes of a character to a hash in progress."""
    if char < 0x80:
        code, size = U64(char), 1
    elif char < 0x800:
        code, size = U64(0x80C0 | char >> 6 | (char & 63) << 8), 2
    elif char < 0x10000:
        code, size = U64(0x8080E0 | char >> 12 | (char >> 6 & 63) << 8 | (char & 63) << 16), 3
    else:
        code = U64(
            0x808080F0
            | char >> 18
            | (char >> 12 & 63) << 8
            | (char >> 6 & 63) << 16
            | (char & 63) << 24
        )
        size = 4
    for _ in range(size):
        chunk |= (code & U64(255)) << shift
        code >>= BYTE
        shift += BYTE
        if shift == BLOCK:
            h, chunk, shift = _mix(h, chunk), ZERO, ZERO
    return h, chunk, shift


@kernel
def _spell(
    data: Any,
    i: int,
    last: int,
    place: int,
    page_of: Any,
    entries: Any,
    parts: Any,
    hashes: Any,
    starts: Any,
    ends: Any,
    letter_ends: Any,
    letters: Any,
    folded: Any,
    marks: Any,
    n: int,
    to_gap: bool,
) -> tuple[int, int, int]:
    """Spell characters from byte `i` (character `place`) on, one at a time; append their words.

    With `to_gap` it returns after the first ASCII separator, where the fast path can go on, and
    writes no places. Where `letters` has room, the characters of the words go there, a space after
    each word, and `letter_ends` says where; `folded` is scratch of the same size. Returns the next
    byte, the number of words and the next character.
    """
    spells = len(letters) > 0
    spelled = letter_ends[n - 1] + 1 if spells and n else 0
    n_marks = 0  # rows of `marks` in use: (spelled mark, its place), waiting for their run's end
    in_word = single = latin = strong = forked = False
    only_strong = True
    h, chunk, shift = BASIS, ZERO, ZERO
    # From the first look-alike on a second hash is kept until the word ends: with them folded.
    fh, fchunk, fshift = BASIS, ZERO, ZERO
    start = end = 0
    first_char = 0

    while True:
        at_end = i >= last
        n_parts = 1
        first_part = 0
        code_point = 0
        lead = 0
        own = ZERO
        spells_itself = False
        if not at_end:
            lead = data[i]
            if lead < 0x80:
                code_point, size = int(lead), 1
            elif lead < 0xE0:
                code_point, size = (lead & 31) << 6 | data[i + 1] & 63, 2
            elif lead < 0xF0:
                code_point = (lead & 15) << 12 | (data[i + 1] & 63) << 6 | data[i + 2] & 63
                size = 3
            else:
                code_point = (
                    (lead & 7) << 18
                    | (data[i + 1] & 63) << 12
                    | (data[i + 2] & 63) << 6
                    | data[i + 3] & 63
                )
                size = 4
            i += size
            entry = np.int64(entries[np.int64(page_of[code_point >> 8]) << 8 | code_point & 255])
            n_parts, first_part = entry & 255, entry >> 8
            spells_itself = n_parts == SELF_SPELLED
            if spells_itself:
                n_parts = 1
                own = U64(code_point) | U64(first_part) << U64(21)

        for k in range(n_parts):
            if at_end:
                part = ZERO  # a separator closes what is open
            elif spells_itself:
                part = own
            else:
                part = parts[first_part + k]
            char = np.int64(part & U64(0x1FFFFF))
            kind = np.int64(part >> U64(21) & U64(7))
            order = np.int64(part >> U64(24) & U64(255))

            if kind == IGNORED:  # before the marks are put in order: it is as if it were not there
                continue
            if order and n_marks < MOST_MARKS:  # marks wait until their run is complete
                at = n_marks
                while at and (marks[at - 1, 0] >> 24 & 255) > order:
                    marks[at, 0], marks[at, 1] = marks[at - 1, 0], marks[at - 1, 1]
                    at -= 1
                marks[at, 0], marks[at, 1] = np.int64(part), place
                n_marks += 1
                if n_marks < MOST_MARKS:
                    continue
            for m in range(n_marks):
                if in_word:
                    mark = marks[m, 0] & 0x1FFFFF
                    iota = mark == IOTA_MARK
                    if iota and not forked:
                        fh, fchunk, fshift, forked = h, chunk, shift, True
                    if forked:
                        fh, fchunk, fshift = _push(fh, fchunk, fshift, LATIN_I if iota else mark)
                    h, chunk, shift = _push(h, chunk, shift, IOTA if iota else mark)
                    if spells:
                        letters[spelled] = IOTA if iota else mark
                        folded[spelled] = LATIN_I if iota else mark
                        spelled += 1
                    start, end = min(start, marks[m, 1]), max(end, marks[m, 1] + 1)
            n_marks = 0
            if order:
                continue
            if kind == MARK:
                if in_word:
                    h, chunk, shift = _push(h, chunk, shift, char)
                    if forked:
                        fh, fchunk, fshift = _push(fh, fchunk, fshift, char)
                    if spells:
                        letters[spelled] = folded[spelled] = char
                        spelled += 1
                    end = place + 1
                continue

            if in_word and (kind != WORD or single):  # close the word
                digit = ONE if 48 <= first_char <= 57 else ZERO
                if forked and (latin or (strong and only_strong)):
                    hashes[n] = _finish(fh, fchunk, digit)
                else:
                    hashes[n] = _finish(h, chunk, digit)
                if not to_gap:
                    starts[n], ends[n] = start, end
                if spells:
                    first_letter = letter_ends[n - 1] + 1 if n else 0
                    if forked and (latin or (strong and only_strong)):
                        letters[first_letter:spelled] = folded[first_letter:spelled]
                    letter_ends[n] = spelled
                    letters[spelled] = SPACE
                    spelled += 1
                n += 1
                in_word = False
            if kind == SEPARATOR:
                continue
            if not in_word:
                in_word, single = True, kind == SINGLE
                latin = strong = forked = False
                only_strong = True
                h, chunk, shift = BASIS, ZERO, ZERO
                start, first_char = place, char
            look_alike = np.int64(part >> SHIFT_32 & U64(255))
            is_strong = np.int64(part >> U64(40)) != 0
            latin |= 97 <= char <= 122
            strong |= is_strong
            only_strong &= is_strong or 48 <= char <= 57
            if look_alike and not forked:
                fh, fchunk, fshift, forked = h, chunk, shift, True
            if forked:
                fh, fchunk, fshift = _push(fh, fchunk, fshift, look_alike if look_alike else char)
            h, chunk, shift = _push(h, chunk, shift, char)
            if spells:
                letters[spelled], folded[spelled] = char, look_alike if look_alike else char
                spelled += 1
            end = place + 1

        if at_end:
            return i, n, place
        place += 1
        if to_gap and lead < 0x80 and not in_word and n_marks == 0:
            return i, n, place
