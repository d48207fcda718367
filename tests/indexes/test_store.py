"""The store in a local folder: what is written is read back, and what is damaged is named."""

import errno
import hashlib
import json
import os
import pickle
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpora.file_stat import FileStat, file_stat
from corpora.problems import ReadLog
from corpora.shards import Columns, Compression, Format, Shard
from indexes.store import (
    DamagedError,
    Manifest,
    Recipe,
    ShardParameters,
    Store,
    StoreError,
    VersionShard,
    version_name,
)
from indexes.store.checksums import BLOCK_BYTES, QuickChecksum, quick_checksum
from indexes.store.names import is_version_name
from indexes.store.records import ShardRecord, StoreRecord, from_bytes, to_bytes
from indexes.store.upkeep import FaultKind, verify_store

RECIPE = Recipe(normal_form="form-1", fingerprints="minimizers/1")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Flushing guards against a power cut, which no test makes."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def built(where, builder):
    """A store of the version v1 with three shards."""
    builder.build(where, 3)
    return Store.open(where)


def flip(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def stored_files(where):
    """Everything in a store: {path in it: bytes}."""
    root = Path(where)
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


# What is written is read back


def test_a_shard_is_read_back_as_it_was_written(built, builder):
    for number in range(3):
        entry = builder.shard(number)
        record = built.record(entry.key)
        assert record.parameters == entry.parameters(RECIPE)
        assert record.digest == entry.digest
        assert record.counts == {"words": number, "domains": {"web": number}}
        for name, data in builder.files(number).items():
            assert built.open_file(record, name, checked=True).to_pybytes() == data
        assert [file.name for file in record.files] == sorted(builder.NAMES)
        assert built.verify(entry.key) == []
    assert built.shard_keys() == sorted(builder.shard(number).key for number in range(3))


def test_the_log_of_reading_comes_back_for_another_path(built, builder):
    log = built.record(builder.shard(2).key).read.read_log("elsewhere.jsonl")
    assert (log.documents, log.bytes, log.bad_documents) == (2, 20, 1)
    assert log.reasons == {"no text": 1}
    assert [str(problem) for problem in log.problems] == [
        "elsewhere.jsonl, row 3: no text: it is null; give it one"
    ]


def test_a_build_from_another_order_is_byte_equal(built, where, builder, tmp_path):
    other = Store.open(str(tmp_path / "other"), create=True)
    for number in (2, 0, 1):
        builder.write(other, number)
        other.seen.remember(
            builder.shard(number).path, builder.stat(number), builder.shard(number).digest
        )
    other.write_version(builder.manifest(3))
    assert stored_files(str(tmp_path / "other")) == stored_files(where)


def test_a_local_file_is_mapped_and_outlives_its_shard(built, builder):
    key = builder.shard(1).key
    data = built.open_file(built.record(key), "ngram-00000.bin")
    built.drop(key)
    assert not built.has(key)
    assert data.to_pybytes() == builder.files(1)["ngram-00000.bin"]


def test_a_store_may_be_sent_to_another_process(built, builder):
    assert pickle.loads(pickle.dumps(built)).has(builder.shard(0).key)
    error = pickle.loads(pickle.dumps(DamagedError("p", "is missing", "k")))
    assert (str(error), error.path, error.key) == (
        "p: is missing; sluicegate index build makes it again", "p", "k"
    )  # fmt: skip


def test_keys_tell_content_and_parameters_apart():
    shard = Shard("a.jsonl", Format.JSONL, Compression.NONE, Columns(), None, 5)
    of = lambda **other: ShardParameters.of(  # noqa: E731
        Shard(**{name: getattr(shard, name) for name in shard.__slots__} | other), RECIPE
    )
    digests = "a" * 64, "b" * 64
    keys = {
        of().key(digests[0]),
        of().key(digests[1]),
        of(domain="web").key(digests[0]),
        of(columns=Columns(("body",))).key(digests[0]),
        of(columns=Columns(id=None)).key(digests[0]),
        of(compression=Compression.GZIP).key(digests[0]),
        of(format=Format.TEXT).key(digests[0]),
        ShardParameters.of(shard, Recipe(normal_form="form-2", fingerprints="f")).key(digests[0]),
    }
    assert len(keys) == 8
    assert of(path="elsewhere.jsonl", size_bytes=6).key(digests[0]) == of().key(digests[0])


def test_what_is_not_finished_leaves_nothing(built, where, builder):
    before = stored_files(where)
    entry = builder.shard(7)
    with built.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
        writer.write("a", b"1")
    with pytest.raises(OSError, match="nothing to do with the store"):
        _fail_while_writing(built, entry)
    assert stored_files(where) == before
    assert not built.has(entry.key)
    assert [str(path.name) for path in (built.folder.root / "shards").glob(".*")] == []


def test_the_first_of_two_builders_is_believed(built, builder):
    entry = builder.shard(1)
    theirs = built.record(entry.key)
    with built.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
        writer.write("other", b"bytes")
        assert writer.finish(ReadLog()) == theirs
    assert built.record(entry.key) == theirs


def test_a_folder_without_its_record_gives_way(where, builder):
    store = Store.open(where, create=True)
    folder = store.folder.root / "shards" / builder.shard(0).key
    folder.mkdir(parents=True)
    (folder / "half").write_bytes(b"x")
    assert not store.has(builder.shard(0).key)
    builder.write(store, 0)
    assert store.verify(builder.shard(0).key) == []
    assert not (folder / "half").exists()


def _fail_while_writing(store, entry):
    with store.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
        writer.write("a", b"1")
        raise OSError("nothing to do with the store")


# Files of the corpus that were seen


def test_a_file_is_recognised_until_size_or_time_change(where, tmp_path):
    store = Store.open(where, create=True)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n")
    os.utime(path, ns=(10**18, 10**18))
    assert store.seen.recognise(str(path), file_stat(str(path))) is None
    store.seen.remember(str(path), file_stat(str(path)), "a" * 64)
    assert store.seen.recognise(str(path), file_stat(str(path))) == "a" * 64
    relative = os.path.relpath(path)
    assert store.seen.recognise(relative, file_stat(relative)) == "a" * 64
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert store.seen.recognise(str(path), file_stat(str(path))) is None
    path.write_bytes(b"longer\n")
    os.utime(path, ns=(10**18, 10**18))
    assert store.seen.recognise(str(path), file_stat(str(path))) is None


def test_an_etag_decides_where_there_is_one(where):
    store = Store.open(where, create=True)
    store.seen.remember("s3://b/k", FileStat(5, 100, 100, "x"), "a" * 64)
    assert store.seen.recognise("s3://b/k", FileStat(5, 999, 999, "x")) == "a" * 64
    assert store.seen.recognise("s3://b/k", FileStat(5, 100, 100, "y")) is None
    assert store.seen.recognise("s3://b/k", FileStat(6, 100, 100, "x")) is None
    assert store.seen.recognise("s3://b/k", FileStat(5, 100, 100)) == "a" * 64


@pytest.mark.parametrize(
    ("modified", "age_ns", "is_remembered"),
    [(10**18, 1_900_000_000, False), (10**18, 2_100_000_000, True),
     (10**18 + 7, 19_000_000, False), (10**18 + 7, 21_000_000, True), (10**18 + 7, -5, False)],
)  # fmt: skip
def test_a_file_changed_a_moment_ago_is_not_remembered(where, modified, age_ns, is_remembered):
    store = Store.open(where, create=True)
    stat = FileStat(5, modified, modified + age_ns)
    store.seen.remember("a", stat, "a" * 64)
    assert store.seen.recognise("a", stat) == ("a" * 64 if is_remembered else None)


def test_a_damaged_memory_is_forgotten(built, builder):
    path, stat = builder.shard(0).path, builder.stat(0)
    assert built.seen.recognise(path, stat) == builder.shard(0).digest
    for record in (built.folder.root / "seen").iterdir():
        flip(record, 1500)
    assert built.seen.recognise(path, stat) is None
    built.seen.remember(path, stat, builder.shard(0).digest)
    assert built.seen.recognise(path, stat) == builder.shard(0).digest


def test_a_path_that_is_no_text_is_read_each_time(where):
    store = Store.open(where, create=True)
    path = os.fsdecode(b"caf\xe9.jsonl")
    store.seen.remember(path, FileStat(5, 10**18, 2 * 10**18), "a" * 64)
    assert store.seen.recognise(path, FileStat(5, 10**18, 2 * 10**18)) is None


# Damage


def test_a_flipped_bit_in_any_file_is_named_and_the_shard_built_again(built, where, builder):
    whole = stored_files(where)
    assert list(verify_store(where)) == []
    for name, data in whole.items():
        for bit in {0, 8 * 30 + 1, 4 * len(data), 8 * len(data) - 1} if data else ():
            path = built.folder.root / name
            flip(path, min(bit, 8 * len(data) - 1))
            faults = list(verify_store(where))
            assert [fault.kind for fault in faults] == [FaultKind.DAMAGED], (name, bit)
            assert faults[0].line.startswith(f"{where}/{name}: ")
            assert "\n" not in faults[0].line
            assert faults[0].key == (name.split("/")[1] if name.startswith("shards") else None)
            store = Store.open(where, create=True)
            assert [line.partition(": ")[0] for line in store.mended] == (
                [f"{where}/store.json"] if name == "store.json" else []
            )
            for key in store.shard_keys():
                if store.verify(key):
                    store.drop(key)
            builder.build(where, 3)
            assert stored_files(where) == whole, (name, bit)


def test_a_flipped_bit_is_met_when_the_file_is_opened(built, builder):
    record = built.record(builder.shard(1).key)
    for file in record.files:
        path = built.folder.root / "shards" / record.key / file.stored_name
        flip(path, 8 * (file.bytes // 2))
        assert built.damaged(record.key) == []  # its size is right
        built.open_file(record, file.name)
        with pytest.raises(DamagedError) as caught:
            built.open_file(record, file.name, checked=True)
        assert (caught.value.key, caught.value.path) == (record.key, str(path))
        assert built.verify(record.key) != []
        flip(path, 8 * (file.bytes // 2))
        assert built.verify(record.key) == []


def test_a_short_or_missing_file_is_damage_at_once(built, builder):
    record = built.record(builder.shard(1).key)
    file = record.file("ngram-00000.bin")
    path = built.folder.root / "shards" / record.key / file.stored_name
    path.write_bytes(path.read_bytes()[:-1])
    said = f"{path}: has {file.bytes - 1} bytes, {file.bytes} were written; sluicegate index build makes it again"
    assert built.damaged(record.key) == built.verify(record.key) == [said]
    with pytest.raises(DamagedError, match="were written"):
        built.open_file(record, file.name)
    path.unlink()
    assert built.damaged(record.key) == [
        f"{path}: is missing; sluicegate index build makes it again"
    ]
    with pytest.raises(DamagedError, match="is missing"):
        built.open_file(record, file.name)
    assert built.damaged("0" * 32) != []
    builder.write(built, 1)  # finds it damaged, and puts its own in place
    assert built.verify(record.key) == []


def test_a_shard_under_another_key_is_not_believed(built, builder):
    shards = built.folder.root / "shards"
    built.drop(builder.shard(1).key)
    (shards / builder.shard(0).key).rename(shards / builder.shard(1).key)
    [fault] = built.damaged(builder.shard(1).key)
    assert f"is the record of another shard, {builder.shard(0).key}" in fault


@given(st.binary(max_size=3 * BLOCK_BYTES), st.data())
def test_the_quick_checksum_sees_every_changed_byte_and_the_length(data, draw):
    checksum = quick_checksum(data)
    assert quick_checksum(data + b"\0") != checksum
    pieces = QuickChecksum()
    for first in range(0, len(data), BLOCK_BYTES):
        pieces.update(data[first : first + BLOCK_BYTES])
    assert pieces.hexdigest() == checksum
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        other = draw.draw(st.integers(1, 255))
        assert quick_checksum(data[:at] + bytes([data[at] ^ other]) + data[at + 1 :]) != checksum


# Hostile and foreign records


def hostile(record, **changes):
    """The bytes of a record with other fields and a right checksum."""
    fields = json.loads(to_bytes(record)) | changes

    class Other(type(record)):
        def model_dump(self, **_):
            return {k: v for k, v in fields.items() if k not in ("checksum", "schema")}

    return to_bytes(Other.model_construct())


@pytest.mark.parametrize(
    "changes",
    [
        {"files": [{"name": "../../x", "bytes": 1, "sha256": "a" * 64, "quick": "a" * 32}]},
        {"files": [{"name": ".hidden", "bytes": 1, "sha256": "a" * 64, "quick": "a" * 32}]},
        {"files": [{"name": "a", "bytes": -1, "sha256": "a" * 64, "quick": "a" * 32}]},
        {"files": [{"name": "a", "bytes": "1", "sha256": "a" * 64, "quick": "a" * 32}]},
        {"files": [{"name": "a", "bytes": 1, "sha256": "/" * 64, "quick": "a" * 32}]},
        {"digest": "../" * 20},
        {"counts": {"words": [1]}},
        {"surprise": 1},
        {"files": None},
    ],
)
def test_a_hostile_record_is_refused_in_one_line(built, builder, changes):
    record = built.record(builder.shard(0).key)
    path = built.folder.root / "shards" / record.key / "shard.json"
    path.write_bytes(hostile(record, **changes))
    with pytest.raises(DamagedError) as caught:
        built.record(record.key)
    assert str(caught.value).startswith(f"{path}: is no sluicegate.shard/1 record: ")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300) | st.builds(lambda n: b"[" * n, st.integers(0, 100_000)))
def test_no_bytes_crash_the_reading_of_a_record(data):
    with pytest.raises(DamagedError):
        from_bytes(ShardRecord, data, "p")
    below = b'"schema": "sluicegate.shard/1",\n' + data
    head = f'{{\n"checksum": "{hashlib.sha256(below).hexdigest()}",\n'.encode()
    with pytest.raises(DamagedError) as caught:
        from_bytes(ShardRecord, head + below, "p")
    assert len(str(caught.value).splitlines()) == 1


def test_another_schema_is_refused_with_the_reason(built, where):
    path = built.folder.root / "store.json"

    class Later(StoreRecord):
        SCHEMA = "sluicegate.store/2"

    path.write_bytes(to_bytes(Later()))
    for create in (False, True):
        with pytest.raises(StoreError) as caught:
            Store.open(where, create=create)
        assert str(caught.value) == (
            f"{path}: is a record of 'sluicegate.store/2', this program reads 'sluicegate.store/1'; "
            "use the version of Sluicegate that made it, or build into another folder"
        )


def test_a_shard_of_another_schema_is_not_taken_for_damage(built, builder):
    record = built.record(builder.shard(0).key)

    class Later(ShardRecord):
        SCHEMA = "sluicegate.shard/2"

    path = built.folder.root / "shards" / record.key / "shard.json"
    path.write_bytes(to_bytes(Later.model_construct(**dict(record))))
    with pytest.raises(StoreError, match=r"'sluicegate\.shard/2'") as caught:
        built.damaged(record.key)
    assert not isinstance(caught.value, DamagedError)


@pytest.mark.parametrize(
    "key", ["", "..", "../../etc", "a" * 31, "A" * 32, "a" * 32 + "/..", "a" * 32 + "\n"]
)
def test_a_key_cannot_lead_out_of_the_store(built, key):
    for use in (built.has, built.record, built.drop, built.damaged):
        with pytest.raises(StoreError, match="is no key of a shard"):
            use(key)


# Versions


def test_a_version_is_read_back_with_its_recipe(built, builder):
    assert built.versions() == ["v1"]
    assert built.version("v1") == built.version("v1", RECIPE) == builder.manifest(3)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(normal_form="form-2", fingerprints="minimizers/1"),
         "it was made with normal form 'form-1', this is 'form-2'"),
        (Recipe(normal_form="form-1", fingerprints="minimizers/2"),
         "it was made with fingerprints 'minimizers/1', these are 'minimizers/2'"),
    ],
)  # fmt: skip
def test_a_version_made_otherwise_is_refused_with_the_reason(built, where, recipe, said):
    with pytest.raises(StoreError) as caught:
        built.version("v1", recipe)
    assert str(caught.value) == (
        f"{where}/versions/v1.json: {said}; sluicegate index build makes it again"
    )


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../v1", "a/b", "/etc/passwd", ".tmp-x", "-x", "a\0b", "a\nb", "é", "x" * 101],
)
def test_a_version_name_cannot_lead_out_of_the_store(built, where, builder, name):
    before = stored_files(where)
    for use in (
        built.version,
        built.drop_version,
        lambda name: built.write_version(builder.manifest(1, name)),
    ):
        with pytest.raises(StoreError, match="cannot name a version") as caught:
            use(name)
        assert "\n" not in str(caught.value)
    assert stored_files(where) == before


def test_a_name_is_taken_once(built, builder):
    path = built.folder.root / "versions" / "v1.json"
    before = path.read_bytes()
    later = builder.manifest(3).model_copy(update={"tool_version": "2"})
    assert built.write_version(later) == builder.manifest(3)  # as old and the same shards: it stays
    assert path.read_bytes() == before
    with pytest.raises(
        StoreError, match="is there already and holds others; give this one another"
    ):
        built.write_version(builder.manifest(2))
    assert path.read_bytes() == before
    built.write_version(builder.manifest(2), replace=True)
    assert built.version("v1") == builder.manifest(2)


def test_a_damaged_manifest_is_named_and_written_again(built, builder):
    path = built.folder.root / "versions" / "v1.json"
    flip(path, 999)
    with pytest.raises(DamagedError, match=r"versions/v1\.json: is damaged: SHA-256"):
        built.version("v1")
    built.write_version(builder.manifest(3))
    assert built.version("v1") == builder.manifest(3)


def test_a_manifest_under_another_name_is_not_believed(built):
    versions = built.folder.root / "versions"
    (versions / "v1.json").rename(versions / "v2.json")
    with pytest.raises(DamagedError, match="is the manifest of 'v1'"):
        built.version("v2")


def test_a_version_needs_all_its_shards(built, builder):
    built.drop(builder.shard(1).key)
    with pytest.raises(
        StoreError, match=r"1 of its shards are not in the store, first corpus/001\.jsonl"
    ):
        built.write_version(builder.manifest(3, "v2"))
    assert built.versions() == ["v1"]


def test_an_unknown_version_names_the_nearest(built):
    with pytest.raises(
        StoreError,
        match=r"there is no version 'v11'; see sluicegate index list; did you mean 'v1'\?",
    ):
        built.version("v11")


def test_a_default_name_is_readable_and_tells_the_content(builder):
    shards = [builder.shard(number) for number in range(3)]
    name = version_name(["data/wiki/*.jsonl", "s3://bucket/more?region=x"], shards)
    assert name.startswith("data-wiki-jsonl-bucket-more-")
    assert name == version_name(["data/wiki/*.jsonl", "s3://bucket/more"], shards[::-1])
    assert name != version_name(["data/wiki/*.jsonl", "s3://bucket/more"], shards[:2])
    odd = version_name(["../" * 50 + "é"], [])
    assert odd.startswith("corpus-")
    long = version_name(["a" * 500], shards)
    for made in (name, odd, long):
        assert is_version_name(made)
        assert len(made) <= 50


def test_a_manifest_is_checked_when_it_is_made(builder):
    fields = dict(builder.manifest(1))
    with pytest.raises(ValidationError):
        Manifest(**fields, surprise=1)
    with pytest.raises(ValidationError):
        VersionShard(**dict(builder.shard(1)) | {"key": "../" * 10 + "ab"})


# Opening


def test_a_missing_store_is_refused_and_made_when_asked(where):
    with pytest.raises(
        StoreError, match="there is no store here; make one with: sluicegate index build"
    ):
        Store.open(where)
    Store.open(where, create=True)
    assert Store.open(where).versions() == []


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(StoreError, match=r"this is no store, and 'thesis\.tex' is in it"):
        Store.open(str(tmp_path), create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").touch()
    for create in (False, True):
        with pytest.raises(StoreError, match="is a file; name a folder or a URL"):
            Store.open(str(tmp_path / "file"), create=create)


@pytest.mark.parametrize("where", ["", "ftp://host/store", "s3://key:secret@bucket/store"])
def test_a_place_that_cannot_be_a_store_is_refused(where):
    with pytest.raises(StoreError) as caught:
        Store.open(where, create=True)
    assert "secret" not in str(caught.value)


def test_a_file_url_is_the_folder(built, where, tmp_path):
    assert Store.open(f"file://{where}").versions() == ["v1"]
    spaced = tmp_path / "with space"
    Store.open(f"file://{tmp_path}/with%20space", create=True)
    assert (spaced / "store.json").exists()


def test_a_damaged_store_file_is_mended_by_a_builder_only(built, where):
    flip(built.folder.root / "store.json", 700)
    with pytest.raises(DamagedError, match=r"store\.json: is damaged"):
        Store.open(where)
    store = Store.open(where, create=True)
    [line] = store.mended
    assert line.startswith(f"{where}/store.json: was damaged and is written anew")
    assert Store.open(where).versions() == ["v1"]


def test_a_file_system_without_hard_links_will_do(where, builder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    builder.build(where, 2)
    assert list(verify_store(where)) == []


def test_a_lease_that_cannot_be_read_at_this_moment_is_as_good_as_damaged(built, monkeypatch):
    """As of an object that is replaced while a server sends it; other errors are told."""
    key = "0" * 32

    def answer(number):
        def read(*_):
            raise OSError(number, os.strerror(number))

        return read

    with monkeypatch.context() as patch:
        with built.lease(key) as lease:
            assert lease is not None
            patch.setattr(type(built.folder), "read", answer(errno.EIO))
        with built.lease(key) as other:
            assert other is None  # it may be anybody's
        patch.setattr(type(built.folder), "read", answer(errno.EACCES))
        with pytest.raises(PermissionError), built.lease(key):
            pass


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_order_of_work_and_damage_keeps_what_is_told_true(tmp_path, builder, data):
    """A model of shards and versions beside the store; damage is whatever `verify` must find."""
    where = str(tmp_path / f"store{time.monotonic_ns()}")
    store = Store.open(where, create=True)
    shards: dict[int, bool] = {}  # number: whether it is whole
    versions: dict[str, int] = {}
    for _ in range(data.draw(st.integers(1, 15))):
        number = data.draw(st.integers(0, 3))
        match data.draw(st.sampled_from(["write", "drop", "flip", "name", "forget", "heal"])):
            case "write":
                if store.damaged(builder.shard(number).key) or not shards.get(number, True):
                    store.drop(builder.shard(number).key)
                builder.write(store, number)
                shards[number] = True
            case "drop":
                store.drop(builder.shard(number).key)
                shards.pop(number, None)
            case "flip" if shards.get(number):
                folder = store.folder.root / "shards" / builder.shard(number).key
                path = data.draw(
                    st.sampled_from(sorted(p for p in folder.iterdir() if p.stat().st_size))
                )
                flip(path, data.draw(st.integers(0, 8 * path.stat().st_size - 1)))
                shards[number] = False
            case "name":
                try:
                    store.write_version(builder.manifest(number, "v"), replace=True)
                    assert shards.keys() >= set(range(number))
                    versions["v"] = number
                except StoreError:
                    assert not shards.keys() >= set(range(number))
            case "forget":
                store.drop_version("v")
                versions.clear()
            case "heal":
                for key in store.shard_keys():
                    if store.verify(key):
                        store.drop(key)
                shards = {number: True for number, is_whole in shards.items() if is_whole}
    assert store.shard_keys() == sorted(builder.shard(number).key for number in shards)
    assert {n for n in shards if not store.verify(builder.shard(n).key)} == {
        n for n in shards if shards[n]
    }
    damaged = {builder.shard(n).key for n, is_whole in shards.items() if not is_whole}
    missing = {builder.shard(n).key for n in range(versions.get("v", 0)) if n not in shards}
    found = {(fault.kind, fault.key) for fault in verify_store(where)}
    assert found == {(FaultKind.DAMAGED, key) for key in damaged} | {
        (FaultKind.MISSING, key) for key in missing
    }
