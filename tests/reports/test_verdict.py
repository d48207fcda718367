"""The judgement: a matrix of mixes, the rules one by one, and what may never happen."""

import json
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.drift_schema import adapter as drift_adapter
from reports.policy import Policy, default_policy
from reports.verdict import judge
from reports.verdict_schema import SCHEMA_FILE, adapter, json_schema
from reports.verdict_view import held_words
from tests.reports.gate_sample import (
    DOMAINS,
    STRICT,
    TODAY,
    Gate,
    drift_report,
    exposure,
    policy,
)

UNREAD = {
    "shard": "web/0001.jsonl", "row": None, "reason": "the file ends early: 4,096 bytes are missing",
    "mend": "copy it again",
}  # fmt: skip
ORDER = ("pass", "warn", "incomplete", "fail")


def clean():
    return Gate()


def one_leaked():
    return Gate().leak("arithmetic", 1)


def one_percent_leaked():
    return Gate().leak("arithmetic", 10)


def code_halved():
    gate = Gate()
    gate.domain_shares = {"web": 0.72, "code": 0.15, "books": 0.13}
    return gate


def truncated_shard():
    gate = Gate()
    gate.shards_unread, gate.problems = 1, [UNREAD]
    gate.domain_shares = {"web": 0.55, "code": 0.34, "books": 0.11}  # what is missing was web
    return gate


def unsearchable_benchmark():
    return Gate({"arithmetic": 1000, "letters": 100}).leak("letters", 20, "unsearchable")


def leak_waived_until_yesterday():
    return Gate().leak("arithmetic", 1)


def waived(expires, **scope):
    names = {"rule": "contamination.*", "reason": "quoted in the paper", "owner": "ann"}
    return policy(**STRICT, waivers=[{**names, **scope, "expires": expires}])


MATRIX = {
    "clean": (clean, default_policy(), "pass", 0, None),
    "one leaked item": (one_leaked, default_policy(), "warn", 0, "arithmetic: 1 of 1,000 searchable items is contaminated, over the limit of 0."),
    "one leaked item, none allowed": (one_leaked, policy(**STRICT), "fail", 1, "arithmetic: 1 of 1,000 searchable items is contaminated, over the limit of 0."),
    "1% leaked": (one_percent_leaked, default_policy(), "fail", 1, "arithmetic: 10 of 1,000 searchable items are contaminated (1%), over the limit of 0.5%."),
    "code halved": (code_halved, default_policy(), "fail", 1, "code: 30% of the tokens became 15%, down by 15 points, over the limit of 3 points; random halves of the same documents differ by up to 0.4 points."),
    "truncated shard": (truncated_shard, default_policy(), "incomplete", 3, "1 of 40 shards of the mix could not be read whole; the policy needs 100% read. The first is web/0001.jsonl: the file ends early: 4,096 bytes are missing; copy it again."),
    "unsearchable benchmark": (unsearchable_benchmark, default_policy(), "incomplete", 3, "letters: 80 of 100 items can be searched (80%), under the 95% that the policy needs."),
    "waived item": (one_leaked, waived(TODAY, item="test-0"), "pass", 0, None),
    "expired waiver": (leak_waived_until_yesterday, waived(TODAY - timedelta(1), item="test-0"), "fail", 1, "arithmetic: 1 of 1,000 searchable items is contaminated, over the limit of 0. Its waiver by ann lapsed on 2026-04-30."),
}  # fmt: skip


@pytest.mark.parametrize("name", MATRIX)
def test_each_mix_gets_its_verdict_exit_status_and_first_reason(name):
    make, rules, outcome, status, first = MATRIX[name]
    verdict = make().judge(rules)
    assert (verdict["verdict"], verdict["exit_status"]) == (outcome, status)
    assert (verdict["reasons"][0]["sentence"] if verdict["reasons"] else None) == first
    adapter().validate_json(json.dumps(verdict), strict=True)


def test_the_builder_makes_reports_of_the_drift_contract():
    drift_adapter().validate_json(json.dumps(drift_report(vanished=2, bits=0.3)), strict=True)


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def statuses(verdict, rule):
    return {
        found["scope"]["name"]: found["status"]
        for found in verdict["results"]
        if found["rule"] == rule
    }


def one(verdict, rule, scope=""):
    (found,) = [f for f in verdict["results"] if f["rule"] == rule and f["scope"]["name"] == scope]
    return found


# --- contamination -------------------------------------------------------------------------------


def test_each_kind_of_evidence_is_held_against_its_own_limit():
    limits = {
        "contaminated": {"items": {"fail": 3}},
        "verbatim": {"items": {"fail": 1}},
        "near": {"items": {"fail": 2}},
        "semantic": {"items": {"warn": 0}},
        "suspect": {"items": {"warn": 0}},
    }
    gate = Gate({"arithmetic": 1000})
    gate.scanners.append("embedding")
    gate.leak("arithmetic", 2).leak("arithmetic", 2, kind="near", first=10)
    gate.leak("arithmetic", 1, kind="semantic", first=20)
    gate.leak("arithmetic", 1, "suspect", "semantic", first=30)
    verdict = gate.judge(policy(contamination={"default": limits}))
    found = {
        which: (
            one(verdict, f"contamination.{which}.items", "arithmetic")["measured"],
            one(verdict, f"contamination.{which}.items", "arithmetic")["status"],
        )
        for which in limits
    }
    assert found == {
        "contaminated": (4, "fail"),
        "verbatim": (2, "fail"),
        "near": (2, "pass"),
        "semantic": (1, "warn"),
        "suspect": (1, "warn"),
    }


def test_the_kind_of_an_item_is_that_of_its_strongest_finding():
    gate = Gate({"arithmetic": 100}).leak("arithmetic", 1, kind="near")
    items, findings = gate.tables()
    weaker = findings.with_columns(pl.lit("verbatim").alias("kind"), pl.lit(0.2).alias("score"))
    rules = policy(contamination={"default": {"verbatim": {"items": {"fail": 0}}}})
    options = {"today": TODAY, "baseline_named": True}
    both = pl.concat([weaker, findings])
    assert judge(rules, gate.report(), items, both, None, **options)["verdict"] == "pass"
    decided = both.with_columns(pl.Series("item_status", [2, 1]))
    assert judge(rules, gate.report(), items, decided, None, **options)["verdict"] == "fail"


def test_an_item_flagged_without_a_finding_counts_as_verbatim():
    gate = Gate({"arithmetic": 100}).leak("arithmetic", 1)
    items, findings = gate.tables()
    rules = policy(contamination={"default": {"verbatim": {"items": {"fail": 0}}}})
    verdict = judge(
        rules, gate.report(), items, findings.clear(), None, today=TODAY, baseline_named=False
    )
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"][0]["rule"] == "contamination.verbatim.items"


def test_the_lower_bound_asks_for_more_evidence_where_a_benchmark_is_small():
    rules = policy(contamination={"default": {"contaminated": {"share_low": {"fail": 0.005}}}})
    assert Gate({"small": 100}).leak("small", 2).judge(rules)["verdict"] == "pass"
    assert Gate({"large": 10_000}).leak("large", 200).judge(rules)["verdict"] == "fail"


def test_a_limit_is_broken_beyond_it_and_not_by_meeting_it():
    rules = policy(contamination={"default": {"contaminated": {"share": {"fail": 0.005}}}})
    assert Gate({"b": 1000}).leak("b", 5).judge(rules)["verdict"] == "pass"
    assert Gate({"b": 1000}).leak("b", 6).judge(rules)["verdict"] == "fail"


def test_evidence_is_shown_strongest_first_with_its_place_and_the_rest_is_counted():
    found = one(
        Gate().leak("arithmetic", 30).judge(policy(**STRICT)),
        "contamination.contaminated.items", "arithmetic",
    )  # fmt: skip
    assert (len(found["evidence"]), found["evidence_total"]) == (20, 30)
    first = found["evidence"][0]
    assert (first["name"], first["shard"], first["row"]) == ("test-0", "web/0001.jsonl", 100)
    assert first["place"] == found["place"] == {"file": "mixes/pretrain.yaml", "line": 7}
    assert found["command"] == (
        "sluicegate scan web/0001.jsonl --benchmarks benchmarks/arithmetic.jsonl --calibration off "
        "--out evidence"
    )


def test_semantic_evidence_that_was_not_looked_for_blocks_only_where_it_can_fail():
    skipped = Gate().judge(policy(**STRICT))
    assert statuses(skipped, "contamination.semantic.items") == {"": "skipped"}
    asked = {"contamination": {"default": {"semantic": {"items": {"fail": 0}}, **STRICT["contamination"]["default"]}}}  # fmt: skip
    assert Gate().judge(policy(**asked))["verdict"] == "incomplete"


def test_names_that_stand_for_nothing_are_told_and_required_ones_block():
    rules = policy(
        contamination={
            **STRICT["contamination"],
            "benchmarks": {"arithmetics": {}, "math*": {}},
            "required": ["arith*", "functionz"],
        }
    )
    verdict = Gate().judge(rules)
    assert verdict["verdict"] == "incomplete"
    assert statuses(verdict, "contamination.required") == {"arith*": "pass", "functionz": "incomplete"}  # fmt: skip
    assert statuses(verdict, "policy.names") == {
        "contamination.benchmarks.arithmetics": "warn",
        "contamination.benchmarks.math*": "skipped",
    }


def test_items_of_another_scan_are_refused():
    gate = Gate()
    items, findings = gate.tables()
    with pytest.raises(ValueError, match="do not belong"):
        judge(
            policy(), gate.report(), items.head(10), findings, None,
            today=TODAY, baseline_named=False,
        )  # fmt: skip


# --- what was seen -------------------------------------------------------------------------------


def test_what_was_not_read_never_passes_even_where_the_policy_allows_it():
    gate = Gate()
    gate.bad_documents = 3
    allowed = policy(**STRICT, coverage={"documents": {"incomplete": 0.99}})
    assert gate.judge(allowed)["verdict"] == "warn"
    assert gate.judge(policy(**STRICT))["verdict"] == "incomplete"


def test_a_run_that_says_it_is_incomplete_is_so_whatever_it_counts():
    gate = Gate()
    gate.complete = False
    verdict = gate.judge(policy(**STRICT))
    assert (verdict["verdict"], verdict["exit_status"]) == ("incomplete", 3)
    assert verdict["reasons"][0]["rule"] == "coverage.corpus"


@pytest.mark.parametrize(
    ("note", "outcome"), [("no rule in rules.yaml fits a document", "warn"), (None, "pass")]
)
def test_rules_for_domains_that_fit_nothing_are_a_warning(note, outcome):
    gate = Gate()
    gate.drift_changes = {"origin": {**gate.drift()["origin"], "kind": "rules", "note": note}}
    verdict = gate.judge(policy(**STRICT))
    found = next(each for each in verdict["results"] if each["rule"] == "coverage.domains")
    assert (verdict["verdict"], found["status"]) == (outcome, outcome)
    assert found["sentence"].startswith("No rule in rules.yaml" if note else "Rules for domains")


@pytest.mark.parametrize("spoil", ["documents", "benchmarks"])
def test_a_gate_over_nothing_does_not_pass(spoil):
    gate = Gate({}) if spoil == "benchmarks" else Gate()
    gate.documents = 0 if spoil == "documents" else 100
    assert gate.judge(policy(**STRICT))["verdict"] == "incomplete"


@pytest.mark.parametrize(
    ("calibration", "required", "outcome"),
    [
        ({"status": "UNCALIBRATED", "reason": "not asked for"}, True, "incomplete"),
        ({"status": "UNCALIBRATED", "reason": "not asked for"}, False, "warn"),
        ({"status": "UNCALIBRATED", "reason": "3 of 60 found", "rates": []}, False, "incomplete"),
        ({"status": "CALIBRATED", "reason": "60 of 60 found"}, True, "pass"),
    ],
    ids=["not run", "not run, not required", "failed", "passed"],
)
def test_a_failed_battery_is_incomplete_and_a_missing_one_where_it_is_required(
    calibration, required, outcome
):
    gate = Gate()
    gate.calibration = calibration
    assert gate.judge(policy(**STRICT, calibration={"required": required}))["verdict"] == outcome


def test_a_policy_without_limits_passes_nothing():
    verdict = Gate().judge(policy())
    assert verdict["verdict"] == "incomplete"
    assert verdict["reasons"][0]["rule"] == "policy.rules"


def test_a_violation_that_was_found_stands_whatever_was_not_read():
    gate = Gate().leak("arithmetic", 10)
    gate.shards_unread, gate.problems = 1, [UNREAD]
    verdict = gate.judge(default_policy())
    assert (verdict["verdict"], verdict["exit_status"]) == ("fail", 1)
    assert verdict["reasons"][0]["status"] == "fail"
    assert "incomplete" in {reason["status"] for reason in verdict["reasons"]}


def test_the_mix_is_told_of_once_unless_the_comparison_read_something_else():
    gate = Gate()
    versions = gate.drift()["versions"]
    gate.drift_changes = {"versions": versions}
    assert set(statuses(gate.judge(default_policy()), "coverage.shards")) == {"mix", "drift baseline"}  # fmt: skip
    versions[1]["shards_unread"] = 1
    verdict = gate.judge(default_policy())
    assert statuses(verdict, "coverage.shards")["drift candidate"] == "incomplete"
    assert verdict["verdict"] == "incomplete"


# --- drift ---------------------------------------------------------------------------------------


def drifted(rules, **changes):
    gate = Gate()
    gate.drift_changes = changes
    return gate.judge(policy(drift=rules))


def shares(rules, domains, floor=0.004):
    gate = Gate()
    gate.drift_changes = drift_report(domains, floor)
    return gate.judge(policy(drift=rules))


def test_a_change_breaks_its_limit_only_beyond_the_floor():
    rules = {"domains": {"default": {"change": {"fail": 0.01}}}}
    moved = {"web": 0.58, "code": 0.32, "books": 0.1}
    assert shares(rules, moved, floor=0.004)["verdict"] == "fail"
    noise = shares(rules, moved, floor=0.05)
    assert noise["verdict"] == "pass"
    assert (
        "over (but within noise) the limit of 1 point"
        in one(noise, "drift.domains.change", "web")["sentence"]
    )


def test_what_held_for_its_noise_alone_is_counted():
    rules = {"domains": {"default": {"change": {"fail": 0.01}, "factor": {"fail": 1.5}}}}
    moved = {"web": 0.58, "code": 0.32, "books": 0.1}
    told = held_words(shares(rules, moved, floor=0.05))
    assert "domain mix 6 (2 beyond a limit, but within noise)" in told
    assert "within noise" not in held_words(shares(rules, DOMAINS, floor=0.05))


def test_noise_is_that_of_the_whole_family_where_it_is_known():
    rules = {"domains": {"default": {"change": {"fail": 0.01}}}}
    gate = Gate()
    gate.domain_shares = {"web": 0.58, "code": 0.32, "books": 0.1}
    assert gate.judge(policy(drift=rules))["verdict"] == "fail"
    rows = [{**row, "alarm_from": 0.03} for row in gate.drift()["domains"]]
    gate.drift_changes = {"domains": rows}
    verdict = gate.judge(policy(drift=rules))
    assert verdict["verdict"] == "pass"
    assert one(verdict, "drift.domains.change", "web")["floor"] == 0.03


def test_noise_of_exposure_is_that_of_all_benchmarks_where_it_is_known():
    rules = {"exposure": {"default": {"fail": 0.05}}}
    row = exposure("arithmetic", 0.1)
    others = [exposure("functions", 0.0)]
    assert drifted(rules, exposure=[row, *others])["verdict"] == "fail"
    verdict = drifted(rules, exposure=[{**row, "alarm_from": 0.12}, *others])
    assert verdict["verdict"] == "pass"
    assert one(verdict, "drift.exposure", "arithmetic")["floor"] == 0.12


def test_a_total_variation_is_judged_by_what_it_exceeds_random_halves_by():
    rules = {"tokens": {"within": {"fail": 0.05}}}
    noisy = {"name": "total variation within domains", "unit": "share", "observed": 0.15, "floor_mean": 0.12, "floor": 0.13, "excess": 0.03, "ratio": 3.0, "alarm": True}  # fmt: skip
    tokens = drift_report()["tokens"]
    assert drifted(rules, tokens={**tokens, "divergences": [noisy]})["verdict"] == "pass"
    beyond = {**noisy, "observed": 0.18, "excess": 0.06}
    assert drifted(rules, tokens={**tokens, "divergences": [beyond]})["verdict"] == "fail"
    assert drifted(rules, tokens={**tokens, "divergences": []})["verdict"] == "incomplete"


def test_a_factor_is_the_same_up_and_down_and_not_judged_of_small_domains():
    rules = {"domains": {"default": {"factor": {"fail": 1.5}}, "factor_from": 0.05}}
    up = shares(rules, {"web": 0.4, "code": 0.3, "books": 0.2, "tiny": 0.1})
    assert statuses(up, "drift.domains.factor") == {"web": "pass", "code": "pass", "books": "fail"}
    assert one(up, "drift.domains.factor", "books")["measured"] == pytest.approx(2)
    assert one(up, "drift.domains.factor", "web")["measured"] == pytest.approx(1.5)


def test_new_and_vanished_domains_are_held_against_their_own_limits():
    rules = {"domains": {"new": {"warn": 0.005, "fail": 0.05}, "vanished": {"fail": 0.005}}}
    verdict = shares(rules, {"web": 0.6, "code": 0.38, "forum": 0.02})
    assert statuses(verdict, "drift.domains.new") == {"forum": "warn"}
    assert statuses(verdict, "drift.domains.vanished") == {"books": "fail"}
    assert verdict["reasons"][0]["sentence"].startswith("books is gone; it had 10% of the tokens")


def test_a_domain_by_name_has_a_least_and_a_largest_share():
    rules = {
        "domains": {
            "named": {
                "code": {"min_share": {"warn": 0.35, "fail": 0.2}},
                "w*": {"max_share": {"fail": 0.5}},
                "math": {"min_share": {"fail": 0.01}},
            }
        }
    }
    verdict = Gate().judge(policy(drift=rules))
    assert statuses(verdict, "drift.domains.min_share") == {"code": "warn", "math": "fail"}
    assert statuses(verdict, "drift.domains.max_share") == {"web": "fail"}


def test_domains_that_the_report_does_not_show_are_not_judged_without_the_table():
    rules = {"domains": {"default": {"change": {"fail": 0.1}}}}
    assert drifted(rules, domains_not_shown=7)["verdict"] == "incomplete"
    gate = Gate()
    gate.drift_changes = {"domains_not_shown": 7}
    table = pl.DataFrame(
        [
            {
                "domain": "hidden",
                "measure": "tokens",
                "baseline": 0.4,
                "candidate": 0.2,
                "floor": 0.01,
            }
        ]
    )
    verdict = gate.judge(policy(drift=rules), domains=table)
    assert statuses(verdict, "drift.domains.change") == {"hidden": "fail"}


def test_vanished_tokens_are_counted_and_required_ones_named():
    rules = {"tokens": {"vanished": {"warn": 1, "fail": 3}, "required": ["gone0", "here"]}}
    verdict = drifted(rules, tokens=drift_report(vanished=2)["tokens"])
    assert one(verdict, "drift.tokens.vanished")["status"] == "warn"
    assert statuses(verdict, "drift.tokens.required") == {"gone0": "fail", "here": "pass"}
    assert "in 90 documents of the baseline" in one(verdict, "drift.tokens.required", "gone0")["sentence"]  # fmt: skip


def test_a_required_token_may_be_among_those_that_are_not_shown():
    tokens = drift_report(vanished=2)["tokens"]
    tokens["alarms"]["vanished"] = 9
    rules = {"tokens": {"required": ["here", "typo"]}}
    assert drifted(rules, tokens=tokens)["verdict"] == "incomplete"
    table = pl.DataFrame(
        [{"token": " here", "baseline": 1e-4, "candidate": 1e-4, "df_baseline": 9.0, "change_kind": None}]
    )  # fmt: skip
    gate = Gate()
    gate.drift_changes = {"tokens": tokens}
    verdict = gate.judge(policy(drift=rules), tokens=table)
    assert statuses(verdict, "drift.tokens.required") == {"here": "pass", "typo": "warn"}


def test_only_worse_exposure_breaks_a_limit_and_benchmarks_not_measured_block():
    rules = {"exposure": {"default": {"fail": 0.2}, "benchmarks": {"func*": {"warn": 0.1}}}}
    rows = drift_report(bits=0.3)["exposure"]
    verdict = drifted(rules, exposure=rows)
    assert statuses(verdict, "drift.exposure") == {"arithmetic": "pass", "functions": "warn"}
    assert [e["name"] for e in one(verdict, "drift.exposure", "functions")["evidence"]] == ["code", " def", " lambda"]  # fmt: skip
    better = [{**row, "change": -0.5} for row in rows]
    assert drifted(rules, exposure=better)["verdict"] == "pass"
    assert statuses(drifted(rules, exposure=[]), "drift.exposure") == {"": "incomplete"}  # fmt: skip


def test_more_copies_break_a_limit_beyond_their_standard_errors():
    rules = {"copies": {"exact": {"warn": 0.05}, "increase": {"fail": 0.01}}}
    row = {"kind": "exact", "baseline": 0.02, "candidate": 0.06, "baseline_error": 0.002, "candidate_error": 0.002, "alarm": True}  # fmt: skip
    near = {**row, "kind": "near", "baseline_error": 0.02}
    verdict = drifted(rules, copies=[row, near])
    assert statuses(verdict, "drift.copies.increase") == {"exact": "fail", "near": "pass"}
    assert one(verdict, "drift.copies.exact")["status"] == "warn"


@pytest.mark.parametrize(
    ("required", "named", "outcome"),
    [(True, False, "incomplete"), (False, False, "warn"), (False, True, "incomplete")],
)
def test_without_a_baseline_nothing_passes(required, named, outcome):
    gate = Gate()
    gate.has_drift, gate.baseline_named = False, named
    verdict = gate.judge(policy(**STRICT, drift={"required": required}))
    assert verdict["verdict"] == outcome
    assert verdict["reasons"][0]["rule"] == "drift.baseline"


def test_a_policy_without_drift_asks_for_no_baseline():
    gate = Gate()
    gate.has_drift, gate.baseline_named = False, False
    assert gate.judge(policy(**STRICT))["verdict"] == "pass"


def test_drift_next_to_unread_shards_is_not_decided_since_it_may_be_their_absence():
    verdict = truncated_shard().judge(default_policy())
    changed = one(verdict, "drift.domains.change", "web")
    assert changed["status"] == "incomplete"
    assert changed["sentence"].endswith("Not decided: 1 shard of the versions could not be read.")
    assert "fail" not in {found["status"] for found in verdict["results"]}


def test_a_waived_change_next_to_unread_shards_stays_waived():
    rules = default_policy().model_dump(exclude_unset=True)
    waiver = {"rule": "drift.*", "reason": "r", "owner": "o", "expires": TODAY}
    rules |= {"coverage": {"shards": {"incomplete": 0.9}}, "waivers": [waiver]}
    verdict = truncated_shard().judge(policy(**rules))
    assert one(verdict, "drift.domains.change", "web")["status"] == "waived"
    assert verdict["verdict"] == "warn"  # of the shard


# --- waivers -------------------------------------------------------------------------------------


def test_a_waiver_holds_on_its_last_day_and_lapses_by_itself_on_the_next():
    gate = Gate().leak("arithmetic", 1)
    rules = waived(TODAY, benchmark="arith*")
    assert gate.judge(rules, today=TODAY)["verdict"] == "pass"
    late = gate.judge(rules, today=TODAY + timedelta(1))
    assert (late["verdict"], late["exit_status"]) == ("fail", 1)
    assert late["waivers"][0]["in_force"] is False
    assert late["waivers"][0]["days_left"] == -1
    (told,) = statuses(late, "policy.waivers").values()
    assert told == "warn"


def test_waived_items_are_not_counted_and_the_others_are():
    gate = Gate().leak("arithmetic", 3)
    verdict = gate.judge(waived(TODAY, item="test-[01]"))
    found = one(verdict, "contamination.contaminated.items", "arithmetic")
    assert (found["status"], found["measured"]) == ("fail", 1)
    assert [each["name"] for each in found["evidence"]] == ["test-2"]
    assert "2 items waived." in found["sentence"]
    assert verdict["waivers"][0]["items"] == 2
    everything = gate.judge(waived(TODAY, item="test-?"))
    assert one(everything, "contamination.contaminated.items", "arithmetic")["status"] == "waived"
    assert (everything["verdict"], everything["counts"]["waived"]) == ("pass", 1)


def test_a_waiver_of_another_scope_or_rule_waives_nothing_and_is_told():
    gate = Gate().leak("arithmetic", 1)
    for scope in ({"benchmark": "functions"}, {"item": "test-7"}, {"rule": "drift.*"}):
        verdict = gate.judge(waived(TODAY, **scope))
        assert verdict["verdict"] == "fail"
    fits_nothing = gate.judge(waived(TODAY, benchmark="functions"))
    assert list(statuses(fits_nothing, "policy.waivers").values()) == ["warn"]
    assert fits_nothing["waivers"][0]["results"] == []


def test_a_waiver_for_what_could_not_be_judged_is_not_told_as_unused():
    gate = Gate()
    gate.has_drift = False
    rules = policy(
        **STRICT, drift={},
        waivers=[{"rule": "drift.domains.new", "reason": "r", "owner": "o", "expires": TODAY}],
    )  # fmt: skip
    assert statuses(gate.judge(rules), "policy.waivers") == {}


def test_a_waiver_does_nothing_for_what_is_incomplete():
    rules = policy(
        **STRICT,
        waivers=[{"rule": "*", "reason": "r", "owner": "o", "expires": TODAY}],
    )
    gate = Gate()
    gate.bad_documents = 1
    assert gate.judge(rules)["verdict"] == "incomplete"


def test_every_waiver_is_in_the_verdict_with_reason_owner_and_day():
    verdict = Gate().judge(waived(date(2027, 1, 31)))
    (state,) = verdict["waivers"]
    assert (state["reason"], state["owner"], state["expires"], state["days_left"]) == (
        "quoted in the paper", "ann", "2027-01-31", 275,
    )  # fmt: skip


# --- order, exit status --------------------------------------------------------------------------


def test_reasons_stand_by_status_then_by_distance_past_the_limit():
    gate = Gate().leak("arithmetic", 10).leak("functions", 32, first=0)
    gate.domain_shares = {"web": 0.62, "code": 0.28, "books": 0.1}
    verdict = gate.judge(default_policy())
    told = [(r["status"], r["scope"]["name"]) for r in verdict["reasons"]]
    assert told[:2] == [("fail", "functions"), ("fail", "arithmetic")]
    ranks = [("fail", "incomplete", "warn").index(status) for status, _ in told]
    assert ranks == sorted(ranks)
    past = [found["past"] for found in verdict["results"] if found["status"] == "fail"]
    assert past == sorted(past, reverse=True)


def test_lesser_results_on_the_same_thing_are_no_reasons_of_their_own():
    (reason, *others) = Gate().leak("arithmetic", 10).judge(default_policy())["reasons"]
    assert reason["rule"] == "contamination.contaminated.share"
    assert reason["also"] == ["contamination.contaminated.items"]
    assert others == []


def test_a_warning_exits_with_1_only_where_it_was_asked_for():
    gate = Gate().leak("arithmetic", 1)
    assert gate.judge(default_policy())["exit_status"] == 0
    assert gate.judge(default_policy(), fail_on="warn")["exit_status"] == 1


def test_equal_inputs_give_equal_verdicts_and_judging_changes_none_of_them():
    gate = Gate().leak("arithmetic", 3)
    items, findings = gate.tables()
    report, drift = gate.report(), gate.drift()
    before = json.dumps([report, drift])
    options = {"today": TODAY, "baseline_named": True}
    one_verdict = judge(default_policy(), report, items, findings, drift, **options)
    turned = judge(default_policy(), report, items.reverse(), findings.reverse(), drift, **options)
    assert json.dumps(one_verdict) == json.dumps(turned)
    assert json.dumps([report, drift]) == before


def test_fingerprints_name_rule_and_scope_and_not_what_was_measured():
    mild, grave = (Gate().leak("arithmetic", n).judge(default_policy()) for n in (1, 50))
    names = [{(f["rule"], f["scope"]["name"]): f["fingerprint"] for f in v["results"]} for v in (mild, grave)]  # fmt: skip
    assert names[0] == names[1]
    assert len(set(names[0].values())) == len(names[0])


# --- what may never happen -----------------------------------------------------------------------

VIOLATIONS = {
    "leak": lambda gate: gate.leak("arithmetic", 20, first=500),
    "small leak": lambda gate: gate.leak("functions", 1, first=100),
    "suspects": lambda gate: gate.leak("arithmetic", 50, "suspect", "near", first=900),
    "code halved": lambda gate: gate.domain_shares.update(code=0.15, web=0.75),
    "new domain": lambda gate: gate.domain_shares.update(forum=0.08, web=gate.domain_shares["web"] - 0.08),
    "copies": lambda gate: gate.drift_changes.update(
        copies=[{"kind": k, "baseline": 0.02, "candidate": 0.3, "baseline_error": 0.001, "candidate_error": 0.001, "alarm": True} for k in ("exact", "near")]
    ),
    "exposure": lambda gate: gate.drift_changes.update(exposure=drift_report(bits=0.9)["exposure"]),
}  # fmt: skip
LOSSES = {
    "no baseline": lambda gate: (setattr(gate, "has_drift", False), setattr(gate, "baseline_named", False)),
    "comparison broke": lambda gate: setattr(gate, "has_drift", False),
    "shard unread": lambda gate: (setattr(gate, "shards_unread", 1), setattr(gate, "problems", [UNREAD])),
    "bad documents": lambda gate: setattr(gate, "bad_documents", 5),
    "uncalibrated": lambda gate: setattr(gate, "calibration", {"status": "UNCALIBRATED", "reason": "off"}),
    "unsearchable": lambda gate: gate.leak("functions", 60, "unsearchable"),
    "copies not measured": lambda gate: gate.drift_changes.update(copies=[]),
    "exposure not measured": lambda gate: gate.drift_changes.update(exposure=[]),
    "mix not measured": lambda gate: gate.drift_changes.update(mix=[], domains=[]),
    "said incomplete": lambda gate: setattr(gate, "complete", False),
}  # fmt: skip


def outcome(names, table, start=None, rules=None):
    gate = Gate()
    for name in start or ():
        VIOLATIONS[name](gate)
    for name in names:
        table[name](gate)
    return ORDER.index(gate.judge(rules or default_policy())["verdict"])


@settings(max_examples=25, deadline=None)
@given(st.sets(st.sampled_from(sorted(VIOLATIONS))), st.sampled_from(sorted(VIOLATIONS)))
def test_adding_a_violation_never_improves_the_verdict(already, added):
    before = outcome(sorted(already), VIOLATIONS)
    assert outcome([*sorted(already - {added}), added], VIOLATIONS) >= before


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.sampled_from(sorted(VIOLATIONS))),
    st.sets(st.sampled_from(sorted(LOSSES)), min_size=1),
    st.booleans(),
)
def test_taking_evidence_away_never_makes_a_pass(violations, losses, strict):
    lenient = Policy.model_validate(
        default_policy().model_dump(exclude_unset=True)
        | {"calibration": {"required": False}, "coverage": {"shards": {"incomplete": 0.5}, "documents": {"incomplete": 0.5}}}
    )  # fmt: skip
    rules = default_policy() if strict else lenient
    assert outcome(sorted(losses), LOSSES, sorted(violations), rules) > ORDER.index("pass")


def test_the_shares_of_the_builder_are_those_of_a_mix():
    assert sum(DOMAINS.values()) == pytest.approx(1)
