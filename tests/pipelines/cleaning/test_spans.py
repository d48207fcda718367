"""Cutting spans out of text columns, and the way back, against sets of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cleaning.spans import Cut, back, cut, joined, merge, shares

columns = st.lists(st.none() | st.text("ab \nü", max_size=12), min_size=1, max_size=3).filter(
    lambda all_: any(column is not None for column in all_)
)
spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda p: (p[0], p[0] + p[1])), max_size=6
)


def within(found, length):
    """Spans as findings have them: within the text, not empty."""
    return sorted((a, min(b, length)) for a, b in found if a < min(b, length))


@given(columns, spans, st.integers(0, 3))
def test_what_is_kept_is_exactly_what_no_span_and_no_margin_covers(columns, found, margin):
    text = joined(columns)
    found = within(found, len(text))
    gone = {at for a, b in found for at in range(a - margin, b + margin)}
    result = cut(columns, merge(found, margin, len(text)), "")
    expected, at = [], 0
    for column in columns:
        if column is None:
            expected.append(None)
            continue
        places = range(at, at + len(column))
        expected.append("".join(text[place] for place in places if place not in gone))
        at += len(column) + 1
    assert list(result.columns) == expected
    assert result.is_blank == (not "".join(column or "" for column in expected).strip())


@given(columns, spans, st.integers(0, 3), st.sampled_from(["", "X", "[cut]"]))
def test_every_character_of_the_new_text_leads_back_to_the_old_one(columns, found, margin, mask):
    text = joined(columns)
    merged = merge(within(found, len(text)), margin, len(text))
    result = cut(columns, merged, mask)
    new = joined(result.columns)
    covered = set()
    for at, character in enumerate(new):
        start, end = back(result.cuts, at, at + 1)
        covered.update(range(start, end))
        is_kept = end == start + 1 and not any(c.start <= start < c.end for c in result.cuts)
        assert not is_kept or text[start] == character
    if mask:
        assert covered == set(range(len(text)))
    if new:
        start, end = back(result.cuts, 0, len(new))
        assert (start, end) == (min(covered), max(covered) + 1)


@given(columns, spans, st.integers(0, 3))
def test_the_shares_of_the_spans_add_up_to_what_was_cut(columns, found, margin):
    text = joined(columns)
    found = within(found, len(text))
    result = cut(columns, merge(found, margin, len(text)), "")
    own = shares(found, result.cuts, margin)
    assert len(own) == len(found)
    assert sum(own) == sum(each.end - each.start for each in result.cuts)


def test_a_mask_stands_once_for_spans_that_touch_and_in_every_column():
    merged = merge([(0, 3), (3, 5), (8, 12)], 0, 13)
    assert merged == [(0, 5), (8, 12)]
    assert cut(["abcdefghij", "kl"], merged, "#").columns == ("#fgh#", "#l")


def test_what_lies_between_two_parts_of_a_span_was_cut_with_it():
    cuts = [Cut(3, 10, 0)]
    assert back(cuts, 1, 5) == (1, 12)
    assert back(cuts, 3, 4) == (10, 11)
    assert back(cuts, 0, 3) == (0, 3)


@pytest.mark.parametrize(("at", "was"), [(2, (2, 3)), (3, (3, 10)), (5, (3, 10)), (6, (10, 11))])
def test_a_part_of_a_mask_is_all_of_what_it_stands_for(at, was):
    assert back([Cut(3, 10, 3)], at, at + 1) == was
