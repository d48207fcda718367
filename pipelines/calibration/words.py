"""A calibration in words and rows, as the report shows it."""

from __future__ import annotations

from pipelines.calibration.controls import AS_IT_IS
from pipelines.calibration.invariance import WORKERS
from pipelines.calibration.outcomes import ALL, Calibration, Rate
from pipelines.planting import NULLS, planted_forms
from reports.intervals import rule_of_three
from reports.schema import Calibration as Section
from reports.schema import CalibrationRate


def calibration_section(calibration: Calibration | None) -> Section:
    """Return the report's section; None is a battery that was not asked for."""
    if calibration is None:
        return {"status": "UNCALIBRATED", "reason": "the calibration battery was not run"}
    overall = [r for r in calibration.rates if r.length_class == ALL and r.position == ALL]
    return {
        "status": "CALIBRATED" if calibration.passed else "UNCALIBRATED",
        "reason": _statement(overall) if calibration.passed else "; ".join(calibration.reasons),
        "rates": [_row(rate) for rate in overall],
    }


def _row(rate: Rate) -> CalibrationRate:
    return {
        "kind": rate.kind,
        "form": rate.form,
        "trials": rate.trials,
        "found": rate.found,
        "ci_low": rate.low,
        "ci_high": rate.high,
    }


def _statement(rates: list[Rate]) -> str:
    """Say what a reader wants to know first: whole copies, edited copies, false alarms."""
    by_form = {rate.form: rate for rate in rates}
    forms = planted_forms(None)
    whole = [by_form[name] for name, form in forms.items() if form.guaranteed and name in by_form]
    found, trials = sum(r.found for r in whole), sum(r.trials for r in whole)
    nulls = [by_form[name] for name in NULLS if name in by_form]
    wrong, tried = sum(r.found for r in nulls), sum(r.trials for r in nulls)
    parts = [f"of {trials:,} planted copies that are whole, however printed, {found:,} were found"]
    if edited := by_form.get("10% of words replaced"):
        parts.append(
            f"with 10% of the words replaced {edited.found:,} of {edited.trials:,} "
            f"(95% interval {edited.low:.1%} to {edited.high:.1%})"
        )
    alarms = f"{wrong:,} of {tried:,} texts that hold no leak were called contaminated"
    if wrong == 0 and tried:
        alarms += f", so at most {rule_of_three(tried):.1%} are"
    if undecided := by_form.get(AS_IT_IS):
        alarms += (
            f"; before anything was planted, {undecided.found:,} of {undecided.trials:,} pairs of an item "
            "and a document were called contaminated without shared runs of words: leaks or false alarms, "
            "which their evidence must tell and which count as neither here"
        )
    same = f"the same findings in other batches and orders and on {WORKERS} threads"
    return "; ".join([*parts, alarms, same])
