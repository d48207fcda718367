"""The flow of `sluicegate audit`. With a corpus and a store, the corpus is brought into the store first."""

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
from pipelines.audit import AuditResult, audit, write_result
from pipelines.audit_settings import AuditSettings

Answer = Literal["no", "cannot-tell"]
FAILING: Final[dict[Answer, tuple[str, ...]]] = {
    "no": ("no",),
    "cannot-tell": ("no", "cannot tell"),
}


@flow(name="audit", **FLOW)
def audit_flow(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: AuditSettings = AuditSettings(),  # noqa: B008 - frozen
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    fail_on: Answer | None = None,
) -> Outcome:
    """Tell which scores on benchmarks can be quoted.

    Raises:
        UnmetError: where `fail_on` is met, or something could not be read.
    """
    name = corpus_name(corpus or settings.store or "")
    searched = list(corpus)
    if corpus and settings.store is not None:
        version = bring_version(corpus, settings.store, settings, options)
        searched = [] if version is not None else searched
        store = None if version is None else settings.store
        settings = settings.model_copy(update={"version": version, "store": store})
    folder = results_folder(out, history=options.history)
    outcome = audit_benchmarks(searched, benchmarks, str(folder), settings, name, fail_on)
    return finish(outcome, options, out)


@task(name="audit", task_run_name="audit {name}", **TASK)
def audit_benchmarks(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: AuditSettings,
    name: str,
    fail_on: Answer | None,
) -> Outcome:
    """Audit, write the results, and tell of them."""
    progress = StageLog()
    result = audit(corpus, benchmarks, settings, tool_version=tool_version(), progress=progress)
    write_result(result, Path(out))
    return _outcome(result, name, out, fail_on)


def _outcome(result: AuditResult, name: str, out: str, fail_on: Answer | None) -> Outcome:
    answers = [each["answer"] for each in (*result.report["scores"], *result.report["benchmarks"])]
    counts = {str(answer): answers.count(answer) for answer in sorted(set(answers), key=str)}
    broken = fail_on is not None and not set(FAILING[fail_on]).isdisjoint(counts)
    words = ", ".join(f"{count} {answer}" for answer, count in counts.items())
    return Outcome(
        flow="audit",
        corpus=name,
        verdict="violated" if broken else "complete" if result.complete else "incomplete",
        exit_status=VIOLATED if broken else DONE if result.complete else INCOMPLETE,
        headline=f"can be quoted: {words}",
        out=out,
        facts={**counts, "complete": result.complete},
    )
