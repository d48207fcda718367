"""Spans of one document: merged, cut out of its text columns, and found again after the cut.

All offsets are characters of the document's text as it is read: its text columns that are not null,
joined by a line feed (`corpora.columns`). The line feeds between columns belong to no column and stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Span = tuple[int, int]  # [start, end)


@dataclass(frozen=True, slots=True)
class Cut:
    """Characters [start, end) of a text for which `new_chars` characters stand now."""

    start: int
    end: int
    new_chars: int


@dataclass(frozen=True, slots=True)
class CutText:
    """Text columns after the cuts. `is_blank`: nothing but white space and masks is left of them."""

    columns: tuple[str | None, ...]
    cuts: tuple[Cut, ...]
    is_blank: bool


def joined(columns: Iterable[str | None]) -> str:
    """Return the text of a document as it is read from its columns."""
    return "\n".join(column for column in columns if column is not None)


def merge(spans: Iterable[Span], margin: int, length: int) -> list[Span]:
    """Return the spans with `margin` characters on each side, within the text, those that touch as one."""
    merged: list[Span] = []
    for start, end in sorted((max(0, a - margin), min(length, b + margin)) for a, b in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged


def cut(columns: Sequence[str | None], spans: Sequence[Span], mask: str) -> CutText:
    """Cut merged spans out of the columns; `mask` stands in each place where something was cut."""
    kept: list[str | None] = []
    cuts: list[Cut] = []
    is_blank = True
    first = 0  # where the column begins in the joined text
    for column in columns:
        if column is None:
            kept.append(None)
            continue
        own = _within(spans, first, first + len(column))
        pieces, done = [], 0
        for start, end in own:
            pieces.append(column[done : start - first])
            done = end - first
            cuts.append(Cut(start, end, len(mask)))
        pieces.append(column[done:])
        is_blank = is_blank and not "".join(pieces).strip()
        kept.append(mask.join(pieces))
        first += len(column) + 1
    return CutText(tuple(kept), tuple(cuts), is_blank)


def back(cuts: Sequence[Cut], start: int, end: int) -> Span:
    """Return what [start, end) of the text after the cuts was before; a part of a mask is all of it.

    What was cut between two characters of the span is part of the answer.
    """
    return _place(cuts, start)[0], _place(cuts, end - 1)[1]


def shares(spans: Sequence[Span], cuts: Sequence[Cut], margin: int) -> list[int]:
    """Return how many cut characters each span accounts for; those of several count for the first.

    `spans` are sorted by their starts. The shares add up to the characters of the cuts.
    """
    found, counted, at = [], 0, 0
    for start, end in spans:
        first, last = max(start - margin, counted), end + margin
        while at < len(cuts) and cuts[at].end <= first:
            at += 1
        own, each = 0, at
        while each < len(cuts) and cuts[each].start < last:
            own += max(0, min(last, cuts[each].end) - max(first, cuts[each].start))
            each += 1
        found.append(own)
        counted = max(counted, last)
    return found


def _within(spans: Sequence[Span], first: int, last: int) -> list[Span]:
    clipped = [(max(start, first), min(end, last)) for start, end in spans]
    return [(start, end) for start, end in clipped if start < end]


def _place(cuts: Sequence[Cut], at: int) -> Span:
    """Return what the character at `at` stands for."""
    shift = 0  # how much further on the same character was
    for each in cuts:
        new_start = each.start - shift
        if at < new_start:
            break
        if at < new_start + each.new_chars:
            return each.start, each.end
        shift += each.end - each.start - each.new_chars
    return at + shift, at + shift + 1
