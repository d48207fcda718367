"""Reading item-level results of models, and finding the benchmark item that each is of.

Layouts are in `corpora.score_layouts`. Files are of the kinds that benchmarks are (`corpora.records`):
JSONL, JSON, Parquet, CSV, TSV, also packed. Items are matched by their id; where results carry the question
(sample logs of lm-evaluation-harness, HELM's instances) by its normal form, for a row number is no id.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from corpora.benchmarks import Benchmark, Item
from corpora.fields import BenchmarkError
from corpora.normal_form import word_hashes
from corpora.records import (
    MAX_BYTES,
    SUFFIXES,
    does_not_exist,
    named_keys,
    records,
    too_large,
)
from corpora.score_layouts import EXAMPLE, READERS, Place, Result, recognise_results

ENOUGH_MATCHED: Final = 0.5  # of a file's items: under it the wrong benchmark or ids were named
SHOWN_IDS: Final = 3
HARNESS_NAME: Final = re.compile(r"samples_(?P<task>.+?)(_\d{4}-\d\d-\d\dT[\d.:-]+)?$")
HELM_MODEL: Final = re.compile(r"(?:^|[:,])model=([^,]+)")
HELM_STATS: Final = "per_instance_stats.json"

ItemKey = tuple[int, int]  # number of the benchmark, number of the item in it


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """The results of one file; `skipped` counts the rows passed over, by reason."""

    path: str
    digest: str
    layout: str
    results: tuple[Result, ...]
    skipped: Mapping[str, int]


@dataclass(slots=True)
class Matched:
    """Samples by model and item, and what found no partner.

    Attributes:
        samples: scores of each sample, by model, then by item.
        items_without_score: items of each benchmark that no model was scored on, by its name.
        scores_without_item: items in the files that are in no benchmark, by the file's path.
    """

    samples: dict[str, dict[ItemKey, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    items_without_score: dict[str, int] = field(default_factory=dict)
    scores_without_item: dict[str, int] = field(default_factory=dict)


def read_scores(paths: Sequence[str], *, metric: str | None = None) -> list[ScoreFile]:
    """Return the results in the files, each file once, in the order they are named.

    Args:
        paths: files, or folders (searched for `samples_*` and `per_instance_stats.json`, or else for all
            files of known kinds).
        metric: of lm-evaluation-harness or HELM; None takes the first that is known.

    Raises:
        BenchmarkError: a file is missing, unreadable or damaged, or a score is no number in [0, 1].
    """
    return [
        _read(Path(name), metric)
        for name in dict.fromkeys(chain.from_iterable(map(_expand, paths)))
    ]


def match_scores(files: Sequence[ScoreFile], benchmarks: Sequence[Benchmark]) -> Matched:
    """Return the samples of every item of the benchmarks.

    Raises:
        BenchmarkError: under half of a file's items are in the benchmarks, or an id is in several of them.
    """
    finder = _Finder(benchmarks)
    matched = Matched()
    scored: set[ItemKey] = set()
    for file in files:
        found = finder.find(file)
        names = {(result.benchmark, result.item_id) for result in file.results}
        missing = {
            (r.benchmark, r.item_id)
            for r, key in zip(file.results, found, strict=True)
            if key is None
        }
        if len(names) - len(missing) < ENOUGH_MATCHED * len(names):
            raise BenchmarkError(
                f"{len(missing):,} of {len(names):,} items are in no benchmark, "
                f"{_ids(name for _, name in sorted(missing, key=str))} among them, where the "
                f"benchmarks have {_ids(item.id for b in benchmarks for item in b.items)}",
                "name the benchmark of these scores with --benchmarks, or use its ids",
                path=file.path,
            )
        matched.scores_without_item[file.path] = len(missing)
        for result, key in zip(file.results, found, strict=True):
            if key is not None:
                matched.samples[result.model][key].append(result.score)
                scored.add(key)
    per_benchmark = Counter(number for number, _ in scored)
    for number, benchmark in enumerate(benchmarks):
        matched.items_without_score[benchmark.name] = len(benchmark.items) - per_benchmark[number]
    return matched


class _Finder:
    """Finds items by id and by question."""

    def __init__(self, benchmarks: Sequence[Benchmark]) -> None:
        self._names = {benchmark.name: number for number, benchmark in enumerate(benchmarks)}
        self._by_id: dict[str, list[ItemKey]] = defaultdict(list)
        self._by_text: dict[bytes, list[ItemKey]] = defaultdict(list)
        self._benchmarks = benchmarks
        for key, item in self._items():
            self._by_id[item.id].append(key)

    def find(self, file: ScoreFile) -> list[ItemKey | None]:
        """Return the item of each result, None where there is none."""
        if any(result.texts for result in file.results):
            by_text = [self._of_text(result) for result in file.results]
            # A row number would match any benchmark: where questions are known, they decide.
            if sum(key is not None for key in by_text) >= ENOUGH_MATCHED * len(by_text):
                return by_text
        wanted = self._wanted(file)
        return [self._of_id(result, wanted, file.path) for result in file.results]

    def _wanted(self, file: ScoreFile) -> int | None:
        """Return the benchmark that most ids of a file are in; None where two have as many."""
        votes: Counter[int] = Counter()
        for name in {result.item_id for result in file.results}:
            votes.update({number for number, _ in self._by_id.get(name, ())})
        (first, most), (_, next_most) = (*votes.most_common(2), (None, 0), (None, 0))[:2]
        return first if most > next_most else None

    def _of_id(self, result: Result, wanted: int | None, path: str) -> ItemKey | None:
        keys = self._by_id.get(result.item_id, [])
        if len(keys) > 1:
            named = self._named(result.benchmark)
            number = wanted if named is None else named
            keys = [key for key in keys if key[0] == number]
            if not keys:
                raise BenchmarkError(
                    f"the item {result.item_id!r} is in several benchmarks",
                    'add a column "benchmark" with the name of one, or name one benchmark only',
                    path=path,
                )
        return keys[0] if keys else None

    def _named(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name in self._names:
            return self._names[name]
        close = [number for known, number in self._names.items() if known.startswith(name)]
        return close[0] if len(close) == 1 else None

    def _of_text(self, result: Result) -> ItemKey | None:
        if not self._by_text:
            for key, item in self._items():
                self._by_text[_normal(item.question or item.passage)].append(key)
        named = self._named(result.benchmark)
        for text in result.texts:
            keys = self._by_text.get(_normal(text), [])
            keys = [key for key in keys if named is None or key[0] == named] or keys
            same = [key for key in keys if self._item(key).id == result.item_id]
            if same or keys:  # of items with one question, the one with this id, else the first
                return (same or keys)[0]
        return None

    def _item(self, key: ItemKey) -> Item:
        return self._benchmarks[key[0]].items[key[1]]

    def _items(self) -> list[tuple[ItemKey, Item]]:
        return [
            ((number, place), item)
            for number, benchmark in enumerate(self._benchmarks)
            for place, item in enumerate(benchmark.items)
        ]


def _normal(text: str) -> bytes:
    return word_hashes(text).tobytes()


def _ids(names: object) -> str:
    shown = list(dict.fromkeys(names))[:SHOWN_IDS]  # type: ignore[call-overload]  # an iterable of str
    return ", ".join(repr(name if len(name) <= 60 else name[:59] + "…") for name in shown)


def _expand(path: str) -> list[str]:
    place = Path(path)
    if not place.exists():
        raise does_not_exist(place)
    if not place.is_dir():
        return [path]
    files = sorted(
        each for each in place.rglob("*") if each.is_file() and not each.name.startswith(".")
    )
    known = [each for each in files if each.name.lower().endswith(SUFFIXES)]
    logs = [each for each in known if each.name == HELM_STATS or each.name.startswith("samples_")]
    found = [each.as_posix() for each in logs or known]
    if not found:
        raise BenchmarkError(
            "the folder holds no file of a known kind",
            f"known are {', '.join(SUFFIXES)}",
            path=path,
        )
    return found


def _read(file: Path, metric: str | None) -> ScoreFile:
    path = file.as_posix()
    if not path.lower().endswith(SUFFIXES):
        raise BenchmarkError(
            "is not of a known kind", f"known are {', '.join(SUFFIXES)}", path=path
        )
    data = _bytes(file)
    rows = list(records(data, path, None))
    if not rows:
        raise BenchmarkError("has no results", "name a file with at least one", path=path)
    layout = recognise_results(rows[0][1])
    if layout is None:
        raise BenchmarkError(
            f"the keys {named_keys(rows[0][1])} name no item and score",
            f"write {EXAMPLE}",
            path=path,
            row=rows[0][0],
        )
    place = _place(file, layout, metric)
    results = tuple(READERS[layout](rows, place))
    if not results:
        raise BenchmarkError("has no results that count", "name another file", path=path)
    return ScoreFile(path, hashlib.sha256(data).hexdigest(), layout, results, dict(place.skipped))


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise too_large(file.as_posix())
        return file.read_bytes()
    except OSError as error:
        raise BenchmarkError(
            f"cannot be read: {error.strerror}",
            "check the file and its permissions",
            path=file.as_posix(),
        ) from error


def _place(file: Path, layout: str, metric: str | None) -> Place:
    """Return what the names of file and folder say of model and task."""
    suffix = max((end for end in SUFFIXES if file.name.lower().endswith(end)), key=len)
    stem = file.name[: -len(suffix)]
    folder = file.absolute().parent.name
    path = file.as_posix()
    if layout == "lm-evaluation-harness":
        name = HARNESS_NAME.match(stem)
        return Place(path, folder if name else stem, name["task"] if name else None, metric)
    if layout == "helm":
        model = HELM_MODEL.search(folder)
        task = folder.partition(":")[0] if model else None
        return Place(path, model[1] if model else folder, task, metric, _helm_texts(file))
    return Place(path, stem, metric=metric)


def _helm_texts(stats: Path) -> dict[str, str]:
    """Return the questions of HELM's instances, of the file beside the statistics; none without it."""
    file = stats.with_name("instances.json")
    if not file.is_file():
        return {}
    texts: dict[str, str] = {}
    for _, record in records(_bytes(file), file.as_posix(), None):
        given = record.get("input")
        text = given.get("text") if isinstance(given, dict) else given
        if isinstance(text, str) and record.get("id") is not None:
            texts.setdefault(str(record["id"]), text)
    return texts
