"""Which files an argument stands for, what they are, and how they are split."""

import gzip
import os
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.problems import CorpusError, Problem, ReadLog
from corpora.shards import Columns, Compression, Format, Shard, resolve, split

LINE = b'{"text": "a"}\n'


def paths(corpus: list[str]) -> list[str]:
    return [shard.path for shard in resolve(corpus, Columns())]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "data/b.jsonl",
        "data/a.txt",
        "data/deep/c.json.gz",
        "data/d.bin",
        "data/.hidden.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(LINE) if name.endswith(".gz") else LINE)
    (tmp_path / "data/.cache").mkdir()
    (tmp_path / "data/.cache/e.txt").write_bytes(LINE)
    return tmp_path


def test_a_folder_is_its_files_of_known_suffix_at_any_depth_sorted(folder):
    assert paths(["data"]) == ["data/a.txt", "data/b.jsonl", "data/deep/c.json.gz"]


def test_suffixes_tell_format_and_compression(folder):
    kinds = [(shard.format, shard.compression) for shard in resolve(["data"], Columns())]
    assert kinds == [
        (Format.TEXT, Compression.NONE),
        (Format.JSONL, Compression.NONE),
        (Format.JSONL, Compression.GZIP),
    ]


def test_a_shard_knows_its_stored_size(folder):
    assert [shard.size_bytes for shard in resolve(["data/b.jsonl"], Columns())] == [len(LINE)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("data/*.jsonl", ["data/b.jsonl"]),
        ("data/**/*.gz", ["data/deep/c.json.gz"]),
        ("data/**", ["data/a.txt", "data/b.jsonl", "data/deep/c.json.gz"]),
        ("d*", ["data/a.txt", "data/b.jsonl", "data/deep/c.json.gz"]),
        ("data/[ab].*", ["data/a.txt", "data/b.jsonl"]),
    ],
)
def test_globs_local_and_as_file_url_find_the_same(folder, pattern, expected):
    assert paths([pattern]) == expected
    if pattern != "d*":  # in a URL a glob matches files, not folders
        root = f"file://{folder.as_posix()}/"
        assert paths([root + pattern]) == [root + path for path in expected]


def test_a_file_url_is_shown_as_the_url(folder):
    url = f"file://{folder.as_posix()}/data/b.jsonl"
    assert paths([url]) == [url]


def test_an_existing_name_with_glob_characters_is_that_file(folder):
    (folder / "a[1].jsonl").write_bytes(LINE)
    assert paths(["a[1].jsonl"]) == ["a[1].jsonl"]


def test_a_file_named_twice_is_one_shard(folder):
    assert paths(["data/a.txt", "./data/a.txt", str(folder / "data/a.txt"), "data/*.txt"]) == [
        "data/a.txt"
    ]


def test_links_are_followed_and_a_circle_ends(folder):
    (folder / "data/deep/up").symlink_to(folder / "data")
    (folder / "other").mkdir()
    (folder / "other/x.txt").write_bytes(LINE)
    (folder / "data/link").symlink_to(folder / "other")
    assert "data/link/x.txt" in paths(["data"])
    assert len(paths(["data"])) == 4


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("notes.log", b"some text", (Format.TEXT, Compression.NONE)),
        ("README", "café".encode(), (Format.TEXT, Compression.NONE)),
        ("dump", LINE, (Format.JSONL, Compression.NONE)),
        ("dump.data.gz", gzip.compress(LINE, mtime=0), (Format.JSONL, Compression.GZIP)),
        ("magic", b"PAR1....", (Format.PARQUET, Compression.NONE)),
        ("brace", b"{ not json\n", (Format.TEXT, Compression.NONE)),
    ],
)
def test_a_named_file_of_unknown_suffix_is_what_it_begins_with(tmp_path, name, data, expected):
    (tmp_path / name).write_bytes(data)
    [shard] = resolve([str(tmp_path / name)], Columns())
    assert (shard.format, shard.compression) == expected


def test_a_glob_that_ends_in_a_plain_suffix_names_its_files(tmp_path):
    (tmp_path / "a.log").write_bytes(b"text")
    assert paths([f"{tmp_path}/*.log"]) == [f"{tmp_path}/a.log"]


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("data/b.json", "no such file or folder; did you mean 'b.jsonl'?"),
        ("nowhere/b.jsonl", "the folder 'nowhere' does not exist"),
        ("data/*.parquet", "matches no file"),
        ("data/d.bin", "unknown format"),
        ("http://host/x.jsonl", "cannot read http:// URLs"),
        ("s3://key:secret@bucket/x", "may hold no credentials"),
        ("data/x.parquet.gz", "unpack it"),
        ("broken.gz", "cannot be read"),
        ("empty", "it holds no files"),
        ("bins", "none of its 1 files has a known suffix"),
        ("file:///nowhere/x.jsonl", "no such object"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(folder, argument, said):
    (folder / "data/d.bin").write_bytes(b"\x00\x01")
    (folder / "data/x.parquet.gz").write_bytes(b"")
    (folder / "broken.gz").write_bytes(b"not gzip")
    (folder / "empty").mkdir()
    (folder / "bins").mkdir()
    (folder / "bins/x.bin").write_bytes(b"")
    with pytest.raises(CorpusError) as caught:
        resolve([argument], Columns())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_listed_is_an_error_not_a_gap(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CorpusError, match="Permission denied"):
        resolve(["data"], Columns())


@pytest.mark.parametrize("columns", [{"text": ()}, {"text": ("",)}, {"id": "a..b"}])
def test_empty_column_names_are_refused(columns):
    with pytest.raises(CorpusError, match="column names"):
        Columns(**columns)


def parquet(path: Path, rows: int, group: int) -> Shard:
    pq.write_table(
        pa.table({"text": [f"text {i}" for i in range(rows)]}), path, row_group_size=group
    )
    [shard] = resolve([str(path)], Columns())
    return shard


def test_parquet_splits_between_row_groups_without_gap(tmp_path):
    shard = parquet(tmp_path / "a.parquet", 100, 10)
    assert [part.part for part in split(shard, 1)] == [(i, i + 1) for i in range(10)]
    some = [part.part for part in split(shard, shard.size_bytes // 3)]
    assert some[0][0] == 0
    assert some[-1][1] == 10
    assert all(a[1] == b[0] for a, b in pairwise(some))


def test_what_cannot_be_split_stays_whole(tmp_path):
    shard = parquet(tmp_path / "a.parquet", 10, 10)
    assert split(shard, 1) == [shard]
    assert split(shard, 1 << 30) == [shard]
    (tmp_path / "a.parquet").write_bytes(b"PAR1 damaged")
    assert split(shard, 1) == [shard]
    (tmp_path / "b.jsonl").write_bytes(LINE * 100)
    [lines] = resolve([str(tmp_path / "b.jsonl")], Columns())
    assert split(lines, 1) == [lines]


def test_logs_merge_and_keep_the_first_hundred_problems():
    log, other = ReadLog(), ReadLog(documents=2, bytes=5)
    log.add_rows("a", range(99), "no text", "fill it")
    other.add(Problem("b", None, "damaged: half", "again"), bad_documents=7)
    other.add(Problem("b", 3, "no text", "fill it"))
    log.merge(other)
    assert (log.documents, log.bytes, log.bad_documents, log.n_problems) == (2, 5, 107, 101)
    assert log.reasons == {"no text": 100, "damaged": 1}
    assert len(log.problems) == 100
    assert str(log.problems[-1]) == "b: damaged: half; again"
