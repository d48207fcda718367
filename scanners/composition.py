"""What a benchmark is made of, and what a changed mix may do to it: a hypothesis, never a finding.

The composition are the weights of a mixture of the domains' token frequencies that explains the
benchmark's tokens best (expectation-maximisation; the likelihood is concave, so there is one best
value). With it, and the published change of a model's loss on a domain when the domain's share
changes (methodology, section F),

    loss_d = elasticity_d * ln(w_d / w'_d)        nats;  risk = sum over domains of a_d loss_d

Elasticities were re-derived from RegMix's released runs (1B parameters, The Pile, fixed budget): the
rise of the loss on a domain's own text when its share is halved, over ln 2. They are of losses, not of
scores. A domain takes one only if its name says that it is the published domain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from scanners.divergences import LN_2
from scanners.totals import Totals

HALVING: Final = {  # published domain: nats of loss by which half the share is worse
    "github": 0.080,
    "arxiv": 0.072,
    "stackexchange": 0.063,
    "wikipedia": 0.073,
    "dm_math": 0.042,
    "pile_cc": 0.081,
}
NAMES: Final = {  # names of domains, in lower case and with "_" for what is no letter or digit
    "github": "github", "code": "github", "source_code": "github", "starcoder": "github",
    "the_stack": "github", "stack_v2": "github",
    "arxiv": "arxiv",
    "stackexchange": "stackexchange", "stack_exchange": "stackexchange",
    "stackoverflow": "stackexchange", "stack_overflow": "stackexchange",
    "wikipedia": "wikipedia", "wiki": "wikipedia", "wikipedia_en": "wikipedia",
    "dm_math": "dm_math", "dm_mathematics": "dm_math", "deepmind_mathematics": "dm_math",
    "pile_cc": "pile_cc", "common_crawl": "pile_cc", "commoncrawl": "pile_cc", "cc": "pile_cc",
}  # fmt: skip
CODE_PREFIX: Final = "code_"  # code_python, code/c: one language of what GitHub holds

ROUNDS: Final = 500
SETTLED: Final = 1e-7  # the weights move by less: they have converged
BACKGROUND: Final = (
    0.01  # of each domain's frequencies is the whole's, so that no token is impossible
)
LEAST_LEFT: Final = 1e-4  # of a domain's share; a domain that is gone counts as this much of it
LEAST_PART: Final = 0.001  # of a composition, below which a domain is left out
NEGLIGIBLE: Final = 0.01  # nats; below it a risk has no direction
DIRECTIONS: Final = {1: "worse", 0: "none", -1: "better"}


@dataclass(frozen=True, slots=True)
class DomainEffect:
    """One domain of a benchmark's composition, and the expected change of the loss on its text."""

    domain: int
    composition: float  # share of the benchmark's tokens, in [0, 1]
    baseline: float  # share of the version's tokens
    candidate: float
    log_ratio: float  # ln(w / w'): above 0 the candidate has less
    loss: float | None  # nats; None where no elasticity is known, so that only the sign is
    published: str | None  # the published domain, or "measured"
    grade: str  # "A" measured ablation, "B" published, "C" sign only


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the change of the mix may do to a benchmark.

    `risk` is in nats over the domains with an elasticity, None without one; `known` is the part of the
    composition that those make up. `direction` rests on the mix, with the grade of the domain that
    weighs most; on exposure alone, with grade C, where the mix says nothing.
    """

    effects: tuple[DomainEffect, ...]  # largest part in the risk first
    risk: float | None
    known: float
    direction: str  # "worse", "better" or "none"
    grade: str


def published_domain(name: str) -> str | None:
    """Return the published domain that a domain's name says it is, None where it does not say."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    if plain.startswith(CODE_PREFIX):
        return "github"
    return NAMES.get(plain)


def composition(mixture: np.ndarray, counts: sparse.csr_array) -> np.ndarray:
    """Return the weights of the domains that explain a benchmark best, (D,), sum 1.

    All are 0 where the domains hold none of its tokens.

    Args:
        mixture: Counts or shares of the benchmark's tokens, (V,).
        counts: Counts of both versions together by domain, (D, V).
    """
    tokens = counts.sum(axis=1)
    whole = counts.sum(axis=0)
    used = np.flatnonzero((mixture > 0) & (whole > 0))
    live = np.flatnonzero(tokens > 0)
    weights = np.zeros(len(tokens))
    if len(used) == 0:
        return weights
    shares = counts[live][:, used].toarray() / tokens[live][:, None]
    shares = (1 - BACKGROUND) * shares + BACKGROUND * whole[used] / whole.sum()
    target = mixture[used] / mixture[used].sum()
    part = np.full(len(live), 1 / len(live))
    for _ in range(ROUNDS):
        explained = (part[:, None] * shares).sum(axis=0)
        moved = part * (shares * (target / explained)).sum(axis=1)
        settled = np.abs(moved - part).max() < SETTLED
        part = moved
        if settled:
            break
    weights[live] = part / part.sum()
    return weights


def hypothesis(
    weights: np.ndarray,
    baseline: Totals,
    candidate: Totals,
    moved: np.ndarray,
    exposure: float = 0.0,
    measured: Mapping[str, float] | None = None,
) -> Hypothesis:
    """Return what the change may do to a benchmark of a composition.

    Args:
        weights: Of `composition`.
        baseline: Totals.
        candidate: Totals.
        moved: Which domains' shares are alarms, bool (D,); the others count as unchanged.
        exposure: Change in bits per token if it is an alarm, else 0.
        measured: Elasticities of the user's own ablations, which take the place of published ones:
            nats of loss on a domain's text for one unit of ln(old share / new share), by domain.
    """
    old, new = (v.domain_tokens / v.domain_tokens.sum() for v in (baseline, candidate))
    effects = []
    for domain in np.flatnonzero(weights >= LEAST_PART):
        before, after = float(old[domain]), float(new[domain])
        least = LEAST_LEFT * max(before, after)
        log_ratio = float(np.log(max(before, least) / max(after, least))) if moved[domain] else 0.0
        elasticity, published, grade = _elasticity(baseline.domains[domain], measured or {})
        loss = None if elasticity is None else elasticity * log_ratio
        part = float(weights[domain])
        effects.append(
            DomainEffect(int(domain), part, before, after, log_ratio, loss, published, grade)
        )
    effects.sort(key=lambda effect: (-abs(effect.composition * effect.log_ratio), effect.domain))
    known = [effect for effect in effects if effect.loss is not None]
    direction, grade = _direction(effects, exposure)
    return Hypothesis(
        effects=tuple(effects),
        risk=sum(e.composition * (e.loss or 0.0) for e in known) if known else None,
        known=sum(effect.composition for effect in known),
        direction=direction,
        grade=grade,
    )


def _direction(effects: list[DomainEffect], exposure: float) -> tuple[str, str]:
    """Return the direction and its grade; where mix and exposure contradict each other, none."""
    typical = float(np.mean(list(HALVING.values()))) / LN_2
    nats = sum(
        effect.composition * (typical * effect.log_ratio if effect.loss is None else effect.loss)
        for effect in effects
    )
    by_mix = 0 if abs(nats) < NEGLIGIBLE else int(np.sign(nats))
    by_exposure = int(np.sign(exposure))
    if by_mix and by_exposure in (0, by_mix):
        return DIRECTIONS[by_mix], effects[0].grade
    return DIRECTIONS[0 if by_mix else by_exposure], "C"


def _elasticity(name: str, measured: Mapping[str, float]) -> tuple[float | None, str | None, str]:
    if name in measured:
        return measured[name], "measured", "A"
    published = published_domain(name)
    if published is None:
        return None, None, "C"
    return HALVING[published] / LN_2, published, "B"
