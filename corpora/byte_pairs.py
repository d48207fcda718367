"""Byte-pair encoding of one piece: merges in order of rank, the leftmost first, as the library does.

The definition is Sennrich et al. 2016: of all neighbours that may merge, those of the lowest rank
merge first, from left to right. A short piece keeps the ranks of its neighbours in an array that is searched
for the least; a long one, where that would take quadratic time, keeps them in a heap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, peek_16, peek_32, peek_64, poke_32
from corpora.spelling import MULTIPLIER
from corpora.split_automaton import decode

U64 = np.uint64
ZERO, ONE = U64(0), U64(1)
ID_BITS: Final = 20
LARGEST_ID: Final = (1 << ID_BITS) - 1
LARGEST_RANK: Final = (1 << 24) - 2
NO_MERGE: Final = (1 << 24) - 1  # a rank behind all others
RANK_BITS, LEFT_SHIFT, PAIR_SHIFT = U64(24), U64(ID_BITS), U64(24)
RANK_MASK: Final = U64((1 << 24) - 1)
FREE: Final = U64(2**64 - 1)
PLACE_BITS: Final = 7
SEARCHED: Final = 1 << PLACE_BITS  # bytes of a piece from which on a heap is faster than a search
SCRATCH: Final = 3 * SEARCHED
NO_PAIR: Final = U64(2**31 - 1)
NO_CHARACTER: Final = 2**32 - 1


class Characters(NamedTuple):
    """The ids of characters: `ids[page_of[c >> 8] << 8 | c & 255]`, NO_CHARACTER for its bytes."""

    page_of: np.ndarray  # uint16 (4352,)
    ids: np.ndarray  # uint32


BYTES_ONLY: Final = Characters(np.zeros(0, np.uint16), np.zeros(0, np.uint32))


class Merges(NamedTuple):
    """What may merge, beginning with bytes, or with characters where `characters` has any."""

    byte_ids: np.ndarray  # uint32 (256,): the id of each byte
    byte_pairs: (
        np.ndarray
    )  # uint32 (65536,): of two bytes, rank << 7, NO_MERGE << 7 where they never do
    slots: (
        np.ndarray
    )  # uint64, a power of two: left id << 44 | right id << 24 | rank; FREE where empty
    merged_ids: np.ndarray  # uint32 (merges,): the id that a rank makes
    characters: Characters


def build_merges(
    byte_ids: Sequence[int],
    merges: Mapping[tuple[int, int], tuple[int, int]],
    characters: Characters = BYTES_ONLY,
) -> Merges:
    """Return the tables of merges given as (left, right) -> (rank, merged id)."""
    n_ranks = 1 + max((rank for rank, _ in merges.values()), default=0)
    merged_ids = np.zeros(n_ranks, np.uint32)
    entries = np.empty(len(merges), np.uint64)
    for at, ((left, right), (rank, merged)) in enumerate(merges.items()):
        entries[at] = (left << ID_BITS | right) << 24 | rank
        merged_ids[rank] = merged
    slots = np.full(1 << (2 * len(merges) + 8).bit_length(), FREE, np.uint64)
    _fill(slots, entries)
    byte_pairs = [
        merges.get((left, right), (NO_MERGE, 0))[0] << PLACE_BITS
        for left in byte_ids
        for right in byte_ids
    ]
    tables = np.array(byte_ids, np.uint32), np.array(byte_pairs, np.uint32)
    return Merges(*tables, slots, merged_ids, characters)


@kernel
def _fill(slots: Any, entries: Any) -> None:
    mask = U64(len(slots) - 1)
    for entry in entries:
        slot = _first_slot(entry >> PAIR_SHIFT, mask)
        while slots[slot] != FREE:
            slot = slot + ONE & mask
        slots[slot] = entry


@inline_kernel
def _first_slot(pair: Any, mask: Any) -> Any:
    return (pair * MULTIPLIER) >> U64(24) & mask


@inline_kernel
def _rank_of(merges: Any, left: Any, right: Any) -> Any:
    """Return the rank of a pair of ids, NO_MERGE where it never merges."""
    pair = left << LEFT_SHIFT | right
    slot = _first_slot(pair, merges.mask)
    entry = peek_64(merges.slots, slot)
    while entry != FREE and entry >> PAIR_SHIFT != pair:
        slot = slot + ONE & merges.mask
        entry = peek_64(merges.slots, slot)
    return entry & RANK_MASK  # of FREE it is NO_MERGE


class MergesAt(NamedTuple):
    """The addresses of Merges, one less than the number of slots, and scratch; all uint64."""

    byte_ids: Any
    byte_pairs: Any
    slots: Any
    mask: Any
    merged_ids: Any
    page_of: Any
    character_ids: Any
    has_characters: Any
    scratch: Any


@inline_kernel
def locate_merges(merges: Any, scratch: Any) -> Any:
    """Return the addresses of merges; `scratch` is uint32 (SCRATCH,), of one thread."""
    return MergesAt(
        address_of(merges.byte_ids),
        address_of(merges.byte_pairs),
        address_of(merges.slots),
        U64(len(merges.slots) - 1),
        address_of(merges.merged_ids),
        address_of(merges.characters.page_of),
        address_of(merges.characters.ids),
        U64(len(merges.characters.ids) > 0),
        address_of(scratch),
    )


@kernel
def merge_piece(text: Any, first: Any, last: Any, merges: Any, ids: Any) -> Any:
    """Write the ids of the piece `text[first:last]`, not empty, to `ids`; return their number.

    `text` and `ids` (uint32, room for one a byte) are addresses, `merges` is a MergesAt, all
    numbers are uint64.
    """
    pairs = merges.scratch
    if merges.has_characters:
        length = _write_characters(text, first, last, merges, ids)
        if length > U64(SEARCHED):
            return U64(_merge_long(np.int64(length), merges, ids))
        for k in range(1, length):
            rank = _rank_of(merges, peek_32(ids, U64(k - 1)), peek_32(ids, U64(k)))
            poke_32(pairs, U64(k - 1), rank << U64(PLACE_BITS) | U64(k - 1))
    else:
        length = last - first
        for k in range(length):
            poke_32(ids, U64(k), peek_32(merges.byte_ids, peek_8(text, first + U64(k))))
        if length > U64(SEARCHED):
            return U64(_merge_long(np.int64(length), merges, ids))
        for k in range(1, length):
            at = first + U64(k)
            pair = peek_32(merges.byte_pairs, peek_8(text, at - ONE) << U64(8) | peek_8(text, at))
            poke_32(pairs, U64(k - 1), pair | U64(k - 1))
    poke_32(pairs, length - ONE, NO_PAIR)
    return _merge_short(length, merges, ids)


@kernel
def _write_characters(text: Any, first: Any, last: Any, merges: Any, ids: Any) -> Any:
    """Write the ids of characters, of their bytes where they have none; return their number."""
    n = ZERO
    place = first
    while place < last:
        lead = peek_8(text, place)
        point, size = lead, ONE
        if lead >= U64(0x80):
            point, size = decode(text, place, lead)
        page = peek_16(merges.page_of, point >> U64(8))
        number = peek_32(merges.character_ids, page << U64(8) | point & U64(255))
        if number != U64(NO_CHARACTER):
            poke_32(ids, n, number)
            n += ONE
        else:
            for k in range(size):
                poke_32(ids, n, peek_32(merges.byte_ids, peek_8(text, place + U64(k))))
                n += ONE
        place += size
    return n


@kernel
def _merge_short(length: Any, merges: Any, ids: Any) -> Any:
    """Merge the ids in place; return how many are left.

    In scratch `pairs[k]` is rank << 7 | k of the pair that begins at place k, so that the least of them
    tells which pair is next; `after` and `before` link the places.
    """
    pairs = merges.scratch
    after, before = pairs + U64(4 * SEARCHED), pairs + U64(8 * SEARCHED)
    for k in range(length):
        poke_32(after, U64(k), U64(k) + ONE)
        poke_32(before, U64(k), U64(k) - ONE)
    while True:
        best = np.int32(2**31 - 1)
        for k in range(length):
            best = min(best, np.int32(peek_32(pairs, U64(k))))
        if best >= NO_MERGE << PLACE_BITS:
            break
        place = U64(best & SEARCHED - 1)
        merged = peek_32(merges.merged_ids, U64(best >> PLACE_BITS))
        poke_32(ids, place, merged)
        gone, left = peek_32(after, place), peek_32(before, place)
        right = peek_32(after, gone)
        poke_32(after, place, right)
        poke_32(pairs, gone, NO_PAIR)
        poke_32(pairs, place, NO_PAIR)
        if right < length:
            poke_32(before, right, place)
            rank = _rank_of(merges, merged, peek_32(ids, right))
            poke_32(pairs, place, rank << U64(PLACE_BITS) | place)
        if left < length:  # the place before the first is a very large one
            rank = _rank_of(merges, peek_32(ids, left), merged)
            poke_32(pairs, left, rank << U64(PLACE_BITS) | left)
    n_ids = place = ZERO
    while place < length:
        poke_32(ids, n_ids, peek_32(ids, place))
        n_ids += ONE
        place = peek_32(after, place)
    return n_ids


@kernel
def _merge_long(n: Any, merges: Any, ids: Any) -> int:
    """Do the same in time n log n: a heap of rank << 32 | place, where stale entries are passed over.

    `ranks[k]` is the rank of the pair that begins at k, so an entry is stale where it is another.
    """
    after, before = np.empty(n, np.int32), np.empty(n, np.int32)
    ranks = np.empty(n, np.int32)
    heap = np.empty(3 * n, np.int64)
    size = 0
    for k in range(n):
        after[k], before[k] = k + 1, k - 1
        ranks[k] = NO_MERGE
        if k < n - 1:
            ranks[k] = _rank_at(merges, ids, k, k + 1)
            size = _push(heap, size, ranks[k], k)
    while size:
        top = heap[0]
        size = _pop(heap, size)
        rank, place = top >> 32, top & 0xFFFFFFFF
        if ranks[place] != rank:
            continue
        gone = after[place]
        poke_32(ids, U64(place), peek_32(merges.merged_ids, U64(rank)))
        right, left = after[gone], before[place]
        after[place] = right
        ranks[place] = ranks[gone] = NO_MERGE
        if right < n:
            before[right] = place
            ranks[place] = _rank_at(merges, ids, place, right)
            size = _push(heap, size, ranks[place], place)
        if left >= 0:
            ranks[left] = _rank_at(merges, ids, left, place)
            size = _push(heap, size, ranks[left], left)
    n_ids = place = 0
    while place < n:
        poke_32(ids, U64(n_ids), peek_32(ids, U64(place)))
        n_ids += 1
        place = after[place]
    return n_ids


@inline_kernel
def _rank_at(merges: Any, ids: Any, left: Any, right: Any) -> Any:
    return np.int32(_rank_of(merges, peek_32(ids, U64(left)), peek_32(ids, U64(right))))


@kernel
def _push(heap: Any, size: int, rank: int, place: int) -> int:
    """Add an entry where the rank is one; return the size of the heap."""
    if rank == NO_MERGE:
        return size
    entry = np.int64(rank) << 32 | place
    at = size
    while at and heap[(at - 1) // 2] > entry:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = entry
    return size + 1


@kernel
def _pop(heap: Any, size: int) -> int:
    size -= 1
    entry = heap[size]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= entry:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = entry
    return size
