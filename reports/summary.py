"""From the tables of a scan to its report: counts, shares and examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from corpora.benchmarks import Benchmark
from corpora.problems import Problem
from indexes.minhash import N_PERMUTATIONS
from indexes.ngram import LONG_WORDS, RARE_PATTERNS
from indexes.seeds import SEED_WORDS
from indexes.shingles import SHINGLE_CHARS
from reports.scan_definitions import definitions, store_terms
from reports.schema import (
    SCHEMA,
    BenchmarkSummary,
    Calibration,
    Example,
    Report,
    Scalar,
)
from scanners.examine import MINHASH
from scanners.judge import (
    ANSWER_ALONE_SCORE,
    CONTAMINATED_SCORE,
    ENOUGH_IDENTITY,
    LEAK_TYPES,
    LONG_ITEM_WORDS,
    SHORT_ITEM_SCORE,
    SHORT_ITEM_WORDS,
    SUSPECT_SCORE,
)
from scanners.minhash import bands_in_use
from scanners.patterns import ENOUGH_BITS
from scanners.presets import NAMES, PRESETS

SHOWN_EXAMPLES: Final = 40
SHOWN_PROBLEMS: Final = 100
NO_DOMAIN: Final = "(no domain)"
CURVE_AT: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run read and with what; the rest of the report comes from its tables."""

    corpus_name: str
    shards: int
    shards_unread: int
    documents: int
    bytes: int
    words: int
    bad_documents: int
    problems: tuple[Problem, ...]
    n_problems: int
    domain_documents: dict[str, int]
    domain_bytes: dict[str, int]
    complete: bool
    tool_version: str
    normal_form: str
    scanners: tuple[str, ...]
    models: dict[str, str]  # of the scanner embedding
    translations: bool = False  # were sought, too
    store: str | None = None  # index store that told which documents to read
    fetched: int = 0  # of them


def build_report(
    facts: RunFacts,
    benchmarks: Sequence[Benchmark],
    items: pl.DataFrame,
    findings: pl.DataFrame,
    examples: Sequence[Example],
    calibration: Calibration,
) -> Report:
    """Summarise a scan; `items` and `findings` have the columns of their files.

    `findings` also has `item_status`, what a finding makes of its item.
    """
    shown = list(examples[:SHOWN_EXAMPLES])
    problems = facts.problems[:SHOWN_PROBLEMS]
    return {
        "schema": SCHEMA,
        "tool": {"name": "sluicegate", "version": facts.tool_version},
        "title": _title(items),
        "complete": facts.complete,
        "calibration": calibration,
        "corpus": {
            "name": facts.corpus_name,
            "shards": facts.shards,
            "shards_unread": facts.shards_unread,
            "documents": facts.documents,
            "bytes": facts.bytes,
            "words": facts.words,
            "bad_documents": facts.bad_documents,
            "problems": [
                {"shard": p.shard, "row": p.row, "reason": p.reason, "mend": p.mend}
                for p in problems
            ],
            "problems_not_shown": facts.n_problems - len(problems),
            "domains": [
                {
                    "domain": name or NO_DOMAIN,
                    "documents": count,
                    "bytes": facts.domain_bytes[name],
                }
                for name, count in facts.domain_documents.items()
            ],
        },
        "parameters": {
            "seed_words": SEED_WORDS,
            "guaranteed_run_words": LONG_WORDS,
            "rare_seed_patterns": RARE_PATTERNS,
            "enough_bits": ENOUGH_BITS,
            "contaminated_score": CONTAMINATED_SCORE,
            "short_item_score": SHORT_ITEM_SCORE,
            "short_item_words": SHORT_ITEM_WORDS,
            "long_item_words": LONG_ITEM_WORDS,
            "enough_identity": ENOUGH_IDENTITY,
            "suspect_score": SUSPECT_SCORE,
            "answer_alone_score": ANSWER_ALONE_SCORE,
            "scanners": list(facts.scanners),
            **(_minhash_parameters() if MINHASH in facts.scanners else {}),
            **facts.models,
            **({"translations": True} if facts.translations else {}),
        },
        "normal_form": facts.normal_form,
        "definitions": [
            *definitions(facts.scanners, translations=facts.translations),
            *(() if facts.store is None else store_terms(facts.fetched, facts.documents)),
        ],
        "benchmarks": _benchmarks(benchmarks, items, findings),
        "presets": [{"name": p.name, "rule": p.rule, "source": p.source} for p in PRESETS],
        "findings_total": findings.height,
        "findings_shown": len(shown),
        "examples": shown,
    }


def _minhash_parameters() -> dict[str, Scalar | list[Scalar]]:
    """Return the parameters of the MinHash scanner and its S-curve.

    That is the probability that a window whose Jaccard similarity to a question is so high is read.
    """
    bands = bands_in_use()
    curve = {
        f"minhash_probability_at_{jaccard}": round(bands.probability(jaccard), 4)
        for jaccard in CURVE_AT
    }
    return {
        "minhash_permutations": N_PERMUTATIONS,
        "minhash_bands": bands.bands,
        "minhash_rows": bands.rows,
        "minhash_shingle_characters": SHINGLE_CHARS,
        **curve,
    }


def _title(items: pl.DataFrame) -> str:
    bad = items.filter(pl.col("status") == "contaminated")
    touched = bad["benchmark"].n_unique()
    total = items["benchmark"].n_unique()
    return (
        f"{bad.height:,} of {items.height:,} items contaminated, in {touched} of {total} "
        f"benchmark{'s' if total != 1 else ''}"
    )


def _benchmarks(
    benchmarks: Sequence[Benchmark], items: pl.DataFrame, findings: pl.DataFrame
) -> list[BenchmarkSummary]:
    """Summarise each benchmark, by name."""
    own_items = items.partition_by("benchmark", as_dict=True)
    own_findings = findings.partition_by("benchmark", as_dict=True)
    return [
        _benchmark(
            benchmark,
            own_items.get((benchmark.name,), items.clear()),
            own_findings.get((benchmark.name,), findings.clear()),
        )
        for benchmark in benchmarks
    ]


def _benchmark(
    benchmark: Benchmark, items: pl.DataFrame, findings: pl.DataFrame
) -> BenchmarkSummary:
    counts = dict(items.group_by("status").len().iter_rows())
    marked = items.filter(pl.col("status").is_in(["contaminated", "suspect"]))
    types = dict(marked.group_by("leak_type").len().iter_rows())
    reasons = (
        items.filter(pl.col("status") == "unsearchable")
        .group_by("reason")
        .len()
        .sort("len", "reason", descending=[True, False])
    )
    strong = findings.filter(pl.col("item_status") > 0)
    domains = (
        strong.group_by(pl.col("domain").fill_null(NO_DOMAIN))
        .agg(pl.col("item_id").n_unique())
        .sort("domain")
    )
    unsearchable = counts.get("unsearchable", 0)
    return {
        "benchmark": benchmark.name,
        "path": benchmark.path,
        "digest": benchmark.digest,
        "layout": benchmark.layout,
        "items": items.height,
        "searchable": items.height - unsearchable,
        "unsearchable": unsearchable,
        "contaminated": counts.get("contaminated", 0),
        "suspect": counts.get("suspect", 0),
        "clean": counts.get("clean", 0),
        "leak_types": {name: types[name] for name in LEAK_TYPES if name in types},
        "unsearchable_reasons": [
            {"reason": reason, "items": count} for reason, count in reasons.iter_rows()
        ],
        "n_findings": strong.height,
        "n_documents": strong.select(pl.struct("shard", "row").n_unique()).item(),
        "presets": {name: int(items[name].sum()) for name in NAMES},
        "domains": dict(domains.iter_rows()),
    }
