"""Totals of documents that a test writes down, and corpora of bursty made-up words."""

import zlib
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from scipy import sparse

from scanners.totals import totals_of_documents


class MadeUp(NamedTuple):
    """Counted documents: what `totals_of_documents` is told."""

    counts: sparse.csr_array
    domain: np.ndarray
    group: np.ndarray
    domains: tuple[str, ...]

    def totals(self, rows, counts=None):
        """Totals of some rows; a row that stands twice is a copy, in the same group."""
        counts = self.counts if counts is None else counts
        chosen = counts[rows]
        sizes = 6 * chosen.sum(axis=1)
        keys = np.arange(counts.shape[1], dtype=np.uint64)
        return totals_of_documents(
            chosen, self.domain[rows], self.group[rows], sizes, self.domains, keys
        )

    def halves(self, seed):
        """Rows of two random halves."""
        first = np.random.default_rng(seed).random(len(self.domain)) < 0.5
        return np.flatnonzero(first), np.flatnonzero(~first)


@pytest.fixture(scope="session")
def totals_of():
    """Totals of versions, each a list of (domain, text), over the union of domains and words."""

    def build(*versions):
        documents = [document for version in versions for document in version]
        domains = tuple(sorted({domain for domain, _ in documents}))
        words = sorted({word for _, text in documents for word in text.split()})
        found = []
        for version in versions:
            counts = sparse.lil_array((len(version), len(words)))
            for row, (_, text) in enumerate(version):
                for word, count in Counter(text.split()).items():
                    counts[row, words.index(word)] = count
            found.append(
                totals_of_documents(
                    sparse.csr_array(counts),
                    np.array([domains.index(domain) for domain, _ in version], dtype=np.int64),
                    np.array([zlib.crc32(t.encode()) % 256 for _, t in version], dtype=np.int64),
                    np.array([len(text.encode()) for _, text in version]),
                    domains,
                    np.arange(len(words), dtype=np.uint64),
                )
            )
        return found

    return build


@pytest.fixture(scope="session")
def made_up():
    """A corpus of made-up documents whose words come in bursts, as those of real text do.

    Each domain has its own Zipf-like frequencies; a document's rate of a word is gamma distributed
    around it, so that most documents lack the word and a few are full of it.
    """

    def build(seed, n_documents=2_000, n_words=800, domains=("code", "news", "web"), burst=0.3):
        random = np.random.default_rng(seed)
        domain = random.integers(0, len(domains), n_documents)
        shares = 1 / np.arange(1, n_words + 1) ** 0.9
        by_domain = np.stack([random.permutation(shares) for _ in domains])
        by_domain /= by_domain.sum(axis=1, keepdims=True)
        lengths = random.lognormal(5, 1, n_documents)
        rates = by_domain[domain] * random.gamma(burst, 1 / burst, (n_documents, n_words))
        counts = sparse.csr_array(random.poisson(rates * lengths[:, None]).astype(float))
        group = random.integers(0, 256, n_documents)
        return MadeUp(counts, domain, group, domains)

    return build
