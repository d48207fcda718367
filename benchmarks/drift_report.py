"""All that drift says of two versions whose documents are counted, and how many of it are alarms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from drift_documents import Documents
from scipy import sparse

from scanners.domains import DomainDrift, domain_drift
from scanners.drift_policy import DriftPolicy
from scanners.exposure import Exposure, exposures
from scanners.tokens import KINDS, TokenDrift, token_drift
from scanners.totals import Totals

POLICY = DriftPolicy()
FAMILIES = ("domains", "mix", "tokens", "vanished or new", "all tokens", "benchmarks")


@dataclass(frozen=True)
class Report:
    """Everything that drift says of two versions."""

    domains: DomainDrift
    tokens: TokenDrift
    exposures: list[Exposure]

    def alarms(self) -> dict[str, int]:
        """Return how many alarms each family has."""
        kinds = np.bincount(self.tokens.table.change_kind, minlength=len(KINDS))
        whole = self.tokens.whole
        counts = (
            int(self.domains.alarm.sum()),
            sum(d.alarm for measure in self.domains.mix for d in measure),
            int(kinds[1] + kinds[2]),
            int(kinds[3] + kinds[4]),
            sum(d.alarm for d in whole.divergences) + int(whole.domain_alarms.sum()),
            sum(exposure.alarm for exposure in self.exposures),
        )
        return dict(zip(FAMILIES, counts, strict=True))


def compare(
    baseline: Totals, candidate: Totals, benchmarks: list[sparse.csr_array], seed: int
) -> Report:
    """Return all that drift says, with the default policy."""
    found = exposures(baseline, candidate, benchmarks, POLICY, seed)
    return Report(
        domains=domain_drift(baseline, candidate, POLICY, seed),
        tokens=token_drift(baseline, candidate, POLICY, seed),
        exposures=[exposure for exposure in found if exposure is not None],
    )


def halves(documents: Documents, seed: int, share: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of two random parts of the documents."""
    first = np.random.default_rng(seed).random(len(documents.sizes)) < share
    return np.flatnonzero(first), np.flatnonzero(~first)
