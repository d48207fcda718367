"""Files appear whole or not at all: written beside their place, flushed to disk, then renamed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import polars as pl


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file through a temporary one; on any failure no trace of it stays.

    Raises:
        OSError: from the file system, a full disk among others.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(
            error.errno, error.strerror, str(path)
        ) from error  # a full disk names no file
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write Parquet whole; made in memory, so that a full disk is the file system's own error."""
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    write_whole(path, lambda file: file.write(buffer.getbuffer()))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole."""
    write_whole(path, lambda file: file.write(text.encode()))
