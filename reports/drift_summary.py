"""From statistics to a drift run's `report.json`: rows to show, a title, and what every word means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, cast

import numpy as np

from reports import drift_numbers as numbers
from reports import view
from reports.drift_facts import BenchmarkFacts, CopyFacts, DriftFacts, VersionFacts
from reports.drift_schema import (
    SCHEMA,
    BenchmarkExposure,
    ChangeKind,
    CopyShare,
    Divergence,
    DomainChange,
    DomainState,
    DomainTokens,
    DriftReport,
    DriftVersion,
    Driver,
    EvidenceGrade,
    Measure,
    TokenChange,
    TokenDriftSummary,
    VersionName,
)
from reports.drift_schema import DomainOrigin as ReportedOrigin
from reports.drift_schema import Hypothesis as ReportedHypothesis
from reports.drift_statements import statements
from reports.intervals import binomial_interval
from reports.schema import Definition
from reports.summary import NO_DOMAIN, SHOWN_PROBLEMS
from scanners import half_splits
from scanners.composition import Hypothesis
from scanners.tokens import KINDS, NEW, VANISHED
from scanners.totals import DOCUMENTS, MEASURES

SHOWN_DOMAINS: Final = 200
SHOWN_TOKENS: Final = 50  # of each kind
SHOWN_EFFECTS: Final = 6
SHOWN_DRIVERS: Final = 8
Direction = Literal["worse", "better", "none"]
LEAST_DRIVER: Final = 0.001  # bits per token

DEFINITIONS: Final[tuple[Definition, ...]] = (
    {
        "term": "noise",
        "meaning": "how far a number moves when only the draw of documents changes: versions change "
        "places for a random half of the clusters of documents (by the hash of the text, so copies "
        "stay together), again and again; the floor is what 99 % of these random halves stay below",
    },
    {
        "term": "alarm",
        "meaning": "a change that is beyond the noise of its whole family of tests and as large as the "
        "limit: both, never one of them alone",
    },
    {
        "term": "mix part",
        "meaning": "what the token frequencies would have changed if only the shares of the domains had: "
        "sum over domains of (new share - old share) x old frequency; a domain that only one version has "
        "belongs to it",
    },
    {
        "term": "within part",
        "meaning": "the rest: sum over domains of new share x (new frequency - old frequency)",
    },
    {
        "term": "z",
        "meaning": "the within part in its standard deviations, each document being one draw, or each "
        "cluster where copies make that larger",
    },
    {
        "term": "q",
        "meaning": "Benjamini-Hochberg: the share of false ones among all tokens with a q as small",
    },
    {
        "term": "vanished",
        "meaning": "held by so many documents before that chance does not explain its absence, in "
        "domains that both versions have",
    },
    {
        "term": "total variation",
        "meaning": "half the sum of |changes|: the share that is elsewhere now",
    },
    {
        "term": "Jensen-Shannon divergence",
        "meaning": "to the base 2, in bits, in [0, 1]; the divergence, not its root",
    },
    {
        "term": "population stability index",
        "meaning": "sum of (q - p) ln(q / p); a share of 0 is taken for half a document",
    },
    {
        "term": "exposure",
        "meaning": "cross-entropy of the benchmark's tokens under the version's token frequencies, in "
        "bits per token; more bits: the version holds less of what the benchmark is made of",
    },
    {
        "term": "hypothesis",
        "meaning": "what published runs would make one expect of such a change of the mix; losses, not "
        "scores. Grade A: measured by you; B: published for the same domain; C: the direction only",
    },
)


def build_drift_report(facts: DriftFacts) -> DriftReport:
    """Return the content of `report.json`."""
    domains = _domains(facts)
    tokens = _tokens(facts)
    domain_tokens = _domain_tokens(facts)
    exposure = [_exposure(facts, benchmark) for benchmark in facts.benchmarks]
    copies = [_copies(each) for each in facts.copies]
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


def divergence(found: half_splits.Divergence) -> Divergence:
    """Return a divergence as the report has it."""
    noise = found.noise
    return {
        "name": found.name,
        "unit": found.unit,
        "observed": noise.observed,
        "floor_mean": noise.floor_mean,
        "floor": noise.floor,
        "excess": noise.excess,
        "ratio": noise.ratio,
        "alarm": found.alarm,
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
        "note": None if corrected is None else corrected.note,
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


def _domains(facts: DriftFacts) -> list[DomainChange]:
    drift = facts.domains
    return [
        {
            "domain": name or NO_DOMAIN,
            "measure": cast("Measure", measure),
            "baseline": float(drift.baseline[d, m]),
            "candidate": float(drift.candidate[d, m]),
            "change": float(drift.change[d, m]),
            "relative": None if np.isnan(drift.relative[d, m]) else float(drift.relative[d, m]),
            "ci_low": float(drift.ci_low[d, m]),
            "ci_high": float(drift.ci_high[d, m]),
            "floor": float(drift.floor[d, m]),
            "state": cast("DomainState", drift.states[d]),
            "alarm": bool(drift.alarm[d, m]),
            "alarm_from": float(drift.alarm_from[d, m]),
        }
        for d, name in enumerate(drift.domains)
        for m, measure in enumerate(MEASURES)
    ]


def _tokens(facts: DriftFacts) -> TokenDriftSummary:
    drift = facts.tokens
    found = {divergence.name: divergence.noise.observed for divergence in drift.whole.divergences}
    kinds = np.bincount(drift.table.change_kind, minlength=len(KINDS))
    shown: list[TokenChange] = []
    for kind in range(1, len(KINDS)):
        rows = _strongest(facts, kind)[:SHOWN_TOKENS]
        names = facts.name_of(drift.table.key[rows])
        shown += [_token(facts, int(row), name) for row, name in zip(rows, names, strict=True)]
    return {
        "vocabulary": len(drift.table.key),
        "tested": drift.tested,
        "divergences": [divergence(each) for each in drift.whole.divergences],
        "moved": found["total variation"],
        "mix": drift.whole.mix,
        "within": found["total variation within domains"],
        "alarms": {cast("ChangeKind", KINDS[k]): int(kinds[k]) for k in range(1, len(KINDS))},
        "shown": shown,
        "detectable": list(drift.detectable),
    }


def _strongest(facts: DriftFacts, kind: int) -> np.ndarray:
    """Return the rows of a kind: tokens that are gone or new by their documents, others by z."""
    table = facts.tokens.table
    rows = table.strongest(kind)
    if kind not in (NEW, VANISHED):
        return rows
    held = (table.df_baseline if kind == VANISHED else table.df_candidate)[rows]
    return rows[np.argsort(-held, kind="stable")]


def _token(facts: DriftFacts, row: int, name: str) -> TokenChange:
    table = facts.tokens.table
    domain = int(table.domain[row])

    def number(column: np.ndarray) -> float | None:
        value = float(column[row])
        return None if np.isnan(value) else value

    return {
        "token_id": int(table.key[row]),
        "token": name,
        "baseline": float(table.baseline[row]),
        "candidate": float(table.candidate[row]),
        "log2_ratio": number(table.log2_ratio),
        "within_log2_ratio": number(table.within_log2_ratio),
        "z": float(table.z[row]),
        "q_value": 1.0 if np.isnan(table.q_value[row]) else float(table.q_value[row]),
        "df_baseline": float(table.df_baseline[row]),
        "df_candidate": float(table.df_candidate[row]),
        "change_kind": cast("ChangeKind", KINDS[table.change_kind[row]]),
        "domain": "" if domain < 0 else facts.domains.domains[domain] or NO_DOMAIN,
        "domain_share": float(table.domain_share[row]),
        "excerpt": None,
    }


def _domain_tokens(facts: DriftFacts) -> list[DomainTokens]:
    whole = facts.tokens.whole
    return [
        {
            "domain": name or NO_DOMAIN,
            "mix": float(whole.domain_mix[d]),
            "within": whole.domain_within[d].observed,
            "floor": whole.domain_within[d].floor,
            "alarm": bool(whole.domain_alarms[d]),
        }
        for d, name in enumerate(facts.domains.domains)
    ]


def _exposure(facts: DriftFacts, benchmark: BenchmarkFacts) -> BenchmarkExposure:
    found = benchmark.exposure
    names = facts.domains.domains
    mix, within = found.domain_mix_bits, found.domain_within_bits
    drivers = [
        {"name": f"{name or NO_DOMAIN}: {what}", "bits": float(bits[d])}
        for d, name in enumerate(names)
        for what, bits in (("its share", mix), ("what is in it", within))
        if abs(bits[d]) >= LEAST_DRIVER
    ]
    drivers.sort(key=lambda driver: (-abs(cast("float", driver["bits"])), driver["name"]))
    return {
        "benchmark": benchmark.name,
        "items": benchmark.items,
        "tokens": round(found.tokens),
        "baseline_bits": found.baseline_bits,
        "candidate_bits": found.candidate_bits,
        "change": found.change,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "floor": found.floor,
        "alarm": found.alarm,
        "alarm_from": found.alarm_from,
        "driver_tokens": [
            {"name": name, "bits": bits} for name, bits in benchmark.drivers[:SHOWN_DRIVERS]
        ],
        "driver_domains": cast("list[Driver]", drivers[:SHOWN_DRIVERS]),
        "vanished": list(benchmark.gone),
        "hypothesis": _hypothesis(benchmark.hypothesis, names),
    }


def _hypothesis(found: Hypothesis, names: Sequence[str]) -> ReportedHypothesis:
    grade = cast("EvidenceGrade", found.grade)
    return {
        "direction": cast("Direction", found.direction),
        "text": " ".join(_hypothesis_sentences(found, names)),
        "grade": grade,
        "evidence": EVIDENCE[grade],
        "effects": [
            {
                "domain": names[effect.domain] or NO_DOMAIN,
                "composition": effect.composition,
                "baseline": effect.baseline,
                "candidate": effect.candidate,
                "loss": effect.loss,
                "published": effect.published,
            }
            for effect in found.effects[:SHOWN_EFFECTS]
        ],
    }


EVIDENCE: Final[dict[EvidenceGrade, str]] = {
    "A": "elasticities that you measured",
    "B": "loss on a domain's own text against its share, in 64 published runs of 1B parameters on The "
    "Pile (RegMix), for the domain that weighs most here; losses, not scores",
    "C": "only that less of what a benchmark is made of has not helped in published runs; no size",
}


def _hypothesis_sentences(found: Hypothesis, names: Sequence[str]) -> Iterator[str]:
    if found.direction == "none" or not found.effects:
        yield "The change of the mix gives no reason to expect another score."
        return
    lead = found.effects[0]
    name = names[lead.domain] or NO_DOMAIN
    more = "more" if lead.log_ratio < 0 else "less"
    yield (
        f"{view.percent(lead.composition)} of its tokens look like {name}, of which there is {more} now "
        f"({numbers.share(lead.baseline)} to {numbers.share(lead.candidate)} of the tokens)."
    )
    if lead.loss is not None and lead.published is not None:
        yield (
            f"Published runs would put the loss on such text {numbers.signed(lead.loss, 3)} nats "
            f"({lead.published})."
        )
    yield "If that carries over, scores may " + ("fall." if found.direction == "worse" else "rise.")


def _copies(facts: CopyFacts) -> CopyShare:
    return {
        "kind": "exact" if facts.kind == "exact" else "near",
        "baseline": facts.baseline[0],
        "candidate": facts.candidate[0],
        "baseline_error": facts.baseline[1],
        "candidate_error": facts.candidate[1],
        "alarm": bool(facts.change.alarm),
    }
