"""Builds indexes/data/background.npz, the background that common words and phrases are weighed by.

The text comes from Debian packages: documentation, dictionaries, books, quotations, source code and
licences in nine languages, all free to redistribute; the file holds hashes and counts only. Run it
on a Debian 12 machine after `apt-get update`, again whenever the normal form has changed:

    python tools/build_background.py --debs FOLDER

FOLDER keeps the downloaded packages (about 390 MB), so that a second run needs no network; nothing is
installed. The same packages and the same normal form give the same bytes.

A background document is a piece of about 300 words of one file, so that "in how many documents"
means the same for a dictionary and for a manual page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from debian_packages import PACKAGES, fetch, read_package, source_entry
from scaffolding import scaffolding_seeds

from corpora.normal_form import fingerprint, word_hashes
from indexes.seeds import SEED_WORDS, seed_hashes
from indexes.shingles import BUCKET_BITS, BUCKET_SHIFT, text_shingles

DATA = Path(__file__).parents[1] / "indexes" / "data"
PIECE_WORDS = 300
LEAST_WORD_DOCUMENTS = 4
LEAST_PHRASE_DOCUMENTS = 5
LEAST_PHRASE_SOURCES = 2  # source packages: the running heads of one manual are no common phrase
MOST_WORDS = 80_000
MOST_PHRASES = 100_000
PIECE_CHARS = 1800  # of the normal form, in which character 5-grams are counted: 300 words or so
MOST_SHINGLES = 8192  # what is common turns away two thirds of the 5-grams of a text


def main() -> None:
    """Fetch what is missing, count, write the two files and say what they hold."""
    parser = argparse.ArgumentParser(description="Build indexes/data/background.npz.")
    parser.add_argument("--debs", type=Path, required=True, help="where downloaded packages are")
    folder = parser.parse_args().debs
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    counts: list[tuple[str, Counts]] = []
    for package in PACKAGES:
        source = read_package(package, fetch(package.name, folder))
        sources.append(source_entry(source))
        counts.append((source.origin, count(source.texts)))
        print(f"{package.name}: {sources[-1]['texts']} texts, {sources[-1]['bytes'] / 1e6:.1f} MB")
    write(sources, counts)


@dataclass(frozen=True, slots=True)
class Counts:
    """Document frequencies of one package: hashes sorted, uint64; frequencies int64."""

    documents: int
    words: np.ndarray
    word_documents: np.ndarray
    phrases: np.ndarray
    phrase_documents: np.ndarray
    shingle_documents: np.ndarray  # int64 (2**20,), by bucket


# Texts to counts


def count(texts: Iterable[str]) -> Counts:
    """Count in how many pieces of the texts every word and every phrase of five words stands."""
    words: list[np.ndarray] = []
    phrases: list[np.ndarray] = []
    shingles = np.zeros(1 << BUCKET_BITS, np.int64)
    for text in texts:
        hashes = word_hashes(text)
        for start in range(0, len(hashes), PIECE_WORDS):
            words.append(np.unique(hashes[start : start + PIECE_WORDS]))
            # A phrase belongs to the piece that it begins in.
            end = start + PIECE_WORDS + SEED_WORDS - 1
            phrases.append(np.unique(seed_hashes(hashes[start:end], SEED_WORDS)))
        buckets = text_shingles(text) >> BUCKET_SHIFT
        for start in range(0, len(buckets), PIECE_CHARS):
            shingles[np.unique(buckets[start : start + PIECE_CHARS])] += 1
    nothing = np.empty(0, np.uint64)
    return Counts(
        len(words),
        *np.unique(np.concatenate([nothing, *words]), return_counts=True),
        *np.unique(np.concatenate([nothing, *phrases]), return_counts=True),
        shingles,
    )


def totals(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge hashes with their counts: the hashes sorted, the sum and the number of parts of each."""
    hashes = np.concatenate([part[0] for part in parts])
    numbers = np.concatenate([part[1] for part in parts])
    order = np.argsort(hashes, kind="stable")
    unique, first = np.unique(hashes[order], return_index=True)
    sums = np.add.reduceat(numbers[order], first)
    return unique, sums, np.diff(np.append(first, len(hashes)))


def most_frequent(
    hashes: np.ndarray, numbers: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the `most` frequent hashes (of equals the smaller hash), sorted by hash."""
    kept = np.sort(np.lexsort((hashes, -numbers))[:most])
    return hashes[kept], numbers[kept]


def common_words(counts: list[tuple[str, Counts]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the words that count as known, with their document frequencies."""
    words, numbers, _ = totals([(one.words, one.word_documents) for _, one in counts])
    known = numbers >= LEAST_WORD_DOCUMENTS
    return most_frequent(words[known], numbers[known], MOST_WORDS)


def common_phrases(counts: list[tuple[str, Counts]]) -> np.ndarray:
    """Return the seeds of the phrases that are common, and of the scaffolding."""
    origins: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for origin, one in counts:
        origins.setdefault(origin, []).append((one.phrases, one.phrase_documents))
    merged = [totals(parts)[:2] for parts in origins.values()]
    phrases, numbers, in_sources = totals(merged)
    common = (numbers >= LEAST_PHRASE_DOCUMENTS) & (in_sources >= LEAST_PHRASE_SOURCES)
    scaffolding = scaffolding_seeds()
    most = MOST_PHRASES - len(scaffolding)
    return np.union1d(most_frequent(phrases[common], numbers[common], most)[0], scaffolding)


def common_shingles(counts: list[tuple[str, Counts]]) -> np.ndarray:
    """Return the buckets of the most frequent character 5-grams: uint32, sorted."""
    total = np.sum([one.shingle_documents for _, one in counts], axis=0)
    return most_frequent(np.arange(len(total), dtype=np.uint32), total, MOST_SHINGLES)[0]


# Counts to files


def write(sources: list[dict[str, object]], counts: list[tuple[str, Counts]]) -> None:
    """Write the arrays and the record that names them by their checksum."""
    words, word_documents = common_words(counts)
    phrases = common_phrases(counts)
    documents = sum(one.documents for _, one in counts)
    DATA.mkdir(exist_ok=True)
    target = DATA / "background.npz"
    np.savez_compressed(
        target,
        word_hash=words,
        word_df=word_documents.astype(np.uint32),
        phrase_hash=phrases,
        common_shingles=common_shingles(counts),
        documents=np.array(documents, np.uint64),
    )
    record = {
        "normal_form": fingerprint(),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
        "documents": documents,
        "words": len(words),
        "phrases": len(phrases),
        "common_shingles": MOST_SHINGLES,
        "scaffolding_phrases": len(scaffolding_seeds()),
        "seed_words": SEED_WORDS,
        "piece_words": PIECE_WORDS,
        "text_bytes": sum(int(str(source["bytes"])) for source in sources),
        "sources": sources,
    }
    path = DATA / "background.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({name: value for name, value in record.items() if name != "sources"})


if __name__ == "__main__":
    main()
