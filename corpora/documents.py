"""Documents of a shard in batches: the one way in for everything that reads a corpus.

Text stays bytes in Arrow buffers from the file to the kernel. Memory is bounded by the batch, not
the shard; only a document that is larger than a batch makes its batch larger.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpora import jsonl, tables
from corpora.columns import BAD_UTF8, BAD_UTF8_MEND, Documents, as_labels
from corpora.filters import filtered
from corpora.problems import Problem, ReadLog, said
from corpora.shards import Format, Shard
from corpora.streams import READ_ERRORS, may_pass, read_pieces

BATCH_BYTES = 8 << 20
MAX_DOCUMENT_BYTES = 1 << 30  # pyarrow's JSON parser counts a block in 31 bits
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive documents of one shard.

    `rows`: int64 (n,), row numbers in the whole file, also for a part of it. `texts`: valid UTF-8
    without nulls; its `offset` is 0, so its offset buffer, int64 (n + 1,), can be used as it is,
    but need not begin with 0. `ids`, `domains`: nullable, null throughout if there is no such
    column. All are large strings of length n > 0.
    """

    shard: Shard
    rows: np.ndarray
    texts: pa.LargeStringArray
    ids: pa.LargeStringArray
    domains: pa.LargeStringArray


def read_batches(
    shard: Shard,
    log: ReadLog,
    *,
    batch_bytes: int = BATCH_BYTES,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
) -> Iterator[Batch]:
    """The documents of a shard in row order, in batches of at most `batch_bytes` of text.

    A larger document is a batch of its own. Documents without valid text, lines and text files
    beyond `max_document_bytes`, and damage are problems in the log, and what can be read is
    yielded. The log counts a batch when it is handed out. Raises CorpusError when a text column
    is missing.
    """
    for found in _read(shard, log, batch_bytes, max_document_bytes):
        if shard.filters is not None:
            found = filtered(found, shard.filters)
        for batch in _cut(shard, found, batch_bytes):
            log.documents += len(batch.rows)
            log.bytes += _text_bytes(batch.texts)
            yield batch


def _read(
    shard: Shard, log: ReadLog, batch_bytes: int, max_document_bytes: int
) -> Iterator[Documents]:
    match shard.format:
        case Format.PARQUET:
            return tables.read_parquet(shard, log, batch_bytes)
        case Format.ARROW:
            return tables.read_arrow(shard, log, batch_bytes)
        case Format.JSONL:
            return jsonl.read_documents(shard, log, batch_bytes, max_document_bytes)
        case Format.TEXT:
            return _read_text(shard, log, max_document_bytes)


def _read_text(shard: Shard, log: ReadLog, max_document_bytes: int) -> Iterator[Documents]:
    """The file as one document, up to its first damage."""
    pieces: list[bytes] = []
    size_bytes = 0
    is_damaged = False
    try:
        for piece in read_pieces(shard.path, shard.compression):
            pieces.append(piece)
            size_bytes += len(piece)
            if size_bytes > max_document_bytes:
                reason = f"document too long: more than {max_document_bytes} bytes"
                mend = "split the file or raise max_document_bytes"
                log.add(Problem(shard.path, 0, reason, mend))
                return
    except READ_ERRORS as error:
        reason = f"cannot be read to its end: {said(error)}, from byte {size_bytes} on"
        mend = "check your access to it, or fetch or write it again"
        log.add(Problem(shard.path, None, reason, mend, may_pass(error)))
        is_damaged = True
    data = b"".join(pieces).removeprefix(_BOM)
    if data:
        yield from _text_document(shard, log, data, is_damaged)
    elif not is_damaged:
        log.add(Problem(shard.path, None, "the file is empty", "remove it or write it again"))


def _text_document(
    shard: Shard, log: ReadLog, data: bytes, is_damaged: bool
) -> Iterator[Documents]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if not (is_damaged and error.start >= len(data) - 3):
            reason = f"{BAD_UTF8}: byte 0x{data[error.start]:02x} at byte {error.start}"
            log.add(Problem(shard.path, 0, reason, BAD_UTF8_MEND))
            return
        text = data[: error.start].decode("utf-8")  # the damage cut a character
    nothing = as_labels(None, 1)
    yield Documents(
        np.zeros(1, dtype=np.int64), pa.array([text], pa.large_string()), nothing, nothing
    )


def _cut(shard: Shard, found: Documents, batch_bytes: int) -> Iterator[Batch]:
    """Slices without a copy, each of at most `batch_bytes` of text or of one document."""
    n_documents = len(found.rows)
    ends = _offsets(found.texts)
    start = 0
    while start < n_documents:
        limit = np.searchsorted(ends, ends[start] + batch_bytes, side="right") - 1
        stop = min(max(int(limit), start + 1), n_documents)
        domains = found.domains.slice(start, stop - start)
        if shard.domain is not None:
            domains = pa.repeat(pa.scalar(shard.domain, pa.large_string()), stop - start)
        yield Batch(
            shard,
            found.rows[start:stop],
            _without_offset(found.texts, start, stop),
            found.ids.slice(start, stop - start),
            domains,
        )
        start = stop


def _offsets(texts: pa.LargeStringArray) -> np.ndarray:
    """int64 (n + 1,): where each text begins and the last ends in the data buffer."""
    if len(texts) == 0:
        return np.zeros(1, dtype=np.int64)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int64)
    return offsets[texts.offset : texts.offset + len(texts) + 1]


def _without_offset(texts: pa.LargeStringArray, start: int, stop: int) -> pa.LargeStringArray:
    """texts[start:stop] on the same data, with `offset` 0 and no validity buffer."""
    _, offsets, data = texts.buffers()
    first = (texts.offset + start) * 8
    part = offsets.slice(first, (stop - start + 1) * 8)
    return pa.LargeStringArray.from_buffers(stop - start, part, data, None, 0)


def _text_bytes(texts: pa.LargeStringArray) -> int:
    ends = _offsets(texts)
    return int(ends[-1] - ends[0])
