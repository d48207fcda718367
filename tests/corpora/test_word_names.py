"""Words spelled from where they begin: the same as the reference spells them, whichever are wanted."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.normal_form import find_words, table, word_hashes
from corpora.reference_form import reference_words
from corpora.word_names import MOST_NAME_CHARS, name_words

PIECES = st.sampled_from(
    ["the", "Fox", "42", "ÜBER", "naïve", "学校", "ﬁne", "раypal", "e\u0301", "a\u200bb", "ᾳ", "—", " ", "\n"]
)  # fmt: skip
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=20).map("".join)


def find(text):
    data = np.frombuffer(text.encode(), np.uint8)
    room = 2 * len(data) + 1
    hashes, begins = np.empty(room, np.uint64), np.empty(room, np.int64)
    n = find_words(data, 0, len(data), *table(), hashes, begins)
    return data, hashes[:n], begins[:n]


def names(text, wanted=None):
    data, _, begins = find(text)
    wanted = np.arange(len(begins)) if wanted is None else np.array(wanted, np.int64)
    ends = np.zeros(len(wanted) + 1, np.int64)
    letters, used = name_words(
        data, len(data), begins, len(begins), wanted, len(wanted), *table(), np.empty(0, np.uint8), 0, ends[1:], 0
    )  # fmt: skip
    assert used == ends[-1]
    raw = letters.tobytes()
    return [raw[a:b].decode() for a, b in pairwise(ends.tolist())]


@settings(deadline=None)
@given(TEXTS)
def test_words_are_found_and_spelled_as_the_reference_has_them(text):
    expected = [word for word, _, _ in reference_words(text)]
    _, hashes, _ = find(text)
    assert hashes.tolist() == word_hashes(text).tolist()
    assert names(text) == expected


@settings(deadline=None)
@given(TEXTS, st.data())
def test_some_words_are_spelled_as_all_of_them_are(text, data):
    every = names(text)
    wanted = sorted(data.draw(st.sets(st.integers(0, max(0, len(every) - 1))))) if every else []
    assert names(text, wanted) == [every[k] for k in wanted]


@pytest.mark.parametrize("letter", ["x", "я", "𐐨"])
def test_a_long_word_ends_with_an_ellipsis(letter):
    most = letter * MOST_NAME_CHARS
    assert names(f"{most} {most}{letter} {letter * 10_000} 1") == [
        most,
        f"{most}…",
        f"{most}…",
        "1",
    ]
