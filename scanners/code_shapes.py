"""Code nominated by its shape: for items whose solution stands somewhere without a word of the question.

A solution that lost its docstring and got other names has no words in common with its item, and no
vector is near. What it keeps is its tokens (`scanners.code_tokens`). `GRAM` of them in a row that tell
enough and that few items have point at an item, as the fingerprints of code search do (Schleimer,
Wilkerson and Aiken 2003; every position is looked at, for items are few). Where one stands, the tokens
around it are aligned with the item's (`scanners.code_match`), and what gains enough is nominated: in real
code hardly anything but the same task.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import place_words, table
from corpora.pieces import cut_text
from scanners.code_bits import load_code_bits
from scanners.code_match import (
    MOST_TOKENS,
    CodeItems,
    align_tokens,
    code_told,
    lone_bits,
    token_bits,
)
from scanners.code_text import line_end
from scanners.code_tokens import cut_tokens, known_words
from scanners.ngram import MOST_WORDS_PER_BYTE

GRAM: Final = 6  # tokens
GRAM_BITS: Final = 20.0  # that they tell at least
MOST_ITEMS, MOST_SHARE = 4, 0.02  # items that have a gram: at most so many, or that share of them
LEAST_BITS: Final = 50.0  # `lone_bits` of what is nominated
CHUNK_BYTES, OVERLAP_BYTES = 1 << 18, 1 << 13  # of a document that is cut into tokens at a time
SLACK: Final = 32  # tokens on both sides, and half of the item's
TOKEN_BITS: Final = 7  # of a token in a gram
FILTER_BITS: Final = 16
SPREAD: Final = 0x9E3779B97F4A7C15  # 2**64 by the golden ratio


class CodeShapes(NamedTuple):
    """The telling grams of items that have code, sorted."""

    gram: np.ndarray  # int64 (n,)
    item: np.ndarray  # int32 (n,)
    at: np.ndarray  # int32 (n,), token of the item at which the gram begins
    seen: np.ndarray  # bool (2**FILTER_BITS,), hashes of the grams


class CodePlaces(NamedTuple):
    """Places nominated by their code, by document and word."""

    document: np.ndarray  # int32 (n,)
    item: np.ndarray  # int32 (n,)
    word_start: np.ndarray  # int64 (n,)
    word_end: np.ndarray  # int64 (n,)


def code_shapes(codes: CodeItems) -> CodeShapes:
    """Return the grams of items' code that tell enough and that few items have."""
    none = np.zeros(0, np.int64)
    items, at, grams = [none], [none], [none]
    for number in np.flatnonzero(np.diff(codes.first) >= GRAM).tolist():
        own = slice(codes.first[number], codes.first[number + 1])
        token, told = codes.token[own].astype(np.int64), np.cumsum([0.0, *codes.bits[own]])
        starts = np.flatnonzero(told[GRAM:] - told[:-GRAM] >= GRAM_BITS)
        own_grams = np.zeros(len(starts), np.int64)
        for k in range(GRAM):
            own_grams = own_grams << TOKEN_BITS | token[starts + k]
        grams.append(own_grams)
        at.append(starts)
        items.append(np.full(len(starts), number))
    gram: np.ndarray = np.concatenate(grams)
    item: np.ndarray = np.concatenate(items)
    start: np.ndarray = np.concatenate(at)
    pairs = np.unique(np.stack([gram, item]), axis=1)
    distinct, having = np.unique(pairs[0], return_counts=True)
    few = max(MOST_ITEMS, int(MOST_SHARE * np.count_nonzero(codes.total)))
    kept = np.isin(gram, distinct[having <= few])
    order = np.lexsort((start[kept], item[kept], gram[kept]))
    gram, item, start = gram[kept][order], item[kept][order], start[kept][order]
    seen = np.zeros(1 << FILTER_BITS, np.bool_)
    with np.errstate(over="ignore"):
        seen[(gram.astype(np.uint64) * np.uint64(SPREAD)) >> np.uint64(64 - FILTER_BITS)] = True
    return CodeShapes(gram, item.astype(np.int32), start.astype(np.int32), seen)


def nominate_code(
    data: np.ndarray,
    bounds: np.ndarray,
    codes: CodeItems,
    shapes: CodeShapes,
    segment_bytes: int,
) -> CodePlaces:
    """Nominate places of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8) by their code.

    Words are counted as a scan does that cuts documents into segments of `segment_bytes`.
    """
    if len(shapes.gram):
        places = _scan(data, bounds, codes, shapes, known_words(), load_code_bits())
        _count_words(data, bounds, *table(), segment_bytes, places)
    else:
        places = np.zeros((0, 4), np.int64)
    document, item, start, end = np.ascontiguousarray(places.T)
    return CodePlaces(document.astype(np.int32), item.astype(np.int32), start, end)


@kernel
def _scan(data: Any, bounds: Any, codes: Any, shapes: Any, known: Any, bits_behind: Any) -> Any:
    """Return (document, item, first byte, last byte) of what is nominated: int64 (n, 4)."""
    longest = 0
    for document in range(len(bounds) - 1):
        longest = max(longest, bounds[document + 1] - bounds[document])
    room = 2 * min(longest, CHUNK_BYTES) + 3
    token, value, at = np.empty(room, np.int16), np.empty(room, np.uint64), np.empty(room, np.int64)
    bits = np.empty(room, np.float32)
    pairs = np.empty((MOST_TOKENS, 2), np.int64)
    tried = np.zeros(len(codes.total), np.int64)  # tokens of the chunk up to which an item is done
    touched = np.empty(0, np.int64)
    out, n_out = np.empty((16, 4), np.int64), 0
    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        while first < last:
            end = min(last, first + CHUNK_BYTES)
            n = cut_tokens(data, first, end, known, token, value, at)
            token_bits(token[:n], bits_behind, bits[:n])
            n_touched, gram = 0, np.int64(0)
            for k in range(n):
                gram = (gram << TOKEN_BITS | token[k]) & ((1 << GRAM * TOKEN_BITS) - 1)
                spread = (np.uint64(gram) * np.uint64(SPREAD)) >> np.uint64(64 - FILTER_BITS)
                if k < GRAM - 1 or not shapes.seen[spread]:
                    continue
                posting = np.searchsorted(shapes.gram, gram)
                while posting < len(shapes.gram) and shapes.gram[posting] == gram:
                    item, begins = shapes.item[posting], shapes.at[posting]
                    posting += 1
                    if k < tried[item]:
                        continue
                    low, high = codes.first[item], codes.first[item + 1]
                    slack = SLACK + (high - low) // 2
                    start = max(0, k - GRAM + 1 - begins - slack)
                    stop = min(n, k - GRAM + 1 - begins + high - low + slack)
                    if tried[item] == 0:
                        if n_touched == len(touched):
                            grown = np.empty(2 * n_touched + 16, np.int64)
                            grown[:n_touched] = touched
                            touched = grown
                        touched[n_touched] = item
                        n_touched += 1
                    tried[item] = stop
                    gained, n_pairs = align_tokens(
                        codes.token[low:high], codes.value[low:high], codes.bits[low:high],
                        token[start:stop], value[start:stop], bits[start:stop], pairs,
                    )  # fmt: skip
                    if n_pairs == 0 or gained < LEAST_BITS:
                        continue
                    share = code_told(codes, low, pairs[:n_pairs], value[start:stop])
                    if lone_bits(gained, share / codes.total[item]) < LEAST_BITS:
                        continue
                    if n_out == len(out):
                        more = np.empty((2 * n_out, 4), np.int64)
                        more[:n_out] = out
                        out = more
                    ends = start + pairs[0, 1] + 1
                    out[n_out, 0], out[n_out, 1] = document, item
                    out[n_out, 2] = at[start + pairs[n_pairs - 1, 1]] - bounds[document]
                    out[n_out, 3] = (at[ends] if ends < n else end) - bounds[document]
                    n_out += 1
            for k in range(n_touched):
                tried[touched[k]] = 0
            first = end if end == last else min(end, line_end(data, end - OVERLAP_BYTES, end))
    return out[:n_out].copy()


@kernel
def _count_words(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, segment_bytes: int, places: Any
) -> None:
    """Replace bytes of documents by words: the first that begins there, and the one behind the last."""
    longest = 0
    for place in places:
        longest = max(longest, bounds[place[0] + 1] - bounds[place[0]])
    room = MOST_WORDS_PER_BYTE * min(longest, segment_bytes) + 1
    hashes = np.empty(room, np.uint64)
    starts, stops = np.empty(room, np.int64), np.empty(room, np.int64)
    low = 0
    while low < len(places):
        document, high = places[low, 0], low
        while high < len(places) and places[high, 0] == document:
            high += 1
        begin, last = bounds[document], bounds[document + 1]
        first, words = begin, 0
        counted = np.zeros((high - low, 2), np.int64)
        while first < last:
            end = cut_text(data, first, last, segment_bytes)
            n = place_words(data, first, end, page_of, entries, parts, hashes, starts, stops)
            for k in range(low, high):
                for side in range(2):
                    byte = begin + places[k, 2 + side]
                    if byte < first:
                        continue
                    characters = 0
                    for at in range(first, min(byte, end)):
                        characters += data[at] & 0xC0 != 0x80
                    counted[k - low, side] = words + np.searchsorted(starts[:n], characters)
            words += n
            first = end
        places[low:high, 2:] = counted
        low = high
