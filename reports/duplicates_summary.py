"""From counts to `duplicates.json`: totals, a title, and what every word means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import polars as pl

from corpora.problems import Problem
from indexes.document_links import MOST_PAIRED, link_probability
from indexes.document_signatures import SHINGLE_WORDS
from indexes.minhash import N_PERMUTATIONS, Bands
from reports import view
from reports.duplicates_schema import (
    SCHEMA,
    CurvePoint,
    DomainPair,
    DomainSummary,
    DuplicatesReport,
    LargeCluster,
    Proof,
    ProvenPair,
    VersionName,
    VersionSummary,
)
from reports.intervals import binomial_interval
from reports.schema import Definition
from reports.summary import NO_DOMAIN, SHOWN_PROBLEMS

CURVE_AT: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
SHOWN_DOMAINS: Final = 1000
SHOWN_PAIRS: Final = 200
SHOWN_WEAKEST: Final = 5
SUMMED: Final = (
    "documents", "bytes", "without_words", "exact_duplicates", "near_duplicates",
    "duplicate_bytes", "kept_exact", "kept_near", "unmatched",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a run read of a version."""

    version: VersionName
    name: str
    shards: int
    shards_unread: int
    words: int
    clusters: int  # of two documents or more
    bad_documents: int
    problems: tuple[Problem, ...]
    n_problems: int
    reasons: dict[str, int]  # of all problems, by kind


@dataclass(frozen=True, slots=True)
class SearchFacts:
    """How a run looked for pairs, and what they proved to be."""

    threshold: float
    least_equal: int  # positions
    bands: Bands
    seed: int
    comparisons: int
    buckets_cut: int
    near: tuple[ProvenPair, ...]
    exact_confirmed: int
    exact_pairs: int
    unread: int


def build_duplicates_report(
    versions: Sequence[VersionFacts],
    domains: pl.DataFrame,
    pairs: pl.DataFrame,
    largest: Sequence[LargeCluster],
    search: SearchFacts,
    *,
    complete: bool,
    tool_version: str,
    normal_form: str,
) -> DuplicatesReport:
    """Summarise a run; `domains` has the columns of `domains.parquet`."""
    summaries = [_version(facts, domains) for facts in versions]
    names = domains.group_by("domain").agg(pl.col("documents").sum())
    largest_names = names.sort("documents", "domain", descending=[True, False]).head(SHOWN_DOMAINS)
    shown = domains.join(largest_names, on="domain", how="semi", nulls_equal=True)
    return {
        "schema": SCHEMA,
        "tool": {"name": "sluicegate", "version": tool_version},
        "title": _title(summaries),
        "complete": complete,
        "normal_form": normal_form,
        "parameters": {
            "threshold": search.threshold,
            "permutations": N_PERMUTATIONS,
            "equal_positions_needed": search.least_equal,
            "shingle_words": SHINGLE_WORDS,
            "bands": search.bands.bands,
            "rows": search.bands.rows,
            "seed": search.seed,
            "comparisons": search.comparisons,
            "buckets_cut": search.buckets_cut,
        },
        "s_curve": [_curve_point(jaccard, search) for jaccard in CURVE_AT],
        "versions": summaries,
        "domains": [_domain(row) for row in shown.sort("version", "domain").iter_rows(named=True)],
        "domains_not_shown": names.height - largest_names.height,
        "domain_pairs": [_pair(row) for row in pairs.head(SHOWN_PAIRS).iter_rows(named=True)],
        "domain_pairs_not_shown": max(0, pairs.height - SHOWN_PAIRS),
        "largest_clusters": list(largest),
        "proof": _proof(search),
        "definitions": list(_definitions(search, compares=len(versions) > 1)),
    }


def _version(facts: VersionFacts, domains: pl.DataFrame) -> VersionSummary:
    own = domains.filter(pl.col("version") == facts.version)
    compares = "kept_exact" in own.columns and own["kept_exact"].null_count() == 0
    sums = own.select(pl.col(name).sum() for name in SUMMED).row(0, named=True)
    if not compares:
        sums |= dict.fromkeys(("kept_exact", "kept_near", "unmatched"))
    problems = facts.problems[:SHOWN_PROBLEMS]
    rest = {
        "clusters": facts.clusters,
        "version": facts.version,
        "name": facts.name,
        "shards": facts.shards,
        "shards_unread": facts.shards_unread,
        "words": facts.words,
        "bad_documents": facts.bad_documents,
        "problems": [
            {"shard": p.shard, "row": p.row, "reason": p.reason, "mend": p.mend} for p in problems
        ],
        "problems_not_shown": facts.n_problems - len(problems),
    }
    return cast("VersionSummary", sums | rest)


def _title(versions: Sequence[VersionSummary]) -> str:
    candidate = versions[-1]
    documents = view.plural(candidate["documents"], "document")
    if candidate["unmatched"] is None:
        exact, near = candidate["exact_duplicates"], candidate["near_duplicates"]
        return (
            f"{view.count(exact + near)} of {documents} are duplicates "
            f"({view.share(exact + near, candidate['documents'])}): {view.count(exact)} exact, "
            f"{view.count(near)} near"
        )
    return (
        f"Of {documents} of the candidate {view.count(candidate['kept_exact'] or 0)} have an exact copy "
        f"in the baseline, {view.count(candidate['kept_near'] or 0)} a near one, "
        f"{view.count(candidate['unmatched'])} none; of the baseline's "
        f"{view.count(versions[0]['documents'])}, {view.count(versions[0]['unmatched'] or 0)} are lost"
    )


def _curve_point(jaccard: float, search: SearchFacts) -> CurvePoint:
    return {
        "jaccard": jaccard,
        "shares_band": round(search.bands.probability(jaccard), 4),
        "linked": round(link_probability(jaccard, search.bands, search.least_equal), 4),
    }


def _domain(row: dict[str, object]) -> DomainSummary:
    return cast("DomainSummary", row | {"domain": _name(row["domain"])})


def _pair(row: dict[str, object]) -> DomainPair:
    return {
        "domain": _name(row["domain"]),
        "other_domain": _name(row["other_domain"]),
        "clusters": int(str(row["clusters"])),
    }


def _name(domain: object) -> str:
    return NO_DOMAIN if domain is None else str(domain)


def _proof(search: SearchFacts) -> Proof:
    near = search.near
    confirmed = sum(pair["jaccard"] >= search.threshold for pair in near)
    low, high = binomial_interval(confirmed, len(near))
    errors = [pair["estimate"] - pair["jaccard"] for pair in near]
    spread = [pair["jaccard"] * (1 - pair["jaccard"]) / N_PERMUTATIONS for pair in near]
    return {
        "near_pairs": len(near),
        "near_confirmed": confirmed,
        "ci_low": low,
        "ci_high": high,
        "least_jaccard": min((pair["jaccard"] for pair in near), default=None),
        "mean_error": _mean(errors),
        "rms_error": _root(_mean([error * error for error in errors])),
        "expected_rms_error": _root(_mean(spread)),
        "exact_pairs": search.exact_pairs,
        "exact_confirmed": search.exact_confirmed,
        "unread": search.unread,
        "weakest": sorted(near, key=lambda pair: pair["jaccard"])[:SHOWN_WEAKEST],
    }


def _mean(numbers: Sequence[float]) -> float | None:
    return math.fsum(numbers) / len(numbers) if numbers else None


def _root(square: float | None) -> float | None:
    return None if square is None else math.sqrt(square)


def _definitions(search: SearchFacts, *, compares: bool) -> tuple[Definition, ...]:
    change: tuple[Definition, ...] = (
        {
            "term": "exact copy, near copy, new, lost",
            "meaning": "what the other version has of a document: the same words; no such document but "
            "one alike; neither (new in the candidate, lost from the baseline)",
        },
    )
    return (
        {
            "term": "exact duplicate",
            "meaning": "an earlier document has the same words in the same order; case, punctuation "
            "and spacing may differ",
        },
        {
            "term": "near duplicate",
            "meaning": f"of the same words as no earlier document, but in one cluster with one; two "
            f"documents are linked if their signatures agree on {search.least_equal} of "
            f"{N_PERMUTATIONS} positions, an estimated Jaccard similarity of {search.threshold} of their "
            f"sets of word {SHINGLE_WORDS}-grams, and links make clusters",
        },
        {
            "term": "duplicate",
            "meaning": "a document beyond the first of its cluster, counted for its own domain; shards "
            "stand in the order of their names",
        },
        {
            "term": "without words",
            "meaning": "symbols or white space only: compared with nothing",
        },
        *(change if compares else ()),
        {
            "term": "shares a band",
            "meaning": "how surely two documents of a similarity meet at all (the S-curve)",
        },
        {
            "term": "linked",
            "meaning": "how surely they meet and their signatures agree enough; a pair missed may still "
            "be in one cluster by way of a third document",
        },
        {
            "term": "buckets cut",
            "meaning": f"times that more than {MOST_PAIRED} different texts shared a band: each was "
            "then compared with some that stand for the others, not with every one",
        },
        {
            "term": "confirmed",
            "meaning": "linked pairs, drawn at random among documents of up to 1 MiB, that were read "
            "again: their words are the same (exact), or the Jaccard similarity of their word "
            f"{SHINGLE_WORDS}-grams is {search.threshold} or more (near)",
        },
    )
