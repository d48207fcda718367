"""Windows that a corpus-side index holds: which stretches of a text they are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.embeddings.card import PROBES, ModelCard
from indexes.embeddings.corpus_windows import (
    EncodedWindows,
    StaticWindows,
    joined,
    line_bounds,
    rough_words,
)
from indexes.embeddings.static import load_static
from indexes.embeddings.word_vectors import text_vectors

WORDS = [
    "water", "house", "river", "stone", "teacher", "music", "winter", "garden", "bread", "school",
    "letter", "window", "forest", "market", "doctor", "island", "engine", "summer", "silver", "paper",
]  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return StaticWindows(load_static())


def sentence(n, seed=0):
    return " ".join(np.random.default_rng(seed).choice(WORDS, n))


def vector(text):
    return text_vectors(*joined([text]), load_static())[0]


def has_window(found, text):
    """Whether some window is this text."""
    return bool((found.vector @ vector(text) > 0.999).any())


def test_each_line_is_a_window_as_it_stands(model):
    lines = [sentence(n, n) for n in (8, 11, 12, 24, 25, 40, 200)]
    found = model.windows(*joined(["\n".join(lines) + "\n"]))
    assert all(has_window(found, line) for line in lines)
    assert {8, 11, 12, 24, 25, 40, 200} <= set(found.words.tolist())


def test_lines_of_few_words_and_whole_documents_of_one_long_line_are_none(model):
    found = model.windows(*joined([sentence(7), sentence(300), "", "\n\n"]))
    assert set(found.document.tolist()) == {1}
    assert set(found.words.tolist()) == {24, 64}


def test_long_lines_have_windows_two_thirds_of_a_window_apart(model):
    words = sentence(100, 5).split()
    found = model.windows(*joined([" ".join(words)]))
    expected = [words] + [words[at : at + 24] for at in (*range(0, 77, 16), 76)]
    expected += [words[at : at + 64] for at in (0, 36)]
    assert all(has_window(found, " ".join(part)) for part in expected)
    assert len(found.words) == len(expected)


def test_han_lines_without_spaces_are_windows(model):
    text = "请问图书馆在哪里我想借一本书"
    assert rough_words(*joined([text, "one two  three"])).tolist() == [15, 4]
    found = model.windows(*joined([text]))
    assert set(found.document.tolist()) <= {0}  # the table may not know its words


@given(st.lists(st.text("ab \n", max_size=12), min_size=1, max_size=6))
def test_lines_end_after_a_line_feed_or_with_their_document(texts):
    data, bounds = joined(texts)
    cuts = line_bounds(data, bounds)
    expected = [line for text in texts for line in text.splitlines(keepends=True)]
    cut = [data[a:b].tobytes().decode() for a, b in pairwise(cuts.tolist())]
    assert cut == expected


def test_windows_do_not_depend_on_the_documents_beside(model):
    texts = [sentence(50, 1) + "\n" + sentence(9, 2), "", sentence(130, 3), sentence(20, 4)]
    whole = model.windows(*joined(texts))
    data, bounds = joined(texts)
    part = model.windows(data, bounds[2:])  # bounds that do not begin at 0
    kept = whole.document >= 2
    assert np.array_equal(whole.vector[kept], part.vector)
    assert np.array_equal(whole.document[kept] - 2, part.document)
    alone = [model.windows(*joined([text])) for text in texts]
    assert np.array_equal(np.concatenate([one.vector for one in alone]), whole.vector)
    assert np.array_equal(np.concatenate([one.words for one in alone]), whole.words)


def test_vectors_have_unit_length_and_probes_are_of_the_model(model):
    found = model.windows(*joined([sentence(100)]))
    assert np.allclose(np.linalg.norm(found.vector, axis=1), 1, atol=1e-4)
    assert found.vector.dtype == np.float32
    assert model.probes().shape == (len(PROBES), model.dimension)


class Noted:
    """An encoder that notes its texts."""

    card = ModelCard(name="noted", files={}, dimension=2)
    dimension = 2

    def encode(self, texts):
        self.texts = list(texts)
        return np.ones((len(texts), 2), np.float32)


def test_a_transformer_reads_the_raw_text_of_lines():
    encoder = Noted()
    long = sentence(150, 9)
    short = "What, in short, IS the-largest organ of a human body?"
    found = EncodedWindows(encoder).windows(*joined([f"{short}\ntoo short a line", long]))
    words = long.split()
    assert encoder.texts == [
        short.rstrip("?"),
        *(" ".join(words[at : at + 64]) for at in (0, 32, 64, 86)),
    ]
    assert found.document.tolist() == [0, 1, 1, 1, 1]
    assert found.words.tolist() == [11, 64, 64, 64, 64]
    assert EncodedWindows(encoder).identity == EncodedWindows(Noted()).identity
