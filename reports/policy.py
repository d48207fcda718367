"""`policy.yaml`: what a data mix must hold before a model is trained on it.

Numbers have one form. A share stands in [0, 1] and never as a percentage; a change of a share is a
difference of shares (0.05 is 5 points); a factor is above 1; exposure is in bits per token. A limit
is the most (or, for `min_share`, `searchable` and `coverage`, the least) that is still allowed; `warn`
is reported, `fail` violates the policy, `incomplete` means that too little was seen to judge.

Sections that are left out set no limits, apart from those that fail closed: `searchable`, `coverage`
and `calibration` hold as they are written here. Unknown keys are errors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import Field, field_validator, model_validator

from corpora.places import nearest
from corpora.yaml_file import Strict, YamlFile, read_yaml
from reports.limits import (
    BitsLimit,
    CountLimit,
    CountLimits,
    FactorLimit,
    LeastShare,
    NeededShare,
    Share,
    ShareLimit,
)
from reports.rules import CONTAMINATION_SETS, RULES, rules_matching

DEFAULT_POLICY_FILE: Final = Path(__file__).with_name("data") / "default_policy.yaml"

Name = Annotated[str, Field(min_length=1)]
Location = tuple[int | str, ...]  # keys from the top of the file down
Entry = TypeVar("Entry")


class BenchmarkLimits(Strict):
    """Limits of one benchmark, or of all; what is left out is as for all.

    `contaminated` are contaminated items by verbatim or near evidence, `verbatim`, `near` and
    `semantic` those whose strongest evidence is of that kind, `suspect` are suspect items.
    """

    contaminated: CountLimits | None = None
    verbatim: CountLimits | None = None
    near: CountLimits | None = None
    semantic: CountLimits | None = None
    suspect: CountLimits | None = None


class Contamination(Strict):
    """Limits for all benchmarks (`default`), for some by name or glob, and which must be searched."""

    default: BenchmarkLimits = BenchmarkLimits()
    benchmarks: dict[Name, BenchmarkLimits] = Field(default_factory=dict)
    required: tuple[Name, ...] = ()

    def limits_of(self, benchmark: str) -> Iterator[tuple[str, CountLimits, Location]]:
        """Yield the limits that hold for a benchmark: what they are on, and where they stand."""
        own = best_entry(benchmark, self.benchmarks)
        for name in CONTAMINATION_SETS:
            chosen = None if own is None else getattr(own[1], name)
            if own is not None and chosen is not None:
                yield name, chosen, ("contamination", "benchmarks", own[0], name)
            elif (common := getattr(self.default, name)) is not None:
                yield name, common, ("contamination", "default", name)
            elif name == "semantic":
                yield name, UNSETTLED, ("contamination",)


class Searchable(Strict):
    """The least share of items that can be searched, for all benchmarks and for some."""

    default: NeededShare = NeededShare(incomplete=0.95)
    benchmarks: dict[Name, NeededShare] = Field(default_factory=dict)

    def needed_of(self, benchmark: str) -> tuple[NeededShare, Location]:
        """Return what holds for a benchmark, and where it stands."""
        own = best_entry(benchmark, self.benchmarks)
        if own is None:
            return self.default, ("searchable", "default")
        return own[1], ("searchable", "benchmarks", own[0])


class Coverage(Strict):
    """The least share of shards and of documents that must have been read."""

    shards: NeededShare = NeededShare(incomplete=1.0)
    documents: NeededShare = NeededShare(incomplete=1.0)


class CalibrationPolicy(Strict):
    """Whether the run must have measured its own recall and false positives, and passed."""

    required: bool = True


class DomainLimits(Strict):
    """Limits of one domain, or of all.

    `change` is between the shares of both versions, up or down; `factor` says the same of their
    ratio; `min_share` and `max_share` are of the candidate.
    """

    change: ShareLimit | None = None
    factor: FactorLimit | None = None
    min_share: LeastShare | None = None
    max_share: ShareLimit | None = None


class DomainPolicy(Strict):
    """Limits of the domain mix; `factor_from` is the share from which a domain's factor is judged."""

    default: DomainLimits = DomainLimits()
    named: dict[Name, DomainLimits] = Field(default_factory=dict)
    new: ShareLimit | None = None
    vanished: ShareLimit | None = None
    total_variation: ShareLimit | None = None
    factor_from: Share = 0.01

    @model_validator(mode="after")
    def _no_least_for_all(self) -> Self:
        if self.default.min_share is not None:
            raise ValueError("min_share is for domains by name; move it under named")
        return self

    def limits_of(self, domain: str) -> Iterator[tuple[str, Any, Location]]:
        """Yield the limits that hold for a domain: their rule's last word, and where they stand."""
        own = best_entry(domain, self.named)
        for name in DomainLimits.model_fields:
            chosen = None if own is None else getattr(own[1], name)
            if own is not None and chosen is not None:
                yield name, chosen, ("drift", "domains", "named", own[0], name)
            elif (common := getattr(self.default, name)) is not None:
                yield name, common, ("drift", "domains", "default", name)


class TokenPolicy(Strict):
    """Limits of token frequencies: the whole change, that within domains, tokens that vanished."""

    change: ShareLimit | None = None
    within: ShareLimit | None = None
    vanished: CountLimit | None = None
    required: tuple[Name, ...] = ()


class ExposurePolicy(Strict):
    """How much less a version may cover what benchmarks are made of."""

    default: BitsLimit | None = None
    benchmarks: dict[Name, BitsLimit] = Field(default_factory=dict)

    def limit_of(self, benchmark: str) -> tuple[BitsLimit, Location] | None:
        """Return what holds for a benchmark and where it stands; None without a limit."""
        own = best_entry(benchmark, self.benchmarks)
        if own is not None:
            return own[1], ("drift", "exposure", "benchmarks", own[0])
        return None if self.default is None else (self.default, ("drift", "exposure", "default"))


class CopiesPolicy(Strict):
    """Limits of the share of documents that are copies of another; `increase` is of either kind."""

    exact: ShareLimit | None = None
    near: ShareLimit | None = None
    increase: ShareLimit | None = None


class DriftPolicy(Strict):
    """Limits of what may change against the baseline; without a baseline nothing passes."""

    required: bool = True
    measure: Literal["documents", "bytes", "tokens"] = "tokens"
    domains: DomainPolicy = DomainPolicy()
    tokens: TokenPolicy = TokenPolicy()
    exposure: ExposurePolicy = ExposurePolicy()
    copies: CopiesPolicy = CopiesPolicy()


class Waiver(Strict):
    """A violation that is accepted until `expires`, that day included; names may be globs.

    With `item`, those items are not counted; else the whole result is waived. It cannot stand in for
    something that was not checked.
    """

    rule: Name
    benchmark: Name | None = None
    domain: Name | None = None
    item: Name | None = None
    token: Name | None = None
    reason: Name
    owner: Name
    expires: date

    @field_validator("expires", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        if isinstance(value, datetime) or not isinstance(value, date | str):
            raise ValueError(f"write the last day on which it holds as 2026-12-31, not {value!r}")
        return value

    @field_validator("reason", "owner")
    @classmethod
    def _says_something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it must not be blank")
        return value

    @model_validator(mode="after")
    def _can_apply(self) -> Self:
        rules = [rule for rule in rules_matching(self.rule) if rule.waivable]
        if not rules:
            known = [rule.id for rule in RULES.values() if rule.waivable]
            raise ValueError(
                f"no rule that can be waived is called {self.rule!r}{nearest(self.rule, known)}; "
                "each result of a gate names its rule"
            )
        scopes = {scope for rule in rules for scope in (rule.scope, *rule.parts)}
        for key in ("benchmark", "domain", "item", "token"):
            if getattr(self, key) is not None and key not in scopes:
                raise ValueError(f"{key} says nothing for the rule {self.rule!r}; leave it out")
        return self

    def in_force(self, today: date) -> bool:
        """Whether it has not lapsed yet."""
        return today <= self.expires


class Policy(Strict):
    """All limits and waivers; `format` is the version of this form."""

    format: Literal[1] = 1
    name: Name
    contamination: Contamination = Contamination()
    searchable: Searchable = Searchable()
    coverage: Coverage = Coverage()
    calibration: CalibrationPolicy = CalibrationPolicy()
    drift: DriftPolicy | None = None
    waivers: tuple[Waiver, ...] = ()


UNSETTLED: Final = CountLimits(items=CountLimit(warn=0))  # semantic evidence, where nothing is said


def read_policy(path: str) -> Policy:
    """Read and check a policy.

    Raises:
        CorpusError: one line that names file, line, key and mend.
    """
    return read_policy_file(path).value


def read_policy_file(path: str) -> YamlFile[Policy]:
    """Read and check a policy, with the places of its parts (see `reports.sites`)."""
    return read_yaml(path, Policy, "policy.yaml")


@cache
def default_policy() -> Policy:
    """Return the policy that is shipped: `data/default_policy.yaml`, with a reason for each number."""
    return read_policy(str(DEFAULT_POLICY_FILE))


def policy_digest(policy: Policy) -> str:
    """Return the SHA-256 of what a policy says, whatever its comments and layout."""
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()


def best_entry(name: str, entries: Mapping[str, Entry]) -> tuple[str, Entry] | None:
    """Return the entry of a name: its own, or that of the first glob that fits."""
    if name in entries:
        return name, entries[name]
    return next(((glob, entry) for glob, entry in entries.items() if fits(name, glob)), None)


def fits(name: str, glob: str) -> bool:
    """Return whether a name is the one named, or one that a glob stands for."""
    return name == glob or fnmatchcase(name, glob)


def is_glob(name: str) -> bool:
    """Return whether a name may stand for several."""
    return any(sign in name for sign in "*?[")
