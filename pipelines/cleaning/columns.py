"""Rows left out of a record batch, and texts replaced in it; every other value keeps its bits.

Text columns are made anew without what went: a dictionary or a view would go on holding it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.cleaning.edits import Edits

Path = tuple[str, ...]


class FixedColumnError(ValueError):
    """A column of a type that pyarrow reads and cannot change; its text names it, with a mend."""


def edit_batch(
    batch: pa.RecordBatch, first_row: int, paths: Sequence[Path], edits: Edits
) -> pa.RecordBatch:
    """Return a batch of consecutive rows as the edits say; `paths` lead to its text columns.

    Raises:
        FixedColumnError: where a column cannot be changed.
    """
    keep = np.ones(batch.num_rows, np.bool_)
    keep[_within(edits.unreadable, first_row, batch.num_rows)] = False
    texts: dict[Path, dict[int, str]] = {path: {} for path in paths}
    for place in _within(edits.rows, first_row, batch.num_rows).tolist():
        columns = [_text(batch, path, place) for path in paths]
        treated = edits.treat(first_row + place, columns)
        if treated is None:
            keep[place] = False
            continue
        for path, old, new in zip(paths, columns, treated, strict=True):
            if new is not None and new != old:
                texts[path][place] = new
    for path, new_texts in texts.items():
        if new_texts:
            batch = _at(batch, path, lambda array, own=new_texts: _replaced(array, own))
    if not keep.all():
        kept = pa.array(keep)
        columns = [_filtered(batch, index, kept) for index in range(batch.num_columns)]
        batch = pa.RecordBatch.from_arrays(columns, schema=batch.schema)
    for path in paths:
        batch = _at(batch, path, _compact)
    return batch


def holds_dictionary(schema: pa.Schema, paths: Sequence[Path]) -> bool:
    """Tell whether one of the text columns is a dictionary."""
    return any(pa.types.is_dictionary(_type(schema, path)) for path in paths)


def _filtered(batch: pa.RecordBatch, index: int, keep: pa.BooleanArray) -> pa.Array:
    """Return the kept rows of a column; pyarrow 26 cannot filter views."""
    column = batch.column(index)
    try:
        if _is_view(column.type):
            return column.cast(_plain(column.type)).filter(keep).cast(column.type)
        return column.filter(keep)
    except pa.ArrowNotImplementedError as error:
        name = batch.schema.field(index).name
        raise FixedColumnError(
            f"the column {name!r} is of type {column.type}, of which pyarrow cannot leave out rows; write it "
            "as another type"
        ) from error


def _within(rows: np.ndarray, first_row: int, n_rows: int) -> np.ndarray:
    """Return which of the sorted rows are in a batch, as places in it."""
    low, high = np.searchsorted(rows, [first_row, first_row + n_rows])
    return rows[low:high] - first_row


def _type(schema: pa.Schema, path: Path) -> pa.DataType:
    kind = schema.field(path[0]).type
    for key in path[1:]:
        kind = kind.field(key).type
    return kind


def _text(batch: pa.RecordBatch, path: Path, place: int) -> str | None:
    value: Any = batch.column(path[0])[place].as_py()
    for key in path[1:]:
        value = None if value is None else value[key]
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _at(batch: pa.RecordBatch, path: Path, change: Any) -> pa.RecordBatch:
    """Return the batch with the column at a path changed by a function of its array."""
    index = batch.schema.get_field_index(path[0])
    old = batch.column(index)
    new = _below(old, path[1:], change)
    return batch if new is old else batch.set_column(index, batch.schema.field(index), new)


def _below(array: pa.Array, path: Path, change: Any) -> pa.Array:
    if not path:
        return change(array)
    index = array.type.get_field_index(path[0])
    fields = [array.type.field(number) for number in range(array.type.num_fields)]
    children = [array.field(number) for number in range(len(fields))]
    new = _below(children[index], path[1:], change)
    if new is children[index]:
        return array
    children[index] = new
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(children, fields=fields, mask=mask)


def _replaced(array: pa.Array, texts: Mapping[int, str]) -> pa.Array:
    """Return an array of any type that holds text, with other texts at some places."""
    kind = array.type
    if pa.types.is_fixed_size_binary(kind):
        raise FixedColumnError(
            f"a text column is of type {kind}, which no shorter text fits; use --remove document, or "
            "write it as strings"
        )
    if pa.types.is_dictionary(kind):
        return _encoded(_replaced(array.dictionary_decode(), texts), kind)
    plain = array.cast(_plain(kind)) if _is_view(kind) else array
    is_text = pa.types.is_string(plain.type) or pa.types.is_large_string(plain.type)
    mask = np.zeros(len(array), np.bool_)
    mask[list(texts)] = True
    values = [text if is_text else text.encode() for _, text in sorted(texts.items())]
    new = pc.replace_with_mask(plain, pa.array(mask), pa.array(values, plain.type))
    return new.cast(kind)


def _compact(array: pa.Array) -> pa.Array:
    """Return an array that holds no value but its own."""
    if pa.types.is_dictionary(array.type):
        return _encoded(array.dictionary_decode(), array.type)
    if _is_view(array.type):
        return array.cast(_plain(array.type)).cast(array.type)
    return array


def _encoded(values: pa.Array, kind: pa.DictionaryType) -> pa.DictionaryArray:
    encoded = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(
        encoded.indices.cast(kind.index_type), encoded.dictionary, ordered=kind.ordered
    )


def _is_view(kind: pa.DataType) -> bool:
    return pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
