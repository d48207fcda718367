"""Texts kept beside an index, so that a few documents of a shard can be read without the rest of it.

A file is a header, a table of blocks and the blocks, little-endian:

    header  magic, version, number of blocks, CRC-32 of the table
    table   int64 (blocks, 5): first row, last row, where the block begins, its bytes, its CRC-32
    block   8 bytes: how long it unpacks to; then it, packed with Zstandard

A block unpacks to the number of documents, their rows (int64) and for text, id and domain the lengths
(int64, -1: null) and the UTF-8. It holds at most 64 KiB of text, or one document: enough for Zstandard to take a
quarter of most texts, and unpacked in a tenth of a millisecond.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from corpora.documents import Batch
from corpora.shards import Shard

MAGIC: Final = b"SLUICETX"
VERSION: Final = 1
HEADER: Final = struct.Struct("<8sIII")
LENGTH: Final = struct.Struct("<Q")
COLUMNS: Final = 5  # of the table
BLOCK_BYTES: Final = 64 << 10  # of text
FILE_BYTES: Final = 16 << 20  # of text; at a URL a file is read whole
MOST_BLOCK_BYTES: Final = 4 << 30  # unpacked; a document is at most 1 GiB
SCHEME: Final = "blocks/2"  # raised when the same documents give other files
_ZSTD: Final = pa.Codec("zstd", compression_level=1)  # 3 takes 6 % less room and 30 % more time


class TextsError(ValueError):
    """A file is no whole file of texts; the text says why."""


class TextsBuilder:
    """Gathers the documents of batches and gives a file, and its first row, whenever one is full.

    Where blocks and files end depends on the documents only, not on the batches that they come in.
    """

    def __init__(self) -> None:
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = self._file_bytes = 0
        self._blocks: list[tuple[int, int, bytes]] = []

    def add(self, batch: Batch) -> Iterator[tuple[int, bytes]]:
        """Take the documents of a batch."""
        documents = pa.record_batch(
            [pa.array(batch.rows, pa.int64()), batch.texts, batch.ids, batch.domains],
            names=["row", "text", "id", "domain"],
        )
        offsets = np.frombuffer(batch.texts.buffers()[1], np.int64)
        ends = offsets[batch.texts.offset : batch.texts.offset + len(batch.texts) + 1]
        start = 0
        while start < len(documents):
            full = ends[start] + BLOCK_BYTES - self._held_bytes
            stop = min(int(np.searchsorted(ends, full, side="right")) - 1, len(documents))
            if stop <= start and self._held:  # a long document shares no block with others
                self._close_block()
            else:
                stop = max(stop, start + 1)
                self._held.append(documents.slice(start, stop - start))
                self._held_bytes += int(ends[stop] - ends[start])
                start = stop
            if self._file_bytes >= FILE_BYTES:
                yield self._file()

    def finish(self) -> Iterator[tuple[int, bytes]]:
        """Give what is left, if anything."""
        if self._held:
            self._close_block()
        if self._blocks:
            yield self._file()

    def _close_block(self) -> None:
        documents = pa.Table.from_batches(self._held).combine_chunks()
        rows = documents["row"].to_numpy()
        parts = [LENGTH.pack(len(rows)), rows.astype("<i8").tobytes()]
        for name in ("text", "id", "domain"):
            parts += _packed(pa.concat_arrays(documents[name].chunks))
        unpacked = b"".join(parts)
        packed = LENGTH.pack(len(unpacked)) + _ZSTD.compress(unpacked, asbytes=True)
        self._blocks.append((int(rows[0]), int(rows[-1]), packed))
        self._file_bytes += self._held_bytes
        self._held, self._held_bytes = [], 0

    def _file(self) -> tuple[int, bytes]:
        table = np.zeros((len(self._blocks), COLUMNS), "<i8")
        at = HEADER.size + table.nbytes
        for entry, (first, last, packed) in zip(table, self._blocks, strict=True):
            entry[:] = first, last, at, len(packed), zlib.crc32(packed)
            at += len(packed)
        index = table.tobytes()
        header = HEADER.pack(MAGIC, VERSION, len(table), zlib.crc32(index))
        data = b"".join([header, index, *(packed for _, _, packed in self._blocks)])
        self._blocks, self._file_bytes = [], 0
        return int(table[0, 0]), data


def read_texts(data: Any, rows: np.ndarray, shard: Shard) -> Batch | None:
    """Return the documents of those of `rows` (int64, ascending) that a file holds; None if none.

    `data` is a buffer (bytes, a memory map), of which only the blocks asked for are read.

    Raises:
        TextsError: where it is cut off, damaged where it is read, or no file of this version.
    """
    view = memoryview(data)
    found: list[tuple[int, list[memoryview | None]]] = []
    table = _table(view)
    asked = np.searchsorted(rows, table[:, 0]) < np.searchsorted(rows, table[:, 1], side="right")
    for first, last, at, size, checksum in table[asked].tolist():
        packed = view[at : at + size]
        if at < 0 or len(packed) != size or zlib.crc32(packed) != checksum:
            raise TextsError(f"the block of rows {first} to {last} is damaged")
        found += _documents(_unpacked(packed), rows)
    if not found:
        return None
    texts, ids, domains = (_column([fields[k] for _, fields in found]) for k in range(3))
    return Batch(shard, np.array([row for row, _ in found], np.int64), texts, ids, domains)


def _column(values: list[memoryview | None]) -> pa.LargeStringArray:
    """Return UTF-8 as an array, without a Python string for each."""
    ends = np.cumsum([0, *(0 if value is None else len(value) for value in values)])
    is_there = np.array([value is not None for value in values], np.bool_)
    data = b"".join(value for value in values if value is not None)
    column = pa.LargeStringArray.from_buffers(
        len(values),
        pa.py_buffer(ends.astype(np.int64)),
        pa.py_buffer(data),
        None if is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little")),
    )
    try:
        column.validate(full=True)  # of the UTF-8
    except pa.ArrowInvalid as error:
        raise TextsError(f"a block is damaged: {error}") from error
    return column


def _packed(column: pa.LargeStringArray) -> list[bytes]:
    """Return the lengths of the strings, -1 for null, and their bytes."""
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    filled = column.fill_null("")
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, np.int64)[filled.offset : filled.offset + len(filled) + 1]
    lengths = np.where(is_null, -1, np.diff(ends)).astype("<i8")
    return [lengths.tobytes(), b"" if data is None else bytes(memoryview(data)[ends[0] : ends[-1]])]


def _table(view: memoryview) -> np.ndarray:
    if len(view) < HEADER.size:
        raise TextsError("it is shorter than a header")
    magic, version, n_blocks, checksum = HEADER.unpack(view[: HEADER.size])
    if magic != MAGIC or version != VERSION:
        raise TextsError(f"it is no file of texts of version {VERSION}")
    table = view[HEADER.size : HEADER.size + n_blocks * COLUMNS * 8]
    if len(table) != n_blocks * COLUMNS * 8 or zlib.crc32(table) != checksum:
        raise TextsError("its table of blocks is damaged")
    return np.frombuffer(table, "<i8").reshape(-1, COLUMNS)


def _unpacked(packed: memoryview) -> memoryview:
    try:
        (size,) = LENGTH.unpack(packed[: LENGTH.size])
        if size > MOST_BLOCK_BYTES:
            raise TextsError(f"a block would unpack to {size} bytes")
        return memoryview(_ZSTD.decompress(packed[LENGTH.size :], size))
    except (struct.error, OSError, pa.ArrowException) as error:
        raise TextsError(f"a block cannot be unpacked: {error}") from error


def _documents(
    block: memoryview, rows: np.ndarray
) -> Iterator[tuple[int, list[memoryview | None]]]:
    """Yield row, and text, id and domain, of those of `rows` that a block holds."""
    try:
        (n,) = LENGTH.unpack(block[: LENGTH.size])
        if n == 0 or 8 * n > len(block):
            raise TextsError(f"a block of {len(block)} bytes cannot hold {n} documents")
        at = LENGTH.size
        all_rows = np.frombuffer(block[at : at + 8 * n], "<i8")
        at += 8 * n
        columns = []
        for _ in range(3):
            lengths = np.frombuffer(block[at : at + 8 * n], "<i8")
            if len(lengths) != n:
                raise TextsError("a block is not of the length that it tells")
            ends = at + 8 * n + np.cumsum(np.maximum(lengths, 0))
            columns.append((lengths, ends))
            at = int(ends[-1])
        if at != len(block):
            raise TextsError("a block is not of the length that it tells")
        places = np.searchsorted(all_rows, rows)
        places = places[all_rows[np.minimum(places, n - 1)] == rows]
        for place in places.tolist():
            fields: list[memoryview | None] = []
            for lengths, ends in columns:
                size, end = int(lengths[place]), int(ends[place])
                fields.append(None if size < 0 else block[end - size : end])
            yield int(all_rows[place]), fields
    except (struct.error, ValueError) as error:
        raise TextsError(f"a block is damaged: {error}") from error
