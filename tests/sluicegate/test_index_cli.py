"""`sluicegate index`: exit statuses and one-line errors, and builders that are killed or meet others."""

import errno
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import corpora.line_offsets
import pipelines.shard_builder
from sluicegate import cli

SERVER = Path(__file__).with_name("command_server.py")
N_SHARDS = 20
N_KILLS = 50
YEAR_2001 = 1_000_000_000


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture
def corpus(text, tmp_path):
    """Five shards of JSON lines, long at rest, in the current folder."""
    return write_corpus(tmp_path / "corpus", text, 5)


@pytest.fixture
def quiz(text, write_benchmark, tmp_path):
    return write_benchmark(
        tmp_path / "quiz.jsonl",
        [{"id": "leaked", "question": text(1000, 1030)}, {"id": "not", "question": text(0, 30)}],
    )


def write_corpus(folder, text, n_shards):
    folder.mkdir()
    for number in range(n_shards):
        first = 1000 + 200 * number
        rows = [{"text": text(first + n, first + n + 80)} for n in range(0, 120, 8 + number)]
        path = folder / f"{number:02}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        os.utime(path, (YEAR_2001, YEAR_2001))
    return folder


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run the command in this process: exit status, stdout, and stderr."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments):
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as error:  # argparse
            status = error.code
        return status, *capsys.readouterr()

    return run_command


@pytest.fixture
def build(run):
    """Build `corpus` into `store`, without progress."""
    return lambda *arguments: run(
        "index", "build", "corpus", "--store", "store", "--quiet", *arguments
    )


def tree(store):
    """The files of all shards: {name: bytes}."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in Path(store, "shards").rglob("*")
        if path.is_file()
    }


def left_behind(store):
    """Temporary files, and leases of whoever is at work."""
    names = [path.relative_to(store).as_posix() for path in Path(store).rglob("*")]
    return [name for name in names if ".tmp-" in name or name.startswith("leases/")]


def one_line(said, *words):
    """Whether stderr is one line of ours with these words."""
    assert said.startswith("sluicegate: ")
    assert said.count("\n") == 1
    for word in words:
        assert word in said
    return True


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


# --- build ------------------------------------------------------------------------------------------


def test_build_says_what_it_did_and_names_the_version(corpus, build):
    status, out, err = build("--name", "v1")
    assert (status, err) == (0, "")
    first, last = out.splitlines()
    assert first.startswith("5 shards: 5 indexed (62 documents, ")
    assert ", 0 there already; " in first
    assert last == "version: v1"
    status, out, err = build("--name", "v1")
    assert out.startswith("5 shards: 0 indexed (0 documents, 0 bytes of text), 5 there already; ")
    assert (status, err, out.splitlines()[-1]) == (0, "", "version: v1")


def test_build_as_json(corpus, build):
    status, out, _ = build("--name", "v1", "--json")
    told = json.loads(out)
    assert status == 0
    assert told.pop("seconds") >= 0
    assert told.pop("bytes_read") == sum(
        len(json.loads(line)["text"])
        for path in corpus.iterdir()
        for line in path.read_text().splitlines()
    )
    assert told == {
        "store": "store", "version": "v1", "shards": 5, "built": 5, "recognised": 0,
        "documents_read": 62, "bad_documents": 0, "broken_off": 0, "unread": [],
    }  # fmt: skip


def test_the_name_of_a_version_is_made_from_the_arguments(corpus, build):
    name = build()[1].splitlines()[-1].removeprefix("version: ")
    assert name.startswith("corpus-")
    assert build()[1].splitlines()[-1] == f"version: {name}"
    (corpus / "00.jsonl").write_text('{"text": "other"}\n')
    assert build()[1].splitlines()[-1] != f"version: {name}"


def test_progress_goes_to_stderr_unless_it_shall_be_quiet(corpus, run):
    status, _, err = run("index", "build", "corpus", "--store", "store", "--json")
    assert (status, err) == (0, "indexing\n")


def test_a_corpus_that_is_not_there_is_refused_before_a_store_is_made(run):
    status, out, err = run("index", "build", "nowhere", "--store", "store")
    assert (status, out) == (2, "")
    assert one_line(err, "nowhere: no such file or folder")
    assert not Path("store").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--text", "txt"], ["no column 'txt'", "text"]),
        (["--name", "../v1"], ["'../v1': cannot name a version"]),
        (["--jobs", "0"], ["--jobs"]),
        (["--store", "corpus"], ["corpus: this folder lies within the corpus"]),
        (["--store", "other"], ["other: this is no store, and 'file' is in it"]),
        (["--store", ""], ["no store is named"]),
    ],
    ids=str,
)
def test_what_cannot_be_built_is_refused_in_one_line(corpus, build, arguments, words):
    Path("other").mkdir()
    Path("other", "file").touch()
    status, out, err = build(*arguments)
    assert (status, out) == (2, "")
    assert one_line(err, *words)
    assert not Path("store", "versions").exists()


def test_another_version_of_the_same_name_is_refused(corpus, build):
    build("--name", "v1")
    (corpus / "new.jsonl").write_text('{"text": "new"}\n')
    status, _, err = build("--name", "v1")
    assert status == 2
    assert one_line(err, "v1.json: this version is there already and holds others")


def test_a_shard_that_cannot_be_read_leaves_no_version_and_is_finished_later(
    corpus, build, run, monkeypatch
):
    scan_file = corpora.line_offsets.scan_file

    def denied(path, *others):
        if path.endswith("03.jsonl"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan_file(path, *others)

    with monkeypatch.context() as patched:
        patched.setattr(pipelines.shard_builder, "scan_file", denied)
        status, out, err = build("--name", "v1")
        told = json.loads(build("--json")[1])
    assert status == 3
    assert out.startswith("5 shards: 4 indexed")
    assert "version" not in out
    assert one_line(
        err, "no version was written: corpus/03.jsonl: cannot be read: Permission denied"
    )
    assert (told["version"], told["recognised"]) == (None, 4)
    assert [unread["shard"] for unread in told["unread"]] == ["corpus/03.jsonl"]
    assert run("scan", "--store", "store", "--benchmarks", "q", "--out", "out")[0] == 2
    status, out, err = build("--name", "v1")
    assert (status, err) == (0, "")
    assert out.startswith("5 shards: 1 indexed")


def test_bad_documents_leave_a_version_and_exit_3_each_time(corpus, build, run, quiz):
    (corpus / "bad.jsonl").write_text('{"text": "fine"}\n{"text": "bro\n')
    for _ in range(2):
        status, out, err = build("--name", "v1")
        assert status == 3
        assert out.endswith("version: v1\n")
        assert one_line(err, "1 documents could not be read; a scan of the version names them")
        assert build("--name", "v1", "--skip-bad")[0] == 0
    scan = ("scan", "--store", "store", "--benchmarks", quiz, "--out", "out", "--quiet")
    status, _, err = run(*scan)
    assert status == 3
    assert one_line(err, "corpus/bad.jsonl, row 1: ")
    assert run(*scan, "--skip-bad")[0] == 0


def test_a_shard_that_breaks_off_leaves_a_version_and_exit_3_each_time(corpus, build, run, quiz):
    lines = (corpus / "00.jsonl").read_bytes()
    (corpus / "cut.jsonl.gz").write_bytes(gzip.compress(lines)[:-50])
    for _ in range(2):
        status, out, err = build("--name", "v1", "--skip-bad")
        assert status == 3
        assert out.endswith("version: v1\n")
        assert one_line(err, "1 shards are damaged and were read in part")
    scan = ("scan", "--store", "store", "--benchmarks", quiz, "--out", "out", "--quiet")
    status, _, err = run(*scan, "--skip-bad")
    assert status == 3
    assert one_line(err, "corpus/cut.jsonl.gz: ")


def test_what_was_damaged_is_named_and_built_anew(corpus, build, run):
    build()
    whole = tree("store")
    path = next(Path("store").glob("shards/*/ngram-*"))
    flip(path)
    assert build()[2] == ""  # nobody has looked
    status, out, err = build("--verify")
    assert status == 0
    assert out.startswith("5 shards: 1 indexed")
    assert one_line(err, "built anew: ", path.name, "SHA-256")
    assert tree("store") == whole


# --- scan --store ------------------------------------------------------------------------------------


@pytest.fixture
def scan(run, quiz):
    """Scan for the quiz, with other arguments."""
    return lambda *arguments: run(
        "scan", *arguments, "--benchmarks", quiz, "--out", "out", "--quiet"
    )


def test_a_scan_through_the_store_says_what_a_scan_of_the_corpus_says(corpus, build, scan):
    build("--name", "v1")
    status, out, err = scan("--store", "store", "--json")
    assert (status, err) == (0, "")
    report = json.loads(out)
    run = json.loads(Path("out", "run.json").read_text())
    assert run["read"]["fetched"] == 3
    assert scan("--store", "store", "--fail-on", "contaminated")[0] == 1
    status, out, _ = scan("corpus", "--json")
    assert json.loads(out)["benchmarks"] == report["benchmarks"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--store", "nowhere"], ["nowhere: there is no store here; make one with"]),
        (["--store", "corpus"], ["corpus: there is no store here"]),
        (["--store", "quiz.jsonl"], ["quiz.jsonl"]),
        (["--store", "empty"], ["no corpus version in it; build one with"]),
        (["--store", "store", "--version", "v2"], ["no version 'v2'", "sluicegate index list"]),
        (["corpus", "--store", "store"], ["corpus: name a corpus or a store, not both"]),
        (["corpus", "--version", "v1"], ["'v1'", "name the store, too"]),
        (["--version", "v1"], ["nothing to scan"]),
        ([], ["nothing to scan; name a CORPUS, or an index store with --store"]),
        (["--store", "store", "--scanners", "ngram,minhash"], ["--store", "holds n-grams"]),
        (["--store", "store", "--scanners", "minhash"], ["--scanners", '"ngram" must be among']),
    ],
    ids=str,
)
def test_what_cannot_be_scanned_is_refused_in_one_line(corpus, build, run, scan, arguments, words):
    build("--name", "v1")
    run("index", "build", "corpus", "--store", "empty", "--name", "gone", "--quiet")
    Path("empty", "versions", "gone.json").unlink()
    status, out, err = scan(*arguments)
    assert (status, out) == (2, "")
    assert one_line(err, *words)
    assert not Path("out").exists()


def test_a_changed_file_makes_the_scan_incomplete_in_one_line(corpus, build, scan):
    build()
    path = corpus / "00.jsonl"
    path.write_text(path.read_text().replace("\n", " \n"))
    status, _, err = scan("--store", "store")
    assert status == 3
    assert one_line(err, "corpus/00.jsonl: it has changed since it was indexed; build the index")


# --- list, verify, prune ----------------------------------------------------------------------------


@pytest.fixture
def two_versions(corpus, build):
    """A store with the version `old` of five shards, and `new`, in which one of them is another."""
    build("--name", "old")
    (corpus / "00.jsonl").write_text('{"text": "another"}\n')
    build("--name", "new")


def test_list_says_what_is_stored_and_how_large(two_versions, run):
    status, out, err = run("index", "list", "--store", "store")
    assert (status, err) == (0, "")
    old, new, total = out.splitlines()
    assert old.startswith("old: index of 5 shards (")
    assert new.startswith("new: index of 5 shards (")
    assert total.startswith("6 entries, ")
    assert total.endswith("; 0 in no version, 0 bytes")


def test_list_says_what_lies_beside_indexes_and_counts_shards_of_the_corpus_only(
    corpus, build, run
):
    build("--embeddings")
    assert run("duplicates", "corpus", "--store", "store", "--out", "out", "--quiet")[0] == 0
    status, out, _ = run("index", "list", "--store", "store")
    assert status == 0
    told = [line.partition(": ")[2].partition(" (")[0] for line in out.splitlines()[:-1]]
    assert sorted(told) == ["index of 5 shards", "signatures of 5 shards", "vectors of 5 shards"]


def test_list_as_json(two_versions, run):
    status, out, _ = run("index", "list", "--store", "store", "--json")
    told = json.loads(out)
    assert status == 0
    by_name = {version["version"]: version for version in told["versions"]}
    assert set(by_name) == {"old", "new"}
    folders = list(Path("store/shards").iterdir())
    sizes = {folder.name: sum(p.stat().st_size for p in folder.iterdir()) for folder in folders}
    assert (told["shards"], told["shard_bytes"]) == (6, sum(sizes.values()))
    assert by_name["old"]["missing_shards"] == 0
    assert by_name["old"]["corpus_bytes"] == sum(
        shard["size_bytes"]
        for line in Path("store/versions/old.json").read_text().splitlines()
        if line.startswith('{"columns')
        for shard in [json.loads(line.rstrip(",]"))]
    )
    own = [version["own_bytes"] for version in by_name.values()]
    shared = sum(sizes.values()) - sum(own)
    for version in by_name.values():
        assert version["stored_bytes"] - version["own_bytes"] == shared


def test_list_of_a_store_that_lacks_something_is_incomplete(two_versions, run):
    key = json.loads(
        next(
            line
            for line in Path("store/versions/old.json").read_text().splitlines()
            if '"corpus/00.jsonl"' in line
        ).rstrip(",]")
    )["key"]
    Path("store/shards", key, "shard.json").unlink()
    status, out, _ = run("index", "list", "--store", "store")
    assert status == 3
    assert "; 1 missing\n" in out
    flip(Path("store/versions/new.json"))
    status, out, err = run("index", "list", "--store", "store")
    assert status == 3
    assert one_line(err, "new.json", "is damaged")


def test_verify_reads_all_and_names_what_is_damaged(two_versions, run):
    whole = "whole: every stored file is what was written\n"
    assert run("index", "verify", "--store", "store") == (0, whole, "")
    path = sorted(Path("store").glob("shards/*/hosts-*"))[2]
    flip(path)
    status, out, err = run("index", "verify", "--store", "store")
    line, end = out.splitlines()
    assert (status, err) == (3, "")
    assert line.startswith(f"damaged: {path}: is damaged: SHA-256")
    assert end == "1 damaged: build the corpus again, with --verify"
    told = json.loads(run("index", "verify", "--store", "store", "--json")[1])
    assert (told["whole"], len(told["faults"])) == (False, 1)
    assert told["faults"][0]["key"] == path.parent.name


def test_prune_says_what_would_go_and_does_it_when_told(two_versions, build, run):
    before = tree("store")
    assert run("index", "prune", "--store", "store")[1] == "nothing to remove\n"
    status, out, err = run("index", "prune", "--store", "store", "--drop-version", "old")
    assert (status, err) == (0, "")
    assert out.startswith("versions old and what only they name would go, too\n")
    assert out.endswith("would go; repeat with --yes\n")
    assert tree("store") == before
    assert Path("store/versions/old.json").exists()
    status, out, err = run("index", "prune", "--store", "store", "--drop-version", "old", "--yes")
    assert (status, err) == (0, "")
    assert out.endswith(": removed\n")
    assert not Path("store/versions/old.json").exists()
    left = tree("store")
    assert len({name.split("/")[1] for name in left}) == 5
    assert all(before[name] == data for name, data in left.items())
    assert run("index", "verify", "--store", "store")[0] == 0
    assert json.loads(run("index", "list", "--store", "store", "--json")[1])["unused_shards"] == 0


def test_prune_as_json(two_versions, run):
    Path("store/versions/old.json").unlink()
    for yes in (False, True, True):
        flags = ["--yes"] if yes else []
        status, out, _ = run("index", "prune", "--store", "store", "--json", *flags)
        told = json.loads(out)
        assert status == 0
        assert told["done"] is yes
        gone = sum(not Path(each["path"]).exists() for each in told["removed"])
        assert gone == (len(told["removed"]) if yes else 0)
    assert told["removed"] == []


@pytest.mark.parametrize("action", ["list", "verify", "prune"])
def test_what_is_no_store_is_refused_in_one_line(corpus, run, action):
    for where in ("nowhere", "corpus", "corpus/00.jsonl"):
        status, out, err = run("index", action, "--store", where)
        assert (status, out) == (2, "")
        assert one_line(err, where)
    assert run("index", action)[0] == 2


def test_prune_refuses_a_version_that_is_not_there(two_versions, run):
    status, out, err = run("index", "prune", "--store", "store", "--yes", "--drop-version", "older")
    assert (status, out) == (2, "")
    assert one_line(err, "no version 'older'; it has new, old")


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
def many(text, tmp_path_factory):
    """A corpus of twenty shards."""
    return write_corpus(tmp_path_factory.mktemp("many") / "corpus", text, N_SHARDS)


@pytest.fixture(scope="module")
def undisturbed(many, commands, tmp_path_factory):
    """The shards of a store that was built in peace, and how long that took, in seconds."""
    store = tmp_path_factory.mktemp("undisturbed") / "store"
    assert commands.wait(commands.start("index", "list", "--store", store))[0] == 2  # it has loaded
    kernels = tmp_path_factory.mktemp("kernels") / "store"
    assert commands.wait(commands.start(*building(many, kernels)))[0] == 0  # they are compiled
    started = time.monotonic()
    status, said = commands.wait(commands.start(*building(many, store)))
    seconds = time.monotonic() - started
    assert status == 0, said
    assert left_behind(store) == []
    assert len(tree(store)) > 3 * N_SHARDS
    return tree(store), seconds


def building(corpus, store, jobs=2):
    return "index", "build", corpus, "--store", store, "--name", "v1", "--jobs", jobs, "--quiet"


def test_after_50_kills_at_random_moments_a_build_gives_the_same_bytes(
    many, undisturbed, commands, tmp_path
):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    expected, seconds = undisturbed
    longest = 0.4 * seconds  # before a kill; found anew where the machine is busier or less so
    n_kills = n_torn = n_stores = 0
    while n_kills < N_KILLS:
        n_stores += 1
        assert n_stores <= N_KILLS, f"builds end before they are killed, seed {seed}"
        store = tmp_path / str(n_stores)
        while n_kills < N_KILLS:
            process = commands.start(*building(many, store, jobs=1 + n_kills % 2))
            time.sleep(moments.uniform(0, longest))
            os.kill(process, signal.SIGKILL)
            status, said = commands.wait(process)
            if status == 0:
                longest *= 0.8
                break  # it was built before
            assert (status, said) == (-signal.SIGKILL, ""), seed
            n_kills += 1
            is_torn = store.exists() and bool(left_behind(store))
            n_torn += is_torn
            longest *= 1.0 if is_torn else 1.25
        assert commands.wait(commands.start(*building(many, store)))[0] == 0, seed
        assert tree(store) == expected, seed
        assert left_behind(store) == [], seed
        assert commands.wait(commands.start("index", "verify", "--store", store))[0] == 0
    assert n_torn > N_KILLS // 10, "no kill met a builder in the middle of its work"


@pytest.mark.parametrize("n_builders", [2, 3])
def test_builders_at_once_all_succeed_and_tear_nothing(
    many, undisturbed, commands, tmp_path, n_builders
):
    expected, seconds = undisturbed
    for number in range(3):
        store = tmp_path / str(number)
        processes = []
        for _ in range(n_builders):
            processes.append(commands.start(*building(many, store)))
            time.sleep(number * seconds / 4)
        ended = [commands.wait(process) for process in processes]
        assert [status for status, _ in ended] == [0] * n_builders, ended
        built = [int(said.partition(" shards: ")[2].split()[0]) for _, said in ended]
        assert sum(built) == N_SHARDS  # none twice
        assert tree(store) == expected
        assert left_behind(store) == []


def test_a_builder_takes_over_what_another_was_killed_at(many, undisturbed, commands, tmp_path):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    expected, seconds = undisturbed
    for number in range(5):
        store = tmp_path / str(number)
        doomed, other = (commands.start(*building(many, store)) for _ in range(2))
        time.sleep(moments.uniform(0, seconds))
        os.kill(doomed, signal.SIGKILL)
        commands.wait(doomed)
        status, said = commands.wait(other)
        assert status == 0, (seed, said)
        assert commands.wait(commands.start(*building(many, store)))[0] == 0
        assert tree(store) == expected, seed
        assert left_behind(store) == [], seed


def test_a_full_disk_is_said_in_one_line_and_the_store_works_afterwards(
    many, undisturbed, commands, tmp_path, text
):
    store = tmp_path / "store"
    first = write_corpus(tmp_path / "first", text, 2)
    assert commands.wait(commands.start(*building(first, store)))[0] == 0
    before = tree(store)
    for most_bytes in (0, 100, 300):
        process = commands.start(*building(many, store)[:-5], "--quiet", most_bytes=most_bytes)
        status, said = commands.wait(process)
        assert status == 3, said
        assert one_line(said, str(store), "File too large")
        assert left_behind(store) == []
        assert tree(store) == before
        assert commands.wait(commands.start("index", "verify", "--store", store))[0] == 0
    assert commands.wait(commands.start(*building(many, store)[:-5], "--name", "v2"))[0] == 0
    expected, _ = undisturbed
    assert {name: data for name, data in tree(store).items() if name in expected} == expected
