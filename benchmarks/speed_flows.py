"""What Prefect costs: seconds to the first task, milliseconds for each task, share of a build.

    python benchmarks/speed_flows.py [--tasks 200] [--mb 400] [--jobs 2] [--runs 3]

start  The whole command with a private server, for a corpus that is known already; then the part of it
       until Prefect is imported and its server answers, which is when the first task can begin.
task   A build of so many shards of one short document, with a task for each, against the same build
       without Prefect; both know all shards already, so nothing but looking is done.
share  A build of so many megabytes of text in 16 shards into an empty store, as a flow with tasks of the
       default size, against the same build without Prefect, in turns; the server runs already.

The text is made of random words, of which indexing costs about what it does for prose. Kernels are loaded
before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--mb", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        short, long = work / "short", work / "long"
        _write(short, options.tasks, 1, 40)
        _write(long, 16, options.mb * 1_000_000 // 16 // 3300, 500)
        _warm_up(short, work / "warm")
        print(
            f"start: {_start(short, work / 'start', options.runs):.1f} s to the end of a flow of one task"
        )
        _in_server(short, long, work, options)


def _in_server(short: Path, long: Path, work: Path, options: argparse.Namespace) -> None:
    from flows.environment import prefect_server
    from pipelines.index import IndexSettings, build_index

    clock = time.monotonic()
    with prefect_server():
        print(
            f"start: {time.monotonic() - clock:.1f} s until Prefect is imported and its server answers"
        )
        from flows.options import TASK_BYTES, RunOptions
        from flows.running import run_flow

        def plain(corpus: Path, store: Path) -> None:
            settings = IndexSettings(jobs=options.jobs)
            build_index([str(corpus)], str(store), settings, tool_version="0")

        def flow(corpus: Path, store: Path, task_bytes: int) -> None:
            run = RunOptions(jobs=options.jobs, task_bytes=task_bytes)
            settings = IndexSettings(jobs=options.jobs)
            parameters = {"corpus": [str(corpus)], "store": str(store)}
            run_flow("index", parameters | {"settings": settings, "options": run})

        known = work / "known"
        plain(short, known)
        without = _median(lambda: plain(short, known), options.runs)
        one = _median(lambda: flow(short, known, 1 << 40), 1)
        many = _median(lambda: flow(short, known, 1), options.runs)
        print(
            f"task: {options.tasks} shards known already: {without:.2f} s without Prefect, {one:.2f} s with "
            f"few tasks, {many:.2f} s with a task each: {1000 * (many - one) / options.tasks:.1f} ms a task"
        )
        seconds: dict[str, list[float]] = {"plain": [], "flow": []}
        for _ in range(options.runs):
            for name, build in (
                ("plain", lambda store: plain(long, store)),
                ("flow", lambda store: flow(long, store, TASK_BYTES)),
            ):
                store = work / "share"
                shutil.rmtree(store, ignore_errors=True)
                clock = time.monotonic()
                build(store)
                seconds[name].append(time.monotonic() - clock)
        base, own = (statistics.median(seconds[name]) for name in ("plain", "flow"))
        print(
            f"share: {options.mb} MB of text: {base:.2f} s without Prefect, {own:.2f} s as a flow: "
            f"{100 * (own - base) / own:.1f}% of it"
        )


def _start(corpus: Path, store: Path, runs: int) -> float:
    command = [sys.executable, "-m", "sluicegate.cli", "flow", "run", "index", str(corpus)]
    command += ["--store", str(store), "--quiet"]
    return _median(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), runs)


def _median(work: Callable[[], object], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        clock = time.monotonic()
        work()
        seconds.append(time.monotonic() - clock)
    return statistics.median(seconds)


def _write(folder: Path, shards: int, documents: int, words: int) -> None:
    """Write JSON lines of random words, at rest for long."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    known = ["".join(draw.choice(letters, draw.integers(2, 10))) for _ in range(20_000)]
    for shard in range(shards):
        path = folder / f"{shard:04}.jsonl"
        chosen = draw.integers(0, len(known), (documents, words))
        with path.open("w") as file:
            for row in chosen:
                text = " ".join([known[word] for word in row])
                file.write(json.dumps({"text": text}) + "\n")
        os.utime(path, (1_700_000_000, 1_700_000_000))


def _warm_up(corpus: Path, store: Path) -> None:
    from pipelines.index import IndexSettings, build_index

    build_index([str(corpus)], str(store), IndexSettings(), tool_version="0")


if __name__ == "__main__":
    main()
