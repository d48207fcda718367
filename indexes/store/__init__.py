"""The content-addressed store: what was built for each shard, once, and what corpus versions it serves."""

from indexes.store.errors import DamagedError, StoreError
from indexes.store.leases import Lease
from indexes.store.records import (
    Manifest,
    Recipe,
    ShardParameters,
    ShardRecord,
    VersionShard,
    version_name,
)
from indexes.store.store import Store
from indexes.store.writer import ShardWriter

__all__ = [
    "DamagedError",
    "Lease",
    "Manifest",
    "Recipe",
    "ShardParameters",
    "ShardRecord",
    "ShardWriter",
    "Store",
    "StoreError",
    "VersionShard",
    "version_name",
]
