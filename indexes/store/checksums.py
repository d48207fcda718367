"""Two checksums of a stored file: SHA-256 for proof, and a quick one that every use can afford.

The quick one is SHA-256 over two words per block of 4 KiB, the sum and the exclusive or of its 64-bit
words. Any flipped bit changes the exclusive or of its block; a lost, zeroed or misplaced disk page is
a block or several. It runs at the speed of memory, several times that of SHA-256 over the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from indexes.blocks import fold_blocks

BLOCK_BYTES: Final = 4 << 10
PIECE_BYTES: Final = 1 << 20  # what stays in the processor's cache between the two passes
_WORDS: Final = BLOCK_BYTES // 8


class QuickChecksum:
    """The quick checksum of bytes that come in pieces; all but the last are whole blocks."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._bytes = 0

    def update(self, piece: Any) -> None:
        """Add a piece (any buffer)."""
        data = np.frombuffer(piece, np.uint8)
        assert self._bytes % BLOCK_BYTES == 0, "a piece follows a torn block"
        self._bytes += len(data)
        torn = len(data) % BLOCK_BYTES
        folded = _folded(data[: len(data) - torn])
        if torn:
            block = np.zeros(BLOCK_BYTES, np.uint8)
            block[:torn] = data[len(data) - torn :]
            folded = np.concatenate([folded, _folded(block)], axis=1)
        self._hash.update(folded.tobytes())

    def hexdigest(self) -> str:
        """Return the checksum: 32 hexadecimal digits; the length is part of it."""
        whole = self._hash.copy()
        whole.update(self._bytes.to_bytes(8, "little"))
        return whole.hexdigest()[:32]


def _folded(blocks: np.ndarray) -> np.ndarray:
    blocks.flags.writeable = False  # as most buffers are: one compiled kernel for all
    return fold_blocks(blocks.view("<u8").reshape(-1, _WORDS))


def quick_checksum(data: Any) -> str:
    """Return the quick checksum of a buffer in memory or mapped."""
    checksum = QuickChecksum()
    view = memoryview(data).cast("B") if len(memoryview(data)) else memoryview(b"")
    for first in range(0, len(view), PIECE_BYTES):
        checksum.update(view[first : first + PIECE_BYTES])
    return checksum.hexdigest()


def both_checksums(pieces: Iterable[bytes]) -> tuple[int, str, str]:
    """Return length, SHA-256 and quick checksum of pieces of `PIECE_BYTES`, read once."""
    length, proof, quick = 0, hashlib.sha256(), QuickChecksum()
    for piece in pieces:
        length += len(piece)
        proof.update(piece)
        quick.update(piece)
    return length, proof.hexdigest(), quick.hexdigest()
