"""Where steps run: in threads here, in processes here, on Dask, on Ray. One option, one small class each.

Prefect's own task runners for processes, Dask and Ray start Prefect in every worker, at half a second of
processor time a task and more (`benchmarks/speed_flows.py`). Here a task of Prefect is a thread that
waits for a step; the step itself knows nothing of Prefect, and neither need its worker.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import Any, Final, Protocol, TypeVar

from flows.clusters import MOST_LOST, dask_engine, ray_engine
from flows.options import RunOptions
from flows.steps import PATIENCE_S

Result = TypeVar("Result")


class Engine(Protocol):
    """Runs steps. Called from many threads.

    A step has a named argument `tell`, a function that it calls now and then with anything; that raises
    where the step's work is not wanted any more.

    `patience_s`: how long a step waits for a shard that another process seems to be at.
    """

    patience_s: float

    def slots(self, gpus: int = 0) -> int:
        """Return how many steps run at a time that ask for so many GPUs each.

        Raises:
            ClusterError: where the cluster has no such GPUs.
        """
        ...

    def call(self, step: Callable[..., Result], *arguments: Any, gpus: int = 0) -> Result:
        """Run a step and return its result, or raise what it raises."""
        ...


@contextmanager
def open_engine(options: RunOptions) -> Iterator[Engine]:
    """Give the engine that the options name, and leave nothing running after it.

    Raises:
        ClusterError: where the runner is not installed, or the cluster does not answer.
    """
    with ENGINES[options.runner](options) as engine:
        yield engine


class UnwantedError(Exception):
    """The flow has ended while this step was at work."""


class _Threads:
    """Steps run in the thread that asks: the kernels release the interpreter lock."""

    patience_s = PATIENCE_S

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._stop = threading.Event()

    def slots(self, gpus: int = 0) -> int:
        del gpus  # a step on this machine finds the GPUs by itself
        return self._jobs

    def call(self, step: Callable[..., Result], *arguments: Any, gpus: int = 0) -> Result:
        del gpus
        return step(*arguments, tell=self._go_on)

    def close(self) -> None:
        """End the steps that are at work; what they have half done is removed."""
        self._stop.set()

    def _go_on(self, _: object) -> None:
        if self._stop.is_set():
            raise UnwantedError


class _Processes:
    """A pool of processes; one that is killed is replaced, and its step runs again."""

    patience_s = PATIENCE_S

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._is_closed = False
        self._pool = self._new_pool()

    def slots(self, gpus: int = 0) -> int:
        del gpus
        return self._jobs

    def call(self, step: Callable[..., Result], *arguments: Any, gpus: int = 0) -> Result:
        del gpus
        for lost in range(MOST_LOST + 1):
            pool = self._pool
            try:
                return pool.submit(step, *arguments).result()
            except BrokenProcessPool:
                if lost == MOST_LOST or self._is_closed:
                    raise
                self._replace(pool)
        raise AssertionError

    def close(self) -> None:
        """End the processes now; what they are at is not wanted any more."""
        with self._lock:
            self._is_closed = True
        workers = list(getattr(self._pool, "_processes", None) or {})
        self._pool.shutdown(wait=False, cancel_futures=True)
        for number in workers:
            _terminate(number)
        self._pool.shutdown(wait=True)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken and not self._is_closed:
                broken.shutdown(wait=True, cancel_futures=True)
                self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # threads are running: no forks
        return ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_end_with_parent)


def _terminate(number: int) -> None:
    """Terminate a process that may have ended."""
    try:
        os.kill(number, signal.SIGTERM)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    """Let this process end when its parent does, even by kill -9; Ctrl-C is the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None, "it is a child"

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _threads(options: RunOptions) -> Iterator[Engine]:
    threads = _Threads(options.jobs)
    try:
        yield threads
    finally:
        threads.close()


@contextmanager
def _processes(options: RunOptions) -> Iterator[Engine]:
    pool = _Processes(options.jobs)
    try:
        yield pool
    finally:
        pool.close()


ENGINES: Final = {
    "local": _threads,
    "processes": _processes,
    "dask": dask_engine,
    "ray": ray_engine,
}
