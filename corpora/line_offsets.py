"""One pass over a file: its SHA-256, and for plain JSON lines a sparse index of where lines begin.

Hashing decides the pace; line feeds are counted a stretch at a time by NumPy, at several GB/s.
The index lets `corpora.rows` fetch a line by its row with one short read.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from corpora.formats import Compression, Format
from corpora.places import is_url, open_input

STRETCH_BYTES = 64 << 10  # between entries: 16 bytes of index for it, and a row reads at most two
BLOCK_BYTES = 256 << 10  # stays in the processor's cache from the hash to the count
URL_BLOCK_BYTES = 8 << 20  # one request each
LINE_FEED = 0x0A


@dataclass(frozen=True, slots=True)
class LineOffsets:
    """Where some of a file's lines begin: line `rows[i]` at byte `starts[i]`.

    Both int64 (n + 1,), strictly rising, the first entry (0, 0); the last entry is no line but the
    number of lines and the bytes of the file. From one entry to the next it is one line or less
    than 2 * STRETCH_BYTES.
    """

    rows: np.ndarray
    starts: np.ndarray

    @property
    def n_lines(self) -> int:
        """Lines in the file, blank ones too; a last one without line feed counts."""
        return int(self.rows[-1])

    @property
    def size_bytes(self) -> int:
        """Bytes of the file when it was scanned."""
        return int(self.starts[-1])


@dataclass(frozen=True, slots=True)
class FileScan:
    """What one pass tells: SHA-256 as hex and bytes as stored; offsets for plain JSON lines only."""

    digest: str
    size_bytes: int
    offsets: LineOffsets | None


def scan_file(path: str, compression: Compression, format_: Format) -> FileScan:
    """Read a file once, as stored. Raises READ_ERRORS when it cannot be read to its end."""
    is_lines = format_ is Format.JSONL and compression is Compression.NONE
    block_bytes = URL_BLOCK_BYTES if is_url(path) else BLOCK_BYTES
    digest, size_bytes, lines = hashlib.sha256(), 0, _LineCounter()
    with open_input(path) as file:
        while block := file.read(block_bytes):
            digest.update(block)
            size_bytes += len(block)
            if is_lines:
                lines.push(block)
    return FileScan(digest.hexdigest(), size_bytes, lines.offsets() if is_lines else None)


@dataclass(slots=True)
class _LineCounter:
    """The lines of the blocks pushed so far; `line_start` is where the last one begins."""

    rows: list[int] = field(default_factory=lambda: [0])
    starts: list[int] = field(default_factory=lambda: [0])
    n_feeds: int = 0
    size_bytes: int = 0
    line_start: int = 0

    def push(self, block: bytes) -> None:
        values = np.frombuffer(block, np.uint8)
        for start in range(0, len(block), STRETCH_BYTES):
            stop = start + STRETCH_BYTES
            feed = block.find(b"\n", start, stop)
            if feed < 0:  # within a long line: an entry of its own keeps other stretches short
                self._note(self.n_feeds, self.line_start)
                continue
            self._note(self.n_feeds + 1, self.size_bytes + feed + 1)
            self.n_feeds += int(np.count_nonzero(values[start:stop] == LINE_FEED))
            self.line_start = self.size_bytes + block.rfind(b"\n", start, stop) + 1
        self.size_bytes += len(block)

    def _note(self, row: int, start: int) -> None:
        if start > self.starts[-1]:
            self.rows.append(row)
            self.starts.append(start)

    def offsets(self) -> LineOffsets:
        self._note(self.n_feeds + (self.line_start < self.size_bytes), self.size_bytes)
        return LineOffsets(np.array(self.rows, np.int64), np.array(self.starts, np.int64))
