"""Bytes out of a file, unpacked on the way, never more than a little at a time.

pyarrow unpacks gzip, bzip2 and Zstandard, the standard library xz; all of them read files of
several members or frames to the end, and all say when a file stops short.
"""

import lzma
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

import pyarrow as pa

from corpora.formats import Compression
from corpora.places import open_input

# what a damaged, vanished or forbidden file raises while it is read
READ_ERRORS = (OSError, EOFError, lzma.LZMAError, pa.ArrowException)

# How pyarrow words what went wrong on the way to an object store: such errors have no number.
_ON_THE_WAY = re.compile(
    r"AWS Error|google::cloud|HTTP|curl|time[d-]? ?out|connection", re.IGNORECASE
)

# Plain files: few calls. Packed files: pyarrow drops what it unpacked in a call that then meets
# the damage, and 4 KiB calls still cost under 2% of unpacking.
PLAIN_PIECE_BYTES = 1 << 20
PACKED_PIECE_BYTES = 4 << 10


def may_pass(error: BaseException | None) -> bool:
    """Whether a READ_ERROR tells of the way to the file (disk, network, rights) and not of its bytes.

    The system numbers its errors; what unpackers and parsers raise has no number.
    """
    if not isinstance(error, OSError):
        return False
    return (
        error.errno is not None
        or isinstance(error, (TimeoutError, ConnectionError))
        or _ON_THE_WAY.search(str(error)) is not None
    )


def open_stream(path: str, compression: Compression) -> pa.NativeFile | IO[bytes]:
    """The file's unpacked bytes as a stream; raises READ_ERRORS here or when read."""
    file = open_input(path)
    if compression is Compression.NONE:
        return file
    if compression is Compression.XZ:
        return lzma.LZMAFile(file)
    return pa.CompressedInputStream(file, compression.value)


def read_pieces(path: str, compression: Compression) -> Iterator[bytes]:
    """The unpacked bytes in order, in short pieces; raises READ_ERRORS after the last good byte."""
    size = PLAIN_PIECE_BYTES if compression is Compression.NONE else PACKED_PIECE_BYTES
    whole_pieces = 0
    try:
        with open_stream(path, compression) as stream:
            while piece := stream.read(size):
                yield piece
                whole_pieces += 1
    except READ_ERRORS:
        if compression is not Compression.NONE:
            yield _before_damage(path, compression, whole_pieces, size)
        raise


def _before_damage(path: str, compression: Compression, whole_pieces: int, size: int) -> bytes:
    """The good bytes of the piece that failed: unpacked once more and read byte by byte."""
    rest = bytearray()
    with suppress(*READ_ERRORS), open_stream(path, compression) as stream:
        for _ in range(whole_pieces):
            stream.read(size)
        while byte := stream.read(1):
            rest += byte
    return bytes(rest)
