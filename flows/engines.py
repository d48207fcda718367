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

from flows.errors import FlowError
from flows.options import RunOptions

Result = TypeVar("Result")
MOST_LOST: Final = 3  # workers that may die under the same step
SCHEDULER_WAIT_S: Final = 15
WORKER_WAIT_S: Final = 60  # for the first worker of a cluster


class ClusterError(FlowError):
    """A cluster cannot be used."""


class Engine(Protocol):
    """Runs steps; `slots` steps at a time. Called from many threads."""

    slots: int

    def call(self, step: Callable[..., Result], *arguments: Any) -> Result:
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


class _Threads:
    """Steps run in the thread that asks: the kernels release the interpreter lock."""

    def __init__(self, slots: int) -> None:
        self.slots = slots

    def call(self, step: Callable[..., Result], *arguments: Any) -> Result:
        return step(*arguments)


class _Processes:
    """A pool of processes; one that is killed is replaced, and its step runs again."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._lock = threading.Lock()
        self._pool = self._new_pool()

    def call(self, step: Callable[..., Result], *arguments: Any) -> Result:
        for lost in range(MOST_LOST + 1):
            pool = self._pool
            try:
                return pool.submit(step, *arguments).result()
            except BrokenProcessPool:
                if lost == MOST_LOST:
                    raise
                self._replace(pool)
        raise AssertionError

    def close(self) -> None:
        """End the processes now; what they are at is not wanted any more."""
        workers = list(getattr(self._pool, "_processes", None) or {})
        self._pool.shutdown(wait=False, cancel_futures=True)
        for number in workers:
            with_suppressed_kill(number)
        self._pool.shutdown(wait=True)

    def _replace(self, broken: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is broken:
                broken.shutdown(wait=True, cancel_futures=True)
                self._pool = self._new_pool()

    def _new_pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # threads are running: no forks
        return ProcessPoolExecutor(self.slots, mp_context=context, initializer=_end_with_parent)


def with_suppressed_kill(number: int) -> None:
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


class _Dask:
    """A Dask cluster: a step whose worker is lost runs again on another."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.slots = max(1, sum(client.nthreads().values()))

    def call(self, step: Callable[..., Result], *arguments: Any) -> Result:
        future = self._client.submit(step, *arguments, pure=False)
        result: Result = future.result()
        return result


class _Ray:
    """A Ray cluster."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray
        self.slots = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def call(self, step: Callable[..., Result], *arguments: Any) -> Result:
        remote = self._ray.remote(step).options(max_retries=MOST_LOST, num_cpus=1)
        try:
            result: Result = self._ray.get(remote.remote(*arguments))
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error  # what the step raised
        return result


@contextmanager
def _threads(options: RunOptions) -> Iterator[Engine]:
    yield _Threads(options.jobs)


@contextmanager
def _processes(options: RunOptions) -> Iterator[Engine]:
    pool = _Processes(options.jobs)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _dask(options: RunOptions) -> Iterator[Engine]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ClusterError(
            "--runner dask: Dask is not installed; pip install 'sluicegate[dask]'"
        ) from error
    if options.address is None:
        with (
            LocalCluster(
                n_workers=options.jobs, threads_per_worker=1, dashboard_address=None
            ) as cluster,
            Client(cluster) as client,
        ):
            yield _Dask(client)
        return
    try:
        client = Client(options.address, timeout=SCHEDULER_WAIT_S)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"--address {options.address}: no Dask scheduler answers ({error}); start one with: dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_WAIT_S)
        except TimeoutError as error:
            raise ClusterError(
                f"--address {options.address}: the scheduler has no worker; start one with: "
                f"dask worker {options.address}"
            ) from error
        yield _Dask(client)


@contextmanager
def _ray(options: RunOptions) -> Iterator[Engine]:
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "--runner ray: Ray is not installed; pip install 'sluicegate[ray]'"
        ) from error
    own = {"num_cpus": options.jobs, "include_dashboard": False} if options.address is None else {}
    try:
        ray.init(address=options.address, log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, ValueError) as error:
        raise ClusterError(
            f"--address {options.address}: no Ray cluster answers; start one with: ray start --head"
        ) from error
    try:
        yield _Ray(ray)
    finally:
        ray.shutdown()


ENGINES: Final = {"local": _threads, "processes": _processes, "dask": _dask, "ray": _ray}
