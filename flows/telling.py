"""Who is told of a run, and how: artifacts in Prefect, an event and a webhook when a verdict changes."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Final

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.logging import get_logger

from flows.names import artifact_key
from flows.options import RunOptions
from flows.outcomes import DONE, Outcome, UnmetError, add_to_history, last_verdict

MOST_MARKDOWN_CHARS: Final = 500_000  # of an artifact; the report itself has everything
WEBHOOK_TIMEOUT_S: Final = 10
VERDICT_CHANGED: Final = "sluicegate.verdict.changed"


def finish(outcome: Outcome, options: RunOptions, history_in: str | None = None) -> Outcome:
    """Publish a finished run, and return it.

    Raises:
        UnmetError: where its exit status is not 0, after it was published.
    """
    _publish(outcome)
    if options.history and history_in is not None:
        before = last_verdict(history_in)
        add_to_history(history_in, outcome)
        if before is not None and before != outcome.verdict:
            _tell_of_change(before, outcome, options.webhook)
    if outcome.exit_status != DONE:
        raise UnmetError(outcome)
    return outcome


def tell_of_failure(flow: Any, run: FlowRun, state: State[Any]) -> None:
    """Tell the webhook, if there is one, that a run has failed, crashed or was cancelled."""
    options = (run.parameters or {}).get("options") or {}
    webhook = options.get("webhook") if isinstance(options, dict) else options.webhook
    if webhook is not None:
        message = {"event": "sluicegate.flow.failed", "flow": flow.name, "run": run.name}
        _post(webhook, message | {"state": state.name, "message": state.message})


def _publish(outcome: Outcome) -> None:
    """Make the artifacts: the verdict with its reasons, the facts as a table, a link to the report."""
    summary = outcome.file("summary.md")
    text = f"**{outcome.verdict}**: {outcome.headline}\n"
    if summary is not None:
        text += "\n" + summary.read_text(encoding="utf-8")
    create_markdown_artifact(
        text[:MOST_MARKDOWN_CHARS],
        key=artifact_key(outcome.flow, "summary", outcome.corpus),
        description=outcome.headline,
    )
    create_table_artifact(
        [{"what": what, "value": value} for what, value in outcome.facts.items()],
        key=artifact_key(outcome.flow, "facts", outcome.corpus),
        description=f"{outcome.flow} of {outcome.corpus}",
    )
    report = outcome.file("report.html")
    if report is not None:
        create_link_artifact(
            report.absolute().as_uri(),
            link_text=f"report of {outcome.corpus}",
            key=artifact_key(outcome.flow, "report", outcome.corpus),
            description="one self-contained file",
        )


def _tell_of_change(before: str, outcome: Outcome, webhook: str | None) -> None:
    message = {
        "flow": outcome.flow,
        "corpus": outcome.corpus,
        "before": before,
        "verdict": outcome.verdict,
        "headline": outcome.headline,
        "results": outcome.out,
    }
    emit_event(
        VERDICT_CHANGED,
        resource={
            "prefect.resource.id": f"sluicegate.{artifact_key(outcome.flow, outcome.corpus)}"
        },
        payload=message,
    )
    if webhook is not None:
        _post(webhook, {"event": VERDICT_CHANGED} | message)


def _post(webhook: str, message: dict[str, Any]) -> None:
    """Send JSON; who does not listen does not make a run fail."""
    request = urllib.request.Request(
        webhook,
        json.dumps(message).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
            pass
    except OSError as error:
        get_logger("sluicegate").warning("the webhook %s was not told: %s", webhook, error)
