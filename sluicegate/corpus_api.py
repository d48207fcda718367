"""The public Python API, what is made of corpora: clean copies, comparisons. See `sluicegate.api`.

Each imports its pipeline when it is called: comparing profiles would wait a tenth of a second for the scan
that cleaning needs, and everything for SciPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.clean_settings import CleanSettings
from pipelines.drift_settings import DriftSettings
from pipelines.duplicate_settings import DuplicateSettings
from pipelines.mapping import Progress
from sluicegate import __version__
from sluicegate.paths import PathLike, listed

if TYPE_CHECKING:
    from pipelines.clean import CleanResult
    from pipelines.drift import DriftResult
    from pipelines.duplicates import DuplicatesResult


def clean(
    corpus: PathLike | Sequence[PathLike],
    *,
    findings: PathLike,
    out: PathLike,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> CleanResult:
    """Write a copy of a corpus without what a scan of it found, scan the copy, and say what went.

    Args:
        corpus: what was scanned, named as it was then.
        findings: result folder of the finished scan.
        out: local folder; the copy is in `corpus` below it, or in `not-clean` if items are still found.
        progress: called as the cleaning goes on.
        settings: the fields of `pipelines.clean_settings.CleanSettings`: remove, status, mask, margin,
            jobs.

    Returns:
        The log of what went as a polars frame, with the report and the folder of the copy.

    Raises:
        CorpusError: where the findings are not of this corpus, or `out` holds something else.
        BenchmarkError: where a benchmark of the scan cannot be read.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the corpus cannot be read or `out` cannot be written.
    """
    from pipelines import clean as cleaning

    return cleaning.clean(
        listed(corpus),
        Path(findings),
        Path(out),
        CleanSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def drift(
    baseline: PathLike | Sequence[PathLike],
    candidate: PathLike | Sequence[PathLike],
    *,
    benchmarks: PathLike | Sequence[PathLike] = (),
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> DriftResult:
    """Tell what moved between two versions: domain mix, token frequencies, exposure of benchmarks.

    Args:
        baseline: path, glob, folder, URL or mix.yaml of the version to compare with, or several.
        candidate: the same for the new version.
        benchmarks: files, folders, globs or hf:// URLs of benchmarks whose exposure is measured.
        out: folder for the result files; None writes none.
        progress: called as the comparison goes on.
        settings: the fields of `pipelines.drift_settings.DriftSettings`: text, id, domain,
            tokenizer, domain_rules, domain_examples, store, seed, splits, jobs, skip_bad and others.

    Returns:
        The changes as polars frames, with the report.

    Raises:
        CorpusError: where a corpus, the tokenizer, rules or examples are named wrongly or damaged.
        BenchmarkError: where a benchmark cannot be read whole.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where `out` cannot be written.
    """
    from pipelines import drift as comparison

    result = comparison.drift(
        listed(baseline),
        listed(candidate),
        listed(benchmarks),
        DriftSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )
    if out is not None:
        comparison.write_result(result, Path(out))
    return result


def duplicates(
    corpus: PathLike | Sequence[PathLike],
    against: PathLike | Sequence[PathLike] | None = None,
    *,
    out: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
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
    from pipelines import duplicates as copies

    result = copies.find_duplicates(
        listed(corpus),
        None if against is None else listed(against),
        DuplicateSettings(**settings),
        tool_version=__version__,
        work_in=None if out is None else Path(out),
        progress=progress,
    )
    if out is not None:
        copies.write_result(result, Path(out))
    return result
