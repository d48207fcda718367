"""Token ids of whole batches for byte-level BPE, without the library and without Python objects.

Text is cut at added tokens, then into pieces by the tokenizer's own pattern, and each piece is looked
up in a cache of those met before; only a new one is merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.added_tokens import HARD, Trie, locate_trie, next_token
from corpora.byte_pairs import SCRATCH, Merges, locate_merges, merge_piece
from corpora.character_joins import Joins, locate_joins, part_end
from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, peek_64, poke_32, poke_64, read_only
from corpora.piece_cache import (
    MOST_SLOTS,
    NO_ROOM,
    Encoded,
    PieceCache,
    copy_ids,
    empty_cache,
    find_slot,
    grown,
    has_room,
    is_new,
    keep_ids,
    locate,
    number_at,
    number_piece,
    piece_key,
)
from corpora.split_automaton import NOWHERE, Splitter, locate_splitter, next_piece

U64 = np.uint64
ZERO, ONE = U64(0), U64(1)
LONGEST_WHOLE: Final = U64(24)  # bytes of a piece that is not cut into parts, as measured
LONGEST_KEPT: Final = U64(128)  # bytes of a piece that is worth a place in the cache
# Instead of where the ids of a text end:
LEFT: Final = NOWHERE  # the document has a hard token or an unknown character
FULL: Final = U64(2**64 - 2)  # the cache is full


class Recipe(NamedTuple):
    """All that determines the ids of a text."""

    raw_tokens: Trie
    normal_tokens: Trie
    splitter: Splitter
    merges: Merges
    joins: Joins
    words: PieceCache  # pieces that are one token


def encode_documents(
    data: np.ndarray, bounds: np.ndarray, recipe: Recipe, cache: PieceCache
) -> tuple[Encoded, PieceCache]:
    """Return the ids of documents `data[bounds[d]:bounds[d + 1]]` (UTF-8), and the cache to go on with."""
    ids = np.empty(int(bounds[-1] - bounds[0]), np.uint32)  # no token is shorter than a byte
    ends = np.zeros(len(bounds), np.int64)
    left = np.zeros(len(bounds) - 1, bool)
    data, bounds = read_only(data), read_only(bounds)
    done = 0
    while True:
        is_largest = len(cache.slots) >= MOST_SLOTS
        done = _encode(data, bounds, recipe, cache, is_largest, ids, ends, left, done)
        if done == len(left):
            return Encoded(ids[: ends[-1]].copy(), ends, left), cache
        cache = grown(cache)


def merges_to(words: Sequence[bytes], ids: Sequence[int], merges: Merges) -> np.ndarray:
    """Tell for each word whether merging makes it the one token of that id."""
    bounds = np.cumsum([0, *map(len, words)])
    same = np.empty(len(words), bool)
    _compare(np.frombuffer(b"".join(words), np.uint8), bounds, np.array(ids), merges, same)
    return same


@kernel
def _compare(data: Any, bounds: Any, ids: Any, merges: Any, same: Any) -> None:
    scratch, found = np.empty(SCRATCH, np.uint32), np.empty(len(data), np.uint32)
    at = locate_merges(merges, scratch)
    for word in range(len(ids)):
        first, last = U64(bounds[word]), U64(bounds[word + 1])
        n_ids = merge_piece(address_of(data), first, last, at, address_of(found))
        same[word] = n_ids == ONE and found[0] == ids[word]


@kernel
def _encode(
    data: Any, bounds: Any, recipe: Any, cache: Any, may_empty: bool, ids: Any, ends: Any, left: Any,
    done: int,
) -> int:  # fmt: skip
    """Encode documents from number `done` on; return how many are done in all.

    Some are not where the cache is full and may not be emptied. The text of a document lies between
    added tokens: raw ones, and normal ones between those.
    """
    scratch = np.empty(SCRATCH, np.uint32)
    stages = len(recipe.splitter.starts)
    places, stops = np.empty(stages, np.uint64), np.empty(stages, np.uint64)
    text, ids_at = address_of(data), address_of(ids)
    raw_trie, normal_trie = locate_trie(recipe.raw_tokens), locate_trie(recipe.normal_tokens)
    at = At(
        locate_splitter(recipe.splitter),
        address_of(recipe.splitter.starts),
        address_of(recipe.splitter.keeps_gaps),
        U64(stages - 1),
        address_of(places),
        address_of(stops),
        locate_joins(recipe.joins),
        locate(recipe.words),
        locate_merges(recipe.merges, scratch),
        locate(cache),
        U64(may_empty),
    )
    for document in range(done, len(bounds) - 1):
        n = U64(ends[document])
        place, last = U64(bounds[document]), U64(bounds[document + 1])
        while place < last and n < FULL:
            raw_start, raw_end, raw_id = next_token(text, place, last, raw_trie)
            while place < raw_start and n < FULL:
                start, end, token = next_token(text, place, raw_start, normal_trie)
                n = _encode_text(text, place, start, U64(len(data)), at, ids_at, n)
                n = _add_token(token, ids_at, n)
                place = end
            n = _add_token(raw_id, ids_at, n)
            place = raw_end
        if n == FULL:
            return document
        left[document] = n == LEFT
        ends[document + 1] = ends[document] if n == LEFT else n
    return len(bounds) - 1


class At(NamedTuple):
    """Where everything lies that encodes text; all uint64, so that it costs nothing to hand on."""

    splitter: Any
    starts: Any  # the start state of each pattern
    keeps_gaps: Any
    last_stage: Any
    places: Any  # scratch: where pattern k is in its text
    stops: Any  # scratch: where that text ends
    joins: Any
    words: Any
    merges: Any
    cache: Any
    may_empty: Any  # the cache, where it is full


@inline_kernel
def _add_token(token: int, ids: Any, n: Any) -> Any:
    """Append an added token where there is one; return where the ids end, or LEFT for a hard token."""
    if n < FULL:
        if token >= 0:
            poke_32(ids, n, U64(token))
            n += ONE
        if token == HARD:
            n = LEFT
    return n


@kernel
def _encode_text(text: Any, first: Any, last: Any, size: Any, at: Any, ids: Any, n: Any) -> Any:
    """Write the ids of text without added tokens to `ids[n:]`; return where they end, LEFT or FULL.

    It is cut by the first pattern, each piece by the second, and so on. What the last one finds is
    looked up, if it is long part by part.
    """
    stage, place, stop = ZERO, first, last
    while True:
        start, end = next_piece(
            text, place, stop, at.splitter, peek_64(at.starts, stage), peek_8(at.keeps_gaps, stage)
        )
        if end == NOWHERE:
            return LEFT
        if start == end:
            if stage == ZERO:
                return n
            stage -= ONE
            place, stop = peek_64(at.places, stage), peek_64(at.stops, stage)
            continue
        place = end
        if stage < at.last_stage:
            poke_64(at.places, stage, place)
            poke_64(at.stops, stage, stop)
            place, stop = start, end
            stage += ONE
            continue
        is_long = end - start > LONGEST_WHOLE
        while start < end:
            part = part_end(text, start, end, at.joins) if is_long else end
            key = piece_key(text, start, part, size)
            slot = find_slot(text, start, part, key, at.cache)
            if is_new(slot, at.cache):
                n = _learn(text, start, part, key, slot, at, ids, n)
                if n == FULL:
                    return FULL
            else:
                n = copy_ids(number_at(slot, at.cache), at.cache, ids, n)
            start = part


@kernel
def _learn(text: Any, first: Any, last: Any, key: Any, slot: Any, at: Any, ids: Any, n: Any) -> Any:
    """Write the ids of a new piece to `ids[n:]` and keep them; return where they end, or FULL."""
    word = find_slot(text, first, last, key, at.words)
    if is_new(word, at.words):
        n_ids = merge_piece(text, first, last, at.merges, ids + U64(4) * n)
    else:
        n_ids = copy_ids(number_at(word, at.words), at.words, ids, n) - n
    if last - first <= LONGEST_KEPT:
        number = NO_ROOM
        if has_room(at.cache, n_ids):
            number = number_piece(text, first, last, key, slot, at.cache)
        if number != NO_ROOM:
            keep_ids(at.cache, number, ids, n, n_ids)
        elif at.may_empty:
            empty_cache(at.cache)
        else:
            return FULL
    return n + n_ids
