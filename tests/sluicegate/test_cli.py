"""The installed command: exit statuses, one-line errors, and what lies in the folder afterwards."""

import gzip
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest

from sluicegate.cli import COMMANDS, main
from sluicegate.loading import MODULES
from tests.command_line import run_here

COMMAND = Path(sys.executable).with_name("sluicegate")
RESULT_FILES = {
    "calibration.parquet", "findings.parquet", "items.parquet", "report.html", "report.json", "run.json", "summary.md",
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"the command is not installed at {COMMAND}; run: make setup"
)


@pytest.fixture(scope="module")
def question(vocabulary):
    return " ".join(vocabulary(0, 30))


@pytest.fixture
def folder(tmp_path, write_corpus, write_benchmark, question, vocabulary):
    """A folder with a corpus that holds a question, one that does not, and a benchmark."""
    write_corpus(tmp_path / "leaky.jsonl", [f"so: {question}", "nothing"])
    write_corpus(tmp_path / "clean.jsonl", [" ".join(vocabulary(500, 560))])
    write_benchmark(tmp_path / "quiz.jsonl", [{"id": "1", "question": question, "answer": "4"}])
    return tmp_path


@pytest.fixture
def run(folder):
    """Run the command in the folder."""

    def run_command(*arguments):
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run_command


@pytest.fixture
def scan(folder):
    """Scan with the folder's benchmark into `out`, without progress."""

    def run_scan(*arguments, benchmarks="quiz.jsonl", out="out"):
        told = ("scan", *arguments, "--benchmarks", benchmarks, "--out", out, "--quiet")
        return run_here(*told, folder=folder)

    return run_scan


def written(folder):
    out = folder / "out"
    return {path.name for path in out.iterdir()} if out.exists() else set()


# --- help -------------------------------------------------------------------------------------------


def test_help_answers_in_under_300_ms(run):
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        answer = run("--help")
        taken.append(time.perf_counter() - start)
    assert answer.returncode == 0
    assert statistics.median(taken) < 0.3
    for command in ("scan", "calibrate", "demo", "report", "doctor"):
        assert re.search(rf"\n    {command}\s", answer.stdout)


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom sluicegate.cli import main\n"
        "try:\n main(['--help'])\nexcept SystemExit:\n pass\n"
        "print(sorted({'numba', 'numpy', 'polars', 'pyarrow', 'pydantic', 'jinja2'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["scan", "calibrate", "demo", "report", "doctor"])
def test_every_command_has_help(run, command):
    answer = run(command, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"usage: sluicegate {command} ")


def test_version_is_the_package_version(run):
    from sluicegate import __version__

    assert run("--version").stdout == f"sluicegate {__version__}\n"


# --- exit statuses ----------------------------------------------------------------------------------


def test_a_scan_prints_its_summary_and_writes_all_files(scan, folder):
    answer = scan("leaky.jsonl")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "1 of 1 items contaminated" in answer.stdout
    assert answer.stdout.endswith("report: out/report.html\n")
    assert written(folder) == RESULT_FILES


def test_without_calibration_the_report_says_so_and_an_old_one_goes(scan, folder):
    scan("leaky.jsonl")
    answer = scan("leaky.jsonl", "--calibration", "off")
    assert "UNCALIBRATED: the calibration battery was not run" in answer.stdout
    assert written(folder) == RESULT_FILES - {"calibration.parquet"}


def test_json_on_stdout_is_the_report(scan, folder):
    answer = scan("leaky.jsonl", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout) == json.loads((folder / "out" / "report.json").read_text())


def test_progress_goes_to_stderr(run):
    answer = run("scan", "leaky.jsonl", "--benchmarks", "quiz.jsonl", "--out", "out", "--json")
    assert json.loads(answer.stdout)
    stages = ["reading benchmarks", "loading kernels", "indexing items", "scanning", "calibrating"]
    assert answer.stderr.splitlines() == stages


@pytest.mark.parametrize(
    ("corpus", "status", "exit_status"),
    [
        ("leaky.jsonl", "contaminated", 1),
        ("leaky.jsonl", "suspect", 1),
        ("clean.jsonl", "contaminated", 0),
        ("clean.jsonl", "unsearchable", 0),
    ],
)
def test_fail_on_exits_with_1_from_that_status_on(scan, folder, corpus, status, exit_status):
    assert scan(corpus, "--fail-on", status).returncode == exit_status
    assert written(folder) == RESULT_FILES


def test_a_suspect_item_fails_on_suspect_only(scan, folder, write_corpus, question):
    write_corpus(folder / "half.jsonl", [" ".join(question.split()[:15])])
    assert scan("half.jsonl", "--fail-on", "contaminated").returncode == 0
    assert scan("half.jsonl", "--fail-on", "suspect").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["--fail-on", "dirty"],
        ["--device", "abacus"],
        ["--jobs", "many"],
        ["--jobs", "0"],
        ["--scanners", "tarot"],
        ["--fields", "x=y"],
        ["--paraphrases", "quiz.jsonl", "--calibration", "off"],
    ],
    ids=" ".join,
)
def test_an_option_that_cannot_be_exits_with_2_and_is_named(scan, folder, arguments):
    answer = scan("leaky.jsonl", *arguments)
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1].startswith("sluicegate")
    assert arguments[0] in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.stderr
    assert written(folder) == set()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scanners", "tarot"], "--scanners: Input should be 'ngram', 'minhash' or 'embedding', not 'tarot'"),
        (["--scanners", "minhash"], '--scanners: "ngram" must be among the scanners: it finds every run of 13 words'),
        (["--jobs", "0"], "--jobs: Input should be greater than or equal to 1, not 0"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named_as_its_option_is_written(
    options, said, capsys, tmp_path
):
    arguments = ["scan", "corpus", "--benchmarks", "quiz.jsonl", "--out", str(tmp_path / "out")]
    assert main([*arguments, *options]) == 2
    assert capsys.readouterr().err == f"sluicegate: {said}\n"
    assert main(["drift", "a", "b", "--out", str(tmp_path), "--minimum-share", "2"]) == 2
    assert capsys.readouterr().err.startswith("sluicegate: --minimum-share: Input should be less")


def test_no_command_exits_with_2(run):
    assert run().returncode == 2


# --- wrong usage and invalid input: exit 2, one line with file, row and mend --------------------------

BENCHMARKS = {
    "missing": (None, ["gone.jsonl", "does not exist"]),
    "not JSON": (
        b'{"question": "who is it"}\n{oops\n', ["row 1", "is not JSON", "mend or delete the line"]
    ),
    "not UTF-8": (b'{"question": "\xff"}\n', ["line 1 is not UTF-8", "save the file as UTF-8"]),
    "no item": (b"", ["has no items", "name a file with at least one record"]),
    "duplicate ids": (
        b'{"id": "7", "question": "a b c"}\n' * 2, ["'7' in rows 0, 1", "make them unique"]
    ),
    "unknown layout": (b'{"riddle": "x"}\n', ["row 0", "'riddle'", "--fields"]),
    "empty item": (b'{"question": ""}\n', ["row 0", "fill or delete the record"]),
}  # fmt: skip


def one_line(answer):
    """The only line on stderr, an error in words."""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("sluicegate: ")
    assert "Traceback" not in answer.stderr
    return line


@pytest.mark.parametrize("case", BENCHMARKS)
def test_a_bad_benchmark_ends_the_run_in_one_line(scan, folder, case):
    content, said = BENCHMARKS[case]
    if content is not None:
        (folder / "gone.jsonl").write_bytes(content)
    answer = scan("leaky.jsonl", benchmarks="gone.jsonl")
    line = one_line(answer)
    assert answer.returncode == 2
    assert line.startswith("sluicegate: gone.jsonl")
    assert all(part in line for part in said)
    assert written(folder) == set()


CORPORA = {
    "missing": ("gone.jsonl", ["gone.jsonl", "no such file or folder"]),
    "glob without a match": ("gone/*.parquet", ["gone/*.parquet"]),
    "empty folder": ("nothing", ["nothing", "holds no files"]),
    "no known suffix": ("pictures", ["pictures", "known suffix"]),
    "missing column": ("other.jsonl", ["other.jsonl", "no column 'text'", "name the text column"]),
    "missing column in Parquet": ("other.parquet", ["other.parquet", "no column 'text'"]),
}


@pytest.mark.parametrize("case", CORPORA)
def test_a_corpus_named_wrongly_ends_the_run_in_one_line(scan, folder, write_corpus, case):
    corpus, said = CORPORA[case]
    (folder / "nothing").mkdir()
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"\x89PNG")
    write_corpus(folder / "other.jsonl", [{"body": "x"}])
    write_corpus(folder / "other.parquet", [{"body": "x"}])
    answer = scan(corpus)
    line = one_line(answer)
    assert answer.returncode == 2
    assert all(part in line for part in said)
    assert written(folder) == set()


# --- bad data: exit 3, counted, named with the mend, and everything else scanned -----------------------


def truncated(data):
    """The lines and one that does not shrink, packed, without the last bytes."""
    long = json.dumps({"text": os.urandom(50_000).hex()}).encode()
    return pa.Codec("zstd").compress(data + long + b"\n", asbytes=True)[:-20]


DAMAGE = {
    "bad JSON": ("c.jsonl", lambda good: good + b'{"text": "x\n', 2),
    "invalid UTF-8": ("c.jsonl", lambda good: good + b'{"text": "\xff\xfe"}\n', 2),
    "text is a number": ("c.jsonl", lambda good: good + b'{"text": 7}\n', 2),
    "no text": ("c.jsonl", lambda good: good + b'{"text": null}\n', 2),
    "truncated zstd": ("c.jsonl.zst", lambda good: truncated(good), None),
    "truncated gzip": ("c.jsonl.gz", lambda good: gzip.compress(good)[:-9], None),
    "empty file": ("c.jsonl", lambda good: b"", None),
    "not Parquet": ("c.parquet", lambda good: b"PAR1 nonsense", None),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named_and_the_rest_is_scanned(scan, folder, case):
    name, damage, row = DAMAGE[case]
    (folder / "mixed").mkdir()
    good = (folder / "leaky.jsonl").read_bytes()
    (folder / "mixed" / name).write_bytes(damage(good))
    (folder / "mixed" / "whole.jsonl").write_bytes(good)
    (folder / "mixed" / "picture.png").write_bytes(b"\x89PNG")
    answer = scan("mixed", "--json")
    assert answer.returncode == 3
    assert "Traceback" not in answer.stderr
    report = json.loads(answer.stdout)
    assert not report["complete"]
    assert report["benchmarks"][0]["contaminated"] == 1
    places = [(problem["shard"], problem["row"]) for problem in report["corpus"]["problems"]]
    assert (f"mixed/{name}", row) in places
    assert {shard for shard, _ in places} == {f"mixed/{name}"}
    assert all(problem["reason"] and problem["mend"] for problem in report["corpus"]["problems"])
    assert written(folder) == RESULT_FILES


def test_the_summary_names_file_row_and_mend_of_what_was_not_read(scan, folder):
    with (folder / "leaky.jsonl").open("ab") as file:
        file.write(b"{oops\n")
    answer = scan("leaky.jsonl")
    assert answer.returncode == 3
    assert answer.stdout.startswith("INCOMPLETE: 1 document could not be read")
    (line,) = [
        line for line in answer.stdout.splitlines() if line.startswith("  leaky.jsonl, row 2")
    ]
    assert "JSON" in line


def test_skip_bad_lets_bad_documents_pass(scan, folder):
    with (folder / "leaky.jsonl").open("ab") as file:
        file.write(b"{oops\n")
    assert scan("leaky.jsonl", "--skip-bad").returncode == 0


def test_a_found_leak_fails_though_the_run_is_incomplete(scan, folder):
    with (folder / "leaky.jsonl").open("ab") as file:
        file.write(b"{oops\n")
    assert scan("leaky.jsonl", "--fail-on", "contaminated").returncode == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("what", ["locked", "locked/a.jsonl"])
def test_what_may_not_be_read_is_named(scan, folder, write_corpus, what):
    path = write_corpus(folder / "locked" / "a.jsonl", ["x"])
    (folder / what).chmod(0)
    try:
        answer = scan("leaky.jsonl", what)
    finally:
        path.parent.chmod(0o755)
    assert answer.returncode in (2, 3)
    assert what in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr


# --- writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["afile", "afile/below"])
def test_a_file_in_the_place_of_the_folder_is_named_and_kept(scan, folder, out):
    (folder / "afile").write_text("mine")
    answer = scan("leaky.jsonl", out=out)
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


def test_a_full_disk_is_named_and_nothing_is_left_half_written(scan, tiny_disk):
    answer = scan("leaky.jsonl", out="small/out")
    assert answer.returncode == 3
    assert "small/out/" in one_line(answer)
    assert "No space left on device" in one_line(answer)
    assert "make room" in one_line(answer)
    left = {path.name for path in (tiny_disk / "out").iterdir()}
    assert left < RESULT_FILES - {"run.json"}


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """JSON lines of 3 GB, packed to a few MB."""
    line = json.dumps({"text": "so it goes on and on " * 50_000}) + "\n"
    path = tmp_path_factory.mktemp("endless") / "endless.jsonl.gz"
    path.write_bytes(gzip.compress(line.encode() * 8) * 400)
    return path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_leaves_no_file_and_exits_with_130(folder, endless, jobs):
    process = subprocess.Popen(
        [COMMAND, "scan", endless, "--benchmarks", "quiz.jsonl", "--out", "out", "--jobs", jobs],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while "scanning" not in (seen := process.stderr.readline()):
        assert seen, "it ended before it scanned"
    process.send_signal(signal.SIGINT)
    start = time.perf_counter()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "sluicegate: interrupted: no file was left half-written\n"
    assert time.perf_counter() - start < 10  # the time of a batch, not of 3 GB
    assert not (folder / "out").exists()


# --- calibrate ---------------------------------------------------------------------------------------

CALIBRATION_FILES = {"calibration.parquet", "calibration.json", "summary.md", "run.json"}


@pytest.fixture
def calibrate(run, folder, write_corpus, write_benchmark, vocabulary):
    """Calibrate quickly, with 25 items and 10 documents, into `out`, without progress."""
    texts = [" ".join(vocabulary(9000 + 200 * n, 9200 + 200 * n)) for n in range(10)]
    write_corpus(folder / "hosts.jsonl", texts)
    questions = [" ".join(vocabulary(40 * n, 40 * n + 30)) for n in range(25)]
    items = [{"id": f"q{n}", "question": text, "answer": "4"} for n, text in enumerate(questions)]
    write_benchmark(folder / "many.jsonl", items)

    def run_calibrate(*arguments, corpus="hosts.jsonl", benchmarks="many.jsonl"):
        return run(
            "calibrate", corpus, "--benchmarks", benchmarks, "--out", "out", "--quiet",
            "--calibration", "quick", *arguments,
        )  # fmt: skip

    return run_calibrate


def test_a_calibration_prints_its_table_and_writes_all_files(calibrate, folder):
    answer = calibrate()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("CALIBRATED: of 150 planted copies that are whole")
    assert "drawn from the 10 that were read of 1 of 1 shard of hosts.jsonl" in answer.stdout
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert ["other", "workers", "25", "25", "100.0%", "86.3–100.0%"] in lines
    assert answer.stdout.endswith("\nrates: out/calibration.parquet\n")
    assert written(folder) == CALIBRATION_FILES


def test_json_of_a_calibration_is_its_file(calibrate, folder):
    answer = calibrate("--json", "--seed", "3")
    assert answer.returncode == 0
    assert answer.stdout == (folder / "out" / "calibration.json").read_text()
    assert json.loads(answer.stdout)["seed"] == 3


@pytest.mark.parametrize("case", ["too few items", "nothing to plant", "unreadable"])
def test_what_cannot_be_calibrated_exits_with_3_and_the_reason(calibrate, folder, case):
    (folder / "bad.jsonl").write_text("{oops\n")
    arguments, said = {
        "too few items": (
            {"benchmarks": "quiz.jsonl"},
            "too few searchable items to calibrate: 1 ",
        ),
        "nothing to plant": (
            {"corpus": "leaky.jsonl"},
            "nothing to plant: no searchable item, or no",
        ),
        "unreadable": ({"corpus": "bad.jsonl"}, "nothing to plant: bad.jsonl, row 0: "),
    }[case]
    answer = calibrate(**arguments)
    assert answer.returncode == 3
    assert one_line(answer).startswith(f"sluicegate: uncalibrated: {said}")
    assert "UNCALIBRATED: " in answer.stdout
    assert written(folder) == CALIBRATION_FILES


def test_a_document_that_cannot_be_read_exits_with_3_and_is_named(calibrate, folder):
    with (folder / "leaky.jsonl").open("ab") as file:
        file.write((folder / "hosts.jsonl").read_bytes() + b"{oops\n")
    answer = calibrate(corpus="leaky.jsonl")
    assert answer.returncode == 3
    assert one_line(answer).startswith("sluicegate: incomplete: leaky.jsonl, row 12: ")
    assert calibrate("--skip-bad", corpus="leaky.jsonl").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "-1"], "--seed: "),
        (["--seed", "dice"], "argument --seed: "),
        (["--calibration", "off"], "argument --calibration: "),
        (["--text", "body"], "hosts.jsonl: there is no column 'body'"),
        (["--paraphrases", "gone.jsonl"], "gone.jsonl: does not exist; check --paraphrases"),
        (
            ["--paraphrases", "p.jsonl"],
            "p.jsonl, row 1: 1 row has an item_id that is in no benchmark",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_of_a_calibration_exits_with_2_and_is_named(calibrate, folder, arguments, said):
    rows = [{"item_id": name, "text": "Who?"} for name in ("q1", "nobody")]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = calibrate(*arguments)
    assert answer.returncode == 2
    assert said in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.stderr
    assert written(folder) == set()


def test_a_scan_and_a_calibration_plant_the_paraphrases_of_a_file(calibrate, scan, folder):
    (folder / "p.csv").write_text("item_id,text\nq1,Who made it?\nq1,By whom was it made?\n")
    answer = calibrate("--paraphrases", "p.csv")
    assert "Paraphrases: 2 of 1 item, 1 planted." in answer.stdout
    scan("hosts.jsonl", "--paraphrases", "p.csv", benchmarks="many.jsonl")
    rates = json.loads((folder / "out" / "report.json").read_text())["calibration"]["rates"]
    assert [rate["trials"] for rate in rates if rate["form"] == "paraphrase"] == [1]


# --- report -------------------------------------------------------------------------------------------


@pytest.fixture
def reported(scan, folder):
    scan("leaky.jsonl")
    return folder / "out"


@pytest.mark.parametrize(
    ("wanted", "file"), [("html", "report.html"), ("md", "summary.md"), ("json", "report.json")]
)
def test_report_prints_what_the_scan_wrote(run, reported, wanted, file):
    answer = run("report", "out", "--format", wanted)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == (reported / file).read_text()


def test_report_prints_the_summary_of_the_scan(run, scan):
    summary = scan("leaky.jsonl").stdout
    assert run("report", "out").stdout == summary.removesuffix("\nreport: out/report.html\n")


def test_report_refuses_another_format_and_a_report_that_is_none(run, reported):
    assert run("report", "out", "--format", "papyrus").returncode == 2
    (reported / "report.json").write_text('{"schema": "other"}')
    answer = run("report", "out")
    assert answer.returncode == 2
    assert "out/report.json" in one_line(answer)


def test_report_of_a_folder_without_one_names_the_file(run):
    answer = run("report", "gone")
    assert answer.returncode == 2
    assert "gone/report.json" in one_line(answer)


# --- the rest -------------------------------------------------------------------------------------


def test_doctor_says_what_is_installed(run):
    answer = run("doctor")
    assert answer.returncode == 0
    assert "numba" in answer.stdout


def test_a_scan_imports_no_torch_and_no_engine(folder):
    code = (
        "import sys, sluicegate\n"
        "sluicegate.scan('leaky.jsonl', 'quiz.jsonl', out='out')\n"
        "print(sorted({'torch', 'faiss', 'sentence_transformers', 'prefect', 'dask', 'ray'}"
        " & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_a_scan_loads_what_it_needs_at_once_and_no_other_scanner_or_pipeline(folder):
    # A second of a scan of few documents would be the garbage collector's: see sluicegate.loading.
    code = (
        "import gc, sys\n"
        "from sluicegate.cli import main\n"
        "from sluicegate.loading import load\n"
        "load('scan')\n"
        "assert gc.isenabled() and gc.get_freeze_count() > 100_000\n"
        "loaded = set(sys.modules)\n"
        "main('scan leaky.jsonl --benchmarks quiz.jsonl --out out --quiet'.split())\n"
        "ours = ('corpora.', 'indexes.', 'pipelines.', 'scanners.')\n"
        "print(sorted(name for name in set(sys.modules) - loaded if name.startswith(ours)))\n"
        "print(sorted({'scanners.semantic', 'scanners.embedding', 'scanners.tokens', 'pipelines.clean',"
        " 'pipelines.drift', 'pipelines.gate', 'scipy.linalg', 'sklearn'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-2:] == ["[]", "[]"]


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("index", {"pipelines.clean", "pipelines.duplicates", "pipelines.scan", "polars"}),
        ("drift", {"pipelines.clean", "pipelines.duplicates", "scanners.semantic"}),
    ],
)
def test_a_command_does_not_wait_for_the_modules_of_others(command, others):
    code = (
        f"import sys\nfrom sluicegate.loading import load\nload({command!r})\n"
        f"print(sorted({others!r} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


@pytest.mark.parametrize("command", sorted(MODULES))
def test_what_is_loaded_for_a_command_is_there(command):
    assert command in COMMANDS
    assert all(find_spec(name) is not None for name in MODULES[command])


def test_a_reader_that_goes_away_is_no_error(folder):
    command = f"{COMMAND} scan leaky.jsonl --benchmarks quiz.jsonl --out out --quiet | true"
    answer = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], cwd=folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert "Traceback" not in answer.stderr
    assert answer.stderr == ""
