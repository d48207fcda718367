"""A store in a folder of this machine, or of one that is mounted.

A shard is written into a private folder beside its place, flushed to disk, and the folder is renamed.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

import pyarrow as pa

from corpora.problems import said
from indexes.store.files import Entry, check_length
from indexes.store.names import FOLDERS, checked_path
from indexes.store.owners import TEMPORARY, temporary_name
from indexes.store.temporaries import Leftover, dead_in, delete

# What a file system without hard links says to os.link.
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
_OCCUPIED: Final = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """File operations below a local folder."""

    root: Path

    def path(self, name: str) -> str:  # noqa: D102 - see Folder, here and below
        return self._name(name)

    def read(self, name: str) -> bytes:  # noqa: D102
        path = self._name(name)
        with FileIO(path) as file:
            check_length(path, os.fstat(file.fileno()).st_size)
            return file.readall()

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:  # noqa: D102
        target = self._at(name)
        with _temporary_beside(target, data, durable) as temporary:
            temporary.replace(target)
        if durable:
            _flush(target.parent)

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:  # noqa: D102
        target = self._at(name)
        if target.exists():
            return False
        with _temporary_beside(target, data, durable) as temporary:
            try:
                target.hardlink_to(temporary)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                temporary.replace(target)
        if durable:
            _flush(target.parent)
        return True

    def remove(self, name: str) -> None:  # noqa: D102
        self._at(name).unlink(missing_ok=True)

    def remove_folder(self, name: str, first: str) -> None:  # noqa: D102
        target = self._at(name)
        doomed = target.with_name(temporary_name())  # a reader sees all of it, or nothing
        with suppress(FileNotFoundError):
            target.rename(doomed)
            _flush(target.parent)
            delete(doomed)

    def sizes(self, names: Sequence[str]) -> list[int | None]:  # noqa: D102
        return [_size(self._at(name)) for name in names]

    def children(self, folder: str) -> list[Entry]:  # noqa: D102
        found = []
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._at(folder)) as scan:
            for child in scan:
                with suppress(FileNotFoundError):  # gone since
                    status = child.stat(follow_symlinks=False)
                    is_folder = child.is_dir(follow_symlinks=False)
                    name = f"{folder}/{child.name}" if folder else child.name
                    size = 0 if is_folder else status.st_size
                    found.append(Entry(name, size, status.st_mtime, is_folder))
        return sorted(found, key=lambda entry: entry.name)

    def walk(self, folder: str) -> Iterator[Entry]:  # noqa: D102
        for entry in self.children(folder):
            if entry.base.startswith(TEMPORARY):
                continue
            if entry.is_folder:
                yield from self.walk(entry.name)
            else:
                yield entry

    def buffer(self, name: str) -> pa.Buffer:  # noqa: D102
        with FileIO(self._name(name)) as file:  # pyarrow's own takes three times as long
            if os.fstat(file.fileno()).st_size == 0:
                return pa.py_buffer(b"")
            return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def spool(self) -> Path:  # noqa: D102
        spool = self.root / "shards" / temporary_name()
        _make_folder(spool.parent)
        spool.mkdir()
        return spool

    def publish(self, spool: Path, folder: str, last: str) -> bool:  # noqa: D102
        target = self._at(folder)
        for file in spool.iterdir():
            _flush(file)
        _flush(spool)
        try:
            spool.rename(target)
        except OSError as error:
            if error.errno in _OCCUPIED:
                return False
            raise
        _flush(target.parent)
        return True

    def leftovers(self) -> Iterator[Leftover]:  # noqa: D102
        for folder in (".", *FOLDERS):
            yield from dead_in(self.root / folder)

    def _at(self, name: str) -> Path:
        return Path(self._name(name))

    def _name(self, name: str) -> str:
        return f"{self.root}/{checked_path(name)}" if name not in ("", ".") else str(self.root)


@contextmanager
def _temporary_beside(target: Path, data: bytes, durable: bool) -> Iterator[Path]:
    """Give a temporary file with the data in the target's folder; no trace of it stays."""
    temporary = target.with_name(temporary_name())
    try:
        _make_folder(target.parent)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        yield temporary
    except OSError as error:  # a full disk names no file, and nobody knows the temporary one
        number = error.errno or errno.EIO
        raise OSError(number, error.strerror or said(error), target.as_posix()) from error
    finally:
        temporary.unlink(missing_ok=True)


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        _flush(path.parent)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except FileNotFoundError:
        return None


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot flush folders
            raise OSError(error.errno, error.strerror, path.as_posix()) from error
    finally:
        os.close(handle)
