"""The bound below which nothing is a finding: it must hold for whatever the scanner says."""

import numpy as np
import pytest

from corpora.benchmarks import Benchmark
from indexes.background import load_background
from indexes.ngram import LONG_WORDS
from pipelines.shard_step import ScanPlan
from scanners.fields import Role
from scanners.least import least_units
from scanners.patterns import build_patterns

COMMON = ("the", "of", "and", "to", "in", "is", "what", "how", "many", "which", "one", "are")


def made_items(make_item, random, words):
    """Items of all lengths, of common words and rare ones, with choices, answers and passages."""

    def some(most):
        chosen = random.choice(words, random.integers(0, most))
        return " ".join(c if random.random() < 0.6 else random.choice(COMMON) for c in chosen)

    return [
        make_item(
            some(30),
            id=str(n),
            answer=some(25),
            passage=some(1 + 30 * (n % 2)),
            choices=tuple(some(12) for _ in range(4 * (n % 3))),
        )
        for n in range(30)
    ]


def edited_copy(random, item):
    """Parts of an item in some order, with words exchanged so that few runs are long."""
    parts = [item.question, item.answer, item.passage, *item.choices]
    words = " ".join(parts[k] for k in random.permutation(len(parts))[:3]).split()
    for at in range(random.integers(1, 9), len(words), 9):
        words[at] = "exchanged"
    return " ".join(words)


@pytest.mark.parametrize("seed", range(6))
def test_no_place_with_less_is_a_finding_unless_another_of_its_item_is(make_item, vocabulary, seed):
    random = np.random.default_rng(seed)
    items = made_items(make_item, random, vocabulary(0, 3000))
    benchmark = Benchmark("made", "", "", "", tuple(items))
    patterns = build_patterns([benchmark], load_background())
    plan = ScanPlan([benchmark], patterns)
    documents = [edited_copy(random, item) for item in items for _ in range(8)]
    encoded = [document.encode() for document in documents]
    bounds = np.concatenate([[0], np.cumsum([len(data) for data in encoded])])
    data = np.frombuffer(b"".join(encoded), np.uint8)
    [examined] = plan.examine(data, bounds, plan.tally.marks)
    scanned, judged = examined.scanned, examined.judged
    evidence, least = scanned.evidence, least_units(patterns)
    told, rest = set(), set()
    for row, owner in zip(judged.evidence, judged.owner, strict=True):
        place = (int(evidence.document[row]), int(patterns.owners.item[owner]))
        enough = evidence.units[row] >= least[evidence.pattern[row]]
        if enough or evidence.longest_run[row] >= LONG_WORDS:
            told.add(place)
        else:
            assert patterns.owners.role[owner] in (Role.ANSWER, Role.CHOICE)
            rest.add(place)
    assert rest <= told
    assert len(told) > 50


def test_a_choice_of_little_weight_is_never_a_finding(make_item, vocabulary):
    light, heavy = "which of the two is one", " ".join(vocabulary(10, 22))
    question = " ".join(vocabulary(30, 60))
    benchmark = Benchmark("made", "", "", "", (make_item(question, choices=(light, heavy)),))
    patterns = build_patterns([benchmark], load_background())
    possible = least_units(patterns) <= patterns.totals
    lengths = np.diff(patterns.index.starts)
    assert possible.tolist() == [words != 6 for words in lengths.tolist()]
