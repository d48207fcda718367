"""Paraphrases of items from a file: `item_id`, `text`, and `benchmark` where ids alone are not enough.

The file is of a kind that benchmarks may be, and read as they are: whole, and anything wrong with it
ends the run in one line. A text that belongs to no item would never be planted and never be missed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from corpora.benchmarks import Benchmark, BenchmarkError, FieldMap, Item
from corpora.normal_form import words
from corpora.problems import shown
from corpora.records import MAX_BYTES, SUFFIXES, named_keys, records, too_large

COLUMNS: Final = FieldMap(id=("item_id",), question=("text",))  # a table's first row names them
NAMES_SHOWN: Final = 5
AS_RECORD: Final = 'write {"item_id": ..., "text": ...}'


@dataclass(frozen=True, slots=True)
class ParaphraseFile:
    """What a file holds: for each item its texts, in the order of the file."""

    path: str
    digest: str  # SHA-256 of the bytes as they lie on disk
    texts: Mapping[Item, Sequence[str]]

    @property
    def n_texts(self) -> int:
        """How many texts there are, of all items."""
        return sum(map(len, self.texts.values()))


@dataclass(frozen=True, slots=True)
class _Row:
    row: int
    item_id: str
    benchmark: str | None
    text: str


def read_paraphrases(path: Path, benchmarks: Sequence[Benchmark]) -> ParaphraseFile:
    """Return the paraphrases in a file of JSON lines, JSON, CSV, TSV or Parquet, packed or not.

    Raises:
        BenchmarkError: the file is missing, unreadable, damaged or empty, lacks a column, or a row
            has no text or an item id that no benchmark has, or that several have.
    """
    shown_path = path.as_posix()
    data = _file_bytes(path)
    rows = list(_rows(data, shown_path))
    if not rows:
        raise BenchmarkError("has no paraphrases", AS_RECORD, path=shown_path)
    texts: dict[Item, list[str]] = {}
    for row, item in zip(rows, _items(rows, benchmarks, shown_path), strict=True):
        texts.setdefault(item, []).append(row.text)
    return ParaphraseFile(shown_path, hashlib.sha256(data).hexdigest(), texts)


def _file_bytes(path: Path) -> bytes:
    place = path.as_posix()
    if not path.exists():
        raise BenchmarkError("does not exist", "check --paraphrases", path=place)
    if path.is_dir():
        raise BenchmarkError("is a folder", "name one file of paraphrases", path=place)
    if not place.lower().endswith(SUFFIXES):
        raise BenchmarkError(
            "is not of a known kind", f"known are {', '.join(SUFFIXES)}", path=place
        )
    try:
        if path.stat().st_size > MAX_BYTES:
            raise too_large(place)
        return path.read_bytes()
    except OSError as error:
        raise BenchmarkError(
            f"cannot be read: {error.strerror}", "check the file and its permissions", path=place
        ) from error


def _rows(data: bytes, path: str) -> Iterator[_Row]:
    found = records(data, path, COLUMNS)
    while True:
        try:
            number, record = next(found)
        except StopIteration:
            return
        except BenchmarkError as error:
            if "not an object" in str(error):  # there the mend names the keys of a benchmark
                raise BenchmarkError(
                    "the record is not a JSON object", AS_RECORD, path=path, row=error.row
                ) from error
            raise
        yield _row(number, record, path)


def _row(number: int, record: Mapping[str, Any], path: str) -> _Row:
    for name in ("item_id", "text"):
        if name not in record:
            raise BenchmarkError(
                f"there is no column {name!r} beside {named_keys(record)}",
                "name the columns item_id and text",
                path=path,
                row=number,
            )
    item_id = _label(record, "item_id", number, path)
    if not item_id:
        raise BenchmarkError(
            "the item_id is empty", "fill it or delete the record", path=path, row=number
        )
    return _Row(
        number,
        item_id,
        _label(record, "benchmark", number, path) or None,
        _text(record["text"], number, path),
    )


def _label(record: Mapping[str, Any], name: str, number: int, path: str) -> str:
    """Return a name or number as text; "" where there is none."""
    value = record.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BenchmarkError(
            f"the {name} is {shown(value)}, neither text nor a number",
            "write it as the benchmark does",
            path=path,
            row=number,
        )
    return str(value)


def _text(value: Any, number: int, path: str) -> str:
    if not isinstance(value, str):
        problem = f"the text is {shown(value)}, not text"
    elif any("\ud800" <= char <= "\udfff" for char in value):
        problem = "the text holds half a character"
    elif not len(words(value).starts):
        problem = (
            "the text is empty" if not value.strip() else f"the text {shown(value)} has no word"
        )
    else:
        return value
    raise BenchmarkError(problem, "mend or delete the record", path=path, row=number)


def _items(rows: Sequence[_Row], benchmarks: Sequence[Benchmark], path: str) -> list[Item]:
    """Return the item of each row; an id may be that of items of several benchmarks."""
    owners: dict[str, dict[str, Item]] = {}
    for benchmark in benchmarks:
        for item in benchmark.items:
            owners.setdefault(item.id, {})[benchmark.name] = item
    found = [_candidates(row, owners) for row in rows]
    _refuse_unknown(
        [row for row, own in zip(rows, found, strict=True) if not own], benchmarks, path
    )
    several = [
        (row, own) for row, own in zip(rows, found, strict=True) if len(set(own.values())) > 1
    ]
    _refuse_unclear(several, path)
    return [next(iter(own.values())) for own in found]


def _candidates(row: _Row, owners: Mapping[str, Mapping[str, Item]]) -> Mapping[str, Item]:
    """Return the items that a row may mean, by benchmark."""
    items = owners.get(row.item_id, {})
    if row.benchmark is None:
        return items
    return {name: item for name, item in items.items() if name == row.benchmark}


def _refuse_unknown(rows: Sequence[_Row], benchmarks: Sequence[Benchmark], path: str) -> None:
    if not rows:
        return
    first = rows[0]
    names = sorted(benchmark.name for benchmark in benchmarks)
    owner, mend = "", "write ids as items.parquet of a scan has them"
    if first.benchmark is not None:
        owner = f" of {shown(first.benchmark)}"
        if first.benchmark not in names:
            mend = f"the benchmarks are {', '.join(names[:NAMES_SHOWN])}"
            mend += f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    raise BenchmarkError(
        f"{_rows_with(rows)} an item_id that is in no benchmark, the first {shown(first.item_id)}{owner}",
        mend,
        path=path,
        row=first.row,
    )


def _refuse_unclear(rows: Sequence[tuple[_Row, Mapping[str, Item]]], path: str) -> None:
    if not rows:
        return
    first, items = rows[0]
    raise BenchmarkError(
        f"{_rows_with(rows)} an item_id that several benchmarks have, the first "
        f"{shown(first.item_id)} in {' and '.join(sorted(items)[:NAMES_SHOWN])}",
        "add a column benchmark with the name",
        path=path,
        row=first.row,
    )


def _rows_with(rows: Sequence[object]) -> str:
    return "1 row has" if len(rows) == 1 else f"{len(rows):,} rows have"
