"""The cleaning: a corpus and the findings of its scan in; a copy without them out. A fold.

    check:  the scan is complete, and of this corpus and these benchmarks as they are now
    write:  one step per shard (pipelines.cleaning.step): a file of the copy, and the log of what went
    scan:   the copy is scanned as the corpus was; what is found now goes, too, in at most three rounds
    settle: the copy gets its place at once, then the results are written

A run that was killed goes on where it was. The bytes of the copy depend on the inputs and the settings
alone. The corpus is only read.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final

import polars as pl

from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.edits import CleanError
from pipelines.cleaning.inputs import Inputs, read_inputs, read_same_benchmarks, verify_shards
from pipelines.cleaning.layout import copy_paths, mix_of, refuse_overlap
from pipelines.cleaning.outcome import (
    FILES,
    Outcome,
    build_report,
    read_outcome,
    refuse_other_count,
    removed_table,
    run_record,
    write_outcome,
)
from pipelines.cleaning.rounds import Rounds
from pipelines.cleaning.workplace import Workplace, finished, remove_leftovers
from pipelines.files import write_whole
from pipelines.mapping import Progress
from pipelines.run_record import LIBRARIES
from reports.clean_schema import CleanReport

__all__ = ["RESULT_FILES", "CleanError", "CleanResult", "clean"]

RESULT_FILES: Final = FILES


@dataclass(frozen=True, slots=True)
class CleanResult:
    """A finished cleaning.

    `report`, `run` and `removed` are the contents of `clean.json`, `run.json` and `removed.parquet`; the
    copy is in `copy`. `was_there`: an earlier run had made it, and nothing was done.
    """

    report: CleanReport
    run: dict[str, Any]
    removed: pl.DataFrame
    copy: Path
    was_there: bool

    @property
    def is_clean(self) -> bool:
        """Whether the scan of the copy found no item that had to go."""
        return self.report["clean"]


def clean(
    corpus: Sequence[str],
    findings: Path,
    out: Path,
    settings: CleanSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> CleanResult:
    """Write a copy of a corpus without what a scan of it found, and scan the copy.

    A copy in which items are still found is not in `out/corpus` but in `out/not-clean`.

    Raises:
        CleanError: where the findings are not of this corpus, or `out` cannot be written without harm.
        CorpusError: where the corpus is named wrongly.
        BenchmarkError: where a benchmark of the scan cannot be read.
        OSError: where the corpus cannot be read or the copy cannot be written.
    """
    clock = [time.time()]
    refuse_overlap(corpus, findings, out)
    inputs = read_inputs(findings, corpus)
    paths = copy_paths(corpus, inputs.shards)
    verify_shards(inputs, settings.jobs, progress)
    digest = _digest(_deciding(corpus, inputs, paths, settings))
    run = finished(out, digest)
    if run is not None:
        remove_leftovers(out)
        progress(Progress("checking the copy"))
        report, log = read_outcome(out, run)
        return CleanResult(report, run, log, out / run["copy"], was_there=True)
    benchmarks = read_same_benchmarks(inputs)
    made_by = {"inputs": digest, "version": tool_version, **{n: version(n) for n in LIBRARIES}}
    with Workplace(out, _digest(made_by)) as place:
        done = Rounds(inputs, paths, settings, place, benchmarks, progress).run()
        refuse_other_count(inputs, done.written, done.scanned)
        notes = _copy_mix(corpus, paths, place)
        clock.append(time.time())
        outcome = Outcome(
            inputs=inputs,
            corpus=corpus,
            settings=settings,
            inputs_digest=digest,
            copy=place.settle(is_clean=not done.remaining.height),
            paths=paths,
            written=done.written,
            scanned=done.scanned,
            rounds=done.rounds,
            remaining=done.remaining,
            notes=notes,
            tool_version=tool_version,
        )
        log = removed_table(outcome)
        report = build_report(outcome, log)
        started = datetime.fromtimestamp(clock[0], UTC).isoformat(timespec="seconds")
        timings = {"started": started, "cleaning_s": round(clock[1] - clock[0], 3)}
        run = run_record(outcome, report, timings)
        write_outcome(out, place.temporary, log, report, run)
        place.clear()
    return CleanResult(report, run, log, outcome.copy, was_there=False)


def _deciding(
    corpus: Sequence[str],
    inputs: Inputs,
    paths: Mapping[str, PurePosixPath],
    settings: CleanSettings,
) -> dict[str, Any]:
    """Return all that the copy depends on, but for the program."""
    mix = mix_of(corpus)
    return {
        "mix": None if mix is None else hashlib.sha256(mix.read_bytes()).hexdigest(),
        "settings": settings.model_dump(mode="json", exclude={"jobs"}),
        "findings": dict(inputs.files),
        "shards": [
            [shard.path, paths[shard.path].as_posix(), shard.size_bytes, inputs.digests[shard.path]]
            for shard in inputs.shards
        ],
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _copy_mix(
    corpus: Sequence[str], paths: Mapping[str, PurePosixPath], place: Workplace
) -> list[str]:
    """Copy a mix file whose paths hold in the copy, too; return what to say of it."""
    mix = mix_of(corpus)
    if mix is None or PurePosixPath(mix.name) in paths.values():
        return []
    place.corpus.mkdir(exist_ok=True)
    staged = place.temporary / mix.name
    write_whole(staged, lambda file: file.write(mix.read_bytes()))
    staged.replace(place.corpus / mix.name)
    return [
        f"{mix.name} was copied as it is and names the copy from there: give it a version of its own."
    ]
