"""The rounds of a cleaning: write the copy, scan it, and remove what is found, until nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, TypeVar

import polars as pl

from corpora.benchmarks import Benchmark
from pipelines.clean_settings import CleanSettings
from pipelines.cleaning.edits import DOCUMENT, FIRST_ROUND, UNREADABLE
from pipelines.cleaning.inputs import Inputs
from pipelines.cleaning.plan import ITEM, first_plan, grow, of_items, put_back, statuses
from pipelines.cleaning.rescan import NOTHING, CopyError, Rescan, Rescanned
from pipelines.cleaning.step import Written, clean_shard
from pipelines.cleaning.workplace import Workplace
from pipelines.mapping import Progress, Tell, run_steps
from reports.clean_schema import Round

MOST_ROUNDS: Final = (
    3  # cutting can join words that match anew; what is found a third time stays so
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done:
    """What the rounds came to; the sequences are by shard."""

    written: list[Written]
    scanned: list[Rescanned]
    rounds: list[Round]
    remaining: pl.DataFrame


class Rounds:
    """Writes the copy and scans it until nothing is found, doing only what no earlier run has done."""

    def __init__(
        self,
        inputs: Inputs,
        paths: Mapping[str, PurePosixPath],
        settings: CleanSettings,
        place: Workplace,
        benchmarks: Sequence[Benchmark],
        progress: Callable[[Progress], None],
    ) -> None:
        self._inputs, self._settings, self._place = inputs, settings, place
        self._copies = [place.corpus / paths[shard.path] for shard in inputs.shards]
        self._benchmarks, self._progress = benchmarks, progress
        self._rescan: Rescan | None = None
        # the largest first: the threads end together
        self._order = sorted(
            range(len(inputs.shards)), key=lambda number: -inputs.shards[number].size_bytes
        )

    def run(self) -> Done:
        """Run the rounds that are left."""
        round_, plan = self._last_plan()
        while True:
            parts = plan.partition_by("shard", as_dict=True)
            planned = [parts.get((s.path,), plan.clear()) for s in self._inputs.shards]
            last = [_last_round(part) for part in planned]
            written = self._write(planned, last, round_)
            scanned = self._scan(written, last, round_)
            remaining = self._remaining(written, scanned)
            if not remaining.height or round_ == MOST_ROUNDS:
                break
            grown = grow(plan, remaining, round_ + 1)
            if grown.height == plan.height:  # it would find the same again
                break
            round_, plan = round_ + 1, grown
            self._place.save_plan(round_, plan)
        return Done(written, scanned, _rounds(plan, round_, remaining), remaining)

    def _last_plan(self) -> tuple[int, pl.DataFrame]:
        """Return the newest plan that was made, or make the first."""
        for round_ in range(MOST_ROUNDS, 0, -1):
            plan = self._place.plan(round_)
            if plan is not None:
                return round_, plan
        plan = first_plan(self._inputs.findings, self._inputs.items, self._settings.status)
        self._place.save_plan(FIRST_ROUND, plan)
        return FIRST_ROUND, plan

    def _write(
        self, planned: Sequence[pl.DataFrame], last: Sequence[int], round_: int
    ) -> list[Written]:
        """Write the shards whose plan has changed, or that are not there."""
        inputs, place = self._inputs, self._place

        def step(number: int, tell: Tell) -> Written:
            shard, copy = inputs.shards[number], self._copies[number]
            known = place.written(last[number], number, copy)
            if known is not None:
                return known
            place.forget(last[number], "scanned", number)
            written = clean_shard(
                shard,
                planned[number],
                copy,
                place.temporary / str(number),
                self._settings,
                digest=inputs.digests[shard.path],
                has_unreadable=inputs.has_unreadable,
                batch_bytes=inputs.settings.batch_bytes,
                tell=tell,
            )
            place.save_written(last[number], number, written)
            return written

        return self._each(step, _stage("writing the copy", round_))

    def _scan(
        self, written: Sequence[Written], last: Sequence[int], round_: int
    ) -> list[Rescanned]:
        """Scan the files that were written and not scanned since."""
        place = self._place
        known = [place.scanned(last[number], number) for number in range(len(written))]
        due = [n for n, each in enumerate(known) if each is None and written[n].digest is not None]
        if due and self._rescan is None:
            self._progress(Progress("loading kernels"))
            self._rescan = Rescan(self._benchmarks, self._inputs.settings)
        rescan, read_ahead = self._rescan, len(due) < self._settings.jobs

        def step(number: int, tell: Tell) -> Rescanned:
            have = known[number]
            if have is not None:
                return have
            if rescan is None or written[number].digest is None:
                return NOTHING
            shard, copy, digest = (
                self._inputs.shards[number], self._copies[number], written[number].digest,
            )  # fmt: skip
            try:
                scanned = rescan.scan(shard, copy, digest, read_ahead=read_ahead, tell=tell)
            except CopyError:
                place.forget(last[number], "written", number)  # the next run writes it again
                raise
            place.save_scanned(last[number], number, scanned)
            return scanned

        return self._each(step, _stage("scanning the copy", round_))

    def _each(self, step: Callable[[int, Tell], Result], stage: str) -> list[Result]:
        """Run a step for each shard; the results are in the order of the shards."""
        found = run_steps(step, self._order, self._settings.jobs, stage, self._progress)
        by_number = dict(zip(self._order, found, strict=True))
        return [by_number[number] for number in range(len(found))]

    def _remaining(self, written: Sequence[Written], scanned: Sequence[Rescanned]) -> pl.DataFrame:
        """Return all findings of items that the copy still holds, with their status, as places of the corpus."""
        items = statuses(pl.concat([each.found for each in scanned]), self._settings.status)
        found = []
        for shard, own, each in zip(self._inputs.shards, written, scanned, strict=True):
            left = of_items(each.found, items)
            gone = own.documents.filter(pl.col("action").is_in([DOCUMENT, UNREADABLE]))
            found.append(put_back(left, shard.path, gone["row"].to_numpy(), own.cuts))
        return pl.concat(found)


def _last_round(planned: pl.DataFrame) -> int:
    """Return the round in which the plan of a shard last changed."""
    return int(planned["round"].max()) if planned.height else FIRST_ROUND  # type: ignore[arg-type]  # int64


def _rounds(plan: pl.DataFrame, last: int, remaining: pl.DataFrame) -> list[Round]:
    """Return the rounds; what a round left is what the next one was to remove."""
    left = [plan.filter(pl.col("round") == each) for each in range(FIRST_ROUND + 1, last + 1)]
    return [
        {
            "round": number,
            "findings": plan.filter(pl.col("round") == number).height,
            "items_remaining": found.select(ITEM).n_unique() if found.height else 0,
        }
        for number, found in enumerate([*left, remaining], FIRST_ROUND)
    ]


def _stage(name: str, round_: int) -> str:
    return name if round_ == FIRST_ROUND else f"{name} (round {round_})"
