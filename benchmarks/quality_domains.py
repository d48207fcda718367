"""How well domains are told by a classifier, and what the correction of shares for its errors brings.

The classifier is fitted on a sample of v1 of corpora/mix (5 % of each domain, at least 10 documents)
and labels all of v2, in which some domains have new sources. The accuracy by cross-validation is what
a user is shown; the accuracy on v2 is what they get.

With `--chars 60` only the first 60 characters of each text are seen, which makes the domains hard to tell.

    python benchmarks/quality_domains.py [--data DIR] [--samples 3] [--share 0.05] [--chars N]
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)

from corpora.documents import Batch, read_batches
from corpora.domain_source import HeldOut
from corpora.problems import ReadLog
from corpora.shards import Columns, resolve
from scanners.domain_classifier import LEAST_EXAMPLES, DomainClassifier, fit_classifier
from scanners.domain_shares import corrected_shares

LEAST_DRAWN: Final = LEAST_EXAMPLES + 2  # some texts stand twice


def main() -> int:
    """Print the tables."""
    parser = argument_parser(__doc__)
    parser.add_argument("--samples", type=int, default=3, help="samples of v1 to fit on")
    parser.add_argument("--share", type=float, default=0.05, help="of each domain of v1")
    parser.add_argument("--chars", type=int, help="see so many characters of each text only")
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(machine())
    mix = data / "corpora" / "mix"
    baseline, candidate = (batches_of(mix / name, options.chars) for name in ("v1", "v2"))
    for seed in range(options.samples):
        sample(baseline, candidate, options.share, seed)
    return 0


def batches_of(folder: Path, chars: int | None) -> list[Batch]:
    """Return the documents of a version, their `source` in place of their id."""
    shards = resolve([str(folder)], Columns(id="source"))
    batches = [batch for shard in shards for batch in read_batches(shard, ReadLog())]
    if chars is None:
        return batches
    return [replace(b, texts=pc.utf8_slice_codeunits(b.texts, 0, chars)) for b in batches]


def sample(baseline: list[Batch], candidate: list[Batch], share: float, seed: int) -> None:
    """Fit on a sample of the baseline and print how both versions are told."""
    texts, domains = pa.chunked_array([b.texts for b in baseline]), domains_of(baseline)
    chosen = drawn(domains, share, seed)
    start = time.perf_counter()
    classifier, held_out = fit_classifier(
        texts.take(pa.array(chosen)).combine_chunks(), list(domains[chosen]), seed
    )
    fitted_s = time.perf_counter() - start
    start = time.perf_counter()
    told = told_by(classifier, baseline), told_by(classifier, candidate)
    told_s = time.perf_counter() - start
    true = domains, domains_of(candidate)
    rest = np.setdiff1d(np.arange(len(domains)), chosen)
    megabytes = sum(pc.sum(pc.binary_length(b.texts)).as_py() for b in baseline + candidate) / 1e6
    sources = column([b.ids for b in baseline]), column([b.ids for b in candidate])
    is_known = np.isin(sources[1], np.unique(sources[0]))
    is_right = told[1] == true[1]
    print(
        f"\nsample {seed}: {len(chosen):,} examples, fitted and cross-validated in {fitted_s:.1f} s; "
        f"both versions labelled in {told_s:.1f} s, {megabytes / told_s:,.0f} MB/s\n"
        f"accuracy: {held_out.accuracy:.2%} by cross-validation, "
        f"{np.mean(told[0][rest] == domains[rest]):.2%} on the rest of v1, "
        f"{is_right.mean():.2%} on v2: {is_right[is_known].mean():.2%} of the {is_known.sum():,} documents "
        f"of sources that v1 has, {is_right[~is_known].mean():.2%} of the {(~is_known).sum():,} others"
    )
    shares_table(held_out, told, true, seed)


def shares_table(
    held_out: HeldOut,
    told: tuple[np.ndarray, np.ndarray],
    true: tuple[np.ndarray, np.ndarray],
    seed: int,
) -> None:
    """Print true, counted and corrected shares of documents of v2, and the errors of both."""
    counted = [shares(labels, held_out.domains) for labels in told]
    truth = [shares(labels, held_out.domains) for labels in true]
    fixed = corrected_shares(counted[0], counted[1], held_out, seed)
    if fixed.note is not None:
        print(f"note: {fixed.note}")
    if fixed.baseline is None or fixed.candidate is None or fixed.candidate_error is None:
        return
    recall = [np.mean(told[1][true[1] == domain] == domain) for domain in held_out.domains]
    rows = [
        [
            domain, f"{held_out.recalls[k]:.1%}", f"{recall[k]:.1%}", f"{truth[1][k]:.3%}",
            f"{counted[1][k]:.3%}", f"{fixed.candidate[k]:.3%}", f"{fixed.candidate_error[k]:.3%}",
        ]
        for k, domain in enumerate(held_out.domains)
    ]  # fmt: skip
    header = [
        "domain",
        "recall held out",
        "on v2",
        "true share v2",
        "counted",
        "corrected",
        "error",
    ]
    print(table(rows, header))
    print(f"condition number {fixed.condition:.3g}; sum of absolute errors of shares:")
    for name, version, corrected in (
        ("v1", 0, fixed.baseline),
        ("v2", 1, fixed.candidate),
    ):
        before = np.abs(counted[version] - truth[version]).sum()
        after = np.abs(corrected - truth[version]).sum()
        print(f"  {name}: counted {before:.3%}, corrected {after:.3%}")
    change = truth[1] - truth[0]
    before = np.abs(counted[1] - counted[0] - change).sum()
    after = np.abs(fixed.candidate - fixed.baseline - change).sum()
    print(f"  change: counted {before:.3%}, corrected {after:.3%}, of {np.abs(change).sum():.3%}")


def domains_of(batches: list[Batch]) -> np.ndarray:
    """Return the true domain of each document."""
    return column([batch.domains for batch in batches])


def told_by(classifier: DomainClassifier, batches: list[Batch]) -> np.ndarray:
    """Return the domain that the classifier gives each document."""
    return column([classifier.label(batch) for batch in batches])


def column(parts: list[pa.LargeStringArray]) -> np.ndarray:
    """Return the strings of all parts as objects."""
    return np.concatenate([part.to_numpy(zero_copy_only=False) for part in parts])


def drawn(domains: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return the numbers of the documents to fit on: the share of each domain, and no fewer than 12."""
    rng = np.random.default_rng(seed)
    chosen = []
    for domain in np.unique(domains):
        members = np.flatnonzero(domains == domain)
        chosen.append(
            rng.choice(members, max(LEAST_DRAWN, round(share * len(members))), replace=False)
        )
    return np.sort(np.concatenate(chosen))


def shares(labels: np.ndarray, domains: tuple[str, ...]) -> np.ndarray:
    """Return the share of documents of each domain."""
    return np.array([np.mean(labels == domain) for domain in domains])


if __name__ == "__main__":
    raise SystemExit(main())
