"""Reading benchmarks: from the paths a user names to items with their fields.

Files are JSON Lines, JSON (an array of records, or an object that holds one), Parquet, CSV and TSV; all
but Parquet also packed as .gz, .zst, .bz2 or .xz. A benchmark is one file. It is small next to a corpus,
so it is read whole, and anything wrong with it ends the run: a scan against half a benchmark would call
the other half clean. `corpora.layouts` knows which key holds what, `corpora.hub` fetches `hf://` URLs.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from corpora.fields import EXAMPLE, BenchmarkError, FieldMap
from corpora.hub import SCHEME, fetch
from corpora.layout_forms import by_map
from corpora.layout_values import FieldError, Fields, Record
from corpora.layouts import LAYOUTS, Layout, recognise
from corpora.records import (
    MAX_BYTES,
    SUFFIXES,
    does_not_exist,
    named_keys,
    records,
    too_large,
)

__all__ = ["Benchmark", "BenchmarkError", "FieldMap", "Item", "read_benchmarks"]


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
        raise does_not_exist(Path(path))
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
    layout, items = _items(records(data, source.shown, fields), source.shown, fields)
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
                f"the keys {named_keys(record)} do not fit the layout {name!r} of the rows before",
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
            f"no known layout has the keys {named_keys(record)}",
            f"say which key holds what, for example {EXAMPLE}",
            path=path,
            row=row,
        )
    return name, LAYOUTS[name]


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

    def texts(item: Item) -> tuple[str, ...]:
        return (item.id, item.question, item.answer, item.passage, *item.choices)

    try:
        for _, item in items:
            for text in texts(item):
                if not text.isascii():
                    text.encode()
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
        f"{len(twice)} {'ids are' if len(twice) > 1 else 'id is'} not unique: {'; '.join(shown)}",
        "make them unique, or leave the id out of --fields to number the items by row",
        path=path,
    )


def _file_bytes(source: _Source) -> bytes:
    try:
        if source.file.stat().st_size > MAX_BYTES:
            raise too_large(source.shown)
        return source.file.read_bytes()
    except OSError as error:
        raise BenchmarkError(
            f"cannot be read: {error.strerror}",
            "check the file and its permissions",
            path=source.shown,
        ) from error
