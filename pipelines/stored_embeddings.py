"""Vectors of a corpus's windows in the index store, so that new benchmarks are sought without the corpus.

They lie beside the indexes of shards, under the hash of the shard's content, of the model and of what was
trained. A version of embeddings has a manifest of its own, so `index list`, `verify` and `prune` work as
for indexes. What all shards share, the trained index, is one more entry of that manifest: made once, from
a sample of the first corpus, and used again for every later version, whose unchanged shards are so
recognised.

A scan looks the items up and reads the documents that are nominated. They are examined like those of any
scan, where windows are cut to the items' lengths and cosines are exact, before any threshold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from corpora.documents import read_batches
from corpora.line_offsets import FileScan
from corpora.problems import ReadLog
from corpora.shards import Columns, Shard, resolve
from indexes.embeddings.corpus_index import IndexBuilder
from indexes.embeddings.corpus_windows import EncodedWindows, StaticWindows, WindowModel
from indexes.embeddings.encoder import load_encoder
from indexes.embeddings.model_files import PACKAGED
from indexes.embeddings.static import load_static
from indexes.store import Manifest, Recipe, ShardWriter, Store, version_name
from pipelines.embedding_look_up import ERROR_UNIT, count_of, window_ids
from pipelines.embedding_training import TRAINED, Training, stored_training, train, training_of
from pipelines.index import refuse_store_within
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress
from pipelines.settings import Device
from pipelines.shard_builder import MOST_WAIT_S, Counts, ShardBuilder
from pipelines.shard_step import text_buffers

STATIC: Final = "static"  # the model that ships
NAME_PREFIX: Final = "embedding-"
MOST_NAME_CHARS: Final = 100
VECTORS_FILE: Final = "vectors-{:05}.faiss"
FILE_VECTORS: Final = 1 << 20  # from which a shard has one more file: what a build keeps in memory


class EmbeddingSettings(IndexSettings):
    """Settings of a build of embeddings; of an index's, `keep_text` and `name` do not bear on them."""

    embedding_model: str = STATIC  # or a sentence-transformers model, by name or folder
    device: Device = "auto"
    codes: Literal["sq8", "rabitq"] = "sq8"  # of `indexes.embeddings.corpus_index.KINDS`


@lru_cache(maxsize=1)  # a step of a flow embeds some shards: its process loads the model once
def window_model(model: str, device: str) -> WindowModel:
    """Return the model of a name: "static", or a sentence-transformers model by name or folder.

    Raises:
        EncoderError: the model, the device or a library is missing.
    """
    if model == STATIC:
        return StaticWindows(load_static())
    return EncodedWindows(load_encoder(None if model == PACKAGED else model, device))


def trained_recipe(shards: Sequence[Shard], where: str, model: WindowModel, kind: str) -> Recipe:
    """Return the recipe of vectors, after training an index for them where the store has none.

    Raises:
        StoreError: where the store cannot be used, or has vectors of this model by another library.
        OSError: where the store cannot be written.
    """
    store = Store.open(where, create=True)
    with store.building():
        return (stored_training(store, model, kind) or train(store, shards, model, kind)).recipe


def embed_shards(
    shards: Sequence[Shard],
    where: str,
    settings: IndexSettings,
    model: WindowModel,
    recipe: Recipe,
    *,
    most_wait_s: float = MOST_WAIT_S,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Embed what the store lacks of some shards; `build_embeddings` then writes the manifest of them all.

    Args:
        shards: whole files.
        where: the store.
        settings: how shards are read.
        model: gives the vectors.
        recipe: that of `trained_recipe`.
        most_wait_s: for a shard that another builder is at, then it is embedded here, too.
        progress: called as the build goes on.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where the store cannot be used, or the model is another than the recipe's.
        EncoderError: where FAISS is missing.
        OSError: where the store cannot be written, with nothing half-written.
    """
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        maker = _Maker(model, training_of(store, recipe, model, where), settings)
        ShardBuilder(maker, store, settings, built, progress, lease.refresh, most_wait_s).run(
            shards
        )
    return built


def build_embeddings(
    corpus: Sequence[str],
    where: str,
    settings: IndexSettings,
    model: WindowModel,
    *,
    kind: str = "sq8",
    recipe: Recipe | None = None,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Embed what the store lacks of a corpus, and write the manifest of the version of embeddings.

    `kind` is one of `indexes.embeddings.corpus_index.KINDS`; `recipe` is that of `trained_recipe`, None
    where it was not called. Of the settings, `keep_text` and `name` do not bear on embeddings.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where there is something else at `where`, or what is stored of this model was made
            by a library that gives other vectors.
        EncoderError: where FAISS is missing.
        OSError: where the store cannot be written, with nothing half-written.
    """
    started = time.monotonic()
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    refuse_store_within(corpus, shards, where)
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        progress(Progress("training", 0, len(shards), 0, 0))
        if recipe is None:
            trained = stored_training(store, model, kind) or train(store, shards, model, kind)
        else:
            trained = training_of(store, recipe, model, where)
        maker = _Maker(model, trained, settings)
        builder = ShardBuilder(maker, store, settings, built, progress, lease.refresh)
        entries = builder.run(shards)
        if not built.problems:
            own = tuple(entries[shard.path] for shard in shards)
            name = (NAME_PREFIX + version_name(corpus, own))[-MOST_NAME_CHARS:]
            built.manifest = store.write_version(
                Manifest(
                    name=name,
                    created=datetime.now(UTC),
                    tool_version=tool_version,
                    recipe=maker.recipe,
                    shards=(*own, trained.entry),
                )
            )
    built.seconds = round(time.monotonic() - started, 3)
    return built


@dataclass(frozen=True, slots=True)
class Extent:
    """What a version of embeddings takes."""

    windows: int
    stored_bytes: int
    text_bytes: int


def extent(store: Store, manifest: Manifest) -> Extent:
    """Return how many windows a version has, what they take, and the bytes of the texts."""
    records = [store.record(s.key) for s in manifest.shards if s.path != TRAINED]
    return Extent(
        windows=sum(count_of(record, "windows") for record in records),
        stored_bytes=sum(file.bytes for record in records for file in record.files),
        text_bytes=sum(record.read.bytes for record in records),
    )


class _Maker:
    """Embeds a shard for the store."""

    stage = "embedding"

    def __init__(self, model: WindowModel, trained: Training, settings: IndexSettings) -> None:
        self.model = model
        self.trained = trained
        self.settings = settings
        self.recipe = trained.recipe

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Write the indexes of a shard's windows, `FILE_VECTORS` in each."""
        del scan
        log = ReadLog()
        builder = self._builder()
        n_files = n_windows = given = 0
        error = 0.0

        def write() -> None:
            nonlocal n_windows, error
            n_windows += builder.vectors
            error = max(error, builder.error)
            writer.write(VECTORS_FILE.format(n_files), builder.to_bytes())

        for batch in read_batches(shard, log, batch_bytes=self.settings.batch_bytes):
            windows = self.model.windows(*text_buffers(batch.texts))
            rows = window_ids(batch.rows[windows.document], windows.words)
            first = 0
            while first < len(rows):  # files end at the same windows however large batches are
                stop = min(len(rows), first + FILE_VECTORS - given)
                builder.add(windows.vector[first:stop], rows[first:stop])
                given, first = given + stop - first, stop
                if given == FILE_VECTORS:
                    write()
                    builder, n_files, given = self._builder(), n_files + 1, 0
            tell(log)
        if given or n_files == 0:
            write()
        counts: Counts = {"windows": n_windows, "error": int(np.ceil(error / ERROR_UNIT))}
        return log, counts

    def _builder(self) -> IndexBuilder:
        return IndexBuilder(self.trained.data, self.trained.digest)
