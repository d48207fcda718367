"""The pages of a flat column of texts in a Parquet file, by their headers.

A row group is the smallest thing that pyarrow decodes. It consists of pages of about 1 MiB, or of 1,024 rows
where they are long; headers tell how many rows each has. https://parquet.apache.org/docs/file-format/ has the
names used here. What is not known here raises `PagesError`: then pyarrow reads the row group.
"""

from __future__ import annotations

import zlib
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.thrift_compact import ThriftError, read_struct

DATA_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = 0, 2, 3  # PageType
PLAIN: Final = 0  # Encoding
DICTIONARY: Final = (2, 8)  # PLAIN_DICTIONARY, RLE_DICTIONARY
RLE: Final = 3
HEADER_BYTES: Final = (512, 1 << 20)  # read for a header; one with statistics may be long
CODECS: Final = {"UNCOMPRESSED": None, "SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd"}


class PagesError(ValueError):
    """The pages of a column are not what its metadata says, or of a kind that is not known here."""


class Page(NamedTuple):
    """A page, by its header."""

    start: int  # of the packed body in the file
    size_bytes: int
    crc: int | None  # of the body
    unpacked_bytes: int
    encoding: int
    first_row: int  # in the row group
    n_rows: int
    levels_bytes: int | None  # of definition levels before what is packed; None: packed, too
    is_packed: bool


class Chunk(NamedTuple):
    """A column of a row group."""

    codec: str | None
    is_optional: bool
    dictionary: Page | None
    pages: tuple[Page, ...]


def text_column(parquet: pq.ParquetFile, name: str) -> int | None:
    """Return the number of a leaf column of flat UTF-8 of this name; None where it is another kind."""
    for number in range(len(parquet.schema)):
        leaf = parquet.schema.column(number)
        if leaf.path == name:
            is_text = leaf.physical_type == "BYTE_ARRAY" and leaf.converted_type == "UTF8"
            is_flat = leaf.max_repetition_level == 0 and leaf.max_definition_level <= 1
            return number if is_text and is_flat and "." not in name else None
    return None


def chunk_pages(file: pa.NativeFile, parquet: pq.ParquetFile, group: int, column: int) -> Chunk:
    """Return the pages of a column of a row group; of the file only their headers are read.

    Raises:
        PagesError: where they are not what the metadata says.
        OSError: where the file cannot be read.
    """
    about = parquet.metadata.row_group(group).column(column)
    if about.compression not in CODECS:
        raise PagesError(f"packed with {about.compression}")
    at = about.data_page_offset
    if about.has_dictionary_page and about.dictionary_page_offset:
        at = min(at, about.dictionary_page_offset)
    end = at + about.total_compressed_size
    dictionary, row = None, 0
    pages: list[Page] = []
    while at < end:
        kind, page = _page(file, at, end, row)
        at = page.start + page.size_bytes
        if kind == DICTIONARY_PAGE:
            dictionary = page
        else:
            pages.append(page)
            row += page.n_rows
    if row != parquet.metadata.row_group(group).num_rows:
        raise PagesError(f"its pages have {row} rows, which are not those of the row group")
    is_optional = parquet.schema.column(column).max_definition_level == 1
    return Chunk(CODECS[about.compression], is_optional, dictionary, tuple(pages))


def wanted_pages(chunk: Chunk, rows: np.ndarray) -> list[tuple[Page, np.ndarray]]:
    """Return the pages that hold some of the rows (int64, ascending) of the row group, with those."""
    firsts = np.array([page.first_row for page in chunk.pages], np.int64)
    page_of = np.searchsorted(firsts, rows, side="right") - 1
    return [
        (chunk.pages[number], rows[page_of == number] - chunk.pages[number].first_row)
        for number in np.unique(page_of).tolist()
    ]


def page_body(file: pa.NativeFile, page: Page) -> memoryview:
    """Return the packed bytes of a page.

    Raises:
        PagesError: where they fail the checksum of the header, or the file ends before.
        OSError: where the file cannot be read.
    """
    body = file.read_at(page.size_bytes, page.start)
    if len(body) != page.size_bytes:
        raise PagesError("the file ends within a page")
    if page.crc is not None and zlib.crc32(body) != page.crc & 0xFFFFFFFF:
        raise PagesError("a page fails its checksum")
    return memoryview(body)


def _page(file: pa.NativeFile, at: int, end: int, row: int) -> tuple[int, Page]:
    """Return the type of the page whose header begins at a place, and the page."""
    try:
        head, start = _header(file, at, end)
        kind, unpacked, size = head[1], head[2], head[3]
        if size < 0 or unpacked < 0 or start + size > end:
            raise PagesError("a page reaches past the end of its column")
        common = (start, size, head.get(4), unpacked)
        if kind == DICTIONARY_PAGE:
            page = Page(*common, PLAIN, 0, head[7][1], 0, is_packed=True)
        elif kind == DATA_PAGE:
            if head[5][3] != RLE:
                raise PagesError(f"definition levels of encoding {head[5][3]}")
            page = Page(*common, head[5][2], row, head[5][1], None, is_packed=True)
        elif kind == DATA_PAGE_V2:
            about = head[8]
            if about[6] or not 0 <= about[5] <= min(size, unpacked):
                raise PagesError("levels that are longer than their page")
            is_packed = about.get(7, True)
            page = Page(*common, about[4], row, about[1], about[5], is_packed=is_packed)
        else:
            raise PagesError(f"a page of type {kind}")
    except (ThriftError, KeyError, TypeError) as error:
        raise PagesError(f"the header of a page cannot be read: {error}") from error
    if page.n_rows < 0:
        raise PagesError("a page with fewer than no rows")
    return kind, page


def _header(file: pa.NativeFile, at: int, end: int) -> tuple[dict[int, Any], int]:
    """Return the header that begins at a place of the file, and where it ends."""
    for n_bytes in HEADER_BYTES:
        data = memoryview(file.read_at(min(n_bytes, end - at), at))
        try:
            head, size = read_struct(data, 0)
        except ThriftError:
            if n_bytes == HEADER_BYTES[-1] or n_bytes >= end - at:
                raise
        else:
            break
    return head, at + size
