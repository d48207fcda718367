"""The documents of some rows of a row group, by the pages of its text columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.page_values import Value, page_values
from corpora.parquet_pages import PagesError, chunk_pages, text_column, wanted_pages
from corpora.places import is_url
from corpora.shards import Shard
from corpora.tables import MAX_DICTIONARY_ROWS, Selection

Columns = tuple[list[pa.Array], pa.Array | None, pa.Array | None]  # texts, ids, domains


@dataclass(frozen=True, slots=True)
class TextPages:
    """A local Parquet file whose text columns are flat UTF-8."""

    file: pa.NativeFile
    parquet: pq.ParquetFile
    texts: list[int]  # numbers of the leaf columns
    labels: list[str | None]  # names of the columns of id and domain

    @classmethod
    def of(
        cls, shard: Shard, file: pa.NativeFile, parquet: pq.ParquetFile, selection: Selection
    ) -> TextPages | None:
        """Return the file; None where it is a URL, or a column is of another kind."""
        if is_url(shard.path):
            return None  # each header would be a request
        labels = [None if p is None else ".".join(p) for p in (selection.id, selection.domain)]
        if any(len(path) > 1 for path in selection.paths):
            return None
        texts = [text_column(parquet, path[0]) for path in selection.texts]
        if None in texts:
            return None
        return cls(file, parquet, [n for n in texts if n is not None], labels)

    def read(self, group: int, rows: np.ndarray) -> Columns | None:
        """Return the columns of some rows (int64, ascending) of a row group.

        None where something is damaged or of an unknown kind: the reader of row groups says what.
        """
        try:
            texts = [self._texts(group, column, rows) for column in self.texts]
            ids, domains = (self._labels(group, name, rows) for name in self.labels)
        except (PagesError, OSError, pa.ArrowException):
            return None
        return texts, ids, domains

    def _texts(self, group: int, column: int, rows: np.ndarray) -> pa.Array:
        chunk = chunk_pages(self.file, self.parquet, group, column)
        values: list[Value] = []
        for page, wanted in wanted_pages(chunk, rows):
            values += page_values(self.file, chunk, page, wanted)
        return pa.array(values, pa.large_binary())

    def _labels(self, group: int, name: str | None, rows: np.ndarray) -> pa.Array | None:
        if name is None:
            return None
        found, first = [], 0
        batches = self.parquet.iter_batches(
            MAX_DICTIONARY_ROWS, row_groups=[group], columns=[name], use_threads=False
        )
        for batch in batches:
            low, high = np.searchsorted(rows, [first, first + batch.num_rows])
            found.append(batch.column(0).take(pa.array(rows[low:high] - first)))
            first += batch.num_rows
        if sum(map(len, found)) != len(rows):
            raise PagesError(f"the column {name!r} has too few rows")
        return pa.concat_arrays(found)
