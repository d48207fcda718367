"""What was seen, held against a policy: shards and documents read, items searchable, calibration.

These are the rules that fail closed. None of them can be waived, and none passes where something was
not read: within the limit of the policy that is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reports import view
from reports.amounts import amount, beside
from reports.drift_schema import DriftReport
from reports.drift_view import rules_note
from reports.judge_items import unknown_name
from reports.limits import NeededShare
from reports.policy import Policy, fits
from reports.results import Held, evidence, hold, result
from reports.schema import BenchmarkSummary, ReadProblem, Report
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result

REASON_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one version, and what was not."""

    name: str
    shards: int
    shards_unread: int
    documents: int
    bad_documents: int
    problems: Sequence[ReadProblem]
    problems_not_shown: int
    complete: bool


def judge_coverage(
    policy: Policy, report: Report, drift: DriftReport | None, sites: Sites
) -> Iterator[Result]:
    """Yield whether enough was read, searched and measured for a verdict."""
    for read in _versions(report, drift):
        yield _shards(policy, read, sites)
        yield _documents(policy, read, sites)
        yield _corpus(read, sites)
    yield _benchmarks(report, sites)
    for benchmark in report["benchmarks"]:
        yield _searchable(policy, benchmark, sites)
    names = [benchmark["benchmark"] for benchmark in report["benchmarks"]]
    for name in policy.searchable.benchmarks:
        if not any(fits(benchmark, name) for benchmark in names):
            yield unknown_name(name, "benchmark", ("searchable", "benchmarks", name), sites)
    yield _calibration(policy, report, sites)
    if drift is not None and drift["origin"]["kind"] == "rules":
        yield _domains(drift, sites)


def _versions(report: Report, drift: DriftReport | None) -> Iterator[Read]:
    """Yield what was read of the mix and of the baseline; of the mix twice where that differs."""
    corpus = report["corpus"]
    mix = Read(
        "mix", corpus["shards"], corpus["shards_unread"], corpus["documents"],
        corpus["bad_documents"], corpus["problems"], corpus["problems_not_shown"], report["complete"],
    )  # fmt: skip
    yield mix
    if drift is None:
        return
    versions = drift["versions"]
    unread = any(version["shards_unread"] or version["bad_documents"] for version in versions)
    for version in versions:
        read = Read(
            f"drift {version['version']}", version["shards"], version["shards_unread"],
            version["documents"], version["bad_documents"], version["problems"],
            version["problems_not_shown"], drift["complete"] or unread,
        )  # fmt: skip
        if version["version"] == "baseline" or _counts(read) != _counts(mix):
            yield read


def _counts(read: Read) -> tuple[int, ...]:
    return read.shards, read.shards_unread, read.documents, read.bad_documents


def _shards(policy: Policy, read: Read, sites: Sites) -> Result:
    told = f"{_of(read.shards_unread, read.shards, 'shard')} of the {read.name} could not be read whole"
    unread = [problem for problem in read.problems if problem["row"] is None]
    return _share_read(
        "coverage.shards", policy.coverage.shards, read, read.shards - read.shards_unread,
        read.shards, told, unread, sites,
    )  # fmt: skip


def _documents(policy: Policy, read: Read, sites: Sites) -> Result:
    total = read.documents + read.bad_documents
    told = f"{_of(read.bad_documents, total, 'document')} of the {read.name} could not be read"
    bad = [problem for problem in read.problems if problem["row"] is not None]
    return _share_read(
        "coverage.documents", policy.coverage.documents, read, read.documents, total, told, bad, sites
    )  # fmt: skip


def _share_read(
    rule: str,
    needed: NeededShare,
    read: Read,
    good: int,
    total: int,
    told: str,
    problems: Sequence[ReadProblem],
    sites: Sites,
) -> Result:
    share = good / total if total else 1.0
    held = hold(share, needed, "share")
    status = "warn" if held.status == "pass" and good < total else held.status
    least = f"the policy needs {amount(held.limit, 'share')} read"
    first = f" The first is {problems[0]['shard']}: {_problem(problems[0])}" if problems else ""
    sentence = f"{told[:1].upper()}{told[1:]}; {least}.{first}"
    if good == total:
        noun = rule.rpartition(".")[2]
        sentence = f"All {view.count(total)} {noun} of the {read.name} were read."
    return result(
        rule, ("version", read.name), status, sentence, unit="share", measured=share,
        limit=held.limit, past=held.past, evidence=[_evidence(p, sites) for p in problems],
        evidence_total=max(total - good, len(problems)),
        command=sites.scan_command(
            sites.benchmarks[0] if sites.benchmarks else "", [p["shard"] for p in problems]
        ),
        place=next((place for p in problems if (place := sites.of_shard(p["shard"]))), None)
        or sites.of_limit(tuple(rule.split("."))),
    )  # fmt: skip


def _corpus(read: Read, sites: Sites) -> Result:
    """Return whether anything was read, and whether the run itself says that it saw everything."""
    if not read.documents:
        status, sentence = (
            "incomplete",
            f"No document of the {read.name} was read: nothing was judged.",
        )
    elif not read.complete and not read.shards_unread and not read.bad_documents:
        status, sentence = "incomplete", f"The run over the {read.name} did not see all of it."
    else:
        status, sentence = (
            "pass",
            f"{view.plural(read.documents, 'document')} of the {read.name} were read.",
        )
    return result(
        "coverage.corpus", ("version", read.name), status, sentence,  # type: ignore[arg-type]  # one of two
        command=sites.gate_command(),
        place=sites.of_limit(("coverage",)),
    )  # fmt: skip


def _benchmarks(report: Report, sites: Sites) -> Result:
    number = len(report["benchmarks"])
    return result(
        "coverage.benchmarks", ("whole", ""), "pass" if number else "incomplete",
        f"{view.plural(number, 'benchmark')} {'was' if number == 1 else 'were'} searched for."
        if number else "No benchmark was searched for: name some with --benchmarks.",
        command=sites.gate_command(), place=sites.of_limit(("contamination",)),
    )  # fmt: skip


def searchable(benchmark: BenchmarkSummary, needed: NeededShare) -> Held:
    """Return the share of a benchmark's items that can be searched, held against what is needed."""
    items = benchmark["items"]
    return hold(benchmark["searchable"] / items if items else 0.0, needed, "share")


def _searchable(policy: Policy, benchmark: BenchmarkSummary, sites: Sites) -> Result:
    needed, location = policy.searchable.needed_of(benchmark["benchmark"])
    name, items, good = benchmark["benchmark"], benchmark["items"], benchmark["searchable"]
    share = good / items if items else 0.0
    held = searchable(benchmark, needed)
    told, least = beside(share, held.limit, "share")
    status = held.status if items else "incomplete"
    side = "under" if held.is_broken else "and so at least"
    return result(
        "searchable", ("benchmark", name), status,
        f"{name}: {view.count(good)} of {view.plural(items, 'item')} can be searched ({told}), "
        f"{side} the {least} that the policy needs.",
        unit="share", measured=share, limit=held.limit, past=held.past,
        evidence=[
            evidence("reason", view.plural(entry["items"], "item"), entry["reason"])
            for entry in benchmark["unsearchable_reasons"]
        ] if held.is_broken else [],
        command=sites.scan_command(benchmark["path"], ()), place=sites.of_limit(location),
    )  # fmt: skip


def _calibration(policy: Policy, report: Report, sites: Sites) -> Result:
    calibration = report["calibration"]
    reason = calibration["reason"].rstrip(".")
    measured = "rates" in calibration
    if calibration["status"] == "CALIBRATED":
        status, sentence = "pass", f"The scan measured itself and passed: {reason}."
    elif measured:
        status, sentence = "incomplete", f"The scan failed its own calibration: {reason}."
    elif policy.calibration.required:
        status, sentence = (
            "incomplete",
            f"The scan is not calibrated, and the policy asks for it: {reason}.",
        )
    else:
        status, sentence = "warn", f"The scan is not calibrated: {reason}."
    return result(
        "calibration", ("whole", ""), status, sentence,  # type: ignore[arg-type]  # one of three
        command=sites.calibrate_command(), place=sites.of_limit(("calibration",)),
    )  # fmt: skip


def _domains(drift: DriftReport, sites: Sites) -> Result:
    """Return whether rules for domains fit anything: limits by domain say nothing otherwise."""
    note = rules_note(drift)
    sentence = f"{note[:1].upper()}{note[1:]}." if note else "Rules for domains fit both versions."
    return result(
        "coverage.domains", ("whole", ""), "warn" if note else "pass", sentence,
        command=sites.gate_command(), place=sites.of_limit(("drift",)),
    )  # fmt: skip


def _of(part: int, whole: int, noun: str) -> str:
    return f"{view.count(part)} of {view.plural(whole, noun)}"


def _problem(problem: ReadProblem) -> str:
    reason, mend = (view.clip(problem[key].rstrip("."), REASON_CHARS) for key in ("reason", "mend"))
    row = "" if problem["row"] is None else f"row {problem['row']}: "
    return f"{row}{reason}; {mend}."


def _evidence(problem: ReadProblem, sites: Sites) -> Evidence:
    return evidence(
        "problem", problem["shard"], _problem(problem), shard=problem["shard"], row=problem["row"],
        place=sites.of_shard(problem["shard"]),
    )  # fmt: skip
