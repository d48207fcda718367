"""The pieces of source code: words, numbers, strings and signs, and what is passed over.

Each function looks at `data[k:last]` (uint8) and tells where the piece ends.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import inline_kernel, kernel
from scanners.code_words import (
    AND,
    ASSIGN,
    BIT_AND,
    BIT_OR,
    BIT_XOR,
    DIVIDE,
    DROPPED,
    EQUAL,
    FNV_START,
    IF,
    LESS,
    LESS_EQUAL,
    MINUS,
    MODULO,
    NOT,
    NUMBER,
    OR,
    PLUS,
    POWER,
    SHIFT,
    TIMES,
    UNEQUAL,
    ZERO,
    hash_on,
)

OPERAND, TYPE_NAME, OPERATOR = 0, 1, 2  # what stood last
LONGEST_STRING: Final = 200  # bytes; a quote without another one so near is none
LONGEST_TYPE: Final = 80
LONGEST_COMMENT: Final = 4096  # in asterisks: a path with one opens none
(
    NEWLINE, SPACE, QUOTE, HASH, PERCENT, AMPERSAND, APOSTROPHE, OPEN, CLOSE, STAR, PLUS_SIGN, HYPHEN,
    DOT, SLASH, COLON, LESS_SIGN, EQUAL_SIGN, GREATER, QUESTION, OPEN_SQUARE, BACKSLASH, CLOSE_SQUARE, CARET,
    UNDERSCORE, BACKTICK, BAR, EXCLAMATION, OPEN_CURLY, CLOSE_CURLY, SEMICOLON, COMMA,
) = (ord(one) for one in "\n \"#%&'()*+-./:<=>?[\\]^_`|!{};,")  # fmt: skip


@inline_kernel
def is_letter(c: Any) -> bool:
    """Tell whether a byte may begin a word; all of what is not ASCII may."""
    return 97 <= c <= 122 or 65 <= c <= 90 or c == UNDERSCORE or c >= 128


@kernel
def cut_word(data: Any, k: int, last: int) -> tuple[int, Any, Any]:
    """Return where a word ends, its hash, and that of its letters in lower case."""
    raw, folded = np.uint64(FNV_START), np.uint64(FNV_START)
    while k < last and (is_letter(data[k]) or 48 <= data[k] <= 57):
        c = data[k]
        raw = hash_on(raw, c)
        if c != UNDERSCORE:
            folded = hash_on(folded, c + 32 if 65 <= c <= 90 else c)
        k += 1
    return k, raw, folded


@kernel
def find_hash(sorted_hashes: Any, one: Any) -> int:
    """Return the place of a hash, -1 where it is not there."""
    at = np.searchsorted(sorted_hashes, one)
    return at if at < len(sorted_hashes) and sorted_hashes[at] == one else -1


@kernel
def cut_number(data: Any, k: int, last: int) -> tuple[int, int, Any]:
    """Return where a number ends, its token, and a hash of its digits without an empty fraction."""
    raw, pending = np.uint64(FNV_START), 0
    start, fraction = k, False
    while k < last:
        c = data[k]
        if c == DOT and not fraction and k + 1 < last and 48 <= data[k + 1] <= 57:
            fraction, pending = True, 1
        elif 48 <= c <= 57:
            if fraction and c == 48:
                pending += 1
            else:
                if fraction and pending:
                    raw = hash_on(raw, DOT)
                    for _ in range(pending - 1):
                        raw = hash_on(raw, 48)
                    pending = 0
                raw = hash_on(raw, c)
        elif not (is_letter(c)):
            break
        k += 1
    if data[start] <= 50 and raw == hash_on(np.uint64(FNV_START), data[start]):
        return k, ZERO + data[start] - 48, np.uint64(0)
    return k, NUMBER, raw


@kernel
def cut_string(data: Any, k: int, last: int) -> tuple[int, Any]:
    """Return where a string ends that begins at `k`, and its hash; `k + 1` where it is none."""
    quote, raw, at = data[k], np.uint64(FNV_START), k + 1
    while at < min(last, k + LONGEST_STRING) and data[at] != NEWLINE:
        if data[at] == quote:
            return at + 1, raw
        if data[at] == BACKSLASH and at + 1 < last:
            raw = hash_on(raw, data[at])
            at += 1
        raw = hash_on(raw, data[at])
        at += 1
    return k + 1, raw


@kernel
def past_docstring(data: Any, first: int, k: int, last: int) -> int:
    """Return where a text in three quotes ends; behind the quotes where they open none.

    What opens one stands behind a colon, an assignment or an opening bracket, or first.
    """
    quote, at = data[k], k - 1
    while at >= first and (data[at] <= SPACE or (is_letter(data[at]) and k - at <= 2)):
        at -= 1
    opens = at < first
    if not opens:
        c = data[at]
        opens = c in (COLON, EQUAL_SIGN, OPEN, COMMA, OPEN_SQUARE)
    if opens:
        for end in range(k + 3, last - 2):
            if data[end] == quote and data[end + 1] == quote and data[end + 2] == quote:
                return end + 3
    return k + 3


@kernel
def is_comment(data: Any, first: int, k: int) -> bool:
    """Tell whether two slashes begin a comment: first in a line or behind a statement's end."""
    at = k - 1
    while at >= first and (data[at] == SPACE or data[at] == 9):
        at -= 1
    if at < first:
        return True
    c = data[at]
    return c in (NEWLINE, SEMICOLON, OPEN_CURLY, CLOSE_CURLY, COMMA)


@kernel
def line_end(data: Any, k: int, last: int) -> int:
    """Return where the line ends."""
    while k < last and data[k] != NEWLINE:
        k += 1
    return k


@kernel
def past_comment(data: Any, k: int, last: int) -> int:
    """Return where a comment in asterisks ends; behind its mark where it does not."""
    for end in range(k + 2, min(last, k + LONGEST_COMMENT) - 1):
        if data[end] == STAR and data[end + 1] == SLASH:
            return end + 2
    return k + 2


@kernel
def past_type(data: Any, k: int, last: int) -> int:
    """Return behind the angle brackets of a type; `k` where they do not close in a line."""
    depth = 0
    for at in range(k, min(last, k + LONGEST_TYPE)):
        if data[at] == LESS_SIGN:
            depth += 1
        elif data[at] == GREATER:
            depth -= 1
            if depth == 0:
                return at + 1
        elif data[at] == NEWLINE or data[at] == SEMICOLON or data[at] == OPEN:
            break
    return k


@kernel
def cut_sign(c: Any, d: Any, e: Any, before: int) -> tuple[int, int]:
    """Return the token of a sign and its width in bytes; `d` and `e` are the bytes behind it."""
    assigns, doubled = d == EQUAL_SIGN, d == c
    if c == EQUAL_SIGN:
        if d == EQUAL_SIGN:
            return EQUAL, 3 if e == EQUAL_SIGN else 2
        return (DROPPED, 2) if d == GREATER else (ASSIGN, 1)
    if c == EXCLAMATION:
        if d == EQUAL_SIGN:
            return UNEQUAL, 3 if e == EQUAL_SIGN else 2
        return NOT, 1
    if c in (LESS_SIGN, GREATER):
        if d == EQUAL_SIGN:
            return LESS_EQUAL, 2
        if d == c:
            return (DROPPED, 3) if e == c else (SHIFT, 2)  # >>> of a session
        return LESS, 1
    if c == PLUS_SIGN:
        return (PLUS, 2) if assigns or doubled else (PLUS, 1)
    if c == HYPHEN:
        if d == GREATER:
            return DROPPED, 2
        return (MINUS, 2) if assigns or doubled else (MINUS, 1)
    if c == STAR:
        if d == STAR:
            return POWER, 2
        if before != OPERAND:
            return DROPPED, 1
        return (TIMES, 2) if d == EQUAL_SIGN else (TIMES, 1)
    if c == SLASH:
        wide = d == SLASH
        return DIVIDE, (3 if e == EQUAL_SIGN else 2) if wide else (2 if d == EQUAL_SIGN else 1)
    if c == PERCENT:
        return (MODULO, 2) if d == EQUAL_SIGN else (MODULO, 1)
    if c == AMPERSAND:
        if d == c:
            return AND, 2
        return (BIT_AND, 1) if before == OPERAND and d == SPACE else (DROPPED, 1)
    if c == BAR:
        if d == c:
            return OR, 2
        return (BIT_OR, 1) if before == OPERAND else (DROPPED, 1)
    if c == CARET:
        return BIT_XOR, 1
    if c == COLON and d == EQUAL_SIGN:
        return ASSIGN, 2
    if c == QUESTION:
        return IF, 1
    return DROPPED, 1
