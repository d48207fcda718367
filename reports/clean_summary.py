"""From the logs of a cleaning to `clean.json`: counts by benchmark and domain, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import polars as pl

from reports import view
from reports.clean_schema import (
    SCHEMA,
    BenchmarkGone,
    CleanReport,
    DomainGone,
    Remaining,
    Round,
    Total,
)
from reports.schema import Definition, Scalar
from reports.summary import NO_DOMAIN

ITEM: Final = ["benchmark", "item_id"]
SHOWN_REMAINING: Final = 20
SHOWN_SHARDS: Final = 20
SHOWN_DOMAINS: Final = 1000
THIN_SHARE: Final = 0.2
DEFINITIONS: Final[list[Definition]] = [
    {
        "term": "left out",
        "meaning": "the document has a finding and is not in the copy; or, where spans are removed, "
        "nothing else was left of it",
    },
    {
        "term": "cut",
        "meaning": "the matched characters were taken out of the document, and the rest is in the copy",
    },
    {
        "term": "unreadable",
        "meaning": "the document has no valid text; the scan could not search it, so it is not in the copy",
    },
]


@dataclass(frozen=True, slots=True)
class CleanFacts:
    """What a cleaning did.

    `log` has the columns of `removed.parquet`; `documents` those of `Edits.documents`. `actions` says of
    each shard what became of it. `remaining` are findings with the status of their items.
    """

    corpus: str
    copy: str
    findings: str
    parameters: Mapping[str, Scalar]
    tool_version: str
    normal_form: str
    documents_before: int
    bytes_before: int
    domain_documents: Mapping[str, int]  # of the copy
    domain_bytes: Mapping[str, int]
    log: pl.DataFrame
    documents: pl.DataFrame
    actions: Mapping[str, str]
    rounds: Sequence[Round]
    remaining: pl.DataFrame
    notes: Sequence[str]


def build_clean_report(facts: CleanFacts) -> CleanReport:
    """Summarise a cleaning."""
    total = _total(facts)
    is_clean = not facts.remaining.height
    left_out = sorted(path for path, action in facts.actions.items() if action == "left out")
    places = facts.remaining.select("benchmark", "item_id", "status", "shard", "row")
    first = places.sort(places.columns).unique(ITEM, keep="first", maintain_order=True)
    return {
        "schema": SCHEMA,
        "tool": {"name": "sluicegate", "version": facts.tool_version},
        "title": _title(total, first.height, is_clean),
        "clean": is_clean,
        "corpus": facts.corpus,
        "copy": facts.copy,
        "findings": facts.findings,
        "parameters": dict(facts.parameters),
        "normal_form": facts.normal_form,
        "before": {
            "shards": len(facts.actions),
            "documents": facts.documents_before,
            "bytes": facts.bytes_before,
        },
        "after": {
            "shards": len(facts.actions) - len(left_out),
            "documents": sum(facts.domain_documents.values()),
            "bytes": sum(facts.domain_bytes.values()),
        },
        "removed": total,
        "shards": {
            "copied": sum(action == "copied" for action in facts.actions.values()),
            "rewritten": sum(action == "rewritten" for action in facts.actions.values()),
            "left_out": len(left_out),
            "names_left_out": left_out[:SHOWN_SHARDS],
        },
        "benchmarks": _benchmarks(facts.log),
        "domains": _domains(facts),
        "rounds": list(facts.rounds),
        "remaining_total": first.height,
        "remaining": cast("list[Remaining]", first.head(SHOWN_REMAINING).to_dicts()),
        "notes": list(facts.notes),
        "definitions": DEFINITIONS,
    }


def _total(facts: CleanFacts) -> Total:
    documents = facts.documents
    left_out, cut, unreadable = (
        documents.filter(pl.col("action") == action)
        for action in ("document", "span", "unreadable")
    )
    thin = (cut["chars"] - cut["removed_chars"]) < THIN_SHARE * cut["chars"]
    size = int(documents["removed_bytes"].sum())
    return {
        "documents_left_out": left_out.height,
        "documents_cut": cut.height,
        "documents_unreadable": unreadable.height,
        "characters": int(documents["removed_chars"].sum()),
        "bytes": size,
        "share_of_documents": _share(left_out.height + unreadable.height, facts.documents_before),
        "share_of_bytes": _share(size, facts.bytes_before),
        "thin_documents": int(thin.sum()),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _title(total: Total, remaining: int, is_clean: bool) -> str:
    gone = [
        view.plural(number, noun)
        for number, noun in (
            (total["documents_left_out"], "document"),
            (total["documents_unreadable"], "unreadable document"),
        )
        if number
    ]
    cut = (
        [f"{view.plural(total['documents_cut'], 'document')} cut"] if total["documents_cut"] else []
    )
    parts = [*([f"{' and '.join(gone)} left out"] if gone else []), *cut] or ["nothing removed"]
    verdict = (
        "the copy is clean" if is_clean else f"NOT CLEAN, {view.plural(remaining, 'item')} left"
    )
    return f"{', '.join(parts)}: {verdict}"


def _benchmarks(log: pl.DataFrame) -> list[BenchmarkGone]:
    found = log.filter(pl.col("benchmark").is_not_null())
    place = pl.struct("shard", "row")
    counts = (
        found.group_by("benchmark")
        .agg(
            pl.col("item_id").n_unique().alias("items"),
            place.filter(pl.col("action") == "document").n_unique().alias("documents_left_out"),
            place.filter(pl.col("action") == "span").n_unique().alias("documents_cut"),
            pl.col("removed_chars").sum().alias("characters"),
        )
        .sort("benchmark")
    )
    return cast("list[BenchmarkGone]", counts.to_dicts())


def _domains(facts: CleanFacts) -> list[DomainGone]:
    """Count by domain; what was before is what is there now and what went."""
    named = facts.documents.with_columns(pl.col("domain").fill_null(""))
    gone = {str(name): own for (name,), own in named.group_by("domain")}
    rows = [
        _domain(facts, name, gone.get(name, named.clear()))
        for name in sorted({*facts.domain_documents, *gone})
    ]
    rows.sort(key=lambda row: (-row["removed_bytes"], -row["documents_unreadable"]))
    return rows[:SHOWN_DOMAINS]


def _domain(facts: CleanFacts, name: str, gone: pl.DataFrame) -> DomainGone:
    left_out, cut, unreadable = (
        int((gone["action"] == action).sum()) for action in ("document", "span", "unreadable")
    )
    return {
        "domain": name or NO_DOMAIN,
        "documents": facts.domain_documents.get(name, 0) + left_out + unreadable,
        "bytes": facts.domain_bytes.get(name, 0)
        + int(gone["bytes"].sum())
        - int(gone["new_bytes"].sum()),
        "documents_left_out": left_out,
        "documents_cut": cut,
        "documents_unreadable": unreadable,
        "characters": int(gone["removed_chars"].sum()),
        "removed_bytes": int(gone["removed_bytes"].sum()),
    }
