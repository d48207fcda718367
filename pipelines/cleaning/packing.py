"""Packed streams whose bytes depend on nothing but what is written: fixed levels, no clock, no names."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, Protocol

import pyarrow as pa
from typing_extensions import Buffer  # of collections.abc from Python 3.12 on

from corpora.shards import Compression

GZIP_LEVEL: Final = 6  # what gzip itself takes
BZ2_LEVEL: Final = 9
XZ_PRESET: Final = 6


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, data: Buffer, /) -> int | None:
        """Write all of the bytes."""
        ...


class Hashed:
    """A file being written, with its size and SHA-256; closing it leaves the file open.

    pyarrow asks for `closed`, `tell` and `flush`.
    """

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: Buffer) -> int:
        """Write all of the bytes."""
        piece = memoryview(data)
        self._file.write(piece)
        self._digest.update(piece)
        self.size_bytes += piece.nbytes
        return piece.nbytes

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self.size_bytes

    def flush(self) -> None:
        """Nothing is held here."""

    def close(self) -> None:
        """Leave the file open: whoever opened it closes it."""

    def hexdigest(self) -> str:
        """Return the SHA-256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()


@contextmanager
def packed(sink: Hashed, compression: Compression) -> Iterator[Writable]:
    """Yield a stream that packs into `sink`, as one member or frame, which is whole afterwards."""
    if compression is Compression.NONE:
        yield sink
        return
    with _stream(sink, compression) as stream:
        yield stream


def _stream(sink: Hashed, compression: Compression) -> BinaryIO:
    match compression:
        case Compression.GZIP:
            return gzip.GzipFile("", "wb", GZIP_LEVEL, sink, mtime=0)  # type: ignore[return-value]  # BinaryIO by duck typing
        case Compression.BZ2:
            return bz2.BZ2File(sink, "wb", compresslevel=BZ2_LEVEL)  # type: ignore[return-value]  # BinaryIO by duck typing
        case Compression.XZ:
            return lzma.LZMAFile(sink, "wb", preset=XZ_PRESET)  # type: ignore[return-value,arg-type]  # BinaryIO by duck typing
        case _:
            return pa.CompressedOutputStream(pa.PythonFile(sink, "w"), compression.value)
