"""What shares of evidence amount to, and how near a text is to other questions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanners.nearest_questions import AS_OF, NEXT, highest_of, others
from scanners.translation_evidence import (
    KEPT,
    NUMBERS,
    TEMPLATE_SCORE,
    WORDS,
    Shares,
    translation_scores,
)

UNIT = st.floats(0, 1)


def shares(**values):
    """Shares of one window; what is not named is 0, and the numbers agree."""
    filled = {name: np.zeros(1) for name in Shares._fields} | {
        "kept": np.ones(1),
        "own": np.ones(1),
    }
    return Shares(**filled | {name: np.array([value]) for name, value in values.items()})


def score(has_numbers=True, **values):
    found = translation_scores(shares(**values), np.array([has_numbers]))
    return float(found.score[0]), bool(found.template[0])


@pytest.mark.parametrize(("weights", "has_numbers"), [(NUMBERS, True), (WORDS, False)])
def test_the_two_sums_are_suspect_and_contaminated(weights, has_numbers):
    fixed = weights.kept + weights.own
    for total, expected in ((weights.suspect, 0.4), (weights.contaminated, 0.6)):
        gap = (total - fixed) / weights.gap
        assert score(has_numbers, gap=gap) == (pytest.approx(expected), False)


@given(UNIT, UNIT, UNIT, st.floats(0.01, 1))
def test_a_larger_gap_never_lowers_the_score(gap, margin, own, more):
    low = score(gap=gap, margin=margin, own=own)[0]
    assert score(gap=gap + more, margin=margin, own=own)[0] >= low


@given(UNIT, UNIT, UNIT, st.booleans())
def test_scores_are_in_range_and_templates_are_never_contaminated(gap, kept, own, has_numbers):
    value, template = score(has_numbers, gap=2 * gap, margin=gap, kept=kept, own=own)
    assert 0 <= value <= 1
    if template:
        assert (has_numbers, value) == (True, TEMPLATE_SCORE)
    if has_numbers and kept < KEPT:
        assert value <= TEMPLATE_SCORE


def test_other_numbers_make_a_template_only_of_what_is_near():
    assert score(gap=0.6, margin=0.4, kept=0.2, own=0.2) == (TEMPLATE_SCORE, True)
    assert score(gap=0.1, margin=0.05, kept=0.2, own=0.2)[1] is False
    assert score(has_numbers=False, gap=0.6, margin=0.4, kept=0.2, own=0.2)[1] is False


@given(st.integers(1, 30), st.integers(0, 10**6))
def test_others_are_the_nearest_questions_but_the_own_one(n, seed):
    random = np.random.default_rng(seed)
    cosines = np.round(random.normal(size=(3, n)), 1)  # with ties
    row, question = np.array([0, 1, 2, 2]), random.integers(n, size=4)
    nearest, mean = others(cosines, row, question)
    for k in range(4):
        rest = np.sort(np.delete(cosines[row[k]], question[k]))[::-1]
        if not len(rest):
            assert (nearest[k], mean[k]) == (0, 0)
            continue
        more = rest.std() * (highest_of(AS_OF, 1) - highest_of(len(rest), 1))
        assert nearest[k] == pytest.approx(rest[0] + more)
        few = min(NEXT, len(rest))
        more = rest.std() * (highest_of(AS_OF, NEXT) - highest_of(len(rest), few))
        assert mean[k] == pytest.approx(rest[:few].mean() + more)
