"""What the comparisons share: the folder of data, texts in and out of files, what each document does.

Texts are scanned through files, as a user's are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

import sluicegate
from corpora.benchmarks import read_benchmarks
from corpora.shards import Columns, resolve
from indexes.background import load_background
from pipelines.settings import ScanSettings
from pipelines.shard_step import Place, ScanPlan, scan_shard
from pipelines.tables import STATUS_NAMES, benchmark_name
from scanners.judge import Status
from scanners.patterns import build_patterns

CONTAMINATED, SUSPECT, CLEAN = "contaminated", "suspect", "clean"
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


class Scanner:
    """Benchmarks indexed once, and what each document does to each item.

    The public tables tell the status of an item over all documents, so this is the one place that asks
    the pipeline's step itself, with the same settings.
    """

    def __init__(self, benchmarks: Sequence[Path], scanners: Sequence[str] = ("ngram",)) -> None:
        read = read_benchmarks([str(path) for path in benchmarks])
        patterns = build_patterns(read, load_background())
        self.plan = ScanPlan(read, patterns, scanners=scanners)

    def unsearchable(self) -> set[str]:
        """Return the items that cannot be searched."""
        reasons = zip(self.plan.items, self.plan.patterns.reasons, strict=True)
        return {item.id for item, reason in reasons if reason}

    def verdicts(self, texts: Sequence[str], least: Status = Status.SUSPECT) -> list[Verdict]:
        """Return what is contaminated or suspect, one verdict a document and item, sorted.

        With `least` WEAK also what is recorded of items that stay clean.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "documents.jsonl"
            write_documents(path, texts)
            shard = resolve([str(path)], Columns())[0]
            batch_bytes = ScanSettings().batch_bytes
            *_, result = scan_shard(shard, self.plan, batch_bytes=batch_bytes, read_ahead=False)
        best: dict[tuple[int, int], Place] = {}
        for place in result.places:
            key = (place.row, place.finding.item)
            if key not in best or _strength(place) > _strength(best[key]):
                best[key] = place
        return [
            self._verdict(place)
            for _, place in sorted(best.items())
            if place.finding.status >= least
        ]

    def _verdict(self, place: Place) -> Verdict:
        found = place.finding
        return Verdict(
            row=place.row,
            benchmark=benchmark_name(self.plan, found.item),
            item=self.plan.items[found.item].id,
            status=STATUS_NAMES.get(Status(found.status), CLEAN),
            leak_type=found.leak_type,
            score=found.score,
        )


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


def _strength(place: Place) -> tuple[int, float]:
    return place.finding.status, place.finding.score


def _is_number(cell: str) -> bool:
    return cell.replace(" ", "").replace(".", "").replace("%", "").replace("-", "").isdigit()


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = [
        cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(row, widths, right, strict=True)
    ]
    return "| " + " | ".join(cells) + " |"
