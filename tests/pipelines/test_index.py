"""Building an index store: what is read, what is built, and that the bytes depend on the content only."""

import errno
import gzip
import itertools
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

import corpora.lines
import pipelines.shard_builder
import pipelines.shard_index
import sluicegate
from corpora.problems import CorpusError
from indexes.segments import MOST_DOCUMENTS
from indexes.store import Store, StoreError
from indexes.store.seen import SeenFiles

YEAR_2001 = 1_000_000_000
N_SHARDS = 6


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


def rest(path, seconds=0):
    """Give a file a date at which it has been at rest for long."""
    os.utime(path, (YEAR_2001 + seconds, YEAR_2001 + seconds))
    return path


@pytest.fixture
def corpus(text, tmp_path):
    """Six shards: JSON lines, and Parquet of three row groups."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(N_SHARDS):
        first = 1000 * number
        rows = [
            {
                "id": str(n),
                "domain": ("web", "books")[n % 2],
                "text": text(first + 9 * n, first + 9 * n + 60),
            }
            for n in range(30)
        ]
        if number % 2:
            path = folder / f"{number}.parquet"
            pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10)
        else:
            path = folder / f"{number}.jsonl"
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        rest(path)
    return folder


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def build(corpus, store):
    """Build `corpus` into `store`."""
    return lambda **settings: sluicegate.build_index(corpus, store, **settings)


@pytest.fixture
def opened(monkeypatch):
    """The paths that are read for their digest, and for their documents."""
    names = {"scan_file": [], "read_batches": []}
    modules = {"scan_file": pipelines.shard_builder, "read_batches": pipelines.shard_index}
    for name, paths in names.items():
        function = getattr(modules[name], name)

        def noted(what, *others, function=function, paths=paths, **more):
            paths.append(Path(getattr(what, "path", what)).name)
            return function(what, *others, **more)

        monkeypatch.setattr(modules[name], name, noted)
    return names


def tree(store):
    """The files of all shards: {name: bytes}."""
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in Path(store, "shards").rglob("*")
        if path.is_file()
    }


def keys(store):
    return {name.split("/")[1] for name in tree(store)}


def key_of(store, name):
    """The key of the shard of a file, in the newest version."""
    manifests = [Store.open(str(store)).version(v) for v in Store.open(str(store)).versions()]
    newest = max(manifests, key=lambda manifest: manifest.created)
    [key] = {shard.key for shard in newest.shards if shard.path.endswith(name)}
    return key


def left_behind(store):
    """Temporary files, and leases of whoever is at work."""
    names = [path.relative_to(store).as_posix() for path in Path(store).rglob("*")]
    return [name for name in names if ".tmp-" in name or name.startswith("leases/")]


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


# --- the same bytes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"jobs": 2}, {"jobs": 5, "batch_bytes": 1}, {"batch_bytes": 700}], ids=str
)
def test_jobs_and_batches_do_not_change_a_byte(corpus, build, store, tmp_path, settings):
    built = build()
    other = sluicegate.build_index(corpus, tmp_path / "other", **settings)
    assert tree(tmp_path / "other") == tree(store)
    assert other.manifest.shards == built.manifest.shards
    assert other.manifest.name == built.manifest.name
    assert (other.documents, other.bytes) == (built.documents, built.bytes)


def test_the_order_of_shards_does_not_change_a_byte(corpus, build, store, tmp_path):
    built = build()
    other = sluicegate.build_index(sorted(corpus.iterdir(), reverse=True), tmp_path / "other")
    assert tree(tmp_path / "other") == tree(store)
    assert set(other.manifest.shards) == set(built.manifest.shards)


def test_the_same_content_at_another_path_is_the_same_shard(
    corpus, build, store, tmp_path, monkeypatch
):
    build()
    shutil.copytree(corpus, tmp_path / "moved")
    sluicegate.build_index(tmp_path / "moved", tmp_path / "other")
    assert tree(tmp_path / "other") == tree(store)
    monkeypatch.chdir(corpus)
    sluicegate.build_index(".", tmp_path / "relative")
    assert tree(tmp_path / "relative") == tree(store)
    again = sluicegate.build_index(tmp_path / "moved", store)
    assert (again.built, again.recognised) == (0, N_SHARDS)


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_file_that_is_there_twice_is_built_once(corpus, build, store, jobs):
    shutil.copy2(corpus / "0.jsonl", corpus / "again.jsonl")
    built = build(jobs=jobs)
    assert (built.shards, built.built, built.recognised) == (N_SHARDS + 1, N_SHARDS, 1)
    assert len(built.manifest.shards) == N_SHARDS + 1
    assert len(keys(store)) == N_SHARDS


def test_other_columns_are_another_shard(corpus, build, store):
    build(name="v1")
    built = build(name="v2", domain=None)
    assert built.built == N_SHARDS
    assert len(keys(store)) == 2 * N_SHARDS


def test_more_documents_than_a_segment_holds_are_all_found(
    tmp_path, text, write_corpus, write_benchmark, vocabulary
):
    words = vocabulary(0, 5000)
    rows = [" ".join(words[n % 4900 : n % 4900 + 6]) for n in range(MOST_DOCUMENTS + 50)]
    places = [0, MOST_DOCUMENTS - 1, MOST_DOCUMENTS, MOST_DOCUMENTS + 49]
    for place in places:
        rows[place] = text(9000, 9020)
    path = write_corpus(tmp_path / "corpus.jsonl", rows)
    sluicegate.build_index(path, tmp_path / "store", batch_bytes=1 << 16, jobs=2)
    sluicegate.build_index(path, tmp_path / "other")
    assert tree(tmp_path / "other") == tree(tmp_path / "store")
    assert sum("ngram-" in name for name in tree(tmp_path / "store")) == 2
    quiz = write_benchmark(tmp_path / "quiz.jsonl", [{"id": "1", "question": text(9000, 9020)}])
    result = sluicegate.scan([], quiz, store=str(tmp_path / "store"), calibration="off")
    assert result.findings["row"].to_list() == places


# --- what is built and what is not ------------------------------------------------------------------


def test_a_second_build_reads_nothing(build, store, opened):
    first = build()
    assert (first.built, first.recognised, first.documents) == (N_SHARDS, 0, 30 * N_SHARDS)
    assert first.complete
    whole = tree(store)
    for paths in opened.values():
        assert len(paths) == N_SHARDS
        paths.clear()
    second = build()
    assert opened == {"scan_file": [], "read_batches": []}
    assert (second.built, second.recognised, second.documents, second.bytes) == (0, N_SHARDS, 0, 0)
    assert second.manifest.holds_the_same(first.manifest)
    assert second.complete
    assert tree(store) == whole


def test_a_version_with_one_new_shard_builds_that_one(corpus, build, store, opened, text):
    build(name="v1")
    before = tree(store)
    for paths in opened.values():
        paths.clear()
    (corpus / "new.jsonl").write_text('{"text": "new"}\n')
    built = build(name="v2")
    assert (built.built, built.recognised, built.documents) == (1, N_SHARDS, 1)
    assert opened == {"scan_file": ["new.jsonl"], "read_batches": ["new.jsonl"]}
    assert {name: data for name, data in tree(store).items() if name in before} == before
    assert Store.open(str(store)).versions() == ["v1", "v2"]


def test_a_changed_file_of_the_same_size_is_built(corpus, build, store, opened):
    first = build()
    path = corpus / "2.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    for paths in opened.values():
        paths.clear()
    second = build()
    assert opened == {"scan_file": ["2.jsonl"], "read_batches": ["2.jsonl"]}
    assert (second.built, second.recognised) == (1, N_SHARDS - 1)
    assert second.manifest.name != first.manifest.name
    assert len(keys(store)) == N_SHARDS + 1


def test_a_file_that_was_only_touched_is_recognised_by_its_content(corpus, build, opened):
    build()
    rest(corpus / "2.jsonl", seconds=60)
    for _ in range(2):
        for paths in opened.values():
            paths.clear()
        built = build()
        assert (built.built, built.recognised) == (0, N_SHARDS)
        assert opened["read_batches"] == []
    assert opened["scan_file"] == []  # and by its new date the next time


def test_a_change_that_no_date_shows_is_found_with_verify(corpus, build):
    first = build()
    path = corpus / "2.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    rest(path)
    assert build().manifest.holds_the_same(first.manifest)
    verified = build(verify=True)
    assert (verified.built, verified.recognised) == (1, N_SHARDS - 1)
    assert verified.manifest.name != first.manifest.name


def test_a_name_is_of_one_version(corpus, build):
    first = build(name="v1")
    assert build(name="v1").manifest.holds_the_same(first.manifest)
    (corpus / "new.jsonl").write_text('{"text": "new"}\n')
    with pytest.raises(StoreError, match=r"v1\.json: this version is there already"):
        build(name="v1")
    assert build(name="v2").built == 0  # the work was not lost


# --- damage in the store ----------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["ngram-", "lines", "hosts", "shard.json"])
def test_verify_builds_a_damaged_shard_anew_and_no_other(build, store, start):
    build()
    whole = tree(store)
    inodes = {p.parent.name: p.stat().st_ino for p in store.glob("shards/*/shard.json")}
    key = key_of(store, "2.jsonl")
    [path] = (store / "shards" / key).glob(f"{start}*")
    flip(path)
    built = build(verify=True)
    assert (built.built, built.recognised) == (1, N_SHARDS - 1)
    assert len(built.mended) == 1
    assert path.as_posix() in built.mended[0]
    assert tree(store) == whole
    now = {p.parent.name: p.stat().st_ino for p in store.glob("shards/*/shard.json")}
    assert {each for each in now if now[each] != inodes[each]} <= {key}
    assert build(verify=True).mended == []


@pytest.mark.parametrize("start", ["ngram-", "lines", "shard.json"])
@pytest.mark.parametrize("harm", ["remove", "cut"])
def test_a_missing_or_short_file_is_built_anew_without_verify(build, store, start, harm):
    build()
    whole = tree(store)
    [path] = (store / "shards" / key_of(store, "2.jsonl")).glob(f"{start}*")
    if harm == "remove":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1)
    built = build()
    assert (built.built, built.recognised) == (1, N_SHARDS - 1)
    assert tree(store) == whole


def test_a_damaged_manifest_or_record_of_a_file_is_written_anew(build, store):
    first = build()
    flip(store / "versions" / f"{first.manifest.name}.json")
    for seen in (store / "seen").iterdir():
        flip(seen)
    second = build()
    assert (second.built, second.recognised) == (0, N_SHARDS)
    assert second.manifest.shards == first.manifest.shards
    assert Store.open(str(store)).version(first.manifest.name) == second.manifest


# --- files that cannot be read ----------------------------------------------------------------------


def failing(function, name, error):
    """The function, with this error for files of this name."""

    def fails(what, *others, **more):
        if Path(getattr(what, "path", what)).name == name:
            raise error
        return function(what, *others, **more)

    return fails


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("function", ["scan_file", "file_stat"])
def test_a_file_that_cannot_be_read_leaves_no_version_and_is_finished_later(
    build, store, monkeypatch, jobs, function
):
    error = PermissionError(errno.EACCES, "Permission denied")
    with monkeypatch.context() as patched:
        patched.setattr(
            pipelines.shard_builder,
            function,
            failing(getattr(pipelines.shard_builder, function), "3.parquet", error),
        )
        built = build(jobs=jobs)
    assert built.manifest is None
    assert not built.complete
    assert (built.built, built.recognised) == (N_SHARDS - 1, 0)
    assert [Path(problem.shard).name for problem in built.problems] == ["3.parquet"]
    assert built.problems[0].reason == "cannot be read: Permission denied"
    assert Store.open(str(store)).versions() == []
    assert left_behind(store) == []
    later = build(jobs=jobs)
    assert (later.built, later.recognised, later.complete) == (1, N_SHARDS - 1, True)


def test_a_file_that_goes_while_it_is_read_is_a_problem_and_no_shard(
    corpus, build, store, monkeypatch
):
    read_batches = pipelines.shard_index.read_batches

    def going(shard, *others, **more):
        yield from read_batches(shard, *others, **more)
        if shard.path.endswith("3.parquet"):
            os.unlink(shard.path)  # noqa: PTH108

    monkeypatch.setattr(pipelines.shard_index, "read_batches", going)
    built = build()
    assert built.manifest is None
    assert [Path(problem.shard).name for problem in built.problems] == ["3.parquet"]
    assert len(keys(store)) == N_SHARDS - 1
    assert left_behind(store) == []


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_file_that_changes_while_it_is_read_is_a_problem_and_no_shard(
    corpus, build, store, monkeypatch, moment
):
    read_batches = pipelines.shard_index.read_batches

    def changing(shard, *others, **more):
        is_it = shard.path.endswith("2.jsonl")
        lines = Path(shard.path).read_text().splitlines(keepends=True) if is_it else []
        if is_it and moment == "before":  # after its digest was taken
            Path(shard.path).write_text("".join(reversed(lines)))
        yield from read_batches(shard, *others, **more)
        if is_it and moment == "during":
            Path(shard.path).write_text("".join(reversed(lines)))

    with monkeypatch.context() as patched:
        patched.setattr(pipelines.shard_index, "read_batches", changing)
        built = build()
    assert built.manifest is None
    [problem] = built.problems
    assert (Path(problem.shard).name, problem.reason) == (
        "2.jsonl",
        "it was changed while it was read",
    )
    assert len(keys(store)) == N_SHARDS - 1
    assert left_behind(store) == []
    assert build().complete


def test_bad_documents_are_counted_by_every_build(corpus, build, store):
    (corpus / "bad.jsonl").write_text('{"text": "fine"}\n{"text": "bro\n{"text": 3}\n')
    for _ in range(2):
        built = build()
        assert built.manifest is not None
        assert built.problems == []
        assert (built.bad_documents, built.complete) == (2, False)
    assert built.recognised == N_SHARDS + 1


def test_a_shard_that_breaks_off_is_read_again_with_verify(corpus, build, store, opened):
    whole = (corpus / "3.parquet").read_bytes()
    data = bytearray(whole)
    data[200:400] = bytes(200)  # in the first row group
    (corpus / "3.parquet").write_bytes(data)
    first = build()
    assert first.manifest is not None
    assert (first.broken_off, first.complete) == (1, False)
    opened["read_batches"].clear()
    again = build()
    assert (again.broken_off, again.recognised) == (1, N_SHARDS)
    verified = build(verify=True)
    assert opened["read_batches"] == ["3.parquet"] * 2  # it breaks off in the same way twice
    assert (verified.broken_off, verified.built) == (1, 1)
    assert verified.manifest.holds_the_same(first.manifest)
    (corpus / "3.parquet").write_bytes(whole)
    assert build().complete


@pytest.fixture
def unreadable_packed(monkeypatch):
    """Let the pieces of the packed shard end in errors, one for each time it is read."""

    def set_up(*errors):
        left = list(errors)
        read_pieces = corpora.lines.read_pieces

        def pieces(path, compression):
            if not path.endswith("packed.jsonl.gz") or not left:
                yield from read_pieces(path, compression)
                return
            n_pieces, error = left.pop(0)
            yield from itertools.islice(read_pieces(path, compression), n_pieces)
            raise error

        monkeypatch.setattr(corpora.lines, "read_pieces", pieces)

    return set_up


@pytest.fixture
def packed(corpus, text):
    path = corpus / "packed.jsonl.gz"
    rows = [{"text": text(7000 + 9 * n, 7060 + 9 * n)} for n in range(100)]
    path.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode()))
    return rest(path)


DISK = OSError(errno.EIO, os.strerror(errno.EIO))
BUSY = OSError("When reading object: AWS Error SLOW_DOWN (HTTP status 503)")
SPOILT = OSError("zlib inflate failed: invalid stored block lengths")


@pytest.mark.parametrize("error", [DISK, BUSY, SPOILT])
def test_an_error_that_passes_leaves_no_trace(packed, build, unreadable_packed, error):
    unreadable_packed((3, error))
    built = build()
    assert built.complete
    assert built.documents == 30 * N_SHARDS + 100


@pytest.mark.parametrize("errors", [[(3, DISK)] * 2, [(2, BUSY)] * 2, [(3, SPOILT), (2, SPOILT)]])
def test_an_error_on_the_way_is_no_damage_that_could_be_stored(
    packed, build, store, unreadable_packed, errors
):
    unreadable_packed(*errors)
    built = build()
    assert not built.complete
    assert built.manifest is None
    assert [problem.shard for problem in built.problems] == [str(packed)]
    assert "cannot be read to its end" in built.problems[0].reason
    assert "build again" in built.problems[0].mend
    assert len(keys(store)) == N_SHARDS
    assert left_behind(store) == []
    again = build()
    assert (again.complete, again.built, again.documents) == (True, 1, 100)


def test_damage_in_the_bytes_is_stored_and_told(packed, build, store):
    data = bytearray(packed.read_bytes())
    data[len(data) // 2] ^= 0xFF
    rest(packed).write_bytes(data)
    built = build()
    assert built.manifest is not None
    assert (built.broken_off, built.problems) == (1, [])
    assert len(keys(store)) == N_SHARDS + 1


def test_a_full_disk_is_not_taken_for_a_file_that_cannot_be_read(build, store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", str(store))

    with monkeypatch.context() as patched:
        patched.setattr(SeenFiles, "remember", full)
        with pytest.raises(OSError, match="No space left"):
            build()
    assert left_behind(store) == []
    assert build().complete


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_missing_text_column_ends_the_build(corpus, build, store, jobs):
    (corpus / "other.jsonl").write_text('{"txt": "fine"}\n')
    with pytest.raises(CorpusError, match=r"other\.jsonl: there is no column 'text'"):
        build(jobs=jobs)
    assert Store.open(str(store)).versions() == []
    assert left_behind(store) == []


def test_wrong_settings_are_refused_before_anything_is_read(build, store, opened):
    with pytest.raises(ValidationError, match="jbos"):
        build(jbos=2)
    with pytest.raises(StoreError, match="cannot name a version"):
        build(name="../v1")
    assert opened == {"scan_file": [], "read_batches": []}
    assert not store.exists()


@pytest.mark.parametrize("pattern", ["", "*", "**/*.json*"])
def test_a_store_within_its_corpus_is_refused(corpus, store, pattern):
    """Or the next build would take the files of the store for documents."""
    where = corpus / "store"
    if pattern:  # it shows when there is something
        sluicegate.build_index(corpus / "0.jsonl", store)
        shutil.copytree(store, where)
    with pytest.raises(StoreError, match="this folder lies within the corpus"):
        sluicegate.build_index(corpus / pattern, where)
    assert where.exists() is bool(pattern)


def test_a_corpus_beside_its_store_is_none_of_its(corpus, tmp_path):
    shutil.copytree(corpus, tmp_path / "store-of-texts")
    assert sluicegate.build_index(tmp_path / "store-of-texts", tmp_path / "store").complete


# --- two builders -----------------------------------------------------------------------------------


def test_what_another_builder_has_finished_meanwhile_is_kept(build, store, monkeypatch):
    """The other one is done between our look at the store and our lease."""
    lease = Store.lease

    @contextmanager
    def late(self, key):
        if not store.joinpath("shards", key).exists():
            monkeypatch.setattr(Store, "lease", lease)
            build()
            inodes.update({p: p.stat().st_ino for p in store.glob("shards/*/*")})
        with lease(self, key) as taken:
            yield taken

    inodes = {}
    monkeypatch.setattr(Store, "lease", late)
    built = build()
    assert (built.built, built.recognised, built.mended) == (0, N_SHARDS, [])
    assert {path: path.stat().st_ino for path in store.glob("shards/*/*")} == inodes


def test_progress_ends_with_all_shards_and_documents(build):
    told = []
    built = build(progress=told.append)
    assert {progress.stage for progress in told} == {"indexing"}
    assert (told[-1].parts_done, told[-1].parts) == (N_SHARDS, N_SHARDS)
    assert (told[-1].documents, told[-1].bytes) == (built.documents, built.bytes)


def test_the_manifest_tells_what_was_built_and_with_what(corpus, build):
    manifest = build(name="v1").manifest
    assert manifest.tool_version == sluicegate.__version__
    assert manifest.recipe.normal_form.startswith("nf")
    assert [Path(shard.path).name for shard in manifest.shards] == sorted(os.listdir(corpus))  # noqa: PTH208
    for shard in manifest.shards:
        assert shard.size_bytes == Path(shard.path).stat().st_size


def test_an_empty_or_wordless_document_costs_nothing(tmp_path, write_corpus, write_benchmark):
    path = write_corpus(tmp_path / "c.jsonl", ["", "?!", "one two three four", "a b c d e"])
    built = sluicegate.build_index(path, tmp_path / "store")
    assert (built.documents, built.bad_documents, built.complete) == (4, 0, True)
    record = Store.open(str(tmp_path / "store")).record(built.manifest.shards[0].key)
    assert record.counts["words"] == 9
    assert np.load(next((tmp_path / "store").glob("shards/*/lines-*"))).shape[0] == 2
