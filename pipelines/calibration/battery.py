"""The battery: every form, null, dose and invariance in turn, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.calibration.controls import false_positives
from pipelines.calibration.invariance import INVARIANCES, same_findings
from pipelines.calibration.outcomes import Calibration, Outcome, Size
from pipelines.calibration.rates import rates
from pipelines.calibration.stage import EXTENTS, Stage, choose_hosts
from pipelines.calibration.trials import DOSES, dose, recall
from pipelines.calibration.verdict import reasons_against
from pipelines.planting import NULLS, Paraphrases, planted_forms
from pipelines.shard_step import ScanPlan
from scanners.fields import Role


def run_battery(
    plan: ScanPlan,
    hosts: Sequence[str],
    *,
    size: Size,
    seed: int = 0,
    paraphrases: Paraphrases | None = None,
) -> Calibration:
    """Measure a plan's scan on leaks planted into copies of `hosts`, documents of the corpus.

    The result depends on the set of hosts, not on their order. `paraphrases` maps items to texts
    that say the same in other words.
    """
    outcomes = list(play(plan, hosts, size=size, seed=seed, paraphrases=paraphrases))
    question_words = plan.patterns.role_words[:, Role.QUESTION]
    reasons = tuple(reasons_against(outcomes))
    return Calibration(tuple(rates(outcomes, question_words)), not reasons, reasons, seed, size)


def play(
    plan: ScanPlan,
    hosts: Sequence[str],
    *,
    size: Size,
    seed: int = 0,
    paraphrases: Paraphrases | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of every trial; none where no host has enough words."""
    extent = EXTENTS[size]
    chosen = choose_hosts(hosts, extent, seed)
    if not chosen:
        return
    stage = Stage(plan, chosen, extent, seed)
    forms = planted_forms(paraphrases)
    for name, form in forms.items():
        yield from recall(stage, name, form)
    for name in NULLS:
        yield from false_positives(stage, name)
    for name in DOSES:
        yield from dose(stage, name)
    for name in INVARIANCES:
        yield from same_findings(stage, name, forms)
