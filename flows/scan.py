"""The flow of `sluicegate scan`. With a corpus and a store, the corpus is brought into the store first."""

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from prefect import flow, task

from flows import checks
from flows.bringing import searched_through
from flows.checks import Status
from flows.defaults import FLOW, TASK
from flows.limits import within_limit
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import Outcome, results_folder
from flows.placing import run_check
from flows.resources import gpus_of
from flows.telling import finish
from pipelines.settings import ScanSettings


@flow(name="scan", **FLOW)
@within_limit
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
    searched, settings = searched_through(corpus, settings, options)
    folder = results_folder(out, history=options.history)
    outcome = scan_corpus(searched, benchmarks, str(folder), settings, options, name, fail_on)
    return finish(outcome, options, out)


@task(name="scan", task_run_name="scan {name}", **TASK)
def scan_corpus(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: ScanSettings,
    options: RunOptions,
    name: str,
    fail_on: Status | None,
) -> Outcome:
    """Scan, write the results, and tell of them."""
    return run_check(
        checks.scan, corpus, benchmarks, out, settings, name, fail_on,
        gpus=gpus_of(settings), options=options, places=[*corpus, *benchmarks, out, settings.store],
    )  # fmt: skip
