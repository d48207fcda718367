"""Sums of stored profiles: the same bytes as without them, and only what is new is added up."""

import json
import os
import shutil
from functools import partial

import pytest

import pipelines.profile_sums
import pipelines.shard_builder
import pipelines.stored_profiles
import pipelines.stored_sums
from indexes.profile import from_bytes, merge, to_bytes
from indexes.store import Store
from indexes.store.upkeep import plan_prune, prune, verify_store
from pipelines.drift_settings import DriftSettings
from pipelines.profiles import profile_version

LONG_AGO = 1_000_000_000
SHARDS = 12


def write(path, number):
    words = [f"word{number % 5}", "common", f"rare{number}", f"half{number % 2}"]
    rows = [{"text": " ".join(words[: 1 + row % 4]), "domain": "ab"[row % 2]} for row in range(8)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(SHARDS):
        write(folder / f"{number:02}.jsonl", number)
    return folder


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def read(monkeypatch):
    """What is read of the store: "profile" or "sum", in order."""
    names = []
    for module, name in ((pipelines.stored_profiles, "profile"), (pipelines.stored_sums, "sum")):

        def noted(data, name=name):
            names.append(name)
            return from_bytes(data)

        monkeypatch.setattr(module, "from_bytes", noted)
    return names


def version(corpus, store=None, **settings):
    store = None if store is None else str(store)
    return profile_version([str(corpus)], DriftSettings(store=store, **settings))


def same(corpus, store, **settings):
    """Profile through the store, and tell whether it is as without one."""
    found, plain = version(corpus, store, **settings), version(corpus)
    assert (found.log, found.shards) == (plain.log, plain.shards)
    return to_bytes(found.profile) == to_bytes(plain.profile)


def stored_sums(store):
    return sorted(
        path
        for path in store.glob("shards/*/profile-*.arrow")
        if "members" in (path.parent / "shard.json").read_text()
    )


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_is_new_is_added_to_a_kept_sum(corpus, store, read, jobs):
    assert same(corpus, store, jobs=jobs)
    assert read == ["profile"] * SHARDS
    read.clear()
    assert same(corpus, store, jobs=jobs)
    assert read == ["sum"]
    write(corpus / "05b.jsonl", 50)  # in the midst
    read.clear()
    assert same(corpus, store, jobs=jobs)
    assert sorted(read) == ["profile", "sum"]
    assert len(stored_sums(store)) == 2  # one of twelve is more than a few: it is kept, too
    write(corpus / "07.jsonl", 70)  # another content: one less than any sum has
    read.clear()
    assert same(corpus, store, jobs=jobs)
    assert read == ["profile"] * (SHARDS + 1)


def test_a_sum_is_not_kept_for_every_shard_more(corpus, store, monkeypatch):
    monkeypatch.setattr(pipelines.stored_sums, "FEW", 0.2)
    version(corpus, store)
    write(corpus / "a.jsonl", 50)
    assert same(corpus, store)
    assert len(stored_sums(store)) == 1
    for name in ("b", "c", "d"):
        write(corpus / f"{name}.jsonl", 60 + ord(name))
    assert same(corpus, store)
    assert len(stored_sums(store)) == 2


def test_equal_shards_count_as_often_as_they_are_there(corpus, store, read):
    for number in range(3):
        shutil.copy2(corpus / "03.jsonl", corpus / f"copy{number}.jsonl")
    assert same(corpus, store)
    read.clear()
    assert same(corpus, store)
    assert read == ["sum"]
    (corpus / "copy1.jsonl").unlink()
    assert same(corpus, store)


def test_weights_have_sums_of_their_own(corpus, store, tmp_path, read):
    mix = tmp_path / "mix.yaml"
    mix.write_text(
        f"name: m\nversion: '1'\nsources:\n  - {{name: a, paths: ['{corpus}/0*.jsonl'], weight: 2}}\n"
        f"  - {{name: b, paths: ['{corpus}/1*.jsonl']}}\n"
    )
    assert same(mix, store)
    read.clear()
    assert same(mix, store)
    assert read == ["profile", "profile", "sum"]  # two shards of weight 1 are no matter


def test_few_shards_need_no_sum(corpus, store, read):
    for number in range(4, SHARDS):
        (corpus / f"{number:02}.jsonl").unlink()
    for _ in range(2):
        assert same(corpus, store)
    assert read == ["profile"] * 8


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_sum_is_added_up_anew(corpus, store, harm):
    version(corpus, store)
    [path] = stored_sums(store)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(data[:-10] if harm == "cut" else data)
    assert any(fault.is_damage for fault in verify_store(str(store)))
    assert same(corpus, store)
    assert stored_sums(store) == [path]
    assert list(verify_store(str(store))) == []


def test_a_sum_goes_with_its_version(corpus, store):
    version(corpus, store)
    version(corpus, store)
    opened = Store.open(str(store))
    [name] = opened.versions()
    assert plan_prune(opened).doomed == ()
    opened.drop_version(name)
    assert len([one for one in prune(opened).doomed if "shards" in one.path]) == SHARDS + 1
    assert opened.shard_keys() == []
    assert same(corpus, store)


def test_no_sum_is_kept_of_what_cannot_be_read(corpus, store, monkeypatch):
    def failing(path, *_):
        if path.endswith("05.jsonl"):
            raise PermissionError(13, "Permission denied")
        return original(path)

    original = pipelines.shard_builder.file_stat
    with monkeypatch.context() as patch:
        patch.setattr(pipelines.shard_builder, "file_stat", failing)
        found = version(corpus, store)
        assert (found.shards_unread, found.documents) == (1, 8 * (SHARDS - 1))
    assert Store.open(str(store)).versions() == []
    assert same(corpus, store)


@pytest.mark.parametrize("many", [1, 1000])
def test_where_words_are_folded_only_what_was_read_decides(
    corpus, store, tmp_path, read, monkeypatch, many
):
    """The order of shards, what was summed before, and how many jobs there are do not."""
    monkeypatch.setattr(pipelines.profile_sums, "merge", partial(merge, most_words=9))
    monkeypatch.setattr(pipelines.stored_sums, "MANY_WORDS", many)
    monkeypatch.setattr(pipelines.stored_sums, "LEAST_SUMMED", 2)
    for number in range(SHARDS, 24):
        write(corpus / f"{number:02}.jsonl", number)
    first = version(corpus, store)
    assert first.profile.rare_words
    read.clear()
    assert to_bytes(version(corpus, store).profile) == to_bytes(first.profile)
    assert read == ["sum"]
    write(corpus / "00b.jsonl", 90)
    read.clear()
    more = version(corpus, store, jobs=2)
    assert (len(read) < 15) == (many == 1)  # of parts, sums are kept where words are many
    afresh = version(corpus, tmp_path / "other", jobs=3)
    assert to_bytes(more.profile) == to_bytes(afresh.profile)
    for place, path in enumerate(sorted(corpus.iterdir())):
        path.rename(corpus / f"{99 - place}.jsonl")
    assert to_bytes(version(corpus, tmp_path / "third").profile) == to_bytes(afresh.profile)
    assert [fault for fault in verify_store(str(store)) if fault.is_damage] == []
