"""The tables of a drift report: domains, tokens, tokens by domain, copies, and divergences beside their noise."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from reports.drift_facts import CopyFacts, DriftFacts
from reports.drift_schema import (
    ChangeKind,
    CopyShare,
    Divergence,
    DomainChange,
    DomainState,
    DomainTokens,
    Measure,
    TokenChange,
    TokenDriftSummary,
)
from reports.summary import NO_DOMAIN
from scanners import half_splits
from scanners.tokens import KINDS, NEW, VANISHED
from scanners.totals import MEASURES

SHOWN_TOKENS: Final = 50  # of each kind


def divergence(found: half_splits.Divergence) -> Divergence:
    """Return a divergence as the report has it."""
    noise = found.noise
    return {
        "name": found.name,
        "unit": found.unit,
        "observed": noise.observed,
        "floor_mean": noise.floor_mean,
        "floor": noise.floor,
        "excess": noise.excess,
        "ratio": noise.ratio,
        "alarm": found.alarm,
    }


def domain_rows(facts: DriftFacts) -> list[DomainChange]:
    """Return a row for each domain and measure."""
    drift = facts.domains
    return [
        {
            "domain": name or NO_DOMAIN,
            "measure": cast("Measure", measure),
            "baseline": float(drift.baseline[d, m]),
            "candidate": float(drift.candidate[d, m]),
            "change": float(drift.change[d, m]),
            "relative": None if np.isnan(drift.relative[d, m]) else float(drift.relative[d, m]),
            "ci_low": float(drift.ci_low[d, m]),
            "ci_high": float(drift.ci_high[d, m]),
            "floor": float(drift.floor[d, m]),
            "state": cast("DomainState", drift.states[d]),
            "alarm": bool(drift.alarm[d, m]),
            "alarm_from": float(drift.alarm_from[d, m]),
        }
        for d, name in enumerate(drift.domains)
        for m, measure in enumerate(MEASURES)
    ]


def token_summary(facts: DriftFacts) -> TokenDriftSummary:
    """Return what moved among the tokens, with the strongest `SHOWN_TOKENS` of each kind."""
    drift = facts.tokens
    found = {divergence.name: divergence.noise.observed for divergence in drift.whole.divergences}
    kinds = np.bincount(drift.table.change_kind, minlength=len(KINDS))
    shown: list[TokenChange] = []
    for kind in range(1, len(KINDS)):
        rows = _strongest(facts, kind)[:SHOWN_TOKENS]
        names = facts.name_of(drift.table.key[rows])
        shown += [_token(facts, int(row), name) for row, name in zip(rows, names, strict=True)]
    return {
        "vocabulary": len(drift.table.key),
        "tested": drift.tested,
        "divergences": [divergence(each) for each in drift.whole.divergences],
        "moved": found["total variation"],
        "mix": drift.whole.mix,
        "within": found["total variation within domains"],
        "alarms": {cast("ChangeKind", KINDS[k]): int(kinds[k]) for k in range(1, len(KINDS))},
        "shown": shown,
        "detectable": list(drift.detectable),
    }


def _strongest(facts: DriftFacts, kind: int) -> np.ndarray:
    """Return the rows of a kind: tokens that are gone or new by their documents, others by z."""
    table = facts.tokens.table
    rows = table.strongest(kind)
    if kind not in (NEW, VANISHED):
        return rows
    held = (table.df_baseline if kind == VANISHED else table.df_candidate)[rows]
    return rows[np.argsort(-held, kind="stable")]


def _token(facts: DriftFacts, row: int, name: str) -> TokenChange:
    table = facts.tokens.table
    domain = int(table.domain[row])

    def number(column: np.ndarray) -> float | None:
        value = float(column[row])
        return None if np.isnan(value) else value

    return {
        "token_id": int(table.key[row]),
        "token": name,
        "baseline": float(table.baseline[row]),
        "candidate": float(table.candidate[row]),
        "log2_ratio": number(table.log2_ratio),
        "within_log2_ratio": number(table.within_log2_ratio),
        "z": float(table.z[row]),
        "q_value": 1.0 if np.isnan(table.q_value[row]) else float(table.q_value[row]),
        "df_baseline": float(table.df_baseline[row]),
        "df_candidate": float(table.df_candidate[row]),
        "change_kind": cast("ChangeKind", KINDS[table.change_kind[row]]),
        "domain": "" if domain < 0 else facts.domains.domains[domain] or NO_DOMAIN,
        "domain_share": float(table.domain_share[row]),
        "excerpt": None,
    }


def domain_token_rows(facts: DriftFacts) -> list[DomainTokens]:
    """Return what each domain has of the change of token frequencies."""
    whole = facts.tokens.whole
    return [
        {
            "domain": name or NO_DOMAIN,
            "mix": float(whole.domain_mix[d]),
            "within": whole.domain_within[d].observed,
            "floor": whole.domain_within[d].floor,
            "alarm": bool(whole.domain_alarms[d]),
        }
        for d, name in enumerate(facts.domains.domains)
    ]


def copy_row(facts: CopyFacts) -> CopyShare:
    """Return the shares of exact or near copies in both versions."""
    return {
        "kind": "exact" if facts.kind == "exact" else "near",
        "baseline": facts.baseline[0],
        "candidate": facts.candidate[0],
        "baseline_error": facts.baseline[1],
        "candidate_error": facts.candidate[1],
        "alarm": bool(facts.change.alarm),
    }
