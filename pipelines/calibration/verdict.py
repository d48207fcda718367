"""Whether a battery passed: promises kept, few false alarms, the same findings in any batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from indexes.ngram import LONG_WORDS
from pipelines.calibration.invariance import INVARIANCES
from pipelines.calibration.outcomes import Outcome
from pipelines.calibration.stage import LEAST_HOST_WORDS
from pipelines.calibration.trials import DOSES, VERBATIM
from reports.intervals import binomial_interval
from scanners.judge import Status

LEAST_TRIALS: Final = 20  # of verbatim copies
LEAST_SHORT_RECALL: Final = 0.9  # of verbatim copies of items that the guarantee does not cover
MOST_FALSE_POSITIVES: Final = 0.01  # of all nulls, and of each family of them
SHORTER: Final = 2.0  # words of an item for one of the same in another language or in other words


def reasons_against(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say why a battery did not pass; nothing where it did."""
    if not outcomes:
        yield (
            "nothing to plant: no searchable item, or no document of at least "
            f"{LEAST_HOST_WORDS} words"
        )
        return
    copies = [trial for trial in outcomes if trial.form == VERBATIM]
    if len(copies) < LEAST_TRIALS:
        yield (
            f"too few searchable items to calibrate: {len(copies)} that the documents do not hold "
            f"already, where {LEAST_TRIALS} are needed"
        )
    yield from _broken_promises([trial for trial in outcomes if trial.guaranteed])
    short = [trial.status >= Status.SUSPECT for trial in copies if not trial.guaranteed]
    if binomial_interval(sum(short), len(short))[1] < LEAST_SHORT_RECALL:  # not by bad luck
        yield (
            f"{VERBATIM}: only {sum(short)} of {len(short)} planted items with a question under "
            f"{LONG_WORDS} words left a trace"
        )
    yield from _false_positive_reasons([o for o in outcomes if o.kind == "false_positive"])
    yield from _undecided_reasons([o for o in outcomes if o.kind == "undecided"])
    yield from _varying([trial for trial in outcomes if trial.kind == "invariance"])


def _broken_promises(promised: Sequence[Outcome]) -> Iterator[str]:
    for form in dict.fromkeys(trial.form for trial in promised):
        found = [trial.found for trial in promised if trial.form == form]
        if not all(found):
            yield (
                f"{form}: {found.count(False)} of {len(found)} planted items with a question of "
                f"{LONG_WORDS} words were {'counted wrong' if form in DOSES else 'missed'}"
            )


def _false_positive_reasons(nulls: Sequence[Outcome]) -> Iterator[str]:
    wrong = [trial for trial in nulls if trial.found]
    if len(wrong) > MOST_FALSE_POSITIVES * len(nulls):
        yield (
            f"false positives: {len(wrong)} of {len(nulls)} nulls were called contaminated, more "
            f"than {MOST_FALSE_POSITIVES:.0%}"
        )
    for form in dict.fromkeys(trial.form for trial in nulls):
        found = [trial.found for trial in nulls if trial.form == form]
        if binomial_interval(sum(found), len(found))[0] > MOST_FALSE_POSITIVES:  # not by bad luck
            yield (
                f"false positives: {form} called contaminated {sum(found)} times of {len(found)}, "
                f"more often than {MOST_FALSE_POSITIVES:.0%}"
            )


def _undecided_reasons(pairs: Sequence[Outcome]) -> Iterator[str]:
    """Say that not all that was found can be leaks: documents have no room for so many items."""
    found = sum(pair.found for pair in pairs)
    room = SHORTER * sum(pair.room for pair in pairs) / len(pairs) if pairs else 1.0
    if binomial_interval(found, len(pairs))[0] > max(room, MOST_FALSE_POSITIVES):
        yield (
            f"false positives: before anything was planted {found} of {len(pairs)} pairs of an item "
            f"and a document were called contaminated, more than the {room:.1%} for which documents of "
            "their length have room"
        )


def _varying(examined: Sequence[Outcome]) -> Iterator[str]:
    for form, how in INVARIANCES.items():
        same = [trial.found for trial in examined if trial.form == form]
        if not all(same):
            yield (
                f"{form}: {same.count(False)} of {len(same)} planted documents gave other findings "
                f"{how}"
            )
