"""Windows of documents as a corpus-side index holds them: few sizes that serve items of any length.

A scan that knows its items cuts windows at their lengths, a quarter of a window apart. An index is built
before any item is known and stores every window, so it has fewer: of 32 and 96 words, half a window apart,
and documents shorter than 32 words whole. Static windows: 12.8 for a KB of text, and of rewritten GSM8K
items hidden in documents of 200 words that a scan nominates (n = 3,957) they nominate 99.4 % at the same
floors and 99.6 % at floors lower by MARGIN, where the windows of 48 words alone reach 95 and 96 %, and
24, 48 and 96 (22.5 a KB) 99.8 %.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from corpora.normal_form import fingerprint, words
from indexes.embeddings.card import PROBES
from indexes.embeddings.encoder import Encoder
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import text_vectors, window_vectors

SIZES: Final = (32, 96)  # words
WHOLE: Final = (
    16  # a document of at least half this many words and less than SIZES[0] is one window
)
ENCODED_SIZES: Final = (64,)  # for a transformer, which costs 100 times as much a window
LEAST_WORDS: Final = 8  # of an encoded document
MARGIN: Final = (
    0.02  # by which floors are lower than those of a scan: windows fit items less closely
)


class Vectors(NamedTuple):
    """Vectors of windows, by document."""

    document: np.ndarray  # int64 (n,)
    vector: np.ndarray  # float32 (n, dimension), of unit length


class WindowModel(Protocol):
    """What turns documents into vectors of windows; equal `identity`, equal vectors."""

    name: str
    identity: str  # without spaces
    dimension: int

    def windows(self, data: np.ndarray, bounds: np.ndarray) -> Vectors:
        """Return the windows of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8)."""
        ...

    def probes(self) -> np.ndarray:
        """Return the vectors of the probe sentences: float32 (probes, dimension)."""
        ...


class StaticWindows:
    """Windows by a static model."""

    def __init__(self, model: StaticModel) -> None:
        self.model = model
        self.name = model.card.name
        self.dimension = model.card.dimension
        self.identity = f"{model.card.fingerprint}/{_said(SIZES)}"

    def windows(self, data: np.ndarray, bounds: np.ndarray) -> Vectors:
        """Return the windows of documents; those of which half of the words are unknown are left out."""
        sizes = np.array((WHOLE, *SIZES), np.int64)
        found = window_vectors(data, bounds, sizes, self.model)
        kept = _kept(found.document, found.start, found.end)
        vectors = found.vectors[kept][:, : self.dimension].astype(np.float32)
        return Vectors(found.document[kept].astype(np.int64), _unit(vectors))

    def probes(self) -> np.ndarray:
        """Return the vectors of the probe sentences: float32 (probes, dimension)."""
        data, bounds = joined(PROBES)
        return text_vectors(data, bounds, self.model)


class EncodedWindows:
    """Windows of the raw text by a transformer."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.name = encoder.card.name
        self.dimension = encoder.dimension
        self.identity = f"{encoder.card.fingerprint}/{fingerprint()}/{_said(ENCODED_SIZES)}"

    def windows(self, data: np.ndarray, bounds: np.ndarray) -> Vectors:
        """Return the windows of documents of `LEAST_WORDS` words and more."""
        documents, texts = [], []
        for document in range(len(bounds) - 1):
            text = data[bounds[document] : bounds[document + 1]].tobytes().decode()
            for window in _cut(text):
                documents.append(document)
                texts.append(window)
        return Vectors(np.array(documents, np.int64), self.encoder.encode(texts))

    def probes(self) -> np.ndarray:
        """Return the vectors of the probe sentences: float32 (probes, dimension)."""
        return self.encoder.encode(PROBES)


def joined(texts: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as UTF-8 (uint8) and where each begins (int64 (n + 1,))."""
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def _kept(document: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Tell which windows an index keeps: bool (n,); sorted by document and size, as they come.

    Those that begin at a multiple of half their size, those that end a document, and of the size WHOLE
    only those of documents that have no others.
    """
    size = end - start
    n = len(document)
    if n == 0:
        return np.zeros(0, np.bool_)
    next_size = np.append(size[1:], -1)
    next_document = np.append(document[1:], -1)
    last = (next_document != document) | (next_size != size)
    kept = last.copy()
    for wanted in SIZES:
        kept |= (size == wanted) & (start % (wanted // 2) == 0)
    longest = np.zeros(int(document[-1]) + 1, np.int64)
    np.maximum.at(longest, document, end)
    short = longest[document] < SIZES[0]
    is_whole = size <= WHOLE
    return np.where(is_whole & ~short, False, kept)


def _cut(text: str) -> list[str]:
    """Return the windows of a text, as it stands."""
    places = words(text)
    n = len(places.starts)
    if n < LEAST_WORDS:
        return []
    found = []
    for size in ENCODED_SIZES:
        starts = list(range(0, max(n - size, 0) + 1, size // 2))
        if starts[-1] + size < n:
            starts.append(n - size)
        found += [text[places.starts[at] : places.ends[min(at + size, n) - 1]] for at in starts]
    return found


def _unit(rows: np.ndarray) -> np.ndarray:
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    out: np.ndarray = rows / np.maximum(sizes, 1e-12)
    return out


def _said(sizes: tuple[int, ...]) -> str:
    return "+".join(map(str, sizes)) + "/2"
