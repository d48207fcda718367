r"""JSON lines to Arrow columns, a block of whole lines at a time.

A line ends at "\n" and nowhere else. Two ways lead to the same rows. The fast one hands a block to
pyarrow's parser, which makes no Python object per row but reads a stream of values, not lines: it
gets only blocks that are one object per line by their looks. Whatever surprises it (bad JSON, a
blank line, another type, bad UTF-8) sends that one block line by line through `json.loads`, which
names each bad line.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from corpora.columns import (
    BAD_UTF8,
    BAD_UTF8_MEND,
    NO_TEXT,
    NO_TEXT_MEND,
    Documents,
    clean,
    missing_column,
)
from corpora.lines import Block, read_blocks
from corpora.problems import CorpusError, Problem, ReadLog, said, shown
from corpora.shards import Columns, Shard

NOT_BLANK = re.compile(rb"\S")
PROBED_BYTES = 1 << 20  # a first line longer than this is not parsed twice to learn its types
# pyarrow 26 follows a dangling pointer at a null between objects; JSON has no other "}null"
_TOP_LEVEL_NULL = re.compile(rb"\}[ \t\r]*null")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where text, id and domain lie in each object, and the types the parser is to expect."""

    columns: Columns
    texts: tuple[Path, ...]
    id: Path | None
    domain: Path | None
    schema: pa.Schema


class LineError(ValueError):
    """What is wrong with one line; `mend` says what to do."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.mend = mend


def read_documents(
    shard: Shard, log: ReadLog, batch_bytes: int, max_document_bytes: int
) -> Iterator[Documents]:
    """The good lines of a JSON lines shard, in order; the others are in the log.

    Raises CorpusError when a text column is on no line of the first block.
    """
    plan: Plan | None = None
    n_documents, n_problems = 0, log.n_problems
    for block in read_blocks(shard, log, batch_bytes, max_document_bytes):
        if plan is not None:
            found = _parse(shard, log, plan, block)
        elif not _first_line(block):
            continue
        elif _is_other_json(shard, log, block):
            return
        else:
            plan = _plan(shard.columns, block)
            found = _parse(shard, log, plan, block)
            if len(plan.texts) > 1 or len(found.rows) == 0:
                _check_columns(shard, plan, block)
        n_documents += len(found.rows)
        yield found
    if n_documents == 0 and log.n_problems == n_problems:
        log.add(Problem(shard.path, None, "the file is empty", "remove it or write it again"))


def _first_line(block: Block) -> bytes:
    """The first line that is not blank, stripped; b"" if there is none."""
    found = NOT_BLANK.search(block.data)
    if found is None:
        return b""
    head = block.data[found.start() : found.start() + PROBED_BYTES]
    return bytes(head).partition(b"\n")[0].rstrip()


def _is_other_json(shard: Shard, log: ReadLog, block: Block) -> bool:
    """Log the two mistakes that would make every line of a file bad: an array, an indented object."""
    first = _first_line(block)
    if not (first.startswith(b"[") or first == b"{"):
        return False
    what = "a JSON array" if first.startswith(b"[") else "one JSON value over several lines"
    mend = "write one object per line, as `jq -c .` or `jq -c '.[]'` does"
    log.add(Problem(shard.path, None, f"not JSON lines: it holds {what}", mend))
    return True


def _plan(columns: Columns, block: Block) -> Plan:
    """Paths and types, learned from the file's first object.

    A dotted name is one key where the first object has it as one, and a way into nested objects
    elsewhere. Ids and domains are whole numbers if the first one is; a block where that does not
    hold takes the slow way.
    """
    first = _first_object(block)

    def path(name: str) -> Path:
        return (name,) if name in first else tuple(name.split("."))

    texts = tuple(path(name) for name in columns.text)
    labels = [None if name is None else path(name) for name in (columns.id, columns.domain)]
    leaves: dict[Path, pa.DataType] = {
        label: pa.int64() if type(_value(first, label)) is int else pa.large_string()
        for label in labels
        if label is not None
    }
    leaves.update(dict.fromkeys(texts, pa.large_string()))
    return Plan(columns, texts, labels[0], labels[1], pa.schema(_fields(leaves)))


def _first_object(block: Block) -> dict[str, Any]:
    """The first line as an object if it is one and not huge; else no keys at all."""
    try:
        value = json.loads(_first_line(block))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _fields(leaves: dict[Path, pa.DataType]) -> list[pa.Field]:
    """The leaves as Arrow fields, nested by their paths."""
    fields = []
    for key in dict.fromkeys(path[0] for path in leaves):
        below = {path[1:]: kind for path, kind in leaves.items() if path[0] == key}
        if () in below and len(below) > 1:
            raise CorpusError(
                f"the column {key!r} cannot hold text and also nested keys; name one of them"
            )
        kind = below[()] if () in below else pa.struct(_fields(below))
        fields.append(pa.field(key, kind))
    return fields


def _parse(shard: Shard, log: ReadLog, plan: Plan, block: Block) -> Documents:
    table = _parse_fast(block.data, block.n_lines, plan)
    if table is None:
        return _parse_slowly(shard, log, plan, block)
    rows = block.first_row + np.arange(table.num_rows, dtype=np.int64)
    texts = [_column(table, path) for path in plan.texts]
    labels = [None if path is None else _column(table, path) for path in (plan.id, plan.domain)]
    return clean(shard.path, log, rows, texts, labels[0], labels[1])


def _parse_fast(data: bytes, n_lines: int, plan: Plan) -> pa.Table | None:
    """One row per line by pyarrow's parser, or None where only the slow way is sure."""
    if not _is_object_per_line(data, n_lines):
        return None
    try:
        table = pa.json.read_json(
            pa.BufferReader(data),
            read_options=pa.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
            parse_options=pa.json.ParseOptions(
                explicit_schema=plan.schema, unexpected_field_behavior="ignore"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return table if table.num_rows == n_lines else None


def _is_object_per_line(data: bytes, n_lines: int) -> bool:
    """Whether every line begins with `{`, ends with `}`, and all is UTF-8.

    Inside an object no `}`, line feed, `{` can follow one another. So if the parser then finds as
    many objects as lines, each line is exactly one object, and row numbers are line numbers.
    """
    if not data.startswith(b"{") or not data.endswith((b"}\n", b"}\r\n")):
        return False
    crossings = data.count(b"}\n{") + (data.count(b"}\r\n{") if b"\r" in data else 0)
    if crossings != n_lines - 1:
        return False
    return _is_utf8(data) and _TOP_LEVEL_NULL.search(data) is None


def _is_utf8(data: bytes) -> bool:
    """By Arrow's validation, at several GB/s, without making a str."""
    ends = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    whole = pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data))
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _column(table: pa.Table, path: Path) -> pa.Array:
    column = table.column(path[0]).combine_chunks()
    return pc.struct_field(column, list(path[1:])) if len(path) > 1 else column


def _parse_slowly(shard: Shard, log: ReadLog, plan: Plan, block: Block) -> Documents:
    """Line by line; bad lines are problems, blank lines are nothing."""
    rows: list[int] = []
    values: list[tuple[str, str | None, str | None]] = []
    for row, line in enumerate(block.data.split(b"\n")[:-1], start=block.first_row):
        try:
            if line.strip():
                values.append(_document(line, plan))
                rows.append(row)
        except LineError as error:
            log.add(Problem(shard.path, row, str(error), error.mend))
    texts, ids, domains = ([value[i] for value in values] for i in range(3))
    return Documents(
        np.array(rows, dtype=np.int64),
        pa.array(texts, pa.large_string()),
        pa.array(ids, pa.large_string()),
        pa.array(domains, pa.large_string()),
    )


def _document(line: bytes, plan: Plan) -> tuple[str, str | None, str | None]:
    """Text, id and domain of one line; raises LineError."""
    value = _object(line, plan)
    names = plan.columns.text
    parts = [_text(value, path, name) for path, name in zip(plan.texts, names, strict=True)]
    held = [part for part in parts if part is not None]
    if not held:
        raise LineError(NO_TEXT, NO_TEXT_MEND)
    return "\n".join(held), _label(value, plan.id), _label(value, plan.domain)


def _object(line: bytes, plan: Plan) -> dict[str, Any]:
    """The line as an object; raises LineError."""
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"{BAD_UTF8}: byte 0x{line[error.start]:02x} at byte {error.start} of the line"
        raise LineError(reason, BAD_UTF8_MEND) from error
    except json.JSONDecodeError as error:
        reason = f"bad JSON: {error.msg} at column {error.colno}"
        raise LineError(reason, "mend or drop the line") from error
    except (ValueError, RecursionError) as error:
        # too deep or too many digits for Python, not for the fast way: a line's fate must not
        # hang on its neighbours
        table = _parse_fast(line.strip() + b"\n", 1, plan)
        if table is None:
            raise LineError(f"bad JSON: {said(error)}", "mend or drop the line") from error
        value = table.to_pylist()[0]
    if not isinstance(value, dict):
        raise LineError(f"not a JSON object: {shown(value)}", "write one object per line")
    return value


def _value(holder: object, path: Path) -> object:
    """What lies at the path; None where the way ends early."""
    for key in path:
        if not isinstance(holder, dict):
            return None
        holder = holder.get(key)
    return holder


def _text(value: dict[str, Any], path: Path, name: str) -> str | None:
    text = _value(value, path)
    if text is None:
        return None
    if not isinstance(text, str):
        reason = f"text is not a string: {name} is {shown(text)}"
        raise LineError(reason, "write it as a string or name another column")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        reason = f"lone surrogate: {text[error.start]!a} at character {error.start} of {name}"
        raise LineError(reason, "write the character as a pair of escapes or as UTF-8") from error
    return text


def _label(value: dict[str, Any], path: Path | None) -> str | None:
    """An id or domain as text: what is not a string as its JSON, lone surrogates escaped."""
    label = None if path is None else _value(value, path)
    if label is None:
        return None
    text = label if isinstance(label, str) else json.dumps(label, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _check_columns(shard: Shard, plan: Plan, block: Block) -> None:
    """Raise CorpusError if a text column is on no line of the block, unless no line is an object."""
    absent = dict(zip(plan.texts, plan.columns.text, strict=True))
    seen: dict[str, None] = {}
    for value in _objects(block, plan):
        absent = {path: name for path, name in absent.items() if not _is_there(value, path)}
        if not absent:
            return
        seen.update(dict.fromkeys(_names(value)))
    if seen:
        raise missing_column(shard.path, next(iter(absent.values())), list(seen))


def _objects(block: Block, plan: Plan) -> Iterator[dict[str, Any]]:
    for line in block.data.split(b"\n"):
        with suppress(LineError):
            if line.strip():
                yield _object(line, plan)


def _is_there(value: dict[str, Any], path: Path) -> bool:
    """Whether the path's last key is there, be it null."""
    holder = _value(value, path[:-1])
    return isinstance(holder, dict) and path[-1] in holder


def _names(value: dict[str, Any]) -> Iterator[str]:
    """The keys of an object, nested ones dotted."""
    for key, below in value.items():
        if isinstance(below, dict) and below:
            yield from (f"{key}.{name}" for name in below)
        else:
            yield key
