"""Contamination held against a policy: leaked items by benchmark, status and kind of evidence.

The kind of an item is that of its strongest finding: the one that made its status where the table
says so, else the one with the highest score. An item that is flagged without a finding counts as
verbatim, the kind that is judged most strictly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from reports import view
from reports.amounts import beside
from reports.intervals import binomial_interval
from reports.limits import CountLimits, Limit
from reports.policy import Contamination, Location, fits, is_glob
from reports.results import evidence, hold, not_judged, result
from reports.rules import CONTAMINATION_MEASURES
from reports.schema import BenchmarkSummary, Report
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result, Unit
from reports.waivers import Waivers, lapsed_words

FLAGGED: Final = ("contaminated", "suspect")
KINDS: Final = ("verbatim", "near", "semantic")  # the stronger first
SEMANTIC_SCANNER: Final = "embedding"
EXCERPT_CHARS: Final = 300
UNITS: Final[dict[str, Unit]] = {"items": "items", "share": "share", "share_low": "share"}
ADJECTIVES: Final = {
    "contaminated": "contaminated", "verbatim": "contaminated by verbatim evidence", "near": "contaminated by near evidence",
    "semantic": "contaminated by semantic evidence alone", "suspect": "suspect",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """One set of a benchmark's items and the limits on it."""

    which: str
    limits: CountLimits
    location: Location
    benchmark: BenchmarkSummary
    items: pl.DataFrame  # of the set, strongest first


def judge_items(
    policy: Contamination,
    report: Report,
    items: pl.DataFrame,
    findings: pl.DataFrame,
    waivers: Waivers,
    sites: Sites,
) -> Iterator[Result]:
    """Yield the results of all limits on items, of all benchmarks.

    Raises:
        ValueError: when `items` are not those of the report.
    """
    flagged = flagged_items(items, findings)
    _check_same(report, items)
    unseen = _semantic_unseen(report, flagged)
    if unseen:
        yield from _semantic_not_judged(policy, report, sites)
    for benchmark in report["benchmarks"]:
        own = flagged.filter(pl.col("benchmark") == benchmark["benchmark"])
        for which, limits, location in policy.limits_of(benchmark["benchmark"]):
            if which == "semantic" and unseen:
                continue
            asked = Question(which, limits, location, benchmark, _set(own, which))
            yield from _judge(asked, waivers, sites)
    yield from _names(policy, report, sites)


def flagged_items(items: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return contaminated and suspect items, strongest first, each with its strongest finding."""
    by_status = [pl.col("item_status") * -1] if "item_status" in findings.columns else []
    strongest = (
        findings.with_columns(
            pl.col("kind").replace_strict({kind: n for n, kind in enumerate(KINDS)}, default=0)
            .alias("_rank")
        )
        .sort(*by_status, pl.col("score") * -1, "_rank", "shard", "row", "doc_start", maintain_order=True)
        .group_by("benchmark", "item_id", maintain_order=True)
        .first()
        .select("benchmark", "item_id", "kind", "shard", "row", "doc_id", "domain", "excerpt")
    )  # fmt: skip
    return (
        items.filter(pl.col("status").is_in(FLAGGED))
        .select("benchmark", "item_id", "status", "score", "leak_type", "n_documents")
        .join(strongest, on=["benchmark", "item_id"], how="left")
        .with_columns(pl.col("kind").fill_null(KINDS[0]))
        .sort("benchmark", "status", pl.col("score") * -1, "item_id")
    )


def _set(own: pl.DataFrame, which: str) -> pl.DataFrame:
    """Return the flagged items of a benchmark that a limit is on."""
    if which == "suspect":
        return own.filter(pl.col("status") == "suspect")
    bad = own.filter(pl.col("status") == "contaminated")
    if which == "contaminated":
        return bad.filter(pl.col("kind") != "semantic")
    return bad.filter(pl.col("kind") == which)


def _judge(asked: Question, waivers: Waivers, sites: Sites) -> Iterator[Result]:
    for measure in CONTAMINATION_MEASURES:
        limit: Limit | None = getattr(asked.limits, measure)
        if limit is not None:
            found = _held(asked, measure, limit, waivers, sites)
            yield waivers.applied(found)


def _held(asked: Question, measure: str, limit: Limit, waivers: Waivers, sites: Sites) -> Result:
    rule = f"contamination.{asked.which}.{measure}"
    name, searchable = asked.benchmark["benchmark"], asked.benchmark["searchable"]
    place = sites.of_limit((*asked.location, measure))
    if not searchable:
        return result(
            rule, ("benchmark", name), "incomplete",
            f"{name}: none of its {view.plural(asked.benchmark['items'], 'item')} can be searched, so none "
            "can be ruled out.",
            command=sites.scan_command(asked.benchmark["path"], ()), place=place,
        )  # fmt: skip
    everything = asked.items["item_id"].to_list()
    waived, lapsed = waivers.without_items(rule, name, everything)
    left = asked.items.filter(~pl.col("item_id").is_in(list(waived))) if waived else asked.items
    before = hold(_measure(measure, len(everything), searchable), limit, UNITS[measure])
    measured = _measure(measure, left.height, searchable)
    held = hold(measured, limit, UNITS[measure])
    is_waived = before.is_broken and not held.is_broken
    shown = asked.items if is_waived else left
    proof = _evidence(shown, sites) if before.is_broken else []
    sentence = _sentence(asked, measure, left.height, measured, held.limit, held.is_broken)
    if waived:
        sentence += f" {view.plural(len(waived), 'item')} waived."
    if held.is_broken:
        sentence = " ".join([sentence, *(lapsed_words(waiver) for waiver in lapsed)])
    return result(
        rule,
        ("benchmark", name),
        "waived" if is_waived else held.status,
        sentence,
        unit=UNITS[measure],
        measured=measured,
        limit=held.limit,
        past=held.past,
        evidence=proof,
        evidence_total=shown.height if before.is_broken else 0,
        command=sites.scan_command(asked.benchmark["path"], _shards(shown)),
        place=next((e["place"] for e in proof if e["place"] is not None), place),
    )


def _measure(measure: str, items: int, searchable: int) -> float:
    if measure == "items":
        return items
    if measure == "share":
        return items / searchable
    return binomial_interval(min(items, searchable), searchable)[0]


def _sentence(
    asked: Question, measure: str, items: int, measured: float, limit: float, is_broken: bool
) -> str:
    benchmark = asked.benchmark
    told, most = beside(measured, limit, UNITS[measure])
    held = "over" if is_broken else "within"
    counted = (
        f"{benchmark['benchmark']}: {view.count(items)} of "
        f"{view.plural(benchmark['searchable'], 'searchable item')} "
        f"{'is' if items == 1 else 'are'} {ADJECTIVES[asked.which]}"
    )
    if measure == "items":
        return f"{counted}, {held} the limit of {view.count(round(limit))}."
    if measure == "share":
        return f"{counted} ({told}), {held} the limit of {most}."
    return f"{counted}; the share is at least {told} (95% interval), {held} the limit of {most}."


def _shards(items: pl.DataFrame) -> Sequence[str]:
    return items["shard"].drop_nulls().to_list()


def _evidence(items: pl.DataFrame, sites: Sites) -> list[Evidence]:
    return [
        evidence(
            "item",
            item["item_id"],
            f"{item['status']}, {item['leak_type'] or 'no leak type'}, {item['kind']}, score "
            f"{item['score']:.2f}, in {view.plural(item['n_documents'], 'document')}",
            shard=item["shard"],
            row=item["row"],
            doc_id=item["doc_id"],
            domain=item["domain"],
            excerpt=None if item["excerpt"] is None else view.clip(item["excerpt"], EXCERPT_CHARS),
            place=sites.of_shard(item["shard"]),
        )
        for item in items.head(20).iter_rows(named=True)
    ]


def _check_same(report: Report, items: pl.DataFrame) -> None:
    counted = dict(items.group_by("benchmark").len().iter_rows())
    listed = {b["benchmark"]: b["items"] for b in report["benchmarks"] if b["items"]}
    if counted != listed:
        raise ValueError(f"items of {counted} do not belong to a report of {listed}")


def _semantic_unseen(report: Report, flagged: pl.DataFrame) -> bool:
    scanners = report["parameters"].get("scanners")
    ran = isinstance(scanners, list) and SEMANTIC_SCANNER in scanners
    return not ran and not (flagged["kind"] == "semantic").any()


def _semantic_not_judged(policy: Contamination, report: Report, sites: Sites) -> Iterator[Result]:
    """Yield one result for all benchmarks: the gravest that a limit on semantic evidence asks for."""
    limits = [
        (not_judged(limit), (*location, measure))
        for benchmark in report["benchmarks"]
        for which, asked, location in policy.limits_of(benchmark["benchmark"])
        for measure in CONTAMINATION_MEASURES
        if which == "semantic" and (limit := getattr(asked, measure)) is not None
    ]
    if not limits:
        return
    status, location = min(limits)  # "incomplete" before "skipped"
    yield result(
        "contamination.semantic.items", ("whole", ""), status,
        f"Semantic evidence was not looked for: no scanner {SEMANTIC_SCANNER} ran.",
        command=sites.gate_command(scanners=f"ngram,minhash,{SEMANTIC_SCANNER}"),
        place=sites.of_limit(location),
    )  # fmt: skip


def _names(policy: Contamination, report: Report, sites: Sites) -> Iterator[Result]:
    """Yield what the policy says of benchmarks that are not there."""
    names = [benchmark["benchmark"] for benchmark in report["benchmarks"]]
    for number, wanted in enumerate(policy.required):
        there = [name for name in names if fits(name, wanted)]
        held = f"{wanted} was searched for."
        missing = f"The policy requires the benchmark {wanted}, and it was not searched for."
        yield result(
            "contamination.required", ("entry", wanted), "pass" if there else "incomplete",
            held if there else missing,
            command=sites.gate_command(), place=sites.of_limit(("contamination", "required", number)),
        )  # fmt: skip
    for name in policy.benchmarks:
        if not any(fits(benchmark, name) for benchmark in names):
            yield unknown_name(name, "benchmark", ("contamination", "benchmarks", name), sites)


def unknown_name(name: str, what: str, location: Location, sites: Sites) -> Result:
    """Return that the policy has limits for something that is not there: a warning, or a glob's rest."""
    return result(
        "policy.names", ("entry", f"{'.'.join(map(str, location))}"),
        "skipped" if is_glob(name) else "warn",
        f"The policy has limits for the {what} {name}, and none is called so.",
        command=sites.policy_command(), place=sites.of_limit(location),
    )  # fmt: skip
