"""What the renderings of an audit agree on: facts in words, rows of tables, the drawing of an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports import view
from reports.audit_answers import percent, signed
from reports.audit_schema import AuditedBenchmark, AuditReport, ScoreAudit
from reports.schema import BenchmarkSummary

QUESTION: Final = "Is it safe to quote this score?"
TONES: Final = {"no": "contaminated", "cannot tell": "suspect", "yes": "clean"}
CHART_WIDTH: Final = 160
CHART_POINTS: Final = 0.5  # gaps beyond are drawn at the edge
GAP_HEAD: Final = (
    "Benchmark", "Model", "Score", "Dirty", "Clean", "Leakage", "95% interval", "Dirty − clean",
    "All − clean", "Could be seen", "p", "q", "Clean score",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whisker:
    """A gap and its interval in a drawing of `CHART_WIDTH`: zero, ends, the gap, and what could be seen."""

    zero: float
    low: float
    high: float
    at: float
    seen: float | None


def tone(report: AuditReport) -> str:
    """Return the worst answer's status: contaminated, suspect or clean."""
    answers = {s["answer"] for s in report["scores"]} | {b["answer"] for b in report["benchmarks"]}
    return next((TONES[a] for a in ("no", "cannot tell") if a in answers), "clean")


def lead(report: AuditReport) -> str:
    """Return the sentence under the title: what was asked of what."""
    models = {score["model"] for score in report["scores"]}
    told = f"{view.plural(len(models), 'model')} and " if models else ""
    return f"{told}{view.lead(report['scan'])}"


def unscored(report: AuditReport) -> list[AuditedBenchmark]:
    """Return the benchmarks that no model was scored on: their answer is about the items alone."""
    return [each for each in report["benchmarks"] if each["answer"] is not None]


def gap_cells(score: ScoreAudit) -> list[str]:
    """Return the cells of `GAP_HEAD` after benchmark and model; differences are in points."""
    return [
        percent(score["score"]),
        f"{view.count(score['n_dirty'])} at {percent(score['score_dirty'])}",
        f"{view.count(score['n_clean'])} at {percent(score['score_clean'])}",
        signed(score["leak_points"]),
        interval(score["leak_low"], score["leak_high"]),
        signed(score["gap_dirty_minus_clean"]),
        signed(score["epg_all_minus_clean"]),
        signed(score["seen_from"]),
        chance(score["p_value"]),
        chance(score["q_value"]),
        f"{percent(score['clean_score'])} ({percent(score['clean_low'])} to {percent(score['clean_high'])})"
        if score["clean_score"] is not None
        else view.DASH,
    ]


def interval(low: float | None, high: float | None) -> str:
    """Return the ends of an interval in points."""
    return view.DASH if low is None else f"{signed(low)} to {signed(high)}"


def chance(value: float | None) -> str:
    """Return a p- or q-value."""
    if value is None:
        return view.DASH
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def whisker(score: ScoreAudit) -> Whisker | None:
    """Return the drawing of the gap within strata; None where nothing was compared."""
    gap, low, high = score["within_strata"], score["within_low"], score["within_high"]
    if gap is None or low is None or high is None or score["minimal_detectable"] is None:
        return None
    return Whisker(_x(0.0), _x(low), _x(high), _x(gap), _x(score["minimal_detectable"]))


def remainder(benchmark: AuditedBenchmark) -> str:
    """Say what can be evaluated on, and how sure a score on it is."""
    if not benchmark["clean_items"] or benchmark["half_width"] is None:
        return "no clean item is left"
    parts = [
        f"{view.count(benchmark['clean_items'])} of {view.plural(benchmark['items'], 'item')} are clean",
        f"a score on them is sure to ±{100 * benchmark['half_width']:.1f} points (95%)",
    ]
    if benchmark["subjects"] > 1:
        parts.append(
            f"weighted to the mix of {view.plural(benchmark['subjects'], 'subject')} they tell as much as "
            f"{benchmark['clean_effective']:,.0f} would"
        )
    if benchmark["lost_share"]:
        parts.append(
            f"{view.percent(benchmark['lost_share'])} of the benchmark is of subjects with no clean item"
        )
    return "; ".join(parts)


def summary_of(report: AuditReport, name: str) -> BenchmarkSummary:
    """Return what the scan says of a benchmark."""
    return next(each for each in report["scan"]["benchmarks"] if each["benchmark"] == name)


def _x(points: float) -> float:
    inside = max(-CHART_POINTS, min(CHART_POINTS, points))
    return round(CHART_WIDTH * (inside + CHART_POINTS) / (2 * CHART_POINTS), 2)
