"""What the embedding scanner makes of code: in order or not, with the words of the task or without."""

import random
import re

import numpy as np
import pytest

from scanners.judge import LeakType, Status
from scanners.semantic_evidence import lone_code, order_of
from tests.scanners.code_samples import (
    ANSWER,
    GO,
    OTHER_TASK,
    QUESTION,
    REWRITTEN,
    SHORT_ANSWER,
    SHORT_QUESTION,
)
from tests.scanners.judging import Judge, hidden

REPHRASED = '''def find_flat_part(heights, tolerance):
    """ Find where the longest run of heights starts that differ by no more than `tolerance`
    from the first one of the run, and return how many heights it has, too.
    >>> find_flat_part([14, 15, 19, 19, 18], 1)
    (2, 3)
    """
''' + REWRITTEN.split("\n", 1)[1]


@pytest.fixture(scope="module")
def judge(make_item):
    return Judge(
        {
            "plateau": make_item(QUESTION, id="plateau", answer=ANSWER),
            "unique": make_item(SHORT_QUESTION, id="unique", answer=SHORT_ANSWER),
        }
    )


def test_a_rephrased_task_with_its_code_is_contaminated(judge):
    assert judge.found(hidden(REPHRASED)) == {
        (0, "plateau", LeakType.QUESTION, Status.CONTAMINATED)
    }


@pytest.mark.parametrize("code", [REWRITTEN, GO])
def test_a_solution_without_a_word_of_the_task_is_its_answer(judge, code):
    assert judge.found(hidden(code)) == {(0, "plateau", LeakType.ANSWER, Status.CONTAMINATED)}


def test_a_solution_whose_names_do_not_agree_is_at_most_suspect(judge):
    names = iter("abcdefghijklmnopqrstuvwxyz" * 4)
    known = {"def", "while", "len", "and", "abs", "if", "break", "return"}
    mixed = re.sub(r"[a-z]+", lambda m: m[0] if m[0] in known else next(names) + "q", REWRITTEN)
    found = judge.found(hidden(mixed))
    assert all(status < Status.CONTAMINATED for *_, status in found)


def test_other_code_and_a_line_that_many_write_are_nothing(judge):
    assert (
        judge.found(hidden(OTHER_TASK), hidden("def f(x):\n    return sorted(list(set(x)))"))
        == set()
    )


@pytest.mark.parametrize("unit", ["words", "lines"])
def test_shuffled_code_is_not_contaminated(judge, unit):
    text = QUESTION + ANSWER
    parts = text.splitlines()[4:] if unit == "lines" else re.findall(r"\w+", text)
    join = "\n" if unit == "lines" else " "
    texts = [hidden(join.join(random.Random(seed).sample(parts, len(parts)))) for seed in range(30)]
    assert all(status < Status.CONTAMINATED for *_, status in judge.found(*texts))


def test_two_halves_of_different_code_are_not_contaminated(judge):
    first, second = REWRITTEN.splitlines(), OTHER_TASK.splitlines()
    for halves in (first[:8] + second[4:], second[:4] + first[8:]):
        found = judge.found(hidden("\n".join(halves)))
        assert all(status < Status.CONTAMINATED for *_, status in found)


def test_code_without_enough_order_is_at_most_suspect(judge):
    scanned, read = judge.read(hidden(REPHRASED))
    read = read._replace(code_names=np.zeros(len(read.row)))  # else the code is enough alone
    assert (judge.judge(scanned, read).status == Status.CONTAMINATED).any()
    either_way = read._replace(in_reverse=read.in_order - 0.15 * read.soft)
    assert order_of(either_way).max() == pytest.approx(0.15)
    assert (judge.judge(scanned, either_way).status < Status.CONTAMINATED).all()


def test_a_part_of_a_solution_proves_less_than_its_bits(judge):
    _, read = judge.read(hidden(REWRITTEN))
    shares = [lone_code(read._replace(code_share=np.full(len(read.row), s))) for s in (0.4, 0.7, 1)]
    assert shares[0].max() < 0.4 <= shares[1].max() < 0.6 <= shares[2].max()
