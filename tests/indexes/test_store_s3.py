"""The store in a local S3-compatible server (moto)."""

import errno
import http.client
import logging
import os
import pickle
import random
import signal
import tempfile
import time
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from corpora.file_stat import file_stat
from corpora.problems import ReadLog
from indexes.store import DamagedError, Recipe, ShardWriter, Store, StoreError
from indexes.store.owners import this_process
from indexes.store.upkeep import FaultKind, plan_prune, prune, sizes, verify_store

RECIPE = Recipe(normal_form="form-1", fingerprints="minimizers/1")
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"


@pytest.fixture(scope="module")
def port():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    yield port
    server.stop()


@pytest.fixture(autouse=True)
def access(port, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    yield
    assert list(spools.iterdir()) == []  # nothing temporary stays, ever


class Bucket:
    """The objects of a bucket, over HTTP."""

    def __init__(self, port, name):
        self.port, self.name = port, name
        self.request("PUT", "")

    def request(self, method, key, data=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, f"/{self.name}/{key}", data, {"Authorization": AUTHORIZATION})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def get(self, key):
        status, body = self.request("GET", key)
        return body if status == 200 else None

    def put(self, key, data):
        assert self.request("PUT", key, data)[0] == 200


@pytest.fixture
def bucket(port, request):
    return Bucket(port, f"b{abs(hash(request.node.name))}")


@pytest.fixture
def where(bucket):
    return f"s3://{bucket.name}/stores/main"


@pytest.fixture
def built(where, builder):
    builder.build(where, 2)
    return Store.open(where)


def stored(where):
    """The objects of a store by name, with their bytes."""
    folder = Store.open(where).folder
    names = [entry.name for part in ("shards", "seen", "versions") for entry in folder.walk(part)]
    return {name: folder.buffer(name).to_pybytes() for name in ["store.json", *names]}


def test_a_store_is_the_same_objects_as_a_local_one(built, where, builder, tmp_path):
    local = tmp_path / "store"
    builder.build(str(local), 2)
    files = {
        path.relative_to(local).as_posix(): path.read_bytes()
        for path in local.rglob("*")
        if path.is_file()
    }
    assert stored(where) == files
    record = built.record(builder.shard(1).key)
    for name, data in builder.files(1).items():
        assert built.open_file(record, name, checked=True).to_pybytes() == data
    assert built.version("v1", RECIPE) == builder.manifest(2)
    assert list(verify_store(where)) == []
    assert pickle.loads(pickle.dumps(built)).versions() == ["v1"]
    assert sizes(built).versions[0].stored_bytes == sum(
        len(data) for name, data in files.items() if name.startswith("shards")
    )


def test_a_local_store_may_be_copied_there(bucket, builder, tmp_path):
    local = tmp_path / "store"
    builder.build(str(local), 2)
    for path in local.rglob("*"):
        if path.is_file():
            bucket.put(f"copy/{path.relative_to(local).as_posix()}", path.read_bytes())
    assert list(verify_store(f"s3://{bucket.name}/copy")) == []


def test_files_without_their_record_are_no_shard(where, builder, bucket):
    """What is left of a builder that was killed while it uploaded."""
    store = Store.open(where, create=True)
    key = builder.shard(0).key
    bucket.put(f"stores/main/shards/{key}/ngram-00000-0123456789abcdef.bin", b"half")
    assert not store.has(key)
    assert store.shard_keys() == []
    [fault] = verify_store(where)
    assert (fault.kind, fault.key) == (FaultKind.STRAY, key)
    plan = plan_prune(store)
    assert plan.doomed == ()
    assert plan.kept == (
        "1 unfinished shards stay: they are younger than a day, and may be uploaded now",
    )
    builder.write(store, 0)
    assert store.verify(key) == []


def test_other_bytes_for_the_same_shard_disturb_no_reader(built, builder, monkeypatch):
    """Two builders whose libraries write other bytes, and neither sees the other in time."""
    entry = builder.shard(0)
    theirs = built.record(entry.key)
    monkeypatch.setattr(Store, "has", lambda self, key: False)
    with built.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
        for name in builder.NAMES:
            writer.write(name, b"other bytes")
        ours = writer.finish(ReadLog())
    for record in (theirs, ours):
        for file in record.files:
            built.open_file(record, file.name, checked=True)
    assert built.record(entry.key) == ours
    assert built.verify(entry.key) == []


def test_what_a_dead_builder_wrote_beside_is_swept(where):
    store = Store.open(where, create=True)
    me = this_process()
    spools = Path(tempfile.gettempdir())
    dead = spools / f"sluicegate.tmp-{me.host}-{me.pid}-1-ab12"
    mine = spools / f"sluicegate.tmp-{me.host}-{me.pid}-{me.started}-ab12"
    for path in (dead, mine):
        path.mkdir()
        (path / "file").touch()
    with store.building():
        assert [path.exists() for path in (dead, mine)] == [False, True]
    (mine / "file").unlink()
    mine.rmdir()


def test_a_full_temporary_folder_is_named_and_not_the_url(where, builder, monkeypatch):
    store = Store.open(where, create=True)

    def refuse(writer, name, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ShardWriter, "write", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        builder.write(store, 0)
    assert caught.value.filename == tempfile.gettempdir()
    assert not store.has(builder.shard(0).key)


@pytest.mark.parametrize("name", ["store.json", "shards", "versions", "seen"])
def test_a_changed_object_is_named_and_built_again(built, where, builder, bucket, name):
    whole = stored(where)
    part = f"shards/{builder.shard(1).key}" if name == "shards" else name
    for key in [key for key in whole if key.startswith(part)]:
        data = bytearray(whole[key])
        data[len(data) // 2] ^= 1
        bucket.put(f"stores/main/{key}", bytes(data))
        faults = list(verify_store(where))
        assert [fault.kind for fault in faults] == [FaultKind.DAMAGED]
        assert faults[0].line.startswith(f"{where}/{key}: ")
        store = Store.open(where, create=True)
        for shard in store.shard_keys():
            if store.verify(shard):
                store.drop(shard)
                assert not store.has(shard)
        builder.build(where, 2)
        assert stored(where) == whole


def test_a_vanished_object_is_damage(built, builder, bucket):
    record = built.record(builder.shard(0).key)
    file = record.file("ngram-00001.bin")
    bucket.request("DELETE", f"stores/main/shards/{record.key}/{file.stored_name}")
    assert [line.rpartition("/")[2] for line in built.damaged(record.key)] == [
        f"{file.stored_name}: is missing; sluicegate index build makes it again"
    ]
    with pytest.raises(DamagedError, match="is missing"):
        built.open_file(record, file.name)


def test_an_unused_shard_is_pruned_and_a_builder_protects_it(built, where, builder):
    built.drop_version("v1")
    with built.building(), built.lease(builder.shard(0).key) as lease:
        assert lease is not None
        with built.lease(builder.shard(0).key) as other:
            assert other is None
        assert prune(built).doomed == ()
    assert len(prune(built).doomed) == 4
    assert stored(where).keys() == {"store.json"}


def test_an_object_is_recognised_by_its_etag(built, bucket, where):
    bucket.put("corpus/a.jsonl", b"one")
    path = f"s3://{bucket.name}/corpus/a.jsonl"
    stat = file_stat(path)
    assert stat.size_bytes == 3
    assert stat.etag is not None
    built.seen.remember(path, stat, "a" * 64)
    bucket.put("corpus/a.jsonl", b"one")
    assert built.seen.recognise(path, file_stat(path)) == "a" * 64
    bucket.put("corpus/a.jsonl", b"two")
    assert built.seen.recognise(path, file_stat(path)) is None
    with pytest.raises(FileNotFoundError):
        file_stat(f"s3://{bucket.name}/corpus/b.jsonl")


def test_the_endpoint_may_stand_in_the_url(port, where, built, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    url = f"{where}?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    store = Store.open(url)
    assert store.versions() == ["v1"]
    assert list(verify_store(url)) == []
    with pytest.raises(StoreError) as caught:
        store.version("v2")
    assert str(caught.value).startswith(f"{where}/versions/v2.json?endpoint_override=")


def test_a_prefix_with_other_things_is_refused(bucket):
    bucket.put("mine/thesis.tex", b"x")
    with pytest.raises(StoreError, match=r"this is no store, and 'thesis\.tex' is in it"):
        Store.open(f"s3://{bucket.name}/mine", create=True)
    with pytest.raises(StoreError, match="there is no store here"):
        Store.open(f"s3://{bucket.name}/mine")


def test_a_missing_bucket_is_said_with_the_url():
    with pytest.raises(StoreError, match="there is no store here"):
        Store.open("s3://nowhere/store")
    with pytest.raises(OSError, match="NO_SUCH_BUCKET") as caught:
        Store.open("s3://nowhere/store", create=True)
    assert caught.value.filename == "s3://nowhere/store/store.json"


@pytest.fixture
def environment():
    """What another process needs to reach the bucket, and to leave its spools in our folder."""
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return aws | {"TMPDIR": tempfile.gettempdir()}


def test_killed_at_random_moments_nothing_is_half_believed(where, builder, processes, environment):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    for _ in range(8):
        process = processes.start("churn_remotely", where, 2, environment)
        time.sleep(moments.uniform(0.05, 0.5))
        os.kill(process, signal.SIGKILL)
        assert processes.wait(process) == -signal.SIGKILL, seed
        store = Store.open(where, create=True)
        kinds = {fault.kind for fault in verify_store(where)}
        assert kinds <= {FaultKind.STRAY, FaultKind.LEFT_BEHIND}, seed
        for name in store.versions():
            assert store.version(name) == builder.manifest(2)
    builder.build(where, 2)
    assert list(verify_store(where)) == []
    assert Store.open(where).folder.children("leases") == []


def test_two_builders_at_once_both_succeed(where, builder, processes, environment, tmp_path):
    both = [processes.start("build_remotely", where, 3, environment) for _ in range(2)]
    assert [processes.wait(process) for process in both] == [0, 0]
    assert list(verify_store(where)) == []
    local = tmp_path / "store"
    builder.build(str(local), 3)
    assert set(stored(where)) == {
        path.relative_to(local).as_posix() for path in local.rglob("*") if path.is_file()
    }
