"""The normal form in plain Python: its definition, and the oracle of the fast kernel.

A text becomes a sequence of words. Two texts share a word when the characters of the word are equal
after Unicode NFKC and case folding; this module spells characters with their full decomposition
(NFKD), which tells exactly the same texts apart because composition is reversible.

1. Every character is spelled out: NFKD, case folding, NFKD again.
2. Format characters (zero-width, bidirectional, soft hyphen, variation selectors) are removed; then
   marks take canonical order.
3. Letters, numbers and the marks that follow them make words; everything else separates.
4. A character of a script written without spaces (Han, kana, Thai, Lao, Khmer, ...) is a word of its
   own, with the marks that follow it.
5. Letters that look like Latin ones become Latin in a word that has Latin letters, and in a word
   that consists of such letters only.

`corpora.normal_form` does the same at the speed of the disk, from the table that
`tools/build_normal_form.py` makes out of the functions here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

IOTA: Final = "\u0345"  # COMBINING GREEK YPOGEGRAMMENI: a mark that folds to a letter


class CharacterClass(IntEnum):
    """What a spelled character does to the word in progress."""

    SEPARATOR = 0  # ends it
    WORD = 1  # continues it
    IGNORED = 2  # is dropped, the word goes on
    SINGLE = 3  # ends it and is a word of its own
    MARK = 4  # joins the word before it; dropped where there is none


# Scripts written without spaces between words, by the first words of the character names.
UNSPACED: Final = (
    "CJK ", "HIRAGANA ", "KATAKANA", "BOPOMOFO ", "THAI ", "LAO ", "KHMER ", "MYANMAR ", "TIBETAN ",
    "TAI LE ", "NEW TAI LUE ", "TAI THAM ", "TAI VIET ", "YI ", "NUSHU ", "TANGUT ", "KHITAN ",
    "JAVANESE ", "BALINESE ", "IDEOGRAPHIC ", "VERTICAL IDEOGRAPHIC ", "HENTAIGANA ",
)  # fmt: skip

# Default-ignorable characters that are not of category Cf (Unicode DerivedCoreProperties.txt).
IGNORED_RANGES: Final = (
    range(0x034F, 0x0350), range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810),
    range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFFA0, 0xFFA1), range(0xE0100, 0xE01F0),
)  # fmt: skip

# Letters that look like a Latin letter in both cases: they fold in any word of such letters.
CYRILLIC_PAIRS: Final = dict(zip("аеорсухіјѕһԁԛԝѵү", "aeopcyxijshdqwvy", strict=True))
# Upper-case letters whose lower case looks like no Latin letter: they fold beside Latin letters only.
CAPITALS: Final = dict(zip("ВКМНТЗΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "bkmht3abezhikmnoptyxc", strict=True))
# Lower-case letters of other alphabets and phonetic letters: they fold beside Latin letters only.
LOWER: Final = dict(zip("αονρτυικχγεηѡкмтɑɡıɩʏոսօհցɴʀᴀᴄᴇᴏᴜᴠᴡᴢ", "aovptuikxyenwkmtagiiynuohgnraceouvwz", strict=True))  # fmt: skip

# Cherokee letters, whose case folding is upper case: they fold beside Latin letters only.
CHEROKEE: Final = dict(zip("ᎪᏴᏟᎠᎬᎻᎥᎫᏦᏞᎷᏢᎡᏚᎢᏙᎳᏃ", "abcdehijklmprstvwz", strict=True))


class Spelled(NamedTuple):
    """One character of the spelling of a raw character."""

    char: str
    latin: str  # the Latin letter that it looks like, or ""
    strong: bool  # it looks so in both cases


def reference_words(text: str) -> list[tuple[str, int, int]]:
    """Return the words of the normal form with their place in the text.

    Each is (word, start, end), offsets in characters of the raw text, in order. Slow and plain: the
    kernel in `corpora.normal_form` is tested against it on random Unicode.
    """
    words: list[list[tuple[int, Spelled]]] = []
    open_word = False
    for place, part in _spelled_in_order(text):
        kind = character_class(part.char)
        if kind is CharacterClass.SEPARATOR:
            open_word = False
        elif kind is CharacterClass.MARK:
            if open_word:
                words[-1].append((place, part))
        elif kind is CharacterClass.WORD and open_word and not _is_single(words[-1]):
            words[-1].append((place, part))
        else:
            words.append([(place, part)])
            open_word = True
    return [
        (_fold_look_alikes(word), min(p for p, _ in word), max(p for p, _ in word) + 1)
        for word in words
    ]


@lru_cache(maxsize=1 << 14)  # proofs spell texts by the thousand words
def spell(raw: str) -> tuple[Spelled, ...]:
    """Return the spelling of one raw character: decomposed and case-folded.

    U+0345 (combining iota) stays until the marks are in order; it folds last.
    """
    return tuple(
        Spelled(char, *look_alike(part, char))
        for part in unicodedata.normalize("NFKD", raw)
        for char in (part if part == IOTA else unicodedata.normalize("NFKD", part.casefold()))
    )


@lru_cache(maxsize=1 << 14)
def character_class(char: str) -> CharacterClass:
    """Return the class of one spelled character."""
    category = unicodedata.category(char)
    if category == "Cf" or any(ord(char) in ignored for ignored in IGNORED_RANGES):
        return CharacterClass.IGNORED
    if category[0] == "M":
        return CharacterClass.MARK
    if category[0] not in "LN":
        return CharacterClass.SEPARATOR
    if category != "Nd" and unicodedata.name(char, "").startswith(UNSPACED):
        return CharacterClass.SINGLE
    return CharacterClass.WORD


def look_alike(part: str, char: str) -> tuple[str, bool]:
    """Return the Latin letter that `part` looks like ("" for none), and whether in both cases.

    `part` is a decomposed character before case folding, `char` the same after it.
    """
    if strong := CYRILLIC_PAIRS.get(char, ""):
        return strong, True
    return CAPITALS.get(part) or LOWER.get(part) or CHEROKEE.get(char, ""), False


def _spelled_in_order(text: str) -> Iterator[tuple[int, Spelled]]:
    """Spell a text; marks take canonical order (stable by combining class between starters)."""
    marks: list[tuple[int, Spelled]] = []
    for place, raw in enumerate(text):
        for part in spell(raw):
            if character_class(part.char) is CharacterClass.IGNORED:
                continue
            if unicodedata.combining(part.char):
                marks.append((place, part))
                continue
            yield from sorted(marks, key=_combining_class)
            marks = []
            yield place, part
    yield from sorted(marks, key=_combining_class)


def _combining_class(placed: tuple[int, Spelled]) -> int:
    return unicodedata.combining(placed[1].char)


def _is_single(word: list[tuple[int, Spelled]]) -> bool:
    return character_class(word[0][1].char) is CharacterClass.SINGLE


def _fold_look_alikes(word: list[tuple[int, Spelled]]) -> str:
    parts = [part for _, part in word]
    beside_latin = any("a" <= part.char <= "z" for part in parts)
    only_look_alikes = any(part.strong for part in parts) and all(
        part.strong or "0" <= part.char <= "9" or character_class(part.char) is CharacterClass.MARK
        for part in parts
    )
    fold = beside_latin or only_look_alikes
    folded = "".join(part.latin if fold and part.latin else part.char for part in parts)
    return folded.replace(IOTA, LOWER["ι"] if fold else "ι")
