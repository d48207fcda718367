"""What dead builders left behind, and how it is removed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexes.store.owners import DAY_SECONDS, TEMPORARY, is_at_work, owner_of


@dataclass(frozen=True, slots=True)
class Leftover:
    """A temporary file or folder of a builder that is dead."""

    path: Path
    bytes: int


def dead_in(folder: Path, prefix: str = "") -> Iterator[Leftover]:
    """Yield the temporary files and folders of dead builders in a folder, by name.

    Only this user's: with a prefix, the folder is one that everybody writes to.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(prefix + TEMPORARY) and not (prefix and _is_anothers(path)):
            size, modified = _weigh(path)
            owner = owner_of(path.name.removeprefix(prefix))
            if not is_at_work(owner, time.time() - modified, DAY_SECONDS):
                yield Leftover(path, size)


def clear(leftovers: Iterable[Leftover]) -> None:
    """Delete what dead builders left; what may not be deleted (another user's) stays."""
    for leftover in leftovers:
        with suppress(PermissionError):
            delete(leftover.path)


def delete(path: Path) -> None:
    """Delete a file or a folder; another may be deleting it at the same time."""
    # Not shutil.rmtree: it stops at the first file that another has deleted.
    with suppress(FileNotFoundError):
        if not _is_folder(path):
            path.unlink()
            return
        for child in list(path.iterdir()):
            delete(child)
        path.rmdir()


def _is_anothers(path: Path) -> bool:
    try:
        return path.lstat().st_uid != os.geteuid()
    except FileNotFoundError:
        return True


def _weigh(path: Path) -> tuple[int, float]:
    """Return the bytes at a path and below, and when something of it was last written."""
    size, modified = 0, 0.0
    inner: list[Path] = []
    with suppress(FileNotFoundError):
        inner = list(path.iterdir()) if _is_folder(path) else []
    for each in (path, *inner):
        with suppress(FileNotFoundError):
            status = each.lstat()
            modified = max(modified, status.st_mtime)
            size += 0 if each.is_dir() else status.st_size
    return size, modified


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
