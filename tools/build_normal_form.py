"""Builds corpora/data/normal_form.npz, the character table of the normal form.

Run it with the oldest supported Python (its Unicode version is the one the table freezes):

    python3.11 tools/build_normal_form.py

Normalization and case folding of an assigned character never change between Unicode versions
(Unicode stability policy), so a table made with Unicode 14 agrees with newer Pythons on every
character that Unicode 14 knows; later characters count as separators.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import numpy as np

from corpora.reference_form import CharacterClass, character_class, spell

TARGET = Path(__file__).parents[1] / "corpora" / "data" / "normal_form.npz"
PAGE = 256
ITSELF = (1 << 21) - 1
SELF_SPELLED = 255  # in place of the length: the spelling is the character itself


def main() -> None:
    """Write the table and say how large it is."""
    pages: dict[bytes, int] = {}
    page_of = np.zeros(0x110000 // PAGE, np.uint16)
    entries: list[np.ndarray] = []
    parts: list[int] = []
    spelled: dict[tuple[int, ...], int] = {}
    for page in range(len(page_of)):
        row = np.zeros(PAGE, np.uint32)
        for low in range(PAGE):
            codes = tuple(part_codes(page * PAGE + low))
            if len(codes) == 1 and codes[0] & ITSELF == page * PAGE + low and codes[0] < 1 << 32:
                row[low] = codes[0] >> 21 << 8 | SELF_SPELLED
                continue
            if codes not in spelled:
                spelled[codes] = len(parts)
                parts.extend(codes)
            row[low] = spelled[codes] << 8 | len(codes)
        key = row.tobytes()
        if key not in pages:
            pages[key] = len(entries)
            entries.append(row)
        page_of[page] = pages[key]
    np.savez_compressed(
        TARGET,
        page_of=page_of,
        entries=np.concatenate(entries),
        parts=np.array(parts, np.uint64),
        unicode_version=np.array(unicodedata.unidata_version),
    )
    print(
        f"{TARGET.name}: {len(entries)} pages, {len(parts)} parts, {TARGET.stat().st_size} bytes, "
        f"Unicode {unicodedata.unidata_version}"
    )


def part_codes(code_point: int) -> list[int]:
    """Pack what one character is spelled as: one uint64 per character of its spelling.

    Bits 0-20 the character, 21-23 its class, 24-31 its canonical combining class, 32-39 the Latin
    letter it looks like (0: none), 40 whether that holds in a word without Latin letters too.
    """
    if 0xD800 <= code_point <= 0xDFFF:  # never in valid UTF-8
        return []
    packed = []
    for char, latin, strong in spell(chr(code_point)):
        kind = character_class(char)
        if kind is CharacterClass.IGNORED and unicodedata.combining(char):
            sys.exit(f"{char!r}: an ignored character must not reorder")
        packed.append(
            ord(char)
            | kind << 21
            | unicodedata.combining(char) << 24
            | (ord(latin) if latin else 0) << 32
            | int(strong) << 40
        )
    return packed


if __name__ == "__main__":
    main()
