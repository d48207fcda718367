"""What the comparisons share: the folder of data, texts in and out of files, one verdict per document.

The statuses of a scan are told per item, over all documents. To know what one document does to one
item, documents that touch the same item are scanned apart (`scan_documents`), so nothing here looks
inside the product.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

import sluicegate

CONTAMINATED, SUSPECT = "contaminated", "suspect"
FILLER_SIDE_WORDS: Final = 35
DEFAULT_DATA: Final = Path(__file__).resolve().parents[1].parent / "shared" / "data"


class MissingDataError(ValueError):
    """The folder of real data is not there."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one document does to one item."""

    row: int
    benchmark: str
    item: str
    status: str
    leak_type: str
    score: float


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows --data."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="DIR",
        help="folder with benchmarks/, corpora/ and groundtruth/ (default: ../shared/data beside "
        "the checkout)",
    )
    return parser


def check_data(folder: Path) -> Path:
    """Return the folder of real data.

    Raises:
        MissingDataError: where it lacks one of its three parts.
    """
    missing = [
        name for name in ("benchmarks", "corpora", "groundtruth") if not (folder / name).is_dir()
    ]
    if missing:
        raise MissingDataError(
            f"{folder}: no folder {', '.join(missing)}; name the folder that holds benchmarks/, "
            "corpora/ and groundtruth/ with --data DIR"
        )
    return folder


def exit_without_data(error: MissingDataError) -> None:
    """End the program with the reason, status 2."""
    print(error, file=sys.stderr)
    raise SystemExit(2)


def read_records(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a `.jsonl.zst` file in order."""
    with pa.input_stream(path, compression="zstd") as stream:
        return [json.loads(line) for line in stream.read().split(b"\n") if line]


def benchmark_file(data: Path, name: str) -> Path:
    """Return the file of a benchmark of the shared data."""
    return data / "benchmarks" / f"{name}.jsonl.zst"


def write_documents(path: Path, texts: Iterable[str]) -> None:
    """Write texts as JSON Lines, one document a line."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")


def scan_texts(texts: Sequence[str], benchmarks: Sequence[Path]) -> Any:
    """Return `sluicegate.scan` of texts through a temporary file; row k is texts[k]."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.jsonl"
        write_documents(path, texts)
        return sluicegate.scan(path, benchmarks)


def scan_documents(texts: Sequence[str], benchmarks: Sequence[Path]) -> list[Verdict]:
    """Return the verdicts (contaminated or suspect) of each document by itself, sorted by row."""
    result = scan_texts(texts, benchmarks)
    rows = _rows_by_item(result)
    alone = {item for item, found in rows.items() if len(found) == 1}
    verdicts = _verdicts(result, alone, range(len(texts)))
    shared = {item: found for item, found in rows.items() if len(found) > 1}
    for group in _apart(shared):
        result = scan_texts([texts[row] for row in group], benchmarks)
        verdicts += _verdicts(result, shared.keys(), group)
    return sorted(verdicts, key=lambda v: (v.row, v.benchmark, v.item))


def filler_words(data: Path) -> list[str]:
    """Return the words of news and books of the corpus, as they stand."""
    words: list[str] = []
    for shard, documents in (("news", 300), ("books", 6)):
        records = read_records(data / "corpora" / "mix" / "v1" / f"{shard}-00000.jsonl.zst")
        for record in records[:documents]:
            words += record["text"].split()[:4000]
    return words


class Filler:
    """Unrelated text to put around a probe; the same calls in the same order give the same text."""

    def __init__(self, data: Path, seed: int) -> None:
        self.words = filler_words(data)
        self.random = np.random.default_rng(seed)

    def some(self, n_words: int) -> str:
        """Return a run of words from a random place."""
        first = int(self.random.integers(len(self.words) - n_words))
        return " ".join(self.words[first : first + n_words])

    def around(self, text: str) -> str:
        """Return a text between two runs of filler, 70 words in all."""
        return f"{self.some(FILLER_SIDE_WORDS)}\n\n{text}\n\n{self.some(FILLER_SIDE_WORDS)}"


def table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Return a Markdown table; numbers are set to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    right = [all(_is_number(row[column]) for row in cells[1:]) for column in range(len(header))]
    lines = [_line(row, widths, right) for row in cells]
    rule = [("-" * (w - 1) + ":" if r else "-" * w) for w, r in zip(widths, right, strict=True)]
    return "\n".join([lines[0], "| " + " | ".join(rule) + " |", *lines[1:]])


def shorten(text: str, n_chars: int = 200) -> str:
    """Return a text on one line, cut to a number of characters."""
    line = " ".join(text.split())
    return line if len(line) <= n_chars else line[: n_chars - 1] + "…"


def machine() -> str:
    """Return where a number was measured, in a few words."""
    return f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, Sluicegate {sluicegate.__version__}"


def _rows_by_item(result: Any) -> dict[tuple[str, str], set[int]]:
    """Return the rows with findings of each item that is contaminated or suspect."""
    told = result.items.filter(pl.col("status").is_in([CONTAMINATED, SUSPECT]))
    found = result.findings.join(told, on=["benchmark", "item_id"], how="semi")
    rows: dict[tuple[str, str], set[int]] = defaultdict(set)
    for benchmark, item, row in found.select("benchmark", "item_id", "row").iter_rows():
        rows[benchmark, item].add(row)
    return rows


def _verdicts(result: Any, wanted: Iterable[tuple[str, str]], rows: Sequence[int]) -> list[Verdict]:
    """Return the statuses of the wanted items; each must have findings in one document only.

    `rows[k]` is the number that document k of this scan has for the caller.
    """
    wanted = set(wanted)
    told = result.items.filter(pl.col("status").is_in([CONTAMINATED, SUSPECT]))
    first = result.findings.group_by("benchmark", "item_id").agg(
        pl.col("row").first(), pl.col("row").n_unique().alias("n_rows")
    )
    out = []
    columns = ("benchmark", "item_id", "status", "leak_type", "score", "row", "n_rows")
    joined = told.join(first, on=["benchmark", "item_id"]).select(columns)
    for benchmark, item, status, leak_type, score, row, n_rows in joined.iter_rows():
        if (benchmark, item) in wanted:
            assert n_rows == 1, (benchmark, item)
            out.append(Verdict(rows[row], benchmark, item, status, leak_type, score))
    return out


def _apart(shared: dict[tuple[str, str], set[int]]) -> list[list[int]]:
    """Group rows so that no item has findings in two rows of a group."""
    items_of: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for item, rows in shared.items():
        for row in rows:
            items_of[row].add(item)
    groups: list[tuple[list[int], set[tuple[str, str]]]] = []
    for row, items in sorted(items_of.items()):
        for members, taken in groups:
            if not taken & items:
                members.append(row)
                taken |= items
                break
        else:
            groups.append(([row], set(items)))
    return [members for members, _ in groups]


def _is_number(cell: str) -> bool:
    return cell.replace(" ", "").replace(".", "").replace("%", "").replace("-", "").isdigit()


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)
    ]
    return "| " + " | ".join(cells) + " |"
