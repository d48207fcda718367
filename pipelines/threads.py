"""Running steps on threads: the kernels release the interpreter lock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Final, TypeVar

POLL_S: Final = 0.2

Unit = TypeVar("Unit")


def map_threads(
    step: Callable[[Unit], None], units: Iterable[Unit], jobs: int, stop: threading.Event
) -> None:
    """Run a step for every unit, in order where `jobs` is 1.

    The first error ends the others: `stop` is set, for steps to look at, those that did not begin are
    cancelled, and it is raised.
    """
    if jobs == 1:
        for unit in units:
            step(unit)
        return
    with ThreadPoolExecutor(jobs) as pool:
        left = {pool.submit(step, unit) for unit in units}
        try:
            while left:  # in short waits: a long one would keep Ctrl-C from getting through
                finished, left = wait(left, timeout=POLL_S, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
