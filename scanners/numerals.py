"""Numbers of texts as values, whatever the script: what a translation leaves as it was.

Decimal digits of every script count, in runs; a point, comma, apostrophe or fixed space between two digits belongs to
the number and is dropped, for languages differ in what it means (2.50, 2,50; 1,000, 1.000): what is
compared is the digits. A fraction of zeros is dropped ("$2.00" is 2). In texts of items English number
words have their values, too; the number words of other languages are not known here.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from scanners.languages import Sentences, character

BETWEEN: Final = ".,'’٫٬\u00a0\u202f\u2009"  # digits
MOST_DIGITS: Final = 18
SMALL: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VALUES: Final = {
    **{word: value for value, word in enumerate(SMALL)},
    **{word: 20 + 10 * place for place, word in enumerate(TENS)},
    "hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12, "half": 2, "twice": 2,
    "double": 2, "triple": 3, "thrice": 3, "third": 3, "quarter": 4,
}  # fmt: skip
COMPOUND: Final = re.compile(rf"\b({'|'.join(TENS)})[\s-]+({'|'.join(SMALL[1:10])})\b")
WORD: Final = re.compile(r"[a-z]+")


class Numbers(NamedTuple):
    """Numbers in order, (n,) each, and where those of each sentence begin."""

    value: np.ndarray  # uint64
    first: np.ndarray  # int64 (sentences + 1,)


def numbers_of(data: np.ndarray, sentences: Sentences) -> Numbers:
    """Return the numbers in digits of sentences of documents (uint8, valid UTF-8)."""
    values, first = _read_numbers(data, sentences.start, sentences.end, _zeros(), _between())
    return Numbers(values, first)


def spelled_numbers(text: str) -> list[int]:
    """Return the values of the English number words of a text, in order."""
    low = text.lower()
    found = [(m.start(), VALUES[m[1]] + VALUES[m[2]]) for m in COMPOUND.finditer(low)]
    covered = COMPOUND.sub(lambda m: " " * len(m[0]), low)
    found += [(m.start(), VALUES[m[0]]) for m in WORD.finditer(covered) if m[0] in VALUES]
    return [value for _, value in sorted(found)]


@cache
def _zeros() -> np.ndarray:
    """Return the zeros of all scripts, whose other digits follow them: int64, sorted."""
    codes = range(sys.maxunicode + 1)
    return np.array([c for c in codes if unicodedata.decimal(chr(c), -1) == 0], np.int64)


@cache
def _between() -> np.ndarray:
    return np.array(sorted(map(ord, BETWEEN)), np.int64)


@kernel
def _read_numbers(
    data: Any, starts: Any, ends: Any, zeros: Any, between: Any
) -> tuple[Any, Any]:  # fmt: skip
    values = np.empty(64, np.uint64)
    first = np.zeros(len(starts) + 1, np.int64)
    n = 0
    for sentence in range(len(starts)):
        i, last = starts[sentence], ends[sentence]
        value, digits = np.uint64(0), 0
        whole, fraction = np.uint64(0), -1  # what stands before the last mark; digits behind it
        while i <= last:
            code, width, digit, is_mark = 0, 1, -1, False
            if i < last:
                code, width = character(data, i)
                if 48 <= code < 58:
                    digit = code - 48
                elif code >= 0x660:
                    zero = zeros[np.searchsorted(zeros, code, side="right") - 1]
                    digit = code - zero if code - zero < 10 else -1
                if digit < 0 and digits:
                    at = np.searchsorted(between, code)
                    is_mark = at < len(between) and between[at] == code
                    if is_mark:  # only where a digit follows
                        follows, _ = character(data, i + width) if i + width < last else (0, 1)
                        zero = zeros[max(0, np.searchsorted(zeros, follows, side="right") - 1)]
                        is_mark = 0 <= follows - zero < 10
            if digit >= 0:
                if digits < MOST_DIGITS:
                    value = value * np.uint64(10) + np.uint64(digit)
                digits += 1
                fraction += fraction >= 0
            elif is_mark:
                whole, fraction = value, 0
            elif digits:
                if n == len(values):
                    grown = np.empty(2 * n, np.uint64)
                    grown[:n] = values
                    values = grown
                zero_cents = fraction == 1 and value == whole * np.uint64(10)
                zero_cents |= fraction == 2 and value == whole * np.uint64(100)
                values[n] = whole if zero_cents else value
                n += 1
                value, digits, whole, fraction = np.uint64(0), 0, np.uint64(0), -1
            i += width
        first[sentence + 1] = n
    return values[:n].copy(), first
