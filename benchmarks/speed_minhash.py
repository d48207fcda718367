"""How fast texts become MinHash signatures beside other packages, and what the MinHash scanner costs.

    python benchmarks/speed_minhash.py [--data DIR] [--cache DIR] [--parts a b c] [--rounds 7]
                                       [--text-mb 4] [--scan-mb 20]

a  Text to 128-permutation signatures, one a text, shingling included: ours from Arrow buffers, `rensa` and
   `datasketch` from the same texts as Python strings (peer_minhash.py says in which ways; the packages
   are installed in --cache). Character 5-grams and word 5-grams; real documents of 15 domains, and
   source code. All processes are bound to one core and take turns, way by way, round by round; what is
   printed is the median of CPU seconds (user and system).
b  Whether the signatures are right: ours equal datasketch's bit for bit, and the error of all three
   against exact Jaccard similarities is that of the theory.
c  What `--scanners ngram,minhash` costs beside `ngram`, on both corpora.

rensa's signatures are of another kind (Fast Similarity Sketching: a shingle changes few of the 128
numbers), ours and datasketch's are of 128 permutations each.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import MinHash
from harness import (
    MissingDataError,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    machine,
    read_records,
    table,
)
from speed_scan import CacheError, corpus, run

import sluicegate
from corpora.normal_form import word_hashes
from indexes.document_signatures import sign_documents, word_shingles
from indexes.minhash import N_PERMUTATIONS
from indexes.shingle_signatures import shingle_signatures
from indexes.shingles import characters, shingle_hash
from pipelines.shard_step import text_buffers

PEERS: Final = ("rensa==0.5.0", "datasketch==2.0.0", "pyarrow")
CORE: Final = max(os.sched_getaffinity(0))
LONGEST_CHARS: Final = 200_000  # of a text that is signed
LEAST_CPU_S: Final = 0.25  # of our own way in a round: it is repeated
CHECKED: Final = 200  # texts that are signed by datasketch with our hashes
PAIRS: Final = 400  # of texts that are more or less alike
PAIR_WORDS: Final = 400
FEW: Final = ("gsm8k_test", "mmlu_test", "humaneval")
SCHEMA: Final = pa.schema([("text", pa.large_string())])
Signing = Callable[[np.ndarray, np.ndarray], np.ndarray]
OURS: Final[dict[str, Signing]] = {
    "char": shingle_signatures,
    "word": lambda data, bounds: sign_documents(data, bounds).signatures,
}
SHINGLES: Final = {"char": "character 5-grams", "word": "word 5-grams"}
PACKAGES: Final = ("rensa", "datasketch")
AIMS: Final = {"rensa": 8, "datasketch": 40}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts to be signed, and files to be scanned."""

    name: str
    texts: list[str]

    @property
    def megabytes(self) -> float:
        """The size of the texts in UTF-8."""
        return sum(len(text.encode()) for text in self.texts) / 1e6


def main() -> int:
    """Run the parts that are asked for."""
    options = _parser().parse_args()
    if options.worker:
        return work(*options.worker)
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    options.cache.mkdir(parents=True, exist_ok=True)
    print(f"{machine()}; core {CORE}; load before: {os.getloadavg()[0]:.1f}\n")
    if "a" in options.parts:
        python = peer_python(options.cache)
        for one in corpora(data, options.cache, options.text_mb):
            beside_peers(one, python, options.rounds)
    if "b" in options.parts:
        check_signatures(corpora(data, options.cache, options.text_mb), peer_python(options.cache))
    if "c" in options.parts:
        for one in corpora(data, options.cache, options.scan_mb):
            cost_of_scanning(one, data, options.rounds)
    print(f"load after: {os.getloadavg()[0]:.1f}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "sluicegate-bench")
    parser.add_argument("--parts", nargs="+", default=list("abc"), choices=list("abc"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text-mb", type=int, default=4, help="MB of each corpus that are signed")
    parser.add_argument(
        "--scan-mb", type=int, default=20, help="MB of each corpus that are scanned"
    )
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    return parser


# --- (a) beside the peers -------------------------------------------------------------------------


class Worker:
    """A process on the core that answers lines with lines of JSON."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(
            ["taskset", "-c", str(CORE), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, line: str) -> dict[str, Any]:
        """Return the answer to a line.

        Raises:
            CacheError: where the process ended instead.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise CacheError(f"{self.process.args!r} ended with {self.process.wait()}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def close(self) -> None:
        """Let the process end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def beside_peers(one: Corpus, python: Path, rounds: int) -> None:
    """Print (a) for one corpus."""
    sizes = sorted(len(text) for text in one.texts)
    print(
        f"## a. {one.name}: {len(one.texts)} texts, {one.megabytes:.1f} MB, "
        f"median {sizes[len(sizes) // 2]} characters\n"
    )
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "texts.arrow"
        write_texts(file, one.texts)
        ours = Worker(sys.executable, __file__, "--worker", "sign", str(file))
        theirs = Worker(str(python), str(Path(__file__).with_name("peer_minhash.py")), str(file))
        ways = {f"{kind} ours": ours for kind in OURS} | dict.fromkeys(peer_ways(), theirs)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(rounds + 1):
            for way, worker in ways.items():
                cpu_s = worker.ask(way)["cpu_s"]
                if number:  # the first round warms up
                    taken[way].append(cpu_s)
        ours.close()
        theirs.close()
    for kind, what in SHINGLES.items():
        mine = taken[f"{kind} ours"]
        rows = []
        for way in (way for way in ways if way.startswith(kind)):
            ratios = [theirs / own for theirs, own in zip(taken[way], mine, strict=True)]
            rate = one.megabytes / statistics.median(taken[way])
            spread = f"{one.megabytes / max(taken[way]):.1f}-{one.megabytes / min(taken[way]):.1f}"
            rows.append(
                (
                    way.removeprefix(f"{kind} "),
                    f"{rate:.1f}",
                    spread,
                    f"{statistics.median(ratios):.1f}",
                )
            )
        print(f"### {what}\n")
        print(table(rows, ("way", "MB/s", "slowest-fastest", "times as slow as ours")) + "\n")
    aims = ", ".join(f"{package} {aim}" for package, aim in AIMS.items())
    print(f"aims of the issue: at least {aims}\n")


def peer_ways() -> list[str]:
    """Return the names of the ways of peer_minhash.py, in its order."""
    text = Path(__file__).with_name("peer_minhash.py").read_text(encoding="utf-8")
    return [
        line.split('"')[1]
        for line in text.splitlines()
        if line.startswith(tuple(f'    "{kind} ' for kind in OURS))
    ]


def work(what: str, *arguments: str) -> int:
    """Do what a process of its own does."""
    if what == "scan":
        print(json.dumps(work_scan(*arguments)))
        return 0
    with pa.memory_map(arguments[0]) as source:
        texts = pa.ipc.open_file(source).read_all()["text"].combine_chunks()
        data, bounds = text_buffers(texts)
        for line in sys.stdin:
            name, _, file = line.strip().partition("\t")
            sign = OURS[name.split()[0]]
            sign(data, bounds[:2])  # compiled from here on
            times = 0
            started = time.process_time()
            while (taken := time.process_time() - started) < LEAST_CPU_S or not times:
                found = sign(data, bounds)
                times += 1
            if file:
                np.save(file, (found[::2] == found[1::2]).mean(axis=1))
            print(json.dumps({"cpu_s": taken / times}), flush=True)
    return 0


# --- (b) whether they are right -------------------------------------------------------------------


def check_signatures(each: Sequence[Corpus], python: Path) -> None:
    """Print (b)."""
    print("## b. Are they right?\n")
    texts = [text for one in each for text in one.texts[: CHECKED // len(each)]]
    buffers = text_buffers(pa.array(texts, pa.large_string()))
    for kind, hashes in HASHES.items():
        theirs = np.array([_sketched(hashes(text)) for text in texts], np.uint32)
        equal = int((OURS[kind](*buffers) == theirs).all(axis=1).sum())
        print(
            f"{SHINGLES[kind]} of {len(texts)} texts, datasketch given our shingle hashes: {equal} "
            "signatures equal bit for bit"
        )
    pairs = alike()
    exact = np.array([jaccard(*pair) for pair in pairs])
    rows = []
    with tempfile.TemporaryDirectory() as name:
        file, out = Path(name) / "texts.arrow", Path(name) / "found.npy"
        write_texts(file, [text for pair in pairs for text in pair])
        workers = {
            "char ours": Worker(sys.executable, __file__, "--worker", "sign", str(file)),
            "char rensa strings": (
                peer := Worker(
                    str(python), str(Path(__file__).with_name("peer_minhash.py")), str(file)
                )
            ),
            "char datasketch set": peer,
        }
        for way, worker in workers.items():
            worker.ask(f"{way}\t{out}")
            rows.append((way.split()[1], *errors(np.load(out), exact)))
        for worker in set(workers.values()):
            worker.close()
    print(
        f"\n{len(pairs)} pairs of random texts that share 5 to 95 % of their words, exact Jaccard similarities of "
        f"character 5-grams\nfrom {exact.min():.2f} to {exact.max():.2f}. Errors in units of the theory's "
        "standard deviation, sqrt(J (1 - J) / 128):\n"
    )
    print(table(rows, ("package", "mean error", "root mean square", "largest")) + "\n")
    print(
        f"By the theory: mean 0 +- {1 / math.sqrt(len(pairs)):.2f}, root mean square 1 +- {1 / math.sqrt(2 * len(pairs)):.2f}.\n"
    )


def char_hashes(text: str) -> list[int]:
    """Return the hashes of the character 5-grams of a text, by their definition."""
    return [shingle_hash(shingle) for shingle in char_set(text)]


def word_hashes_of(text: str) -> list[int]:
    """Return the hashes of the word 5-grams of a text."""
    hashes: list[int] = word_shingles(word_hashes(text)).tolist()
    return hashes


HASHES: Final[dict[str, Callable[[str], list[int]]]] = {"char": char_hashes, "word": word_hashes_of}


def _sketched(hashes: list[int]) -> np.ndarray:
    minhash = MinHash(num_perm=N_PERMUTATIONS, hashfunc=int)
    minhash.update_batch(hashes)
    return np.asarray(minhash.hashvalues)


def char_set(text: str) -> set[bytes]:
    """Return the different character 5-grams of a text."""
    letters = "".join(map(chr, characters(text).tolist()))
    return {letters[at : at + 5].encode() for at in range(len(letters) - 4)}


def jaccard(one: str, other: str) -> float:
    """Return the exact similarity of two texts by character 5-grams."""
    ours, theirs = char_set(one), char_set(other)
    return len(ours & theirs) / max(1, len(ours | theirs))


def alike() -> list[tuple[str, str]]:
    """Return pairs of texts of random words that begin alike, the more so the later they come.

    No two pairs share a word, so that their errors are independent.
    """
    random = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))

    def words(n: int) -> list[str]:
        return ["".join(random.choice(letters, size)) for size in random.integers(3, 10, n)]

    pairs = []
    for share in np.linspace(0.05, 0.95, PAIRS).tolist():
        same = words(round(share * PAIR_WORDS))
        rest = PAIR_WORDS - len(same)
        pairs.append((" ".join(same + words(rest)), " ".join(same + words(rest))))
    return pairs


def errors(found: np.ndarray, exact: np.ndarray) -> tuple[str, ...]:
    """Return the mean, the root mean square and the largest error, in standard deviations."""
    z = (found - exact) / np.sqrt(exact * (1 - exact) / N_PERMUTATIONS)
    return f"{z.mean():+.2f}", f"{np.sqrt((z**2).mean()):.2f}", f"{np.abs(z).max():.1f}"


# --- (c) the scan ---------------------------------------------------------------------------------


def cost_of_scanning(one: Corpus, data: Path, rounds: int) -> None:
    """Print (c) for one corpus."""
    print(f"## c. {one.name}: scanning {one.megabytes:.1f} MB on one core\n")
    sets = {
        "GSM8K, MMLU, HumanEval": [str(benchmark_file(data, name)) for name in FEW],
        "all benchmarks": [str(data / "benchmarks")],
    }
    rows = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "texts.parquet"
        pq.write_table(pa.table([pa.array(one.texts, pa.large_string())], schema=SCHEMA), file)
        for label, benchmarks in sets.items():
            taken: dict[str, list[float]] = {"ngram": [], "ngram,minhash": []}
            for _ in range(max(1, rounds // 2)):
                for scanners, seconds in taken.items():
                    seconds.append(scan_cpu_s(scanners, str(file), benchmarks))
            alone, both = (statistics.median(seconds) for seconds in taken.values())
            rates = (f"{one.megabytes / seconds:.1f}" for seconds in (alone, both, both - alone))
            rows.append((label, *rates, f"{both / alone:.1f}"))
    header = ("sought", "ngram MB/s", "ngram,minhash MB/s", "minhash alone MB/s", "times the CPU")
    print(table(rows, header) + "\n")


def scan_cpu_s(scanners: str, file: str, benchmarks: Sequence[str]) -> float:
    """Return the CPU seconds of scanning a file, in a process of its own."""
    command = [sys.executable, __file__, "--worker", "scan", scanners, file, *benchmarks]
    return float(run(["taskset", "-c", str(CORE), *command]).told["scan_cpu_s"])


def work_scan(scanners: str, file: str, *benchmarks: str) -> dict[str, Any]:
    """Scan a file; the CPU seconds are those between the first and the last report of scanning."""
    reports: list[tuple[float, int]] = []

    def note(progress: Any) -> None:
        if progress.stage == "scanning":
            reports.append((time.process_time(), progress.bytes))

    sluicegate.scan(
        [file],
        list(benchmarks),
        scanners=tuple(scanners.split(",")),
        jobs=1,
        batch_bytes=1 << 20,
        calibration="off",
        progress=note,
    )
    (first_s, first_bytes), (last_s, last_bytes) = reports[0], reports[-1]
    share = (last_bytes - first_bytes) / max(1, last_bytes)
    return {"scan_cpu_s": (last_s - first_s) / share}


# --- texts and peers ------------------------------------------------------------------------------


def corpora(data: Path, cache: Path, megabytes: int) -> list[Corpus]:
    """Return texts of the 15 domains in equal parts, and of source code."""
    folder = data / "corpora" / "mix" / "v1"
    shards = sorted(folder.glob("*-00000.*"))
    mixed = [
        text
        for shard in shards
        for text in _first(_shard_texts(shard), megabytes * 1e6 / len(shards))
    ]
    files = corpus(cache, None)[:8]
    sources = [
        text for file in files for text in _first(_shard_texts(file), megabytes * 1e6 / len(files))
    ]
    return [Corpus("15 domains", mixed), Corpus("source code", sources)]


def _shard_texts(shard: Path) -> list[str]:
    """Return the texts of a shard; of a large one those of its first row group."""
    if shard.suffix == ".parquet":
        texts: list[str] = pq.ParquetFile(shard).read_row_group(0, ["text"])["text"].to_pylist()
        return texts
    return [record["text"] for record in read_records(shard)]


def _first(texts: Sequence[str], n_bytes: float) -> list[str]:
    """Return the first texts of not too many characters with so many bytes."""
    chosen: list[str] = []
    size = 0
    for text in texts:
        if size < n_bytes and len(text) <= LONGEST_CHARS:
            chosen.append(text)
            size += len(text.encode())
    return chosen


def write_texts(file: Path, texts: Sequence[str]) -> None:
    """Write texts as an Arrow file of one batch."""
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(pa.record_batch([pa.array(texts, pa.large_string())], schema=SCHEMA))


def peer_python(cache: Path) -> Path:
    """Return the interpreter of an environment with the packages, built once.

    Raises:
        CacheError: where they cannot be installed.
    """
    venv = cache / "minhash-venv"
    executable = venv / "bin" / "python"
    if not executable.exists():
        run([sys.executable, "-m", "venv", str(venv)])
        run([str(executable), "-m", "pip", "install", "--quiet", *PEERS])
    return executable


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except CacheError as problem:
        print(problem, file=sys.stderr)
        raise SystemExit(2) from problem
