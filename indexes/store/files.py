"""The file operations that a store is built on: in a local folder, or below a URL.

Both promise the same: a small file appears whole or not at all, and so does the folder of a shard.
All names are relative to the store, with `/` between.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa

from corpora.places import open_input
from indexes.store.checksums import PIECE_BYTES
from indexes.store.errors import StoreError
from indexes.store.temporaries import Leftover

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MOST_RECORD_BYTES: Final = 1 << 30  # a manifest of two million shards


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in a store; `bytes` is 0 for a folder, `modified` in seconds since 1970."""

    name: str
    bytes: int
    modified: float
    is_folder: bool

    @property
    def base(self) -> str:
        """Return the last part of the name."""
        return self.name.rpartition("/")[2]

    @property
    def idle_seconds(self) -> float:
        """Return how long ago it was last written."""
        return time.time() - self.modified


class Folder(Protocol):
    """Where a store lies. Errors are OSError and name the file."""

    def path(self, name: str) -> str:
        """Return the path or URL of a file, to open and to show."""

    def read(self, name: str) -> bytes:
        """Return a whole record; FileNotFoundError where there is none."""

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:
        """Write a small file whole, over an older one; `durable` waits for the disk."""

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:
        """Write a small file whole where there is none; False where there is one."""

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""

    def remove_folder(self, name: str, first: str) -> None:
        """Remove a folder so that no reader meets half of it: the file `first` goes before all."""

    def sizes(self, names: Sequence[str]) -> list[int | None]:
        """Return the bytes of each file, None where there is none."""

    def children(self, folder: str) -> list[Entry]:
        """Return what lies in a folder, by name; nothing where there is no such folder."""

    def walk(self, folder: str) -> Iterator[Entry]:
        """Return the files below a folder at any depth, by name, without temporary ones."""

    def buffer(self, name: str) -> pa.Buffer:
        """Return the bytes of a file: mapped where it is local, else read."""

    def spool(self) -> Path:
        """Make a private empty folder, in which the files of a shard are written."""

    def publish(self, spool: Path, folder: str, last: str) -> bool:
        """Let the files of a spool appear as a folder; False if there is one already.

        `last` is the file whose presence means that the folder is whole.
        """

    def leftovers(self) -> Iterator[Leftover]:
        """Return the temporary files and folders of dead builders."""


def read_pieces(folder: Folder, name: str) -> Iterator[bytes]:
    """The bytes of a file in pieces for checksums, read and not mapped: a short file is no crash."""
    with open_input(folder.path(name)) as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def check_length(path: str, size: int) -> None:
    """Refuse to read what cannot be a record."""
    if size > MOST_RECORD_BYTES:
        raise StoreError(path, f"has {size} bytes", "no record is as long; remove it")
