"""Builds corpora/data/character_kinds.npz, the table of `corpora.character_kinds`.

Run it with the oldest supported Python (its Unicode version is the one the table freezes):

    python3.11 tools/build_character_kinds.py

Kinds are general categories, told in words. The script of a letter is taken from its Unicode name
("CYRILLIC SMALL LETTER A"), because Python's standard library does not know the property Script. For
the scripts in SCRIPTS the two agree on all but a few letters (`--compare` counts them, where the package
`regex` is installed); letters of other scripts are `letter:other`, and letters whose names tell no
script, such as mathematical ones, are `letter:common`.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "corpora" / "data" / "character_kinds.npz"
PAGE = 256
LETTER = "letter:"

# The scripts of today's written languages; the first words of their letters' names, in capitals.
SCRIPTS = (
    "Adlam", "Arabic", "Armenian", "Balinese", "Bengali", "Bopomofo", "Canadian", "Cherokee",
    "Coptic", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek", "Gujarati", "Gurmukhi",
    "Han", "Hangul", "Hebrew", "Hiragana", "Javanese", "Kannada", "Katakana", "Khmer", "Lao",
    "Latin", "Limbu", "Malayalam", "Meetei", "Mongolian", "Myanmar", "Nko", "Oriya", "Runic",
    "Sinhala", "Sundanese", "Syriac", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan", "Tifinagh",
    "Yi",
)  # fmt: skip
UNICODE_NAMES = {"Canadian": "Canadian_Aboriginal", "Meetei": "Meetei_Mayek"}
BY_FIRST_WORD = {script.upper(): script for script in SCRIPTS} | {"CJK": "Han", "KANGXI": "Han"}
WIDTHS = ("FULLWIDTH ", "HALFWIDTH ")
# Names that tell no script: letters used by several, or signs that are letters by category only.
COMMON = (
    "MODIFIER", "MATHEMATICAL", "DOUBLE-STRUCK", "SCRIPT", "BLACK-LETTER", "PLANCK", "TURNED", "EULER",
    "INFORMATION", "MICRO", "OHM", "CARON", "VERTICAL", "MASU", "ALEF", "BET", "GIMEL", "DALET", "ROMAN",
)  # fmt: skip
LATIN = ("KELVIN", "ANGSTROM", "FEMININE", "MASCULINE", "SUPERSCRIPT")
LINE_BREAKS = "\n\r\x85\u2028\u2029"
BY_CATEGORY = {"N": "digit", "P": "punctuation", "S": "symbol", "M": "mark", "Z": "space", "C": "control"}  # fmt: skip
KINDS = (
    "lower", "upper", "digit", "space", "line break", "punctuation", "symbol", "mark", "control",
    *(LETTER + script for script in SCRIPTS), LETTER + "common", LETTER + "other",
)  # fmt: skip


def main() -> None:
    """Write the table and say how large it is."""
    number = {kind: at for at, kind in enumerate(KINDS)}
    kinds = np.array([number[kind_of(chr(code))] for code in range(0x110000)], np.uint8)
    pages, page_of = np.unique(kinds.reshape(-1, PAGE), axis=0, return_inverse=True)
    np.savez_compressed(
        TARGET,
        page_of=page_of.ravel().astype(np.uint16),
        kinds=pages.ravel(),
        names=np.array(KINDS),
        unicode_version=np.array(unicodedata.unidata_version),
    )
    print(
        f"{TARGET.name}: {len(KINDS)} kinds, {len(pages)} pages, {TARGET.stat().st_size} bytes, "
        f"Unicode {unicodedata.unidata_version}"
    )
    if "--compare" in sys.argv:
        compare()


def kind_of(char: str) -> str:
    """Return the kind of a character."""
    category = unicodedata.category(char)
    if char in LINE_BREAKS:
        return "line break"
    if char == "\t":
        return "space"
    if category[0] != "L":
        return BY_CATEGORY[category[0]]
    script = script_of(char)
    if script == "Latin" and category in ("Ll", "Lu", "Lt"):
        return "lower" if category == "Ll" else "upper"
    return LETTER + script


def script_of(letter: str) -> str:
    """Return the script of a letter by its name; "common" or "other" where it is none of ours."""
    name = unicodedata.name(letter, "")
    for width in WIDTHS:
        name = name.removeprefix(width)
    first = name.split(" ")[0]
    if first in LATIN:
        return "Latin"
    if first in COMMON:
        return "common"
    return BY_FIRST_WORD.get(first.split("-")[0], "other")


def compare() -> None:
    """Count the letters whose property Script differs from what their name says."""
    import regex

    for script in SCRIPTS:
        has = regex.compile(rf"\p{{Script={UNICODE_NAMES.get(script, script)}}}")
        letters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c))[0] == "L"]
        ours = {char for char in letters if script_of(char) == script}
        theirs = {char for char in letters if has.match(char)}
        if ours != theirs:
            few = [f"U+{ord(char):04X}" for char in sorted(ours ^ theirs)[:8]]
            print(f"{script}: {len(ours)} letters, {len(ours ^ theirs)} differ: {' '.join(few)}")


if __name__ == "__main__":
    main()
