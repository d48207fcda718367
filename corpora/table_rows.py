"""Some rows of Parquet and Arrow IPC files, by the pages, row groups or record batches that hold them.

A page of texts in a local Parquet file is unpacked to the last row that is asked for. Where that
cannot be, documents come as `corpora.tables` reads them, a window of rows at a time, with the
neighbours of the rows asked for; `corpora.rows` takes those out.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora import tables
from corpora.columns import DamageError, Documents, clean
from corpora.places import open_input
from corpora.problems import ReadLog
from corpora.shards import IPC_FILE_MAGIC, Shard
from corpora.text_pages import TextPages

VARIABLE_BITS = 1 << 30  # a column whose values have no fixed width is read last


def parquet_rows(
    shard: Shard, rows: np.ndarray, log: ReadLog, batch_bytes: int
) -> Iterator[Documents]:
    """The windows of row groups with the rows; `rows` int64 (n,), n > 0, sorted.

    Raises CorpusError when a text column is missing or holds no text.
    """
    try:
        with tables._as_damage():
            file = open_input(shard.path)
        with file:
            with tables._as_damage():
                parquet = pq.ParquetFile(
                    file,
                    buffer_size=tables.PAGE_BUFFER_BYTES,
                    pre_buffer=False,
                    page_checksum_verification=True,
                )
                schema = parquet.schema_arrow
            selection = tables.select(shard, schema)
            pages = TextPages.of(shard, file, parquet, selection)
            for group, first_row, wanted in _groups(parquet.metadata, rows):
                of_pages = None if pages is None else pages.read(group, wanted - first_row)
                if of_pages is not None:
                    yield clean(shard.path, log, wanted, *of_pages)
                    continue
                part = replace(shard, part=(group, group + 1))
                found = tables._read_groups(part, log, parquet, selection, batch_bytes)
                yield from _up_to(found, int(wanted[-1]))
    except DamageError as error:
        log.add(tables._unreadable(shard, error))


def arrow_rows(
    shard: Shard, rows: np.ndarray, log: ReadLog, batch_bytes: int
) -> Iterator[Documents]:
    """The windows of an IPC file's record batches with the rows; of a stream, all up to the last.

    `rows` as above. Raises CorpusError when a text column is missing or holds no text.
    """
    try:
        if _is_ipc_file(shard):
            yield from _windows(shard, rows, log, batch_bytes)
        else:
            whole = replace(shard, part=None)
            yield from _up_to(tables.read_arrow(whole, log, batch_bytes), int(rows[-1]))
    except DamageError as error:
        log.add(tables._unreadable(shard, error))


def _groups(metadata: pq.FileMetaData, rows: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Each row group that holds some of the rows, its first row, and those."""
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    ends = np.cumsum(sizes, dtype=np.int64)
    group_of = np.searchsorted(ends, rows, side="right")
    for group in np.unique(group_of[group_of < len(ends)]).tolist():
        yield group, int(ends[group]) - sizes[group], rows[group_of == group]


def _up_to(found: Iterator[Documents], last_row: int) -> Iterator[Documents]:
    for documents in found:
        yield documents
        if len(documents.rows) and documents.rows[-1] >= last_row:
            return


def _is_ipc_file(shard: Shard) -> bool:
    with tables._as_damage(), open_input(shard.path) as file:
        return bytes(file.read(len(IPC_FILE_MAGIC))) == IPC_FILE_MAGIC


def _windows(shard: Shard, rows: np.ndarray, log: ReadLog, batch_bytes: int) -> Iterator[Documents]:
    for first_row, batch, selection in tables._guarded(_record_batches(shard, rows)):
        for start, window in tables._windows(batch, selection, batch_bytes):
            row = first_row + start
            if _any_within(rows, row, row + window.num_rows):
                yield tables._documents(shard, log, selection, window, row)


def _any_within(rows: np.ndarray, first: int, last: int) -> bool:
    """Whether one of the sorted rows is in [first, last)."""
    low, high = np.searchsorted(rows, [first, last])
    return bool(low < high)


def _record_batches(
    shard: Shard, rows: np.ndarray
) -> Iterator[tuple[int, pa.RecordBatch, tables.Selection]]:
    """Each record batch with some of the rows, and the number of its first row."""
    with open_input(shard.path, mapped=True) as file:
        schema = pa.ipc.open_file(file).schema
        selection = tables.select(shard, schema)
        wanted = {schema.get_field_index(path[0]) for path in selection.paths}
        reader = _reader(file, schema, wanted)
        counter = _reader(file, schema, {_narrowest(schema)})
        row = 0
        for index in range(reader.num_record_batches):
            end = row + _length(counter, reader, index)
            if _any_within(rows, row, end):
                batch = reader.get_batch(index)
                batch.validate()
                yield row, batch, selection
            row = end
            if row > rows[-1]:
                return


def _reader(file: pa.NativeFile, schema: pa.Schema, fields: set[int]) -> pa.RecordBatchFileReader:
    """A reader of these columns; naming all of them would copy what is mapped."""
    wanted = [] if len(fields) == len(schema) else sorted(fields)
    file.seek(0)
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=wanted)
    return pa.ipc.open_file(file, options=options)


def _narrowest(schema: pa.Schema) -> int:
    """The column that tells a record batch's length at the least cost."""
    return min(range(len(schema)), key=lambda index: _bits(schema.field(index).type))


def _bits(kind: pa.DataType) -> int:
    try:
        return int(kind.bit_width)
    except ValueError:
        return VARIABLE_BITS


def _length(counter: pa.RecordBatchFileReader, reader: pa.RecordBatchFileReader, index: int) -> int:
    """How many rows a record batch has: the footer that Python sees does not tell."""
    try:
        return int(counter.get_batch(index).num_rows)
    except (OSError, pa.ArrowException):  # damage in a column that nobody asked for
        return int(reader.get_batch(index).num_rows)
