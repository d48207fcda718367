"""The text values of one JSON line, found and replaced in place: all else keeps its very bytes.

Parsing a line and writing it again would change numbers (1.0e5), spacing and escapes of values that
nobody asked to touch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

Path = tuple[str, ...]
SPACE: Final = re.compile(r"[ \t\r\n]*")
# Numbers stay text: Python refuses those of more than 4,300 digits. What is in strings was read once.
DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


@dataclass(frozen=True, slots=True)
class JsonLine:
    """A line taken apart. `places`: [start, end) of each text value that is a string, or None.

    `editable` is False where a key on the way to a text stands twice: readers differ in which of the
    values they take, so none of them can be told to be the text.
    """

    text: str
    places: tuple[tuple[int, int] | None, ...]
    editable: bool

    def columns(self) -> list[str | None]:
        """Return the text values; the last of several, as Python's parser does."""
        return [
            None if place is None else DECODER.decode(self.text[place[0] : place[1]])
            for place in self.places
        ]

    def replaced(self, columns: Sequence[str | None]) -> str:
        """Return the line with other text values, escaped as the old ones; equal ones stay as they are."""
        pieces, done = [], 0
        changes = [
            (place, new)
            for place, new, old in zip(self.places, columns, self.columns(), strict=True)
            if place is not None and new != old
        ]
        for (start, end), column in sorted(changes):
            old = self.text[start:end]
            pieces += [self.text[done:start], json.dumps(column, ensure_ascii=_escapes(old))]
            done = end
        return "".join([*pieces, self.text[done:]])


def take_apart(line: str, paths: Sequence[Path]) -> JsonLine | None:
    """Find the text values of a line; None where it is nested too deeply to be read."""
    found: dict[Path, list[tuple[int, int]]] = {path: [] for path in paths}
    try:
        editable = _search(line, SPACE.match(line, 0).end(), (), found)  # type: ignore[union-attr]  # matches anywhere
    except (ValueError, RecursionError):
        return None
    places = []
    for path in paths:
        last = found[path][-1] if found[path] else None
        places.append(last if last is not None and line[last[0]] == '"' else None)
    return JsonLine(line, tuple(places), editable and all(len(f) < 2 for f in found.values()))


def _search(line: str, at: int, above: Path, found: dict[Path, list[tuple[int, int]]]) -> bool:
    """Note the values of the paths below the object at `at`; tell whether no key on the way is twice."""
    below: set[str] = set()
    unique = True
    for key, start, end in _members(line, at):
        path = (*above, key)
        if path in found:
            found[path].append((start, end))
        if any(known[: len(path)] == path and len(known) > len(path) for known in found):
            unique = unique and key not in below
            below.add(key)
            if line[start] == "{":
                unique = _search(line, start, path, found) and unique
    return unique


def _members(line: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield each key of the object at `at` with where its value begins and ends.

    Raises:
        ValueError: where this is no object.
    """
    if line[at : at + 1] != "{":
        raise ValueError(f"no object at {at}")
    at = _skip(line, at + 1)
    while line[at : at + 1] == '"':
        key, at = DECODER.raw_decode(line, at)
        start = _skip(line, _skip(line, at) + 1)  # past the colon
        _, end = DECODER.raw_decode(line, start)
        yield key, start, end
        at = _skip(line, end)
        if line[at : at + 1] == ",":
            at = _skip(line, at + 1)


def _skip(line: str, at: int) -> int:
    match = SPACE.match(line, at)
    assert match is not None
    return match.end()


def _escapes(value: str) -> bool:
    r"""Tell whether a value was written in ASCII although its text is not: "\u00e9"."""
    return value.isascii() and not DECODER.decode(value).isascii()
