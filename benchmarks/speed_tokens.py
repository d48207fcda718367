"""How fast exact token counts are beside the `tokenizers` library, on one core, and whether they are equal.

    python benchmarks/speed_tokens.py [--data DIR] [--parts a b] [--rounds 3] [--text-mb 4]
                                      [--tokenizers FILE...]

a  Text of one kind after another. In each round a new counter meets the text for the first time, then the
   same counter meets it again (what a corpus of many shards comes near to), and the library's
   `encode_batch_fast` encodes the same texts.
b  The whole of version 2 of the mix, once, one counter for all shards as `sluicegate drift` has on one
   thread; the library takes turns with it, shard by shard.

Ours reads Arrow buffers in batches of 8 MB and compares excerpts of each batch with the library: both are
in its time. The library gets lists of Python strings that are ready, a megabyte at a time, and nobody asks
for its ids while the clock runs. Both are in one process bound to one core, the library's own threads are
off, and what is taken is CPU seconds (user and system). All ids are compared, document by document; the
counts of every token follow from that, and are compared too. MB are a million bytes of UTF-8.
"""

from __future__ import annotations

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # read when the library first encodes
os.environ["RAYON_NUM_THREADS"] = "1"

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from harness import (
    MissingDataError,
    argument_parser,
    check_data,
    exit_without_data,
    machine,
    table,
)

from corpora.documents import BATCH_BYTES, read_batches
from corpora.problems import ReadLog
from corpora.shards import Columns, resolve
from corpora.token_counter import TokenCounter
from corpora.tokenizer import Tokenizer, load_tokenizer
from pipelines.shard_step import text_buffers

CORE: Final = max(os.sched_getaffinity(0))
AIM: Final = 10
PEER_BYTES: Final = 1_000_000  # of text that the library gets at a time: its results are large
KINDS: Final = {
    "English prose": ("books", "news", "speech", "encyclopedic"),
    "instructions": ("instruct",),
    "technical documents": ("docs_tech", "specs"),
    "law and medicine": ("legal", "medical"),
    "mathematics": ("math_latex", "math_formal"),
    "code": ("code_c", "code_python"),
    "many languages": ("multilingual",),
}
EAST_ASIAN: Final = "Chinese, Japanese, Korean"
EAST_ASIAN_SHARE: Final = 0.2  # of the characters of a document


class UnequalError(AssertionError):
    """Ours and the library's ids differ."""


@dataclass(slots=True)
class Times:
    """CPU seconds of ours and of the library for the same text."""

    text_bytes: int = 0
    n_tokens: int = 0
    new_s: list[float] = field(default_factory=list)
    again_s: list[float] = field(default_factory=list)
    library_s: list[float] = field(default_factory=list)

    def ratios(self, ours: Sequence[float]) -> list[float]:
        """Return how many times as long the library took, round by round."""
        return [theirs / own for theirs, own in zip(self.library_s, ours, strict=True)]

    def rate(self, seconds: Sequence[float]) -> str:
        """Return the median speed in MB/s."""
        return f"{self.text_bytes / 1e6 / statistics.median(seconds):.1f}"


def main() -> int:
    """Run the parts that are asked for."""
    options = _parser().parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    os.sched_setaffinity(0, {CORE})
    print(f"{machine()}; core {CORE}; load before: {os.getloadavg()[0]:.1f}\n")
    files = options.tokenizers or sorted((data / "tokenizers").glob("*.json"))
    for file in files:
        started = time.process_time()
        tokenizer = load_tokenizer(file)
        cut = TokenCounter(tokenizer).cut
        loading_s = time.process_time() - started
        print(f"# {Path(file).name}: cut into {cut.name.lower()}, {loading_s:.1f} s to load\n")
        _compile(tokenizer)
        if "a" in options.parts:
            kind_by_kind(tokenizer, data, options.rounds, int(options.text_mb * 1e6))
        if "b" in options.parts:
            whole_mix(tokenizer, data)
    print(f"load after: {os.getloadavg()[0]:.1f}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argument_parser(__doc__)
    parser.add_argument("--parts", nargs="+", default=list("ab"), choices=list("ab"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text-mb", type=float, default=4, help="MB of each kind of text")
    parser.add_argument("--tokenizers", nargs="+", metavar="FILE", help="tokenizer.json files")
    return parser


def _compile(tokenizer: Tokenizer) -> None:
    """Let everything be compiled, with a counter that is thrown away: also what grows its cache."""
    counter = TokenCounter(tokenizer)
    for texts in (["once"], ["e\u0301"], [" ".join(f"word{n:x}" for n in range(30_000))]):
        counter.tokens(*text_buffers(pa.array(texts, pa.large_string())))


# --- (a) kind by kind -----------------------------------------------------------------------------


def kind_by_kind(tokenizer: Tokenizer, data: Path, rounds: int, text_bytes: int) -> None:
    """Print (a) for one tokenizer."""
    rows = []
    for name, texts in kinds_of_text(data, text_bytes):
        times = Times()
        for _ in range(rounds):
            counter = TokenCounter(tokenizer)
            for seconds in (times.new_s, times.again_s):
                seconds.append(sum(_ours(counter, batch)[0] for batch in _in_batches(texts)))
            library_s, encodings = _library(tokenizer, texts.to_pylist())
            times.library_s.append(library_s)
        ids = [_ours(counter, batch)[1] for batch in _in_batches(texts)]
        check_equal(name, ids, encodings)
        times.text_bytes = text_buffers(texts)[1][-1] - text_buffers(texts)[1][0]
        new, again = times.ratios(times.new_s), times.ratios(times.again_s)
        rows.append(
            (
                name,
                f"{times.text_bytes / 1e6:.1f}",
                times.rate(times.library_s),
                times.rate(times.new_s),
                times.rate(times.again_s),
                f"{statistics.median(new):.1f}",
                f"{min(new):.1f}-{max(new):.1f}",
                f"{statistics.median(again):.1f}",
            )
        )
    header = ("text", "MB", "library MB/s", "ours, new", "ours, again", "times, new", "range", "times, again")  # fmt: skip
    print(f"## a. Text new to the counter, and met again; the aim is {AIM} times\n")
    print(table(rows, header) + "\n")
    print("The ids of all documents are equal to the library's.\n")


def kinds_of_text(data: Path, text_bytes: int) -> Iterator[tuple[str, pa.LargeStringArray]]:
    """Yield kinds of text by name, each about so many bytes in equal parts from its shards."""
    folder = data / "corpora" / "mix" / "v2"
    for name, sources in KINDS.items():
        shards = [next(iter(sorted(folder.glob(f"{source}-*")))) for source in sources]
        texts = [text for shard in shards for text in _first(shard, text_bytes // len(shards))]
        yield name, pa.array(texts, pa.large_string())
    shards = sorted(folder.glob("multilingual-*"))
    texts = [text for shard in shards for text in _first(shard, text_bytes, _is_east_asian)]
    yield EAST_ASIAN, pa.array(texts, pa.large_string())


def _first(shard: Path, text_bytes: int, wanted: Any = None) -> list[str]:
    """Return the first texts of a shard (those that are wanted) with so many bytes."""
    chosen: list[str] = []
    size = 0
    for batch in _batches(shard):
        for text in batch.to_pylist():
            if size >= text_bytes:
                return chosen
            if wanted is None or wanted(text):
                chosen.append(text)
                size += len(text.encode())
    return chosen


def _is_east_asian(text: str) -> bool:
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    is_one = (points >= 0x3040) & (points <= 0x9FFF) | (points >= 0xAC00) & (points <= 0xD7A3)
    return len(points) > 0 and bool(is_one.mean() > EAST_ASIAN_SHARE)


# --- (b) the whole mix ----------------------------------------------------------------------------


def whole_mix(tokenizer: Tokenizer, data: Path) -> None:
    """Print (b) for one tokenizer."""
    counter = TokenCounter(tokenizer)
    total = Times()
    counts = np.zeros((2, tokenizer.size), np.int64)
    fell_back = 0
    for shard in sorted((data / "corpora" / "mix" / "v2").iterdir()):
        counter.begin_shard()
        ours_s = library_s = 0.0
        for texts in _batches(shard):
            seconds, ids = _ours(counter, texts)
            ours_s += seconds
            seconds, encodings = _library(tokenizer, texts.to_pylist())
            library_s += seconds
            check_equal(shard.name, [ids], encodings)
            counts[0] += np.bincount(ids[0], minlength=tokenizer.size)
            for encoding in encodings:
                counts[1] += np.bincount(encoding.ids, minlength=tokenizer.size)
            bounds = text_buffers(texts)[1]
            total.text_bytes += int(bounds[-1] - bounds[0])
            total.n_tokens += len(ids[0])
        fell_back += counter.fell_back
        total.new_s.append(ours_s)
        total.library_s.append(library_s)
    if not np.array_equal(*counts):
        raise UnequalError("the counts of tokens differ")
    ratios = total.ratios(total.new_s)
    megabytes, ours, theirs = total.text_bytes / 1e6, sum(total.new_s), sum(total.library_s)
    print(f"## b. The whole mix, version 2: {megabytes:.1f} MB, {total.n_tokens} tokens\n")
    print(
        f"library {megabytes / theirs:.2f} MB/s, ours {megabytes / ours:.1f} MB/s: "
        f"{theirs / ours:.1f} times; by shard {min(ratios):.1f} to {max(ratios):.1f}, "
        f"median {statistics.median(ratios):.1f} ({len(ratios)} shards, {fell_back} fell back)"
    )
    print("All ids of all documents, and the counts of all tokens, are equal to the library's.\n")


# --- both -----------------------------------------------------------------------------------------


def _ours(
    counter: TokenCounter, texts: pa.LargeStringArray
) -> tuple[float, tuple[np.ndarray, np.ndarray]]:
    """Return CPU seconds, and the ids and ends of the documents."""
    data, bounds = text_buffers(texts)
    started = time.process_time()
    found = counter.tokens(data, bounds)
    return time.process_time() - started, found


def _library(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[float, list[Any]]:
    """Return CPU seconds of `encode_batch_fast`, and the library's encodings."""
    taken, encodings = 0.0, []
    first = size = 0
    for last, text in enumerate(texts, 1):
        size += len(text)
        if size >= PEER_BYTES or last == len(texts):
            part = list(texts[first:last])
            started = time.process_time()
            found = tokenizer.library.encode_batch_fast(part, add_special_tokens=False)
            taken += time.process_time() - started
            encodings += found
            first, size = last, 0
    return taken, encodings


def check_equal(
    name: str, ours: Sequence[tuple[np.ndarray, np.ndarray]], encodings: Sequence[Any]
) -> None:
    """Compare the ids of all documents.

    Raises:
        UnequalError: naming the first document that differs.
    """
    rest = iter(encodings)
    for ids, ends in ours:
        for number in range(len(ends) - 1):
            if not np.array_equal(ids[ends[number] : ends[number + 1]], next(rest).ids):
                raise UnequalError(f"{name}: the ids of document {number} differ")


def _batches(shard: Path) -> Iterator[pa.LargeStringArray]:
    """Yield the texts of a shard as the product reads them."""
    for one in resolve([str(shard)], Columns()):
        for batch in read_batches(one, ReadLog(), batch_bytes=BATCH_BYTES):
            yield batch.texts


def _in_batches(texts: pa.LargeStringArray) -> Iterator[pa.LargeStringArray]:
    """Yield slices of at most so many bytes as a batch has, or of one document."""
    _, bounds = text_buffers(texts)
    first = 0
    while first < len(texts):
        last = int(np.searchsorted(bounds, bounds[first] + BATCH_BYTES, side="right")) - 1
        last = max(last, first + 1)
        yield texts.slice(first, last - first)
        first = last


if __name__ == "__main__":
    raise SystemExit(main())
