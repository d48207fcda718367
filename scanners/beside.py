"""What stands beside a found question: its short choices and its answer.

A field of fewer than five words proves nothing alone, and much beside its question. It is looked for
within a few lengths of the item before and after the locus, exactly.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import word_hashes
from scanners.fields import Role
from scanners.loci import PATTERN, WORD_END, WORD_START

QUESTION, COMPOSITE, ANSWER = int(Role.QUESTION), int(Role.COMPOSITE), int(Role.ANSWER)
LEAST_WINDOW, MOST_WINDOW = 48, 400  # words on each side of the locus
MARKER_REACH: Final = 4  # words after "answer" among which the letter must stand
ZERO, ONE, SIXTY_THREE, BIT_SHIFT = np.uint64(0), np.uint64(1), np.uint64(63), np.uint64(9)
MOST_CHOICES: Final = 62  # told apart by the bits of one number


@cache
def answer_markers() -> np.ndarray:
    """Return the hashes of words that announce an answer, in some languages."""
    return word_hashes("answer ans correct solution antwort lösung réponse respuesta ответ 答")


@kernel
def window_of(item_words: int) -> int:
    """Return how many words beside a locus belong to the place of an item."""
    return max(LEAST_WINDOW, min(MOST_WINDOW, 2 * item_words))


@kernel
def look_beside(
    rows: Any, from_row: int, to_row: int, hashes: Any, n: int, target: Any, out: Any, n_out: int
) -> tuple[Any, int]:
    """Look around the loci `rows[from_row:to_row]`; append (evidence, owner, ...) rows to `out`."""
    for at in range(from_row, to_row):
        pattern, start, end = rows[at, PATTERN], rows[at, WORD_START], rows[at, WORD_END]
        for owner in range(target.owner_first[pattern], target.owner_first[pattern + 1]):
            role = target.owner_role[owner]
            if role != QUESTION and role != COMPOSITE:
                continue
            item = target.owner_item[owner]
            window = window_of(target.item_words[item])
            low, high = max(0, start - window), min(n, end + window)
            # A composite's own locus holds its choices; a question's own words are not its answer.
            inner = (start, end) if role == QUESTION else (start, start)
            if n_out == len(out):
                grown = np.empty((2 * n_out, out.shape[1]), np.int64)
                grown[:n_out] = out
                out = grown
            choices, answers, units, n_words, seen = 0, 0, 0, 0, 0
            announced = _announced(
                hashes, inner[1], high, target.answer_markers, target.answer_letter[item : item + 1]
            )
            for field in range(target.short.first[item], target.short.first[item + 1]):
                words = target.short.words[
                    target.short.start[field] : target.short.start[field + 1]
                ]
                found = _count(hashes, low, inner[0], words) + _count(hashes, inner[1], high, words)
                if target.short.role[field] == ANSWER:
                    answers = found
                    announced |= _announced(hashes, inner[1], high, target.answer_markers, words)
                elif found:
                    choice = target.short.choice[field]
                    choices += choice > MOST_CHOICES or not seen >> choice & 1
                    seen |= 1 << min(choice, MOST_CHOICES)
                if found:
                    units += target.short.units[field]
                    n_words += len(words)
            out[n_out, 0], out[n_out, 1] = at, owner
            out[n_out, 2], out[n_out, 3], out[n_out, 5] = choices, answers, units
            out[n_out, 4], out[n_out, 6] = announced, n_words
            n_out += 1
    return out, n_out


@kernel
def _count(hashes: Any, low: int, high: int, words: Any) -> int:
    """Count where `words` stand in `hashes[low:high]`."""
    found = 0
    for at in range(low, high - len(words) + 1):
        same = True
        for k in range(len(words)):
            if hashes[at + k] != words[k]:
                same = False
                break
        found += same
    return found


@kernel
def _announced(hashes: Any, low: int, high: int, markers: Any, words: Any) -> bool:
    """Tell whether a word like "answer" is soon followed by `words` (the answer, or its letter)."""
    some_marker = ZERO  # a bit for each marker: turns away nearly every word at once
    for marker in markers:
        some_marker |= ONE << (marker >> BIT_SHIFT & SIXTY_THREE)
    for at in range(low, high):
        if not some_marker >> (hashes[at] >> BIT_SHIFT & SIXTY_THREE) & ONE:
            continue
        for marker in markers:
            if hashes[at] == marker:
                reach = min(high, at + MARKER_REACH + len(words))
                if _count(hashes, at + 1, reach, words):
                    return True
    return False
