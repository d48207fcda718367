"""Leases: files that say who is at work on what, so that nothing is done twice for long.

Nothing is right or wrong by a lease but one thing: shards that no version names yet may be those of a
build that is under way, so they are pruned only while nobody builds. A builder registers first and then
waits for a pruner to end; a pruner takes its lease first and then looks for builders. So one of the two
always sees the other.
"""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from indexes.store.errors import StoreError
from indexes.store.files import Entry, Folder
from indexes.store.owners import DAY_SECONDS, Owner, is_at_work, this_process
from indexes.store.records import LeaseRecord, from_bytes, to_bytes

FOLDER: Final = "leases"
SUFFIX: Final = ".json"
BUILD: Final = "build-"
PRUNE: Final = "prune"
SHARD_PATIENCE_SECONDS: Final = 900.0  # for another host's lease on a shard that is not refreshed
REFRESH_SECONDS: Final = 60.0


@dataclass(slots=True)
class Lease:
    """A lease of this process; `refresh` tells other hosts that it still works on it."""

    folder: Folder
    name: str
    record: LeaseRecord
    refreshed: float = field(default_factory=time.monotonic)

    def refresh(self) -> None:
        """Write the lease anew; nothing happens more often than once a minute."""
        if time.monotonic() - self.refreshed >= REFRESH_SECONDS:
            self.folder.write(_file(self.name), to_bytes(self.record), durable=False)
            self.refreshed = time.monotonic()

    def release(self) -> None:
        """Give it up, unless another has taken it over."""
        if _read(self.folder, self.name) == self.record:
            self.folder.remove(_file(self.name))


def take(folder: Folder, name: str) -> Lease | None:
    """Return a lease, or None while another that may still be at work has it."""
    owner = this_process()
    record = LeaseRecord(
        host=owner.host, pid=owner.pid, started=owner.started, token=secrets.token_hex(8)
    )
    data = to_bytes(record)
    if folder.create(_file(name), data, durable=False):
        return Lease(folder, name, record)
    if holder(folder, name) is not None:
        return None
    folder.write(_file(name), data, durable=False)
    # Of two that take over at once, the one whose record stays has it.
    return Lease(folder, name, record) if _read(folder, name) == record else None


def holder(folder: Folder, name: str) -> str | None:
    """Return who has a lease and may still be at work, as words; None if nobody."""
    entries = [entry for entry in folder.children(FOLDER) if entry.name == _file(name)]
    return _at_work(folder, entries[0]) if entries else None


def builders(folder: Folder) -> list[str]:
    """Return who is building into this store, as words: a whole build, or a shard."""
    entries = [
        entry
        for entry in folder.children(FOLDER)
        if entry.base.endswith(SUFFIX) and entry.base != PRUNE + SUFFIX
    ]
    return [who for entry in entries if (who := _at_work(folder, entry)) is not None]


def left_by_the_dead(folder: Folder) -> Iterator[Entry]:
    """Return the leases of processes that are no more.

    Whoever removes a pruner's must be registered as a builder: another pruner may take it over at that
    moment, and must then see somebody.
    """
    for entry in folder.children(FOLDER):
        if entry.base.endswith(SUFFIX) and _at_work(folder, entry) is None:
            yield entry


def _at_work(folder: Folder, entry: Entry) -> str | None:
    """Return the holder of the lease in an entry if it may still be at work.

    A damaged lease may be anybody's: it counts until its patience ends.
    """
    name = entry.base.removesuffix(SUFFIX)
    is_whole_run = name == PRUNE or name.startswith(BUILD)
    patience = DAY_SECONDS if is_whole_run else SHARD_PATIENCE_SECONDS
    record = _read(folder, name)
    owner = Owner(record.host, record.pid, record.started) if record else None
    if record is None and folder.sizes([entry.name]) == [None]:
        return None  # given up since
    if not is_at_work(owner, entry.idle_seconds, patience):
        return None
    return f"process {owner.pid} on {owner.host.rpartition('.')[0]}" if owner else "another process"


def _read(folder: Folder, name: str) -> LeaseRecord | None:
    """Return a lease; None where there is none, or it is damaged or written anew at this moment.

    A server may break an answer off in the middle when the object is replaced (EIO): that is damage, too.
    """
    try:
        return from_bytes(LeaseRecord, folder.read(_file(name)), folder.path(_file(name)))
    except (FileNotFoundError, StoreError):
        return None
    except OSError as error:
        if error.errno not in (None, errno.EIO):
            raise
        return None


def _file(name: str) -> str:
    return f"{FOLDER}/{name}{SUFFIX}"
