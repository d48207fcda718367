"""How large an index store is, and what building, checking and updating it cost beside a scan.

    python benchmarks/speed_index.py [--data DIR] [--cache DIR] [--parts a b c d e f] [--runs 3]
                                     [--jobs 2] [--shards 100] [--layout spread|by-source]

a  Bytes of the n-gram index and of the store against bytes of raw text: the corpus, and by kind of text.
b  `index build` into an empty store against `scan` of the same files, in pairs.
c  `scan --store` against `scan` of the corpus, in turns: whole commands, the stage that reads and
   searches alone (`scanning_s` of run.json, and the CPU time within it), peak memory, documents and
   bytes fetched; and where the rest of the time goes, by the stages of run.json. From a store
   as it is by default, which fetches documents from the corpus, and from one that keeps the texts
   (`index build --keep-text`). Once with benchmarks that hardly leaked, once with one that leaked as a
   whole (GSM8K train). Patterns and queries of the benchmarks are in the user's cache from the second
   check on; the first one is told apart (plans that lie there are removed before it).
d  A version with one new shard, when the others are known by their dates, and when all were copied
   to new names.
e  A version in which nothing is new, with and without --verify.
f  `duplicates --store`: bytes of the signatures, and signing a version with one new shard.

The corpus is real, 20 MB of text a shard, in Parquet with Zstandard pages and row groups of 1,000
documents: the sources of Linux 6.1, GCC 12 and GCC 11 (see speed_scan.py) and the mix v2 of the
shared data, in which GSM8K train leaked. With the layout `spread` each shard has a share of every
source: the documents to be fetched are all over the corpus. With `by-source` the mix comes first.
A part of it also comes as plain JSON Lines. All of it is written once, below --cache.

Benchmarks are GSM8K, MMLU and HumanEval (test splits). Commands are run whole, with --calibration off,
in processes of their own; files are in the page cache, as far as it holds them. Times of start-up are
those of the same command on one short document. Peak memory is the process's resident set, with the
pages of the mapped index in it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

import pyarrow.parquet as pq
from harness import (
    MissingDataError,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    machine,
    table,
    write_documents,
)
from index_corpus import KINDS, NEW_SHARDS, write_kind, write_shards
from speed_scan import CacheError, Usage, run

import pipelines.scan
import sluicegate
import sluicegate.cli
from pipelines.plan_cache import cache_folder

BENCHMARKS: Final = ("gsm8k_test", "mmlu_test", "humaneval")
LEAKED: Final = "gsm8k_train"
STAGES: Final = ("indexing_s", "scanning_s", "calibrating_s", "merging_s")  # of run.json
SOURCE: Final = Path(__file__).resolve()


@dataclass(frozen=True, slots=True)
class Bench:
    """What all parts measure with: two corpora of files, benchmarks, and a folder for stores."""

    files: list[Path]  # one more than a version has
    lines: list[Path]  # the first of them as plain JSON Lines
    benchmarks: list[Path]
    leaked: Path
    data: Path
    work: Path
    runs: int
    jobs: int

    @property
    def version(self) -> list[Path]:
        """Return the files of the first version."""
        return self.files[:-NEW_SHARDS]

    @property
    def next_version(self) -> list[Path]:
        """Return those of a version of the same size of which `NEW_SHARDS` are new."""
        return self.files[NEW_SHARDS:]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scan: what the process took, and what its run.json says."""

    usage: Usage  # told: `stage_cpu_s`, CPU time of the stage that reads and searches
    record: dict[str, Any]
    statuses: list[str]  # of all items

    @property
    def stage_s(self) -> float:
        """Return the seconds of the stage that reads and searches."""
        return float(self.record["timings"]["scanning_s"])


def main() -> int:
    """Run the parts that are asked for."""
    options = _parser().parse_args()
    if options.worker:
        print(json.dumps(WORKERS[options.worker[0]](*options.worker[1:])))
        return 0
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    files, lines = shards(options)
    with tempfile.TemporaryDirectory(dir=options.cache, prefix="index-") as work:
        bench = Bench(
            files, lines, [benchmark_file(data, name) for name in BENCHMARKS],
            benchmark_file(data, LEAKED), data, Path(work), options.runs, options.jobs,
        )  # fmt: skip
        _print_head(bench, options.layout)
        _compile(bench)
        store = Path(work) / "store"
        if "b" in options.parts:
            building(bench, store)
        else:
            build(bench.version, store, bench.jobs)
        if "a" in options.parts:
            sizes(bench, store)
        if "c" in options.parts:
            checking(bench, store)
        if "d" in options.parts:
            one_new_shard(bench, store)
        if "e" in options.parts:
            nothing_new(bench, store)
        if "f" in options.parts:
            signatures(bench)
        print(f"load average at the end: {_load()}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--parts", nargs="+", default=list("abcdef"), choices=list("abcdef"))
    parser.add_argument("--runs", type=int, default=3, help="runs, or pairs of runs")
    parser.add_argument("--jobs", type=int, default=2, help="of every command")
    parser.add_argument("--shards", type=int, default=100, help="of 20 MB of text each")
    parser.add_argument("--layout", choices=("spread", "by-source"), default="spread")
    # whatever follows is the worker's, options too
    parser.add_argument("--worker", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def _print_head(bench: Bench, layout: str) -> None:
    stored = sum(file.stat().st_size for file in bench.version)
    print(
        f"{machine()}; {bench.jobs} jobs; load average at the start: {_load()} (other programs run on "
        "a shared machine: times vary from run to run, ratios of pairs less)\n"
        f"{len(bench.version)} shards, {stored / 1e6:.0f} MB of Parquet, layout {layout}; "
        f"{len(bench.lines)} shards, {_stored_mb(bench.lines):.0f} MB of JSON Lines\n"
    )


# --- the six parts --------------------------------------------------------------------------------


def sizes(bench: Bench, store: Path) -> None:
    """Print (a)."""
    rows = [_size_row("corpus, Parquet", store)]
    in_lines = bench.work / "lines-store"
    build(bench.lines, in_lines, bench.jobs)
    rows.append(_size_row("a part, JSON Lines", in_lines))
    shutil.rmtree(in_lines)
    for kind in KINDS:
        folder = bench.work / "kind"
        folder.mkdir()
        call("kind", str(folder / "a.jsonl"), str(bench.data), kind)
        build([folder / "a.jsonl"], folder / "store", bench.jobs)
        rows.append(_size_row(kind, folder / "store"))
        shutil.rmtree(folder)
    print("## a. Bytes of the index, by those of raw text\n")
    print(table(rows, SIZE_HEADER))
    print("\naim: n-gram index <= 0.40 of the raw text\n")


def building(bench: Bench, store: Path) -> None:
    """Print (b); the last store stays."""
    print("## b. Building against scanning\n")
    rows = []
    for name, files in (("JSON Lines", bench.lines), ("Parquet", bench.version)):
        pairs = []
        for _ in range(bench.runs):
            shutil.rmtree(store, ignore_errors=True)
            pairs.append((build(files, store, bench.jobs), scan(bench, files).usage))
        rows += [_pair_row(f"{name} {n}", *pair) for n, pair in enumerate(pairs, 1)]
        rows.append(
            (f"{name}, median", "", "", _median_ratio(pairs, "cpu_s"), "", "",
             _median_ratio(pairs, "wall_s"), "", "")
        )  # fmt: skip
    header = (
        "corpus", "build CPU s", "scan CPU s", "ratio", "build wall s", "scan wall s", "ratio",
        "build peak MB", "scan peak MB",
    )  # fmt: skip
    print(table(rows, header))
    print("\nwhole commands, start-up included; aim: <= 3\n")


def checking(bench: Bench, store: Path) -> None:
    """Print (c)."""
    print("## c. Checking through the store against scanning the corpus\n")
    kept = bench.work / "kept"
    with_text = build(bench.version, kept, bench.jobs, "--keep-text")
    without = build(bench.version, bench.work / "full", bench.jobs, new=True)
    shutil.rmtree(bench.work / "full")
    print(table([_size_row("--keep-text", kept)], SIZE_HEADER))
    print(
        f"\nbuilding it: {with_text.cpu_s:.1f} s CPU, {with_text.wall_s:.1f} s wall; without "
        f"--keep-text: {without.cpu_s:.1f} s CPU, {without.wall_s:.1f} s wall\n"
    )
    one = scan(bench, [_one_document(bench.work)])
    for name, leaked in ((" + ".join(BENCHMARKS), []), (f"the same + {LEAKED}", [bench.leaked])):
        shutil.rmtree(cache_folder(), ignore_errors=True)
        first = scan(bench, kept, leaked).usage
        print(
            f"{name}: the first check, with texts: {first.wall_s:.2f} s wall, {first.cpu_s:.2f} s CPU"
        )
        turns = [
            (
                scan(bench, bench.version, leaked),
                scan(bench, store, leaked),
                scan(bench, kept, leaked),
            )
            for _ in range(bench.runs)
        ]
        _print_checks(name, turns)
        for where in (store, kept):
            told = call(
                "fetch", str(where), str(bench.jobs), *map(str, [*bench.benchmarks, *leaked])
            ).told
            print(
                f"\n{where.name}: {told['documents']:,} of {told['all_documents']:,} documents fetched; "
                f"the stage reads {told['read_bytes'] / 1e6:.1f} MB of files (read(2): the corpus, the "
                f"store's records) of {_stored_mb(bench.version):.0f} MB of corpus, and "
                f"{index_bytes(where) / 1e6:.0f} MB of mapped index"
            )
        whole, checked, from_texts = turns[-1]
        assert checked.statuses == from_texts.statuses
        print(f"{_agreement(whole, checked)}\n")
    shutil.rmtree(kept)
    print(
        f"start-up (scan of one document): {one.usage.wall_s:.2f} s wall, {one.usage.cpu_s:.2f} s CPU, "
        f"{one.usage.peak_bytes / 1e6:.0f} MB; aim: the stage >= 20 times faster\n"
    )


def one_new_shard(bench: Bench, store: Path) -> None:
    """Print (d)."""
    full = [build(bench.version, bench.work / "full", bench.jobs, new=True)]
    copies = bench.work / "copies"
    copies.mkdir()
    for file in bench.next_version:
        shutil.copyfile(file, copies / file.name)
    start = _start_up(bench)
    rows = [_cost_row("all shards", full, full, start)]
    for name, files in (
        ("1 new, others known by date", bench.next_version),
        ("1 new, others under new names", sorted(copies.iterdir())),
    ):
        rows.append(_cost_row(name, _onto(bench, store, files), full, start))
    shutil.rmtree(copies)
    shutil.rmtree(bench.work / "full")
    print(f"## d. A version of {len(bench.version)} shards with {NEW_SHARDS} new\n")
    print(table(rows, COST_HEADER))
    print(f"\nmedians; {_said_start(start)}; aim: <= 3 % of the full build\n")


def nothing_new(bench: Bench, store: Path) -> None:
    """Print (e)."""
    full = [build(bench.version, bench.work / "full", bench.jobs, new=True)]
    start = _start_up(bench)
    rows = [_cost_row("all shards", full, full, start)]
    for name, flags in (("nothing new", ()), ("nothing new, --verify", ("--verify",))):
        rows.append(_cost_row(name, _onto(bench, store, bench.version, *flags), full, start))
    shutil.rmtree(bench.work / "full")
    print(f"## e. The same {len(bench.version)} shards again\n")
    print(table(rows, COST_HEADER))
    print(f"\nmedians; {_said_start(start)}\n")


def signatures(bench: Bench) -> None:
    """Print (f)."""
    print("## f. Signatures of documents in the store\n")
    store = bench.work / "signatures"
    rows = []
    for name, files, flags in (
        ("all shards, no store", bench.version, []),
        ("all shards", bench.version, ["--store", str(store)]),
        (f"{NEW_SHARDS} new", bench.next_version, ["--store", str(store)]),
    ):
        out = bench.work / "duplicates"
        usage = run(
            [*_sluicegate(), "duplicates", *map(str, files), "--out", str(out), "--quiet",
             "--jobs", str(bench.jobs), *flags]
        )  # fmt: skip
        timings = json.loads((out / "run.json").read_bytes())["timings"]
        rows.append(
            (name, f"{timings['signing_s']:.2f}", f"{timings['linking_s']:.2f}",
             f"{usage.wall_s:.2f}", f"{usage.cpu_s:.2f}")
        )  # fmt: skip
    records = [json.loads(file.read_bytes()) for file in store.glob("shards/*/shard.json")]
    text = sum(record["read"]["bytes"] for record in records)
    documents = sum(record["read"]["documents"] for record in records)
    stored = sum(file.stat().st_size for file in store.glob("shards/*/signatures-*"))
    print(table(rows, ("", "signing s", "linking s", "whole, wall s", "whole, CPU s")))
    print(
        f"\n{stored / 1e6:.1f} MB for {documents:,} documents: {stored / documents:.0f} bytes each, "
        f"{stored / text:.3f} of the text\n"
    )
    shutil.rmtree(store)


# --- rows of the tables ---------------------------------------------------------------------------

SIZE_HEADER: Final = ("text", "raw MB", "words, M", "n-gram MB", "ratio", "all files, ratio")
COST_HEADER: Final = (
    "build", "wall s", "% of full", "CPU s", "% of full", "net wall s", "% of full", "net CPU s", "% of full",
)  # fmt: skip


def index_bytes(store: Path) -> int:
    """Return the bytes of the n-gram fingerprints in a store."""
    return sum(file.stat().st_size for file in store.glob("shards/*/ngram-*"))


def _size_row(name: str, store: Path) -> tuple[object, ...]:
    records = [json.loads(file.read_bytes()) for file in store.glob("shards/*/shard.json")]
    text = sum(record["read"]["bytes"] for record in records)
    words = sum(record["counts"]["words"] for record in records)
    everything = sum(file.stat().st_size for file in store.rglob("*") if file.is_file())
    ngram = index_bytes(store)
    return (
        name, f"{text / 1e6:.1f}", f"{words / 1e6:.1f}", f"{ngram / 1e6:.1f}", f"{ngram / text:.3f}",
        f"{everything / text:.3f}",
    )  # fmt: skip


def _pair_row(name: str, ours: Usage, theirs: Usage) -> tuple[str, ...]:
    return (
        name,
        f"{ours.cpu_s:.1f}", f"{theirs.cpu_s:.1f}", f"{ours.cpu_s / theirs.cpu_s:.2f}",
        f"{ours.wall_s:.1f}", f"{theirs.wall_s:.1f}", f"{ours.wall_s / theirs.wall_s:.2f}",
        f"{ours.peak_bytes / 1e6:.0f}", f"{theirs.peak_bytes / 1e6:.0f}",
    )  # fmt: skip


def _median_ratio(pairs: Sequence[tuple[Usage, Usage]], name: str) -> str:
    return f"{statistics.median(getattr(a, name) / getattr(b, name) for a, b in pairs):.2f}"


def _print_checks(name: str, turns: Sequence[tuple[Scanned, ...]]) -> None:
    measures: dict[str, Callable[[Scanned], float]] = {
        "whole command, wall s": lambda s: s.usage.wall_s,
        "whole command, CPU s": lambda s: s.usage.cpu_s,
        "scanning stage, wall s": lambda s: s.stage_s,
        "scanning stage, CPU s": lambda s: s.usage.told["stage_cpu_s"],
    }
    rows: list[tuple[object, ...]] = []
    for measure, of in measures.items():
        cells = [f"{statistics.median(of(turn[k]) for turn in turns):.2f}" for k in range(3)]
        ratios = [statistics.median(of(turn[0]) / of(turn[k]) for turn in turns) for k in (1, 2)]
        rows.append((measure, cells[0], cells[1], f"{ratios[0]:.1f}", cells[2], f"{ratios[1]:.1f}"))
    peaks = [
        f"{statistics.median(turn[k].usage.peak_bytes for turn in turns) / 1e6:.0f}"
        for k in range(3)
    ]
    rows.append(("peak memory, MB", peaks[0], peaks[1], "", peaks[2], ""))
    print(f"{name}; medians of {len(turns)} turns\n")
    header = (
        "", "scan CORPUS", "scan --store", "times faster", "the same, with texts", "times faster",
    )  # fmt: skip
    print(table(rows, header))
    print("\nwall seconds by stage:\n")
    rows = []
    for k, what in enumerate(("scan CORPUS", "scan --store", "the same, with texts")):
        timings = [turn[k].record["timings"] for turn in turns]
        rows.append((what, *(f"{statistics.median(t[s] for t in timings):.2f}" for s in STAGES)))
    print(table(rows, ("", *(stage.removesuffix("_s") for stage in STAGES))))


def _cost_row(
    name: str, runs: Sequence[Usage], full: Sequence[Usage], start: Usage
) -> tuple[object, ...]:
    cells = []
    for net in (False, True):
        for measure in ("wall_s", "cpu_s"):
            less = getattr(start, measure) if net else 0.0
            ours, whole = (
                statistics.median(getattr(usage, measure) for usage in usages) - less
                for usages in (runs, full)
            )
            cells += [f"{ours:.2f}", f"{100 * ours / whole:.1f}"]
    return (name, *cells)


def _said_start(start: Usage) -> str:
    return f"net of start-up, the build of one document: {start.wall_s:.2f} s wall, {start.cpu_s:.2f} s CPU"


# --- commands -------------------------------------------------------------------------------------


def build(files: Sequence[Path], store: Path, jobs: int, *flags: str, new: bool = False) -> Usage:
    """Build a version of files into a store; `new` empties it first."""
    if new:
        shutil.rmtree(store, ignore_errors=True)
    return run(
        [*_sluicegate(), "index", "build", *map(str, files), "--store", str(store), "--quiet",
         "--jobs", str(jobs), *flags]
    )  # fmt: skip


def scan(bench: Bench, what: Sequence[Path] | Path, more: Sequence[Path] = ()) -> Scanned:
    """Scan files, or the version in a store."""
    out = bench.work / "out"
    corpus_arguments = ["--store", str(what)] if isinstance(what, Path) else [*map(str, what)]
    usage = call(
        "command", "scan", *corpus_arguments, "--benchmarks",
        *map(str, [*bench.benchmarks, *more]), "--out", str(out), "--quiet", "--calibration", "off",
        "--jobs", str(bench.jobs),
    )  # fmt: skip
    items = pq.read_table(out / "items.parquet", columns=["status"])
    record = json.loads((out / "run.json").read_bytes())
    return Scanned(usage, record, items["status"].to_pylist())


def call(worker: str, *arguments: str) -> Usage:
    """Run a worker of this file in a process of its own.

    Whatever needs much memory is one: Linux counts the peak of a process from that of its parent on.
    """
    return run([sys.executable, str(SOURCE), "--worker", worker, *arguments])


def work_command(*arguments: str) -> dict[str, Any]:
    """Run a scan as the command line does, and take the CPU time of its second stage."""
    stage: list[float] = []
    run_steps = pipelines.scan._run_steps

    def timed(*arguments: Any) -> Any:
        before = time.process_time()
        steps = run_steps(*arguments)
        stage.append(time.process_time() - before)
        return steps

    patched = mock.patch.object(pipelines.scan, "_run_steps", timed)
    with patched, contextlib.redirect_stdout(io.StringIO()):
        status = sluicegate.cli.main(arguments)
    assert status == 0, f"status {status}"
    return {"stage_cpu_s": stage[0]}


def work_fetch(store: str, jobs: str, *benchmarks: str) -> dict[str, Any]:
    """Check benchmarks through a store, and count what is read after the benchmarks were."""
    before: list[int] = []

    def note(progress: Any) -> None:
        if progress.stage == "indexing items":
            before.append(_read_bytes())

    result = sluicegate.scan(
        [], list(benchmarks), store=store, jobs=int(jobs), calibration="off", progress=note
    )
    read = result.run["read"]
    return {
        "documents": read["fetched"],
        "all_documents": read["documents"],
        "read_bytes": _read_bytes() - before[0],
    }


def _read_bytes() -> int:
    """Return what this process has read with read(2) so far, from the page cache or not."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


def _sluicegate() -> list[str]:
    return [sys.executable, "-m", "sluicegate.cli"]


def _onto(bench: Bench, store: Path, files: Sequence[Path], *flags: str) -> list[Usage]:
    """Build a version onto a store, each time onto a copy of it (links: a shard never changes)."""
    usages = []
    for _ in range(bench.runs):
        copy = bench.work / "copy"
        shutil.copytree(store, copy, copy_function=os.link)
        usages.append(build(files, copy, bench.jobs, *flags))
        shutil.rmtree(copy)
    return usages


def _start_up(bench: Bench) -> Usage:
    one = _one_document(bench.work)
    usages = [build([one], bench.work / "one", 1, new=True) for _ in range(3)]
    return sorted(usages, key=lambda usage: usage.wall_s)[1]


def _compile(bench: Bench) -> None:
    """Compile what is not compiled yet, before anything is measured."""
    one = _one_document(bench.work)
    build([one], bench.work / "one", 1, new=True)
    scan(bench, [one])
    scan(bench, bench.work / "one")


def _one_document(folder: Path) -> Path:
    path = folder / "one.jsonl"
    if not path.exists():
        write_documents(path, ["Nothing is to be found here."])
    return path


def _agreement(whole: Scanned, checked: Scanned) -> str:
    """Tell of each status how many items have it either way, and how many one way only."""
    words = []
    for status in ("contaminated", "suspect"):
        both = list(zip(whole.statuses, checked.statuses, strict=True))
        same = sum(a == b == status for a, b in both)
        only = [sum(a == status != b for a, b in both), sum(b == status != a for a, b in both)]
        words.append(
            f"{same:,} {status} either way, {only[0]} only by the scan, {only[1]} only by the store"
        )
    return "items: " + "; ".join(words)


def _load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def _stored_mb(files: Sequence[Path]) -> float:
    return sum(file.stat().st_size for file in files) / 1e6


def shards(options: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """Return the files of both versions, and the first ones as JSON Lines; built once."""
    folder = options.cache / f"index-{options.layout}-{options.shards}"
    if not folder.is_dir():
        call("shards", str(folder), str(options.data), options.layout, str(options.shards))
    return sorted(folder.glob("parquet/*")), sorted(folder.glob("jsonl/*"))


WORKERS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "command": work_command,
    "fetch": work_fetch,
    "kind": write_kind,
    "shards": write_shards,
}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CacheError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
