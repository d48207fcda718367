"""JSON lines: lines that stay are copied byte for byte, others dropped or changed in their text only.

Lines end at a line feed and nowhere else; rows are counted as the reader counts them, blank lines too.
Memory holds a line only if it has a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from corpora.shards import Shard
from corpora.streams import read_pieces
from corpora.text_paths import text_paths
from pipelines.cleaning.edits import Edits
from pipelines.cleaning.json_line import Path, take_apart
from pipelines.cleaning.packing import Writable

BOM: Final = b"\xef\xbb\xbf"
LINE_FEED: Final = ord("\n")


def write_lines(shard: Shard, edits: Edits, out: Writable) -> bool:
    """Write the lines of a shard as the edits say; tell whether a document is among them."""
    paths = text_paths(shard)
    has_documents = False
    for kept in _kept(shard, edits, paths):
        out.write(kept)
        has_documents = has_documents or bool(kept.removeprefix(BOM).strip())
    return has_documents


def _kept(shard: Shard, edits: Edits, paths: Sequence[Path]) -> Iterator[bytes]:
    """Yield the bytes of the copy in order."""
    affected = edits.affected.tolist()
    unreadable = set(edits.unreadable.tolist())
    row, next_, held = 0, 0, bytearray()
    is_first = True
    for piece in read_pieces(shard.path, shard.compression):
        if is_first and piece:
            is_first = False
            if piece.startswith(BOM):  # it is the file's, not the first line's
                yield BOM
                piece = piece.removeprefix(BOM)
        ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == LINE_FEED) + 1
        first_row, at = row, 0
        row += len(ends)
        while next_ < len(affected) and affected[next_] <= row:
            target = affected[next_]  # the line begins in this piece, or before it
            start = at if target == first_row else int(ends[target - first_row - 1])
            yield piece[at:start]
            is_ended = target < row
            at = int(ends[target - first_row]) if is_ended else len(piece)
            if target not in unreadable:  # one may be too long to be held
                held += piece[start:at]
            if not is_ended:
                break
            yield _treated(bytes(held), target, edits, paths, unreadable)
            held.clear()
            next_ += 1
        yield piece[at:]
    is_last = next_ < len(affected) and affected[next_] == row  # the last line has no line feed
    if is_last and (held or row in unreadable):
        yield _treated(bytes(held), row, edits, paths, unreadable)


def _treated(
    line: bytes, row: int, edits: Edits, paths: Sequence[Path], unreadable: set[int]
) -> bytes:
    """Return what is left of a line; b"" where nothing is."""
    if row in unreadable:
        return b""
    taken = take_apart(line.decode("utf-8"), paths)
    if taken is None:
        edits.treat(row, None)
        return b""
    columns = taken.columns()
    treated = edits.treat(row, columns, editable=taken.editable)
    if treated is None:
        return b""
    return line if list(treated) == columns else taken.replaced(treated).encode("utf-8")
