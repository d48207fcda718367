"""Recall at fixed false-positive rates, operating points and precision, beside the peers.

    python benchmarks/quality_detection.py [--data DIR] [--half held-out] [--per-form 90] [--seed 1]
                                           [--peers decontaminate datatrove any-n-gram char-5-gram]
                                           [--cache DIR] [--python3.12 PATH]

Every detector gets the same documents (detection_set.py says which) and looks for the same items: all of
GSM8K test, MMLU test and HumanEval. A positive counts as found only by its own item or one of the same
question (datatrove does not say which: any will do); a negative by any item at all.

Items, rewordings and negatives are split by the CRC-32 of their ids. Thresholds may have been chosen on
the development half; what is printed is the held-out one unless --half says otherwise.

Detectors (detection_peers.py):
  ngram, ngram+minhash   Sluicegate; ranked by status and score of the strongest verdict on the item
  decontaminate          PyPI's bindings of allenai/decon, installed in --cache
  datatrove              its n-gram filter, n = 12, installed in --cache; it does not grade
  any n-gram             the longest shared run of words; rules for n = 13 and n = 8
  char 5-grams           containment of the 5-grams of question and choices in the document

What a detector cannot search for is missed. A false-positive rate at which less than one of the
negatives may be flagged is printed as "-": they are too few to tell it from none. Intervals are exact
(Clopper and Pearson 1934), 95 %. Takes four to five minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from detection_documents import (
    BARE,
    CLEAN,
    COPIES,
    EDITS,
    HALVES,
    IN_FILLER,
    NEAR,
    NEGATIVE_GROUPS,
    POSITIVE_GROUPS,
    REWORDINGS,
    Document,
    Draw,
    Known,
)
from detection_negatives import QUESTIONS, SIBLINGS_OF, siblings_of
from detection_peers import DETECTORS, OWN, CacheError, Detection, Setting
from detection_set import injection_set
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)

from reports.intervals import binomial_interval, rule_of_three

RATES: Final = (1e-2, 1e-3, 1e-4)
SIBLING_RATES: Final = RATES[:2]  # no benchmark has 10,000 siblings
PREVALENCES: Final = (1_000, 100_000)
REAL: Final = ("documents", "code")
POOL: Final = "all clean"
LAYOUTS: Final = (IN_FILLER, BARE)


def main() -> int:
    """Build the set, run the detectors, print the tables."""
    options = _parser().parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    known = Known(data)
    draw = Draw(HALVES[options.half], options.per_form, options.seed)
    documents = injection_set(data, known, draw)
    print(
        f"{machine()}; half: {options.half}, seed {options.seed}, {options.per_form} per form; "
        f"{len(documents)} documents, {len(known.items)} items\n"
    )
    detections = list(detect(documents, Setting(known, options.cache, options.python), options))
    results = Results(documents, detections)
    print_set(results)
    print_rewordings(results)
    print_forms(results)
    print_families(results)
    print_operating_points(results)
    print_union(results)
    print_precision(results)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    peers = [name for name in DETECTORS if name not in OWN]
    parser.add_argument("--half", choices=list(HALVES), default="held-out")
    parser.add_argument("--per-form", type=int, default=90, help="items of a planted form, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", nargs="*", choices=peers, default=peers)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--python3.12", dest="python", default="python3.12", metavar="PATH")
    return parser


def detect(
    documents: Sequence[Document], setting: Setting, options: argparse.Namespace
) -> Iterator[Detection]:
    """Run the detectors, each for all documents; name those that are absent."""
    for name, detector in DETECTORS.items():
        if name not in OWN and name not in options.peers:
            print(f"{name}: not asked for")
            continue
        started = time.perf_counter()
        try:
            yield from detector(documents, setting)
        except CacheError as error:
            print(f"{name}: ABSENT: {error}")
            continue
        print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
    print()


# --- rates ----------------------------------------------------------------------------------------


class Results:
    """Scores and rules of all detectors, and which documents are asked for."""

    def __init__(self, documents: Sequence[Document], detections: Sequence[Detection]) -> None:
        self.documents = documents
        self.detections = detections
        self.form = np.array([document.form for document in documents])
        self.group = np.array([document.group for document in documents])
        self.benchmark = np.array([document.benchmark for document in documents])
        self.layout = np.array([document.layout for document in documents])
        self.positive = np.array([bool(document.own) for document in documents])

    def positives(self, layout: str, form: str) -> np.ndarray:
        """Return the rows of positives of a form."""
        return np.flatnonzero(self.positive & (self.form == form) & (self.layout == layout))

    def negatives(self, family: str) -> np.ndarray:
        """Return the rows of a family of negatives; "NAME, near" are those near a test item."""
        if family == POOL:
            again = np.char.endswith(self.form, QUESTIONS)  # the same siblings once more
            return np.flatnonzero(~self.positive & (self.group == CLEAN) & ~again)
        near = (self.group == NEAR) == family.endswith(", near")
        named = self.form == family.removesuffix(", near")
        return np.flatnonzero(~self.positive & near & named)

    def forms(self) -> list[str]:
        """Return the forms of positives in the order in which they were made."""
        return list(dict.fromkeys(self.form[self.positive].tolist()))

    def families(self) -> list[str]:
        """Return the families of negatives by group, those near a test item apart."""
        pairs = zip(self.group[~self.positive], self.form[~self.positive], strict=True)
        families = sorted(dict.fromkeys(pairs), key=lambda pair: NEGATIVE_GROUPS.index(pair[0]))
        return [f"{name}, near" if group == NEAR else str(name) for group, name in families]


def limit_at(negatives: np.ndarray, rate: float) -> float | None:
    """Return the score that a share of at most `rate` of the negatives exceeds.

    None where not one negative may exceed it: too few to tell the rate from none.
    """
    allowed = int(rate * len(negatives) + 1e-9)
    if allowed < 1:
        return None
    return float(np.sort(negatives)[::-1][allowed])


def recall_at(scores: np.ndarray, positives: np.ndarray, limit: float | None) -> str:
    """Return the recall above a limit with its interval; "-" where there is no limit."""
    if limit is None or not len(positives):
        return "-"
    return share(int((scores[positives] > limit).sum()), len(positives))


def share(k: int, n: int) -> str:
    """Return k of n with its interval."""
    low, high = binomial_interval(k, n)
    return f"{k / n:.2f} [{low:.2f}, {high:.2f}]"


def precision(recall: float, false_positive_rate: float, one_in: int) -> float:
    """Return the share of true ones of what is flagged, where one in so many documents is one."""
    true, false = recall / one_in, false_positive_rate * (1 - 1 / one_in)
    return true / (true + false) if true + false > 0 else 0.0


# --- tables ---------------------------------------------------------------------------------------


def print_set(results: Results) -> None:
    """Print what there is of positives and negatives."""
    rows = [
        (
            form, results.group[results.form == form][0],
            *((results.benchmark[results.positives(BARE, form)] == b).sum() for b in SIBLINGS_OF),
        )
        for form in results.forms()
    ]  # fmt: skip
    print("## The set\n\nPositives, in each of two layouts (bare, in filler):\n")
    print(table(rows, ("form", "group", *SIBLINGS_OF)) + "\n")
    rows = []
    for family in (*results.families(), POOL):
        found = results.negatives(family)
        rates = [f"{rate:g}" for rate in RATES if rate * len(found) >= 1]
        group = "" if family == POOL else results.group[found[0]]
        rows.append((family, group, len(found), rates[-1] if rates else "-"))
    print("Negatives; near: at least 60 % of the words of a test item's question and choices:\n")
    print(table(rows, ("family", "group", "documents", "smallest rate told")) + "\n")


def print_rewordings(results: Results) -> None:
    """Print recall of rewordings at the false-positive rates of their own benchmark's siblings."""
    print(
        "## Rewordings: recall at a false-positive rate on siblings of their benchmark\n\n"
        "In filler. A rewording of a question alone is compared with siblings' questions alone. `all`: "
        "siblings near a test item among them.\n"
    )
    rows = []
    for form in dict.fromkeys(results.form[results.group == REWORDINGS].tolist()):
        rows += list(_rewording_rows(results, form))
    names = [detection.name for detection in results.detections]
    print(table(rows, ("form", "n", "siblings", "rate", *names)) + "\n")


def _rewording_rows(results: Results, form: str) -> Iterator[tuple[object, ...]]:
    positives = results.positives(IN_FILLER, form)
    family = siblings_of(form, results.benchmark[positives[0]])
    clean = results.negatives(family)
    with_near = np.append(clean, results.negatives(f"{family}, near"))
    for name, rows in (("all", with_near), ("not near", clean)):
        if name == "not near" and len(rows) == len(with_near):
            continue
        for rate in SIBLING_RATES:
            cells = (
                recall_at(d.scores, positives, limit_at(d.scores[rows], rate))
                for d in results.detections
            )
            yield (form, len(positives), f"{name} {len(rows)}", f"{rate:g}", *cells)


def print_forms(results: Results) -> None:
    """Print recall by form at the false-positive rates of all clean negatives."""
    print(
        "## Recall by form at false-positive rates on all clean negatives\n\n"
        "0.00 also where a detector has no threshold that is strict enough. Bare positives are held "
        "to the thresholds in filler.\n"
    )
    names = [detection.name for detection in results.detections]
    pool = results.negatives(POOL)
    rows = []
    for form in results.forms():
        positives = results.positives(IN_FILLER, form)
        cells = (
            recall_at(d.scores, positives, limit_at(d.scores[pool], 1e-3)).split()[0]
            for d in results.detections
        )
        rows.append((form, len(positives), *cells))
    print(f"In filler, rate 1e-3 of {len(pool)} negatives:\n")
    print(table(rows, ("form", "n", *names)) + "\n")
    for d in results.detections:
        limits = [(layout, limit_at(d.scores[pool], r)) for layout in LAYOUTS for r in RATES]
        rows = []
        for form in results.forms():
            cells = (
                recall_at(d.scores, results.positives(layout, form), limit)
                for layout, limit in limits
            )
            rows.append((form, len(results.positives(BARE, form)), *cells))
        header = [f"{layout} {rate:g}" for layout in LAYOUTS for rate in RATES]
        print(f"### {d.name}\n\n" + table(rows, ("form", "n", *header)) + "\n")


def print_families(results: Results) -> None:
    """Print recall by group of forms at the false-positive rates of each family."""
    rows = []
    for family in (*results.families(), POOL):
        negatives = results.negatives(family)
        for rate in RATES:
            limits = [limit_at(d.scores[negatives], rate) for d in results.detections]
            cells = [
                _group_recalls(results, d.scores, limit)
                for d, limit in zip(results.detections, limits, strict=True)
            ]
            if rate * len(negatives) >= 1 or rate == RATES[0]:
                rows.append((family, len(negatives), f"{rate:g}", *cells))
    names = [detection.name for detection in results.detections]
    print(
        "## Recall by family of negatives\n\nIn filler; mean recall over the forms of each group: "
        f"{', '.join(POSITIVE_GROUPS)}. Families of parts, templates and variants hold words of an "
        "item: to flag them is no error of a detector that is asked for suspects.\n"
    )
    print(table(rows, ("family", "n", "rate", *names)) + "\n")


def _group_recalls(results: Results, scores: np.ndarray, limit: float | None) -> str:
    if limit is None:
        return "-"
    return " ".join(
        f"{_mean_recall(results, scores > limit, group):.2f}" for group in POSITIVE_GROUPS
    )


def _mean_recall(results: Results, hit: np.ndarray, group: str) -> float:
    """Return the mean over the forms of a group, in filler: none counts more for having more items."""
    forms = [f for f in results.forms() if (results.group[results.form == f] == group).all()]
    return float(np.mean([hit[results.positives(IN_FILLER, f)].mean() for f in forms]))


def print_operating_points(results: Results) -> None:
    """Print what each detector's own rules find, and what they flag wrongly."""
    rules = [
        (f"{d.name}: {name}", hit) for d in results.detections for name, hit in d.rules.items()
    ]
    header = [name for name, _ in rules]
    print("## The detectors' own rules\n\nRecall by form, in filler:\n")
    rows = []
    for form in results.forms():
        positives = results.positives(IN_FILLER, form)
        cells = (share(int(hit[positives].sum()), len(positives)) for _, hit in rules)
        rows.append((form, len(positives), *cells))
    print(table(rows, ("form", "n", *header)) + "\n")
    print(
        "Negatives flagged. Of clean ones each is a false positive; parts and templates are `suspect` "
        "by our definition, not `contaminated`:\n"
    )
    rows = []
    for family in (*results.families(), POOL):
        negatives = results.negatives(family)
        cells = (flagged(int(hit[negatives].sum()), len(negatives)) for _, hit in rules)
        group = "" if family == POOL else results.group[negatives[0]]
        rows.append((family, group, len(negatives), *cells))
    print(table(rows, ("family", "group", "n", *header)) + "\n")


def print_union(results: Results) -> None:
    """Print how many positives the n-gram scanner finds that both scanners together do not."""
    by_name = {detection.name: detection for detection in results.detections}
    if not {"ngram", "ngram+minhash"} <= by_name.keys():
        return
    alone, both = by_name["ngram"].rules, by_name["ngram+minhash"].rules
    for rule in alone:
        lost, won = alone[rule] & ~both[rule], both[rule] & ~alone[rule]
        print(
            f"{rule}, positives in both layouts: lost by adding minhash "
            f"{(lost & results.positive).sum()}, won {(won & results.positive).sum()}, of "
            f"{results.positive.sum()}; clean negatives won "
            f"{(won & (results.group == CLEAN)).sum()} of {(results.group == CLEAN).sum()}"
        )
    print()


def flagged(k: int, n: int) -> str:
    """Return a number of negatives, their share and its upper bound."""
    return f"{k}: {k / n:.4f} (<= {binomial_interval(k, n)[1]:.4f})"


def print_precision(results: Results) -> None:
    """Print precision at stated prevalences, from recall by group and the rate on real documents."""
    negatives = np.concatenate([results.negatives(family) for family in REAL])
    rows = []
    for d in results.detections:
        for name, hit in d.rules.items():
            k = int(hit[negatives].sum())
            rate = k / len(negatives) if k else rule_of_three(len(negatives))
            for group in (COPIES, EDITS, REWORDINGS):
                recall = _mean_recall(results, hit, group)
                values = (precision(recall, rate, one_in) for one_in in PREVALENCES)
                cells = [f"{'' if k else '>= '}{value:.3f}" for value in values]
                rows.append((f"{d.name}: {name}", group, f"{recall:.3f}", f"{k}", *cells))
    header = [f"1 in {one_in:,}" for one_in in PREVALENCES]
    print(
        "## Precision\n\nWhere one document in so many holds an item in a form of the group, and the "
        f"others are like our {len(negatives)} stretches of real documents ({', '.join(REAL)}). Where "
        "none of those was flagged, the rate is the upper bound by the rule of three, "
        f"{rule_of_three(len(negatives)):.1e}, and the precision a lower bound (>=).\n"
    )
    print(table(rows, ("rule", "group", "recall", "flagged", *header)))


if __name__ == "__main__":
    sys.exit(main())
