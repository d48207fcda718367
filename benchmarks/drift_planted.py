"""Changes that are planted in one half of a corpus, and what is found of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from drift_documents import Documents, count_keys, text_hash
from drift_report import FAMILIES, POLICY, compare, halves
from harness import read_records, table
from scipy import sparse
from tokenizers import Tokenizer

from scanners.copies import compare_copies
from scanners.domains import domain_drift
from scanners.tokens import KINDS, token_drift
from scanners.totals import Totals

PLANTED_SEEDS = 5
DELETED = 200


def planted(documents: Documents, benchmarks: list[sparse.csr_array]) -> None:
    """Plant changes in the second half, and in a copy of the whole, and print what is found."""
    print(f"## Planted changes, {PLANTED_SEEDS} seeds\n")
    rows = []
    lengths = documents.lengths_only()
    everything = np.arange(len(documents.sizes))
    for number, name in enumerate(documents.domains):
        found = Counter[str]()
        for seed in range(PLANTED_SEEDS):
            first, second = halves(documents, seed)
            for case, baseline, candidate in (
                ("halves", first, second), ("whole", everything, everything)
            ):  # fmt: skip
                left = without_half(documents, candidate, number, seed)
                drift = domain_drift(lengths.totals(baseline), lengths.totals(left), POLICY, seed)
                found[case] += bool(drift.alarm[number].any())
                relative = np.where(drift.alarm, np.abs(drift.relative), 0).max(axis=1)
                found[case + " first"] += int(np.argmax(relative)) == number and relative.max() > 0
        n = int((documents.domain == number).sum())
        rows.append((name, n, *(f"{found[case]} of {PLANTED_SEEDS}" for case in
                                ("halves", "halves first", "whole", "whole first"))))  # fmt: skip
    print(table(rows, ("half of a domain removed", "documents", "against the other half: alarm",
                       "strongest", "against a copy of the whole: alarm", "strongest")), "\n")  # fmt: skip
    deleted_words(documents)
    copied_documents(documents, benchmarks)


def without_half(documents: Documents, rows: np.ndarray, domain: int, seed: int) -> np.ndarray:
    """Return the rows without a random half of those of one domain."""
    generator = np.random.default_rng(seed + 1000)
    gone = (documents.domain[rows] == domain) & (generator.random(len(rows)) < 0.5)
    return rows[~gone]


def deleted_words(documents: Documents) -> None:
    """Delete 200 words from the second half, at several document frequencies."""
    rows = []
    for low, high in ((20, 40), (40, 80), (80, 200), (200, 1_000), (1_000, 10**9)):
        found, kinds, others = [], Counter[str](), 0
        for seed in range(2):
            first, second = (documents.totals(part) for part in halves(documents, seed))
            held = (first.documents + second.documents).sum(axis=0)
            pool = np.flatnonzero((held >= low) & (held < high))
            gone = np.random.default_rng(seed).choice(pool, min(DELETED, len(pool)), replace=False)
            result = token_drift(first, without_keys(documents, seed, gone), POLICY, seed)
            is_gone = np.isin(result.table.key, documents.keys[gone])
            found.append(float(result.table.alarm[is_gone].sum() / len(gone)))
            others += int(result.table.alarm[~is_gone].sum())
            kinds.update(KINDS[kind] for kind in result.table.change_kind[is_gone])
        told = ", ".join(f"{kind or 'no alarm'} {n}" for kind, n in kinds.most_common())
        rows.append((f"{low} to {high}" if high < 10**9 else f"{low} and more",
                     f"{np.mean(found):.1%}", told, others))  # fmt: skip
    header = ("200 words deleted, in so many documents", "found", "as", "other alarms")
    print(table(rows, header), "\n")


def without_keys(documents: Documents, seed: int, gone: np.ndarray) -> Totals:
    """Return the second half's totals after the deletion of some keys."""
    kept = np.ones(len(documents.keys))
    kept[gone] = 0
    rows = halves(documents, seed)[1]
    counts = sparse.csr_array(documents.counts[rows].multiply(kept[None, :]))
    counts.eliminate_zeros()
    part = Documents(counts, documents.domain[rows], documents.text[rows], documents.sizes[rows],
                     documents.domains, documents.keys)  # fmt: skip
    return part.totals(np.arange(len(rows)))


def copied_documents(documents: Documents, benchmarks: list[sparse.csr_array]) -> None:
    """Copy documents of the second half: some of all domains ten times, then of one domain."""
    rows = []
    for name, number in (("all", None), ("news", documents.domains.index("news"))):
        for seed in range(2):
            first, second = halves(documents, seed)
            generator = np.random.default_rng(seed)
            of_domain = np.ones(len(second), bool) if number is None else documents.domain[second] == number  # fmt: skip
            copied = second[of_domain & (generator.random(len(second)) < 0.02)]
            candidate = np.concatenate([second, np.repeat(copied, 9)])
            totals = documents.totals(first), documents.totals(candidate)
            report = compare(*totals, benchmarks, seed)
            share = [copy_share(documents, part) for part in (first, candidate)]
            copies = compare_copies(share[0], share[1], POLICY.false_alarms)
            named = [documents.domains[i] for i in np.flatnonzero(report.domains.alarm.any(axis=1))]
            rows.append((name, seed, len(copied), f"{share[0][0]:.1%}", f"{share[1][0]:.1%}",
                         "yes" if copies.alarm else "no", ", ".join(named) or "none",
                         *report.alarms().values()))  # fmt: skip
    header = ("2 % copied ten times, of", "seed", "documents", "copies before", "after", "alarm",
              "domains named", *FAMILIES)  # fmt: skip
    print(table(rows, header), "\n")


def copy_share(documents: Documents, rows: np.ndarray) -> tuple[float, float]:
    """Return the share of documents that are copies, and its standard error over 256 groups."""
    texts, counts = np.unique(documents.text[rows], return_counts=True)
    group = (texts % 256).astype(int)
    total = np.bincount(group, counts, 256)
    copies = np.bincount(group, counts - 1, 256)
    share = copies.sum() / total.sum()
    error = np.sqrt(((copies - share * total) ** 2).sum() * 256 / 255) / total.sum()
    return float(share), float(error)


def swapped_tokenizer(data: Path) -> None:
    """Count the halves of 4,000 documents with two tokenizers, and with the same."""
    records = [
        record
        for name in ("news", "encyclopedic", "web_misc")
        for record in read_records(data / "corpora" / "mix" / "v1" / f"{name}-00000.jsonl.zst")[
            :2000
        ]
    ]
    texts = [record["text"] for record in records]
    names = sorted({record["domain"] for record in records})
    files = sorted((data / "tokenizers").glob("*.tokenizer.json"))[:2]
    encoded = []
    for file in files:
        tokenizer = Tokenizer.from_file(str(file))
        encoded.append([np.array(e.ids) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)])  # fmt: skip
    keys = np.unique(np.concatenate([ids for part in encoded for ids in part])).astype(np.uint64)
    both = [
        Documents(
            counts=count_keys(part, keys),
            domain=np.array([names.index(record["domain"]) for record in records]),
            text=np.array([text_hash(text) for text in texts], dtype=np.uint64),
            sizes=np.array([len(text.encode()) for text in texts]),
            domains=tuple(names),
            keys=keys,
        )
        for part in encoded
    ]
    first, second = halves(both[0], 0)
    print(f"## Another tokenizer under the same name ({files[0].stem} and "
          f"{files[1].stem}), {len(texts):,} documents\n")  # fmt: skip
    rows = []
    for name, other in (("the same", both[0]), ("another", both[1])):
        drift = token_drift(both[0].totals(first), other.totals(second), POLICY, 0)
        for divergence in drift.whole.divergences:
            noise = divergence.noise
            rows.append((name, divergence.name, f"{noise.observed:.4f}", f"{noise.floor:.4f}",
                         f"{noise.ratio:.1f}", "yes" if divergence.alarm else "no"))  # fmt: skip
        rows.append((name, "alarms of tokens", int(drift.table.alarm.sum()), "", "", ""))
    print(
        table(rows, ("tokenizer", "number", "observed", "99 % of halves", "drift ratio", "alarm"))
    )
