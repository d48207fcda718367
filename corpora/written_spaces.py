"""Text as SentencePiece writes it: a space is ▁, and often one more stands before the text."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np

from corpora.added_tokens import NO_TOKEN, Trie, locate_trie, next_token
from corpora.kernels import inline_kernel, kernel
from corpora.peek import address_of, peek_8, poke_8, read_only

U64 = np.uint64
ONE, MARK_BYTES = U64(1), U64(3)
SPACE: Final = U64(0x20)
MARK: Final = "▁"
MARK_1, MARK_2, MARK_3 = (U64(byte) for byte in MARK.encode())


class Opening(IntEnum):
    """What is put before a text that is not empty."""

    NOTHING = 0
    MARK = 1
    MARK_UNLESS_THERE = 2  # as the first character, or a space


def write_spaces(
    data: np.ndarray, bounds: np.ndarray, opening: Opening, hard: tuple[Trie, Trie]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return documents with their spaces written as ▁: data, bounds, and which are left out.

    Left out, and empty, are those with a token of the tries.
    """
    data, bounds = read_only(data), read_only(bounds)
    sizes = np.zeros(len(bounds) - 1, np.int64)
    left = np.zeros(len(bounds) - 1, bool)
    _measure(data, bounds, int(opening), *hard, sizes, left)
    written_bounds = np.concatenate([[0], np.cumsum(sizes)])
    written = np.empty(int(written_bounds[-1]), np.uint8)
    _write(data, bounds, int(opening), left, written)
    return written, written_bounds, left


@kernel
def _measure(
    data: Any, bounds: Any, opening: int, raw: Any, normal: Any, sizes: Any, left: Any
) -> None:
    text, raw_trie, normal_trie = address_of(data), locate_trie(raw), locate_trie(normal)
    for document in range(len(sizes)):
        first, last = U64(bounds[document]), U64(bounds[document + 1])
        _, _, raw_token = next_token(text, first, last, raw_trie)
        _, _, normal_token = next_token(text, first, last, normal_trie)
        left[document] = raw_token != NO_TOKEN or normal_token != NO_TOKEN
        if not left[document]:
            n_spaces = 0
            for place in range(first, last):
                n_spaces += peek_8(text, U64(place)) == SPACE
            opens = _opens(text, first, last, opening)
            sizes[document] = np.int64(last - first) + 2 * n_spaces + 3 * opens


@inline_kernel
def _opens(text: Any, first: Any, last: Any, opening: int) -> Any:
    """Tell whether ▁ is put before a text."""
    opens = first < last and opening != 0
    if opens and opening == 2:
        opens = peek_8(text, first) != SPACE
        if last - first >= MARK_BYTES and opens:
            opens = not (
                peek_8(text, first) == MARK_1
                and peek_8(text, first + ONE) == MARK_2
                and peek_8(text, first + ONE + ONE) == MARK_3
            )
    return opens


@kernel
def _write(data: Any, bounds: Any, opening: int, left: Any, written: Any) -> None:
    text, out, n = address_of(data), address_of(written), U64(0)
    for document in range(len(left)):
        first, last = U64(bounds[document]), U64(bounds[document + 1])
        if left[document]:
            continue
        if _opens(text, first, last, opening):
            n = _write_mark(out, n)
        for place in range(first, last):
            byte = peek_8(text, U64(place))
            if byte == SPACE:
                n = _write_mark(out, n)
            else:
                poke_8(out, n, byte)
                n += ONE


@inline_kernel
def _write_mark(out: Any, n: Any) -> Any:
    poke_8(out, n, MARK_1)
    poke_8(out, n + ONE, MARK_2)
    poke_8(out, n + ONE + ONE, MARK_3)
    return n + MARK_BYTES
