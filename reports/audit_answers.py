"""Is it safe to quote this score? The answer to each, in words; a null never goes without what it could see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reports.audit_schema import Verdict
from reports.schema import BenchmarkSummary
from reports.view import count, plural

FALSE_DISCOVERIES: Final = 0.1  # q from which a gap is called real: one in ten such calls is wrong
NEGLIGIBLE: Final = 0.01  # points: what leakage may add before a score is not to be quoted
ENOUGH_SEARCHED: Final = 0.95  # share of the items that could be searched
WORST_GAP: Final = 1.0
DECLARED: Final = "declared clean"  # designs, as gaps.parquet names them
AGAINST_CLEAN: Final = "against clean models"


def answer_benchmark(benchmark: BenchmarkSummary, *, complete: bool) -> tuple[Verdict, str]:
    """Say whether scores on a benchmark can be trusted, from its items alone."""
    items, leaked, doubtful = benchmark["items"], benchmark["contaminated"], benchmark["suspect"]
    if leaked:
        return "cannot tell", (
            f"{count(leaked)} of {plural(items, 'item')} are in the corpus; without scores by item "
            "nobody can say what that is worth. Name them with --scores, or evaluate on the clean items"
        )
    return _unleaked(items, doubtful, benchmark["unsearchable"], complete=complete)


def answer_score(
    row: Mapping[str, Any], benchmark: BenchmarkSummary, *, complete: bool
) -> tuple[Verdict, str]:
    """Say whether a score can be quoted; `row` has the columns of `gaps.parquet`."""
    dirty, clean = row["n_dirty"], row["n_clean"]
    if not dirty and benchmark["contaminated"]:
        return "cannot tell", (
            f"{plural(benchmark['contaminated'], 'item')} of the benchmark leaked, and the model was "
            "scored on none of them"
        )
    if not dirty:
        return _unleaked(
            benchmark["items"],
            benchmark["suspect"],
            benchmark["unsearchable"],
            complete=complete,
            at_stake=row["suspect_points"],
        )
    if row["design"] == DECLARED:
        return "yes", (
            f"it was named as a clean model: its gap of {_points(row['within_strata'], signed=True)} on "
            f"{plural(dirty, 'leaked item')} is of the items, not of leakage"
        )
    if not clean:
        return "no", "no clean item was scored: there is nothing to compare the leaked ones with"
    if row["seen_from"] is None:
        return "cannot tell", (
            f"{plural(dirty, 'item')} leaked, and no clean item is like them in length, subject and "
            f"answer type: no gap of any size can be seen. At worst leakage is worth {worst(row)}"
        )
    points, low, high = row["leak_points"], row["leak_low"], row["leak_high"]
    if high < NEGLIGIBLE:
        return "yes", (
            f"{plural(dirty, 'leaked item')} can be worth {_points(max(high, 0.0))} of the score at most"
        )
    if row["q_value"] is not None and row["q_value"] <= FALSE_DISCOVERIES and points > 0:
        return "no", (
            f"{_points(points)} of it could be leakage (95% interval {_points(low, signed=True)} to "
            f"{_points(high, signed=True)}): leaked items are answered better than {_than(row)}. "
            f"Quote {percent(row['clean_score'])} on the {plural(row['clean_items'], 'clean item')} "
            f"({percent(row['clean_low'])} to {percent(row['clean_high'])})"
        )
    return "cannot tell", (
        f"leakage could be worth {_points(points, signed=True)} of it (95% interval "
        f"{_points(low, signed=True)} to {_points(high, signed=True)}), which is within chance; "
        f"{sensitivity(row)}"
    )


def sensitivity(row: Mapping[str, Any]) -> str:
    """Say what gap a test could have seen: no null goes without it."""
    gap = row["seen_from"]
    of = f"with {count(row['n_dirty'])} leaked and {plural(row['n_clean'], 'clean item')}"
    if gap is None or gap >= WORST_GAP:
        return f"{of} no gap between them can be seen, however large"
    return f"{of} no gap between them under about {_whole_points(gap)} can be seen"


def note(row: Mapping[str, Any]) -> str:
    """Say what else is to be known of a score: selection, other models, difficulty, the threshold."""
    parts = []
    if row["n_dirty"] and row["n_left_out"]:
        parts.append(
            f"{plural(row['n_left_out'], 'suspect or unsearchable item')} are neither leaked nor clean here"
        )
    high = row["within_high"]
    if high is not None and high < 0:
        parts.append(
            "leaked items are answered worse than clean ones alike: they differ in something else than "
            "leakage"
        )
    if row["did"] is not None:
        parts.append(
            f"leaked items differ from clean ones alike by {_points(row['within_strata'], signed=True)} "
            f"({_points(row['within_low'], signed=True)} to {_points(row['within_high'], signed=True)}), "
            f"by {_points(row['did'], signed=True)} ({_points(row['did_low'], signed=True)} to "
            f"{_points(row['did_high'], signed=True)}) more than in clean models"
        )
    if row["odds_ratio"] is not None:
        held = "difficulty and length" if row["reference_models"] else "length"
        parts.append(
            f"at equal {held} the odds of a right answer are {row['odds_ratio']:.2f} times "
            f"({row['odds_low']:.2f} to {row['odds_high']:.2f}) those of a clean item"
        )
    if row["threshold_q"] is not None and row["threshold_q"] <= FALSE_DISCOVERIES:
        parts.append(
            f"items with evidence from {row['threshold']:.2f} on ({count(row['threshold_dirty'])}) stand "
            f"out by {_points(row['threshold_gap'], signed=True)} (q {row['threshold_q']:.4f}, corrected "
            "for the choice)"
        )
    return "; ".join(parts)


def worst(row: Mapping[str, Any]) -> str:
    """Return what leakage is worth if no dirty item had been answered without it."""
    return _points(row["n_dirty"] / (row["n_dirty"] + row["n_clean"]) * row["score_dirty"])


def percent(score: float | None) -> str:
    """Return a score as `71.4%`, or a dash."""
    return "–" if score is None else f"{100 * score:.1f}%"


def signed(points: float | None) -> str:
    """Return a difference of scores in points, `+3.2`, or a dash."""
    return "–" if points is None else f"{100 * points:+.1f}"


def _unleaked(
    items: int,
    doubtful: int,
    unsearchable: int,
    *,
    complete: bool,
    at_stake: float | None = None,
) -> tuple[Verdict, str]:
    """Answer for a benchmark without contaminated items; `at_stake` is what suspect ones are worth at most."""
    searched = items - unsearchable
    of = f"none of {plural(searched, 'searched item')} was found in the corpus"
    if not complete:
        return "cannot tell", f"{of}, but not all of the corpus was read"
    if searched < ENOUGH_SEARCHED * items:
        return (
            "cannot tell",
            f"{of}, but {count(unsearchable)} of {count(items)} could not be searched",
        )
    if doubtful and at_stake is not None:
        worth = (
            f"{of} as such; had all {plural(doubtful, 'suspect item')} leaked, that could be worth"
        )
        verdict: Verdict = "yes" if at_stake < NEGLIGIBLE else "cannot tell"
        return verdict, f"{worth} {_points(at_stake)} at most"
    if doubtful:
        return (
            "cannot tell",
            f"{of} as such, but {plural(doubtful, 'item')} are suspect: look at them",
        )
    return "yes", of


def _points(value: float, *, signed: bool = False) -> str:
    text = f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
    return f"{text} points"


def _whole_points(value: float) -> str:
    return f"{100 * value:.0f} points" if value >= 0.1 else f"{100 * value:.1f} points"


def _than(row: Mapping[str, Any]) -> str:
    if row["design"] == AGAINST_CLEAN:
        return "clean ones alike, and by more than clean models answer them better"
    return "clean ones alike"
