"""The values of a battery: the outcome of a trial, the rate of many, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["recall", "false_positive", "undecided", "dose", "invariance"]
Size = Literal["quick", "full"]

KINDS: Final[tuple[Kind, ...]] = ("recall", "false_positive", "undecided", "dose", "invariance")
ALL: Final = "all"
POSITIONS: Final = ("head", "middle", "tail")
LENGTH_BOUNDS: Final = (10, 25, 60)  # words of the question
LENGTH_CLASSES: Final = ("under 10", "10 to 24", "25 to 59", "60 and more")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial: an item planted in a form, and what the scan made of it."""

    kind: Kind
    form: str
    item: int  # number over all benchmarks
    position: str
    guaranteed: bool  # by form and length: the scan promises to find it
    status: int  # judge.Status
    leak_type: str  # "" where nothing was found
    found: bool
    room: float = 0.0  # share of its benchmark that the document could hold; of undecided ones only


@dataclass(frozen=True, slots=True)
class Rate:
    """How many trials were found: of one form, or of its trials of one length class or position.

    `found` counts trials with the result that the form asks for: of nulls those wrongly called
    contaminated, of undecided documents those called contaminated as they are, of doses those counted
    right, of invariances those with equal findings. `rate` is their share and [low, high] its exact 95% interval. `contaminated` and `suspect` say what was
    found; the others were missed.
    """

    kind: Kind
    form: str
    length_class: str  # one of LENGTH_CLASSES, by the words of the question, or "all"
    position: str  # one of POSITIONS or "all"
    trials: int
    found: int
    rate: float
    low: float
    high: float
    contaminated: int
    suspect: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a battery measured; where it did not pass, the run is uncalibrated for `reasons`."""

    rates: tuple[Rate, ...]
    passed: bool
    reasons: tuple[str, ...]
    seed: int
    size: Size
