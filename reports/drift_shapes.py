"""Histograms of a drift report: their columns in per cent of a drawing, their order, their quantiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports import drift_numbers as numbers
from reports import view
from reports.drift_numbers import Direction
from reports.drift_schema import Shape, ShapeBin

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Column:
    """A bin of a histogram, in per cent of the drawing: `top` and `now` are what is free above each version."""

    x: float
    width: float
    top: float
    height: float
    now: float
    tone: Direction
    label: str


def histogram(shape: Shape) -> tuple[Column, ...]:
    """Return the bins of a shape as columns: the baseline filled, the candidate's height as a line."""
    bins = shape["bins"]
    highest = max([*(max(b["baseline"], b["candidate"]) for b in bins), 1e-9])
    step = 100 / max(len(bins), 1)
    return tuple(_column(number, each, step, highest) for number, each in enumerate(bins))


def _column(number: int, each: ShapeBin, step: float, highest: float) -> Column:
    height, now = 96 * each["baseline"] / highest, 96 * each["candidate"] / highest
    old, new = numbers.share(each["baseline"]), numbers.share(each["candidate"])
    return Column(
        round(number * step + 0.08 * step, 2),
        round(0.84 * step, 2),
        round(100 - height, 2),
        round(height, 2),
        round(100 - now, 2),
        numbers.direction(each["candidate"] - each["baseline"]),
        f"{each['label']}: {old} → {new}",
    )


def ranked_bins(shape: Shape) -> list[ShapeBin]:
    """Return bins in their order, or by the size of their change where they have none."""
    if shape.get("ordered", False):
        return shape["bins"]
    return sorted(
        shape["bins"], key=lambda each: (-abs(each["candidate"] - each["baseline"]), each["label"])
    )


def quantile_rows(shape: Shape) -> list[tuple[str, list[str]]]:
    """Return, for bins in order, which bins hold the 5, 25, 50, 75 and 95 % points of each version."""
    labels = [each["label"] for each in shape["bins"]]
    return [
        ("Baseline", quantiles(labels, [each["baseline"] for each in shape["bins"]])),
        ("Candidate", quantiles(labels, [each["candidate"] for each in shape["bins"]])),
    ]


def quantiles(labels: Sequence[str], shares: Sequence[float]) -> list[str]:
    """Return the bins that hold the 5, 25, 50, 75 and 95 % points of a histogram in order."""
    whole, passed = sum(shares), 0.0
    found: list[str] = []
    for label, part in zip(labels, shares, strict=True):
        passed += part
        # 1e-12: sums of shares are off by their last digits
        reached = sum(passed >= point * whole * (1 - 1e-12) for point in QUANTILES) if whole else 0
        found += [label] * (reached - len(found))
    return found or [view.DASH] * len(QUANTILES)
