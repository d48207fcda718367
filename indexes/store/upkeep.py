"""Looking after a whole store: what is in it and how large, what is wrong with it, what may go.

Pruning removes what no version names. While somebody builds, it removes no shard: a build names its
shards when it ends.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from corpora.problems import shown
from indexes.store import leases
from indexes.store.errors import REBUILD, DamagedError, StoreError
from indexes.store.files import FULL, Entry
from indexes.store.names import FOLDERS, KEY, SHARD_FILE, STORE_FILE, is_version_name
from indexes.store.owners import DAY_SECONDS
from indexes.store.records import Manifest, SeenRecord, from_bytes
from indexes.store.store import Store, check_store_file
from indexes.store.temporaries import clear
from indexes.store.url import open_folder

PRUNED: Final = "sluicegate index prune removes it"


class FaultKind(enum.Enum):
    """What kind of thing `verify_store` found; the first two mean that the store must be mended."""

    DAMAGED = "damaged"
    MISSING = "missing"
    STRAY = "stray"  # no record names it
    LEFT_BEHIND = "left behind"  # by a process that is dead


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a store, as one line; `key` is the shard to build again."""

    kind: FaultKind
    line: str
    key: str | None = None

    @property
    def is_damage(self) -> bool:
        """Whether something that was stored is lost."""
        return self.kind in (FaultKind.DAMAGED, FaultKind.MISSING)


@dataclass(frozen=True, slots=True)
class Doomed:
    """What pruning removes: a file or folder, its bytes, and why."""

    path: str
    bytes: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What pruning removes, and in words what it keeps although no version names it."""

    doomed: tuple[Doomed, ...]
    kept: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Return what pruning frees."""
        return sum(each.bytes for each in self.doomed)


@dataclass(frozen=True, slots=True)
class VersionSize:
    """A version and what it takes; `own_bytes` are of shards that no other version names."""

    manifest: Manifest
    corpus_bytes: int
    stored_bytes: int
    own_bytes: int
    missing_shards: int


@dataclass(frozen=True, slots=True)
class StoreSizes:
    """What is stored. `faults` are manifests that could not be read, one line each."""

    versions: tuple[VersionSize, ...]
    faults: tuple[str, ...]
    shards: int
    shard_bytes: int
    unused_shards: int
    unused_bytes: int


def sizes(store: Store) -> StoreSizes:
    """Return what each version takes, by name, and what no version names."""
    stored = {key: _total(files) for key, files in _by_shard(store).items() if _is_whole(files)}
    manifests, faults = _manifests(store)
    users: dict[str, int] = defaultdict(int)
    for manifest in manifests:
        for key in {shard.key for shard in manifest.shards}:
            users[key] += 1
    unused = [key for key in stored if key not in users]
    return StoreSizes(
        versions=tuple(_size_of(manifest, stored, users) for manifest in manifests),
        faults=tuple(faults),
        shards=len(stored),
        shard_bytes=sum(stored.values()),
        unused_shards=len(unused),
        unused_bytes=sum(stored[key] for key in unused),
    )


def verify_store(where: str, *, jobs: int = 1) -> Iterator[Fault]:
    """Read all of a store and yield what is wrong, shards in order of their keys; nothing if whole.

    Raises:
        StoreError: there is no store, or it or a part of it is of a version that cannot be read.
        OSError: the store cannot be reached.
    """
    store = Store(open_folder(where))
    try:
        check_store_file(store.folder)
    except DamagedError as error:
        yield Fault(FaultKind.DAMAGED, str(error))
    except (FileNotFoundError, NotADirectoryError):
        store = Store.open(where)  # says what is wrong
    yield from _stray_names(store)
    shards = _by_shard(store)
    with ThreadPoolExecutor(jobs) as pool:
        for faults in pool.map(lambda shard: _verify_shard(store, *shard), shards.items()):
            yield from faults
    yield from _verify_versions(store, {k for k, files in shards.items() if _is_whole(files)})
    yield from _verify_seen(store)
    for leftover in store.folder.leftovers():
        line = f"{leftover.path}: left by a builder that is dead; the next build removes it"
        yield Fault(FaultKind.LEFT_BEHIND, line)
    for entry in leases.left_by_the_dead(store.folder):
        line = f"{store.folder.path(entry.name)}: held by a process that is dead; the next build removes it"
        yield Fault(FaultKind.LEFT_BEHIND, line)


def unused_keys(store: Store) -> list[str]:
    """Return the keys of whole shards that no version names, in order.

    Raises:
        StoreError: a manifest cannot be read, so nobody knows what it names.
    """
    used = _used(store)[0]
    return [key for key in store.shard_keys() if key not in used]


def plan_prune(store: Store) -> PrunePlan:
    """Return what pruning would remove now; nothing is changed.

    Raises:
        StoreError: a manifest cannot be read, so nobody knows what it names.
    """
    leftovers = [
        Doomed(leftover.path.as_posix(), leftover.bytes, "left by a builder that is dead")
        for leftover in store.folder.leftovers()
    ]
    rest = _plan(store)
    return PrunePlan((*leftovers, *(doomed for _, doomed in rest[0])), rest[1])


def prune(store: Store) -> PrunePlan:
    """Remove what no version names, and return what went.

    Raises:
        StoreError: a manifest cannot be read, or somebody else is pruning; nothing named is removed.
    """
    leftovers = list(store.folder.leftovers())
    clear(leftovers)  # first: they may be what fills the disk
    gone = [
        Doomed(leftover.path.as_posix(), leftover.bytes, "left by a builder that is dead")
        for leftover in leftovers
    ]
    lease = _prune_lease(store)
    try:
        doomed, kept = _plan(store)
        for entry, what in doomed:
            if entry.is_folder:
                store.folder.remove_folder(entry.name, SHARD_FILE)
            else:
                store.folder.remove(entry.name)
            gone.append(what)
    finally:
        if lease is not None:
            lease.release()
    return PrunePlan(tuple(gone), kept)


def _prune_lease(store: Store) -> leases.Lease | None:
    """Return the pruner's lease; None on a full disk, where no builder can register either."""
    try:
        lease = leases.take(store.folder, leases.PRUNE)
    except OSError as error:
        if error.errno in FULL:
            return None
        raise
    if lease is None:
        who = leases.holder(store.folder, leases.PRUNE) or "another process"
        mend = "try again when it has ended"
        raise StoreError(store.folder.path("."), f"{who} is pruning it", mend)
    return lease


def _plan(store: Store) -> tuple[list[tuple[Entry, Doomed]], tuple[str, ...]]:
    """Return what is to be removed from within the store, and what is kept."""
    # Builders before manifests: a build that ends in between has written its manifest by then.
    at_work = leases.builders(store.folder)
    keys, digests = _used(store)
    doomed = [
        (entry, _doom(store, entry, entry.bytes, "held by a process that is dead"))
        for entry in leases.left_by_the_dead(store.folder)
    ]
    if at_work:
        kept = f"what no version names stays: {at_work[0]} is building, and names its shards when it ends"
        return doomed, (kept,)
    kept_young = 0
    for key, files in _by_shard(store).items():
        folder = Entry(f"shards/{key}", 0, max(file.modified for file in files), is_folder=True)
        if key in keys:
            for file in _strays(store, key, files):
                if _is_old(file):
                    doomed.append((file, _doom(store, file, file.bytes, "no record names it")))
        elif _is_whole(files):
            doomed.append((folder, _doom(store, folder, _total(files), "no version names it")))
        elif _is_old(folder):
            doomed.append((folder, _doom(store, folder, _total(files), "it was never finished")))
        else:
            kept_young += 1
    doomed += [
        (entry, _doom(store, entry, entry.bytes, "its file is in no version"))
        for entry in store.folder.children("seen")
        if _is_record(entry) and _seen_digest(store, entry) not in digests
    ]
    kept = (
        f"{kept_young} unfinished shards stay: they are younger than a day, and may be uploaded now"
    )
    return doomed, (kept,) if kept_young else ()


def _doom(store: Store, entry: Entry, size: int, reason: str) -> Doomed:
    return Doomed(store.folder.path(entry.name), size, reason)


def _used(store: Store) -> tuple[set[str], set[str]]:
    """Return the keys that versions name, and the digests of the files that they were built from."""
    keys: set[str] = set()
    digests: set[str] = set()
    for name in store.versions():
        try:
            manifest = store.version(name)
        except DamagedError as error:
            reason = "is damaged, so nobody knows which shards it names"
            mend = "build this version again, or remove the file; then prune"
            raise DamagedError(error.path, reason, mend=mend) from error
        keys.update(shard.key for shard in manifest.shards)
        digests.update(shard.digest for shard in manifest.shards)
    return keys, digests


def _manifests(store: Store) -> tuple[list[Manifest], list[str]]:
    manifests, faults = [], []
    for name in store.versions():
        try:
            manifests.append(store.version(name))
        except StoreError as error:
            faults.append(str(error))
    return manifests, faults


def _size_of(manifest: Manifest, stored: dict[str, int], users: dict[str, int]) -> VersionSize:
    keys = {shard.key for shard in manifest.shards}
    return VersionSize(
        manifest=manifest,
        corpus_bytes=sum(shard.size_bytes for shard in manifest.shards),
        stored_bytes=sum(stored.get(key, 0) for key in keys),
        own_bytes=sum(stored.get(key, 0) for key in keys if users[key] == 1),
        missing_shards=sum(key not in stored for key in keys),
    )


def _by_shard(store: Store) -> dict[str, list[Entry]]:
    """Return the files of each shard's folder, by key."""
    shards: dict[str, list[Entry]] = defaultdict(list)
    for entry in store.folder.walk("shards"):
        parts = entry.name.split("/")
        if len(parts) > 2 and KEY.fullmatch(parts[1]):
            shards[parts[1]].append(entry)
    return dict(sorted(shards.items()))


def _is_whole(files: list[Entry]) -> bool:
    return any(file.base == SHARD_FILE for file in files)


def _is_old(entry: Entry) -> bool:
    return entry.idle_seconds > DAY_SECONDS


def _total(files: list[Entry]) -> int:
    return sum(file.bytes for file in files)


def _strays(store: Store, key: str, files: list[Entry]) -> list[Entry]:
    """Return the files of a shard's folder that its record does not name; none if it is damaged."""
    with suppress(DamagedError):
        named = {file.stored_name for file in store.record(key).files} | {SHARD_FILE}
        return [file for file in files if file.name.split("/", 2)[2] not in named]
    return []


def _stray_names(store: Store) -> Iterator[Fault]:
    for folder, is_known in (
        ("", lambda entry: entry.base in (*FOLDERS, STORE_FILE)),
        ("shards", lambda entry: entry.is_folder and KEY.fullmatch(entry.base)),
        ("versions", lambda entry: is_version_name(entry.base) and entry.base.endswith(".json")),
    ):
        for entry in store.folder.children(folder):
            if not is_known(entry) and not entry.base.startswith("."):
                line = f"{store.folder.path(folder or '.')}: {shown(entry.base)} is none of a store's; remove it"
                yield Fault(FaultKind.STRAY, line)


def _verify_shard(store: Store, key: str, files: list[Entry]) -> list[Fault]:
    path = store.folder.path(f"shards/{key}")
    if not _is_whole(files):
        line = f"{path}: a shard that was never finished; a build of it or {PRUNED}"
        return [Fault(FaultKind.STRAY, line, key)]
    found = [Fault(FaultKind.DAMAGED, line, key) for line in store.verify(key)]
    for file in _strays(store, key, files):
        line = f"{path}: {shown(file.base)} is named by no record; {PRUNED}"
        found.append(Fault(FaultKind.STRAY, line, key))
    return found


def _verify_versions(store: Store, held: set[str]) -> Iterator[Fault]:
    for name in store.versions():
        try:
            manifest = store.version(name)
        except DamagedError as error:
            yield Fault(FaultKind.DAMAGED, str(error))
            continue
        path = store.folder.path(f"versions/{name}.json")
        for shard in manifest.shards:
            if shard.key != shard.parameters(manifest.recipe).key(shard.digest):
                line = f"{path}: the key of {shard.path} is not that of its parameters; {REBUILD}"
                yield Fault(FaultKind.DAMAGED, line)
            elif shard.key not in held:
                line = f"{path}: names the shard {shard.key} of {shard.path}, which is missing; {REBUILD}"
                yield Fault(FaultKind.MISSING, line, shard.key)


def _verify_seen(store: Store) -> Iterator[Fault]:
    for entry in store.folder.children("seen"):
        if _is_record(entry) and _seen_digest(store, entry) is None:
            line = f"{store.folder.path(entry.name)}: is damaged; its file is read again by the next build"
            yield Fault(FaultKind.DAMAGED, line)


def _is_record(entry: Entry) -> bool:
    return not entry.is_folder and not entry.base.startswith(".")  # as temporary files do


def _seen_digest(store: Store, entry: Entry) -> str | None:
    """Return what a file was when it was seen; None if the record is damaged or gone."""
    try:
        return from_bytes(SeenRecord, store.folder.read(entry.name), entry.name).digest
    except (FileNotFoundError, StoreError):
        return None
