"""Hosts for a battery without a scan: documents drawn from a corpus of which little is read.

Shards are drawn by a hash of their path, and of each the first documents are read, of a Parquet or
Arrow file those of a part drawn in the same way. So the hosts stand for the shards, not for every
document: a leak found or missed depends on the item far more than on what stands around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Final

import numpy as np

from corpora.documents import read_batches
from corpora.problems import ReadLog
from corpora.shards import Shard, split
from pipelines.shard_step import LEAST_HOST_BYTES, MOST_HOST_CHARS, text_buffers

SHARDS_AT_ONCE: Final = 32
MOST_SHARDS: Final = 256  # where one document is a shard, or few are long enough
BATCH_BYTES: Final = 1 << 20
MOST_READ_BYTES: Final = 16 << 20  # of a shard whose documents are too short
PART_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class DrawnHosts:
    """Documents to plant into, and what was read to draw them.

    `read` are the shards (or parts) that were opened, of `of_shards` that the corpus has.
    """

    texts: tuple[str, ...]
    read: tuple[Shard, ...]
    of_shards: int
    log: ReadLog


@dataclass(frozen=True, slots=True)
class _Sample:
    texts: list[str]  # in random order
    log: ReadLog


def draw_hosts(shards: Sequence[Shard], *, wanted: int, seed: int, jobs: int = 1) -> DrawnHosts:
    """Return `wanted` documents, shards taking turns; fewer where not so many are long enough.

    What is drawn depends on the seed, the paths and what the shards hold, not on their order or
    the number of jobs.

    Raises:
        CorpusError: where a shard lacks the text column.
    """
    ranked = sorted(shards, key=lambda shard: _hash(seed, shard.path))[:MOST_SHARDS]
    share = -(-wanted // min(SHARDS_AT_ONCE, max(1, len(ranked))))
    draw = partial(_draw, wanted=wanted, share=share, seed=seed)
    read: list[Shard] = []
    samples: list[_Sample] = []
    with ThreadPoolExecutor(jobs) as pool:
        for first in range(0, len(ranked), SHARDS_AT_ONCE):
            parts = [_part(shard, seed) for shard in ranked[first : first + SHARDS_AT_ONCE]]
            samples += pool.map(draw, parts)
            read += parts
            if sum(len(sample.texts) for sample in samples) >= wanted:
                break
    log = ReadLog()
    for sample in samples:
        log.merge(sample.log)
    texts = tuple(_in_turns([sample.texts for sample in samples]))[:wanted]
    return DrawnHosts(texts, tuple(read), len(shards), log)


def _hash(seed: int, path: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{path}".encode("utf-8", "surrogateescape")).digest()


def _part(shard: Shard, seed: int) -> Shard:
    """Return a part of a large shard, drawn by the hash of its path; a small one as it is."""
    parts = split(shard, PART_BYTES)
    return parts[int.from_bytes(_hash(seed, shard.path)[:8]) % len(parts)]


def _draw(shard: Shard, *, wanted: int, share: int, seed: int) -> _Sample:
    """Read a shard until `share` documents are long enough; keep at most `wanted` of them."""
    log = ReadLog()
    random = np.random.default_rng(list(_hash(seed, shard.path)))
    kept: list[tuple[float, str]] = []
    n_fit = 0
    for batch in read_batches(shard, log, batch_bytes=BATCH_BYTES):
        _, bounds = text_buffers(batch.texts)
        fit = np.flatnonzero(np.diff(bounds) >= LEAST_HOST_BYTES)
        ranks = random.random(len(fit))
        drawn = np.argsort(ranks)[:wanted].tolist()
        texts = [batch.texts[int(fit[at])].as_py()[:MOST_HOST_CHARS] for at in drawn]
        kept = sorted([*kept, *zip(ranks[drawn].tolist(), texts, strict=True)])[:wanted]
        n_fit += len(fit)
        if n_fit >= share or log.bytes >= MOST_READ_BYTES:
            break
    return _Sample([text for _, text in kept], log)


def _in_turns(samples: Sequence[Sequence[str]]) -> Iterator[str]:
    for turn in zip_longest(*samples):
        yield from (text for text in turn if text is not None)
