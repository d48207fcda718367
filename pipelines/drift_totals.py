"""From two profiles to what the statistics of drift are computed on: the same domains and keys in both."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from scipy import sparse

from indexes.profile import FOLDS, GROUPS, Profile, codes_of, names_of
from scanners.totals import Totals

MEASURES = ("documents", "bytes", "tokens")  # of `Totals.groups`, in this order


def totals_of(
    baseline: Profile, candidate: Profile, more_keys: Iterable[np.ndarray] = ()
) -> tuple[Totals, Totals]:
    """Return the totals of both versions over the union of their domains and keys.

    `more_keys` are those of benchmarks, which both versions may lack.
    """
    both = (baseline, candidate)
    domains = sorted(set().union(*(profile.domain_names for profile in both)))
    keys = np.unique(
        np.concatenate(
            [profile.tokens["key"].unique().to_numpy() for profile in both] + [*more_keys]
        )
    )
    first, second = (_totals(profile, tuple(domains), keys) for profile in both)
    return first, second


def _totals(profile: Profile, domains: tuple[str, ...], keys: np.ndarray) -> Totals:
    n_domains = len(domains)
    tokens = profile.tokens
    rows = _rows(tokens, domains)
    columns = np.searchsorted(keys, tokens["key"].to_numpy())
    shape = (n_domains, len(keys))

    def of(column: str) -> sparse.csr_array:
        values = tokens[column].to_numpy().astype(np.float64)
        return sparse.csr_array((values, (rows, columns)), shape=shape)

    groups = np.zeros((n_domains, GROUPS, len(MEASURES)))
    places = _rows(profile.groups, domains), profile.groups["group"].to_numpy()
    groups[places] = profile.groups.select(MEASURES).to_numpy()
    lengths_squared = np.zeros(n_domains)
    lengths_squared[_rows(profile.domains, domains)] = profile.domains["tokens_squared"].to_numpy()
    folds = profile.folds
    fold_rows = _rows(folds, domains) * FOLDS + folds["fold"].to_numpy()
    fold_columns = np.searchsorted(keys, folds["key"].to_numpy())
    fold_counts = folds["count"].to_numpy().astype(np.float64)
    return Totals(
        domains=domains,
        groups=groups,
        keys=keys,
        counts=of("count"),
        documents=of("documents"),
        squares=of("sum_squares"),
        products=of("sum_lengths"),
        lengths_squared=lengths_squared,
        folds=sparse.csr_array(
            (fold_counts, (fold_rows, fold_columns)), shape=(n_domains * FOLDS, len(keys))
        ),
    )


def _rows(frame: pl.DataFrame, domains: tuple[str, ...]) -> np.ndarray:
    """Return the number of each row's domain."""
    number_of = np.array([domains.index(name) for name in names_of(frame)], np.int64)
    return number_of[codes_of(frame)]
