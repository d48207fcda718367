"""The documents of some rows of a shard, without reading the rest where the format allows it.

Parquet by row groups, Arrow IPC files by record batches, plain JSON lines by byte ranges out of a
sparse index of line offsets (`scan_file`). What is packed, and an IPC stream, streams by, and only
the rows asked for are parsed. Documents are those of `corpora.documents`, by the same readers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from corpora import columns, documents, jsonl
from corpora.columns import Documents
from corpora.documents import BATCH_BYTES, MAX_DOCUMENT_BYTES, Batch
from corpora.line_offsets import LINE_FEED, FileScan, LineOffsets, scan_file
from corpora.lines import Block, read_blocks
from corpora.places import open_input
from corpora.problems import Problem, ReadLog, said
from corpora.shards import Format, Shard
from corpora.streams import PLAIN_PIECE_BYTES, READ_ERRORS
from corpora.table_rows import arrow_rows, parquet_rows

__all__ = ["FileScan", "LineOffsets", "read_rows", "scan_file"]

GAP_BYTES = 256 << 10  # reading so much more costs less than another request to an object store
NO_DOCUMENT = "no document in this row"
CHANGED = "the file has changed since it was indexed"
REINDEX = "build its index again"
_BOM = b"\xef\xbb\xbf"

Line = tuple[int, bytes]


def read_rows(
    shard: Shard,
    rows: np.ndarray,
    offsets: LineOffsets | None,
    log: ReadLog,
    *,
    batch_bytes: int = BATCH_BYTES,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
) -> Iterator[Batch]:
    """The documents of these rows in row order, as `read_batches` gives them, in its batches.

    `rows`: int64 (n,), numbers in the whole file; `shard.part` has no say. `offsets` is what
    `scan_file` gave for plain JSON lines; without it they stream by. A row that gives no document
    costs one `bad_documents` and is named in the log, by its own fault or as `NO_DOCUMENT`; what
    is wrong with other rows is not logged. A file whose size or lines are not those of `offsets`
    is a problem. Raises CorpusError when a table lacks a text column.
    """
    asked = _Asked(np.unique(np.asarray(rows, dtype=np.int64)))
    if len(asked.rows) == 0:
        return
    read = ReadLog()
    pieces = _read(shard, asked.rows, offsets, read, batch_bytes, max_document_bytes)
    for found in _gathered(asked.only(pieces, read, log), batch_bytes):
        for batch in documents._cut(shard, found, batch_bytes):
            log.documents += len(batch.rows)
            log.bytes += documents._text_bytes(batch.texts)
            yield batch
    mend = f"if it was one, {CHANGED}; {REINDEX}"
    log.add_rows(shard.path, asked.rows[~asked.is_answered].tolist(), NO_DOCUMENT, mend)


class _Asked:
    """The rows asked for and which of them have been answered, by a document or a problem."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows
        self.is_answered = np.zeros(len(rows), dtype=bool)

    def only(self, pieces: Iterator[Documents], read: ReadLog, log: ReadLog) -> Iterator[Documents]:
        """The documents that were asked for; problems go from one log to the other."""
        for found in pieces:
            self._pass_on(read, log)
            yield self._of(found)
        self._pass_on(read, log)

    def _of(self, found: Documents) -> Documents:
        places = np.searchsorted(self.rows, found.rows)
        places[places == len(self.rows)] = 0
        is_asked = self.rows[places] == found.rows
        self.is_answered[places[is_asked]] = True
        return found if is_asked.all() else columns._only(found, pa.array(is_asked))

    def _pass_on(self, read: ReadLog, log: ReadLog) -> None:
        """Problems of the file, and of rows asked for; taken out, so that the log has room."""
        for problem in read.problems:
            if problem.row is None:
                log.add(problem, bad_documents=0)  # the rows it costs are counted one by one
                continue
            place = int(np.searchsorted(self.rows, problem.row))
            is_asked = place < len(self.rows) and self.rows[place] == problem.row
            if is_asked and not self.is_answered[place]:
                self.is_answered[place] = True
                log.add(problem)
        read.problems.clear()


def _read(
    shard: Shard,
    rows: np.ndarray,
    offsets: LineOffsets | None,
    log: ReadLog,
    batch_bytes: int,
    max_document_bytes: int,
) -> Iterator[Documents]:
    """Documents among which are those of the rows."""
    match shard.format:
        case Format.PARQUET:
            return parquet_rows(shard, rows, log, batch_bytes)
        case Format.ARROW:
            return arrow_rows(shard, rows, log, batch_bytes)
        case Format.JSONL:
            return _read_lines(shard, rows, offsets, log, batch_bytes, max_document_bytes)
        case Format.TEXT:
            is_asked = 0 in rows
            return documents._read_text(shard, log, max_document_bytes) if is_asked else iter(())


def _gathered(pieces: Iterator[Documents], batch_bytes: int) -> Iterator[Documents]:
    """The same documents, few pieces: rows from many row groups make one batch."""
    held: list[Documents] = []
    size_bytes = 0
    for found in pieces:
        if len(found.rows) == 0:
            continue
        found_bytes = documents._text_bytes(found.texts)
        if held and size_bytes + found_bytes > batch_bytes:
            yield _joined(held)
            held, size_bytes = [], 0
        held.append(found)
        size_bytes += found_bytes
    if held:
        yield _joined(held)


def _joined(pieces: list[Documents]) -> Documents:
    if len(pieces) == 1:
        return pieces[0]
    return Documents(
        np.concatenate([piece.rows for piece in pieces]),
        pa.concat_arrays([piece.texts for piece in pieces]),
        pa.concat_arrays([piece.ids for piece in pieces]),
        pa.concat_arrays([piece.domains for piece in pieces]),
    )


def _read_lines(
    shard: Shard,
    rows: np.ndarray,
    offsets: LineOffsets | None,
    log: ReadLog,
    batch_bytes: int,
    max_document_bytes: int,
) -> Iterator[Documents]:
    plan = _plan(shard, log, max_document_bytes)
    if plan is None:
        return
    if offsets is None:
        lines = _from_stream(shard, rows, log, batch_bytes, max_document_bytes)
    else:
        lines = _from_ranges(shard, rows, offsets, log, batch_bytes, max_document_bytes)
    for some in _batched(lines, batch_bytes):
        yield _parse(shard, log, plan, some)


def _plan(shard: Shard, log: ReadLog, max_document_bytes: int) -> jsonl.Plan | None:
    """What the reader learns from the first line that is not blank; None if it reads no further."""
    for block in read_blocks(shard, log, 1, max_document_bytes):
        if not jsonl._first_line(block):
            continue
        if jsonl._is_other_json(shard, log, block):
            return None
        return jsonl._plan(shard.columns, block)
    return None


def _batched(lines: Iterator[Line], batch_bytes: int) -> Iterator[list[Line]]:
    held: list[Line] = []
    size_bytes = 0
    for row, line in lines:
        held.append((row, line))
        size_bytes += len(line)
        if size_bytes >= batch_bytes:
            yield held
            held, size_bytes = [], 0
    if held:
        yield held


def _parse(shard: Shard, log: ReadLog, plan: jsonl.Plan, lines: list[Line]) -> Documents:
    """Parse lines as if they followed one another, and give them their row numbers back."""
    rows = np.array([row for row, _ in lines], dtype=np.int64)
    read = ReadLog()
    block = Block(b"".join(line for _, line in lines), 0, len(lines))
    found = jsonl._parse(shard, read, plan, block)
    for problem in read.problems:
        log.add(replace(problem, row=None if problem.row is None else int(rows[problem.row])))
    return replace(found, rows=rows[found.rows])


def _from_stream(
    shard: Shard, rows: np.ndarray, log: ReadLog, batch_bytes: int, max_document_bytes: int
) -> Iterator[Line]:
    """The lines of the rows, up to the last of them, out of all that stream by."""
    for block in read_blocks(shard, log, batch_bytes, max_document_bytes):
        end = block.first_row + block.n_lines
        first, last = np.searchsorted(rows, [block.first_row, end])
        if first < last:
            lines = _Lines(block.data, block.first_row, _bounds(block.data, 0))
            yield from lines.of(rows[first:last])
        if last == len(rows):
            return


@dataclass(frozen=True, slots=True)
class _Lines:
    """Whole lines: `bounds` int64 (n + 1,), where each begins in the data and the last ends."""

    data: bytes
    first_row: int
    bounds: np.ndarray

    def of(self, rows: np.ndarray) -> Iterator[Line]:
        places = rows - self.first_row
        starts, ends = self.bounds[places].tolist(), self.bounds[places + 1].tolist()
        for row, start, end in zip(rows.tolist(), starts, ends, strict=True):
            yield row, self.data[start:end]


def _bounds(data: bytes, first: int) -> np.ndarray:
    """Where the first line begins, and after each line feed from there on."""
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8)[first:] == LINE_FEED)
    return np.concatenate([[first], feeds + first + 1])


def _from_ranges(
    shard: Shard,
    rows: np.ndarray,
    offsets: LineOffsets,
    log: ReadLog,
    batch_bytes: int,
    max_document_bytes: int,
) -> Iterator[Line]:
    """The lines of the rows by reading around them; nothing more once the file proves another."""
    rows = rows[(rows >= 0) & (rows < offsets.n_lines)]
    # the reader of whole files looks at a line's length between pieces
    most_bytes = max_document_bytes + PLAIN_PIECE_BYTES
    try:
        with open_input(shard.path) as file:
            if (size_bytes := file.size()) != offsets.size_bytes:
                was = f"it is of {size_bytes} bytes and was of {offsets.size_bytes}"
                log.add(Problem(shard.path, None, f"{CHANGED}: {was}", REINDEX))
                return
            for first, last in _ranges(offsets, rows, batch_bytes):
                low, high = np.searchsorted(rows, offsets.rows[[first, last]])
                if _is_too_long(offsets, first, last, most_bytes):
                    reason = f"line too long: more than {max_document_bytes} bytes"
                    mend = "split the document or raise max_document_bytes"
                    log.add_rows(shard.path, rows[low:high].tolist(), reason, mend)
                    continue
                lines = _lines_between(file, offsets, first, last)
                if lines is None:
                    span = f"bytes {offsets.starts[first]} to {offsets.starts[last]}"
                    was = f"{span} hold other lines than then"
                    log.add(Problem(shard.path, None, f"{CHANGED}: {was}", REINDEX))
                    return
                yield from lines.of(rows[low:high])
    except READ_ERRORS as error:
        mend = "check your access to it, or fetch or write it again"
        log.add(Problem(shard.path, None, f"cannot be read: {said(error)}", mend))


def _ranges(offsets: LineOffsets, rows: np.ndarray, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Ranges [first, last) of stretches that hold the rows; near ones are one range."""
    wanted = np.unique(np.searchsorted(offsets.rows, rows, side="right") - 1)
    starts, ends = offsets.starts[wanted], offsets.starts[wanted + 1]
    first = 0
    for index in range(1, len(wanted) + 1):
        if (
            index == len(wanted)
            or starts[index] - ends[index - 1] > GAP_BYTES
            or ends[index] - starts[first] > most_bytes
        ):
            yield int(wanted[first]), int(wanted[index - 1]) + 1
            first = index


def _is_too_long(offsets: LineOffsets, first: int, last: int, most_bytes: int) -> bool:
    """Whether the range is one line beyond the limit."""
    n_lines = offsets.rows[last] - offsets.rows[first]
    return bool(n_lines == 1 and offsets.starts[last] - offsets.starts[first] > most_bytes)


def _lines_between(
    file: pa.NativeFile, offsets: LineOffsets, first: int, last: int
) -> _Lines | None:
    """The lines of stretches [first, last); None where they do not begin, end and count as indexed."""
    start, end = int(offsets.starts[first]), int(offsets.starts[last])
    before = min(start, 1)  # the line feed before the first line shows that a line begins there
    data = file.read_at(end - start + before, start - before)
    if len(data) != end - start + before or not data.startswith(b"\n"[:before]):
        return None
    if end == offsets.size_bytes and not data.endswith(b"\n"):
        data += b"\n"
    is_marked = start == 0 and data.startswith(_BOM)
    bounds = _bounds(data, len(_BOM) if is_marked else before)
    n_lines = int(offsets.rows[last] - offsets.rows[first])
    if len(bounds) != n_lines + 1 or bounds[-1] != len(data):
        return None
    return _Lines(data, int(offsets.rows[first]), bounds)
