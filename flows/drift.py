"""The flow of `sluicegate drift`. With a store, tasks bring the profiles of new shards into it first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from prefect import flow, task

from flows import checks
from flows.bringing import bring_profiles
from flows.defaults import FLOW, TASK
from flows.limits import within_limit
from flows.names import corpus_name
from flows.newest import versions_to_compare
from flows.options import RunOptions
from flows.outcomes import Outcome, results_folder
from flows.placing import run_check
from flows.telling import finish
from pipelines.drift_settings import DriftSettings


@flow(name="drift", **FLOW)
@within_limit
def drift_flow(
    out: str,
    baseline: str | None = None,
    candidate: str | None = None,
    newest_of: str | None = None,
    benchmarks: list[str] = [],  # noqa: B006 - Prefect copies it
    settings: DriftSettings = DriftSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    fail_on_alarm: bool = False,
) -> Outcome:
    """Compare two versions of a corpus: those named, or the newest that match `newest_of` and the one before.

    Raises:
        UnmetError: where there is an alarm and `fail_on_alarm`, or something could not be read.
        FlowError: where it is not clear what to compare.
    """
    before, after = versions_to_compare(baseline, candidate, newest_of)
    bring_profiles([[before], [after]], settings, options)
    folder = results_folder(out, history=options.history)
    outcome = compare(before, after, benchmarks, str(folder), settings, options, fail_on_alarm)
    return finish(outcome, options, out)


@task(name="compare", task_run_name="compare", **TASK)
def compare(
    baseline: str,
    candidate: str,
    benchmarks: list[str],
    out: str,
    settings: DriftSettings,
    options: RunOptions,
    fail_on_alarm: bool,
) -> Outcome:
    """Compare, write the results, and tell of them."""
    name = f"{corpus_name(baseline)} to {corpus_name(candidate)}"
    return run_check(
        checks.drift, baseline, candidate, benchmarks, out, settings, name, fail_on_alarm,
        gpus=0, options=options,
    )  # fmt: skip
