"""Building an index store: each shard once, under the hash of its content and of the parameters.

    plan:  resolve the corpus
    map:   one step per shard: recognise it, or read it and write its fingerprints into the store
    merge: the manifest of the version, once every shard is there

A shard that cannot be read leaves the version without a manifest: what was not read must not pass for
checked. What was built stays, so a later build does the rest only. Of a file that is damaged in itself
the part before the damage is indexed (`pipelines.shard_builder`): a scan of the version is incomplete.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from corpora.file_stat import identity
from corpora.shards import Columns, Shard, resolve
from indexes.store import Manifest, Store, StoreError, version_name
from indexes.store.names import version_file
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress
from pipelines.shard_builder import MOST_WAIT_S, ShardBuilder
from pipelines.shard_index import ShardIndex

# What the recipes of profiles (pipelines.stored_profiles) begin with where others name fingerprints.
PROFILES: Final = "profile/"
EMBEDDINGS: Final = "embedding/"  # the same of pipelines.embedding_training
SIGNATURES: Final = "signatures/"  # the same of pipelines.stored_signatures
BATTERIES: Final = "battery/"  # the same of pipelines.stored_batteries


INDEX: Final = "index"
KINDS: Final = {
    PROFILES: "profiles", EMBEDDINGS: "vectors", SIGNATURES: "signatures", BATTERIES: "calibrations",
}  # fmt: skip


def kind_of(manifest: Manifest) -> str:
    """Return what a version of a store holds: `INDEX`, or one of `KINDS` that lie beside indexes."""
    for start, kind in KINDS.items():
        if manifest.recipe.fingerprints.startswith(start):
            return kind
    return INDEX


def is_index(manifest: Manifest) -> bool:
    """Tell whether a version of a store is one of indexes, not of what lies beside them."""
    return kind_of(manifest) == INDEX


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
        maker = ShardIndex(settings)
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
            ShardIndex(settings), store, settings, built, progress, lease.refresh, most_wait_s
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
