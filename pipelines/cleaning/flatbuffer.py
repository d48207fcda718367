"""How the bodies of an Arrow IPC file are packed: pyarrow does not tell, the message headers do.

A header is a flatbuffer (Apache Arrow columnar format, `Message.fbs`): a table is a signed offset to its
list of fields, and a field that is absent has the offset 0 there.
"""

from __future__ import annotations

import struct
from typing import Final

import pyarrow as pa

FILE_HEAD_BYTES: Final = 8  # the magic and padding, then what a stream has
MESSAGE_HEADER_TYPE, MESSAGE_HEADER = 1, 2
RECORD_BATCH: Final = 3  # of the union MessageHeader
RECORD_BATCH_COMPRESSION: Final = 3
COMPRESSION_CODEC: Final = 0
CODECS: Final = {0: "lz4", 1: "zstd"}


def body_compression(file: pa.NativeFile, *, is_file: bool) -> str | None:
    """Return the codec of the first record batch: "lz4", "zstd", or None where there is none."""
    file.seek(FILE_HEAD_BYTES if is_file else 0)
    for message in pa.ipc.MessageReader.open_stream(file):
        if message.type == "record batch":
            return _codec(message.metadata.to_pybytes())
    return None


def _codec(data: bytes) -> str | None:
    root = _offset(data, 0)
    kind = _field(data, root, MESSAGE_HEADER_TYPE)
    header = _field(data, root, MESSAGE_HEADER)
    if kind is None or header is None or data[kind] != RECORD_BATCH:
        return None
    compression = _field(data, _offset(data, header), RECORD_BATCH_COMPRESSION)
    if compression is None:
        return None
    codec = _field(data, _offset(data, compression), COMPRESSION_CODEC)
    return CODECS[0 if codec is None else data[codec]]  # an absent field has its default, LZ4


def _field(data: bytes, table: int, number: int) -> int | None:
    """Return where a field of a table is; None where it is absent."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    size = struct.unpack_from("<H", data, fields)[0]
    at = 4 + 2 * number
    if at >= size:
        return None
    offset = struct.unpack_from("<H", data, fields + at)[0]
    return table + offset if offset else None


def _offset(data: bytes, at: int) -> int:
    """Follow the unsigned offset at a place."""
    return at + int(struct.unpack_from("<I", data, at)[0])
