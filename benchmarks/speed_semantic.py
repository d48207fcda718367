"""How fast stage 0 of the embedding scanner is beside the ordinary way, and what it lets through.

    python benchmarks/speed_semantic.py [--data DIR] [--parts a b] [--rounds 5] [--text-mb 4]

a  Text to vectors, and to nominations against 10,000 items, in MB of text a CPU second, one thread. The
   ordinary way has the same static vectors, the `tokenizers` library (one call a batch of documents) and
   numpy: running sums, windows of 48, 72, 108 and 160 tokens at every quarter, matrix products with all
   rows. Ways take turns, round by round; what is printed is the median.
b  What stage 0 lets through: the share of the windows of real text that reach a row, domain by domain,
   and what pruning loses against exact search.

Our own vectors are those of words of the normal form; the library's tokens hold punctuation, too.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before numpy is imported; one thread, as a worker has

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq
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
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from corpora.benchmarks import read_benchmarks
from indexes.background import load_background
from indexes.embeddings.static import DATA, StaticModel, load_static
from indexes.embeddings.word_vectors import text_vectors, window_vectors
from scanners.embedding import Meant, mean_items, nominate
from scanners.patterns import build_patterns

N_ITEMS: Final = 10_000
BENCHMARKS: Final = ("gsm8k_test", "humaneval", "mmlu_test")  # of the last as many as are left
PASSAGE_WORDS: Final = 100
TOKENS: Final = (48, 72, 108, 160)  # of windows of the ordinary way
BATCH_BYTES: Final = 1 << 20
FLOOR: Final = 0.6  # of the ordinary way
EXACT_BYTES: Final = 200_000  # of a domain that are searched exactly


def main() -> int:
    """Run the parts that are asked for."""
    parser = argument_parser(__doc__)
    parser.add_argument("--parts", nargs="+", choices=["a", "b"], default=["a", "b"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--text-mb", type=float, default=4)
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    print(f"{machine()}; load before: {os.getloadavg()[0]:.1f}\n")
    model = load_static()
    meant = ten_thousand_items(data, model)
    print(
        f"{N_ITEMS:,} items: {len(meant.item):,} rows, windows of {', '.join(map(str, meant.sizes))} "
        f"words; {model.card.name}, {model.card.dimension} dimensions\n"
    )
    if "a" in options.parts:
        texts = domain_texts(data, "docs_tech", int(options.text_mb * 1e6))
        print_speed(texts, meant, model, options.rounds)
    if "b" in options.parts:
        print_passed(data, meant, model, int(options.text_mb * 1e6 / 4))
    return 0


def ten_thousand_items(data: Path, model: StaticModel) -> Meant:
    """Return what is sought of GSM8K, HumanEval and the first items of MMLU."""
    read = read_benchmarks([str(benchmark_file(data, name)) for name in BENCHMARKS])
    left = N_ITEMS - sum(len(one.items) for one in read[:-1])
    read[-1] = replace(read[-1], items=read[-1].items[:left])
    patterns = build_patterns(read, load_background())
    items = [item for one in read for item in one.items]
    return mean_items(patterns, items, load_background(), model)


def domain_texts(data: Path, domain: str, most_bytes: int) -> list[str]:
    """Return documents of a domain of the corpus, from the front."""
    texts: list[str] = []
    for path in sorted((data / "corpora" / "mix" / "v1").glob(f"{domain}-*")):
        if path.suffix == ".parquet":
            found = pq.read_table(path, columns=["text"]).column("text").to_pylist()
        else:
            found = [record["text"] for record in read_records(path)]
        for text in found:
            texts.append(text)
            most_bytes -= len(text.encode())
            if most_bytes <= 0:
                return texts
    return texts


def packed(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as the scanners take them."""
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def batches(texts: Sequence[str]) -> list[list[str]]:
    """Cut texts into batches of about `BATCH_BYTES`."""
    out: list[list[str]] = [[]]
    size = 0
    for text in texts:
        if size > BATCH_BYTES:
            out.append([])
            size = 0
        out[-1].append(text)
        size += len(text.encode())
    return out


# --- a. speed -------------------------------------------------------------------------------------


class Ordinary:
    """The same vectors by way of a tokenizer library and numpy."""

    def __init__(self, meant: Meant) -> None:
        with np.load(DATA / "static.npz", allow_pickle=False) as arrays:
            pieces = arrays["pieces"].tobytes().decode().split("\n")
            vectors = arrays["vectors"] * arrays["scales"][:, None]
        vocabulary = {piece: n for n, piece in enumerate(["[UNK]", *pieces])}
        self.vectors = np.vstack([np.zeros((1, vectors.shape[1]), np.float32), vectors])
        self.tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
        self.tokenizer.normalizer = BertNormalizer()
        self.tokenizer.pre_tokenizer = BertPreTokenizer()
        self.rows = np.ascontiguousarray(meant.vectors.T)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return a vector for each text."""
        found = self.tokenizer.encode_batch_fast(list(texts))
        return np.stack([self.vectors[one.ids].sum(axis=0) for one in found])

    def nominate(self, texts: Sequence[str]) -> int:
        """Search windows of all sizes; return how many reach a row."""
        hits = 0
        for one in self.tokenizer.encode_batch_fast(list(texts)):
            sums = np.vstack([np.zeros_like(self.vectors[:1]), self.vectors[one.ids]])
            np.cumsum(sums, axis=0, out=sums)
            windows = []
            for size in TOKENS:
                starts = np.arange(0, max(1, len(sums) - size), size // 4)
                windows.append(sums[np.minimum(starts + size, len(sums) - 1)] - sums[starts])
            stacked = np.concatenate(windows)
            stacked /= np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-9)
            hits += int((stacked @ self.rows >= FLOOR).any(axis=1).sum())
        return hits


def print_speed(texts: Sequence[str], meant: Meant, model: StaticModel, rounds: int) -> None:
    """Print megabytes a CPU second, ways taking turns."""
    passages = [
        " ".join(words[at : at + PASSAGE_WORDS])
        for words in (text.split() for text in texts)
        for at in range(0, len(words), PASSAGE_WORDS)
    ]
    of_passages = [(part, *packed(part)) for part in batches(passages)]
    of_texts = [(part, *packed(part)) for part in batches(texts)]
    ordinary = Ordinary(meant)
    some_passages, some_texts = of_passages[:1], of_texts[:1]  # the ordinary way is slow
    ways: dict[str, tuple[Callable[[], object], list[tuple[list[str], np.ndarray, np.ndarray]]]] = {
        "a vector a passage": (
            lambda: [text_vectors(data, bounds, model) for _, data, bounds in of_passages],
            of_passages,
        ),
        "a vector a passage, tokenizers + numpy": (
            lambda: [ordinary.embed(part) for part, _, _ in some_passages],
            some_passages,
        ),
        "windows nominated": (
            lambda: [nominate(data, bounds, meant, model) for _, data, bounds in of_texts],
            of_texts,
        ),
        "windows nominated, tokenizers + numpy": (
            lambda: [ordinary.nominate(part[: len(part) // 4]) for part, _, _ in some_texts],
            [(p[: len(p) // 4], *packed(p[: len(p) // 4])) for p, _, _ in some_texts],
        ),
    }
    nominate(of_texts[0][1][:100], np.array([0, 100]), meant, model)  # compiled before it is timed
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (work, parts) in ways.items():
            before = time.process_time()
            work()
            spent = time.process_time() - before
            speeds[name].append(sum(int(bounds[-1]) for _, _, bounds in parts) / spent / 1e6)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    rows = []
    for name, values in speeds.items():
        plain = medians.get(f"{name}, tokenizers + numpy")
        ratio = f"{medians[name] / plain:.1f}" if plain else ""
        rows.append(
            (name, f"{medians[name]:.2f}", f"{min(values):.2f}", f"{max(values):.2f}", ratio)
        )
    n_bytes = sum(int(bounds[-1]) for _, _, bounds in of_texts)
    print(
        f"## a. Speed\n\n{len(texts)} documents of docs_tech, {n_bytes / 1e6:.1f} MB; {rounds} rounds.\n"
    )
    print(table(rows, ("way", "MB/s (median)", "least", "most", "times the ordinary")) + "\n")


# --- b. what passes -------------------------------------------------------------------------------


def print_passed(data: Path, meant: Meant, model: StaticModel, most_bytes: int) -> None:
    """Print the windows that reach a row, and what pruning loses."""
    domains = sorted({path.name.split("-")[0] for path in (data / "corpora/mix/v1").iterdir()})
    rows = []
    for domain in domains:
        texts = domain_texts(data, domain, most_bytes)
        content, bounds = packed(texts)
        found = nominate(content, bounds, meant, model)
        windows = sum(
            len(window_vectors(*packed(texts[at : at + 20]), meant.sizes, model).start)
            for at in range(0, len(texts), 20)
        )
        few = texts[: max(1, int(np.searchsorted(bounds, EXACT_BYTES)))]
        exact = nominate(*packed(few), meant, model, exact=True)
        pruned = nominate(*packed(few), meant, model)
        rows.append(
            (
                domain, len(texts), f"{bounds[-1] / 1e6:.2f}", windows, len(found.row),
                f"{len(found.row) / windows:.3%}",
                f"{len(np.unique(found.document)) / len(texts):.1%}",
                f"{len(pruned.row)} of {len(exact.row)}",
            )
        )  # fmt: skip
    header = (
        "domain", "documents", "MB", "windows", "nominations", "of the windows", "documents with any",
        "of exact search",
    )  # fmt: skip
    print("## b. What passes\n\n" + table(rows, header))


if __name__ == "__main__":
    raise SystemExit(main())
