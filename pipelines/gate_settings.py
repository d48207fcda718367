"""What `gate` may be told: one frozen, validated value."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.drift_settings import DriftSettings
from pipelines.settings import CalibrationSize, ScannerName, ScanSettings


class GateSettings(BaseModel):
    """Settings of a gate; an unknown name is an error.

    `jobs`, `batch_bytes` and `part_bytes` change speed and memory, never a verdict. With `store`, only
    what is new in the mix is read; items of fewer than 13 words are then unsearchable
    (`pipelines.sources`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)
    id: str | None = "id"
    domain: str | None = "domain"
    fields: str | None = None
    scanners: tuple[ScannerName, ...] = ("ngram",)
    calibration: CalibrationSize = "quick"
    tokenizer: Path | None = None
    domain_rules: Path | None = None
    store: str | None = None
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    fail_on: Literal["fail", "warn"] = "fail"
    jobs: int = Field(default=1, ge=1)
    batch_bytes: int = Field(default=8 << 20, ge=1)
    part_bytes: int = Field(default=64 << 20, ge=1)

    @model_validator(mode="after")
    def _are_settings_of_both(self) -> Self:
        self.of_scan(None)
        self.of_drift()
        return self

    def of_scan(self, version: str | None) -> ScanSettings:
        """Return the settings of the scan: of a version in the store, or of the mix itself."""
        return ScanSettings(
            text=self.text,
            id=self.id,
            domain=self.domain,
            store=None if version is None else self.store,
            version=version,
            fields=self.fields,
            scanners=self.scanners,
            calibration=self.calibration,
            jobs=self.jobs,
            batch_bytes=self.batch_bytes,
            part_bytes=self.part_bytes,
        )

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
