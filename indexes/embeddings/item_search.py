"""Search among the vectors of items: every row whose cosine to a window reaches the row's floor.

Rows stand in lists by the nearest of some centres (an inverted file: Sivic and Zisserman 2003, Jegou et
al. 2011) and the window sizes that they are sought in. A window looks into the lists whose centre is near
enough. How near that must be is learned for each list: a window that comes to a row's floor exactly is the
row plus something that has nothing to do with it, so windows of the background are mixed with the row in
that proportion, and all but `MISSED` of them must get in. Real windows mostly come nearer than the
floor. Of many lists the `MOST_OPEN` are opened that are nearest beyond that.

Within a list a row's first `SIEVE` dimensions in 8 bits, one line of the processor's cache, decide
whether the rest is looked at, by the same kind of mixture. (The static model's dimensions are principal
components: the first say most.)

A window's products with the centres come with its sum (`word_vectors`). Vectors are whole numbers and
so are their products: results do not depend on the machine, the batch or the order. The cosine is that
of the window's exact sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from indexes.embeddings.word_vectors import ONE_LENGTH, PRODUCT_UNIT

MISSED: Final = 0.005  # of windows at the floor, that no list is opened for
SIEVE: Final = 64  # dimensions; all models have as many, filled up with zeros
SIEVE_DEVIATIONS: Final = 2.65  # below the mean of the mixtures: 0.4% of them are missed
SIEVE_MIXTURES: Final = 256
FINEST: Final = 127  # the largest number of 8 bits
ROWS_OF_A_CENTRE: Final = 32
MOST_CENTRES: Final = 256
LANES: Final = 16  # centres that are looked at together; their number is a multiple
MOST_OPEN: Final = 8  # lists of a window
ROUNDS: Final = 8  # of k-means
MIXTURES: Final = 64  # background windows that each row is mixed with
ROUNDING: Final = 1 << 18  # more than rounding both vectors changes of a product of 2**28
ONE: Final = ONE_LENGTH * ONE_LENGTH
NEVER: Final = 2.0  # a cosine that none has
MOST_BEYOND: Final = (1 << 15) - 1


class ItemLists(NamedTuple):
    """Rows by level (window size) and centre. Entries of a list lie side by side."""

    centres: np.ndarray  # int16 (centres, dimension), of length ONE_LENGTH
    near: np.ndarray  # float32 (levels, centres), cosine to the centre from which a list is opened
    most: int  # lists that are opened for a window
    first: np.ndarray  # int64 (levels * centres + 1,), entries of each list
    row: np.ndarray  # int32 (entries,)
    sieve: np.ndarray  # int8 (entries, SIEVE)
    passes: np.ndarray  # int32 (entries,), product of the sieve that lets a window through
    vector: np.ndarray  # int16 (entries, dimension)
    length: np.ndarray  # float64 (entries,), exact length of `vector`
    least: np.ndarray  # int32 (entries,), product from which the cosine is computed
    floor: np.ndarray  # float64 (entries,)


def whole_numbers(vectors: np.ndarray) -> np.ndarray:
    """Return unit vectors (n, d) as int16 of length ONE_LENGTH."""
    return np.rint(vectors * np.float32(ONE_LENGTH)).astype(np.int16)


def build_lists(
    vectors: np.ndarray,
    rows: np.ndarray,
    levels: np.ndarray,
    floors: np.ndarray,
    background: Sequence[np.ndarray],
) -> ItemLists:
    """Lay rows out in lists.

    Args:
        vectors: int16 (rows, dimension), of length ONE_LENGTH.
        rows: int32 (entries,), which row is sought,
        levels: int64 (entries,), in windows of which size, 0 <= level < len(background),
        floors: float64 (entries,), and from which cosine on.
        background: of each level, its windows of general text, int16 (n, dimension); n may be 0.
    """
    centres, nearest = _cluster(vectors)
    k = len(centres)
    of_list = levels * k + nearest[rows]
    order = np.lexsort((rows, of_list))
    first = np.searchsorted(of_list[order], np.arange(len(background) * k + 1))
    near = np.full((len(background), k), NEVER, np.float32)
    for level, noise in enumerate(background):
        for number in range(k):
            members = order[first[level * k + number] : first[level * k + number + 1]]
            if len(members):
                near[level, number] = _opening(
                    centres[number], vectors[rows[members]], floors[members], noise
                )
    entry = vectors[rows[order]]
    sieve, passes = _sieve(entry, levels[order], floors[order], background)
    return ItemLists(
        centres=centres,
        near=near,
        most=MOST_OPEN,
        first=first.astype(np.int64),
        row=rows[order].astype(np.int32),
        sieve=sieve,
        passes=passes,
        vector=np.ascontiguousarray(entry),
        length=np.sqrt((entry.astype(np.int64) ** 2).sum(axis=1).astype(np.float64)),
        least=_least_products(floors[order]),
        floor=floors[order].astype(np.float64),
    )


def open_all(lists: ItemLists) -> ItemLists:
    """Return the same lists, every one of them opened for every window: exact search."""
    return lists._replace(
        near=np.full_like(lists.near, -NEVER),
        most=lists.near.shape[1],
        passes=np.full_like(lists.passes, -(1 << 30)),
    )


def lower_floors(lists: ItemLists, by: float) -> ItemLists:
    """Return the same lists for exact search from cosines lower by so much."""
    floor = lists.floor - by
    return open_all(lists)._replace(floor=floor, least=_least_products(floor))


def _least_products(floors: np.ndarray) -> np.ndarray:
    """Return the products (int32) from which the cosine is computed."""
    return (np.floor(floors * ONE) - ROUNDING).astype(np.int32)


def _cluster(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group vectors around centres by spherical k-means; return the centres and each one's number.

    It begins with rows at equal distances in the order given, and computes in whole numbers.
    """
    n = len(vectors)
    k = min(MOST_CENTRES, -(-n // (ROWS_OF_A_CENTRE * LANES)) * LANES)
    centres = vectors[np.arange(k) * n // max(k, 1)].copy()
    for _ in range(ROUNDS):
        nearest = _nearest(vectors, centres)
        sums = np.zeros((k, vectors.shape[1]), np.int64)
        np.add.at(sums, nearest, vectors.astype(np.int64))
        lengths = np.sqrt((sums**2).sum(axis=1).astype(np.float64))
        moved = lengths > 0
        centres[moved] = np.rint(sums[moved] * (ONE_LENGTH / lengths[moved, None]))
    return centres, _nearest(vectors, centres)


@kernel
def _nearest(vectors: Any, centre: Any) -> Any:
    out = np.zeros(len(vectors), np.int64)
    for row in range(len(vectors)):
        best = np.int32(-(1 << 30))
        for number in range(len(centre)):
            product = dot(vectors[row], centre[number])
            if product > best:
                best = product
                out[row] = number
    return out


def _opening(
    centre: np.ndarray, members: np.ndarray, floors: np.ndarray, noise: np.ndarray
) -> float:
    """Return the cosine to a centre from which its list is opened (see the module)."""
    if len(noise) == 0:
        return -NEVER
    n = min(MIXTURES, len(noise))
    products = _mixtures(centre, members, floors, noise[np.arange(n) * len(noise) // n])
    return float(np.quantile(products, MISSED, method="lower")) / ONE


@kernel
def _mixtures(centre: Any, members: Any, floors: Any, noise: Any) -> Any:
    """Return the centre's product with each row mixed with each window so as to come to its floor."""
    out = np.empty(len(members) * len(noise), np.int64)
    for m in range(len(members)):
        with_row = dot(members[m], centre)
        for k in range(len(noise)):
            # The window less its part along the row is at a right angle to it.
            along = dot(noise[k], members[m]) / ONE
            across = (dot(noise[k], centre) - along * with_row) / np.sqrt(
                max(1e-9, 1 - along * along)
            )
            floor = min(floors[m], 1.0)
            out[m * len(noise) + k] = np.int64(
                floor * with_row + np.sqrt(1 - floor * floor) * across
            )
    return out


def _sieve(
    vectors: np.ndarray, levels: np.ndarray, floors: np.ndarray, background: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first dimensions of entries in 8 bits, and the products that let a window through."""
    largest = max(1, int(np.abs(vectors[:, :SIEVE]).max(initial=0)))
    sieve = np.rint(vectors[:, :SIEVE] * np.float32(FINEST / largest)).astype(np.int8)
    least = np.zeros(len(vectors))
    for level, noise in enumerate(background):
        chosen = np.flatnonzero(levels == level)
        n = min(SIEVE_MIXTURES, len(noise))
        some = noise[np.arange(n) * len(noise) // max(n, 1)]
        least[chosen] = _least_sieved(vectors[chosen], floors[chosen], some)
    passes = np.floor(least * ONE_LENGTH * FINEST / largest)
    return sieve, np.clip(passes, -(1 << 30), 1 << 30).astype(np.int32)


@kernel
def _least_sieved(vectors: Any, floors: Any, noise: Any) -> Any:
    """Return the product of first dimensions that mixtures of a row and windows seldom stay below."""
    out = np.full(len(vectors), -np.float64(ONE))
    for row in range(len(vectors)):
        own = np.float64(dot(vectors[row, :SIEVE], vectors[row, :SIEVE])) / ONE
        total = squares = 0.0
        for window in noise:
            along = dot(window, vectors[row]) / ONE
            part = dot(window[:SIEVE], vectors[row, :SIEVE]) / ONE
            across = (part - along * own) / np.sqrt(max(1e-9, 1 - along * along))
            total += across
            squares += across * across
        if len(noise):
            mean = total / len(noise)
            deviation = np.sqrt(max(0.0, squares / len(noise) - mean * mean))
            floor = min(floors[row], 1.0)
            noisy = np.sqrt(1 - floor * floor) * (mean - SIEVE_DEVIATIONS * deviation)
            out[row] = (floor * own + noisy) * ONE_LENGTH
    return out


@kernel
def dot(one: Any, other: Any) -> Any:
    """Return the product of two int16 vectors of length ONE_LENGTH as int32."""
    total = np.int32(0)
    for j in range(len(one)):
        total = np.int32(total + np.int32(one[j]) * np.int32(other[j]))
    return total


@kernel
def search(
    low: Any, high: Any, total: Any, length: float, unit: Any, level: int, lists: Any, room: Any,
    rows: Any, cosines: Any,
) -> int:  # fmt: skip
    """Find the rows of a level that a window reaches; return how many.

    `low` and `high` (int16) are the running products with all centres at its ends, `total` (int32) is
    its sum of length `length`, `unit` (int16) the same at ONE_LENGTH. `room` is that of `search_room`.
    Rows go to `rows` (int32), their cosines to `cosines` (float32); both have room for all.
    """
    n = 0
    for centre in room[1][: _nearest_lists(low, high, length, level, lists, room)]:
        which = level * lists.near.shape[1] + centre
        for entry in range(lists.first[which], lists.first[which + 1]):
            if _sieved(unit, lists.sieve, entry) < lists.passes[entry]:
                continue
            if dot(unit, lists.vector[entry]) < lists.least[entry]:
                continue
            cosine = _exact(total, lists.vector[entry]) / (length * lists.length[entry])
            if cosine >= lists.floor[entry]:
                rows[n], cosines[n] = lists.row[entry], cosine
                n += 1
    return n


@inline_kernel
def _sieved(unit: Any, sieve: Any, entry: int) -> Any:
    total = np.int32(0)
    for j in range(SIEVE):
        total = np.int32(total + np.int32(unit[j]) * np.int32(sieve[entry, j]))
    return total


@kernel
def search_room(n_centres: int) -> Any:
    """Return room for the search of a window."""
    return np.empty(n_centres, np.int16), np.empty(n_centres, np.int64)


@kernel
def _nearest_lists(low: Any, high: Any, length: float, level: int, lists: Any, room: Any) -> int:
    """Leave the numbers of the centres whose lists are opened in the room; return how many."""
    beyond, chosen = room
    near = lists.near[level]
    scale = np.float32(length / PRODUCT_UNIT)
    n_centres = len(near)
    for k in range(n_centres):
        product = np.int32(np.int16(high[k] - low[k]))
        least = np.int32(near[k] * scale)
        beyond[k] = np.int16(max(min(product - least, MOST_BEYOND), -1))
    n = 0
    for block in range(0, n_centres, LANES):
        best = np.int16(-1)
        for k in range(LANES):
            best = max(best, beyond[block + k])
        if best < 0:
            continue
        for k in range(block, block + LANES):
            if beyond[k] < 0:
                continue
            at = n
            if n == lists.most:
                if beyond[k] <= beyond[chosen[n - 1]]:
                    continue
                at = n - 1
            else:
                n += 1
            while at and beyond[chosen[at - 1]] < beyond[k]:
                chosen[at] = chosen[at - 1]
                at -= 1
            chosen[at] = k
    return n


@kernel
def _exact(total: Any, vector: Any) -> Any:
    product = np.int64(0)
    for j in range(len(total)):
        product += np.int64(total[j]) * np.int64(vector[j])
    return product
