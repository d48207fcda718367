"""The same bytes from every runner, also where workers are killed."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.drift import drift
from pipelines.drift_settings import DriftSettings
from pipelines.index import build_index
from pipelines.index_settings import IndexSettings
from tests.flows.waiting import shards_in, wait_for_shards

pytestmark = pytest.mark.slow
SHARDS = 24


@pytest.fixture
def expected(write_corpus, shard_files, tmp_path):
    corpus = write_corpus(tmp_path / "data", SHARDS, documents=800)
    build_index([str(corpus)], str(tmp_path / "plain"), IndexSettings(), tool_version="0.1.0")
    return corpus, shard_files(tmp_path / "plain")


@pytest.fixture
def cluster(environment):
    """A Dask scheduler and two workers, each a process of its own; the second offers a GPU."""
    started = []

    def start(*arguments):
        command = [sys.executable, "-m", *arguments]
        out = subprocess.DEVNULL
        started.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out))
        return started[-1]

    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    start(
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port),
        "--no-dashboard", "--no-jupyter",
    )  # fmt: skip
    workers = [
        start(
            "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1",
            "--no-dashboard", "--host", "127.0.0.1", *resources,
        )
        for resources in ((), ("--resources", "GPU=1"))
    ]  # fmt: skip
    yield address, workers
    for each in started:
        each.kill()
        each.wait()


def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_processes_give_the_same_bytes(sluicegate, expected, shard_files, tmp_path):
    corpus, files = expected
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--runner", "processes",
        "--jobs", "2",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert shard_files(tmp_path / "s") == files


def test_processes_give_the_same_profiles(sluicegate, write_corpus, shard_files, tmp_path):
    old, new = (
        str(write_corpus(tmp_path / name, 4, documents=n)) for name, n in (("v1", 90), ("v2", 99))
    )
    plain = DriftSettings(store=str(tmp_path / "plain"))
    result = drift([old], [new], [], plain, tool_version="0.1.0")
    run = sluicegate(
        "flow", "run", "drift", old, new, "--store", tmp_path / "s", "--runner", "processes",
        "--jobs", "2", "--task-bytes", "1", "--out", tmp_path / "out", "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert shard_files(tmp_path / "s") == shard_files(tmp_path / "plain")
    assert json.loads(run.stdout) == json.loads(json.dumps(result.report))


def test_dask_gives_the_same_bytes_though_a_worker_is_killed(
    sluicegate, cluster, expected, shard_files, tmp_path
):
    corpus, files = expected
    address, workers = cluster
    store = tmp_path / "s"
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", store, "--runner", "dask",
        "--address", address, "--task-bytes", "1", wait=False,
    )  # fmt: skip
    there = wait_for_shards(store, 3, run)
    os.kill(workers[0].pid, signal.SIGKILL)
    said, _ = run.communicate(timeout=240)
    assert there < SHARDS, "the worker was killed too late to matter"
    assert run.returncode == 0, said
    assert shard_files(store) == files


def test_a_flow_that_is_killed_leaves_a_cluster_that_the_next_one_can_use(
    sluicegate, cluster, write_corpus, tmp_path
):
    corpus = write_corpus(tmp_path / "data", 2 * SHARDS, documents=2000)
    address, _ = cluster
    store = tmp_path / "s"
    arguments = ("flow", "run", "index", corpus, "--store", store, "--runner", "dask", "--json")
    arguments += ("--address", address, "--task-bytes", "1")
    run = sluicegate(*arguments, wait=False)
    wait_for_shards(store, 3, run)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    time.sleep(10)  # the scheduler forgets steps that nobody waits for any more
    there = shards_in(store)
    assert 3 <= there < 2 * SHARDS
    time.sleep(1)
    assert shards_in(store) == there
    again = sluicegate(*arguments)
    facts = json.loads(again.stdout)
    assert (facts["built"], facts["recognised"]) == (2 * SHARDS - there, there)


def number_of_process(*, tell=None):
    return os.getpid()


@pytest.mark.filterwarnings("ignore")  # of Dask's client: nothing of ours is called from there
def test_on_dask_steps_that_ask_for_a_gpu_run_where_one_is_offered(cluster, monkeypatch):
    from flows import clusters
    from flows.clusters import ClusterError
    from flows.engines import open_engine
    from flows.options import RunOptions

    address, workers = cluster
    with open_engine(RunOptions(runner="dask", address=address)) as engine:
        assert engine.slots(gpus=1) == 1
        while engine.slots() < 2:  # the other worker is still starting
            time.sleep(0.1)
        places = {engine.call(number_of_process, gpus=1) for _ in range(4)}
        assert places == {workers[1].pid}
        monkeypatch.setattr(clusters, "WORKER_WAIT_S", 0.5)
        with pytest.raises(ClusterError, match="--resources GPU=1"):
            engine.slots(gpus=2)


def test_a_scheduler_without_workers_is_told_in_one_line(sluicegate, corpus, tmp_path):
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--runner", "dask",
        "--address", "tcp://127.0.0.1:1", "--quiet",
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr.startswith("sluicegate: --address tcp://127.0.0.1:1: no Dask scheduler")
