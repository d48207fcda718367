import re

import pytest

from reports.terminal import cells, fit, render_terminal, wrap


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("name", ["report", "hostile_report"])
def test_no_line_is_wider_than_the_terminal(width, name, request):
    lines = render_terminal(request.getfixturevalue(name), width=width).splitlines()
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize("color", [False, True])
def test_the_only_control_characters_are_our_own_colours(color, hostile_report):
    text = render_terminal(hostile_report, color=color)
    ours = re.sub(r"\x1b\[(0|1|7|31|33)m", "", text) if color else text
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", ours
    )


def test_colour_is_off_at_the_end_of_every_line(hostile_report):
    for line in render_terminal(hostile_report, color=True).splitlines():
        codes = re.findall(r"\x1b\[(\d+)m", line)
        assert not codes or codes[-1] == "0"


def test_colour_does_not_change_the_words(report):
    plain = render_terminal(report).replace("‹", "").replace("›", "")
    painted = re.sub(r"\x1b\[\d+m", "", render_terminal(report, color=True))
    assert painted == plain


def test_columns_line_up_beside_wide_characters(report):
    lines = render_terminal(report).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("BENCHMARK"))
    assert {cells(line) for line in lines[start : start + 6]} == {cells(lines[start])}


def test_wide_characters_are_two_cells_and_combining_ones_none():
    assert [cells("常"), cells("e\u0301"), cells("ｗ"), cells("x")] == [2, 1, 2, 1]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("常常常", 5, "常常…"),
        ("常常常", 4, "常…"),
        ("常", 1, "…"),
    ],
)
def test_a_text_is_cut_at_whole_characters(text, width, shown):
    assert fit(text, width) == shown


def test_long_words_are_broken_and_lines_indented():
    assert wrap("aa bbbbbbbbbbbb c", 10, "  ") == ["  aa", "  bbbbbbbb", "  bbbb c"]


def test_the_marks_of_the_corpus_do_not_pass_for_ours(report):
    report["examples"][0]["item_segments"] = [["‹fake› ", False], ["real", True]]
    assert "item  <fake> ‹real›" in render_terminal(report)
