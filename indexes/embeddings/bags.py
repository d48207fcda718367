"""The background as bags of words: what windows of general text are like for any static model.

Stretches of documentation, dictionaries, books and code, in bags of some words, sorted within each bag:
`tools/build_static_table.py` made them, `data/bags.json` names the texts. A static model sums words, so
the order within a bag is nothing to it.
"""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from typing import Final

import numpy as np

from corpora.normal_form import fingerprint
from indexes.embeddings.static import DATA, REBUILD, StaticModel, StaticModelError
from indexes.embeddings.word_vectors import window_vectors

MOST_WINDOWS: Final = 4096  # of one size that are looked at


@cache
def load_bags() -> tuple[np.ndarray, np.ndarray]:
    """Return the stretches as texts: uint8 data and int64 bounds, read-only.

    Raises:
        StaticModelError: where the file is damaged or of another normal form.
    """
    record = json.loads((DATA / "bags.json").read_text(encoding="utf-8"))
    path = DATA / "bags.npz"
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != record["sha256"]:
        raise StaticModelError(
            path, f"is damaged: SHA-256 {digest!r}, recorded {record['sha256']!r}; {REBUILD}"
        )
    if record["normal_form"] != fingerprint():
        raise StaticModelError(
            path,
            f"was made for normal form {record['normal_form']!r}, this is {fingerprint()!r}; {REBUILD}",
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        words = arrays["words"].tobytes().decode().split("\n")
        bags = arrays["bags"].reshape(-1, record["stretch_bags"] * record["bag_words"])
    texts = [" ".join([words[n] for n in stretch]).encode() for stretch in bags.tolist()]
    data = np.frombuffer(b"".join(texts), np.uint8)
    bounds = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    bounds.setflags(write=False)
    return data, bounds


def background_windows(sizes: np.ndarray, model: StaticModel) -> list[np.ndarray]:
    """Return windows of the background in each of some sizes (int64, words): int16 (n, dimension).

    At most `MOST_WINDOWS` of a size, at equal distances.
    """
    found = []
    for size in sizes:
        vectors = window_vectors(*load_bags(), np.array([size], np.int64), model).vectors
        n = min(MOST_WINDOWS, len(vectors))
        found.append(vectors[np.arange(n) * len(vectors) // max(n, 1)])
    return found
