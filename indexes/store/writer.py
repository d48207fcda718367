"""Writing the files of one shard into a private folder, and the record that seals them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corpora.problems import ReadLog
from indexes.store.checksums import PIECE_BYTES, both_checksums
from indexes.store.names import NAME_RULE, SHARD_FILE
from indexes.store.records import ShardParameters, ShardRecord, StoredFile, StoredLog, to_bytes


class ShardWriter:
    """Writes the files of one shard; `Store.write_shard` gives it."""

    def __init__(
        self,
        spool: Path,
        parameters: ShardParameters,
        digest: str,
        publish: Callable[[Path, ShardRecord], ShardRecord],
    ) -> None:
        self._spool = spool
        self._parameters = parameters
        self._digest = digest
        self._publish = publish

    def file(self, name: str) -> Path:
        """Return where to write a file of this name: a local path that nobody else reads."""
        assert re.fullmatch(NAME_RULE, name), f"{name!r} cannot name a stored file"
        return self._spool / name

    def write(self, name: str, data: Any) -> None:
        """Write a file from a buffer, or add to its end."""
        with self.file(name).open("ab") as file:
            file.write(data)

    def finish(
        self, log: ReadLog, counts: Mapping[str, int | dict[str, int]] | None = None
    ) -> ShardRecord:
        """Let the shard appear, and return what is recorded of it; nothing can be written after.

        Where another builder was first, its shard stays and its record is returned.
        """
        record = ShardRecord(
            parameters=self._parameters,
            digest=self._digest,
            files=tuple(_sealed(path) for path in sorted(self._spool.iterdir())),
            read=StoredLog.of(log),
            counts=dict(counts or {}),
        )
        (self._spool / SHARD_FILE).write_bytes(to_bytes(record))
        return self._publish(self._spool, record)


def _sealed(path: Path) -> StoredFile:
    """Return the record of a file, and give the file its stored name."""
    with path.open("rb") as file:
        length, sha256, quick = both_checksums(iter(lambda: file.read(PIECE_BYTES), b""))
    stored = StoredFile(name=path.name, bytes=length, sha256=sha256, quick=quick)
    path.rename(path.with_name(stored.stored_name))
    return stored
