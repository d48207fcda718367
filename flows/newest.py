"""The newest version of a corpus and the one before, of all that a pattern matches."""

from __future__ import annotations

import glob
import re
from typing import Final

from corpora.places import find, is_url
from flows.errors import FlowError

_NUMBERS: Final = re.compile(r"(\d+)")
_WILDCARD: Final = re.compile(r"[*?\[]")


def versions_to_compare(
    baseline: str | None, candidate: str | None, newest_of: str | None
) -> tuple[str, str]:
    """Return the two versions that a comparison is told to compare, the older one first.

    Raises:
        FlowError: where it is told too little or too much, or fewer than two versions match.
        CorpusError: where the place of the pattern cannot be listed.
    """
    if newest_of is not None and baseline is None and candidate is None:
        return newest_two(newest_of)
    if newest_of is None and baseline is not None and candidate is not None:
        return baseline, candidate
    raise FlowError("name BASELINE and CANDIDATE, or a pattern of all versions with --newest-of")


def newest_two(pattern: str) -> tuple[str, str]:
    """Return the last two of the folders or files that a pattern matches, in the order of their names.

    Numbers in names count as numbers: `v10` comes after `v9`, `2026-11-02` after `2026-10-31`.

    Raises:
        FlowError: fewer than two match.
        CorpusError: the place cannot be listed.
    """
    found = sorted(set(_matches(pattern)), key=in_order)
    if len(found) < 2:
        there = f"only {found[0]} does" if found else "nothing does"
        raise FlowError(
            f"--newest-of {pattern}: two versions must match, and {there}; quote the pattern, as in 'data/v*'"
        )
    return found[-2], found[-1]


def in_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return what names are sorted by: runs of digits as numbers, the rest as text."""
    parts = _NUMBERS.split(name)
    return tuple((1, int(part), part) if part.isdigit() else (0, 0, part) for part in parts)


def _matches(pattern: str) -> list[str]:
    if not is_url(pattern):
        return glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob knows no absolute patterns
    if _WILDCARD.search(pattern.partition("?")[0]) is None:
        return [pattern]
    return _matches_at(pattern)


def _matches_at(url: str) -> list[str]:
    """Return objects that a URL with wildcards matches, or the prefixes that it matches up to a slash."""
    head, mark, query = url.rstrip("/").partition("?")
    depth = head.count("/") + 1
    below = f"{head}/**/*{mark}{query}"
    try:
        found = find(url)
    except ValueError:  # no such object: they are prefixes
        found = find(below)
    return [
        "/".join(file.path.partition("?")[0].split("/")[:depth]) + mark + query for file in found
    ]
