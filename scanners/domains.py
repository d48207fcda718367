"""Drift of the domain mix: which share moved, by how much, and whether that is more than noise.

Each domain is looked at by documents, by bytes and by tokens. Intervals are the bootstrap over 256
groups of documents; floors are random half-splits of the same groups (`scanners.half_splits`). An
alarm needs a change beyond the limit of the family, all domains and measures together, and a size that
matters (`scanners.drift_policy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from scanners.divergences import jensen_shannon, population_stability, total_variation
from scanners.drift_policy import DriftPolicy
from scanners.half_splits import Divergence, half_splits, noise_of, size_factor, split_shares
from scanners.multiple_tests import family_limit
from scanners.split_sums import weighted_sums
from scanners.totals import DOCUMENTS, MEASURES, TOKENS, Totals, check_alike, document_scale

SPLITS: Final = 10_000  # ten of them lie beyond the 99.9 % quantile
LEAST_SPLITS: Final = 400
MOST_CELLS: Final = 1 << 22  # splits x domains held at once; beyond it there are fewer splits
RESAMPLES: Final = 2_000
CONFIDENCE: Final = 0.95
POWER_Z: Final = 0.8416  # 80 % of a normal distribution lie below
NO_NOISE: Final = 1e-13  # deviations of shares below it are rounding

KEPT, NEW, VANISHED, BELOW_MINIMUM = "kept", "new", "vanished", "below minimum"


@dataclass(frozen=True, slots=True)
class DomainDrift:
    """The drift of the mix. Arrays have shape (domains, 3), measures in the order of `MEASURES`.

    Attributes:
        domains: Names.
        states: "kept", "new", "vanished" or "below minimum" (of the policy, by tokens).
        baseline: Share in [0, 1].
        candidate: The same.
        change: Candidate less baseline.
        relative: Change over baseline; NaN for a new domain.
        ci_low: 95 % interval of the change.
        ci_high: Its upper end.
        floor: 99 % of random halves change by less.
        alarm_from: Limit of the family: |change| from which noise is no explanation.
        detectable: Least |change| that is an alarm in four of five cases, noise and policy together.
        alarm: bool.
        mix: The divergences of each measure.
    """

    domains: tuple[str, ...]
    states: tuple[str, ...]
    baseline: np.ndarray
    candidate: np.ndarray
    change: np.ndarray
    relative: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    floor: np.ndarray
    alarm_from: np.ndarray
    detectable: np.ndarray
    alarm: np.ndarray
    mix: tuple[tuple[Divergence, ...], ...]


def domain_drift(
    baseline: Totals, candidate: Totals, policy: DriftPolicy, seed: int, splits: int = SPLITS
) -> DomainDrift:
    """Compare the domain mix of two versions by so many half-splits, fewer for many domains.

    Raises:
        ValueError: where the versions cannot be compared (`check_alike`).
    """
    check_alike(baseline, candidate)
    versions = (baseline, candidate)
    shares = [_shares(version.groups.sum(axis=1)) for version in versions]
    change = shares[1] - shares[0]
    low, high = _intervals(baseline, candidate, seed)
    clusters = int(np.any([v.groups[:, :, DOCUMENTS].any(axis=0) for v in versions], axis=0).sum())
    floor, deviation, largest, mix = _floors(
        baseline, candidate, shares, clusters, policy, _masks(baseline, seed, splits)
    )
    limit = family_limit(largest, policy.false_alarms, max(clusters - 1, 1))
    alarm_from = limit * deviation
    states = _states(versions, shares[1], policy)
    least = _least_that_matters(shares, states, policy)
    size = np.abs(change)
    alarm = (size > alarm_from + NO_NOISE) & (size >= least)
    minimum = np.array([policy.minimum_of(name) for name in baseline.domains])
    alarm[:, TOKENS] |= shares[1][:, TOKENS] < minimum
    return DomainDrift(
        domains=baseline.domains,
        states=states,
        baseline=shares[0],
        candidate=shares[1],
        change=change,
        relative=np.divide(
            change, shares[0], out=np.full_like(change, np.nan), where=shares[0] > 0
        ),
        ci_low=low,
        ci_high=high,
        floor=floor,
        alarm_from=alarm_from,
        detectable=np.maximum(alarm_from + POWER_Z * deviation, least),
        alarm=alarm,
        mix=mix,
    )


def _shares(amounts: np.ndarray) -> np.ndarray:
    """Return the shares of domains, the first axis, by measure."""
    totals = amounts.sum(axis=0)
    return np.divide(amounts, totals, out=np.zeros_like(amounts), where=totals > 0)


def _masks(totals: Totals, seed: int, splits: int) -> np.ndarray:
    n_domains, n_groups, _ = totals.groups.shape
    return half_splits(n_groups, min(splits, max(MOST_CELLS // n_domains, LEAST_SPLITS)), seed)


def _floors(
    baseline: Totals,
    candidate: Totals,
    shares: list[np.ndarray],
    clusters: int,
    policy: DriftPolicy,
    masks: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[tuple[Divergence, ...], ...]]:
    """Return floor and deviation of each change, the family's largest |z| by split, and the mix."""
    n_domains = len(baseline.domains)
    floor, deviation = np.zeros((2, n_domains, len(MEASURES)))
    largest = np.zeros(len(masks))
    mix = []
    half_document = tuple(0.5 / version.domain_documents.sum() for version in (baseline, candidate))
    scale = document_scale(candidate) / document_scale(baseline)
    for measure in range(len(MEASURES)):
        groups = (baseline.groups[:, :, measure].T, candidate.groups[:, :, measure].T)
        first, second = _widened(split_shares(*groups, masks), _size_factor(groups, scale))
        halves = second - first
        floor[:, measure] = np.quantile(np.abs(halves), 0.99, axis=0)
        spread = np.sqrt((halves**2).mean(axis=0))
        spread[spread < NO_NOISE] = 0
        deviation[:, measure] = spread
        z = np.divide(np.abs(halves), spread, out=np.zeros_like(halves), where=spread > 0)
        largest = np.maximum(largest, z.max(axis=1, initial=0))
        pair = shares[0][:, measure], shares[1][:, measure]
        mix.append(_divergences(pair, (first, second), half_document, clusters, policy))
    return floor, deviation, largest, tuple(mix)


def _size_factor(groups: tuple[np.ndarray, np.ndarray], scale: float) -> np.ndarray:
    """Return `size_factor` of each domain's share, (D,), from the groups (256, D) of both versions."""
    scatter, sizes = [], []
    for amounts, factor in zip(groups, (1.0, scale), strict=True):
        weighted = amounts * factor
        total = max(float(weighted.sum()), 1e-300)
        residuals = weighted - weighted.sum(axis=0) / total * weighted.sum(axis=1, keepdims=True)
        scatter.append((residuals**2).sum(axis=0))
        sizes.append(np.full(amounts.shape[1], total))
    return size_factor((scatter[0], scatter[1]), (sizes[0], sizes[1]))


def _widened(
    shares: tuple[np.ndarray, np.ndarray], factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares of both halves, so many times as far apart."""
    middle = (shares[0] + shares[1]) / 2
    half = factor * (shares[1] - shares[0]) / 2
    return (middle - half).clip(min=0), (middle + half).clip(min=0)


def _divergences(
    pair: tuple[np.ndarray, np.ndarray],
    halves: tuple[np.ndarray, np.ndarray],
    half_document: tuple[float, ...],
    clusters: int,
    policy: DriftPolicy,
) -> tuple[Divergence, ...]:
    """Return the divergences of the whole mix; all alarm by the total variation's size."""
    least = (half_document[0], half_document[1])
    matters = total_variation(*pair) >= policy.mix_variation
    chance = policy.false_alarms / (3 * len(MEASURES))
    found = []
    for name, unit, values in (
        ("total variation", "share", (total_variation(*pair), total_variation(*halves))),
        ("Jensen-Shannon divergence", "bits", (jensen_shannon(*pair), jensen_shannon(*halves))),
        (
            "population stability index",
            "nats",
            (population_stability(*pair, least), population_stability(*halves, least)),
        ),
    ):
        noise = noise_of(values[0], values[1], chance, clusters)
        found.append(Divergence(name, unit, noise, bool(noise.is_beyond and matters)))
    return tuple(found)


def _intervals(baseline: Totals, candidate: Totals, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile intervals of the changes: groups are drawn anew, the same in both."""
    n_domains, n_groups, _ = baseline.groups.shape
    resamples = int(np.clip(MOST_CELLS // n_domains, LEAST_SPLITS, RESAMPLES))
    generator = np.random.default_rng(seed)
    weights = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=resamples)
    low, high = np.zeros((2, n_domains, len(MEASURES)))
    tail = (1 - CONFIDENCE) / 2
    for measure in range(len(MEASURES)):
        changes = np.zeros((resamples, n_domains))
        for version, sign in ((baseline, -1), (candidate, 1)):
            amounts = np.zeros((resamples, n_domains))
            groups = np.ascontiguousarray(version.groups[:, :, measure].T)
            weighted_sums(weights, groups, amounts)
            changes += sign * _shares(amounts.T).T
        low[:, measure], high[:, measure] = np.quantile(changes, (tail, 1 - tail), axis=0)
    return low, high


def _states(
    versions: tuple[Totals, Totals], candidate: np.ndarray, policy: DriftPolicy
) -> tuple[str, ...]:
    before, now = (version.domain_documents for version in versions)
    states = []
    for number, name in enumerate(versions[0].domains):
        if now[number] == 0 and before[number] > 0:
            states.append(VANISHED)
        elif candidate[number, TOKENS] < policy.minimum_of(name):
            states.append(BELOW_MINIMUM)
        else:
            states.append(NEW if before[number] == 0 else KEPT)
    return tuple(states)


def _least_that_matters(
    shares: list[np.ndarray], states: tuple[str, ...], policy: DriftPolicy
) -> np.ndarray:
    """Return the least |change| of each domain and measure that the policy calls large."""
    least = np.full(shares[0].shape, policy.domain_change)
    larger = np.maximum(shares[0], shares[1])
    relative = np.where(larger >= policy.domain_share, policy.domain_relative * shares[0], np.inf)
    least = np.minimum(least, np.where(shares[0] > 0, relative, np.inf))
    gone = np.array([state in (NEW, VANISHED) for state in states])[:, None]
    return np.where(gone, np.minimum(least, policy.gone_share), least)
