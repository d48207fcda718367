"""From statistics to a drift run's `report.json`: its title, which rows are shown, versions and origin of domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import numpy as np

from corpora.domain_source import DomainSource
from reports import view
from reports.drift_definitions import DEFINITIONS
from reports.drift_exposure import exposure_row
from reports.drift_facts import DriftFacts, VersionFacts
from reports.drift_schema import (
    SCHEMA,
    BenchmarkExposure,
    DomainChange,
    DriftReport,
    DriftVersion,
    Measure,
    TokenDriftSummary,
    VersionName,
)
from reports.drift_schema import DomainOrigin as ReportedOrigin
from reports.drift_statements import statements
from reports.drift_tables import copy_row, divergence, domain_rows, domain_token_rows, token_summary
from reports.intervals import binomial_interval
from reports.summary import NO_DOMAIN, SHOWN_PROBLEMS
from scanners.domains import DomainDrift
from scanners.totals import DOCUMENTS, MEASURES

SHOWN_DOMAINS: Final = 200


def build_drift_report(facts: DriftFacts) -> DriftReport:
    """Return the content of `report.json`."""
    domains = domain_rows(facts)
    tokens = token_summary(facts)
    domain_tokens = domain_token_rows(facts)
    exposure = [exposure_row(facts, benchmark) for benchmark in facts.benchmarks]
    copies = [copy_row(each) for each in facts.copies]
    amounts = {
        name or NO_DOMAIN: (float(old), float(new))
        for name, (old, new) in zip(facts.domains.domains, facts.amounts, strict=True)
    }
    found = statements(
        facts.policy, facts.unit, domains, amounts, tokens, domain_tokens, exposure, copies,
        facts.shapes,
    )  # fmt: skip
    largest = sorted(
        {row["domain"] for row in domains},
        key=lambda name: (
            -max(max(row["baseline"], row["candidate"]) for row in domains if row["domain"] == name)
        ),
    )
    shown = set(largest[:SHOWN_DOMAINS]) | {row["domain"] for row in domains if row["alarm"]}
    alarms = _alarms(domains, tokens, exposure)
    others = (
        sum(each["alarm"] for each in copies)
        + sum(shape["divergence"]["alarm"] for shape in facts.shapes)
        + sum(row["alarm"] for row in domain_tokens)
    )
    return {
        "schema": SCHEMA,
        "tool": {"name": "sluicegate", "version": facts.tool_version},
        "title": _title(facts, alarms, others),
        "complete": facts.complete,
        "alarms": sum(alarms.values()) + others,
        "normal_form": facts.normal_form,
        "unit": facts.unit,
        "unit_digest": facts.unit_digest,
        "parameters": {
            "seed": facts.seed,
            "splits": facts.splits,
            "false_alarms": facts.policy.false_alarms,
            "domain_change": facts.policy.domain_change,
            "domain_relative": facts.policy.domain_relative,
            "domain_share": facts.policy.domain_share,
            "gone_share": facts.policy.gone_share,
            "mix_variation": facts.policy.mix_variation,
            "minimum_share": facts.policy.minimum_share,
            "token_log2": facts.policy.token_log2,
            "token_documents": facts.policy.token_documents,
            "token_variation": facts.policy.token_variation,
            "exposure_bits": facts.policy.exposure_bits,
        },
        "versions": [_version(version) for version in facts.versions],
        "statements": found,
        "origin": _origin(facts),
        "domains": [row for row in domains if row["domain"] in shown],
        "domains_not_shown": len(largest) - len(shown),
        "mix": [
            {"measure": cast("Measure", measure), "divergences": [divergence(d) for d in found]}
            for measure, found in zip(MEASURES, facts.domains.mix, strict=True)
        ],
        "tokens": tokens,
        "domain_tokens": [row for row in domain_tokens if row["domain"] in shown],
        "exposure": exposure,
        "shapes": list(facts.shapes),
        "copies": copies,
        "definitions": list(DEFINITIONS),
    }


def _alarms(
    domains: Sequence[DomainChange],
    tokens: TokenDriftSummary,
    exposure: Sequence[BenchmarkExposure],
) -> dict[str, int]:
    """Return the number of alarms by what they are of."""
    return {
        "domain": len({row["domain"] for row in domains if row["alarm"]}),
        "token": sum(tokens["alarms"].values()),
        "benchmark": sum(row["alarm"] for row in exposure),
    }


def _title(facts: DriftFacts, alarms: dict[str, int], others: int) -> str:
    noun = "word" if facts.unit == "words" else "token"
    names = {"domain": "domain", "token": noun, "benchmark": "benchmark"}
    parts = [view.plural(number, names[kind]) for kind, number in alarms.items() if number]
    if not parts and others:
        return f"{view.plural(others, 'thing')} moved beyond noise, no domain, {noun} or benchmark"
    if not parts:
        return "Nothing moved beyond noise" if facts.complete else "Nothing seen beyond noise"
    listed = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"{listed} moved beyond noise"


def _version(facts: VersionFacts) -> DriftVersion:
    shown = facts.problems[:SHOWN_PROBLEMS]
    return {
        "version": facts.version,
        "name": facts.name,
        "shards": facts.shards,
        "shards_unread": facts.shards_unread,
        "documents": facts.documents,
        "bytes": facts.bytes,
        "words": facts.words,
        "tokens": facts.tokens,
        "weighted": facts.weighted,
        "bad_documents": facts.bad_documents,
        "problems": [
            {"shard": p.shard, "row": p.row, "reason": p.reason, "mend": p.mend} for p in shown
        ],
        "problems_not_shown": facts.n_problems - len(shown),
    }


def _origin(facts: DriftFacts) -> ReportedOrigin:
    source, corrected = facts.source, facts.corrected
    origin: ReportedOrigin = {
        "kind": source.origin.value,
        "file": source.file,
        "digest": source.digest,
        "accuracy": None,
        "accuracy_low": None,
        "accuracy_high": None,
        "held_out": None,
        "note": _unfitted(source, facts.domains) if corrected is None else corrected.note,
        "shares": [],
    }
    held_out = source.held_out
    if held_out is None:
        return origin
    low, high = binomial_interval(held_out.right, held_out.examples)
    origin |= {
        "accuracy": held_out.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "held_out": held_out.examples,
    }
    drift = facts.domains
    sides: tuple[tuple[VersionName, np.ndarray], ...] = (
        ("baseline", drift.baseline),
        ("candidate", drift.candidate),
    )
    for number, domain in enumerate(held_out.domains):
        row = drift.domains.index(domain) if domain in drift.domains else None
        for version, shares in sides:
            own = None if corrected is None else getattr(corrected, version)
            error = None if corrected is None else getattr(corrected, f"{version}_error")
            origin["shares"].append(
                {
                    "version": version,
                    "domain": domain,
                    "observed": 0.0 if row is None else float(shares[row, DOCUMENTS]),
                    "corrected": None if own is None else float(own[number]),
                    "error": None if error is None else float(error[number]),
                }
            )
    return origin


def _unfitted(source: DomainSource, drift: DomainDrift) -> str | None:
    """Say of which versions the rules fit no document: a typo in a pattern looks like that.

    Told by the domains that are there, which stored profiles have, too: where a rule gives the default,
    its documents cannot be told from those that no rule fits.
    """
    told = set(source.given) - {source.default}
    if not told:
        return None
    rows = [row for row, domain in enumerate(drift.domains) if domain in told]
    versions = [
        name
        for name, shares in (("baseline", drift.baseline), ("candidate", drift.candidate))
        if not shares[rows, DOCUMENTS].any()
    ]
    if not versions:
        return None
    fits = "fits" if source.default not in source.given else "but those for the default fits"
    all_have = "no domain" if source.default is None else f"the default domain {source.default!r}"
    return (
        f"no rule in {source.file} {fits} a document of the {' or of the '.join(versions)}, so all "
        f"have {all_have}; hold its patterns against paths, ids and values of the domain column: a "
        "pattern fits the whole text, and case counts"
    )
