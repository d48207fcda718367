"""How fast the scan is: beside bare decoding, beside another tool, on two cores, and in how much memory.

    python benchmarks/speed_scan.py [--data DIR] [--cache DIR] [--parts a b c d] [--runs 5]
                                    [--text-mb N] [--decon-mb 20] [--python3.12 PATH]

a  CPU and wall seconds of a scan against those of decoding the same Parquet column with pyarrow, on one
   thread, in pairs; all shared benchmarks are searched for.
b  The same documents as JSON Lines with the PyPI package `decontaminate` (bindings of allenai/decon,
   Python 3.12), on one thread. Its records are one per item, not one per choice as in its own sets.
c  Wall seconds of scanning with --jobs 2 against --jobs 1, in pairs.
d  Peak memory at 100 MB, 500 MB and 2 GB of text (the same file under many names).

The corpus is real: the sources of Linux 6.1, GCC 12 and GCC 11 from Debian's packages of sources
(apt-get download, 300 MB), a file a document, as Parquet with Zstandard pages in --cache.
`--text-mb` takes only so much of it, for a try.

CPU seconds are a process's, user and system. Those of scanning are taken between the first and the last
report of progress, so that imports and the index are not in them; imports and index are the whole of a
process that scans one short document. `decontaminate` tells the times of its two stages itself (wall
seconds of one thread), its CPU seconds are printed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    read_records,
    table,
    write_documents,
)

import sluicegate

PACKAGES: Final = ("linux-source-6.1", "gcc-12-source", "gcc-11-source")
FILE_TEXT_BYTES: Final = 256 << 20
ROW_GROUP_TEXT_BYTES: Final = 16 << 20
MEMORY_SIZES: Final = (100 << 20, 500 << 20, 2 << 30)  # bytes of text
BATCH_BYTES: Final = 8 << 20  # as a scan has by default
SMALL_BATCH_BYTES: Final = 1 << 20  # for part b: its input is small, and progress is told per batch
SCHEMA: Final = pa.schema([(name, pa.string()) for name in ("id", "text", "domain")])
DECON: Final = """
import json, sys
import decon
training, evals, out = sys.argv[1:4]
decon.detect(decon.Config(training, evals, out, worker_threads=1))
"""


class CacheError(ValueError):
    """The corpus or the other tool could not be built."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took, and what it printed."""

    cpu_s: float
    wall_s: float
    peak_bytes: int
    told: dict[str, Any]
    said: str


def main() -> int:
    """Run the parts that are asked for."""
    options = _parser().parse_args()
    if options.worker:
        print(json.dumps(WORKERS[options.worker[0]](*options.worker[1:])))
        return 0
    try:
        benchmarks = check_data(options.data) / "benchmarks"
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    files = corpus(options.cache, options.text_mb)
    stored = sum(file.stat().st_size for file in files)
    print(f"{machine()}\n{len(files)} files, {stored / 1e6:.0f} MB of Parquet\n")
    if "a" in options.parts:
        beside_decoding(files, benchmarks, options.runs)
    if "b" in options.parts:
        beside_decon(files, benchmarks, options)
    if "c" in options.parts:
        two_jobs(files, benchmarks, options.runs)
    if "d" in options.parts:
        memory(files, benchmarks, options.cache)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--parts", nargs="+", default=list("abcd"), choices=list("abcd"))
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs of a and c")
    parser.add_argument("--text-mb", type=int, help="take only so much of the corpus")
    parser.add_argument("--decon-mb", type=int, default=20, help="MB of text for decontaminate")
    parser.add_argument("--python3.12", dest="python", default="python3.12", metavar="PATH")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    return parser


# --- the four parts -------------------------------------------------------------------------------


def beside_decoding(files: Sequence[Path], benchmarks: Path, runs: int) -> None:
    """Print (a)."""
    names = [str(file) for file in files]
    scan(benchmarks, names[:1])  # compiles what is not compiled yet
    before = statistics.median(scan(benchmarks, []).cpu_s for _ in range(3))

    def measured() -> tuple[float, float]:
        told = scan(benchmarks, names).told
        return told["scan_cpu_s"], told["scanning_s"]

    call("decode", *names)  # the files are in memory from here on
    pairs_beside_decoding("a. Scan", "scan", names, measured, runs, aim=2.0)
    print(f"imports and index: {before:.2f} CPU s\n")


def pairs_beside_decoding(
    title: str,
    what: str,
    names: Sequence[str],
    measured: Callable[[], tuple[float, float]],
    runs: int,
    aim: float,
) -> None:
    """Print CPU and wall seconds of a thing against those of decoding the same files, in pairs."""
    rows, ratios = [], []
    for number in range(1, runs + 1):
        decode, (full_cpu_s, full_wall_s) = call("decode", *names).told, measured()
        cpu_s, wall_s = (decode["cpu_s"], full_cpu_s), (decode["wall_s"], full_wall_s)
        ratios.append((cpu_s[1] / cpu_s[0], wall_s[1] / wall_s[0]))
        rates = [f"{decode['bytes'] / 1e6 / seconds:.0f}" for seconds in cpu_s]
        cells = [f"{x:.2f}" for x in (*cpu_s, ratios[-1][0], *wall_s, ratios[-1][1])]
        rows.append((number, *cells, *rates))
    size = decode["bytes"] / 1e6
    print(f"## {title} against bare decoding: {size:.0f} MB of text, one thread\n")
    header = (
        "run", "decode CPU s", f"{what} CPU s", "ratio", "decode wall s", f"{what} wall s", "ratio",
        "decode MB/s", f"{what} MB/s",
    )  # fmt: skip
    print(table(rows, header))
    cpu, wall = (statistics.median(pair[k] for pair in ratios) for k in (0, 1))
    print(
        f"\nmedian ratio: CPU {cpu:.2f}, wall {wall:.2f} (aim: <= {aim}); MB of text per CPU second\n"
    )


def beside_decon(files: Sequence[Path], benchmarks: Path, options: argparse.Namespace) -> None:
    """Print (b)."""
    python = decon_python(options.cache, options.python)
    with tempfile.TemporaryDirectory(dir=options.cache) as name:
        folder = Path(name)
        for part in ("training", "tiny", "evals"):
            (folder / part).mkdir()
        texts = list(_texts(files, options.decon_mb * 1_000_000))
        size = sum(len(text.encode()) for text in texts) / 1e6
        write_documents(folder / "training" / "documents.jsonl", texts)
        write_documents(folder / "tiny" / "documents.jsonl", ["Nothing is to be found here."])
        records = write_decon_items(benchmarks, folder / "evals" / "items.jsonl")
        scan(benchmarks, [str(folder / "training")])  # compiles what is not compiled yet
        ours = [
            scan(benchmarks, [str(folder / part)], batch_bytes=SMALL_BATCH_BYTES)
            for part in ("tiny", "training")
        ]
        theirs = [
            run([str(python), "-c", DECON, *_decon_folders(folder, part)])
            for part in ("tiny", "training")
        ]
    index_s, detection_s = decon_stages(theirs[1].said)
    scan_s = ours[1].told["scan_cpu_s"]
    rows = [
        ("index, with imports", f"{ours[0].cpu_s:.2f}", f"{theirs[0].cpu_s:.2f}", f"{index_s:.2f}",
         f"{theirs[0].cpu_s / ours[0].cpu_s:.1f}"),
        ("scanning", f"{scan_s:.2f}", f"{theirs[1].cpu_s - theirs[0].cpu_s:.2f}",
         f"{detection_s:.2f}", f"{detection_s / scan_s:.1f}"),
        ("MB/s scanning", f"{size / scan_s:.0f}", "", f"{size / detection_s:.1f}", ""),
    ]  # fmt: skip
    print(f"## b. Beside `decontaminate`: {size:.1f} MB of text as JSON Lines, {records} records\n")
    header = (
        "", "Sluicegate CPU s", "decontaminate CPU s", "decontaminate's own seconds", "ratio",
    )  # fmt: skip
    print(table(rows, header) + "\n\naim: ratios >= 25\n")


def decon_stages(said: str) -> tuple[float, float]:
    """Return the seconds of index building and of detection that decontaminate printed.

    Raises:
        CacheError: where it printed none.
    """
    times = re.findall(r"(?:Index building|Detection) time\s+([\d.]+)(s|m)", said)
    if len(times) != 2:
        raise CacheError(f"decontaminate printed no times: {said[-300:]}")
    index_s, detection_s = (float(value) * (60 if unit == "m" else 1) for value, unit in times)
    return index_s, detection_s


def two_jobs(files: Sequence[Path], benchmarks: Path, runs: int) -> None:
    """Print (c)."""
    names = [str(file) for file in files]
    rows, ratios = [], []
    for number in range(1, runs + 1):
        one, two = (scan(benchmarks, names, jobs=jobs).told["scanning_s"] for jobs in (1, 2))
        ratios.append(one / two)
        rows.append((number, f"{one:.2f}", f"{two:.2f}", f"{ratios[-1]:.2f}"))
    print("## c. Two jobs against one\n")
    print(table(rows, ("run", "wall s, 1 job", "wall s, 2 jobs", "ratio")))
    print(f"\nmedian ratio: {statistics.median(ratios):.2f} (aim: >= 1.8)\n")


def memory(files: Sequence[Path], benchmarks: Path, cache: Path) -> None:
    """Print (d)."""
    first = ("one document", f"{scan(benchmarks, []).peak_bytes / 1e6:.0f}")
    memory_by_size(files, cache, lambda folder: scan(benchmarks, [folder]).peak_bytes, first)


def memory_by_size(
    files: Sequence[Path],
    cache: Path,
    peak_bytes: Callable[[str], int],
    *first: tuple[str, str],
) -> None:
    """Print peak memory for folders with MEMORY_SIZES of text, below the `first` rows."""
    rows = list(first)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        part = Path(name) / "part.parquet"
        text = _cut(files[0], part, MEMORY_SIZES[0])
        for size in MEMORY_SIZES:
            folder = Path(name) / f"{size}"
            folder.mkdir()
            copies = max(1, round(size / text))
            for number in range(copies):
                os.link(part, folder / f"{number:05}.parquet")
            peak = peak_bytes(str(folder))
            rows.append((f"{copies * text / 1e6:.0f} MB of text", f"{peak / 1e6:.0f}"))
    print("## d. Peak memory, one job\n")
    print(table(rows, ("input", "peak MB")) + "\n")


# --- processes ------------------------------------------------------------------------------------


def scan(
    benchmarks: Path,
    corpus_files: Sequence[str],
    *,
    jobs: int = 1,
    batch_bytes: int = BATCH_BYTES,
) -> Usage:
    """Scan in a process of its own; no files: one short document."""
    return call("scan", str(benchmarks), str(jobs), str(batch_bytes), *corpus_files)


def call(worker: str, *arguments: str) -> Usage:
    """Run a worker of this file in a process of its own."""
    return run([sys.executable, __file__, "--worker", worker, *arguments])


def run(command: Sequence[str]) -> Usage:
    """Run a command; its last line of output is JSON, or nothing of interest.

    Raises:
        CacheError: where it fails, with the end of what it said.
    """
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode("utf-8", "replace")
    lines = said.splitlines()
    if process.returncode:
        raise CacheError(f"{command[0]} ended with {process.returncode}: {lines[-3:]}")
    told = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Usage(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss * 1024, told, said)


def work_decode(*files: str) -> dict[str, Any]:
    """Decode the text column of Parquet files on this thread."""
    size = 0
    cpu, wall = time.process_time(), time.perf_counter()
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(columns=["text"], use_threads=False):
                size += batch.column(0).nbytes
    return {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "bytes": size,
    }


def work_scan(benchmarks: str, jobs: str, batch_bytes: str, *files: str) -> dict[str, Any]:
    """Scan files; without any, one short document.

    `scan_cpu_s` is what the whole of the text costs at the rate between the first and the last report.
    """
    reports: list[tuple[float, int]] = []

    def note(progress: Any) -> None:
        if progress.stage == "scanning":
            reports.append((time.process_time(), progress.bytes))

    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder) / "one.jsonl"
        write_documents(one, ["Nothing is to be found here."])
        result = sluicegate.scan(
            list(files) or one,
            benchmarks,
            jobs=int(jobs),
            batch_bytes=int(batch_bytes),
            calibration="off",
            progress=note,
        )
    (first_s, first_bytes), (last_s, last_bytes) = reports[0], reports[-1]
    share = (last_bytes - first_bytes) / max(1, last_bytes)
    return {
        **result.run["timings"],
        "scan_cpu_s": (last_s - first_s) / share if share else None,
        "findings": len(result.findings),
    }


WORKERS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "decode": work_decode,
    "scan": work_scan,
}


# --- the corpus and the other tool ----------------------------------------------------------------


def corpus(cache: Path, text_mb: int | None) -> list[Path]:
    """Return the Parquet files of the corpus, built once; `text_mb` cuts it short.

    Raises:
        CacheError: where a package cannot be downloaded.
    """
    limit = None if text_mb is None else text_mb * 1_000_000
    folder = cache / ("corpus" if text_mb is None else f"corpus-{text_mb}")
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _write_corpus(_source_files(cache), part, limit)
        part.rename(folder)
    return sorted(folder.glob("*.parquet"))


def _write_corpus(
    documents: Iterator[tuple[str, str, str]], folder: Path, limit: int | None
) -> None:
    """Write files of 256 MiB of text, in row groups of 16 MiB."""
    rows: list[tuple[str, str, str]] = []
    writer: pq.ParquetWriter | None = None
    size = group = in_file = number = 0
    for row in documents:
        rows.append(row)
        group += len(row[1])
        size += len(row[1])
        if group >= ROW_GROUP_TEXT_BYTES:
            if writer is None:
                writer = _writer(folder / f"{number:05}.parquet")
            writer.write_table(_as_table(rows))
            in_file, group, rows = in_file + group, 0, []
            if in_file >= FILE_TEXT_BYTES:
                writer.close()
                writer, in_file, number = None, 0, number + 1
        if limit is not None and size >= limit:
            break
    if rows:
        writer = writer or _writer(folder / f"{number:05}.parquet")
        writer.write_table(_as_table(rows))
    if writer is not None:
        writer.close()


def _writer(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["domain"])


def _as_table(rows: Sequence[tuple[str, str, str]]) -> pa.Table:
    return pa.table(
        [pa.array(column, pa.string()) for column in zip(*rows, strict=True)], schema=SCHEMA
    )


def _source_files(cache: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (path, text, package) of every UTF-8 file in the packages' source archives."""
    for package in PACKAGES:
        with subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", _package_file(cache, package)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it complains when the corpus is cut short
        ) as unpacked:
            assert unpacked.stdout is not None
            with tarfile.open(fileobj=unpacked.stdout, mode="r|") as outer:
                for member in outer:
                    if member.isfile() and member.name.endswith(".tar.xz"):
                        yield from _members(outer.extractfile(member), package)


def _members(archive: IO[bytes] | None, package: str) -> Iterator[tuple[str, str, str]]:
    with tarfile.open(fileobj=archive, mode="r|xz") as inner:
        for member in inner:
            if not member.isfile() or not member.size:
                continue
            file = inner.extractfile(member)
            assert file is not None
            try:
                yield member.name, file.read().decode("utf-8"), package
            except UnicodeDecodeError:
                continue


def _package_file(cache: Path, package: str) -> Path:
    """Return a downloaded package, downloading it where there is none."""
    folder = cache / "deb"
    folder.mkdir(exist_ok=True)
    if not list(folder.glob(f"{package}_*.deb")):
        if shutil.which("apt-get") is None:
            raise CacheError(f"no apt-get to download {package} with; put its .deb into {folder}")
        done = subprocess.run(
            ["apt-get", "download", package],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CacheError(f"apt-get download {package}: {done.stderr.strip()}; apt-get update?")
    return sorted(folder.glob(f"{package}_*.deb"))[-1]


def _texts(files: Sequence[Path], n_bytes: int) -> Iterator[str]:
    """Yield documents from eight evenly spread row groups, n_bytes / 8 of each where it has them."""
    groups = [(file, g) for file in files for g in range(pq.ParquetFile(file).num_row_groups)]
    chosen = groups[:: max(1, len(groups) // 8)][:8]
    for file, group in chosen:
        size = 0
        for text in pq.ParquetFile(file).read_row_group(group, ["text"])["text"].to_pylist():
            if size >= n_bytes // len(chosen):
                break
            yield text
            size += len(text.encode())


def _cut(file: Path, out: Path, n_bytes: int) -> int:
    """Write the first row groups with at least so many bytes of text; return how many they have."""
    size = 0
    with pq.ParquetFile(file) as source, _writer(out) as writer:
        for group in range(source.num_row_groups):
            rows = source.read_row_group(group)
            size += rows["text"].nbytes
            writer.write_table(rows)
            if size >= n_bytes:
                break
    return size


def write_decon_items(benchmarks: Path, out: Path) -> int:
    """Write all items in the layout of decon's reference sets; return how many records.

    As in its own sets every choice of a multiple-choice item is a record: both tools then look for
    the same words.
    """
    number = 0
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for path in sorted(benchmarks.rglob("*.jsonl.zst")):
            for index, record in enumerate(read_records(path)):
                for sub, answer in enumerate(record.get("choices") or [record["answer"] or ""]):
                    item = {
                        "doc_id": number,
                        "eval_key": path.name.removesuffix(".jsonl.zst"),
                        "eval_instance_index": index,
                        "sub_index": sub,
                        "split": "test",
                        "question": record["question"] or "",
                        "answer": answer,
                        "passage": record.get("passage") or "",
                        "fingerprint": f"{number:016x}",
                        "is_correct": answer == record["answer"],
                    }
                    file.write(json.dumps(item) + "\n")
                    number += 1
    return number


def _decon_folders(folder: Path, part: str) -> list[str]:
    return [str(folder / part), str(folder / "evals"), str(folder / f"report-{part}")]


def decon_python(cache: Path, python: str) -> Path:
    """Return the interpreter of an environment with `decontaminate`, built once.

    Raises:
        CacheError: where there is no Python 3.12 or the package cannot be installed.
    """
    venv = cache / "decon-venv"
    executable = venv / "bin" / "python"
    if not executable.exists():
        if shutil.which(python) is None:
            raise CacheError(f"{python} is not there; name a Python >= 3.12 with --python3.12")
        run([python, "-m", "venv", str(venv)])
        run([str(executable), "-m", "pip", "install", "--quiet", "decontaminate==0.3.0.post4"])
    return executable


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CacheError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
