"""Linked pairs read again: their exact similarity, on the words of the texts themselves.

Signatures and hashes only say that two documents are alike. Of the pairs that a run linked a random
sample is drawn; the documents are read from their shards again (`pipelines.reread`), and the words of the
normal form are compared as they are spelled. The report says how many pairs are what they were taken for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexes.document_signatures import SHINGLE_WORDS
from indexes.minhash import N_PERMUTATIONS
from indexes.shingles import characters
from pipelines.duplicate_clusters import Clusters, Standing
from pipelines.signed_documents import Documents

MOST_PAIRS: Final = 200  # of each kind: a share of 50% is known to 7 points
MOST_BYTES: Final = 16 << 20  # of text for each kind, so that the proof costs seconds
MOST_DOCUMENT_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents, by number, that were called copies."""

    one: int
    other: int
    estimate: float  # of their Jaccard similarity; 1 for an exact duplicate


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of the pairs that were read again."""

    near: tuple[tuple[Pair, float], ...]  # with their exact similarity
    exact: tuple[tuple[Pair, bool], ...]  # and whether all their words are the same
    unread: int  # pairs of either kind that could not be read again


@dataclass(frozen=True, slots=True)
class Sample:
    """Pairs drawn for proof."""

    near: tuple[Pair, ...]
    exact: tuple[Pair, ...]

    def documents(self) -> set[int]:
        """Return the numbers of the documents to read."""
        return {document for pair in self.near + self.exact for document in (pair.one, pair.other)}


def draw(clusters: Clusters, stand: Standing, seed: int) -> Sample:
    """Draw pairs of both kinds; `stand` is of all documents."""
    return Sample(
        _affordable(_near_pairs(clusters), clusters.documents),
        _affordable(_exact_pairs(clusters, stand, seed), clusters.documents),
    )


def prove(sample: Sample, texts: Mapping[int, str]) -> Proof:
    """Compare the words of the pairs; `texts` holds the documents that could be read."""
    near, exact = (
        [pair for pair in pairs if pair.one in texts and pair.other in texts]
        for pairs in (sample.near, sample.exact)
    )
    return Proof(
        near=tuple((pair, jaccard(texts[pair.one], texts[pair.other])) for pair in near),
        exact=tuple((pair, words(texts[pair.one]) == words(texts[pair.other])) for pair in exact),
        unread=len(sample.near) + len(sample.exact) - len(near) - len(exact),
    )


def jaccard(one: str, other: str) -> float:
    """Return the exact Jaccard similarity of the word 5-grams of two texts, in [0, 1]."""
    ours, theirs = _shingles(words(one)), _shingles(words(other))
    union = len(ours | theirs)
    return len(ours & theirs) / union if union else 0.0


def words(text: str) -> list[str]:
    """Return the words of a text as its normal form spells them."""
    return "".join(map(chr, characters(text).tolist())).split()


def _shingles(words: Sequence[str]) -> set[tuple[str, ...]]:
    size = min(len(words), SHINGLE_WORDS)
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1) if size}


def _near_pairs(clusters: Clusters) -> list[Pair]:
    document = clusters.texts.document
    return [
        Pair(int(document[one]), int(document[other]), float(equal) / N_PERMUTATIONS)
        for one, other, equal in zip(*clusters.drawn, strict=True)
    ]


def _exact_pairs(clusters: Clusters, stand: Standing, seed: int) -> list[Pair]:
    """Draw exact duplicates, each with the first document of its words."""
    copies = np.flatnonzero(stand.is_exact)
    random = np.random.default_rng(seed)
    chosen = copies[random.choice(len(copies), min(len(copies), 5 * MOST_PAIRS), replace=False)]
    firsts = clusters.texts.document[clusters.text[chosen]]
    return [Pair(int(copy), int(first), 1.0) for copy, first in zip(chosen, firsts, strict=True)]


def _affordable(pairs: Sequence[Pair], documents: Documents) -> tuple[Pair, ...]:
    """Take pairs in their order until they are enough, passing over texts that are too long."""
    kept: list[Pair] = []
    left = MOST_BYTES
    for pair in pairs:
        sizes = documents.bytes[[pair.one, pair.other]]
        if len(kept) < MOST_PAIRS and sizes.max() <= MOST_DOCUMENT_BYTES and sizes.sum() <= left:
            left -= int(sizes.sum())
            kept.append(pair)
    return tuple(kept)
