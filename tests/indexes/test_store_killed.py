"""The store under builders that are killed, that work at once, or that find the disk full."""

import errno
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from indexes.store import Store, StoreError, leases
from indexes.store import store as store_module
from indexes.store.names import SHARD_FILE
from indexes.store.owners import owner_of, this_process
from indexes.store.upkeep import FaultKind, plan_prune, prune, verify_store

N_SHARDS = 5
DAY = 86_400


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Flushing guards against a power cut, which no test makes."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def where(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture(scope="module")
def undisturbed(builder, tmp_path_factory):
    """The files of a store that was built in peace: {path: bytes}."""
    where = tmp_path_factory.mktemp("undisturbed") / "store"
    builder.build(str(where), N_SHARDS)
    return files_of(where)


def files_of(where):
    """Every file and folder in a store, with the bytes of the files."""
    return {
        path.relative_to(where).as_posix(): path.read_bytes() if path.is_file() else None
        for path in Path(where).rglob("*")
    }


def wait_until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.002)


def check(where, builder):
    """What a reader may rely on, whenever the builders are killed."""
    if not Path(where, "store.json").exists():
        return  # killed before there was a store
    faults = [fault for fault in verify_store(where) if fault.kind is not FaultKind.LEFT_BEHIND]
    assert faults == []
    store = Store.open(where)
    by_key = {builder.shard(number).key: number for number in range(N_SHARDS)}
    for key in store.shard_keys():
        record = store.record(key)
        for name, data in builder.files(by_key[key]).items():
            assert store.open_file(record, name, checked=True).to_pybytes() == data
        assert {path.name for path in Path(where, "shards", key).iterdir()} == {
            SHARD_FILE,
            *(file.stored_name for file in record.files),
        }
    for name in store.versions():
        assert store.version(name) == builder.manifest(N_SHARDS)
    for number in range(N_SHARDS):
        seen = store.seen.recognise(builder.shard(number).path, builder.stat(number))
        assert seen in (None, builder.shard(number).digest)


# kill -9


def test_killed_at_random_moments_nothing_is_lost_or_half_believed(
    where, builder, processes, undisturbed
):
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    n_left = 0
    for _ in range(50):
        process = processes.start("churn", where, N_SHARDS)
        time.sleep(moments.uniform(0, 0.06))
        os.kill(process, signal.SIGKILL)
        assert processes.wait(process) == -signal.SIGKILL, seed
        n_left += any(name.rpartition("/")[2].startswith(".tmp-") for name in files_of(where))
        check(where, builder)
    assert n_left, "no kill met a builder in the middle of its work"
    assert processes.wait(processes.start("build", where, N_SHARDS)) == 0
    assert files_of(where) == undisturbed


def test_killed_before_each_change_of_the_file_system_nothing_is_lost(tmp_path, builder, processes):
    step = ended = 0
    while not ended:
        step += 1
        where = str(tmp_path / str(step))
        process = processes.start("crash", where, 2, step)
        ended = processes.wait(process) == 0
        check_two(where, builder)
    assert step > 100  # all of them were met: two shards, records, leases, a version, and their end


def check_two(where, builder):
    """As `check`, for two shards; then the next builder finishes and cleans up."""
    if Path(where, "store.json").exists():
        assert {f.kind for f in verify_store(where)} <= {FaultKind.LEFT_BEHIND}
    builder.build(where, 2)
    assert list(verify_store(where)) == []
    assert Store.open(where).version("v1") == builder.manifest(2)
    assert not [name for name in files_of(where) if ".tmp-" in name or name.startswith("leases/")]


# Living and dead


def test_a_living_builder_keeps_its_folder_and_its_unnamed_shards(
    where, builder, processes, tmp_path
):
    waiting = tmp_path / "waiting"
    process = processes.start("stall", where, 0, waiting)
    wait_until(waiting.exists)
    os.kill(process, signal.SIGSTOP)  # it lives, and is at nothing
    store = Store.open(where)
    with store.building(), store.lease(builder.shard(0).key) as lease:
        assert lease is None  # it has the shard
        builder.write(store, 1)
    store.drop_version("v1")
    assert plan_prune(store).doomed == ()
    [kept] = prune(store).kept
    assert kept.startswith(f"what no version names stays: process {process} on ")
    assert store.has(builder.shard(1).key)
    assert list(store.folder.leftovers()) == []
    os.kill(process, signal.SIGCONT)
    waiting.unlink()
    assert processes.wait(process) == 0
    assert store.verify(builder.shard(0).key) == []
    assert len(prune(store).doomed) == 2


def test_a_dead_builder_that_nobody_has_buried_is_dead(where, builder):
    Store.open(where, create=True)
    code = (
        "import os, sys; from indexes.store.local import LocalFolder; from pathlib import Path;"
        "print(LocalFolder(Path(sys.argv[1])).spool(), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, where]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        spool = Path(process.stdout.readline().strip())
        store = Store.open(where)
        with store.building():
            assert spool.exists()
        process.kill()
        wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "Z")
        with store.building():
            assert not spool.exists()


@pytest.mark.parametrize(
    ("name", "age_seconds", "stays"),
    [
        (".tmp-{host}-{pid}-{started}-ab12", 10 * DAY, True),  # this very process
        (".tmp-{host}-{pid}-1-ab12", 0, False),  # its number was another's before
        (".tmp-{host}-{dead}-{started}-ab12", 0, False),
        (".tmp-{host}-99999999999999-1-ab12", 0, False),
        (".tmp-elsewhere.0a1b2c3d-{pid}-{started}-ab12", 0.9 * DAY, True),
        (".tmp-elsewhere.0a1b2c3d-{pid}-{started}-ab12", 1.1 * DAY, False),
        (".tmp-{name}.0a1b2c3d-{dead}-{started}-ab12", 0.9 * DAY, True),  # a container like this
        (".tmp-of-somebody", 0.9 * DAY, True),
        (".tmp-of-somebody", 1.1 * DAY, False),
    ],
)
@pytest.mark.parametrize("folder", ["", "shards", "seen", "versions", "leases"])
@pytest.mark.parametrize("is_folder", [False, True])
def test_temporary_files_go_when_their_builder_is_surely_dead(
    where, folder, is_folder, name, age_seconds, stays
):
    store = Store.open(where, create=True)
    me = this_process()
    process = subprocess.Popen(["true"]) if "{dead}" in name else None
    dead = process.pid if process and process.wait() == 0 else 0
    host = socket.gethostname().replace("-", "_")
    name = name.format(host=me.host, pid=me.pid, started=me.started, dead=dead, name=host)
    path = Path(where, folder, name)
    path.parent.mkdir(exist_ok=True)
    path.mkdir() if is_folder else path.touch()
    paths = [path / "file", path] if is_folder else [path]
    if is_folder:
        paths[0].write_bytes(b"12345")
    for each in paths:
        os.utime(each, (time.time() - age_seconds,) * 2)
    assert [leftover.path for leftover in store.folder.leftovers()] == ([] if stays else [path])
    with store.building():
        assert path.exists() == stays


def test_a_folder_lives_as_long_as_something_in_it_is_written(where):
    store = Store.open(where, create=True)
    path = Path(where, "shards", ".tmp-elsewhere.0a1b2c3d-7-8-ab12")
    path.mkdir(parents=True)
    (path / "fresh").touch()
    os.utime(path, (0, 0))
    assert list(store.folder.leftovers()) == []


def test_a_temporary_name_tells_its_process(where):
    name = Store.open(where, create=True).folder.spool().name
    assert owner_of(name) == this_process()
    assert this_process().pid == os.getpid()
    assert this_process().started > 0


# Two at once


def test_two_builders_at_once_both_succeed_and_no_reader_sees_torn_files(
    where, builder, processes, undisturbed
):
    pause = 0.004
    both = [processes.start("build", where, N_SHARDS, pause) for _ in range(2)]
    n_read = 0
    while any(Path(f"/proc/{p}/stat").read_text().split()[2] not in "ZX" for p in both):
        if Path(where, "store.json").exists():
            store = Store.open(where)
            for key in store.shard_keys():
                record = store.record(key)
                for file in record.files:
                    store.open_file(record, file.name, checked=True)
                    n_read += 1
    assert [processes.wait(process) for process in both] == [0, 0]
    assert n_read > 0
    assert files_of(where) == undisturbed


def test_two_builders_that_heed_no_lease_both_succeed(where, builder, processes, undisturbed):
    """Each writes every shard that it does not see, at the same time as the other."""
    for _ in range(3):
        both = [processes.start("build_regardless", where, N_SHARDS) for _ in range(2)]
        assert [processes.wait(process) for process in both] == [0, 0]
        assert list(verify_store(where)) == []
        assert files_of(where) == undisturbed
        store = Store.open(where)
        for number in range(N_SHARDS):
            store.drop(builder.shard(number).key)


def test_a_shard_is_leased_once_and_taken_over_from_the_dead(where, builder, processes, tmp_path):
    waiting = tmp_path / "waiting"
    process = processes.start("stall", where, 0, waiting)
    wait_until(waiting.exists)
    store = Store.open(where)
    key = builder.shard(0).key
    with store.lease(key) as lease, store.lease(builder.shard(1).key) as other:
        assert lease is None
        assert other is not None
    os.kill(process, signal.SIGKILL)
    processes.wait(process)
    with store.lease(key) as lease, store.lease(key) as again:
        assert lease is not None
        assert again is None
    assert [
        path.name for path in Path(where, "leases").iterdir() if path.name.startswith(key)
    ] == []


def test_a_pruner_and_a_builder_never_overlook_each_other(where, builder, monkeypatch):
    builder.build(where, 1)
    store = Store.open(where)
    store.drop_version("v1")
    with store.building(), store.building():  # two of them do not mind each other
        assert prune(store).doomed == ()
    monkeypatch.setattr(store_module, "PRUNER_WAIT_SECONDS", 0.1)
    pruner = leases.take(store.folder, leases.PRUNE)
    with pytest.raises(StoreError, match=f"process {os.getpid()} on .* is pruning it; try again"):
        store.building().__enter__()
    with pytest.raises(StoreError, match="is pruning it"):
        prune(store)
    pruner.release()
    assert [doomed.reason for doomed in prune(store).doomed] == [
        "no version names it",
        "its file is in no version",
    ]
    assert list(Path(where, "leases").iterdir()) == []


# A full disk


def test_a_full_disk_at_any_flush_leaves_a_store_that_works(where, builder, monkeypatch):
    step = 0
    error = OSError()
    while error is not None:
        step += 1
        error = build_with_a_full_disk(where, builder, monkeypatch, step)
        names = files_of(where)
        assert not [name for name in names if ".tmp-" in name or name.startswith("leases/")]
        if error is not None:
            assert error.errno == errno.ENOSPC
            assert error.filename.startswith(where)
            assert ".tmp-" not in error.filename
        if "store.json" in names:
            assert list(verify_store(where)) == []
            store = Store.open(where)
            for key in store.shard_keys():
                store.drop(key)
            store.drop_version("v1")
    assert step > 12  # records, four files and two folders for each of two shards, the version


def build_with_a_full_disk(where, builder, monkeypatch, step):
    """The error of a build in which the disk is full at the given flush; None if it is never met."""
    left = [step]

    def flush(handle):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", flush)
        try:
            builder.build(where, 2)
        except OSError as error:
            return error
    return None


def test_a_limit_on_file_length_is_a_full_disk(where, builder, processes, tmp_path, undisturbed):
    longest = max(len(data) for n in range(N_SHARDS) for data in builder.files(n).values())
    said = tmp_path / "said"
    for most_bytes in (100, 400, 2_000, longest // 2, longest - 1):
        process = processes.start("build_with_little_room", where, N_SHARDS, most_bytes, said)
        assert processes.wait(process) == 3
        number, path = said.read_text().split(" ", 1)
        assert int(number) == errno.EFBIG
        assert path.startswith(where)
        assert ".tmp-" not in path
        names = files_of(where)
        assert not [name for name in names if ".tmp-" in name or name.startswith("leases/")]
        if "store.json" in names:
            assert list(verify_store(where)) == []
    builder.build(where, N_SHARDS)
    assert files_of(where) == undisturbed


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 300 kB; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder],
            capture_output=True,
            check=False,
        )
        if os.geteuid() == 0
        else None
    )
    if made is None or made.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_full_fails_clearly_and_can_be_pruned(small_disk, builder, processes):
    where = str(small_disk / "store")
    with pytest.raises(OSError, match="No space left on device") as caught:
        builder.build(where, 12)
    assert caught.value.errno == errno.ENOSPC
    assert str(caught.value.filename).startswith(where)
    assert list(verify_store(where)) == []
    store = Store.open(where)
    n_built = len(store.shard_keys())
    assert n_built > 0
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        filler.write_bytes(b"x" * 300_000)
    assert (
        len(prune(store).doomed) > n_built
    )  # the shards and what was seen, without room for a lease
    assert store.shard_keys() == []
    filler.unlink()
    builder.build(where, 2)
    assert list(verify_store(where)) == []
