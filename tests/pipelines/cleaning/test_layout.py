"""Where shards go in the copy, and which folders are never written into."""

import pytest

from corpora.shards import Columns, resolve
from pipelines.cleaning.edits import CleanError
from pipelines.cleaning.layout import copy_paths, mix_of, refuse_overlap

MIX = """name: m
version: v
sources:
  - {name: a, paths: [wiki/*.jsonl]}
  - {name: b, paths: [books]}
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        "x/p.jsonl", "y/p.jsonl", "y/deep/er/q.jsonl", "mix/wiki/1.jsonl", "mix/books/1.jsonl", "a[1]/p.jsonl",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"text": "t"}\n')
    (tmp_path / "mix/mix.yaml").write_text(MIX)
    return tmp_path


def layout(*corpus):
    shards = resolve(corpus, Columns())
    return {path: place.as_posix() for path, place in copy_paths(corpus, shards).items()}


@pytest.mark.parametrize(
    ("corpus", "expected"),
    [
        (["y"], {"y/p.jsonl": "p.jsonl", "y/deep/er/q.jsonl": "deep/er/q.jsonl"}),
        (["y/deep"], {"y/deep/er/q.jsonl": "er/q.jsonl"}),
        (["y/p.jsonl"], {"y/p.jsonl": "p.jsonl"}),
        (["x/p.jsonl", "y/p.jsonl"], {"x/p.jsonl": "x/p.jsonl", "y/p.jsonl": "y/p.jsonl"}),
        (["x", "y/deep"], {"x/p.jsonl": "x/p.jsonl", "y/deep/er/q.jsonl": "y/deep/er/q.jsonl"}),
        (["[xy]/*.jsonl"], {"x/p.jsonl": "x/p.jsonl", "y/p.jsonl": "y/p.jsonl"}),
        (["y/**/q.jsonl"], {"y/deep/er/q.jsonl": "deep/er/q.jsonl"}),
        (["a[1]"], {"a[1]/p.jsonl": "p.jsonl"}),
        (["mix/mix.yaml"], {"mix/wiki/1.jsonl": "wiki/1.jsonl", "mix/books/1.jsonl": "books/1.jsonl"}),
        (["./x/../x"], {"x/../x/p.jsonl": "p.jsonl"}),
    ],
)  # fmt: skip
def test_shards_keep_names_and_folders_below_the_common_root(tree, corpus, expected):
    assert layout(*corpus) == expected


def test_a_link_is_a_folder_like_any_other(tree):
    (tree / "y/link").symlink_to(tree / "x")
    assert layout("y")["y/link/p.jsonl"] == "link/p.jsonl"


def test_a_url_of_a_local_folder(tree):
    assert layout(f"file://{tree}/y") == {
        f"file://{tree}/y/p.jsonl": "p.jsonl",
        f"file://{tree}/y/deep/er/q.jsonl": "deep/er/q.jsonl",
    }


def test_two_arguments_that_collide_are_refused(tree):
    corpus = ["x/p.jsonl", f"file://{tree}/y/p.jsonl"]
    with pytest.raises(
        CleanError, match=r"y/p\.jsonl and x/p\.jsonl would both be p\.jsonl .* one by one"
    ):
        layout(*corpus)


def test_a_mix_whose_paths_lie_beside_it_goes_along(tree):
    assert mix_of(["mix/mix.yaml"]).name == "mix.yaml"
    assert mix_of(["mix/mix.yaml", "x"]) is None
    (tree / "mix/mix.yaml").write_text(MIX.replace("books", "../x"))
    assert mix_of(["mix/mix.yaml"]) is None
    assert layout("mix/mix.yaml") == {
        "mix/wiki/1.jsonl": "mix/wiki/1.jsonl",
        "mix/../x/p.jsonl": "x/p.jsonl",
    }


@pytest.mark.parametrize(
    ("corpus", "out"),
    [
        ("y", "y"),
        ("y", "y/out"),
        ("y", "y/deep/../out"),
        ("y/*", "y/out"),
        ("y/*/*.jsonl", "y/out"),
        ("y/**/*.jsonl", "y/out"),
        ("[xy]", "y/out"),
        ("mix/mix.yaml", "mix/books/out"),
        ("mix/mix.yaml", "mix/wiki/out.jsonl"),
        ("y", "link/out"),
    ],
)
def test_an_out_within_the_corpus_is_refused(tree, corpus, out):
    (tree / "link").symlink_to(tree / "y")
    with pytest.raises(CleanError, match=r"lies within the corpus .* name a folder elsewhere"):
        refuse_overlap([corpus], tree / "findings", tree / out)


def test_an_out_beside_the_corpus_is_not_refused(tree):
    for corpus, out in [
        ("y", "out"), ("y/p.jsonl", "y/out"), ("y/*.jsonl", "y/out"), ("[xy]", "out"),
        ("mix/mix.yaml", "mix/clean"), ("s3://y", "y/out"),
    ]:  # fmt: skip
        refuse_overlap([corpus], tree / "findings", tree / out)


def test_an_out_within_the_findings_is_refused(tree):
    with pytest.raises(CleanError, match="lies within the findings"):
        refuse_overlap(["y"], tree / "x", tree / "x/out")
    refuse_overlap(["y"], tree / "x/findings", tree / "x")
