"""Documents and items counted once, so that a hundred random halves are cheap.

Each document of corpora/mix is counted on its own, in words of the normal form. What a profile keeps
of a shard is then a product of sparse matrices, for any choice of documents.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy import sparse

from corpora.benchmarks import read_benchmarks
from corpora.normal_form import hash_text
from pipelines.item_tokens import ItemTokens, item_tokens
from scanners.totals import Totals, totals_of_documents


@dataclass(frozen=True, slots=True)
class Documents:
    """Counted documents over common keys."""

    counts: sparse.csr_array  # (documents, V)
    domain: np.ndarray  # number of the domain
    text: np.ndarray  # uint64, hash of the whole text
    sizes: np.ndarray  # bytes
    domains: tuple[str, ...]
    keys: np.ndarray  # uint64 (V,)

    def totals(self, rows: np.ndarray) -> Totals:
        """Return the totals of some documents; a row that stands twice counts twice."""
        return totals_of_documents(
            self.counts[rows],
            self.domain[rows],
            (self.text[rows] % 256).astype(np.int64),
            self.sizes[rows],
            self.domains,
            self.keys,
        )

    def lengths_only(self) -> Documents:
        """Return the same documents with one key: enough for the domain mix, and much faster."""
        lengths = sparse.csr_array(self.counts.sum(axis=1)[:, None])
        return replace(self, counts=lengths, keys=np.zeros(1, np.uint64))


def count_mix(data: Path, version: str, more_keys: np.ndarray) -> Documents:
    """Count the words of every document of a version; `more_keys` are those of benchmarks."""
    files = sorted((data / "corpora" / "mix" / version).iterdir())
    frame = pl.concat(
        (pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_ndjson(file)).select(
            "domain", "text"
        )
        for file in files
    )
    texts = frame["text"].to_list()
    hashes = [hash_text(np.frombuffer(text.encode(), np.uint8)) for text in texts]
    domains = tuple(sorted(frame["domain"].unique()))
    keys = np.unique(np.concatenate([*hashes, more_keys]))
    return Documents(
        counts=count_keys(hashes, keys),
        domain=np.searchsorted(np.array(domains), frame["domain"].to_numpy().astype(str)),
        text=np.array([text_hash(text) for text in texts], dtype=np.uint64),
        sizes=np.array([len(text.encode()) for text in texts]),
        domains=domains,
        keys=keys,
    )


def text_hash(text: str) -> int:
    """Return 64 bits of a digest of a text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def count_keys(documents: list[np.ndarray], keys: np.ndarray) -> sparse.csr_array:
    """Return how often each document holds each key, CSR (documents, V)."""
    ends = np.concatenate([[0], np.cumsum([len(words) for words in documents])])
    columns = np.searchsorted(keys, np.concatenate(documents)).astype(np.int32)
    shape = (len(documents), len(keys))
    counts = sparse.csr_array((np.ones(len(columns)), columns, ends), shape=shape)
    counts.sum_duplicates()
    return counts


def count_benchmarks(data: Path) -> list[tuple[str, ItemTokens]]:
    """Return the words of all items of each benchmark, by name."""
    files = sorted((data / "benchmarks").rglob("*.jsonl.zst"))
    read = read_benchmarks([str(file) for file in files])
    return [(benchmark.name, item_tokens(benchmark, None)) for benchmark in read]
