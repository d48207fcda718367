"""Duplicates counted by domain: inside a version, between domains, and between two versions.

A duplicate is a document beyond the first of its cluster, and counts for the domain that it stands in.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from indexes.document_links import BASELINE, CANDIDATE
from pipelines.duplicate_clusters import NO_TEXT, Clusters, Standing, span
from reports.duplicates_schema import VersionName

VERSION_NAMES: Final[dict[np.uint8, VersionName]] = {BASELINE: "baseline", CANDIDATE: "candidate"}
OTHER: Final = {BASELINE: CANDIDATE, CANDIDATE: BASELINE}
# Of a cluster over more domains each domain is paired with the cluster's first only: the pairs of a
# form letter on thousands of web sites say nothing that the counts by domain do not.
MOST_PAIRED_DOMAINS: Final = 32

DOMAIN_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "version": pl.String, "domain": pl.String, "documents": pl.Int64, "bytes": pl.Int64,
    "without_words": pl.Int64, "exact_duplicates": pl.Int64, "near_duplicates": pl.Int64,
    "clusters": pl.Int64, "duplicate_bytes": pl.Int64, "kept_exact": pl.Int64,
    "kept_near": pl.Int64, "unmatched": pl.Int64,
}  # fmt: skip
PAIR_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "domain": pl.String, "other_domain": pl.String, "clusters": pl.Int64,
}  # fmt: skip


def domain_counts(clusters: Clusters, version: np.uint8, stand: Standing) -> pl.DataFrame:
    """Count the duplicates of a version by domain, in the order of the names.

    `kept_exact`, `kept_near` and `unmatched` say how many documents have a copy with the same words, a
    near one only, or none in the other version; they are null where there is no other.
    """
    documents = clusters.documents
    first, last = span(documents, version)
    domain, sizes = documents.domain[first:last], documents.bytes[first:last]
    has_text = clusters.text[first:last] != NO_TEXT
    n_domains = len(documents.domains)

    def count(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(domain[chosen], minlength=n_domains)

    def total(chosen: np.ndarray) -> np.ndarray:
        sums = np.bincount(domain[chosen], weights=sizes[chosen], minlength=n_domains)
        return sums.astype(np.int64)  # whole numbers below 2**53 are exact in a float

    duplicate = stand.is_exact | stand.is_near
    everything = np.ones(last - first, np.bool_)
    _, clustered = _cluster_domains(domain, stand, n_domains)
    columns = {
        "documents": count(everything),
        "bytes": total(everything),
        "without_words": count(~has_text),
        "exact_duplicates": count(stand.is_exact),
        "near_duplicates": count(stand.is_near),
        "clusters": np.bincount(clustered, minlength=n_domains),
        "duplicate_bytes": total(duplicate),
    }
    if len(documents.versions) > 1:
        exact, near = _copies(clusters, version)
        columns |= {
            "kept_exact": count(exact),
            "kept_near": count(near),
            "unmatched": count(has_text & ~exact & ~near),
        }
    there = columns["documents"] > 0
    names = [name for name, is_there in zip(documents.domains, there, strict=True) if is_there]
    filled = {name: column[there] for name, column in columns.items()}
    known = {"version": [VERSION_NAMES[version]] * len(names), "domain": names, **filled}
    unknown = [None] * len(names)
    return pl.DataFrame(
        {name: known.get(name, unknown) for name in DOMAIN_SCHEMA}, schema=DOMAIN_SCHEMA
    )


def domain_pairs(clusters: Clusters, version: np.uint8, stand: Standing) -> pl.DataFrame:
    """Count the clusters that two domains share, the most first."""
    first, last = span(clusters.documents, version)
    n_domains = len(clusters.documents.domains)
    domain = clusters.documents.domain[first:last]
    cluster, code = _cluster_domains(domain, stand, n_domains)
    keys = _pair_keys(cluster, code, n_domains)
    pairs, shared = np.unique(keys, return_counts=True)
    names = np.array(clusters.documents.domains, object)
    table = pl.DataFrame(
        {
            "domain": names[pairs // n_domains].tolist() if n_domains else [],
            "other_domain": names[pairs % n_domains].tolist() if n_domains else [],
            "clusters": shared,
        },
        schema=PAIR_SCHEMA,
    )
    return table.sort("clusters", "domain", "other_domain", descending=[True, False, False])


def _cluster_domains(
    domain: np.ndarray, stand: Standing, n_domains: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return which domains each cluster of two documents or more has, each once, sorted by cluster."""
    several = stand.size > 1
    keys = np.unique(stand.cluster[several] * n_domains + domain[several])
    return (keys // n_domains, keys % n_domains) if n_domains else (keys, keys)


def _pair_keys(cluster: np.ndarray, domain: np.ndarray, n_domains: int) -> np.ndarray:
    """Return `domain * n_domains + other_domain` for every pair of domains of every cluster."""
    begins = np.flatnonzero(np.diff(cluster, prepend=-1))
    sizes = np.diff(begins, append=len(cluster))
    begin, size = np.repeat(begins, sizes), np.repeat(sizes, sizes)
    is_paired = size <= MOST_PAIRED_DOMAINS
    keys = [(domain[begin] * n_domains + domain)[~is_paired & (np.arange(len(cluster)) > begin)]]
    for step in range(1, MOST_PAIRED_DOMAINS):
        one = np.flatnonzero(is_paired[:-step] & (cluster[step:] == cluster[:-step]))
        keys.append(domain[one] * n_domains + domain[one + step])
    return np.concatenate(keys)


def _copies(clusters: Clusters, version: np.uint8) -> tuple[np.ndarray, np.ndarray]:
    """Tell which documents have the same words, or else are near a document, in the other version."""
    first, last = span(clusters.documents, version)
    text = clusters.text[first:last]
    other = OTHER[version]
    # A document without words has text -1, which reads the last text's entry and is masked.
    versions = np.append(clusters.texts.versions, np.uint8(0))
    near = np.append(clusters.near, np.uint8(0))
    exact = (versions[text] & other) > 0
    return exact, ((near[text] & other) > 0) & ~exact
