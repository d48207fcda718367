"""What Prefect costs: seconds to the first task, milliseconds for each task, share of a build; two processes.

    python benchmarks/speed_flows.py [--tasks 200] [--mb 400] [--jobs 2] [--runs 3]

start  The whole command with a private server, for a corpus that is known already; then the part of it
       until Prefect is imported and its server answers, which is when the first task can begin.
task   A build of so many shards of one short document, with a task for each, against the same build
       without Prefect; both know all shards already, so nothing but looking is done. The processor
       seconds are those of the flow and of its server: on a busy machine they say more.
share  A build of so many megabytes of text in 16 shards into an empty store, as a flow with tasks of the
       default size, against the same build without Prefect, in turns; the server runs already. What is
       left of the difference after all tasks is a fixed cost, so the share of 2 GB is reckoned from it.
two    The same build as a flow with --runner processes, of one process and of two, in turns. Where other
       work takes the cores, compare the processor seconds: what two use more than one is what is lost.

The text is made of random words, of which indexing costs about what it does for prose. Kernels are loaded
before the clock starts. The load of the machine is printed: other work beside it makes all of this slower,
and two processes less than twice as fast as one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

SCAN_MB: Final = 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--mb", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--two-mb", type=int, default=800, help="for two processes against one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        short, long = work / "short", work / "long"
        _write(short, options.tasks, 1, 40)
        _write(long, 16, options.mb * 1_000_000 // 16 // 3300, 500)
        _write(work / "two", 32, options.two_mb * 1_000_000 // 32 // 3300, 500)
        _warm_up(short, work / "warm")
        print(
            f"start: {_start(short, work / 'start', options.runs):.1f} s to the end of a flow of one task"
        )
        _in_server(short, long, work, options)


def _in_server(short: Path, long: Path, work: Path, options: argparse.Namespace) -> None:
    from flows.environment import prefect_server
    from pipelines.index import build_index
    from pipelines.index_settings import IndexSettings

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
        used = _processor_seconds()
        many = _median(lambda: flow(short, known, 1), options.runs)
        used = (_processor_seconds() - used) / options.runs
        print(
            f"task: {options.tasks} shards known already: {without:.2f} s without Prefect, {one:.2f} s with "
            f"few tasks, {many:.2f} s with a task each: {1000 * (many - one) / options.tasks:.1f} ms a task, "
            f"{1000 * used / options.tasks:.1f} ms of processor time with all that is fixed"
        )
        base, own = _in_turns(
            [lambda store: plain(long, store), lambda store: flow(long, store, TASK_BYTES)],
            work / "share",
            options.runs,
        )
        share = (own - base) / (own - base + base * SCAN_MB / options.mb)
        print(
            f"share: {options.mb} MB of text: {base:.2f} s without Prefect, {own:.2f} s as a flow; "
            f"of {SCAN_MB} MB {100 * share:.1f}%"
        )

        used_by: dict[int, list[float]] = {1: [], 2: []}

        def processes(jobs: int, store: Path) -> None:
            run = RunOptions(jobs=jobs, runner="processes")
            parameters = {"corpus": [str(work / "two")], "store": str(store)}
            before = _seconds_of_the_ended()
            run_flow("index", parameters | {"settings": IndexSettings(), "options": run})
            used_by[jobs].append(_seconds_of_the_ended() - before)

        one, two = _in_turns(
            [lambda store: processes(1, store), lambda store: processes(2, store)],
            work / "two-store",
            options.runs,
        )
        print(
            f"two: {options.two_mb} MB of text: {one:.2f} s in one process, {two:.2f} s in two: "
            f"{one / two:.2f} times as fast; processor seconds of the processes: "
            f"{statistics.median(used_by[1]):.1f} and {statistics.median(used_by[2]):.1f}"
        )
    print(f"load: {', '.join(f'{load:.1f}' for load in os.getloadavg())} on {os.cpu_count()} cores")


def _in_turns(builds: Sequence[Callable[[Path], None]], store: Path, runs: int) -> list[float]:
    """Return the median seconds of each build into an empty store."""
    seconds: list[list[float]] = [[] for _ in builds]
    for _ in range(runs):
        for build, own in zip(builds, seconds, strict=True):
            shutil.rmtree(store, ignore_errors=True)
            os.sync()  # what was written before is not waited for when the store makes its files durable
            clock = time.monotonic()
            build(store)
            own.append(time.monotonic() - clock)
    return [statistics.median(own) for own in seconds]


def _seconds_of_the_ended() -> float:
    """Return the processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _processor_seconds() -> float:
    """Return what this process and its server have used so far."""
    used = time.process_time()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            is_server = b"flows.server_process" in (path / "cmdline").read_bytes()
        except OSError:
            continue
        if is_server and int(fields[1]) == os.getpid():
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


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
    """Write JSON lines of random words, at rest for long; each shard has a word of its own in every text."""
    folder.mkdir()
    draw = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    known = ["".join(draw.choice(letters, draw.integers(2, 10))) for _ in range(20_000)]
    chosen = draw.integers(0, len(known), (documents, words))
    lines = [
        json.dumps({"text": " ".join(["OWN", *[known[word] for word in row]])}) for row in chosen
    ]
    text = "\n".join(lines) + "\n"
    for shard in range(shards):
        path = folder / f"{shard:04}.jsonl"
        path.write_text(text.replace("OWN", f"shard{shard}"))
        os.utime(path, (1_700_000_000, 1_700_000_000))


def _warm_up(corpus: Path, store: Path) -> None:
    from pipelines.index import build_index
    from pipelines.index_settings import IndexSettings

    build_index([str(corpus)], str(store), IndexSettings(), tool_version="0")


if __name__ == "__main__":
    main()
