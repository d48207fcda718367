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
LOADING: Final = "loading kernels"  # a stage of a second, but where they have to be compiled
PATIENCE_S: Final = 4.0
COMPILING: Final = "compiling kernels: once after an installation, a minute of one core"


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
        self._timer: threading.Timer | None = None

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._wait_no_longer()
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
            if stage != self._stage:
                self._wait_no_longer()
            if stage == LOADING and self._timer is None:
                self._timer = threading.Timer(PATIENCE_S, self._say_compiling)
                self._timer.daemon = True
                self._timer.start()
        elif stage != self._stage:
            self._stream.write(f"{stage}\n")
        self._stage, self._shown_at = stage, now
        self._stream.flush()

    def _say_compiling(self) -> None:
        """Say why loading takes so long; on a terminal only, where a person waits."""
        with self._lock:
            if self._stage == LOADING:
                self._stream.write(f"\r\x1b[K{COMPILING}")
                self._stream.flush()

    def _wait_no_longer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
