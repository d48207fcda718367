"""Stage 0 of the embedding scanner: rewordings are nominated, in place, however batches are cut."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.benchmarks import Benchmark, Item
from corpora.normal_form import words
from indexes.background import load_background
from indexes.embeddings.static import load_static
from scanners import embedding
from scanners.embedding import ASK, QUESTION, WHOLE, mean_items, nominate
from scanners.fields import Role
from scanners.floors import MOST_FLOOR
from scanners.patterns import build_patterns

APPLES = (
    "Natalia sold clips to forty eight of her friends in April, and then she sold half as many clips "
    "in May. How many clips did Natalia sell altogether in April and May?"
)
APPLES_REWORDED = (
    "In the month of April, Natalia sold hair clips to 48 friends; during May her sales were half of "
    "that. What is the total number of clips she sold in both months?"
)
ORBIT = "Which force keeps the planets of the solar system in their orbits around the sun?"
CLEAN = (
    "The configuration file is read when the daemon starts. Every line names an option and its value; "
    "lines that begin with a number sign are comments. Unknown options are reported in the log and "
    "otherwise ignored, so that older versions can read files of newer ones. To reload the file without "
    "a restart, send the hangup signal to the process. Paths are relative to the working directory "
    "unless they begin with a slash. Environment variables are not expanded. "
)
FILLER = CLEAN * 3
SOME = [
    "A train leaves the station at nine and travels sixty miles an hour until it meets another train.",
    "The committee elected a chairman who had served in the senate for more than twenty years.",
    "Mitochondria produce most of the chemical energy that the biochemical reactions of a cell need.",
    "Write a function that returns the longest common prefix of a list of strings given by the caller.",
    "A baker made twelve trays of muffins with eight muffins on each and gave a quarter of them away.",
    "In which century did the printing press with movable type spread through the towns of Europe?",
]


def item(ident, question, answer="", choices=()):
    return Item(ident, question, answer, "", tuple(choices))


def packed(*texts):
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def means(*benchmarks):
    made = [
        Benchmark(f"b{number}", f"b{number}.jsonl", "0", "fields", tuple(items))
        for number, items in enumerate(benchmarks)
    ]
    items = [one for benchmark in made for one in benchmark.items]
    patterns = build_patterns(made, load_background())
    return mean_items(patterns, items, load_background(), load_static()), patterns


def nominated(meant, *texts, exact=False):
    return list(zip(*map(np.ndarray.tolist, nominate(*packed(*texts), meant, load_static(), exact)), strict=True))  # fmt: skip


@pytest.fixture(scope="module")
def meant():
    items = [
        item("clips", APPLES),
        item("orbit", ORBIT, "gravity"),
        *(item(t[:9], t) for t in SOME),
    ]
    return means(items)[0]


def test_a_rewording_in_a_document_is_nominated_where_it_stands(meant):
    document = f"{FILLER}\n\n{APPLES_REWORDED}\n\n{FILLER}"
    found = [one for one in nominated(meant, CLEAN, document) if meant.item[one[3]] == 0]
    assert found
    place = words(document)
    for number, start, end, row, cosine in found:
        assert number == 1
        assert cosine >= meant.floor[row]
        covered = document[place.starts[start] : place.ends[end - 1]]
        assert "Natalia" in covered or "number of clips" in covered


def test_clean_text_nominates_nothing(meant):
    assert nominated(meant, CLEAN, FILLER) == []


def test_overlapping_windows_of_a_row_are_one_and_others_their_own(meant):
    document = f"{FILLER} {APPLES_REWORDED} {FILLER} {APPLES_REWORDED} {FILLER}"
    found = [one for one in nominated(meant, document) if meant.item[one[3]] == 0]
    assert len(found) >= 2
    for one, other in pairwise(found):
        assert one[3] != other[3] or one[2] <= other[1]
    assert found == sorted(found, key=lambda one: (one[0], one[3], one[1]))


pieces = st.sampled_from([APPLES, APPLES_REWORDED, ORBIT, CLEAN, *SOME, "", " ", "中文 é"])
documents = st.lists(st.lists(pieces, max_size=5).map(" ".join), min_size=1, max_size=6)


@settings(deadline=None, max_examples=15)
@given(documents, st.data())
def test_results_do_not_depend_on_how_batches_are_cut(meant, texts, data):
    cut = data.draw(st.integers(0, len(texts)))
    head, tail = nominated(meant, *texts[:cut]), nominated(meant, *texts[cut:])
    moved = [(document + cut, *rest) for document, *rest in tail]
    assert nominated(meant, *texts) == head + moved


@settings(deadline=None, max_examples=10)
@given(documents)
def test_pruned_search_finds_a_part_of_exact_search(meant, texts):
    exact = {(one[0], one[3]): one[4] for one in nominated(meant, *texts, exact=True)}
    for document, _, _, row, _ in nominated(meant, *texts):
        assert (document, row) in exact


def test_threads_find_the_same(meant):
    texts = [f"{FILLER} {text} {CLEAN}" for text in (APPLES_REWORDED, *SOME)]
    expected = nominated(meant, *texts)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(nominated(meant, *texts))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert expected
    assert results == [expected] * 4


def test_chunks_and_segments_do_not_change_what_is_found(meant, monkeypatch):
    document = f"{FILLER * 40} {APPLES_REWORDED} {FILLER * 40} {ORBIT} {CLEAN}"
    expected = nominated(meant, document)
    assert {int(meant.item[row]) for _, _, _, row, _ in expected} >= {0, 1}
    monkeypatch.setattr(embedding, "SEGMENT_BYTES", 1000)
    assert nominated(meant, document) == expected


def test_equal_texts_are_sought_once_and_short_ones_never():
    found, _ = means(
        [
            item("a", APPLES),
            item("b", "What is it?"),
            item("c", APPLES.upper()),
            item("d", "\U00013000\U00013001 \U00013002 " * 9),
        ]
    )
    assert found.item.tolist() == [0]
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-3)


def test_views_are_question_whole_and_ask():
    story = " ".join(SOME) + "\n" + ORBIT
    found, patterns = means(
        [
            item("weak", "Which of these planets is it?", "Mars", ["Mars, the red planet", "Venus, the bright one", "Saturn, which has rings"]),
            item("long", story, "gravity"),
        ]
    )  # fmt: skip
    views = set(zip(found.item.tolist(), found.view.tolist(), strict=True))
    assert (0, WHOLE) in views
    assert {(1, QUESTION), (1, ASK)} <= views
    assert (1, WHOLE) not in views
    owners = patterns.owners
    for one, pattern in zip(found.item, found.pattern, strict=True):
        rows = slice(owners.first[pattern], owners.first[pattern + 1])
        assert (one, Role.QUESTION) in set(zip(owners.item[rows], owners.role[rows], strict=True))


def test_floors_do_not_depend_on_other_benchmarks():
    items = [item(text[:9], text) for text in SOME]
    alone, _ = means(items)
    beside, _ = means(items, [item("clips", APPLES), item("orbit", ORBIT)])
    mine = beside.item < len(items)
    np.testing.assert_array_equal(alone.floor, beside.floor[mine])


def test_items_that_are_alike_have_a_higher_floor_but_not_without_limit():
    names = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal"]
    template = [
        item(name, f"{name} bought pears and plums at the market. How many pears has {name} now?")
        for name in names
    ]
    mixed, _ = means([item(text[:9], text) for text in SOME])
    alike, _ = means(template)
    assert alike.floor.min() >= MOST_FLOOR - 1e-6
    assert mixed.floor.min() < MOST_FLOOR
    reworded = "Hal went to the market to buy plums and pears. How many pears does Hal have now?"
    assert nominated(alike, f"{FILLER} {reworded} {FILLER}")


def test_no_items_nominate_nothing():
    found, _ = means([item("b", "What is it?")])
    assert len(found.item) == 0
    assert nominated(found, CLEAN, APPLES) == []
