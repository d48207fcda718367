"""The step of `duplicates`: one shard (or part of one) in, a file of signatures out.

A pure function of the part: the file holds a row per document, in order, as an Arrow IPC file, and is
written batch by batch, so that neither the text nor the signatures of a whole shard are ever in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from corpora.documents import Batch, read_batches
from corpora.problems import ReadLog
from corpora.shards import Shard
from indexes.document_signatures import sign_documents
from indexes.minhash import N_PERMUTATIONS
from pipelines.files import write_whole
from pipelines.mapping import Tell
from pipelines.shard_step import file_digest, text_buffers

SIGNATURE_BYTES: Final = 4 * N_PERMUTATIONS
MOST_SIGNED: Final = 4096  # documents at a time: 2 MiB of signatures, however short the documents
SCHEMA: Final = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.large_string()),
        ("domain", pa.large_string()),
        ("bytes", pa.int64()),
        ("words", pa.int64()),
        ("text_hash", pa.uint64()),
        ("signature", pa.binary(SIGNATURE_BYTES)),
    ]
)


@dataclass(frozen=True, slots=True)
class SignedPart:
    """A part and the file of its signatures."""

    shard: Shard
    path: Path
    log: ReadLog
    words: int
    digest: str | None  # sha256 of the shard; None for URLs and later parts


def sign_part(
    shard: Shard,
    path: Path,
    *,
    batch_bytes: int,
    tell: Tell = lambda *_: None,
    with_digest: bool = True,
) -> SignedPart:
    """Sign the documents of a part into the file at `path`; its digest may be left out.

    Raises:
        CorpusError: where the text column is missing.
        OSError: where the file cannot be written.
    """
    log = ReadLog()
    words = 0

    def write(file: BinaryIO) -> None:
        nonlocal words
        with pa.ipc.new_file(file, SCHEMA) as writer:
            for batch in read_batches(shard, log, batch_bytes=batch_bytes):
                words += _sign_batch(batch, writer.write_batch, tell)

    write_whole(path, write)
    is_first = shard.part is None or shard.part[0] == 0
    digest = file_digest(shard.path) if is_first and with_digest else None
    return SignedPart(shard, path, log, words, digest)


def write_no_documents(path: Path) -> None:
    """Write the file of a shard that could not be read."""

    def write(file: BinaryIO) -> None:
        with pa.ipc.new_file(file, SCHEMA):
            pass

    write_whole(path, write)


def warm_up() -> None:
    """Compile the kernels before threads ask for them; takes a while after an installation only."""
    sign_documents(*text_buffers(pa.array(["so it goes"], pa.large_string())))


def _sign_batch(batch: Batch, write: Callable[[pa.RecordBatch], None], tell: Tell) -> int:
    """Write the rows of a batch; return its number of words."""
    data, bounds = text_buffers(batch.texts)
    words = 0
    for first in range(0, len(batch.rows), MOST_SIGNED):
        some = slice(first, first + MOST_SIGNED)
        ends = bounds[first : first + MOST_SIGNED + 1]
        signed = sign_documents(data, ends)
        n = len(signed.words)
        rows = {
            "row": pa.array(batch.rows[some], pa.int64()),
            "doc_id": batch.ids[some],
            "domain": batch.domains[some],
            "bytes": pa.array(np.diff(ends)),
            "words": pa.array(signed.words),
            "text_hash": pa.array(signed.text_hashes),
            "signature": pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(SIGNATURE_BYTES), n, [None, pa.py_buffer(signed.signatures)]
            ),
        }
        write(pa.record_batch(rows, SCHEMA))
        words += int(signed.words.sum())
        tell(n, int(ends[-1] - ends[0]))
    return words
