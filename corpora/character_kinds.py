"""Characters by kind, and the script that a document is written in.

Kinds are Unicode's general categories in words, except that letters are told by script: `lower` and
`upper` are Latin letters, `letter:Han` and `letter:Cyrillic` have no case told. `KIND_NAMES` lists them;
the table ships with the package (`tools/build_character_kinds.py` builds it, and says where the scripts
come from) and is frozen at Unicode 14, so what counts as what does not depend on the Python. Characters
that Unicode 14 does not know, private and format characters are `control`.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.intrinsics import load_8_bytes
from corpora.kernels import inline_kernel, kernel

U64 = np.uint64
HIGH: Final = U64(0x8080808080808080)
BYTE, BYTE_BITS = U64(255), U64(8)
LETTER: Final = "letter:"
LATIN_CASES: Final = ("lower", "upper")
NO_SCRIPT: Final = "none"


class Table(NamedTuple):
    """`kinds[page_of[c >> 8] << 8 | c & 255]` is the kind of character `c`."""

    page_of: np.ndarray  # uint16 (4352,)
    kinds: np.ndarray  # uint8
    script_of: np.ndarray  # int64 (kinds,), number of the script of the letters of a kind, or -1


class Kinds(NamedTuple):
    """The table, and what its numbers mean."""

    table: Table
    names: tuple[str, ...]
    scripts: tuple[str, ...]  # "none" last


@cache
def character_kinds() -> Kinds:
    """Load the table that ships with the package."""
    with files("corpora").joinpath("data/character_kinds.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        names = tuple(arrays["names"].tolist())
        page_of, kinds = arrays["page_of"], arrays["kinds"]
    scripts = tuple(sorted({script for name in names if (script := script_name(name))}))
    numbers = {script: number for number, script in enumerate(scripts)}
    script_of = np.array([numbers.get(script_name(name), -1) for name in names], np.int64)
    return Kinds(Table(page_of, kinds, script_of), names, (*scripts, NO_SCRIPT))


@cache
def kinds_fingerprint() -> str:
    """Return the name of this table: equal names mean equal kinds."""
    kinds = character_kinds()
    digest = hashlib.sha256("\n".join(kinds.names).encode())
    digest.update(kinds.table.page_of.tobytes() + kinds.table.kinds.tobytes())
    return f"kinds-{digest.hexdigest()[:12]}"


def script_name(kind: str) -> str:
    """Return the script of the letters of a kind; empty where it is no letter's."""
    return "Latin" if kind in LATIN_CASES else kind.partition(LETTER)[2]


def count_kinds(
    data: np.ndarray, bounds: np.ndarray, rows: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Add the characters of documents to `counts`, and return the script of each document.

    Document d is `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8; bounds int64 (n + 1,)); its
    characters go to row `rows[d]` (int64) of `counts`, int64 (rows, kinds). The script, int64 (n,), is
    that of most letters, the first of equals in the order of `Kinds.scripts`; "none" without letters.
    """
    kinds = character_kinds()
    scripts = np.empty(len(rows), np.int64)
    _count_kinds(data, bounds, rows, *kinds.table, len(kinds.scripts), counts, scripts)
    return scripts


@kernel
def _count_kinds(
    data: Any, bounds: Any, rows: Any, page_of: Any, kinds: Any, script_of: Any, n_scripts: int,
    counts: Any, scripts: Any,
) -> None:  # fmt: skip
    # Four tables in turn, so that equal bytes in a row do not wait for each other.
    ascii_bytes = np.zeros((4, 128), np.int64)
    here = np.zeros(len(script_of), np.int64)
    letters = np.zeros(n_scripts, np.int64)
    for document in range(len(bounds) - 1):
        _count_document(
            data, bounds[document], bounds[document + 1], page_of, kinds, ascii_bytes, here
        )
        for byte in range(128):
            n = (
                ascii_bytes[0, byte]
                + ascii_bytes[1, byte]
                + ascii_bytes[2, byte]
                + ascii_bytes[3, byte]
            )
            here[kinds[np.int64(page_of[0]) << 8 | byte]] += n
        ascii_bytes[:] = 0
        letters[:] = 0
        for kind in range(len(here)):
            counts[rows[document], kind] += here[kind]
            if script_of[kind] >= 0:
                letters[script_of[kind]] += here[kind]
        here[:] = 0
        best = n_scripts - 1  # none
        for script in range(n_scripts - 1):
            if letters[script] > letters[best]:
                best = script
        scripts[document] = best


@kernel
def _count_document(
    data: Any, first: int, last: int, page_of: Any, kinds: Any, ascii_bytes: Any, here: Any
) -> None:  # fmt: skip
    """Count ASCII by byte, eight at a time where it is all ASCII, and other characters by kind."""
    i = first
    while i < last:
        if i + 8 <= last:
            x = load_8_bytes(data, i)
            if not x & HIGH:
                for k in range(8):
                    ascii_bytes[k & 3, x & BYTE] += 1
                    x >>= BYTE_BITS
                i += 8
                continue
        lead = np.int64(data[i])
        if lead < 0x80:
            ascii_bytes[0, lead] += 1
            i += 1
            continue
        code, size = _decode(data, i, lead)
        here[kinds[np.int64(page_of[code >> 8]) << 8 | code & 255]] += 1
        i += size


@inline_kernel
def _decode(data: Any, i: int, lead: int) -> tuple[int, int]:
    """Return the character that begins at byte `i` and is not ASCII, and its bytes."""
    if lead < 0xE0:
        return (lead & 31) << 6 | np.int64(data[i + 1]) & 63, 2
    code = np.int64(data[i + 1]) & 63
    if lead < 0xF0:
        return (lead & 15) << 12 | code << 6 | np.int64(data[i + 2]) & 63, 3
    code = code << 12 | (np.int64(data[i + 2]) & 63) << 6 | np.int64(data[i + 3]) & 63
    return (lead & 7) << 18 | code, 4
