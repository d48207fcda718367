"""How many near-duplicates are found in real text, by how alike they are, against what theory promises.

Two sets of pairs that other people made, none of them planted:

* documents of corpora/mix that have the same id in v1 and in v2: a file in two revisions of its source;
* editions of a book (groundtruth/book_editions): those of one work are near, those of two are not.

For each pair the exact Jaccard similarity of the word 5-grams is computed from the texts. The pair is
found if both documents are in one cluster of `sluicegate duplicates v2 --against v1`. "expected" is the mean
probability that the two are linked directly; a third document between them can only add to it.

    python benchmarks/quality_duplicates.py [--data DIR] [--threshold 0.8]
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    read_records,
    table,
)

import sluicegate
from corpora.documents import read_batches
from corpora.problems import ReadLog
from corpora.shards import Columns, resolve
from indexes.document_links import least_equal_positions, link_probability
from indexes.minhash import Bands
from pipelines.duplicate_proof import jaccard

STEPS: Final = (0.0, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)


def main() -> int:
    """Print both tables."""
    parser = argument_parser(__doc__)
    parser.add_argument("--threshold", type=float, default=0.8)
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    revisions(data / "corpora" / "mix", options.threshold)
    editions(data / "groundtruth" / "book_editions.jsonl.zst", options.threshold)
    return 0


def revisions(mix: Path, threshold: float) -> None:
    """Print how many documents of the same id are found, by their exact similarity."""
    result = sluicegate.duplicates(mix / "v2", mix / "v1", threshold=threshold)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    read = result.run["read"]
    print(
        f"# mix v2 against v1: {read['candidate']['documents']} and {read['baseline']['documents']} "
        f"documents, {read['candidate']['bytes'] + read['baseline']['bytes']} bytes; {machine()}; "
        f"{result.run['timings']}; peak {peak:.0f} MiB\n"
    )
    found = result.duplicates().select("version", "doc_id", "cluster")
    old = dict(found.filter(pl.col("version") == "baseline").drop("version").iter_rows())
    new = dict(found.filter(pl.col("version") == "candidate").drop("version").iter_rows())
    parameters = result.report["parameters"]
    bands = Bands(int(str(parameters["bands"])), int(str(parameters["rows"])))
    least = least_equal_positions(threshold)
    rows = []
    for doc_id, exact in similarities(mix):
        is_found = doc_id in old and old[doc_id] == new.get(doc_id)
        rows.append((exact, is_found, link_probability(exact, bands, least)))
    exact, is_found, expected = np.array(rows).T
    print(
        table(
            list(by_similarity(exact, is_found, expected)),
            ("jaccard", "pairs", "found", "expected"),
        ),
        "\n",
    )


def by_similarity(
    exact: np.ndarray, is_found: np.ndarray, expected: np.ndarray
) -> Iterator[tuple[str, int, int, str]]:
    """Yield a line for each step of similarity."""
    for low, high in zip(STEPS, [*STEPS[1:], 1.1], strict=True):
        own = (exact >= low) & (exact < high)
        name = f"{low:.2f} to {high:.2f}" if low < 1 else "1.00"
        yield name, int(own.sum()), int(is_found[own].sum()), f"{expected[own].sum():.1f}"


def similarities(mix: Path) -> Iterator[tuple[str, float]]:
    """Yield id and exact similarity of the documents that both versions have, domain by domain."""
    for old in sorted((mix / "v1").iterdir()):
        domain = old.name.split("-")[0]
        if not old.name.startswith(f"{domain}-00000"):
            continue
        before = texts(mix / "v1" / f"{domain}-*")
        for doc_id, text in texts(mix / "v2" / f"{domain}-*").items():
            if doc_id in before:
                yield doc_id, 1.0 if before[doc_id] == text else jaccard(before[doc_id], text)


def texts(glob: Path) -> dict[str, str]:
    """Return the texts of some shards by id."""
    return {
        doc_id: text
        for shard in resolve([str(glob)], Columns())
        for batch in read_batches(shard, ReadLog())
        for doc_id, text in zip(batch.ids.to_pylist(), batch.texts.to_pylist(), strict=True)
    }


def editions(path: Path, threshold: float) -> None:
    """Print which pairs of books are found."""
    found = sluicegate.duplicates(path, domain="work", threshold=threshold).duplicates()
    cluster: dict[str, int] = dict(found.select("doc_id", "cluster").iter_rows())
    records: list[dict[str, Any]] = read_records(path)
    rows = []
    for is_same in (True, False):
        pairs = [
            (
                cluster.get(a["id"], a["id"]) == cluster.get(b["id"], b["id"]),
                jaccard(a["text"], b["text"]),
            )
            for a, b in combinations(records, 2)
            if (a["work"] == b["work"]) == is_same
        ]
        least, most = min(j for _, j in pairs), max(j for _, j in pairs)
        rows.append(
            ("same work" if is_same else "two works", len(pairs), sum(f for f, _ in pairs), f"{least:.3f} to {most:.3f}")
        )  # fmt: skip
    print("# book editions\n")
    print(table(rows, ("pairs of", "pairs", "found", "exact jaccard")))


if __name__ == "__main__":
    raise SystemExit(main())
