"""What each token of code tells: its information behind the token before, by ordinary code.

`for NAME IN range` stands everywhere and tells hardly anything; a bitwise operator does. The table comes
with the package, counted by `tools/build_code_table.py` over packages in several languages.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from scanners import code_words

DATA: Final = Path(__file__).with_name("data") / "code_bits.npz"
STEPS_PER_BIT: Final = 16


class CodeTableError(ValueError):
    """The table belongs to another vocabulary; `path` is the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path}: it was counted with another vocabulary; rebuild it with: "
            "python tools/build_code_table.py --debs FOLDER"
        )
        self.path = path


def vocabulary() -> int:
    """Return a checksum of the words and tokens that a table belongs to."""
    known = code_words.code_words()
    columns = (known.hash, known.always, known.called, known.imports)
    return zlib.crc32(b"".join(column.tobytes() for column in columns))


@cache
def load_code_bits(path: Path = DATA) -> np.ndarray:
    """Return the bits of a token (column) behind another one (row): float32 (tokens, tokens).

    Raises `CodeTableError` where the table belongs to another vocabulary, `OSError` where it cannot be read.
    """
    with np.load(path) as table:
        if int(table["vocabulary"]) != vocabulary():
            raise CodeTableError(path)
        bits: np.ndarray = table["bits"].astype(np.float32) / STEPS_PER_BIT
    return bits
