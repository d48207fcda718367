"""The corpus of `speed_index.py`: shards of real text, written once, and texts of one kind."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from harness import read_records, write_documents
from speed_scan import corpus

SHARD_TEXT_BYTES: Final = 20_000_000
GROUP_ROWS: Final = 1000
JSONL_SHARDS: Final = 10
NEW_SHARDS: Final = 1  # of the second version
SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("id", "text", "domain")])
KINDS: Final[dict[str, Callable[[dict[str, str]], bool]]] = {
    "English prose": lambda row: row["domain"] in ("books", "encyclopedic", "news", "speech"),
    "law, German": lambda row: row["domain"] == "legal",
    "C": lambda row: row["domain"] == "code_c",
    "Python": lambda row: row["domain"] == "code_python",
    "LaTeX": lambda row: row["domain"] == "math_latex",
    "dialogues": lambda row: row["domain"] == "instruct",
    "Chinese": lambda row: row["lang"] == "zh",
    "Japanese": lambda row: row["lang"] == "ja",
}

Row = dict[str, str]


def write_shards(name: str, data: str, layout: str, n_shards: str) -> dict[str, Any]:
    """Write the shards into a folder."""
    folder, number = Path(name), int(n_shards) + NEW_SHARDS
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "parquet").mkdir(parents=True)
    (part / "jsonl").mkdir()
    make = _spread if layout == "spread" else _by_source
    for k, shard in enumerate(make(list(mix(Path(data))), corpus(folder.parent, None), number)):
        _write(part / "parquet" / f"{k:05}.parquet", shard)
        if k < JSONL_SHARDS:
            _write_lines(part / "jsonl" / f"{k:05}.jsonl", shard)
    part.rename(folder)
    return {}


def write_kind(out: str, data: str, kind: str) -> dict[str, Any]:
    """Write the documents of one kind as JSON Lines."""
    write_documents(Path(out), (row["text"] for row in mix(Path(data)) if KINDS[kind](row)))
    return {}


def _spread(rows: list[Row], files: Sequence[Path], number: int) -> Iterator[list[Row]]:
    """Yield shards that each hold a share of every source, in random order."""
    random = np.random.default_rng(0)
    owners = random.permutation(len(rows)) % number
    share = sum(map(_size, rows)) // number
    code = _code(files, number * (SHARD_TEXT_BYTES - share))
    for k in range(number):
        own = [rows[i] for i in np.flatnonzero(owners == k)]
        shard = _take(code, SHARD_TEXT_BYTES - share) + own
        yield [shard[i] for i in random.permutation(len(shard))]


def _by_source(rows: list[Row], files: Sequence[Path], number: int) -> Iterator[list[Row]]:
    """Yield shards of the mix, then those of code."""
    left = number * SHARD_TEXT_BYTES - sum(map(_size, rows))
    documents = itertools.chain(rows, _code(files, left))
    for _ in range(number):
        yield _take(documents, SHARD_TEXT_BYTES)


def _code(files: Sequence[Path], n_bytes: int) -> Iterator[Row]:
    """Yield documents of row groups evenly spread over the sources, at least so many bytes."""
    groups = [(file, g) for file in files for g in range(pq.ParquetFile(file).num_row_groups)]
    wanted = min(len(groups), n_bytes // (16 << 20) + 8)  # speed_scan.py's groups, some to spare
    for at in np.linspace(0, len(groups) - 1, wanted).astype(int).tolist():
        file, group = groups[at]
        yield from pq.ParquetFile(file).read_row_group(group).to_pylist()


def _take(documents: Iterator[Row], n_bytes: int) -> list[Row]:
    taken: list[Row] = []
    size = 0
    while size < n_bytes and (row := next(documents, None)) is not None:
        taken.append(row)
        size += _size(row)
    return taken


def mix(data: Path) -> Iterator[Row]:
    """Yield the documents of the shared mix v2, file by file."""
    for file in sorted((data / "corpora" / "mix" / "v2").iterdir()):
        rows = pq.read_table(file).to_pylist() if file.suffix == ".parquet" else read_records(file)
        for row in rows:
            yield {name: row[name] for name in ("id", "text", "domain", "lang")}


def _size(row: Row) -> int:
    return len(row["text"].encode())


def _write(path: Path, rows: Sequence[Row]) -> None:
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in SCHEMA.names}
    pq.write_table(
        pa.table(columns), path, compression="zstd", use_dictionary=["domain"],
        row_group_size=GROUP_ROWS,
    )  # fmt: skip


def _write_lines(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps({name: row[name] for name in SCHEMA.names}) + "\n")
