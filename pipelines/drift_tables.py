"""The Parquet files of a drift run: one row per domain and measure, per token, per benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import polars as pl

from reports.drift_facts import BenchmarkFacts
from reports.summary import NO_DOMAIN
from scanners.domains import DomainDrift
from scanners.tokens import KINDS, TokenDrift
from scanners.totals import MEASURES

EXPOSURE_SCHEMA: Final = {
    "benchmark": pl.String,
    "baseline_bits": pl.Float64,
    "candidate_bits": pl.Float64,
    "change": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "floor": pl.Float64,
    "alarm": pl.Boolean,
    "alarm_from": pl.Float64,
    "items": pl.Int64,
    "tokens": pl.Int64,
}


def domains_frame(drift: DomainDrift) -> pl.DataFrame:
    """Return `domains.parquet`, by domain and measure."""
    names = [name or NO_DOMAIN for name in drift.domains]
    columns = {
        "domain": np.repeat(names, len(MEASURES)),
        "measure": list(MEASURES) * len(names),
        "baseline": drift.baseline.ravel(),
        "candidate": drift.candidate.ravel(),
        "change": drift.change.ravel(),
        "ci_low": drift.ci_low.ravel(),
        "ci_high": drift.ci_high.ravel(),
        "floor": drift.floor.ravel(),
        "alarm": drift.alarm.ravel(),
        "relative": drift.relative.ravel(),
        "alarm_from": drift.alarm_from.ravel(),
        "state": np.repeat(drift.states, len(MEASURES)),
    }
    frame = pl.DataFrame(columns).with_columns(pl.col("relative").fill_nan(None))
    return frame.sort("domain", "measure")


def tokens_frame(
    drift: TokenDrift, domains: Sequence[str], text_of: Callable[[np.ndarray], pl.Series]
) -> pl.DataFrame:
    """Return `tokens.parquet`: every token that either version has, by its id.

    `change_kind` is null for a token that is no alarm; `z` and `q_value` are of the change within
    domains, q null for a token in too few documents to be tested.
    """
    table = drift.table
    kinds = pl.Series([None, *KINDS[1:]], dtype=pl.String)
    names = pl.Series([*(name or NO_DOMAIN for name in domains), None], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "token_id": table.key,
            "token": text_of(table.key),
            "baseline": table.baseline,
            "candidate": table.candidate,
            "log2_ratio": table.log2_ratio,
            "z": table.z,
            "q_value": table.q_value,
            "df_baseline": table.df_baseline,
            "df_candidate": table.df_candidate,
            "change_kind": kinds.gather(pl.Series(table.change_kind.astype(np.uint32))),
            "alarm": table.alarm,
            "mix_part": table.mix_part,
            "within_part": table.within_part,
            "within_log2_ratio": table.within_log2_ratio,
            "domain": names.gather(pl.Series(table.domain.astype(np.int64) % len(names))),
            "domain_share": table.domain_share,
        }
    )
    floats = ("log2_ratio", "q_value", "within_log2_ratio")
    return frame.with_columns(pl.col(floats).fill_nan(None))


def exposure_frame(benchmarks: Sequence[BenchmarkFacts]) -> pl.DataFrame:
    """Return `exposure.parquet`, by benchmark."""
    rows = [
        {
            "benchmark": facts.name,
            "baseline_bits": facts.exposure.baseline_bits,
            "candidate_bits": facts.exposure.candidate_bits,
            "change": facts.exposure.change,
            "ci_low": facts.exposure.ci_low,
            "ci_high": facts.exposure.ci_high,
            "floor": facts.exposure.floor,
            "alarm": bool(facts.exposure.alarm),
            "alarm_from": facts.exposure.alarm_from,
            "items": facts.items,
            "tokens": round(facts.exposure.tokens),
        }
        for facts in benchmarks
    ]
    return pl.DataFrame(rows, schema=EXPOSURE_SCHEMA).sort("benchmark")
