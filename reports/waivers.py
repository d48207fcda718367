"""Waivers: accepted violations, for as long as they hold.

A waiver turns a violation or a warning that was found into `waived`, or takes items out of a count.
It does nothing for what could not be judged, and nothing from the day after it expires on. One that
has lapsed, and one that fits nothing, is told as a warning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from reports import view
from reports.policy import Waiver, fits
from reports.results import result, scope_words
from reports.rules import rules_matching
from reports.sites import Sites
from reports.verdict_schema import Result, WaiverState


class Waivers:
    """The waivers of a policy on one day, and what each did in this run."""

    def __init__(self, waivers: Sequence[Waiver], today: date, sites: Sites) -> None:
        self._waivers = waivers
        self._today = today
        self._sites = sites
        self._rules = [{rule.id for rule in rules_matching(waiver.rule)} for waiver in waivers]
        self._results: list[list[str]] = [[] for _ in waivers]
        self._items: list[set[str]] = [set() for _ in waivers]

    def without_items(
        self, rule: str, benchmark: str, items: Collection[str]
    ) -> tuple[set[str], list[Waiver]]:
        """Return the items that are waived, and the lapsed waivers of items that are not."""
        waived: set[str] = set()
        lapsed: list[Waiver] = []
        for number, waiver in self._of(rule, benchmark, None, None):
            if waiver.item is None:
                continue
            found = {item for item in items if fits(item, waiver.item)}
            if not found:
                continue
            self._items[number] |= found
            self._results[number].append(f"{rule}, benchmark {benchmark}")
            if waiver.in_force(self._today):
                waived |= found
            else:
                lapsed.append(waiver)
        return waived, lapsed

    def applied(self, found: Result) -> Result:
        """Return the result as it stands with the waivers of whole results."""
        if found["status"] not in ("warn", "fail"):
            return found
        scope = found["scope"]
        names = {scope["kind"]: scope["name"]}
        lapsed = None
        for number, waiver in self._of(
            found["rule"], names.get("benchmark"), names.get("domain"), names.get("token")
        ):
            if waiver.item is not None:
                continue
            self._results[number].append(f"{found['rule']}, {scope_words(scope)}".rstrip(", "))
            if waiver.in_force(self._today):
                return {
                    **found,
                    "status": "waived",
                    "sentence": f"{found['sentence']} {by(waiver)}",
                }
            lapsed = waiver
        if lapsed is None:
            return found
        return {**found, "sentence": f"{found['sentence']} {lapsed_words(lapsed)}"}

    def states(self) -> list[WaiverState]:
        """Return every waiver and what it did."""
        return [
            {
                "rule": waiver.rule,
                "benchmark": waiver.benchmark,
                "domain": waiver.domain,
                "item": waiver.item,
                "token": waiver.token,
                "reason": waiver.reason,
                "owner": waiver.owner,
                "expires": waiver.expires.isoformat(),
                "in_force": waiver.in_force(self._today),
                "days_left": (waiver.expires - self._today).days,
                "results": list(dict.fromkeys(self._results[number])),
                "items": len(self._items[number]),
                "place": self._sites.of_limit(("waivers", number)),
            }
            for number, waiver in enumerate(self._waivers)
        ]

    def results(self, undecided: Collection[str]) -> Iterator[Result]:
        """Yield a warning for each waiver that lapsed or fits nothing.

        Of waivers for rules that are `undecided` nobody can say whether they fit.
        """
        for number, waiver in enumerate(self._waivers):
            told = _told(waiver)
            if not waiver.in_force(self._today):
                days = (self._today - waiver.expires).days
                sentence = (
                    f"The waiver {told} lapsed {view.plural(days, 'day')} ago and waives nothing: "
                    "remove it, or renew it with a new reason."
                )
            elif not self._results[number] and not self._rules[number] & set(undecided):
                sentence = f"The waiver {told} fits nothing that was found: remove it."
            else:
                continue
            yield result(
                "policy.waivers",
                ("waiver", told),
                "warn",
                sentence,
                command=self._sites.policy_command(),
                place=self._sites.of_limit(("waivers", number)),
            )

    def _of(
        self, rule: str, benchmark: str | None, domain: str | None, token: str | None
    ) -> Iterator[tuple[int, Waiver]]:
        for number, waiver in enumerate(self._waivers):
            wanted = (
                (waiver.benchmark, benchmark), (waiver.domain, domain), (waiver.token, token)
            )  # fmt: skip
            if rule in self._rules[number] and all(
                glob is None or (name is not None and fits(name, glob)) for glob, name in wanted
            ):
                yield number, waiver


def by(waiver: Waiver) -> str:
    """Return who waived it, why and until when, as a sentence."""
    return f"Waived by {waiver.owner} until {waiver.expires}: {waiver.reason.rstrip('.')}."


def lapsed_words(waiver: Waiver) -> str:
    """Return that a waiver no longer holds, as a sentence."""
    return f"Its waiver by {waiver.owner} lapsed on {waiver.expires}."


def _told(waiver: Waiver) -> str:
    names = (("benchmark", waiver.benchmark), ("domain", waiver.domain),
             ("item", waiver.item), ("token", waiver.token))  # fmt: skip
    return " ".join([waiver.rule, *_pairs(names), f"by {waiver.owner}"])


def _pairs(names: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    return (f"{key} {name}" for key, name in names if name is not None)
