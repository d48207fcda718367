"""What profiles and signatures in a store have in common: versions beside those of indexes.

A version of an index is named by a user, or after what it holds; these are named after what they hold,
behind a word of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from corpora.problems import ReadLog
from indexes.store import Manifest, Recipe, Store, VersionShard, version_name
from pipelines.mapping import Tell

MOST_NAME_CHARS: Final = 100


def beside_name(prefix: str, corpus: Sequence[str], shards: Sequence[VersionShard]) -> str:
    """Return the name of a version of what begins with the prefix."""
    return (prefix + version_name(corpus, shards))[-MOST_NAME_CHARS:]


def write_beside(
    store: Store,
    name: str,
    recipe: Recipe,
    tool_version: str,
    shards: Sequence[VersionShard],
) -> Manifest:
    """Write the manifest of such a version; one of the same name holds the same documents, and goes."""
    now = datetime.now(UTC)
    manifest = Manifest(
        name=name, created=now, tool_version=tool_version, recipe=recipe, shards=tuple(shards)
    )
    return store.write_version(manifest, replace=True)


def drop_shard(store: Store, key: str) -> None:
    """Remove what is damaged, so that it is made anew."""
    with store.lease(key):
        store.drop(key)


def log_so_far(tell: Callable[[ReadLog], None]) -> Tell:
    """Return what takes documents and bytes as they are read, and tells the log of all so far."""
    so_far = ReadLog()

    def note(documents: int, size_bytes: int) -> None:
        so_far.documents += documents
        so_far.bytes += size_bytes
        tell(so_far)

    return note
