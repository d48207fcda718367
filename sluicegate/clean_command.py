"""`sluicegate clean`: what it does and prints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from sluicegate.output import say, visible

DONE, VIOLATED = 0, 1
TERMINAL_COLUMNS: Final = 110


def run_clean(options: argparse.Namespace) -> int:
    """Clean a corpus, and return the exit status: 1 where the copy still holds what had to go."""
    from corpora.places import is_url
    from pipelines.clean import CleanError
    from reports.clean_render import render_clean_terminal
    from reports.render import render_json
    from sluicegate.corpus_api import clean
    from sluicegate.progress import ProgressLine

    for name in ("out", "findings"):
        if is_url(getattr(options, name)):
            raise CleanError(
                f"--{name} {getattr(options, name)}: this version of clean reads a corpus at a URL, and "
                "takes only local folders here; name one"
            )
    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = clean(
            options.corpus,
            findings=options.findings,
            out=options.out,
            progress=progress.show_parts,
            remove=options.remove,
            status=options.status,
            mask=options.mask,
            margin=options.margin,
            jobs=options.jobs,
        )
    if options.json:
        sys.stdout.write(render_json(result.report))
    else:
        sys.stdout.write(render_clean_terminal(result.report, TERMINAL_COLUMNS))
        print(f"\ncopy: {result.copy}\nlog: {Path(options.out) / 'removed.parquet'}")
    if result.was_there:
        say(f"nothing to do: {options.out} holds the copy of these inputs already, unchanged")
    if result.is_clean:
        return DONE
    first = result.report["remaining"][0]
    more = result.report["remaining_total"] - 1
    others = f" and {more:,} more items" if more else ""
    say(
        f"not clean: {visible(first['benchmark'])} {visible(first['item_id'])}{others} can still be "
        f"found in {result.copy}; look at {Path(options.out) / 'clean.json'}, and clean with --remove "
        "document or a larger --margin into another folder"
    )
    return VIOLATED
