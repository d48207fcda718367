"""What the rules of drift share: a divergence beside its floor, and what was not measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports.amounts import amount, beside
from reports.drift_schema import Divergence
from reports.limits import LeastShare, Limit
from reports.policy import Location
from reports.results import Held, hold, not_judged, result
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result, ScopeKind


def judge_divergence(
    rule: str,
    limit: Limit,
    found: Divergence | None,
    words: str,
    proof: list[Evidence],
    sites: Sites,
) -> Result:
    """Return a total variation held against its limit by what it exceeds the random halves by."""
    location: Location = tuple(rule.split("."))
    if found is None:
        return not_measured(rule, limit, f"the change of {words}", location, sites)
    excess = max(found["excess"], 0.0)
    held = hold(excess, limit, "points")
    is_noise = found["observed"] <= found["floor"]
    judged = beyond_noise(held, is_noise)
    told, most = beside(excess, held.limit, "points")
    return result(
        rule, ("whole", ""), judged.status,
        f"{words[:1].upper()}{words[1:]} moved by {told} beyond noise, {side(held, is_noise)} the limit of "
        f"{most}; random halves of the same documents show {amount(found['floor_mean'], 'points')} on "
        f"average and at most {amount(found['floor'], 'points')} in 99%.",
        unit="points", measured=excess, limit=held.limit, floor=found["floor"],
        past=judged.past, evidence=proof if judged.is_broken else [],
        command=sites.drift_command(), place=sites.of_limit(location),
    )  # fmt: skip


def not_measured(
    rule: str,
    limit: Limit | LeastShare,
    words: str,
    location: Location,
    sites: Sites,
    scope: tuple[ScopeKind, str] = ("whole", ""),
) -> Result:
    """Return that a limit was not judged; one that can fail makes the verdict incomplete."""
    return result(
        rule, scope, not_judged(limit), f"Not measured: {words}.",
        command=sites.drift_command(), place=sites.of_limit(location),
    )  # fmt: skip


def named(divergences: list[Divergence], name: str) -> Divergence | None:
    """Return the divergence of a name; None where it was not measured."""
    return next((each for each in divergences if each["name"] == name), None)


def noise_of(row: Mapping[str, Any]) -> float:
    """Return the change that noise explains: in the whole family of tests where that is known.

    With forty domains one of them moves beyond its own floor every third time, so what is held
    against the limits of all of them must beat the largest of forty.
    """
    limit = row.get("alarm_from")
    return float(row["floor"] if limit is None else limit)


def beyond_noise(held: Held, is_noise: bool) -> Held:
    """Return what was held against a limit, as kept where noise explains the breach."""
    return Held("pass", held.limit, 0.0) if is_noise else held


def side(held: Held, is_noise: bool = False) -> str:
    """Return on which side of its limit a value lies, in words."""
    if not held.is_broken:
        return "within"
    return "over (but within noise)" if is_noise else "over"
