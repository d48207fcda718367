"""Windows of documents as a corpus-side index holds them: few that serve items of any length.

A scan that knows its items cuts windows at their lengths, close together: 100 for a KB of text. An index
is built before any item is known and stores every window. But what is copied or reworded mostly stands on
a line of its own. So an index has each line as it is, and within lines of more words windows of 24 and 64
words, two thirds of a window apart: 14 for a KB of prose and documentation. Of the documents of 200 words
that a scan nominates for the reworded item hidden in them, the store nominates 100 % for GSM8K and 99 %
for MMLU where the item is a line of its own, 100 and 93 % where it is not
(benchmarks/quality_stored_embeddings.py). Windows of fixed sizes alone dilute short items: 16, 40 and 96
words half a window apart, 31 a KB, nominated 75 % for MMLU in an earlier trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from corpora.normal_form import fingerprint, words
from indexes.embeddings.card import PROBES
from indexes.embeddings.encoder import Encoder, unit_rows
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import strides, text_vectors, window_vectors

SIZES: Final = (24, 64)  # words, within lines that have more than the first
LEAST_LINE: Final = 8  # words of a line that is a window, counted by what stands between them
MOST_LINE: Final = 256
ENCODED_SIZE: Final = 64  # for a transformer, which costs 100 times as much a window,
MOST_ENCODED: Final = 96  # within lines that have more words than this
ENCODED_CUT: Final = "lines+64/32"
MARGIN: Final = (
    0.02  # by which floors are lower than those of a scan: windows fit items less closely
)
LINE_FEED, SPACE, FIRST_WIDE, LAST_WIDE = 10, 32, 0xE3, 0xE9  # leading bytes of kana and Han


class Vectors(NamedTuple):
    """Vectors of windows, by document."""

    document: np.ndarray  # int64 (n,)
    words: np.ndarray  # int64 (n,), how many a window has
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
        self.identity = f"{model.card.fingerprint}/{_cut_of(SIZES)}"

    def windows(self, data: np.ndarray, bounds: np.ndarray) -> Vectors:
        """Return the windows of documents, by document and line."""
        lines = line_bounds(data, bounds)
        found = window_vectors(data, lines, np.array(SIZES, np.int64), self.model)
        n_words = np.zeros(len(lines) - 1, np.int64)  # of lines that have a window
        np.maximum.at(n_words, found.document, found.end)
        parts = np.flatnonzero(_kept(found.document, found.start, found.end, n_words))
        whole = text_vectors(data, lines, self.model)
        roughly = rough_words(data, lines)
        is_window = (roughly >= LEAST_LINE) & (n_words <= MOST_LINE)
        chosen = np.flatnonzero(is_window & whole.any(axis=1))
        part_vectors = found.vectors[parts][:, : self.dimension].astype(np.float32)
        line = np.concatenate([chosen, found.document[parts].astype(np.int64)])
        order = np.argsort(line, kind="stable")  # the same in batches of any size
        vectors = np.concatenate([whole[chosen], unit_rows(part_vectors)])
        # Lines too short for a window have been counted roughly only.
        of_lines = np.where(n_words > 0, n_words, np.minimum(roughly, SIZES[0] // 2))[chosen]
        n_of_windows = np.concatenate([of_lines, (found.end - found.start)[parts]])
        document = np.searchsorted(bounds, lines[:-1], side="right") - 1
        return Vectors(document[line[order]], n_of_windows[order], vectors[order])

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
        self.identity = f"{encoder.card.fingerprint}/{fingerprint()}/{ENCODED_CUT}"

    def windows(self, data: np.ndarray, bounds: np.ndarray) -> Vectors:
        """Return the windows of documents, by document and line."""
        documents, texts, n_words = [], [], []
        for document in range(len(bounds) - 1):
            text = data[bounds[document] : bounds[document + 1]].tobytes().decode()
            for window, n in _cut(text):
                documents.append(document)
                texts.append(window)
                n_words.append(n)
        vectors = self.encoder.encode(texts)
        return Vectors(np.array(documents, np.int64), np.array(n_words, np.int64), vectors)

    def probes(self) -> np.ndarray:
        """Return the vectors of the probe sentences: float32 (probes, dimension)."""
        return self.encoder.encode(PROBES)


def joined(texts: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as UTF-8 (uint8) and where each begins (int64 (n + 1,))."""
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def line_bounds(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return where the lines of documents begin, and where the last one ends: int64, ascending.

    A line ends after its line feed, or with its document.
    """
    first, last = int(bounds[0]), int(bounds[-1])
    feeds = np.flatnonzero(data[first:last] == LINE_FEED) + first + 1
    return np.union1d(feeds, bounds).astype(np.int64)


def rough_words(data: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return about how many words texts have, by their spaces and Han or kana: int64 (n,)."""
    first, last = int(bounds[0]), int(bounds[-1])
    part = data[first:last]
    marks = (part == SPACE) | ((part >= FIRST_WIDE) & (part <= LAST_WIDE))
    running = np.concatenate([[0], np.cumsum(marks)])
    found: np.ndarray = np.diff(running[bounds - first]) + 1
    return found


def _kept(line: np.ndarray, start: np.ndarray, end: np.ndarray, n_words: np.ndarray) -> np.ndarray:
    """Tell which windows within lines an index keeps: bool (n,); given by line, size and start.

    Every second one and those that end a line, of lines of more than `SIZES[0]` words; none that is a
    whole line.
    """
    size = end - start
    last = (np.append(line[1:], -1) != line) | (np.append(size[1:], -1) != size)
    kept = last.copy()
    for wanted, step in zip(SIZES, _steps(), strict=True):
        kept |= (size == wanted) & (start % step == 0)
    of_line = n_words[line]
    out: np.ndarray = kept & (of_line > SIZES[0]) & (size < of_line)
    return out


def _steps() -> list[int]:
    """Return how many words apart windows begin: two thirds of their size."""
    apart: list[int] = (2 * strides(np.array(SIZES, np.int64))).tolist()
    return apart


def _cut_of(sizes: tuple[int, ...]) -> str:
    """Return how lines are cut up, as an identity has it."""
    return "+".join(
        ["lines", *(f"{size}/{step}" for size, step in zip(sizes, _steps(), strict=True))]
    )


def _cut(text: str) -> Iterator[tuple[str, int]]:
    """Yield windows of a text for a transformer, and their words: lines, or parts of long ones."""
    for line in text.split("\n"):
        places = words(line)
        n = len(places.starts)
        if n < LEAST_LINE:
            continue
        size = n if n <= MOST_ENCODED else ENCODED_SIZE
        starts = list(range(0, n - size + 1, max(size // 2, 1)))
        if starts[-1] + size < n:
            starts.append(n - size)
        for at in starts:
            yield line[places.starts[at] : places.ends[at + size - 1]], size
