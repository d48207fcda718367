"""What one rule says in one scope: held against its limit, put into words, named for ever.

A limit is broken by what lies beyond it, not by what meets it. Numbers that were added up in another
order may differ in the last digit, so a hair's breadth over a limit is on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.limits import LeastShare, Limit, NeededShare
from reports.rules import RULES
from reports.verdict_schema import Evidence, Place, Result, Scope, ScopeKind, Status, Unit

HAIR: Final = 1e-9
SHOWN_EVIDENCE: Final = 20  # of a result: the rest is counted
PROBLEM_CHARS: Final = 300
# One step past a limit of none, so that a distance past it can be told: an item, a hundredth.
STEPS: Final[dict[Unit, float]] = {
    "share": 0.01, "points": 0.01, "items": 1.0, "tokens": 1.0, "factor": 1.0,
    "bits per token": 0.01, "none": 1.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Held:
    """A value held against its limit; `past` is the distance past it in units of the limit."""

    status: Status
    limit: float
    past: float

    @property
    def is_broken(self) -> bool:
        """Whether the value lies beyond the limit."""
        return self.status != "pass"


def hold(measured: float, limit: Limit | LeastShare | NeededShare, unit: Unit) -> Held:
    """Hold a value against a limit: against the graver one that it breaks, else the nearest."""
    least = not isinstance(limit, Limit)
    grave: Status = "incomplete" if isinstance(limit, NeededShare) else "fail"
    worst = limit.incomplete if isinstance(limit, NeededShare) else limit.fail
    levels: list[tuple[Status, float | None]] = [(grave, worst), ("warn", limit.warn)]
    for status, level in levels:
        if level is not None and _beyond(measured, level, least):
            return Held(status, level, _distance(measured, level, unit))
    nearest = limit.warn if limit.warn is not None else worst
    assert nearest is not None, "a limit has at least one level"
    return Held("pass", nearest, 0.0)


def result(
    rule: str,
    scope: tuple[ScopeKind, str],
    status: Status,
    sentence: str,
    *,
    unit: Unit = "none",
    measured: float | None = None,
    limit: float | None = None,
    floor: float | None = None,
    past: float = 0.0,
    evidence: Sequence[Evidence] = (),
    evidence_total: int | None = None,
    command: str = "",
    place: Place | None = None,
) -> Result:
    """Return the result of a rule; the status is that of the sentence, not of the numbers.

    What could not be judged for another reason than a number stands one limit past.
    """
    return {
        "rule": rule,
        "family": RULES[rule].family,
        "scope": {"kind": scope[0], "name": scope[1]},
        "status": status,
        "sentence": sentence,
        "unit": unit,
        "measured": measured,
        "limit": limit,
        "floor": floor,
        "past": past or (1.0 if status == "incomplete" else 0.0),
        "evidence": list(evidence[:SHOWN_EVIDENCE]),
        "evidence_total": len(evidence) if evidence_total is None else evidence_total,
        "command": command,
        "place": place,
        "fingerprint": fingerprint(rule, *scope),
    }


def evidence(kind: str, name: str, text: str, **more: str | int | Place | None) -> Evidence:
    """Return a piece of evidence; what is not told of it is null."""
    empty = {"shard": None, "row": None, "doc_id": None, "domain": None, "excerpt": None, "place": None}  # fmt: skip
    return empty | {"kind": kind, "name": name, "text": text} | more  # type: ignore[return-value]  # all keys are there


def fingerprint(*names: str) -> str:
    """Return what stays the same of a result, or of a piece of its evidence, between runs."""
    return hashlib.sha256("\0".join(names).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def not_judged(limit: Limit | LeastShare) -> Status:
    """Return the status of a limit that was not judged: what can fail must have been checked."""
    return "skipped" if limit.fail is None else "incomplete"


def scope_words(scope: Scope) -> str:
    """Return a scope as words: `benchmark gsm8k`, or nothing for the whole."""
    return "" if scope["kind"] == "whole" else f"{scope['kind']} {scope['name']}"


def _beyond(measured: float, level: float, least: bool) -> bool:
    hair = HAIR * max(1.0, abs(level))
    return measured < level - hair if least else measured > level + hair


def _distance(measured: float, level: float, unit: Unit) -> float:
    """Return how far past the limit, in units of the limit; of a limit of none, in steps."""
    unit_of = level if level > HAIR else STEPS[unit]
    return round(abs(measured - level) / unit_of, 6)
