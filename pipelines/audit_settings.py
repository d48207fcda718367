"""What an audit may be told: a scan's settings, and the scores of models."""

from __future__ import annotations

from pydantic import Field

from pipelines.settings import ScanSettings


class AuditSettings(ScanSettings):
    """Settings of an audit; an unknown name is an error."""

    scores: tuple[str, ...] = ()  # files or folders of item-level results
    metric: str | None = None  # of sample logs; the first that is known if None
    reference_models: tuple[str, ...] = ()  # their scores say how difficult an item is
    clean_models: tuple[str, ...] = ()  # known not to have seen the corpus
    all_versions: bool = False  # of the store: first and last that holds each item
    overlap: bool = True  # search the benchmarks in one another
    seed: int = Field(default=0, ge=0)  # of permutations and resamples
