"""How a stored file differs from what its record says."""

from __future__ import annotations

from corpora.problems import said
from indexes.store.checksums import both_checksums
from indexes.store.errors import DamagedError
from indexes.store.files import Folder, read_pieces
from indexes.store.names import shard_folder
from indexes.store.records import StoredFile


def stored_path(key: str, file: StoredFile) -> str:
    """Return where a file of a shard lies in the store."""
    return f"{shard_folder(key)}/{file.stored_name}"


def contradiction(folder: Folder, key: str, file: StoredFile) -> str | None:
    """Return how the bytes of a file, all of which are read, contradict its record."""
    try:
        length, sha256, checksum = both_checksums(read_pieces(folder, stored_path(key, file)))
    except FileNotFoundError:
        return str(wrong_size(folder, key, file, None))
    except OSError as error:  # a bad sector
        return str(damage(folder, key, file, f"cannot be read: {said(error)}"))
    if length != file.bytes:
        return str(wrong_size(folder, key, file, length))
    if sha256 != file.sha256:
        reason = f"is damaged: SHA-256 {sha256!r}, recorded {file.sha256!r}"
        return str(damage(folder, key, file, reason))
    if checksum != file.quick:
        return str(damage(folder, key, file, "has a quick checksum that was recorded wrong"))
    return None


def wrong_size(folder: Folder, key: str, file: StoredFile, size: int | None) -> DamagedError:
    """Return what is said of a file that has another size than was written, None: is missing."""
    if size is None:
        return damage(folder, key, file, "is missing")
    return damage(folder, key, file, f"has {size} bytes, {file.bytes} were written")


def damage(folder: Folder, key: str, file: StoredFile, reason: str) -> DamagedError:
    """Return what is said of a damaged file."""
    return DamagedError(folder.path(stored_path(key, file)), reason, key)
