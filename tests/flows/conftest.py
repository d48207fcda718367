"""A real Prefect server for the whole session, and what it says through its API."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUIET = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
os.environ.update(QUIET)  # before a test module imports Prefect


class Server:
    """A server, and questions to it."""

    def __init__(self, url):
        self.url = url

    def ask(self, path, *, method="POST", **body):
        request = urllib.request.Request(
            f"{self.url}{path}",
            json.dumps(body).encode() if body or method == "POST" else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def flow_runs(self, **filters):
        return self.ask("/flow_runs/filter", sort="START_TIME_ASC", flow_runs=filters)

    def run_named(self, name):
        (run,) = self.flow_runs(name={"any_": [name]})
        return run

    def last_run(self, flow):
        flows = {"name": {"any_": [flow]}}
        return self.ask("/flow_runs/filter", sort="START_TIME_DESC", flows=flows)[0]

    def task_runs(self, flow_run_id):
        """The task runs, once their events have been recorded."""
        end = time.monotonic() + 30
        while True:
            runs = self.ask("/task_runs/filter", flow_runs={"id": {"any_": [flow_run_id]}})
            ended = all(run["state_type"] in ("COMPLETED", "FAILED") for run in runs)
            if (runs and ended) or time.monotonic() > end:
                return {run["name"]: run for run in runs}
            time.sleep(0.2)

    def changes(self, out):
        """What was told of changed verdicts of runs that put results below a folder, once recorded."""
        wanted = {"event": {"name": ["sluicegate.verdict.changed"]}}
        end = time.monotonic() + 30
        while True:
            told = [
                event["payload"] for event in self.ask("/events/filter", filter=wanted)["events"]
            ]
            found = [payload for payload in told if payload["results"].startswith(f"{out}/")]
            if found or time.monotonic() > end:
                return found
            time.sleep(0.2)

    def artifacts(self, flow_run_id):
        found = self.ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run_id]}})
        return {artifact["key"]: artifact for artifact in found if artifact["key"] is not None}


@contextlib.contextmanager
def process(*arguments, env, **options):
    """Run Python in a process that does not outlive the block."""
    running = subprocess.Popen([sys.executable, *arguments], env=env, **options)
    try:
        yield running
    finally:
        if running.stdin is not None:
            running.stdin.close()  # which ends a server of ours, and removes its folder
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(20)
        running.kill()
        running.wait()
        for pipe in (running.stdin, running.stdout, running.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The environment of a user who has never used Prefect."""
    home = tmp_path_factory.mktemp("prefect")
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return own | QUIET | {"PREFECT_HOME": str(home), "PYTHONPATH": paths}


@pytest.fixture(scope="session")
def server(environment):
    """A Prefect server at a free port; flows of this process and of commands can use it."""
    with process(
        "-m",
        "flows.server_process",
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as running:
        server = Server(f"http://127.0.0.1:{int(running.stdout.readline())}/api")
        server.ask("/flow_runs/count")  # answers when it has started
        yield server


@pytest.fixture(scope="session")
def flows_here(server, environment):
    """The flows, imported into this process to use that server."""
    patch = pytest.MonkeyPatch()
    for name, value in QUIET.items():
        patch.setenv(name, value)
    patch.setenv("PREFECT_HOME", environment["PREFECT_HOME"])
    patch.setenv("PREFECT_API_URL", server.url)
    patch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from prefect.context import refresh_global_settings_context

    from flows import running

    refresh_global_settings_context()  # Prefect may have been imported by other tests
    yield running
    patch.undo()


@pytest.fixture(scope="session")
def sluicegate(environment):
    """Runs the command line in a process of its own; gives its end, or the process with `wait=False`."""

    def run(*arguments, url=None, wait=True, env=()):
        env = environment | dict(env) | ({} if url is None else {"PREFECT_API_URL": url})
        command = [sys.executable, "-m", "sluicegate.cli", *map(str, arguments)]
        if wait:
            return subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        return subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    return run


@pytest.fixture(scope="session")
def write_corpus():
    """Writes a corpus of so many shards."""
    return _write_corpus


@pytest.fixture(scope="session")
def shard_files():
    """Reads what a store holds of shards: bytes by relative path."""
    return _shard_files


def _write_corpus(folder, shards, documents=20, words=60):
    # at rest for long, so that a store remembers them
    folder.mkdir(parents=True)
    for shard in range(shards):
        path = folder / f"{shard:03}.jsonl"
        with path.open("w") as file:
            for document in range(documents):
                text = " ".join(
                    f"w{(shard * 7 + document * 13 + n * n) % 997}" for n in range(words)
                )
                file.write(json.dumps({"id": f"{shard}-{document}", "text": text}) + "\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Six small shards."""
    return _write_corpus(tmp_path_factory.mktemp("data") / "v1", 6)


def _shard_files(store):
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted((Path(store) / "shards").rglob("*"))
        if path.is_file()
    }
