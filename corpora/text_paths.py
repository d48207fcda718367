"""Where the text columns of a JSON lines shard are, for whoever writes lines again."""

from __future__ import annotations

from corpora import jsonl
from corpora.documents import MAX_DOCUMENT_BYTES
from corpora.lines import read_blocks
from corpora.problems import ReadLog
from corpora.shards import Shard

Path = tuple[str, ...]


def text_paths(shard: Shard) -> tuple[Path, ...]:
    """Return the keys that lead to each text column, as the reader learns them from the first object.

    Without any line: no paths.
    """
    for block in read_blocks(shard, ReadLog(), 1, MAX_DOCUMENT_BYTES):
        if jsonl._first_line(block):
            return jsonl._plan(shard.columns, block).texts
    return ()
