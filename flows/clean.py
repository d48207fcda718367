"""The flow of `sluicegate clean`."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from pathlib import Path

from prefect import flow, task

from flows.defaults import FLOW, TASK
from flows.limits import within_limit
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import DONE, VIOLATED, Outcome
from flows.progress import StageLog
from flows.steps import tool_version
from flows.telling import finish
from pipelines.clean import CleanResult, clean
from pipelines.clean_settings import CleanSettings


@flow(name="clean", **FLOW)
@within_limit
def clean_flow(
    corpus: list[str],
    findings: str,
    out: str,
    settings: CleanSettings = CleanSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
) -> Outcome:
    """Write a copy of a corpus without what a scan of it found, and scan the copy.

    Raises:
        UnmetError: where the copy still holds what had to go.
    """
    return finish(clean_corpus(corpus, findings, out, settings), options)


@task(name="clean", task_run_name="clean", **TASK)
def clean_corpus(corpus: list[str], findings: str, out: str, settings: CleanSettings) -> Outcome:
    """Clean, and tell of it; a task that is tried again goes on where the last try was."""
    result = clean(
        corpus,
        Path(findings),
        Path(out),
        settings,
        tool_version=tool_version(),
        progress=StageLog(),
    )
    return _outcome(result, corpus_name(corpus), out)


def _outcome(result: CleanResult, name: str, out: str) -> Outcome:
    remaining = result.report["remaining_total"]
    return Outcome(
        flow="clean",
        corpus=name,
        verdict="clean" if result.is_clean else "not clean",
        exit_status=DONE if result.is_clean else VIOLATED,
        headline=f"{name}: {result.removed.height:,} removals, {remaining:,} items still found",
        out=out,
        facts={
            "copy": str(result.copy),
            "removals": result.removed.height,
            "items still found": remaining,
            "was there already": result.was_there,
        },
    )
