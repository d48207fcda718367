"""Building what a store lacks of some shards: recognise each, or read it and let a maker write its files.

A shard that cannot be read, or is changed meanwhile, is a problem and nothing of it is stored. Of a file that is
damaged in itself the part before the damage is kept, and the record says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol

from corpora.file_stat import FileStat, file_stat
from corpora.line_offsets import FileScan, scan_file
from corpora.problems import Problem, ReadLog, said
from corpora.shards import Shard
from corpora.streams import READ_ERRORS
from indexes.store import Recipe, ShardParameters, ShardWriter, Store, VersionShard
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress
from pipelines.threads import map_threads

WAIT_S: Final = 0.5  # between looks at what another builder does
MOST_WAIT_S: Final = 600.0  # for another builder's shard, then it is built here, too
CHANGED: Final = "it was changed while it was read"

Counts = dict[str, int | dict[str, int]]  # of a shard's record


class _UnreadError(Exception):
    """A shard cannot be read, or was changed meanwhile."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Maker(Protocol):
    """What is made of a shard for a store: an index, or a profile."""

    stage: str  # as a user is told
    recipe: Recipe

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Read a shard and write the files of it; return what was read, and counts for its record.

        `tell` is called now and then with what was read so far.
        """
        ...


class ShardBuilder:
    """Builds what a store lacks: shared by its threads; counts under a lock.

    Of the settings, `jobs` and `verify` bear on it.
    """

    def __init__(
        self,
        maker: Maker,
        store: Store,
        settings: IndexSettings,
        built: Built,
        progress: Callable[[Progress], None],
        refresh: Callable[[], None],
        most_wait_s: float = MOST_WAIT_S,
    ) -> None:
        self.maker = maker
        self.store = store
        self.settings = settings
        self.built = built
        self.progress = progress
        self.refresh = refresh
        self.most_wait_s = most_wait_s
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.done = 0

    def run(self, shards: Sequence[Shard]) -> dict[str, VersionShard]:
        """Build every shard; those that others are at come last."""
        versions: dict[str, VersionShard] = {}
        waiting: list[tuple[Shard, float]] = []

        def step(shard: Shard) -> None:
            entry = self._of(shard, wait_until=None)
            with self.lock:
                if entry is None:
                    waiting.append((shard, time.monotonic() + self.most_wait_s))
                elif isinstance(entry, Problem):
                    self.built.problems.append(entry)
                else:
                    versions[shard.path] = entry
                self.done += entry is not None
            self._tell()

        map_threads(
            step, sorted(shards, key=lambda s: -s.size_bytes), self.settings.jobs, self.stop
        )
        for shard, until in waiting:
            entry = self._of(shard, wait_until=until)
            if isinstance(entry, Problem):
                self.built.problems.append(entry)
            elif entry is not None:
                versions[shard.path] = entry
            self.done += 1
            self._tell()
        self.built.problems.sort(key=lambda problem: problem.shard)
        return versions

    def _of(self, shard: Shard, wait_until: float | None) -> VersionShard | Problem | None:
        """Return the entry of a shard, built where the store lacks it; None while another builds it."""
        try:
            stat = _stat(shard)
            scan: FileScan | None = None
            digest = None if self.settings.verify else self.store.seen.recognise(shard.path, stat)
            if digest is None:
                scan = _scan(shard)
                digest = scan.digest
                self.store.seen.remember(shard.path, stat, digest)
            entry = VersionShard.of(shard, self.maker.recipe, digest)
            if self._recognise(entry.key):
                return entry
            while True:
                with self.store.lease(entry.key) as lease:
                    if lease is not None or (wait_until and time.monotonic() > wait_until):
                        # Another may have built it since: a shard that is whole is never dropped.
                        if not self._recognise(entry.key):
                            self._drop_damaged(entry.key)
                            self._build(shard, stat, scan or _scan(shard), entry)
                        return entry
                if wait_until is None:
                    return None
                time.sleep(WAIT_S)
                if self._recognise(entry.key):
                    return entry
        except _UnreadError as error:
            return error.problem

    def _recognise(self, key: str) -> bool:
        """Tell whether the store has a shard, and all of it; count it if so."""
        if not self.store.has(key) or self._faults(key):
            return False
        read = self.store.record(key).read
        is_broken_off = any(problem.row is None for problem in read.problems)
        if is_broken_off and self.settings.verify:
            return False  # it may have been the disk: read it again
        with self.lock:
            self.built.recognised += 1
            self.built.bad_documents += read.bad_documents
            self.built.broken_off += is_broken_off
        return True

    def _faults(self, key: str) -> list[str]:
        return self.store.verify(key) if self.settings.verify else self.store.damaged(key)

    def _drop_damaged(self, key: str) -> None:
        """Remove what is damaged, so that it can be built again; only while the lease is ours."""
        if self.store.has(key):
            faults = self._faults(key)
            with self.lock:
                self.built.mended += faults[:1]
            self.store.drop(key)

    def _build(self, shard: Shard, stat: FileStat, scan: FileScan, entry: VersionShard) -> None:
        """Read a shard and write its index, unless the file was changed since it was looked at."""
        changed = Problem(shard.path, None, CHANGED, "build again when it is at rest")
        if scan.digest != entry.digest:
            raise _UnreadError(changed)
        parameters = ShardParameters.of(shard, self.maker.recipe)
        before: ReadLog | None = None
        while True:
            with self.store.write_shard(parameters, entry.digest) as writer:
                log, counts = self.maker.make(shard, scan, writer, self._go_on)
                if replace(_stat(shard), taken_ns=stat.taken_ns) != stat:
                    raise _UnreadError(changed)
                if _breaks_off(log) is None or _is_damage(log, before):
                    writer.finish(log, counts)
                    break
            before = self._tried(shard, log, before)
        with self.lock:
            self.built.built += 1
            self.built.documents += log.documents
            self.built.bytes += log.bytes
            self.built.bad_documents += log.bad_documents
            self.built.broken_off += _breaks_off(log) is not None

    def _tried(self, shard: Shard, log: ReadLog, before: ReadLog | None) -> ReadLog:
        """Return the log of a first try that broke off; of a second one that proves nothing, raise."""
        problem = _breaks_off(log)
        assert problem is not None
        if before is not None:
            mend = "read once more it broke off, too, but not as damage does: build again later"
            raise _UnreadError(replace(problem, mend=mend))
        self._go_on(log)
        return log

    def _go_on(self, log: ReadLog) -> None:
        """Tell how far a shard is; end its thread where another has failed."""
        if self.stop.is_set():
            raise KeyboardInterrupt
        self._tell(log)

    def _tell(self, log: ReadLog | None = None) -> None:
        self.refresh()
        documents = self.built.documents + (log.documents if log else 0)
        size = self.built.bytes + (log.bytes if log else 0)
        self.progress(Progress(self.maker.stage, self.done, self.built.shards, documents, size))


def _breaks_off(log: ReadLog) -> Problem | None:
    """Return why a shard was not read to its end."""
    return next((problem for problem in log.problems if problem.row is None), None)


def _is_damage(log: ReadLog, before: ReadLog | None) -> bool:
    """Tell whether a shard that broke off did so in the same way before, and not on the way to it.

    Only what is in the bytes themselves may be stored: it holds for as long as they do.
    """
    return log == before and not any(problem.may_pass for problem in log.problems)


def _stat(shard: Shard) -> FileStat:
    try:
        return file_stat(shard.path)
    except READ_ERRORS as error:
        raise _UnreadError(_unreadable(shard, error)) from error


def _scan(shard: Shard) -> FileScan:
    try:
        return scan_file(shard.path, shard.compression, shard.format)
    except READ_ERRORS as error:
        raise _UnreadError(_unreadable(shard, error)) from error


def _unreadable(shard: Shard, error: BaseException) -> Problem:
    reason = f"cannot be read: {said(error)}"
    return Problem(shard.path, None, reason, "check your access to it")
