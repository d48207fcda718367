"""What the embedding scanner makes of places: status, leak type, and what earlier scanners said."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.reference_form import reference_words
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE, Judged, LeakType, Status
from scanners.second_opinion import SiblingCosines, row_text, sample_items, sibling_cosines
from scanners.semantic_evidence import margins
from tests.scanners.judging import Judge, hidden
from tests.scanners.meaning_samples import (
    BAKER,
    BAKER_OTHER_NUMBERS,
    BAKER_REWORDED,
    GRANITE,
    LIGHTHOUSE_REWORDED,
    QUESTIONS,
)


@pytest.fixture(scope="module")
def judge(make_item):
    return Judge({name: make_item(text, id=name) for name, text in QUESTIONS.items()})


@pytest.mark.parametrize(
    ("name", "text"), [("baker", BAKER_REWORDED), ("lighthouse", LIGHTHOUSE_REWORDED)]
)
def test_a_rewording_in_other_text_is_contaminated(judge, name, text):
    assert judge.found(hidden(text)) == {(0, name, LeakType.QUESTION, Status.CONTAMINATED)}


def test_other_numbers_make_a_template(judge):
    (found,) = judge.found(hidden(BAKER_OTHER_NUMBERS))
    assert found == (0, "baker", LeakType.TEMPLATE, Status.SUSPECT)


def test_one_other_number_in_the_same_words_makes_a_template(judge):
    (found,) = judge.found(hidden(BAKER.replace("14", "16")))
    assert found == (0, "baker", LeakType.TEMPLATE, Status.SUSPECT)


def test_the_beginning_of_a_question_is_not_contaminated(judge):
    found = judge.found(hidden(BAKER[: BAKER.index("She used")]))
    assert all(status < Status.CONTAMINATED for *_, status in found)


def test_a_place_without_the_ask_is_a_passage(judge):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    judged = judge.judge(scanned, read._replace(ask=np.full_like(read.ask, 0.39)))
    assert (judged.status < Status.CONTAMINATED).all()
    assert set(judged.leak_type.tolist()) <= {LeakType.PASSAGE}


def test_a_place_in_random_order_is_not_contaminated(judge):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    shuffled = read._replace(in_order=read.soft * 0.54)
    assert (judge.judge(scanned, shuffled).status < Status.CONTAMINATED).all()


def test_words_in_random_order_seldom_stand_in_the_order_that_is_needed(judge):
    words = [word for word, _, _ in reference_words(BAKER)]
    texts = [
        hidden(" ".join(words[at] for at in np.random.default_rng(seed).permutation(len(words))))
        for seed in range(40)
    ]
    wrong = {document for document, *_, status in judge.found(*texts) if status == 2}
    assert len(wrong) <= 4


def test_text_on_other_things_gives_nothing(judge):
    assert judge.found(GRANITE, hidden("")) == set()


def test_what_an_earlier_scanner_called_as_much_is_not_told_again(judge):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    judged = judge.judge(scanned, read)
    assert len(judged.evidence)
    assert not len(judge.judge(scanned, read, [(scanned, judged)]).evidence)
    weaker = judged._replace(status=np.full_like(judged.status, Status.SUSPECT))
    assert len(judge.judge(scanned, read, [(scanned, weaker)]).evidence)


@pytest.mark.parametrize("kind", [LeakType.TEMPLATE, LeakType.PASSAGE])
def test_the_n_gram_scanner_settles_templates_and_passages_and_minhash_does_not(judge, kind):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    judged = judge.judge(scanned, read)
    said = judged._replace(
        leak_type=np.full_like(judged.leak_type, kind),
        status=np.full_like(judged.status, Status.SUSPECT),
    )
    nothing = Judged(*(column[:0] for column in judged))
    first, second = (scanned, said), (scanned, nothing)
    assert not len(judge.judge(scanned, read, [first, second]).evidence)
    assert len(judge.judge(scanned, read, [second, first]).evidence)


def test_a_transformer_moves_the_score_both_ways_and_silence_does_not(judge):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    rows = len(read.row)
    silent = judge.scores(scanned, read).score
    # Less of the words, so that the score is not at its end.
    read = read._replace(soft=read.soft * 0.8, in_order=read.in_order * 0.8)
    silent = judge.scores(scanned, read).score
    near = judge.scores(scanned, read._replace(model_cosine=np.full(rows, 1.5))).score
    far = judge.scores(scanned, read._replace(model_cosine=np.zeros(rows))).score
    best = silent.argmax()
    assert far[best] < silent[best] < near[best]


@settings(max_examples=50, deadline=None)
@given(factor=st.floats(0.05, 1), other=st.floats(0.05, 1))
def test_more_of_the_question_never_lowers_the_score(judge, factor, other):
    scanned, read = judge.read(hidden(BAKER_REWORDED))
    less, more = sorted((factor, other))
    scores = [
        judge.scores(
            scanned,
            read._replace(
                soft=read.soft * part, rare=read.rare * part, in_order=read.in_order * part
            ),
        ).score
        for part in (less, more)
    ]
    assert (scores[0] <= scores[1] + 1e-9).all()
    assert (scores[1] >= 0).all()
    assert (scores[1] <= 1).all()


def test_a_place_that_two_items_of_a_benchmark_fit_alike_has_no_margin(judge):
    scanned, _ = judge.read(hidden(BAKER_REWORDED), hidden(LIGHTHOUSE_REWORDED))
    locus = scanned.evidence
    n = len(locus.document)
    assert n >= 2
    rivals = replace_places(scanned, document=np.zeros(n, np.int64), start=5, end=20)
    pattern = rivals.evidence.pattern
    likeness = np.where(pattern == pattern[0], 0.8, 0.5)
    own = margins(likeness, rivals, np.zeros(n, np.int32))
    assert own[0] == pytest.approx(0.3)
    assert own[pattern != pattern[0]] == pytest.approx(-0.3)
    apart = margins(likeness, rivals, pattern.astype(np.int32))
    assert apart == pytest.approx(likeness)


def replace_places(scanned, document, start, end):
    locus = scanned.evidence
    return scanned._replace(
        evidence=locus._replace(
            document=document,
            word_start=np.full_like(locus.word_start, start),
            word_end=np.full_like(locus.word_end, end),
        )
    )


def test_thresholds_are_those_of_all_scanners(judge):
    scanned, read = judge.read(hidden(BAKER_REWORDED), hidden(BAKER_OTHER_NUMBERS))
    judged = judge.judge(scanned, read)
    assert (judged.score >= SUSPECT_SCORE).all()
    strong = judged.status == Status.CONTAMINATED
    assert (judged.score[strong] >= CONTAMINATED_SCORE).all()
    assert (judged.score[judged.leak_type == LeakType.TEMPLATE] < CONTAMINATED_SCORE).all()


# --- the transformer's part -------------------------------------------------------------------------


def test_sibling_cosines_are_those_of_pairs_of_different_items():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = sibling_cosines(np.concatenate([vectors, vectors[:5]]), np.zeros(45, np.int32), 1)
    pairs = (vectors @ vectors.T)[np.triu_indices(40, 1)]
    assert found.median[0] == pytest.approx(np.median(pairs), abs=0.02)
    assert found.high[0] <= pairs.max() + 1e-6
    ends = np.array([found.median[0], found.high[0]])
    assert found.relative(ends, np.zeros(2, np.int64)) == pytest.approx([0, 1])


def test_a_benchmark_of_few_or_of_equal_items_divides_by_nothing():
    same = np.tile(np.eye(1, 8, dtype=np.float32), (20, 1))
    for vectors in (same, same[:2]):
        found = sibling_cosines(vectors, np.zeros(len(vectors), np.int32), 1)
        assert np.isfinite(found.relative(np.array([0.5]), np.zeros(1, np.int64))).all()
    assert isinstance(found, SiblingCosines)


def test_items_are_sampled_by_benchmark_and_text_once():
    benchmark = np.array([0] * 600 + [1] * 3, np.int32)
    texts = [f"question {number}" for number in range(600)] + ["same", "same", ""]
    chosen = sample_items(benchmark, texts)
    assert (benchmark[chosen] == 1).sum() == 1
    assert 200 < (benchmark[chosen] == 0).sum() <= 256
    assert len(set(chosen.tolist())) == len(chosen)


def test_the_ask_is_compared_with_the_ask(make_item):
    item = make_item(BAKER)
    assert row_text(item, 0) == row_text(item, 1) == BAKER
    assert row_text(item, 2).startswith("How many crates")
