"""How far a pipeline is, as lines of the log of its task: one for each stage."""

from __future__ import annotations

from typing import Protocol

from prefect.logging import get_run_logger


class _Stage(Protocol):
    @property
    def stage(self) -> str: ...


class StageLog:
    """Takes the progress of a pipeline from any of its threads; made in the task's own thread."""

    def __init__(self) -> None:
        self._logger = get_run_logger()
        self._stage = ""

    def __call__(self, progress: _Stage) -> None:
        """Log a stage that begins."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self._logger.info("%s", progress.stage)
