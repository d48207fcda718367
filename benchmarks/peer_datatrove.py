"""datatrove's n-gram decontamination over our documents; run by quality_detection in its own venv.

    python peer_datatrove.py ITEMS.jsonl DOCUMENTS.jsonl FOLDER

Prints one line of JSON: which documents its filter drops, by default and with the n-grams of questions.

The index is what NGramsDecontIndexer.compute_hashes gives, written as its `run` writes it; `run` itself
also fetches tasks with lighteval, which needs torch and the hub. Words are cut once for both filters.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import (
    NGramsDecontConfig,
    NGramsDecontFilter,
    NGramsDecontIndexer,
)

CONFIGS = {
    "default": NGramsDecontConfig(),
    "with questions": NGramsDecontConfig(find_query_ngrams=True),
}


class WordsOnce:
    """A word tokenizer that remembers the last texts, so that both configurations share the work."""

    def __init__(self, tokenizer: Any) -> None:
        self.word_tokenize = lru_cache(maxsize=2)(tokenizer.word_tokenize)


def main() -> None:
    """Index items and filter documents."""
    items, documents, folder = map(Path, sys.argv[1:])
    write_indexes(items, folder)
    filters = [NGramsDecontFilter(str(folder / n), config=c) for n, c in CONFIGS.items()]
    once = WordsOnce(filters[0].tokenizer)
    for one in filters:
        one.tokenizer = once
    dropped = [
        [one.filter(Document(text=line["text"], id="")) is not True for one in filters]
        for line in lines(documents)
    ]
    columns = zip(*dropped, strict=True)
    print(json.dumps(dict(zip(CONFIGS, columns, strict=True))))


def write_indexes(items: Path, folder: Path) -> None:
    """Write the hashes of all items, in a folder for each configuration."""
    NGramsDecontIndexer._requires_dependencies = []  # lighteval
    indexers = {n: NGramsDecontIndexer(str(folder / n), config=c) for n, c in CONFIGS.items()}
    once = WordsOnce(next(iter(indexers.values())).tokenizer)
    hashes: dict[str, set[int]] = {name: set() for name in indexers}
    for item in lines(items):
        for name, indexer in indexers.items():
            indexer.tokenizer = once
            hashes[name].update(indexer.compute_hashes(item["label"], item["query"]))
    for name, indexer in indexers.items():
        (folder / name).mkdir(exist_ok=True)
        with (folder / name / "items.index.hashes").open("wb") as file:
            np.array(sorted(hashes[name]), dtype=indexer.config.hash_config.np_descr).tofile(file)


def lines(path: Path) -> Iterator[dict[str, str]]:
    """Yield the objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    main()
