"""What the report of a drift run is made from: the statistics, and what was read of each version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from corpora.domain_source import DomainSource
from corpora.problems import Problem
from reports.drift_schema import Shape, VersionName
from scanners.composition import Hypothesis
from scanners.copies import ShareChange
from scanners.domain_shares import CorrectedShares
from scanners.domains import DomainDrift
from scanners.drift_policy import DriftPolicy
from scanners.exposure import Exposure
from scanners.tokens import TokenDrift


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What was read of a version, before any weights."""

    version: VersionName
    name: str
    shards: int
    shards_unread: int
    documents: int
    bytes: int
    words: int
    tokens: int
    weighted: bool
    bad_documents: int
    problems: tuple[Problem, ...]
    n_problems: int


@dataclass(frozen=True, slots=True)
class BenchmarkFacts:
    """The exposure of a benchmark. `gone` and `drivers` are names of tokens, strongest first."""

    name: str
    items: int
    exposure: Exposure
    hypothesis: Hypothesis
    gone: tuple[str, ...]
    drivers: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """The share of copies in both versions, each with its standard error, and their change."""

    kind: str  # "exact" or "near"
    baseline: tuple[float, float]
    candidate: tuple[float, float]
    change: ShareChange


@dataclass(frozen=True, slots=True)
class DriftFacts:
    """Everything that a drift report tells.

    `name_of` gives the texts of keys; `corrected` are shares of documents as a classifier's confusions
    leave them, in the order of its domains.
    """

    versions: tuple[VersionFacts, VersionFacts]
    unit: str
    unit_digest: str | None
    normal_form: str
    policy: DriftPolicy
    seed: int
    splits: int
    source: DomainSource
    corrected: CorrectedShares | None
    domains: DomainDrift
    amounts: np.ndarray  # float64 (domains, 2): tokens in the baseline and in the candidate
    tokens: TokenDrift
    name_of: Callable[[np.ndarray], list[str]]
    benchmarks: Sequence[BenchmarkFacts]
    shapes: Sequence[Shape]
    copies: Sequence[CopyFacts]
    complete: bool
    tool_version: str
