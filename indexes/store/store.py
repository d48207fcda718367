"""The index store: what was built for a shard, under the hash of its content and parameters.

    store.json              this folder is a store
    shards/<key>/           the files of a shard; shard.json says what they must be
    seen/<hash>.json        what a corpus file was when it was last read, so it need not be read again
    versions/<name>.json    manifests: which shards a corpus version has
    leases/                 who is at work

A shard appears whole or not at all, and never changes. Every file has a checksum, which
`indexes.store.records` puts into the records. What is damaged raises `DamagedError`: drop the shard and
build it again. The store knows nothing of what its files hold. Looking at all of a store and pruning it
is `indexes.store.upkeep`.
"""

from __future__ import annotations

import errno
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pyarrow as pa

from corpora.places import is_url, nearest
from corpora.problems import said, shown
from indexes.store import leases
from indexes.store.checksums import quick_checksum
from indexes.store.errors import REBUILD, DamagedError, StoreError
from indexes.store.faults import contradiction, damage, stored_path, wrong_size
from indexes.store.files import FULL, Folder
from indexes.store.leases import Lease
from indexes.store.names import (
    FOLDERS,
    KEY,
    SHARD_FILE,
    STORE_FILE,
    is_version_name,
    shard_file,
    shard_folder,
    version_file,
)
from indexes.store.records import (
    Manifest,
    Recipe,
    ShardParameters,
    ShardRecord,
    StoreRecord,
    from_bytes,
    to_bytes,
)
from indexes.store.seen import SeenFiles
from indexes.store.temporaries import clear, delete
from indexes.store.url import open_folder
from indexes.store.writer import ShardWriter

MOST_TRIES: Final = 5  # to put a shard where others put and drop it at the same time
PRUNER_WAIT_SECONDS: Final = 60.0


class Store:
    """A store that was opened; it may be pickled and used in other threads and processes."""

    def __init__(self, folder: Folder, mended: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.seen = SeenFiles(folder)
        self.mended = mended  # what was damaged and could be made again at once, one line each

    @staticmethod
    def open(where: str, *, create: bool = False) -> Store:
        """Open the store in a local folder or at a URL; `create` makes it where there is none.

        Raises:
            StoreError: there is no store, or one that this program cannot read; in particular
                DamagedError when store.json is damaged, which `create` mends.
            OSError: it cannot be read or written.
        """
        folder = open_folder(where)
        path = folder.path(STORE_FILE)
        try:
            check_store_file(folder)
        except FileNotFoundError as error:
            if not create:
                mend = f"make one with: sluicegate index build CORPUS --store {where}"
                raise StoreError(where, "there is no store here", mend) from error
            _refuse_other_things(folder, where)
            folder.create(STORE_FILE, to_bytes(StoreRecord()))
            check_store_file(folder)
        except NotADirectoryError as error:
            raise StoreError(where, "is a file", "name a folder or a URL") from error
        except DamagedError as error:
            if not create:
                raise
            # Nothing is lost: every record of a store names its own schema.
            folder.write(STORE_FILE, to_bytes(StoreRecord()))
            return Store(folder, (f"{path}: was damaged and is written anew ({error})",))
        return Store(folder)

    # Shards

    def has(self, key: str) -> bool:
        """Whether a shard is there; whether it is whole says `damaged`."""
        return self.folder.sizes([shard_file(key)]) != [None]

    def record(self, key: str) -> ShardRecord:
        """Return what is recorded of a shard.

        Raises:
            DamagedError: it is missing or damaged.
            StoreError: it was written by a version that this program cannot read.
        """
        name = shard_file(key)
        path = self.folder.path(name)
        try:
            record = from_bytes(ShardRecord, self.folder.read(name), path, key=key)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DamagedError(path, "is missing", key) from error
        if record.key != key:
            raise DamagedError(path, f"is the record of another shard, {record.key}", key)
        return record

    def damaged(self, key: str) -> list[str]:
        """Return what is wrong with a shard by its record and the sizes of its files, one line each.

        Empty when it is whole. A shard that is not there is damaged. Then `drop` it and build it again.

        Raises:
            StoreError: it was written by a version that this program cannot read.
        """
        try:
            record = self.record(key)
        except DamagedError as error:
            return [str(error)]
        names = [stored_path(key, file) for file in record.files]
        sizes = self.folder.sizes(names) if names else []
        return [
            str(wrong_size(self.folder, key, file, size))
            for file, size in zip(record.files, sizes, strict=True)
            if size != file.bytes
        ]

    def verify(self, key: str) -> list[str]:
        """Return what is wrong with a shard by reading all of it, one line each; empty when whole."""
        faults = self.damaged(key)
        if faults:
            return faults
        return [
            fault
            for file in self.record(key).files
            if (fault := contradiction(self.folder, key, file))
        ]

    def open_file(self, record: ShardRecord, name: str, *, checked: bool = False) -> pa.Buffer:
        """Return a file of a shard: mapped where the store is local, else read.

        `checked` reads all of it for the quick checksum; without, only its size is compared.

        Raises:
            DamagedError: it is missing or not what was written.
            KeyError: the shard has no file of this name.
        """
        key, file = record.key, record.file(name)
        try:
            data = self.folder.buffer(stored_path(key, file))
        except FileNotFoundError as error:
            raise wrong_size(self.folder, key, file, None) from error
        if data.size != file.bytes:
            raise wrong_size(self.folder, key, file, data.size)
        if checked and quick_checksum(data) != file.quick:
            raise damage(
                self.folder, key, file, "is damaged: its checksum differs from the recorded one"
            )
        return data

    @contextmanager
    def write_shard(self, parameters: ShardParameters, digest: str) -> Iterator[ShardWriter]:
        """Give a writer for the shard of a file whose content has this SHA-256.

        What is written appears when the writer is told to finish. Without that, and on any error,
        no trace stays.

        Raises:
            OSError: a full disk among others; it names the shard's folder, or for a store at a URL
                the system's temporary folder, where the files are written first.
        """
        path = self.folder.path(shard_folder(parameters.key(digest)))
        spool: Path | None = None
        try:
            spool = self.folder.spool()
            yield ShardWriter(spool, parameters, digest, self._publish)
        except OSError as error:
            if error.errno not in FULL and not _is_within(error.filename, spool):
                raise
            number = error.errno or errno.EIO
            full = tempfile.gettempdir() if is_url(path) else path
            raise OSError(number, error.strerror or said(error), full) from error
        finally:
            if spool is not None:
                _discard(spool)

    def drop(self, key: str) -> None:
        """Remove a shard, whole or damaged, so that it can be built again."""
        self.folder.remove_folder(shard_folder(key), SHARD_FILE)

    def shard_keys(self) -> list[str]:
        """Return the keys of all shards that are there, in order."""
        names = (entry.name.split("/") for entry in self.folder.walk("shards"))
        return sorted(
            parts[1]
            for parts in names
            if len(parts) == 3 and parts[2] == SHARD_FILE and KEY.fullmatch(parts[1])
        )

    # Versions

    def write_version(self, manifest: Manifest, *, replace: bool = False) -> Manifest:
        """Write the manifest of a version whose shards are all there, and return what stays.

        Of two that hold the same the later one stays, so that the newest version is what was built
        last. Another of the same name is refused, unless `replace`.

        Raises:
            StoreError: the name cannot name a file or is taken, or a shard is missing.
        """
        name = version_file(manifest.name)
        path = self.folder.path(name)
        wrong = [s for s in manifest.shards if s.key != s.parameters(manifest.recipe).key(s.digest)]
        assert not wrong, f"the key of {wrong[0].path} is not that of its parameters"
        held = set(self.shard_keys())
        missing = [shard for shard in manifest.shards if shard.key not in held]
        if missing:
            reason = f"{len(missing)} of its shards are not in the store, first {missing[0].path}"
            raise StoreError(path, reason, "build them first")
        if self.folder.create(name, to_bytes(manifest)):
            return manifest
        with suppress(DamagedError):
            there = self.version(manifest.name)
            is_same = there.holds_the_same(manifest)
            if is_same and there.created >= manifest.created:
                return there
            if not is_same and not replace:
                mend = "give this one another name, or delete that file"
                raise StoreError(path, "this version is there already and holds others", mend)
        self.folder.write(name, to_bytes(manifest))
        return manifest

    def version(self, name: str, recipe: Recipe | None = None) -> Manifest:
        """Return a manifest; with `recipe`, only one that it can be used with.

        Raises:
            StoreError: there is none of this name, or it was made otherwise; DamagedError when it
                is damaged.
        """
        file = version_file(name)
        path = self.folder.path(file)
        try:
            manifest = from_bytes(Manifest, self.folder.read(file), path)
        except FileNotFoundError as error:
            known = nearest(name, self.versions())
            raise StoreError(
                path, f"there is no version {name!r}", f"see sluicegate index list{known}"
            ) from error
        if manifest.name != name:
            raise DamagedError(path, f"is the manifest of {manifest.name!r}")
        if recipe is not None and (refusal := recipe.refusal(manifest.recipe)):
            raise StoreError(path, refusal, REBUILD)
        return manifest

    def versions(self) -> list[str]:
        """Return the names of all versions, in order."""
        names = (
            e.base.removesuffix(".json")
            for e in self.folder.children("versions")
            if e.base.endswith(".json") and not e.is_folder
        )
        return sorted(name for name in names if is_version_name(name))

    def drop_version(self, name: str) -> None:
        """Forget a version; its shards stay until they are pruned."""
        self.folder.remove(version_file(name))

    # Others at work

    @contextmanager
    def building(self) -> Iterator[Lease]:
        """Register as a builder, remove what dead builders left, and let nobody prune meanwhile.

        Refresh the lease at times: other hosts believe in it for a day.

        Raises:
            StoreError: another process has been pruning the store for a minute.
        """
        clear(self.folder.leftovers())  # first: they may be what fills the disk
        lease = leases.take(self.folder, leases.BUILD + secrets.token_hex(8))
        assert lease is not None, "nobody else has this name"
        try:
            self._wait_for_pruner()
            for entry in leases.left_by_the_dead(self.folder):
                self.folder.remove(entry.name)
            yield lease
        finally:
            lease.release()

    @contextmanager
    def lease(self, key: str) -> Iterator[Lease | None]:
        """Tell other builders that this one builds a shard; None while another does.

        Then do other shards first. A lease forbids nothing.
        """
        lease = leases.take(self.folder, key)
        try:
            yield lease
        finally:
            if lease is not None:
                lease.release()

    def _publish(self, spool: Path, record: ShardRecord) -> ShardRecord:
        """Let the shard in a spool appear, unless it is there and whole; return what is there."""
        key = record.key
        for attempt in range(MOST_TRIES):
            if self.has(key):
                with suppress(DamagedError):
                    there = self.record(key)
                    if not self.damaged(key):
                        return there
                self.drop(key)
            elif attempt:
                self.drop(key)  # a folder without the record: somebody has been there by hand
            if self.folder.publish(spool, shard_folder(key), SHARD_FILE):
                return record
        raise StoreError(
            self.folder.path(shard_folder(key)),
            "others put and drop this shard all the time",
            "build again when they have ended",
        )

    def _wait_for_pruner(self) -> None:
        end = time.monotonic() + PRUNER_WAIT_SECONDS
        while (who := leases.holder(self.folder, leases.PRUNE)) is not None:
            if time.monotonic() > end:
                raise StoreError(
                    self.folder.path("."), f"{who} is pruning it", "try again when it has ended"
                )
            time.sleep(0.05)


def check_store_file(folder: Folder) -> None:
    """Check that store.json is there and this program's; FileNotFoundError or StoreError if not."""
    from_bytes(StoreRecord, folder.read(STORE_FILE), folder.path(STORE_FILE))


def _refuse_other_things(folder: Folder, where: str) -> None:
    """Refuse to make a store among files that are none of a store's."""
    for entry in folder.children(""):
        # store.json: another builder has made it since
        ours = (*FOLDERS, STORE_FILE, "lost+found")
        if entry.base not in ours and not entry.base.startswith("."):
            raise StoreError(
                where,
                f"this is no store, and {shown(entry.base)} is in it",
                "name an empty or a new folder",
            )


def _is_within(path: object, folder: Path | None) -> bool:
    return isinstance(path, str) and folder is not None and Path(path).is_relative_to(folder)


def _discard(spool: Path) -> None:
    with suppress(OSError):  # the next builder removes it
        delete(spool)
