"""Adding profiles up while they come, in any order and on any thread, always to the same sum."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from indexes.profile import Profile, merge


class ProfileSum:
    """Adds numbered profiles up in pairs of neighbours, and pairs of pairs.

    The tree is always the same, so the sum is, too, even where the rarest words are folded. What waits
    for its neighbour is in memory: few profiles, if the numbers come in about their order.
    """

    def __init__(self, numbers: Sequence[int]) -> None:
        self._places = {number: place for place, number in enumerate(numbers)}
        self._waiting: dict[tuple[int, int], Profile] = {}  # by level and place
        self._lock = threading.Lock()

    def take(self, number: int, profile: Profile) -> None:
        """Take the profile of a number, and merge what is complete with it."""
        level, place, n = 0, self._places[number], len(self._places)
        while n > 1:
            if place ^ 1 < n:  # it has a neighbour
                with self._lock:
                    other = self._waiting.pop((level, place ^ 1), None)
                    if other is None:
                        self._waiting[level, place] = profile
                        return
                profile = merge([other, profile] if place & 1 else [profile, other])
            level, place, n = level + 1, place // 2, (n + 1) // 2
        self._waiting[level, place] = profile

    def total(self) -> Profile:
        """Return the sum, when all have come."""
        (profile,) = self._waiting.values()
        return profile


def sums_by_weight(weights: Sequence[float]) -> dict[float, ProfileSum]:
    """Return an empty sum for each weight; its numbers are the places at which the weight stands."""
    numbers: dict[float, list[int]] = {}
    for number, weight in enumerate(weights):
        numbers.setdefault(weight, []).append(number)
    return {weight: ProfileSum(own) for weight, own in numbers.items()}
