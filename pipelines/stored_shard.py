"""A shard as an index store has it: what it nominates, and its documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from corpora.documents import BATCH_BYTES, Batch
from corpora.file_stat import file_stat
from corpora.line_offsets import LineOffsets, scan_file
from corpora.places import is_url
from corpora.problems import Problem, ReadLog, said
from corpora.rows import read_rows
from corpora.shards import Shard
from corpora.streams import READ_ERRORS, may_pass
from indexes.lookup import Queries, nominate
from indexes.segments import read_segment, rows_of
from indexes.store import ShardRecord, Store
from indexes.texts import TextsError, read_texts
from pipelines.shard_index import HOSTS_FILE, LINES_FILE, unpack_offsets
from pipelines.shard_step import HOSTS, Host, StepResult

CHANGED: Final = "it has changed since it was indexed"
REINDEX: Final = "build the index again"


@dataclass(frozen=True)
class StoredShard:
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
                rows.append(rows_of(segment, nominate(segment, queries)))
        return np.unique(np.concatenate(rows))

    def read(
        self, rows: np.ndarray, log: ReadLog, batch_bytes: int = BATCH_BYTES
    ) -> Iterator[Batch]:
        """Yield the documents of rows (int64, ascending): as they are kept, or from the file.

        A file that is not what was indexed is a problem in the log, and none of it is given. One that
        is no longer there, or cannot be looked at, is none where its texts are kept. Where no rows are
        asked for, a local file's size is compared.

        Raises:
            DamagedError, TextsError: where the store's files are damaged.
        """
        if len(rows) == 0:
            if self._is_resized():
                log.add(Problem(self.shard.path, None, CHANGED, REINDEX))
            return
        is_kept = self.record.parameters.recipe.texts is not None
        offsets = None if is_kept else self._offsets()
        if (problem := self.change()) is not None and not (is_kept and problem.may_pass):
            log.add(problem)
        elif is_kept:
            yield from self._kept(rows, log)
        else:
            yield from read_rows(self.shard, rows, offsets, log, batch_bytes=batch_bytes)

    def _kept(self, rows: np.ndarray, log: ReadLog) -> Iterator[Batch]:
        """Yield the documents that are kept beside the index, from the files that may hold some."""
        names = sorted(file.name for file in self.record.files if file.name.startswith("texts-"))
        first_rows = np.array([int(name[len("texts-") : -len(".bin")]) for name in names], np.int64)
        numbers = np.searchsorted(first_rows, rows, side="right") - 1
        found = 0
        for number in np.unique(numbers[numbers >= 0]).tolist():
            batch = read_texts(self.store.open_file(self.record, names[number]), rows, self.shard)
            if batch is not None:
                found += len(batch.rows)
                log.documents += len(batch.rows)
                yield batch
        if found != len(rows):
            raise TextsError(f"{len(rows) - found} documents are not among the texts that it keeps")

    def _offsets(self) -> LineOffsets | None:
        """Line offsets, for plain JSON lines."""
        if not any(file.name == LINES_FILE for file in self.record.files):
            return None
        data = self.store.open_file(self.record, LINES_FILE, checked=True)
        return unpack_offsets(data.to_pybytes())

    def result(self, *, draws: bool) -> StepResult:
        """Return what the build read and counted, and if asked for which documents it drew.

        Raises:
            DamagedError: where the store's file of drawn documents is damaged.
        """
        counts = self.record.counts
        drawn = []
        if draws:
            file = self.store.open_file(self.record, HOSTS_FILE, checked=True)
            drawn = json.loads(file.to_pybytes())
        return StepResult(
            self.shard,
            log=self.record.read.read_log(self.shard.path),
            words=int(counts["words"]),  # type: ignore[arg-type]
            domain_documents=dict(counts["domain_documents"]),  # type: ignore[arg-type]
            domain_bytes=dict(counts["domain_bytes"]),  # type: ignore[arg-type]
            hosts=[Host(rank, self.shard.path, row, "") for rank, row in drawn[:HOSTS]],
            digest=self.record.digest,
        )

    def _is_resized(self) -> bool:
        """Tell whether a local file is there in another size: what costs next to nothing to see."""
        with suppress(OSError):
            path = self.shard.path
            return not is_url(path) and file_stat(path).size_bytes != self.shard.size_bytes
        return False

    def change(self) -> Problem | None:
        """Return how the file differs from what was indexed; it is read again only where it may.

        By size and date, or ETag. What was read again and is the same is remembered.
        """
        path = self.shard.path
        try:
            stat = file_stat(path)
            if self.store.seen.recognise(path, stat) == self.record.digest:
                return None
            if stat.size_bytes != self.shard.size_bytes:
                return Problem(path, None, CHANGED, REINDEX)
            scan = scan_file(path, self.shard.compression, self.shard.format)
        except READ_ERRORS as error:
            mend = "check your access to it"
            return Problem(path, None, f"cannot be read: {said(error)}", mend, may_pass(error))
        if scan.digest != self.record.digest:
            return Problem(path, None, CHANGED, REINDEX)
        with suppress(OSError):  # a store that may only be read
            self.store.seen.remember(path, stat, scan.digest)
        return None
