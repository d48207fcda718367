"""Standard output that may be closed by its reader, as `| head` does."""

from __future__ import annotations

import os
from typing import TextIO


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
