"""From what a user typed to a list of shards, and from a big shard to parts of it.

An argument is a file, a folder, a glob, a URL of one of these, or a `mix.yaml`. The format comes
from the suffix. In a folder only files with a known suffix are shards and the others are passed
over; a file that is named itself is always read or refused: with an unknown suffix it is read as
what its first bytes are. Reading is `corpora.documents`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from corpora.filters import Filters
from corpora.formats import COMPRESSIONS, FORMATS, Compression, Format, by_suffix
from corpora.mix import SourceColumns, is_mix, read_mix
from corpora.places import Found, find, is_url, open_input
from corpora.problems import CorpusError, said
from corpora.streams import READ_ERRORS, open_stream

__all__ = ["Columns", "Compression", "Format", "Shard", "of_source", "resolve", "split"]

SNIFFED_BYTES = 64 << 10
IPC_FILE_MAGIC = b"ARROW1"
_MAGIC = {
    b"PAR1": (Format.PARQUET, Compression.NONE),
    IPC_FILE_MAGIC: (Format.ARROW, Compression.NONE),
    b"\xff\xff\xff\xff": (Format.ARROW, Compression.NONE),  # the continuation mark of a stream
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; dots reach into nested keys (`message.content`).

    Several text columns are joined with a line feed, and a null among them is passed over. A
    file must have every text column; it may lack the id and the domain.
    """

    text: tuple[str, ...] = ("text",)
    id: str | None = "id"
    domain: str | None = "domain"

    def __post_init__(self) -> None:
        names = [*self.text, *(name for name in (self.id, self.domain) if name is not None)]
        if not self.text or any(not part for name in names for part in name.split(".")):
            raise CorpusError(
                f"column names {names!r}: name a text column, and no empty names or keys"
            )


@dataclass(frozen=True, slots=True)
class Shard:
    """One file, or a part of one, and how to read it.

    `path` opens the file and is what findings show: the argument, or the argument and the way
    below it; posix. `domain` comes from a mix and overrides the column. `part` is the range
    [first, last) of Parquet row groups or IPC record batches; None is all. `size_bytes` is as
    stored. `weight` comes from a mix, too: how many times as often a document of this shard is drawn as
    one of weight 1; it changes nothing about reading. `filters` say which of its documents are read.
    """

    path: str
    format: Format
    compression: Compression
    columns: Columns
    domain: str | None
    size_bytes: int
    part: tuple[int, int] | None = None
    weight: float = 1.0
    filters: Filters | None = None


def resolve(corpus: Sequence[str], columns: Columns) -> list[Shard]:
    """The shards of all arguments, sorted by path, each file once.

    A file that two arguments name is read as the first of them says. Raises CorpusError, in one
    line, for what does not exist, cannot be listed, or holds nothing readable.
    """
    if not corpus:
        raise CorpusError("no corpus given; name a file, folder, glob, URL or mix.yaml")
    shards: dict[str, Shard] = {}
    for argument in corpus:
        for shard in _of_argument(argument, columns):
            shards.setdefault(_identity(shard.path), shard)
    return sorted(shards.values(), key=lambda shard: shard.path)


def split(shard: Shard, target_bytes: int) -> list[Shard]:
    """Parts of about `target_bytes` in row order, for parallel work; [shard] where it cannot.

    Parquet splits between row groups, an IPC file between record batches. A file whose footer
    cannot be read stays whole: reading it reports why.
    """
    if shard.part is not None or shard.size_bytes <= target_bytes:
        return [shard]
    try:
        sizes = _piece_sizes(shard)
    except (OSError, pa.ArrowException):
        return [shard]
    parts = [
        replace(shard, part=(first, last), size_bytes=sum(sizes[first:last]))
        for first, last in _runs(sizes, target_bytes)
    ]
    return parts if len(parts) > 1 else [shard]


def _of_argument(argument: str, columns: Columns) -> Iterator[Shard]:
    if not is_mix(argument):
        yield from _shards(argument, columns, None)
        return
    owners: dict[str, str] = {}
    for source in read_mix(argument).sources:
        for path in source.paths:
            for shard in _shards(path, of_source(columns, source.columns), source.domain):
                owner = owners.setdefault(_identity(shard.path), source.name)
                if owner != source.name:
                    raise CorpusError(
                        f"{argument}: the sources {owner!r} and {source.name!r} both hold "
                        f"{shard.path}; a file belongs to one source"
                    )
                yield replace(shard, weight=source.weight or 1.0, filters=source.filters)


def of_source(columns: Columns, source: SourceColumns | None) -> Columns:
    """Return the columns asked for, overridden by what a source sets (also by an explicit null)."""
    if source is None:
        return columns
    return replace(columns, **{name: getattr(source, name) for name in source.model_fields_set})


def _identity(path: str) -> str:
    """Equal for two spellings of the same local file."""
    return path if is_url(path) else os.path.realpath(path)


def _shards(argument: str, columns: Columns, domain: str | None) -> list[Shard]:
    found = find(argument)
    shards = []
    for file in found:
        kind = by_suffix(file.path)
        if kind is None and file.is_named:
            kind = _by_content(file)
        if kind is not None:
            shards.append(Shard(file.path, *kind, columns, domain, file.size_bytes))
    if not shards:
        what = (
            f"none of its {len(found)} files has a known suffix" if found else "it holds no files"
        )
        raise CorpusError(f"{argument}: {what}; name the files one by one, or use {_known()}")
    return shards


def _by_content(file: Found) -> tuple[Format, Compression]:
    """What a named file of unknown suffix is: by its magic bytes, JSON lines, or text."""
    compression = COMPRESSIONS.get(PurePosixPath(file.path).suffix.lower(), Compression.NONE)
    try:
        with open_stream(file.path, compression) as stream:
            head = bytes(stream.read(SNIFFED_BYTES))
    except READ_ERRORS as error:
        raise CorpusError(
            f"{file.path}: cannot be read: {said(error)}; check your access to it"
        ) from error
    for magic, kind in _MAGIC.items():
        if head.startswith(magic) and compression is Compression.NONE:
            return kind
    if not _is_text(head):
        raise CorpusError(
            f"{file.path}: unknown format, neither a known suffix nor UTF-8 text; use {_known()}"
        )
    return (Format.JSONL if _is_json_line(head) else Format.TEXT, compression)


def _known() -> str:
    """The suffixes that are read, for a message."""
    packed = " ".join(COMPRESSIONS)
    return f"{' '.join(sorted(FORMATS))} (JSON lines and text also packed: {packed})"


def _is_text(head: bytes) -> bool:
    """Whether the first bytes are UTF-8, up to a character that the end cuts, without NUL."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return "\x00" not in text


def _is_json_line(head: bytes) -> bool:
    """Whether the first line that is not blank is an object; a longer line counts by its brace."""
    first, newline, _ = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")
    if not newline and len(head) == SNIFFED_BYTES:
        return first.startswith(b'{"')
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _piece_sizes(shard: Shard) -> list[int]:
    """Stored bytes of each Parquet row group or IPC record batch; one piece for other formats."""
    if shard.format is Format.PARQUET:
        with open_input(shard.path) as file:
            metadata = pq.ParquetFile(file).metadata
            groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
            return [_stored_bytes(group) for group in groups]
    if shard.format is Format.ARROW:
        return _record_batch_sizes(shard)
    return [shard.size_bytes]


def _stored_bytes(group: pq.RowGroupMetaData) -> int:
    return sum(group.column(index).total_compressed_size for index in range(group.num_columns))


def _record_batch_sizes(shard: Shard) -> list[int]:
    """Equal shares: the footer that Python sees does not tell how long each batch is."""
    with open_input(shard.path) as file:
        if bytes(file.read(len(IPC_FILE_MAGIC))) != IPC_FILE_MAGIC:
            return [shard.size_bytes]
        file.seek(0)
        count = pa.ipc.open_file(file).num_record_batches
    return [shard.size_bytes // count] * count if count else [shard.size_bytes]


def _runs(sizes: Sequence[int], target_bytes: int) -> Iterator[tuple[int, int]]:
    """Consecutive ranges that each end as soon as they reach the target."""
    first, held = 0, 0
    for index, size in enumerate(sizes):
        held += size
        if held >= target_bytes:
            yield first, index + 1
            first, held = index + 1, 0
    if first < len(sizes):
        yield first, len(sizes)
