"""How often a short text is shown is measured as it is looked up."""

import numpy as np
import pytest

from corpora.normal_form import word_hashes
from indexes.fingerprints import common_seeds, fingerprint
from indexes.lookup import build_queries, nominate
from indexes.ngram import build_index
from indexes.segments import SegmentBuilder, read_segment
from indexes.shown import TRIALS, shown_copies

N_TEXTS, N_COPIES = 60, 20


class Nothing:
    """A background that knows nothing."""

    phrase_hash = np.zeros(0, np.uint64)


COMMON = common_seeds(Nothing())


def texts_of(n_words, seed):
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 200_000, (N_TEXTS, n_words))
    return [" ".join(f"w{number}" for number in row) for row in numbers.tolist()]


def packed(texts):
    words = [word_hashes(text) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(one) for one in words])])
    return np.concatenate(words), starts


def measured(texts):
    words, starts = packed(texts)
    return shown_copies(words, starts, np.ones(len(words), np.bool_), COMMON)


def nominated(texts):
    """How many of N_COPIES copies of each text are nominated, each among other words."""
    words, starts = packed(texts)
    index = build_index(words, starts, np.zeros(0, np.uint64))
    weights = np.full(len(words), 100, np.int32)
    # no runs but the whole: what else nominates is not what is measured
    queries = build_queries(index, weights, 100.0 * np.diff(starts), COMMON)
    random = np.random.default_rng(1)
    out = np.zeros(len(texts), np.int64)
    for number, text in enumerate(texts):
        around = random.integers(0, 200_000, (N_COPIES, 2, 30)).tolist()
        sides = [[" ".join(f"s{word}" for word in side) for side in pair] for pair in around]
        copies = [f"{before} {text} {after}".encode() for before, after in sides]
        bounds = np.concatenate([[0], np.cumsum([len(copy) for copy in copies])])
        found, _ = fingerprint(np.frombuffer(bytearray().join(copies), np.uint8), bounds, COMMON)
        builder = SegmentBuilder()
        [data] = [*builder.add(found, np.arange(N_COPIES)), *builder.finish()]
        out[number] = len(nominate(read_segment(data), queries))
    return out


@pytest.mark.parametrize("n_words", [5, 7, 9, 11])
def test_the_share_is_that_of_copies_that_are_nominated(n_words):
    texts = texts_of(n_words, seed=n_words)
    told, seen = measured(texts) / TRIALS, nominated(texts) / N_COPIES
    # five standard errors of a mean of that many trials, at most
    assert abs(told.mean() - seen.mean()) < 5 * 0.5 / np.sqrt(N_TEXTS * N_COPIES)
    sure = told == 1.0
    assert seen[sure].sum() >= 0.95 * sure.sum()
    assert seen[told == 0.0].sum() <= 0.05 * (told == 0.0).sum()


def test_a_run_of_13_words_is_always_shown_and_a_text_without_seeds_never():
    assert measured(texts_of(13, seed=1)).tolist() == [TRIALS] * N_TEXTS
    assert measured(texts_of(4, seed=1)).tolist() == [0] * N_TEXTS


def test_seeds_that_are_not_looked_for_do_not_count():
    words, starts = packed(texts_of(9, seed=2))
    nothing = np.zeros(len(words), np.bool_)
    assert shown_copies(words, starts, nothing, COMMON).tolist() == [0] * N_TEXTS


def test_a_text_is_measured_alike_whatever_stands_beside_it():
    texts = texts_of(8, seed=3)
    together = measured(texts)
    assert [int(measured([text])[0]) for text in texts[:9]] == together[:9].tolist()
