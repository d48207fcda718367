"""The things to know first about a drift run, in order of weight, each with its evidence and where to look.

The weight of a statement is how many times its size is that which the policy calls large, so that a
domain, a benchmark and a share of copies can stand in one list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reports import drift_numbers as numbers
from reports import view
from reports.drift_schema import (
    BenchmarkExposure,
    ChangeKind,
    CopyShare,
    DomainChange,
    DomainTokens,
    Shape,
    Statement,
    TokenDriftSummary,
)
from reports.escape import visible_token
from scanners.copies import LEAST as COPIES_LEAST
from scanners.drift_policy import DriftPolicy

MOST: Final = 20
NAMED: Final = 5  # tokens in a sentence
PUSHED: Final = 0.25
SAID: Final[dict[ChangeKind, str]] = {
    "vanished": "are gone from domains that still exist",
    "new": "are new in domains that existed before",
    "faller": "are less frequent within their domains",
    "riser": "are more frequent within their domains",
}

Weighed = tuple[float, Statement]


def statements(
    policy: DriftPolicy,
    unit: str,
    domains: Sequence[DomainChange],
    amounts: Mapping[str, tuple[float, float]],
    tokens: TokenDriftSummary,
    domain_tokens: Sequence[DomainTokens],
    exposure: Sequence[BenchmarkExposure],
    copies: Sequence[CopyShare],
    shapes: Sequence[Shape],
) -> list[Statement]:
    """Return what moved beyond noise, the weightiest first; `amounts` are tokens of domains, old and new."""
    noun = "word" if unit == "words" else "token"
    found = [
        *_of_domains(policy, noun, domains, amounts),
        *_of_tokens(policy, noun, tokens, domain_tokens),
        *_of_benchmarks(policy, noun, exposure),
        *_of_copies(copies),
        *_of_shapes(policy, shapes),
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1]["subject"]))
    return [statement for _, statement in found[:MOST]]


def _of_domains(
    policy: DriftPolicy,
    noun: str,
    changes: Sequence[DomainChange],
    amounts: Mapping[str, tuple[float, float]],
) -> Iterator[Weighed]:
    order = ("tokens", "bytes", "documents")
    alarmed: dict[str, list[DomainChange]] = {}
    for change in changes:
        if change["alarm"]:
            alarmed.setdefault(change["domain"], []).append(change)
    for domain, found in alarmed.items():
        change = min(found, key=lambda each: order.index(each["measure"]))
        measure = f"{noun}s" if change["measure"] == "tokens" else change["measure"]
        before, after = numbers.share(change["baseline"]), numbers.share(change["candidate"])
        state = {"new": "is new", "vanished": "is gone", "below minimum": "is below its minimum"}
        text = f"{state.get(change['state'], 'moved')}: {before} to {after} of {measure}"
        if change["state"] == "kept":
            text += f" ({numbers.points(change['change'])}, {numbers.relative(change['relative'])})"
            text += _by_itself(change, *amounts[domain], noun)
        size = abs(change["change"]) / policy.domain_change
        yield (
            size,
            {
                "kind": "domain",
                "subject": domain,
                "text": text,
                "evidence": f"noise up to {numbers.width(change['floor'])} points; 95 % interval of the "
                f"change {numbers.points_interval(change['ci_low'], change['ci_high'])}",
                "look": _where(change, *amounts[domain]),
                "is_alarm": True,
            },
        )


def _by_itself(change: DomainChange, before: float, after: float, noun: str) -> str:
    """Return what a share does not tell: whether the domain itself changed, or the rest around it."""
    grew = after / before - 1
    if _is_pushed(change, grew):
        rest = "the rest grew" if change["change"] < 0 else "the rest shrank"
        return f", although it holds {numbers.relative(grew)} {noun}s: {rest}"
    return f", with {numbers.relative(grew)} {noun}s of its own"


def _where(change: DomainChange, before: float, after: float) -> str:
    if change["state"] == "kept" and _is_pushed(change, after / before - 1):
        return "what was added or dropped elsewhere; this domain kept what it had"
    return "which sources were added, dropped or re-weighted in this domain"


def _is_pushed(change: DomainChange, grew: float) -> bool:
    """Tell whether the domain's own amount explains less than a quarter of its changed share."""
    relative = change["relative"] or 0.0
    return grew * relative <= 0 or abs(grew) < abs(relative) * PUSHED


def _of_tokens(
    policy: DriftPolicy,
    noun: str,
    tokens: TokenDriftSummary,
    domains: Sequence[DomainTokens],
) -> Iterator[Weighed]:
    for row in domains:
        if not row["alarm"]:
            continue
        examples = [t["token"] for t in tokens["shown"] if t["domain"] == row["domain"]][:NAMED]
        listed = _listed(examples)
        yield (
            (row["within"] - row["floor"]) / policy.token_variation,
            {
                "kind": "whole",
                "subject": row["domain"],
                "text": f"has other text inside: {numbers.share(row['within'])} of all {noun} occurrences "
                "moved within this domain, its share held fixed",
                "evidence": f"noise up to {numbers.share(row['floor'])}",
                "look": f"what was replaced in this domain{f'; see {listed}' if listed else ''}",
                "is_alarm": True,
            },
        )
    for kind, said in SAID.items():
        number = tokens["alarms"].get(kind, 0)
        examples = [t["token"] for t in tokens["shown"] if t["change_kind"] == kind][:NAMED]
        if not number:
            continue
        gone = kind == "vanished"
        yield (
            # tokens that vanish are rare by nature: they weigh by number, others are told with domains
            number / 20 if gone else number / 2_000,
            {
                "kind": "tokens",
                "subject": view.plural(number, noun),
                "text": said,
                "evidence": f"of {view.count(tokens['tested'])} tested, at most "
                f"{policy.false_alarms:.1%} of them by chance",
                "look": _listed(examples),
                "is_alarm": True,
            },
        )


def _listed(tokens: Sequence[str]) -> str:
    return ", ".join(visible_token(token) for token in tokens)


def _of_benchmarks(
    policy: DriftPolicy, noun: str, exposure: Sequence[BenchmarkExposure]
) -> Iterator[Weighed]:
    for row in exposure:
        if not row["alarm"]:
            continue
        worse = row["change"] > 0
        drivers = ", ".join(driver["name"] for driver in row["driver_domains"][:2])
        yield (
            # what is covered better needs no hurry
            abs(row["change"]) / policy.exposure_bits * (1 if worse else 0.25),
            {
                "kind": "exposure",
                "subject": row["benchmark"],
                "text": f"is covered {'less well' if worse else 'better'}: {row['baseline_bits']:.2f} to "
                f"{row['candidate_bits']:.2f} bits per {noun}",
                "evidence": f"noise up to {row['floor']:.3f} bits; 95 % interval of the change "
                f"{numbers.signed(row['ci_low'], 3)} to {numbers.signed(row['ci_high'], 3)}",
                "look": drivers or "the tokens that drive it",
                "is_alarm": True,
            },
        )


def _of_copies(copies: Sequence[CopyShare]) -> Iterator[Weighed]:
    for row in copies:
        if row["alarm"]:
            change = row["candidate"] - row["baseline"]
            yield (
                abs(change) / COPIES_LEAST,
                {
                    "kind": "documents",
                    "subject": f"{row['kind']} copies",
                    "text": f"are {numbers.share(row['candidate'])} of the documents, after "
                    f"{numbers.share(row['baseline'])}",
                    "evidence": f"standard errors {numbers.share(row['baseline_error'])} and "
                    f"{numbers.share(row['candidate_error'])}",
                    "look": "sluicegate duplicates CANDIDATE --against BASELINE",
                    "is_alarm": True,
                },
            )


def _of_shapes(policy: DriftPolicy, shapes: Sequence[Shape]) -> Iterator[Weighed]:
    for shape in shapes:
        divergence = shape["divergence"]
        if divergence["alarm"]:
            most = max(shape["bins"], key=lambda each: abs(each["candidate"] - each["baseline"]))
            unit = f" {shape['unit']}" if shape["ordered"] else ""  # others have names of their own
            yield (
                # shapes follow from what moved above: they come after it
                divergence["excess"] / policy.mix_variation / 4,
                {
                    "kind": "documents",
                    "subject": shape["name"],
                    "text": f"{numbers.share(divergence['observed'])} is elsewhere, most of it "
                    f"{most['label']}{unit}: {numbers.share(most['baseline'])} to "
                    f"{numbers.share(most['candidate'])}",
                    "evidence": f"noise up to {numbers.share(divergence['floor'])}",
                    "look": "whether the domains above explain it",
                    "is_alarm": True,
                },
            )
