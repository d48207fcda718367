"""What a place has of an item's code: bits, shares, names; and the places that code nominates alone."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reference_form import reference_words
from pipelines.shard_step import text_buffers
from scanners.code_match import align_tokens, code_items, code_of, gain
from scanners.code_shapes import code_shapes, nominate_code
from tests.scanners.code_samples import (
    ANSWER,
    GO,
    OTHER_TASK,
    QUESTION,
    REWRITTEN,
    SHORT_ANSWER,
    SHORT_QUESTION,
)
from tests.scanners.meaning_samples import BAKER, GRANITE


@pytest.fixture(scope="module")
def items(make_item):
    return [
        make_item(BAKER, id="prose", answer="6"),
        make_item(QUESTION, id="plateau", answer=ANSWER),
        make_item(SHORT_QUESTION, id="unique", answer=SHORT_ANSWER),
        make_item("Write a function.", id="solved", answer=OTHER_TASK),
    ]


@pytest.fixture(scope="module")
def nominate(items):
    codes = code_items(items)
    shapes = code_shapes(codes)

    def found(*texts, segment_bytes=1 << 20):
        data, bounds = text_buffers(pa.array(texts, pa.large_string()))
        places = nominate_code(data, bounds, codes, shapes, segment_bytes)
        return [
            (document, items[item].id, start, end)
            for document, item, start, end in zip(*map(np.ndarray.tolist, places), strict=True)
        ]

    return found


def ids(found):
    return {(document, name) for document, name, *_ in found}


def test_code_is_that_of_the_question_where_it_is_code_and_else_of_the_answer(items):
    assert [code_of(item) for item in items] == [
        "", f"{QUESTION}\n{ANSWER}", f"{SHORT_QUESTION}\n{SHORT_ANSWER}", OTHER_TASK,
    ]  # fmt: skip
    codes = code_items(items)
    assert codes.total[0] == 0
    assert codes.total[2] < 60 < codes.total[1]  # one line is hardly evidence


@pytest.mark.parametrize(
    "text",
    [
        "What return is expected on a stock whose beta is 1.4?",
        "She said that nobody would\nreturn to the house on the hill before the winter was over.",
    ],
)
def test_prose_with_words_of_code_is_no_code(make_item, text):
    codes = code_items([make_item(text, answer="a return of 9 %")])
    assert codes.total[0] == 0
    assert not len(codes.token)
    assert not len(code_shapes(codes).gram)


@pytest.mark.parametrize("code", [REWRITTEN, GO])
def test_a_solution_with_other_names_is_nominated_in_any_language(nominate, code):
    document = f"{GRANITE}\n\n{code}\n{GRANITE}"
    ((at, name, start, end),) = nominate(OTHER_TASK[:90], document)
    assert (at, name) == (1, "plateau")
    words = [word for word, _, _ in reference_words(document)]
    before, own = (len(list(reference_words(text))) for text in (GRANITE, code))
    assert before - 1 <= start < end <= before + own + 1
    assert {"tract", "break", "return"} <= set(words[start:end])


def test_other_code_and_short_solutions_are_not(nominate):
    assert ids(nominate(GRANITE, OTHER_TASK)) == {(1, "solved")}
    assert nominate(SHORT_QUESTION + SHORT_ANSWER) == []


@settings(max_examples=20, deadline=None)
@given(before=st.integers(0, 400), segment_bytes=st.sampled_from([64, 300, 1 << 20]))
def test_places_do_not_depend_on_segments_nor_on_characters_of_several_bytes(
    nominate, before, segment_bytes
):
    filler = "é größer 山 " * before
    document = f"{filler}\n{REWRITTEN}"
    ((_, name, start, end),) = nominate(document, segment_bytes=segment_bytes)
    first = len(list(reference_words(filler)))
    assert (name, start) == ("plateau", first)
    assert end <= len(list(reference_words(document)))


def test_a_document_longer_than_a_chunk_is_read_to_its_end(nominate):
    long = "x = y\n" * 50_000
    (found,) = nominate(long + REWRITTEN)
    assert found[1] == "plateau"
    assert found[2] > 99_000


def slow_alignment(own, bits, token, place_bits, gap=0.3):
    """Smith and Waterman, cell by cell, for tokens without values."""
    best = np.zeros((len(own) + 1, len(token) + 1))
    for i, (a, told) in enumerate(zip(own, bits, strict=True)):
        for j, (b, lost) in enumerate(zip(token, place_bits, strict=True)):
            options = [0, best[i, j + 1] - gap * told, best[i + 1, j] - gap * lost]
            best[i + 1, j + 1] = max(*options, best[i, j] + told if a == b else 0)
    return best.max()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(11, 15), min_size=1, max_size=12),
    st.lists(st.integers(11, 15), min_size=1, max_size=20),
)
def test_alignments_gain_what_the_slow_way_gains(own, token):
    bits = np.linspace(1, 3, len(own)).astype(np.float32)
    place_bits = np.linspace(2, 1, len(token)).astype(np.float32)
    pairs = np.empty((512, 2), np.int64)
    a, b = np.array(own, np.int16), np.array(token, np.int16)
    gained, n = align_tokens(
        a, np.zeros(len(a), np.uint64), bits, b, np.zeros(len(b), np.uint64), place_bits, pairs
    )
    assert gained == pytest.approx(slow_alignment(own, bits, token, place_bits), abs=1e-4)
    assert (a[pairs[:n, 0]] == b[pairs[:n, 1]]).all()
    assert (np.diff(pairs[:n], axis=0) < 0).all()


def test_another_number_or_string_gains_less_than_the_same():
    for token in (2, 3):
        assert (
            gain(token, 4.0, np.uint64(1), np.uint64(2))
            < 4
            < gain(token, 4.0, np.uint64(1), np.uint64(1))
        )
