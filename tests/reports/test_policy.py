import re
from datetime import date
from pathlib import Path

import pytest

from corpora.problems import CorpusError
from reports.policy import (
    DEFAULT_POLICY_FILE,
    Policy,
    default_policy,
    policy_digest,
    read_policy,
    read_policy_file,
)
from reports.policy_text import explain
from reports.rules import RULES
from reports.sites import Sites, policy_lines

WAIVER = (
    "{rule: drift.domains.new, domain: forum, reason: planned, owner: ann, expires: 2026-05-01}"
)


def write(tmp_path, text):
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_shipped_policy_is_valid_and_asks_for_all_that_fails_closed():
    policy = default_policy()
    assert policy.calibration.required
    assert policy.drift is not None
    assert policy.drift.required
    assert policy.coverage.shards.incomplete == policy.coverage.documents.incomplete == 1.0
    assert policy.searchable.default.incomplete == 0.95


def test_the_policy_in_the_readme_is_one(tmp_path):
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(format: .*?)```", readme, re.DOTALL)
    policy = read_policy(write(tmp_path, text))
    assert policy.contamination.default.contaminated.share.fail == 0.005
    assert policy.drift.domains.default.change.fail == 0.05


def test_every_number_of_the_shipped_policy_has_its_reason_beside_it():
    lines = DEFAULT_POLICY_FILE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if any(sign in line for sign in ("warn:", "fail:", "incomplete:")) and "#" not in line:
            above = lines[max(0, number - 5) : number]
            assert any(before.lstrip().startswith("#") for before in above), line


def test_a_policy_of_a_name_alone_sets_no_limits_but_what_fails_closed(tmp_path):
    policy = read_policy(write(tmp_path, "name: bare\n"))
    assert policy == Policy(name="bare")
    assert [name for name, *_ in policy.contamination.limits_of("any")] == ["semantic"]
    assert policy.drift is None


def test_an_entry_replaces_what_it_names_and_leaves_the_rest(tmp_path):
    policy = read_policy(
        write(
            tmp_path,
            """
name: x
contamination:
  default:
    contaminated: {share: {fail: 0.01}}
    suspect: {share: {warn: 0.1}}
  benchmarks:
    "human*": {contaminated: {items: {fail: 1}}}
    humaneval: {contaminated: {items: {fail: 0}}}
""",
        )
    )

    def limits(benchmark):
        return {
            which: (
                limits.items and limits.items.fail,
                limits.share and limits.share.fail,
                where[1],
            )
            for which, limits, where in policy.contamination.limits_of(benchmark)
            if which != "semantic"
        }

    assert limits("humaneval") == {
        "contaminated": (0, None, "benchmarks"),
        "suspect": (None, None, "default"),
    }
    assert limits("humaneval_plus")["contaminated"] == (1, None, "benchmarks")
    assert limits("gsm8k")["contaminated"] == (None, 0.01, "default")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nnam: y", "line 2: unknown key 'nam'; did you mean 'name'?"),
        ("name: x\ncoverage:\n  shards: {incomplet: 1}", "line 3: unknown key 'coverage.shards.incomplet'"),
        ("name: x\ncoverage: {shards: {incomplete: 100}}", "less than or equal to 1, not 100"),
        ("name: x\ncoverage: {shards: {incomplete: 5%}}", "should be a valid number, not '5%'"),
        ("name: x\ncoverage: {shards: {incomplete: true}}", "should be a valid number, not True"),
        ("name: x\nsearchable: {default: {}}", "a limit needs warn, incomplete or both"),
        ("name: x\nsearchable: {default: {warn: 0.5, incomplete: 0.9}}", "it would never be told"),
        ("name: x\ndrift: {tokens: {vanished: {warn: 1.5}}}", "valid integer, not 1.5"),
        ("name: x\ndrift: {domains: {default: {factor: {fail: 0.5}}}}", "greater than 1, not 0.5"),
        ("name: x\ndrift: {domains: {default: {change: {warn: 0.1, fail: 0.05}}}}", "lies beyond fail"),
        ("name: x\ndrift: {domains: {default: {min_share: {fail: 0.1}}}}", "move it under named"),
        ("name: x\ndrift: {exposure: {default: {fail: .inf}}}", "finite number"),
        ("name: x\nformat: 2", "format: Input should be 1, not 2"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("planned", "' '"), "must not be blank"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("owner: ann, ", ""), "'waivers.0.owner' is missing"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("2026-05-01", "20260501"), "as 2026-12-31, not 20260501"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("2026-05-01", "2026-05-01T10:00:00"), "as 2026-12-31"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("domains.new", "domain.new"), "did you mean 'drift.domains.new'?"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("drift.domains.new, domain: forum", "coverage.*"), "no rule that can be waived"),
        ("name: x\nwaivers:\n  - " + WAIVER.replace("domain: forum", "item: q-1"), "item says nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_its_mend(text, said, tmp_path):
    with pytest.raises(CorpusError) as caught:
        read_policy(write(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ", line " in str(caught.value)


def test_no_rule_of_what_was_not_checked_can_be_waived():
    closed = {"coverage", "searchable", "calibration", "policy"}
    assert {rule.family for rule in RULES.values() if not rule.waivable} == {*closed, "drift"}


def test_the_digest_is_of_what_is_said_not_of_how(tmp_path):
    text = "name: x\ncalibration: {required: false}\n"
    one = read_policy(write(tmp_path, text))
    other = read_policy(write(tmp_path, "# a comment\ncalibration:\n  required: no\nname: 'x'\n"))
    assert policy_digest(one) == policy_digest(other)
    assert policy_digest(one) != policy_digest(Policy(name="x"))


def test_a_limit_is_found_at_its_line_and_else_at_the_nearest_key_above(tmp_path):
    path = write(
        tmp_path,
        "name: x\ncontamination:\n  default:\n    contaminated:\n      items: {fail: 0}\nwaivers:\n- "
        + WAIVER
        + "\n",
    )
    sites = Sites(policy=path, policy_lines=policy_lines(read_policy_file(path)))
    where = ("contamination", "default", "contaminated")
    assert sites.of_limit((*where, "items")) == {"file": path, "line": 5}
    assert sites.of_limit((*where, "share")) == {"file": path, "line": 4}  # its key
    assert sites.of_limit(("waivers", 0)) == {"file": path, "line": 7}
    assert sites.of_limit(("drift",)) == {"file": path, "line": 1}
    assert Sites().of_limit(where) is None


def test_the_shipped_policy_is_explained_in_words(golden):
    golden("policy.txt", explain(default_policy(), date(2026, 5, 1)))


def test_waivers_are_explained_as_they_stand_on_the_day(tmp_path):
    text = "name: x\nwaivers:\n  - " + WAIVER + "\n"
    policy = read_policy(write(tmp_path, text))
    head = "drift.domains.new (domain forum): "
    for today, said in (
        (date(2026, 4, 29), "in force until 2026-05-01, 2 days left"),
        (date(2026, 5, 1), "in force until 2026-05-01, today is its last day"),
        (date(2026, 5, 2), "LAPSED on 2026-05-01, 1 day ago; it waives nothing"),
    ):
        assert f"{head}{said}\n  planned. Owner: ann\n" in explain(policy, today)


def test_hidden_characters_of_a_policy_do_not_reach_the_terminal():
    policy = Policy(name="\x1b[2Jx\u202e")
    assert "\x1b" not in explain(policy, date(2026, 5, 1))
    assert "⟨U+202E⟩" in explain(policy, date(2026, 5, 1))
