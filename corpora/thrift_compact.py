"""Thrift's compact protocol, as far as reading Parquet's page headers needs it.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md: structs of numbers, bytes,
lists and structs. A struct becomes a dictionary by field number.
"""

from __future__ import annotations

from typing import Any, Final

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, _MAP, STRUCT = range(13)
MOST_DEPTH: Final = 8
MOST_VARINT_BYTES: Final = 10


class ThriftError(ValueError):
    """Bytes that are no struct, or end within one."""


def read_struct(data: memoryview, at: int) -> tuple[dict[int, Any], int]:
    """Return the struct that begins at a place of unsigned bytes, and where it ends.

    Raises:
        ThriftError: where there is none.
    """
    try:
        return _struct(data, at, 0)
    except IndexError as error:
        raise ThriftError("the bytes end within a struct") from error


def _struct(data: memoryview, at: int, depth: int) -> tuple[dict[int, Any], int]:
    if depth > MOST_DEPTH:
        raise ThriftError("structs within structs without end")
    fields: dict[int, Any] = {}
    number = 0
    while (head := data[at]) != STOP:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _zigzag(data, at)
        if head & 15 in (TRUE, FALSE):
            fields[number] = head & 15 == TRUE
        else:
            fields[number], at = _value(data, at, head & 15, depth)
    return fields, at + 1


def _value(data: memoryview, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (I16, I32, I64):
        return _zigzag(data, at)
    if kind in (TRUE, FALSE, BYTE):
        return data[at], at + 1
    if kind == STRUCT:
        return _struct(data, at, depth + 1)
    if kind == BINARY:
        size, at = _unsigned(data, at)
        return _piece(data, at, size), at + size
    if kind == DOUBLE:
        return _piece(data, at, 8), at + 8
    if kind in (LIST, SET):
        return _list(data, at, depth)
    raise ThriftError(f"a value of type {kind}")


def _list(data: memoryview, at: int, depth: int) -> tuple[list[Any], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _unsigned(data, at)
    if size > len(data) - at:
        raise ThriftError("a list is longer than the bytes")
    values = []
    for _ in range(size):
        value, at = _value(data, at, kind, depth + 1)
        values.append(value)
    return values, at


def _piece(data: memoryview, at: int, size: int) -> bytes:
    if size > len(data) - at:
        raise ThriftError("the bytes end within a value")
    return bytes(data[at : at + size])


def _zigzag(data: memoryview, at: int) -> tuple[int, int]:
    number, at = _unsigned(data, at)
    return number >> 1 ^ -(number & 1), at


def _unsigned(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 7 * MOST_VARINT_BYTES, 7):
        number |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
    raise ThriftError("a number without end")
