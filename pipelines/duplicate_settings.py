"""What `duplicates` may be told: one frozen, validated value."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DuplicateSettings(BaseModel):
    """Settings of a search for duplicates; an unknown name is an error.

    `jobs`, `batch_bytes`, `part_bytes` and `store` change speed and memory, never a result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)  # columns of the corpora; several are joined by a line feed
    id: str | None = "id"
    domain: str | None = "domain"
    # Jaccard similarity of word 5-grams from which two documents are near-duplicates: 0.8 is Lee et
    # al.'s (2021). Outside these limits 128 positions make no bands that tell such pairs from others.
    threshold: float = Field(default=0.8, ge=0.3, le=0.95)
    seed: int = Field(default=0, ge=0, lt=1 << 63)  # of the pairs that are drawn for proof
    store: str | None = None  # index store that keeps the signatures of shards
    jobs: int = Field(default=1, ge=1)
    skip_bad: bool = False  # a document that cannot be read does not make the run incomplete
    batch_bytes: int = Field(default=8 << 20, ge=1)
    part_bytes: int = Field(default=64 << 20, ge=1)  # stored bytes from which a shard is split
