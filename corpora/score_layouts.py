"""Which key of a file of results holds what: plain and long rows, wide tables, lm-evaluation-harness, HELM.

Each reader turns records into `Result`s: one item, one model, one sample. The layout is recognised by the
keys of the first record. A score that is no number in [0, 1] ends the run: half-read results would be
compared as if they were whole.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from corpora.fields import BenchmarkError
from corpora.layout_values import Record
from corpora.records import named_keys

ITEM_KEYS: Final = (
    "item_id", "benchmark_id", "instance_id", "task_id", "question_id", "doc_id", "id",
)  # fmt: skip
MODEL_KEYS: Final = ("model", "model_name", "model_id", "system")
SCORE_KEYS: Final = ("correct", "score", "is_correct", "passed", "acc", "exact_match")
BENCHMARK_KEYS: Final = ("benchmark", "benchmark_name", "task")
# Of lm-evaluation-harness and HELM, the one that comes first where several are there.
METRICS: Final = (
    "exact_match", "acc", "pass@1", "pass_at_1", "quasi_exact_match", "math_equiv", "prefix_exact_match",
    "acc_norm", "em", "mc1", "f1", "f1_score", "mc2",
)  # fmt: skip
TEXT_KEYS: Final = (
    "question",
    "prompt",
    "problem",
    "query",
    "input",
    "ctx",
    "goal",
    "text",
    "sentence",
)
WORDS: Final = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
EXAMPLE: Final = '{"item_id": ..., "model": ..., "correct": ...}'


class Result(NamedTuple):
    """One sample of one model on one item; `texts` may hold the item's question."""

    benchmark: str | None
    item_id: str
    model: str
    score: float
    texts: tuple[str, ...] = ()


@dataclass(slots=True)
class Place:
    """Where records come from, what their names say, and what was passed over."""

    path: str
    model: str  # where records name none
    task: str | None = None
    metric: str | None = None  # asked for; None takes the first of METRICS
    texts: Mapping[str, str] = field(default_factory=dict)  # of HELM's instances, by id
    skipped: Counter[str] = field(default_factory=Counter)  # reason -> rows

    def error(self, row: int, reason: str, mend: str) -> BenchmarkError:
        """Return an error of a row."""
        return BenchmarkError(reason, mend, path=self.path, row=row)


Rows = Iterable[tuple[int, Record]]


def recognise_results(record: Record) -> str | None:
    """Return the name of the layout that a record has, None where none fits."""
    if isinstance(record.get("stats"), list) and "instance_id" in record:
        return "helm"
    if "doc_id" in record and ("filtered_resps" in record or "resps" in record):
        return "lm-evaluation-harness"
    if _first(record, ITEM_KEYS) is None:
        return None
    if _first(record, SCORE_KEYS) is not None:
        return "rows"
    return "wide" if any(_is_number(value) for value in record.values()) else None


def read_rows(rows: Rows, place: Place) -> Iterator[Result]:
    """Yield the results of plain or long rows: an item, a score, and perhaps model and benchmark."""
    for row, record in rows:
        item, score = _first(record, ITEM_KEYS), _first(record, SCORE_KEYS)
        if item is None or score is None:
            raise place.error(
                row, f"the keys {named_keys(record)} name no item and score", f"write {EXAMPLE}"
            )
        model, benchmark = _first(record, MODEL_KEYS), _first(record, BENCHMARK_KEYS)
        yield Result(
            None if benchmark is None else _name(record[benchmark]),
            _name(record[item]),
            place.model if model is None else _name(record[model]),
            _score(record[score], score, row, place),
        )


def read_wide(rows: Rows, place: Place) -> Iterator[Result]:
    """Yield the results of a table with a row per item and a column of numbers per model."""
    for row, record in rows:
        item, benchmark = _first(record, ITEM_KEYS), _first(record, BENCHMARK_KEYS)
        if item is None:
            raise place.error(row, "the row names no item", "fill the column item_id")
        for name, value in record.items():
            if name in (*ITEM_KEYS, *BENCHMARK_KEYS):
                continue
            if value is None or (isinstance(value, float) and math.isnan(value)):
                place.skipped["a model has no score of the item"] += 1
            elif _is_number(value):
                named = None if benchmark is None else _name(record[benchmark])
                yield Result(named, _name(record[item]), name, _score(value, name, row, place))


def read_harness(rows: Rows, place: Place) -> Iterator[Result]:
    """Yield the results of a sample log of lm-evaluation-harness (`samples_TASK_TIME.jsonl`).

    A log has a line for each filter of the answers; the first filter is read, the others are told.
    """
    first_filter: str | None = None
    metric = place.metric
    for row, record in rows:
        doc = record.get("doc")
        name = record.get("filter")
        if isinstance(name, str):
            first_filter = first_filter or name
            if name != first_filter:
                place.skipped[f"filter {name!r}; {first_filter!r} was read"] += 1
                continue
        if metric is None:
            declared = record.get("metrics")
            names = declared if isinstance(declared, list) else ()
            metric = next((name for name in METRICS if _is_number(record.get(name))), None) or next(
                (name for name in names if _is_number(record.get(name))), None
            )
        if metric is None or metric not in record:
            wanted = "a known metric" if metric is None else f"the metric {metric!r}"
            raise place.error(
                row,
                f"the sample has not {wanted} among {named_keys(record)}",
                "name the one that says whether it is right with --metric",
            )
        texts: tuple[str, ...] = ()
        item = _name(record.get("doc_id"))
        if isinstance(doc, dict):
            texts = tuple(str(doc[key]) for key in TEXT_KEYS if isinstance(doc.get(key), str))
            own = _first(doc, ITEM_KEYS)
            item = item if own is None else _name(doc[own])
        yield Result(
            place.task, item, place.model, _score(record[metric], metric, row, place), texts
        )


def read_helm(rows: Rows, place: Place) -> Iterator[Result]:
    """Yield the results of HELM's `per_instance_stats.json`; perturbed instances are told and left out."""
    metric = place.metric
    for row, record in rows:
        if record.get("perturbation") is not None:
            place.skipped["a perturbed instance"] += 1
            continue
        stats = _helm_stats(record, row, place)
        if metric is None:
            metric = next((name for name in METRICS if name in stats), None)
        if metric is None or metric not in stats:
            raise place.error(
                row,
                f"no known metric among {named_keys(stats)}",
                "name the one that says whether it is right with --metric",
            )
        item = _name(record["instance_id"])
        text = place.texts.get(item)
        yield Result(
            place.task,
            item,
            place.model,
            _score(stats[metric], metric, row, place),
            () if text is None else (text,),
        )


READERS: Final[dict[str, Callable[[Rows, Place], Iterator[Result]]]] = {
    "rows": read_rows,
    "wide": read_wide,
    "lm-evaluation-harness": read_harness,
    "helm": read_helm,
}


def _helm_stats(record: Record, row: int, place: Place) -> dict[str, Any]:
    """Return the mean of each metric of an instance, the first of those that differ in more than name."""
    means: dict[str, Any] = {}
    for stat in record["stats"]:
        name = stat.get("name") if isinstance(stat, dict) else None
        name = name.get("name") if isinstance(name, dict) else name
        if not isinstance(name, str):
            raise place.error(row, "a statistic has no name", "write HELM's file again")
        value = stat.get("mean")
        if value is None and stat.get("count"):
            value = float(stat["sum"]) / float(stat["count"])
        means.setdefault(name, value)
    return means


def _first(record: Record, keys: Iterable[str]) -> str | None:
    return next((key for key in keys if record.get(key) is not None), None)


def _name(value: Any) -> str:
    """Return an id or a name as text; a column of whole floats counts as whole numbers."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | int | float):
        return True
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return value.strip().lower() in WORDS
    return True


def _score(value: Any, key: str, row: int, place: Place) -> float:
    """Return a score in [0, 1]; right and wrong may be said in words."""
    if isinstance(value, list) and value and all(map(_is_number, value)):  # samples of one item
        return sum(_score(each, key, row, place) for each in value) / len(value)
    if not _is_number(value):
        raise place.error(
            row,
            f"{key} is {_shown(value)}, not a number",
            "write 0 for an item that failed, or leave the row out",
        )
    text = str(value).strip().lower()
    score = WORDS[text] if text in WORDS else float(text)
    if not 0 <= score <= 1:
        raise place.error(
            row, f"{key} is {_shown(value)}, not in [0, 1]", "divide by the best score there can be"
        )
    return score


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
