"""What the table of code tokens is made of: pairs that stand in texts, and what they tell."""

import sys
from pathlib import Path

import numpy as np
import pytest

from scanners.code_words import N_TOKENS, NAME, PLUS
from tests.scanners.code_samples import REWRITTEN

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    sys.path.insert(0, str(TOOLS))  # as for a script that is run there
    try:
        import build_code_table
    finally:
        sys.path.remove(str(TOOLS))
    return build_code_table


def test_pairs_are_counted_within_texts_only(tool):
    counts = tool.pairs_of(["a + b", "c"])
    assert counts[NAME, PLUS] == counts[PLUS, NAME] == 1
    assert counts.sum() == 2
    assert counts.shape == (N_TOKENS, N_TOKENS)


def test_common_pairs_tell_less_than_rare_ones_and_none_more_than_the_token_alone(tool):
    counts = tool.pairs_of([REWRITTEN] * 50)
    bits = tool.information(counts)
    alone = -np.log2((counts.sum(axis=0) + 1) / (counts.sum() + N_TOKENS))
    assert bits[NAME, PLUS] > bits[PLUS, NAME]
    assert (bits <= np.minimum(255, np.rint(alone * tool.STEPS_PER_BIT))).all()
    assert bits.min() >= 1
