"""Spelling: characters to words, one at a time, by the rules of the normal form.

The way for whatever is not plain ASCII: `corpora.normal_form` takes the fast way around it where it can.
`spell` hashes words and places them; `spell_words` also gives their characters, for scanners that
look inside words.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel

U64 = np.uint64
BASIS: Final = U64(0xCBF29CE484222325)
MULTIPLIER: Final = U64(0x9E3779B97F4A7C15)
FINISHER: Final = U64(0xD6E8FEB86659FD93)
BYTE, BLOCK, SHIFT_32, SHIFT_29 = U64(8), U64(64), U64(32), U64(29)
ONE, ZERO = U64(1), U64(0)

# Classes of spelled characters, as in reference_form.CharacterClass.
SEPARATOR, WORD, IGNORED, SINGLE, MARK = 0, 1, 2, 3, 4
SELF_SPELLED: Final = 255
IOTA_MARK: Final = 0x345
IOTA: Final = 0x3B9
LATIN_I: Final = 0x69
MOST_MARKS: Final = 255  # marks in a row that are put into canonical order together
SPACE: Final = 32  # after each spelled word


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
            i, n, _ = spell(
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
            i, n, _ = spell(
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


@kernel
def spell(
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
                    hashes[n] = finish(fh, fchunk, digit)
                else:
                    hashes[n] = finish(h, chunk, digit)
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


@inline_kernel
def _is_ascii_word(byte: Any) -> bool:
    """Tell whether a byte is an ASCII letter or digit."""
    return 97 <= (byte | 32) <= 122 or 48 <= byte <= 57


@inline_kernel
def mix(h: Any, chunk: Any) -> Any:
    """Take eight bytes into a word's hash."""
    h = (h ^ chunk) * MULTIPLIER
    return h ^ h >> SHIFT_32


@inline_kernel
def finish(h: Any, chunk: Any, digit: Any) -> Any:
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
            h, chunk, shift = mix(h, chunk), ZERO, ZERO
    return h, chunk, shift
