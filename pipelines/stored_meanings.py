"""The items of a scan, looked up among the vectors that an index store has of a corpus.

Those of the static model are sought, as in the first stage of a scan, and those of the scan's transformer
where the store has any. What either nominates is read, and goes through all stages of the scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from corpora.normal_form import word_hashes
from indexes.embeddings.corpus_windows import EncodedWindows, StaticWindows, WindowModel
from indexes.embeddings.encoder import Encoder
from indexes.embeddings.item_search import whole_numbers
from indexes.embeddings.static import load_static
from indexes.store import Store, StoreError, VersionShard
from pipelines.embedding_look_up import Asked, StoredEmbeddings
from pipelines.shard_step import ScanPlan
from scanners.floors import LEAST_FLOOR, MOST_FLOOR, sibling_floor


class _LookUp(NamedTuple):
    """What is sought among the vectors of one model."""

    stored: StoredEmbeddings
    model: WindowModel
    asked: Asked


@dataclass(frozen=True, slots=True)
class StoredMeanings:
    """What the items of a scan mean, and where the store has the meanings of documents."""

    look_ups: tuple[_LookUp, ...]

    @staticmethod
    def find(
        store: Store, shards: Sequence[VersionShard], plan: ScanPlan, encoder: Encoder | None
    ) -> StoredMeanings:
        """Return what looks the items of a plan up among the vectors of shards.

        Raises:
            StoreError: the store lacks vectors of a shard, or they are of other models.
        """
        found = []
        reason: StoreError | None = None
        model: WindowModel = StaticWindows(load_static())
        try:
            stored = StoredEmbeddings.find(store, shards, model)
            found.append(_LookUp(stored, model, _asked_of_static(plan)))
        except StoreError as error:
            reason = error
        if encoder is not None:
            model = EncodedWindows(encoder)
            try:
                stored = StoredEmbeddings.find(store, shards, model)
                found.append(_LookUp(stored, model, _asked_of(encoder, plan)))
            except StoreError as error:
                reason = reason or error
        if not found:
            assert reason is not None, "nothing is found for a reason"
            raise reason
        return StoredMeanings(tuple(found))

    def rows(self, shard: VersionShard) -> np.ndarray:
        """Return the documents of a shard that may say what an item says: int64 rows, ascending.

        Raises:
            DamagedError: where a file of the store is not what was written.
        """
        rows = [stored.rows(shard, asked) for stored, _, asked in self.look_ups]
        return np.unique(np.concatenate(rows))

    def sieve(self, data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        """Tell which documents the store would nominate, had it their vectors: bool (documents,)."""
        chosen = np.zeros(len(bounds) - 1, np.bool_)
        for stored, model, asked in self.look_ups:
            chosen |= stored.sieve(asked, model, data, bounds)
        return chosen


def _asked_of_static(plan: ScanPlan) -> Asked:
    """Return what the first stage of a scan seeks, at its lowest floors."""
    assert plan.semantic is not None, "the embedding scanner is asked for"
    meant = plan.semantic.meant
    return Asked(meant.vectors, meant.floor, meant.words.astype(np.int64))


def _asked_of(encoder: Encoder, plan: ScanPlan) -> Asked:
    """Return the questions of items, each benchmark's at the floor that its siblings set."""
    vectors = encoder.encode([item.question for item in plan.items])
    item = np.arange(len(vectors), dtype=np.int32)
    floors = np.zeros(len(vectors), np.float32)
    for number in np.unique(plan.patterns.benchmark):
        mine = plan.patterns.benchmark == number
        siblings = sibling_floor(whole_numbers(vectors[mine]), item[mine])
        floors[mine] = np.clip(siblings, LEAST_FLOOR, MOST_FLOOR)
    n_words = np.array([len(word_hashes(item.question)) for item in plan.items], np.int64)
    return Asked(vectors, floors, n_words)
