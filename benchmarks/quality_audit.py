"""How often an audit is wrong: its error rates, its intervals, and an audit of published scores end to end.

    python benchmarks/quality_audit.py [--data DIR] [--seeds 500] [--part null planted threshold real]

* null: random items of GSM8K are called leaked; no model has seen them as such. Every rejection is false.
* planted: simulated items with 20 points more on dirty ones; how often the interval holds them.
* threshold: evidence that says nothing; the corrected and the naive p-value of the best threshold.
* real: corpora that hold a tenth of GSM8K test, and 16 published systems, one of them lifted by 20 points
  on the items that leaked.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
from harness import (
    MissingDataError,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    machine,
    table,
    write_documents,
)

import sluicegate
from corpora.benchmarks import read_benchmarks
from corpora.scores import match_scores, read_scores
from scanners.multiple_tests import q_values
from scanners.score_gap import DIFFERENCE_BOUNDS, measure_gap
from scanners.score_strata import make_strata
from scanners.score_threshold import choose_threshold

PARTS = ("null", "planted", "threshold", "real")
SCORES = ("gsm8k_12_models", "gsm8k_openai_2021")
CLEAN = ("gpt3_6b_finetuning", "gpt3_6b_verification", "gpt3_175b_finetuning", "gpt3_175b_verification")  # fmt: skip
LIFT = 0.2
SIZES = ((164, 16, 0.6), (164, 16, 0.75), (500, 50, 0.6), (1319, 132, 0.6), (1319, 26, 0.75))


def main() -> int:
    """Run the parts that were asked for."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(machine(), "\n")
    parts = {"null": null, "planted": planted, "threshold": threshold, "real": real}
    for part in options.part:
        started = time.time()
        print(f"## {part}\n")
        parts[part](data, options.seeds)
        print(f"\n{time.time() - started:.0f} s\n")
    return 0


def scores_of(data: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the lengths of GSM8K's test items and each system's scores on them."""
    (read,) = read_benchmarks([str(benchmark_file(data, "gsm8k_test"))])
    files = read_scores([str(data / "scores" / f"{name}.jsonl.zst") for name in SCORES])
    matched = match_scores(files, [read])
    words = np.array([len(item.question.split()) for item in read.items])
    n = len(read.items)
    return words, {
        model: np.array([by_item[0, place][0] for place in range(n)])
        for model, by_item in sorted(matched.samples.items())
    }


def null(data: Path, seeds: int) -> None:
    """Draw leaked items at random, and once with short items twice as often."""
    words, scores = scores_of(data)
    n = len(words)
    reference = np.mean([scores[name] for name in CLEAN], axis=0)
    rows = []
    for name, chance in (
        ("any item", np.full(n, 0.1)),
        ("short items three times as often", np.where(words < np.median(words), 0.15, 0.05)),
    ):
        own, did, families, covered = [], [], 0, []
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            dirty = random.random(n) < chance
            strata = make_strata(dirty, words, ["number"] * n, [None] * n).of_item
            p = []
            for model in ("gpt4", "metamath_70b", "abel_7b", "sego_7b"):
                gap = measure_gap(scores[model], dirty, strata, seed=seed, draws=399, resamples=400)
                against = measure_gap(
                    scores[model] - reference, dirty, strata, seed=seed, bounds=DIFFERENCE_BOUNDS,
                    draws=399, resamples=400,
                )  # fmt: skip
                p.append(gap.p_value)
                did.append(against.p_value)
                covered.append(against.within_low <= 0 <= against.within_high)
            own += p
            families += bool((q_values(np.array(p)) <= 0.1).any())
        rows.append(
            (
                name,
                f"{np.mean(np.array(own) <= 0.05):.3f}",
                f"{np.mean(np.array(did) <= 0.05):.3f}",
                f"{families / seeds:.3f}",
                f"{np.mean(covered):.3f}",
            )
        )
    print(
        f"{seeds} draws of 10% of 1,319 items, four systems each; false alarms at 5%, and at q 0.1\n"
    )
    head = ("leaked", "within strata, p <= 0.05", "against clean models, p <= 0.05", "any q <= 0.1", "interval holds 0")  # fmt: skip
    print(table(rows, head))


def planted(data: Path, seeds: int) -> None:
    """Simulate dirty items that are answered 20 points better."""
    del data
    rows = []
    for n, n_dirty, right in SIZES:
        dirty = np.arange(n) < n_dirty
        strata = np.zeros(n, np.int64)
        held = missed = 0
        widths, seen = [], []
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            values = (random.random(n) < right + LIFT * dirty).astype(float)
            gap = measure_gap(values, dirty, strata, seed=seed, draws=399)
            held += gap.ci_low <= LIFT <= gap.ci_high
            missed += gap.p_value > 0.05
            widths.append(gap.ci_high - gap.ci_low)
            seen.append(gap.minimal_detectable)
        rows.append(
            (n, n_dirty, right, f"{held / seeds:.3f}", f"{100 * np.mean(widths):.1f}", f"{100 * np.mean(seen):.1f}", f"{1 - missed / seeds:.3f}")
        )  # fmt: skip
    print(f"{seeds} seeds, +20 points on dirty items\n")
    head = ("items", "dirty", "clean score", "interval holds 20", "its width, points", "could be seen from, points", "p <= 0.05")  # fmt: skip
    print(table(rows, head))


def threshold(data: Path, seeds: int) -> None:
    """Choose among 19 thresholds of evidence that says nothing."""
    del data
    rows = []
    for n in (164, 1000):
        found = []
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            values = (random.random(n) < 0.6).astype(float)
            best = choose_threshold(
                values, random.random(n), np.zeros(n, int), seed=seed, draws=399
            )
            found.append((best.p_value <= 0.05, best.p_given <= 0.05, best.within_strata))
        corrected, naive, gap = np.mean(found, axis=0)
        rows.append((n, f"{corrected:.3f}", f"{naive:.3f}", f"{100 * gap:.1f}"))
    print(f"{seeds} nulls at 5%, the best of 19 thresholds\n")
    print(
        table(
            rows, ("items", "false alarms, corrected", "as if given", "gap that it shows, points")
        )
    )


def real(data: Path, seeds: int) -> None:
    """Audit published scores against corpora that hold a tenth of the items."""
    del seeds
    path = benchmark_file(data, "gsm8k_test")
    (read,) = read_benchmarks([str(path)])
    words, scores = scores_of(data)
    rows = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        leaked = random.random(len(words)) < 0.1
        lifted = scores["abel_7b"].copy()
        lifted[leaked] = np.maximum(lifted[leaked], random.random(leaked.sum()) < LIFT / 0.4)
        truth = float((lifted - scores["abel_7b"]).mean())
        with tempfile.TemporaryDirectory() as folder:
            corpus, more = Path(folder) / "corpus.jsonl", Path(folder) / "lifted.jsonl"
            write_documents(
                corpus, [f"{read.items[i].question}\n{read.items[i].answer}" for i in np.flatnonzero(leaked)]
            )  # fmt: skip
            results = [
                {"item_id": item.id, "model": "abel_7b lifted", "score": float(score)}
                for item, score in zip(read.items, lifted, strict=True)
            ]
            more.write_text("".join(json.dumps(row) + "\n" for row in results))
            started = time.time()
            audit = sluicegate.audit(
                corpus,
                path,
                scores=[*(data / "scores" / f"{name}.jsonl.zst" for name in SCORES), more],
                clean_models=CLEAN,
                reference_models=CLEAN,
                calibration="off",
                overlap=False,
            )
        found = {row["model"]: row for row in audit.report["scores"]}
        ours = found.pop("abel_7b lifted")
        others = [row["answer"] for name, row in found.items() if name not in CLEAN]
        rows.append(
            (
                seed,
                f"{int(leaked.sum())} / {ours['n_dirty']}",
                f"{100 * truth:.2f}",
                f"{100 * ours['leak_points']:.2f} ({100 * ours['leak_low']:.2f} to {100 * ours['leak_high']:.2f})",
                f"{ours['q_value']:.4f}",
                ours["answer"],
                f"{ours['odds_ratio']:.2f}",
                f"{others.count('no')} / {others.count('cannot tell')} / {others.count('yes')}",
                f"{time.time() - started:.0f}",
            )
        )
    head = ("seed", "leaked / found", "true leakage, points", "told (95%)", "q", "answer", "odds ratio", "12 others: no / cannot tell / yes", "s")  # fmt: skip
    print(table(rows, head))


if __name__ == "__main__":
    raise SystemExit(main())
