"""What all commands print alike: errors and warnings to stderr, and a stdout that may be closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from reports.schema import ReadProblem

UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


class UntilClosed:
    """Writes to a stream until its reader has gone, and to nowhere afterwards.

    The exit status of a command must not depend on who reads what it prints: a gate whose output goes
    to `| head` still fails.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text; return its length."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        """Write out what is buffered."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()

    def isatty(self) -> bool:
        """Tell whether a person reads it."""
        return self._stream.isatty()

    def _give_up(self) -> None:
        # what is still buffered is written when the interpreter ends: to nowhere, without an error
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def say(message: str) -> None:
    """Print one line to stderr."""
    print(f"sluicegate: {message}", file=sys.stderr)


def say_what_was_not_read(version: Mapping[str, Any]) -> None:
    """Say in one line what could not be read first; `version` has `problems` and `problems_not_shown`."""
    problems: Sequence[ReadProblem] = version["problems"]
    if not problems:
        return
    first = problems[0]
    more = len(problems) + version["problems_not_shown"] - 1
    place = first["shard"] if first["row"] is None else f"{first['shard']}, row {first['row']}"
    others = f" (and {more:,} more, in the report)" if more else ""
    say(f"incomplete: {visible(place)}: {visible(first['reason'])}; {first['mend']}{others}")


def visible(text: str) -> str:
    """Return text of a corpus as one line that a terminal shows and does not obey."""
    from reports.escape import one_line

    return one_line(text)


def size_in_words(n_bytes: Any) -> str:
    """Return bytes in words, 1,000 a step."""
    value, unit = float(n_bytes), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:,.0f} {UNITS[unit]}"
        if unit == 0 or value >= 100
        else f"{value:,.1f} {UNITS[unit]}"
    )
