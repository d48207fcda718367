"""Batches of shards for tasks: large enough that a task is cheap beside its work, and enough of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from corpora.places import is_url
from corpora.shards import Shard

PER_SLOT: Final = (
    4  # batches for each slot of a corpus of middle size, so that all end at about one time
)
LEAST_BYTES: Final = 32 << 20  # about a second's work, of which a task costs some hundredths


def batches_of(shards: Sequence[Shard], slots: int, task_bytes: int) -> list[list[Shard]]:
    """Return all shards in batches of about `task_bytes`, the largest shards first.

    A corpus that is small for so many slots gets smaller batches, and one for each slot if it is very
    small. A shard is never cut.
    """
    if not shards:
        return []
    total = sum(shard.size_bytes for shard in shards)
    small = max(total // (slots * PER_SLOT), min(LEAST_BYTES, -(-total // slots)))
    target = max(1, min(task_bytes, small))
    batches: list[list[Shard]] = []
    room = 0
    for shard in sorted(shards, key=lambda shard: (-shard.size_bytes, shard.path)):
        if room < shard.size_bytes or not batches:
            batches.append([])
            room = target
        batches[-1].append(shard)
        room -= shard.size_bytes
    return batches


def anywhere(shard: Shard) -> Shard:
    """Return a shard whose path means the same in every folder; a store knows it as the same file."""
    return replace(shard, path=absolute(shard.path))


def absolute(place: str) -> str:
    """Return a path or URL that means the same in every folder."""
    return place if is_url(place) else os.path.abspath(place)  # noqa: PTH100 - Path drops a slash
