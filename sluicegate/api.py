"""The public Python API: the pipelines with friendly arguments. No logic of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipelines import calibrate as calibration
from pipelines import duplicates as copies
from pipelines import index
from pipelines import scan as pipeline
from pipelines.calibrate import CalibrationResult
from pipelines.duplicate_settings import DuplicateSettings
from pipelines.duplicates import DuplicatesResult
from pipelines.index import Built, IndexSettings
from pipelines.mapping import Progress as PartsProgress
from pipelines.scan import Progress, ScanResult
from pipelines.settings import CalibrateSettings, ScanSettings
from sluicegate import __version__

PathLike = str | os.PathLike[str]


def scan(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> ScanResult:
    """Find the items of benchmarks in a corpus.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        out: folder for the result files; None writes none.
        progress: called as the scan goes on.
        settings: the fields of `pipelines.settings.ScanSettings`: text, id, domain, fields, jobs,
            scanners, calibration, paraphrases, skip_bad and others.

    Returns:
        The findings and item statuses as polars frames, with the report.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = pipeline.scan(
        _listed(corpus),
        _listed(benchmarks),
        ScanSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        pipeline.write_result(result, Path(out))
    return result


def calibrate(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> CalibrationResult:
    """Measure what a scan of a corpus finds and misses, on leaks planted into documents drawn from it.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; little of it is read.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        out: folder for the result files; None writes none.
        progress: called as the calibration goes on.
        settings: the fields of `pipelines.settings.CalibrateSettings`: those of a scan, with
            `calibration` "full" or "quick", and `seed`.

    Returns:
        The rates as a polars frame, with whether the battery passed and why not.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark or the file of paraphrases cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = calibration.calibrate(
        _listed(corpus),
        _listed(benchmarks),
        CalibrateSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        calibration.write_calibration(result, Path(out))
    return result


def build_index(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Build what an index store lacks of a corpus; `scan([], benchmarks, store=...)` checks against it.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index.IndexSettings`: text, id, domain, name, verify, jobs.

    Returns:
        The manifest of the version and what was built, with the shards that could not be read.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used, or has another version of this name.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    return index.build_index(
        _listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def duplicates(
    corpus: PathLike | Sequence[PathLike],
    against: PathLike | Sequence[PathLike] | None = None,
    *,
    out: PathLike | None = None,
    progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> DuplicatesResult:
    """Find the exact and near duplicates within a corpus, and what two versions share.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; with `against` the candidate.
        against: the same for the version to compare with, the baseline.
        out: folder for the result files; None writes none. Signatures are kept there while it runs,
            512 bytes a document and more, or else among the temporary files.
        progress: called as the search goes on.
        settings: the fields of `pipelines.duplicate_settings.DuplicateSettings`: text, id, domain,
            threshold, seed, jobs, skip_bad and others.

    Returns:
        The counts by domain as a polars frame, the report, and `duplicates()`, the copies.

    Raises:
        CorpusError: where a corpus is named wrongly or lacks the text column.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    result = copies.find_duplicates(
        _listed(corpus),
        None if against is None else _listed(against),
        DuplicateSettings(**settings),
        tool_version=__version__,
        work_in=None if out is None else Path(out),
        progress=progress,
    )
    if out is not None:
        copies.write_result(result, Path(out))
    return result


def _listed(paths: PathLike | Sequence[PathLike]) -> list[str]:
    return [
        os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)
    ]
