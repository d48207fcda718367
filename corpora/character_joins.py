"""Between which characters a token may reach: elsewhere a piece may be cut, and encoded part by part.

Languages that write no spaces make pieces as long as a clause, and nearly each one is new; so does code
where only spaces part pieces. But a merge makes a token of the vocabulary, so where no token has two
characters beside each other nothing merges across, and what stands left and right is encoded
alone. The parts are few and come again and again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, peek_64
from corpora.spelling import MULTIPLIER
from corpora.split_automaton import decode

U64 = np.uint64
ONE, EIGHT = U64(1), U64(8)
BEYOND_ASCII: Final = U64(0x80)
POINT_BITS: Final = U64(21)
HASH_SHIFT: Final = U64(24)
FREE: Final = U64(0)
BOUNDARY: Final = re.compile(rb"(?<=[\x80-\xbf])(?=[\xc0-\xff])")


class Joins(NamedTuple):
    """Which boundaries a token may reach across."""

    # uint8 (65536,), by the last byte of a character and the first of the next: 1 where some token does
    # and one of the two is ASCII, or the token has but part of one.
    byte_pairs: np.ndarray
    slots: np.ndarray  # uint64, a power of two: left character << 21 | right one; FREE where empty


def build_joins(words: Sequence[bytes]) -> Joins:
    """Return the boundaries inside the tokens of a vocabulary."""
    byte_pairs = _ascii_pairs(words)
    joined = set()
    for word in words:
        if not word.isascii():
            for found in BOUNDARY.finditer(word):
                at = found.start()
                left, right = _last_character(word[:at]), _first_character(word[at:])
                if left is None or right is None:
                    byte_pairs[word[at - 1] << 8 | word[at]] = 1
                else:
                    joined.add(ord(left) << int(POINT_BITS) | ord(right))
    slots = np.zeros(1 << (4 * len(joined) + 8).bit_length(), np.uint64)
    _fill(slots, np.array(sorted(joined), np.uint64))
    return Joins(byte_pairs, slots)


def _ascii_pairs(words: Sequence[bytes]) -> np.ndarray:
    """Return the byte pairs of boundaries beside an ASCII character."""
    raw = np.frombuffer(b"".join(words), np.uint8).astype(np.int64)
    is_boundary = np.ones(len(raw), bool)
    is_boundary[np.cumsum([0, *map(len, words)])[:-1]] = False  # between two words
    before = np.roll(raw, 1)
    is_boundary &= ((before < 0x80) & ((raw < 0x80) | (raw >= 0xC0))) | (raw < 0x80)
    byte_pairs = np.zeros(1 << 16, np.uint8)
    byte_pairs[before[is_boundary] << 8 | raw[is_boundary]] = 1
    return byte_pairs


def _last_character(raw: bytes) -> str | None:
    """Return the last character where its bytes are all there."""
    start = len(raw) - 1
    while start and raw[start] & 0xC0 == 0x80:
        start -= 1
    return _character(raw[start:])


def _first_character(raw: bytes) -> str | None:
    """Return the first character where its bytes are all there."""
    end = 1
    while end < len(raw) and raw[end] & 0xC0 == 0x80:
        end += 1
    return _character(raw[:end])


def _character(raw: bytes) -> str | None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) == 1 else None


@kernel
def _fill(slots: Any, keys: Any) -> None:
    mask = U64(len(slots) - 1)
    for key in keys:
        slot = (key * MULTIPLIER) >> HASH_SHIFT & mask
        while slots[slot] != FREE:
            slot = slot + ONE & mask
        slots[slot] = key


class JoinsAt(NamedTuple):
    """The addresses of Joins, and one less than the number of slots; all uint64."""

    byte_pairs: Any
    slots: Any
    mask: Any


@inline_kernel
def locate_joins(joins: Any) -> Any:
    """Return the addresses of joins."""
    return JoinsAt(address_of(joins.byte_pairs), address_of(joins.slots), U64(len(joins.slots) - 1))


@inline_kernel
def part_end(text: Any, first: Any, last: Any, joins: Any) -> Any:
    """Return where the first part of the piece `text[first:last]` (UTF-8) ends.

    `text` is an address, `joins` a JoinsAt.
    """
    left = FREE  # the character before the place, none where it is ASCII
    at = first
    while at < last:
        lead = peek_8(text, at)
        point, size = FREE, ONE
        if lead >= BEYOND_ASCII:
            point, size = decode(text, at, lead)
        if at > first and not peek_8(joins.byte_pairs, peek_8(text, at - ONE) << EIGHT | lead):
            if left == FREE or point == FREE:
                break
            key = left << POINT_BITS | point
            slot = (key * MULTIPLIER) >> HASH_SHIFT & joins.mask
            found = peek_64(joins.slots, slot)
            while found != FREE and found != key:
                slot = slot + ONE & joins.mask
                found = peek_64(joins.slots, slot)
            if found == FREE:
                break
        left = point
        at += size
    return at
