"""Steps on other machines: the engines of Dask and of Ray. Neither is imported before it is asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from flows.errors import FlowError
from flows.options import RunOptions
from flows.resources import GPU

Result = TypeVar("Result")
MOST_LOST: Final = 3  # workers that may die under the same step
SCHEDULER_WAIT_S: Final = 15
WORKER_WAIT_S: Final = 60  # for the first worker of a cluster
POLL_S: Final = 0.2
# A worker that is lost leaves its lease on a shard behind, in which other hosts believe for 15 minutes.
# The flow gives a shard to one worker only, so a lease that is met is mostly such a one.
LOST_S: Final = 20.0


class ClusterError(FlowError):
    """A cluster cannot be used."""


class _Dask:
    """A Dask cluster: a step whose worker is lost runs again on another."""

    patience_s = LOST_S

    def __init__(self, client: Any) -> None:
        self._client = client

    def slots(self, gpus: int = 0) -> int:
        end = time.monotonic() + WORKER_WAIT_S
        while True:
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            offers = [
                int(worker["resources"].get(GPU, 0)) // gpus if gpus else worker["nthreads"]
                for worker in workers
            ]
            if sum(offers) or time.monotonic() > end:
                break
            time.sleep(POLL_S)
        if not sum(offers):
            raise ClusterError(
                f"no worker of the Dask cluster offers {GPU}, which --device cuda asks for; "
                f"start one with: dask worker --resources {GPU}=1"
            )
        return sum(offers)

    def call(self, step: Callable[..., Result], *arguments: Any, gpus: int = 0) -> Result:
        from distributed import CancelledError, KilledWorker

        asked = {"resources": {GPU: gpus}} if gpus else {}
        future = self._client.submit(step, *arguments, pure=False, **asked)
        try:
            result: Result = future.result()
        except KilledWorker as error:
            raise ClusterError(
                f"{MOST_LOST + 1} workers died under one step; look into their logs, "
                "and give them more memory or smaller --task-bytes"
            ) from error
        except CancelledError as error:
            raise ClusterError(
                "the Dask scheduler was lost; start it and run again: what was built stays"
            ) from error
        return result


class _Ray:
    """A Ray cluster: a step whose worker is lost runs again on another."""

    patience_s = LOST_S

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def slots(self, gpus: int = 0) -> int:
        resource, each = (GPU, gpus) if gpus else ("CPU", 1)
        slots = int(self._ray.cluster_resources().get(resource, 0)) // each
        if not slots:
            raise ClusterError(
                f"the Ray cluster has no {resource}, which the steps ask for; "
                f"start a node with: ray start --num-{resource.lower()}s 1"
            )
        return slots

    def call(self, step: Callable[..., Result], *arguments: Any, gpus: int = 0) -> Result:
        remote = self._ray.remote(step).options(max_retries=MOST_LOST, num_cpus=1, num_gpus=gpus)
        try:
            result: Result = self._ray.get(remote.remote(*arguments))
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error  # what the step raised
        except self._ray.exceptions.WorkerCrashedError as error:
            raise ClusterError(
                f"{MOST_LOST + 1} workers died under one step; look into their logs, "
                "and give them more memory or smaller --task-bytes"
            ) from error
        return result


@contextmanager
def dask_engine(options: RunOptions) -> Iterator[_Dask]:
    """Give the Dask cluster at the address, or one of our own on this machine.

    Raises:
        ClusterError: where Dask is not installed, or the cluster does not answer or has no worker.
    """
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
def ray_engine(options: RunOptions) -> Iterator[_Ray]:
    """Give the Ray cluster at the address, or one of our own on this machine.

    Raises:
        ClusterError: where Ray is not installed, or the cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            "--runner ray: Ray is not installed; pip install 'sluicegate[ray]'"
        ) from error
    own = {"num_cpus": options.jobs, "include_dashboard": False} if options.address is None else {}
    try:
        # Ours where no address is given, though RAY_ADDRESS or a cluster on this machine were there.
        address = options.address or "local"
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, ValueError) as error:
        raise ClusterError(
            f"--address {options.address}: no Ray cluster answers; start one with: ray start --head"
        ) from error
    try:
        yield _Ray(ray)
    finally:
        ray.shutdown()
