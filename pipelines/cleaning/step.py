"""The step of a cleaning: one shard in, one file of the copy (or none) and the log of it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from corpora.documents import read_batches
from corpora.places import open_input
from corpora.problems import Problem, ReadLog
from corpora.shards import Format, Shard
from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.columns import FixedColumnError
from pipelines.cleaning.edits import CleanError, Edits
from pipelines.cleaning.lines import write_lines
from pipelines.cleaning.packing import Hashed, packed
from pipelines.cleaning.tables import write_arrow, write_parquet
from pipelines.cleaning.texts import write_text_file
from pipelines.files import write_whole
from pipelines.mapping import Tell

COPIED, REWRITTEN, LEFT_OUT = "copied", "rewritten", "left out"
PIECE_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a shard: one of the words above, and size and SHA-256 of the file, if there is one."""

    action: str
    size_bytes: int
    digest: str | None
    log: pl.DataFrame
    documents: pl.DataFrame
    cuts: pl.DataFrame


@dataclass(slots=True)
class RowLog(ReadLog):
    """A log that keeps the reason of every bad row: `ReadLog` shows the first ones only."""

    bad_rows: dict[int, str] = field(default_factory=dict)
    bad_files: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem, bad_documents: int | None = None) -> None:
        """Count a problem, and keep its row."""
        if problem.row is None:
            self.bad_files.append(problem)
        else:
            self.bad_rows[problem.row] = problem.reason
        ReadLog.add(self, problem, bad_documents)

    def add_rows(self, shard: str, rows: Sequence[int], reason: str, mend: str) -> None:
        """Count bad rows, and keep them."""
        self.bad_rows.update((int(row), reason) for row in rows)
        ReadLog.add_rows(self, shard, rows, reason, mend)


def clean_shard(
    shard: Shard,
    planned: pl.DataFrame,
    target: Path,
    temporary: Path,
    settings: CleanSettings,
    *,
    digest: str | None,
    has_unreadable: bool,
    batch_bytes: int,
    tell: Tell,
) -> Written:
    """Write what stays of a shard to `target`; `planned` are its rows of the plan.

    The file is written as `temporary` and appears whole. `digest` is the SHA-256 of the shard
    as it was scanned (None where it is unknown), `has_unreadable` whether it may hold bad rows.

    Raises:
        CleanError: where the shard is not what was scanned.
        OSError: where it cannot be read or the copy cannot be written.
    """
    tell(0, 0)
    unreadable = _unreadable(shard, batch_bytes, tell) if has_unreadable else {}
    edits = Edits(shard.path, shard.domain, planned, unreadable, settings)
    action, file = COPIED, _Outcome()
    if len(edits.affected):
        write_whole(temporary, lambda raw: file.write(raw, lambda out: _write(shard, edits, out)))
        action = REWRITTEN if file.is_any else LEFT_OUT
    else:
        write_whole(temporary, lambda raw: file.write(raw, lambda out: _copy(shard, out, tell)))
        if digest is not None and file.digest != digest:
            temporary.unlink()
            raise CleanError(f"{shard.path}: it has changed while it was copied; scan it again")
    log = edits.log()  # raises where a finding was not met
    if file.is_any:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    else:
        temporary.unlink()
        target.unlink(missing_ok=True)  # of an earlier round
    return Written(
        action,
        file.size_bytes if file.is_any else 0,
        file.digest if file.is_any else None,
        log,
        edits.documents(),
        edits.cuts(),
    )


@dataclass(slots=True)
class _Outcome:
    """What writing a file gave; `is_any` is False where no document is left."""

    is_any: bool = True
    size_bytes: int = 0
    digest: str = ""

    def write(self, raw: BinaryIO, write: Callable[[Hashed], bool]) -> None:
        out = Hashed(raw)
        self.is_any = write(out)
        self.size_bytes, self.digest = out.size_bytes, out.hexdigest()


def _write(shard: Shard, edits: Edits, out: Hashed) -> bool:
    match shard.format:
        case Format.PARQUET | Format.ARROW:
            try:
                write = write_parquet if shard.format is Format.PARQUET else write_arrow
                return write(shard, edits, out)
            except FixedColumnError as error:
                raise CleanError(f"{shard.path}: {error}") from error
        case Format.JSONL:
            with packed(out, shard.compression) as stream:
                return write_lines(shard, edits, stream)
        case Format.TEXT:
            with packed(out, shard.compression) as stream:
                return write_text_file(shard, edits, stream)


def _copy(shard: Shard, out: Hashed, tell: Tell) -> bool:
    with open_input(shard.path) as file:
        while piece := file.read(PIECE_BYTES):
            out.write(piece)
            tell(0, 0)
    return True


def _unreadable(shard: Shard, batch_bytes: int, tell: Tell) -> dict[int, str]:
    """Return the reason for each row without valid text, as the scan's own reader finds them."""
    log = RowLog()
    for _ in read_batches(shard, log, batch_bytes=batch_bytes):
        tell(0, 0)
    if log.bad_files:
        raise CleanError(f"{log.bad_files[0]}; then scan the corpus again")
    return log.bad_rows
