"""The result files of a cleaning: the log of what went, `clean.json`, `summary.md` and `run.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import polars as pl

from corpora.normal_form import fingerprint
from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.edits import DOCUMENT, UNREADABLE, CleanError
from pipelines.cleaning.inputs import Inputs
from pipelines.cleaning.rescan import Rescanned
from pipelines.cleaning.step import Written
from pipelines.cleaning.workplace import RUN_SCHEMA
from pipelines.files import write_table, write_text
from pipelines.run_record import run_json, run_start
from pipelines.shard_step import file_digest
from reports.clean_render import render_clean_markdown
from reports.clean_schema import CleanReport, Round, adapter
from reports.clean_summary import CleanFacts, build_clean_report
from reports.render import render_json

FILES: Final = ("removed.parquet", "clean.json", "summary.md", "run.json")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A copy in its place; the sequences are by shard. `remaining` has what `CleanFacts` says."""

    inputs: Inputs
    corpus: Sequence[str]
    settings: CleanSettings
    inputs_digest: str
    copy: Path
    paths: Mapping[str, PurePosixPath]
    written: Sequence[Written]
    scanned: Sequence[Rescanned]
    rounds: Sequence[Round]
    remaining: pl.DataFrame
    notes: Sequence[str]
    tool_version: str


def refuse_other_count(
    inputs: Inputs, written: Sequence[Written], scanned: Sequence[Rescanned]
) -> None:
    """Hold the documents of the copy against those of the scan and the log.

    Raises:
        CleanError: where another number of documents is there than should be.
    """
    left_out = sum(int((each.documents["action"] == DOCUMENT).sum()) for each in written)
    found, expected = (
        sum(each.documents for each in scanned),
        inputs.run["read"]["documents"] - left_out,
    )
    if found != expected:
        raise CleanError(
            f"{inputs.folder}: the copy holds {found:,} documents, and {expected:,} should be left of those "
            "that were scanned; scan the corpus again"
        )


def removed_table(outcome: Outcome) -> pl.DataFrame:
    """Return `removed.parquet`: sorted by shard, row and place."""
    return pl.concat([each.log for each in outcome.written])


def build_report(outcome: Outcome, log: pl.DataFrame) -> CleanReport:
    """Return `clean.json`."""
    documents = pl.concat([each.documents for each in outcome.written])
    domain_documents, domain_bytes = _domains(outcome.scanned)
    unreadable = int((documents["action"] == UNREADABLE).sum())
    read = outcome.inputs.run["read"]
    settings = outcome.settings
    return build_clean_report(
        CleanFacts(
            corpus=", ".join(sorted(set(outcome.corpus))),
            copy=outcome.copy.as_posix(),
            findings=outcome.inputs.folder.as_posix(),
            parameters={
                "remove": settings.remove,
                "status": settings.status,
                **(
                    {"mask": settings.mask, "margin": settings.margin}
                    if settings.remove == "span"
                    else {}
                ),
            },
            tool_version=outcome.tool_version,
            normal_form=fingerprint(),
            documents_before=read["documents"] + unreadable,
            bytes_before=read["bytes"],
            domain_documents=domain_documents,
            domain_bytes=domain_bytes,
            log=log,
            documents=documents,
            actions={
                shard.path: written.action
                for shard, written in zip(outcome.inputs.shards, outcome.written, strict=True)
            },
            rounds=outcome.rounds,
            remaining=outcome.remaining,
            notes=outcome.notes,
        )
    )


def run_record(outcome: Outcome, report: CleanReport, timings: Mapping[str, Any]) -> dict[str, Any]:
    """Return `run.json`: what the copy was made of and with, and the digest of each of its files."""
    inputs = outcome.inputs
    return {
        **run_start(RUN_SCHEMA, outcome.settings, outcome.tool_version),
        "clean": report["clean"],
        "copy": outcome.copy.name,
        "findings": {"path": inputs.folder.as_posix(), "sha256": dict(inputs.files)},
        "benchmarks": inputs.run["benchmarks"],
        "inputs_sha256": outcome.inputs_digest,
        "shards": [
            {
                "path": shard.path,
                "sha256": inputs.digests[shard.path],
                "action": written.action,
                "copy": outcome.paths[shard.path].as_posix() if written.digest else None,
                "copy_bytes": written.size_bytes,
                "copy_sha256": written.digest,
            }
            for shard, written in zip(inputs.shards, outcome.written, strict=True)
        ],
        "timings": dict(timings),
    }


def write_outcome(
    out: Path, staging: Path, log: pl.DataFrame, report: CleanReport, run: dict[str, Any]
) -> None:
    """Write the result files; `run.json` comes last and means complete.

    They are written in the folder `staging`, where a run that is killed may leave what it likes.
    """
    write_table(staging / "removed.parquet", log)
    write_text(staging / "clean.json", render_json(report))
    write_text(staging / "summary.md", render_clean_markdown(report))
    write_text(staging / "run.json", run_json(run))
    for name in FILES:
        (staging / name).replace(out / name)


def read_outcome(out: Path, run: Mapping[str, Any]) -> tuple[CleanReport, pl.DataFrame]:
    """Read what a finished run wrote.

    Raises:
        CleanError: where a file of the copy is not as it was written.
    """
    mend = f"remove {out} and run again"
    for shard in run["shards"]:
        path = out / run["copy"] / shard["copy"] if shard["copy"] else None
        if path is not None and file_digest(path.as_posix()) != shard["copy_sha256"]:
            raise CleanError(f"{path}: it is not as it was written; {mend}")
    try:
        report = adapter().validate_python(json.loads((out / "clean.json").read_bytes()))
        return report, pl.read_parquet(out / "removed.parquet")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise CleanError(f"{out}: its result files are damaged; {mend}") from error


def _domains(scanned: Sequence[Rescanned]) -> tuple[dict[str, int], dict[str, int]]:
    documents: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for each in scanned:
        for name, count in each.domain_documents.items():
            documents[name] = documents.get(name, 0) + count
            sizes[name] = sizes.get(name, 0) + each.domain_bytes[name]
    return documents, sizes
