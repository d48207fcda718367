"""A profile as bytes: an Arrow stream of one row, in which every column of every frame is a list.

Numbers take as few bytes as the largest of their column needs. What is sorted is stored as differences,
domains as how many rows each has, and of folds how many each word has: their keys are the words'. Zstandard
packs the buffers. Equal profiles give equal bytes, with the same pyarrow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from indexes.profile.value import (
    KEY_TYPES,
    KEYS,
    VALUES,
    Profile,
    codes_of,
    domain_column,
    folds_per_word,
)  # fmt: skip

SCHEMA: Final = "sluicegate.profile/1"
HEADER: Final = b"sluicegate"
UNSIGNED: Final = (np.uint8, np.uint16, np.uint32, np.uint64)
DIFFERENCES, PER_WORD, PER_DOMAIN = "key_differences", "folds_per_word", "rows_per_domain"


class ProfileError(ValueError):
    """Bytes that are no profile, or one of another version."""


def to_bytes(profile: Profile) -> bytes:
    """Return a profile as bytes; `from_bytes` gives it back."""
    columns = dict(_columns(profile))
    header = {
        "schema": SCHEMA,
        "unit": profile.unit,
        "normal_form": profile.normal_form,
        "kinds": profile.kinds,
        "rare_words": profile.rare_words,
        "domains": profile.domain_names,
        "keys": _universe(profile),
    }
    batch = pa.RecordBatch.from_arrays(
        [_as_list(column) for column in columns.values()], list(columns)
    )
    batch = batch.replace_schema_metadata({HEADER: json.dumps(header, sort_keys=True)})
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def from_bytes(data: Any) -> Profile:
    """Return the profile in what `to_bytes` gave, a buffer.

    Raises:
        ProfileError: it is no profile, or of another version.
    """
    try:
        with pa.ipc.open_stream(data) as reader:
            header = json.loads((reader.schema.metadata or {}).get(HEADER, b"{}"))
            if header.get("schema") != SCHEMA:
                raise ProfileError(f"no profile of schema {SCHEMA!r}, but {header.get('schema')!r}")
            batch = reader.read_next_batch()
        batch.validate(full=True)
        return _profile(header, {name: batch[name].values for name in batch.schema.names})
    except (
        pa.ArrowException,
        OSError,
        StopIteration,
        KeyError,
        IndexError,
        json.JSONDecodeError,
    ) as error:
        raise ProfileError(f"no profile: {error}") from error


def _universe(profile: Profile) -> int:
    """Return how many keys there may be: words are told by their place among the names."""
    if len(profile.names):
        return len(profile.names)
    return int(profile.tokens["key"].max() or 0) + 1


def _columns(profile: Profile) -> Iterator[tuple[str, Any]]:
    for name, keys in KEYS.items():
        frame = getattr(profile, name)
        if keys[0] == "domain":
            rows = np.bincount(codes_of(frame), minlength=len(profile.domain_names))
            yield f"{name}.{PER_DOMAIN}", rows
        if name == "tokens":
            yield f"{name}.{DIFFERENCES}", _differences(profile)
        elif name == "folds":
            yield f"{name}.{PER_WORD}", folds_per_word(profile)
        for column in frame.columns:
            if column != "domain" and not (column == "key" and name in ("tokens", "folds")):
                yield f"{name}.{column}", frame[column]


def _differences(profile: Profile) -> np.ndarray:
    """Return by how much the place of (domain, key) grows from row to row: uint64 (n,)."""
    keys = profile.tokens["key"].to_numpy()
    if len(profile.names):
        keys = np.searchsorted(profile.names["key"].to_numpy(), keys).astype(np.uint64)
    places = codes_of(profile.tokens).astype(np.uint64) * np.uint64(_universe(profile)) + keys
    return np.diff(places, prepend=np.uint64(0))


def _as_list(column: Any) -> pa.LargeListArray:
    if isinstance(column, pl.Series) and column.dtype == pl.String:
        values = column.to_arrow().cast(pa.large_string())
    else:
        values = pa.array(_narrow(np.asarray(column)))
    return pa.LargeListArray.from_arrays([0, len(values)], values)


def _narrow(numbers: np.ndarray) -> np.ndarray:
    if numbers.dtype.kind == "f":
        return numbers
    largest = numbers.max(initial=0)
    return numbers.astype(next(kind for kind in UNSIGNED if largest <= np.iinfo(kind).max))


def _profile(header: dict[str, Any], columns: dict[str, pa.Array]) -> Profile:
    names = tuple(header["domains"])
    frames: dict[str, Any] = {}
    words = columns["names.key"].to_numpy()
    for name, keys in KEYS.items():
        of_frame: dict[str, Any] = {}
        if keys[0] == "domain":
            rows = columns[f"{name}.{PER_DOMAIN}"].to_numpy()
            codes = np.repeat(np.arange(len(names), dtype=np.uint32), rows)
            of_frame["domain"] = domain_column(names, codes)
        if name == "tokens":
            places = np.cumsum(columns[f"{name}.{DIFFERENCES}"].to_numpy(), dtype=np.uint64)
            own = places - codes.astype(np.uint64) * np.uint64(header["keys"])
            of_frame["key"] = words[own.astype(np.int64)] if len(words) else own
        elif name == "folds":
            per_word = columns[f"{name}.{PER_WORD}"].to_numpy()
            of_frame["key"] = np.repeat(frames["tokens"]["key"].to_numpy(), per_word)
        for key in keys:
            if key not in of_frame:
                of_frame[key] = _series(columns[f"{name}.{key}"], KEY_TYPES[key])
        if name == "names":
            of_frame["name"] = _series(columns["names.name"], pl.String)
        for value in VALUES[name]:
            of_frame[value] = _series(columns[f"{name}.{value}"], pl.Int64)
        frames[name] = pl.DataFrame(
            of_frame, schema_overrides={k: KEY_TYPES[k] for k in keys if k != "domain"}
        )
    return Profile(
        header["unit"],
        header["normal_form"],
        **frames,
        rare_words=header["rare_words"],
        kinds=header["kinds"],
    )


def _series(values: pa.Array, kind: Any) -> pl.Series:
    column = pl.Series(values)
    return column if column.dtype == pl.Float64 else column.cast(kind)
