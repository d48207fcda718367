"""What is searched for: composites, the last sentence, and the weights of words, against slow oracles."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.benchmarks import Benchmark
from corpora.normal_form import word_hashes
from indexes.background import load_background
from scanners.fields import LEAST_VOCABULARY, Role, tokenize, weigh
from scanners.patterns import ASK_LEAST_CHARS, build_patterns, composite_text, last_sentence

# The rule as one would write it down: alternatives, from left to right.
SENTENCE_END = re.compile(r"[.!?:][\"'”’)\]]*\s+|\n|[。！？：]")


def patterns_of(*items):
    return build_patterns([Benchmark("b", "b.jsonl", "", "", items)], load_background())


@pytest.mark.parametrize("choices", [(), ("7", "", "11"), tuple(map(str, range(20)))])
def test_a_composite_has_the_words_of_the_item_as_documents_print_it(make_item, choices):
    items = (
        make_item(
            "How many are there?", id="0", answer="about eleven or twelve of them", choices=choices
        ),
        make_item("Which of these is it?", id="1", answer="7", choices=choices),
    )
    patterns = patterns_of(*items)
    found = set()
    for pattern in range(len(patterns.totals)):
        start, end = patterns.index.starts[pattern : pattern + 2]
        for owner in range(patterns.owners.first[pattern], patterns.owners.first[pattern + 1]):
            if patterns.owners.role[owner] == Role.COMPOSITE:
                item, layout = int(patterns.owners.item[owner]), int(patterns.owners.choice[owner])
                expected = word_hashes(composite_text(items[item], layout))
                assert patterns.index.words[start:end].tolist() == expected.tolist()
                found.add((item, layout))
    expected_layouts = range(0 if choices else 2, 4)
    assert found == {(item, layout) for item in (0, 1) for layout in expected_layouts}


@given(st.text('ab .!?:\n\t"”’)]。！？：', max_size=60))
def test_the_last_sentence_begins_after_the_last_end_that_leaves_some_words(text):
    ends = [end.end() for end in SENTENCE_END.finditer(text)]
    fit = [end for end in ends if len(text) - end >= ASK_LEAST_CHARS]
    assert last_sentence(text) == (text[fit[-1] :] if fit else "")


def test_every_word_has_the_weight_of_its_place_among_the_different_ones(make_item, vocabulary):
    words = vocabulary(0, 2 * LEAST_VOCABULARY)
    items = [
        make_item(" ".join(words[at : at + 50]), answer=" ".join(words[: at % 7]))
        for at in range(0, len(words), 25)
    ]
    fields = tokenize(items)
    weights = weigh(fields, load_background())
    vocabulary_there, place = np.unique(fields.words, return_inverse=True)
    assert len(vocabulary_there) > LEAST_VOCABULARY
    assert weights.vocabulary.tolist() == vocabulary_there.tolist()
    assert weights.fields.tolist() == weights.weight[place].tolist()
    assert weights.of(fields.words).tolist() == weights.fields.tolist()


def test_items_without_words_have_no_weights(make_item):
    weights = weigh(tokenize([make_item("?!")]), load_background())
    assert len(weights.vocabulary) == len(weights.fields) == 0
