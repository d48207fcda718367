"""Which documents are surely in Unicode's composed form (NFC), and the form of the others.

A tokenizer that composes its text first leaves nearly every document as it is. The quick check of
Unicode Standard Annex #15 tells so from a table: no character that may compose or decompose, and
marks in canonical order. All versions of Unicode compose the characters of version 3.2 alike, by its
stability policy; of later ones that take part in composing the library is asked, which may know another
version than Python, and a document with one that they disagree about is left to it.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any, Final

import numpy as np

from corpora.character_classes import ASKED, N_PAGES, PAGE, Symbols, as_pages
from corpora.kernels import kernel
from corpora.peek import address_of, peek_8, peek_16, peek_64, read_only
from corpora.split_automaton import decode

U64 = np.uint64
UNSURE: Final = 255  # instead of a combining class
UNSURE_CLASS, EIGHT, ZERO = U64(UNSURE), U64(8), U64(0)
HIGH_BITS: Final = U64(0x8080808080808080)
VOWELS_AND_FINALS: Final = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))  # Hangul that composes


def surely_composed(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Tell for each document of UTF-8 text whether the quick check says that it is composed."""
    sure = np.empty(len(bounds) - 1, bool)
    _check(read_only(data), read_only(bounds), *_classes(), sure)
    return sure


def compose(text: str) -> str | None:
    """Return the composed form, or None where versions of Unicode may differ about it."""
    if any(map(_is_disputed, set(text))):
        return None
    return unicodedata.normalize("NFC", text)


@cache
def _is_disputed(character: str) -> bool:
    """Tell whether Python and the library differ about how a character composes."""
    if unicodedata.category(character) != "Cn":
        is_new = unicodedata.ucd_3_2_0.category(character) == "Cn"
        if not is_new or not (_decomposes(character) or unicodedata.combining(character)):
            return False
    from tokenizers.normalizers import NFC

    probe = "".join(f"a{character}{mark}b{mark}{character}" for mark in _marks())
    return NFC().normalize_str(probe) != unicodedata.normalize("NFC", probe)


@cache
def _marks() -> tuple[str, ...]:
    """Return a mark of each combining class, and the empty text."""
    points = range(0x300, 0x1100)
    by_class = {unicodedata.ucd_3_2_0.combining(chr(point)): chr(point) for point in points}
    return ("", *(mark for order, mark in by_class.items() if order))


@cache
def _classes() -> Symbols:
    """Return for each character its combining class, UNSURE where the quick check says no or maybe."""
    text = [chr(point) for part in ASKED for point in part]
    classes = np.array([unicodedata.combining(character) for character in text], np.uint8)
    classes[[unicodedata.category(character) == "Cn" for character in text]] = UNSURE
    place = {character: at for at, character in enumerate(text)}
    unsure = [chr(point) for point in VOWELS_AND_FINALS]
    for character in filter(_decomposes, text):
        if not unicodedata.is_normalized("NFC", character):
            unsure.append(character)
        unsure += [chr(int(part, 16)) for part in unicodedata.decomposition(character).split()[1:]]
    unsure += [text[at] for at in np.flatnonzero(classes) if _is_disputed(text[at])]
    classes[[place[character] for character in unsure]] = UNSURE
    dense = np.full(N_PAGES * PAGE, UNSURE, np.uint8)
    dense[[ord(character) for character in text]] = classes
    return as_pages(dense)


def _decomposes(character: str) -> bool:
    """Tell whether a character stands for others in all but look ("canonically")."""
    parts = unicodedata.decomposition(character)
    return bool(parts) and not parts.startswith("<")


@kernel
def _check(data: Any, bounds: Any, page_of: Any, classes: Any, sure: Any) -> None:
    text, page_of_at, classes_at = address_of(data), address_of(page_of), address_of(classes)
    for document in range(len(bounds) - 1):
        at, last = U64(bounds[document]), U64(bounds[document + 1])
        before = ZERO  # the class of the character before
        sure[document] = True
        while at < last:
            if at + EIGHT <= last and peek_64(text + at, ZERO) & HIGH_BITS == ZERO:
                before = ZERO
                at += EIGHT
                continue
            lead = peek_8(text, at)
            if lead < U64(0x80):
                before = ZERO
                at += U64(1)
                continue
            code, size = decode(text, at, lead)
            page = peek_16(page_of_at, code >> EIGHT)
            own = peek_8(classes_at, page << EIGHT | code & U64(255))
            if own == UNSURE_CLASS or (own != ZERO and own < before):
                sure[document] = False
                break
            before = own
            at += size
