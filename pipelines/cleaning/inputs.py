"""The result folder of a scan, held against the corpus and the benchmarks as they are now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import ValidationError

from corpora.benchmarks import Benchmark, read_benchmarks
from corpora.fields import FieldMap
from corpora.normal_form import fingerprint
from corpora.places import is_url
from corpora.shards import Columns, Shard, resolve, split
from pipelines.cleaning.edits import CleanError
from pipelines.mapping import Progress, Tell, run_steps
from pipelines.run_record import RUN_SCHEMA
from pipelines.settings import ScanSettings
from pipelines.shard_step import file_digest
from pipelines.sources import StoredVersion
from pipelines.tables import FINDING_COLUMNS

SCAN_AGAIN: Final = "scan the corpus again"
ITEM_COLUMNS: Final = ("benchmark", "item_id", "status")
KEYS: Final = ("benchmarks", "complete", "normal_form", "read", "settings", "shards")
FILES: Final = ("run.json", "findings.parquet", "items.parquet")


@dataclass(frozen=True, slots=True)
class Inputs:
    """A finished scan of the corpus as it is now."""

    folder: Path
    run: Mapping[str, Any]
    settings: ScanSettings
    shards: tuple[Shard, ...]  # sorted by path
    digests: Mapping[str, str | None]  # by path: SHA-256; None for URLs
    findings: pl.DataFrame
    items: pl.DataFrame
    files: Mapping[str, str]  # SHA-256 of the files of the result folder

    @property
    def has_unreadable(self) -> bool:
        """Whether the scan met documents that it could not read, and was told to accept that."""
        return bool(self.run["read"]["problems"])


def read_inputs(folder: Path, corpus: Sequence[str]) -> Inputs:
    """Read the result folder of a scan and list the shards of the corpus; contents are not looked at.

    Raises:
        CleanError: where the folder holds no finished, complete scan of these shards.
        CorpusError: where the corpus is named wrongly.
    """
    data = {name: _read(folder, name) for name in FILES}
    run = _run(folder, data["run.json"])
    settings = _settings(folder, run)
    shards = _shards(corpus, settings)
    digests = _same_shards(folder, run, settings, shards)
    return Inputs(
        folder=folder,
        run=run,
        settings=settings,
        shards=tuple(shards),
        digests=digests,
        findings=_table(folder / "findings.parquet", FINDING_COLUMNS),
        items=_table(folder / "items.parquet", ITEM_COLUMNS),
        files={name: hashlib.sha256(content).hexdigest() for name, content in data.items()},
    )


def verify_shards(inputs: Inputs, jobs: int, progress: Callable[[Progress], None]) -> None:
    """Read every local shard and hold its digest against the scan's.

    Raises:
        CleanError: naming the shard that has changed or cannot be read.
    """

    def step(shard: Shard, tell: Tell) -> None:
        tell(0, 0)
        expected = inputs.digests[shard.path]
        if expected is not None and file_digest(shard.path) != expected:
            raise CleanError(f"{shard.path}: it has changed since the scan; {SCAN_AGAIN}")

    run_steps(step, inputs.shards, jobs, "checking the corpus", progress)


def read_same_benchmarks(inputs: Inputs) -> list[Benchmark]:
    """Read the benchmarks of the scan again.

    Raises:
        CleanError: where one is not the file that was scanned for.
        BenchmarkError: where one cannot be read.
    """
    recorded = {each["path"]: each["sha256"] for each in inputs.run["benchmarks"]}
    for path in recorded:
        if not is_url(path) and not Path(path).is_file():
            raise CleanError(
                f"{path}: this benchmark of the scan is not there; run clean in the folder where the "
                "scan was run, or put it back"
            )
    fields = FieldMap.parse(inputs.settings.fields) if inputs.settings.fields else None
    benchmarks = read_benchmarks(list(recorded), fields)
    for benchmark in benchmarks:
        if recorded.get(benchmark.path) != benchmark.digest:
            raise CleanError(
                f"{benchmark.path}: this benchmark has changed since the scan; put back the file that "
                f"was scanned for, or {SCAN_AGAIN}"
            )
    return benchmarks


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CleanError(
            f"{folder / name}: no such file; --findings is the --out folder of a finished scan"
        ) from error


def _run(folder: Path, data: bytes) -> dict[str, Any]:
    path = folder / "run.json"
    try:
        run = json.loads(data)
    except ValueError as error:
        raise CleanError(f"{path}: it is damaged; {SCAN_AGAIN}") from error
    if isinstance(run, dict) and isinstance(
        run.get("scan"), dict
    ):  # a gate holds its scan's record
        run = run["scan"]
    if not isinstance(run, dict) or run.get("schema") != RUN_SCHEMA:
        raise CleanError(
            f"{path}: this is not the record of a scan ({RUN_SCHEMA}); --findings is the --out folder "
            "of sluicegate scan, or of sluicegate gate"
        )
    missing = [key for key in KEYS if key not in run]
    if missing:
        raise CleanError(f"{path}: it is damaged, {missing[0]!r} is missing; {SCAN_AGAIN}")
    if run["normal_form"] != fingerprint():
        raise CleanError(
            f"{path}: the scan was made with another normal form ({run['normal_form']}) than this "
            f"version has; {SCAN_AGAIN}"
        )
    if not run["complete"]:
        raise CleanError(
            f"{path}: the scan is incomplete: {_unread(run)}; mend what its report names, or, where "
            "only single documents are bad, scan again with --skip-bad: clean then leaves them out"
        )
    return run


def _unread(run: Mapping[str, Any]) -> str:
    read = run["read"]
    if read["shards_unread"]:
        return f"{read['shards_unread']:,} shards could not be read to their end"
    return f"{read['bad_documents']:,} documents could not be read"


def _settings(folder: Path, run: Mapping[str, Any]) -> ScanSettings:
    try:
        return ScanSettings(**run["settings"])
    except ValidationError as error:
        raise CleanError(
            f"{folder / 'run.json'}: the scan has settings that this version does not know "
            f"({error.errors()[0]['loc'][0]}); {SCAN_AGAIN}"
        ) from error


def _shards(corpus: Sequence[str], settings: ScanSettings) -> list[Shard]:
    """Return the shards; where an index store told the scan how they are read, it is asked again."""
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    if settings.store is None:
        return shards
    stored = {
        unit.path: unit
        for unit in StoredVersion(settings.store, settings.version, settings).shards()
    }
    return [
        replace(shard, columns=stored[shard.path].columns, domain=stored[shard.path].domain)
        if shard.path in stored
        else shard
        for shard in shards
    ]


def _same_shards(
    folder: Path, run: Mapping[str, Any], settings: ScanSettings, shards: Sequence[Shard]
) -> dict[str, str | None]:
    """Hold paths and sizes against the scan's; return the digests that it recorded."""
    scanned = {each["path"]: each for each in run["shards"]}
    for shard in shards:
        if shard.path not in scanned:
            raise CleanError(
                f"{shard.path}: {folder} is of a scan without this shard; name the corpus as the scan "
                f"did, or {SCAN_AGAIN}"
            )
        size, was = _stored_bytes(shard, settings), scanned[shard.path]["stored_bytes"]
        if size != was:
            raise CleanError(
                f"{shard.path}: it has changed since the scan ({size:,} bytes, and {was:,} then); "
                f"{SCAN_AGAIN}"
            )
        if scanned[shard.path]["sha256"] is None and _has_digest(shard.path):
            raise CleanError(
                f"{shard.path}: the scan could not record its digest; check your access to it and "
                f"{SCAN_AGAIN}"
            )
    missing = sorted(set(scanned) - {shard.path for shard in shards})
    if missing:
        raise CleanError(
            f"{missing[0]}: it was scanned and is not in the corpus now; name the corpus as the scan "
            f"did, or {SCAN_AGAIN}"
        )
    return {path: each["sha256"] for path, each in scanned.items()}


def _stored_bytes(shard: Shard, settings: ScanSettings) -> int:
    """Return the size as a scan records it: that of its parts, where it is read in parts."""
    if settings.store is not None:
        return shard.size_bytes
    return sum(part.size_bytes for part in split(shard, settings.part_bytes))


def _has_digest(path: str) -> bool:
    """Tell whether a scan records a digest: a second transfer of a URL would cost too much."""
    return not is_url(path) or path.startswith("file://")


def _table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=list(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise CleanError(f"{path}: it is damaged or of another kind; {SCAN_AGAIN}") from error
