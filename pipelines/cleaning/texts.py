"""Text files, one document each: left out, or written with spans cut."""

from __future__ import annotations

from typing import Final

from corpora.shards import Shard
from corpora.streams import read_pieces
from pipelines.cleaning.edits import Edits
from pipelines.cleaning.packing import Writable

BOM: Final = b"\xef\xbb\xbf"


def write_text_file(shard: Shard, edits: Edits, out: Writable) -> bool:
    """Write a text file as the edits say; tell whether anything is left of it."""
    if len(edits.unreadable):
        return False
    data = b"".join(read_pieces(shard.path, shard.compression))
    text = data.removeprefix(BOM)
    treated = edits.treat(0, [text.decode("utf-8")])
    if treated is None or treated[0] is None:
        return False
    out.write(data[: len(data) - len(text)] + treated[0].encode("utf-8"))
    return True
