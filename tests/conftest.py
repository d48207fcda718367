"""Shared fixtures: the shared data, tiny benchmarks and corpora, and a scan without files.

The fixtures are functions of session scope without state, so property tests may use them.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

from corpora.benchmarks import Benchmark, Item
from corpora.documents import Batch
from corpora.normal_form import word_hashes
from corpora.shards import Columns, Compression, Format, Shard
from indexes.background import Background, load_background
from indexes.seeds import seed_hashes
from pipelines.shard_step import ScanPlan, StepResult, scan_batch
from scanners.findings import Finding
from scanners.patterns import build_patterns

# CI tries the same examples every time; a run at home looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


class Scan(NamedTuple):
    """What `scan_documents` gives."""

    findings: list[Finding]
    plan: ScanPlan
    result: StepResult

    def flags(self):
        """The labs' definitions: {name: bool of shape (items,)}."""
        return self.plan.tally.flags()


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real benchmarks and corpora beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def vocabulary():
    """Made-up words of four syllables, all different, as `vocabulary(first, last)`."""

    def words(first, last):
        return [_made_up(number) for number in range(first, last)]

    return words


def _made_up(number):
    number = number * 7919 % len(SYLLABLES) ** 4  # a prime: neighbours do not look alike
    syllables = []
    for _ in range(4):
        number, syllable = divmod(number, len(SYLLABLES))
        syllables.append(SYLLABLES[syllable])
    return "".join(syllables)


@pytest.fixture(scope="session")
def make_item():
    """An `Item` from the fields it has."""

    def make(question="", *, id="item", answer="", passage="", choices=()):  # noqa: A002 - the name of the field
        return Item(id, question, answer, passage, tuple(choices))

    return make


@pytest.fixture(scope="session")
def scan_documents():
    """Scan texts for items without files: `scan_documents(items, texts)` gives a `Scan`.

    The background knows nothing but the phrases given (texts; all their seeds are common), so an
    item's word that no other question has weighs 14 bits and can be counted by hand; `shipped` takes
    the one that ships instead. `segment_bytes` cuts documents into smaller pieces than a scan does.
    """

    def scan(
        items, texts, *, phrases=(), several_benchmarks=False, scanners=("ngram",), shipped=False,
        segment_bytes=None,
    ):  # fmt: skip
        groups = [[item] for item in items] if several_benchmarks else [list(items)]
        benchmarks = [
            Benchmark(f"b{number}", f"b{number}.jsonl", "", "sluicegate", tuple(group))
            for number, group in enumerate(groups)
        ]
        background = load_background() if shipped else _background(phrases)
        plan = ScanPlan(benchmarks, build_patterns(benchmarks, background), scanners)
        if segment_bytes is not None:
            plan.target = plan.target._replace(segment_bytes=segment_bytes)
        result = StepResult(_shard())
        scan_batch(_batch(texts), plan, result)
        return Scan([place.finding for place in result.places], plan, result)

    return scan


def _background(phrases):
    seeds = [seed_hashes(word_hashes(phrase)) for phrase in phrases]
    none = np.zeros(0, np.uint64)
    return Background(
        none,
        np.zeros(0, np.uint32),
        np.unique(np.concatenate([none, *seeds])),
        np.zeros(0, np.uint32),
        1,
    )


def _shard():
    return Shard("c.jsonl", Format.JSONL, Compression.NONE, Columns(), None, 0)


def _batch(texts):
    nothing = pa.nulls(len(texts), pa.large_string())
    column = pa.array(texts, pa.large_string())
    return Batch(_shard(), np.arange(len(texts)), column, nothing, nothing)


@pytest.fixture(scope="session")
def write_benchmark():
    """Write items (dicts of id, question, answer, choices, passage) as JSON lines; gives the path."""

    def write(path, items):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))
        return path

    return write


@pytest.fixture(scope="session")
def write_corpus():
    """Write documents (dicts, or texts) as the path's suffix says; gives the path."""

    def write(path, documents, *, row_group_size=1000):
        rows = [{"text": row} if isinstance(row, str) else row for row in documents]
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=row_group_size)
        elif path.suffix == ".jsonl":
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            path.write_text(lines, encoding="utf-8", newline="\n")
        else:
            raise ValueError(f"a corpus ends in .parquet or .jsonl, not {path.suffix!r}")
        return path

    return write
