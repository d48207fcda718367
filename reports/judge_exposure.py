"""How much less a version covers what benchmarks are made of, and how much of it is copies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from reports import view
from reports.amounts import amount, beside
from reports.drift_schema import BenchmarkExposure, CopyShare, DriftReport
from reports.judge_items import unknown_name
from reports.judge_noise import beyond_noise, noise_of, not_measured, side
from reports.limits import BitsLimit, ShareLimit
from reports.policy import CopiesPolicy, ExposurePolicy, Location, fits
from reports.results import evidence, hold, not_judged, result
from reports.schema import Report
from reports.sites import Sites
from reports.verdict_schema import Evidence, Result, Status

CERTAIN: Final = 2.576  # standard errors that 99 % of random differences stay under
SHOWN: Final = 5
NAMES_CHARS: Final = 200
COPIES: Final[tuple[Literal["exact", "near"], ...]] = ("exact", "near")


def judge_exposure(
    policy: ExposurePolicy, report: Report, drift: DriftReport, sites: Sites
) -> Iterator[Result]:
    """Yield whether each benchmark of the run is covered as well as before."""
    measured = {row["benchmark"]: row for row in drift["exposure"]}
    names = dict.fromkeys([*measured, *(b["benchmark"] for b in report["benchmarks"])])
    missing: list[tuple[Status, str, Location]] = []
    for name in names:
        wanted = policy.limit_of(name)
        if wanted is None:
            continue
        limit, location = wanted
        if name in measured:
            yield _exposure(measured[name], limit, location, sites)
        else:
            missing.append((not_judged(limit), name, location))
    if missing:
        yield _missing(missing, sites)
    for entry in policy.benchmarks:
        if not any(fits(name, entry) for name in names):
            yield unknown_name(
                entry, "benchmark", ("drift", "exposure", "benchmarks", entry), sites
            )


def judge_copies(policy: CopiesPolicy, drift: DriftReport, sites: Sites) -> Iterator[Result]:
    """Yield whether too many documents are copies of another, and whether they became more."""
    rows: dict[str, CopyShare] = {row["kind"]: row for row in drift["copies"]}
    for kind in COPIES:
        own: ShareLimit | None = getattr(policy, kind)
        row = rows.get(kind)
        rule = f"drift.copies.{kind}"
        if own is not None and row is None:
            words = f"the share of {kind} copies"
            yield not_measured(rule, own, words, ("drift", "copies", kind), sites)
        elif own is not None and row is not None:
            yield _copies(rule, row, own, sites)
        limit = policy.increase
        if limit is not None and row is None:
            yield not_measured(
                "drift.copies.increase", limit, f"the change of the share of {kind} copies",
                ("drift", "copies", "increase"), sites, ("entry", kind),
            )  # fmt: skip
        elif limit is not None and row is not None:
            yield _more_copies(row, limit, sites)


def _exposure(row: BenchmarkExposure, limit: BitsLimit, location: Location, sites: Sites) -> Result:
    change, floor = row["change"], noise_of(row)
    held = hold(change, limit, "bits per token")
    is_noise = change <= floor
    judged = beyond_noise(held, is_noise)
    told, most = beside(abs(change), held.limit, "bits per token")
    way = "less well" if change > 0 else "better" if change < 0 else "as well"
    noise = f"random halves of the same documents show up to {amount(floor, 'bits per token')}"
    return result(
        "drift.exposure", ("benchmark", row["benchmark"]), judged.status,
        f"{row['benchmark']}: covered {way} by {told}, {side(held, is_noise)} the limit of {most}; {noise}.",
        unit="bits per token", measured=change, limit=held.limit, floor=floor,
        past=judged.past, evidence=_drivers(row) if judged.is_broken else [],
        command=sites.drift_command(with_benchmarks=True), place=sites.of_limit(location),
    )  # fmt: skip


def _missing(missing: list[tuple[Status, str, Location]], sites: Sites) -> Result:
    """Return the benchmarks that were not compared, as one result: the gravest that they ask for."""
    status, _, location = min(missing)  # "incomplete" before "skipped"
    names = [name for _, name, _ in missing]
    return result(
        "drift.exposure", ("whole", ""), status,
        f"How well {view.plural(len(names), 'benchmark')} {'is' if len(names) == 1 else 'are'} covered was "
        f"not measured: {view.clip(', '.join(names), NAMES_CHARS)}.",
        evidence=[evidence("reason", name, "not measured") for name in names],
        command=sites.drift_command(with_benchmarks=True), place=sites.of_limit(location),
    )  # fmt: skip


def _drivers(row: BenchmarkExposure) -> list[Evidence]:
    return [
        *(
            evidence("domain", driver["name"], f"{driver['bits']:+.3f} bits per token")
            for driver in row["driver_domains"][:SHOWN]
        ),
        *(
            evidence("token", driver["name"], f"{driver['bits']:+.3f} bits per token")
            for driver in row["driver_tokens"][:SHOWN]
        ),
        *(evidence("token", term, "vanished") for term in row["vanished"][:SHOWN]),
    ]


def _copies(rule: str, row: CopyShare, limit: ShareLimit, sites: Sites) -> Result:
    held = hold(row["candidate"], limit, "share")
    told, most = beside(row["candidate"], held.limit, "share")
    error = amount(row["candidate_error"], "points")
    return result(
        rule, ("whole", ""), held.status,
        f"{told} of the documents are {row['kind']} copies of another (standard error {error}), "
        f"{side(held)} the limit of {most}.",
        unit="share", measured=row["candidate"], limit=held.limit, past=held.past,
        command=sites.duplicates_command(), place=sites.of_limit(tuple(rule.split("."))),
    )  # fmt: skip


def _more_copies(row: CopyShare, limit: ShareLimit, sites: Sites) -> Result:
    change = row["candidate"] - row["baseline"]
    floor = CERTAIN * float(row["baseline_error"] ** 2 + row["candidate_error"] ** 2) ** 0.5
    held = hold(change, limit, "points")
    is_noise = change <= floor
    judged = beyond_noise(held, is_noise)
    told, most = beside(abs(change), held.limit, "points")
    shares = f"{amount(row['baseline'], 'share')} to {amount(row['candidate'], 'share')}"
    return result(
        "drift.copies.increase", ("entry", row["kind"]), judged.status,
        f"The share of {row['kind']} copies went {'up' if change > 0 else 'down'} by {told} ({shares} of "
        f"the documents), {side(held, is_noise)} the limit of {most}; up to {amount(floor, 'points')} "
        "are chance.",
        unit="points", measured=change, limit=held.limit, floor=floor,
        past=judged.past,
        command=sites.duplicates_command(), place=sites.of_limit(("drift", "copies", "increase")),
    )  # fmt: skip
