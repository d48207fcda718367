"""Parquet and Arrow IPC files: the schema, the other columns and the row order stay as they are.

A row group, or a record batch, of the shard is one of the copy; one of which nothing is left is not
written. A whole row group is in memory at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from corpora import tables
from corpora.places import open_input
from corpora.shards import IPC_FILE_MAGIC, Shard
from pipelines.cleaning.columns import edit_batch, holds_dictionary
from pipelines.cleaning.edits import CleanError, Edits
from pipelines.cleaning.flatbuffer import body_compression
from pipelines.cleaning.packing import Hashed

ARROW_SCHEMA: Final = b"ARROW:schema"
PARQUET_VERSIONS: Final = ("1.0", "2.4", "2.6")
PAGE_BUFFER_BYTES: Final = 1 << 20


def write_parquet(shard: Shard, edits: Edits, out: Hashed) -> bool:
    """Write a Parquet shard as the edits say; tell whether a row is left.

    Raises:
        CleanError: where the schema has something that pyarrow reads and does not write.
    """
    with open_input(shard.path) as file:
        source = pq.ParquetFile(file, buffer_size=PAGE_BUFFER_BYTES, pre_buffer=False)
        schema = source.schema_arrow
        paths = tables.select(shard, schema).texts
        is_any = False
        with pq.ParquetWriter(out, schema, **_same_schema(shard, source)) as writer:
            if ARROW_SCHEMA not in (source.metadata.metadata or {}) and source.metadata.metadata:
                writer.add_key_value_metadata(source.metadata.metadata)
            row = 0
            for group in range(source.num_row_groups):
                table = source.read_row_group(group, use_threads=False)
                batches = []
                for batch in table.to_batches():
                    batches.append(edit_batch(batch, row, paths, edits))
                    row += batch.num_rows
                kept = pa.Table.from_batches(batches, schema)
                if kept.num_rows:
                    writer.write_table(kept, row_group_size=kept.num_rows)
                    is_any = True
    return is_any


def write_arrow(shard: Shard, edits: Edits, out: Hashed) -> bool:
    """Write an IPC file or stream as the edits say; tell whether a row is left."""
    with open_input(shard.path, mapped=True) as file:
        is_file = bytes(file.read(len(IPC_FILE_MAGIC))) == IPC_FILE_MAGIC
        file.seek(0)
        compression = body_compression(file, is_file=is_file)
        file.seek(0)
        reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)
        paths = tables.select(shard, reader.schema).texts
        edited = _edited(_batches(reader, is_file=is_file), paths, edits)
        if is_file and holds_dictionary(reader.schema, paths):
            edited = _with_one_dictionary(edited, reader.schema)
        options = pa.ipc.IpcWriteOptions(compression=compression, use_threads=False)
        is_any = False
        with _ipc_writer(out, reader, options, is_file=is_file) as writer:
            for batch, metadata in edited:
                writer.write_batch(batch, custom_metadata=metadata)
                is_any = True
    return is_any


def _parquet_options(source: pq.ParquetFile) -> dict[str, Any]:
    """Return how the file was written, as far as it tells."""
    metadata = source.metadata
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    codecs: dict[str, str] = {}
    for chunk in chunks:
        codec = "NONE" if chunk.compression == "UNCOMPRESSED" else chunk.compression
        codecs.setdefault(chunk.path_in_schema, codec)
    version = metadata.format_version
    return {
        "compression": codecs or "NONE",
        "use_dictionary": sorted({c.path_in_schema for c in chunks if c.has_dictionary_page})
        or False,
        "write_statistics": any(chunk.is_stats_set for chunk in chunks),
        "write_page_index": any(chunk.has_column_index for chunk in chunks),
        "version": version if version in PARQUET_VERSIONS else PARQUET_VERSIONS[-1],
        "use_deprecated_int96_timestamps": any(c.physical_type == "INT96" for c in chunks),
        "store_schema": ARROW_SCHEMA in (metadata.metadata or {}),
    }


def _same_schema(shard: Shard, source: pq.ParquetFile) -> dict[str, Any]:
    """Return options by which the very schema of a file is written; tried on files without rows."""
    options = _parquet_options(source)
    old = source.metadata.schema
    for is_compliant in (
        True,
        False,
    ):  # the names within lists: "element", or those of the Arrow schema
        options["use_compliant_nested_type"] = is_compliant
        with pq.ParquetWriter(sink := io.BytesIO(), source.schema_arrow, **options):
            pass
        new = pq.ParquetFile(sink).metadata.schema
        other = [
            old.column(index)
            for index in range(len(old))
            if index >= len(new)
            or _column_type(old.column(index)) != _column_type(new.column(index))
        ]
        if not other:
            return options
    raise CleanError(
        f"{shard.path}: the column {other[0].path!r} is of a Parquet type that cannot be written again "
        f"({other[0].logical_type}, {other[0].physical_type}); write the file again with pyarrow, scan it, and "
        "clean that"
    )


def _column_type(column: pq.ColumnSchema) -> tuple[Any, ...]:
    return (
        column.path, column.physical_type, str(column.logical_type), column.length, column.precision,
        column.scale, column.max_definition_level, column.max_repetition_level,
    )  # fmt: skip


Batch = tuple[pa.RecordBatch, Any]  # with its custom metadata


def _batches(reader: Any, *, is_file: bool) -> Iterator[Batch]:
    if not is_file:
        yield from reader.iter_batches_with_custom_metadata()
        return
    for index in range(reader.num_record_batches):
        yield reader.get_batch_with_custom_metadata(index)


def _edited(
    batches: Iterable[Batch], paths: tuple[tables.Path, ...], edits: Edits
) -> Iterator[Batch]:
    row = 0
    for batch, metadata in batches:
        kept = edit_batch(batch, row, paths, edits)
        row += batch.num_rows
        if kept.num_rows:
            yield kept, metadata


def _with_one_dictionary(batches: Iterable[Batch], schema: pa.Schema) -> Iterator[Batch]:
    """Give all batches the same dictionaries, as an IPC file needs; holds all of them."""
    held = list(batches)
    table = pa.Table.from_batches([batch for batch, _ in held], schema).unify_dictionaries()
    return zip(table.to_batches(), [metadata for _, metadata in held], strict=True)


def _ipc_writer(out: Hashed, reader: Any, options: pa.ipc.IpcWriteOptions, *, is_file: bool) -> Any:
    if not is_file:
        return pa.ipc.new_stream(out, reader.schema, options=options)
    footer = getattr(reader, "metadata", None)
    more = {"metadata": footer} if footer else {}
    return pa.ipc.new_file(out, reader.schema, options=options, **more)
