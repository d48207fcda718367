"""A policy in plain words: what a mix must hold, what each breach means, and the state of waivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reports import view
from reports.amounts import amount
from reports.escape import one_line
from reports.limits import CountLimits, LeastShare, Limit, NeededShare
from reports.policy import (
    UNSETTLED,
    BenchmarkLimits,
    DomainLimits,
    DriftPolicy,
    Policy,
    Waiver,
    policy_digest,
)
from reports.rules import CONTAMINATION_MEASURES, CONTAMINATION_SETS
from reports.verdict_schema import Unit

SETS = {
    "contaminated": "contaminated by verbatim or near evidence",
    "verbatim": "contaminated by verbatim evidence",
    "near": "contaminated by near evidence",
    "semantic": "contaminated by semantic evidence alone",
    "suspect": "suspect",
}


def explain(policy: Policy, today: date) -> str:
    """Return the policy in words, with its waivers as they stand on a day."""
    blocks = (
        [f"Policy {policy.name} (digest {policy_digest(policy)[:12]})"],
        ["CONTAMINATION", *_contamination(policy)],
        ["WHAT MUST HAVE BEEN SEEN", *_seen(policy)],
        ["DRIFT", *_drift(policy.drift)],
        [f"WAIVERS on {today}", *_waivers(policy, today)],
    )
    return "\n\n".join("\n".join(map(one_line_indented, block)) for block in blocks) + "\n"


def one_line_indented(line: str) -> str:
    """Return a line whose hidden characters are visible, its indent kept."""
    return " " * (len(line) - len(line.lstrip(" "))) + one_line(line)


def _contamination(policy: Policy) -> Iterator[str]:
    found = policy.contamination
    yield "every benchmark that is not named below:"
    lines = list(_benchmark(found.default))
    if found.default.semantic is None:
        lines += list(_counts("semantic", UNSETTLED))
    yield from lines or ["  no limit"]
    for name, limits in found.benchmarks.items():
        yield f"{name} (what is not said is as for every benchmark):"
        yield from list(_benchmark(limits)) or ["  as for every benchmark"]
    if found.required:
        yield f"incomplete unless searched for: {', '.join(found.required)}"


def _benchmark(limits: BenchmarkLimits) -> Iterator[str]:
    for which in CONTAMINATION_SETS:
        chosen: CountLimits | None = getattr(limits, which)
        if chosen is not None:
            yield from _counts(which, chosen)


def _counts(which: str, limits: CountLimits) -> Iterator[str]:
    words = {
        "items": "items that are {}: {}",
        "share": "share of searchable items that are {}: {}",
        "share_low": "lower end of the 95% interval of the share that are {}: {}",
    }
    given = [m for m in CONTAMINATION_MEASURES if getattr(limits, m) is not None]
    for measure in given:
        unit: Unit = "items" if measure == "items" else "share"
        yield f"  {words[measure].format(SETS[which], _most(getattr(limits, measure), unit))}"
    if not given:
        yield f"  items that are {SETS[which]}: not judged"


def _seen(policy: Policy) -> Iterator[str]:
    yield f"searchable items of each benchmark: {_least(policy.searchable.default)}"
    for name, needed in policy.searchable.benchmarks.items():
        yield f"  {name}: {_least(needed)}"
    yield f"shards read whole: {_least(policy.coverage.shards)}"
    yield f"documents read: {_least(policy.coverage.documents)}"
    asked = "required; without it the verdict is incomplete" if policy.calibration.required else "not required; without it there is a warning"  # fmt: skip
    yield f"calibration: {asked}"
    yield "something unread within these limits is a warning, never a pass"


def _drift(drift: DriftPolicy | None) -> Iterator[str]:
    if drift is None:
        yield "no limits: a baseline is not asked for"
        return
    without = "incomplete" if drift.required else "a warning"
    yield f"a baseline is needed; without one the verdict is {without}"
    yield f"shares are of {drift.measure}; a change counts only beyond what random halves of the same documents show"  # fmt: skip
    yield "every domain that is not named below:"
    yield from list(_domain(drift.domains.default)) or ["  no limit"]
    for name, limits in drift.domains.named.items():
        yield f"{name} (what is not said is as for every domain):"
        yield from list(_domain(limits)) or ["  as for every domain"]
    if drift.domains.default.factor is not None:
        yield f"  factors are judged from a share of {amount(drift.domains.factor_from, 'share')}"
    yield from _wholes(drift)
    for name, bits in drift.exposure.benchmarks.items():
        yield f"  {name}: {_most(bits, 'bits per token')}"
    if drift.tokens.required:
        yield f"tokens that must not vanish: {', '.join(drift.tokens.required)}"


def _wholes(drift: DriftPolicy) -> Iterator[str]:
    rows: tuple[tuple[str, Limit | None, Unit], ...] = (
        ("share of a new domain", drift.domains.new, "share"),
        ("former share of a domain that is gone", drift.domains.vanished, "share"),
        ("share of the mix that moved", drift.domains.total_variation, "points"),
        ("share of token mass that moved", drift.tokens.change, "points"),
        ("share of token mass that moved within domains", drift.tokens.within, "points"),
        ("tokens that vanished", drift.tokens.vanished, "tokens"),
        ("documents that are exact copies", drift.copies.exact, "share"),
        ("documents that are near copies", drift.copies.near, "share"),
        ("increase of the share of copies, exact or near", drift.copies.increase, "points"),
        ("bits by which a benchmark is covered less", drift.exposure.default, "bits per token"),
    )
    for words, limit, unit in rows:
        if limit is not None:
            yield f"{words}: {_most(limit, unit)}"


def _domain(limits: DomainLimits) -> Iterator[str]:
    if limits.change is not None:
        yield f"  change of its share, up or down: {_most(limits.change, 'points')}"
    if limits.factor is not None:
        yield f"  growth or loss: {_most(limits.factor, 'factor')}"
    if limits.min_share is not None:
        yield f"  its share: {_least(limits.min_share)}"
    if limits.max_share is not None:
        yield f"  its share: {_most(limits.max_share, 'share')}"


def _most(limit: Limit, unit: Unit) -> str:
    told = [
        f"more than {amount(level, unit)} {meaning}"
        for level, meaning in ((limit.warn, "is a warning"), (limit.fail, "violates the policy"))
        if level is not None
    ]
    return ", ".join(told)


def _least(limit: LeastShare | NeededShare) -> str:
    worst = limit.incomplete if isinstance(limit, NeededShare) else limit.fail
    meaning = "is incomplete" if isinstance(limit, NeededShare) else "violates the policy"
    told = [
        f"less than {amount(level, 'share')} {words}"
        for level, words in ((limit.warn, "is a warning"), (worst, meaning))
        if level is not None
    ]
    return ", ".join(told)


def _waivers(policy: Policy, today: date) -> Iterator[str]:
    if not policy.waivers:
        yield "none"
    for waiver in policy.waivers:
        yield f"{waiver.rule}{_names(waiver)}: {_state(waiver, today)}"
        yield f"  {waiver.reason.rstrip('.')}. Owner: {waiver.owner}"


def _names(waiver: Waiver) -> str:
    keys = ("benchmark", "domain", "item", "token")
    named = [f"{key} {getattr(waiver, key)}" for key in keys if getattr(waiver, key) is not None]
    return f" ({', '.join(named)})" if named else ""


def _state(waiver: Waiver, today: date) -> str:
    days = (waiver.expires - today).days
    if days < 0:
        return f"LAPSED on {waiver.expires}, {view.plural(-days, 'day')} ago; it waives nothing"
    left = "today is its last day" if days == 0 else f"{view.plural(days, 'day')} left"
    return f"in force until {waiver.expires}, {left}"
