"""The judgement: a policy, a scan and a comparison in; one verdict with its reasons out. Pure.

`fail` beats `incomplete`, which beats `warn`, which beats `pass`: a violation that was found stands,
whatever was not read, and what was not read never passes. Reasons stand in order of weight: by
status, then by the distance past the limit in units of the limit; of what was not decided, causes
stand before what hangs on them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, Literal

import polars as pl

from reports import view
from reports.drift_schema import DriftReport
from reports.judge_coverage import judge_coverage
from reports.judge_domains import moves_of
from reports.judge_drift import judge_drift
from reports.judge_items import judge_items
from reports.policy import Policy, policy_digest
from reports.results import result
from reports.rules import FAMILIES, RULES
from reports.schema import Definition, Report
from reports.sites import Sites
from reports.verdict_schema import (
    SCHEMA,
    DriftPart,
    Judged,
    Outcome,
    Reason,
    Result,
    Status,
    Verdict,
)
from reports.waivers import Waivers

ORDER: Final[tuple[Status, ...]] = ("fail", "incomplete", "warn", "waived", "skipped", "pass")
REASONS: Final = ("fail", "incomplete", "warn")
# What was not decided, by cause: what was not read comes before what hangs on it.
CAUSES: Final = ("coverage", "drift", "calibration", "searchable")
SHOWN_DOMAINS: Final = 20
# What says something of the data itself: a gate that judged none of it does not pass.
JUDGING: Final = tuple(
    family for family in FAMILIES if family.startswith(("contamination", "drift."))
)

DEFINITIONS: Final[tuple[Definition, ...]] = (
    {"term": "fail", "meaning": "a limit of the policy is broken; exit status 1"},
    {
        "term": "incomplete",
        "meaning": "too little was read, searched or measured to decide; no limit was seen broken; exit "
        "status 3",
    },
    {"term": "warn", "meaning": "nothing is violated, and something should be looked at; exit status 0"},
    {"term": "pass", "meaning": "everything that the policy asks was judged, and held; exit status 0"},
    {
        "term": "waived",
        "meaning": "broken, and accepted by the owner of a waiver until a day; it lapses by itself",
    },
    {"term": "skipped", "meaning": "not judged, and nothing that could fail hung on it"},
    {
        "term": "floor",
        "meaning": "how far random halves of the same documents lie apart, in 99 of 100 cases: what is "
        "not beyond it breaks no limit",
    },
    {"term": "points", "meaning": "a difference of two shares, times 100"},
)  # fmt: skip


def judge(
    policy: Policy,
    scan: Report,
    items: pl.DataFrame,
    findings: pl.DataFrame,
    drift: DriftReport | None,
    *,
    today: date,
    baseline_named: bool,
    sites: Sites | None = None,
    domains: pl.DataFrame | None = None,
    tokens: pl.DataFrame | None = None,
    fail_on: Literal["fail", "warn"] = "fail",
) -> Verdict:
    """Judge a data mix; equal inputs give an equal verdict.

    `items` and `findings` have the columns of their files, `domains` and `tokens` those of
    `domains.parquet` and `tokens.parquet`: without them, what the drift report does not show is not
    judged. `sites` says where things are declared. With `fail_on="warn"` a warning exits with 1.

    Raises:
        ValueError: when `items` are not those of the scan.
    """
    sites = Sites() if sites is None else sites
    waivers = Waivers(policy.waivers, today, sites)
    results = [
        *judge_coverage(policy, scan, drift, sites),
        *judge_items(policy.contamination, scan, items, findings, waivers, sites),
        *judge_drift(
            policy, scan, drift, waivers, sites,
            baseline_named=baseline_named, domains=domains, tokens=tokens,
        ),
    ]  # fmt: skip
    results += waivers.results(_undecided(results, drift))
    results.append(_rules(results, sites))
    results.sort(key=_weight)
    outcome = outcome_of(results)
    return {
        "schema": SCHEMA,
        "tool": scan["tool"],
        "title": _title(outcome, results),
        "verdict": outcome,
        "exit_status": exit_status(outcome, fail_on),
        "date": today.isoformat(),
        "judged": _judged(policy, scan, drift, sites),
        "counts": _counts(results),
        "reasons": _reasons(results),
        "results": results,
        "waivers": waivers.states(),
        "drift": None if drift is None else _drift_part(policy, drift, domains),
        "definitions": list(DEFINITIONS),
    }


def outcome_of(results: Sequence[Result]) -> Outcome:
    """Return the verdict over results: the gravest there is."""
    there = {found["status"] for found in results}
    if "fail" in there:
        return "fail"
    if "incomplete" in there:
        return "incomplete"
    return "warn" if "warn" in there else "pass"


def exit_status(outcome: Outcome, fail_on: Literal["fail", "warn"] = "fail") -> Literal[0, 1, 3]:
    """Return 0 for pass and warn, 1 for fail, 3 for incomplete; a warning may be asked to be 1."""
    if outcome == "fail" or (outcome == "warn" and fail_on == "warn"):
        return 1
    return 3 if outcome == "incomplete" else 0


def _weight(found: Result) -> tuple[int, int, float, int]:
    """Return what results are sorted by; equal ones stay in the order of the judges."""
    incomplete, family = found["status"] == "incomplete", found["family"]
    cause = CAUSES.index(family) if incomplete and family in CAUSES else len(CAUSES)
    return ORDER.index(found["status"]), cause, -found["past"], FAMILIES.index(family)


def _undecided(results: Sequence[Result], drift: DriftReport | None) -> Collection[str]:
    """Return the rules of which it was not seen whether anything breaks them."""
    unseen = {found["rule"] for found in results if found["status"] == "incomplete"}
    return (
        unseen
        if drift is not None
        else unseen | {rule for rule in RULES if rule.startswith("drift.")}
    )


def _rules(results: Sequence[Result], sites: Sites) -> Result:
    """Return whether any limit on the data was judged: a policy of none passes nothing."""
    judged = sum(
        found["family"] in JUDGING and found["status"] not in ("skipped", "incomplete")
        for found in results
    )
    sentence = f"{view.plural(judged, 'limit')} on items and drift {'was' if judged == 1 else 'were'} judged."
    if not judged:
        sentence = "No limit on items or drift was judged, so nothing is known of this mix."
    return result(
        "policy.rules", ("whole", ""), "pass" if judged else "incomplete", sentence,
        command=sites.policy_command(), place=sites.of_limit(()),
    )  # fmt: skip


def _title(outcome: Outcome, results: Sequence[Result]) -> str:
    counts = _counts(results)
    judged = len(results) - counts["skipped"]
    parts = []
    if counts["fail"]:
        parts.append(f"{view.count(counts['fail'])} of {view.plural(judged, 'rule')} violated")
    if counts["incomplete"]:
        parts.append(
            f"{view.count(counts['incomplete'])} of {view.plural(judged, 'rule')} not decided"
        )
    if counts["warn"]:
        parts.append(view.plural(counts["warn"], "warning"))
    if counts["waived"]:
        parts.append(f"{view.count(counts['waived'])} waived")
    if outcome == "pass":
        parts.insert(0, f"{view.plural(counts['pass'], 'rule')} held")
    return f"{outcome.upper()}: {', '.join(parts)}"


def _counts(results: Sequence[Result]) -> dict[Status, int]:
    return {status: sum(found["status"] == status for found in results) for status in ORDER}


def _reasons(results: Sequence[Result]) -> list[Reason]:
    """Return one reason for each thing that is not held: the gravest of its results."""
    reasons: dict[tuple[str, str, str], Reason] = {}
    for found in results:
        if found["status"] not in REASONS:
            continue
        thing = (_subject(found), found["scope"]["kind"], found["scope"]["name"])
        if thing in reasons:
            reasons[thing]["also"].append(found["rule"])
            continue
        reasons[thing] = {
            "rule": found["rule"],
            "scope": found["scope"],
            "status": found["status"],
            "sentence": found["sentence"],
            "command": found["command"],
            "also": [],
        }
    return list(reasons.values())


def _subject(found: Result) -> str:
    """Return what a rule is about: items of one status, or a domain, whatever is measured of it."""
    several = found["family"] in ("contamination", "drift.domains")
    return found["rule"].rpartition(".")[0] if several else found["rule"]


def _judged(policy: Policy, scan: Report, drift: DriftReport | None, sites: Sites) -> Judged:
    corpus = scan["corpus"]
    baseline = None if drift is None else drift["versions"][0]["name"]
    return {
        "mix": sites.mix,
        "name": corpus["name"],
        "shards": corpus["shards"],
        "shards_unread": corpus["shards_unread"],
        "documents": corpus["documents"],
        "bad_documents": corpus["bad_documents"],
        "bytes": corpus["bytes"],
        "words": corpus["words"],
        "normal_form": scan["normal_form"],
        "calibration": scan["calibration"]["status"],
        "baseline": baseline,
        "policy": policy.name,
        "policy_file": sites.policy,
        "policy_digest": policy_digest(policy),
        "benchmarks": [
            {
                "benchmark": b["benchmark"],
                "digest": b["digest"],
                "items": b["items"],
                "searchable": b["searchable"],
                "contaminated": b["contaminated"],
                "suspect": b["suspect"],
                "unsearchable": b["unsearchable"],
            }
            for b in view.worst_first(scan["benchmarks"])
        ],
    }


def _drift_part(policy: Policy, drift: DriftReport, domains: pl.DataFrame | None) -> DriftPart:
    measure = "tokens" if policy.drift is None else policy.drift.measure
    moves = moves_of(drift, measure, domains)
    moves.sort(key=lambda move: (-abs(move.change), move.domain))
    shown = moves[:SHOWN_DOMAINS]
    hidden = drift["domains_not_shown"] if domains is None else 0
    return {
        "measure": measure,
        "domains": [
            {
                "domain": move.domain,
                "baseline": move.baseline,
                "candidate": move.candidate,
                "change": move.change,
                "floor": move.floor,
            }
            for move in shown
        ],
        "domains_not_shown": len(moves) - len(shown) + hidden,
        "statements": [f"{row['text']} ({row['evidence']})" for row in drift["statements"]],
    }
