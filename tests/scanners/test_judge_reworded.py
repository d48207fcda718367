"""The curves of `scanners.judge_reworded`: what a rewording needs, and how numbers agree."""

import numpy as np
import pytest

from scanners.judge_reworded import needed_score, number_agreement


@pytest.mark.parametrize(
    ("words", "shared_numbers", "needed"),
    [
        (8, 2, 0.7), (15, 2, 0.7), (30, 2, 0.575), (45, 2, 0.45), (200, 2, 0.45),
        (45, 7, 0.45), (45, 1, 0.6), (45, 0, 0.75), (30, 1, 0.725), (15, 1, 0.85), (15, 0, 0.95),
    ],
)  # fmt: skip
def test_short_questions_and_questions_without_numbers_need_more(words, shared_numbers, needed):
    assert needed_score(np.array([words]), np.array([shared_numbers]))[0] == pytest.approx(needed)


def test_what_is_needed_never_rises_with_words_or_numbers():
    words, shared = np.meshgrid(np.arange(1, 80), np.arange(0, 6), indexing="ij")
    needed = needed_score(words, shared)
    assert (np.diff(needed, axis=0) <= 0).all()
    assert (np.diff(needed, axis=1) <= 0).all()
    assert needed.min() > 0
    assert needed.max() <= 0.95


@pytest.mark.parametrize(
    ("ours", "theirs", "shared", "agreement"),
    [
        (0, 0, 0, 1),
        (3, 3, 3, 1),
        (3, 3, 0, 1 / 7),
        (3, 0, 0, 1 / 4),
        (4, 2, 2, 5 / 7),
        (9, 9, 0, 1 / 19),
    ],
)
def test_numbers_agree_as_far_as_both_have_them(ours, theirs, shared, agreement):
    both = number_agreement(np.array([ours]), np.array([theirs]), np.array([shared]))
    assert both == number_agreement(np.array([theirs]), np.array([ours]), np.array([shared]))
    assert both[0] == pytest.approx(agreement)
