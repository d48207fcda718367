"""The embedding scanner, stage by stage.

Static vectors nominate, the words are read, a transformer is asked where they leave it open, and
`scanners.judge_semantic` says what it amounts to.

Without a transformer the words decide alone. A transformer's vectors of items are made when a place asks
for them: few items are ever nominated.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from indexes.background import Background
from indexes.embeddings.encoder import Encoder
from indexes.embeddings.item_search import lower_floors
from indexes.embeddings.static import StaticModel
from scanners.asked import Asked, ask_items
from scanners.embedding import Meant, Nominated, mean_items, nominate
from scanners.every_window import nominate_every
from scanners.judge import Judged
from scanners.judge_semantic import judge_semantic, scores_of, untold
from scanners.judge_translated import judge_translated
from scanners.meaning import read_nominated, with_cosines
from scanners.ngram import Scanned, Sought
from scanners.patterns import Patterns
from scanners.read_window import Meanings
from scanners.second_opinion import (
    SiblingCosines,
    cosines_of,
    place_texts,
    row_text,
    sample_items,
    sibling_cosines,
)
from scanners.translated import Translations

Known = Sequence[tuple[Scanned, Judged]]  # what the scanners before said to the same documents
OPEN_FROM: Final = 0.35  # of the score by words; what is lower no transformer saves


class Semantic:
    """What the embedding scanner seeks and by what; threads share it."""

    def __init__(
        self,
        patterns: Patterns,
        items: Sequence[Item],
        background: Background,
        model: StaticModel,
        encoder: Encoder | None = None,
        prefilter: bool = True,
        translations: bool = False,
    ) -> None:
        assert encoder is not None or (prefilter and not translations), "nothing else nominates"
        self.model = model
        self.meant: Meant = mean_items(patterns, items, background, model)
        self.asked: Asked = ask_items(self.meant, patterns, items, background, model)
        self.translations: Translations | None = None
        if translations and encoder is not None:
            self.translations = Translations(encoder, items, patterns)
        self._items = items
        self._background = background
        self._patterns = patterns
        self._opinion = None if encoder is None else SecondOpinion(encoder, items, patterns)
        # Nothing to nominate: nothing to encode.
        self.prefilter = prefilter or not len(self.meant.item)

    def with_lower_floors(self, by: float) -> Semantic:
        """Return the same scanner, nominating from cosines lower by so much, with exact search: slow."""
        other = copy.copy(self)
        other.meant = self.meant._replace(lists=lower_floors(self.meant.lists, by))
        return other

    def scan(
        self, data: np.ndarray, bounds: np.ndarray, target: Sought, known: Known
    ) -> tuple[Scanned, Judged]:
        """Scan documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8) and judge what is found.

        `known` is what the scanners before said to the same documents, the n-gram scanner first.
        """
        if self.prefilter or self._opinion is None:
            nominated = nominate(data, bounds, self.meant, self.model)
        else:
            nominated = self._opinion.nominate(data, bounds, self.meant, self.model)
        scanned, meanings = read_nominated(
            data, bounds, nominated, self.meant, self.asked, target, self.model
        )
        if self._opinion is not None:
            meanings = self._opinion.hear(
                data, bounds, target, self.meant, self.asked, scanned, meanings, known
            )
        judged = judge_semantic(scanned, meanings, self._patterns, self.meant, self.asked, known)
        return scanned, judged

    def scan_translations(
        self, data: np.ndarray, bounds: np.ndarray, known: Known
    ) -> tuple[Scanned, Judged] | None:
        """Scan the same documents for translated items and judge what is found; None: not asked for."""
        if self.translations is None:
            return None
        return judge_translated(
            data, bounds, self.translations.search(data, bounds), self._patterns, self._items,
            self._background, known,
        )  # fmt: skip


class SecondOpinion:
    """A transformer, asked about places that the words leave open."""

    def __init__(self, encoder: Encoder, items: Sequence[Item], patterns: Patterns) -> None:
        self._encoder = encoder
        self._items = items
        self._patterns = patterns
        self._benchmark = patterns.benchmark
        self._vectors: dict[str, np.ndarray] = {}
        self._siblings: dict[int, SiblingCosines] = {}
        self._lock = threading.Lock()

    def hear(
        self,
        data: np.ndarray,
        bounds: np.ndarray,
        target: Sought,
        meant: Meant,
        asked: Asked,
        scanned: Scanned,
        meanings: Meanings,
        known: Known,
    ) -> Meanings:
        """Return the same features with the cosines of the places that are open and not settled yet.

        A cosine is told as a part of the way from what any two items of the benchmark have (0) to what
        hardly any two have (1): see `scanners.second_opinion`.
        """
        score = scores_of(scanned, meanings, self._patterns, meant, asked).score
        rows = untold(
            np.flatnonzero(score >= OPEN_FROM),
            scanned,
            meanings,
            self._patterns,
            meant,
            asked,
            known,
        )
        if not len(rows):
            return meanings
        sought = meanings.row[rows].astype(np.int64)
        item = meant.item[sought].tolist()
        texts = [
            row_text(self._items[i], view)
            for i, view in zip(item, meant.view[sought].tolist(), strict=True)
        ]
        places = self._encoder.encode(place_texts(data, bounds, target, scanned, meanings, rows))
        cosines = cosines_of(places, self._of_items(texts))
        benchmark = self._benchmark[item]
        for one in np.unique(benchmark).tolist():
            own = np.flatnonzero(benchmark == one)
            cosines[own] = self._siblings_of(one).relative(cosines[own], np.zeros_like(own))
        return with_cosines(meanings, rows, cosines)

    def nominate(
        self, data: np.ndarray, bounds: np.ndarray, meant: Meant, model: StaticModel
    ) -> Nominated:
        """Nominate windows by the transformer alone: every one is shown to it."""
        texts = [
            row_text(self._items[i], view)
            for i, view in zip(meant.item.tolist(), meant.view.tolist(), strict=True)
        ]
        siblings = [self._siblings_of(one) for one in self._benchmark[meant.item].tolist()]
        vectors = self._of_items(texts)
        return nominate_every(data, bounds, meant, model, self._encoder, vectors, siblings)

    def _of_items(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of texts of items, each computed once in a run."""
        with self._lock:
            new = sorted(set(texts) - self._vectors.keys())
            if new:
                self._vectors.update(zip(new, self._encoder.encode(new), strict=True))
            return np.stack([self._vectors[text] for text in texts])

    def _siblings_of(self, benchmark: int) -> SiblingCosines:
        """Return how near different items of a benchmark are to the transformer."""
        with self._lock:
            if benchmark not in self._siblings:
                own = np.flatnonzero(self._benchmark == benchmark)
                questions = [self._items[i].question for i in own.tolist()]
                chosen = sample_items(np.zeros(len(own), np.int32), questions)
                vectors = self._encoder.encode([questions[i] for i in chosen.tolist()])
                self._siblings[benchmark] = sibling_cosines(vectors, np.zeros(len(chosen)), 1)
            return self._siblings[benchmark]
