"""Arrow columns of any string-like type as valid UTF-8 large strings; rows without text set apart.

Arrow checks neither the offsets nor the UTF-8 of what it reads, and a kernel that trusts bad
offsets reads foreign memory: nothing leaves this module unchecked.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpora.places import nearest
from corpora.problems import CorpusError, ReadLog, said

NO_TEXT = "no text"
NO_TEXT_MEND = "fill the text column or drop the row"
BAD_UTF8 = "invalid UTF-8"
BAD_UTF8_MEND = "re-encode the text as UTF-8 or drop the row"
LISTED_COLUMNS = 20


class DamageError(ValueError):
    """Bytes that are not what their format says: unreadable, or pointing outside their data."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Rows with their text: `rows` int64 (n,), the others large_string (n,), texts without null."""

    rows: np.ndarray
    texts: pa.LargeStringArray
    ids: pa.LargeStringArray
    domains: pa.LargeStringArray


def holds_text(kind: pa.DataType) -> bool:
    """Whether a column of this type can be a text column."""
    if pa.types.is_dictionary(kind):
        return holds_text(kind.value_type)
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
        pa.types.is_null,
    )
    return any(test(kind) for test in tests)


def missing_column(path: str, name: str, available: list[str]) -> CorpusError:
    """The error for a text column that a file does not have."""
    listed = ", ".join(available[:LISTED_COLUMNS]) or "none"
    more = ", ..." if len(available) > LISTED_COLUMNS else ""
    return CorpusError(
        f"{path}: there is no column {name!r}{nearest(name, available)}; it has {listed}{more}; "
        "name the text column with --text"
    )


def clean(
    shard_path: str,
    log: ReadLog,
    rows: np.ndarray,
    texts: list[pa.Array],
    ids: pa.Array | None,
    domains: pa.Array | None,
) -> Documents:
    """Join the text columns, leave out rows without valid text, and log each of them.

    All arrays are of length n = len(rows). Raises DamageError.
    """
    joined = _joined([_as_text(column) for column in texts])
    found = Documents(rows, joined, as_labels(ids, len(rows)), as_labels(domains, len(rows)))
    if joined.null_count:
        is_null = joined.is_null()
        log.add_rows(shard_path, rows[_mask(is_null)], NO_TEXT, NO_TEXT_MEND)
        found = _only(found, pc.invert(is_null))
    return _only_utf8(shard_path, log, found)


def as_labels(column: pa.Array | None, length: int) -> pa.LargeStringArray:
    """Ids or domains as text: numbers by Arrow's cast, bad UTF-8 escaped, an absent column null."""
    if column is None:
        return pa.nulls(length, pa.large_string())
    if not holds_text(column.type):
        return column.cast(pa.large_string())
    labels = _as_text(column)
    if _is_utf8(labels):
        return labels
    values = labels.view(pa.large_binary()).to_pylist()
    escaped = [None if v is None else v.decode("utf-8", "backslashreplace") for v in values]
    return pa.array(escaped, pa.large_string())


def _as_text(column: pa.Array) -> pa.LargeStringArray:
    """Any column that holds text as large strings: offsets checked, UTF-8 not."""
    try:
        return _checked(column).view(pa.large_string())
    except (pa.ArrowInvalid, IndexError) as error:
        raise DamageError(said(error)) from error


def _checked(column: pa.Array) -> pa.LargeBinaryArray:
    if pa.types.is_dictionary(column.type):
        # building it anew checks the indices against the values
        column = pa.DictionaryArray.from_arrays(column.indices, _checked(column.dictionary))
        return column.dictionary_decode()
    column.validate()
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.large_binary())
    if pa.types.is_string_view(column.type) or pa.types.is_binary_view(column.type):
        column.view(pa.binary_view()).validate(full=True)
    as_bytes = column.cast(pa.large_binary())
    as_bytes.validate(full=True)
    return as_bytes


def _joined(columns: list[pa.LargeStringArray]) -> pa.LargeStringArray:
    """The columns row by row with a line feed between; null only where all are null."""
    if len(columns) == 1:
        return columns[0]
    has_text = columns[0].is_valid()
    for column in columns[1:]:
        has_text = pc.or_(has_text, column.is_valid())
    # pyarrow 26 drops a row from the result when all its values are skipped: give it an empty one
    first = pc.if_else(has_text, columns[0], pa.scalar("", pa.large_string()))
    feed = pa.scalar("\n", pa.large_string())
    joined = pc.binary_join_element_wise(first, *columns[1:], feed, null_handling="skip")
    return pc.if_else(has_text, joined, pa.scalar(None, pa.large_string()))


def _only_utf8(shard_path: str, log: ReadLog, found: Documents) -> Documents:
    if _is_utf8(found.texts):
        return found
    good = np.ones(len(found.texts), dtype=bool)
    for index, text in enumerate(found.texts.view(pa.large_binary())):
        try:
            text.as_py().decode("utf-8")
        except UnicodeDecodeError as error:
            good[index] = False
            reason = f"{BAD_UTF8}: byte 0x{error.object[error.start]:02x} at byte {error.start}"
            log.add_rows(shard_path, [int(found.rows[index])], reason, BAD_UTF8_MEND)
    return _only(found, pa.array(good))


def _is_utf8(texts: pa.LargeStringArray) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _only(found: Documents, keep: pa.BooleanArray) -> Documents:
    return Documents(
        found.rows[_mask(keep)],
        found.texts.filter(keep),
        found.ids.filter(keep),
        found.domains.filter(keep),
    )


def _mask(mask: pa.BooleanArray) -> np.ndarray:
    return mask.to_numpy(zero_copy_only=False)
