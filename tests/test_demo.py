"""The demo as a user runs it."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest


@pytest.mark.slow
def test_the_demo_finds_what_it_planted_and_nothing_else(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("sluicegate")
    out = tmp_path / "demo"
    run = subprocess.run(
        [command, "demo", "--out", out], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    items = pl.read_parquet(out / "result" / "items.parquet")
    planted = {line.split()[1] for line in run.stdout.splitlines() if "at its place" in line}
    original = items.filter(pl.col("benchmark") == "original")
    found = set(original.filter(pl.col("status") == "contaminated")["item_id"])
    assert "NOT at its place" not in run.stdout
    assert found == planted
    assert len(planted) == 16
    functions = items.filter(pl.col("benchmark") == "pyfunctions")
    assert functions["status"].to_list() == ["contaminated"] * functions.height
    assert str(out / "result" / "report.html") in run.stdout
