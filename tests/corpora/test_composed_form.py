"""The quick check never calls a text composed that is not."""

import unicodedata

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import normalizers

from corpora import composed_form
from corpora.composed_form import compose, surely_composed

tricky = st.sampled_from(
    "aeo é\u0301\u0323\u0345\u0344가\u1112\u1161\u11abか\u3099क\u093c\u094dא\u05b4\u05c1\u0378😀"
)
texts = st.lists(st.one_of(st.text(tricky, max_size=12), st.text(max_size=12)), max_size=6)


def checked(documents):
    raw = [document.encode() for document in documents]
    bounds = np.cumsum([0, *map(len, raw)])
    return surely_composed(np.frombuffer(b"".join(raw), np.uint8), bounds).tolist()


@settings(deadline=None)  # the first example compiles
@given(texts)
def test_what_is_sure_is_composed(documents):
    for document, is_sure in zip(documents, checked(documents), strict=True):
        assert not is_sure or unicodedata.normalize("NFC", document) == document


def test_usual_text_is_sure():
    usual = ["plain", "é ü ñ", "हिन्दी में", "العَرَبِيَّة", "日本語が", "한국어", "x😀", ""]
    assert checked(usual) == [True] * len(usual)


def test_decomposed_text_is_not_sure_and_is_composed():
    assert checked(["e\u0301", "\u1112\u1161", "a\u0323\u0301"]) == [False, False, False]
    assert compose("e\u0301\u0323") == unicodedata.normalize("NFC", "e\u0301\u0323")


def test_what_python_and_the_library_differ_about_is_left_to_the_library(monkeypatch):
    assert compose("a\u0353\u0334") == "a\u0334\u0353"  # a mark of Unicode 4, known to both
    composed_form._is_disputed.cache_clear()
    monkeypatch.setattr(normalizers, "NFC", normalizers.NFD)  # as if it knew another version
    assert compose("a\u0353\u0344") is None
    assert compose("a\u0344") is not None  # of Unicode 3.2: not asked
    composed_form._is_disputed.cache_clear()


def test_composing_is_that_of_the_library():
    points = [*range(0x300, 0x370), *range(0x900, 0x1100), *range(0x1AB0, 0x1B00), 0x1D165, 0x1E94A]
    for point in points:
        text = f"a{chr(point)}\u0301\u0323{chr(point)}"
        assert compose(text) in (None, normalizers.NFC().normalize_str(text))
