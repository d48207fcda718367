"""A benchmark in a drift report: its exposure to the change, what drives it, what published runs would expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, cast

from reports import drift_numbers as numbers
from reports import view
from reports.drift_facts import BenchmarkFacts, DriftFacts
from reports.drift_schema import BenchmarkExposure, Driver, EvidenceGrade
from reports.drift_schema import Hypothesis as ReportedHypothesis
from reports.summary import NO_DOMAIN
from scanners.composition import Hypothesis

SHOWN_EFFECTS: Final = 6
SHOWN_DRIVERS: Final = 8
LEAST_DRIVER: Final = 0.001  # bits per token

Direction = Literal["worse", "better", "none"]


def exposure_row(facts: DriftFacts, benchmark: BenchmarkFacts) -> BenchmarkExposure:
    """Return what a benchmark will feel of the change, and what drives it."""
    found = benchmark.exposure
    names = facts.domains.domains
    noun = "words" if facts.unit == "words" else "tokens"
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
        "hypothesis": _hypothesis(benchmark.hypothesis, names, noun),
    }


def _hypothesis(found: Hypothesis, names: Sequence[str], noun: str) -> ReportedHypothesis:
    grade = cast("EvidenceGrade", found.grade)
    return {
        "direction": cast("Direction", found.direction),
        "text": " ".join(_hypothesis_sentences(found, names, noun)),
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


def _hypothesis_sentences(found: Hypothesis, names: Sequence[str], noun: str) -> Iterator[str]:
    if found.direction == "none" or not found.effects:
        yield "The change of the mix gives no reason to expect another score."
        return
    lead = found.effects[0]
    name = names[lead.domain] or NO_DOMAIN
    more = "more" if lead.log_ratio < 0 else "less"
    yield (
        f"{view.percent(lead.composition)} of its {noun} look like {name}, of which there is {more} now "
        f"({numbers.share(lead.baseline)} to {numbers.share(lead.candidate)} of the {noun})."
    )
    if lead.loss is not None and lead.published is not None:
        yield (
            f"Published runs would put the loss on such text {numbers.signed(lead.loss, 3)} nats "
            f"({lead.published})."
        )
    yield "If that carries over, scores may " + ("fall." if found.direction == "worse" else "rise.")
