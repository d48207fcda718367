"""From the bytes of a benchmark file to its records: unpacking, decoding, JSON, tables, Parquet.

Anything wrong ends the run with the row at fault; `corpora.benchmarks` turns records into items.
"""

from __future__ import annotations

import bz2
import csv
import difflib
import gzip
import io
import json
import lzma
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.fields import BenchmarkError, FieldMap
from corpora.layout_values import Record
from corpora.layouts import recognise

MAX_BYTES = 1 << 30  # unpacked; the largest known benchmark file has a fifth of it
PACKINGS = (".gz", ".zst", ".bz2", ".xz")
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (".parquet", *KINDS, *(kind + packing for kind in KINDS for packing in PACKINGS))

# Original files that come without a header, by their number of columns.
_MMLU_COLUMNS = ("question", "A", "B", "C", "D", "answer")
_MGSM_COLUMNS = ("question", "answer_number")


def records(data: bytes, path: str, fields: FieldMap | None) -> Iterator[tuple[int, Record]]:
    """Return (row, record) for each record of the file `data`, of the kind that the path's name says."""
    suffix = max((end for end in SUFFIXES if path.lower().endswith(end)), key=len)
    if suffix == ".parquet":
        return _parquet(data, path)
    _, kind, packing = (*suffix.split("."), "")[:3]
    text = _decode(_unpacked(data, packing, path), path)
    if kind in ("csv", "tsv"):
        return _table(text, path, "," if kind == "csv" else "\t", fields)
    return _json(text, path) if kind == "json" else _json_lines(text, path)


def does_not_exist(path: Path) -> BenchmarkError:
    """Return the error for a file or folder that is not there, with the name nearest to it."""
    folder = path.parent
    try:
        names = os.listdir(folder)  # noqa: PTH208 names are wanted, not paths
    except OSError:
        mend = f"the folder {folder.as_posix()!r} cannot be listed: check the path"
    else:
        close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.4)
        mend = f"did you mean {(folder / close[0]).as_posix()!r}?" if close else "check the path"
    return BenchmarkError("does not exist", mend, path=str(path))


def _unpacked(data: bytes, packing: str, path: str) -> bytes:
    if not packing:
        return data
    try:
        with _OPENERS[packing](io.BytesIO(data)) as stream:
            unpacked: bytes = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise BenchmarkError(
            f"is truncated or not .{packing}: {error}", "fetch or pack the file again", path=path
        ) from error
    if len(unpacked) > MAX_BYTES:
        raise too_large(path)
    return unpacked


def _decode(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BenchmarkError(
            f"line {line} is not UTF-8: byte 0x{data[error.start]:02x}",
            "save the file as UTF-8",
            path=path,
        ) from error


_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "gz": gzip.open,
    "bz2": bz2.open,
    "xz": lzma.open,
    "zst": partial(pa.CompressedInputStream, compression="zstd"),
}

# Floats stay as they are written ("1.50"): text is kept as in the source.
_decoder = json.JSONDecoder(parse_float=str)


def _json_lines(text: str, path: str) -> Iterator[tuple[int, Record]]:
    # Not splitlines(): inside a JSON string U+2028 and the like are text.
    for row, line in enumerate(text.split("\n")):
        if line and not line.isspace():
            yield row, _object(_parsed(line, path, row), path, row)


def _parsed(line: str, path: str, row: int) -> Any:
    try:
        return _decoder.decode(line)
    except (ValueError, RecursionError) as error:
        raise BenchmarkError(
            f"line {row + 1} is not JSON: {error}",
            "mend or delete the line; a file that is one JSON value is called .json",
            path=path,
            row=row,
        ) from error


def _object(value: Any, path: str, row: int) -> Record:
    if isinstance(value, dict):
        return value
    raise BenchmarkError(
        f"the record is a JSON {type(value).__name__}, not an object",
        'write {"question": ..., "answer": ...}',
        path=path,
        row=row,
    )


def _json(text: str, path: str) -> Iterator[tuple[int, Record]]:
    """Yield the records of an array, of the one array of records in an object, or of JSON Lines."""
    if not text.strip():
        return
    try:
        value = _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
            yield from _json_lines(text, path)  # many .json files are JSON Lines
            return
        raise BenchmarkError(f"is not JSON: {error}", "mend the file", path=path) from error
    if isinstance(value, dict):
        value = _array_in(value, path)
    elif not isinstance(value, list):
        value = [value]
    for row, record in enumerate(value):
        yield row, _object(record, path, row)


def _array_in(value: dict[str, Any], path: str) -> list[Any]:
    """Return the array of records under one key; an object that is itself a record is one."""
    if recognise(value) is not None:
        return [value]
    arrays = [key for key, part in value.items() if isinstance(part, list)]
    arrays = [key for key in arrays if value[key] and isinstance(value[key][0], dict)] or arrays
    if len(arrays) > 1:
        raise BenchmarkError(
            f"holds several arrays: {named_keys(dict.fromkeys(arrays))}",
            "keep one to a file",
            path=path,
        )
    return value[arrays[0]] if arrays else [value]


def _parquet(data: bytes, path: str) -> Iterator[tuple[int, Record]]:
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(group).total_byte_size for group in groups) > MAX_BYTES:
            raise too_large(path)
        table = file.read()
        table.validate(full=True)  # or invalid UTF-8 would surface at some later place
        records = table.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise BenchmarkError(
            f"is not readable Parquet: {' '.join(str(error).split())}",
            "write the file again",
            path=path,
        ) from error
    return iter(enumerate(records))


def _table(
    text: str, path: str, delimiter: str, fields: FieldMap | None
) -> Iterator[tuple[int, Record]]:
    rows = _cells(text, path, delimiter)
    if not rows:
        return
    columns = _columns(rows, delimiter, fields)
    # With columns of our own making the first row is data.
    records = rows[1:] if columns is rows[0] else rows
    for row, cells in enumerate(records):
        if len(cells) != len(columns):
            raise BenchmarkError(
                f"the row has {len(cells)} cells, the first {len(columns)}",
                "quote cells that hold the delimiter or a line break",
                path=path,
                row=row,
            )
        # A column without a name is the row number that data frames write.
        yield row, {name: cell for name, cell in zip(columns, cells, strict=True) if name}


def _columns(rows: list[list[str]], delimiter: str, fields: FieldMap | None) -> Sequence[str]:
    """Return the names of the columns: the first row itself, unless that is already data."""
    first = rows[0]
    if fields is not None:
        numbered = all(key.isdecimal() and key not in first for key in fields.named())
        return [str(number) for number in range(len(first))] if numbered else first
    if recognise(dict.fromkeys(filter(None, first))) is not None:
        return first
    if len(first) == len(_MMLU_COLUMNS) and all(row[-1] in ("A", "B", "C", "D") for row in rows):
        return _MMLU_COLUMNS
    if len(first) == len(_MGSM_COLUMNS) and delimiter == "\t":
        return _MGSM_COLUMNS
    return first


def _cells(text: str, path: str, delimiter: str) -> list[list[str]]:
    """Return the rows of a table, empty lines left out."""
    # A process-wide setting of the csv module; its default refuses cells over 128 KiB.
    limit = csv.field_size_limit(MAX_BYTES)
    try:
        return _parse_cells(text, delimiter, quoted=True)
    except csv.Error as error:
        if delimiter == "\t":
            # Many TSV files, MGSM's among them, do not quote: a quote in them is text.
            return _parse_cells(text, delimiter, quoted=False)
        raise BenchmarkError(
            f"is not CSV: {error}",
            'double the quotes inside a quoted cell ("") and close the last one',
            path=path,
        ) from error
    finally:
        csv.field_size_limit(limit)


def _parse_cells(text: str, delimiter: str, *, quoted: bool) -> list[list[str]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    return [cells for cells in reader if cells]


def too_large(path: str) -> BenchmarkError:
    """Return the error of a file that is too large to be a benchmark."""
    return BenchmarkError(
        f"is larger than {MAX_BYTES >> 20} MiB unpacked", "split the file", path=path
    )


def named_keys(record: Record) -> str:
    """Name the keys of a record for a message; the first twenty of many."""
    keys = [repr(key if len(key) <= 40 else key[:39] + "…") for key in map(str, record)]
    more = f" and {len(keys) - 20} more" if len(keys) > 20 else ""
    return ", ".join(keys[:20]) + more if keys else "(none)"
