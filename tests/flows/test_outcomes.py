import json

import pytest
from pydantic import ValidationError

from flows.options import RunOptions
from flows.outcomes import (
    HISTORY_FILE,
    Outcome,
    add_to_history,
    last_verdict,
    results_folder,
)


def outcome(verdict):
    return Outcome("gate", "mix 1", verdict, 0, f"mix 1: {verdict}", "results")


def test_the_history_names_the_last_verdict(tmp_path):
    out = str(tmp_path / "out")
    assert last_verdict(out) is None
    add_to_history(out, outcome("pass"))
    add_to_history(out, outcome("fail"))
    assert last_verdict(out) == "fail"
    lines = (tmp_path / "out" / HISTORY_FILE).read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["pass", "fail"]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path):
    add_to_history(str(tmp_path), outcome("warn"))
    with (tmp_path / HISTORY_FILE).open("a") as file:
        file.write('{"verdict": "pa')
    assert last_verdict(str(tmp_path)) == "warn"


def test_with_a_history_each_run_has_a_folder(tmp_path):
    assert results_folder(str(tmp_path), history=False) == tmp_path
    first, second = (results_folder(str(tmp_path), history=True) for _ in range(2))
    assert first.parent == second.parent == tmp_path
    assert first != second


def test_an_address_needs_a_cluster():
    with pytest.raises(ValidationError, match="address"):
        RunOptions(runner="processes", address="tcp://host:1")


def test_a_webhook_is_a_url():
    with pytest.raises(ValidationError, match="webhook"):
        RunOptions(webhook="/etc/passwd")
