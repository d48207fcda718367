"""How fast profiles are made: beside bare decoding, on a real mix, and in how much memory.

    python benchmarks/speed_profile.py [--data DIR] [--cache DIR] [--parts a b c d] [--runs 5] [--text-mb N]

a  CPU and wall seconds of profiling by words against those of decoding the same Parquet column with
   pyarrow, on one thread, in pairs.
b  The same tokens aside: with a tokenizer that gives none, so that it is the time of everything else.
c  Both versions of the shared mix by words, one job: seconds, MB of text per second, peak memory, and the
   size of the profile; then from a store that holds the profiles of all shards.
d  Peak memory at 100 MB, 500 MB and 2 GB of text (the same file under many names).

The corpus of a, b and d is that of `speed_scan.py`. CPU seconds are a process's, user and system; those of
profiling are taken from the first step on, so that imports and loading kernels are not in them, and
include adding the profiles up.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import speed_scan
from harness import MissingDataError, argument_parser, check_data, exit_without_data, machine, table
from speed_scan import (
    CacheError,
    Usage,
    corpus,
    memory_by_size,
    pairs_beside_decoding,
    run,
)

from indexes.profile import to_bytes
from pipelines.drift_settings import DriftSettings
from pipelines.profile_step import TokenUnit, warm_up
from pipelines.profiles import Version, profile_version

WORDS: Final = "words"
TOKENS_ASIDE: Final = "tokens aside"


def main() -> int:
    """Run the parts that are asked for."""
    options = _parser().parse_args()
    if options.worker:
        print(json.dumps(WORKERS[options.worker[0]](*options.worker[1:])))
        return 0
    try:
        mix = check_data(options.data) / "corpora" / "mix"
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    files = corpus(options.cache, options.text_mb) if {*options.parts} - {"c"} else []
    stored = sum(file.stat().st_size for file in files)
    print(f"{machine()}\n{len(files)} files, {stored / 1e6:.0f} MB of Parquet\n")
    if "a" in options.parts:
        beside_decoding(files, WORDS, options.runs)
    if "b" in options.parts:
        beside_decoding(files, TOKENS_ASIDE, options.runs)
    if "c" in options.parts:
        real_mix(mix)
    if "d" in options.parts:
        memory_by_size(
            files, options.cache, lambda folder: call("profile", WORDS, "", folder).peak_bytes
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--parts", nargs="+", default=list("abcd"), choices=list("abcd"))
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs of a and b")
    parser.add_argument("--text-mb", type=int, help="take only so much of the corpus")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    return parser


# --- the parts ------------------------------------------------------------------------------------


def beside_decoding(files: Sequence[Path], unit: str, runs: int) -> None:
    """Print (a) or (b)."""
    names = [str(file) for file in files]
    call("profile", unit, "", *names[:1])  # compiles what is not compiled yet

    def measured() -> tuple[float, float]:
        told = call("profile", unit, "", *names).told
        return told["cpu_s"], told["wall_s"]

    speed_scan.call("decode", *names)  # the files are in memory from here on
    title = "a. By words" if unit == WORDS else "b. Tokens aside"
    pairs_beside_decoding(title, "profile", names, measured, runs, aim=3.0)


def real_mix(mix: Path) -> None:
    """Print (c)."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        ways = (("from the files", ""), ("into a store", folder), ("from the store", folder))
        for version in ("v1", "v2"):
            for how, store in ways:
                usage = call("profile", "words", store, str(mix / version))
                told = usage.told
                rows.append(
                    (
                        version, how, f"{told['bytes'] / 1e6:.0f}", f"{told['cpu_s']:.2f}",
                        f"{told['wall_s']:.2f}", f"{told['bytes'] / 1e6 / told['cpu_s']:.0f}",
                        f"{usage.peak_bytes / 1e6:.0f}", f"{told['before_bytes'] / 1e6:.0f}",
                        f"{told['profile_bytes'] / 1e6:.1f}",
                        f"{told['profile_bytes'] / told['bytes']:.1%}", told["keys"],
                    )
                )  # fmt: skip
    print("## c. The shared mix by words, one job\n")
    header = (
        "version", "", "text MB", "CPU s", "wall s", "MB/s", "peak MB", "peak MB before", "profile MB",
        "of the text", "words",
    )  # fmt: skip
    print(table(rows, header) + "\n")


# --- processes ------------------------------------------------------------------------------------


def call(worker: str, *arguments: str) -> Usage:
    """Run a worker of this file in a process of its own."""
    return run([sys.executable, __file__, "--worker", worker, *arguments])


class NoTokens:
    """Stands in for a tokenizer; no text has tokens."""

    cut = None

    def begin_shard(self) -> None:
        """Nothing to begin."""

    def tokens(self, data: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return no ids."""
        del data
        return np.zeros(0, np.uint32), np.zeros(len(bounds), np.int64)


def work_profile(unit: str, store: str, *corpus_arguments: str) -> dict[str, Any]:
    """Profile a corpus by words, or tokens aside; with a store if one is named."""
    warm_up()
    settings = DriftSettings(store=store or None)
    tokens = None if unit == WORDS else TokenUnit("tokens:none", NoTokens)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cpu, wall = time.process_time(), time.perf_counter()
    version: Version = profile_version(corpus_arguments, settings, tokens)
    spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    return spent | {
        "bytes": version.bytes,
        "before_bytes": before,
        "profile_bytes": len(to_bytes(version.profile)),
        "keys": version.profile.tokens["key"].n_unique(),
    }


WORKERS: Final[dict[str, Callable[..., dict[str, Any]]]] = {"profile": work_profile}


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CacheError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
