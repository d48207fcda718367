"""An encoder that remembers what it has read: copies in a corpus, and the documents of a battery."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from indexes.embeddings.encoder import Encoder

MOST_KEPT: Final = 1 << 15  # vectors; then it begins anew: 50 MB of 384 dimensions


class Remembered:
    """Gives texts their vectors, each computed once; threads share it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of texts: float32 (n, dimension), of unit length."""
        with self._lock:
            found = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = sorted(set(texts) - found.keys())
        if new:
            found.update(zip(new, self._encoder.encode(new), strict=True))
            with self._lock:
                if len(self._vectors) + len(new) > MOST_KEPT:
                    self._vectors.clear()
                self._vectors.update((text, found[text]) for text in new[:MOST_KEPT])
        if not texts:
            return np.zeros((0, self._encoder.dimension), np.float32)
        return np.stack([found[text] for text in texts])
