"""Blocks of whole lines out of a stream of bytes, with exact line numbers and bounded memory.

A block grows beyond its size only for a line that is longer; a line beyond the limit is never
held: it is dropped while it streams by.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from corpora.problems import Problem, ReadLog, said
from corpora.shards import Shard
from corpora.streams import READ_ERRORS, may_pass, read_pieces

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, each ended by a line feed; `first_row` counts lines from 0, blank ones too."""

    data: bytes
    first_row: int
    n_lines: int


def read_blocks(
    shard: Shard, log: ReadLog, block_bytes: int, max_line_bytes: int
) -> Iterator[Block]:
    """The lines of a shard in blocks of about `block_bytes`.

    A last line without line feed gets one, unless the file is damaged: then what stands after the
    last line feed is cut off and left out. Damage and lines beyond `max_line_bytes` (checked for
    lines longer than a block) are problems in the log.
    """
    held = _Held(shard.path, block_bytes, max_line_bytes)
    try:
        for piece in read_pieces(shard.path, shard.compression):
            yield from held.push(piece, log)
    except READ_ERRORS as error:
        yield from held.whole_lines()
        log.add(_damage(shard.path, held.next_row, error))
        return
    yield from held.push(b"\n", log) if held.is_in_line else ()
    yield from held.whole_lines()


def _damage(path: str, row: int, error: BaseException) -> Problem:
    reason = f"cannot be read to its end: {said(error)}, from row {row} on"
    mend = "check your access to it, or fetch or write it again"
    return Problem(path, None, reason, mend, may_pass(error))


@dataclass(slots=True)
class _Held:
    """The bytes since the last block. `has_line` says whether a line feed is among them."""

    path: str
    block_bytes: int
    max_line_bytes: int
    pieces: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    has_line: bool = False
    is_skipping: bool = False  # inside a line beyond the limit
    is_start: bool = True  # no byte of the file seen yet
    next_row: int = 0

    @property
    def is_in_line(self) -> bool:
        """Whether the last byte seen was not a line feed."""
        return self.is_skipping or (bool(self.pieces) and not self.pieces[-1].endswith(b"\n"))

    def push(self, piece: bytes, log: ReadLog) -> Iterator[Block]:
        if self.is_start and piece:
            piece, self.is_start = piece.removeprefix(_BOM), False
        if self.is_skipping:
            piece = self._after_skipped(piece, log)
        if not piece:
            return
        self.pieces.append(piece)
        self.size_bytes += len(piece)
        self.has_line = self.has_line or b"\n" in piece
        if self.has_line and self.size_bytes >= self.block_bytes:
            yield from self.whole_lines()
        if not self.has_line and self.size_bytes > self.max_line_bytes:
            self.is_skipping = True
            self._hold(b"")

    def whole_lines(self) -> Iterator[Block]:
        """Hand out all whole lines as one block and hold what follows them."""
        if not self.has_line:
            return
        data = b"".join(self.pieces)
        end = data.rfind(b"\n") + 1
        n_lines = data.count(b"\n")
        block = Block(data[:end] if end < len(data) else data, self.next_row, n_lines)
        self._hold(data[end:])
        self.next_row += n_lines
        del data  # up to a block that nobody needs while the caller works on its own
        yield block

    def _hold(self, rest: bytes) -> None:
        self.pieces = [rest] if rest else []
        self.size_bytes = len(rest)
        self.has_line = False

    def _after_skipped(self, piece: bytes, log: ReadLog) -> bytes:
        """What follows the end of the line that is skipped, if it is in this piece."""
        _, newline, rest = piece.partition(b"\n")
        if newline:
            reason = f"line too long: more than {self.max_line_bytes} bytes"
            mend = "split the document or raise max_document_bytes"
            log.add(Problem(self.path, self.next_row, reason, mend))
            self.next_row += 1
            self.is_skipping = False
        return rest
