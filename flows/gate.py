"""The flow of `sluicegate gate`. With a store, tasks bring what is new of the mix into it first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from datetime import UTC, date, datetime

from prefect import flow, task

from flows import checks
from flows.bringing import bring_profiles, bring_version
from flows.defaults import FLOW, TASK
from flows.limits import within_limit
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import Outcome, results_folder
from flows.placing import run_check
from flows.resources import gpus_of
from flows.telling import finish
from pipelines.gate_settings import GateSettings


@flow(name="gate", **FLOW)
@within_limit
def gate_flow(
    mix: str,
    benchmarks: list[str],
    out: str,
    against: str | None = None,
    policy: str | None = None,
    settings: GateSettings = GateSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    today: date | None = None,
) -> Outcome:
    """Judge a mix by a policy; `today` (UTC if None) decides which waivers have lapsed.

    Raises:
        UnmetError: where the verdict is fail, or incomplete.
    """
    if settings.store is not None:
        bring_version([mix], settings.store, settings, options)
        if against is not None:
            bring_profiles([[against], [mix]], settings.of_drift(), options)
    folder = results_folder(out, history=options.history)
    day = today or datetime.now(UTC).date()
    outcome = judge_mix(mix, benchmarks, str(folder), against, policy, settings, options, day)
    return finish(outcome, options, out)


@task(name="judge", task_run_name="judge", **TASK)
def judge_mix(
    mix: str,
    benchmarks: list[str],
    out: str,
    against: str | None,
    policy: str | None,
    settings: GateSettings,
    options: RunOptions,
    today: date,
) -> Outcome:
    """Judge, write the results, and tell of them."""
    return run_check(
        checks.gate, mix, benchmarks, out, against, policy, settings, corpus_name(mix), today,
        gpus=gpus_of(settings), options=options,
        places=[mix, *benchmarks, out, against, policy, settings.store],
    )  # fmt: skip
