"""The progress line: one line on a terminal that rewrites itself, a line per stage elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from pipelines import mapping
    from pipelines.scan import Progress

LEAST_INTERVAL_S: Final = 0.2


class ProgressLine:
    """Shows how far a run is; use it in a `with` block, which ends the line."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._rewrites = stream.isatty()
        self._lock = threading.Lock()
        self._stage = ""
        self._shown_at = 0.0
        self._started = time.monotonic()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rewrites and self._stage and not self._quiet:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def say(self, stage: str) -> None:
        """Show a stage without figures."""
        self._write(stage, stage)

    def show(self, progress: Progress) -> None:
        """Show a scan's progress; called often, from any thread."""
        if progress.stage != "scanning":
            self.say(progress.stage)
            return
        seconds = max(1e-3, time.monotonic() - self._started)
        self._write(
            progress.stage,
            f"scanning: {progress.shards_done}/{progress.shards} parts, {progress.documents:,} "
            f"documents, {progress.bytes / 1e6:,.0f} MB, {progress.findings:,} findings, {seconds:,.0f} s",
        )

    def show_parts(self, progress: mapping.Progress) -> None:
        """Show the progress of steps over the parts of a corpus; called often, from any thread."""
        if not progress.parts:
            self.say(progress.stage)
            return
        seconds = max(1e-3, time.monotonic() - self._started)
        self._write(
            progress.stage,
            f"{progress.stage}: {progress.parts_done}/{progress.parts} parts, {progress.documents:,} "
            f"documents, {progress.bytes / 1e6:,.0f} MB, {seconds:,.0f} s",
        )

    def _write(self, stage: str, line: str) -> None:
        if self._quiet:
            return
        with self._lock:  # steps tell from their threads: a stage is said once
            self._write_now(stage, line)

    def _write_now(self, stage: str, line: str) -> None:
        now = time.monotonic()
        if self._rewrites:
            if stage == self._stage and now - self._shown_at < LEAST_INTERVAL_S:
                return
            self._stream.write(f"\r\x1b[K{line}")
        elif stage != self._stage:
            self._stream.write(f"{stage}\n")
        self._stage, self._shown_at = stage, now
        self._stream.flush()
