"""Scores against item statuses: one row for each benchmark and model. See scanners.score_gap."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from scanners.multiple_tests import q_values
from scanners.score_gap import DIFFERENCE_BOUNDS, Gap, measure_gap
from scanners.score_regression import adjusted_effect
from scanners.score_strata import make_strata, mean_interval, subject_weights
from scanners.score_threshold import choose_threshold

GAP_COLUMNS: Final[dict[str, type[pl.DataType]]] = {
    "benchmark": pl.String, "model": pl.String, "items": pl.Int64, "samples": pl.Int64,
    "score": pl.Float64, "n_dirty": pl.Int64, "n_clean": pl.Int64, "n_left_out": pl.Int64,
    "suspect_points": pl.Float64,
    "score_dirty": pl.Float64, "score_clean": pl.Float64,
    "gap_dirty_minus_clean": pl.Float64, "ci_low": pl.Float64, "ci_high": pl.Float64,
    "epg_all_minus_clean": pl.Float64, "epg_low": pl.Float64, "epg_high": pl.Float64,
    "within_strata": pl.Float64, "within_low": pl.Float64, "within_high": pl.Float64,
    "design": pl.String, "leak_points": pl.Float64, "leak_low": pl.Float64, "leak_high": pl.Float64,
    "p_value": pl.Float64, "minimal_detectable": pl.Float64, "q_value": pl.Float64,
    "seen_from": pl.Float64,
    "strata": pl.String, "items_compared": pl.Int64,
    "odds_ratio": pl.Float64, "odds_low": pl.Float64, "odds_high": pl.Float64,
    "adjusted_points": pl.Float64, "adjusted_low": pl.Float64, "adjusted_high": pl.Float64,
    "adjusted_p": pl.Float64, "reference_models": pl.Int64,
    "did": pl.Float64, "did_low": pl.Float64, "did_high": pl.Float64, "did_p": pl.Float64,
    "did_minimal_detectable": pl.Float64,
    "threshold": pl.Float64, "threshold_gap": pl.Float64, "threshold_p": pl.Float64, "threshold_q": pl.Float64,
    "threshold_dirty": pl.Int64,
    "clean_items": pl.Int64, "clean_effective": pl.Float64, "clean_score": pl.Float64,
    "clean_low": pl.Float64, "clean_high": pl.Float64,
}  # fmt: skip


WITHIN: Final = "within strata"
AGAINST_CLEAN: Final = "against clean models"
DECLARED: Final = "declared clean"
TESTS: Final = {WITHIN: "p_value", AGAINST_CLEAN: "did_p"}  # whose p-value answers, by design


@dataclass(frozen=True, slots=True)
class Scored:
    """The items of a benchmark as the statistics see them; arrays of one length, in one order.

    `scores` has the mean of each model's samples, nan where it has none; `samples` their number.
    """

    benchmark: str
    status: np.ndarray
    evidence: np.ndarray
    words: np.ndarray
    answer_type: Sequence[str]
    subject: Sequence[str | None]
    scores: dict[str, np.ndarray]
    samples: dict[str, int]


def gaps_table(
    benchmarks: Sequence[Scored],
    reference_models: Sequence[str],
    clean_models: Sequence[str],
    *,
    seed: int,
) -> pl.DataFrame:
    """Return a row for each benchmark and model with scores, sorted; q-values are over all rows."""
    rows = [
        row for items in benchmarks for row in _rows(items, reference_models, clean_models, seed)
    ]
    answering = [row for row in rows if row.get("seen_from") is not None]
    _adjust(answering, [row[TESTS[row["design"]]] for row in answering], "q_value")
    chosen = [row for row in rows if row.get("threshold_p") is not None]
    _adjust(chosen, [row["threshold_p"] for row in chosen], "threshold_q")
    return pl.DataFrame(
        [{name: row.get(name) for name in GAP_COLUMNS} for row in rows], schema=GAP_COLUMNS
    ).sort("benchmark", "model")


def _adjust(rows: Sequence[dict[str, Any]], p: Sequence[float], name: str) -> None:
    """Give each row the q-value of its p-value."""
    if rows:
        for row, q in zip(rows, q_values(np.array(p)).tolist(), strict=True):
            row[name] = q


def _rows(
    items: Scored, reference_models: Sequence[str], clean_models: Sequence[str], seed: int
) -> Iterator[dict[str, Any]]:
    for model in sorted(items.scores):
        own = items.scores[model]
        scored = ~np.isnan(own)
        judged = scored & np.isin(items.status, ("contaminated", "clean"))
        row: dict[str, Any] = {
            "benchmark": items.benchmark,
            "model": model,
            "items": int(scored.sum()),
            "samples": items.samples[model],
            "score": float(own[scored].mean()),
            "n_dirty": int((judged & (items.status == "contaminated")).sum()),
            "n_clean": int((judged & (items.status == "clean")).sum()),
            "n_left_out": int((scored & ~judged).sum()),
            "suspect_points": float(own[scored & (items.status == "suspect")].sum() / scored.sum()),
        }
        # Every row has a seed of its own, so that a further model changes no other's numbers.
        own_seed = zlib.crc32(f"{seed}/{items.benchmark}/{model}".encode())
        row |= _compare(items, own, judged, own_seed)
        row |= _threshold(items, own, scored, own_seed)
        row |= _adjusted(items, model, own, judged, reference_models)
        row |= _against_clean(items, model, own, judged, clean_models, own_seed)
        row |= _design(row, model in clean_models)
        row |= _remainder(items, own, scored)
        yield row


def _compare(items: Scored, own: np.ndarray, judged: np.ndarray, seed: int) -> dict[str, Any]:
    gap, meaning = _gap(items, own, judged, seed)
    if gap is None:
        return {}
    return asdict(gap) | {
        "strata": meaning,
        "minimal_detectable": _finite(gap.minimal_detectable),
    }


def _gap(
    items: Scored,
    values: np.ndarray,
    judged: np.ndarray,
    seed: int,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> tuple[Gap | None, str]:
    dirty = items.status[judged] == "contaminated"
    chosen = np.flatnonzero(judged).tolist()
    strata = make_strata(
        dirty,
        items.words[judged],
        [items.answer_type[n] for n in chosen],
        [items.subject[n] for n in chosen],
    )
    return measure_gap(
        values[judged], dirty, strata.of_item, seed=seed, bounds=bounds
    ), strata.meaning


def _threshold(items: Scored, own: np.ndarray, scored: np.ndarray, seed: int) -> dict[str, Any]:
    """Choose the evidence from which items stand out, among all that could be searched."""
    use = scored & (items.status != "unsearchable")
    if not use.any():
        return {}
    chosen = np.flatnonzero(use).tolist()
    strata = make_strata(
        items.status[use] == "contaminated",
        items.words[use],
        [items.answer_type[n] for n in chosen],
        [items.subject[n] for n in chosen],
    )
    best = choose_threshold(own[use], items.evidence[use], strata.of_item, seed=seed)
    if best is None:
        return {}
    return {
        "threshold": best.threshold,
        "threshold_gap": best.within_strata,
        "threshold_p": best.p_value,
        "threshold_dirty": best.n_dirty,
    }


def _adjusted(
    items: Scored, model: str, own: np.ndarray, judged: np.ndarray, names: Sequence[str]
) -> dict[str, Any]:
    references = [items.scores[name] for name in names if name != model and name in items.scores]
    difficulty = None
    if references:
        columns = np.stack(references, axis=1)
        judged = judged & ~np.isnan(columns).any(axis=1)
        difficulty = columns[judged]
    chosen = np.flatnonzero(judged).tolist()
    found = adjusted_effect(
        own[judged],
        items.status[judged] == "contaminated",
        items.words[judged],
        [items.subject[n] for n in chosen],
        difficulty,
    )
    if found is None:
        return {}
    return {
        "odds_ratio": found.odds_ratio,
        "odds_low": found.odds_low,
        "odds_high": found.odds_high,
        "adjusted_points": found.points,
        "adjusted_low": found.points_low,
        "adjusted_high": found.points_high,
        "adjusted_p": found.p_value,
        "reference_models": len(references),
    }


def _against_clean(
    items: Scored,
    model: str,
    own: np.ndarray,
    judged: np.ndarray,
    names: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """Return the difference in differences: how much more the gap is than a clean model's own.

    What makes dirty items easier for everybody cancels out.
    """
    others = [items.scores[name] for name in names if name != model and name in items.scores]
    if not others or model in names:
        return {}
    reference = np.mean(others, axis=0)
    judged = judged & ~np.isnan(reference)
    if not judged.any():
        return {}
    gap, _ = _gap(items, own - reference, judged, seed, DIFFERENCE_BOUNDS)
    if gap is None:
        return {}
    return {
        "did": gap.within_strata,
        "did_low": gap.within_low,
        "did_high": gap.within_high,
        "did_p": gap.p_value,
        "did_minimal_detectable": _finite(gap.minimal_detectable),
    }


def _design(row: dict[str, Any], declared_clean: bool) -> dict[str, Any]:
    """Return what leakage is worth, by the strongest design there is.

    With a clean model that is the difference in differences; a model declared clean has no leakage, and
    its gap is that of the items.
    """
    if declared_clean:
        return {"design": DECLARED}
    if row.get("did") is not None:
        design, effect, seen = AGAINST_CLEAN, "did", row["did_minimal_detectable"]
        ends = ("did_low", "did_high")
    elif row.get("within_strata") is not None:
        design, effect, seen = WITHIN, "within_strata", row["minimal_detectable"]
        ends = ("within_low", "within_high")
    else:
        return {}
    share = row["n_dirty"] / (row["n_dirty"] + row["n_clean"])
    return {
        "design": design,
        "leak_points": share * row[effect],
        "leak_low": share * row[ends[0]],
        "leak_high": share * row[ends[1]],
        "seen_from": seen,
    }


def _remainder(items: Scored, own: np.ndarray, scored: np.ndarray) -> dict[str, Any]:
    """Return the score on the clean items, weighted to the subjects of all scored items."""
    kept = items.status[scored] == "clean"
    weights = subject_weights(kept, [items.subject[n] for n in np.flatnonzero(scored).tolist()])
    if not kept.any():
        return {"clean_items": 0}
    mean, low, high = mean_interval(own[scored][kept], weights.of_item)
    return {
        "clean_items": int(kept.sum()),
        "clean_effective": weights.effective,
        "clean_score": mean,
        "clean_low": low,
        "clean_high": high,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
