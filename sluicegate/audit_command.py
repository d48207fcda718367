"""`sluicegate audit`: what it does and prints."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pipelines.audit import AuditResult

DONE, VIOLATED, INCOMPLETE = 0, 1, 3
FAILING: Final = {"no": ("no",), "cannot-tell": ("no", "cannot tell")}


def run_audit(options: argparse.Namespace) -> int:
    """Audit benchmarks, print which scores can be quoted, and return the exit status."""
    from pipelines.audit_settings import AuditSettings
    from sluicegate.api import audit
    from sluicegate.options import settings_of
    from sluicegate.progress import ProgressLine

    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = audit(
            options.corpus,
            options.benchmarks,
            out=options.out,
            progress=progress.show,
            **settings_of(AuditSettings, options),
        )
    _print(result, options)
    if not result.complete:
        print("sluicegate: incomplete: see “What could not be read”", file=sys.stderr)
    if options.fail_on is not None and _answers(result) & set(FAILING[options.fail_on]):
        return VIOLATED
    return DONE if result.complete else INCOMPLETE


def _answers(result: AuditResult) -> set[str | None]:
    report = result.report
    return {each["answer"] for each in (*report["scores"], *report["benchmarks"])}


def _print(result: AuditResult, options: argparse.Namespace) -> None:
    from reports.audit_terminal import render_audit_terminal
    from reports.render import render_json

    if options.json:
        sys.stdout.write(render_json(result.report))
        return
    sys.stdout.write(render_audit_terminal(result.report))
    print(f"\nreport: {options.out / 'report.html'}")
    print(f"evaluate on: {options.out / 'clean_items.jsonl'}")
