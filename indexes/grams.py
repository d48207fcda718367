"""Which n-grams of the items occur anywhere in the corpus: what the labs' definitions count.

GPT-3, PaLM and Llama 3 ask of each n-gram of an item whether any training document has it. Unlike a
finding, that is a union over all documents, so it is kept as one flag per distinct n-gram; flags of
shards merge by OR.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.ngram import FREE, empty_table, find_entry
from indexes.seeds import SEED_WORDS, seed_at


class GramSet(NamedTuple):
    """The distinct n-grams of some patterns, for one or more n, and which were seen."""

    sizes: np.ndarray  # int64 (sizes,), every n that occurs
    keys: np.ndarray  # uint64 (capacity,), a power of two
    entry: np.ndarray  # int32 (capacity,): number of the n-gram or FREE
    seen: np.ndarray  # bool (n-grams,)


def build_grams(words: np.ndarray, starts: np.ndarray, chosen: dict[int, np.ndarray]) -> GramSet:
    """Collect n-grams: for each n (more than a seed's words) those of the chosen patterns (bool)."""
    if chosen and min(chosen) <= SEED_WORDS:
        raise ValueError(f"n-grams of {min(chosen)} words: n must be above {SEED_WORDS}")
    lengths = np.diff(starts)
    total = sum(int(np.maximum(lengths[use] - n + 1, 0).sum()) for n, use in chosen.items())
    keys, entry = empty_table(total)
    distinct = 0
    for n, use in sorted(chosen.items()):
        distinct = _insert(words, starts, n, use, keys, entry, distinct)
    return GramSet(np.array(sorted(chosen), np.int64), keys, entry, np.zeros(distinct, np.bool_))


def seen_only(grams: GramSet) -> GramSet:
    """Return the n-grams that were seen: of most corpora few, so that the others are told at once."""
    seen = grams.seen.copy()  # other threads may raise flags
    n = int(np.count_nonzero(seen))
    keys, entry = empty_table(n)
    _copy_seen(grams.keys, grams.entry, seen, keys, entry)
    return GramSet(grams.sizes, keys, entry, np.ones(n, np.bool_))


@kernel
def mark_seen(grams: Any, word_hashes: Any, last_seed: int, run: int) -> None:
    """Mark the n-grams that end with the seed at `last_seed`, the last of `run` seeds in a row."""
    for n in grams.sizes:
        if run >= n - SEED_WORDS + 1:
            first = last_seed + SEED_WORDS - n
            number = find_entry(grams.keys, grams.entry, seed_at(word_hashes, first, n))
            if number != FREE:
                grams.seen[number] = True


@kernel
def seen_at(grams: Any, words: Any, start: int, end: int, n: int) -> Any:
    """Tell for each n-gram of `words[start:end]` whether it was seen: bool (end - start - n + 1,)."""
    out = np.zeros(max(0, end - start - n + 1), np.bool_)
    for at in range(len(out)):
        number = find_entry(grams.keys, grams.entry, seed_at(words, start + at, n))
        out[at] = number != FREE and grams.seen[number]
    return out


@kernel
def _copy_seen(keys: Any, entry: Any, seen: Any, to_keys: Any, to_entry: Any) -> None:
    mask = len(to_keys) - 1
    n = 0
    for at in range(len(keys)):
        if entry[at] == FREE or not seen[entry[at]]:
            continue
        slot = np.int64(keys[at] >> np.uint64(7)) & mask
        while to_entry[slot] != FREE:
            slot = slot + 1 & mask
        to_keys[slot] = keys[at]
        to_entry[slot] = n
        n += 1


@kernel
def _insert(words: Any, starts: Any, n: int, use: Any, keys: Any, entry: Any, distinct: int) -> int:
    mask = len(keys) - 1
    for p in range(len(starts) - 1):
        if not use[p]:
            continue
        for at in range(starts[p], starts[p + 1] - n + 1):
            gram = seed_at(words, at, n)
            slot = np.int64(gram >> np.uint64(7)) & mask
            while entry[slot] != FREE and keys[slot] != gram:
                slot = slot + 1 & mask
            if entry[slot] == FREE:
                keys[slot] = gram
                entry[slot] = distinct
                distinct += 1
    return distinct
