"""Signatures kept in an index store: the same answers, each shard signed once."""

import json
import os
from pathlib import Path

import pytest

import pipelines.stored_signatures
import sluicegate
from indexes.store import Store, StoreError
from indexes.store.upkeep import verify_store
from pipelines.duplicates import RESULT_FILES, write_result
from sluicegate.cli import main

N_SHARDS = 4
BYTE_EQUAL = [name for name in RESULT_FILES if name != "run.json"]


@pytest.fixture
def versions(vocabulary, write_corpus, tmp_path):
    """Two versions of four shards, of which three are the same."""

    def rows(number):
        made = [
            " ".join(vocabulary(700 * number + 90 * n, 700 * number + 90 * n + 80))
            for n in range(8)
        ]
        made[5] = made[4].upper()
        made[6] = " ".join(vocabulary(0, 200))  # in every shard
        return [
            {"id": f"{number}-{n}", "domain": ("web", None)[n % 2], "text": text}
            for n, text in enumerate(made)
        ]

    for number in range(N_SHARDS + 1):
        suffix = (".jsonl", ".parquet")[number % 2]
        for version in ("old", "new"):
            if number != (N_SHARDS if version == "old" else 0):
                path = tmp_path / version / f"{number}{suffix}"
                write_corpus(path, rows(number), **({"row_group_size": 3} if number % 2 else {}))
                os.utime(path, (1_000_000_000, 1_000_000_000))
    return tmp_path / "old", tmp_path / "new"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def signed(monkeypatch):
    """The shards that are signed."""
    paths = []
    sign_part = pipelines.stored_signatures.sign_part

    def noted(shard, *others, **more):
        paths.append("/".join(Path(shard.path).parts[-2:]))
        return sign_part(shard, *others, **more)

    monkeypatch.setattr(pipelines.stored_signatures, "sign_part", noted)
    return paths


def files_of(result, folder):
    write_result(result, folder)
    return {name: (folder / name).read_bytes() for name in BYTE_EQUAL}


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_files_are_those_of_a_run_without_a_store(versions, store, tmp_path, jobs):
    old, new = versions
    plain = files_of(sluicegate.duplicates(new, old, part_bytes=200), tmp_path / "plain")
    for name in ("first", "second"):
        result = sluicegate.duplicates(new, old, store=str(store), jobs=jobs)
        assert files_of(result, tmp_path / name) == plain
        assert result.complete
        shards = {version: len(each) for version, each in result.run["shards"].items()}
        assert shards == {"baseline": N_SHARDS, "candidate": N_SHARDS}
    assert b"near" in plain["duplicates.parquet"] or b"exact" in plain["duplicates.parquet"]


def test_a_new_version_has_its_new_shards_signed(versions, store, signed):
    old, new = versions
    sluicegate.duplicates(old, store=str(store))
    assert sorted(signed) == ["old/0.jsonl", "old/1.parquet", "old/2.jsonl", "old/3.parquet"]
    signed.clear()
    sluicegate.duplicates(new, old, store=str(store))
    assert signed == ["new/4.jsonl"]
    signed.clear()
    sluicegate.duplicates(new, old, store=str(store), threshold=0.6)  # bands are not stored
    assert signed == []


def test_a_damaged_file_is_signed_again(versions, store, signed, tmp_path):
    old, _ = versions
    before = files_of(sluicegate.duplicates(old, store=str(store)), tmp_path / "before")
    stored = sorted(store.glob("shards/*/signatures-*"))
    data = bytearray(stored[1].read_bytes())
    data[len(data) // 2] ^= 1
    stored[1].write_bytes(data)
    signed.clear()
    again = sluicegate.duplicates(old, store=str(store))
    assert len(signed) == 1
    assert files_of(again, tmp_path / "again") == before
    assert list(verify_store(str(store))) == []


def test_versions_of_signatures_are_no_versions_to_scan(versions, store, item_file):
    sluicegate.duplicates(versions[0], store=str(store))
    [name] = Store.open(str(store)).versions()
    assert name.startswith("signatures-")
    with pytest.raises(StoreError, match="no corpus version in it"):
        sluicegate.scan([], item_file, store=str(store))
    sluicegate.build_index(versions[0], store)
    assert sluicegate.scan([], item_file, store=str(store), calibration="off").complete


def test_a_shard_that_cannot_be_read_makes_the_run_incomplete(versions, store, tmp_path):
    old, _ = versions
    broken = old / "5.jsonl.gz"
    broken.write_bytes(b"this is not gzip")
    plain = files_of(sluicegate.duplicates(old), tmp_path / "plain")
    result = sluicegate.duplicates(old, store=str(store))
    assert not result.complete
    assert files_of(result, tmp_path / "stored") == plain


def test_a_store_within_a_corpus_is_refused(versions):
    with pytest.raises(StoreError, match="lies within the corpus"):
        sluicegate.duplicates(versions[0], store=str(versions[0] / "store"))


def test_the_command_keeps_signatures(versions, store, signed, tmp_path, capsys):
    old, new = versions
    words = ["duplicates", str(new), "--against", str(old), "--store", str(store), "--quiet"]
    for name in ("first", "second"):
        assert main([*words, "--out", str(tmp_path / name)]) == 0
    assert len(signed) == N_SHARDS + 1
    run = json.loads((tmp_path / "second" / "run.json").read_bytes())
    assert run["settings"]["store"] == str(store)
    capsys.readouterr()


@pytest.fixture
def item_file(tmp_path):
    path = tmp_path / "items.jsonl"
    question = "How many tin whistles does Odalys carve in 9 days if she carves 4 of them each day?"
    path.write_text(json.dumps({"id": "1", "question": question, "answer": "36"}) + "\n")
    return path
