"""The texts of some rows of a Parquet page.

For the encodings PLAIN and RLE_DICTIONARY, in which texts are written: a text is its length in four bytes and
its UTF-8; a dictionary is a page of such texts, and the rows of its pages are numbers in it. Nulls stand in
the definition levels only. https://parquet.apache.org/docs/file-format/data-pages/encodings/
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from corpora.kernels import kernel
from corpora.parquet_pages import DICTIONARY, PLAIN, Chunk, Page, PagesError, page_body

LENGTH_BYTES: Final = 4
DAMAGED: Final = -1
MOST_WIDTH: Final = 32  # bits of a number in a dictionary

Value = bytes | None


def page_values(file: pa.NativeFile, chunk: Chunk, page: Page, rows: np.ndarray) -> list[Value]:
    """Return the texts of some rows (int64, ascending) of a page; None where there is none.

    Raises:
        PagesError: where the page is damaged or of an encoding that is not known here.
        OSError, pa.ArrowException: where it cannot be read or unpacked.
    """
    data, at = _unpacked(file, chunk, page), 0
    is_there = np.ones(page.n_rows, np.bool_)
    if chunk.is_optional:
        size = page.levels_bytes
        if size is None:
            size, at = int(_piece(data, 0, LENGTH_BYTES).view("<u4")[0]), LENGTH_BYTES
        is_there = _numbers(_piece(data, at, size), 1, page.n_rows) == 1
        at += size
    ordinals = (np.cumsum(is_there) - 1)[rows[is_there[rows]]]
    if page.encoding == PLAIN:
        found = _texts(data, at, ordinals)
    elif page.encoding in DICTIONARY and chunk.dictionary is not None:
        width = int(_piece(data, at, 1)[0])
        numbers = _numbers(data[at + 1 :], width, int(is_there.sum()))[ordinals]
        wanted, places = np.unique(numbers, return_inverse=True)
        texts = _texts(_unpacked(file, chunk, chunk.dictionary), 0, wanted)
        found = [texts[place] for place in places.tolist()]
    else:
        raise PagesError(f"a page of encoding {page.encoding}")
    texts_of = iter(found)
    return [next(texts_of) if there else None for there in is_there[rows].tolist()]


def _unpacked(file: pa.NativeFile, chunk: Chunk, page: Page) -> np.ndarray:
    """Return the bytes of a page, levels first: uint8."""
    body = page_body(file, page)
    plain = page.levels_bytes or 0
    if chunk.codec is None or not page.is_packed:
        return np.frombuffer(body, np.uint8)
    if plain == page.unpacked_bytes:
        return np.frombuffer(body[:plain], np.uint8)
    values = pa.Codec(chunk.codec).decompress(body[plain:], page.unpacked_bytes - plain)
    data = np.frombuffer(values, np.uint8)
    return np.concatenate([np.frombuffer(body[:plain], np.uint8), data]) if plain else data


def _piece(data: np.ndarray, at: int, n_bytes: int) -> np.ndarray:
    if at + n_bytes > len(data):
        raise PagesError("a page ends too early")
    return data[at : at + n_bytes]


def _numbers(data: np.ndarray, width: int, n: int) -> np.ndarray:
    """Return `n` numbers of a width in bits: int64."""
    if width > MOST_WIDTH:
        raise PagesError(f"numbers of {width} bits")
    numbers: np.ndarray = _hybrid(data, width, n)
    if n and numbers[-1] == DAMAGED:
        raise PagesError("runs of numbers that end too early")
    return numbers


def _texts(data: np.ndarray, at: int, ordinals: np.ndarray) -> list[Value]:
    """Return texts by their numbers (int64, ascending) among those that begin at a place."""
    bounds = np.zeros((len(ordinals), 2), np.int64)
    if not _walk(data, at, ordinals, bounds):
        raise PagesError("a page ends before its last row")
    return [data[start:end].tobytes() for start, end in bounds.tolist()]


@kernel
def _walk(data: Any, at: int, ordinals: Any, bounds: Any) -> bool:
    """Go from text to text; False where one is missing or longer than the data."""
    number = found = 0
    while found < len(ordinals):
        if at + LENGTH_BYTES > len(data):
            return False
        size: Any = np.int64(data[at]) | np.int64(data[at + 1]) << 8
        size |= np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24
        stop = at + LENGTH_BYTES + size
        if stop > len(data):
            return False
        if number == ordinals[found]:
            bounds[found, 0], bounds[found, 1] = at + LENGTH_BYTES, stop
            found += 1
        at = stop
        number += 1
    return True


@kernel
def _hybrid(data: Any, width: int, n: int) -> Any:
    """Return `n` numbers of runs and packed bits: int64; the last is DAMAGED where they end before."""
    out = np.empty(n, np.int64)
    value_bytes = (width + 7) // 8
    at = done = 0
    while done < n:
        head: Any = 0
        shift = 0
        while at < len(data) and shift < 35:
            byte = np.int64(data[at])
            at += 1
            head |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        count = head >> 1
        if head & 1:  # groups of eight, packed
            n_bytes = count * width
            if count == 0 or at + n_bytes > len(data):
                out[-1] = DAMAGED
                return out
            for k in range(min(count * 8, n - done)):
                value = np.int64(0)
                for bit in range(k * width, (k + 1) * width):
                    set_bit = np.int64(data[at + (bit >> 3)]) >> (bit & 7) & 1
                    value |= set_bit << (bit - k * width)
                out[done + k] = value
            at += n_bytes
            done += min(count * 8, n - done)
        else:
            if count == 0 or at + value_bytes > len(data):
                out[-1] = DAMAGED
                return out
            value = np.int64(0)
            for k in range(value_bytes):
                value |= np.int64(data[at + k]) << (8 * k)
            at += value_bytes
            stop = min(n, done + count)
            out[done:stop] = value
            done = stop
    return out
