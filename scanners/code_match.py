"""How much of an item's code stands in a place, in order, whatever its names and layout are.

The item's tokens and those of the place are aligned locally (Smith and Waterman 1981): equal tokens
gain what they tell (`scanners.code_bits`), tokens of either side that are passed over cost a part of it.
Names, numbers and strings in themselves count little, as others do; equal numbers and strings more. What
is gained is told in bits, so that a solution of one line, which many texts have, is no evidence however
much of it is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.kernels import kernel
from scanners.code_bits import load_code_bits
from scanners.code_tokens import CodeTokens, code_tokens, cut_tokens, known_words
from scanners.code_words import NAME, NUMBER, STRING
from scanners.ngram import Scanned, Sought, locate

GAP: Final = 0.3  # of what a token tells that is passed over
EQUAL_VALUE: Final = 4.0  # bits more for the same number or string
OTHER_VALUE: Final = 0.3  # of the bits for another one
FIRST_BITS: Final = 1.0  # of a token that none stands before
MOST_NAMES: Final = 0.75  # of the tokens of code
CODE_LINE: Final = re.compile(
    r"^\s*(return\b|(async )?def \w+\(|#include|(public|private|static|fn|func|function)\b.*[({])",
    re.MULTILINE,
)
MOST_TOKENS: Final = 512  # of an item
LEAST_REACH, REACH_SHARE, MOST_REACH = 400, 2, 4000  # bytes around the place: of the item's code
N_COLUMNS: Final = 4
WHOLE_SHARE: Final = 0.8  # of an item's code, from which on it is as good as all of it


class CodeItems(NamedTuple):
    """The tokens of the items' code; none for items without."""

    first: np.ndarray  # int64 (items + 1,), tokens of item i are first[i] .. first[i + 1]
    token: np.ndarray  # int16
    value: np.ndarray  # uint64
    bits: np.ndarray  # float32
    total: np.ndarray  # float32 (items,), bits of all
    reach: np.ndarray  # int64 (items,), bytes around a place that may belong to it


class CodeShares(NamedTuple):
    """What a place has of an item's code: float64 (n,) each."""

    bits: np.ndarray  # gained
    share: np.ndarray  # of the item's bits that stand in order
    told: np.ndarray  # of the bits of the tokens there that the item accounts for
    names: np.ndarray  # names that stand for the same name as before, less those that do not


def code_items(items: Sequence[Item]) -> CodeItems:
    """Return the tokens of the items' code: of the question, where it is code, and of the answer."""
    parts = [_code_or_nothing(code_of(item)) for item in items]
    kept = [part.token[:MOST_TOKENS] for part in parts]
    first = np.zeros(len(items) + 1, np.int64)
    np.cumsum([len(token) for token in kept], out=first[1:])
    values = [part.value[:MOST_TOKENS] for part in parts]
    token = np.concatenate([np.zeros(0, np.int16), *kept])
    bits = np.empty(len(token), np.float32)
    total = np.zeros(len(items), np.float32)
    for item in range(len(items)):
        low, high = first[item], first[item + 1]
        token_bits(token[low:high], load_code_bits(), bits[low:high])
        literals = np.isin(token[low:high], (NUMBER, STRING)).sum()
        total[item] = bits[low:high].sum() + EQUAL_VALUE * literals
    sizes = np.array([len(code_of(item)) for item in items], np.int64)
    reach = np.minimum(LEAST_REACH + REACH_SHARE * sizes, MOST_REACH)
    value = np.concatenate([np.zeros(0, np.uint64), *values])
    return CodeItems(first, token, value, bits, total, reach)


def _code_or_nothing(text: str) -> CodeTokens:
    """Return the tokens of a text; none where it has hardly anything but names, as prose has."""
    found = code_tokens(text.encode(errors="replace"))
    if len(found.token) and (found.token == NAME).mean() > MOST_NAMES:
        return CodeTokens(*(column[:0] for column in found))
    return found


def code_of(item: Item) -> str:
    """Return the code of an item, "" where it has none: prose has words like "return", too."""
    for text in (item.question, item.answer):
        if CODE_LINE.search(text):
            return "\n".join((item.question, item.answer)) if text is item.question else text
    return ""


def code_shares(
    data: np.ndarray,
    bounds: np.ndarray,
    target: Sought,
    scanned: Scanned,
    item: np.ndarray,
    codes: CodeItems,
) -> CodeShares:
    """Compare the code in and around places with that of their items; zeros where an item has none.

    Args:
        data: uint8, documents `data[bounds[d]:bounds[d + 1]]` in UTF-8.
        bounds: int64 (documents + 1,).
        target: tells how documents are cut.
        scanned: where n places are.
        item: int64 (n,), of each place.
        codes: of all items.
    """
    out = np.zeros((len(item), N_COLUMNS))
    rows = np.flatnonzero(codes.total[item] > 0)
    if len(rows):
        places = locate(data, bounds, target, scanned.evidence, rows)
        document = scanned.evidence.document[rows]
        _read(
            data,
            bounds,
            document,
            places,
            item[rows],
            rows,
            codes,
            known_words(),
            load_code_bits(),
            out,
        )
    return CodeShares(*np.ascontiguousarray(out.T))


@kernel
def lone_bits(bits: float, share: float) -> float:
    """Return what code proves without a word of the question: part of a solution is an idiom, often."""
    return bits * min(1.0, share / WHOLE_SHARE) ** 2


@kernel
def token_bits(token: Any, table: Any, bits: Any) -> None:
    """Leave in `bits` (float32 (n,)) what each token (int16 (n,)) tells."""
    for k in range(len(token)):
        bits[k] = table[token[k - 1], token[k]] if k else np.float32(FIRST_BITS)


@kernel
def _read(
    data: Any, bounds: Any, document: Any, places: Any, item: Any, rows: Any, codes: Any, known: Any,
    table: Any, out: Any,
) -> None:  # fmt: skip
    room = 3
    for k in range(len(rows)):
        longest = bounds[document[k] + 1] - bounds[document[k]]
        room = max(room, min(longest, 2 * MOST_REACH + 4 * (places[k, 1] - places[k, 0]) + 4))
    room = 2 * room + 3
    token, value, at = np.empty(room, np.int16), np.empty(room, np.uint64), np.empty(room, np.int64)
    bits = np.empty(room, np.float32)
    pairs = np.empty((MOST_TOKENS, 2), np.int64)
    for k in range(len(rows)):
        first, last = bounds[document[k]], bounds[document[k] + 1]
        begin = _byte_of(data, first, last, places[k, 0])
        end = _byte_of(data, begin, last, places[k, 1] - places[k, 0])
        reach = codes.reach[item[k]]
        begin, end = max(first, begin - reach), min(last, end + reach)
        n = cut_tokens(data, begin, end, known, token, value, at)
        token_bits(token[:n], table, bits[:n])
        low, high = codes.first[item[k]], codes.first[item[k] + 1]
        gained, n_pairs = align_tokens(
            codes.token[low:high], codes.value[low:high], codes.bits[low:high],
            token[:n], value[:n], bits[:n], pairs,
        )  # fmt: skip
        row = out[rows[k]]
        row[0] = gained
        if n_pairs:
            own = codes.token[low:high]
            matched = code_told(codes, low, pairs[:n_pairs], value)
            span = 0.0
            for j in range(pairs[n_pairs - 1, 1], pairs[0, 1] + 1):
                span += bits[j] + (EQUAL_VALUE if token[j] == NUMBER or token[j] == STRING else 0.0)
            row[1] = matched / codes.total[item[k]]
            row[2] = min(1.0, matched / span) if span > 0 else 0.0
            row[3] = _agreement(pairs[:n_pairs], own, codes.value[low:high], value)


@kernel
def code_told(codes: Any, low: int, pairs: Any, value: Any) -> float:
    """Return the bits of an item's tokens that are aligned; its own begin at `low`."""
    told = 0.0
    for p in range(len(pairs)):
        i, j = low + pairs[p, 0], pairs[p, 1]
        told += gain(codes.token[i], codes.bits[i], codes.value[i], value[j])
    return told


@kernel
def _byte_of(data: Any, first: int, last: int, characters: int) -> int:
    """Return the byte at which a character begins, counted from byte `first`."""
    k = first
    while k < last:
        if data[k] & 0xC0 != 0x80:
            if characters == 0:
                return k
            characters -= 1
        k += 1
    return k


@kernel
def gain(token: int, bits: float, value: Any, other: Any) -> float:
    """Return what a token tells that stands in both, with these values."""
    if token in (NUMBER, STRING):
        return bits + EQUAL_VALUE if value == other else bits * OTHER_VALUE
    return bits


@kernel
def align_tokens(
    own: Any, own_value: Any, own_bits: Any, token: Any, value: Any, bits: Any, pairs: Any
) -> tuple[float, int]:
    """Return the most that an alignment gains, and how many pairs it has; they are left in `pairs`.

    Pairs are (token of the item, token of the place), the last one first.
    """
    m, n = len(own), len(token)
    came = np.zeros((m + 1, n + 1), np.uint8)
    above, here = np.zeros(n + 1, np.float64), np.zeros(n + 1, np.float64)
    best, best_i, best_j = 0.0, 0, 0
    for i in range(m):
        skipped = GAP * own_bits[i]
        here[0] = 0.0
        for j in range(n):
            most, way = 0.0, 0
            if above[j + 1] - skipped > most:
                most, way = above[j + 1] - skipped, 1
            if here[j] - GAP * bits[j] > most:
                most, way = here[j] - GAP * bits[j], 2
            if own[i] == token[j]:
                both = above[j] + gain(own[i], own_bits[i], own_value[i], value[j])
                if both >= most:
                    most, way = both, 3
            here[j + 1], came[i + 1, j + 1] = most, way
            if most > best:
                best, best_i, best_j = most, i + 1, j + 1
        above, here = here, above
    k, i, j = 0, best_i, best_j
    while came[i, j]:
        way = came[i, j]
        if way == 3:
            pairs[k, 0], pairs[k, 1] = i - 1, j - 1
            k += 1
        i -= way != 2
        j -= way != 1
    return best, k


@kernel
def _agreement(pairs: Any, own: Any, own_value: Any, value: Any) -> float:
    """Return how many names stand for the same name as the last time, less those that do not."""
    total = 0
    for k in range(len(pairs) - 1, -1, -1):
        i, j = pairs[k]
        if own[i] != NAME:
            continue
        for earlier in range(k + 1, len(pairs)):
            a, b = pairs[earlier]
            if own[a] == NAME and (own_value[a] == own_value[i] or value[b] == value[j]):
                same = own_value[a] == own_value[i] and value[b] == value[j]
                total += 1 if same else -1
                break
    return float(total)
