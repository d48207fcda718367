"""What kind of item each is: its subject, as the benchmark's file says it, and the type of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from corpora.benchmarks import Benchmark, Item
from corpora.fields import BenchmarkError
from corpora.layout_values import Record
from corpora.records import records

SUBJECT_KEYS: Final = ("subject", "category", "task", "topic", "dataset", "type", "subset")
FEWEST_OF_SUBJECT: Final = 2  # items, on average: a key with a value per item is an id
SHORT_WORDS: Final = 5
NUMBER: Final = re.compile(r"(?:^|####\s*)[$£€]?-?[\d,]*\.?\d+\s*%?$")


def subjects(benchmark: Benchmark) -> tuple[str | None, ...]:
    """Return the subject of each item, None for all where the file says none.

    The file is read again. The first of `SUBJECT_KEYS` with a text for every record counts, at the top or in
    "meta"; a benchmark that is not a local file has none.
    """
    nothing = (None,) * len(benchmark.items)
    file = Path(benchmark.path)
    if not file.is_file():
        return nothing
    try:
        rows = [record for _, record in records(file.read_bytes(), benchmark.path, None)]
    except BenchmarkError:  # a table that only a field map makes sense of
        return nothing
    if len(rows) != len(benchmark.items):
        return nothing
    for key in SUBJECT_KEYS:
        values = [_value(record, key) for record in rows]
        if all(values) and len(values) >= FEWEST_OF_SUBJECT * len(set(values)) > FEWEST_OF_SUBJECT:
            return tuple(values)
    return nothing


def answer_types(items: Sequence[Item]) -> list[str]:
    """Return the type of each item's answer: choices, number, short, text or none."""
    return [_answer_type(item) for item in items]


def _value(record: Record, key: str) -> str | None:
    meta = record.get("meta")
    value: Any = record.get(key, meta.get(key) if isinstance(meta, dict) else None)
    return value if isinstance(value, str) and value else None


def _answer_type(item: Item) -> str:
    if item.choices:
        return "choices"
    answer = item.answer.strip()
    if not answer:
        return "none"
    if NUMBER.search(answer.rpartition("\n")[2]):
        return "number"
    return "short" if len(answer.split()) <= SHORT_WORDS else "text"
