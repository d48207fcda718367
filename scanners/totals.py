"""What the statistics of drift are computed on: the counts of one version, by domain and cluster.

`Totals` of two versions are compared only if they have the same domains and the same keys, in the same
order. Counts are float64, as the weights of a mix multiply them; without weights they are whole
numbers. A weight that all documents of a version have drops out of nearly everything, but limits in
documents are as good as the counts of documents are: weights should have a mean of about 1.

The second moments over documents are what a variance needs that treats a document as one draw
(methodology, section E); folds are sums over clusters of documents, in which copies stay together.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy import sparse

from indexes.profile import FOLDS, GROUPS
from scanners.sparse_rows import SparseRows

MEASURES: Final = ("documents", "bytes", "tokens")
DOCUMENTS, BYTES, TOKENS = range(3)


@dataclass(frozen=True)
class Totals:
    """Counts of one version. D domains, V keys; x is a document's count of a key, L its length.

    Attributes:
        domains: Names, the same in both versions.
        groups: float64 (D, 256, 3), documents, bytes and tokens of each group of documents.
        keys: uint64 (V,), sorted, the same in both versions.
        counts: float64 CSR (D, V), sum of x.
        documents: In how many documents of the domain the key occurs. Like the next two it has
            entries where `counts` has them.
        squares: Sum of x^2.
        products: Sum of x L.
        lengths_squared: float64 (D,), sum of L^2 over all documents.
        folds: float64 CSR (D * 32, V), sum of x in row `domain * 32 + fold`.
    """

    domains: tuple[str, ...]
    groups: np.ndarray
    keys: np.ndarray
    counts: sparse.csr_array
    documents: sparse.csr_array
    squares: sparse.csr_array
    products: sparse.csr_array
    lengths_squared: np.ndarray
    folds: sparse.csr_array

    def __post_init__(self) -> None:
        n_domains, n_keys = len(self.domains), len(self.keys)
        shapes = {
            "groups": (self.groups, (n_domains, GROUPS, len(MEASURES))),
            "counts": (self.counts, (n_domains, n_keys)),
            "lengths_squared": (self.lengths_squared, (n_domains,)),
            "folds": (self.folds, (n_domains * FOLDS, n_keys)),
        }
        for name, (array, shape) in shapes.items():
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape!r}; it must be {shape!r}")
        for name in ("documents", "squares", "products"):
            other = getattr(self, name)
            if not (
                np.array_equal(other.indptr, self.counts.indptr)
                and np.array_equal(other.indices, self.counts.indices)
            ):
                raise ValueError(f"{name} must have its entries where counts has them")
        if not (self.counts.has_sorted_indices and self.folds.has_sorted_indices):
            raise ValueError("entries of a row must be in order of the keys")

    @cached_property
    def domain_tokens(self) -> np.ndarray:
        """Return the tokens of each domain, (D,), as counted by key."""
        return self.counts.sum(axis=1)

    @cached_property
    def domain_documents(self) -> np.ndarray:
        """Return the documents of each domain, (D,)."""
        return self.groups[:, :, DOCUMENTS].sum(axis=1)

    @cached_property
    def key_counts(self) -> np.ndarray:
        """Return the count of each key in all domains, (V,)."""
        return self.counts.sum(axis=0)

    @cached_property
    def key_documents(self) -> np.ndarray:
        """Return in how many documents of all domains each key occurs, (V,)."""
        return self.documents.sum(axis=0)

    @cached_property
    def fold_tokens(self) -> np.ndarray:
        """Return the tokens of each fold of each domain, (D, 32)."""
        return self.folds.sum(axis=1).reshape(-1, FOLDS)


def check_alike(baseline: Totals, candidate: Totals) -> None:
    """Refuse versions that cannot be compared, or that hold nothing.

    Raises:
        ValueError: where domains or keys differ, or a version holds no token.
    """
    if baseline.domains != candidate.domains:
        raise ValueError("both versions need the same domains in the same order")
    if not np.array_equal(baseline.keys, candidate.keys):
        raise ValueError("both versions need the same keys in the same order")
    for name, version in (("baseline", baseline), ("candidate", candidate)):
        if version.counts.sum() <= 0:
            raise ValueError(f"the {name} holds no token; there is nothing to compare")


def fold_rows(totals: Totals) -> SparseRows:
    """Return the folds as kernels take them."""
    return SparseRows(totals.folds.indptr, totals.folds.indices, totals.folds.data)


def document_scale(totals: Totals) -> float:
    """Return tokens over the sum of squared lengths: times a count, it is free of a mix's weights."""
    return float(totals.domain_tokens.sum() / totals.lengths_squared.sum())


def occupied_clusters(baseline: Totals, candidate: Totals) -> int:
    """Return how many folds hold a token of either version, at least 2."""
    tokens = (baseline.fold_tokens + candidate.fold_tokens).sum(axis=0)
    return max(int((tokens > 0).sum()), 2)


def totals_of_documents(
    matrix: sparse.csr_array,
    domain: np.ndarray,
    group: np.ndarray,
    sizes: np.ndarray,
    domains: tuple[str, ...],
    keys: np.ndarray,
) -> Totals:
    """Return the totals of documents whose counts are at hand.

    Args:
        matrix: CSR (documents, V) of counts.
        domain: Number of each document's domain.
        group: Number of its group, 0 to 255; equal texts must have the same.
        sizes: Bytes of each document.
        domains: Names of the domains.
        keys: uint64 (V,), sorted.
    """
    lengths = matrix.sum(axis=1)
    amounts = np.stack([np.ones(len(lengths)), sizes, lengths], axis=1)
    groups = np.zeros((len(domains), GROUPS, len(MEASURES)))
    np.add.at(groups, (domain, group), amounts)
    by_domain = _gather(domain, len(domains))
    by_domain_fold = _gather(domain * FOLDS + group // (GROUPS // FOLDS), len(domains) * FOLDS)

    def moment(data: np.ndarray) -> sparse.csr_array:
        values = sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
        summed = by_domain @ values
        summed.sort_indices()
        return summed

    folds = by_domain_fold @ matrix.astype(np.float64)
    folds.sort_indices()
    counts = matrix.data.astype(np.float64)
    return Totals(
        domains=domains,
        groups=groups,
        keys=keys,
        counts=moment(counts),
        documents=moment(np.ones_like(counts)),
        squares=moment(counts**2),
        products=moment(counts * np.repeat(lengths, np.diff(matrix.indptr))),
        lengths_squared=np.bincount(domain, lengths**2, len(domains)),
        folds=folds,
    )


def _gather(rows: np.ndarray, n_rows: int) -> sparse.csr_array:
    """Return the matrix that sums documents into rows."""
    n = len(rows)
    return sparse.csr_array((np.ones(n), (rows, np.arange(n))), shape=(n_rows, n))
