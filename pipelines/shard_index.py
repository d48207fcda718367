"""The index of a shard in a store: fingerprints, line offsets, drawn documents, and texts where asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Final

import numpy as np

from corpora.documents import read_batches
from corpora.line_offsets import FileScan, LineOffsets
from corpora.normal_form import fingerprint as normal_form
from corpora.problems import ReadLog
from corpora.shards import Shard
from indexes import texts
from indexes.background import load_background
from indexes.fingerprints import common_seeds, fingerprint, scheme_of
from indexes.segments import SegmentBuilder
from indexes.store import Recipe, ShardWriter
from pipelines.index_settings import IndexSettings
from pipelines.shard_builder import Counts
from pipelines.shard_step import StepResult, count_domains, draw_hosts, read_ahead_of, text_buffers

SEGMENT_FILE: Final = "ngram-{:05}.bin"
TEXTS_FILE: Final = "texts-{:020}.bin"  # first row
LINES_FILE: Final = "lines.npy"
HOSTS_FILE: Final = "hosts.json"


def recipe(*, keep_text: bool = False) -> Recipe:
    """Return what is made of text: of fingerprints the same for building and for looking up."""
    return Recipe(
        normal_form=normal_form(),
        fingerprints=scheme_of(load_background()),
        texts=texts.SCHEME if keep_text else None,
    )


class ShardIndex:
    """Makes the index of a shard (a `Maker`)."""

    stage = "indexing"

    def __init__(self, settings: IndexSettings) -> None:
        self.settings = settings
        self.recipe = recipe(keep_text=settings.keep_text)
        self.common = common_seeds(load_background())

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Write fingerprints, line offsets and drawn documents."""
        result = StepResult(shard)
        self._fingerprint(shard, writer, result, scan.digest, tell)
        if scan.offsets is not None:
            writer.write(LINES_FILE, pack_offsets(scan.offsets))
        hosts = [[host.rank, host.row] for host in result.hosts]
        writer.write(HOSTS_FILE, json.dumps(hosts).encode())
        counts: Counts = {
            "words": result.words,
            "domain_documents": dict(sorted(result.domain_documents.items())),
            "domain_bytes": dict(sorted(result.domain_bytes.items())),
        }
        return result.log, counts

    def _fingerprint(
        self,
        shard: Shard,
        writer: ShardWriter,
        result: StepResult,
        digest: str,
        tell: Callable[[ReadLog], None],
    ) -> None:
        # Documents are drawn by content: the same file at another path gives the same bytes.
        drawn_as = replace(shard, path=digest)
        builder = SegmentBuilder()
        keeper = texts.TextsBuilder() if self.settings.keep_text else None
        n_segments = 0
        batches = read_batches(shard, result.log, batch_bytes=self.settings.batch_bytes)
        for batch in read_ahead_of(batches) if self.settings.jobs > 1 else batches:
            data, bounds = text_buffers(batch.texts)
            found, words = fingerprint(data, bounds, self.common)
            result.words += words
            count_domains(batch, bounds, result)
            draw_hosts(replace(batch, shard=drawn_as), bounds, result)
            for segment in builder.add(found, batch.rows):
                writer.write(SEGMENT_FILE.format(n_segments), segment)
                n_segments += 1
            for first_row, kept in () if keeper is None else keeper.add(batch):
                writer.write(TEXTS_FILE.format(first_row), kept)
            tell(result.log)
        for segment in builder.finish():
            writer.write(SEGMENT_FILE.format(n_segments), segment)
            n_segments += 1
        for first_row, kept in () if keeper is None else keeper.finish():
            writer.write(TEXTS_FILE.format(first_row), kept)


def pack_offsets(offsets: LineOffsets) -> bytes:
    """Return line offsets as the bytes of a file."""
    file = BytesIO()
    np.save(file, np.stack([offsets.rows, offsets.starts]).astype("<i8"), allow_pickle=False)
    return file.getvalue()


def unpack_offsets(data: bytes) -> LineOffsets:
    """Return the line offsets of a file."""
    rows, starts = np.load(BytesIO(data), allow_pickle=False)
    return LineOffsets(rows, starts)
