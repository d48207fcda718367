"""Drift of token frequencies: which tokens moved within their domains, and which are gone or new.

A token is an alarm if its within-domain change is significant among all tested tokens
(Benjamini-Hochberg on the z of `scanners.token_changes`) and large, or if it vanished or is new by the
documents that held it (`scanners.vanished`). "Token" is what was counted: an id of a tokenizer, or a
word of the normal form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from scanners.domains import POWER_Z
from scanners.drift_policy import DriftPolicy
from scanners.multiple_tests import q_values, two_sided_p
from scanners.token_changes import TokenChanges, token_changes
from scanners.token_noise import SPLITS, WholeChange, whole_change
from scanners.totals import Totals, check_alike
from scanners.vanished import gone

KINDS: Final = ("", "riser", "faller", "vanished", "new")  # by `TokenTable.change_kind`
NONE, RISER, FALLER, VANISHED, NEW = range(len(KINDS))
DETECTABLE_AT: Final = (20, 100, 1_000, 10_000, 100_000)  # documents that hold a token


@dataclass(frozen=True, slots=True)
class TokenTable:
    """All tokens that either version has, in order of key; columns of the contract come first.

    Attributes:
        key: uint64, token id or hash of the word.
        baseline: Share of all tokens, in [0, 1].
        candidate: The same.
        log2_ratio: Of candidate over baseline; NaN where one of them is 0.
        z: Within-domain change in its standard deviations.
        q_value: Of that z among all tested tokens; NaN for a token in too few documents to test.
        df_baseline: Documents that hold the token.
        df_candidate: The same.
        change_kind: Index into `KINDS`; 0 for a token that is no alarm.
        alarm: bool.
        mix_part: Part of candidate - baseline that the domain mix explains.
        within_part: The rest.
        within_log2_ratio: Ratio that the within part alone makes; NaN where a side is 0.
        domain: Number of the domain with most of the within part; -1 without one.
        domain_share: That domain's part of the sum of |changes| over domains.
    """

    key: np.ndarray
    baseline: np.ndarray
    candidate: np.ndarray
    log2_ratio: np.ndarray
    z: np.ndarray
    q_value: np.ndarray
    df_baseline: np.ndarray
    df_candidate: np.ndarray
    change_kind: np.ndarray
    alarm: np.ndarray
    mix_part: np.ndarray
    within_part: np.ndarray
    within_log2_ratio: np.ndarray
    domain: np.ndarray
    domain_share: np.ndarray

    def strongest(self, kind: int) -> np.ndarray:
        """Return the rows of the alarms of one kind, largest |z| first, ties by key."""
        rows = np.flatnonzero(self.change_kind == kind)
        return rows[np.argsort(-np.abs(self.z[rows]), kind="stable")]


@dataclass(frozen=True, slots=True)
class TokenDrift:
    """The drift of token frequencies.

    Attributes:
        whole: The change as one number, and of each domain.
        table: Every token.
        tested: Tokens in enough documents to be tested.
        detectable: Documents that hold a token, and the least |log2 ratio| within domains that is an
            alarm in four of five cases at the noise of this comparison; levels without tokens are
            left out.
    """

    whole: WholeChange
    table: TokenTable
    tested: int
    detectable: tuple[tuple[int, float], ...]


def token_drift(
    baseline: Totals, candidate: Totals, policy: DriftPolicy, seed: int, splits: int = SPLITS
) -> TokenDrift:
    """Compare the token frequencies of two versions.

    Raises:
        ValueError: where the versions cannot be compared (`check_alike`).
    """
    check_alike(baseline, candidate)
    changes = token_changes(baseline, candidate)
    held = [version.key_documents for version in (baseline, candidate)]
    deviation = np.sqrt(changes.variance)
    z = np.divide(changes.within, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    tested = held[0] + held[1] >= policy.token_documents
    q = np.full(len(z), np.nan)
    q[tested] = q_values(two_sided_p(z[tested], changes.freedom[tested]))
    kinds = _kinds(baseline, candidate, changes, q, policy)
    present = np.flatnonzero(held[0] + held[1] > 0)
    within = changes.expected + changes.within
    columns = {
        "key": baseline.keys,
        "baseline": changes.baseline,
        "candidate": changes.candidate,
        "log2_ratio": _log2_ratio(changes.baseline, changes.candidate),
        "z": z,
        "q_value": q,
        "df_baseline": held[0],
        "df_candidate": held[1],
        "change_kind": kinds,
        "alarm": kinds != NONE,
        "mix_part": changes.mix,
        "within_part": changes.within,
        "within_log2_ratio": _log2_ratio(changes.expected, within),
        "domain": changes.domain,
        "domain_share": changes.domain_share,
    }
    return TokenDrift(
        whole=whole_change(baseline, candidate, policy, seed, splits),
        table=TokenTable(**{name: column[present] for name, column in columns.items()}),
        tested=int(tested.sum()),
        detectable=_detectable(changes, held[0] + held[1], tested, policy),
    )


def _kinds(
    baseline: Totals, candidate: Totals, changes: TokenChanges, q: np.ndarray, policy: DriftPolicy
) -> np.ndarray:
    """Return the kind of each alarm, 0 for the rest; uint8 (V,)."""
    # Half a token of the smaller version keeps the ratio finite, and small where little was expected.
    least = 0.5 / min(version.domain_tokens.sum() for version in (baseline, candidate))
    after = changes.expected + changes.within
    size = np.log2((after.clip(min=0) + least) / (changes.expected + least))
    moved = (np.nan_to_num(q, nan=1.0) <= policy.false_alarms) & (np.abs(size) >= policy.token_log2)
    kinds = np.where(moved, np.where(changes.within > 0, RISER, FALLER), NONE).astype(np.uint8)
    chance = policy.false_alarms / 2  # in either direction
    kinds[gone(baseline, candidate, chance)] = VANISHED
    kinds[gone(candidate, baseline, chance)] = NEW
    return kinds


def _log2_ratio(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    both = (before > 0) & (after > before * 1e-9)  # below it, what is left of 0 is rounding
    ratio = np.full(len(before), np.nan)
    ratio[both] = np.log2(after[both] / before[both])
    return ratio


def _detectable(
    changes: TokenChanges, held: np.ndarray, tested: np.ndarray, policy: DriftPolicy
) -> tuple[tuple[int, float], ...]:
    """Return the least ratio that is found, for a token held by so many documents of both versions."""
    n_tested = max(int(tested.sum()), 1)
    needed = -ndtri(policy.false_alarms / n_tested / 2) + POWER_Z
    usable = tested & (changes.expected > 0)
    relative = np.sqrt(changes.variance[usable]) / changes.expected[usable]
    level = held[usable]
    found = []
    for documents in DETECTABLE_AT:
        near = (level >= documents) & (level < 1.5 * documents)
        if near.any():
            ratio = float(np.log2(1 + needed * np.median(relative[near])))
            found.append((documents, max(ratio, policy.token_log2)))
    return tuple(found)
