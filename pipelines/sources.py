"""Where a scan takes documents from: the corpus itself, or an index store that knows which to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from corpora.benchmarks import Benchmark
from corpora.problems import CorpusError, ReadLog
from corpora.shards import Columns, Shard, resolve, split
from indexes.background import load_background
from indexes.fingerprints import common_seeds, fingerprint
from indexes.lookup import Queries, build_queries, nominate
from indexes.ngram import LONG_WORDS, rare_places
from indexes.segments import SegmentBuilder, read_segment
from indexes.shown import TRIALS, shown_copies
from indexes.store import Manifest, Store, StoreError, VersionShard
from pipelines.index import is_index
from pipelines.plan_cache import Prepared, prepared
from pipelines.settings import ScanSettings
from pipelines.shard_index import recipe
from pipelines.shard_step import (
    MOST_HOST_CHARS,
    ScanPlan,
    Sieve,
    StepResult,
    choose_hosts,
    scan_shard,
)
from pipelines.stored_batteries import StoredBattery, stored_battery
from pipelines.stored_meanings import StoredMeanings
from pipelines.stored_shard import StoredShard
from pipelines.stored_step import DAMAGE, StoredStep, groups, warm_up
from scanners.examine import EMBEDDING
from scanners.fields import Role
from scanners.least import least_units
from scanners.patterns import Patterns, build_patterns

HIDDEN: Final = f"under {LONG_WORDS} words: an index store shows about "  # so the reason begins
TOO_SHORT: Final = HIDDEN + "{} in 10 copies of it; scan the corpus for it"


class Source(Protocol):
    """What a scan reads: units of work, and documents for the calibration battery."""

    name: str

    def units(self) -> list[list[Shard]]:
        """Return what steps are done for: shards, or parts of them."""
        ...

    def step(
        self, unit: Sequence[Shard], plan: ScanPlan, *, read_ahead: bool
    ) -> Iterator[list[StepResult]]:
        """Scan a unit; yields the growing results of its shards."""
        ...

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Return the documents that leaks are planted into."""
        ...

    def battery(
        self, steps: Sequence[StepResult], plan: ScanPlan, asked: Sequence[str], tool_version: str
    ) -> StoredBattery | None:
        """Return where the calibration battery with these hosts is kept, if anywhere."""
        ...

    def sieve(self, plan: ScanPlan) -> Sieve | None:
        """Return what of a document decides whether it is read at all; None where all are."""
        ...

    def patterns(self, benchmarks: Sequence[Benchmark]) -> Patterns:
        """Return what is searched for."""
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

    def units(self) -> list[list[Shard]]:
        """Return the shards, the large ones in parts."""
        return [
            [part] for shard in self._shards for part in split(shard, self._settings.part_bytes)
        ]

    def step(
        self, unit: Sequence[Shard], plan: ScanPlan, *, read_ahead: bool
    ) -> Iterator[list[StepResult]]:
        """Scan a shard or a part of one."""
        batch_bytes = self._settings.batch_bytes
        for shard in unit:
            for result in scan_shard(shard, plan, batch_bytes=batch_bytes, read_ahead=read_ahead):
                yield [result]

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Return the documents that the steps drew."""
        return [host.text for host in choose_hosts([host for step in steps for host in step.hosts])]

    def battery(
        self, _steps: Sequence[StepResult], _plan: ScanPlan, _asked: Sequence[str], _version: str
    ) -> StoredBattery | None:
        """Return None: there is no store."""
        return None

    def sieve(self, _plan: ScanPlan) -> Sieve | None:
        """Return None: every document is read."""
        return None

    def patterns(self, benchmarks: Sequence[Benchmark]) -> Patterns:
        """Return the items as patterns."""
        return build_patterns(benchmarks, load_background())

    def prepare(self, _plan: ScanPlan) -> None:
        """Nothing is shared but the plan."""


class StoredVersion:
    """A corpus version in an index store: only nominated documents are read.

    Every document that shares a run of 13 words with an item is nominated (`indexes.lookup`), and,
    with the embedding scanner, those with a window that may say what an item says. What is read is
    examined as in a scan of the corpus.

    Raises:
        StoreError: where there is no such store or version, or it was made with another normal form.
    """

    def __init__(self, where: str, version: str | None, settings: ScanSettings) -> None:
        self.store = Store.open(where)
        self.manifest = _manifest(self.store, where, version)
        self.name = f"{self.manifest.name} ({where})"
        self._settings = settings
        self._entries = {entry.path: entry for entry in self.manifest.shards}
        self._made: Prepared | None = None  # of the patterns of the plan
        self._meanings: StoredMeanings | None = None

    def shards(self) -> list[Shard]:
        """Return the shards of the version."""
        return [_shard(entry) for entry in self.manifest.shards]

    def units(self) -> list[list[Shard]]:
        """Return the shards of the version, some to each step."""
        return groups(self.shards(), self._settings.jobs)

    def step(
        self, unit: Sequence[Shard], plan: ScanPlan, *, read_ahead: bool
    ) -> Iterator[list[StepResult]]:
        """Look shards up and scan the documents that they nominate."""
        del read_ahead  # few documents are read
        batch_bytes = self._settings.batch_bytes
        queries = self._queries_of(plan)
        # A battery plants into them, and the audit of the embedding scanner reads them.
        draws = self._settings.calibration != "off" or plan.semantic is not None
        step = StoredStep(
            self.store, self._entries, queries, self._meanings, batch_bytes, draws=draws
        )
        return step.run(unit, plan)

    def hosts(self, steps: Sequence[StepResult]) -> list[str]:
        """Read the documents that the builds drew."""
        drawn = choose_hosts([host for step in steps for host in step.hosts])
        texts: list[str] = []
        for path in sorted({host.shard for host in drawn}):
            try:
                stored = self._stored(_shard(self._entries[path]))
                rows = np.array(sorted(host.row for host in drawn if host.shard == path), np.int64)
                for batch in stored.read(rows, ReadLog()):
                    texts += [text[:MOST_HOST_CHARS] for text in batch.texts.to_pylist()]
            except DAMAGE:
                continue  # of no concern but where something of it had to be read, and told there
        return texts

    def _stored(self, shard: Shard) -> StoredShard:
        return StoredShard(self.store, self.store.record(self._entries[shard.path].key), shard)

    def battery(
        self, steps: Sequence[StepResult], plan: ScanPlan, asked: Sequence[str], tool_version: str
    ) -> StoredBattery | None:
        """Return where the battery is kept; its documents are told without reading them."""
        drawn = choose_hosts([host for step in steps for host in step.hosts])
        hosts = ((self._entries[host.shard].key, host.row) for host in drawn)
        return stored_battery(self.store, plan, hosts, asked, tool_version)

    def sieve(self, plan: ScanPlan) -> Sieve:
        """Return what nominates documents: fingerprints and vectors, looked up as in the store."""
        queries, meanings = self._queries_of(plan), self._meanings
        common = common_seeds(load_background())

        def nominated(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
            found, _ = fingerprint(data, bounds, common)
            rows = np.arange(len(bounds) - 1)
            chosen = np.zeros(len(rows), np.bool_)
            builder = SegmentBuilder()
            for packed in (*builder.add(found, rows), *builder.finish()):
                segment = read_segment(packed)
                chosen[segment.row[nominate(segment, queries)]] = True
            return chosen if meanings is None else chosen | meanings.sieve(data, bounds)

        return nominated

    def patterns(self, benchmarks: Sequence[Benchmark]) -> Patterns:
        """Return the items as patterns, and sort their seeds; both are kept for later runs."""

        def prepare() -> Prepared:
            patterns = build_patterns(benchmarks, load_background())
            return Prepared(patterns, _queries(patterns))

        made = prepared(benchmarks, prepare)
        self._made = made
        return made.patterns

    def prepare(self, plan: ScanPlan) -> None:
        """Name the items that the store may not show, and load the kernels of a look-up.

        Raises:
            StoreError: the embedding scanner is asked for, and the store has no vectors for it.
        """
        if EMBEDDING in plan.scanners and self._meanings is None:
            shards = self.manifest.shards
            self._meanings = StoredMeanings.find(self.store, shards, plan, plan.encoder)
        warm_up(self._queries_of(plan))
        plan.reasons = tuple(
            reason or short
            for reason, short in zip(plan.reasons, _too_short(plan.patterns), strict=True)
        )

    def _queries_of(self, plan: ScanPlan) -> Queries:
        if self._made is None or self._made.patterns is not plan.patterns:
            self._made = Prepared(plan.patterns, _queries(plan.patterns))
        return self._made.queries


def _queries(patterns: Patterns) -> Queries:
    common = common_seeds(load_background())
    return build_queries(patterns.index, patterns.weights, least_units(patterns), common)


def _too_short(patterns: Patterns) -> list[str]:
    """Say of each item why the store may not show a copy of it; "" where it shows all that were tried.

    A question, alone or with choices or answer, of 13 words is always shown.
    """
    owners, index = patterns.owners, patterns.index
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    asks = np.isin(owners.role, (Role.QUESTION, Role.COMPOSITE))
    shown = np.zeros(len(patterns.benchmark), np.int64)
    lengths = np.diff(index.starts)[pattern]
    np.maximum.at(shown, owners.item[asks & (lengths >= LONG_WORDS)], TRIALS)
    rows = np.flatnonzero(asks & (shown[owners.item] == 0))
    counts = rare_places(index) & np.repeat(
        least_units(patterns) <= patterns.totals, np.diff(index.starts)
    )
    places = [np.arange(index.starts[p], index.starts[p + 1]) for p in pattern[rows].tolist()]
    at = np.concatenate([np.zeros(0, np.int64), *places])
    starts = np.concatenate([[0], np.cumsum(lengths[rows])])
    common = common_seeds(load_background())
    copies = shown_copies(index.words[at], starts, counts[at], common)
    np.maximum.at(shown, owners.item[rows], copies)
    tenths = (10 * shown // TRIALS).tolist()
    return ["" if tenth == 10 else TOO_SHORT.format(tenth) for tenth in tenths]


def _manifest(store: Store, where: str, version: str | None) -> Manifest:
    """Return a version, or the newest."""
    if version is not None:
        return store.version(version, recipe())
    manifests = [
        manifest for manifest in map(store.version, store.versions()) if is_index(manifest)
    ]
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
        entry.path, entry.format, entry.compression, columns, entry.domain, entry.size_bytes,
        filters=entry.filters,
    )  # fmt: skip
