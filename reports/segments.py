"""The texts of an example as stretches that matched or not: joined, and clipped around the first match."""

from collections.abc import Iterable, Iterator, Sequence

from reports.schema import Segment
from reports.view import ELLIPSIS


def merge_marks(segments: Iterable[Segment]) -> list[Segment]:
    """Return the same text in fewer segments: the white space between two matched words is marked."""
    merged: list[Segment] = []
    for text, matched in segments:
        if matched and len(merged) > 1 and merged[-2][1] and merged[-1][0].isspace():
            gap = merged.pop()[0]
            merged[-1] = (merged[-1][0] + gap + text, True)
        elif merged and merged[-1][1] == matched:
            merged[-1] = (merged[-1][0] + text, matched)
        elif text:
            merged.append((text, matched))
    return merged


def clip_segments(segments: Sequence[Segment], max_chars: int) -> list[Segment]:
    """Return at most `max_chars` characters, beginning a little before the first matched word."""
    before_match = 0
    for text, matched in segments:
        if matched:
            break
        before_match += len(text)
    else:
        before_match = 0
    skipped = max(0, before_match - max_chars // 4)
    kept = list(_window(segments, skipped, skipped + max_chars))
    cut_after = sum(len(text) for text, _ in segments) > skipped + max_chars
    head: list[Segment] = [(ELLIPSIS, False)] if skipped else []
    tail: list[Segment] = [(ELLIPSIS, False)] if cut_after else []
    return [*head, *kept, *tail]


def _window(segments: Sequence[Segment], first: int, last: int) -> Iterator[Segment]:
    position = 0
    for text, matched in segments:
        piece = text[max(0, first - position) : max(0, last - position)]
        position += len(text)
        if piece:
            yield piece, matched
