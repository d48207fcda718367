"""Where a long text may be cut, so that scratch stays small and no word is cut where it can be helped."""

from __future__ import annotations

from typing import Any, Final

from corpora.kernels import kernel

SEARCHED_BYTES: Final = 1024  # for white space, before the end of a piece


@kernel
def cut_text(data: Any, first: int, last: int, piece_bytes: int) -> int:
    """Return the end of a piece of `data[first:last]` (uint8, valid UTF-8) of about so many bytes.

    After white space where there is any, never inside a character.
    """
    end = first + piece_bytes
    if end >= last:
        return last
    for at in range(end, max(first, end - SEARCHED_BYTES), -1):
        if data[at - 1] == 32 or data[at - 1] == 10:
            return at
    while data[end] & 0xC0 == 0x80:
        end -= 1
    return end


@kernel
def cut_between_words(data: Any, first: int, last: int, piece_bytes: int) -> int:
    """Return the end of a piece of `data[first:last]`: after white space, which no word goes across.

    A piece is longer than `piece_bytes` where there is none so far.
    """
    if last - first <= piece_bytes:
        return last
    for at in range(first + piece_bytes, first, -1):
        if data[at - 1] == 32 or data[at - 1] == 10:
            return at
    for at in range(first + piece_bytes, last):
        if data[at] == 32 or data[at] == 10:
            return at + 1
    return last
