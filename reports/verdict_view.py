"""What all renderings of a verdict agree on: names, order, numbers as words, the waiver to paste.

Nothing here knows a format.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from reports import view
from reports.amounts import amount
from reports.escape import visible_token
from reports.results import scope_words
from reports.rules import FAMILIES, RULES
from reports.verdict_schema import Evidence, Place, Result, Scope, Status, Verdict, WaiverState

FAMILY_NAMES: Final = {
    "contamination": "contamination",
    "searchable": "searchable items",
    "coverage": "what was read",
    "calibration": "calibration",
    "drift": "baseline",
    "drift.domains": "domain mix",
    "drift.tokens": "tokens",
    "drift.exposure": "exposure",
    "drift.copies": "copies",
    "policy": "the policy itself",
}
MINUS: Final = "−"
WAIVER_DAYS: Final = 30  # of the waiver that is offered for pasting
BAR_WIDTH: Final = 120
BAR_ROOM: Final = 1.1  # beyond the largest of value, limit and floor


@dataclass(frozen=True, slots=True)
class Bar:
    """A value beside its limit and its noise, in units of `BAR_WIDTH`."""

    value: float
    limit: float
    floor: float


def open_results(verdict: Verdict) -> list[Result]:
    """Return the results that are not plainly held, worst first."""
    return [found for found in verdict["results"] if found["status"] != "pass"]


def held_results(verdict: Verdict) -> list[Result]:
    """Return the results that passed."""
    return [found for found in verdict["results"] if found["status"] == "pass"]


def reasons(verdict: Verdict) -> list[tuple[Result, list[Result]]]:
    """Return the result of each reason, in order of weight, with lesser ones on the same thing."""
    known = {_key(found["rule"], found["scope"]): found for found in verdict["results"]}
    return [
        (
            known[_key(reason["rule"], reason["scope"])],
            [known[_key(rule, reason["scope"])] for rule in reason["also"]],
        )
        for reason in verdict["reasons"]
    ]


def also_words(also: Sequence[Result]) -> str:
    """Return the lesser results on the same thing as a sentence; nothing where there are none."""
    told = [f"{found['rule']} ({found['status']}: {measured(found)}, limit {limit(found)})" for found in also]  # fmt: skip
    return f"Also {', '.join(told)}." if told else ""


def signed_points(change: float) -> str:
    """Return a change of a share with its sign."""
    sign = MINUS if change < 0 else "+" if change > 0 else ""
    return sign + amount(change, "points")


def held_words(verdict: Verdict) -> str:
    """Return how many rules held, by family, and how many of them only because noise is as large."""
    held = held_results(verdict)
    told = []
    for family in families(found["family"] for found in held):
        own = [found for found in held if found["family"] == family]
        noise = sum(map(is_noise, own))
        note = f" ({view.count(noise)} beyond a limit, but within noise)" if noise else ""
        told.append(f"{FAMILY_NAMES.get(family, family)} {view.count(len(own))}{note}")
    return ", ".join(told)


def is_noise(found: Result) -> bool:
    """Return whether a rule held only because random halves of the documents lie as far apart."""
    value, most = found["measured"], found["limit"]
    if found["status"] != "pass" or found["floor"] is None or value is None or most is None:
        return False
    return (abs(value) if found["rule"] == "drift.domains.change" else value) > most


def families(named: Iterable[str]) -> list[str]:
    """Return each family once, in our order; those of a later version of the tool come last."""
    there = dict.fromkeys(named)
    return [*(f for f in FAMILIES if f in there), *sorted(f for f in there if f not in FAMILIES)]


def facts(verdict: Verdict) -> list[str]:
    """Return what was judged, by what, on which day."""
    judged = verdict["judged"]
    return [
        mix_name(verdict),
        view.plural(judged["shards"], "shard"),
        view.plural(judged["documents"], "document"),
        view.size(judged["bytes"]),
        "no baseline" if judged["baseline"] is None else f"against {judged['baseline']}",
        f"policy {judged['policy']} {judged['policy_digest'][:12]}",
        judged["calibration"],
        f"judged on {verdict['date']}",
        f"{verdict['tool']['name']} {verdict['tool']['version']}",
    ]


def mix_name(verdict: Verdict) -> str:
    """Return the mix as it was named; what was read may be its version in a store."""
    return verdict["judged"]["mix"] or verdict["judged"]["name"]


def exit_words(verdict: Verdict) -> str:
    """Return the exit status and what it means."""
    meaning = {0: "go on", 1: "the policy is violated", 3: "not decided; mend what is missing and run again"}  # fmt: skip
    return f"exit status {verdict['exit_status']}: {meaning[verdict['exit_status']]}"


def where(found: Result) -> str:
    """Return the scope of a result; `all` for the whole."""
    return scope_words(found["scope"]) or "all"


def measured(found: Result) -> str:
    """Return the measured value, with its sign where it is a change."""
    value = found["measured"]
    if value is None:
        return view.DASH
    sign = MINUS if value < 0 else "+" if value > 0 and is_signed(found) else ""
    return sign + amount(abs(value), found["unit"])


def limit(found: Result) -> str:
    """Return the limit that the value was held against."""
    return view.DASH if found["limit"] is None else amount(found["limit"], found["unit"])


def floor(found: Result) -> str:
    """Return the noise of the value."""
    if found["floor"] is None:
        return view.DASH
    return amount(
        found["floor"], "points" if found["unit"] in ("factor", "share") else found["unit"]
    )


def is_signed(found: Result) -> bool:
    """Return whether a value is a change that may go either way."""
    return found["rule"] in ("drift.domains.change", "drift.exposure", "drift.copies.increase")


def evidence_name(each: Evidence) -> str:
    """Return the name of a piece of evidence; of a token, its white space as signs."""
    return visible_token(each["name"]) if each["kind"] == "token" else each["name"]


def evidence_at(each: Evidence) -> str:
    """Return where a piece of evidence is, as `shard:row`; nothing where its name says so."""
    if each["shard"] is None or each["kind"] == "problem":
        return ""
    return each["shard"] if each["row"] is None else f"{each['shard']}:{each['row']}"


def place(found: Place | None) -> str:
    """Return a place as `mix.yaml, line 12`; nothing where there is none."""
    return "" if found is None else f"{found['file']}, line {found['line']}"


def bar(found: Result) -> Bar | None:
    """Return a result as a bar; None where it has no value or its floor is in another unit."""
    if found["measured"] is None or found["limit"] is None:
        return None
    same_unit = found["unit"] in ("points", "bits per token")
    floor_value = found["floor"] if found["floor"] is not None and same_unit else 0.0
    value = abs(found["measured"])
    scale = max(value, found["limit"], floor_value) * BAR_ROOM or 1.0
    return Bar(*(round(BAR_WIDTH * v / scale, 2) for v in (value, found["limit"], floor_value)))


def waiver_lines(found: Result, also: Sequence[Result], today: str) -> list[str]:
    """Return the waiver of a reason as lines of `policy.yaml`; nothing where it cannot be waived."""
    rule = RULES.get(found["rule"])
    if rule is None or not rule.waivable or found["status"] not in ("fail", "warn"):
        return []
    scope = found["scope"]
    named = f"{rule.id.rpartition('.')[0]}.*" if also else rule.id
    is_named = scope["kind"] in ("benchmark", "domain", "token")
    return [
        f"  - rule: {named}",
        *([f"    {scope['kind']}: {_quoted(scope['name'])}"] if is_named else []),
        "    reason: WHY",
        "    owner: WHO",
        f"    expires: {date.fromisoformat(today) + timedelta(days=WAIVER_DAYS)}",
    ]


def waiver_scope(waiver: WaiverState) -> str:
    """Return what a waiver is for: `benchmark gsm8k, item test-17`; `all` where it names nothing."""
    names = (
        ("benchmark", waiver["benchmark"]), ("domain", waiver["domain"]),
        ("item", waiver["item"]), ("token", waiver["token"]),
    )  # fmt: skip
    return ", ".join(f"{key} {name}" for key, name in names if name is not None) or "all"


def waiver_count(number: int, lapsed: int) -> str:
    """Return how many waivers there are, and how many of them lapsed."""
    if not number:
        return "No waivers."
    return f"{view.plural(number, 'waiver')}{f', {view.count(lapsed)} of them lapsed' if lapsed else ''}."


def waiver_state(waiver: WaiverState) -> str:
    """Return whether a waiver holds and what it did: `in force, 12 days left, 1 item`."""
    days = waiver["days_left"]
    if not waiver["in_force"]:
        return f"LAPSED {view.plural(-days, 'day')} ago"
    left = "its last day" if days == 0 else f"{view.plural(days, 'day')} left"
    did = [view.plural(waiver["items"], "item")] if waiver["items"] else []
    did = did or (
        [view.plural(len(waiver["results"]), "result")] if waiver["results"] else ["unused"]
    )
    return ", ".join(["in force", left, *did])


def tone(status: Status | str) -> str:
    """Return the class of a status: what it is coloured by."""
    return {"fail": "bad", "incomplete": "bad", "warn": "warn"}.get(status, "calm")


def commands(verdict: Verdict) -> Iterator[str]:
    """Yield each command of the reasons once."""
    yield from dict.fromkeys(
        reason["command"] for reason in verdict["reasons"] if reason["command"]
    )


def _key(rule: str, scope: Scope) -> tuple[str, str, str]:
    return rule, scope["kind"], scope["name"]


def _quoted(name: str) -> str:
    """Return a name as a YAML string; JSON's are, and a glob sign in one would stand for itself."""
    return json.dumps(name, ensure_ascii=False)
