"""The item table of an audit: a scan's columns, then evidence, places, sources, subjects and versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import polars as pl

from corpora.benchmarks import Benchmark
from corpora.subjects import answer_types
from pipelines.scan import ScanResult
from scanners.judge import SUSPECT_SCORE

MOST_NAMED: Final = 20  # sources and domains of an item: all are counted


def enrich_items(
    found: ScanResult,
    benchmarks: Sequence[Benchmark],
    subject: Sequence[Sequence[str | None]],
    held: Mapping[tuple[str, str], Sequence[str]] | None,
) -> pl.DataFrame:
    """Return the items of a scan with what an auditor asks of each.

    Args:
        found: the scan.
        benchmarks: as they were read.
        subject: of each item of each benchmark, in the same order.
        held: the versions that hold each item, oldest first; None where only one was looked at.
    """
    known = pl.DataFrame(
        {
            "benchmark": [each.name for each in benchmarks for _ in each.items],
            "item_id": [item.id for each in benchmarks for item in each.items],
            "subject": [name for names in subject for name in names],
            "answer_type": [name for each in benchmarks for name in answer_types(each.items)],
        },
        schema=dict.fromkeys(("benchmark", "item_id", "subject", "answer_type"), pl.String),
    )
    items = found.items.join(known, on=["benchmark", "item_id"], how="left", maintain_order="left")
    items = items.join(
        _evidence(found), on=["benchmark", "item_id"], how="left", maintain_order="left"
    )
    versions = [
        (held or {}).get(key, []) for key in items.select("benchmark", "item_id").iter_rows()
    ]
    return items.with_columns(
        pl.Series("first_version", [names[0] if names else None for names in versions], pl.String),
        pl.Series("last_version", [names[-1] if names else None for names in versions], pl.String),
    )


def _evidence(found: ScanResult) -> pl.DataFrame:
    """Return the best finding of each item and where it stands: evidence no weaker than suspicion."""
    findings = found.findings.filter(pl.col("score") >= SUSPECT_SCORE).with_columns(
        pl.struct("doc_id", "shard")
        .map_elements(lambda place: _source(place["doc_id"], place["shard"]), pl.String)
        .alias("source")
    )
    best = findings.sort(pl.col("score") * -1, maintain_order=True)
    return best.group_by("benchmark", "item_id", maintain_order=True).agg(
        pl.col("field", "kind", "scanner", "identity", "coverage", "longest_run").first(),
        pl.col("shard").first().alias("best_shard"),
        pl.col("row").first().alias("best_row"),
        pl.col("doc_id").first().alias("best_doc_id"),
        pl.col("source").n_unique().cast(pl.Int64).alias("n_sources"),
        pl.col("source").unique().sort().head(MOST_NAMED).alias("sources"),
        pl.col("domain").drop_nulls().unique().sort().head(MOST_NAMED).alias("domains"),
    )


def _source(doc_id: str | None, shard: str) -> str:
    """Return the host of a document whose id is a URL, or else its shard."""
    if doc_id is not None and doc_id.startswith(("http://", "https://")):
        try:
            return urlsplit(doc_id).hostname or shard
        except ValueError:  # no URL after all: corpora hold anything
            return shard
    return shard
