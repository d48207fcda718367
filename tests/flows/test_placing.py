"""Where a check runs: with its flow, or on a worker of the cluster that has a GPU."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import engines, placing
from flows.errors import FlowError
from flows.options import RunOptions
from flows.outcomes import Outcome
from flows.placing import run_check


def check(out, *, tell):
    tell("checking")
    Path(out).mkdir()
    (Path(out) / "run.json").touch()
    return Outcome("scan", "v1", "complete", 0, "fine", out)


@pytest.fixture
def asked(monkeypatch):
    """A cluster that tells what it is asked for, and runs it here."""
    asked = []

    class Cluster(engines._Threads):
        def slots(self, gpus=0):
            asked.append(("slots", gpus))
            return 1

        def call(self, step, *arguments, gpus=0):
            asked.append(("call", gpus))
            return super().call(step, *arguments)

    @contextmanager
    def opened(options):
        yield Cluster(1)

    monkeypatch.setitem(engines.ENGINES, "dask", opened)
    monkeypatch.setattr(placing, "StageLog", lambda: lambda _: None)
    return asked


@pytest.mark.parametrize(
    ("gpus", "runner", "expected"),
    [
        (1, "dask", [("slots", 1), ("call", 1)]),
        (0, "dask", []),
        (1, "processes", []),
        (1, "local", []),
    ],
)
def test_a_check_goes_to_the_cluster_only_for_a_gpu(asked, tmp_path, gpus, runner, expected):
    out = str(tmp_path / "out")
    outcome = run_check(
        check, out, gpus=gpus, options=RunOptions(runner=runner), places=[out, None, "hf://quiz"]
    )
    assert outcome.verdict == "complete"
    assert asked == expected


def test_a_relative_path_means_something_else_to_a_worker(asked, tmp_path):
    with pytest.raises(FlowError, match=r"quiz\.jsonl: .* absolute path"):
        run_check(
            check, str(tmp_path / "out"), gpus=1, options=RunOptions(runner="dask"),
            places=["quiz.jsonl"],
        )  # fmt: skip
    assert asked == []


def test_results_that_only_the_worker_sees_are_missed(asked, tmp_path):
    def elsewhere(out, *, tell):
        return Outcome("scan", "v1", "complete", 0, "fine", out)

    with pytest.raises(FlowError, match="all machines share"):
        run_check(
            elsewhere, str(tmp_path / "out"), gpus=1, options=RunOptions(runner="dask"), places=[]
        )
