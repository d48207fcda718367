"""The background: in how much of general text a word or a phrase stands.

Common words and phrases must weigh little in a match, but not by their count in the corpus under
test, where the most leaked item is the most frequent. So the frequencies come with the package:
counted by `tools/build_background.py` over documentation, books, dictionaries, source code and
licences from Debian packages, which `data/background.json` names. They belong to one normal form;
another one gives other hashes and needs a new background.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from corpora.normal_form import fingerprint

DATA: Final = Path(__file__).with_name("data")
REBUILD: Final = "rebuild it with: python tools/build_background.py --debs FOLDER"


class BackgroundError(ValueError):
    """The background is damaged or was made for another normal form; `path` is the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; {REBUILD}")
        self.path = path


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Document frequencies of words, and the phrases and character 5-grams that are common.

    A document is a piece of about 300 words. All arrays are read-only.
    """

    word_hash: np.ndarray  # uint64 (n,), sorted
    word_df: np.ndarray  # uint32 (n,), number of documents with the word
    phrase_hash: np.ndarray  # uint64 (m,), sorted, `indexes.seeds` of five words
    common_shingles: np.ndarray  # uint32 (k,), sorted, buckets of `indexes.shingles`
    documents: int

    def rate_of(self, word_hashes: np.ndarray) -> np.ndarray:
        """Return the share of documents with each word: float64 (n,) in [0, 1], 0 where unknown.

        `word_hashes` is uint64 of shape (n,), in any order.
        """
        rates = np.zeros(len(word_hashes))
        places, known = _find(self.word_hash, word_hashes)
        rates[known] = self.word_df[places[known]] / self.documents
        return rates

    def is_common(self, seeds: np.ndarray) -> np.ndarray:
        """Return which seeds (uint64 of shape (n,)) are common phrases: bool of shape (n,)."""
        return _find(self.phrase_hash, seeds)[1]


@cache
def load_background(folder: Path = DATA) -> Background:
    """Load the background that ships with the package, or one built elsewhere.

    Raises `BackgroundError` when the file does not have the recorded checksum or was counted with
    another normal form, `OSError` when it cannot be read.
    """
    record = json.loads((folder / "background.json").read_text(encoding="utf-8"))
    path = folder / "background.npz"
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != record["sha256"]:
        raise BackgroundError(
            path, f"it is damaged: SHA-256 {digest!r}, recorded {record['sha256']!r}"
        )
    if record["normal_form"] != fingerprint():
        raise BackgroundError(
            path,
            f"it was made for normal form {record['normal_form']!r}, this is {fingerprint()!r}",
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return Background(
            word_hash=_read_only(arrays["word_hash"]),
            word_df=_read_only(arrays["word_df"]),
            phrase_hash=_read_only(arrays["phrase_hash"]),
            common_shingles=_read_only(arrays["common_shingles"]),
            documents=int(arrays["documents"]),
        )


def _find(table: np.ndarray, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each hash in a sorted table, and whether it is there."""
    if len(table) == 0:
        return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(table, hashes), len(table) - 1)
    return places, table[places] == hashes


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
