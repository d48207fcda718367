"""A store in an object store, through pyarrow's file systems; and what an argument names.

A folder cannot be renamed there, but an object appears whole: the files of a shard go first, under names
that tell their content, and the record that names them goes last. They are written in the system's
temporary folder, and nothing temporary is in the object store.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.fs

from corpora import places
from corpora.problems import CorpusError, said
from indexes.store.errors import StoreError
from indexes.store.files import Entry, Folder, check_length
from indexes.store.local import LocalFolder
from indexes.store.names import checked_path
from indexes.store.owners import temporary_name
from indexes.store.temporaries import Leftover, dead_in

SPOOL_PREFIX: Final = "sluicegate"


def open_folder(where: str) -> Folder:
    """Return the file operations for a local path or a file://, s3:// or gs:// URL.

    Raises:
        StoreError: it is neither.
    """
    if not where:
        raise StoreError("''", "no store is named", "name a folder or a URL")
    if not places.is_url(where):
        return LocalFolder(Path(where))
    try:
        file_system, inner = places._at(where)
    except CorpusError as error:  # its text shows no credentials
        shown_url, _, rest = str(error).partition(": ")
        reason, _, mend = rest.rpartition("; ")
        raise StoreError(shown_url, reason, mend) from error
    except (OSError, pa.ArrowException) as error:
        raise StoreError(where, f"cannot be used: {said(error)}", "check the URL") from error
    is_local = isinstance(file_system, pa.fs.LocalFileSystem)
    return LocalFolder(Path(inner)) if is_local else UrlFolder(where)


@dataclass(frozen=True, slots=True)
class UrlFolder:
    """File operations below a URL."""

    url: str

    def path(self, name: str) -> str:  # noqa: D102
        head, mark, query = self.url.partition("?")
        inner = "" if name in ("", ".") else f"/{checked_path(name)}"
        return f"{head.rstrip('/')}{inner}{mark}{query}"

    def read(self, name: str) -> bytes:  # noqa: D102
        with self._named(name) as (file_system, inner), file_system.open_input_file(inner) as file:
            check_length(self.path(name), file.size())
            return file.read()

    def write(self, name: str, data: bytes, *, durable: bool = True) -> None:  # noqa: D102
        self._put(name, pa.py_buffer(data))

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:  # noqa: D102
        if self.sizes([name]) != [None]:
            return False
        self.write(name, data)  # pyarrow cannot ask for "only if there is none": the last one stays
        return True

    def remove(self, name: str) -> None:  # noqa: D102
        with self._named(name) as (file_system, inner), suppress(FileNotFoundError):
            file_system.delete_file(inner)

    def remove_folder(self, name: str, first: str) -> None:  # noqa: D102
        self.remove(f"{name}/{first}")
        with self._named(name) as (file_system, inner), suppress(FileNotFoundError):
            file_system.delete_dir(inner)

    def sizes(self, names: Sequence[str]) -> list[int | None]:  # noqa: D102
        with self._named(".") as (file_system, root):
            infos = file_system.get_file_info([f"{root}/{checked_path(name)}" for name in names])
        return [info.size if info.type == pa.fs.FileType.File else None for info in infos]

    def children(self, folder: str) -> list[Entry]:  # noqa: D102
        return self._list(folder, recursive=False)

    def walk(self, folder: str) -> Iterator[Entry]:  # noqa: D102
        return (e for e in self._list(folder, recursive=True) if not e.is_folder)

    def buffer(self, name: str) -> pa.Buffer:  # noqa: D102
        with self._named(name) as (file_system, inner), file_system.open_input_file(inner) as file:
            return file.read_buffer()

    def spool(self) -> Path:  # noqa: D102
        spool = Path(tempfile.gettempdir(), SPOOL_PREFIX + temporary_name())
        spool.mkdir(mode=0o700)
        return spool

    def publish(self, spool: Path, folder: str, last: str) -> bool:  # noqa: D102
        files = sorted(file.name for file in spool.iterdir() if file.name != last)
        names = [f"{folder}/{file}" for file in files]
        there = self.sizes(names) if names else []
        for file, name, size in zip(files, names, there, strict=True):
            data = _mapped(spool / file)
            if size != data.size:  # the name tells the content: a file of this size is this file
                self._put(name, data)
        self._put(f"{folder}/{last}", _mapped(spool / last))
        return True

    def leftovers(self) -> Iterator[Leftover]:  # noqa: D102
        yield from dead_in(Path(tempfile.gettempdir()), SPOOL_PREFIX)

    def _put(self, name: str, data: pa.Buffer) -> None:
        # In one call: a stream that is closed early, by an error too, would publish half an object.
        with (
            self._named(name) as (file_system, inner),
            file_system.open_output_stream(inner, compression=None) as stream,
        ):
            stream.write(data)

    def _list(self, folder: str, *, recursive: bool) -> list[Entry]:
        with self._named(folder or ".") as (file_system, base), self._named(".") as (_, root):
            selector = pa.fs.FileSelector(base, allow_not_found=True, recursive=recursive)
            infos = file_system.get_file_info(selector)
        entries = [
            Entry(
                info.path[len(root) + 1 :],
                info.size or 0,
                (info.mtime_ns or 0) / 1e9,
                info.type == pa.fs.FileType.Directory,
            )
            for info in infos
        ]
        return sorted(entries, key=lambda entry: entry.name)

    @contextmanager
    def _named(self, name: str) -> Iterator[tuple[pa.fs.FileSystem, str]]:
        """Give the file system and the path in it; errors within name the URL."""
        url = self.path(name)
        try:
            yield places._at(url)
        except (OSError, pa.ArrowException) as error:
            number = getattr(error, "errno", None) or errno.EIO
            raise OSError(number, said(error), url) from error


def _mapped(path: Path) -> pa.Buffer:
    return pa.memory_map(path.as_posix()).read_buffer()
