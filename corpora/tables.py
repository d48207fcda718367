"""Parquet and Arrow IPC files to Arrow columns, only the columns asked for.

Parquet is decoded a run of rows at a time, page by page, and a damaged row group costs only
itself. An IPC record batch is the smallest thing that can be read: its wanted columns are held
whole, unless they are all it has and a local file holds them uncompressed, mapped and not read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpora.columns import DamageError, Documents, clean, holds_text, missing_column
from corpora.places import open_input
from corpora.problems import CorpusError, Problem, ReadLog, said
from corpora.shards import IPC_FILE_MAGIC, Shard
from corpora.streams import may_pass

# A dictionary page is unpacked once per use: its size does not tell the size of the rows.
MAX_DICTIONARY_ROWS = 4096
PAGE_BUFFER_BYTES = 1 << 20
REWRITE = "fetch or write the file again"

Path = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """Where the columns asked for are in a schema; an absent id or domain is None."""

    texts: tuple[Path, ...]
    id: Path | None
    domain: Path | None

    @property
    def paths(self) -> list[Path]:
        """Every path once."""
        labels = [path for path in (self.id, self.domain) if path is not None]
        return list(dict.fromkeys([*self.texts, *labels]))


def read_parquet(shard: Shard, log: ReadLog, batch_bytes: int) -> Iterator[Documents]:
    """The rows of the shard's row groups in order; damaged groups are problems in the log.

    Raises CorpusError when a text column is missing or holds no text.
    """
    try:
        with _as_damage():
            file = open_input(shard.path)
        with file:
            with _as_damage():
                parquet = pq.ParquetFile(
                    file,
                    buffer_size=PAGE_BUFFER_BYTES,
                    pre_buffer=False,  # it would hold whole column chunks
                    page_checksum_verification=True,
                )
                schema = parquet.schema_arrow
            yield from _read_groups(shard, log, parquet, select(shard, schema), batch_bytes)
    except DamageError as error:
        log.add(_unreadable(shard, error))


def read_arrow(shard: Shard, log: ReadLog, batch_bytes: int) -> Iterator[Documents]:
    """The rows of an IPC file or stream in order, up to its end or its first damage.

    Raises CorpusError when a text column is missing or holds no text.
    """
    row = 0
    try:
        for first_row, batch, selection in _guarded(_record_batches(shard)):
            row = first_row
            for start, window in _windows(batch, selection, batch_bytes):
                yield _documents(shard, log, selection, window, first_row + start)
                row = first_row + start + window.num_rows
    except DamageError as error:
        log.add(_unreadable(shard, error, row))


@contextmanager
def _as_damage() -> Iterator[None]:
    """Turn what reading raises into DamageError; around reading only, so that bugs keep their name."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise DamageError(said(error)) from error


def _guarded(things: Iterator[T]) -> Iterator[T]:
    """The same things; what reading the next one raises becomes DamageError."""
    while True:
        with _as_damage():
            thing = next(things, None)
        if thing is None:
            return
        yield thing


def select(shard: Shard, schema: pa.Schema) -> Selection:
    """Find the columns; a name with dots is one column where there is one of that whole name."""
    names = list(_leaf_names(schema))
    texts = []
    for name in shard.columns.text:
        path = _path(schema, name)
        if path is None:
            raise missing_column(shard.path, name, names)
        if not holds_text(_type(schema, path)):
            raise CorpusError(
                f"{shard.path}: the column {name!r} is of type {_type(schema, path)} and holds no text; "
                f"name another of {', '.join(names)}"
            )
        texts.append(path)
    return Selection(
        tuple(texts),
        _label_path(shard, schema, shard.columns.id),
        None if shard.domain is not None else _label_path(shard, schema, shard.columns.domain),
    )


def _label_path(shard: Shard, schema: pa.Schema, name: str | None) -> Path | None:
    path = None if name is None else _path(schema, name)
    if path is not None and not _is_label(_type(schema, path)):
        raise CorpusError(
            f"{shard.path}: the column {name!r} is of type {_type(schema, path)} and cannot be an id or a "
            "domain; name a key within it or another column"
        )
    return path


def _is_label(kind: pa.DataType) -> bool:
    if holds_text(kind):
        return True
    try:
        pa.nulls(0, kind).cast(pa.large_string())
    except pa.ArrowNotImplementedError:
        return False
    return not pa.types.is_nested(kind)


def _path(schema: pa.Schema, name: str) -> Path | None:
    if schema.get_field_index(name) >= 0:
        return (name,)
    path = tuple(name.split("."))
    if schema.get_field_index(path[0]) < 0:
        return None
    kind = schema.field(path[0]).type
    for key in path[1:]:
        if not pa.types.is_struct(kind) or kind.get_field_index(key) < 0:
            return None
        kind = kind.field(key).type
    return path


def _type(schema: pa.Schema, path: Path) -> pa.DataType:
    kind = schema.field(path[0]).type
    for key in path[1:]:
        kind = kind.field(key).type
    return kind


def _leaf_names(fields: pa.Schema | pa.StructType, above: str = "") -> Iterator[str]:
    for field in fields:
        if pa.types.is_struct(field.type):
            yield from _leaf_names(field.type, f"{above}{field.name}.")
        else:
            yield above + field.name


def _read_groups(
    shard: Shard, log: ReadLog, parquet: pq.ParquetFile, selection: Selection, batch_bytes: int
) -> Iterator[Documents]:
    metadata = parquet.metadata
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    first, last = shard.part or (0, len(sizes))
    for group in range(first, last):
        start = row = sum(sizes[:group])
        batches = parquet.iter_batches(
            batch_size=_rows_at_once(metadata.row_group(group), selection, batch_bytes),
            row_groups=[group],
            columns=[".".join(path) for path in selection.paths],
            use_threads=False,
        )
        try:
            for batch in _guarded(batches):
                for offset, window in _windows(batch, selection, batch_bytes):
                    yield _documents(shard, log, selection, window, row + offset)
                row += batch.num_rows
        except DamageError as error:
            end = start + sizes[group]
            reason = f"damaged row group: {said(error)}, rows {row} to {end - 1} are lost"
            log.add(Problem(shard.path, None, reason, REWRITE), bad_documents=end - row)


def _rows_at_once(group: pq.RowGroupMetaData, selection: Selection, batch_bytes: int) -> int:
    """Rows that decode to about `batch_bytes` of the wanted columns, by the group's own sizes."""
    wanted = {".".join(path) for path in selection.paths}
    chunks = [group.column(index) for index in range(group.num_columns)]
    chunks = [chunk for chunk in chunks if chunk.path_in_schema in wanted]
    size = sum(chunk.total_uncompressed_size for chunk in chunks)
    rows = max(1, group.num_rows * batch_bytes // max(1, size))
    if any(chunk.has_dictionary_page for chunk in chunks):
        rows = min(rows, MAX_DICTIONARY_ROWS)
    return min(rows, max(1, group.num_rows))


def _record_batches(shard: Shard) -> Iterator[tuple[int, pa.RecordBatch, Selection]]:
    """Each record batch of the shard with the number of its first row."""
    with open_input(shard.path, mapped=True) as file:
        is_file = bytes(file.read(len(IPC_FILE_MAGIC))) == IPC_FILE_MAGIC
        file.seek(0)
        open_reader = pa.ipc.open_file if is_file else pa.ipc.open_stream
        schema = open_reader(file).schema
        selection = select(shard, schema)
        wanted = sorted({schema.get_field_index(path[0]) for path in selection.paths})
        file.seek(0)
        if len(wanted) == len(schema):
            wanted = []  # means all, and unlike the full list it does not copy what is mapped
        options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=wanted)
        reader = open_reader(file, options=options)
        row = 0
        for index, batch in enumerate(_each_batch(reader, shard.part) if is_file else reader):
            batch.validate()
            if shard.part is None or index >= shard.part[0]:
                yield row, batch, selection
            row += batch.num_rows


def _each_batch(
    reader: pa.ipc.RecordBatchFileReader, part: tuple[int, int] | None
) -> Iterator[pa.RecordBatch]:
    """All batches up to the part's end: only reading the earlier ones tells how many rows they have."""
    last = reader.num_record_batches if part is None else part[1]
    return (reader.get_batch(index) for index in range(last))


def _windows(
    batch: pa.RecordBatch, selection: Selection, batch_bytes: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Slices of a record batch of about `batch_bytes` each, with their first rows."""
    if batch.num_rows == 0:
        return
    columns = [batch.column(path[0]) for path in selection.paths]
    rows = max(1, batch.num_rows * batch_bytes // max(1, sum(column.nbytes for column in columns)))
    if any(pa.types.is_dictionary(column.type) for column in columns):
        rows = min(rows, MAX_DICTIONARY_ROWS)
    for start in range(0, batch.num_rows, rows):
        yield start, batch.slice(start, rows)


def _documents(
    shard: Shard, log: ReadLog, selection: Selection, batch: pa.RecordBatch, first_row: int
) -> Documents:
    rows = first_row + np.arange(batch.num_rows, dtype=np.int64)
    texts = [_column(batch, path) for path in selection.texts]
    labels = [None if p is None else _column(batch, p) for p in (selection.id, selection.domain)]
    return clean(shard.path, log, rows, texts, labels[0], labels[1])


def _column(batch: pa.RecordBatch, path: Path) -> pa.Array:
    column = batch.column(path[0])
    return pc.struct_field(column, list(path[1:])) if len(path) > 1 else column


def _unreadable(shard: Shard, error: BaseException, row: int = 0) -> Problem:
    reason = f"cannot be read: {said(error)}" + (f", from row {row} on" if row else "")
    mend = f"check your access to it, or {REWRITE}"
    return Problem(shard.path, None, reason, mend, may_pass(error.__cause__))
