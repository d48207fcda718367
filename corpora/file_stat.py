"""What tells whether a file is still the one that was read: size, modification time, ETag.

A time stamp proves nothing about a file that was changed within the same tick of its file system's
clock as it was looked at (git calls such a file racily clean), so a stat says whether it is settled.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from corpora import places

# Stamps without a fraction come from file systems and object stores that count seconds (FAT: two).
COARSE_TICK_NS: Final = 2_000_000_000
FINE_TICK_NS: Final = 20_000_000  # ext4 and xfs stamp with the kernel's tick, 1 to 10 ms


@dataclass(frozen=True, slots=True)
class FileStat:
    """A file as it was at `taken_ns`; times in nanoseconds since 1970, `etag` None where unknown."""

    size_bytes: int
    modified_ns: int
    taken_ns: int
    etag: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether a later change must show: the stamp is older than a tick, or there is an ETag."""
        tick = FINE_TICK_NS if self.modified_ns % 1_000_000_000 else COARSE_TICK_NS
        return self.etag is not None or self.taken_ns - self.modified_ns > tick


def file_stat(path: str) -> FileStat:
    """Look at a local file or a URL without reading it; take it before the file is read.

    Raises OSError when there is no such file or it may not be looked at.
    """
    taken_ns = time.time_ns()
    if not places.is_url(path):
        status = Path(path).stat()
        return FileStat(status.st_size, status.st_mtime_ns, taken_ns)
    file_system, inner = places._at(path)
    with file_system.open_input_stream(inner) as stream:  # asks for the head of the object only
        metadata = stream.metadata() or {}
    info = file_system.get_file_info(inner)
    if info.size is None:
        raise FileNotFoundError(2, os.strerror(2), path)
    etag = metadata.get(b"ETag") or metadata.get("ETag")
    text = etag.decode("ascii", "replace") if isinstance(etag, bytes) else etag
    return FileStat(info.size, info.mtime_ns or 0, taken_ns, text)


def identity(path: str) -> str:
    """Equal for two spellings of the same local file; a URL is itself."""
    return path if places.is_url(path) else os.path.realpath(path)
