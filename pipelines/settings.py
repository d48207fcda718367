"""What a scan may be told: one frozen, validated value."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Device = Literal["auto", "cpu"]  # kernels for other devices come with the embedding scanner
ScannerName = Literal["ngram", "minhash"]
CalibrationSize = Literal["full", "quick", "off"]


class ScanSettings(BaseModel):
    """Settings of a scan; an unknown name is an error.

    `jobs`, `batch_bytes` and `part_bytes` change speed and memory, never a result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)  # columns of the corpus; several are joined by a line feed
    id: str | None = "id"
    domain: str | None = "domain"
    store: str | None = None  # index store that tells which documents to read, instead of a corpus
    version: str | None = None  # of the corpus in the store; the newest if None
    fields: str | None = None  # map of the benchmarks' fields, "question=prompt,answer=completion"
    scanners: tuple[ScannerName, ...] = ("ngram",)
    device: Device = "auto"
    calibration: CalibrationSize = "quick"  # the battery that measures the scan itself
    paraphrases: Path | None = None  # file of item_id and text: one more form to plant
    jobs: int = Field(default=1, ge=1)
    skip_bad: bool = False  # a document that cannot be read does not make the run incomplete
    batch_bytes: int = Field(default=8 << 20, ge=1)
    part_bytes: int = Field(default=64 << 20, ge=1)  # stored bytes from which a shard is split

    @field_validator("scanners")
    @classmethod
    def _with_ngrams(cls, names: tuple[ScannerName, ...]) -> tuple[ScannerName, ...]:
        """Order the scanners; the n-gram scanner carries the guarantee, so it is always one."""
        if "ngram" not in names:
            raise ValueError('"ngram" must be among the scanners: it finds every run of 13 words')
        return tuple(name for name in ("ngram", "minhash") if name in names)

    @field_validator("scanners")
    @classmethod
    def _that_the_store_serves(
        cls, names: tuple[ScannerName, ...], info: ValidationInfo
    ) -> tuple[ScannerName, ...]:
        if info.data.get("store") is not None and names != ("ngram",):
            raise ValueError("an index store holds n-grams; name the corpus itself to use minhash")
        return names

    @field_validator("paraphrases")
    @classmethod
    def _are_planted(cls, paraphrases: Path | None, info: ValidationInfo) -> Path | None:
        if paraphrases is not None and info.data.get("calibration") == "off":
            raise ValueError("nothing is planted while calibration is off; leave one of them out")
        return paraphrases


class CalibrateSettings(ScanSettings):
    """Settings of a calibration without a scan: those of the scan that it measures, and the draw."""

    store: None = None  # documents are drawn from the corpus itself
    version: None = None
    calibration: Literal["full", "quick"] = "full"
    seed: int = Field(default=0, ge=0)  # of the hosts that are drawn and of what is planted
