"""What the files of a corpus were when they were last read, so that they need not be read again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from corpora.file_stat import FileStat, identity
from indexes.store.errors import StoreError
from indexes.store.files import Folder
from indexes.store.names import seen_file
from indexes.store.records import SeenRecord, from_bytes, to_bytes


@dataclass(frozen=True, slots=True)
class SeenFiles:
    """The records below `seen/` of a store."""

    folder: Folder

    def recognise(self, path: str, stat: FileStat) -> str | None:
        """Return the SHA-256 of a corpus file that was read before and has not changed since.

        None where it was not read, its size or its ETag differs (its modification time, where there
        are no ETags), or the record of it is damaged: then read it.
        """
        known_as = identity(path)
        name = seen_file(known_as)
        try:
            seen = from_bytes(SeenRecord, self.folder.read(name), self.folder.path(name))
        except (FileNotFoundError, StoreError):
            return None
        if seen.path != known_as or seen.size_bytes != stat.size_bytes:
            return None
        if seen.etag is not None and stat.etag is not None:
            return seen.digest if seen.etag == stat.etag else None
        return seen.digest if seen.modified_ns == stat.modified_ns else None

    def remember(self, path: str, stat: FileStat, digest: str) -> None:
        """Record that a corpus file, as looked at before it was read, had this SHA-256.

        Nothing is recorded of a file that was changed a moment before: the next change might not show.
        """
        if not stat.is_settled:
            return
        known_as = identity(path)
        seen = SeenRecord(
            path=known_as,
            size_bytes=stat.size_bytes,
            modified_ns=stat.modified_ns,
            etag=stat.etag,
            digest=digest,
        )
        with suppress(StoreError):  # a path that is not Unicode: it is read each time
            self.folder.write(seen_file(known_as), to_bytes(seen), durable=False)
