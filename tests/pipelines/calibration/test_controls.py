"""What the documents hold before anything is planted is no null's fault, and is told."""

from dataclasses import replace

import numpy as np
import pytest

from corpora.benchmarks import Benchmark, Item
from indexes.background import load_background
from pipelines.calibration import Calibration, Outcome, run_battery
from pipelines.calibration.controls import AS_IT_IS, PLAIN, SPLICED, false_positives
from pipelines.calibration.examination import found_as_they_are, strongest_findings
from pipelines.calibration.rates import rates
from pipelines.calibration.stage import EXTENTS, Stage, choose_hosts
from pipelines.calibration.verdict import reasons_against
from pipelines.calibration.words import calibration_section
from pipelines.planting import NULLS
from pipelines.shard_step import ScanPlan
from scanners import examine, semantic
from scanners.fields import Role
from scanners.judge import Status
from scanners.patterns import build_patterns
from tests.scanners.translation_samples import FILLER, TRADES, Polyglot, question, translated

LEAKED = (9, 17)  # surely, and one that is only suspect
FAINT = 4
VERBATIM = Outcome("recall", "verbatim", 0, "head", True, Status.CONTAMINATED, "question", True)


def plan_of(one, **more):
    return ScanPlan([one], build_patterns([one], load_background()), **more)


def stage_of(plan, hosts):
    extent = EXTENTS["quick"]
    return Stage(plan, choose_hosts(hosts, extent, 0), extent, 0)


def seen_in(stage):
    """What the nulls of all families gave."""
    return [outcome for name in NULLS for outcome in false_positives(stage, name)]


def overall(calibration):
    whole = (r for r in calibration.rates if (r.length_class, r.position) == ("all", "all"))
    return {r.form: r for r in whole}


# --- translations: nothing of the words tells that they are there -----------------------------------


def another(number):
    """A question of a trade in words that the others do not have."""
    trade, thing, part, tool = TRADES[number].split()
    return (
        f"Nobody but the old {trade} knows why {17 + 5 * number} of those who bought his {thing} came back "
        f"on Friday. If every one was given {3 + number} coins, what did this {part} and that {tool} cost him?"
    )


@pytest.fixture(scope="module")
def trades():
    """Questions of two wordings, so that each has a sibling that is unlike it."""
    texts = [question(number) for number in range(24)] + [another(number) for number in range(12)]
    items = tuple(Item(str(number), text, "", "", ()) for number, text in enumerate(texts))
    return Benchmark("trades", "", "", "", items)


@pytest.fixture(scope="module")
def translating(trades):
    """A plan that looks for translations."""
    return plan_of(trades, scanners=("ngram", "embedding"), encoder=Polyglot(), translations=True)


@pytest.fixture(scope="module")
def foreign():
    """Documents of the other language, of which every one holds translations of three items."""
    leaks = " ".join(translated(question(number)) for number in (FAINT, *LEAKED))
    around = translated(FILLER)
    return [f"{around} {leaks} {around} {number}" for number in range(3)]


@pytest.fixture(scope="module")
def seen(translating, foreign):
    """What the battery's controls give in these documents."""
    return seen_in(stage_of(translating, foreign))


def test_translations_in_the_documents_are_no_false_alarms_of_nulls(seen):
    nulls = [outcome for outcome in seen if outcome.kind == "false_positive"]
    assert not [outcome for outcome in nulls if outcome.found or outcome.item in LEAKED]
    assert {o.form for o in nulls if o.item == FAINT} == {o.form for o in nulls} == set(NULLS)
    trials = {form: sum(o.form == form for o in nulls) for form in NULLS}
    assert trials == {
        "shuffled words": 34, SPLICED: 27, "sibling item": 34, PLAIN: 34,
    }  # fmt: skip


def test_they_are_told_as_undecided(seen, translating):
    undecided = [outcome for outcome in seen if outcome.kind == "undecided"]
    assert {outcome.item for outcome in undecided} == set(range(36))
    assert {outcome.item for outcome in undecided if outcome.found} == set(LEAKED)
    assert list(reasons_against([VERBATIM] * 20 + undecided)) == []
    counted = rates([VERBATIM, *seen], translating.patterns.role_words[:, Role.QUESTION])
    reason = calibration_section(Calibration(tuple(counted), True, (), 0, "quick"))["reason"]
    assert "; 0 of 129 texts that hold no leak were called contaminated" in reason
    assert "2 of 36 pairs of an item and a document were called contaminated without" in reason


def test_documents_in_which_nothing_is_found_have_no_such_row(translating):
    hosts = [translated(FILLER) * 2 + FILLER * n for n in range(3)]
    assert {outcome.kind for outcome in seen_in(stage_of(translating, hosts))} == {"false_positive"}


def test_nulls_that_are_called_contaminated_themselves_are_seen_beside_leaks(
    translating, foreign, monkeypatch
):
    judge = examine.judge

    def harsh(scanned, patterns):
        judged = judge(scanned, patterns)
        return judged._replace(status=np.full_like(judged.status, Status.CONTAMINATED))

    monkeypatch.setattr(examine, "judge", harsh)
    wrong = [outcome for outcome in seen_in(stage_of(translating, foreign)) if outcome.found]
    assert sum(outcome.form == SPLICED for outcome in wrong) > 10


def test_more_items_than_the_documents_have_room_for_are_false_alarms(
    translating, foreign, monkeypatch
):
    """A search for translations that finds every item where it finds one."""
    search = semantic.judge_translated

    def harsh(*inputs):
        scanned, judged = search(*inputs)
        leaks = np.flatnonzero(judged.status == Status.CONTAMINATED)
        owners = np.arange(len(inputs[3].owners.item))
        rows = np.repeat(leaks, len(owners))
        every = type(judged)(*(column[rows] for column in judged))
        return scanned, every._replace(owner=np.tile(owners, len(leaks)))

    monkeypatch.setattr(semantic, "judge_translated", harsh)
    monkeypatch.setattr("scanners.findings._same_words", lambda *_: True)
    undecided = [o for o in seen_in(stage_of(translating, foreign)) if o.kind == "undecided"]
    assert {outcome.found for outcome in undecided} == {True}
    (reason,) = reasons_against([VERBATIM] * 20 + undecided)
    assert "for which documents of their length have room" in reason


# --- questions without their long answers: the whole item is not there -------------------------------


@pytest.fixture(scope="module")
def answered(vocabulary):
    """Thirty questions with answers four times as long."""
    items = [
        Item(str(n), " ".join(vocabulary(150 * n, 150 * n + 20)),
             " ".join(vocabulary(150 * n + 20, 150 * n + 100)), "", ())
        for n in range(30)
    ]  # fmt: skip
    return Benchmark("answered", "", "", "", tuple(items))


@pytest.fixture(scope="module")
def leaking(answered, vocabulary):
    """Documents that hold four of the questions, but none of the answers."""
    leaks = "\n".join(item.question for item in answered.items[:4])
    return [
        f"{' '.join(vocabulary(first, first + 100))}\n{leaks}" for first in range(6000, 7000, 250)
    ]


def test_questions_alone_in_the_documents_are_no_false_alarms(answered, leaking):
    calibration = run_battery(plan_of(answered), leaking, size="quick")
    of = overall(calibration)
    assert [of[name].found for name in NULLS] == [0] * len(NULLS)
    assert AS_IT_IS not in of  # their words tell that they are there
    assert (of[PLAIN].trials, calibration.passed) == (26, True)


def test_a_finding_of_words_that_are_not_there_is_a_false_alarm(answered, leaking, monkeypatch):
    """A judge that takes the items in a document for their neighbours."""
    judge = examine.judge

    def wrong(scanned, patterns):
        judged = judge(scanned, patterns)
        return judged._replace(owner=(judged.owner + 20) % len(patterns.owners.item))

    monkeypatch.setattr(examine, "judge", wrong)
    monkeypatch.setattr("scanners.findings._same_words", lambda *_: True)
    outcomes = seen_in(stage_of(plan_of(answered), leaking))
    assert {outcome.kind for outcome in outcomes} == {"false_positive"}
    assert sum(outcome.found for outcome in outcomes if outcome.form == PLAIN) >= 3


# --- places ------------------------------------------------------------------------------------------


def test_only_what_touches_the_place_counts(answered, vocabulary):
    plan, item = plan_of(answered), answered.items[7]
    text = f"{item.question}\n\n{' '.join(vocabulary(6000, 6050))}"
    end = len(item.question)

    def statuses(place):
        asked = np.array([[7, -1]])
        marks = plan.tally.blank_marks()
        return [f.status for f in strongest_findings([text], asked, plan, marks, place)]

    assert statuses(None) == statuses([(0, end)]) == [Status.CONTAMINATED]
    assert statuses([(end - 1, len(text))]) == [Status.CONTAMINATED]
    assert statuses([(end, len(text))]) == statuses([(0, 0)]) == []


def test_short_documents_are_scanned_once_as_they_are(answered, leaking, monkeypatch):
    """Head, middle and tail of a document that is shorter than a window are the same text."""
    shown = []

    def listening(texts, *others):
        shown.extend(texts)
        return found_as_they_are(texts, *others)

    monkeypatch.setattr("pipelines.calibration.stage.found_as_they_are", listening)
    stage = stage_of(plan_of(answered), leaking)
    assert sorted(shown) == sorted(leaking)
    assert stage.held == {0, 1, 2, 3}


# --- the rule, on outcomes made by hand ------------------------------------------------------------


def test_as_many_as_there_is_room_for_may_be_leaks():
    held = replace(VERBATIM, kind="undecided", form=AS_IT_IS, guaranteed=False, room=0.1)
    free = replace(held, found=False, status=Status.WEAK)
    assert list(reasons_against([VERBATIM] * 20 + [held] * 12 + [free] * 48)) == []
    assert list(reasons_against([VERBATIM] * 20 + [held] * 30 + [free] * 30)) == [
        "false positives: before anything was planted 30 of 60 pairs of an item and a document were "
        "called contaminated, more than the 20.0% for which documents of their length have room"
    ]
