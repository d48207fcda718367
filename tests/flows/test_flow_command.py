"""`sluicegate flow` in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.flows.waiting import shards_in, wait_for_shards, wait_until
from tests.pipelines.drift_corpora import documents, write


@pytest.fixture
def servers(environment):
    """Tells the private servers that commands of this session have running now."""
    home = f"PREFECT_HOME={environment['PREFECT_HOME']}".encode()

    def now():
        found = set()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = home in (path / "environ").read_bytes().split(b"\0")
                is_server = b"flows.server_process" in (path / "cmdline").read_bytes()
            except OSError:
                continue
            if is_ours and is_server:
                found.add(int(path.name))
        return found

    return now


def test_a_run_needs_no_set_up_and_leaves_nothing_running(sluicegate, servers, corpus, tmp_path):
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
    assert "needs --store" in run.stderr


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
def test_a_run_uses_the_server_that_is_named(sluicegate, servers, server, corpus, tmp_path):
    before = servers()
    run = sluicegate(
        "flow", "run", "index", corpus, "--store", tmp_path / "s", "--name", "named", url=server.url
    )
    assert run.returncode == 0, run.stderr
    assert servers() == before
    assert server.run_named("index data0/v1 named")["state_type"] == "COMPLETED"


@pytest.mark.slow
def test_a_killed_run_leaves_no_server_and_the_next_builds_what_is_missing(
    sluicegate, servers, write_corpus, tmp_path
):
    corpus = write_corpus(tmp_path / "large", 40, documents=3000)
    store = tmp_path / "store"
    before = servers()
    arguments = ("flow", "run", "index", corpus, "--store", store, "--json", "--jobs", "1")
    arguments += ("--task-bytes", "1")
    run = sluicegate(*arguments, wait=False)
    wait_for_shards(store, 3, run)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    wait_until(lambda: servers() == before)
    there = shards_in(store)
    assert 3 <= there < 40
    again = sluicegate(*arguments)
    facts = json.loads(again.stdout)
    assert (facts["built"], facts["recognised"]) == (40 - there, there)


@pytest.mark.slow
def test_an_interrupted_run_ends_soon_and_cleanly(sluicegate, servers, write_corpus, tmp_path):
    corpus = write_corpus(tmp_path / "large", 40, documents=3000)
    store = tmp_path / "store"
    before = servers()
    run = sluicegate("flow", "run", "index", corpus, "--store", store, "--jobs", "1", wait=False)
    wait_for_shards(store, 1, run)
    run.send_signal(signal.SIGINT)
    began = time.monotonic()
    run.communicate(timeout=60)
    assert run.returncode == 130
    assert time.monotonic() - began < 20, "the batch at work was not given up"
    assert 1 <= shards_in(store) < 40
    assert servers() == before
    assert list((store / "leases").iterdir()) == []
    assert not [path for path in store.rglob("*") if path.name.startswith(".tmp-")]


class Hook(BaseHTTPRequestHandler):
    """A webhook that remembers what it is told."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def webhook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def deployment_named(server, name):
    (deployment,) = [d for d in server.ask("/deployments/filter") if d["name"] == name]
    return deployment


@pytest.mark.slow
def test_a_schedule_compares_the_newest_versions_and_tells_when_the_verdict_changes(
    sluicegate, server, vocabulary, webhook, tmp_path
):
    for number in (9, 10):
        write(tmp_path / "data" / f"v{number}", documents(vocabulary, 400, seed=number))
    served = sluicegate(
        "flow", "serve", "drift", "--newest-of", tmp_path / "data" / "v*",
        "--store", tmp_path / "store", "--out", tmp_path / "out", "--interval", "5",
        "--deployment", "often", "--webhook", f"http://127.0.0.1:{webhook.server_port}/hook",
        url=server.url, wait=False,
    )  # fmt: skip
    history = tmp_path / "out" / "history.jsonl"

    def verdicts():
        text = history.read_text() if history.is_file() else ""
        return [json.loads(line) for line in text.splitlines()]

    try:
        wait_until(lambda: verdicts() or served.poll() is not None, 240)
        first = verdicts()[0]
        assert (first["flow"], first["verdict"]) == ("drift", "steady")
        assert first["corpus"] == "data/v9 to data/v10"
        assert (Path(first["results"]) / "run.json").is_file()
        deployment = deployment_named(server, "often")
        assert deployment["schedules"][0]["schedule"]["interval"] == 5
        runs = server.flow_runs(deployment_id={"any_": [deployment["id"]]})
        assert any(run["auto_scheduled"] and run["start_time"] for run in runs)

        moved = [r for r in documents(vocabulary, 400, seed=11) if r["domain"] != "web"]
        write(tmp_path / "new", moved)
        (tmp_path / "new").rename(tmp_path / "data" / "v11")  # a version appears whole
        wait_until(lambda: verdicts()[-1]["verdict"] == "alarm" or served.poll() is not None, 240)
        wait_until(lambda: webhook.told)
        assert verdicts()[-1]["corpus"] == "data/v10 to data/v11"
        changes = [told for told in webhook.told if told["event"] == "sluicegate.verdict.changed"]
        assert [(told["before"], told["verdict"]) for told in changes] == [("steady", "alarm")]
    finally:
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=60)
    with pytest.raises(ProcessLookupError):
        os.kill(served.pid, 0)


@pytest.mark.slow
def test_a_run_that_is_cancelled_in_the_server_ends_and_the_next_builds_what_is_missing(
    sluicegate, server, write_corpus, tmp_path
):
    corpus = write_corpus(tmp_path / "large", 40, documents=3000)
    store = tmp_path / "store"
    served = sluicegate(
        "flow", "serve", "index", corpus, "--store", store, "--deployment", "cancelled",
        "--task-bytes", "1", url=server.url, wait=False,
    )  # fmt: skip
    try:
        known = server.ask
        wait_until(
            lambda: (
                any(d["name"] == "cancelled" for d in known("/deployments/filter"))
                or served.poll() is not None
            ),
            120,
        )
        deployment = deployment_named(server, "cancelled")
        run = server.ask(f"/deployments/{deployment['id']}/create_flow_run")
        wait_for_shards(store, 3, served)
        server.ask(
            f"/flow_runs/{run['id']}/set_state", state={"type": "CANCELLING", "name": "Cancelling"}
        )
        wait_until(
            lambda: server.flow_runs(id={"any_": [run["id"]]})[0]["state_type"] == "CANCELLED", 120
        )
        there = shards_in(store)
        assert 3 <= there < 40
        time.sleep(2)
        assert shards_in(store) == there, "it goes on though it is cancelled"
    finally:
        served.send_signal(signal.SIGTERM)
        served.communicate(timeout=60)
    again = sluicegate("flow", "run", "index", corpus, "--store", store, "--json", url=server.url)
    facts = json.loads(again.stdout)
    assert (facts["built"], facts["recognised"]) == (40 - there, there)
    assert not [path for path in store.rglob("*") if path.name.startswith(".tmp-")]


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
