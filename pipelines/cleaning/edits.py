"""What becomes of each document of one shard, and the log of it.

A writer asks for every document that has a finding, in row order, and writes what it is told. A finding
that is not at its place means that the corpus is not the one that was scanned: nothing is cut blindly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from corpora.problems import CorpusError
from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.spans import Cut, cut, joined, merge, shares
from scanners.findings import EXCERPT_CHARS

DOCUMENT, SPAN, UNREADABLE = "document", "span", "unreadable"
FIRST_ROUND: Final = 1
EMPTIED: Final = "; nothing else is left of the document"
UNSURE: Final = "; its line cannot be taken apart to cut it"

REMOVED_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "shard": pl.String, "row": pl.Int64, "doc_id": pl.String, "domain": pl.String,
    "action": pl.String, "benchmark": pl.String, "item_id": pl.String, "doc_start": pl.Int64,
    "doc_end": pl.Int64, "removed_chars": pl.Int64, "round": pl.Int64, "reason": pl.String,
}  # fmt: skip
DOCUMENTS_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.Int64, "action": pl.String, "domain": pl.String, "chars": pl.Int64,
    "removed_chars": pl.Int64, "bytes": pl.Int64, "removed_bytes": pl.Int64, "new_bytes": pl.Int64,
}  # fmt: skip
CUTS_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "row": pl.Int64, "start": pl.Int64, "end": pl.Int64, "new_chars": pl.Int64,
}  # fmt: skip

Columns = Sequence[str | None]


class CleanError(CorpusError):
    """Inputs that cannot be cleaned as asked; its text is one line with a mend."""


class Edits:
    """The removals of one shard.

    `planned`: its rows of the plan (`pipelines.cleaning.plan`), sorted by row and place. `unreadable`
    gives the reason for each row that has no valid text.
    """

    def __init__(
        self,
        shard: str,
        domain: str | None,
        planned: pl.DataFrame,
        unreadable: Mapping[int, str],
        settings: CleanSettings,
    ) -> None:
        self._shard, self._domain, self._settings = shard, domain, settings
        self.unreadable = np.array(sorted(unreadable), np.int64)
        self._reasons = unreadable
        self._planned = planned.filter(~pl.col("row").is_in(list(unreadable)))
        rows = self._planned["row"].to_numpy()
        self.rows, firsts = np.unique(rows, return_index=True)
        self._bounds = [*firsts.tolist(), len(rows)]
        self._place = {row: number for number, row in enumerate(self.rows.tolist())}
        self._told: dict[int, tuple[str, list[int], str]] = {}  # action, characters, more reason
        self._documents: list[tuple[Any, ...]] = []
        self._cuts: list[tuple[int, int, int, int]] = []

    @property
    def affected(self) -> np.ndarray:
        """Return all rows that are not copied as they are: int64, sorted."""
        return np.union1d(self.rows, self.unreadable)

    def treat(self, row: int, columns: Columns | None, *, editable: bool = True) -> Columns | None:
        """Return the text columns as they shall be; None where the document is left out.

        Without `editable`, or where `columns` could not be told, a document can only be left out.

        Raises:
            CleanError: where a finding is not at its place.
        """
        number = self._place[row]
        own = self._planned[self._bounds[number] : self._bounds[number + 1]]
        if columns is None:
            self._leave_out(row, own, "", UNSURE)
            return None
        text = joined(columns)
        self._check(row, text, own)
        spans = list(zip(own["doc_start"].to_list(), own["doc_end"].to_list(), strict=True))
        if self._settings.remove == DOCUMENT or not editable:
            self._leave_out(row, own, text, UNSURE if self._settings.remove == SPAN else "")
            return None
        margin = self._settings.margin
        result = cut(columns, merge(spans, margin, len(text)), self._settings.mask or "")
        if result.is_blank:
            self._leave_out(row, own, text, EMPTIED)
            return None
        self._told[row] = (SPAN, shares(spans, result.cuts, margin), "")
        self._note(row, own, SPAN, text, result.cuts, joined(result.columns))
        self._cuts += [(row, each.start, each.end, each.new_chars) for each in result.cuts]
        return result.columns

    def log(self) -> pl.DataFrame:
        """Return the rows of `removed.parquet`, sorted by row and place.

        Raises:
            CleanError: where a row that has a finding was not met.
        """
        missing = [row for row in self.rows.tolist() if row not in self._told]
        if missing:
            raise changed(self._shard, missing[0])
        told = [self._told[row] for row in self.rows.tolist()]
        sizes = [len(chars) for _, chars, _ in told]
        texts = pl.DataFrame(
            {
                "action": [a for (a, _, _), n in zip(told, sizes, strict=True) for _ in range(n)],
                "removed_chars": [n for _, chars, _ in told for n in chars],
                "more": [m for (_, _, m), n in zip(told, sizes, strict=True) for _ in range(n)],
            },
            schema={"action": pl.String, "removed_chars": pl.Int64, "more": pl.String},
        )
        found = self._planned.hstack(texts).with_columns(reason=pl.col("reason") + pl.col("more"))
        return pl.concat([found.select(list(REMOVED_SCHEMA)), self._unreadable_log()]).sort(
            "row", "doc_start", maintain_order=True
        )

    def documents(self) -> pl.DataFrame:
        """Return each document that was left out or cut, with its size before and what went."""
        lost = [(row, UNREADABLE, self._domain, 0, 0, 0, 0, 0) for row in self.unreadable.tolist()]
        rows = [*self._documents, *lost]
        return pl.DataFrame(rows, schema=DOCUMENTS_SCHEMA, orient="row").sort("row")

    def cuts(self) -> pl.DataFrame:
        """Return what was cut out of documents that stay."""
        return pl.DataFrame(self._cuts, schema=CUTS_SCHEMA, orient="row").sort("row", "start")

    def _check(self, row: int, text: str, own: pl.DataFrame) -> None:
        for start, end, excerpt, round_ in own.select(
            "doc_start", "doc_end", "excerpt", "round"
        ).iter_rows():
            if round_ == FIRST_ROUND and not _is_excerpt(excerpt, text[start:end]):
                raise changed(self._shard, row)

    def _leave_out(self, row: int, own: pl.DataFrame, text: str, more: str) -> None:
        # the document goes once, whatever number of findings it has
        self._told[row] = (DOCUMENT, [len(text)] + [0] * (len(own) - 1), more)
        self._note(row, own, DOCUMENT, text, [Cut(0, len(text), 0)], "")

    def _note(
        self, row: int, own: pl.DataFrame, action: str, text: str, cuts: Sequence[Cut], new: str
    ) -> None:
        removed = [text[each.start : each.end] for each in cuts]
        domain = self._domain if self._domain is not None else own["domain"][0]
        chars = (len(text), sum(map(len, removed)))
        sizes = (len(text.encode()), sum(len(each.encode()) for each in removed), len(new.encode()))
        self._documents.append((row, action, domain, *chars, *sizes))

    def _unreadable_log(self) -> pl.DataFrame:
        rows = self.unreadable.tolist()
        return pl.DataFrame(
            {
                "shard": [self._shard] * len(rows),
                "row": rows,
                "domain": [self._domain] * len(rows),
                "action": [UNREADABLE] * len(rows),
                "removed_chars": [0] * len(rows),
                "round": [FIRST_ROUND] * len(rows),
                "reason": [self._reasons[row] for row in rows],
            }
            | {
                name: [None] * len(rows)
                for name in ("doc_id", "benchmark", "item_id", "doc_start", "doc_end")
            },
            schema_overrides=REMOVED_SCHEMA,
        ).select(list(REMOVED_SCHEMA))


def changed(shard: str, row: int) -> CleanError:
    """Return the error for a finding that is not where it was found."""
    return CleanError(
        f"{shard}, row {row}: what the scan found there is not there now; scan the corpus again"
    )


def _is_excerpt(excerpt: str, found: str) -> bool:
    """Tell whether an excerpt of `findings.parquet` shows this text; a long one is cut in the middle."""
    if len(found) <= EXCERPT_CHARS:
        return excerpt == found
    head, tail = excerpt[: EXCERPT_CHARS // 2 - 1], excerpt[-(EXCERPT_CHARS // 2 - 1) :]
    return found.startswith(head) and found.endswith(tail)
