"""Source code as a sequence of normalised tokens, of whatever common language it is.

Left out are comments, docstrings, imports, types, round and curly brackets, commas and semicolons; names
are one token, with their hash beside it; what languages spell differently is one token
(`scanners.code_words`). `x[i]` counts as the name `x`: a loop over elements and one over their indices
are the same loop. `x += 1` and `x++` are an assignment and a sum. So code that was put in other names,
another kind of loop or another language keeps most of its tokens (compare Schleimer, Wilkerson and Aiken
2003, and JPlag: Prechelt, Malpohl and Philippsen 2002).

Nothing is parsed: text that is no code gives names, mostly, which carry hardly any evidence.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from scanners.code_text import (
    APOSTROPHE,
    BACKTICK,
    CLOSE,
    CLOSE_SQUARE,
    COLON,
    DOT,
    EQUAL_SIGN,
    EXCLAMATION,
    HASH,
    LESS_SIGN,
    NEWLINE,
    OPEN,
    OPEN_SQUARE,
    OPERAND,
    OPERATOR,
    QUOTE,
    SLASH,
    SPACE,
    STAR,
    TYPE_NAME,
    cut_number,
    cut_sign,
    cut_string,
    cut_word,
    find_hash,
    is_comment,
    is_letter,
    line_end,
    past_comment,
    past_docstring,
    past_type,
)
from scanners.code_words import (
    ASSIGN,
    DROPPED,
    ELSE,
    EQUAL,
    FILTER_BITS,
    IF,
    INDEX,
    LIST,
    MINUS,
    NAME,
    NOT,
    ONE,
    PLUS,
    SLICE,
    STRING,
    CodeWords,
    code_words,
)

MOST_DEPTH: Final = 32  # of square brackets
LIST_BRACKET, INDEX_BRACKET, TYPE_BRACKET = 0, 1, 2


class CodeTokens(NamedTuple):
    """Tokens in order, (n,) each."""

    token: np.ndarray  # int16, see `scanners.code_words`
    value: np.ndarray  # uint64: hash of a name, a number or a string; 0 for others
    at: np.ndarray  # int64, byte at which it begins


def code_tokens(text: bytes) -> CodeTokens:
    """Return the tokens of some code."""
    data = np.frombuffer(bytearray(text), np.uint8)  # writable, as kernels are compiled for
    token, value = np.empty(2 * len(data) + 3, np.int16), np.empty(2 * len(data) + 3, np.uint64)
    at = np.empty(2 * len(data) + 3, np.int64)
    n = cut_tokens(data, 0, len(data), known_words(), token, value, at)
    return CodeTokens(token[:n], value[:n], at[:n])


@cache
def known_words() -> CodeWords:
    """Return the table of known words, made once."""
    return code_words()


@kernel
def cut_tokens(
    data: Any, first: int, last: int, known: Any, token: Any, value: Any, at: Any
) -> int:
    """Write the tokens of `data[first:last]` (uint8); return how many there are.

    `token`, `value` and `at` have room for two tokens a byte and three more.
    """
    n = depth = 0
    kinds, opened = np.zeros(MOST_DEPTH, np.int64), np.zeros(MOST_DEPTH, np.int64)
    before = OPERATOR
    blank = True  # whether nothing stands before in the line
    attribute = False  # whether a dot stands before
    k = first
    while k < last:
        c = data[k]
        follows = data[k + 1] if k + 1 < last else np.uint8(0)
        if c == NEWLINE:
            blank, k = True, k + 1
            continue
        if c <= SPACE:
            k += 1
            continue
        was_blank, blank = blank, False
        if is_letter(c):
            end, raw, folded = cut_word(data, k, last)
            if was_blank and find_hash(known.imports, folded) >= 0:
                k = line_end(data, end, last)
                continue
            if end < last and (data[end] == QUOTE or data[end] == APOSTROPHE) and end - k <= 2:
                k = end  # r"..." and the like
                continue
            code = _code_of(data, end, last, folded, attribute, known)
            attribute = False
            if code == DROPPED:
                generic = 65 <= c <= 90 or _is_function(folded, known)
                before, k = TYPE_NAME if generic else OPERAND, end
                if end < last and data[end] == LESS_SIGN:
                    k = past_type(data, end, last)
                continue
            if code == IF and n and token[n - 1] == ELSE:
                n -= 1
            token[n], value[n], at[n] = code, raw if code == NAME else np.uint64(0), k
            n += 1
            is_operand = code == NAME or (end < last and data[end] == OPEN)
            before, k = OPERAND if is_operand else OPERATOR, end
            continue
        attribute = False
        if 48 <= c <= 57:
            end, number, raw = cut_number(data, k, last)
            token[n], value[n], at[n] = number, raw, k
            n, before, k = n + 1, OPERAND, end
            continue
        if c in (QUOTE, APOSTROPHE, BACKTICK):
            if follows == c and k + 2 < last and data[k + 2] == c:
                k = past_docstring(data, first, k, last)
                continue
            end, raw = cut_string(data, k, last)
            if end > k + 1:
                token[n], value[n], at[n] = STRING, raw, k
                n, before = n + 1, OPERAND
            k = end
            continue
        if c == HASH or (c == SLASH and follows == SLASH and is_comment(data, first, k)):
            k = line_end(data, k, last)
            continue
        if c == SLASH and follows == STAR:
            k = past_comment(data, k, last)
            continue
        if c == OPEN_SQUARE:
            kind = LIST_BRACKET if before == OPERATOR else INDEX_BRACKET
            kind = TYPE_BRACKET if before == TYPE_NAME else kind
            if depth < MOST_DEPTH:
                kinds[depth], opened[depth] = kind, n
            depth += 1
            if kind != TYPE_BRACKET:
                token[n], value[n], at[n] = LIST if kind == LIST_BRACKET else INDEX, np.uint64(0), k
                n += 1
            before, k = OPERATOR, k + 1
            continue
        if c == CLOSE_SQUARE:
            depth, before, k = max(0, depth - 1), OPERAND, k + 1
            if depth < MOST_DEPTH:
                n, before = _close_square(kinds[depth], opened[depth], token, n)
                opened[depth] = n + 2  # closed
            continue
        if c == COLON and 0 < depth <= MOST_DEPTH and kinds[depth - 1] == INDEX_BRACKET:
            if opened[depth - 1] < n and follows != COLON:
                token[opened[depth - 1]] = SLICE
            before, k = OPERATOR, k + 1
            continue
        if c == DOT:
            attribute, k = True, k + 1
            continue
        if c == CLOSE:
            before, k = OPERAND, k + 1
            continue
        code, width = cut_sign(c, follows, data[k + 2] if k + 2 < last else np.uint8(0), before)
        if code == NOT and before == OPERAND:
            code = DROPPED  # a macro
        before, k = OPERATOR, k + width
        if code != DROPPED:
            counts = code in (PLUS, MINUS) and width == 2 and follows == c  # ++ and --
            assigns = width >= 2 and ASSIGN < code < EQUAL and data[k - 1] == EQUAL_SIGN
            if counts or assigns:
                token[n], value[n], at[n] = ASSIGN, np.uint64(0), k - width
                n += 1
            token[n], value[n], at[n] = code, np.uint64(0), k - width
            n += 1
            if counts:
                token[n], value[n], at[n] = ONE, np.uint64(0), k - width
                n, before = n + 1, OPERAND
    return n


@kernel
def _close_square(kind: int, start: int, token: Any, n: int) -> tuple[int, int]:
    """Return how many tokens stay behind a square bracket, and what it stands for."""
    if kind == TYPE_BRACKET:
        return n, TYPE_NAME
    if kind == INDEX_BRACKET:
        if n == start + 2 and token[start] == INDEX and token[n - 1] == NAME:
            n -= 2  # x[i] is an element of x
        elif n == start + 1:
            n -= 1  # of a type
    return n, OPERAND


@kernel
def _code_of(data: Any, end: int, last: int, folded: Any, attribute: bool, known: Any) -> int:
    """Return the token of a word, NAME where it is not known."""
    if not known.seen[folded >> np.uint64(64 - FILTER_BITS)]:
        return NAME
    place = find_hash(known.hash, folded)
    if place < 0:
        return NAME
    k = end
    if k < last and data[k] == EXCLAMATION:
        k += 1
    called = k < last and (
        data[k] == OPEN or (data[k] == COLON and k + 1 < last and data[k + 1] == COLON)
    )
    if known.called[place] >= 0 and (called or (attribute and known.always[place] < 0)):
        return known.called[place]
    if known.always[place] >= 0:
        return known.always[place]
    return NAME


@kernel
def _is_function(folded: Any, known: Any) -> bool:
    place = find_hash(known.hash, folded)
    return place >= 0 and known.called[place] >= 0
