"""The share of copies among a version's documents, compared: duplicated documents are named as such.

Copies move the shares of their domain and the tokens they hold, but those tables cannot say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scipy.special import ndtri

LEAST: Final = 0.01  # of the documents; a rebuilt crawl moves its copies by less


@dataclass(frozen=True, slots=True)
class ShareChange:
    """The change of a share in [0, 1], with its 95 % interval."""

    change: float
    ci_low: float
    ci_high: float
    alarm_from: float
    alarm: bool


def compare_copies(
    baseline: tuple[float, float],
    candidate: tuple[float, float],
    chance: float,
    least: float = LEAST,
) -> ShareChange:
    """Return the change of a share that is known with a standard error in both versions.

    Args:
        baseline: Share and its standard error.
        candidate: The same.
        chance: Of a false alarm.
        least: |change| that matters.
    """
    change = candidate[0] - baseline[0]
    error = float((baseline[1] ** 2 + candidate[1] ** 2) ** 0.5)
    reach = float(-ndtri(0.025)) * error
    alarm_from = max(float(-ndtri(chance / 2)) * error, least)
    return ShareChange(
        change, change - reach, change + reach, alarm_from, abs(change) >= alarm_from
    )
