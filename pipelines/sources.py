"""Where a scan takes documents from: the corpus itself, or an index store that knows which to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from corpora.file_stat import file_stat
from corpora.line_offsets import LineOffsets, scan_file
from corpora.problems import CorpusError, Problem, ReadLog, said
from corpora.rows import read_rows
from corpora.shards import Columns, Shard, resolve, split
from corpora.streams import READ_ERRORS
from indexes.background import load_background
from indexes.fingerprints import common_seeds, fingerprint
from indexes.lookup import Queries, build_queries, nominate
from indexes.ngram import LONG_WORDS
from indexes.segments import SegmentBuilder, SegmentError, read_segment
from indexes.store import DamagedError, Manifest, ShardRecord, Store, StoreError, VersionShard
from pipelines.index import HOSTS_FILE, LINES_FILE, recipe, unpack_offsets
from pipelines.settings import ScanSettings
from pipelines.shard_step import (
    HOSTS,
    MOST_HOST_CHARS,
    Host,
    ScanPlan,
    Sieve,
    StepResult,
    choose_examples,
    choose_hosts,
    scan_batch,
    scan_shard,
)
from scanners.fields import Role

CHANGED: Final = "it has changed since it was indexed"
REINDEX: Final = "build the index again"
TOO_SHORT: Final = (
    f"under {LONG_WORDS} words: an index store may not show it; scan the corpus for it"
)


class Source(Protocol):
    """What a scan reads: units of work, and documents for the calibration battery."""

    name: str

    def units(self) -> list[Shard]:
        """Return what steps are done for."""
        ...

    def step(self, unit: Shard, plan: ScanPlan, *, read_ahead: bool) -> Iterator[StepResult]:
        """Scan a unit; yields the same growing result."""
        ...

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Return the documents that leaks are planted into."""
        ...

    def sieve(self, plan: ScanPlan) -> Sieve | None:
        """Return what of a document decides whether it is read at all; None where all are."""
        ...

    def prepare(self, plan: ScanPlan) -> None:
        """Make what all steps share, before threads ask for it."""
        ...


class Corpus:
    """The shards of a corpus, all of which are read."""

    def __init__(self, corpus: Sequence[str], settings: ScanSettings) -> None:
        if settings.version is not None:
            raise CorpusError(
                f"version {settings.version!r} is one of an index store; name the store, too"
            )
        self.name = ", ".join(sorted(set(corpus)))
        self._settings = settings
        self._shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))

    def units(self) -> list[Shard]:
        """Return the shards, the large ones in parts."""
        return [part for shard in self._shards for part in split(shard, self._settings.part_bytes)]

    def step(self, unit: Shard, plan: ScanPlan, *, read_ahead: bool) -> Iterator[StepResult]:
        """Scan a shard or a part of one."""
        return scan_shard(unit, plan, batch_bytes=self._settings.batch_bytes, read_ahead=read_ahead)

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Return the documents that the steps drew."""
        return [host.text for host in choose_hosts([host for step in steps for host in step.hosts])]

    def sieve(self, _plan: ScanPlan) -> Sieve | None:
        """Return None: every document is read."""
        return None

    def prepare(self, _plan: ScanPlan) -> None:
        """Nothing is shared but the plan."""


class StoredVersion:
    """A corpus version in an index store: only nominated documents are read.

    Every document that shares a run of 13 words with an item is nominated (`indexes.lookup`), and
    what is read is examined as in a scan of the corpus.

    Raises:
        StoreError: where there is no such store or version, or it was made with another normal form.
    """

    def __init__(self, where: str, version: str | None, settings: ScanSettings) -> None:
        self.store = Store.open(where)
        self.manifest = _manifest(self.store, where, version)
        self.name = f"{self.manifest.name} ({where})"
        self._settings = settings
        self._entries = {entry.path: entry for entry in self.manifest.shards}
        self._queries: Queries | None = None

    def units(self) -> list[Shard]:
        """Return the shards of the version."""
        return [_shard(entry) for entry in self.manifest.shards]

    def step(self, unit: Shard, plan: ScanPlan, *, read_ahead: bool) -> Iterator[StepResult]:
        """Look a shard up and scan the documents that it nominates."""
        del read_ahead  # few documents are read
        entry = self._entries[unit.path]
        try:
            stored = _StoredShard(self.store, self.store.record(entry.key), unit)
            rows = stored.nominated(self._queries_of(plan))
            result = stored.result()
            offsets = stored.offsets if len(rows) else None
        except (DamagedError, SegmentError) as error:
            result = StepResult(unit)
            result.log.add(Problem(unit.path, None, f"its index is damaged: {error}", REINDEX))
            yield result
            return
        if len(rows) and (problem := stored.change()) is not None:
            result.log.add(problem)
            yield result
            return
        fetched = StepResult(unit)
        for batch in read_rows(
            unit, rows, offsets, fetched.log, batch_bytes=self._settings.batch_bytes
        ):
            scan_batch(batch, plan, fetched)
        result.places, result.fetched = fetched.places, fetched.log.documents
        result.examples = choose_examples(fetched.examples, plan)
        for problem in fetched.log.problems:
            result.log.add(problem)
        yield result

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Read the documents that the builds drew."""
        drawn = choose_hosts([host for step in steps for host in step.hosts])
        texts: list[str] = []
        for path in sorted({host.shard for host in drawn}):
            entry = self._entries[path]
            try:
                stored = _StoredShard(self.store, self.store.record(entry.key), _shard(entry))
                offsets = stored.offsets
            except DamagedError:
                continue  # of no concern but where something of it had to be read, and told there
            if stored.change() is not None:
                continue
            rows = np.array(sorted(host.row for host in drawn if host.shard == path), np.int64)
            for batch in read_rows(stored.shard, rows, offsets, ReadLog()):
                texts += [text[:MOST_HOST_CHARS] for text in batch.texts.to_pylist()]
        return texts

    def sieve(self, plan: ScanPlan) -> Sieve:
        """Return what nominates documents: their fingerprints, looked up as in the store."""
        queries = self._queries_of(plan)
        common = common_seeds(load_background())

        def nominated(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
            found, _ = fingerprint(data, bounds, common)
            rows = np.arange(len(bounds) - 1)
            chosen = np.zeros(len(rows), np.bool_)
            builder = SegmentBuilder()
            for packed in (*builder.add(found, rows), *builder.finish()):
                segment = read_segment(packed)
                chosen[segment.row[nominate(segment, queries)]] = True
            return chosen

        return nominated

    def prepare(self, plan: ScanPlan) -> None:
        """Sort the seeds of the items once, and name the items that the store may not show."""
        self._queries_of(plan)
        plan.reasons = tuple(
            reason or (TOO_SHORT if short else "")
            for reason, short in zip(plan.reasons, _too_short(plan), strict=True)
        )

    def _queries_of(self, plan: ScanPlan) -> Queries:
        if self._queries is None:
            patterns = plan.patterns
            self._queries = build_queries(patterns.index, patterns.weights, patterns.totals)
        return self._queries


@dataclass(frozen=True)
class _StoredShard:
    """A shard as the store has it."""

    store: Store
    record: ShardRecord
    shard: Shard

    def nominated(self, queries: Queries) -> np.ndarray:
        """Return the rows that any segment nominates: int64, ascending."""
        rows = [np.zeros(0, np.int64)]
        for file in self.record.files:
            if file.name.startswith("ngram-"):
                data = self.store.open_file(self.record, file.name, checked=True)
                segment = read_segment(data)
                rows.append(segment.row[nominate(segment, queries)])
        return np.unique(np.concatenate(rows))

    @cached_property
    def offsets(self) -> LineOffsets | None:
        """Line offsets, for plain JSON lines."""
        if not any(file.name == LINES_FILE for file in self.record.files):
            return None
        data = self.store.open_file(self.record, LINES_FILE, checked=True)
        return unpack_offsets(data.to_pybytes())

    def result(self) -> StepResult:
        """Return what the build read and counted."""
        counts = self.record.counts
        drawn = json.loads(self.store.open_file(self.record, HOSTS_FILE, checked=True).to_pybytes())
        return StepResult(
            self.shard,
            log=self.record.read.read_log(self.shard.path),
            words=int(counts["words"]),  # type: ignore[arg-type]
            domain_documents=dict(counts["domain_documents"]),  # type: ignore[arg-type]
            domain_bytes=dict(counts["domain_bytes"]),  # type: ignore[arg-type]
            hosts=[Host(rank, self.shard.path, row, "") for rank, row in drawn[:HOSTS]],
            digest=self.record.digest,
        )

    def change(self) -> Problem | None:
        """Return how the file differs from what was indexed; it is read again only where it may."""
        path = self.shard.path
        try:
            if self.store.recognise(path, file_stat(path)) == self.record.digest:
                return None
            scan = scan_file(path, self.shard.compression, self.shard.format)
        except READ_ERRORS as error:
            return Problem(path, None, f"cannot be read: {said(error)}", "check your access to it")
        return None if scan.digest == self.record.digest else Problem(path, None, CHANGED, REINDEX)


def _too_short(plan: ScanPlan) -> list[bool]:
    """Tell which items have no question, alone or with choices or answer, of 13 words."""
    owners = plan.patterns.owners
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    is_long = np.diff(plan.patterns.index.starts)[pattern] >= LONG_WORDS
    asks = np.isin(owners.role, (Role.QUESTION, Role.COMPOSITE))
    short = np.ones(len(plan.items), np.bool_)
    short[owners.item[is_long & asks]] = False
    result: list[bool] = short.tolist()
    return result


def _manifest(store: Store, where: str, version: str | None) -> Manifest:
    """Return a version, or the newest."""
    if version is not None:
        return store.version(version, recipe())
    manifests = [store.version(name) for name in store.versions()]
    if not manifests:
        raise StoreError(
            where,
            "no corpus version in it",
            "build one with: sluicegate index build CORPUS --store DIR",
        )
    newest = max(manifests, key=lambda manifest: (manifest.created, manifest.name))
    return store.version(newest.name, recipe())


def _shard(entry: VersionShard) -> Shard:
    columns = Columns(entry.columns.text, entry.columns.id, entry.columns.domain)
    return Shard(
        entry.path, entry.format, entry.compression, columns, entry.domain, entry.size_bytes
    )
