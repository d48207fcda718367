"""What is to go: findings as places of the corpus, and what a scan of the copy found, put back there.

Every round makes the copy from the corpus itself, by a plan that only grows, so the copy is a function
of the corpus and the plan, and the log names rows and characters of the corpus throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from pipelines.clean_settings import RemovedStatus
from pipelines.cleaning.edits import FIRST_ROUND
from pipelines.cleaning.spans import Cut, back
from scanners.judge import SUSPECT_SCORE, Status

PLAN_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "shard": pl.String, "row": pl.Int64, "doc_id": pl.String, "domain": pl.String,
    "benchmark": pl.String, "item_id": pl.String, "doc_start": pl.Int64, "doc_end": pl.Int64,
    "excerpt": pl.String, "round": pl.Int64, "reason": pl.String,
}  # fmt: skip
WORST_FIRST: Final = {Status.CONTAMINATED: "contaminated", Status.SUSPECT: "suspect"}
ITEM: Final = ["benchmark", "item_id"]
PLACE: Final = ["shard", "row", "doc_start", "doc_end", *ITEM]


def removed_statuses(status: RemovedStatus) -> list[str]:
    """Return this status and those that are worse."""
    names = list(WORST_FIRST.values())
    return names[: names.index(status) + 1]


def first_plan(findings: pl.DataFrame, items: pl.DataFrame, status: RemovedStatus) -> pl.DataFrame:
    """Return the findings of the items of a status: `findings.parquet`, `items.parquet` of a scan."""
    chosen = items.filter(pl.col("status").is_in(removed_statuses(status)))
    return _planned(of_items(findings, chosen.select(*ITEM, "status")), FIRST_ROUND)


def of_items(findings: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the findings of items, with their `status`, in documents that tell of the item.

    There at least one of them has a score that makes an item suspect; the others (an answer beside its
    question) go with it. A document that shares no more than a run of 13 words with an item, a line of a
    licence say, tells nothing of it, whatever the item is elsewhere.
    """
    found = findings.join(items, on=ITEM, how="inner", maintain_order="left")
    return found.filter(pl.col("score").max().over([*ITEM, "shard", "row"]) >= SUSPECT_SCORE)


def statuses(found: pl.DataFrame, status: RemovedStatus) -> pl.DataFrame:
    """Return the items (benchmark, item_id, status) that findings of a scan make so, or worse.

    `found` has the helper column `item_status` of `pipelines.tables.findings_table`.
    """
    names = pl.DataFrame(
        {"item_status": list(WORST_FIRST), "status": list(WORST_FIRST.values())},
        schema={"item_status": pl.Int8, "status": pl.String},
    )
    worst = found.group_by(ITEM).agg(pl.col("item_status").max().cast(pl.Int8))
    named = worst.join(names, on="item_status", how="inner").select(*ITEM, "status")
    return named.filter(pl.col("status").is_in(removed_statuses(status))).sort(ITEM)


def grow(plan: pl.DataFrame, found: pl.DataFrame, round_: int) -> pl.DataFrame:
    """Return the plan with what a scan of the copy found, put back to its place in the corpus.

    `found` are findings with the `status` of their items.
    """
    new = _planned(found, round_).join(plan, on=PLACE, how="anti")
    return _sorted(pl.concat([plan, new]))


def put_back(
    found: pl.DataFrame, shard: str, left_out: np.ndarray, cuts: pl.DataFrame
) -> pl.DataFrame:
    """Return findings in a shard of the copy as places of the shard that it was made from.

    `left_out`: int64, sorted: the rows that are not in the copy; `cuts` as `Edits.cuts` gives them.
    """
    before = left_out - np.arange(len(left_out))  # rows of the copy before each that was left out
    rows = found["row"].to_numpy()
    rows = rows + np.searchsorted(before, rows, side="right")
    cut_of = {row: _cuts(own) for (row,), own in cuts.group_by("row", maintain_order=True)}
    places = [
        back(cut_of.get(row, ()), start, end)
        for row, start, end in zip(
            rows.tolist(), found["doc_start"].to_list(), found["doc_end"].to_list(), strict=True
        )
    ]
    return found.with_columns(
        pl.lit(shard).alias("shard"),
        pl.Series("row", rows, pl.Int64),
        pl.Series("doc_start", [start for start, _ in places], pl.Int64),
        pl.Series("doc_end", [end for _, end in places], pl.Int64),
    )


def _cuts(own: pl.DataFrame) -> Sequence[Cut]:
    return [Cut(*place) for place in own.select("start", "end", "new_chars").iter_rows()]


def _planned(found: pl.DataFrame, round_: int) -> pl.DataFrame:
    reason = pl.format(
        "{} of {} item: {}% covered, longest run {} words",
        pl.col("field"),
        pl.when(pl.col("status") == "suspect")
        .then(pl.lit("a suspect"))
        .otherwise(pl.lit("a contaminated")),
        (pl.col("coverage") * 100).round(0).cast(pl.Int64),
        pl.col("longest_run"),
    )
    # a place that is told twice (an answer in the words of its question) counts as what it is most
    best = found.sort([*PLACE, pl.col("score") * -1], maintain_order=True)
    rows = best.with_columns(
        pl.lit(round_, pl.Int64).alias("round"), reason.alias("reason")
    ).select(list(PLAN_SCHEMA))
    return _sorted(rows.unique(PLACE, keep="first", maintain_order=True))


def _sorted(plan: pl.DataFrame) -> pl.DataFrame:
    return plan.sort(["shard", "row", "doc_start", "doc_end", *ITEM, "round"], maintain_order=True)
