"""The search for translated items: windows in other languages, by a multilingual model.

1. Sentences in another language than the benchmark's are found (`scanners.languages`), and windows as long as
   its questions are laid over them (`scanners.foreign_windows`). Numbers are the same in every language:
   a question with numbers is not sought where there are not half as many, of whatever value, for a
   question with other numbers is a finding, too.
2. The model reads each sentence of the rest once. A window's vector is, nearly, the mean of its
   sentences' weighted by their sizes: that nominates, as the model's time would not do for all windows.
3. Of nominated windows that overlap the model reads the best one itself, and where that comes close to a
   question also those with a sentence more or less, and `scanners.translation_evidence` says how they tell
   a translation from a sibling: by how much nearer it is to its question than to all others, and
   by the numbers.

Questions are encoded when the first text in another language comes: others cost nothing but the look.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from indexes.embeddings.encoder import Encoder
from indexes.embeddings.probes import Scale, translation_scale
from indexes.embeddings.remembered import Remembered
from scanners.foreign_windows import Windows, windows_of
from scanners.languages import Sentences, sentences_of
from scanners.nearest_questions import CELLS, Known, cosines_with, know, others
from scanners.numerals import Numbers, numbers_of
from scanners.patterns import Patterns
from scanners.translated_questions import Questions, questions_of

MOST_RATIO: Final = (
    1.9  # of the sizes of a question and its translation: of 13,000, 98 % are within
)
ASKED: Final = 3  # questions that a window is compared with at most, once it is read
LEAST_GAP: Final = 0.05  # of the scale, to the mean of the next questions, that nominates
CLOSE_GAP: Final = 0.12  # from which on a sentence more or less is tried, too
ROUNDS: Final = 2


class Candidates(NamedTuple):
    """Windows that may be translations, (n,) each, with what the model says."""

    question: np.ndarray  # int64, row of `Questions`
    first: np.ndarray  # int64, sentences
    last: np.ndarray
    size: np.ndarray  # float64
    cosine: np.ndarray  # float64, on the scale of the model: 0 unrelated, 1 translated
    margin: np.ndarray  # to the next question
    gap: np.ndarray  # to the mean of the next questions
    twin: np.ndarray  # of the question and the next question
    crowd: np.ndarray  # of the question and the next questions, their mean


@dataclass(slots=True)
class Searched:
    """What was found in a batch of documents for one benchmark."""

    questions: Questions
    candidates: Candidates
    sentences: Sentences
    numbers: Numbers


class Translations:
    """What is sought; threads share it.

    Raises:
        EncoderError: the model does not bring translations together.
    """

    def __init__(self, encoder: Encoder, items: Sequence[Item], patterns: Patterns) -> None:
        self._encoder = Remembered(encoder)
        self.scale: Scale = translation_scale(encoder)
        self._items = items
        self.benchmarks = questions_of(items, patterns)
        self._known: dict[int, Known] = {}
        self._lock = threading.Lock()

    def search(self, data: np.ndarray, bounds: np.ndarray) -> list[Searched]:
        """Search documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8)."""
        sentences = sentences_of(data, bounds)
        numbers = numbers_of(data, sentences)
        return [
            Searched(
                questions, self._search(data, sentences, numbers, questions), sentences, numbers
            )
            for questions in self.benchmarks
        ]

    def _search(
        self, data: np.ndarray, sentences: Sentences, numbers: Numbers, questions: Questions
    ) -> Candidates:
        windows = windows_of(sentences, questions.language, questions.sizes)
        vectors: dict[int, np.ndarray] = {}
        rows, gaps = [np.zeros(0, np.int64)], [np.zeros(0)]
        step = max(1, CELLS // len(questions.item))
        for first in range(0, len(windows.first), step):
            chunk = _some(windows, np.arange(first, min(first + step, len(windows.first))))
            allowed = _allowed(chunk, numbers, questions)
            fit = np.flatnonzero(allowed.any(axis=1))
            if len(fit):
                chunk = _some(chunk, fit)
                near = self._by_sentences(data, sentences, chunk, vectors)
                found = self._nearest(near, chunk, allowed[fit], questions, 1)
                rows.append(first + fit)
                gaps.append(found.gap)
        row, gap = np.concatenate(rows), np.concatenate(gaps)
        kept = gap >= LEAST_GAP
        chosen = _best_apart(_some(windows, row[kept]), gap[kept], sentences)
        found = self._read(data, sentences, numbers, chosen, questions)
        for _ in range(ROUNDS):
            beside = _neighbours(found, sentences)
            if not len(beside.first):
                break
            more = self._read(data, sentences, numbers, beside, questions)
            found = Candidates(*map(np.concatenate, zip(found, more, strict=True)))
        return found

    def _by_sentences(
        self,
        data: np.ndarray,
        sentences: Sentences,
        windows: Windows,
        known: dict[int, np.ndarray],
    ) -> np.ndarray:
        """Return about what vectors windows have: float64 (n, dimension); `known` are sentences'."""
        needed = np.unique(
            np.concatenate(
                [np.arange(a, b) for a, b in zip(windows.first, windows.last, strict=True)]
            )
        )
        new = [s for s in needed.tolist() if s not in known]
        texts = [data[sentences.start[s] : sentences.end[s]].tobytes().decode() for s in new]
        known.update(zip(new, self._encoder.encode(texts), strict=True))
        table = np.stack([known[s] for s in needed.tolist()]).astype(np.float64)
        table *= sentences.size[needed][:, None]
        low = np.searchsorted(needed, windows.first)
        counts = windows.last - windows.first
        out = np.zeros((len(counts), table.shape[1]))
        for k in range(int(counts.max())):  # added in one order, whatever else is in the batch
            rows = np.flatnonzero(counts > k)
            out[rows] += table[low[rows] + k]
        sizes = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, sizes, out=out, where=sizes > 0)

    def _nearest(
        self,
        vectors: np.ndarray,
        windows: Windows,
        allowed: np.ndarray,
        questions: Questions,
        most: int,
    ) -> Candidates:
        """Return for each window the questions that it is nearest to, of those allowed."""
        known = self._of_questions(questions)
        cosines = cosines_with(vectors, known.vectors, self.scale)
        most = min(most, allowed.shape[1])
        best = np.argpartition(-np.where(allowed, cosines, -9), most - 1, axis=1)[:, :most]
        row, question = np.repeat(np.arange(len(best)), most), best.reshape(-1)
        kept = allowed[row, question]
        row, question = row[kept], question[kept]
        own = cosines[row, question]
        next_one, next_ones = others(cosines, row, question)
        return Candidates(
            question, *(column[row] for column in windows), own, np.round(own - next_one, 6),
            np.round(own - next_ones, 6), known.twin[question], known.crowd[question],
        )  # fmt: skip

    def _read(
        self,
        data: np.ndarray,
        sentences: Sentences,
        numbers: Numbers,
        windows: Windows,
        questions: Questions,
    ) -> Candidates:
        """Let the model read windows as they stand; return the questions they are nearest to."""
        texts = [
            data[sentences.start[a] : sentences.end[b - 1]].tobytes().decode()
            for a, b in zip(windows.first.tolist(), windows.last.tolist(), strict=True)
        ]
        if not texts:
            nothing = np.zeros(0, np.int64)
            return Candidates(nothing, nothing, nothing, *(np.zeros(0) for _ in range(6)))
        vectors = self._encoder.encode(texts).astype(np.float64)
        allowed = _allowed(windows, numbers, questions)
        return self._nearest(vectors, windows, allowed, questions, ASKED)

    def _of_questions(self, questions: Questions) -> Known:
        """Return what the model says of questions; it is asked once."""
        with self._lock:
            if questions.benchmark not in self._known:
                texts = [self._items[i].question for i in questions.item.tolist()]
                vectors = self._encoder.encode(texts).astype(np.float64)
                self._known[questions.benchmark] = know(vectors, self.scale)
            return self._known[questions.benchmark]


def _allowed(windows: Windows, numbers: Numbers, questions: Questions) -> np.ndarray:
    """Tell which questions a window may say by size and count of numbers: bool (windows, questions)."""
    count = numbers.first[windows.last] - numbers.first[windows.first]
    enough = count[:, None] >= questions.needed
    ratio = windows.size[:, None] / questions.size
    result: np.ndarray = enough & (ratio <= MOST_RATIO) & (ratio >= 1 / MOST_RATIO)
    return result


def _best_apart(windows: Windows, gap: np.ndarray, sentences: Sentences) -> Windows:
    """Keep, of windows that overlap, the one with the largest gap; in order of the text."""
    order = np.lexsort((windows.last, windows.first, -gap))
    taken = np.zeros(len(sentences.start), np.bool_)
    kept = np.zeros(len(order), np.bool_)
    for row, first, last in zip(
        order.tolist(), windows.first[order].tolist(), windows.last[order].tolist(), strict=True
    ):
        if not taken[first:last].any():
            taken[first:last] = True
            kept[row] = True
    return _some(windows, np.flatnonzero(kept))


def _neighbours(found: Candidates, sentences: Sentences) -> Windows:
    """Return windows not read yet with a sentence more or less than those that say a question best.

    Only of those that are near enough to it that this may decide.
    """
    known = set(zip(found.first.tolist(), found.last.tolist(), strict=True))
    document = sentences.document[found.first]
    order = np.lexsort((found.first, -found.gap, found.question, document))
    order = order[found.gap[order] >= CLOSE_GAP]
    key = np.stack([document[order], found.question[order]])
    best = order[np.any(np.diff(key, axis=1, prepend=-1) != 0, axis=0)]
    new: set[tuple[int, int]] = set()
    for first, last in zip(found.first[best].tolist(), found.last[best].tolist(), strict=True):
        for start in range(max(0, first - 1), first + 2):
            for end in range(max(start + 1, last - 1), min(last + 1, len(sentences.start)) + 1):
                is_one = (
                    sentences.document[start] == sentences.document[end - 1]
                    and (sentences.language[start:end] == sentences.language[first]).all()
                )
                if is_one and (start, end) not in known:
                    new.add((start, end))
    firsts, lasts = np.array(sorted(new), np.int64).reshape(-1, 2).T
    sizes = [sentences.size[a:b].sum() for a, b in sorted(new)]
    return Windows(firsts, lasts, np.array(sizes, np.float64))


def _some(windows: Windows, rows: np.ndarray) -> Windows:
    return Windows(*(column[rows] for column in windows))
