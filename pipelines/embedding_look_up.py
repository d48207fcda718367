"""Looking items up among the vectors that an index store has of a corpus's windows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from corpora.normal_form import fingerprint
from indexes.embeddings.corpus_index import KINDS, CorpusIndex, IndexBuilder, VectorIndexError
from indexes.embeddings.corpus_windows import MARGIN, WindowModel
from indexes.store import (
    DamagedError,
    Manifest,
    Recipe,
    ShardRecord,
    Store,
    StoreError,
    VersionShard,
)
from pipelines.embedding_training import SCHEME, Training, embedding_versions, read_training

ERROR_UNIT: Final = 1e-9  # of the error in a shard's counts, which are whole numbers
WORDS_BITS: Final = 10
MOST_WORDS: Final = (1 << WORDS_BITS) - 1
APART: Final = 3  # times as many words, at most, of a window and of what it is held to say
BUILD: Final = "build them with: sluicegate index build CORPUS --store DIR --embeddings"


class Asked(NamedTuple):
    """What is looked up: vectors of items and the lowest cosine of each that counts in a scan."""

    vectors: np.ndarray  # float32 (n, dimension), of unit length
    floors: np.ndarray  # float32 (n,)
    words: np.ndarray  # int64 (n,), how many an item's text has


@dataclass(frozen=True, slots=True)
class StoredEmbeddings:
    """The vectors of a corpus version's shards, to be looked up."""

    store: Store
    recipe: Recipe
    trained: Training

    @staticmethod
    def find(store: Store, shards: Sequence[VersionShard], model: WindowModel) -> StoredEmbeddings:
        """Return the embeddings of all these shards by a model.

        Raises:
            StoreError: there are none, with the reason: another model, other shards, another library.
        """
        reason = ""
        # Exact codes before estimates, which have more documents read; then the newest first.
        for manifest in sorted(embedding_versions(store), key=_estimates):
            recipe = manifest.recipe
            if not recipe.fingerprints.startswith(f"{SCHEME} {model.identity} "):
                reason = (
                    reason or f"it has none by {model.name} ({model.identity}){_instead(recipe)}"
                )
                continue
            missing = [s for s in shards if not store.has(s.parameters(recipe).key(s.digest))]
            if not missing:
                return StoredEmbeddings(store, recipe, read_training(store, manifest, model))
            reason = f"those by {model.name} lack {missing[0].path}"
        reason = reason or "it has none of any"
        raise StoreError(store.folder.path("."), f"no embeddings of this version: {reason}", BUILD)

    def rows(self, shard: VersionShard, asked: Asked, *, exhaustive: bool = False) -> np.ndarray:
        """Return the documents of a shard that may hold what is asked: int64 rows, ascending.

        Raises:
            DamagedError: where a file is not what was written.
        """
        record = self.store.record(shard.parameters(self.recipe).key(shard.digest))
        error = count_of(record, "error") * ERROR_UNIT
        found = [np.zeros(0, np.int64)]
        for file in record.files:
            data = self.store.open_file(record, file.name)
            try:
                index = CorpusIndex(data, file.sha256, error=error)
            except VectorIndexError as reason:
                path = self.store.folder.path(f"shards/{record.key}/{file.stored_name}")
                raise DamagedError(path, f"is damaged: {reason}", record.key) from reason
            found.append(nominated(index, asked, exhaustive=exhaustive))
        return np.unique(np.concatenate(found))

    def sieve(
        self, asked: Asked, model: WindowModel, data: np.ndarray, bounds: np.ndarray
    ) -> np.ndarray:
        """Tell which documents an index of them would nominate: bool (documents,)."""
        builder = IndexBuilder(self.trained.data, self.trained.digest)
        windows = model.windows(data, bounds)
        builder.add(windows.vector, window_ids(windows.document, windows.words))
        packed = builder.to_bytes()
        index = CorpusIndex(packed, hashlib.sha256(packed).hexdigest(), error=builder.error)
        chosen = np.zeros(len(bounds) - 1, np.bool_)
        chosen[nominated(index, asked)] = True
        return chosen


def _estimates(manifest: Manifest) -> bool:
    """Tell whether a version's scores are estimates, by the kind that its recipe names."""
    kind = KINDS.get(manifest.recipe.fingerprints.split()[2])
    return kind is None or kind.estimate > 0


def _instead(recipe: Recipe) -> str:
    """Say what a version has instead of what is asked for."""
    if recipe.normal_form != fingerprint():
        return f", only of normal form {recipe.normal_form!r}, this is {fingerprint()!r}"
    return f", only by {recipe.fingerprints.split()[1]}"


def nominated(index: CorpusIndex, asked: Asked, *, exhaustive: bool = False) -> np.ndarray:
    """Return the documents that anything asked nominates: int64, ascending.

    By windows of a third to three times as many words: others may be as near by chance, and a
    scan does not look at them either.
    """
    floors = np.maximum(asked.floors - MARGIN, 0)
    sought = np.flatnonzero(floors <= 1)  # a floor above is one that nothing reaches
    query, ids = index.nominate(asked.vectors[sought], floors[sought], exhaustive=exhaustive)
    wanted, has = asked.words[sought][query], ids & MOST_WORDS
    fits = (has >= np.minimum(wanted, MOST_WORDS) // APART) & (has <= APART * wanted)
    return np.unique(ids[fits] >> WORDS_BITS)


def window_ids(rows: np.ndarray, n_words: np.ndarray) -> np.ndarray:
    """Return what FAISS names windows by: the document's row and, in 10 bits, the window's words."""
    return (rows.astype(np.int64) << WORDS_BITS) | np.minimum(n_words, MOST_WORDS)


def count_of(record: ShardRecord, name: str) -> int:
    """Return a number that a shard's record has."""
    count = record.counts[name]
    assert isinstance(count, int), f"{name} is one number"
    return count
