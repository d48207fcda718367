"""What `clean` may be told: one frozen, validated value."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Remove = Literal["document", "span"]
RemovedStatus = Literal["contaminated", "suspect"]


class CleanSettings(BaseModel):
    """Settings of a cleaning; an unknown name is an error. `jobs` never changes a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remove: Remove = "document"
    status: RemovedStatus = "contaminated"  # items of this status or a worse one go
    mask: str | None = None  # stands where something was cut; None or "": nothing does
    margin: int = Field(default=0, ge=0)  # characters on each side of a span that go with it
    jobs: int = Field(default=1, ge=1)

    @field_validator("mask", "margin")
    @classmethod
    def _of_spans(cls, value: str | int | None, info: ValidationInfo) -> str | int | None:
        if value and info.data.get("remove") == "document":
            raise ValueError("is for spans, and whole documents go; add --remove span")
        return value

    @field_validator("mask")
    @classmethod
    def _is_text(cls, mask: str | None) -> str | None:
        try:
            (mask or "").encode()
        except UnicodeEncodeError as error:
            raise ValueError("is not UTF-8; name other characters") from error
        return mask
