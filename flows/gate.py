"""The flow of `sluicegate gate`. With a store, tasks bring what is new of the mix into it first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import flow, task

from flows.bringing import bring_version
from flows.defaults import FLOW, TASK
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import Outcome, results_folder
from flows.progress import StageLog
from flows.steps import tool_version
from flows.telling import finish
from pipelines.gate import GateResult, gate, write_result
from pipelines.gate_settings import GateSettings
from reports.verdict import exit_status


@flow(name="gate", **FLOW)
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
    folder = results_folder(out, history=options.history)
    day = today or datetime.now(UTC).date()
    outcome = judge_mix(mix, benchmarks, str(folder), against, policy, settings, day)
    return finish(outcome, options, out)


@task(name="judge", **TASK)
def judge_mix(
    mix: str,
    benchmarks: list[str],
    out: str,
    against: str | None,
    policy: str | None,
    settings: GateSettings,
    today: date,
) -> Outcome:
    """Judge, write the results, and tell of them."""
    progress = StageLog()
    result = gate(
        mix,
        against,
        policy,
        benchmarks,
        settings,
        today=today,
        tool_version=tool_version(),
        progress=progress,
        parts_progress=progress,
    )
    write_result(result, Path(out))
    return _outcome(result, corpus_name(mix), out, settings)


def _outcome(result: GateResult, name: str, out: str, settings: GateSettings) -> Outcome:
    verdict = result.verdict["verdict"]
    items = result.scan.items["status"].value_counts(sort=True)
    return Outcome(
        flow="gate",
        corpus=name,
        verdict=verdict,
        exit_status=exit_status(verdict, settings.fail_on),
        headline=f"{name}: {verdict}",
        out=out,
        facts={
            "verdict": verdict,
            **{str(status): int(count) for status, count in items.iter_rows()},
            "alarms": None if result.drift is None else result.drift.report["alarms"],
            "complete": result.run["complete"],
        },
    )
