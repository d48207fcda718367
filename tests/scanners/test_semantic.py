"""The embedding scanner from end to end, with a model that remembers what it was shown."""

import numpy as np
import pytest

from corpora.benchmarks import Benchmark
from indexes.background import load_background
from indexes.embeddings.static import load_static
from scanners.examine import examine
from scanners.judge import Status
from scanners.ngram import sought
from scanners.patterns import build_patterns
from scanners.presets import PresetTally
from scanners.semantic import Semantic
from tests.scanners.judging import hidden
from tests.scanners.meaning_samples import BAKER, QUESTIONS

REWORDED = (
    "On Tuesday 14 crates of apricots were purchased by Marisol, who owns a bakery. Jam took 5 of those "
    "crates, while the neighbour received 3 of them. For tarts, how many crates remain with Marisol?"
)


class Shown:
    """A model to which all texts are the same; tells which it was shown."""

    dimension = 2

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts += texts
        return np.tile(np.array([[1.0, 0.0]], np.float32), (len(texts), 1))


@pytest.fixture(scope="module")
def scan(make_item):
    """Scans texts; returns (document, status) of the embedding scanner, and the texts the model saw."""
    items = tuple(make_item(text, id=name) for name, text in QUESTIONS.items())
    patterns = build_patterns([Benchmark("made", "", "", "", items)], load_background())

    def run(*texts):
        model = Shown()
        semantic = Semantic(patterns, items, load_background(), load_static(), model)
        encoded = [text.encode() for text in texts]
        bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        data = np.frombuffer(b"".join(encoded), np.uint8)
        marks = PresetTally(patterns).marks
        said = examine(data, bounds, patterns, sought(patterns), None, semantic, marks)
        judged = said[-1].judged
        document = said[-1].scanned.evidence.document[judged.evidence].tolist()
        found = set(zip(document, map(Status, judged.status.tolist()), strict=True))
        return found, [text for text in model.texts if text not in QUESTIONS.values()]

    return run


def test_the_model_is_shown_rewordings_and_not_what_the_n_grams_have_settled(scan):
    found, shown = scan(hidden(BAKER), hidden(REWORDED))
    assert {document for document, _ in found} == {1}
    assert len(shown) == 1
    assert shown[0] in hidden(REWORDED)


def test_copies_alone_are_shown_to_no_model(scan):
    assert scan(hidden(BAKER), f"{BAKER} {BAKER}") == (set(), [])
