"""What drift says of random halves of one corpus, and of changes that were planted.

    python benchmarks/quality_drift.py [--data DIR] [--seeds 100] [--part null planted tokenizer]

* null: both halves are documents of corpora/mix v1, chosen by a coin. Every alarm is false. Beside ours
  stand the formulas that take each token or document for an independent draw, on the same halves.
* planted: the second half is changed: half of a domain removed, 200 words deleted, documents copied.
* tokenizer: the same texts counted by another tokenizer, under the first one's name.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import numpy as np
from drift_documents import Documents, count_benchmarks, count_mix
from drift_independent import IID_NAMES, iid_alarms
from drift_planted import planted, swapped_tokenizer
from drift_report import FAMILIES, POLICY, Report, compare, halves
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)
from scipy import sparse

from scanners.token_changes import token_changes
from scanners.totals import Totals


def main() -> int:
    """Run the parts that were asked for."""
    parser = argument_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.5, help="documents of the baseline")
    parser.add_argument("--part", nargs="+", default=["null", "planted", "tokenizer"])
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(f"{machine()}\n")
    if {"null", "planted"} & set(options.part):
        items = count_benchmarks(data)
        documents = count_mix(data, "v1", np.concatenate([tokens.keys for _, tokens in items]))
        benchmarks = [tokens.counts(documents.keys) for _, tokens in items]
        print(f"{len(documents.sizes):,} documents, {len(documents.keys):,} words, "
              f"{len(benchmarks)} benchmarks\n")  # fmt: skip
        if "null" in options.part:
            null(documents, benchmarks, options.seeds, options.share)
        if "planted" in options.part:
            planted(documents, benchmarks)
    if "tokenizer" in options.part:
        swapped_tokenizer(data)
    return 0


def null(
    documents: Documents, benchmarks: list[sparse.csr_array], seeds: int, share: float
) -> None:
    """Count false alarms on random halves."""
    seeds_with = Counter[str]()
    alarms = Counter[str]()
    iid = Counter[str]()
    iid_tokens: list[int] = []
    ratios: dict[str, list[float]] = {}
    calibration: list[tuple[float, ...]] = []
    start = time.perf_counter()
    last = None
    for seed in range(seeds):
        first, second = (documents.totals(rows) for rows in halves(documents, seed, share))
        last = compare(first, second, benchmarks, seed)
        found = last.alarms()
        alarms.update(found)
        seeds_with.update(name for name, count in found.items() if count)
        seeds_with["any"] += any(found.values())
        for name, ratio in ratios_of(last):
            ratios.setdefault(name, []).append(ratio)
        calibration.append(calibration_of(first, second))
        independent = iid_alarms(first, second, POLICY)
        iid.update(name for name, count in independent.items() if count)
        iid_tokens.append(independent[IID_NAMES[0]])
        if any(found.values()):
            print(f"seed {seed}: {found}", flush=True)
    took = (time.perf_counter() - start) / seeds
    print(f"## Random halves of v1 ({share:.0%} and {1 - share:.0%}), {seeds} seeds\n")
    rows = [(name, seeds_with[name], alarms[name]) for name in FAMILIES]
    print(table([*rows, ("any", seeds_with["any"], sum(alarms.values()))],
                ("ours", "seeds with an alarm", "alarms")), "\n")  # fmt: skip
    rows = [(name, iid[name]) for name in IID_NAMES]
    print(table(rows, ("independent draws", "seeds with an alarm")))
    print(f"median of words that the multinomial z finds: {int(np.median(iid_tokens)):,}\n")
    z = np.array(calibration)
    names = ("own variance", "largest of three", "multinomial")
    rows = [(name, f"{z[:, 2 * i].mean():.3f}", f"{z[:, 2 * i + 1].mean():.2%}")
            for i, name in enumerate(names)]  # fmt: skip
    print(table(rows, ("z of words in 20 documents or more", "SD", "beyond 1.96")), "\n")
    rows = [(name, f"{np.mean(r):+.2f}", f"{np.std(r):.2f}", f"{max(r):+.2f}")
            for name, r in ratios.items()]  # fmt: skip
    print(table(rows, ("drift ratio, or change over its limit", "mean", "SD", "most")), "\n")
    print(f"{took:.1f} s a seed\n")
    if last is not None:
        detectable(last, documents.domains)


def ratios_of(report: Report) -> Iterator[tuple[str, float]]:
    """Yield the drift ratios, and changes in units of the limit of their family."""
    for divergence in report.tokens.whole.divergences:
        yield divergence.name, divergence.noise.ratio or 0.0
    for divergence in report.domains.mix[2]:
        yield f"mix by tokens: {divergence.name}", divergence.noise.ratio or 0.0
    domains = report.domains
    yield "domains / limit", float(np.max(np.abs(domains.change) / domains.alarm_from))
    yield "benchmarks / limit", max(abs(e.change) / e.alarm_from for e in report.exposures)


def calibration_of(first: Totals, second: Totals) -> tuple[float, ...]:
    """Return SD and share beyond 1.96 of three kinds of z."""
    changes = token_changes(first, second)
    held = (first.documents + second.documents).sum(axis=0) >= POLICY.token_documents
    whole = (changes.candidate - changes.baseline)[held]
    sizes = [version.counts.sum() for version in (first, second)]
    pooled = ((first.counts + second.counts).sum(axis=0) / sum(sizes))[held]
    multinomial = pooled * (1 - pooled) * sum(1 / size for size in sizes)
    found = []
    for change, variance in (
        (changes.within[held], changes.own_variance[held]),
        (changes.within[held], changes.variance[held]),
        (whole, multinomial),
    ):
        z = change[variance > 0] / np.sqrt(variance[variance > 0])
        found += [float(z.std()), float((np.abs(z) > 1.96).mean())]
    return tuple(found)


def detectable(report: Report, domains: tuple[str, ...]) -> None:
    """Print the least changes that would be alarms in four of five cases."""
    print("## Least change that is found (power 0.8) between these halves\n")
    least = report.domains.detectable
    rows = [(name, *(f"{100 * share:.2f}" for share in report.domains.baseline[i]),
             *(f"{100 * size:.2f}" for size in least[i])) for i, name in enumerate(domains)]  # fmt: skip
    print(table(rows, ("domain", *("% of " + m for m in ("documents", "bytes", "tokens")),
                       *("points of " + m for m in ("documents", "bytes", "tokens")))), "\n")  # fmt: skip
    rows = [(f"{held:,}", f"{ratio:.2f}") for held, ratio in report.tokens.detectable]
    print(table(rows, ("documents that hold the word", "|log2 ratio|")), "\n")
    bits = [exposure.detectable for exposure in report.exposures]
    print(f"benchmarks: {np.median(bits):.3f} bits per word (median), {max(bits):.3f} (largest)\n")


if __name__ == "__main__":
    raise SystemExit(main())
