"""What `sluicegate index build` makes beside the index of a corpus, and what it says of that."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sluicegate.output import size_in_words

if TYPE_CHECKING:
    from indexes.store import Manifest, VersionShard
    from pipelines.index_settings import Built
    from pipelines.mapping import Progress


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked for in words that a user reads: "3 shards signed; 24 documents in 16 kB"."""

    done: str  # to a shard
    counted: str  # a count of the answer as JSON


PARTS: Final = {  # names in the answer as JSON, in the order in which they are made
    "embeddings": Part("embedded", "windows"),
    "signatures": Part("signed", "documents"),
    "profiles": Part("profiled", "documents"),
}


def build_beside(
    options: argparse.Namespace,
    reading: Mapping[str, Any],
    progress: Callable[[Progress], None],
) -> dict[str, Built]:
    """Build the parts that a command asks for; `reading` says how the corpus is read."""
    from sluicegate.index_api import build_embeddings, build_profiles, build_signatures

    corpus, store = options.corpus, options.store
    built: dict[str, Built] = {}
    if options.embeddings is not None:
        built["embeddings"] = build_embeddings(
            corpus,
            store,
            model=options.embeddings,
            device=options.device,
            progress=progress,
            **reading,
        )
    if options.signatures:
        built["signatures"] = build_signatures(corpus, store, progress=progress, **reading)
    if options.profiles:
        built["profiles"] = build_profiles(
            corpus, store, tokenizer=options.tokenizer, progress=progress, **reading
        )
    return built


def as_json(part: str, built: Built) -> dict[str, Any]:
    """Return what was built of a part, as JSON has it."""
    from indexes.store import Store
    from pipelines.stored_embeddings import extent

    counts = {"built": built.built, "recognised": built.recognised}
    if built.manifest is None:  # the corpus changed since: the problems say how
        return {"version": None, **counts}
    store = Store.open(built.store)
    if part == "embeddings":
        found = extent(store, built.manifest)
        sizes = {
            "windows": found.windows,
            "stored_bytes": found.stored_bytes,
            "text_bytes": found.text_bytes,
        }
    else:
        records = [store.record(shard.key) for shard in corpus_shards(built.manifest)]
        sizes = {
            "documents": sum(record.read.documents for record in records),
            "stored_bytes": sum(file.bytes for record in records for file in record.files),
            "text_bytes": sum(record.read.bytes for record in records),
        }
    return {"version": built.manifest.name, **counts, **sizes, "seconds": built.seconds}


def in_words(part: str, built: Built) -> str:
    """Return what was built of a part, in a line or two."""
    made, said = as_json(part, built), PARTS[part]
    if made["version"] is None:
        return f"{part}: {made['built']:,} shards {said.done}, no version was written"
    return (
        f"{part}: {made['built']:,} shards {said.done}, {made['recognised']:,} there already; "
        f"{made[said.counted]:,} {said.counted} in {size_in_words(made['stored_bytes'])}, "
        f"{made['stored_bytes'] / max(made['text_bytes'], 1):.2f} bytes for a byte of text; "
        f"{made['seconds']:,.1f} s\nversion: {made['version']}"
    )


def corpus_shards(manifest: Manifest) -> list[VersionShard]:
    """Return the shards of a version, without what was made of them together."""
    from pipelines.embedding_training import TRAINED
    from pipelines.index import BATTERIES
    from pipelines.stored_sums import is_sum

    if manifest.recipe.fingerprints.startswith(BATTERIES):
        return []
    return [s for s in manifest.shards if s.path != TRAINED and not is_sum(s)]
