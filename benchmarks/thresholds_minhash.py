"""The curves that led to the thresholds: false positives on siblings against recall, by score and length.

    python benchmarks/thresholds_minhash.py [--data DIR] [--seed 1] [--parts a b c]

a  The MinHash scanner's rule (scanners/judge_reworded.py) on the development half, at every score that
   a question might need instead of the one that was chosen, by words of the question and by shared
   numbers; then with one constant changed at a time; then by final score.
b  The chosen rule on both halves, the n-gram scanner alone and with it, with exact intervals.
c  The n-gram scanner's rule (scanners/judge.py): the score of a question, by its words, on siblings and
   items taken apart, and on copies with one and two words in ten replaced.

The rules are the product's own: a constant is replaced for as long as they judge, no formula is copied.
In (a) and (b) items are found by both scanners; what a document counts for in (a) is what the MinHash
scanner adds, so documents that the n-gram scanner calls contaminated are left out there.
The scores that were chosen are set in bold. Intervals: Clopper and Pearson 1934, 95 %.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from harness import (
    Filler,
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)
from thresholds_documents import (
    BENCHMARKS,
    DEVELOPMENT,
    HELD_OUT,
    NULL,
    PLAIN,
    REWORDING,
    SIBLING,
    Class,
    Index,
    Places,
    Reading,
    by_ngrams,
    by_signatures,
    class_name,
    contaminated,
    nearest,
    nulls,
    rewordings,
    siblings,
    within,
)
from thresholds_ngram import print_ngram_scores

from reports.intervals import binomial_interval
from scanners import judge_reworded as rules
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE, LeakType, Status

SCORES: Final = tuple(round(0.30 + 0.05 * step, 2) for step in range(14))
LEVELS: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
WORDS: Final = ((8, 15), (16, 24), (25, 34), (35, 44), (45, math.inf))
SHARED: Final = ((0, 0), (1, 1), (2, math.inf))
ONE_AT_A_TIME: Final[dict[str, tuple[float, ...]]] = {
    "NEEDED_LONG": (0.35, 0.4, 0.5, 0.55),
    "NEEDED_SHORT": (0.6, 0.65, 0.75, 0.8),
    "NEEDED_WITHOUT_NUMBERS": (0.0, 0.1, 0.2, 0.4),
    "NUMBER_PRICE": (0.0, 0.3, 0.5, 0.85, 1.0),
    "LEAST_ASK": (0.0, 0.2, 0.6),
    "IN_ORDER": (0.0, 1.3, 1.4, 1.5, 1.6),
    "SHORT_ORDER": (0.0, 0.3),
}


def main() -> int:
    """Print the parts that are asked for."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", nargs="+", default=list("abc"), choices=list("abc"))
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    started = time.perf_counter()
    index = Index(data)
    print(f"{machine()}; seed {options.seed}; {len(index.plan.items)} items\n")
    filler = Filler(data, options.seed)
    negatives = [index.read(f) for f in (*siblings(data, filler), *nulls(index, filler))]

    def read(half: str, *, one_per_item: bool) -> list[Reading]:
        drawn = Filler(data, options.seed)  # a part does not depend on the others
        families = rewordings(data, index, drawn, half, one_per_item=one_per_item)
        return [index.read(family) for family in families]

    if "a" in options.parts:
        positives = read(DEVELOPMENT, one_per_item=False)
        print_needed(positives, negatives, index)
        print_one_at_a_time(positives, negatives, index)
        print_levels(positives, negatives, index)
    if "b" in options.parts:
        halves = {half: read(half, one_per_item=True) for half in (DEVELOPMENT, HELD_OUT)}
        print_halves(halves, negatives, index)
    if "c" in options.parts:
        print_ngram_scores(negatives, index, Filler(data, options.seed), data)
    print(f"{time.perf_counter() - started:.0f} s")
    return 0


# --- (a) the MinHash scanner ----------------------------------------------------------------------


class Added:
    """What the MinHash scanner adds to a family, by class of question and shared numbers."""

    def __init__(self, reading: Reading, index: Index, benchmark: str) -> None:
        self.reading, self.index, self.benchmark = reading, index, benchmark
        self.left = np.ones(len(reading.family.texts), np.bool_)
        self.left[contaminated(by_ngrams(reading, index))] = False
        locus = reading.reworded.evidence
        self.place_words = index.lengths[locus.pattern]
        self.place_shared = reading.features.shared_numbers
        if any(reading.family.own):
            own = np.array([index.number[ident] for ident in reading.family.own])
            self.question = index.question[own]
            assert index.plan.signed is not None
            self.sought = np.isin(self.question, index.plan.signed.texts.pattern)
            self.best = self._best_places()

    def at(self, needed: float) -> Places:
        """Return what is contaminated where every question needs the same score."""
        places = by_signatures(
            self.reading, self.index, needed_score=lambda words, _: np.full(len(words), needed)
        )
        own = (self.index.benchmark[places.item] == self.benchmark) & self.left[places.document]
        return places.some(own & (places.status == Status.CONTAMINATED))

    def count(self, places: Places, words: Class, shared: Class) -> int:
        """Return how many documents have a place in a class."""
        fits = within(self.place_words[places.row], words)
        fits &= within(self.place_shared[places.row], shared)
        return len(np.unique(places.document[fits]))

    def recall(self, places: Places, words: Class, shared: Class) -> tuple[int, int]:
        """Return (found, all) of the rewordings whose best place is in a class."""
        fits = self.left & (self.best >= 0)
        best = self.best[fits]
        chosen = np.flatnonzero(fits)[
            within(self.place_words[best], words) & within(self.place_shared[best], shared)
        ]
        return int(np.isin(chosen, places.document).sum()), len(chosen)

    def _best_places(self) -> np.ndarray:
        """Return the row of each document's best place of its own item, -1 where none was read."""
        locus, features = self.reading.reworded.evidence, self.reading.features
        rows = np.flatnonzero(locus.pattern == self.question[locus.document])
        rows = rows[np.argsort((features.words + features.spelling)[rows], kind="stable")]
        best = np.full(len(self.question), -1)
        best[locus.document[rows]] = rows  # the last one stays
        return best


def print_needed(positives: Sequence[Reading], negatives: Sequence[Reading], index: Index) -> None:
    """Print false positives and recall at every score that a question might need."""
    print(
        "## a. The score that a question needs, development half\n\n"
        "Cells: siblings / plain documents called contaminated, then the share of the rewordings "
        "found. n are the rewordings whose\nbest place shares so many numbers. Documents that the "
        "n-gram scanner calls contaminated are left out. Bold: nearest to what was chosen.\n"
    )
    for benchmark in BENCHMARKS:
        found = [
            Added(r, index, benchmark)
            for r in positives
            if r.family.kind == REWORDING and r.family.benchmark == benchmark
        ]
        rest = [
            Added(r, index, benchmark)
            for kind in (SIBLING, PLAIN)
            for r in negatives
            if r.family.kind == kind and r.family.benchmark in (benchmark, "")
        ]
        _print_classes(benchmark, found, rest)


def _print_classes(benchmark: str, found: Sequence[Added], rest: Sequence[Added]) -> None:
    found_at = [[one.at(score) for score in SCORES] for one in found]
    rest_at = [[one.at(score) for score in SCORES] for one in rest]
    rows: list[list[object]] = []
    for words in WORDS:
        for shared in SHARED:
            recalls = [
                [one.recall(places, words, shared) for places in at]
                for one, at in zip(found, found_at, strict=True)
            ]
            wrong = np.zeros((2, len(SCORES)), np.int64)  # siblings, plain documents
            for one, at in zip(rest, rest_at, strict=True):
                kind = int(one.reading.family.kind == PLAIN)
                wrong[kind] += [one.count(places, words, shared) for places in at]
            n = sum(recall[0][1] for recall in recalls)
            if not n and not wrong.any():
                continue
            hits = np.sum([[hit for hit, _ in recall] for recall in recalls], axis=0)
            cells = [
                f"{siblings}/{plain}" + (f" {hit / n:.2f}" if n else "")
                for siblings, plain, hit in zip(*wrong.tolist(), hits.tolist(), strict=True)
            ]
            chosen = nearest(SCORES, _needed(words, shared))
            cells[chosen] = f"**{cells[chosen]}**"
            rows.append([class_name(words), class_name(shared), n, *cells])
    rows += _totals([*rest, *found], [*rest_at, *found_at])
    left = sum(int(one.left.sum()) for one in found)
    unread = sum(int((one.left & (one.best < 0)).sum()) for one in found)
    unsought = sum(int((one.left & ~one.sought).sum()) for one in found)
    print(
        f"### {benchmark}\n\nOf the {left} rewordings that are left {unsought} are of questions that are "
        f"not sought by signature (too short), {unread - unsought}\nmore share too little to be read.\n"
    )
    print(table(rows, ("words", "numbers", "n", *map(str, SCORES))) + "\n")


def _totals(
    families: Sequence[Added], found_at: Sequence[Sequence[Places]]
) -> Iterator[list[object]]:
    """Yield rates over all classes."""
    for one, at in zip(families, found_at, strict=True):
        n = int(one.left.sum())
        rates = [f"{len(np.unique(places.document)) / n:.2%}" for places in at]
        yield [one.reading.family.name, "", n, *rates]


def _needed(words: Class, shared: Class) -> float:
    """Return the score that is needed in the middle of a class."""
    middle = words[0] if words[1] == math.inf else sum(words) / 2
    needed = rules.needed_score(np.array([middle]), np.array([shared[0]]))
    return float(needed[0])


def print_one_at_a_time(
    positives: Sequence[Reading], negatives: Sequence[Reading], index: Index
) -> None:
    """Print what the rule adds with one of its constants changed."""
    readings = [*negatives, *positives]
    settings: list[tuple[str, dict[str, Any]]] = [("**as chosen**", {})]
    for name, values in ONE_AT_A_TIME.items():
        settings += [
            (f"{name} {value:g} for {getattr(rules, name):g}", {name: value}) for value in values
        ]
    left = [Added(r, index, r.family.benchmark).left for r in readings]
    rows = []
    for label, constants in settings:
        cells = []
        for reading, rest in zip(readings, left, strict=True):
            documents = contaminated(by_signatures(reading, index, **constants))
            count = int(rest[documents].sum())
            false = reading.family.kind in (SIBLING, NULL, PLAIN)
            cells.append(str(count) if false else f"{count / rest.sum():.3f}")
        rows.append((label, *cells))
    header = [f"{r.family.name} {int(rest.sum())}" for r, rest in zip(readings, left, strict=True)]
    print(
        "### One constant at a time\n\nSiblings and plain documents: how many the MinHash scanner "
        "calls contaminated. Rewordings and variants: the share\nof those that the n-gram scanner "
        "leaves. (A variant asks something else; the fewer the better.)\n"
    )
    print(table(rows, ("", *header)) + "\n")


def print_levels(positives: Sequence[Reading], negatives: Sequence[Reading], index: Index) -> None:
    """Print what is suspect or more where the final score for that is another."""
    readings = [*negatives, *positives]
    left = [Added(r, index, r.family.benchmark).left for r in readings]
    rows = []
    for level in LEVELS:
        cells = []
        for reading, rest in zip(readings, left, strict=True):
            places = by_signatures(reading, index, SUSPECT_SCORE=level)
            scored = places.some(places.leak_type != LeakType.TEMPLATE)
            cells.append(_rate(scored.document, rest))
        chosen = level in (SUSPECT_SCORE, CONTAMINATED_SCORE)
        rows.append((f"**{level}**" if chosen else str(level), *cells))
    for label, least in (
        ("suspect or more", Status.SUSPECT),
        ("contaminated", Status.CONTAMINATED),
    ):
        judged = [by_signatures(reading, index) for reading in readings]
        cells = [
            _rate(places.document[places.status >= least], rest)
            for places, rest in zip(judged, left, strict=True)
        ]
        rows.append((f"{label}, as judged", *cells))
    header = [f"{r.family.name} {int(rest.sum())}" for r, rest in zip(readings, left, strict=True)]
    print(
        "### The final score\n\nDocuments with a place of at least this score, templates left out, of "
        "those that the n-gram scanner does not call\ncontaminated; 0.6 is what a question needs by "
        "construction. As judged: with templates, and without passages where\nit says contaminated.\n"
    )
    print(table(rows, ("score", *header)) + "\n")


def _rate(documents: np.ndarray, left: np.ndarray) -> str:
    return f"{left[np.unique(documents)].sum() / left.sum():.2%}"


# --- (b) both halves ------------------------------------------------------------------------------


def print_halves(
    halves: dict[str, list[Reading]], negatives: Sequence[Reading], index: Index
) -> None:
    """Print what the chosen rules find in both halves, alone and together."""
    print(
        "## b. The chosen rules on both halves\n\nOne text of each item, so that trials are "
        "independent; siblings and plain documents are in no half. Shares of documents\nwith their "
        "interval; for siblings and plain documents these are false positives, but for near-duplicates "
        "among them.\n"
    )
    rows = []
    for half, readings in (*halves.items(), ("-", negatives)):
        for reading in readings:
            alone, more = by_ngrams(reading, index), by_signatures(reading, index)
            n = len(reading.family.texts)
            cells = []
            for least in (Status.CONTAMINATED, Status.SUSPECT):
                by_one = set(alone.document[alone.status >= least].tolist())
                by_both = by_one | set(more.document[more.status >= least].tolist())
                cells += [_share(len(by_one), n), _share(len(by_both), n)]
            rows.append((reading.family.name, half, n, *cells))
    order = list(dict.fromkeys(row[0] for row in rows))
    rows.sort(key=lambda row: order.index(row[0]))
    header = (
        "family", "half", "n", "n-grams: contaminated", "with MinHash", "n-grams: suspect or more",
        "with MinHash",
    )  # fmt: skip
    print(table(rows, header) + "\n")


def _share(k: int, n: int) -> str:
    low, high = binomial_interval(k, n)
    digits = 1 if k > n / 100 else 2
    return f"{k / n:.{digits}%} [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


if __name__ == "__main__":
    raise SystemExit(main())
