import pytest

from reports import view
from reports.count_tables import LEAK_TYPES, domain_table, heat_level, leak_table, preset_table
from reports.segments import clip_segments, merge_marks


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 10, "0.0%"),
        (1, 1319, "0.1%"),
        (1, 100_000, "<0.1%"),
        (99_999, 100_000, ">99.9%"),
        (10, 10, "100.0%"),
        (0, 0, "–"),
    ],
)
def test_a_share_is_never_rounded_to_none_or_all(part, whole, shown):
    assert view.share(part, whole) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (238_000_000, "238.0 MB"),
        (999_960_000, "1.0 GB"),
    ],
)
def test_bytes_are_in_decimal_units(size_bytes, shown):
    assert view.size(size_bytes) == shown


def test_parameters_are_words():
    assert view.parameter([13, "a", None, True, 0.6]) == "13, a, none, yes, 0.6"


def test_the_worst_benchmark_is_the_one_with_the_largest_contaminated_share(report):
    names = [benchmark["benchmark"] for benchmark in view.worst_first(report["benchmarks"])]
    assert names[:5] == [
        "arith-words",
        "py-functions",
        "school-exam",
        "yes-no-passages",
        "中文常识",
    ]


def test_leak_types_stand_in_the_order_of_the_vocabulary(report):
    report["benchmarks"][0]["leak_types"]["zebra"] = 1
    assert leak_table(report).columns == (*LEAK_TYPES, "zebra")


def test_domains_beyond_the_limit_are_counted(report):
    table = domain_table(report, max_columns=2)
    assert (table.columns, table.left_out) == (("instruct", "encyclopedia"), 5)


def test_a_preset_that_was_not_computed_is_not_zero(report):
    table = preset_table(report, max_columns=9)
    tulu3 = next(row for row in table.rows if row.head == "tulu3")
    assert [cell.count for cell in tulu3.cells] == [55, 1, None, 0, 0]


@pytest.mark.parametrize(
    ("number", "level"), [(0, 0), (1, 1), (10, 2), (100, 3), (500, 4), (2500, 5), (10_000, 5)]
)
def test_heat_steps_follow_the_share(number, level):
    assert heat_level(number, 10_000) == level


def test_white_space_between_two_matched_words_is_marked_with_them():
    segments = [("a", True), (" ", False), ("b", True), (" , ", False), ("c", True), (" ", False)]
    expected = [("a b", True), (" , ", False), ("c", True), (" ", False)]
    assert merge_marks(segments) == expected


def test_clipping_keeps_the_first_match_in_view():
    segments = [("x" * 100, False), ("match", True), ("y" * 100, False)]
    clipped = clip_segments(segments, 20)
    assert clipped == [
        ("…", False),
        ("x" * 5, False),
        ("match", True),
        ("y" * 10, False),
        ("…", False),
    ]


def test_a_short_text_is_not_clipped():
    segments = [("x", False), ("match", True)]
    assert clip_segments(segments, 20) == segments


def test_an_incomplete_report_says_so_before_its_calibration(report):
    assert [stamp.word for stamp in view.stamps(report)] == ["INCOMPLETE", "UNCALIBRATED"]


def test_a_battery_that_failed_says_why_and_where_its_rates_are(report):
    (_, stamp) = view.stamps(report)
    assert stamp.meaning == (
        "other workers: 1 of 60 planted documents gave other findings on 4 threads. What the battery "
        "measured stands in calibration.parquet."
    )


def test_a_battery_that_was_not_run_measured_nothing(report):
    report["calibration"] = {"status": "UNCALIBRATED", "reason": "it was not run"}
    assert view.stamps(report)[-1].meaning.startswith("it was not run. How many edited copies ")


def test_rates_say_what_they_measure(report):
    assert view.measures("invariance") == "documents with the same findings"
    assert view.measures("of_a_later_version") == "of a later version"
    assert view.interval(0.8380132, 0.9815382) == "83.8–98.2%"
