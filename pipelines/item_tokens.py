"""The tokens of benchmark items, counted as a corpus is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from scipy import sparse

from corpora.benchmarks import Benchmark, Item
from corpora.normal_form import hash_text
from pipelines.shard_step import text_buffers


class Counter(Protocol):
    """What turns texts into token ids: `corpora.tokenizer.TokenCounter`."""

    def tokens(self, data: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all texts, uint32, and where each text ends in them, int64 (n + 1,)."""


@dataclass(frozen=True, slots=True)
class ItemTokens:
    """The tokens of a benchmark's items, in order: item i has `keys[ends[i]:ends[i + 1]]`."""

    benchmark: Benchmark
    keys: np.ndarray  # uint64 (n,)
    ends: np.ndarray  # int64 (items + 1,)

    def counts(self, keys: np.ndarray) -> sparse.csr_array:
        """Return how often each item holds each of `keys`, sorted; shape (items, len(keys)).

        Raises:
            ValueError: where an item holds a token that is not among `keys`.
        """
        columns = np.searchsorted(keys, self.keys)
        if len(self.keys) and not np.array_equal(keys[columns.clip(max=len(keys) - 1)], self.keys):
            raise ValueError("an item holds a token that is not among the keys")
        ones = np.ones(len(columns))
        shape = len(self.ends) - 1, len(keys)
        found = sparse.csr_array((ones, columns, self.ends.copy()), shape=shape)
        found.sum_duplicates()  # writes to what it was made of
        return found


def item_tokens(benchmark: Benchmark, counter: Counter | None) -> ItemTokens:
    """Count the tokens of every item: all its fields, a line each; words where there is no counter."""
    texts = [_text(item) for item in benchmark.items]
    if counter is None:
        hashes = [hash_text(np.frombuffer(text.encode(), np.uint8)) for text in texts]
        return ItemTokens(benchmark, np.concatenate(hashes), _ends([len(h) for h in hashes]))
    ids, ends = counter.tokens(*text_buffers(pa.array(texts, pa.large_string())))
    return ItemTokens(benchmark, ids.astype(np.uint64), ends)


def _text(item: Item) -> str:
    fields = (item.passage, item.question, *item.choices, item.answer)
    return "\n".join(field for field in fields if field)


def _ends(sizes: Sequence[int]) -> np.ndarray:
    ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    return ends
