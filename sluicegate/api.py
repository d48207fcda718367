"""The public Python API: the pipelines with friendly arguments. No logic of its own.

Checks of benchmarks are here, what is made of corpora alone in `sluicegate.corpus_api` and
`sluicegate.index_api`. What needs SciPy is imported when it is called: a scan would wait a quarter of a
second for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import calibrate as calibration
from pipelines import scan as pipeline
from pipelines.audit_settings import AuditSettings
from pipelines.calibrate import CalibrationResult
from pipelines.gate_settings import GateSettings
from pipelines.mapping import Progress as PartsProgress
from pipelines.scan import Progress, ScanResult
from pipelines.settings import CalibrateSettings, ScanSettings
from sluicegate import __version__
from sluicegate.paths import PathLike, listed

if TYPE_CHECKING:
    from pipelines.audit import AuditResult
    from pipelines.gate import GateResult


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
        listed(corpus),
        listed(benchmarks),
        ScanSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        pipeline.write_result(result, Path(out))
    return result


def audit(
    corpus: PathLike | Sequence[PathLike],
    benchmarks: PathLike | Sequence[PathLike],
    *,
    scores: PathLike | Sequence[PathLike] = (),
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> AuditResult:
    """Tell which scores on benchmarks can be quoted, given what a corpus holds of them.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them; none with `store`.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        scores: files or folders of results by item.
        out: folder for the result files; None writes none.
        progress: called as the audit goes on.
        settings: the fields of `pipelines.audit_settings.AuditSettings`: those of a scan, and metric,
            reference_models, clean_models, all_versions, overlap, seed.

    Returns:
        The items, the gaps of each benchmark and model and the clean items as polars frames, with the
        report and the scan.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        BenchmarkError: where a benchmark or scores cannot be read whole, or do not belong together.
        StoreError: where the store or the version is not there or cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    from pipelines import audit as auditing

    result = auditing.audit(
        listed(corpus),
        listed(benchmarks),
        AuditSettings(scores=tuple(listed(scores)), **settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        auditing.write_result(result, Path(out))
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
        listed(corpus),
        listed(benchmarks),
        CalibrateSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        calibration.write_calibration(result, Path(out))
    return result


def gate(
    mix: PathLike,
    benchmarks: PathLike | Sequence[PathLike],
    *,
    against: PathLike | None = None,
    policy: PathLike | None = None,
    out: PathLike | None = None,
    today: date | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    parts_progress: Callable[[PartsProgress], None] = lambda _: None,
    **settings: Any,
) -> GateResult:
    """Judge a data mix by a policy: a scan for benchmarks and the drift from a baseline.

    Args:
        mix: mix.yaml, or path, glob, folder or URL of a corpus.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks.
        against: the version to compare with; without it drift is not judged.
        policy: policy.yaml; None for the one that is shipped.
        out: folder for the result files; None writes none.
        today: which waivers have lapsed (default: today, UTC).
        progress: called as the scan goes on.
        parts_progress: called as indexing and profiling go on.
        settings: the fields of `pipelines.gate_settings.GateSettings`: text, id, domain, fields,
            scanners, calibration, tokenizer, store, seed, fail_on, jobs and others.

    Returns:
        The verdict with its reasons, and the scan and the comparison that it rests on.

    Raises:
        CorpusError: where a mix or the policy is named wrongly or has mistakes.
        BenchmarkError: where a benchmark cannot be read whole.
        StoreError: where the store cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` or the store cannot be written.
    """
    from pipelines import gate as judgement

    result = judgement.gate(
        os.fspath(mix),
        None if against is None else os.fspath(against),
        None if policy is None else os.fspath(policy),
        listed(benchmarks),
        GateSettings(**settings),
        today=today or datetime.now(UTC).date(),
        tool_version=__version__,
        progress=progress,
        parts_progress=parts_progress,
    )
    if out is not None:
        judgement.write_result(result, Path(out))
    return result
