"""Recall of rewordings at false-positive rates on siblings, stage by stage.

    python benchmarks/quality_semantic.py [--data DIR] [--half held-out] [--quick] [--seed 1]
                                          [--no-model] [--no-prefilter]

Documents (semantic_documents.py): items in other words, hidden between 200 words of news and books, and
siblings in the same surroundings: items of other splits and of other benchmarks of the kind, and the
benchmark's own other items. All of GSM8K test, MMLU test and HumanEval is looked for. Code, too: rephrased
tasks, the same without docstrings and comments, and HumanEval-X by language.

Stages, each with those above it:
  n-grams        the n-gram scanner
  + MinHash      with rewordings by what they are spelled with
  stage 0        the static cosine alone, by which windows are nominated; last what code is by its shape
  + words        the embedding scanner without a transformer (`scanners.semantic_evidence`)
  + model        with the packaged transformer (or none: --no-model)

A rewording counts as found by its own item only. A sibling counts by any item of its benchmark but
near-duplicates: items with six of ten words in common, and what the n-gram scanner calls contaminated.
They are told below, apart. A rate at which less than one sibling may be flagged is printed as "-".
Intervals: Clopper and Pearson 1934, 95 %. Weights and thresholds were chosen on the development half.
`--quick` takes a tenth of the siblings and no model. `--no-prefilter` opens all lists of stage 0.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from detection_documents import Known
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)
from semantic_documents import (
    PLAIN,
    POSITIVE,
    SIBLING,
    VARIANT,
    Document,
    Near,
    semantic_documents,
)

from corpora.benchmarks import read_benchmarks
from indexes.background import load_background
from indexes.embeddings.encoder import load_encoder
from indexes.embeddings.static import load_static
from pipelines.shard_step import ScanPlan, text_buffers
from reports.intervals import binomial_interval
from scanners.embedding import nominate
from scanners.judge import Judged, LeakType, Status, judge
from scanners.judge_reworded import judge_reworded
from scanners.judge_semantic import judge_semantic, scores_of
from scanners.meaning import read_nominated
from scanners.minhash import scan_rewordings
from scanners.ngram import Scanned, scan_texts
from scanners.patterns import build_patterns
from scanners.semantic import SecondOpinion, Semantic

HALVES: Final = {"development": 0, "held-out": 1}
RATES: Final = (1e-2, 1e-3, 1e-4)
NGRAM, MINHASH, STATIC, WORDS, MODEL = "n-grams", "+ MinHash", "stage 0", "+ words", "+ model"
BATCH: Final = 1_000
QUICK_SHARE: Final = 0.1
LEAST_RANK: Final = 1e-6  # of what is nominated


def main() -> int:
    """Build the set, run the stages, print the tables."""
    options = _parser().parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    known = Known(data)
    share = QUICK_SHARE if options.quick else 1.0
    documents = semantic_documents(data, known, HALVES[options.half], options.seed, share)
    print(f"{machine()}; half: {options.half}, seed {options.seed}; {len(documents)} documents\n")
    started = time.perf_counter()
    stages = Stages(known, model=not (options.no_model or options.quick), exact=options.exact)
    results = stages.results(documents)
    print_rates(results)
    print_verdicts(results)
    print_plain(results)
    seconds = {name: f"{value:.0f} s" for name, value in stages.seconds.items()}
    print(f"{seconds}; {time.perf_counter() - started:.0f} s in all")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--half", choices=list(HALVES), default="held-out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the siblings, no model")
    parser.add_argument("--no-model", action="store_true", help="leave the transformer out")
    parser.add_argument("--no-prefilter", dest="exact", action="store_true")
    return parser


# --- what each stage says -------------------------------------------------------------------------


@dataclass(slots=True)
class Stage:
    """What one stage says to each document: float64 or int (documents,)."""

    own: np.ndarray  # rank of the own item: 2 + score contaminated, 1 + score suspect, score below
    other: np.ndarray  # of the strongest other item of the benchmark
    leak_type: np.ndarray  # of the own item, -1 where nothing was judged


@dataclass(slots=True)
class Results:
    """What all stages say."""

    documents: Sequence[Document]
    stages: dict[str, Stage]
    near: np.ndarray  # documents that are near an item or that n-grams call contaminated

    def rows(self, **wanted: str) -> np.ndarray:
        """Return the documents whose attributes are those named."""
        return np.flatnonzero(
            [all(getattr(d, k) == v for k, v in wanted.items()) for d in self.documents]
        )


class Stages:
    """The scanners, and what they say to documents."""

    def __init__(self, known: Known, model: bool, exact: bool) -> None:
        read = read_benchmarks([str(file) for file in known.files])
        patterns = build_patterns(read, load_background())
        self.plan = ScanPlan(read, patterns, scanners=("ngram", "minhash"))
        self.patterns = patterns
        items = self.plan.items
        self.ids = [item.id for item in items]
        self.benchmark = [known.benchmark_of[ident] for ident in self.ids]
        self.static = load_static()
        self.semantic = Semantic(patterns, items, load_background(), self.static)
        self.opinion = SecondOpinion(load_encoder(None, "cpu"), items, patterns) if model else None
        self.near = Near(known)
        self.exact = exact
        self.seconds: dict[str, float] = dict.fromkeys((NGRAM, MINHASH, STATIC, WORDS, MODEL), 0.0)

    def results(self, documents: Sequence[Document]) -> Results:
        """Let all stages read the documents."""
        names = [NGRAM, MINHASH, STATIC, WORDS, *([MODEL] if self.opinion else [])]
        n = len(documents)
        results = Results(
            documents,
            {name: Stage(np.zeros(n), np.zeros(n), np.full(n, -1)) for name in names},
            np.zeros(n, np.bool_),
        )
        for first in range(0, n, BATCH):
            self._read(first, documents[first : first + BATCH], results)
        return results

    def _read(self, first: int, documents: Sequence[Document], results: Results) -> None:
        data, bounds = text_buffers(pa.array([d.text for d in documents], pa.large_string()))
        plan, patterns, semantic = self.plan, self.patterns, self.semantic
        clock = _Clock(self.seconds)
        scanned = scan_texts(data, bounds, plan.target, plan.tally.marks)
        verdicts = judge(scanned, patterns)
        clock.stop(NGRAM)
        assert plan.signed is not None
        reworded, features = scan_rewordings(data, bounds, plan.target, plan.signed)
        more = judge_reworded(reworded, features, patterns, scanned, verdicts)
        clock.stop(MINHASH)
        found = nominate(data, bounds, semantic.meant, self.static, exact=self.exact)
        clock.stop(STATIC)
        known = [(scanned, verdicts), (reworded, more)]
        read, meanings = read_nominated(
            data, bounds, found, semantic.meant, semantic.asked, plan.target, self.static
        )
        scores = scores_of(read, meanings, patterns, semantic.meant, semantic.asked).score
        judged = judge_semantic(read, meanings, patterns, semantic.meant, semantic.asked, known)
        clock.stop(WORDS)
        tell = _Teller(self, first, documents, results)
        tell.near_duplicates(scanned, verdicts)
        earlier = (NGRAM, MINHASH, WORDS, MODEL)
        tell.judged(earlier, scanned, verdicts)
        tell.judged(earlier[1:], reworded, more)
        cosine = np.maximum(found.cosine, LEAST_RANK)
        tell.ranked((STATIC,), found.document, semantic.meant.item[found.row], cosine)
        item = semantic.meant.item[meanings.row.astype(np.int64)]
        tell.judged((WORDS,), read, judged)
        tell.ranked((WORDS,), read.evidence.document, item, np.minimum(scores, 0.999))
        if self.opinion is not None:
            clock = _Clock(self.seconds)
            meanings = self.opinion.hear(
                data, bounds, plan.target, semantic.meant, semantic.asked, read, meanings
            )
            scores = scores_of(read, meanings, patterns, semantic.meant, semantic.asked).score
            judged = judge_semantic(read, meanings, patterns, semantic.meant, semantic.asked, known)
            clock.stop(MODEL)
            tell.judged((MODEL,), read, judged)
            tell.ranked((MODEL,), read.evidence.document, item, np.minimum(scores, 0.999))


class _Clock:
    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds, self.since = seconds, time.perf_counter()

    def stop(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] += now - self.since
        self.since = now


class _Teller:
    """Enters what is said to a batch into the results."""

    def __init__(
        self, stages: Stages, first: int, documents: Sequence[Document], results: Results
    ) -> None:
        self.stages, self.first, self.documents, self.results = stages, first, documents, results
        self.passed: dict[tuple[int, int], bool] = {}

    def near_duplicates(self, scanned: Scanned, verdicts: Judged) -> None:
        """Note what the n-gram scanner calls contaminated: siblings that are copies."""
        strong = verdicts.status == Status.CONTAMINATED
        places = scanned.evidence.document[verdicts.evidence[strong]].tolist()
        items = self.stages.patterns.owners.item[verdicts.owner[strong]].tolist()
        for place, item in zip(places, items, strict=True):
            if self.documents[place].kind == SIBLING:
                self.passed[place, item] = False

    def judged(self, names: Sequence[str], scanned: Scanned, judged: Judged) -> None:
        """Enter verdicts: a rank of 2 and the score where contaminated, 1 and the score where suspect."""
        rank = judged.status + np.minimum(judged.score, 0.999)
        document = scanned.evidence.document[judged.evidence]
        item = self.stages.patterns.owners.item[judged.owner]
        self.ranked(names, document, item, rank, judged.leak_type)

    def ranked(
        self,
        names: Sequence[str],
        document: np.ndarray,
        item: np.ndarray,
        rank: np.ndarray,
        leak_type: np.ndarray | None = None,
    ) -> None:
        """Enter ranks of items; the best of an item's stays."""
        types = np.full(len(rank), -1) if leak_type is None else leak_type
        rows = zip(document.tolist(), item.tolist(), rank.tolist(), types.tolist(), strict=True)
        for place, number, value, kind in rows:
            at = self.first + place
            own = self.stages.ids[number] in self.documents[place].own
            for name in names:
                if (stage := self.results.stages.get(name)) is None:
                    continue
                if own:
                    if value > stage.own[at]:
                        stage.own[at], stage.leak_type[at] = value, kind
                elif value > stage.other[at] and self._counts(place, number):
                    stage.other[at] = value

    def _counts(self, place: int, item: int) -> bool:
        """Tell whether an item counts against a document: one of its benchmark, and no near one."""
        document = self.documents[place]
        if document.benchmark and self.stages.benchmark[item] != document.benchmark:
            return False
        if (place, item) not in self.passed:
            near = self.stages.near.is_near(document.bare, self.stages.ids[item])
            self.passed[place, item] = document.kind == PLAIN or not near
        if not self.passed[place, item]:
            self.results.near[self.first + place] = True
        return self.passed[place, item]


# --- tables ---------------------------------------------------------------------------------------


def print_rates(results: Results) -> None:
    """Print recall at false-positive rates of siblings, by stage."""
    print("## Recall at a false-positive rate on siblings\n")
    rows = []
    for family, benchmark in _families(results, POSITIVE):
        positives = results.rows(family=family)
        siblings = results.rows(kind=SIBLING, benchmark=benchmark)
        for rate in RATES:
            cells = [_recall(stage, positives, siblings, rate) for stage in results.stages.values()]
            rows.append((family, len(positives), len(siblings), f"{rate:g}", *cells))
    print(table(rows, ("family", "n", "siblings", "rate", *results.stages)) + "\n")


def _recall(stage: Stage, positives: np.ndarray, siblings: np.ndarray, rate: float) -> str:
    allowed = int(rate * len(siblings) + 1e-9)
    if allowed < 1:
        return "-"
    limit = np.sort(stage.other[siblings])[::-1][allowed]
    return share(int((stage.own[positives] > limit).sum()), len(positives))


def print_verdicts(results: Results) -> None:
    """Print what the scanners' own thresholds make of each family."""
    print("## Verdicts\n\nContaminated, and suspect or more; of variants, as a template.\n")
    rows: list[tuple[Any, ...]] = []
    for kind in (POSITIVE, VARIANT):
        for family, _ in _families(results, kind):
            rows += _verdict_rows(results, family, results.rows(family=family))
    names = [name for name in results.stages if name != STATIC]
    print(table(rows, ("family", "n", "verdict", *names)) + "\n")
    rows = []
    for family, benchmark in _families(results, SIBLING):
        chosen = results.rows(family=family, benchmark=benchmark)
        for verdict, least in (("contaminated", 2), ("suspect or more", 1)):
            cells = [
                share(int((results.stages[name].other[chosen] >= least).sum()), len(chosen), 4)
                for name in names
            ]
            near = int(results.near[chosen].sum())
            rows.append((f"{family} ({benchmark})", len(chosen), near, verdict, *cells))
    print("Siblings (near: also near-duplicates, which are not counted here):\n")
    print(table(rows, ("family", "n", "near", "verdict", *names)) + "\n")


def _verdict_rows(results: Results, family: str, chosen: np.ndarray) -> Iterator[tuple[Any, ...]]:
    names = [name for name in results.stages if name != STATIC]
    nominated = int((results.stages[STATIC].own[chosen] > 0).sum())
    found = [share(nominated, len(chosen)) if name == WORDS else "" for name in names]
    yield family, len(chosen), "nominated by stage 0", *found
    for verdict in ("contaminated", "suspect or more", "template"):
        cells = []
        for name in names:
            stage = results.stages[name]
            hit = stage.own[chosen] >= (2 if verdict == "contaminated" else 1)
            if verdict == "template":
                hit &= stage.leak_type[chosen] == LeakType.TEMPLATE
            cells.append(share(int(hit.sum()), len(chosen)))
        yield family, len(chosen), verdict, *cells


def print_plain(results: Results) -> None:
    """Print what plain documents pass, by domain."""
    rows = []
    for family, _ in _families(results, PLAIN):
        chosen = results.rows(family=family)
        nominated = results.stages[STATIC].other[chosen] > 0
        cells = [f"{nominated.mean():.2%}"]
        for name in (MINHASH, WORDS):
            for least in (1, 2):
                cells.append(str(int((results.stages[name].other[chosen] >= least).sum())))
        rows.append((family, len(chosen), *cells))
    header = (
        "domain", "documents", "nominated", "before: suspect", "contaminated", "with words: suspect",
        "contaminated",
    )  # fmt: skip
    print("## Plain documents of 200 words\n\n" + table(rows, header) + "\n")


def _families(results: Results, kind: str) -> list[tuple[str, str]]:
    pairs = ((d.family, d.benchmark) for d in results.documents if d.kind == kind)
    return list(dict.fromkeys(pairs))


def share(k: int, n: int, digits: int = 3) -> str:
    """Return k of n with its interval."""
    low, high = binomial_interval(k, n)
    return f"{k / n:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


if __name__ == "__main__":
    raise SystemExit(main())
