"""The flow of `sluicegate drift`."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from pathlib import Path

from prefect import flow, task

from flows.defaults import FLOW, TASK
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import DONE, INCOMPLETE, VIOLATED, Outcome, results_folder
from flows.progress import StageLog
from flows.steps import tool_version
from flows.telling import finish
from pipelines.drift import DriftResult, drift, write_result
from pipelines.drift_settings import DriftSettings


@flow(name="drift", **FLOW)
def drift_flow(
    baseline: str,
    candidate: str,
    out: str,
    benchmarks: list[str] = [],  # noqa: B006 - Prefect copies it
    settings: DriftSettings = DriftSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    fail_on_alarm: bool = False,
) -> Outcome:
    """Compare two versions of a corpus.

    Raises:
        UnmetError: where there is an alarm and `fail_on_alarm`, or something could not be read.
    """
    folder = results_folder(out, history=options.history)
    outcome = compare(baseline, candidate, benchmarks, str(folder), settings, fail_on_alarm)
    return finish(outcome, options, out)


@task(name="compare", **TASK)
def compare(
    baseline: str,
    candidate: str,
    benchmarks: list[str],
    out: str,
    settings: DriftSettings,
    fail_on_alarm: bool,
) -> Outcome:
    """Compare, write the results, and tell of them."""
    progress = StageLog()
    result = drift(
        [baseline],
        [candidate],
        benchmarks,
        settings,
        tool_version=tool_version(),
        progress=progress,
    )
    write_result(result, Path(out))
    names = f"{corpus_name(baseline)} to {corpus_name(candidate)}"
    return _outcome(result, names, out, fail_on_alarm=fail_on_alarm)


def _outcome(result: DriftResult, name: str, out: str, *, fail_on_alarm: bool) -> Outcome:
    alarms = result.report["alarms"]
    broken = bool(alarms) and fail_on_alarm
    return Outcome(
        flow="drift",
        corpus=name,
        verdict="alarm" if alarms else "steady" if result.complete else "incomplete",
        exit_status=VIOLATED if broken else DONE if result.complete else INCOMPLETE,
        headline=f"{name}: {alarms} alarms" + ("" if result.complete else "; not all was read"),
        out=out,
        facts={
            "alarms": alarms,
            **{f"{f['version']} documents": f["documents"] for f in result.report["versions"]},
            "complete": result.complete,
        },
    )
