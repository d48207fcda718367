"""Drift held against a policy: domains, tokens, exposure and copies.

A change breaks a limit only where it is also beyond its floor: what random halves of the same
documents show. Total variations are judged by their excess over the mean of those halves, since the
number itself grows with noise alone. Where a shard of either version was not read, a change may be
its absence, so what would be a violation is `incomplete`.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from reports import view
from reports.drift_schema import DriftReport
from reports.judge_domains import judge_domains
from reports.judge_exposure import judge_copies, judge_exposure
from reports.judge_tokens import judge_tokens
from reports.policy import DriftPolicy, Policy
from reports.results import result
from reports.schema import Report
from reports.sites import Sites
from reports.verdict_schema import Result, Status
from reports.waivers import Waivers


def judge_drift(
    policy: Policy,
    report: Report,
    drift: DriftReport | None,
    waivers: Waivers,
    sites: Sites,
    *,
    baseline_named: bool,
    domains: pl.DataFrame | None = None,
    tokens: pl.DataFrame | None = None,
) -> Iterator[Result]:
    """Yield the results of all limits on drift; of all limits together where there is no baseline."""
    limits = policy.drift
    if limits is None:
        return
    if drift is None:
        yield _no_baseline(limits, sites, baseline_named)
        return
    unread = sum(version["shards_unread"] for version in drift["versions"])
    for found in _all(limits, report, drift, sites, domains, tokens):
        judged = waivers.applied(found)
        yield _undecided(judged, unread) if unread else judged


def _no_baseline(limits: DriftPolicy, sites: Sites, baseline_named: bool) -> Result:
    status: Status = "incomplete" if limits.required or baseline_named else "warn"
    sentence = "There is no baseline, so nobody knows what moved: name one with --against."
    if baseline_named:
        sentence = "A baseline was named, and the comparison with it did not run."
    return result(
        "drift.baseline", ("whole", ""), status, sentence,
        command=sites.gate_command(against=sites.against or "BASELINE.yaml"),
        place=sites.of_limit(("drift",)),
    )  # fmt: skip


def _undecided(found: Result, unread: int) -> Result:
    if found["status"] != "fail":
        return found
    more = f"Not decided: {view.plural(unread, 'shard')} of the versions could not be read."
    return {**found, "status": "incomplete", "sentence": f"{found['sentence']} {more}"}


def _all(
    limits: DriftPolicy,
    report: Report,
    drift: DriftReport,
    sites: Sites,
    domains: pl.DataFrame | None,
    tokens: pl.DataFrame | None,
) -> Iterator[Result]:
    yield from judge_domains(limits, drift, sites, domains)
    yield from judge_tokens(limits.tokens, drift, sites, tokens)
    yield from judge_exposure(limits.exposure, report, drift, sites)
    yield from judge_copies(limits.copies, drift, sites)
