"""What `gate` may be told: one frozen, validated value."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from pipelines.drift_settings import DriftSettings
from pipelines.settings import ScanSettings, SearchSettings


class GateSettings(SearchSettings):
    """Settings of a gate; an unknown name is an error.

    With `store`, only what is new in the mix is read; items of fewer than 13 words are then
    unsearchable (`pipelines.sources`).
    """

    tokenizer: Path | None = None
    domain_rules: Path | None = None
    store: str | None = None
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    fail_on: Literal["fail", "warn"] = "fail"

    @model_validator(mode="after")
    def _are_settings_of_both(self) -> Self:
        self.of_scan(None if self.store is None else "its version")
        self.of_drift()
        return self

    def of_scan(self, version: str | None) -> ScanSettings:
        """Return the settings of the scan: of a version in the store, or of the mix itself."""
        store = None if version is None else self.store
        return ScanSettings(**self.search(), store=store, version=version)

    def of_drift(self) -> DriftSettings:
        """Return the settings of the comparison with the baseline."""
        return DriftSettings(
            text=self.text,
            id=self.id,
            domain=self.domain,
            tokenizer=self.tokenizer,
            domain_rules=self.domain_rules,
            fields=self.fields,
            store=self.store,
            seed=self.seed,
            jobs=self.jobs,
            batch_bytes=self.batch_bytes,
            part_bytes=self.part_bytes,
        )
