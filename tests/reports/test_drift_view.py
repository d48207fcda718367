"""Numbers, order, answers and geometry of a drift report."""

import itertools

import pytest

from reports import drift_charts as charts
from reports import drift_numbers as numbers
from reports import drift_shapes as shapes
from reports import drift_view
from reports.drift_answers import answers, sensitivity


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (0.0583, "+5.83 points"),
        (-0.062, "−6.20 points"),
        (0.0, "0.00 points"),
        (0.00004, "+<0.01 points"),
        (-0.00004, "−<0.01 points"),
        (0.00006, "+0.01 points"),
    ],
)
def test_a_change_has_its_sign_and_is_never_rounded_to_nothing(change, shown):
    assert numbers.points(change) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [(0, "0.00%"), (0.00001, "<0.01%"), (0.0580, "5.80%"), (0.99999, ">99.99%"), (1, "100.00%")],
)
def test_only_none_and_all_are_printed_as_such(ratio, shown):
    assert numbers.share(ratio) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [(0, "0"), (1e-9, "<0.01"), (4e-7, "0.40"), (4.1e-5, "41.0"), (2.31e-3, "2,310")],
)
def test_frequencies_are_in_a_million(ratio, shown):
    assert numbers.per_million(ratio) == shown


@pytest.mark.parametrize(
    ("log2_ratio", "shown"),
    [(0, "×1.00"), (0.5, "×1.41"), (-1.5, "÷2.8"), (10, "×1,024"), (1e9, "×1,152,921,504,606,846,976")],
)  # fmt: skip
def test_ratios_are_told_as_times_more_or_less(log2_ratio, shown):
    assert numbers.factor(log2_ratio) == shown


def test_a_token_of_one_version_only_is_new_or_gone(drift_report):
    by_name = {token["token"]: token for token in drift_report["tokens"]["shown"]}
    assert numbers.token_ratio(by_name["Xref"]) == "gone"
    assert numbers.token_ratio(by_name[" Mathlib"]) == "new"
    assert numbers.token_ratio(by_name[" lemma"]) == "×7.6"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.1847, "share", "18.47%"), (0.0123, "bits", "0.0123 bits"), (1e-6, "nats", "<0.0001 nats")],
)
def test_a_divergence_is_told_in_its_unit(value, unit, shown):
    assert numbers.amount(value, unit) == shown


# --- order ---------------------------------------------------------------------------------------


def test_domains_stand_by_the_size_of_their_change(drift_report):
    rows = drift_view.domain_rows(drift_report)
    changes = [abs(row.main["change"]) for row in rows]
    assert changes == sorted(changes, reverse=True)
    assert [row.domain for row in rows[:2]] == ["docs", "math"]
    assert {row.main["measure"] for row in rows} == {"tokens"}


def test_benchmarks_covered_less_well_beyond_noise_stand_first(drift_report):
    ranked = [each["benchmark"] for each in drift_view.ranked_exposure(drift_report)]
    assert ranked[:4] == ["common_sense", "function_writing", "competition_math", "grade_school_math"]  # fmt: skip


def test_a_domain_that_moved_only_by_documents_is_told_by_documents(calm_drift):
    calm_drift["alarms"] = 1
    row = next(row for row in calm_drift["domains"] if row["measure"] == "documents")
    row |= {"alarm": True, "change": 0.02}
    moved = answers(drift_view.shown(calm_drift))[0]
    assert moved.headline == "1 of 15 domains"
    assert moved.lines[0].text == "+2.00 points of documents"


# --- answers -------------------------------------------------------------------------------------


def test_the_answers_name_what_moved_and_count_the_rest(drift_report):
    moved, real, felt, first = answers(drift_view.shown(drift_report))
    assert [line.name for line in moved.lines[:3]] == ["docs", "math", "multilingual"]
    assert (moved.headline, moved.more) == ("10 of 15 domains, 1,549 tokens", "and 7 more domains")
    assert real.headline == "Yes: 13 times the noise"
    assert (felt.headline, felt.more) == ("4 of 8 benchmarks", "and 1 more benchmark")
    assert (first.headline, first.more) == ("Start with math", "and 5 more things")


def test_a_new_domain_and_a_gone_one_are_called_so(drift_report):
    keep = {"forum", "newsgroups"}
    drift_report["domains"] = [row for row in drift_report["domains"] if row["domain"] in keep]
    moved = answers(drift_view.shown(drift_report))[0]
    assert [line.text for line in moved.lines[:2]] == ["+2.14 points, new", "−1.61 points, gone"]


def test_an_alarm_outside_domains_and_tokens_is_no_calm(calm_drift):
    calm_drift["alarms"] = 1
    calm_drift["copies"][0]["alarm"] = True
    moved, real, *_ = answers(drift_view.shown(calm_drift))
    assert moved.headline == "No domain and no word by itself"
    assert moved.lines[0].text.startswith("Exact copies: 2.10% → ")
    assert real.headline == "Yes, in places"


def test_text_replaced_inside_a_domain_is_told(calm_drift):
    calm_drift["alarms"] = 1
    calm_drift["domain_tokens"][0]["alarm"] = True
    moved = answers(drift_view.shown(calm_drift))[0]
    assert moved.headline == "The text inside 1 domain"
    assert moved.lines[0].text == "Changed within: math"


def test_without_benchmarks_the_answer_says_how_to_ask(calm_drift):
    calm_drift["exposure"] = []
    felt = answers(drift_view.shown(calm_drift))[2]
    assert felt.headline == "No benchmarks given"
    assert "--benchmarks" in felt.lines[0].text


def test_what_would_have_been_seen_is_the_least_that_is_an_alarm(calm_drift):
    for row in calm_drift["domains"]:
        row["alarm_from"] = 0.02
    assert sensitivity(calm_drift)[0] == "A domain would have been seen from 2.00 points"
    for row in calm_drift["domains"]:
        del row["alarm_from"]
    assert sensitivity(calm_drift)[0].startswith("A domain would have been seen from 0.12 to 1.32")


@pytest.mark.parametrize(
    ("subject", "text"), [("docs", "moved: 1% to 2%"), ("docs", "docs moved: 1% to 2%")]
)
def test_a_statement_names_its_subject_once(subject, text):
    assert drift_view.told({"subject": subject, "text": text}) == ("docs", "moved: 1% to 2%")


def test_texts_are_cut_and_missing_names_shown(drift_report):
    drift_report["domains"][0]["domain"] = "x" * 1000
    drift_report["tokens"]["shown"][0] |= {"token": " " * 1000, "domain": ""}
    safe = drift_view.shown(drift_report)
    assert len(safe["domains"][0]["domain"]) == 60
    assert safe["tokens"]["shown"][0]["token"] == "·" * 39 + "…"
    assert safe["tokens"]["shown"][0]["domain"] == "–"


# --- geometry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "steps"),
    [
        (0, 0.28, [0, 0.1, 0.2]),
        (-0.45, 0.37, [-0.4, -0.2, 0, 0.2]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0, 0.00012, [0, 0.00005, 0.0001]),
        (0, 0, [0]),
    ],
)
def test_the_grid_stands_at_round_numbers(low, high, steps):
    assert charts.steps(low, high) == pytest.approx(steps)


def test_a_dumbbell_lies_between_its_shares_and_inside_the_drawing(drift_report):
    chart = charts.mix_chart(drift_report, drift_view.domain_rows(drift_report))
    docs, math = chart.rows[:2]
    assert (docs.tone, math.tone) == ("down", "up")
    assert docs.dot < docs.hollow
    assert math.dot > math.hollow
    assert docs.line.x == docs.dot
    assert docs.line.x + docs.line.width == pytest.approx(docs.hollow)
    assert docs.band.x < docs.hollow < docs.band.x + docs.band.width
    for row in chart.rows:
        for place in (row.dot, row.hollow, row.band.x, row.band.x + row.band.width):
            assert 0 <= place <= 100
    assert {row.name: row.mark for row in chart.rows if row.mark} == {"forum": "new", "newsgroups": "gone"}  # fmt: skip
    assert docs.label == "docs: 26.94% → 20.74% of tokens, −6.20 points, noise up to 1.08, beyond noise"  # fmt: skip


def test_what_is_within_noise_has_no_colour(calm_drift):
    rows = charts.mix_chart(calm_drift, drift_view.domain_rows(calm_drift)).rows
    assert {row.tone for row in rows} == {"same"}


def test_benchmarks_stand_around_zero(drift_report):
    chart = charts.exposure_chart(drift_view.ranked_exposure(drift_report))
    worse, better = chart.rows[0], chart.rows[2]
    assert better.dot < chart.zero < worse.dot
    for row in chart.rows:
        assert row.band.x < chart.zero < row.band.x + row.band.width


def test_the_split_bar_is_whole_and_its_noise_is_no_more_than_the_floor(drift_report):
    bars = charts.explained_bars(drift_report)
    assert [bar.kind for bar in bars] == ["mix", "noise", "within"]
    assert sum(bar.span.width for bar in bars) == pytest.approx(100, abs=0.05)
    assert [bar.text for bar in bars] == ["9.54%", "4.32%", "1.51%"]


def test_a_change_within_noise_has_no_part_beyond_it(calm_drift):
    calm_drift["tokens"]["within"] = 0.04
    assert [bar.kind for bar in charts.explained_bars(calm_drift)] == ["mix", "noise"]


def test_columns_of_a_histogram_stand_side_by_side(drift_report):
    columns = shapes.histogram(drift_report["shapes"][0])
    assert len(columns) == 8
    assert all(a.x + a.width < b.x for a, b in itertools.pairwise(columns))
    assert columns[0].now > columns[0].top  # less of the short ones, so the line is lower
    assert columns[-1].now < columns[-1].top
    assert min(column.top for column in columns) == 4


def test_quantiles_are_the_bins_that_hold_them():
    shares = [0.05, 0.2, 0.25, 0.25, 0.25]
    assert shapes.quantiles("abcde", shares) == ["a", "b", "c", "d", "e"]
    assert shapes.quantiles("ab", [1.0, 0.0]) == ["a"] * 5
    assert shapes.quantiles("ab", [0.0, 0.0]) == ["–"] * 5


def test_bins_without_an_order_stand_by_their_change(drift_report):
    scripts = drift_report["shapes"][1]
    assert [each["label"] for each in shapes.ranked_bins(scripts)] == ["Latin", "Han", "none", "Cyrillic"]  # fmt: skip
    assert shapes.ranked_bins(drift_report["shapes"][0]) == drift_report["shapes"][0]["bins"]
