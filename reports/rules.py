"""The rules that a gate knows: their names, families, scopes and meaning.

A rule is named like the key of the policy that sets its limit. What cannot be waived is what says
that something was not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from reports.verdict_schema import ScopeKind

CONTAMINATION_SETS: Final = ("contaminated", "verbatim", "near", "semantic", "suspect")
CONTAMINATION_MEASURES: Final = ("items", "share", "share_low")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `words` say what is measured, `parts` are finer scopes that a waiver may name."""

    id: str
    family: str
    scope: ScopeKind
    words: str
    waivable: bool = True
    parts: tuple[str, ...] = ()


_SET_WORDS: Final = {
    "contaminated": "items contaminated by verbatim or near evidence",
    "verbatim": "items contaminated by verbatim evidence",
    "near": "items contaminated by near evidence",
    "semantic": "items contaminated by semantic evidence alone",
    "suspect": "suspect items",
}
_MEASURE_WORDS: Final = {
    "items": "number of",
    "share": "share of the searchable items that are",
    "share_low": "lower end of the 95% interval of the share that are",
}

_LISTED: Final = (
    *(
        Rule(
            f"contamination.{which}.{measure}",
            "contamination",
            "benchmark",
            f"{_MEASURE_WORDS[measure]} {_SET_WORDS[which]}",
            parts=("item",),
        )
        for which in CONTAMINATION_SETS
        for measure in CONTAMINATION_MEASURES
    ),
    Rule(
        "contamination.required", "coverage", "entry",
        "benchmarks that must have been searched for", waivable=False,
    ),
    Rule(
        "searchable", "searchable", "benchmark",
        "share of a benchmark's items that can be searched", waivable=False,
    ),
    Rule("coverage.shards", "coverage", "version", "share of shards read whole", waivable=False),
    Rule("coverage.documents", "coverage", "version", "share of documents read", waivable=False),
    Rule(
        "coverage.benchmarks", "coverage", "whole", "whether any benchmark was searched for", waivable=False,
    ),
    Rule("coverage.corpus", "coverage", "version", "whether anything was read", waivable=False),
    Rule("coverage.domains", "coverage", "whole", "whether rules for domains fit any document", waivable=False),
    Rule(
        "calibration", "calibration", "whole",
        "whether the scan measured its own recall and false positives, and passed", waivable=False,
    ),
    Rule("drift.baseline", "drift", "whole", "whether there is a baseline", waivable=False),
    Rule("drift.domains.change", "drift.domains", "domain", "change of a domain's share"),
    Rule("drift.domains.factor", "drift.domains", "domain", "factor of a domain's share, up or down"),
    Rule("drift.domains.min_share", "drift.domains", "domain", "share of a domain, at least"),
    Rule("drift.domains.max_share", "drift.domains", "domain", "share of a domain, at most"),
    Rule("drift.domains.new", "drift.domains", "domain", "share of a domain that the baseline lacks"),
    Rule("drift.domains.vanished", "drift.domains", "domain", "former share of a domain that is gone"),
    Rule(
        "drift.domains.total_variation", "drift.domains", "whole",
        "share of the mix that moved (total variation), beyond noise",
    ),
    Rule(
        "drift.tokens.change", "drift.tokens", "whole",
        "share of token mass that moved (total variation), beyond noise",
    ),
    Rule(
        "drift.tokens.within", "drift.tokens", "whole",
        "share of token mass that moved within domains, beyond noise",
    ),
    Rule("drift.tokens.vanished", "drift.tokens", "whole", "number of tokens that vanished"),
    Rule("drift.tokens.required", "drift.tokens", "token", "tokens that must not vanish"),
    Rule(
        "drift.exposure", "drift.exposure", "benchmark",
        "bits per token by which a benchmark is covered less",
    ),
    Rule("drift.copies.exact", "drift.copies", "whole", "share of documents that are exact copies"),
    Rule("drift.copies.near", "drift.copies", "whole", "share of documents that are near copies"),
    Rule(
        "drift.copies.increase", "drift.copies", "entry", "increase of the share of copies"
    ),
    Rule(
        "policy.rules", "policy", "whole", "whether any limit was judged at all", waivable=False
    ),
    Rule("policy.names", "policy", "entry", "names of the policy that stand for nothing", waivable=False),
    Rule("policy.waivers", "policy", "waiver", "waivers that lapsed or apply to nothing", waivable=False),
)  # fmt: skip

RULES: Final = {rule.id: rule for rule in _LISTED}
FAMILIES: Final = tuple(dict.fromkeys(rule.family for rule in _LISTED))


def rules_matching(glob: str) -> list[Rule]:
    """Return the rules that a name or glob stands for; `drift.*` is all below `drift`."""
    return [rule for rule in RULES.values() if rule.id == glob or fnmatchcase(rule.id, glob)]
