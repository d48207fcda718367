"""Builders for the tests of the store: processes that are forked quickly, and may be killed.

Reads commands from stdin, one JSON list a line: `["start", name, arguments]` forks a process that calls
a function below and answers its number; `["wait", number]` answers how it ended, negative for a signal.
What is built depends on the shard's number only.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from corpora.file_stat import FileStat
from corpora.formats import Compression, Format
from corpora.problems import Problem, ReadLog
from indexes.store import Manifest, Recipe, Store, VersionShard
from indexes.store.records import ColumnNames

RECIPE = Recipe(normal_form="form-1", fingerprints="minimizers/1")
COLUMNS = ColumnNames(text=("text",), id="id", domain=None)
NAMES = ("ngram-00000.bin", "ngram-00001.bin", "rows")
VERSION = "v1"


def shard(number):
    """The entry of a shard in a manifest."""
    digest = hashlib.sha256(b"content %d" % number).hexdigest()
    entry = {"path": f"corpus/{number:03}.jsonl", "format": Format.JSONL, "columns": COLUMNS}
    entry |= {"compression": Compression.NONE, "domain": None, "size_bytes": 1000 + number}
    draft = VersionShard(**entry, digest=digest, key="0" * 32)
    return VersionShard(**entry, digest=digest, key=draft.parameters(RECIPE).key(digest))


def files(number):
    """The files of a shard: one is empty at times, one is longer than a block."""
    random = np.random.default_rng(number)
    return {
        name: random.bytes(int(random.integers(0, 40_000)) * (number + at) % 70_000)
        for at, name in enumerate(NAMES)
    }


def stat(number):
    """What the file of a shard looked like."""
    return FileStat(1000 + number, 10**18 + number, 2 * 10**18)


def manifest(n_shards, name=VERSION):
    """The version that has the first shards."""
    shards = tuple(shard(number) for number in range(n_shards))
    created = datetime(2026, 1, 2, tzinfo=UTC)
    return Manifest(name=name, created=created, tool_version="1", recipe=RECIPE, shards=shards)


def write(store, number):
    """Write one shard."""
    entry = shard(number)
    with store.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
        for name, data in files(number).items():
            writer.write(name, data[:100])
            writer.write(name, data[100:])
        log = ReadLog(documents=number, bytes=10 * number)
        log.add(Problem("corpus", 3, "no text: it is null", "give it one"))
        return writer.finish(log, {"words": number, "domains": {"web": number}})


def build(where, n_shards, pause=0.0):
    """Build a version as the pipeline does: what is there and whole stays, leased shards come last."""
    store = Store.open(where, create=True)
    with store.building() as build:
        left = list(range(n_shards))
        for is_last in (False, True):
            for number in list(left):
                key = shard(number).key
                with store.lease(key) as lease:
                    if store.has(key) and store.damaged(key):
                        store.drop(key)
                    if not store.has(key):
                        if lease is None and not is_last:
                            continue
                        write(store, number)
                        time.sleep(pause)
                store.seen.remember(shard(number).path, stat(number), shard(number).digest)
                build.refresh()
                left.remove(number)
        store.write_version(manifest(n_shards), replace=True)


def build_regardless(where, n_shards):
    """Build without leases."""
    store = Store.open(where, create=True)
    with store.building():
        for number in range(n_shards):
            if not store.has(shard(number).key):
                write(store, number)
            store.seen.remember(shard(number).path, stat(number), shard(number).digest)
        store.write_version(manifest(n_shards), replace=True)


def build_remotely(where, n_shards, environment):
    """Build in an object store."""
    os.environ.update(environment)
    build(where, n_shards)


def churn(where, n_shards):
    """Build and take away for ever."""
    while True:
        build(where, n_shards)
        store = Store.open(where)
        store.drop_version(VERSION)
        for number in range(n_shards):
            store.drop(shard(number).key)


def churn_remotely(where, n_shards, environment):
    """Build and take away for ever, in an object store."""
    os.environ.update(environment)
    churn(where, n_shards)


def crash(where, n_shards, step):
    """Build and take away, and be dead before the given step that changes the file system."""
    left = [step]

    def count(event, arguments):
        changes = event in ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")
        opens = event == "open" and str(arguments[0]).startswith(where)
        if changes or opens:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    build(where, n_shards)
    store = Store.open(where)
    store.drop_version(VERSION)
    for number in range(n_shards):
        store.drop(shard(number).key)


def stall(where, number, name):
    """Register, write half a shard, say so, and go on when the file `name` is gone."""
    store = Store.open(where, create=True)
    entry = shard(number)
    with store.building(), store.lease(entry.key) as lease:
        assert lease is not None
        with store.write_shard(entry.parameters(RECIPE), entry.digest) as writer:
            given = files(number)
            writer.write(NAMES[0], given[NAMES[0]])
            Path(name).touch()
            while Path(name).exists():
                time.sleep(0.005)
            for other in NAMES[1:]:
                writer.write(other, given[other])
            writer.finish(ReadLog())


def build_with_little_room(where, n_shards, most_bytes, said):
    """Build while no file may be longer than so many bytes; what was said goes to a file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    try:
        build(where, n_shards)
    except OSError as error:
        Path(said).write_text(f"{error.errno} {error.filename}")
        os._exit(3)


def serve():
    """Answer commands until stdin ends."""
    os.fsync = lambda handle: None  # it guards against a power cut; these processes are killed
    for line in sys.stdin:
        command, *rest = json.loads(line)
        if command == "start":
            answer = _fork(*rest)
        else:
            _, status = os.waitpid(rest[0], 0)
            answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _fork(name, arguments):
    child = os.fork()
    if child:
        return child
    try:
        globals()[name](*arguments)
    finally:  # and never into the loop of the parent
        traceback.print_exc() if sys.exc_info()[0] else None
        os._exit(1 if sys.exc_info()[0] else 0)


if __name__ == "__main__":
    serve()
