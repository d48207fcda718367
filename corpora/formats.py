"""File formats and compressions, and how they are told from a file's name."""

import enum
from pathlib import PurePosixPath

from corpora.places import is_url
from corpora.problems import CorpusError


class Format(enum.Enum):
    """How documents lie in a file; a text file is one document."""

    PARQUET = "parquet"
    ARROW = "arrow"
    JSONL = "jsonl"
    TEXT = "text"


class Compression(enum.Enum):
    """What a JSON lines or text file is packed with."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"
    BZ2 = "bz2"
    XZ = "xz"


FORMATS = {
    **dict.fromkeys((".parquet", ".pq"), Format.PARQUET),
    **dict.fromkeys((".arrow", ".feather", ".ipc"), Format.ARROW),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), Format.JSONL),
    **dict.fromkeys((".txt", ".text", ".md", ".markdown", ".rst", ".adoc", ".org"), Format.TEXT),
    **dict.fromkeys((".tex", ".html", ".htm", ".xml", ".srt", ".vtt"), Format.TEXT),
    **dict.fromkeys((".py", ".c", ".h", ".cc", ".cpp", ".hpp", ".java", ".js", ".ts"), Format.TEXT),
    **dict.fromkeys((".go", ".rs", ".rb", ".php", ".sh", ".sql", ".r", ".jl"), Format.TEXT),
    **dict.fromkeys((".kt", ".swift", ".scala", ".lua", ".pl", ".hs", ".css"), Format.TEXT),
}
COMPRESSIONS = {
    ".gz": Compression.GZIP,
    ".zst": Compression.ZSTD,
    ".zstd": Compression.ZSTD,
    ".bz2": Compression.BZ2,
    ".xz": Compression.XZ,
}


def by_suffix(path: str) -> tuple[Format, Compression] | None:
    """Format and compression from the name; None if unknown."""
    name = PurePosixPath(path.partition("?")[0] if is_url(path) else path)
    suffixes = [suffix.lower() for suffix in name.suffixes[-2:]] or [""]
    compression = COMPRESSIONS.get(suffixes[-1])
    if compression is None:
        format_ = FORMATS.get(suffixes[-1])
        return None if format_ is None else (format_, Compression.NONE)
    format_ = FORMATS.get(suffixes[0]) if len(suffixes) == 2 else None
    if format_ in (Format.PARQUET, Format.ARROW):
        raise CorpusError(
            f"{path}: {format_.value} files cannot be read from inside {compression.value}; "
            "unpack it, they compress their own columns"
        )
    return None if format_ is None else (format_, compression)
