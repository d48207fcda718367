"""Vectors are computed once a text, and are those of the encoder."""

import numpy as np

from indexes.embeddings import remembered
from indexes.embeddings.remembered import Remembered


class Counting:
    """Gives each text its length as a vector, and counts what it is asked."""

    dimension = 2

    def __init__(self):
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32).reshape(-1, 2)


def test_each_text_is_encoded_once_and_comes_where_it_is_asked_for():
    encoder = Counting()
    kept = Remembered(encoder)
    assert kept.encode(["abc", "a", "abc"])[:, 0].tolist() == [3, 1, 3]
    assert kept.encode(["a", "ab"])[:, 0].tolist() == [1, 2]
    assert sorted(encoder.asked) == ["a", "ab", "abc"]
    assert kept.encode([]).shape == (0, 2)


def test_it_forgets_when_it_is_full(monkeypatch):
    monkeypatch.setattr(remembered, "MOST_KEPT", 2)
    encoder = Counting()
    kept = Remembered(encoder)
    for texts in (["a", "bb"], ["ccc"], ["a"], ["d", "ee", "fff", "gggg"], ["d"]):
        assert kept.encode(texts)[:, 0].tolist() == [len(text) for text in texts]
    assert encoder.asked.count("a") == 2
    assert len(kept._vectors) <= 2
