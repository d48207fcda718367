"""The flow of `sluicegate scan`. With a corpus and a store, the corpus is brought into the store first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from pathlib import Path
from typing import Final, Literal

from prefect import flow, task

from flows.bringing import bring_version
from flows.defaults import FLOW, TASK
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import DONE, INCOMPLETE, VIOLATED, Outcome, results_folder
from flows.progress import StageLog
from flows.steps import tool_version
from flows.telling import finish
from pipelines.scan import ScanResult, scan, write_result
from pipelines.settings import ScanSettings

Status = Literal["contaminated", "suspect", "unsearchable"]
STATUSES: Final[tuple[Status, ...]] = ("contaminated", "suspect", "unsearchable")  # the worst first


@flow(name="scan", **FLOW)
def scan_flow(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: ScanSettings = ScanSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    fail_on: Status | None = None,
) -> Outcome:
    """Find the items of benchmarks in a corpus.

    Raises:
        UnmetError: where `fail_on` is met, or something could not be read.
    """
    name = corpus_name(corpus or settings.store or "")
    searched = list(corpus)
    if corpus and settings.store is not None:
        version = bring_version(corpus, settings.store, settings, options)
        if version is None:  # some of it cannot be read: a scan of the corpus itself tells what
            settings = settings.model_copy(update={"store": None})
        else:
            searched, settings = [], settings.model_copy(update={"version": version})
    folder = results_folder(out, history=options.history)
    outcome = scan_corpus(searched, benchmarks, str(folder), settings, name, fail_on)
    return finish(outcome, options, out)


@task(name="scan", task_run_name="scan {name}", **TASK)
def scan_corpus(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: ScanSettings,
    name: str,
    fail_on: Status | None,
) -> Outcome:
    """Scan, write the results, and tell of them."""
    progress = StageLog()
    result = scan(corpus, benchmarks, settings, tool_version=tool_version(), progress=progress)
    write_result(result, Path(out))
    return _outcome(result, name, out, fail_on)


def _outcome(result: ScanResult, name: str, out: str, fail_on: Status | None) -> Outcome:
    counts = {
        str(status): int(count)
        for status, count in result.items["status"].value_counts(sort=True).iter_rows()
    }
    bad = () if fail_on is None else STATUSES[: STATUSES.index(fail_on) + 1]
    broken = any(counts.get(status, 0) for status in bad)
    unread = not result.complete
    words = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    return Outcome(
        flow="scan",
        corpus=name,
        verdict="violated" if broken else "incomplete" if unread else "complete",
        exit_status=VIOLATED if broken else INCOMPLETE if unread else DONE,
        headline=f"items: {words}" + ("; not everything could be read" if unread else ""),
        out=out,
        facts={
            **counts,
            "findings": result.findings.height,
            "documents": result.run["read"]["documents"],
            "bytes": result.run["read"]["bytes"],
            "shards": result.run["read"]["shards"],
            "complete": result.complete,
        },
    )
