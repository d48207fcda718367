"""Locality-sensitive hashing: which of many signatures share a band with a given one.

A band is some consecutive positions of a signature as one hash. The index keeps the band hashes of
all signatures in one sorted table with a bit filter before it, so that a probe that finds nothing, as
nearly all do, costs one memory access. Signatures belong to classes (of size, say) that never meet.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.minhash import N_PERMUTATIONS, Bands

FILTER_BITS_PER_ENTRY: Final = 16
U64 = np.uint64
STEP: Final = U64(0x9E3779B97F4A7C15)
SPREAD: Final = U64(0xD6E8FEB86659FD93)
SHIFT_29, SIX, SIXTY_THREE, ONE, SHIFT_32 = U64(29), U64(6), U64(63), U64(1), U64(32)


class LshIndex(NamedTuple):
    """Band hashes of signatures, sorted."""

    bands: int
    rows: int
    filter: np.ndarray  # uint64, one bit for each hash
    filter_shift: np.uint64
    first: np.ndarray  # int64 (buckets + 1,): entries whose hash begins with the bucket's number
    bucket_shift: np.uint64
    key: np.ndarray  # uint32 (entries,), low half of the hash
    owner: np.ndarray  # int32 (entries,), number of the signature
    low_bytes: np.ndarray  # uint8 (signatures, 128): enough to count equal positions by


def build_lsh(
    signatures: np.ndarray, owner: np.ndarray, size_class: np.ndarray, bands: Bands
) -> LshIndex:
    """Index `signatures[owner[e]]` (uint32 (n, 128)) in class `size_class[e]` for every e."""
    hashes = np.empty((len(owner), bands.bands), np.uint64)
    _hash_entries(signatures, owner, size_class, bands.rows, hashes)
    order = np.argsort(hashes.ravel(), kind="stable")
    flat = hashes.ravel()[order]
    bucket_bits = max(8, (2 * max(1, len(flat)) - 1).bit_length())
    filter_bits = max(10, (FILTER_BITS_PER_ENTRY * max(1, len(flat)) - 1).bit_length())
    bits = np.zeros(1 << filter_bits - 6, np.uint64)
    _fill(bits, U64(64 - filter_bits), flat)
    first = np.searchsorted(flat >> U64(64 - bucket_bits), np.arange((1 << bucket_bits) + 1))
    return LshIndex(
        bands=bands.bands,
        rows=bands.rows,
        filter=bits,
        filter_shift=U64(64 - filter_bits),
        first=first,
        bucket_shift=U64(64 - bucket_bits),
        key=(flat & U64(0xFFFFFFFF)).astype(np.uint32),
        owner=owner[order // bands.bands].astype(np.int32),
        low_bytes=signatures.astype(np.uint8),
    )


@inline_kernel
def band_hash(signature: Any, band: int, rows: int, size_class: int) -> Any:
    """Return the hash of one band of a signature of a class."""
    h = U64(size_class * N_PERMUTATIONS + band + 1) * STEP
    for row in range(band * rows, band * rows + rows):
        h = (h ^ U64(signature[row])) * STEP
        h ^= h >> SHIFT_29
    h *= SPREAD
    return h ^ h >> SHIFT_32


@kernel
def probe(index: Any, signature: Any, size_class: int, found: Any) -> int:
    """Append to `found` (int32) the owners that share a band, once a band; return their number.

    Where `found` is full the rest is left out: the caller gives room for what it wants to see.
    """
    n = 0
    for band in range(index.bands):
        h = band_hash(signature, band, index.rows, size_class)
        bit = h >> index.filter_shift
        if not index.filter[bit >> SIX] >> (bit & SIXTY_THREE) & ONE:
            continue
        bucket = h >> index.bucket_shift
        key = np.uint32(h)
        for entry in range(index.first[bucket], index.first[bucket + ONE]):
            if index.key[entry] == key and n < len(found):
                found[n] = index.owner[entry]
                n += 1
    return n


@kernel
def equal_positions(low_bytes: Any, row: int, signature: Any) -> int:
    """Count the positions at which the low bytes of two signatures are equal."""
    equal = 0
    for k in range(N_PERMUTATIONS):
        equal += low_bytes[row, k] == signature[k]
    return equal


@kernel
def _hash_entries(signatures: Any, owner: Any, size_class: Any, rows: int, out: Any) -> None:
    for entry in range(len(owner)):
        for band in range(out.shape[1]):
            out[entry, band] = band_hash(signatures[owner[entry]], band, rows, size_class[entry])


@kernel
def _fill(bits: Any, shift: Any, hashes: Any) -> None:
    for h in hashes:
        bit = h >> shift
        bits[bit >> SIX] |= ONE << (bit & SIXTY_THREE)
