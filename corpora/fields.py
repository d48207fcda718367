"""Which keys of a benchmark's records hold what: the map a user writes by hand.

A `FieldMap` is for files whose layout `corpora.layouts` does not recognise. On the command line it is
one string, `question=prompt,answer=completion,choices=options,passage=context,id=task_id`, where

- dots reach into nested keys (`doc.question`), into every element of a list (`messages.content`) and to
  one element by its number (`turns.0`); a key that itself contains dots is found as it stands first;
- a plus joins several keys (`choices=A+B+C+D`); texts are joined with a newline, choices with one another;
- a table without a header has its columns numbered from 0 (`question=0,answer=1`).

The error of everything that reads benchmarks, `BenchmarkError`, lives here because this module is the
lowest that raises it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLE = "--fields question=prompt,answer=completion,choices=options,passage=context,id=task_id"


class BenchmarkError(ValueError):
    """A benchmark that cannot be read; `str()` is one line naming file, row and mend.

    Attributes:
        path: the file as the user named it, or None where no file is meant.
        row: the 0-based row, or None for the file as a whole.
    """

    def __init__(
        self, reason: str, mend: str, *, path: str | None = None, row: int | None = None
    ) -> None:
        place = "" if path is None else f"{path}: " if row is None else f"{path}, row {row}: "
        super().__init__(f"{place}{reason}; {mend}")
        self.path = path
        self.row = row


@dataclass(frozen=True, slots=True)
class FieldMap:
    """For each role the keys that hold it, in order; an empty tuple means the records have none."""

    question: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    passage: tuple[str, ...] = ()
    id: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> FieldMap:
        """Return the map that `text` (`role=key,role=key+key`) describes.

        Raises:
            BenchmarkError: a role is unknown, given twice or empty, or no role but `id` is given.
        """
        keys: dict[str, tuple[str, ...]] = {}
        for pair in text.split(","):
            role, _, names = (part.strip() for part in pair.partition("="))
            if role not in ROLES:
                raise BenchmarkError(
                    f"--fields has the unknown role {role!r}", f"allowed are {', '.join(ROLES)}"
                )
            if role in keys:
                raise BenchmarkError(
                    f"--fields names {role!r} twice", f"join keys with a plus: {role}=KEY+KEY"
                )
            keys[role] = tuple(name.strip() for name in names.split("+"))
            if not all(keys[role]):
                raise BenchmarkError(f"--fields gives {role!r} no key", f"for example {EXAMPLE}")
        if not keys.keys() - {"id"}:
            raise BenchmarkError("--fields names only the id", f"for example {EXAMPLE}")
        return cls(**keys)

    def named(self) -> tuple[str, ...]:
        """Return every key named, in the order of the roles."""
        return tuple(key for role in ROLES for key in getattr(self, role))


ROLES = tuple(field.name for field in dataclasses.fields(FieldMap))


def reach(record: Mapping[str, Any], key: str) -> Any:
    """Return what stands under `key`, a plain or dotted one; a list is entered element by element.

    Raises:
        KeyError: the record has no such key. A null on the way is not that: it gives None.
    """
    if key in record:
        return record[key]
    value: Any = record
    for step in key.split("."):
        value = _step(value, step)
    return value


def _step(value: Any, step: str) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return value[step]
    if isinstance(value, list) and step.isdecimal():
        return value[int(step)] if int(step) < len(value) else None
    if isinstance(value, list):
        return [_step(element, step) for element in value]
    raise KeyError(step)


def present(record: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield (key, value) for each of `keys` that the record has."""
    for key in keys:
        try:
            yield key, reach(record, key)
        except KeyError:
            continue
