"""Reading benchmarks: from the paths a user names to items with their fields.

Files are JSON Lines, JSON (an array of records, or an object that holds one), Parquet, CSV and TSV; all
but Parquet also packed as .gz, .zst, .bz2 or .xz. A benchmark is one file. It is small next to a corpus,
so it is read whole, and anything wrong with it ends the run: a scan against half a benchmark would call
the other half clean. `corpora.layouts` knows which key holds what, `corpora.hub` fetches `hf://` URLs.
"""

from __future__ import annotations

import bz2
import csv
import difflib
import glob
import gzip
import hashlib
import io
import json
import lzma
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.fields import EXAMPLE, BenchmarkError, FieldMap
from corpora.hub import SCHEME, fetch
from corpora.layouts import LAYOUTS, FieldError, Fields, Layout, Record, by_map, recognise

__all__ = ["Benchmark", "BenchmarkError", "FieldMap", "Item", "read_benchmarks"]

MAX_BYTES = 1 << 30  # unpacked; the largest known benchmark file has a fifth of it
PACKINGS = (".gz", ".zst", ".bz2", ".xz")
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (".parquet", *KINDS, *(kind + packing for kind in KINDS for packing in PACKINGS))

# Original files that come without a header, by their number of columns.
_MMLU_COLUMNS = ("question", "A", "B", "C", "D", "answer")
_MGSM_COLUMNS = ("question", "answer_number")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a benchmark; a field that it does not have is "" (choices: the empty tuple)."""

    id: str
    question: str
    answer: str
    passage: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All items of one file.

    Attributes:
        name: unique in a run; the file's name without suffixes, with folders where two files share it.
        path: the file as the user named it.
        digest: SHA-256 of the file's bytes as they lie on disk, in hexadecimal.
        layout: a key of `corpora.layouts.LAYOUTS`, or "fields" where a `FieldMap` was given.
        items: in the order of the file; their ids are unique.
    """

    name: str
    path: str
    digest: str
    layout: str
    items: tuple[Item, ...]


def read_benchmarks(paths: Sequence[str], fields: FieldMap | None = None) -> list[Benchmark]:
    """Return the benchmarks in the files that `paths` name, sorted by name, each file once.

    A path is a file, a folder (searched for files of the known kinds, without hidden ones), a glob or a
    `hf://datasets/OWNER/NAME` URL. `fields` says which keys hold what in all of these files; without it
    the layout of each file is recognised. Names do not depend on the order of `paths`.

    Raises:
        BenchmarkError: a file is missing, unreadable, damaged or empty, its layout is unknown, a field
            is not text, an item is empty, or two items share an id.
    """
    sources = _sources(paths)
    names = _names(sources)
    benchmarks = [_read(source, names[source], fields) for source in sources]
    return sorted(benchmarks, key=lambda benchmark: benchmark.name)


# --- which files ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Source:
    shown: str  # as the user named it
    file: Path
    folders: tuple[str, ...]  # the folders above it, outermost first: what may tell namesakes apart
    depth: int = 0  # how many of the folders belong to its name in any case


def _sources(paths: Sequence[str]) -> list[_Source]:
    if not paths:
        raise BenchmarkError("no benchmark is named", "name at least one file, folder or glob")
    files: dict[str, _Source] = {}
    for source in sorted(
        chain.from_iterable(map(_expand, paths)), key=lambda source: (source.shown, source.folders)
    ):
        files.setdefault(os.path.realpath(source.file), source)
    return list(files.values())


def _expand(path: str) -> Iterator[_Source]:
    if path.startswith(SCHEME):
        for found in fetch(path, SUFFIXES):
            # Files on the hub are called test-00000-of-00001: the data set's name has to be there.
            inside = found.path.split("/")[:-1]
            yield _Source(found.url, found.file, (*found.repo.split("/"), *inside), len(inside) + 1)
        return
    for name in _matches(path):
        if Path(name).is_dir():
            yield from map(_local, _in_folder(name))
        elif name.lower().endswith(SUFFIXES):
            yield _local(name)
        elif name == path:
            raise BenchmarkError(
                "is not of a known kind", f"known are {', '.join(SUFFIXES)}", path=path
            )


def _local(name: str) -> _Source:
    file = Path(name)
    return _Source(file.as_posix(), file, file.absolute().parent.parts)


def _matches(path: str) -> list[str]:
    """Return the path itself or what it matches as a glob; a file whose name looks like one wins."""
    if os.path.lexists(path):
        return [path]
    if not glob.has_magic(path):
        raise BenchmarkError("does not exist", _nearest(Path(path)), path=path)
    matches = [
        match
        for match in glob.glob(path, recursive=True)  # noqa: PTH207 Path.glob takes no absolute pattern
        if Path(match).is_dir() or match.lower().endswith(SUFFIXES)
    ]
    if not matches:
        raise BenchmarkError(
            "matches no file of a known kind", f"known are {', '.join(SUFFIXES)}", path=path
        )
    return matches


def _nearest(path: Path) -> str:
    folder = path.parent
    try:
        names = os.listdir(folder)  # noqa: PTH208 names are wanted, not paths
    except OSError:
        return f"the folder {folder.as_posix()!r} cannot be listed: check the path"
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.4)
    if not close:
        return "check the path"
    return f"did you mean {(folder / close[0]).as_posix()!r}?"


def _in_folder(folder: str) -> list[str]:
    def fail(error: OSError) -> None:
        # os.walk would pass over a folder it may not list, and its benchmarks would not be missed.
        raise BenchmarkError(
            f"cannot be listed: {error.strerror}", "give read permission", path=str(error.filename)
        ) from error

    found = []
    for where, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        visible = [name for name in names if not name.startswith(".")]
        found += [f"{where}/{name}" for name in visible if name.lower().endswith(SUFFIXES)]
    if not found:
        raise BenchmarkError(
            "the folder holds no file of a known kind",
            f"known are {', '.join(SUFFIXES)}",
            path=folder,
        )
    return found


def _names(sources: list[_Source]) -> dict[_Source, str]:
    """Return a unique name for each source: its stem, with as few folders as tell namesakes apart."""
    twins = Counter((source.folders, _stem(source)) for source in sources)
    labels = {
        source: _stem(source) if twins[source.folders, _stem(source)] == 1 else _file_name(source)
        for source in sources
    }
    names: dict[_Source, str] = {}
    groups = defaultdict(list)
    for source in sources:
        groups[labels[source]].append(source)
    for label, group in groups.items():
        for source in group:
            names[source] = "/".join((*_telling(source, group), label))
    for name, count in Counter(names.values()).items():
        if count > 1:
            shown = [source.shown for source in sources if names[source] == name]
            raise BenchmarkError(
                f"{' and '.join(map(repr, shown))} would have the same name", "rename one of them"
            )
    return names


def _telling(source: _Source, group: list[_Source]) -> tuple[str, ...]:
    """Return the last folders of `source`, just as many as make all of `group` differ."""
    deepest = max(len(member.folders) for member in group)
    for depth in range(deepest + 1):
        tails = {_tail(member, depth) for member in group}
        if len(tails) == len(group):
            return _tail(source, depth)
    return source.folders


def _tail(source: _Source, depth: int) -> tuple[str, ...]:
    depth = max(depth, source.depth)
    return source.folders[-depth:] if depth else ()


def _file_name(source: _Source) -> str:
    return source.shown.rsplit("/", 1)[-1]


def _stem(source: _Source) -> str:
    name = _file_name(source)
    suffix = max((end for end in SUFFIXES if name.lower().endswith(end)), key=len)
    return name[: -len(suffix)]


# --- from a file to its items ---------------------------------------------------------------------


def _read(source: _Source, name: str, fields: FieldMap | None) -> Benchmark:
    data = _file_bytes(source)
    layout, items = _items(_records(data, source.shown, fields), source.shown, fields)
    _refuse_lone_surrogates(items, source.shown)
    _refuse_duplicates(items, source.shown)
    digest = hashlib.sha256(data).hexdigest()
    return Benchmark(name, source.shown, digest, layout, tuple(item for _, item in items))


def _items(
    records: Iterable[tuple[int, Record]], path: str, fields: FieldMap | None
) -> tuple[str, list[tuple[int, Item]]]:
    """Return the layout's name and (row, item) for each record."""
    found: set[str] = set()
    name, layout = "fields", None
    read = by_map(fields, found) if fields is not None else None
    items: list[tuple[int, Item]] = []
    for row, record in records:
        if read is None:
            name, layout = _layout(record, path, row)
            read = layout.read
        elif layout is not None and not layout.fits(record):
            raise BenchmarkError(
                f"the keys {_keys(record)} do not fit the layout {name!r} of the rows before",
                f"keep one layout to a file, or name the keys: {EXAMPLE}",
                path=path,
                row=row,
            )
        items.append((row, _item(read, record, path, row)))
    if not items:
        raise BenchmarkError("has no items", "name a file with at least one record", path=path)
    for key in fields.named() if fields is not None else ():
        if key not in found:
            raise BenchmarkError(
                f"--fields names {key!r}, which no record has", "check the keys", path=path
            )
    return name, items


def _layout(record: Record, path: str, row: int) -> tuple[str, Layout]:
    name = recognise(record)
    if name is None:
        raise BenchmarkError(
            f"no known layout has the keys {_keys(record)}",
            f"say which key holds what, for example {EXAMPLE}",
            path=path,
            row=row,
        )
    return name, LAYOUTS[name]


def _keys(record: Record) -> str:
    keys = [repr(key if len(key) <= 40 else key[:39] + "…") for key in map(str, record)]
    more = f" and {len(keys) - 20} more" if len(keys) > 20 else ""
    return ", ".join(keys[:20]) + more if keys else "(none)"


def _item(read: Callable[[Record], Fields], record: Record, path: str, row: int) -> Item:
    try:
        question, answer, choices, passage, ident = read(record)
    except FieldError as error:
        raise BenchmarkError(str(error), "mend the record", path=path, row=row) from error
    if not (question or answer or passage or any(choices)):
        raise BenchmarkError(
            "the item has neither question, choices, answer nor passage",
            "fill or delete the record",
            path=path,
            row=row,
        )
    return Item(str(row) if ident is None else ident, question, answer, passage, choices)


def _refuse_lone_surrogates(items: list[tuple[int, Item]], path: str) -> None:
    r"""Refuse text that no UTF-8 can hold, as the JSON escape "\ud800" alone makes it."""

    def texts(item: Item) -> Iterator[str]:
        yield from (item.id, item.question, item.answer, item.passage, *item.choices)

    try:
        "".join([text for _, item in items for text in texts(item)]).encode()
    except UnicodeEncodeError:
        for row, item in items:
            bad = [ch for text in texts(item) for ch in text if "\ud800" <= ch <= "\udfff"]
            if bad:
                raise BenchmarkError(
                    f"the text holds half a character, {bad[0]!r}",
                    "write the whole surrogate pair or the character itself",
                    path=path,
                    row=row,
                ) from None
        raise


def _refuse_duplicates(items: list[tuple[int, Item]], path: str) -> None:
    if len({item.id for _, item in items}) == len(items):
        return
    rows = defaultdict(list)
    for row, item in items:
        rows[item.id].append(row)
    twice = {ident: where for ident, where in rows.items() if len(where) > 1}
    shown = [
        f"{ident!r} in rows {', '.join(map(str, where[:5]))}{' ...' if len(where) > 5 else ''}"
        for ident, where in list(twice.items())[:5]
    ]
    raise BenchmarkError(
        f"{len(twice)} ids are not unique: {'; '.join(shown)}",
        "make them unique, or leave the id out of --fields to number the items by row",
        path=path,
    )


# --- from bytes to records ------------------------------------------------------------------------


def _file_bytes(source: _Source) -> bytes:
    try:
        if source.file.stat().st_size > MAX_BYTES:
            raise _too_large(source.shown)
        return source.file.read_bytes()
    except OSError as error:
        raise BenchmarkError(
            f"cannot be read: {error.strerror}",
            "check the file and its permissions",
            path=source.shown,
        ) from error


def _too_large(path: str) -> BenchmarkError:
    return BenchmarkError(
        f"is larger than {MAX_BYTES >> 20} MiB unpacked", "split the file", path=path
    )


def _records(data: bytes, path: str, fields: FieldMap | None) -> Iterator[tuple[int, Record]]:
    """Return (row, record) for each record of the file `data`, of the kind that the path's name says."""
    suffix = max((end for end in SUFFIXES if path.lower().endswith(end)), key=len)
    if suffix == ".parquet":
        return _parquet(data, path)
    _, kind, packing = (*suffix.split("."), "")[:3]
    text = _decode(_unpacked(data, packing, path), path)
    if kind in ("csv", "tsv"):
        return _table(text, path, "," if kind == "csv" else "\t", fields)
    return _json(text, path) if kind == "json" else _json_lines(text, path)


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
        raise _too_large(path)
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
            f"holds several arrays: {_keys(dict.fromkeys(arrays))}", "keep one to a file", path=path
        )
    return value[arrays[0]] if arrays else [value]


def _parquet(data: bytes, path: str) -> Iterator[tuple[int, Record]]:
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(group).total_byte_size for group in groups) > MAX_BYTES:
            raise _too_large(path)
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
