"""Source code as normalised tokens: names, layout, loops and languages apart, it is the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanners import code_words as words
from scanners.code_bits import CodeTableError, load_code_bits
from scanners.code_tokens import code_tokens

OF_WORD = {
    word: words.FIRST_WORD + number
    for number, group in enumerate(words.KEYWORDS + words.FUNCTIONS)
    for word in group.split()
}


def tokens(code):
    return code_tokens(code.encode()).token.tolist()


def test_a_function_is_its_operators_keywords_and_names():
    found = code_tokens(b"def area(w, h):\n    return w * h + 3\n")
    assert found.token.tolist() == [
        OF_WORD["def"], words.NAME, words.NAME, words.NAME,
        OF_WORD["return"], words.NAME, words.TIMES, words.NAME, words.PLUS, words.NUMBER,
    ]  # fmt: skip
    assert found.at.tolist() == [0, 4, 9, 12, 20, 27, 29, 31, 33, 35]
    assert found.value[2] == found.value[5] != found.value[3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("total = total + x", "sum_so_far = sum_so_far + value"),  # names
        ("total += x", "total =+ x"),  # an assignment and a sum
        ("if a && !b { f(x); }", "if a and not b:\n    f(x)"),
        ("else if (a == b) g(a)", "elif a == b: g(a)"),
        ("k++;", "k += 1"),
        ("xs.push_back(y)", "xs.append(y)"),
        ("s = x;  // two of them", "s = x  # one of them"),
        ("import os\nfrom typing import List\ny = 1", "y = 1"),
        ('def f(a):\n    """Return it."""\n    return a', "def f(a):\n    return a"),
        ("/* a\n * comment */ int n = 5;", "n = 5"),
        ("def f(a: List[int]) -> Dict[str, int]: pass", "def f(a): pass"),
        ("vector<int> out; out = x", "out; out = x"),
        ("use(xs[i])", "use(x)"),  # an element is the list that it stands in
        ("a[1:n]", "a.substring(1, n)"),
        ("x = 1.0", "x = 1"),
    ],
)
def test_what_languages_and_people_write_differently_is_the_same(one, other):
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a + b", "a - b"),
        ("a < b", "a <= b"),
        ("x[0]", "x"),  # a certain element is not any one
        ("count = 3", "count(3)"),
        ("n // 2", "n % 2"),
        ("return 0", "return 1"),
    ],
)
def test_what_code_does_differently_differs(one, other):
    assert tokens(one) != tokens(other)


def test_equal_numbers_and_strings_have_equal_values():
    found = code_tokens(b"f(31, 'ab') + g(31.0, \"ab\", 13, 'ba')")
    values = [v for t, v in zip(found.token, found.value, strict=True) if t in (2, 3)]
    assert values[0] == values[2] != values[4]
    assert values[1] == values[3] != values[5]


def test_a_division_is_no_comment_and_an_apostrophe_no_string():
    assert words.DIVIDE in tokens("half = n // 2")
    assert tokens("x = 1\ny = 2") == tokens("x = 1  # don't\ny = 2")
    assert words.PLUS in tokens("don't a + b")


def test_code_behind_the_end_of_a_cut_docstring_is_read():
    assert tokens('the sum.\n    """\n    return a + b')[-4:] == [
        OF_WORD["return"], words.NAME, words.PLUS, words.NAME,
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab1 \n\t\"'#/*+-=<>[]():.!&|%,;{}`?\\_é"), max_size=60))
def test_any_text_has_tokens_in_order_within_it(text):
    data = text.encode()
    found = code_tokens(data)
    assert (np.diff(found.at) >= 0).all()
    assert ((found.at >= 0) & (found.at < max(1, len(data)))).all()
    assert ((found.token > 0) & (found.token < words.N_TOKENS)).all()


def test_the_table_belongs_to_the_words_and_tells_what_is_rare():
    bits = load_code_bits()
    assert bits.shape == (words.N_TOKENS, words.N_TOKENS)
    assert (bits > 0).all()
    behind_loop = bits[OF_WORD["for"]]
    assert behind_loop[words.NAME] < 2 < behind_loop[words.BIT_XOR]


def test_a_table_of_other_words_is_refused(tmp_path):
    path = tmp_path / "bits.npz"
    np.savez(path, bits=np.ones((2, 2), np.uint8), vocabulary=np.array(1))
    with pytest.raises(CodeTableError, match="rebuild it"):
        load_code_bits(path)
