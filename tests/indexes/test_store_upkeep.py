"""Looking after a whole store: sizes, faults, and what may go."""

import os
from pathlib import Path

import pytest

from indexes.store import DamagedError, Store, StoreError
from indexes.store.owners import temporary_name
from indexes.store.records import to_bytes
from indexes.store.upkeep import (
    FaultKind,
    plan_prune,
    prune,
    sizes,
    unused_keys,
    verify_store,
)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Flushing guards against a power cut, which no test makes."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def store(where, builder):
    """Shards 0 to 4; v1 has the first two, v2 the first three, nobody the others."""
    builder.build(where, 2)
    store = Store.open(where)
    for number in (2, 3, 4):
        builder.write(store, number)
    store.write_version(builder.manifest(3, "v2"))
    return store


def bytes_of(store, builder, *numbers):
    folder = store.folder.root / "shards"
    return sum(
        path.stat().st_size for n in numbers for path in (folder / builder.shard(n).key).iterdir()
    )


def test_sizes_tell_versions_apart(store, builder):
    found = sizes(store)
    first, second = found.versions
    assert (first.manifest.name, second.manifest.name) == ("v1", "v2")
    assert (first.corpus_bytes, second.corpus_bytes) == (2001, 3003)
    assert first.stored_bytes == bytes_of(store, builder, 0, 1)
    assert second.stored_bytes == bytes_of(store, builder, 0, 1, 2)
    assert (first.own_bytes, second.own_bytes) == (0, bytes_of(store, builder, 2))
    assert (first.missing_shards, second.missing_shards) == (0, 0)
    assert (found.shards, found.shard_bytes) == (5, bytes_of(store, builder, *range(5)))
    assert (found.unused_shards, found.unused_bytes) == (2, bytes_of(store, builder, 3, 4))
    assert found.faults == ()
    store.drop(builder.shard(2).key)
    assert sizes(store).versions[1].missing_shards == 1


def test_sizes_go_on_past_a_damaged_manifest(store):
    path = store.folder.root / "versions" / "v1.json"
    path.write_bytes(path.read_bytes()[:-3])
    found = sizes(store)
    assert [version.manifest.name for version in found.versions] == ["v2"]
    [fault] = found.faults
    assert fault.startswith(f"{path}: is damaged")


def test_every_kind_of_fault_is_found(store, where, builder):
    root = Path(where)
    keys = [builder.shard(number).key for number in range(5)]
    store.drop(keys[1])
    (root / "shards" / keys[2] / "extra.bin").touch()
    (root / "shards" / keys[3] / "shard.json").unlink()
    (root / "shards" / "note.txt").touch()
    (root / "versions" / "notes").touch()
    (root / "thesis.tex").touch()
    (root / "shards" / ".tmp-elsewhere.0a1b2c3d-1-1-ab12").touch()
    os.utime(root / "shards" / ".tmp-elsewhere.0a1b2c3d-1-1-ab12", (0, 0))
    (root / "leases" / f"{keys[0]}.json").write_bytes(b"?")
    os.utime(root / "leases" / f"{keys[0]}.json", (0, 0))
    faults = list(verify_store(where, jobs=2))
    assert sorted((fault.kind.value, fault.key) for fault in faults if fault.key) == sorted(
        [("missing", keys[1]), ("missing", keys[1]), ("stray", keys[2]), ("stray", keys[3])]
    )
    others = {(fault.kind, fault.line.partition(";")[0]) for fault in faults if fault.key is None}
    assert others == {
        (FaultKind.STRAY, f"{where}: 'thesis.tex' is none of a store's"),
        (FaultKind.STRAY, f"{where}/shards: 'note.txt' is none of a store's"),
        (FaultKind.STRAY, f"{where}/versions: 'notes' is none of a store's"),
        (FaultKind.LEFT_BEHIND,
         f"{where}/shards/.tmp-elsewhere.0a1b2c3d-1-1-ab12: left by a builder that is dead"),
        (FaultKind.LEFT_BEHIND, f"{where}/leases/{keys[0]}.json: held by a process that is dead"),
    }  # fmt: skip
    assert [fault.is_damage for fault in faults].count(True) == 2
    assert all("\n" not in fault.line for fault in faults)


def test_a_manifest_whose_keys_are_not_its_own_is_found(store, where, builder):
    manifest = builder.manifest(2)
    swapped = manifest.shards[0].model_copy(update={"key": manifest.shards[1].key})
    with pytest.raises(AssertionError):
        store.write_version(manifest.model_copy(update={"shards": (swapped,), "name": "v3"}))
    store.folder.write(
        "versions/v3.json",
        to_bytes(manifest.model_copy(update={"shards": (swapped,), "name": "v3"})),
    )
    [fault] = verify_store(where)
    assert "the key of corpus/000.jsonl is not that of its parameters" in fault.line
    assert fault.is_damage


def test_there_must_be_a_store_to_verify(where, tmp_path):
    with pytest.raises(StoreError, match="there is no store here"):
        list(verify_store(where))
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="is a file"):
        list(verify_store(str(tmp_path / "file")))


def test_pruning_removes_what_no_version_names_and_says_so_before(store, where, builder):
    store.seen.remember("corpus/003.jsonl", builder.stat(3), builder.shard(3).digest)
    named = {builder.shard(number).key for number in range(3)}
    unnamed = {builder.shard(number).key for number in (3, 4)}
    assert set(unused_keys(store)) == unnamed
    before = set(Path(where).rglob("*"))
    plan = plan_prune(store)
    assert set(Path(where).rglob("*")) == before
    assert {(Path(each.path).name, each.reason) for each in plan.doomed} == {
        *((key, "no version names it") for key in unnamed),
        (next(p.name for p in before if b"003.jsonl" in (p.read_bytes() if p.parent.name == "seen" else b"")),
         "its file is in no version"),
    }  # fmt: skip
    assert plan.bytes > bytes_of(store, builder, 3, 4)
    assert plan.kept == ()
    assert prune(store) == plan
    assert set(store.shard_keys()) == named
    assert list(verify_store(where)) == []
    assert prune(store).doomed == ()


def test_old_strays_and_unfinished_shards_go_and_young_ones_stay(store, where, builder):
    root = Path(where, "shards")
    paths = [
        root / builder.shard(0).key / "stray.bin",
        root / ("a" * 32) / "half.bin",
    ]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * 1000)
    unused = {builder.shard(3).key, builder.shard(4).key}
    plan = plan_prune(store)
    assert {Path(each.path).name for each in plan.doomed} == unused
    assert len(plan.kept) == 1
    for path in paths:
        os.utime(path, (0, 0))
    plan = plan_prune(store)
    assert {Path(each.path).name for each in plan.doomed} == {"stray.bin", "a" * 32, *unused}
    prune(store)
    assert not any(path.exists() for path in paths)
    assert store.verify(builder.shard(0).key) == []


def test_nothing_is_pruned_by_a_manifest_that_cannot_be_read(store, builder):
    path = store.folder.root / "versions" / "v1.json"
    path.write_bytes(path.read_bytes().replace(b"corpus", b"Corpus", 1))
    for use in (plan_prune, prune, unused_keys):
        with pytest.raises(DamagedError) as caught:
            use(store)
        assert str(caught.value) == (
            f"{path}: is damaged, so nobody knows which shards it names; "
            "build this version again, or remove the file; then prune"
        )
    assert len(store.shard_keys()) == 5
    assert list((store.folder.root / "leases").iterdir()) == []


def test_what_a_living_process_is_writing_is_not_pruned(store):
    path = store.folder.root / "seen" / temporary_name()
    path.touch()
    prune(store)
    assert path.exists()
