"""One step per part, on threads, with a word on how far they are.

A step says what it has read as it goes on; that is also where it ends when another has failed, or the
user has had enough.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipelines.threads import map_threads

Part = TypeVar("Part")
Result = TypeVar("Result")
Tell = Callable[[int, int], None]  # documents and bytes read since it was last called


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `bytes` are those of the texts read so far. Without parts: a stage by name."""

    stage: str
    parts_done: int = 0
    parts: int = 0
    documents: int = 0
    bytes: int = 0


class StoppedError(Exception):
    """Another step has failed, or the user has: this one's work is not wanted any more."""


def run_steps(
    step: Callable[[Part, Tell], Result],
    parts: Sequence[Part],
    jobs: int,
    stage: str = "",
    progress: Callable[[Progress], None] = lambda _: None,
) -> list[Result]:
    """Run `step(part, tell)` for every part on `jobs` threads; return the results in their order.

    Raises what the first failing step raises, after the others have stopped.
    """
    stop = threading.Event()
    lock = threading.Lock()
    so_far = [0, 0, 0]
    results: dict[int, Result] = {}

    def tell(documents: int, size_bytes: int, parts_done: int = 0) -> None:
        if stop.is_set():
            raise StoppedError
        with lock:
            so_far[0] += parts_done
            so_far[1] += documents
            so_far[2] += size_bytes
            now = Progress(stage, so_far[0], len(parts), so_far[1], so_far[2])
        progress(now)

    def run(number: int) -> None:
        results[number] = step(parts[number], tell)
        tell(0, 0, 1)

    map_threads(run, range(len(parts)), jobs, stop)
    return [results[number] for number in range(len(parts))]
