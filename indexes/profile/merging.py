"""Profiles added up, and weighted.

Below MOST_WORDS distinct words the profile of a whole is, byte for byte, what merging those of its
parts gives, however it was cut. Above, the rarest words are folded into one key after each merge, and
what is folded when depends on the parts; `rare_words` tells.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from indexes.sorted_merge import merge_places

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
    one: pl.DataFrame, other: pl.DataFrame, names: tuple[str, ...], values: Any
) -> pl.DataFrame:
    """Add up two large sorted frames in one pass over both."""
    place, other_place, n = merge_places(_sorted_keys(one), _sorted_keys(other))
    columns: dict[str, Any] = {}
    for column in one.columns:
        mine, its = one[column], other[column]
        if column == "domain":
            codes = _laid_out(place, other_place, n, codes_of(one), codes_of(other), add=False)
            columns[column] = domain_column(names, codes)
            continue
        columns[column] = _laid_out(
            place, other_place, n, mine.to_numpy(), its.to_numpy(), add=column in values
        )
    return pl.DataFrame(columns)


def _all_names(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return the names of two profiles, each key once."""
    keys = one["key"].to_numpy(), other["key"].to_numpy()
    tables = ((np.zeros(len(k), np.uint32), k, np.zeros(len(k), np.uint8)) for k in keys)
    place, other_place, n = merge_places(*tables)
    row = np.zeros(n, np.uint32)
    row[other_place] = np.arange(len(one), len(one) + len(other))
    row[place] = np.arange(len(one))
    return pl.concat([one, other]).rechunk()[pl.Series(row)]


def _laid_out(
    place: np.ndarray, other_place: np.ndarray, n: int, one: np.ndarray, other: np.ndarray, *, add: bool
) -> np.ndarray:  # fmt: skip
    out = np.zeros(n, np.result_type(one, other))
    out[place] = one
    if add:
        out[other_place] += other
    else:
        out[other_place] = other
    return out


def _sorted_keys(frame: pl.DataFrame) -> tuple[np.ndarray, ...]:
    """Return domain, key and fold of the rows, as `merge_places` wants them."""
    fold = frame["fold"].to_numpy() if "fold" in frame.columns else np.zeros(len(frame), np.uint8)
    return codes_of(frame).astype(np.uint32), frame["key"].to_numpy(), fold
