"""How a flow ends: what it says, where its report is, and whether that must not go unnoticed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

DONE, VIOLATED, INCOMPLETE = 0, 1, 3
HISTORY_FILE: Final = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run.

    `verdict` is a word (pass, fail, clean, ...), `exit_status` that of the command, `out` the folder of the
    results, `facts` what a table shows.
    """

    flow: str
    corpus: str
    verdict: str
    exit_status: int
    headline: str
    out: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def file(self, name: str) -> Path | None:
        """Return a file of the results, if it is there."""
        path = None if self.out is None else Path(self.out) / name
        return path if path is not None and path.is_file() else None


class UnmetError(Exception):
    """The run is finished, and a limit is broken or something was not read: the flow run has failed.

    Nothing is wrong with the program; the results are written, `outcome` tells of them.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.headline)
        self.outcome = outcome


def results_folder(out: str, *, history: bool) -> Path:
    """Return where a run puts its results: with a history, a folder named by the time of day (UTC)."""
    if not history:
        return Path(out)
    return Path(out) / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")


def last_verdict(out: str) -> str | None:
    """Return the verdict of the last run in the history of a folder; None before the first."""
    try:
        lines = (Path(out) / HISTORY_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        try:
            return str(json.loads(line)["verdict"])
        except (ValueError, KeyError):  # the run that wrote it was killed
            continue
    return None


def add_to_history(out: str, outcome: Outcome) -> None:
    """Append a line on a run to the history of a folder."""
    line = json.dumps(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "flow": outcome.flow,
            "corpus": outcome.corpus,
            "verdict": outcome.verdict,
            "exit_status": outcome.exit_status,
            "headline": outcome.headline,
            "results": outcome.out,
        },
        ensure_ascii=False,
    )
    Path(out).mkdir(parents=True, exist_ok=True)
    with (Path(out) / HISTORY_FILE).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")  # one write: readers see whole lines
