"""What a run has done so far, on disk, so that the next one goes on where it was killed.

    OUT/.sluicegate-clean/           the work folder, gone when the run has finished
        inputs.json                  the digest of everything that decides the copy
        lock                         held while a run lives
        temporary/                   files being written
        corpus/                      the copy so far
        round-N/plan.parquet         what is to go
        round-N/written/NUMBER.json  a shard whose file in corpus/ is whole (with its frames beside it)
        round-N/scanned/NUMBER.json  what the scan of that file found
    OUT/corpus                       the copy, once it is finished and was found clean
    OUT/not-clean                    instead of it, once it is finished and was not

Every file appears whole, a record after what it speaks of. Work is lost only while a file is written.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from pipelines.cleaning.edits import CUTS_SCHEMA, DOCUMENTS_SCHEMA, REMOVED_SCHEMA, CleanError
from pipelines.cleaning.rescan import FOUND_SCHEMA, Rescanned
from pipelines.cleaning.step import Written
from pipelines.files import write_table, write_text

NAME: Final = ".sluicegate-clean"
CLEAN, NOT_CLEAN = "corpus", "not-clean"
EMPTY: Final = {
    "log": pl.DataFrame(schema=REMOVED_SCHEMA),
    "documents": pl.DataFrame(schema=DOCUMENTS_SCHEMA),
    "cuts": pl.DataFrame(schema=CUTS_SCHEMA),
    "found": pl.DataFrame(schema=FOUND_SCHEMA),
}
RUN_SCHEMA: Final = "sluicegate.clean.run/1"


def finished(out: Path, inputs: str) -> dict[str, Any] | None:
    """Return the `run.json` of a finished run with these inputs (a digest); None where there is none.

    Raises:
        CleanError: where the folder holds something else that would be overwritten.
    """
    try:
        run = json.loads((out / "run.json").read_bytes())
    except FileNotFoundError:
        _refuse_foreign(out)
        return None
    except ValueError as error:
        raise CleanError(
            f"{out / 'run.json'}: it is damaged; remove {out} or name another --out"
        ) from error
    if not isinstance(run, dict) or run.get("schema") != RUN_SCHEMA:
        raise CleanError(
            f"--out {out}: it holds the results of another command; name another folder"
        )
    if run["inputs_sha256"] != inputs:
        raise CleanError(
            f"--out {out}: it holds a copy that was made of other inputs or with other settings; name "
            "another folder, or remove this one first"
        )
    return run


def _refuse_foreign(out: Path) -> None:
    if (out / NAME).exists():
        return
    for name in (CLEAN, NOT_CLEAN):
        if (out / name).exists():
            raise CleanError(
                f"--out {out}: there is a {name!r} in it that is not of an unfinished run; name another "
                "folder"
            )


class Workplace:
    """The work folder of one run; `with` holds its lock."""

    def __init__(self, out: Path, inputs: str) -> None:
        self.out = out
        self._folder = out / NAME
        self._inputs = inputs
        self._lock: int | None = None

    def __enter__(self) -> Workplace:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self._folder / "lock")
        try:
            self._begin()
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._unlock()

    @property
    def corpus(self) -> Path:
        """Where the copy is now."""
        for name in (CLEAN, NOT_CLEAN):
            if (self.out / name).exists():
                return self.out / name
        return self._folder / "corpus"

    @property
    def temporary(self) -> Path:
        """Where files are written before they get their place."""
        return self._folder / "temporary"

    def settle(self, *, is_clean: bool) -> Path:
        """Give the copy its place in `out`, at once and whole; return it."""
        place = self.out / (CLEAN if is_clean else NOT_CLEAN)
        if not place.exists():
            self.corpus.mkdir(exist_ok=True)  # nothing is left of the corpus
            self.corpus.rename(place)
        return place

    def clear(self) -> None:
        """Remove the work folder."""
        remove_leftovers(self.out)

    def plan(self, round_: int) -> pl.DataFrame | None:
        """Return the plan of a round, if it was made."""
        path = self._round(round_) / "plan.parquet"
        return pl.read_parquet(path) if path.exists() else None

    def save_plan(self, round_: int, plan: pl.DataFrame) -> None:
        """Write the plan of a round."""
        folder = self._round(round_)
        for name in ("written", "scanned"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        write_table(folder / "plan.parquet", plan)

    def written(self, round_: int, number: int, copy: Path) -> Written | None:
        """Return the record of a shard, if its file is there as it was written."""
        record = self._load(round_, "written", number, ("log", "documents", "cuts"))
        if record is None:
            return None
        size = copy.stat().st_size if copy.exists() else None
        if size != (None if record["digest"] is None else record["size_bytes"]):
            return None
        return Written(**record)

    def save_written(self, round_: int, number: int, written: Written) -> None:
        """Record a shard whose file is in its place."""
        facts = {
            "action": written.action,
            "size_bytes": written.size_bytes,
            "digest": written.digest,
        }
        frames = {"log": written.log, "documents": written.documents, "cuts": written.cuts}
        self._save(round_, "written", number, facts, frames)

    def scanned(self, round_: int, number: int) -> Rescanned | None:
        """Return what the scan of a file found, if it was scanned."""
        record = self._load(round_, "scanned", number, ("found",))
        return None if record is None else Rescanned(**record)

    def save_scanned(self, round_: int, number: int, scanned: Rescanned) -> None:
        """Record what the scan of a file found."""
        facts = {
            "documents": scanned.documents,
            "size_bytes": scanned.size_bytes,
            "domain_documents": scanned.domain_documents,
            "domain_bytes": scanned.domain_bytes,
        }
        self._save(round_, "scanned", number, facts, {"found": scanned.found})

    def forget(self, round_: int, kind: Literal["written", "scanned"], number: int) -> None:
        """Remove a record of a shard, so that the work is done again."""
        (self._round(round_) / kind / f"{number}.json").unlink(missing_ok=True)

    def _round(self, number: int) -> Path:
        return self._folder / f"round-{number}"

    def _save(
        self,
        round_: int,
        kind: str,
        number: int,
        facts: Mapping[str, Any],
        frames: Mapping[str, pl.DataFrame],
    ) -> None:
        folder = self._round(round_) / kind
        for name, frame in frames.items():
            path = folder / f"{number}.{name}.parquet"
            if len(frame):  # most are empty
                write_table(path, frame)
            else:
                path.unlink(missing_ok=True)
        schemas = {name: len(frame) for name, frame in frames.items()}
        write_text(folder / f"{number}.json", json.dumps({"facts": facts, "rows": schemas}) + "\n")

    def _load(
        self, round_: int, kind: str, number: int, frames: tuple[str, ...]
    ) -> dict[str, Any] | None:
        folder = self._round(round_) / kind
        try:
            record = json.loads((folder / f"{number}.json").read_bytes())
        except FileNotFoundError:
            return None
        loaded = {
            name: pl.read_parquet(folder / f"{number}.{name}.parquet")
            for name in frames
            if record["rows"][name]
        }
        return record["facts"] | {name: loaded.get(name, EMPTY[name]) for name in frames}

    def _begin(self) -> None:
        record = self._folder / "inputs.json"
        known = json.loads(record.read_bytes())["sha256"] if record.exists() else self._inputs
        if known != self._inputs:
            raise CleanError(
                f"--out {self.out}: it holds an unfinished copy of other inputs, with other settings or by "
                f"another version; remove {self._folder} or name another folder"
            )
        write_text(record, json.dumps({"sha256": self._inputs}) + "\n")
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def remove_leftovers(out: Path) -> None:
    """Remove the work folder of a run that has written its results."""
    shutil.rmtree(out / NAME, ignore_errors=True)


def _locked(path: Path) -> int:
    """Hold a file's lock, which the system lets go of when the process ends, however it does.

    Raises:
        CleanError: where another process holds it.
    """
    import fcntl  # not on Windows, where everything else of the package can be imported

    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise CleanError(
            f"{path}: another run is at work there; wait for its end or name another --out"
        ) from error
    return handle
