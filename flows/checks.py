"""What the flows of scan, gate, audit and drift do once a store has everything: run the pipeline, write, tell.

Needs no Prefect: a check whose settings ask for a GPU runs on a worker of the cluster that has one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from flows.outcomes import DONE, INCOMPLETE, VIOLATED, Outcome
from flows.steps import tool_version
from pipelines import audit as audits
from pipelines import drift as drifts
from pipelines import gate as gates
from pipelines import scan as scans
from pipelines.audit_settings import AuditSettings
from pipelines.drift_settings import DriftSettings
from pipelines.gate_settings import GateSettings
from pipelines.settings import ScanSettings
from reports.verdict import exit_status

Status = Literal["contaminated", "suspect", "unsearchable"]
STATUSES: Final[tuple[Status, ...]] = ("contaminated", "suspect", "unsearchable")  # the worst first
Answer = Literal["no", "cannot-tell"]
FAILING: Final[dict[Answer, tuple[str, ...]]] = {
    "no": ("no",),
    "cannot-tell": ("no", "cannot tell"),
}
Tell = Callable[[Any], None]  # of any progress, from any thread


def scan(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: ScanSettings,
    name: str,
    fail_on: Status | None,
    *,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Scan, write the results, and tell how it ended."""
    result = scans.scan(corpus, benchmarks, settings, tool_version=tool_version(), progress=tell)
    scans.write_result(result, Path(out))
    counts = {
        str(status): int(count)
        for status, count in result.items["status"].value_counts(sort=True).iter_rows()
    }
    bad = () if fail_on is None else STATUSES[: STATUSES.index(fail_on) + 1]
    broken = any(counts.get(status, 0) for status in bad)
    words = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    return Outcome(
        flow="scan",
        corpus=name,
        verdict="violated" if broken else "complete" if result.complete else "incomplete",
        exit_status=_status(broken=broken, complete=result.complete),
        headline=f"items: {words}" + ("" if result.complete else "; not everything could be read"),
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


def gate(
    mix: str,
    benchmarks: list[str],
    out: str,
    against: str | None,
    policy: str | None,
    settings: GateSettings,
    name: str,
    today: date,
    *,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Judge a mix, write the results, and tell how it ended."""
    result = gates.gate(
        mix,
        against,
        policy,
        benchmarks,
        settings,
        today=today,
        tool_version=tool_version(),
        progress=tell,
        parts_progress=tell,
    )
    gates.write_result(result, Path(out))
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


def audit(
    corpus: list[str],
    benchmarks: list[str],
    out: str,
    settings: AuditSettings,
    name: str,
    fail_on: Answer | None,
    *,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Audit, write the results, and tell how it ended."""
    result = audits.audit(corpus, benchmarks, settings, tool_version=tool_version(), progress=tell)
    audits.write_result(result, Path(out))
    answers = [each["answer"] for each in (*result.report["scores"], *result.report["benchmarks"])]
    counts = {str(answer): answers.count(answer) for answer in sorted(set(answers), key=str)}
    broken = fail_on is not None and not set(FAILING[fail_on]).isdisjoint(counts)
    words = ", ".join(f"{count} {answer}" for answer, count in counts.items())
    return Outcome(
        flow="audit",
        corpus=name,
        verdict="violated" if broken else "complete" if result.complete else "incomplete",
        exit_status=_status(broken=broken, complete=result.complete),
        headline=f"can be quoted: {words}",
        out=out,
        facts={**counts, "complete": result.complete},
    )


def drift(
    baseline: str,
    candidate: str,
    benchmarks: list[str],
    out: str,
    settings: DriftSettings,
    name: str,
    fail_on_alarm: bool,
    *,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Compare two versions, write the results, and tell how it ended."""
    result = drifts.drift(
        [baseline],
        [candidate],
        benchmarks,
        settings,
        tool_version=tool_version(),
        progress=tell,
    )
    drifts.write_result(result, Path(out))
    alarms = result.report["alarms"]
    return Outcome(
        flow="drift",
        corpus=name,
        verdict="alarm" if alarms else "steady" if result.complete else "incomplete",
        exit_status=_status(broken=bool(alarms) and fail_on_alarm, complete=result.complete),
        headline=f"{name}: {alarms} alarms" + ("" if result.complete else "; not all was read"),
        out=out,
        facts={
            "baseline": baseline,
            "candidate": candidate,
            "alarms": alarms,
            **{f"{f['version']} documents": f["documents"] for f in result.report["versions"]},
            "complete": result.complete,
        },
    )


def _status(*, broken: bool, complete: bool) -> int:
    return VIOLATED if broken else DONE if complete else INCOMPLETE
