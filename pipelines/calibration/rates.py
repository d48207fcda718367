"""What the trials amount to: rates with exact intervals, in a total order, and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl

from pipelines.calibration.outcomes import (
    ALL,
    KINDS,
    LENGTH_BOUNDS,
    LENGTH_CLASSES,
    POSITIONS,
    Calibration,
    Kind,
    Outcome,
    Rate,
)
from reports.intervals import binomial_interval
from scanners.judge import Status

CALIBRATION_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "kind": pl.String, "form": pl.String, "length_class": pl.String, "position": pl.String,
    "trials": pl.Int64, "found": pl.Int64, "rate": pl.Float64, "ci_low": pl.Float64,
    "ci_high": pl.Float64, "contaminated": pl.Int64, "suspect": pl.Int64,
}  # fmt: skip


def rates(outcomes: Sequence[Outcome], question_words: np.ndarray) -> Iterator[Rate]:
    """Count the trials of each form: all, by length class, by position; in a total order."""
    cells: dict[tuple[int, int, int, int], list[Outcome]] = {}
    forms = list(dict.fromkeys(outcome.form for outcome in outcomes))
    for outcome in outcomes:
        length = length_class(int(question_words[outcome.item]))
        cell = (KINDS.index(outcome.kind), forms.index(outcome.form))
        for at in {
            (*cell, 0, 0),
            (*cell, 1 + LENGTH_CLASSES.index(length), 0),
            (*cell, 0, [ALL, *POSITIONS].index(outcome.position)),
        }:
            cells.setdefault(at, []).append(outcome)
    for (kind, form, length_at, position_at), trials in sorted(cells.items(), key=_place):
        yield _rate(
            KINDS[kind], forms[form], [ALL, *LENGTH_CLASSES][length_at],
            [ALL, *POSITIONS][position_at], trials,
        )  # fmt: skip


def calibration_table(calibration: Calibration) -> pl.DataFrame:
    """Return the rates as `calibration.parquet` has them: by kind, form, length and position."""
    rows = [
        (
            r.kind, r.form, r.length_class, r.position, r.trials, r.found, r.rate, r.low, r.high,
            r.contaminated, r.suspect,
        )
        for r in calibration.rates
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=CALIBRATION_SCHEMA, orient="row")


def length_class(question_words: int) -> str:
    """Return the class of a question of so many words."""
    return LENGTH_CLASSES[sum(question_words >= bound for bound in LENGTH_BOUNDS)]


def _place(cell: tuple[tuple[int, int, int, int], list[Outcome]]) -> tuple[int, int, int, int]:
    return cell[0]


def _rate(kind: Kind, form: str, length: str, position: str, trials: Sequence[Outcome]) -> Rate:
    found = sum(trial.found for trial in trials)
    low, high = binomial_interval(found, len(trials))
    return Rate(
        kind=kind,
        form=form,
        length_class=length,
        position=position,
        trials=len(trials),
        found=found,
        rate=found / len(trials),
        low=low,
        high=high,
        contaminated=sum(trial.status == Status.CONTAMINATED for trial in trials),
        suspect=sum(trial.status == Status.SUSPECT for trial in trials),
    )
