"""What the detection benchmark is made of: documents, the draw, and the benchmarks looked for.

The labels say what is known of a document before any detector has seen it.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from harness import benchmark_file

from corpora.benchmarks import Item, read_benchmarks
from corpora.normal_form import word_hashes

BENCHMARKS: Final = {"gsm8k": "gsm8k_test", "mmlu": "mmlu_test", "humaneval": "humaneval"}
HALVES: Final = {"development": (0,), "held-out": (1,), "both": (0, 1)}
BARE, IN_FILLER, AS_FOUND = "bare", "in filler", "as found"
COPIES, EDITS, PARTS, REWORDINGS = "copies", "edits", "parts", "rewordings"
CLEAN, CONTROL, NEAR, PART = "clean", "control", "near", "part"
TEMPLATE, VARIANT = "template", "variant"
NEGATIVE_GROUPS: Final = (CLEAN, CONTROL, NEAR, PART, TEMPLATE, VARIANT)
POSITIVE_GROUPS: Final = (COPIES, EDITS, PARTS, REWORDINGS)


@dataclass(frozen=True, slots=True)
class Document:
    """A text to scan; `own` are the items that it holds, none for a negative."""

    text: str
    form: str  # the family of a negative
    group: str
    benchmark: str  # of the item, or of the items that a sibling is like; "" for the rest
    layout: str
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Draw:
    """Which part of the data is taken."""

    halves: tuple[int, ...]
    per_form: int
    seed: int

    def has(self, ident: str) -> bool:
        """Tell whether an item or document belongs to the half that is asked for."""
        return zlib.crc32(ident.encode()) % 2 in self.halves

    def random(self, *names: str) -> np.random.Generator:
        """Return a generator of its own for what is named."""
        return np.random.default_rng([self.seed, *(zlib.crc32(name.encode()) for name in names)])

    def some(self, values: Sequence[Any], n: int, name: str) -> list[Any]:
        """Return values drawn without replacement, in random order."""
        chosen = self.random(name).permutation(len(values))[:n].tolist()
        return [values[number] for number in chosen]


class Known:
    """The benchmarks that every detector looks for."""

    def __init__(self, data: Path) -> None:
        self.files = [benchmark_file(data, name) for name in BENCHMARKS.values()]
        self.of = {name: items_of(data, file) for name, file in BENCHMARKS.items()}
        self.items = [item for items in self.of.values() for item in items]
        self.benchmark_of = {i.id: name for name, items in self.of.items() for i in items}
        by_words: dict[bytes, set[str]] = defaultdict(set)
        keys = {item.id: word_hashes(item.question).tobytes() for item in self.items}
        for ident, key in keys.items():
            by_words[key].add(ident)
        self.twins = {ident: frozenset(by_words[key]) for ident, key in keys.items()}


def items_of(data: Path, name: str) -> tuple[Item, ...]:
    """Return the items of a shared benchmark file."""
    return read_benchmarks([str(benchmark_file(data, name))])[0].items
