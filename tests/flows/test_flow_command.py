"""`sluicegate flow` in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def servers():
    """The private servers that are running now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"flows.server_process" in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return set(found)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def test_a_run_needs_no_set_up_and_leaves_nothing_running(sluicegate, corpus, tmp_path):
    before = servers()
    run = sluicegate("flow", "run", "index", corpus, "--store", tmp_path / "store", "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["built"] == 6
    assert [line.split(" at ")[0] for line in run.stderr.splitlines()] == [
        "sluicegate: starting",
        "sluicegate: Prefect",
    ]
    assert servers() == before


def test_a_mistake_is_told_in_one_line_before_a_server_starts(sluicegate, tmp_path):
    run = sluicegate("flow", "run", "drift", "a", "b", "--out", tmp_path, "--runner", "dask")
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "runs on one machine" in run.stderr


def test_a_deployment_needs_a_server(sluicegate, tmp_path):
    run = sluicegate("flow", "deploy", "drift", "a", "b", "--out", tmp_path, "--pool", "p")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "PREFECT_API_URL" in run.stderr


def test_no_other_command_imports_prefect(environment):
    code = (
        "import sys, sluicegate.api, sluicegate.cli\n"
        "assert not {'prefect', 'distributed', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.mark.slow
def test_a_run_uses_the_server_that_is_named(sluicegate, server, corpus, tmp_path):
    before = servers()
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--name", "named", url=server.url
    )
    assert run.returncode == 0, run.stderr
    assert servers() == before
    assert server.run_named("index data0/v1 named")["state_type"] == "COMPLETED"


@pytest.mark.slow
def test_a_killed_run_leaves_no_server_and_the_next_builds_what_is_missing(
    sluicegate, write_corpus, tmp_path
):
    corpus = write_corpus(tmp_path / "large", 40, documents=3000)
    store = tmp_path / "store"
    before = servers()
    arguments = ("flow", "run", "index", corpus, "--store", store, "--json", "--jobs", "1")
    arguments += ("--task-bytes", "1")
    run = sluicegate(*arguments, wait=False)
    wait_until(
        lambda: len(list(store.glob("shards/[0-9a-f]*/shard.json"))) >= 3 or run.poll() is not None
    )
    run.send_signal(signal.SIGKILL)
    run.communicate()
    wait_until(lambda: servers() == before)
    there = len(list(store.glob("shards/[0-9a-f]*/shard.json")))
    assert 3 <= there < 40
    again = sluicegate(*arguments)
    facts = json.loads(again.stdout)
    assert (facts["built"], facts["recognised"]) == (40 - there, there)


@pytest.mark.slow
def test_an_interrupted_run_ends_soon_and_cleanly(sluicegate, write_corpus, tmp_path):
    corpus = write_corpus(tmp_path / "large", 40, documents=3000)
    store = tmp_path / "store"
    before = servers()
    run = sluicegate("flow", "run", "index", corpus, "--store", store, "--jobs", "1", wait=False)
    wait_until(lambda: list(store.glob("shards/[0-9a-f]*/shard.json")) or run.poll() is not None)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130
    assert servers() == before


@pytest.mark.slow
def test_a_schedule_fires_and_keeps_a_history(sluicegate, server, corpus, tmp_path):
    served = sluicegate(
        "flow", "serve", "drift", corpus, corpus, "--out", tmp_path / "out",
        "--interval", "5", "--deployment", "often", url=server.url, wait=False,
    )  # fmt: skip
    try:
        history = tmp_path / "out" / "history.jsonl"
        wait_until(lambda: history.is_file() or served.poll() is not None, 240)
        line = json.loads(history.read_text().splitlines()[0])
        assert (line["flow"], line["verdict"]) == ("drift", "steady")
        assert (Path(line["results"]) / "run.json").is_file()
        (deployment,) = [d for d in server.ask("/deployments/filter") if d["name"] == "often"]
        assert deployment["schedules"][0]["schedule"]["interval"] == 5
        runs = server.flow_runs(deployment_id={"any_": [deployment["id"]]})
        assert any(run["auto_scheduled"] and run["start_time"] for run in runs)
    finally:
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=60)
    with pytest.raises(ProcessLookupError):
        os.kill(served.pid, 0)


@pytest.mark.slow
def test_a_deployment_is_registered(sluicegate, server, corpus, tmp_path):
    server.ask("/work_pools/", name="machines", type="process")
    run = sluicegate(
        "flow", "deploy", "gate", corpus, "--benchmarks", "b.jsonl", "--out", tmp_path / "out",
        "--pool", "machines", "--cron", "0 6 * * *", url=server.url,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "gate/sluicegate" in run.stdout
    (deployment,) = [d for d in server.ask("/deployments/filter") if d["name"] == "sluicegate"]
    assert deployment["entrypoint"] == "flows.gate.gate_flow"
    assert deployment["schedules"][0]["schedule"]["cron"] == "0 6 * * *"
    assert deployment["parameters"]["options"]["history"] is True
