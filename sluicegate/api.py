"""The public Python API: the pipelines with friendly arguments. No logic of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipelines import scan as pipeline
from pipelines.scan import Progress, ScanResult
from pipelines.settings import ScanSettings
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
            skip_bad and others.

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


def _listed(paths: PathLike | Sequence[PathLike]) -> list[str]:
    return [
        os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)
    ]
