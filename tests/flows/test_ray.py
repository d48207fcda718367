"""The same bytes on Ray, also where a worker is killed."""

import importlib.util
import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.index import build_index
from pipelines.index_settings import IndexSettings
from tests.flows.waiting import shards_in, wait_for_shards

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="Ray is not installed: pip install 'sluicegate[ray]'",
    ),
]
SHARDS = 32
# A token of its own: without, Ray makes one in the home folder.
ENVIRONMENT = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@pytest.fixture
def expected(write_corpus, shard_files, tmp_path):
    corpus = write_corpus(tmp_path / "data", SHARDS, documents=1500)
    build_index([str(corpus)], str(tmp_path / "plain"), IndexSettings(), tool_version="0.1.0")
    return corpus, shard_files(tmp_path / "plain")


def of_ray(is_it):
    """The processes of Ray clusters that these tests have running, of whose command this holds."""
    token = f"RAY_AUTH_TOKEN={ENVIRONMENT['RAY_AUTH_TOKEN']}".encode()
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            if is_it(command) and token in (path / "environ").read_bytes().split(b"\0"):
                found.add(int(path.name))
        except OSError:
            continue
    return found


def ray_processes():
    return of_ray(lambda command: b"ray/core/src/ray/" in command or command.startswith(b"ray::"))


def kill_a_worker(run):
    # Ray names a process by the step that it runs now.
    while not (working := of_ray(lambda command: command.startswith(b"ray::index_batch"))):
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.01)
    os.kill(working.pop(), signal.SIGKILL)


def test_ray_gives_the_same_bytes_though_a_worker_is_killed(
    sluicegate, expected, shard_files, tmp_path
):
    corpus, files = expected
    store = tmp_path / "s"
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", store, "--runner", "ray", "--jobs", "2",
        "--task-bytes", "1", wait=False, env=ENVIRONMENT,
    )  # fmt: skip
    wait_for_shards(store, 3, run)
    kill_a_worker(run)
    there = shards_in(store)
    said, _ = run.communicate(timeout=300)
    assert there < SHARDS, "the worker was killed too late to matter"
    assert run.returncode == 0, said
    assert shard_files(store) == files
    time.sleep(2)
    assert ray_processes() == set()


@pytest.fixture
def head(environment, tmp_path):
    """A Ray cluster that runs already."""
    ray = Path(sys.executable).with_name("ray")
    # Sockets lie below this folder, and their paths may not be long.
    folder = f"/tmp/sluicegate-ray-{os.getpid()}"
    env = environment | ENVIRONMENT | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_TMPDIR": folder}
    port = 6400 + os.getpid() % 1000
    subprocess.run(
        [ray, "start", "--head", f"--port={port}", "--num-cpus=2", "--include-dashboard=false",
         "--temp-dir", folder, "--disable-usage-stats"],
        env=env, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    started = ray_processes()
    yield f"127.0.0.1:{port}"
    for number in started:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_a_ray_cluster_that_runs_already_is_used(sluicegate, head, expected, shard_files, tmp_path):
    corpus, files = expected
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--runner", "ray",
        "--address", head, env=ENVIRONMENT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert shard_files(tmp_path / "s") == files
