"""`sluicegate drift`: what it does and prints."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sluicegate.output import say, say_what_was_not_read, visible

if TYPE_CHECKING:
    from pipelines.drift import DriftResult

DONE, VIOLATED, INCOMPLETE = 0, 1, 3


def run_drift(options: argparse.Namespace) -> int:
    """Compare two versions, print what moved, and return the exit status."""
    from reports.drift_view import rules_note
    from sluicegate.corpus_api import drift
    from sluicegate.progress import ProgressLine

    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = drift(
            options.baseline,
            options.candidate,
            out=options.out,
            progress=progress.show_parts,
            benchmarks=options.benchmarks,
            text=tuple(options.text.split(",")),
            id=options.id,
            domain=options.domain,
            tokenizer=options.tokenizer,
            domain_rules=options.domain_rules,
            domain_examples=options.domain_examples,
            fields=options.fields,
            store=options.store,
            seed=options.seed,
            minimum_share=options.minimum_share,
            jobs=options.jobs,
            skip_bad=options.skip_bad,
        )
    _print(result, options)
    if note := rules_note(result.report):
        say(f"warning: {visible(note)}")
    if options.fail_on == "alarm" and result.report["alarms"]:
        return VIOLATED
    if result.complete:
        return DONE
    for version in result.report["versions"]:
        say_what_was_not_read(version)
    return INCOMPLETE


def _print(result: DriftResult, options: argparse.Namespace) -> None:
    from reports.drift_terminal import render_drift_terminal
    from reports.render import render_json

    if options.json:
        sys.stdout.write(render_json(result.report))
        return
    sys.stdout.write(render_drift_terminal(result.report))
    print(f"\nreport: {options.out / 'report.html'}")
