"""`sluicegate duplicates` as installed: exit statuses, one-line errors, and what lies in the folder."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.command_line import run_here

COMMAND = Path(sys.executable).with_name("sluicegate")
RESULT_FILES = {
    "domains.parquet", "duplicates.json", "duplicates.parquet", "run.json", "summary.md",
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"the command is not installed at {COMMAND}; run: make setup"
)


@pytest.fixture
def folder(tmp_path, write_corpus, vocabulary):
    """A folder with an old and a new corpus: one document kept, one lost, one new and twice."""
    kept, lost, new = (" ".join(vocabulary(n, n + 100)) for n in (0, 200, 400))
    write_corpus(tmp_path / "old" / "a.jsonl", [kept, lost])
    write_corpus(tmp_path / "new" / "a.jsonl", [kept, new])
    write_corpus(tmp_path / "new" / "b.jsonl", [f"{new}!"])
    return tmp_path


@pytest.fixture
def run(folder):
    """Run `sluicegate duplicates` in the folder, into `out`."""

    def run_command(*arguments, out="out"):
        return run_here("duplicates", *arguments, "--out", out, folder=folder)

    return run_command


def written(folder):
    out = folder / "out"
    return {path.name for path in out.iterdir()} if out.exists() else set()


def one_line(answer):
    """The only line on stderr, an error in words."""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("sluicegate: ")
    assert "Traceback" not in answer.stderr
    return line


def test_one_corpus_is_counted_and_all_files_are_written(run, folder):
    answer = run("new", "--quiet")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("1 of 3 documents are duplicates (33.3%): 1 exact, 0 near\n")
    assert answer.stdout.endswith("copies: out/duplicates.parquet\n")
    assert written(folder) == RESULT_FILES
    copies = pl.read_parquet(folder / "out" / "duplicates.parquet")
    assert copies.select("shard", "row", "kind").rows() == [
        ("new/a.jsonl", 1, None), ("new/b.jsonl", 0, "exact"),
    ]  # fmt: skip


def test_two_versions_are_compared(run, folder):
    answer = run("new", "--against", "old", "--quiet", "--json")
    assert (answer.returncode, answer.stderr) == (0, "")
    report = json.loads(answer.stdout)
    assert report == json.loads((folder / "out" / "duplicates.json").read_text())
    old, new = report["versions"]
    assert (old["version"], old["kept_exact"], old["unmatched"]) == ("baseline", 1, 1)
    assert (new["version"], new["kept_exact"], new["unmatched"]) == ("candidate", 1, 2)


def test_columns_threshold_and_several_corpora_can_be_said(run, folder, write_corpus):
    write_corpus(folder / "c.jsonl", [{"body": "so it goes", "key": "1", "site": "x"}])
    write_corpus(folder / "d.jsonl", [{"body": "so it went", "key": "2", "site": "y"}])
    answer = run(
        "c.jsonl", "d.jsonl", "--text", "body", "--id", "key", "--domain", "site",
        "--threshold", "0.5", "--jobs", "2", "--seed", "3", "--skip-bad", "--json",
    )  # fmt: skip
    report = json.loads(answer.stdout)
    assert [row["domain"] for row in report["domains"]] == ["x", "y"]
    assert report["parameters"]["threshold"] == 0.5
    assert json.loads((folder / "out" / "run.json").read_text())["settings"]["jobs"] == 2


def test_progress_goes_to_stderr_by_stages(run):
    stages = ["loading kernels", "signing", "gathering signatures", "linking", "proving"]
    assert run("new").stderr.splitlines() == stages


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone"], ["gone", "no such file or folder"]),
        (["new", "--against", "gone"], ["gone", "no such file or folder"]),
        (["new", "--text", "body"], [".jsonl", "no column 'body'", "name the text column"]),
        (["new", "--threshold", "1"], ["--threshold", "0.95", "1.0"]),
        (["new", "--threshold", "0"], ["--threshold", "0.3"]),
        (["new", "--jobs", "0"], ["--jobs"]),
        (["new", "--seed", "-1"], ["--seed"]),
    ],
)
def test_wrong_usage_is_one_line_and_exits_with_2(run, folder, arguments, said):
    answer = run(*arguments, "--quiet")
    assert answer.returncode == 2
    assert all(part in one_line(answer) for part in said)
    assert written(folder) == set()


def test_what_cannot_be_read_exits_with_3_and_is_named(run, folder):
    (folder / "new" / "c.jsonl.gz").write_bytes(gzip.compress(os.urandom(9999).hex().encode())[:99])
    answer = run("new", "--quiet")
    assert answer.returncode == 3
    assert "new/c.jsonl.gz" in one_line(answer)
    assert answer.stdout.startswith("INCOMPLETE: 1 shard could not be read")
    assert written(folder) == RESULT_FILES
    assert json.loads((folder / "out" / "run.json").read_text())["complete"] is False


def test_a_bad_baseline_document_exits_with_3_unless_it_may_pass(run, folder):
    with (folder / "old" / "a.jsonl").open("ab") as file:
        file.write(b"{oops\n")
    answer = run("new", "--against", "old", "--quiet")
    assert answer.returncode == 3
    assert "old/a.jsonl, row 2" in one_line(answer)
    assert run("new", "--against", "old", "--quiet", "--skip-bad").returncode == 0


def test_a_file_in_the_place_of_the_folder_is_named_and_kept(run, folder):
    (folder / "afile").write_text("mine")
    answer = run("new", "--quiet", out="afile")
    assert answer.returncode == 2
    assert "afile is a file; name a folder" in one_line(answer)
    assert (folder / "afile").read_text() == "mine"


@pytest.fixture
def tiny_disk(folder):
    """A file system of 16 KiB at `small`."""
    place = folder / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_named_and_nothing_is_left(run, folder, tiny_disk, write_corpus, vocabulary):
    write_corpus(folder / "many.jsonl", [" ".join(vocabulary(n, n + 9)) for n in range(300)])
    answer = run("many.jsonl", "--quiet", out="small/out")
    assert answer.returncode == 3
    assert "small/out" in one_line(answer)
    assert "No space left on device" in one_line(answer)
    assert list(tiny_disk.iterdir()) == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_leaves_nothing_and_exits_with_130(folder, jobs):
    line = json.dumps({"text": "so it goes on and on " * 50_000}) + "\n"
    (folder / "endless.jsonl.gz").write_bytes(gzip.compress(line.encode() * 8) * 400)
    process = subprocess.Popen(
        [COMMAND, "duplicates", "endless.jsonl.gz", "new", "--out", "out", "--jobs", jobs],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while "signing" not in (seen := process.stderr.readline()):
        assert seen, "it ended before it signed"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "sluicegate: interrupted: no file was left half-written\n"
    assert not (folder / "out").exists()


def test_hostile_domains_do_not_drive_the_terminal(run, folder, write_corpus):
    rows = [{"domain": "\x1b[2J\x1b[31mred", "text": "the same words"}] * 2
    write_corpus(folder / "h.jsonl", rows)
    answer = run("h.jsonl", "--quiet")
    assert answer.returncode == 0
    assert "\x1b" not in answer.stdout


def test_help_names_its_options(run, folder):
    answer = subprocess.run(
        [COMMAND, "duplicates", "--help"], capture_output=True, text=True, check=True
    )
    for option in ("--against", "--threshold", "--out", "--text", "--id", "--domain", "--json"):
        assert option in answer.stdout
