"""`sluicegate clean`: exit statuses, one-line errors, and runs that are killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sluicegate
from sluicegate import cli

SERVER = Path(__file__).with_name("clean_server.py")
N_SHARDS = 12
N_KILLS = 25


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


def write_corpus(folder, text, n_shards):
    """Shards of prose, with an item of the quiz in every second document of every third shard."""
    folder.mkdir()
    for number in range(n_shards):
        rows = []
        for row in range(8):
            first = 2000 + 800 * number + 100 * row
            leak = text(0, 30) if number % 3 == 0 and row % 2 else ""
            rows.append(
                {"text": f"{text(first, first + 40)}. {leak}? {text(first + 40, first + 80)}"}
            )
        (folder / f"{number:02}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return folder


@pytest.fixture
def ready(text, write_benchmark, tmp_path, monkeypatch):
    """A corpus of three shards and the findings of its scan, in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "corpus", text, 3)
    write_benchmark(tmp_path / "quiz.jsonl", [{"id": "i0", "question": text(0, 30)}])
    sluicegate.scan("corpus", "quiz.jsonl", out="findings", calibration="off")


@pytest.fixture
def run(capsys):
    """Run the command in this process: exit status, stdout, and stderr."""

    def run_command(*arguments):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse
            status = error.code
        return status, *capsys.readouterr()

    return run_command


@pytest.fixture
def clean(run):
    return lambda *more, out="out": run(
        "clean", "corpus", "--findings", "findings", "--out", out, "--quiet", *more
    )


def one_line(said, *words):
    assert said.startswith("sluicegate: ")
    assert said.count("\n") == 1
    for word in words:
        assert word in said
    return True


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def test_clean_says_what_went_and_where_the_copy_is(ready, clean):
    status, out, err = clean()
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "4 documents left out: the copy is clean"
    assert "24 documents before, 20 after (16.7% left out)" in out
    assert "3 shards: 2 copied as they are, 1 rewritten, 0 without any document left." in out
    rows = [json.loads(line) for line in Path("corpus/00.jsonl").read_text().splitlines()]
    n_chars = sum(len(row["text"]) for row in rows[1::2])
    assert ["quiz", "1", "4", "0", f"{n_chars:,}"] in [line.split() for line in lines]
    assert lines[-2:] == ["copy: out/corpus", "log: out/removed.parquet"]


def test_clean_as_json(ready, clean):
    status, out, _ = clean("--json", "--remove", "span", "--mask", "[cut]", "--margin", "1")
    told = json.loads(out)
    assert status == 0
    assert told == json.loads(Path("out/clean.json").read_text())
    assert told["parameters"] == {
        "remove": "span", "status": "contaminated", "mask": "[cut]", "margin": 1,
    }  # fmt: skip
    assert told["removed"]["documents_cut"] == 4
    assert "[cut]" in Path("out/corpus/00.jsonl").read_text()


def test_progress_goes_to_stderr_unless_it_shall_be_quiet(ready, run):
    status, _, err = run("clean", "corpus", "--findings", "findings", "--out", "out", "--jobs", 1)
    assert (status, err.splitlines()) == (
        0, ["checking the corpus", "writing the copy", "loading kernels", "scanning the copy"],
    )  # fmt: skip


def test_a_finished_copy_is_left_as_it_is(ready, clean):
    first = clean()
    before = tree("out")
    status, out, err = clean()
    assert (status, out) == (0, first[1])
    assert one_line(err, "nothing to do: out holds the copy of these inputs already")
    assert tree("out") == before


def test_a_copy_that_is_not_clean_is_a_failure(ready, run, text):
    items = [{"id": f"i{n}", "question": text(100 * n, 100 * n + 30)} for n in range(2)]
    Path("quiz.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    sluicegate.scan("corpus", "quiz.jsonl", out="findings", calibration="off")
    arguments = (
        "clean", "corpus", "--findings", "findings", "--out", "out", "--quiet", "--remove", "span",
        "--mask", text(100, 130),
    )  # fmt: skip
    for _ in range(2):
        status, out, err = run(*arguments)
        assert status == 1
        assert out.startswith("NOT CLEAN: 1 item can still be found in the copy, after ")
        assert "copy: out/not-clean" in out
        assert err.splitlines()[-1].startswith(
            "sluicegate: not clean: quiz i1 can still be found in out/not-clean; look at out/clean.json"
        )
    assert not Path("out/corpus").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mask", "x"], ["--mask", "add --remove span"]),
        (["--margin", "3"], ["--margin", "add --remove span"]),
        (["--remove", "span", "--margin", "-1"], ["--margin"]),
        (["--jobs", "0"], ["--jobs"]),
    ],
)
def test_wrong_settings_are_said_in_one_line(ready, clean, arguments, words):
    status, out, err = clean(*arguments)
    assert (status, out) == (2, "")
    assert one_line(err, *words)


@pytest.mark.parametrize("out", ["s3://bucket/x", "file:///tmp/x"])
def test_an_out_at_a_url_is_refused(ready, clean, out):
    status, said, err = clean(out=out)
    assert (status, said) == (2, "")
    assert one_line(err, f"--out {out}", "takes only local folders")
    assert not Path("s3:").exists()


def test_what_is_refused_is_said_in_one_line(ready, clean, run):
    for out, word in [
        ("corpus/out", "lies within the corpus"),
        ("findings", "within the findings"),
    ]:
        status, said, err = clean(out=out)
        assert (status, said) == (2, "")
        assert one_line(err, word)
    Path("corpus/00.jsonl").write_text("{}\n")
    status, said, err = clean()
    assert (status, said) == (2, "")
    assert one_line(err, "corpus/00.jsonl: it has changed since the scan", "scan the corpus again")
    Path("file").write_text("")
    assert clean(out="file")[0] == 2
    assert run("clean", "corpus", "--out", "out")[0] == 2
    assert not Path("out").exists()


def test_names_cannot_drive_the_terminal(ready, clean, text):
    Path("corpus/\x1b[2J.jsonl").write_text(json.dumps({"text": text(0, 30)}) + "\n")
    sluicegate.scan("corpus", "quiz.jsonl", out="findings", calibration="off")
    status, out, _ = clean()
    assert status == 0
    assert "\x1b" not in out
    assert "⟨U+001B⟩[2J.jsonl" in out


# --- kill -9, two at once, a full disk ----------------------------------------------------------------


class Commands:
    """Processes that run the command; see `command_server`."""

    def __init__(self):
        self._server = subprocess.Popen(
            [sys.executable, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, *arguments, most_bytes=None):
        return self._ask("start", [str(argument) for argument in arguments], most_bytes)

    def wait(self, process):
        return tuple(self._ask("wait", process))

    def _ask(self, *command):
        print(json.dumps(command), file=self._server.stdin, flush=True)
        return json.loads(self._server.stdout.readline())

    def close(self):
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()


@pytest.fixture(scope="module")
def commands():
    server = Commands()
    yield server
    server.close()


@pytest.fixture(scope="module")
def many(text, write_benchmark, tmp_path_factory):
    """A corpus of twelve shards and the findings of its scan: (corpus, findings)."""
    folder = tmp_path_factory.mktemp("many")
    corpus = write_corpus(folder / "corpus", text, N_SHARDS)
    quiz = write_benchmark(folder / "quiz.jsonl", [{"id": "i0", "question": text(0, 30)}])
    sluicegate.scan(corpus, quiz, out=folder / "findings", calibration="off")
    return corpus, folder / "findings"


def cleaning(many, out, jobs=2):
    corpus, findings = many
    return (
        "clean", corpus, "--findings", findings, "--out", out, "--quiet", "--jobs", jobs,
        "--remove", "span",
    )  # fmt: skip


def results(out):
    """The files of a finished run, without what names the folder or the time."""
    files = {name: data.replace(str(out).encode(), b"OUT") for name, data in tree(out).items()}
    files.pop("run.json")
    return files


@pytest.fixture(scope="module")
def undisturbed(many, commands, tmp_path_factory):
    """What a run in peace gives, and how long it takes, in seconds."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for number in range(2):  # the second time all is loaded
        started = time.monotonic()
        status, said = commands.wait(commands.start(*cleaning(many, folder / str(number))))
        seconds = time.monotonic() - started
        assert status == 0, said
    return results(folder / "0"), seconds


def test_after_kills_at_random_moments_a_run_gives_the_same_bytes(
    many, undisturbed, commands, tmp_path
):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    expected, seconds = undisturbed
    before = tree(many[0])
    n_kills = n_torn = n_outs = 0
    while n_kills < N_KILLS:
        n_outs += 1
        assert n_outs <= N_KILLS, f"runs end before they are killed, seed {seed}"
        out = tmp_path / str(n_outs)
        while n_kills < N_KILLS:
            process = commands.start(*cleaning(many, out, jobs=1 + n_kills % 2))
            time.sleep(moments.uniform(0, seconds))
            os.kill(process, signal.SIGKILL)
            status, said = commands.wait(process)
            if status == 0:
                break  # it was done before
            assert status == -signal.SIGKILL, (seed, said)
            n_kills += 1
            n_torn += (out / ".sluicegate-clean").exists()
            if (out / "run.json").exists():
                assert {*results(out)} >= {*expected}, seed
        status, said = commands.wait(commands.start(*cleaning(many, out)))
        assert status == 0, (seed, said)
        assert results(out) == expected, seed
    assert n_torn > N_KILLS // 5, "no kill met a run in the middle of its work"
    assert tree(many[0]) == before


def test_two_runs_at_once_do_not_mix(many, undisturbed, commands, tmp_path):
    expected, _ = undisturbed
    out = tmp_path / "out"
    both = [commands.start(*cleaning(many, out)) for _ in range(2)]
    ended = [commands.wait(process) for process in both]
    assert 0 in [status for status, _ in ended], ended
    for status, said in ended:
        assert status == 0 or one_line(said, "another run is at work there")
    assert results(out) == expected


def test_a_full_disk_is_said_in_one_line_and_the_next_run_finishes(
    many, undisturbed, commands, tmp_path
):
    expected, _ = undisturbed
    out = tmp_path / "out"
    for most_bytes in (50, 2_000, 4_000):
        status, said = commands.wait(commands.start(*cleaning(many, out), most_bytes=most_bytes))
        assert status == 3, said
        assert one_line(said, str(out), "File too large")
        assert not (out / "corpus").exists()
    status, said = commands.wait(commands.start(*cleaning(many, out)))
    assert status == 0, said
    assert results(out) == expected
