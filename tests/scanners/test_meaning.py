"""What is read in nominated windows: places, shares of weight, numbers, choices, sentences."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.benchmarks import Benchmark
from corpora.reference_form import reference_words
from indexes.background import load_background
from indexes.embeddings.static import load_static
from pipelines.shard_step import text_buffers
from scanners.asked import ask_items
from scanners.embedding import Nominated, mean_items, nominate
from scanners.meaning import read_nominated, with_cosines
from scanners.ngram import sought
from scanners.patterns import build_patterns
from tests.scanners.meaning_samples import (
    BAKER,
    BAKER_OTHER_NUMBERS,
    BAKER_REWORDED,
    GRANITE,
    LIGHTHOUSE_REWORDED,
    QUESTIONS,
)

CHOICES = ("a copper kettle", "a wicker basket", "an oak barrel", "a clay jar")


class Reader:
    """Reads documents for the questions of this test."""

    def __init__(self, make_item):
        self.items = [make_item(text, id=name) for name, text in QUESTIONS.items()]
        self.items.append(
            make_item(
                "In which vessel did the monks of the valley carry mulberry wine to the harbour market?",
                id="monks",
                choices=CHOICES,
            )
        )
        self.background, self.model = load_background(), load_static()
        self.patterns = build_patterns(
            [Benchmark("b", "", "", "", tuple(self.items))], self.background
        )
        self.target = sought(self.patterns)
        self.meant = mean_items(self.patterns, self.items, self.background, self.model)
        self.asked = ask_items(self.meant, self.patterns, self.items, self.background, self.model)

    def read(self, *texts, segment_bytes=None):
        """Nominate and read; documents may be cut into smaller pieces than a scan does."""
        target = self.target
        if segment_bytes is not None:
            target = target._replace(segment_bytes=segment_bytes)
        data, bounds = text_buffers(pa.array(texts, pa.large_string()))
        found = nominate(data, bounds, self.meant, self.model)
        return read_nominated(data, bounds, found, self.meant, self.asked, target, self.model)

    def whole(self, text, name):
        """Read all of a text as the window of one question."""
        item = [one.id for one in self.items].index(name)
        (row,) = np.flatnonzero((self.meant.item == item) & (self.meant.view == 0))
        data, bounds = text_buffers(pa.array([text], pa.large_string()))
        window = Nominated(
            np.zeros(1, np.int32), np.zeros(1, np.int64), np.array([len(words_of(text))]),
            np.array([row], np.int32), np.ones(1, np.float32),
        )  # fmt: skip
        return read_nominated(data, bounds, window, self.meant, self.asked, self.target, self.model)


@pytest.fixture(scope="module")
def reader(make_item):
    return Reader(make_item)


def words_of(text):
    return [word for word, _, _ in reference_words(text)]


def test_the_question_itself_is_there_in_every_respect(reader):
    _, read = reader.whole(BAKER, "baker")
    for share in ("words", "spelling", "soft", "rare", "in_order", "told", "ask"):
        assert getattr(read, share)[0] == pytest.approx(1)
    assert read.place_cosine[0] == pytest.approx(1, abs=1e-3)
    assert (read.numbers[0], read.place_numbers[0], read.shared_numbers[0]) == (3, 3, 3)
    assert np.isnan(read.model_cosine[0])


def test_words_that_mean_the_same_count_in_part(reader):
    _, read = reader.whole(BAKER_REWORDED, "baker")
    assert read.words[0] < read.soft[0] < 1
    assert read.shared_numbers[0] == 3
    _, near = reader.whole(BAKER.replace("bought", "purchased"), "baker")
    _, far = reader.whole(BAKER.replace("bought", "hydrated"), "baker")
    assert near.soft[0] > far.soft[0]
    assert near.words[0] == far.words[0]


def test_a_number_stands_for_no_other_number_but_for_its_name(reader):
    _, read = reader.whole(BAKER_OTHER_NUMBERS, "baker")
    _, spelled = reader.whole(BAKER.replace("14", "fourteen"), "baker")
    assert (read.numbers[0], read.place_numbers[0], read.shared_numbers[0]) == (3, 3, 0)
    assert (spelled.shared_numbers[0], spelled.soft[0]) == (3, pytest.approx(1))


def test_words_in_another_order_are_covered_but_not_in_order(reader):
    words = words_of(BAKER)
    shuffled = " ".join(words[at] for at in np.random.default_rng(3).permutation(len(words)))
    _, read = reader.whole(shuffled, "baker")
    assert read.soft[0] > 0.95
    assert read.in_order[0] < 0.5 * read.soft[0]


def test_a_question_read_backwards_aligns_as_its_words_in_reverse_order_do(reader):
    _, read = reader.whole(BAKER, "baker")
    _, reversed_ = reader.whole(" ".join(reversed(words_of(BAKER))), "baker")
    assert read.in_reverse[0] < 0.5
    assert read.in_reverse[0] == pytest.approx(reversed_.in_order[0])
    assert reversed_.in_reverse[0] == pytest.approx(1)


def test_what_else_a_sentence_says_lowers_what_is_told_of_it(reader):
    _, alone = reader.whole(f"{BAKER} {GRANITE}", "baker")
    within = BAKER.replace("tarts?", "tarts, though nobody in Wessex drinks gin by moonlight?")
    _, longer = reader.whole(within, "baker")
    assert alone.told[0] == pytest.approx(1)
    assert longer.told[0] < 0.95


def test_the_place_is_found_in_a_document_and_its_runs_are_equal_words(reader):
    document = f"{GRANITE}\n\n{LIGHTHOUSE_REWORDED}\n\n{GRANITE}"
    scanned, read = reader.read(document)
    locus, words = scanned.evidence, words_of(document)
    (row,) = np.flatnonzero(reader.meant.item[read.row.astype(int)] == 2)
    before, own = len(words_of(GRANITE)), len(words_of(LIGHTHOUSE_REWORDED))
    assert before <= locus.word_start[row] < locus.word_end[row] <= before + own
    assert read.text_start[row] == before
    assert read.text_end[row] <= before + own
    asked = words_of(QUESTIONS["lighthouse"])
    runs = scanned.runs[locus.run_start[row] : locus.run_end[row]]
    assert len(runs)
    for item_word, word, length in runs.tolist():
        assert asked[item_word : item_word + length] == words[word : word + length]


@pytest.mark.parametrize(("shown", "share"), [(CHOICES, 1), (CHOICES[:2], 0.5), ((), 0)])
def test_choices_behind_the_place_are_counted(reader, shown, share):
    question = reader.items[3].question
    _, read = reader.whole("\n".join([question, *shown]), "monks")
    assert read.choices[0] == share
    assert (read.choice_units[0] > 0) == (share > 0)


def test_other_text_shares_too_little_to_be_read(reader):
    scanned, _ = reader.read(GRANITE)
    assert len(scanned.evidence.document) == 0


@settings(max_examples=15, deadline=None)
@given(before=st.integers(0, 3000), size=st.sampled_from([64, 1000, 20_000]))
def test_readings_do_not_depend_on_the_segments_of_a_document(reader, before, size):
    filler = (words_of(GRANITE) * 150)[:before]
    document = "\n".join([" ".join(filler), BAKER_REWORDED, GRANITE])
    scanned, read = reader.read(document, segment_bytes=size)
    whole_scanned, whole_read = reader.read(document)
    for ours, theirs in ((scanned.evidence, whole_scanned.evidence), (read, whole_read)):
        for name in ours._fields:
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), name)
    np.testing.assert_array_equal(scanned.runs, whole_scanned.runs)
    locus, words, asked = scanned.evidence, words_of(document), words_of(BAKER)
    best = read.soft.argmax()
    assert before - 2 <= locus.word_start[best]
    assert locus.word_end[best] <= before + len(words_of(BAKER_REWORDED)) + 2
    assert locus.document_words[best] == len(words)
    runs = scanned.runs[locus.run_start[best] : locus.run_end[best]]
    for item_word, word, length in runs.tolist():
        assert asked[item_word : item_word + length] == words[word : word + length]


def test_cosines_of_a_transformer_are_entered_where_they_belong(reader):
    _, read = reader.read(BAKER, LIGHTHOUSE_REWORDED)
    heard = with_cosines(read, np.array([1]), np.array([0.7]))
    assert heard.model_cosine[1] == 0.7
    assert np.isnan(np.delete(heard.model_cosine, 1)).all()
    assert np.isnan(read.model_cosine).all()
