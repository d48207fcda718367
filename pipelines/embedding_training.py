"""What all indexes of a store's embeddings begin with: trained once, found again for every later version.

It lies in the store like a shard and is one more entry of the manifests of embeddings, which keeps it from
being pruned; the recipe of the shards names its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from corpora.documents import read_batches
from corpora.formats import Compression, Format
from corpora.normal_form import fingerprint
from corpora.problems import ReadLog
from corpora.shards import Columns, Shard
from indexes.embeddings.card import LEAST_AGREEMENT, agreement
from indexes.embeddings.corpus_index import SAMPLE_OF_A_LIST, lists_for, train_index
from indexes.embeddings.corpus_windows import WindowModel
from indexes.store import DamagedError, Manifest, Recipe, Store, StoreError, VersionShard
from pipelines.index import EMBEDDINGS
from pipelines.shard_step import text_buffers

SCHEME: Final = f"{EMBEDDINGS}1"  # raised when the same documents give other vectors
TRAINED: Final = "trained index"  # its path in manifests
TRAINED_FILE, PROBES_FILE = "trained.faiss", "probes.json"
SAMPLED_SHARDS: Final = 16
SAMPLED_BYTES: Final = 1 << 20  # of each
UNPACKED: Final = 4  # times the stored bytes of a packed shard, to guess how many windows it has

_RECIPE = re.compile(r"^(.*) trained=([0-9a-f]{64})$")


@dataclass(frozen=True, slots=True)
class Training:
    """The trained index that the shards of a recipe begin with, as the store has it."""

    recipe: Recipe
    entry: VersionShard  # of a manifest
    data: bytes

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the data."""
        return self.entry.digest


def _start(model: WindowModel, kind: str) -> str:
    """Return how the recipes of a model and a kind begin."""
    return f"{SCHEME} {model.identity} {kind}"


def _recipe(model: WindowModel, kind: str, digest: str) -> Recipe:
    return Recipe(normal_form=fingerprint(), fingerprints=f"{_start(model, kind)} trained={digest}")


def embedding_versions(store: Store) -> Iterator[Manifest]:
    """Yield the versions of embeddings, the newest first; damaged manifests are left out."""
    manifests = []
    for name in store.versions():
        try:
            manifest = store.version(name)
        except DamagedError:
            continue
        if manifest.recipe.fingerprints.startswith(EMBEDDINGS):
            manifests.append(manifest)
    yield from sorted(manifests, key=lambda m: (m.created, m.name), reverse=True)


def stored_training(store: Store, model: WindowModel, kind: str) -> Training | None:
    """Return what was trained for an earlier version; None where it is not there or damaged."""
    for manifest in embedding_versions(store):
        if manifest.recipe.normal_form != fingerprint():
            continue
        parts = _RECIPE.match(manifest.recipe.fingerprints)
        if parts is not None and parts[1] == _start(model, kind):
            try:
                return read_training(store, manifest, model)
            except DamagedError:
                continue
    return None


def read_training(store: Store, manifest: Manifest, model: WindowModel) -> Training:
    """Return what a version was trained with, held against its digest and the model's probes.

    Raises:
        DamagedError: it is missing or not what was written.
        StoreError: the model gives other vectors here.
    """
    if not any(entry.path == TRAINED for entry in manifest.shards):
        raise DamagedError(manifest.name, "names no trained index")
    return training_of(store, manifest.recipe, model, manifest.name)


def training_of(store: Store, recipe: Recipe, model: WindowModel, asked_by: str) -> Training:
    """Return what the vectors of a recipe begin with; `asked_by` is for errors.

    Raises:
        DamagedError: it is missing or not what was written.
        StoreError: the model is another, or gives other vectors here.
    """
    parts = _RECIPE.match(recipe.fingerprints)
    if parts is None or not parts[1].startswith(_start(model, "")):
        raise StoreError(
            asked_by,
            f"its vectors are not those of {model.name} as it is installed here",
            "install the same model, or build into another store",
        )
    digest = parts[2]
    key = _entry(recipe, digest, 0).key
    record = store.record(key)
    data = store.open_file(record, TRAINED_FILE, checked=True).to_pybytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise DamagedError(asked_by, "the trained index is another", key)
    probes = json.loads(store.open_file(record, PROBES_FILE, checked=True).to_pybytes())
    found = agreement(np.array(probes, np.float32), model.probes())
    if found < LEAST_AGREEMENT:
        raise StoreError(
            asked_by,
            f"its vectors agree with those that {model.name} gives here to {found:.4f} only",
            "another library or device made them: build into another store",
        )
    return Training(recipe, _entry(recipe, digest, len(data)), data)


def train(store: Store, shards: Sequence[Shard], model: WindowModel, kind: str) -> Training:
    """Train an index with a sample of a corpus, and put it into the store."""
    sample, lists = _sample(shards, model)
    data = train_index(sample, lists, kind)
    digest = hashlib.sha256(data).hexdigest()
    recipe = _recipe(model, kind, digest)
    entry = _entry(recipe, digest, len(data))
    if not store.has(entry.key) or store.verify(entry.key):
        store.drop(entry.key)
        with store.write_shard(entry.parameters(recipe), digest) as writer:
            writer.write(TRAINED_FILE, data)
            writer.write(PROBES_FILE, json.dumps(np.round(model.probes(), 6).tolist()).encode())
            writer.finish(ReadLog())
    return Training(recipe, entry, data)


def _entry(recipe: Recipe, digest: str, n_bytes: int) -> VersionShard:
    """Return the entry of a trained index in a manifest."""
    shard = Shard(TRAINED, Format.TEXT, Compression.NONE, Columns(), None, n_bytes)
    return VersionShard.of(shard, recipe, digest)


def _sample(shards: Sequence[Shard], model: WindowModel) -> tuple[np.ndarray, int]:
    """Return vectors to train with, float32 (n, d), and how many lists suit a shard of the corpus.

    From the beginnings of shards at equal distances; the order of arguments does not bear on it.
    """
    ordered = sorted(shards, key=lambda shard: shard.path)
    n = min(SAMPLED_SHARDS, len(ordered))
    chosen = [ordered[k * len(ordered) // n] for k in range(n)]
    found, read, guessed = [], 0, 0
    for shard in chosen:
        guessed += shard.size_bytes * (1 if _is_plain(shard) else UNPACKED)
        batch = next(read_batches(shard, ReadLog(), batch_bytes=SAMPLED_BYTES), None)
        if batch is not None:
            data, bounds = text_buffers(batch.texts)
            found.append(model.windows(data, bounds).vector)
            read += int(bounds[-1] - bounds[0])
    vectors = np.concatenate([np.zeros((0, model.dimension), np.float32), *found])
    if len(vectors) == 0:  # nothing to learn from: any centre will do
        return np.eye(1, model.dimension, dtype=np.float32), 1
    of_a_shard = len(vectors) * (guessed / max(n, 1)) / max(read, 1)
    lists = lists_for(int(of_a_shard))
    most = lists * SAMPLE_OF_A_LIST
    if len(vectors) > most:
        rows = np.random.default_rng(0).choice(len(vectors), most, replace=False)
        vectors = vectors[np.sort(rows)]
    return vectors, lists


def _is_plain(shard: Shard) -> bool:
    return shard.compression is Compression.NONE and shard.format is not Format.PARQUET
