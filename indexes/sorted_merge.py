"""Two sorted tables become one: where each row of either goes, in one pass over both."""

from __future__ import annotations

from typing import Any

import numpy as np

from corpora.kernels import inline_kernel, kernel


def merge_places(
    one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the place of each row in the merged table, for both tables, and how many rows it has.

    A table's rows are told by three columns, sorted by all of them, each row once: uint32 (n,),
    uint64 (n,) and uint8 (n,). Rows that stand in both tables go to the same place.
    """
    places = np.empty(len(one[0]), np.int64), np.empty(len(other[0]), np.int64)
    return *places, _merge_places(*one, *other, *places)


@kernel
def _merge_places(
    first_a: Any, second_a: Any, third_a: Any, first_b: Any, second_b: Any, third_b: Any, place_a: Any,
    place_b: Any,
) -> int:  # fmt: skip
    a = b = n = 0
    while a < len(first_a) and b < len(first_b):
        order = _compare(first_a[a], first_b[b])
        if order == 0:
            order = _compare(second_a[a], second_b[b])
        if order == 0:
            order = _compare(third_a[a], third_b[b])
        if order <= 0:
            place_a[a] = n
            a += 1
        if order >= 0:
            place_b[b] = n
            b += 1
        n += 1
    while a < len(first_a):
        place_a[a] = n
        a, n = a + 1, n + 1
    while b < len(first_b):
        place_b[b] = n
        b, n = b + 1, n + 1
    return n


@inline_kernel
def _compare(one: Any, other: Any) -> int:
    return np.int64(one > other) - np.int64(one < other)
