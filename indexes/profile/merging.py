"""Profiles added up, and weighted.

Below MOST_WORDS distinct words the profile of a whole is, byte for byte, what merging those of its
parts gives, however it was cut. Above, the rarest words are folded into one key after each merge, and
what is folded when depends on the parts; `rare_words` tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from indexes.profile.sketches import sets_of, sketch_frame, smallest
from indexes.profile.value import (
    KEYS,
    MOST_WORDS,
    RARE,
    RARE_NAME,
    VALUES,
    WORDS,
    Profile,
    codes_of,
    domain_column,
)  # fmt: skip
from indexes.sorted_merge import SortedKeys, merge_order, merged_column

SMALL_FRAMES = ("groups", "domains", "lengths", "characters", "scripts")


def merge(profiles: Sequence[Profile], most_words: int = MOST_WORDS) -> Profile:
    """Return the profile of all documents of several profiles: one at least.

    Two neighbours at a time, so that each row is copied as often as the number of profiles has binary
    digits.

    Raises:
        ValueError: where there are none, or they count different things.
    """
    if not profiles:
        raise ValueError("no profiles to merge; start from empty_profile()")
    _refuse_unlike(profiles)
    level = list(profiles)
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[len(level) & ~1 :]
        level = [within(_merge_two(one, other), most_words) for one, other in pairs] + odd
    return level[0]


def weighted(profile: Profile, weight: float) -> Profile:
    """Return the profile of documents that are drawn `weight` times as often as they stand there.

    Counts are multiplied by the weight and sums of squares and products by its square, as float64; by
    1 nothing changes, and integers stay integers. Sketches have no weight.
    """
    if weight == 1:
        return profile
    frames: dict[str, Any] = {}
    for name, powers in VALUES.items():
        columns = [
            pl.col(column).cast(pl.Float64) * weight**power
            for column, power in powers.items()
            if power
        ]
        frames[name] = getattr(profile, name).with_columns(columns)
    return replace(profile, **frames)


def within(profile: Profile, most_words: int = MOST_WORDS) -> Profile:
    """Fold the words beyond so many into RARE: those in the fewest documents, then by key."""
    n = len(profile.names) - int((profile.names["key"] == RARE).any())
    if profile.unit != WORDS or n <= most_words:
        return profile
    words = (
        profile.tokens.filter(pl.col("key") != RARE)
        .group_by("key")
        .agg(pl.col("documents").sum())
        .sort("documents", "key")
    )
    rare = words["key"].head(n - most_words).sort()
    frames = {
        name: _folded(getattr(profile, name), rare, KEYS[name], list(VALUES[name]))
        for name in ("tokens", "folds")
    }
    kept = profile.names.filter(~_is_in(pl.col("key"), rare), pl.col("key") != RARE)
    named = pl.DataFrame({"key": [RARE], "name": [RARE_NAME]}, schema=kept.schema)
    return replace(
        profile,
        **frames,
        names=pl.concat([named, kept]),
        rare_words=profile.rare_words + len(rare),
    )


def _folded(
    frame: pl.DataFrame, rare: pl.Series, keys: tuple[str, ...], values: list[str]
) -> pl.DataFrame:
    folded = _is_in(pl.col("key"), rare) | (pl.col("key") == RARE)
    together = (
        frame.filter(folded)
        .with_columns(pl.lit(RARE, pl.UInt64).alias("key"))
        .group_by(keys)
        .agg(pl.col(values).sum())
        .select(frame.columns)
    )
    return pl.concat([together, frame.filter(~folded)]).sort(keys)


def _is_in(column: pl.Expr, rare: pl.Series) -> pl.Expr:
    return column.is_in(rare.implode())


def _refuse_unlike(profiles: Sequence[Profile]) -> None:
    first = profiles[0]
    for other in profiles[1:]:
        for what in ("unit", "normal_form", "kinds"):
            one, another = getattr(first, what), getattr(other, what)
            if one != another:
                raise ValueError(
                    f"profiles cannot be merged: the {what.replace('_', ' ')} of one is {one!r}, of "
                    f"another {another!r}; make both anew with the same"
                )


def _merge_two(one: Profile, other: Profile) -> Profile:
    names = tuple(sorted({*one.domain_names, *other.domain_names}))
    both = [
        {name: _with_domains(getattr(profile, name), names) for name in KEYS if name != "names"}
        for profile in (one, other)
    ]
    frames = {name: _added(*(f[name] for f in both), KEYS[name]) for name in SMALL_FRAMES}
    frames |= {
        name: _interleaved(*(f[name] for f in both), names, VALUES[name])
        for name in ("tokens", "folds")
    }
    sketches = pl.concat([f["sketches"] for f in both])
    hashes, documents = (sketches[column].to_numpy() for column in ("hash", "documents"))
    frames["sketches"] = sketch_frame(names, *smallest(sets_of(sketches), hashes, documents))
    return replace(
        one,
        **frames,
        names=_all_names(one.names, other.names),
        rare_words=one.rare_words + other.rare_words,
    )


def _with_domains(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Let a frame's domains be among more names; its rows stay sorted."""
    return frame.with_columns(pl.col("domain").cast(pl.Enum(names)))


def _added(one: pl.DataFrame, other: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    both = pl.concat([one, other], how="vertical_relaxed")
    return both.group_by(keys).agg(pl.all().sum()).sort(keys)


def _interleaved(
    one: pl.DataFrame, other: pl.DataFrame, names: tuple[str, ...], values: Mapping[str, int]
) -> pl.DataFrame:
    """Add up two large sorted frames."""
    keys, its_keys = _sorted_keys(one), _sorted_keys(other)
    source = merge_order(keys, its_keys)
    codes = merged_column(source, keys.domain, its_keys.domain)
    columns = {
        column: merged_column(
            source, one[column].to_numpy(), other[column].to_numpy(), adds=column in values
        )
        for column in one.columns
        if column != "domain"
    }
    return pl.DataFrame({"domain": domain_column(names, codes)} | columns)


def _all_names(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return the names of two profiles, each key once."""
    source = merge_order(_sorted_keys(one), _sorted_keys(other))
    mine = np.arange(len(one), dtype=np.uint32)
    its = np.arange(len(one), len(one) + len(other), dtype=np.uint32)
    rows = pl.Series(merged_column(source, mine, its))
    return pl.concat([one, other]).rechunk()[rows]


def _sorted_keys(frame: pl.DataFrame) -> SortedKeys:
    """Return domain, key and fold of each row; 0 for what the frame has not."""
    n = len(frame)
    return SortedKeys(
        codes_of(frame).astype(np.uint32) if "domain" in frame.columns else np.zeros(n, np.uint32),
        frame["key"].to_numpy(),
        frame["fold"].to_numpy() if "fold" in frame.columns else np.zeros(n, np.uint8),
    )
