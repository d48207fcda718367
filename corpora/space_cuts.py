"""Token ids with the library, each different stretch of text between spaces encoded once.

For tokenizers that `corpora.token_recipe` does not know: text is cut before a space that follows a
character that is no space, where this one may be cut so (`corpora.token_proof`), and each stretch
that was not met before goes to the library. Where it may not be cut, a document is one stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

import numpy as np

from corpora.added_tokens import NO_TOKEN, Trie, locate_trie, next_token
from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, read_only
from corpora.piece_cache import (
    COUNT_MASK,
    MOST_SLOTS,
    NO_ROOM,
    ODD,
    Encoded,
    PieceCache,
    copy_ids,
    find_slot,
    grown,
    is_new,
    keep_ids,
    locate,
    new_cache,
    number_at,
    number_piece,
    piece_key,
)

U64 = np.uint64
ONE = U64(1)
SPACE, DELETE = U64(0x20), U64(0x7F)
MOST_BYTES: Final = 1 << 27  # of stretches that are kept from batch to batch
MOST_WAITING_BYTES: Final = 1 << 22  # of new stretches that are Python strings at one time
Encode = Callable[[Sequence[str]], list[list[int]]]


def encode_stretches(
    data: np.ndarray, bounds: np.ndarray, hard: tuple[Trie, Trie], cache: PieceCache,
    encode_first: Encode, encode_inner: Encode,
) -> tuple[Encoded, PieceCache]:  # fmt: skip
    """Return the ids of documents `data[bounds[d]:bounds[d + 1]]` (UTF-8), and the cache to go on with.

    The first stretch of a document goes to `encode_first`, the others to `encode_inner`. Documents
    with a token of the tries are left.
    """
    if cache.used[0] > MOST_SLOTS // 4 or len(cache.arena) > MOST_BYTES:
        cache = new_cache()
    n_known = int(cache.used[0])
    numbers = np.empty(int(bounds[-1] - bounds[0]), np.uint32)
    ends = np.zeros(len(bounds), np.int64)
    left = np.zeros(len(bounds) - 1, bool)
    news = np.empty((0, 3), np.int64)
    data, bounds = read_only(data), read_only(bounds)
    done = 0
    while done < len(left):
        done, found = _cut(data, bounds, *hard, cache, numbers, ends, left, done)
        news = np.concatenate([news, found])
        if done < len(left):
            cache = grown(cache, int(bounds[done + 1] - bounds[done]))
    for first, last in parts_of(news[:, 1] - news[:, 0]):
        places = news[first:last]
        is_first = places[:, 2].astype(bool)
        ids: list[list[int]] = [[]] * len(places)
        for encode, chosen in ((encode_first, is_first), (encode_inner, ~is_first)):
            at = np.flatnonzero(chosen)
            texts = [bytes(data[start:end]).decode() for start, end, _ in places[at].tolist()]
            for place, one in zip(at.tolist(), encode(texts) if texts else [], strict=True):
                ids[place] = one
        cache = _kept(cache, n_known + first, *flat_ids(ids))
    return _expanded(numbers, ends, left, cache), cache


def encode_whole(data: np.ndarray, bounds: np.ndarray, encode: Encode) -> Encoded:
    """Return the ids of documents, each encoded as it is."""
    parts = []
    for first, last in parts_of(np.diff(bounds)):
        places = zip(
            bounds[first:last].tolist(), bounds[first + 1 : last + 1].tolist(), strict=True
        )
        parts.append(flat_ids(encode([bytes(data[start:end]).decode() for start, end in places])))
    ids = np.concatenate([np.empty(0, np.uint32), *(ids for ids, _ in parts)])
    sizes = np.concatenate([np.zeros(1, np.int64), *(np.diff(ends) for _, ends in parts)])
    return Encoded(ids, np.cumsum(sizes), np.zeros(len(bounds) - 1, bool))


def flat_ids(found: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return ids as one array, uint32, and the ends of each list in it, int64 (n + 1,)."""
    ends = np.cumsum([0, *map(len, found)])
    return np.fromiter(chain.from_iterable(found), np.uint32, int(ends[-1])), ends


def parts_of(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield runs of texts of not too many bytes each, all texts in order."""
    total = np.cumsum(sizes)
    first = 0
    while first < len(sizes):
        before = total[first - 1] if first else 0
        last = int(np.searchsorted(total, before + MOST_WAITING_BYTES, side="right"))
        yield first, max(last, first + 1)
        first = max(last, first + 1)


def _kept(cache: PieceCache, first: int, ids: np.ndarray, ends: np.ndarray) -> PieceCache:
    """Return the cache with the ids of the pieces from number `first` on."""
    used = int(cache.used[2])
    if used + len(ids) > len(cache.ids):
        larger = np.empty(2 * (used + len(ids)), np.uint32)
        larger[:used] = cache.ids[:used]
        cache = cache._replace(ids=larger)
    _keep_all(cache, first, ids, ends)
    return cache


@kernel
def _keep_all(cache: Any, number: int, ids: Any, ends: Any) -> None:
    at, ids_at = locate(cache), address_of(ids)
    for piece in range(len(ends) - 1):
        keep_ids(
            at, U64(number + piece), ids_at, U64(ends[piece]), U64(ends[piece + 1] - ends[piece])
        )


def _expanded(
    numbers: np.ndarray, number_ends: np.ndarray, left: np.ndarray, cache: PieceCache
) -> Encoded:
    """Return ids for numbers of stretches."""
    numbers = numbers[: number_ends[-1]]
    sizes = (cache.spans[numbers] & COUNT_MASK).astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    ids = np.empty(int(ends[-1]), np.uint32)
    _expand(numbers, cache, ids)
    return Encoded(ids, ends[number_ends], left)


@kernel
def _expand(numbers: Any, cache: Any, ids: Any) -> None:
    at, ids_at, n = locate(cache), address_of(ids), U64(0)
    for number in numbers:
        n = copy_ids(U64(number), at, ids_at, n)


@kernel
def _cut(
    data: Any, bounds: Any, raw: Any, normal: Any, cache: Any, numbers: Any, ends: Any, left: Any,
    done: int,
) -> tuple[int, Any]:  # fmt: skip
    """Number the stretches of documents from number `done` on.

    Return how many documents are done in all, not all where the cache is full, and (start, end, is
    first) of each new stretch.
    """
    text, size, at = address_of(data), U64(len(data)), locate(cache)
    raw_trie, normal_trie = locate_trie(raw), locate_trie(normal)
    news = np.empty((len(cache.spans) - np.int64(cache.used[0]), 3), np.int64)
    n_news = 0
    for document in range(done, len(bounds) - 1):
        n = ends[document]
        first, last = U64(bounds[document]), U64(bounds[document + 1])
        _, _, raw_token = next_token(text, first, last, raw_trie)
        _, _, normal_token = next_token(text, first, last, normal_trie)
        left[document] = raw_token != NO_TOKEN or normal_token != NO_TOKEN
        kind = ODD
        while first < last and not left[document]:
            end = stretch_end(text, first, last)
            key = piece_key(text, first, end, size) | kind
            slot = find_slot(text, first, end, key, at)
            if is_new(slot, at):
                number = number_piece(text, first, end, key, slot, at)
                if number == NO_ROOM:
                    return document, news[:n_news]
                news[n_news, 0], news[n_news, 1] = first, end
                news[n_news, 2] = kind == ODD
                n_news += 1
            numbers[n] = number_at(slot, at)
            n += 1
            first, kind = end, U64(0)
        ends[document + 1] = n
    return len(bounds) - 1, news[:n_news]


@kernel
def stretch_end(text: Any, first: Any, last: Any) -> Any:
    """Return the next place after `first` where text (an address) may be cut, `last` for none.

    It may be cut before a space after a character that is neither white nor a control character.
    """
    at = first + ONE
    while at < last:
        if peek_8(text, at) == SPACE and _is_visible(text, first, at - ONE):
            break
        at += ONE
    return min(at, last)


@inline_kernel
def _is_visible(text: Any, first: Any, at: Any) -> bool:
    """Tell whether the byte at a place ends a character that takes ink, by ASCII or for sure."""
    byte = peek_8(text, at)
    visible = byte > SPACE and byte != DELETE
    if byte >= U64(0x80):
        two = peek_8(text, at - ONE) << U64(8) | byte  # before it is at least the lead byte
        visible = two != U64(0xC285) and two != U64(0xC2A0)
        if at >= first + U64(2):
            three = peek_8(text, at - U64(2)) << U64(16) | two
            white = three == U64(0xE19A80) or three == U64(0xE3_8080) or three == U64(0xE2819F)
            general = three >= U64(0xE28080) and three <= U64(0xE280AF)
            visible = visible and not white and not (general and _is_general_space(three))
    return visible


@inline_kernel
def _is_general_space(three: Any) -> bool:
    """Tell whether a character of U+2000 to U+202F, as its bytes, is a space or shapes the text."""
    low = three & U64(0xFF)
    return low <= U64(0x8F) or low >= U64(0xA8)
