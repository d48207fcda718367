"""What the scan finds in real text: the 15 domains of corpora/mix against all shared benchmarks.

Counts of items per benchmark, then every item to look at: all that are contaminated, and all that share
a run of 13 words or more with a document, but for those of GSM8K train, which version v2 truly holds.

    python benchmarks/quality_mix.py [--data DIR] [--version v1 v2] [--chars 200]

For each item the place with the strongest evidence is shown, with the words of both texts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import polars as pl
from harness import (
    CONTAMINATED,
    SUSPECT,
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    read_records,
    shorten,
    table,
)

import sluicegate

LONG_RUN: Final = 13
IN_V2: Final = "gsm8k_train"
KEY: Final = ["benchmark", "item_id"]


def main() -> int:
    """Scan each version and print what there is to look at."""
    parser = argument_parser(__doc__)
    parser.add_argument("--version", nargs="+", default=["v1", "v2"])
    parser.add_argument("--chars", type=int, default=200, help="length of the texts shown")
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    texts = item_texts(data / "benchmarks")
    for version in options.version:
        result = sluicegate.scan(
            data / "corpora" / "mix" / version, data / "benchmarks", calibration="off"
        )
        tell(version, result, texts, options.chars)
    return 0


def item_texts(folder: Path) -> dict[str, dict[str, str]]:
    """Return the fields of every item by id."""
    texts: dict[str, dict[str, str]] = {}
    for path in sorted(folder.rglob("*.jsonl.zst")):
        for record in read_records(path):
            texts[record["id"]] = {
                "question": record["question"] or "",
                "answer": record["answer"] or "",
                "passage": record.get("passage") or "",
                "choices": " | ".join(record.get("choices") or ()),
            }
    return texts


def tell(version: str, result: Any, texts: dict[str, dict[str, str]], n_chars: int) -> None:
    """Print the counts of one version and its items to look at."""
    read = result.run["read"]
    print(
        f"# mix {version}: {read['documents']} documents, {read['bytes']} bytes, "
        f"{len(result.items)} items; {machine()}; {result.run['timings']}\n"
    )
    print(table(counts(result), ("benchmark", CONTAMINATED, SUSPECT, f"run >= {LONG_RUN}")), "\n")
    shown = strongest(result)
    for title, part in (
        ("contaminated", shown.filter(pl.col("status") == CONTAMINATED)),
        (
            f"not contaminated, a shared run of {LONG_RUN} words or more",
            shown.filter(pl.col("status") != CONTAMINATED),
        ),
    ):
        print(f"## {version}: {title}, without {IN_V2}: {len(part)} items\n")
        for number, row in enumerate(part.iter_rows(named=True), 1):
            print(_entry(number, row, texts[row["item_id"]], n_chars))
        print()


def counts(result: Any) -> list[tuple[object, ...]]:
    """Return (benchmark, contaminated, suspect, items with a long run) where any is found."""
    long_runs = result.findings.filter(pl.col("longest_run") >= LONG_RUN).select(KEY).unique()
    items = result.items.join(
        long_runs.with_columns(pl.lit(True).alias("long")), on=KEY, how="left"
    ).with_columns(pl.col("long").fill_null(False))
    per_benchmark = (
        items.group_by("benchmark")
        .agg(
            (pl.col("status") == CONTAMINATED).sum().alias("c"),
            (pl.col("status") == SUSPECT).sum().alias("s"),
            pl.col("long").sum().alias("l"),
        )
        .filter(pl.sum_horizontal("c", "s", "l") > 0)
        .sort("benchmark")
    )
    rows = [tuple(row) for row in per_benchmark.iter_rows()]
    return [*rows, ("all", *(sum(row[k] for row in rows) for k in (1, 2, 3)))]


def strongest(result: Any) -> pl.DataFrame:
    """Return the items to look at, with the place of the longest run or, equal, the best score.

    A contaminated item is shown at the place that made it so: the one with its own score.
    """
    status = result.items.select(*KEY, "status", pl.col("score").alias("item_score"), "n_documents")
    found = result.findings.filter(pl.col("benchmark") != IN_V2).join(status, on=KEY)
    decides = (pl.col("status") == CONTAMINATED) & (pl.col("score") == pl.col("item_score"))
    shown: pl.DataFrame = (
        found.with_columns(pl.col("longest_run").max().over(KEY).alias("run_of_item"))
        .filter((pl.col("status") == CONTAMINATED) | (pl.col("run_of_item") >= LONG_RUN))
        .sort(
            *KEY, decides.cast(pl.Int8) * -1, pl.col("longest_run") * -1, pl.col("score") * -1,
            "shard", "row", "doc_start",
        )
        .group_by(KEY, maintain_order=True)
        .first()
    )  # fmt: skip
    return shown


def _entry(number: int, row: dict[str, Any], fields: dict[str, str], n_chars: int) -> str:
    text = fields[row["field"]]
    place = text[row["item_start"] : row["item_end"]] if row["field"] != "choices" else text
    documents = f"{row['n_documents']} documents" if row["n_documents"] > 1 else "1 document"
    lines = [
        f"{number}. {row['item_id']}: {row['status']}, {row['leak_type']}, {row['field']}, "
        f"score {row['score']:.2f}, coverage {row['coverage']:.2f}, identity {row['identity']:.2f}, "
        f"run {row['longest_run']} (anywhere {row['run_of_item']}), {documents}, {row['domain']}: {row['doc_id']}",
        f"   DOC  {shorten(row['excerpt'], n_chars)}",
        f"   ITEM {shorten(place, n_chars)}",
    ]
    if len(place) < len(text):
        lines.append(f"   of   {shorten(text, n_chars)}")
    if row["field"] != "question":
        lines.append(f"   Q    {shorten(fields['question'], n_chars)}")
    elif fields["answer"]:
        lines.append(f"   A    {shorten(fields['answer'], n_chars // 2)}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
