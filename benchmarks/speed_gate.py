"""What gating again costs beside the first gate, through an index store.

    python benchmarks/speed_gate.py [--data DIR] [--cache DIR] [--runs 1] [--jobs 2] [--shards 100]

A mix of `--shards` shards of 20 MB of text (those of `speed_index.py`, layout `spread`) is gated against a
baseline of the same shards: into an empty store, again, and after one shard was added; and without a store.
Benchmarks are GSM8K, MMLU and HumanEval (test splits), the policy is the shipped one, calibration is quick.

Commands are run whole, in processes of their own. `net` is without what the same command costs on a mix and
a baseline of one short document each: starting Python, loading kernels, reading and indexing benchmarks. The
parts are taken within the command, CPU and wall seconds of the whole process while it is at one:

bringing in   what is new of the mix into the store
looking up    the benchmarks' items, and reading the documents that are nominated
calibrating   planting leaks and searching for them; an equal battery is taken from the store
adding up     the profiles of both versions: making those that are new, sums from the store
comparing     the statistics over the vocabulary
writing       reports and tables

Bringing in and making profiles grow with what is new; looking up with the number of shards; comparing with the
vocabulary.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from unittest import mock

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
from speed_index import BENCHMARKS, shards
from speed_scan import CacheError, Usage, run

import sluicegate.cli

# The functions that each part is spent in.
PARTS: Final = {
    "bringing in": ("pipelines.gate", "_stored_version"),
    "looking up": ("pipelines.scan", "_run_steps"),
    "calibrating": ("pipelines.scan", "_calibrate"),
    "adding up": ("pipelines.drift", "profile_version"),
    "comparing": ("pipelines.drift", "_compare"),
    "writing": ("pipelines.gate", "write_result"),
}
HEADER: Final = ("gate", "CPU s", "% of first", "net CPU s", "% of first", "wall s", "% of first")


@dataclass(frozen=True, slots=True)
class Gated:
    """What a gate took as a whole, its parts (CPU and wall seconds), and its verdict."""

    usage: Usage
    parts: dict[str, tuple[float, float]]
    verdict: str


@dataclass(frozen=True, slots=True)
class Bench:
    """What every gate is run with."""

    benchmarks: Sequence[Path]
    work: Path
    jobs: int

    def mix(self, name: str, files: Sequence[Path]) -> Path:
        """Write a mix of some files, and return its path."""
        paths = ", ".join(json.dumps(str(file)) for file in files)
        path = self.work / f"{name}.yaml"
        path.write_text(
            f"name: {name}\nversion: '1'\nsources:\n  - {{name: all, paths: [{paths}]}}\n",
            encoding="utf-8",
        )
        return path

    def gate(self, mix: Path, baseline: Path, store: Path | None) -> Gated:
        """Run the command.

        Raises:
            CacheError: where it ends otherwise than with a verdict.
        """
        out = self.work / "out"
        shutil.rmtree(out, ignore_errors=True)
        arguments = [
            "gate", str(mix), "--against", str(baseline), "--benchmarks", *map(str, self.benchmarks),
            "--out", str(out), "--quiet", "--jobs", str(self.jobs),
            *(() if store is None else ("--store", str(store))),
        ]  # fmt: skip
        usage = run([sys.executable, __file__, "--worker", *arguments])
        return Gated(usage, usage.told["parts"], usage.told["verdict"])


def main() -> int:
    """Gate as often as was asked for, and print what it took."""
    options = _parser().parse_args()
    if options.worker:
        print(json.dumps(work_gate(options.worker)))
        return 0
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    files, _ = shards(options)
    with tempfile.TemporaryDirectory(dir=options.cache, prefix="gate-") as work:
        paths = [benchmark_file(data, name) for name in BENCHMARKS]
        bench = Bench(paths, Path(work), options.jobs)
        stored = sum(file.stat().st_size for file in files)
        print(
            f"{machine()}; {options.jobs} jobs; {len(files) - 1} shards and 1 new, {stored / 1e6:.0f} MB"
        )
        _measure(bench, files, options.runs)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--runs", type=int, default=1, help="of everything; medians are printed")
    parser.add_argument("--jobs", type=int, default=2, help="threads of every gate")
    parser.add_argument("--shards", type=int, default=100, help="of 20 MB of text each")
    parser.add_argument("--worker", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.set_defaults(layout="spread")
    return parser


def work_gate(arguments: Sequence[str]) -> dict[str, Any]:
    """Gate as the command line does; return its verdict and what its parts took.

    Raises:
        CacheError: where it ends otherwise than with a verdict.
    """
    taken = {part: [0.0, 0.0] for part in PARTS}
    with ExitStack() as stack:
        for part, (module, name) in PARTS.items():
            stack.enter_context(_timed(import_module(module), name, taken[part]))
        with redirect_stdout(io.StringIO()):
            status = sluicegate.cli.main(list(arguments))
    record = Path(arguments[arguments.index("--out") + 1]) / "run.json"
    if not record.exists():
        raise CacheError(f"the gate ended with {status} and without a verdict")
    return {"parts": taken, "verdict": json.loads(record.read_bytes())["verdict"]}


def _timed(module: Any, name: str, taken: list[float]) -> AbstractContextManager[object]:
    """Return a patch that adds the CPU and wall seconds of each call of a function to `taken`."""
    function = getattr(module, name)

    def timed(*arguments: Any, **more: Any) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return function(*arguments, **more)
        finally:
            taken[0] += time.process_time() - cpu
            taken[1] += time.perf_counter() - wall

    return mock.patch.object(module, name, timed)


def _measure(bench: Bench, files: Sequence[Path], runs: int) -> None:
    baseline, mix = bench.mix("baseline", files[:-1]), bench.mix("mix", files[:-1])
    larger = bench.mix("larger", files)
    short = bench.work / "short.jsonl"
    write_documents(short, ["A harbour town keeps its boats, its nets and its stories by the sea."])
    tiny = bench.mix("tiny", [short])
    bench.gate(tiny, tiny, bench.work / "tiny")  # compiles what is not compiled yet
    gates: dict[str, list[Gated]] = {}
    for number in range(runs):
        store = bench.work / f"store-{number}"
        for name, judged, against, where in (
            ("start-up", tiny, tiny, bench.work / f"tiny-{number}"),
            ("first, empty store", mix, baseline, store),
            ("the same again", mix, baseline, store),
            ("one shard more", larger, baseline, store),
            ("no store", larger, baseline, None),
        ):
            gates.setdefault(name, []).append(bench.gate(judged, against, where))
            taken = gates[name][-1]
            print(f"{name}: {taken.usage.cpu_s:.2f} s CPU, {taken.parts}", file=sys.stderr)
        shutil.rmtree(store)
    _print(gates)


def _print(gates: dict[str, list[Gated]]) -> None:
    cpu = {n: statistics.median(g.usage.cpu_s for g in own) for n, own in gates.items()}
    wall = {n: statistics.median(g.usage.wall_s for g in own) for n, own in gates.items()}
    start, first = cpu["start-up"], "first, empty store"
    rows = [
        (
            name, f"{cpu[name]:.2f}", _share(cpu[name], cpu[first]), f"{cpu[name] - start:.2f}",
            _share(cpu[name] - start, cpu[first] - start), f"{wall[name]:.2f}", _share(wall[name], wall[first]),
        )
        for name in gates
    ]  # fmt: skip
    print(f"\n{table(rows, HEADER)}\n")
    parts = [
        (
            name,
            *(f"{_median(own, part, 0):.2f} ({_median(own, part, 1):.2f})" for part in PARTS),
            own[0].verdict,
        )
        for name, own in gates.items()
    ]
    print(table(parts, ("CPU s (wall s)", *PARTS, "verdict")))
    new = cpu["one shard more"] - cpu["the same again"]
    print(
        f"\none new shard adds {new:.2f} s CPU, {_share(new, cpu[first])} of the first gate; every gate takes "
        f"{cpu['the same again']:.2f} s CPU, whatever is new"
    )


def _median(gates: Sequence[Gated], part: str, of: int) -> float:
    return statistics.median(gate.parts[part][of] for gate in gates)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%"


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CacheError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
