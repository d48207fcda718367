"""What a scan may be told: one frozen, validated value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Device = Literal["auto", "cpu", "cuda"]  # where the transformer runs; kernels run on the processor
ScannerName = Literal["ngram", "minhash", "embedding"]
CalibrationSize = Literal["full", "quick", "off"]
SCANNERS: Final[tuple[ScannerName, ...]] = ("ngram", "minhash", "embedding")  # the cheapest first
STORED: Final = ("ngram", "embedding")  # what an index store can nominate documents for


class SearchSettings(BaseModel):
    """How a corpus is read and searched, whatever becomes of the findings; unknown names are errors.

    `jobs`, `batch_bytes` and `part_bytes` change speed and memory, never a result.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)  # columns of the corpus; several are joined by a line feed
    id: str | None = "id"
    domain: str | None = "domain"
    fields: str | None = None  # map of the benchmarks' fields, "question=prompt,answer=completion"
    scanners: tuple[ScannerName, ...] = ("ngram",)
    # Of the embedding scanner: the transformer of its second stage (the packaged one where that is
    # installed if None, no transformer at all if "none"), whether static vectors choose for it, and
    # whether it looks for translations of items in text of other languages.
    embedding_model: str | None = None
    prefilter: bool = True
    translations: bool = False
    device: Device = "auto"
    calibration: CalibrationSize = "quick"  # the battery that measures the scan itself
    jobs: int = Field(default=1, ge=1)
    batch_bytes: int = Field(default=8 << 20, ge=1)
    part_bytes: int = Field(default=64 << 20, ge=1)  # stored bytes from which a shard is split

    @field_validator("scanners")
    @classmethod
    def _with_ngrams(cls, names: tuple[ScannerName, ...]) -> tuple[ScannerName, ...]:
        """Order the scanners; the n-gram scanner carries the guarantee, so it is always one."""
        if "ngram" not in names:
            raise ValueError('"ngram" must be among the scanners: it finds every run of 13 words')
        return tuple(name for name in SCANNERS if name in names)

    @field_validator("prefilter")
    @classmethod
    def _leaves_a_model(cls, prefilter: bool, info: ValidationInfo) -> bool:
        if not prefilter and info.data.get("embedding_model") == "none":
            raise ValueError(
                "without prefilter and without a model nothing is left to search by; leave out "
                "--no-prefilter, or name another --embedding-model"
            )
        return prefilter

    @field_validator("translations")
    @classmethod
    def _have_a_model(cls, translations: bool, info: ValidationInfo) -> bool:
        if not translations:
            return False
        if "embedding" not in info.data.get("scanners", ()):
            raise ValueError(
                "translations are looked for by the scanner embedding; add it to --scanners, or leave "
                "out --translations"
            )
        if info.data.get("embedding_model") == "none":
            raise ValueError(
                "translations are found by a multilingual model only; name one with "
                "--embedding-model, or leave out --translations"
            )
        return True

    def search(self) -> dict[str, Any]:
        """Return the settings that every search has, by name."""
        return {name: getattr(self, name) for name in SearchSettings.model_fields}


class ScanSettings(SearchSettings):
    """Settings of a scan."""

    store: str | None = None  # index store that tells which documents to read, instead of a corpus
    version: str | None = None  # of the corpus in the store; the newest if None
    paraphrases: Path | None = None  # file of item_id and text: one more form to plant
    skip_bad: bool = False  # a document that cannot be read does not make the run incomplete

    @field_validator("store")
    @classmethod
    def _serves_the_scanners(cls, store: str | None, info: ValidationInfo) -> str | None:
        if store is not None and set(info.data.get("scanners", ())) - set(STORED):
            raise ValueError(
                "an index store holds n-grams and embeddings; name the corpus itself to use minhash"
            )
        if store is not None and info.data.get("translations"):
            raise ValueError(
                "an index store does not tell where translations are; name the corpus itself to look "
                "for them"
            )
        return store

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
