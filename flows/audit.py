"""The flow of `sluicegate audit`. With a corpus and a store, the corpus is brought into the store first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from prefect import flow, task

from flows import checks
from flows.bringing import searched_through
from flows.checks import Answer
from flows.defaults import FLOW, TASK
from flows.limits import within_limit
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import Outcome, results_folder
from flows.placing import run_check
from flows.resources import gpus_of
from flows.telling import finish
from pipelines.audit_settings import AuditSettings


@flow(name="audit", **FLOW)
@within_limit
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
    searched, settings = searched_through(corpus, settings, options)
    folder = results_folder(out, history=options.history)
    outcome = audit_benchmarks(searched, benchmarks, str(folder), settings, options, name, fail_on)
    return finish(outcome, options, out)


@task(name="audit", task_run_name="audit {name}", **TASK)
def audit_benchmarks(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: AuditSettings,
    options: RunOptions,
    name: str,
    fail_on: Answer | None,
) -> Outcome:
    """Audit, write the results, and tell of them."""
    return run_check(
        checks.audit, corpus, benchmarks, out, settings, name, fail_on,
        gpus=gpus_of(settings), options=options, places=[*corpus, *benchmarks, out, settings.store],
    )  # fmt: skip
