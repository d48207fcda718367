"""The change of each token's share, split into mix and within-domain parts, with its variance.

With w the share of a domain among all tokens and p the share of a token in the domain, ' marking the
candidate, the change of a token's share is (methodology, section E)

    q - p = sum_d (w'_d - w_d) p_d  +  sum_d w'_d (p'_d - p_d)
            mix                        within domains

A domain that only one version has belongs to the mix. What is tested is the within part, at the
candidate's weights: a smaller share of code does not make ten thousand tokens drift.

A share p = sum x / sum L is a ratio of sums over documents. Its variance is sum (x - pL)^2 / (sum L)^2,
which counts a document as one draw, however often it repeats a word. Three estimates are made and the
largest is used:

* *own*, each version around its own p. It is 0 for a token that one version lacks;
* *pooled*, both around their common p, which takes the place of own where a version is small. With it
  |z| cannot pass the root of the number of documents;
* *folds*, between the sums of the 32 folds, where copies of a text are one draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from indexes.profile import FOLDS
from scanners.sparse_rows import cluster_moments, joined
from scanners.totals import Totals, document_scale, fold_rows

COPIES: Final = 2.0  # folds vary so many times as documents do: more than chance, so copies


@dataclass(frozen=True, slots=True)
class TokenChanges:
    """Changes of all V keys; arrays are float64 (V,) where nothing else is said.

    Attributes:
        baseline: Share of all tokens.
        candidate: The same.
        mix: The part of candidate - baseline that the domain mix explains.
        within: The rest.
        expected: Share within common domains that the candidate would have without the within part.
        variance: Of `within`, the largest of three estimates.
        own_variance: Of `within`, each version around its own share.
        freedom: Degrees of freedom of `variance`: 31 where only folds show it, else infinite.
        domain: Number of the domain with most of the within part, int32; -1 without one.
        domain_share: That domain's part of the sum of |changes| over domains, in [0, 1].
    """

    baseline: np.ndarray
    candidate: np.ndarray
    mix: np.ndarray
    within: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    own_variance: np.ndarray
    freedom: np.ndarray
    domain: np.ndarray
    domain_share: np.ndarray


@dataclass(frozen=True, slots=True)
class Row:
    """One domain of one version, at the columns that either version has."""

    x: np.ndarray
    squares: np.ndarray
    products: np.ndarray
    fold_squares: np.ndarray
    fold_products: np.ndarray
    tokens: float
    lengths_squared: float
    fold_lengths_squared: float


def token_changes(baseline: Totals, candidate: Totals) -> TokenChanges:
    """Return the parts of every token's change, and their variance."""
    n_domains, n_keys = baseline.counts.shape
    mix, within, expected, own, pooled, folds, most, size = np.zeros((8, n_keys))
    domain = np.full(n_keys, -1, np.int32)
    place_of = np.zeros(n_keys, np.int32)
    weights = [_weights(version) for version in (baseline, candidate)]
    scale = document_scale(candidate) / document_scale(baseline)
    for number in range(n_domains):
        before, after = weights[0][number], weights[1][number]
        columns, first, second = _rows(baseline, candidate, number, place_of)
        p = first.x / first.tokens if before > 0 else np.zeros(len(columns))
        if before > 0 and after > 0:
            q = second.x / second.tokens
            change = after * (q - p)
            within[columns] += change
            expected[columns] += after * p
            own[columns] += after**2 * (_own(first) + _own(second))
            pooled[columns] += after**2 * _pooled(first, second, scale)
            folds[columns] += after**2 * (_between_folds(first) + _between_folds(second))
            magnitude = np.abs(change)
            size[columns] += magnitude
            leads = magnitude > most[columns]
            most[columns[leads]] = magnitude[leads]
            domain[columns[leads]] = number
            moved = (after - before) * p
        elif before > 0:
            moved = -before * p
        else:
            moved = after * second.x / max(second.tokens, 1.0)
        mix[columns] += moved
    documents = np.maximum(own, pooled)
    return TokenChanges(
        baseline=_overall(baseline),
        candidate=_overall(candidate),
        mix=mix,
        within=within,
        expected=expected,
        variance=np.maximum(documents, folds),
        own_variance=own,
        freedom=np.where(folds > COPIES * documents, FOLDS - 1.0, np.inf),
        domain=domain,
        domain_share=np.divide(most, size, out=np.zeros(n_keys), where=size > 0),
    )


def _weights(totals: Totals) -> np.ndarray:
    return totals.domain_tokens / totals.domain_tokens.sum()


def _overall(totals: Totals) -> np.ndarray:
    """Return each key's share of all tokens."""
    return totals.key_counts / totals.domain_tokens.sum()


def _rows(
    baseline: Totals, candidate: Totals, number: int, place_of: np.ndarray
) -> tuple[np.ndarray, Row, Row]:
    """Return the columns that a domain has in either version, and its row in both.

    `place_of` is a table of (V,) that is written to at these columns.
    """
    versions = (baseline, candidate)
    own = [_entries(version, number) for version in versions]
    columns, *places = joined(*(v.counts.indices[e] for v, e in zip(versions, own, strict=True)))
    place_of[columns] = np.arange(len(columns))
    first, second = (
        _row(version, number, entries, place, place_of, len(columns))
        for version, entries, place in zip(versions, own, places, strict=True)
    )
    return columns, first, second


def _entries(totals: Totals, number: int) -> slice:
    start, end = totals.counts.indptr[number : number + 2]
    return slice(start, end)


def _row(
    totals: Totals,
    number: int,
    entries: slice,
    places: np.ndarray,
    place_of: np.ndarray,
    n_columns: int,
) -> Row:
    moments = np.zeros((3, n_columns))
    for moment, matrix in zip(
        moments, (totals.counts, totals.squares, totals.products), strict=True
    ):
        moment[places] = matrix.data[entries]
    first, last = number * FOLDS, (number + 1) * FOLDS
    folds = fold_rows(totals)
    starts = folds.starts[first : last + 1]
    lengths = np.array([folds.values[a:b].sum() for a, b in pairwise(starts)])
    fold_squares, fold_products = cluster_moments(folds, first, last, lengths, place_of, n_columns)
    return Row(
        x=moments[0],
        squares=moments[1],
        products=moments[2],
        fold_squares=fold_squares,
        fold_products=fold_products,
        tokens=float(moments[0].sum()),
        lengths_squared=float(totals.lengths_squared[number]),
        fold_lengths_squared=float((lengths**2).sum()),
    )


def _own(row: Row) -> np.ndarray:
    """Return the variance of a ratio estimator: sum (x - pL)^2 / (sum L)^2."""
    p = row.x / row.tokens
    squares = row.squares - 2 * p * row.products + p**2 * row.lengths_squared
    return squares.clip(min=0) / row.tokens**2


def _between_folds(row: Row) -> np.ndarray:
    """Return the same with a fold as one draw."""
    p = row.x / row.tokens
    squares = row.fold_squares - 2 * p * row.fold_products + p**2 * row.fold_lengths_squared
    return FOLDS / (FOLDS - 1) * squares.clip(min=0) / row.tokens**2


def _pooled(first: Row, second: Row, scale: float) -> np.ndarray:
    """Return the variance of q - p if both versions draw from one population.

    The candidate's counts are scaled so that a weight that all of its documents have drops out.
    """
    tokens = first.tokens + scale * second.tokens
    p = (first.x + scale * second.x) / tokens
    squares = (
        first.squares
        + scale**2 * second.squares
        - 2 * p * (first.products + scale**2 * second.products)
        + p**2 * (first.lengths_squared + scale**2 * second.lengths_squared)
    )
    return squares.clip(min=0) / (first.tokens * scale * second.tokens)
