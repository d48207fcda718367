"""Gate, audit, drift and clean as flows: the end, the files and what the server shows of them."""

import json
from datetime import date

import numpy as np
import pytest

from flows.options import RunOptions
from pipelines import drift as drifts
from pipelines import gate as gates
from pipelines.audit_settings import AuditSettings
from pipelines.clean_settings import CleanSettings
from pipelines.drift_settings import DriftSettings
from pipelines.gate_settings import GateSettings
from pipelines.scan import scan
from pipelines.scan import write_result as write_scan
from pipelines.settings import ScanSettings
from tests.pipelines.drift_corpora import documents, write

pytestmark = pytest.mark.filterwarnings(
    # Of Prefect and of what it imports; nothing of ours is called from there.
    "ignore::DeprecationWarning:prefect.*",
    "ignore::ResourceWarning",
)
POLICY = """\
format: 1
name: test
contamination:
  default: {contaminated: {items: {fail: 0}}}
calibration: {required: false}
drift:
  domains:
    default: {change: {fail: 0.03}}
"""
TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checks")


@pytest.fixture(scope="module")
def old(folder, vocabulary):
    return write(folder / "v1", documents(vocabulary, 600, seed=1))


@pytest.fixture(scope="module")
def items(vocabulary):
    words = vocabulary(5000, 9000)
    rng = np.random.default_rng(3)
    return [
        {"id": f"q{n}", "question": " ".join(rng.choice(words, 40)), "answer": words[n]}
        for n in range(6)
    ]


@pytest.fixture(scope="module")
def bench(folder, items, write_benchmark):
    return str(write_benchmark(folder / "quiz.jsonl", items))


@pytest.fixture(scope="module")
def leaky(folder, vocabulary, items):
    """Another version, with half as many documents of `web`, and two items in it."""
    records = [
        record
        for n, record in enumerate(documents(vocabulary, 600, seed=2))
        if record["domain"] != "web" or n % 8 == 3
    ]
    for n in range(2):
        records[n]["text"] += f" {items[n]['question']} {items[n]['answer']}"
    return write(folder / "v2", records)


@pytest.fixture(scope="module")
def mixes(folder, old, leaky):
    paths = []
    for version, shards in (("1", old), ("2", leaky)):
        path = folder / f"mix{version}.yaml"
        path.write_text(
            f"name: mix\nversion: '{version}'\nsources:\n"
            f"  - {{name: all, paths: [{shards}], weight: 1}}\n"
        )
        paths.append(str(path))
    return paths


def files(folder, names):
    return {name: (folder / name).read_bytes() for name in names}


def kinds(artifacts):
    return sorted(artifact["type"] for artifact in artifacts.values())


def test_a_drift_with_a_store_has_tasks_for_profiles_and_the_bytes_of_the_command(
    flows_here, server, old, leaky, bench, tmp_path, shard_files
):
    settings = DriftSettings(store=str(tmp_path / "plain"))
    result = drifts.drift([old], [leaky], [bench], settings, tool_version="0.1.0")
    drifts.write_result(result, tmp_path / "local")
    parameters = {
        "baseline": old,
        "candidate": leaky,
        "benchmarks": [bench],
        "out": str(tmp_path / "out"),
        "settings": DriftSettings(store=str(tmp_path / "flow")),
        "fail_on_alarm": True,
    }
    options = RunOptions(task_bytes=1, jobs=2)
    outcome = flows_here.run_flow("drift", parameters | {"options": options})
    assert (outcome.verdict, outcome.exit_status) == ("alarm", 1)
    assert shard_files(tmp_path / "flow") == shard_files(tmp_path / "plain")
    same = ("domains.parquet", "tokens.parquet", "exposure.parquet", "report.json")
    assert files(tmp_path / "out", same) == files(tmp_path / "local", same)
    run = server.last_run("drift")
    assert (run["state_type"], run["name"].startswith("drift ")) == ("FAILED", True)
    tasks = server.task_runs(run["id"])
    batches = [f"profile batch {number}" for number in range(6)]
    assert sorted(tasks) == ["compare", "plan profiles", *batches]
    artifacts = server.artifacts(run["id"])
    assert kinds(artifacts) == ["markdown", "markdown", "progress", "table"]  # one is a link
    (summary,) = [a for a in artifacts.values() if "-summary-" in a["key"]]
    assert summary["data"].startswith("**alarm**: ")


def test_rules_that_look_at_paths_leave_nothing_to_distribute(
    flows_here, server, old, leaky, tmp_path
):
    from flows.errors import FlowError

    rules = tmp_path / "rules.yaml"
    rules.write_text("rules:\n  - {path: '*0.jsonl', domain: first}\n")
    parameters = {
        "baseline": old,
        "candidate": leaky,
        "out": str(tmp_path / "out"),
        "settings": DriftSettings(store=str(tmp_path / "s"), domain_rules=rules),
    }
    assert flows_here.run_flow("drift", parameters).exit_status == 0
    assert sorted(server.task_runs(server.last_run("drift")["id"])) == ["compare", "plan profiles"]
    options = RunOptions(runner="processes")
    with pytest.raises(FlowError, match="nothing to do"):
        flows_here.run_flow("drift", parameters | {"options": options})


def test_the_newest_version_is_compared_with_the_one_before_and_a_change_is_told(
    flows_here, server, folder, vocabulary, tmp_path
):
    versions = tmp_path / "data"
    for number in (9, 10):
        write(versions / f"v{number}", documents(vocabulary, 400, seed=number))
    parameters = {
        "newest_of": f"{versions}/v*",
        "out": str(tmp_path / "out"),
        "settings": DriftSettings(store=str(tmp_path / "store")),
        "options": RunOptions(history=True),
    }
    first = flows_here.run_flow("drift", parameters)
    assert (first.verdict, first.facts["baseline"]) == ("steady", f"{versions}/v9")
    assert server.last_run("drift")["name"] == "drift data/v9 to data/v10"
    moved = [r for r in documents(vocabulary, 400, seed=11) if r["domain"] != "web"]
    write(versions / "v11", moved)
    second = flows_here.run_flow("drift", parameters)
    assert (second.verdict, second.facts["candidate"]) == ("alarm", f"{versions}/v11")
    lines = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["steady", "alarm"]
    (change,) = server.changes(tmp_path / "out")  # other tests change verdicts on this server, too
    assert (change["before"], change["verdict"]) == ("steady", "alarm")


def test_a_gate_with_a_store_judges_as_the_command_does(
    flows_here, server, mixes, bench, tmp_path, shard_files
):
    before, after = mixes
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    settings = GateSettings(calibration="off", store=str(tmp_path / "plain"))
    result = gates.gate(
        after, before, str(policy), [bench], settings, today=TODAY, tool_version="0.1.0"
    )
    gates.write_result(result, tmp_path / "local")
    parameters = {
        "mix": after,
        "against": before,
        "policy": str(policy),
        "benchmarks": [bench],
        "out": str(tmp_path / "out"),
        "settings": GateSettings(calibration="off", store=str(tmp_path / "flow")),
        "options": RunOptions(task_bytes=1),
        "today": TODAY,
    }
    outcome = flows_here.run_flow("gate", parameters)
    assert (outcome.verdict, outcome.exit_status, outcome.facts["contaminated"]) == ("fail", 1, 2)
    assert shard_files(tmp_path / "flow") == shard_files(tmp_path / "plain")
    same = ("findings.parquet", "items.parquet", "domains.parquet", "tokens.parquet")
    assert files(tmp_path / "out", same) == files(tmp_path / "local", same)
    reports = [(tmp_path / out / "report.json").read_text() for out in ("out", "local")]
    assert reports[0].replace(f"{tmp_path}/flow", f"{tmp_path}/plain") == reports[1]
    run = server.last_run("gate")
    assert (run["name"], run["state_type"]) == ("gate mix 2", "FAILED")
    names = sorted(server.task_runs(run["id"]))
    assert [name.rpartition(" ")[0] for name in names if "batch" in name] == (
        ["index batch"] * 3 + ["profile batch"] * 6
    )
    artifacts = server.artifacts(run["id"])
    assert kinds(artifacts) == ["markdown", "markdown", "progress", "progress", "table"]
    (link,) = [a for a in artifacts.values() if "-report-" in a["key"]]
    assert (tmp_path / "out" / "report.html").as_uri() in link["data"]


def test_a_gate_that_only_warns_is_a_completed_run(flows_here, server, old, bench, tmp_path):
    parameters = {
        "mix": old,
        "benchmarks": [bench],
        "out": str(tmp_path / "out"),
        "settings": GateSettings(calibration="off"),
    }
    (tmp_path / "policy.yaml").write_text(POLICY.partition("drift:")[0])
    outcome = flows_here.run_flow("gate", parameters | {"policy": str(tmp_path / "policy.yaml")})
    assert (outcome.verdict, outcome.exit_status) == ("warn", 0)
    assert server.last_run("gate")["state_type"] == "COMPLETED"


@pytest.mark.parametrize("with_store", [False, True])
def test_an_audit_that_finds_a_score_unfit_fails_where_it_is_told_to(
    flows_here, server, leaky, bench, tmp_path, with_store
):
    store = str(tmp_path / "store") if with_store else None
    parameters = {
        "corpus": [leaky],
        "benchmarks": [bench],
        "out": str(tmp_path / "out"),
        "settings": AuditSettings(calibration="off", store=store),
        "fail_on": "cannot-tell",
    }
    outcome = flows_here.run_flow("audit", parameters)
    assert (outcome.verdict, outcome.exit_status) == ("violated", 1)
    assert (tmp_path / "out" / "run.json").is_file()
    run = server.last_run("audit")
    assert run["state_type"] == "FAILED"
    names = sorted(server.task_runs(run["id"]))
    brings = ["index batch 0", "plan", "version"] if with_store else []
    assert [name for name in names if not name.startswith("audit ")] == brings
    expected = (
        ["markdown", "markdown", "progress", "table"]
        if with_store
        else ["markdown"] * 2 + ["table"]
    )
    assert kinds(server.artifacts(run["id"])) == expected


def test_a_cleaning_gives_a_clean_copy_and_says_so(flows_here, server, leaky, bench, tmp_path):
    found = scan([leaky], [bench], ScanSettings(calibration="off"), tool_version="0.1.0")
    write_scan(found, tmp_path / "found")
    parameters = {
        "corpus": [leaky],
        "findings": str(tmp_path / "found"),
        "out": str(tmp_path / "out"),
        "settings": CleanSettings(),
    }
    outcome = flows_here.run_flow("clean", parameters)
    assert (outcome.verdict, outcome.exit_status, outcome.facts["removals"]) == ("clean", 0, 2)
    run = server.last_run("clean")
    assert run["state_type"] == "COMPLETED"
    assert {a["type"] for a in server.artifacts(run["id"]).values()} == {"markdown", "table"}
    again = flows_here.run_flow("clean", parameters)
    assert (again.verdict, again.facts["was there already"]) == ("clean", True)
