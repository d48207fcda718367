"""Flows in this process, seen through the API of a real server."""

import errno
import importlib
import json
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from prefect.exceptions import ParameterTypeError, SignatureMismatchError

from corpora.problems import CorpusError
from pipelines.index import build_index
from pipelines.index_settings import IndexSettings

pytestmark = pytest.mark.filterwarnings(
    # Of Prefect and of what it imports; nothing of ours is called from there.
    "ignore::DeprecationWarning:prefect.*",
    "ignore::ResourceWarning",
)
EXAMPLE = Path(__file__).parents[2] / "prefect.yaml"


@pytest.fixture
def index(flows_here):
    from flows.options import RunOptions

    def run(corpus, store, settings=None, **options):
        return flows_here.run_flow(
            "index",
            {
                "corpus": [str(corpus)],
                "store": str(store),
                "settings": settings or IndexSettings(),
                "options": RunOptions(**options),
            },
        )

    return run


def test_an_index_has_the_bytes_of_the_command_and_a_task_for_each_batch(
    index, server, corpus, tmp_path, shard_files
):
    outcome = index(corpus, tmp_path / "flow", task_bytes=1, jobs=2)
    build_index([str(corpus)], str(tmp_path / "plain"), IndexSettings(), tool_version="0.1.0")
    assert shard_files(tmp_path / "flow") == shard_files(tmp_path / "plain")
    assert outcome.facts["built"] == 6
    run = server.last_run("index")
    assert run["name"].endswith("/v1")
    assert run["state_type"] == "COMPLETED"
    tasks = server.task_runs(run["id"])
    assert sorted(tasks) == [*(f"index batch {number}" for number in range(6)), "plan", "version"]
    kinds = {artifact["type"] for artifact in server.artifacts(run["id"]).values()}
    assert kinds == {"markdown", "table", "progress"}


def test_a_second_run_recognises_what_is_there_and_builds_what_is_not(index, corpus, tmp_path):
    first = index(corpus, tmp_path / "store")
    again = index(corpus, tmp_path / "store")
    assert (first.facts["built"], again.facts["built"]) == (6, 0)
    assert again.facts["version"] == first.facts["version"]


@pytest.fixture
def failing(monkeypatch, flows_here):
    """Let the first tries of every batch fail."""
    from flows import bringing, engines

    monkeypatch.setattr(bringing.bring_batch, "retry_delay_seconds", [0.0, 0.0, 0.0])

    def fail(error, times):
        left = [times]

        class Failing(engines._Threads):
            def call(self, step, *arguments, gpus=0):
                if left[0]:
                    left[0] -= 1
                    raise error
                return super().call(step, *arguments, gpus=gpus)

        @contextmanager
        def opened(options):
            yield Failing(1)

        monkeypatch.setitem(engines.ENGINES, "local", opened)

    return fail


def test_an_error_of_storage_is_tried_again(index, failing, server, corpus, tmp_path):
    failing(OSError(errno.EIO, "the link is down"), 2)
    assert index(corpus, tmp_path / "store", task_bytes=1 << 20).exit_status == 0
    run = server.last_run("index")
    counts = [task["run_count"] for task in server.task_runs(run["id"]).values()]
    assert sorted(counts)[-1] == 3


@pytest.mark.parametrize(
    "error",
    [
        CorpusError("no such column"),
        OSError(errno.ENOSPC, "No space left on device"),
        ZeroDivisionError("a bug"),
    ],
)
def test_other_errors_are_not_tried_again(index, failing, server, corpus, tmp_path, error):
    failing(error, 1)
    with pytest.raises(type(error), match=str(error.args[-1])):
        index(corpus, tmp_path / "store")
    run = server.last_run("index")
    assert run["state_type"] == "FAILED"
    tasks = server.task_runs(run["id"])
    assert max(task["run_count"] for task in tasks.values()) == 1


@pytest.mark.slow
def test_a_limit_on_the_tag_holds_the_tasks_of_a_flow_back(index, server, corpus, tmp_path):
    from flows.limits import STORAGE_TAG

    index(corpus, tmp_path / "before")
    run = server.last_run("index")
    assert {tag for task in server.task_runs(run["id"]).values() for tag in task["tags"]} == set()
    server.ask("/concurrency_limits/", tag=STORAGE_TAG, concurrency_limit=1)
    try:
        index(corpus, tmp_path / "store", task_bytes=1, jobs=2)
    finally:
        server.ask(f"/concurrency_limits/tag/{STORAGE_TAG}", method="DELETE")
    tasks = server.task_runs(server.last_run("index")["id"])
    assert all(task["tags"] == [STORAGE_TAG] for task in tasks.values())
    brought = [task for name, task in tasks.items() if name.startswith("index batch")]
    brought.sort(key=lambda task: task["start_time"])
    assert len(brought) == 6
    for first, second in pairwise(brought):
        assert first["end_time"] <= second["start_time"]


def test_a_verdict_that_changes_is_told(flows_here, server, tmp_path, monkeypatch):
    from flows import telling
    from flows.options import RunOptions
    from flows.outcomes import Outcome

    told = []
    monkeypatch.setattr(telling, "_post", lambda url, message: told.append((url, message)))
    monkeypatch.setattr(telling, "_publish", lambda outcome: None)
    options = RunOptions(history=True, webhook="http://127.0.0.1:9/hook")
    for verdict in ("pass", "pass", "warn"):
        telling.finish(Outcome("gate", "mix", verdict, 0, verdict), options, str(tmp_path))
    ((url, message),) = told
    assert url == options.webhook
    assert (message["event"], message["before"], message["verdict"]) == (
        "sluicegate.verdict.changed",
        "pass",
        "warn",
    )


def test_a_scan_that_meets_its_limit_is_a_failed_run_with_its_report(
    flows_here, server, corpus, tmp_path
):
    from flows.options import RunOptions
    from pipelines.settings import ScanSettings

    text = json.loads((corpus / "000.jsonl").read_text().splitlines()[3])["text"]
    benchmark = tmp_path / "quiz.jsonl"
    benchmark.write_text(
        json.dumps({"id": "a", "question": " ".join(text.split()[:30]), "answer": "w1 w2 w3"})
        + "\n"
    )
    outcome = flows_here.run_flow(
        "scan",
        {
            "corpus": [str(corpus)],
            "benchmarks": [str(benchmark)],
            "out": str(tmp_path / "out"),
            "settings": ScanSettings(calibration="off"),
            "options": RunOptions(),
            "fail_on": "contaminated",
        },
    )
    assert outcome.exit_status == 1
    assert (tmp_path / "out" / "run.json").is_file()
    run = server.last_run("scan")
    assert (run["state_type"], run["state"]["message"].count("1 contaminated")) == ("FAILED", 1)
    artifacts = server.artifacts(run["id"])
    assert {artifact["type"] for artifact in artifacts.values()} == {"markdown", "table"}
    (link,) = [a for a in artifacts.values() if "-report-" in a["key"]]
    assert (tmp_path / "out" / "report.html").as_uri() in link["data"]


def test_the_deployments_of_the_example_name_flows_and_parameters_that_exist(flows_here):
    for deployment in yaml.safe_load(EXAMPLE.read_text())["deployments"]:
        module, _, name = deployment["entrypoint"].rpartition(".")
        flow = getattr(importlib.import_module(module), name)
        flow.validate_parameters(deployment["parameters"])
        with pytest.raises((ParameterTypeError, SignatureMismatchError)):
            flow.validate_parameters(deployment["parameters"] | {"runner": "dask"})
