"""Numbers of texts by value, in every script and notation."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.shard_step import text_buffers
from scanners.languages import sentences_of
from scanners.numerals import numbers_of, spelled_numbers

ZEROS = "0٠०০๐０"  # of Latin, Arabic, Devanagari, Bengali, Thai, full-width


def numbers(*texts):
    data, bounds = text_buffers(pa.array(texts, pa.large_string()))
    found = numbers_of(data, sentences_of(data, bounds))
    assert len(found.value) == found.first[-1]
    return found.value.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 apples and 14 pears", [3, 14]),
        ("2.50", [250]), ("2,50", [250]), ("1,000,000", [1_000_000]), ("1.000.000", [1_000_000]),
        ("1\u202f000", [1000]), ("1 000", [1, 0]), ("$2.00", [2]), ("2,0 kg", [2]), ("1.000", [1000]),
        ("9:40", [9, 40]), ("1/2", [1, 2]), ("x2y", [2]), ("5.", [5]), (".5", [5]), ("5..6", [5, 6]),
        ("১৬টি", [16]), ("٣٫٥", [35]), ("３０％", [30]), ("007", [7]), ("0", [0]), ("0.5", [5]),
        ("no number", []), ("²", []), ("1" * 30, [111111111111111111]),
    ],
)  # fmt: skip
def test_numbers(text, expected):
    assert numbers(text) == expected


@given(st.lists(st.integers(0, 10**17), min_size=1, max_size=8), st.sampled_from(ZEROS))
def test_every_script_has_the_same_numbers(values, zero):
    digits = str.maketrans("0123456789", "".join(chr(ord(zero) + k) for k in range(10)))
    text = "; ".join(map(str, values)).translate(digits)
    assert numbers("word", text, text) == [*values, *values]


def test_english_number_words_have_values():
    text = "Twenty-five of them, half a dozen twice; forty two boxes and a hundred and seven."
    assert spelled_numbers(text) == [25, 2, 12, 2, 42, 100, 7]
    assert spelled_numbers("someone tent often") == []
