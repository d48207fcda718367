"""`duplicates.parquet`: every document that has a copy, cluster by cluster, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.duplicate_clusters import Clusters, Standing, similarity
from pipelines.files import write_whole

ROWS_AT_ONCE: Final = 1 << 18
KINDS: Final = ("exact", "near")
SCHEMA: Final = pa.schema(
    [
        ("version", pa.large_string()),
        ("shard", pa.large_string()),
        ("row", pa.int64()),
        ("doc_id", pa.large_string()),
        ("domain", pa.large_string()),
        ("cluster", pa.int64()),
        ("cluster_size", pa.int64()),
        ("kind", pa.large_string()),
        ("jaccard", pa.float64()),
    ]
)


def write_duplicates(path: Path, clusters: Clusters, stand: Standing) -> None:
    """Write the clusters of all documents, by their first documents.

    The first document of a cluster has no kind: it is the one to keep. `jaccard` is the similarity to
    it, as the signatures estimate it.

    Raises:
        OSError: where the file cannot be written.
    """

    def write(file: BinaryIO) -> None:
        with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
            for batch in _batches(clusters, stand):
                writer.write_batch(batch)

    write_whole(path, write)


def duplicates_frame(clusters: Clusters, stand: Standing) -> pl.DataFrame:
    """Return what `write_duplicates` writes."""
    table = pa.Table.from_batches(_batches(clusters, stand), SCHEMA)
    return pl.DataFrame(pl.from_arrow(table))


def _batches(clusters: Clusters, stand: Standing) -> Iterator[pa.RecordBatch]:
    chosen = np.flatnonzero(stand.size > 1)
    order = chosen[np.argsort(stand.cluster[chosen], kind="stable")]
    firsts = np.unique(stand.cluster[chosen])
    for first in range(0, len(order), ROWS_AT_ONCE):
        yield _rows(clusters, stand, order[first : first + ROWS_AT_ONCE], firsts)


def _rows(
    clusters: Clusters, stand: Standing, numbers: np.ndarray, firsts: np.ndarray
) -> pa.RecordBatch:
    documents = clusters.documents
    first = stand.cluster[numbers]
    shards = pa.array([shard.path for shard in documents.shards], pa.large_string())
    versions = pa.array(["baseline", "candidate"], pa.large_string())
    kind = np.where(stand.is_exact[numbers], 0, 1)
    columns = {
        "version": versions.take(pa.array((numbers >= documents.n_baseline).astype(np.int8))),
        "shard": shards.take(pa.array(documents.part_of(numbers))),
        "row": pa.array(documents.rows[numbers]),
        "doc_id": documents.ids.take(pa.array(numbers)),
        "domain": pa.array(documents.domains, pa.large_string()).take(
            pa.array(documents.domain[numbers])
        ),
        "cluster": pa.array(np.searchsorted(firsts, first)),
        "cluster_size": pa.array(stand.size[numbers]),
        "kind": pa.array(KINDS, pa.large_string()).take(pa.array(kind, mask=first == numbers)),
        "jaccard": pa.array(similarity(clusters, first, numbers)),
    }
    return pa.record_batch(columns, SCHEMA)
