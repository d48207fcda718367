"""Running a flow once, serving it on a schedule, deploying it to a work pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from prefect.deployments.runner import RunnerDeployment
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.types.entrypoint import EntrypointType

from flows.outcomes import Outcome, UnmetError
from flows.registry import FLOWS

DRAIN_S: Final = 5.0
PREFIX: Final = "sluicegate"  # of deployments


def run_flow(name: str, parameters: Mapping[str, Any]) -> Outcome:
    """Run a flow here and now; what is broken or unread is in the outcome.

    Raises what its pipeline raises.
    """
    try:
        outcome: Outcome = FLOWS[name](**parameters)
    except UnmetError as unmet:
        return unmet.outcome
    finally:
        _send_what_waits()
    return outcome


def _send_what_waits() -> None:
    """Send the last log lines and events before the server ends."""
    APILogWorker.drain_all(timeout=DRAIN_S)
    EventsWorker.drain_all(timeout=DRAIN_S)


def serve_flow(
    name: str,
    parameters: Mapping[str, Any],
    *,
    deployment: str | None,
    cron: str | None,
    interval_s: float | None,
) -> None:
    """Run a flow on a schedule, in processes of this machine, until this process is told to end.

    One run at a time: a run that is late waits for the one before.
    """
    FLOWS[name].serve(
        name=deployment or PREFIX,
        parameters=dict(parameters),
        cron=cron,
        interval=None if interval_s is None else timedelta(seconds=interval_s),
        limit=1,
        pause_on_shutdown=False,
        print_starting_message=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def deploy_flow(
    name: str,
    parameters: Mapping[str, Any],
    *,
    pool: str,
    deployment: str | None,
    cron: str | None,
    interval_s: float | None,
    tags: Sequence[str] = (PREFIX,),
) -> str:
    """Register a flow for a work pool, whose workers have the same version installed; return its name."""
    made = FLOWS[name].to_deployment(
        name=deployment or PREFIX,
        parameters=dict(parameters),
        cron=cron,
        interval=None if interval_s is None else timedelta(seconds=interval_s),
        concurrency_limit=1,
        work_pool_name=pool,
        tags=list(tags),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    assert isinstance(made, RunnerDeployment), "it is a coroutine only where a loop runs"
    made.apply()
    return f"{made.flow_name}/{made.name}"
