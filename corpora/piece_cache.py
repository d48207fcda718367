"""Pieces of text and the token ids of each: an exact hash table that may be thrown away.

Text repeats itself: of a hundred pieces some five are new. What is kept changes no result, only how
often a piece must be encoded. A piece of at most seven bytes is its own key; a longer one is found by a
hash and then compared byte by byte with its copy in an arena. So equal numbers mean equal bytes, whatever
the hash does.

Inside kernels a cache is its addresses (`locate`, see `corpora.peek`), and its room is fixed:
where it is full, the kernel goes back to Python, which makes it larger (`grown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, peek_32, peek_64, poke_8, poke_32, poke_64
from corpora.spelling import BASIS, MULTIPLIER, mix

U64 = np.uint64
ZERO, ONE, TWO, EIGHT, WORD_BITS = U64(0), U64(1), U64(2), U64(8), U64(64)
SHORT: Final = U64(7)  # bytes that fit into a key beside their number
LENGTH_SHIFT: Final = U64(56)
LONG: Final = U64(1 << 63)  # the key is a hash
ODD: Final = U64(1 << 62)  # the piece is one of a second kind, kept apart from the first
HASHED: Final = U64((1 << 62) - 1)
HASH_SHIFT: Final = U64(20)
EMPTY: Final = U64(0)  # no piece has this key: a short one says its length
COUNT_BITS: Final = U64(32)
COUNT_MASK: Final = U64((1 << 32) - 1)
NO_ROOM: Final = U64(2**64 - 1)  # instead of a number
PIECES, BYTES, IDS = ZERO, ONE, TWO  # places in `used`
FIRST_SLOTS: Final = 1 << 15
GROWTH: Final = 4
MOST_SLOTS: Final = 1 << 21  # a cache of so many takes 80 MB
BYTES_A_SLOT, IDS_A_SLOT = 8, 2  # room for text and ids, with a margin over what real texts took


class Encoded(NamedTuple):
    """Ids of documents; those that are `left` are not encoded and have none."""

    ids: np.ndarray  # uint32 (m,)
    ends: np.ndarray  # int64 (n + 1,): document d has ids[ends[d]:ends[d + 1]]
    left: np.ndarray  # bool (n,)


class PieceCache(NamedTuple):
    """Pieces numbered from 0 in the order in which they came, and the ids of each."""

    slots: np.ndarray  # uint64 (a power of two, 2): key and number, by open addressing
    spans: (
        np.ndarray
    )  # uint64 (pieces,): place in `ids` << 32 | number of ids; of one: id << 32 | 1
    ends: np.ndarray  # uint64 (pieces + 1,): a long piece n is arena[ends[n]:ends[n + 1]]
    arena: np.ndarray  # uint8
    ids: np.ndarray  # uint32
    used: np.ndarray  # uint64 (3,): pieces, bytes of the arena, ids


class CacheAt(NamedTuple):
    """The addresses of a PieceCache, and its room; all uint64."""

    slots: Any
    mask: Any  # one less than the number of slots
    spans: Any
    ends: Any
    arena: Any
    ids: Any
    used: Any
    most_pieces: Any
    most_bytes: Any
    most_ids: Any


def new_cache(n_slots: int = FIRST_SLOTS, n_bytes: int = 0) -> PieceCache:
    """Return an empty cache for half as many pieces as slots, a power of two."""
    return PieceCache(
        np.zeros((n_slots, 2), np.uint64),
        np.zeros(n_slots // 2, np.uint64),
        np.zeros(n_slots // 2 + 1, np.uint64),
        np.empty(max(n_slots * BYTES_A_SLOT, n_bytes), np.uint8),
        np.empty(n_slots * IDS_A_SLOT, np.uint32),
        np.zeros(3, np.uint64),
    )


def grown(cache: PieceCache, n_bytes: int = 0) -> PieceCache:
    """Return a larger cache with the same pieces, and room for at least so many bytes more."""
    pieces, used_bytes, used_ids = cache.used.tolist()
    larger = new_cache(GROWTH * len(cache.slots), GROWTH * (used_bytes + n_bytes))
    larger.spans[:pieces] = cache.spans[:pieces]
    larger.ends[: pieces + 1] = cache.ends[: pieces + 1]
    larger.arena[:used_bytes] = cache.arena[:used_bytes]
    larger.ids[:used_ids] = cache.ids[:used_ids]
    larger.used[:] = cache.used
    _rehash(cache.slots, larger.slots)
    return larger


def cache_of(pieces: Sequence[bytes], ids: Sequence[int]) -> PieceCache:
    """Return a cache of different pieces, none of them empty, that are one token each."""
    n_slots = 1 << max(2 * len(pieces) + 2, 16).bit_length()
    cache = new_cache(n_slots, sum(map(len, pieces)))
    bounds = np.cumsum([0, *map(len, pieces)])
    _insert_all(np.frombuffer(b"".join(pieces), np.uint8), bounds, np.array(ids, np.uint32), cache)
    return cache


@kernel
def _rehash(slots: Any, larger: Any) -> None:
    mask = U64(len(larger) - 1)
    for old in range(len(slots)):
        key = slots[old, 0]
        if key != EMPTY:
            slot = (key * MULTIPLIER) >> HASH_SHIFT & mask
            while larger[slot, 0] != EMPTY:
                slot = slot + ONE & mask
            larger[slot, 0], larger[slot, 1] = key, slots[old, 1]


@kernel
def _insert_all(data: Any, bounds: Any, ids: Any, cache: Any) -> None:
    at, text, ids_at = locate(cache), address_of(data), address_of(ids)
    for piece in range(len(bounds) - 1):
        first, last = U64(bounds[piece]), U64(bounds[piece + 1])
        key = piece_key(text, first, last, U64(len(data)))
        slot = find_slot(text, first, last, key, at)
        keep_ids(at, number_piece(text, first, last, key, slot, at), ids_at, U64(piece), ONE)


@inline_kernel
def locate(cache: Any) -> Any:
    """Return the addresses of a cache."""
    return CacheAt(
        address_of(cache.slots),
        U64(len(cache.slots) - 1),
        address_of(cache.spans),
        address_of(cache.ends),
        address_of(cache.arena),
        address_of(cache.ids),
        address_of(cache.used),
        U64(len(cache.spans)),
        U64(len(cache.arena)),
        U64(len(cache.ids)),
    )


@inline_kernel
def piece_key(text: Any, first: Any, last: Any, size: Any) -> Any:
    """Return the key of the piece `text[first:last]`, not empty, of a text of `size` bytes."""
    length = last - first
    if length <= SHORT:
        shift = WORD_BITS - length * EIGHT
        if first + EIGHT <= size:
            word = peek_64(text + first, ZERO) << shift >> shift
        elif last >= EIGHT:
            word = peek_64(text + last - EIGHT, ZERO) >> shift
        else:
            word = ZERO
            for place in range(last, first, -1):
                word = word << EIGHT | peek_8(text, U64(place) - ONE)
        return word | length << LENGTH_SHIFT
    h = BASIS ^ length
    place = first
    while place + EIGHT < last:
        h = mix(h, peek_64(text + place, ZERO))
        place += EIGHT
    h = mix(h, peek_64(text + last - EIGHT, ZERO))  # may overlap the one before
    return h & HASHED | LONG


@inline_kernel
def find_slot(text: Any, first: Any, last: Any, key: Any, at: Any) -> Any:
    """Return the slot of a piece by its key, or the empty slot where it belongs."""
    slot = (key * MULTIPLIER) >> HASH_SHIFT & at.mask
    while True:
        found = peek_64(at.slots, slot * TWO)
        if found == EMPTY:
            break
        if found == key:
            if key < LONG:
                break
            number = peek_64(at.slots, slot * TWO + ONE)
            copy = peek_64(at.ends, number)
            same_length = peek_64(at.ends, number + ONE) - copy == last - first
            if same_length and _is_same(text + first, at.arena + copy, last - first):
                break
        slot = slot + ONE & at.mask
    return slot


@inline_kernel
def _is_same(one: Any, other: Any, length: Any) -> Any:
    """Tell whether at two addresses there are the same bytes, at least eight."""
    last = length - EIGHT
    same = peek_64(one + last, ZERO) == peek_64(other + last, ZERO)
    place = ZERO
    while same and place < last:
        same = peek_64(one + place, ZERO) == peek_64(other + place, ZERO)
        place += EIGHT
    return same


@inline_kernel
def is_new(slot: Any, at: Any) -> Any:
    """Tell whether a slot is empty."""
    return peek_64(at.slots, slot * TWO) == EMPTY


@inline_kernel
def number_at(slot: Any, at: Any) -> Any:
    """Return the number of the piece of a slot that is not empty."""
    return peek_64(at.slots, slot * TWO + ONE)


@kernel
def number_piece(text: Any, first: Any, last: Any, key: Any, slot: Any, at: Any) -> Any:
    """Put a new piece into its slot and return its number, NO_ROOM where the cache is full."""
    number, end = peek_64(at.used, PIECES), peek_64(at.used, BYTES)
    length = last - first if key >= LONG else ZERO
    if number >= at.most_pieces or end + length > at.most_bytes:
        return NO_ROOM
    poke_64(at.slots, slot * TWO, key)
    poke_64(at.slots, slot * TWO + ONE, number)
    for place in range(length):
        poke_8(at.arena, end + U64(place), peek_8(text, first + U64(place)))
    poke_64(at.ends, number + ONE, end + length)
    poke_64(at.used, PIECES, number + ONE)
    poke_64(at.used, BYTES, end + length)
    return number


@inline_kernel
def has_room(at: Any, n_ids: Any) -> Any:
    """Tell whether so many ids more can be kept."""
    return peek_64(at.used, IDS) + n_ids <= at.most_ids


@kernel
def keep_ids(at: Any, number: Any, ids: Any, first: Any, n_ids: Any) -> None:
    """Keep `ids[first:first + n_ids]` (an address of uint32) for a piece; there must be room."""
    if n_ids == ONE:
        poke_64(at.spans, number, peek_32(ids, first) << COUNT_BITS | ONE)
        return
    place = peek_64(at.used, IDS)
    for k in range(n_ids):
        poke_32(at.ids, place + U64(k), peek_32(ids, first + U64(k)))
    poke_64(at.spans, number, place << COUNT_BITS | n_ids)
    poke_64(at.used, IDS, place + n_ids)


@inline_kernel
def copy_ids(number: Any, at: Any, ids: Any, first: Any) -> Any:
    """Write the ids of a piece to `ids[first:]` (an address); return where they end."""
    span = peek_64(at.spans, number)
    n_ids, kept = span & COUNT_MASK, span >> COUNT_BITS
    if n_ids == ONE:
        poke_32(ids, first, kept)
    else:
        for k in range(n_ids):
            poke_32(ids, first + U64(k), peek_32(at.ids, kept + U64(k)))
    return first + n_ids


@kernel
def empty_cache(at: Any) -> None:
    """Forget all pieces; the room stays."""
    for place in range(TWO * (at.mask + ONE)):
        poke_64(at.slots, U64(place), EMPTY)
    for place in range(3):
        poke_64(at.used, U64(place), ZERO)
