"""When a change between two versions is an alarm: beyond the noise, and large enough to matter.

Noise alone is no measure: with enough text every change is beyond it. Size alone is none either: a
small domain moves by a tenth between two draws of documents. The defaults are few, and each is in
units that a reader can picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

CHANCE_RANGE: Final = (1e-6, 0.05)  # of false alarms; the extrapolated tails are no good beyond


@dataclass(frozen=True, slots=True)
class DriftPolicy:
    """Limits of size, and the accepted chance of a false alarm.

    Attributes:
        false_alarms: Chance that a family of tests alarms on two random halves of one corpus. There
            are six families: domains, the mix as a whole, tokens (where it is the false discovery
            rate of Benjamini and Hochberg, which under the global null is the same), vanished and
            new tokens, all tokens as a whole, benchmarks. With 0.001 each, 994 whole reports of
            1,000 stay quiet at worst.
        domain_change: Change of a domain's share that matters: one point. Half-point moves of a
            large domain come with every rebuild.
        domain_relative: Relative change that matters in a domain of at least `domain_share`: a tenth
            moves a model's loss on the domain's text by a hundredth of a nat (methodology, section F).
        domain_share: Share from which a domain is judged by its relative change.
        gone_share: Share from which a domain that vanished or is new matters.
        mix_variation: Total variation of the whole mix that matters: two points.
        token_log2: |log2 ratio| of a token's share within domains that matters (section E).
        token_documents: Documents, of both versions together, from which a token is tested. Rarer
            ones cannot pass a test among 10^5, and would make it harder for the others.
        token_variation: Excess total variation of all tokens over the noise: one token in a hundred.
        exposure_bits: Change in bits per token that matters for a benchmark. Half the share of a
            domain costs a model 0.06 to 0.12 bits per token of the domain's text (section F);
            0.05 is just below the least of these.
        minimum_shares: Least share of tokens of a domain, by its name. A candidate below it alarms.
        minimum_share: The same for domains that are not named.
    """

    false_alarms: float = 0.001
    domain_change: float = 0.01
    domain_relative: float = 0.10
    domain_share: float = 0.01
    gone_share: float = 0.001
    mix_variation: float = 0.02
    token_log2: float = 0.5
    token_documents: int = 20
    token_variation: float = 0.01
    exposure_bits: float = 0.05
    minimum_shares: Mapping[str, float] = field(default_factory=dict)
    minimum_share: float = 0.0

    def __post_init__(self) -> None:
        low, high = CHANCE_RANGE
        if not low <= self.false_alarms <= high:
            raise ValueError(f"false_alarms is {self.false_alarms!r}; it lies in [{low}, {high}]")

    def minimum_of(self, domain: str) -> float:
        """Return the least share of tokens that a domain must have."""
        return self.minimum_shares.get(domain, self.minimum_share)
