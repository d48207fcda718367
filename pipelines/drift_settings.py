"""What `drift` may be told: one frozen, validated value."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DriftSettings(BaseModel):
    """Settings of a comparison of two versions; an unknown name is an error.

    `jobs`, `batch_bytes`, `part_bytes` and `store` change speed and memory, never a result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)  # columns of the corpora; several are joined by a line feed
    id: str | None = "id"
    domain: str | None = "domain"
    tokenizer: Path | None = None  # a tokenizer.json; words of the normal form are counted without
    domain_rules: Path | None = (
        None  # YAML: domains by shard, id and the value of the domain column
    )
    domain_examples: Path | None = None  # labelled texts that a classifier of domains is fitted on
    fields: str | None = None  # map of the benchmarks' fields, "question=prompt,answer=completion"
    store: str | None = None  # index store that keeps the profiles of shards
    seed: int = Field(default=0, ge=0, lt=1 << 63)  # of half-splits and bootstrap
    splits: int = Field(default=400, ge=200, le=10_000)  # random halves that measure the A/A floor
    minimum_share: float = Field(default=0.0, ge=0, lt=1)  # of a domain, by tokens
    jobs: int = Field(default=1, ge=1)
    skip_bad: bool = False  # a document that cannot be read does not make the run incomplete
    batch_bytes: int = Field(default=8 << 20, ge=1)
    part_bytes: int = Field(default=64 << 20, ge=1)  # stored bytes from which a shard is split

    @model_validator(mode="after")
    def _one_origin_of_domains(self) -> Self:
        if self.domain_rules is not None and self.domain_examples is not None:
            raise ValueError(
                "domains come from rules or from a classifier: give --domain-rules or --domain-examples"
            )
        return self
