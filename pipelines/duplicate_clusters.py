"""From signatures to clusters: exact duplicates first, then near ones, band by band.

Documents with the same words in the same order are one text, of which only the first document goes on.
Texts that share a band and are alike by their whole signatures are linked (`indexes.document_links`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexes.document_links import (
    BASELINE,
    CANDIDATE,
    Drawn,
    Linker,
    Texts,
    equal_positions,
    least_equal_positions,
)
from indexes.minhash import N_PERMUTATIONS, Bands
from pipelines.signed_documents import Documents

NO_TEXT: Final = -1


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which documents are copies of which.

    `text`: int64 (documents,), number of the document's text, NO_TEXT where it has no words. `roots`
    holds, for the clusters within each version and (key None) over all documents, the first text of
    each text's cluster: int64 (texts,).
    """

    documents: Documents
    text: np.ndarray
    texts: Texts
    roots: dict[np.uint8 | None, np.ndarray]
    near: np.ndarray  # uint8 (texts,), versions in which another text is alike to it
    drawn: Drawn  # linked pairs, for proof
    comparisons: int
    buckets_cut: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the documents of a version (or all) stand to one another; arrays of shape (documents,).

    `cluster`: int64, number of the first document of the document's cluster. A document without words
    is a cluster of its own.
    """

    cluster: np.ndarray
    size: np.ndarray  # int64, documents of the cluster
    is_exact: np.ndarray  # bool, an earlier document has the same words
    is_near: np.ndarray  # bool, no such one, but an earlier document is in the same cluster


def find_clusters(documents: Documents, bands: Bands, threshold: float, seed: int) -> Clusters:
    """Cluster the documents; `seed` is that of the pairs drawn for proof."""
    text, texts = _distinct_texts(documents)
    linker = Linker(documents.signatures, texts, least_equal_positions(threshold), seed)
    for band in range(bands.bands):
        linker.add_band(documents.keys(band)[texts.document])
    return Clusters(
        documents=documents,
        text=text,
        texts=texts,
        roots={version: linker.roots(version) for version in (None, BASELINE, CANDIDATE)},
        near=linker.near,
        drawn=linker.drawn(),
        comparisons=linker.comparisons,
        buckets_cut=linker.buckets_cut,
    )


def standing(clusters: Clusters, version: np.uint8 | None = None) -> Standing:
    """Tell how the documents of a version stand to one another, or with None all documents."""
    first, last = span(clusters.documents, version)
    text = clusters.text[first:last]
    worded = np.flatnonzero(text != NO_TEXT)
    text = text[worded]
    root = clusters.roots[version][text]
    cluster = np.arange(first, last)
    cluster[worded] = first + worded[_first_with_same(root, len(clusters.texts.document))]
    is_first = _first_with_same(text, len(clusters.texts.document)) == np.arange(len(text))
    is_exact = np.zeros(last - first, np.bool_)
    is_exact[worded] = ~is_first
    size = np.bincount(cluster - first, minlength=last - first)[cluster - first]
    is_near = (cluster != np.arange(first, last)) & ~is_exact
    return Standing(cluster, size, is_exact, is_near)


def span(documents: Documents, version: np.uint8 | None) -> tuple[int, int]:
    """Return the numbers of the documents of a version, or of all: [first, last)."""
    if version is None:
        return 0, len(documents)
    return (
        (0, documents.n_baseline) if version == BASELINE else (documents.n_baseline, len(documents))
    )


def similarity(clusters: Clusters, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the estimated Jaccard similarity of pairs of documents: float64; 1 for equal texts."""
    return equal_positions(clusters.documents.signatures, ones, others) / N_PERMUTATIONS


def _distinct_texts(documents: Documents) -> tuple[np.ndarray, Texts]:
    """Number the distinct texts in the order of their first documents."""
    text = np.full(len(documents), NO_TEXT, np.int64)
    worded = np.flatnonzero(documents.words)
    order = worded[np.argsort(documents.text_hashes[worded], kind="stable")]
    hashes = documents.text_hashes[order]
    begins = np.concatenate([np.ones(min(1, len(order)), np.bool_), hashes[1:] != hashes[:-1]])
    group = np.cumsum(begins) - 1
    first = order[begins]  # by hash; now by document
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    text[order] = rank[group]
    versions = np.zeros(len(first), np.uint8)
    versions[text[: documents.n_baseline][documents.words[: documents.n_baseline] > 0]] |= BASELINE
    versions[text[documents.n_baseline :][documents.words[documents.n_baseline :] > 0]] |= CANDIDATE
    return text, Texts(np.sort(first), versions)


def _first_with_same(labels: np.ndarray, n_labels: int) -> np.ndarray:
    """Return for each label (below `n_labels`) the place where it stands first."""
    first = np.empty(n_labels, np.int64)
    first[labels[::-1]] = np.arange(len(labels))[::-1]  # the last writing stays
    return first[labels]
