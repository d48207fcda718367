"""Adding profiles up while they come, in any order and on any thread, always to the same sum."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from indexes.profile import Profile, merge

Tree = int | tuple["Tree", "Tree"]  # numbers of profiles at the leaves, or two trees to add up


class ProfileSum:
    """Adds numbered profiles up along a tree.

    The tree is always the same, so the sum is, too, even where the rarest words are folded. What waits
    for its neighbour is in memory: few profiles, if the numbers come in about their order. `kept` is
    given every subtree of two leaves or more with its sum, on the thread that made it.
    """

    def __init__(self, tree: Tree, kept: Callable[[Tree, Profile], None] = lambda *_: None) -> None:
        self._tree = tree
        self._kept = kept
        self._places: dict[
            int, list[tuple[Tree, int]]
        ] = {}  # the subtrees above a leaf, and its side
        self._waiting: dict[tuple[int, int], Profile] = {}
        self._lock = threading.Lock()
        _climb(tree, (), self._places)

    def take(self, number: int, profile: Profile) -> None:
        """Take the profile of a number, and merge what is complete with it."""
        for above, side in self._places[number]:
            with self._lock:
                other = self._waiting.pop((id(above), 1 - side), None)
                if other is None:
                    self._waiting[id(above), side] = profile
                    return
            profile = merge([other, profile] if side else [profile, other])
            self._kept(above, profile)
        self._waiting[id(self._tree), 0] = profile

    def total(self) -> Profile:
        """Return the sum, when all have come."""
        (profile,) = self._waiting.values()
        return profile


def balanced(numbers: Sequence[int]) -> Tree:
    """Return the tree of pairs of neighbours, and of pairs of pairs; one number at least."""
    level: list[Tree] = list(numbers)
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        level = [*zip(level[::2], level[1::2], strict=False), *odd]
    return level[0]


def sums_by_weight(weights: Sequence[float]) -> dict[float, ProfileSum]:
    """Return an empty sum for each weight; its numbers are the places at which the weight stands."""
    return {weight: ProfileSum(balanced(own)) for weight, own in places_by_weight(weights).items()}


def places_by_weight(weights: Sequence[float]) -> dict[float, list[int]]:
    """Return the places at which each weight stands."""
    numbers: dict[float, list[int]] = {}
    for number, weight in enumerate(weights):
        numbers.setdefault(weight, []).append(number)
    return numbers


def _climb(
    tree: Tree, above: tuple[tuple[Tree, int], ...], places: dict[int, list[tuple[Tree, int]]]
) -> None:
    if isinstance(tree, int):
        places[tree] = list(reversed(above))
        return
    for side, part in enumerate(tree):
        _climb(part, (*above, (tree, side)), places)
