"""The scan of the copy: the same benchmarks, scanners and columns as the scan that it was made from."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from corpora.benchmarks import Benchmark
from corpora.shards import Shard
from indexes.background import load_background
from pipelines.encoders import encoder_of
from pipelines.mapping import Tell
from pipelines.settings import ScanSettings
from pipelines.shard_step import ScanPlan, StepResult, scan_shard, warm_up
from pipelines.tables import FINDING_SCHEMA, HELPER_SCHEMA, findings_table
from scanners.patterns import build_patterns

# The columns of `findings.parquet`, and the status that each finding makes of its item.
FOUND_SCHEMA: Final = FINDING_SCHEMA | {"item_status": HELPER_SCHEMA["item_status"]}


class CopyError(OSError):
    """A file of the copy that is not what was written."""


@dataclass(frozen=True, slots=True)
class Rescanned:
    """What a scan made of one file of the copy; `found` has the columns of `FOUND_SCHEMA`."""

    found: pl.DataFrame
    documents: int
    size_bytes: int  # of the texts
    domain_documents: dict[str, int]
    domain_bytes: dict[str, int]


NOTHING: Final = Rescanned(pl.DataFrame(schema=FOUND_SCHEMA), 0, 0, {}, {})  # of no file


class Rescan:
    """Scans files of the copy; the patterns are built once."""

    def __init__(self, benchmarks: Sequence[Benchmark], settings: ScanSettings) -> None:
        self._settings = settings
        warm_up(settings.scanners)
        patterns = build_patterns(benchmarks, load_background())
        self._plan = ScanPlan(
            benchmarks,
            patterns,
            settings.scanners,
            encoder_of(settings),
            prefilter=settings.prefilter,
            translations=settings.translations,
        )

    def scan(
        self, shard: Shard, copy: Path, digest: str | None, *, read_ahead: bool, tell: Tell
    ) -> Rescanned:
        """Scan the copy of a shard; `digest` is the SHA-256 that was written.

        Raises:
            CopyError: where it does not read back as it was written.
        """
        part = replace(shard, path=copy.as_posix(), size_bytes=copy.stat().st_size)
        result = StepResult(part)
        documents = size_bytes = 0
        for result in scan_shard(
            part, self._plan, batch_bytes=self._settings.batch_bytes, read_ahead=read_ahead
        ):
            tell(result.log.documents - documents, result.log.bytes - size_bytes)
            documents, size_bytes = result.log.documents, result.log.bytes
        if result.log.n_problems or result.digest != digest:
            what = result.log.problems[0].reason if result.log.problems else "other bytes"
            message = f"the copy does not read back as it was written ({what})"
            raise CopyError(errno.EIO, message, part.path)
        return Rescanned(
            findings_table([result], self._plan).select(list(FOUND_SCHEMA)),
            documents,
            size_bytes,
            result.domain_documents,
            result.domain_bytes,
        )
