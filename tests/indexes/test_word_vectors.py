"""Words to vectors, and windows of them: equal to the plain way, wherever a text is cut."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from corpora.reference_form import reference_words
from indexes.embeddings import word_vectors
from indexes.embeddings.pieces import MOST_CHARS, cut_word, enter_pieces
from indexes.embeddings.static import StaticCard, StaticModel, load_static
from indexes.embeddings.word_vectors import ONE_LENGTH, text_vectors, window_vectors

LETTERS = "abcß中"
VOCABULARY = [
    "[UNK]", "a", "b", "##a", "##b", "ab", "##ab", "abab", "##cab", "##c", "bab", "##ba", "cab", "中",
    "abcabcab", "##aab",
]  # fmt: skip
ROWS = {piece: row for row, piece in enumerate(VOCABULARY)}
VECTORS = np.random.default_rng(8).integers(-4096, 4096, (len(VOCABULARY), 16)).astype(np.int16)
PIECES = enter_pieces(VOCABULARY)
CARD = StaticCard("test", "none", "0" * 64, 16, "nf")
MODEL = StaticModel(CARD, PIECES, VECTORS, 1.0)
LIBRARY = Tokenizer(models.WordPiece(ROWS, unk_token="[UNK]"))
words = st.text(LETTERS, min_size=1, max_size=14)
texts = st.lists(
    st.sampled_from(["ab", "abab", "cab", "b", "a", "zz", "中", "é"]), max_size=60
).map(" ".join)


def packed(*texts):
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join([*encoded, b" "]), np.uint8), bounds


def cut(word):
    letters = np.frombuffer(word.encode("utf-32-le"), np.uint32)
    out = np.empty(MOST_CHARS, np.int32)
    return out[: cut_word(letters, 0, len(letters), PIECES, out)].tolist()


def library_cut(word):
    ids = LIBRARY.encode(word).ids
    return [] if ids == [ROWS["[UNK]"]] else ids


def plain_vectors(text, model=MODEL):
    """One row a word: the sum of its pieces by the library, and whether it has any."""
    found = [library_cut(word) for word, _, _ in reference_words(text)]
    sums = [model.vectors[ids].astype(np.int64).sum(axis=0) for ids in found]
    return np.array(sums).reshape(len(found), model.vectors.shape[1]), np.array(
        [bool(ids) for ids in found], bool
    )


def plain_windows(text, sizes):
    """Every window by its own sum: (size, start, end) and its unit vector."""
    vectors, known = plain_vectors(text)
    n, found = len(vectors), []
    for size in sizes:
        starts = list(range(0, n - size + 1, max(1, size // 3)))
        if not starts and n and 2 * n >= size:
            starts = [0]
        elif starts and starts[-1] + size < n:
            starts.append(n - size)
        for start in starts:
            end = min(n, start + size)
            total = vectors[start:end].sum(axis=0)
            if 2 * known[start:end].sum() >= end - start and total.any():
                found.append((start, end, total / np.linalg.norm(total)))
    return found


@settings(deadline=None)
@given(words)
def test_words_are_cut_as_the_library_cuts_them(word):
    assert cut(word) == library_cut(word)


def test_a_very_long_word_is_unknown_as_in_the_library():
    for size in (MOST_CHARS, MOST_CHARS + 1):
        assert cut("a" * size) == library_cut("a" * size)
    assert cut("a" * MOST_CHARS)
    assert not cut("a" * (MOST_CHARS + 1))


def test_a_longer_hash_table_than_words_does_not_matter():
    assert cut("") == []
    assert enter_pieces([]).longest == 0


@settings(deadline=None)
@given(texts)
def test_the_vector_of_a_text_is_the_sum_of_its_words(text):
    (vector,) = text_vectors(*packed(text), MODEL)
    total = plain_vectors(text)[0].sum(axis=0) if reference_words(text) else np.zeros(16)
    length = np.linalg.norm(total)
    np.testing.assert_allclose(vector, total / length if length else total, atol=1e-6)


@settings(deadline=None)
@given(st.lists(texts, max_size=4), st.sets(st.sampled_from([1, 2, 3, 5, 8, 12, 40]), min_size=1))
def test_windows_are_those_summed_one_by_one(documents, sizes):
    sizes = sorted(sizes)
    windows = window_vectors(*packed(*documents), np.array(sizes), MODEL)
    expected = [
        (document, *window)
        for document, text in enumerate(documents)
        for window in plain_windows(text, sizes)
    ]
    places = zip(windows.document, windows.start, windows.end, strict=True)
    assert [tuple(map(int, place)) for place in places] == [one[:3] for one in expected]
    for vector, one in zip(windows.vectors, expected, strict=True):
        np.testing.assert_allclose(vector / ONE_LENGTH, one[3], atol=1e-4)


def test_running_sums_that_pass_32_bits_change_nothing():
    extreme = StaticModel(
        CARD, PIECES, np.full_like(VECTORS, 32_767 // 4), 1.0
    )  # every word adds the most that one piece may
    text = "a " * 400_000  # 3.3e9 in each dimension: past 2**31
    windows = window_vectors(*packed(text), np.array([64]), extreme)
    assert len(windows.start) == -(-(400_000 - 64) // 21) + 1
    assert (windows.vectors == ONE_LENGTH // 4).all()  # of 16 equal dimensions


def test_a_long_text_is_summed_as_a_short_one():
    random = np.random.default_rng(4)
    text = " ".join(random.choice(["ab", "cab", "b", "zz", "中", "aé"], 3000))
    windows = window_vectors(*packed(text), np.array([5, 48]), MODEL)
    (whole,) = text_vectors(*packed(text), MODEL)
    expected = plain_windows(text, [5, 48])
    assert [(s, e) for s, e, _ in expected] == list(
        zip(windows.start.tolist(), windows.end.tolist(), strict=True)
    )
    total = plain_vectors(text)[0].sum(axis=0)
    np.testing.assert_allclose(whole, total / np.linalg.norm(total), atol=1e-6)


def test_more_words_than_are_kept_change_nothing(monkeypatch):
    model = load_static()
    text = " ".join(f"word{number}x{number * 7919}" for number in range(70_000))
    before = text_vectors(*packed(text, "gradient descent"), model)
    after = text_vectors(*packed("gradient descent", text), model)
    np.testing.assert_array_equal(before, after[::-1])
    assert int(word_vectors.kept_words(model).used[0]) <= 1 << word_vectors.KEPT_BITS


def test_models_and_threads_keep_words_apart():
    results = []
    other = StaticModel(CARD, PIECES, -VECTORS[:, ::-1].copy(), 1.0)

    def work(model):
        for _ in range(20):
            results.append((model is other, text_vectors(*packed("abab cab b"), model)[0]))

    threads = [threading.Thread(target=work, args=[model]) for model in (MODEL, other, MODEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = text_vectors(*packed("abab cab b"), MODEL)[0]
    assert len(results) == 60
    for is_other, vector in results:
        np.testing.assert_array_equal(vector, -expected[::-1] if is_other else expected)


@pytest.mark.parametrize("text", ["", "   ", "zz qqq", "...", "中" * 0])
def test_a_text_without_known_words_has_no_vector(text):
    assert not text_vectors(*packed(text), MODEL).any()
    assert len(window_vectors(*packed(text), np.array([1, 4]), MODEL).start) == 0
