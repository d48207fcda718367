"""The banded alignment against one over the whole table, and what a locus tells of it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reference_form import reference_words
from indexes.seeds import SEED_WORDS
from scanners.align import GAP, LEAST_BAND, MISMATCH, MOST_BAND, band_of, extend
from scanners.ngram import scan_texts

words = st.lists(st.integers(0, 3), max_size=12)  # few letters, and too short to be given up
weights = st.lists(st.integers(1, 224), min_size=4, max_size=4)


def best_score(item, weight, document):
    """Score of the best alignment of a beginning of the item with one of the document, all cells."""
    rows, columns = len(item) + 1, len(document) + 1
    score = np.zeros((rows, columns), np.int64)
    for a in range(rows):
        for b in range(columns):
            moves = [0] if a == b == 0 else []
            if a and b:
                same = item[a - 1] == document[b - 1]
                moves.append(score[a - 1, b - 1] + (weight[item[a - 1]] if same else -MISMATCH))
            moves += [score[a - 1, b] - GAP] if a else []
            moves += [score[a, b - 1] - GAP] if b else []
            score[a, b] = max(moves)
    return score.max()


def extended(item, weight, document, band, step=1):
    """Run the kernel; returns (item word, document word) pairs, nearest first."""
    if step == -1:
        item, document = item[::-1], document[::-1]
    width = 2 * band + 1
    pairs = np.empty((len(item) + len(document) + 1, 2), np.int64)
    n = extend(
        np.array(item, np.uint64),
        np.array([weight[word] for word in item], np.int32),
        0 if step == 1 else len(item) - 1,
        len(item),
        np.array(document, np.uint64),
        0 if step == 1 else len(document) - 1,
        len(document),
        step,
        band,
        np.empty((len(item) + 1) * width, np.uint8),
        pairs,
    )
    if step == -1:
        pairs[:n] = (len(item) - 1, len(document) - 1) - pairs[:n]
    return pairs[:n].tolist()


def score_of(pairs, item, weight):
    """Score of an alignment with these matches; what lies between is filled as cheaply as can be."""
    score, a, b = 0, -1, -1
    for next_a, next_b in pairs:
        gap_a, gap_b = next_a - a - 1, next_b - b - 1
        score += weight[item[next_a]] - MISMATCH * min(gap_a, gap_b) - GAP * abs(gap_a - gap_b)
        a, b = next_a, next_b
    return score


@given(words, words, weights, st.sampled_from([1, -1]))
@settings(max_examples=300, deadline=None)
def test_a_band_as_wide_as_the_texts_finds_the_best_alignment(item, document, weight, step):
    pairs = extended(item, weight, document, 13, step)
    assert score_of(pairs, item, weight) == best_score(item, weight, document)


@given(words, words, weights, st.integers(1, 6), st.sampled_from([1, -1]))
@settings(max_examples=300, deadline=None)
def test_a_narrow_band_is_never_better_than_the_best(item, document, weight, band, step):
    pairs = extended(item, weight, document, band, step)
    assert 0 <= score_of(pairs, item, weight) <= best_score(item, weight, document)
    assert all(abs(a - b) <= band for a, b in pairs)


@given(words, words, weights, st.integers(1, 13), st.sampled_from([1, -1]))
@settings(max_examples=300, deadline=None)
def test_pairs_are_equal_words_in_the_order_of_both_texts(item, document, weight, band, step):
    pairs = extended(item, weight, document, band, step)
    assert all(item[a] == document[b] for a, b in pairs)
    assert all(x[0] < y[0] and x[1] < y[1] for x, y in itertools.pairwise(pairs))


@given(words, words, weights, st.integers(1, 13))
@settings(max_examples=100, deadline=None)
def test_both_directions_score_the_same_on_mirrored_texts(item, document, weight, band):
    forward = extended(item, weight, document, band, 1)
    backward = extended(item, weight, document, band, -1)
    assert score_of(forward, item, weight) == score_of(backward, item, weight)


def test_the_extension_gives_up_where_the_item_is_left():
    weight = [100, 100]
    item = [0] * 3 + [1] * 40 + [0] * 3
    document = [0] * 3 + [2] * 40 + [0] * 3  # 40 other words cost more than 3 equal ones give
    assert extended(item, weight, document, 8) == [[0, 0], [1, 1], [2, 2]]


@pytest.mark.parametrize(
    ("n_words", "band"),
    [(5, LEAST_BAND), (2 * LEAST_BAND + 2, LEAST_BAND + 1), (10_000, MOST_BAND)],
)
def test_the_band_is_half_the_pattern_within_limits(n_words, band):
    assert band_of(n_words) == band


# --- through the scanner ------------------------------------------------------------------------------


def locus_of(scan_documents, items, text):
    """The evidence of one document and its exact runs."""
    plan = scan_documents(items, []).plan
    data = np.frombuffer(text.encode(), np.uint8)
    bounds = np.array([0, len(data)], np.int64)
    return scan_texts(data, bounds, plan.target, plan.tally.marks), plan


@pytest.mark.parametrize(
    ("edit", "runs", "columns"),
    [
        (lambda w: w, [[0, 0, 30]], 30),
        (lambda w: [*w[:10], "kub", *w[11:]], [[0, 0, 10], [11, 11, 19]], 30),
        (lambda w: [*w[:10], "kub", *w[10:]], [[0, 0, 10], [10, 11, 20]], 31),
        (lambda w: [*w[:10], *w[11:]], [[0, 0, 10], [11, 10, 19]], 30),
        (lambda w: [*w[:10], "kub", "zad", *w[11:]], [[0, 0, 10], [11, 12, 19]], 31),
        (lambda w: w[5:25], [[5, 0, 20]], 20),
    ],
    ids=["whole", "replaced", "inserted", "left out", "one by two", "cut at both ends"],
)
def test_edits_give_the_runs_and_columns_counted_by_hand(
    scan_documents, make_item, vocabulary, edit, runs, columns
):
    item = vocabulary(0, 30)
    scanned, _ = locus_of(scan_documents, [make_item(" ".join(item))], " ".join(edit(item)))
    assert scanned.runs.tolist() == runs
    assert scanned.evidence.columns.tolist() == [columns]
    assert scanned.evidence.matched.tolist() == [sum(run[2] for run in runs)]
    assert scanned.evidence.longest_run.tolist() == [max(run[2] for run in runs)]


@st.composite
def edited_copies(draw):
    """An item over a few words and a document that holds an edited copy."""
    word = st.sampled_from(["ra", "el", "tok", "mi", "sun", "ve", "дом学校"])
    item = draw(st.lists(word, min_size=SEED_WORDS, max_size=40))
    copy = []
    for at in range(len(item)):
        change = draw(st.sampled_from(["keep"] * 8 + ["replace", "insert", "drop"]))
        copy += [] if change == "drop" else [draw(word) if change == "replace" else item[at]]
        copy += [draw(word)] if change == "insert" else []
    around = st.lists(word, max_size=20)
    return " ".join(item), " ".join([*draw(around), *copy, *draw(around)])


@given(edited_copies())
@settings(max_examples=200, deadline=None)
def test_runs_of_a_locus_are_exact_maximal_and_in_order(scan_documents, make_item, texts):
    item, document = texts
    scanned, plan = locus_of(scan_documents, [make_item(item)], document)
    ours, theirs = ([word for word, _, _ in reference_words(text)] for text in texts)
    e = scanned.evidence
    for row in np.flatnonzero(np.diff(plan.patterns.index.starts)[e.pattern] == len(ours)):
        runs = scanned.runs[e.run_start[row] : e.run_end[row]].tolist()
        for i, j, length in runs:
            assert ours[i : i + length] == theirs[j : j + length]
        for (i, j, length), (next_i, next_j, _) in itertools.pairwise(runs):
            assert next_i >= i + length
            assert next_j >= j + length
            assert (next_i, next_j) != (i + length, j + length)
        assert e.longest_run[row] == max(length for _, _, length in runs)
        assert e.matched[row] == sum(length for _, _, length in runs) <= e.columns[row]
        assert (e.item_start[row], e.word_start[row]) == tuple(runs[0][:2])
        assert e.item_end[row] == runs[-1][0] + runs[-1][2]
        assert e.word_end[row] == runs[-1][1] + runs[-1][2]


@given(edited_copies())
@settings(max_examples=200, deadline=None)
def test_score_identity_and_coverage_lie_between_0_and_1(scan_documents, make_item, texts):
    item, document = texts
    for finding in scan_documents([make_item(item, answer=item)], [document]).findings:
        assert 0 <= finding.score <= 1
        assert 0 < finding.identity <= 1
        assert 0 < finding.coverage <= 1
        assert (finding.kind == "verbatim") == (finding.identity == 1)
