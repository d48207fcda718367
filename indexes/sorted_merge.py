"""Two sorted tables become one: whence each row comes, then column by column."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel

FROM_ONE: Final = 1
FROM_OTHER: Final = 2  # 3: from both


class SortedKeys(NamedTuple):
    """What tells the rows of a table, (n,) each: sorted by all three, and no two agree in all."""

    domain: np.ndarray  # uint32
    key: np.ndarray  # uint64
    fold: np.ndarray  # uint8


def merge_order(one: SortedKeys, other: SortedKeys) -> np.ndarray:
    """Return for each row of the merged table whether it is in one, in the other or in both: uint8."""
    source = np.empty(len(one.key) + len(other.key), np.uint8)
    return source[: _merge_order(*one, *other, source)]


def merged_column(
    source: np.ndarray, one: np.ndarray, other: np.ndarray, *, adds: bool = False
) -> np.ndarray:
    """Return a column of the merged table; of a row in both the one's value, or with `adds` the sum."""
    kind = np.result_type(one, other)
    out = np.empty(len(source), kind)
    if len(one) and len(other):
        one, other = one.astype(kind, copy=False), other.astype(kind, copy=False)
        _merge_column(source, one, other, adds, out)
    else:
        out[:] = one if len(one) else other
    return out


@kernel
def _merge_order(
    domain_a: Any, key_a: Any, fold_a: Any, domain_b: Any, key_b: Any, fold_b: Any, source: Any
) -> int:  # fmt: skip
    """Write the sources and return their number; no branches, for nobody can foresee who comes next."""
    a = b = n = 0
    while a < len(key_a) and b < len(key_b):
        order = (
            4 * _compare(domain_a[a], domain_b[b])
            + 2 * _compare(key_a[a], key_b[b])
            + _compare(fold_a[a], fold_b[b])
        )
        from_one, from_other = np.int64(order <= 0), np.int64(order >= 0)
        source[n] = from_one * FROM_ONE + from_other * FROM_OTHER
        a, b, n = a + from_one, b + from_other, n + 1
    end = n + len(key_a) - a
    source[n:end] = FROM_ONE
    source[end : end + len(key_b) - b] = FROM_OTHER
    return end + len(key_b) - b


@kernel
def _merge_column(source: Any, one: Any, other: Any, adds: bool, out: Any) -> None:
    a = b = 0
    last_a, last_b = len(one) - 1, len(other) - 1
    for n in range(len(source)):
        mine, its = one[min(a, last_a)], other[min(b, last_b)]
        is_one, is_other = source[n] & FROM_ONE, source[n] >> 1
        if adds:
            out[n] = mine * is_one + its * is_other
        else:
            out[n] = mine if is_one else its
        a += is_one
        b += is_other


@inline_kernel
def _compare(one: Any, other: Any) -> int:
    return np.int64(one > other) - np.int64(one < other)
