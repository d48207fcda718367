"""The step of a check through an index store: some shards in, what each nominates and holds out.

A group of shards goes through each part of the work together: their records are read, then their
fingerprints are looked up, then the nominated documents are read and searched. Of a shard there are a
handful, and whatever is done once for a batch would cost more than searching them; and the little that the
interpreter does for a shard takes several times as long between two walks through megabytes, which
leave nothing of it in the processor's caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from corpora.documents import Batch
from corpora.problems import Problem, ReadLog
from corpora.shards import Shard
from indexes.fingerprints import Fingerprints
from indexes.lookup import Queries, nominate
from indexes.segments import SegmentBuilder, SegmentError, read_segment
from indexes.store import DamagedError, Store, VersionShard
from indexes.store.checksums import quick_checksum
from indexes.texts import TextsError
from pipelines.shard_step import ScanPlan, StepResult, choose_examples, search_batches
from pipelines.stored_meanings import StoredMeanings
from pipelines.stored_shard import REINDEX, StoredShard

GROUPS_OF_A_THREAD: Final = (
    4  # so that threads end together; smaller ones cost more than that saves
)
MOST_SHARDS: Final = 32  # of a group: progress is told after each
DAMAGE: Final = (DamagedError, SegmentError, TextsError)

T = TypeVar("T")
R = TypeVar("R")


def groups(shards: Sequence[Shard], jobs: int) -> list[list[Shard]]:
    """Share shards out to steps, near ones together."""
    size = max(1, min(MOST_SHARDS, len(shards) // (GROUPS_OF_A_THREAD * jobs)))
    return [list(shards[first : first + size]) for first in range(0, len(shards), size)]


def warm_up(queries: Queries) -> None:
    """Load the kernels of a look-up before threads ask for them, as `pipelines.shard_step.warm_up` does."""
    builder = SegmentBuilder()
    one = np.zeros(1, np.int64)
    found = Fingerprints(one.astype(np.uint64), one.astype(np.uint32), one)
    for packed in (*builder.add(found, one), *builder.finish()):
        quick_checksum(packed)
        nominate(read_segment(packed), queries)


class StoredStep:
    """Looks groups of shards up; shared by threads.

    `entries` are those of the version by path, `meanings` what the embedding scanner nominates by;
    `draws` asks for the documents that the builds drew, for a calibration battery.
    """

    def __init__(
        self,
        store: Store,
        entries: dict[str, VersionShard],
        queries: Queries,
        meanings: StoredMeanings | None,
        batch_bytes: int,
        *,
        draws: bool,
    ) -> None:
        self._store = store
        self._entries = entries
        self._queries = queries
        self._meanings = meanings
        self._batch_bytes = batch_bytes
        self._draws = draws

    def run(self, shards: Sequence[Shard], plan: ScanPlan) -> Iterator[list[StepResult]]:
        """Yield the growing results of shards, one each; the last ones are whole.

        A shard whose index is damaged gives nothing but the problem.
        """
        results = [StepResult(shard) for shard in shards]
        found = [StepResult(shard) for shard in shards]
        held: list[tuple[Batch, StepResult]] = []
        held_bytes = 0

        def give_up(number: int, error: Exception) -> None:
            nonlocal held
            held = [(batch, result) for batch, result in held if result is not found[number]]
            results[number], found[number] = StepResult(shards[number]), StepResult(shards[number])
            results[number].log.add(damage_of(shards[number], error))

        stored = _each(dict(enumerate(shards)), self._stored, give_up)
        told = _each(stored, lambda shard: shard.result(draws=self._draws), give_up)
        for number, result in told.items():
            results[number] = result
        nominated = _each({number: stored[number] for number in told}, self._nominated, give_up)
        for number, rows in nominated.items():
            try:
                for batch in stored[number].read(rows, found[number].log, self._batch_bytes):
                    held.append((batch, found[number]))
                    held_bytes += batch.texts.nbytes
                    if held_bytes >= self._batch_bytes:
                        _search(held, plan)
                        held, held_bytes = [], 0
                        yield [_joined(*pair) for pair in zip(results, found, strict=True)]
            except DAMAGE as error:
                give_up(number, error)
        if held:
            _search(held, plan)
        for result in found:
            result.examples = choose_examples(result.examples, plan)
        yield [_joined(*pair) for pair in zip(results, found, strict=True)]

    def _stored(self, shard: Shard) -> StoredShard:
        return StoredShard(self._store, self._store.record(self._entries[shard.path].key), shard)

    def _nominated(self, stored: StoredShard) -> np.ndarray:
        rows = stored.nominated(self._queries)
        if self._meanings is not None:
            rows = np.union1d(rows, self._meanings.rows(self._entries[stored.shard.path]))
        return rows


def _each(
    values: dict[int, T], do: Callable[[T], R], give_up: Callable[[int, Exception], None]
) -> dict[int, R]:
    """Return what is done with each value; where that is damaged, it is told and left out."""
    done: dict[int, R] = {}
    for number, value in values.items():
        try:
            done[number] = do(value)
        except DAMAGE as error:
            give_up(number, error)
    return done


def damage_of(shard: Shard, error: Exception) -> Problem:
    """Return that the index of a shard is damaged, as a problem of the whole file."""
    return Problem(shard.path, None, f"its index is damaged: {error}", REINDEX)


def _search(held: Sequence[tuple[Batch, StepResult]], plan: ScanPlan) -> None:
    search_batches([batch for batch, _ in held], plan, [result for _, result in held])


def _joined(result: StepResult, found: StepResult) -> StepResult:
    """Return what the build read and counted, with what was found now."""
    log = ReadLog()
    log.merge(result.log)
    for problem in found.log.problems:
        log.add(problem)
    return replace(
        result, places=found.places, examples=found.examples, fetched=found.log.documents, log=log
    )
