"""Chosen documents read from their shards again, after the run has learnt which ones matter."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from corpora.documents import read_batches
from corpora.problems import ReadLog
from corpora.shards import Shard
from pipelines.mapping import Tell, run_steps
from pipelines.signed_documents import Documents


def read_again(
    documents: Documents, wanted: Iterable[int], *, batch_bytes: int, jobs: int
) -> dict[int, str]:
    """Return the texts of documents by number.

    One that has gone, or has not the length that it had, is left out.
    """
    numbers = np.array(sorted(set(wanted)), np.int64)
    part_of = documents.part_of(numbers)

    def read(part: int, tell: Tell) -> dict[int, str]:
        own = numbers[part_of == part]
        return _texts(documents.shards[part], documents.rows[own], own, batch_bytes, tell)

    found = run_steps(read, np.unique(part_of).tolist(), jobs)
    return {
        number: text
        for texts in found
        for number, text in texts.items()
        if len(text.encode()) == documents.bytes[number]
    }


def _texts(
    shard: Shard, rows: np.ndarray, numbers: np.ndarray, batch_bytes: int, tell: Tell
) -> dict[int, str]:
    """Read the texts of some rows of a part, in order; nothing after the last of them is read."""
    texts: dict[int, str] = {}
    for batch in read_batches(shard, ReadLog(), batch_bytes=batch_bytes):
        tell(0, 0)
        _, here, there = np.intersect1d(batch.rows, rows, assume_unique=True, return_indices=True)
        for at, place in zip(here.tolist(), there.tolist(), strict=True):
            texts[int(numbers[place])] = batch.texts[at].as_py()
        if len(texts) == len(rows):
            break
    return texts
