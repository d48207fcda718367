"""`sluicegate gate` and `sluicegate policy`: what they do and print."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.gate import GateResult

DONE = 0


def run_gate(options: argparse.Namespace) -> int:
    """Judge a mix, print the verdict, and return the exit status that belongs to it."""
    from pipelines.gate_settings import GateSettings
    from reports.verdict import exit_status
    from sluicegate.api import gate
    from sluicegate.options import settings_of
    from sluicegate.progress import ProgressLine

    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = gate(
            options.mix,
            against=options.against,
            policy=options.policy,
            benchmarks=options.benchmarks,
            out=options.out,
            progress=progress.show,
            parts_progress=progress.show_parts,
            **settings_of(GateSettings, options),
        )
    _print(result, options)
    return exit_status(result.verdict["verdict"], options.fail_on)


def run_policy(options: argparse.Namespace) -> int:
    """Say in words what a policy asks for; a policy with a mistake raises its one line."""
    from reports.policy import default_policy, read_policy
    from reports.policy_text import explain

    policy = default_policy() if options.policy is None else read_policy(options.policy)
    sys.stdout.write(explain(policy, _today()))
    return DONE


def _print(result: GateResult, options: argparse.Namespace) -> None:
    from reports.annotations import render_annotations
    from reports.render import render_json
    from reports.verdict_markdown import render_verdict_markdown
    from reports.verdict_terminal import render_verdict_terminal

    if options.json:
        sys.stdout.write(render_json(result.verdict))
        return
    sys.stdout.write(render_verdict_terminal(result.verdict))
    print(f"\nreport: {options.out / 'report.html'}")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        sys.stdout.write(render_annotations(result.verdict, str(options.out / "report.html")))
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with open(summary, "a", encoding="utf-8") as file:  # noqa: PTH123 - a path given by the runner
                file.write(render_verdict_markdown(result.verdict))


def _today() -> date:
    return datetime.now(UTC).date()
