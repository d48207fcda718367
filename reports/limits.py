"""The numbers of a policy: limits from above and from below, with what their breach means.

More than `warn`, or less where a limit is the least, is a warning; beyond `fail` the policy is
violated; below `incomplete` too little was seen to judge.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from corpora.yaml_file import Strict

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Items = Annotated[int, Field(ge=0, strict=True)]
Factor = Annotated[float, Field(gt=1, strict=True, allow_inf_nan=False)]
Bits = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


def _check_least(warn: float | None, limit: float | None, name: str) -> None:
    if warn is None and limit is None:
        raise ValueError(f"a limit needs warn, {name} or both")
    if warn is not None and limit is not None and warn < limit:
        raise ValueError(f"warn ({warn}) lies beyond {name} ({limit}); it would never be told")


class Limit(Strict):
    """The most that is allowed: more than `warn` is a warning, more than `fail` a violation."""

    warn: float | None = None
    fail: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn is None and self.fail is None:
            raise ValueError("a limit needs warn, fail or both")
        if self.warn is not None and self.fail is not None and self.warn > self.fail:
            raise ValueError(
                f"warn ({self.warn}) lies beyond fail ({self.fail}); it would never be told"
            )
        return self


class ShareLimit(Limit):
    """The most, as a share or as a change of a share."""

    warn: Share | None = None
    fail: Share | None = None


class CountLimit(Limit):
    """The most, as a number."""

    warn: Items | None = None
    fail: Items | None = None


class FactorLimit(Limit):
    """The most that a share may grow or shrink by: 2 is doubled or halved."""

    warn: Factor | None = None
    fail: Factor | None = None


class BitsLimit(Limit):
    """The most by which a benchmark may become harder to predict, in bits per token."""

    warn: Bits | None = None
    fail: Bits | None = None


class LeastShare(Strict):
    """The least that is allowed: less than `warn` is a warning, less than `fail` a violation."""

    warn: Share | None = None
    fail: Share | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_least(self.warn, self.fail, "fail")
        return self


class NeededShare(Strict):
    """The least that must have been seen: with less than `incomplete` there is no verdict."""

    warn: Share | None = None
    incomplete: Share | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _check_least(self.warn, self.incomplete, "incomplete")
        return self


class CountLimits(Strict):
    """Limits on items of a benchmark; without any, these items are not judged.

    `share` is of the searchable items; `share_low` is the lower end of its exact 95 % interval
    (Clopper and Pearson 1934), which asks for more evidence where a benchmark is small.
    """

    items: CountLimit | None = None
    share: ShareLimit | None = None
    share_low: ShareLimit | None = None
