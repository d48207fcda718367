"""The domain mix held against a policy: each domain's change, what is new and gone, the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from reports import view
from reports.amounts import amount, beside
from reports.drift_schema import TOTAL_VARIATION, DriftReport
from reports.judge_items import unknown_name
from reports.judge_noise import (
    beyond_noise,
    judge_divergence,
    named,
    noise_of,
    not_measured,
    side,
)
from reports.limits import FactorLimit, LeastShare, ShareLimit
from reports.policy import DomainPolicy, DriftPolicy, Location, fits
from reports.results import Held, evidence, hold, result
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result, Unit

LARGEST_FACTOR: Final = 1e6  # of a share that came near to nothing
SHOWN: Final = 5
POINTS: Final[Unit] = "points"
FACTOR: Final[Unit] = "factor"
NO_DOMAIN: Final = "(no domain)"  # as in `reports.summary`


@dataclass(frozen=True, slots=True)
class Move:
    """One domain's shares in both versions; `floor` is what random halves of the documents show."""

    domain: str
    baseline: float
    candidate: float
    floor: float

    @property
    def change(self) -> float:
        """Candidate minus baseline."""
        return self.candidate - self.baseline

    @property
    def is_noise(self) -> bool:
        """Whether random halves of the same documents lie as far apart."""
        return abs(self.change) <= self.floor

    @property
    def factor(self) -> float:
        """How many times as large the larger share is."""
        small, large = sorted((self.baseline, self.candidate))
        return min(large / small, LARGEST_FACTOR) if small > 0 else LARGEST_FACTOR


def judge_domains(
    policy: DriftPolicy, drift: DriftReport, sites: Sites, table: pl.DataFrame | None
) -> Iterator[Result]:
    """Yield the results of all limits on domains, by the policy's measure.

    `table` has the columns of `domains.parquet`, all domains; without it, the report's rows are
    judged, and what it does not show is not judged.
    """
    limits = policy.domains
    moves = moves_of(drift, policy.measure, table)
    unit = policy.measure
    for move in moves:
        yield from _domain(limits, move, unit, sites)
    hidden = drift["domains_not_shown"] if table is None else 0
    if hidden or not moves:
        yield from _not_seen(limits, hidden, unit, sites)
    yield from _names(limits, moves, hidden, unit, sites)
    if limits.total_variation is not None:
        of_measure = [row["divergences"] for row in drift["mix"] if row["measure"] == unit]
        yield judge_divergence(
            "drift.domains.total_variation", limits.total_variation,
            named(of_measure[0], TOTAL_VARIATION) if of_measure else None,
            f"the domain mix, by {unit},", _moved_most(moves, unit, sites), sites,
        )  # fmt: skip


def moves_of(drift: DriftReport, measure: str, table: pl.DataFrame | None) -> list[Move]:
    """Return the domains by a measure, in the order of the table or of the report."""
    rows: Sequence[Any] = drift["domains"]
    if table is not None:
        rows = table.to_dicts()
    return [
        Move(row["domain"] or NO_DOMAIN, row["baseline"], row["candidate"], min(noise_of(row), 1.0))
        for row in rows
        if row["measure"] == measure
    ]


def _domain(limits: DomainPolicy, move: Move, unit: str, sites: Sites) -> Iterator[Result]:
    if move.baseline == 0 and limits.new is not None:
        yield _edge("new", move, limits.new, unit, sites)
    if move.candidate == 0 and limits.vanished is not None:
        yield _edge("vanished", move, limits.vanished, unit, sites)
    for name, limit, location in limits.limits_of(move.domain):
        is_kept = move.baseline > 0 and move.candidate > 0
        is_large = max(move.baseline, move.candidate) >= limits.factor_from
        if name == "change" or (name == "factor" and is_kept and is_large):
            yield _moved(name, move, limit, unit, location, sites)
        elif name in ("min_share", "max_share"):
            yield _share(name, move, limit, unit, location, sites)


def _edge(which: str, move: Move, limit: ShareLimit, unit: str, sites: Sites) -> Result:
    """Return a domain that only one version has, held against its share there."""
    share = max(move.baseline, move.candidate)
    held = hold(share, limit, "share")
    told, most = beside(share, held.limit, "share")
    words = (
        f"{move.domain} is new, with {told} of the {unit}"
        if which == "new"
        else f"{move.domain} is gone; it had {told} of the {unit}"
    )
    return _result(
        f"drift.domains.{which}", move, beyond_noise(held, move.is_noise),
        f"{words}, {side(held, move.is_noise)} the limit of {most}; {_noise(move)}.",
        "share", share, ("drift", "domains", which), sites,
    )  # fmt: skip


def _moved(
    name: str,
    move: Move,
    limit: ShareLimit | FactorLimit,
    unit: str,
    location: Location,
    sites: Sites,
) -> Result:
    """Return a domain's change, in points or as a factor, held against its limit."""
    measured, of = (move.change, POINTS) if name == "change" else (move.factor, FACTOR)
    held = hold(abs(measured), limit, of)
    told, most = beside(abs(measured), held.limit, of)
    way = "up" if move.change > 0 else "down"
    return _result(
        f"drift.domains.{name}", move, beyond_noise(held, move.is_noise),
        f"{move.domain}: {_became(move, unit)}, {way} by {told}, {side(held, move.is_noise)} the limit of "
        f"{most}; {_noise(move)}.",
        of, measured, location, sites,
    )  # fmt: skip


def _share(
    name: str,
    move: Move,
    limit: ShareLimit | LeastShare,
    unit: str,
    location: Location,
    sites: Sites,
) -> Result:
    held = hold(move.candidate, limit, "share")
    told, bound = beside(move.candidate, held.limit, "share")
    least = name == "min_share"
    where = ("under" if least else "over") if held.is_broken else "within"
    return _result(
        f"drift.domains.{name}", move, held,
        f"{move.domain} has {told} of the {unit}, {where} the limit of {'at least' if least else 'at most'} "
        f"{bound}.",
        "share", move.candidate, location, sites,
    )  # fmt: skip


def _result(
    rule: str, move: Move, held: Held, sentence: str, unit: Unit, measured: float,
    location: Location, sites: Sites,
) -> Result:  # fmt: skip
    return result(
        rule, ("domain", move.domain), held.status, sentence, unit=unit, measured=measured,
        limit=held.limit, floor=None if rule.endswith("_share") else move.floor, past=held.past,
        command=sites.drift_command(),
        place=sites.of_domain(move.domain) or sites.of_limit(location),
    )  # fmt: skip


def _not_seen(limits: DomainPolicy, hidden: int, unit: str, sites: Sites) -> Iterator[Result]:
    """Yield the limits that hold for every domain as not judged, for those that nobody saw."""
    asked = (
        ("change", limits.default.change), ("factor", limits.default.factor),
        ("max_share", limits.default.max_share), ("new", limits.new), ("vanished", limits.vanished),
    )  # fmt: skip
    words = f"{view.plural(hidden, 'domain')} that the drift report does not show"
    for name, limit in asked:
        if limit is not None:
            section = ("drift", "domains")
            location = (
                (*section, name) if name in ("new", "vanished") else (*section, "default", name)
            )
            what = words if hidden else f"any domain by {unit}"
            scope = ("domain", f"({what})")
            yield not_measured(f"drift.domains.{name}", limit, what, location, sites, scope)  # type: ignore[arg-type]


def _names(
    limits: DomainPolicy, moves: Sequence[Move], hidden: int, unit: str, sites: Sites
) -> Iterator[Result]:
    """Yield what the policy says of domains that are in neither version."""
    for name, own in limits.named.items():
        if any(fits(move.domain, name) for move in moves):
            continue
        location: Location = ("drift", "domains", "named", name)
        if own.min_share is None:
            yield unknown_name(name, "domain", location, sites)
        elif hidden:
            where = (*location, "min_share")
            yield not_measured(
                "drift.domains.min_share", own.min_share, f"the share of {name}", where, sites, ("domain", name)
            )  # fmt: skip
        else:
            nothing = Move(name, 0.0, 0.0, 0.0)
            yield _share("min_share", nothing, own.min_share, unit, (*location, "min_share"), sites)


def _moved_most(moves: Sequence[Move], unit: str, sites: Sites) -> list[Evidence]:
    ranked = sorted(moves, key=lambda move: (-abs(move.change), move.domain))
    return [
        evidence(
            "domain", move.domain,
            f"{_became(move, unit)}, {'up' if move.change > 0 else 'down'} by "
            f"{amount(move.change, 'points')}",
            domain=move.domain, place=sites.of_domain(move.domain),
        )
        for move in ranked[:SHOWN]
        if move.change
    ]  # fmt: skip


def _became(move: Move, unit: str) -> str:
    before, after = beside(move.baseline, move.candidate, "share")
    return f"{before} of the {unit} became {after}"


def _noise(move: Move) -> str:
    return f"random halves of the same documents differ by up to {amount(move.floor, 'points')}"
