"""Building an index store: each shard once, under the hash of its content and of the parameters.

    plan:  resolve the corpus
    map:   one step per shard: recognise it, or read it and write its fingerprints into the store
    merge: the manifest of the version, once every shard is there

A shard that cannot be read leaves the version without a manifest: what was not read must not pass for
checked. What was built stays, so a later build does the rest only. Of a file that is damaged in itself
the part before the damage is indexed, and the record says so: a scan of the version is incomplete.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Final, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from corpora.documents import read_batches
from corpora.file_stat import FileStat, file_stat, identity
from corpora.line_offsets import FileScan, LineOffsets, scan_file
from corpora.normal_form import fingerprint as normal_form
from corpora.problems import Problem, ReadLog, said
from corpora.shards import Columns, Shard, resolve
from corpora.streams import READ_ERRORS
from indexes import texts
from indexes.background import load_background
from indexes.fingerprints import common_seeds, fingerprint, scheme_of
from indexes.segments import SegmentBuilder
from indexes.store import (
    Manifest,
    Recipe,
    ShardParameters,
    ShardWriter,
    Store,
    StoreError,
    VersionShard,
    version_name,
)
from indexes.store.names import version_file
from pipelines.mapping import Progress
from pipelines.shard_step import StepResult, count_domains, draw_hosts, read_ahead_of, text_buffers
from pipelines.threads import map_threads

SEGMENT_FILE: Final = "ngram-{:05}.bin"
TEXTS_FILE: Final = "texts-{:020}.bin"  # first row
LINES_FILE: Final = "lines.npy"
HOSTS_FILE: Final = "hosts.json"
WAIT_S: Final = 0.5  # between looks at what another builder does
MOST_WAIT_S: Final = 600.0  # for another builder's shard, then it is built here, too
CHANGED: Final = "it was changed while it was read"
# What the recipes of profiles (pipelines.stored_profiles) begin with where others name fingerprints.
PROFILES: Final = "profile/"
EMBEDDINGS: Final = "embedding/"  # the same of pipelines.embedding_training
SIGNATURES: Final = "signatures/"  # the same of pipelines.stored_signatures

Counts = dict[str, int | dict[str, int]]  # of a shard's record


class IndexSettings(BaseModel):
    """Settings of a build; an unknown name is an error. `jobs` and `batch_bytes` change speed only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)
    id: str | None = "id"
    domain: str | None = "domain"
    name: str | None = None  # of the version; made from the arguments and the content if None
    keep_text: bool = False  # a packed copy of the documents: checking reads no corpus
    verify: bool = False  # read every shard and every stored file again
    jobs: int = Field(default=1, ge=1)
    batch_bytes: int = Field(default=8 << 20, ge=1)


@dataclass(slots=True)
class Built:
    """What a build did: the manifest (None where something could not be read) and counts."""

    store: str
    manifest: Manifest | None = None
    shards: int = 0
    built: int = 0
    recognised: int = 0  # neither read nor built
    documents: int = 0  # of what was built
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)  # shards that could not be read at all
    bad_documents: int = 0  # of the version, whenever they were met
    broken_off: int = 0  # shards of the version that are damaged: the rest of each was not read
    mended: list[str] = field(default_factory=list)  # damage that was found and built anew
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Tell whether a version was written and all its documents could be read."""
        return self.manifest is not None and self.bad_documents == 0 and self.broken_off == 0


def recipe(*, keep_text: bool = False) -> Recipe:
    """Return what is made of text: of fingerprints the same for building and for looking up."""
    return Recipe(
        normal_form=normal_form(),
        fingerprints=scheme_of(load_background()),
        texts=texts.SCHEME if keep_text else None,
    )


def is_index(manifest: Manifest) -> bool:
    """Tell whether a version of a store is one of indexes, not of what lies beside them."""
    return not manifest.recipe.fingerprints.startswith((PROFILES, EMBEDDINGS, SIGNATURES))


def build_index(
    corpus: Sequence[str],
    where: str,
    settings: IndexSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Build what the store lacks of a corpus, and write the manifest of its version.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where there is something else at `where`, or a version of this name.
        OSError: where the store cannot be written, with nothing half-written.
    """
    started = time.monotonic()
    if settings.name is not None:
        version_file(settings.name)  # refuses before the work what cannot name a version
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    refuse_store_within(corpus, shards, where)
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        maker = _Index(settings)
        builder = ShardBuilder(maker, store, settings, built, progress, lease.refresh)
        versions = builder.run(shards)
        if not built.problems:
            entries = tuple(versions[shard.path] for shard in shards)
            manifest = Manifest(
                name=settings.name or version_name(corpus, entries),
                created=datetime.now(UTC),
                tool_version=tool_version,
                recipe=maker.recipe,
                shards=entries,
            )
            built.manifest = store.write_version(manifest)
    built.seconds = round(time.monotonic() - started, 3)
    return built


def build_shards(
    shards: Sequence[Shard],
    where: str,
    settings: IndexSettings,
    *,
    most_wait_s: float = MOST_WAIT_S,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Build what the store lacks of some shards; `build_index` then writes the manifest of them all.

    `most_wait_s`: for a shard that another builder is at, then it is built here, too.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where there is something else at `where`.
        OSError: where the store cannot be written, with nothing half-written.
    """
    started = time.monotonic()
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        ShardBuilder(
            _Index(settings), store, settings, built, progress, lease.refresh, most_wait_s
        ).run(shards)
    built.seconds = round(time.monotonic() - started, 3)
    return built


def refuse_store_within(corpus: Sequence[str], shards: Sequence[Shard], where: str) -> None:
    """Refuse a store in a folder of the corpus: the next build would index the files of the store."""
    store = _as_folder(where)
    is_within = any(store.startswith(_as_folder(argument)) for argument in corpus)
    holds = any(identity(shard.path).startswith(store) for shard in shards)
    if where and (is_within or holds):
        raise StoreError(where, "this folder lies within the corpus", "name one outside of it")


def _as_folder(where: str) -> str:
    return identity(where.partition("?")[0]).rstrip("/") + "/"


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
            digest = None if self.settings.verify else self.store.recognise(shard.path, stat)
            if digest is None:
                scan = _scan(shard)
                digest = scan.digest
                self.store.remember(shard.path, stat, digest)
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


class _Index:
    """Makes the index of a shard."""

    stage = "indexing"

    def __init__(self, settings: IndexSettings) -> None:
        self.settings = settings
        self.recipe = recipe(keep_text=settings.keep_text)
        self.common = common_seeds(load_background())

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Write fingerprints, line offsets and drawn documents."""
        result = StepResult(shard)
        self._fingerprint(shard, writer, result, scan.digest, tell)
        if scan.offsets is not None:
            writer.write(LINES_FILE, pack_offsets(scan.offsets))
        hosts = [[host.rank, host.row] for host in result.hosts]
        writer.write(HOSTS_FILE, json.dumps(hosts).encode())
        counts: Counts = {
            "words": result.words,
            "domain_documents": dict(sorted(result.domain_documents.items())),
            "domain_bytes": dict(sorted(result.domain_bytes.items())),
        }
        return result.log, counts

    def _fingerprint(
        self,
        shard: Shard,
        writer: ShardWriter,
        result: StepResult,
        digest: str,
        tell: Callable[[ReadLog], None],
    ) -> None:
        # Documents are drawn by content: the same file at another path gives the same bytes.
        drawn_as = replace(shard, path=digest)
        builder = SegmentBuilder()
        keeper = texts.TextsBuilder() if self.settings.keep_text else None
        n_segments = 0
        batches = read_batches(shard, result.log, batch_bytes=self.settings.batch_bytes)
        for batch in read_ahead_of(batches) if self.settings.jobs > 1 else batches:
            data, bounds = text_buffers(batch.texts)
            found, words = fingerprint(data, bounds, self.common)
            result.words += words
            count_domains(batch, bounds, result)
            draw_hosts(replace(batch, shard=drawn_as), bounds, result)
            for segment in builder.add(found, batch.rows):
                writer.write(SEGMENT_FILE.format(n_segments), segment)
                n_segments += 1
            for first_row, kept in () if keeper is None else keeper.add(batch):
                writer.write(TEXTS_FILE.format(first_row), kept)
            tell(result.log)
        for segment in builder.finish():
            writer.write(SEGMENT_FILE.format(n_segments), segment)
            n_segments += 1
        for first_row, kept in () if keeper is None else keeper.finish():
            writer.write(TEXTS_FILE.format(first_row), kept)


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


def pack_offsets(offsets: LineOffsets) -> bytes:
    """Return line offsets as the bytes of a file."""
    file = BytesIO()
    np.save(file, np.stack([offsets.rows, offsets.starts]).astype("<i8"), allow_pickle=False)
    return file.getvalue()


def unpack_offsets(data: bytes) -> LineOffsets:
    """Return the line offsets of a file."""
    rows, starts = np.load(BytesIO(data), allow_pickle=False)
    return LineOffsets(rows, starts)
