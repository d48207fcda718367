"""From two profiles to what the statistics of drift are computed on: the same domains and keys in both."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from scipy import sparse

from indexes.profile import FOLDS, GROUPS, WORDS, Profile, codes_of, names_of
from scanners.sparse_rows import columns_of, rows_by_fold, sorted_union
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
    own_keys = [_keys(profile) for profile in both]
    keys = sorted_union([*own_keys, *(np.unique(more) for more in more_keys)])
    first, second = (_totals(profile, tuple(domains), keys) for profile in both)
    return first, second


def _keys(profile: Profile) -> np.ndarray:
    """Return all keys of a profile, sorted."""
    if profile.unit == WORDS:
        return profile.names["key"].to_numpy()
    keys = profile.tokens["key"].to_numpy()
    is_there = np.zeros(int(keys.max(initial=0)) + 1, bool)
    is_there[keys] = True
    return np.flatnonzero(is_there)


def _totals(profile: Profile, domains: tuple[str, ...], keys: np.ndarray) -> Totals:
    n_domains = len(domains)
    tokens, folds = profile.tokens, profile.folds
    starts, fold_starts = _starts(tokens, domains), _starts(folds, domains)
    own_keys = tokens["key"].to_numpy()
    columns = columns_of(starts, own_keys, keys)
    starts = starts.astype(columns.dtype)
    shape = (n_domains, len(keys))

    def of(column: str) -> sparse.csr_array:
        values = tokens[column].to_numpy().astype(np.float64)
        return sparse.csr_array((values, columns, starts), shape=shape)

    groups = np.zeros((n_domains, GROUPS, len(MEASURES)))
    places = _rows(profile.groups, domains), profile.groups["group"].to_numpy()
    groups[places] = profile.groups.select(MEASURES).to_numpy()
    lengths_squared = np.zeros(n_domains)
    lengths_squared[_rows(profile.domains, domains)] = profile.domains["tokens_squared"].to_numpy()
    by_fold = rows_by_fold(
        starts, own_keys, columns, fold_starts, folds["key"].to_numpy(), folds["fold"].to_numpy(),
        folds["count"].to_numpy(), FOLDS,
    )  # fmt: skip
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
            (by_fold.values, by_fold.columns, by_fold.starts), shape=(n_domains * FOLDS, len(keys))
        ),
    )


def _starts(frame: pl.DataFrame, domains: tuple[str, ...]) -> np.ndarray:
    """Return where the rows of each domain begin in a frame that is sorted by domain; (D + 1,)."""
    names = names_of(frame)
    ends = np.searchsorted(codes_of(frame), np.arange(len(names)), side="right")
    rows = np.zeros(len(domains) + 1, np.int64)
    rows[[1 + domains.index(name) for name in names]] = np.diff(ends, prepend=0)
    return np.cumsum(rows)


def _rows(frame: pl.DataFrame, domains: tuple[str, ...]) -> np.ndarray:
    """Return the number of each row's domain."""
    number_of = np.array([domains.index(name) for name in names_of(frame)], np.int64)
    return number_of[codes_of(frame)]
