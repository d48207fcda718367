"""Recall of translated items at false-positive rates on translations of other items.

    python benchmarks/quality_translations.py --model FOLDER [--data DIR] [--half held-out]
                                              [--hidden 20] [--alone 3] [--plain 10]
                                              [--cache FILE] [--fit] [--speed]

Documents (translated_documents.py): questions of GSM8K in the ten languages of MGSM, and of XQuAD in eleven,
hidden in some 200 words of their language; those that are not hidden stand alone. What is hidden also
stands alone with other numbers, as a template. Items are left out of
the benchmarks in two folds: with its item a document is a positive, without it a sibling, the hardest
negative there is. All of GSM8K test and of XQuAD is looked for at once, so a question of one is a
negative of the other, too. Siblings whose originals share six of ten words with an item are not counted.

A rate at which less than one sibling may be flagged is printed as "-". Intervals: Clopper and Pearson
1934, 95 %; trials of one item in several languages are not independent, so they are too narrow. `--fit`
prints weights fitted to the half at hand (meant for the development half) and the sums of siblings. `--cache`
keeps the model's vectors from run to run. FOLDER is what tools/convert_e5.py makes.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from harness import (
    MissingDataError,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    machine,
    table,
)
from translated_documents import (
    BARE,
    FAMILIES,
    HIDDEN,
    PLAIN,
    RENUMBERED,
    Document,
    fold_of,
    half_of,
    translated_documents,
)

from corpora.benchmarks import Item, read_benchmarks
from corpora.normal_form import word_hashes
from indexes.background import load_background
from indexes.embeddings.encoder import Encoder, load_encoder
from pipelines.shard_step import text_buffers
from reports.intervals import binomial_interval
from scanners.patterns import build_patterns
from scanners.translated import Translations
from scanners.translation_evidence import NUMBERS, WORDS, Shares, shares_of, translation_scores

HALVES: Final = {"development": 0, "held-out": 1}
RATES: Final = (1e-2, 3e-3, 1e-3, 1e-4)
BATCH: Final = 100
NEAR_SHARE: Final = 0.6  # of the distinct words of the longer of two questions
NOTHING: Final = -9.0
CONTAMINATED, SUSPECT = 0.6, 0.4
KINDS: Final = {"numbers": NUMBERS, "words": WORDS}


def main() -> int:
    """Build the set, search it, print the tables."""
    options = _parser().parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    half = HALVES[options.half]
    documents = translated_documents(
        data, half, options.hidden, options.alone, options.plain, options.seed
    )
    encoder = Remembering(load_encoder(options.model, options.device), options.cache)
    print(
        f"{machine()}; model {encoder.card.name}; half: {options.half}, seed {options.seed}; "
        f"{len(documents)} documents\n",
        flush=True,
    )
    started = time.perf_counter()
    if options.speed:
        print_speed(data, encoder, documents)
        return 0
    results = Results()
    for fold in (0, 1):
        search_fold(data, half, fold, documents, encoder, results)
    print_rates(results)
    print_verdicts(results)
    print_plain(results)
    if options.fit:
        print_fit(results)
    print(f"{time.perf_counter() - started:.0f} s, {encoder.computed} texts encoded")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--model", required=True, help="folder of a multilingual model")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    parser.add_argument("--half", choices=list(HALVES), default="held-out")
    parser.add_argument("--hidden", type=int, default=20, help="items of a family that are hidden")
    parser.add_argument("--alone", type=int, default=3, help="languages of an item that is not")
    parser.add_argument("--plain", type=int, default=10, help="plain documents of a language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="file of vectors")
    parser.add_argument("--speed", action="store_true", help="time the plain documents, no more")
    parser.add_argument("--fit", action="store_true", help="fit weights to this half")
    return parser


class Remembering:
    """An encoder that computes each text once, from run to run where there is a file."""

    def __init__(self, encoder: Encoder, path: Path | None) -> None:
        self.card, self.dimension = encoder.card, encoder.dimension
        self.longest, self.truncated = encoder.longest, 0
        self.n_tokens = encoder.n_tokens
        self.computed = 0
        self.encoder, self._path = encoder, path
        self._known: dict[str, np.ndarray] = {}
        self._saved = 0
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as file:
                self._known = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of texts."""
        keys = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        new = {k: t for k, t in zip(keys, texts, strict=True) if k not in self._known}
        if new:
            self._known.update(zip(new, self.encoder.encode(list(new.values())), strict=True))
            self.computed += len(new)
        return np.stack([self._known[key] for key in keys])

    def save(self) -> None:
        """Write what is known."""
        if self._path is not None and self._known and len(self._known) != self._saved:
            self._saved = len(self._known)
            vectors = np.stack(list(self._known.values()))
            with self._path.open("wb") as file:
                np.savez(file, keys=np.array(list(self._known)), vectors=vectors)


# --- what is found --------------------------------------------------------------------------------


@dataclass(slots=True)
class Trial:
    """A document in a fold: its own item's and the strongest other item's rank and verdict."""

    document: Document
    present: bool  # whether its item is in the benchmark
    own: float = NOTHING
    own_template: bool = False
    other: float = NOTHING
    other_template: bool = False


@dataclass(slots=True)
class Results:
    """All trials, and the shares of candidates for a fit."""

    trials: list[Trial] = field(default_factory=list)
    shares: list[np.ndarray] = field(default_factory=list)  # float64 (shares,)
    numbers: list[bool] = field(default_factory=list)
    label: list[tuple[int, bool]] = field(default_factory=list)  # trial, whether its own item
    near: int = 0

    def chosen(self, **wanted: Any) -> list[Trial]:
        """Return the trials whose documents are like this."""
        return [
            t for t in self.trials if all(getattr(t.document, k) == v for k, v in wanted.items())
        ]


def search_fold(
    data: Path,
    half: int,
    fold: int,
    documents: Sequence[Document],
    encoder: Remembering,
    out: Results,
) -> None:
    """Search all documents for the items that a fold leaves in."""
    read = read_benchmarks([str(benchmark_file(data, name)) for *_, name in FAMILIES])
    words = {i.id: frozenset(word_hashes(i.question).tolist()) for b in read for i in b.items}
    read = [
        replace(
            b, items=tuple(i for i in b.items if half_of(i.id) != half or fold_of(i.id) != fold)
        )
        for b in read
    ]
    items = [item for benchmark in read for item in benchmark.items]
    ids = {item.id for item in items}
    search = Translations(encoder, items, build_patterns(read, load_background()))
    for first in range(0, len(documents), BATCH):
        batch = documents[first : first + BATCH]
        base = len(out.trials)
        out.trials += [Trial(d, d.item in ids) for d in batch]
        _search_batch(search, items, batch, base, words, out)
        encoder.save()
        print(".", end="", flush=True)
    print("\n")


def _search_batch(
    search: Translations,
    items: Sequence[Item],
    batch: Sequence[Document],
    base: int,
    words: dict[str, frozenset[int]],
    out: Results,
) -> None:
    data, bounds = text_buffers(pa.array([d.text for d in batch], pa.large_string()))
    for found in search.search(data, bounds):
        shares, has_numbers = shares_of(found, data, items, load_background())
        scores = translation_scores(shares, has_numbers)
        place = found.sentences.document[found.candidates.first]
        question = found.questions.item[found.candidates.question]
        for row in range(len(place)):
            trial = out.trials[base + int(place[row])]
            item = items[int(question[row])]
            rank, template = float(scores.sum[row]), bool(scores.template[row])
            own = item.id == trial.document.item
            if not own and trial.document.item and _is_near(trial.document.item, item.id, words):
                out.near += 1
                continue
            out.shares.append(np.array([share[row] for share in shares]))
            out.numbers.append(bool(has_numbers[row]))
            out.label.append((base + int(place[row]), own))
            if own and rank > trial.own:
                trial.own, trial.own_template = rank, template
            if not own and rank > trial.other:
                trial.other, trial.other_template = rank, template


def _is_near(one: str, other: str, words: dict[str, frozenset[int]]) -> bool:
    ours, theirs = words[one], words[other]
    return len(ours & theirs) >= NEAR_SHARE * max(len(ours), len(theirs))


# --- tables ---------------------------------------------------------------------------------------


def print_rates(results: Results) -> None:
    """Print recall at false-positive rates on siblings, by family and language."""
    print("## Recall at a false-positive rate on siblings\n")
    rows = []
    for family, *_ in FAMILIES:
        siblings = [t.other for t in _siblings(results, family)]
        hidden = [t for t in results.chosen(family=family, kind=HIDDEN) if t.present]
        bare = [t for t in results.chosen(family=family, kind=BARE) if t.present]
        langs = sorted({t.document.lang for t in hidden})
        for name, trials in (
            ("alone, all", bare),
            ("hidden, all", hidden),
            *(
                (f"hidden, {lang}", [t for t in hidden if t.document.lang == lang])
                for lang in langs
            ),
        ):
            cells = [_recall([t.own for t in trials], siblings, rate) for rate in RATES]
            rows.append((family, name, len(trials), len(siblings), *cells))
    print(table(rows, ("family", "documents", "n", "siblings", *(f"{r:g}" for r in RATES))) + "\n")
    print(f"{results.near} places near to an item's twin are not counted.\n")


def _siblings(results: Results, family: str) -> list[Trial]:
    trials = results.chosen(family=family)
    return [t for t in trials if not t.present and t.document.kind != RENUMBERED]


def _recall(own: Sequence[float], siblings: Sequence[float], rate: float) -> str:
    allowed = int(rate * len(siblings) + 1e-9)
    if allowed < 1 or not own:
        return "-"
    limit = np.sort(siblings)[::-1][allowed]
    return share(int((np.array(own) > limit).sum()), len(own))


def print_verdicts(results: Results) -> None:
    """Print what the thresholds of the scanner make of each family."""
    print("## Verdicts\n")
    rows = []
    for family, *_ in FAMILIES:
        for kind in (HIDDEN, BARE, RENUMBERED):
            trials = results.chosen(family=family, kind=kind)
            for name, ranks, templates in (
                ("its own item", *_ranks([t for t in trials if t.present], own=True)),
                ("sibling", *_ranks([t for t in trials if not t.present], own=False)),
            ):
                cells = (
                    share(int(part.sum()), len(part), 4)
                    for part in (ranks >= CONTAMINATED, ranks >= SUSPECT, templates & (ranks > 0))
                )
                rows.append((family, kind, name, len(ranks), *cells))
    header = ("family", "documents", "found", "n", "contaminated", "suspect or more", "template")
    print(table(rows, header) + "\n")


def _ranks(trials: Sequence[Trial], own: bool) -> tuple[np.ndarray, np.ndarray]:
    if own:
        return np.array([t.own for t in trials]), np.array([t.own_template for t in trials], bool)
    return np.array([t.other for t in trials]), np.array([t.other_template for t in trials], bool)


def print_plain(results: Results) -> None:
    """Print what plain text passes, by language (both folds)."""
    print("## Plain documents of about 200 words\n")
    rows = []
    by_lang = defaultdict(list)
    for trial in results.chosen(kind=PLAIN):
        by_lang[trial.document.lang].append(trial.other)
    for lang, ranks in sorted(by_lang.items()):
        r = np.array(ranks)
        counts = (
            int((r > NOTHING).sum()),
            int((r >= SUSPECT).sum()),
            int((r >= CONTAMINATED).sum()),
        )
        rows.append((lang, len(r), *counts))
    print(table(rows, ("language", "documents", "nominated", "suspect", "contaminated")) + "\n")


def print_speed(data: Path, encoder: Remembering, documents: Sequence[Document]) -> None:
    """Print how fast plain documents are searched, the questions being known: processor time."""
    rows = []
    for *_, name in FAMILIES:
        read = read_benchmarks([str(benchmark_file(data, name))])
        items = read[0].items
        search = Translations(encoder.encoder, items, build_patterns(read, load_background()))
        search.search(*text_buffers(pa.array([documents[0].text], pa.large_string())))
        for lang in sorted({d.lang for d in documents if d.kind == PLAIN}):
            texts = [d.text for d in documents if d.kind == PLAIN and d.lang == lang]
            buffers = text_buffers(pa.array(texts, pa.large_string()))
            started = time.process_time()
            search.search(*buffers)
            seconds = time.process_time() - started
            rows.append((name, lang, len(texts), f"{len(buffers[0]) / 1e3 / seconds:.1f}"))
    print(table(rows, ("benchmark", "language", "documents", "kB/s of a core")))


def print_fit(results: Results) -> None:
    """Print weights of shares, and the sums that siblings reach."""
    print("## Weights\n")
    shares, numbers = np.array(results.shares), np.array(results.numbers)
    trial = np.array([t for t, _ in results.label])
    own = np.array([o for _, o in results.label])
    present = np.array([t.present for t in results.trials])[trial]
    plain = np.array([t.document.kind != RENUMBERED for t in results.trials])[trial]
    for name, kind in (("numbers", numbers), ("words", ~numbers)):
        kind = kind & plain
        rows = np.flatnonzero(kind & (own | ~present))
        used = np.array([w != 0 for w in KINDS[name][: len(Shares._fields)]])
        weights = np.zeros(len(used))
        weights[used] = _fit(shares[rows][:, used], own[rows])
        sums = shares @ weights
        print(f"{name}: {dict(zip(Shares._fields, np.round(weights, 2).tolist(), strict=True))}")
        for family, *_ in FAMILIES:
            mine = np.array([t.document.family == family for t in results.trials])[trial]
            siblings = _best(sums, trial, kind & ~present & mine)
            positives = _best(sums, trial, kind & own & mine)
            total = len(_siblings(results, family))
            cells = []
            for rate in (1e-2, 3e-3, 1e-3):
                at = int(rate * total)
                limit = np.sort(siblings)[::-1][at] if 1 <= at < len(siblings) else np.nan
                cells.append(f"{rate:g}: {limit:.2f} ({np.mean(positives > limit):.3f})")
            print(f"  {family}: {len(positives)} / {total}; {'; '.join(cells)}")
    print()


def _best(sums: np.ndarray, trial: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the largest sum of each trial among chosen rows."""
    best: dict[int, float] = {}
    for t, value in zip(trial[chosen].tolist(), sums[chosen].tolist(), strict=True):
        best[t] = max(value, best.get(t, -np.inf))
    return np.array(list(best.values()))


def _fit(shares: np.ndarray, own: np.ndarray, steps: int = 40, penalty: float = 1e-2) -> np.ndarray:
    """Return the weights of a logistic regression (Newton's method), without the constant."""
    spread = np.maximum(shares.std(axis=0), 1e-9)
    x = np.column_stack([shares / spread, np.ones(len(shares))])
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (p - own) + penalty * weights
        curve = (x * (p * (1 - p))[:, None]).T @ x + penalty * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    result: np.ndarray = weights[:-1] / spread
    return result


def share(k: int, n: int, digits: int = 3) -> str:
    """Return k of n with its interval."""
    if not n:
        return "-"
    low, high = binomial_interval(k, n)
    return f"{k / n:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


if __name__ == "__main__":
    raise SystemExit(main())
