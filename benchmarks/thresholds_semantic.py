"""How the weights and thresholds of `scanners.semantic_evidence` were chosen: the development half.

    python benchmarks/thresholds_semantic.py [--data DIR] [--seed 1] [--quick]

Prints, for each kind of question, the weights that a logistic regression gives (C = 0.3 on standardised
shares) beside those in use, and the sums in use that a share of the sibling documents reaches, with the
share of all rewordings of the benchmark that lie above. Left out are pairs that earlier scanners settle,
and near-duplicates. Documents are those of `quality_semantic.py`. Needs scikit-learn, which comes with
sentence-transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

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
from quality_semantic import BATCH, QUICK_SHARE, Stages
from semantic_documents import POSITIVE, REWORDED, SIBLING, Document, semantic_documents

from pipelines.shard_step import text_buffers
from scanners.embedding import nominate
from scanners.judge import Judged, LeakType, Status, judge
from scanners.judge_reworded import judge_reworded
from scanners.judge_semantic import told_of_places
from scanners.meaning import read_nominated
from scanners.minhash import scan_rewordings
from scanners.ngram import Scanned, scan_texts
from scanners.semantic_evidence import CODE, KINDS, N_SHARES, NUMBERS, PROSE, Weights

NAMES: Final = {NUMBERS: "numbers", PROSE: "prose", CODE: "code"}
RATES: Final = (1e-2, 3e-3, 1e-3, 5e-4)
STRENGTH: Final = 0.3  # C of the regression


class Rows(NamedTuple):
    """Places of all documents."""

    document: np.ndarray
    kind: np.ndarray
    shares: np.ndarray  # (N_SHARES, n)
    positive: np.ndarray  # bool: the item that the document was made of
    negative: np.ndarray  # bool: another item of a sibling's benchmark


def main() -> int:
    """Read the documents of the development half; print weights and sums."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a tenth of the siblings")
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    known = Known(data)
    share = QUICK_SHARE if options.quick else 1.0
    documents = semantic_documents(data, known, 0, options.seed, share)
    fitted = {name for name, *_ in REWORDED} | {f"{name}, with choices" for name, *_ in REWORDED}
    documents = [d for d in documents if d.kind == SIBLING or d.family in fitted]
    print(f"{machine()}; development half, seed {options.seed}; {len(documents)} documents\n")
    stages = Stages(known, model=False, exact=False)
    parts = [
        _read(stages, documents[first : first + BATCH], first)
        for first in range(0, len(documents), BATCH)
    ]
    rows = Rows(
        *(np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in Rows._fields)
    )
    print_weights(rows)
    print_sums(rows, documents)
    return 0


def _read(stages: Stages, documents: Sequence[Document], first: int) -> Rows:
    data, bounds = text_buffers(pa.array([d.text for d in documents], pa.large_string()))
    plan, patterns, semantic = stages.plan, stages.patterns, stages.semantic
    scanned = scan_texts(data, bounds, plan.target, plan.tally.marks)
    verdicts = judge(scanned, patterns)
    assert plan.signed is not None
    reworded, features = scan_rewordings(data, bounds, plan.target, plan.signed)
    more = judge_reworded(reworded, features, patterns, scanned, verdicts)
    settled = _settled(stages, scanned, verdicts) | _settled(stages, reworded, more)
    found = nominate(data, bounds, semantic.meant, stages.static)
    read, meanings = read_nominated(
        data, bounds, found, semantic.meant, semantic.asked, plan.target, stages.static
    )
    told = told_of_places(read, meanings, patterns, semantic.meant, semantic.asked)
    place = read.evidence.document
    item = semantic.meant.item[meanings.row.astype(np.int64)]
    positive, negative = np.zeros((2, len(place)), np.bool_)
    for row, (at, number) in enumerate(zip(place.tolist(), item.tolist(), strict=True)):
        document, ident = documents[at], stages.ids[number]
        if document.kind == POSITIVE:
            positive[row] = ident in document.own
        elif stages.benchmark[number] == document.benchmark and ident not in document.own:
            near = (at, number) in settled or stages.near.is_near(document.bare, ident)
            negative[row] = not near
    return Rows(place + first, told.kind, told.shares, positive, negative)


def _settled(stages: Stages, scanned: Scanned, judged: Judged) -> set[tuple[int, int]]:
    """Return (document, item) that are contaminated, a template or a passage already."""
    kinds = np.isin(judged.leak_type, (LeakType.TEMPLATE, LeakType.PASSAGE))
    strong = (judged.status == Status.CONTAMINATED) | (kinds & (judged.status >= Status.SUSPECT))
    document = scanned.evidence.document[judged.evidence[strong]]
    item = stages.patterns.owners.item[judged.owner[strong]]
    return set(zip(document.tolist(), item.tolist(), strict=True))


def print_weights(rows: Rows) -> None:
    """Print fitted weights beside those in use."""
    from sklearn.linear_model import LogisticRegression  # not a dependency of the package

    lines: list[tuple[Any, ...]] = []
    for kind, weights in enumerate(KINDS):
        used = np.flatnonzero(weights[:N_SHARES])
        chosen = (rows.kind == kind) & (rows.positive | rows.negative)
        shares = rows.shares[used][:, chosen].T
        spread = shares.std(axis=0) + 1e-9
        fit = LogisticRegression(C=STRENGTH, max_iter=2000)
        fit.fit((shares - shares.mean(axis=0)) / spread, rows.positive[chosen])
        found = dict(zip(used.tolist(), (fit.coef_[0] / spread).tolist(), strict=True))
        n = f"{int(rows.positive[chosen].sum())} / {int(rows.negative[chosen].sum())}"
        cells = [
            f"{weights[at]:g} ({found[at]:.1f})" if at in found else "" for at in range(N_SHARES)
        ]
        lines.append((NAMES[weights], n, *cells))
    header = ("kind", "rewordings / siblings", *Weights._fields[:N_SHARES])
    print("## Weights in use (fitted)\n\n" + table(lines, header) + "\n")


def print_sums(rows: Rows, documents: Sequence[Document]) -> None:
    """Print the sums that siblings reach, and the rewordings above them."""
    lines: list[tuple[Any, ...]] = []
    for kind, weights in enumerate(KINDS):
        total = np.array(weights[:N_SHARES]) @ rows.shares
        for benchmark in dict.fromkeys(d.benchmark for d in documents):
            siblings = _best(rows, total, documents, benchmark, SIBLING, kind)
            found = _best(rows, total, documents, benchmark, POSITIVE, kind)
            if not np.isfinite(siblings).any():
                continue
            cells = []
            for rate in RATES:
                allowed = int(rate * len(siblings) + 1e-9)
                if allowed < 1:
                    cells.append("-")
                    continue
                limit = np.sort(siblings)[::-1][allowed]
                cells.append(f"{limit:.1f} ({(found > limit).mean():.3f})")
            in_use = f"{weights.suspect:g} / {weights.contaminated:g}"
            above = f"{(found >= weights.contaminated).mean():.3f}"
            wrong = int((siblings >= weights.contaminated).sum())
            lines.append((NAMES[weights], benchmark, len(siblings), *cells, in_use, above, wrong))
    header = (
        "kind", "benchmark", "siblings", *(f"{rate:g}" for rate in RATES), "in use",
        "rewordings above", "siblings above",
    )  # fmt: skip
    print("## Sums that siblings reach (share of the rewordings above)\n")
    print(table(lines, header) + "\n")


def _best(
    rows: Rows,
    total: np.ndarray,
    documents: Sequence[Document],
    benchmark: str,
    kind: str,
    question: int,
) -> np.ndarray:
    """Return the largest sum of each document of a benchmark and kind."""
    best = np.full(len(documents), -np.inf)
    chosen = (rows.positive if kind == POSITIVE else rows.negative) & (rows.kind == question)
    np.maximum.at(best, rows.document[chosen], total[chosen])
    mine = [d.benchmark == benchmark and d.kind == kind for d in documents]
    return best[np.array(mine)]


if __name__ == "__main__":
    raise SystemExit(main())
