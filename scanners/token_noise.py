"""The change of all token frequencies as one number, beside random half-splits.

Tokens that few documents hold are put into one: of them a plug-in distance shows little but noise, and
the halves of a split have not the size of the smaller version (`scanners.half_splits`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexes.profile import FOLDS
from scanners.drift_policy import DriftPolicy
from scanners.half_splits import (
    Divergence,
    Noise,
    half_splits,
    noise_of,
    split_coefficients,
    spread_freedom,
)
from scanners.multiple_tests import family_limit
from scanners.size_factors import size_factors
from scanners.sparse_rows import Picked, picked_columns
from scanners.split_sums import split_divergences, split_variations
from scanners.totals import Totals, fold_rows, occupied_clusters

SPLITS: Final = 400
MOST_CELLS: Final = 1 << 23  # rows x splits of coefficients held at once
EXPECTED_DOCUMENTS: Final = 10  # of a token in the smaller version, from which it stands for itself


@dataclass(frozen=True, slots=True)
class WholeChange:
    """The whole change of token frequencies.

    Attributes:
        rare: How many tokens were put into one.
        divergences: Total variation, Jensen-Shannon, total variation within domains.
        mix: Total variation of the part that the mix explains.
        domain_mix: (D,), each domain's part: half the sum over tokens of |mix part|.
        domain_within: For each domain, the same of the within part beside its noise.
        domain_alarms: Whether a domain's within part is an alarm, bool (D,).
    """

    rare: int
    divergences: tuple[Divergence, ...]
    mix: float
    domain_mix: np.ndarray
    domain_within: tuple[Noise, ...]
    domain_alarms: np.ndarray


def whole_change(
    baseline: Totals, candidate: Totals, policy: DriftPolicy, seed: int, splits: int = SPLITS
) -> WholeChange:
    """Compare the token frequencies of two versions as a whole, and within each domain."""
    masks = half_splits(FOLDS, splits, seed)
    kept, rare = _kept(baseline, candidate, policy)
    clusters = occupied_clusters(baseline, candidate)
    chance = policy.false_alarms / 4  # three numbers and the family of domains
    rows = [picked_columns(fold_rows(version), kept) for version in (baseline, candidate)]
    n_kept = int(kept.sum())
    variation, divergence = _whole(baseline, candidate, masks, rows, n_kept)
    within, parts, mix, domain_mix = _within_and_mix(baseline, candidate, masks, rows, n_kept)
    factors = size_factors(baseline, candidate, kept)
    variation[1:] *= factors.whole
    divergence[1:] *= factors.whole**2
    within[1:] *= factors.within
    parts[:, 1:] *= factors.domains[:, None]
    found = []
    for name, unit, values, moved in (
        ("total variation", "share", variation, variation),
        ("Jensen-Shannon divergence", "bits", divergence, variation),
        ("total variation within domains", "share", within, within),
    ):
        noise = noise_of(values[0], values[1:], chance, clusters)
        matters = moved[0] - moved[1:].mean() >= policy.token_variation
        found.append(Divergence(name, unit, noise, bool(noise.is_beyond and matters)))
    noises = _domain_noises(parts, chance, clusters)
    least = policy.token_variation * candidate.domain_tokens / candidate.domain_tokens.sum()
    alarms = [n.is_beyond and n.excess >= size for n, size in zip(noises, least, strict=True)]
    return WholeChange(
        rare=rare,
        divergences=tuple(found),
        mix=mix,
        domain_mix=domain_mix,
        domain_within=noises,
        domain_alarms=np.array(alarms, dtype=bool),
    )


def _kept(baseline: Totals, candidate: Totals, policy: DriftPolicy) -> tuple[np.ndarray, int]:
    """Return which keys stand for themselves, bool (V,), and how many are put into one."""
    documents = [version.domain_documents.sum() for version in (baseline, candidate)]
    smaller = min(documents) / sum(documents)
    least = max(policy.token_documents, EXPECTED_DOCUMENTS / smaller)
    held = baseline.key_documents + candidate.key_documents
    kept = held >= least
    return kept, int(((held > 0) & ~kept).sum())


def _whole(
    baseline: Totals, candidate: Totals, masks: np.ndarray, rows: Sequence[Picked], n_kept: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return total variation and divergence: of the versions, then of each split."""
    tokens = [version.fold_tokens.sum(axis=0) for version in (baseline, candidate)]
    first, second = split_coefficients(tokens[0], tokens[1], masks)
    of_version = np.repeat([0, 1], FOLDS)
    first, second = (
        np.column_stack([(of_version == number) / tokens[number].sum(), coefficients])
        for number, coefficients in ((0, first), (1, second))
    )
    variation, divergence = np.zeros((2, first.shape[1]))
    split_divergences(*rows[0], *rows[1], n_kept, FOLDS, first, second, variation, divergence)
    return variation, divergence


def _within_and_mix(
    baseline: Totals, candidate: Totals, masks: np.ndarray, rows: Sequence[Picked], n_kept: int
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return the total variation of both parts.

    The within part comes first, of the versions and then of each split: (1 + splits,), and in each
    domain (D, 1 + splits). Then the mix part, and in each domain (D,).
    """
    n_domains = len(baseline.domains)
    whole, parts = np.zeros(2 + len(masks)), np.zeros((n_domains, 2 + len(masks)))
    observed = np.concatenate(
        [_mix_coefficients(baseline, candidate), _observed_coefficients(baseline, candidate)],
        axis=2,
    )
    block = max(MOST_CELLS // (n_domains * 2 * FOLDS), 8)
    for first in range(-2, len(masks), block):
        some = _half_coefficients(baseline, candidate, masks[max(first, 0) : first + block])
        coefficients = np.concatenate([observed, some], axis=2) if first < 0 else some
        place = slice(first + 2, first + 2 + coefficients.shape[2])
        block_parts = np.zeros((n_domains, coefficients.shape[2]))
        split_variations(*rows[0], *rows[1], n_kept, FOLDS, coefficients, whole[place], block_parts)
        parts[:, place] = block_parts
    return whole[1:], parts[:, 1:], float(whole[0]), parts[:, 0]


def _common_weights(baseline: Totals, candidate: Totals) -> np.ndarray:
    """Return the candidate's weight of each domain, 0 for one that only a version has; (D,)."""
    old, new = baseline.domain_tokens, candidate.domain_tokens
    return np.where((old > 0) & (new > 0), new, 0.0) / new.sum()


def _half_coefficients(baseline: Totals, candidate: Totals, masks: np.ndarray) -> np.ndarray:
    """Return what makes the within part of the change between the halves, (D, 64, splits)."""
    weights = _common_weights(baseline, candidate)
    before, after = baseline.fold_tokens, candidate.fold_tokens
    change = np.zeros((len(weights), 2 * FOLDS, len(masks)))
    for domain in np.flatnonzero(weights):
        first, second = split_coefficients(before[domain], after[domain], masks)
        change[domain] = weights[domain] * (second - first)
    return change


def _observed_coefficients(baseline: Totals, candidate: Totals) -> np.ndarray:
    """Return what makes the within part of the change between the versions, (D, 64, 1)."""
    weights = _common_weights(baseline, candidate)
    old, new = (version.domain_tokens.clip(min=1e-300) for version in (baseline, candidate))
    return _of_domains(-weights / old, weights / new)


def _mix_coefficients(baseline: Totals, candidate: Totals) -> np.ndarray:
    """Return what makes the mix part of the change between the versions, (D, 64, 1)."""
    old, new = baseline.domain_tokens, candidate.domain_tokens
    moved = new / new.sum() - old / old.sum()
    first = np.divide(moved, old, out=np.zeros(len(old)), where=old > 0)
    return _of_domains(first, np.where(old > 0, 0.0, 1 / new.sum()))


def _of_domains(baseline: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    return np.repeat(np.stack([baseline, candidate], axis=1), FOLDS, axis=1)[:, :, None]


def _domain_noises(parts: np.ndarray, chance: float, clusters: int) -> tuple[Noise, ...]:
    """Return each domain's within part beside its noise; the limit is that of the family."""
    observed, halves = parts[:, 0], parts[:, 1:]
    mean, deviation = halves.mean(axis=1), halves.std(axis=1)
    z = np.divide(
        (halves - mean[:, None]), deviation[:, None], out=np.zeros_like(halves),
        where=deviation[:, None] > 0,
    )  # fmt: skip
    limit = family_limit(z.max(axis=0), chance, spread_freedom(clusters))
    floors = np.quantile(halves, 0.99, axis=1)
    return tuple(
        Noise(float(o), float(m), float(d), float(f), float(m + limit * d) if d > 0 else np.inf)
        for o, m, d, f in zip(observed, mean, deviation, floors, strict=True)
    )
