"""The same bytes from every runner, also where workers are killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines.index import IndexSettings, build_index

pytestmark = pytest.mark.slow


@pytest.fixture
def expected(write_corpus, shard_files, tmp_path):
    corpus = write_corpus(tmp_path / "data", 24, documents=800)
    build_index([str(corpus)], str(tmp_path / "plain"), IndexSettings(), tool_version="0.1.0")
    return corpus, shard_files(tmp_path / "plain")


@pytest.fixture
def cluster(environment):
    """A Dask scheduler and two workers, each a process of its own."""
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
            "--no-dashboard", "--host", "127.0.0.1",
        )
        for _ in range(2)
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
    while len(list(store.glob("shards/[0-9a-f]*/shard.json"))) < 3 and run.poll() is None:
        time.sleep(0.02)
    there = len(list(store.glob("shards/[0-9a-f]*/shard.json")))
    os.kill(workers[0].pid, signal.SIGKILL)
    said, _ = run.communicate(timeout=240)
    assert there < 24, "the worker was killed too late to matter"
    assert run.returncode == 0, said
    assert shard_files(store) == files


def test_a_scheduler_without_workers_is_told_in_one_line(sluicegate, corpus, tmp_path):
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--runner", "dask",
        "--address", "tcp://127.0.0.1:1", "--quiet",
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr.startswith("sluicegate: --address tcp://127.0.0.1:1: no Dask scheduler")
