"""Translated items: found, told from siblings and templates, whatever else is in the batch."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.benchmarks import Benchmark, Item
from indexes.background import load_background
from indexes.embeddings.errors import EncoderError
from pipelines.shard_step import ScanPlan, tell_all, text_buffers
from scanners.judge import LeakType, Status
from scanners.judge_translated import judge_translated
from scanners.nearest_questions import highest_of
from scanners.ngram import Scanned
from scanners.presets import PresetTally
from scanners.translated import Translations
from tests.scanners.translation_samples import (
    FILLER,
    Monoglot,
    Polyglot,
    benchmark,
    other_numbers,
    patterns_of,
    question,
    translated,
)

CONTAMINATED, SUSPECT = int(Status.CONTAMINATED), int(Status.SUSPECT)


class Search:
    """A search for the questions of a made-up benchmark."""

    def __init__(self, **which):
        self.encoder = Polyglot()
        self.one = benchmark(**which)
        self.patterns = patterns_of(self.one)
        self.search = Translations(self.encoder, self.one.items, self.patterns)

    def judge(self, texts, known=()):
        data, bounds = text_buffers(pa.array(texts, pa.large_string()))
        return judge_translated(
            data, bounds, self.search.search(data, bounds), self.patterns, self.one.items,
            load_background(), known,
        )  # fmt: skip

    def found(self, *texts):
        """What is found, as (document, item, leak type, status)."""
        scanned, judged = self.judge(texts)
        return [
            (
                int(scanned.evidence.document[e]),
                self.one.items[self.patterns.owners.item[owner]].id,
                LeakType(leak_type),
                int(status),
            )
            for e, owner, leak_type, status, _ in zip(*judged, strict=True)
        ]


@pytest.fixture(scope="module")
def search():
    return Search()


def hidden(text):
    return f"{translated(FILLER)} {text} {translated(FILLER)}"


def test_a_translated_question_is_found_in_a_document_of_its_language(search):
    texts = [hidden(translated(question(k))) for k in (3, 11, 20)]
    assert search.found(*texts) == [
        (row, str(k), LeakType.QUESTION, CONTAMINATED) for row, k in enumerate((3, 11, 20))
    ]


def test_the_place_is_the_question(search):
    told = translated(question(5))
    text = hidden(told)
    plan = ScanPlan([search.one], search.patterns)
    data, bounds = text_buffers(pa.array([text], pa.large_string()))
    scanned, judged = search.judge([text])
    examined = [("translation", scanned, judged)]
    (finding,) = tell_all(examined, data, bounds, plan, [text].__getitem__)
    assert text[finding.doc_start : finding.doc_end] == told.rstrip("?")
    assert (finding.item_start, finding.item_end) == (0, len(question(5)) - 1)
    assert (finding.kind, finding.scanner, finding.leak_type) == (
        "semantic", "translation", "question",
    )  # fmt: skip
    assert finding.longest_run == 1  # a number
    assert 0 < finding.identity < 0.1


def test_another_question_of_the_kind_is_not_found():
    search = Search(left_out=(7,))
    assert search.found(hidden(translated(question(7)))) == []


def test_other_numbers_make_a_template(search):
    text = hidden(translated(other_numbers(question(9))))
    assert search.found(text) == [(0, "9", LeakType.TEMPLATE, SUSPECT)]


def test_text_in_the_benchmarks_language_is_not_looked_at():
    search = Search()
    assert search.found(f"{FILLER} {question(4)} {FILLER}", FILLER * 5) == []
    assert not any("snow" in text or "baker" in text for text in search.encoder.texts)


def test_a_benchmark_of_code_has_no_translations():
    body = "def f{0}(x, y): return [(x[{0}] ** 2) // y for y in range({0}, 99) if x != y]"
    items = tuple(Item(str(k), body.format(k), "", "", ()) for k in range(30))
    one = Benchmark("code", "", "", "", items)
    assert Translations(Polyglot(), items, patterns_of(one)).benchmarks == []


def test_what_is_foreign_is_told_by_the_benchmarks_own_language():
    items = tuple(Item(str(k), translated(question(k)), "", "", ()) for k in range(24))
    patterns = patterns_of(Benchmark("translated", "", "", "", items))
    search = Translations(Polyglot(), items, patterns)
    data, bounds = text_buffers(
        pa.array([f"{FILLER} {question(4)}", translated(question(5))], pa.large_string())
    )
    (found,) = search.search(data, bounds)
    places = found.sentences.document[found.candidates.first]
    best = found.candidates.gap == found.candidates.gap.max()
    assert set(places.tolist()) == {0}
    assert set(found.questions.item[found.candidates.question[best]].tolist()) == {4}


def test_without_text_in_another_language_no_question_is_encoded():
    search = Search()
    before = len(search.encoder.texts)
    assert search.found(FILLER, "", "def f(x): return x + 1") == []
    assert len(search.encoder.texts) == before


def test_where_questions_have_numbers_text_without_them_is_not_encoded():
    search = Search()
    before = len(search.encoder.texts)
    assert search.found(translated(FILLER)) == []
    assert len(search.encoder.texts) == before


def test_numbers_in_other_digits_are_the_same_numbers(search):
    digits = str.maketrans("0123456789", "०१२३४५६७८९")
    text = hidden(translated(question(2)).translate(digits))
    assert search.found(text) == [(0, "2", LeakType.QUESTION, CONTAMINATED)]


def test_of_a_benchmark_of_few_questions_a_translation_is_suspect_at_most():
    search = Search(n=5)
    assert {status for *_, status in search.found(hidden(translated(question(2))))} == {SUSPECT}


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)), st.integers(1, 6))
def test_what_is_found_does_not_depend_on_the_batch(search, order, size):
    texts = [
        hidden(translated(question(3))),
        translated(question(8)),
        FILLER,
        hidden(translated(other_numbers(question(12)))),
        translated(FILLER) + "17 44",
        "",
    ]
    whole = _rows(search, texts)
    for first in range(0, len(order), size):
        chosen = order[first : first + size]
        rows = _rows(search, [texts[k] for k in chosen])
        expected = [(chosen.index(d), *rest) for d, *rest in sorted(whole, key=str) if d in chosen]
        assert sorted(rows, key=str) == sorted(expected, key=str)


def _rows(search, texts):
    scanned, judged = search.judge(texts)
    locus = scanned.evidence
    return [
        (
            int(locus.document[e]), int(owner), int(leak_type), int(status), float(score),
            int(locus.word_start[e]), int(locus.word_end[e]), int(locus.matched[e]),
        )
        for e, owner, leak_type, status, score in zip(*judged, strict=True)
    ]  # fmt: skip


def test_what_an_earlier_scanner_told_is_not_told_again(search):
    text = hidden(translated(question(6)))
    scanned, judged = search.judge([text])
    assert len(judged.evidence) == 1
    assert isinstance(scanned, Scanned)
    _, again = search.judge([text], known=[(scanned, judged)])
    assert not len(again.evidence)


def test_a_plan_with_translations_examines_for_them():
    one = benchmark()
    plan = ScanPlan([one], patterns_of(one), ("ngram", "embedding"), Polyglot(), translations=True)
    texts = [hidden(translated(question(1))), FILLER]
    data, bounds = text_buffers(pa.array(texts, pa.large_string()))
    examined = plan.examine(data, bounds, PresetTally(plan.patterns).marks)
    assert [one.scanner for one in examined] == ["ngram", "embedding", "translation"]
    assert [len(one.judged.evidence) for one in examined] == [0, 0, 1]


def test_a_model_of_one_language_is_refused():
    one = benchmark()
    with pytest.raises(EncoderError, match=r"monoglot does not tell translations.*German"):
        Translations(Monoglot(), one.items, patterns_of(one))


@pytest.mark.parametrize("n", [2, 10, 100, 1000])
def test_the_highest_of_normal_numbers_are_as_high_as_expected(n):
    random = np.random.default_rng(1)
    drawn = np.sort(random.normal(size=(4000, n)), axis=1)
    k = min(10, n)
    assert highest_of(n, k) == pytest.approx(drawn[:, -k:].mean(), abs=0.05)
    assert highest_of(n, 1) == pytest.approx(drawn[:, -1].mean(), abs=0.05)
