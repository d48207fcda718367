"""JSON lines to Arrow columns, a block of whole lines at a time.

A line ends at "\\n" and nowhere else. Two ways lead to the same rows. The fast one hands a block to
pyarrow's parser, which makes no Python object per row but reads a stream of values, not lines: it
gets only blocks that are one object per line by their looks. Whatever surprises it (bad JSON, a
blank line, another type, bad UTF-8) sends that one block line by line through `json.loads`, which
names each bad line.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from corpora.columns import BAD_UTF8, BAD_UTF8_MEND, NO_TEXT, NO_TEXT_MEND, Documents, clean
from corpora.formats import Compression
from corpora.places import nearest
from corpora.problems import CorpusError, Problem, ReadLog, said, shown
from corpora.shards import Columns, Shard
from corpora.streams import READ_ERRORS, read_pieces

PROBED_BYTES = 1 << 20  # a first line longer than this is not parsed twice to learn its types
NAMED_COLUMNS = 20
_BOM = b"\xef\xbb\xbf"
# pyarrow 26 follows a dangling pointer at a null between objects; JSON has no other "}null"
_TOP_LEVEL_NULL = re.compile(rb"\}[ \t\r]*null")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, each ended by a line feed; `first_row` counts lines from 0, blank ones too."""

    data: bytes
    first_row: int


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
    before = log.documents_and_problems
    n_documents = 0
    for block in read_blocks(shard, log, batch_bytes, max_document_bytes):
        if plan is None:
            if _is_other_json(shard, log, block):
                return
            plan = _plan(shard.columns, block)
            _check_columns(shard, plan, block)
        found = _parse_block(shard, log, plan, block)
        n_documents += len(found.rows)
        yield found
    if n_documents == 0 and log.documents_and_problems == before:
        log.add(Problem(shard.path, None, "the file is empty", "remove it or write it again"))
