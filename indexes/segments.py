"""Segments: fingerprints of up to 65,536 documents, sorted, in one file that is memory-mapped.

A segment is a header and five arrays, little-endian, each at a multiple of 64 bytes:

    first     uint32 (buckets + 1,)  entries of bucket k are first[k] .. first[k + 1]; the bucket is the
                                 first bits of a fingerprint's 38, as many as the header says
    key       uint16 (entries,)  the next 16 bits, ascending within a bucket
    tail      uint32 (entries,)  and the next 6, ascending where those are equal; then, in the low 26
                                 bits, those of the words around it (`indexes.fingerprints`)
    document  uint16 (entries,)  number of the document in the segment
    row       uint32 (documents,) row of the document in its shard, less the header's first row

So a fingerprint costs eight bytes, and a sixth of the words has one. To turn away what nobody asks for only
`key` is read. The number of buckets follows that of entries, so that small shards stay small.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.fingerprints import CONTEXT_BITS, KEY_BITS, Fingerprints

MAGIC: Final = b"SLUICESG"
VERSION: Final = 3
HEADER: Final = struct.Struct(
    "<8sIIQQQ"
)  # magic, version, bucket bits, entries, documents, first row
ALIGNMENT: Final = 64
MOST_BUCKET_BITS: Final = 16
KEPT_BITS: Final = KEY_BITS - MOST_BUCKET_BITS  # of a fingerprint, besides its bucket
END_BITS: Final = KEPT_BITS - 16  # of them, those in `tail`
LEAST_BUCKET_BITS: Final = 8  # a table of a kilobyte; with fewer, strangers would meet in `key`
ENTRIES_PER_BUCKET: Final = 32  # at least: the table then takes less than a byte in 60
MOST_DOCUMENTS: Final = 1 << 16
MOST_ENTRIES: Final = 4 << 20  # of a segment, so that sorting one takes little memory
MOST_ROWS: Final = 1 << 32  # that the rows of one segment may span
MOST_INSERTIONS: Final = 128  # entries of a bucket; a phrase that stands all over makes a large one
U64 = np.uint64
BUCKET_SHIFT: Final = U64(KEPT_BITS)


class SegmentError(ValueError):
    """A file is no whole segment; the text says why."""


class Segment(NamedTuple):
    """The arrays of a segment, mapped or in memory; read-only."""

    first: np.ndarray
    key: np.ndarray
    tail: np.ndarray
    document: np.ndarray
    row: np.ndarray  # int64 (documents,), rows in the shard


class SegmentBuilder:
    """Gathers the fingerprints of batches and gives a segment whenever one is full.

    Where segments end depends on the documents only, not on the batches that they come in.
    """

    def __init__(self) -> None:
        self._clear()

    def add(self, found: Fingerprints, rows: np.ndarray) -> Iterator[bytes]:
        """Take the fingerprints of documents that stand in `rows` (int64, ascending) of the shard."""
        entries = np.searchsorted(found.document, np.arange(len(rows) + 1))
        start = 0
        while start < len(rows):
            stop = self._room(rows, entries, start)
            if stop > start:
                low, high = entries[start], entries[stop]
                self._keys.append(found.key[low:high])
                self._contexts.append(found.context[low:high])
                self._documents.append(found.document[low:high] - start + self._n_documents)
                self._rows.append(rows[start:stop])
                self._n_documents += stop - start
                self._n_entries += int(high - low)
                start = stop
            if start < len(rows):
                yield self._segment()

    def finish(self) -> Iterator[bytes]:
        """Give what is left, if anything."""
        if self._n_documents:
            yield self._segment()

    def _room(self, rows: np.ndarray, entries: np.ndarray, start: int) -> int:
        """Return past which document the segment is full; a first document always fits."""
        by_count = start + MOST_DOCUMENTS - self._n_documents
        left = entries[start] + MOST_ENTRIES - self._n_entries
        by_entries = int(np.searchsorted(entries, left, side="right")) - 1
        first_row = self._rows[0][0] if self._rows else rows[start]
        by_rows = int(np.searchsorted(rows, first_row + MOST_ROWS))
        stop = min(by_count, by_entries, by_rows, len(rows))
        return max(stop, start + 1) if self._n_documents == 0 else max(stop, start)

    def _segment(self) -> bytes:
        key = np.concatenate(self._keys)
        document = np.concatenate(self._documents)
        order = _order(key)
        key, document = key[order], document[order]
        context = np.concatenate(self._contexts)[order]
        rows = np.concatenate(self._rows)
        again = np.zeros(len(key), np.bool_)  # the same run of 21 words, twice in a document
        again[1:] = (key[1:] == key[:-1]) & (document[1:] == document[:-1])
        again[1:] &= context[1:] == context[:-1]
        key, document, context = key[~again], document[~again], context[~again]
        self._clear()
        return _pack(key, context, document, rows)

    def _clear(self) -> None:
        self._keys: list[np.ndarray] = []
        self._contexts: list[np.ndarray] = []
        self._documents: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []
        self._n_documents = self._n_entries = 0


@kernel
def _order(keys: Any) -> Any:
    """Return the stable order of fingerprints (uint64, 38 bits): documents of a key stay in order.

    By counting their first bits, then sorting the few of each bucket: four times as fast as a sort of
    them all.
    """
    bucket_of = keys >> BUCKET_SHIFT
    first = np.zeros((1 << MOST_BUCKET_BITS) + 1, np.int64)
    for bucket in bucket_of:
        first[bucket + U64(1)] += 1
    first = np.cumsum(first)
    free = first.copy()
    order = np.empty(len(keys), np.int64)
    for at in range(len(keys)):
        order[free[bucket_of[at]]] = at
        free[bucket_of[at]] += 1
    for bucket in range(len(first) - 1):
        low, high = first[bucket], first[bucket + 1]
        if high - low > MOST_INSERTIONS:
            some = order[low:high].copy()
            order[low:high] = some[np.argsort(keys[some], kind="mergesort")]
            continue
        for at in range(low + 1, high):
            moved, to = order[at], at
            while to > low and keys[order[to - 1]] > keys[moved]:
                order[to] = order[to - 1]
                to -= 1
            order[to] = moved
    return order


def _pack(key: np.ndarray, context: np.ndarray, document: np.ndarray, rows: np.ndarray) -> bytes:
    bucket_bits = max(LEAST_BUCKET_BITS, (len(key) // ENTRIES_PER_BUCKET).bit_length())
    bucket_bits = min(bucket_bits, MOST_BUCKET_BITS)
    key = key >> U64(MOST_BUCKET_BITS - bucket_bits)
    bucket = key >> BUCKET_SHIFT
    first = np.searchsorted(bucket, np.arange((1 << bucket_bits) + 1)).astype("<u4")
    first_row = int(rows[0])
    parts = [HEADER.pack(MAGIC, VERSION, bucket_bits, len(key), len(rows), first_row)]
    for array in (
        first,
        (key >> U64(END_BITS)).astype("<u2"),  # the lowest bits of each, as everywhere below
        (key << U64(CONTEXT_BITS) | context).astype("<u4"),
        document.astype("<u2"),
        (rows - first_row).astype("<u4"),
    ):
        parts.append(b"\0" * (-sum(map(len, parts)) % ALIGNMENT))
        parts.append(array.tobytes())
    return b"".join(parts)


def read_segment(data: Any) -> Segment:
    """Return the arrays of a segment from a buffer (bytes, a memory map), uncopied but for `row`.

    Its numbers of documents are not looked at, which would read a quarter of it; see `rows_of`.

    Raises:
        SegmentError: where it is cut off or is no segment of this version.
    """
    view = memoryview(data)
    if len(view) < HEADER.size:
        raise SegmentError("it is shorter than a header")
    magic, version, bucket_bits, n_entries, n_documents, first_row = HEADER.unpack(
        view[: HEADER.size]
    )
    if magic != MAGIC or version != VERSION or bucket_bits > MOST_BUCKET_BITS:
        raise SegmentError(f"it is no segment of version {VERSION}")
    arrays = []
    at = HEADER.size
    for kind, size in (
        ("<u4", (1 << bucket_bits) + 1), ("<u2", n_entries), ("<u4", n_entries), ("<u2", n_entries),
        ("<u4", n_documents),
    ):  # fmt: skip
        at += -at % ALIGNMENT
        end = at + size * np.dtype(kind).itemsize
        if end > len(view):
            raise SegmentError("it is cut off")
        arrays.append(np.frombuffer(view[at:end], kind))
        at = end
    first, key, tail, document, row = arrays
    # The kernels trust these; a store may come from anywhere.
    if first[0] or first[-1] != n_entries or np.any(first[1:] < first[:-1]):
        raise SegmentError("its buckets do not hold its entries")
    return Segment(first, key, tail, document, row.astype(np.int64) + first_row)


def rows_of(segment: Segment, documents: np.ndarray) -> np.ndarray:
    """Return the rows in the shard of some documents of a segment: int64 (n,).

    Raises:
        SegmentError: where it does not have one of them.
    """
    if documents.max(initial=0) >= max(1, len(segment.row)):
        raise SegmentError("it names documents that it does not have")
    return segment.row[documents]
