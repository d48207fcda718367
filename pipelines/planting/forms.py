"""What a form of a leak is: how it is planted, and what must be found of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from corpora.benchmarks import Item

Expected = Literal["contaminated", "suspect", "template"]
Planting = Callable[[Item, np.random.Generator, Sequence[str]], str | None]


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which items leak.

    `expected` is the least that counts as found; `template` means the leak type, and `contaminated`
    satisfies all three. Where `guaranteed`, the question stands there word for word, so that a
    question of 13 words must be found, always.

    `plant` is given the item, randomness, and words that may be brought in. `only` are the items
    worth trying where a form is for few; None is all.
    """

    plant: Planting
    expected: Expected
    description: str
    guaranteed: bool = False
    only: Container[Item] | None = None
