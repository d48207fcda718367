"""What vectors in an index store nominate beside a scan, what they take and what looking up costs.

    python benchmarks/quality_stored_embeddings.py [--data DIR] [--documents 500]

Rewordings of benchmark items (GSM8K rewritten by BenBench, MMLU rephrased by LLM Decontaminator), each
in a document of 200 words of news and books: on lines of its own, and in the middle of a line. And
clean documents: documentation, news, encyclopedic and web text. A scan's stage 0 nominates documents
with a window near the hidden item (clean ones: near any item); the store, documents that are to be
read. Times are CPU seconds of one thread.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from harness import (
    Filler,
    MissingDataError,
    argument_parser,
    benchmark_file,
    check_data,
    exit_without_data,
    read_records,
    table,
)

from corpora.benchmarks import read_benchmarks
from indexes.background import load_background
from indexes.embeddings.corpus_windows import StaticWindows, joined
from indexes.embeddings.static import load_static
from indexes.store import Store
from pipelines.embedding_look_up import Asked, StoredEmbeddings
from pipelines.embedding_training import TRAINED
from pipelines.index_settings import IndexSettings
from pipelines.stored_embeddings import build_embeddings, extent
from scanners.embedding import Meant, mean_items, nominate
from scanners.patterns import build_patterns

SETS: Final = (
    ("gsm8k_test", "benbench_gsm8k_rewritten"),
    ("mmlu_test", "llmdecon_mmlu_rephrase_en"),
)
CLEAN: Final = ("docs_tech", "news", "encyclopedic", "web_misc")
SIDE_WORDS: Final = 100
SEED: Final = 3


def main() -> None:
    """Print what is found and what it costs."""
    parser = argument_parser(__doc__)
    parser.add_argument("--documents", type=int, default=500, help="of each kind, at most")
    options = parser.parse_args()
    try:
        data = check_data(options.data)
    except MissingDataError as error:
        exit_without_data(error)
    for benchmark, pairs in SETS:
        measure(data, benchmark, pairs, options.documents)


def measure(data: Path, name: str, pairs: str, most: int) -> None:
    """Print the rows of a benchmark."""
    model = load_static()
    benchmarks = read_benchmarks([str(benchmark_file(data, name))], None)
    items = [item for benchmark in benchmarks for item in benchmark.items]
    patterns = build_patterns(benchmarks, load_background())
    meant = mean_items(patterns, items, load_background(), model)
    nominate(*joined([items[0].question]), meant, model)  # compiles, before anything is timed
    kinds, own = documents(data, pairs, [item.id for item in items], most)
    scanned = {
        kind: scan(texts, meant, own if kind != "clean" else None) for kind, texts in kinds.items()
    }
    asked = Asked(meant.vectors, meant.floor, meant.words.astype(np.int64))
    lines = []
    for codes in ("sq8", "rabitq"):
        with tempfile.TemporaryDirectory() as folder:
            lines += stored(Path(folder), kinds, scanned, asked, StaticWindows(model), codes)
    print(f"\n{name}: {len(items):,} items, {len(meant.item):,} texts of theirs are sought\n")
    print(
        table(
            lines,
            ("codes", "documents", "n", "scan", "store", "of the scan's", "look-up s", "scan s"),
        )
    )
    sys.stdout.flush()


def documents(
    data: Path, pairs: str, ids: Sequence[str], most: int
) -> tuple[dict[str, list[str]], np.ndarray]:
    """Return documents by kind, and the item that is hidden in each of those that hide one."""
    number = {id_: n for n, id_ in enumerate(ids)}
    records = [
        r for r in read_records(data / "groundtruth" / f"{pairs}.jsonl.zst") if r["text"].strip()
    ]
    records = [r for r in records if r["benchmark_id"] in number]
    chosen = np.random.default_rng(SEED).permutation(len(records))[:most].tolist()
    filler = Filler(data, SEED)
    parts = [(filler.some(SIDE_WORDS), records[n]["text"], filler.some(SIDE_WORDS)) for n in chosen]
    folder = data / "corpora" / "mix" / "v1"
    clean = [
        record["text"]
        for name in CLEAN
        for record in read_records(folder / f"{name}-00000.jsonl.zst")[: most // len(CLEAN)]
    ]
    kinds = {
        "own line": ["\n\n".join(part) for part in parts],
        "mid line": [" ".join(" ".join(part).split()) for part in parts],
        "clean": clean,
    }
    return kinds, np.array([number[records[n]["benchmark_id"]] for n in chosen])


def scan(texts: list[str], meant: Meant, own: np.ndarray | None) -> tuple[np.ndarray, float]:
    """Return which documents stage 0 nominates (for their own item, where that is given), and seconds."""
    found, seconds = timed(lambda: nominate(*joined(texts), meant, load_static()))
    chosen = np.zeros(len(texts), np.bool_)
    fits = (
        np.ones(len(found.row), np.bool_)
        if own is None
        else meant.item[found.row] == own[found.document]
    )
    chosen[found.document[fits]] = True
    return chosen, seconds


def stored(
    folder: Path,
    kinds: dict[str, list[str]],
    scanned: dict[str, tuple[np.ndarray, float]],
    asked: Asked,
    model: StaticWindows,
    codes: str,
) -> list[tuple[Any, ...]]:
    """Return a row for each kind of documents, and print what the store takes."""
    for kind, texts in kinds.items():
        lines = [json.dumps({"text": text}) + "\n" for text in texts]
        (folder / f"{kind}.jsonl").write_text("".join(lines), encoding="utf-8")
    store, settings = folder / "store", IndexSettings(id=None, domain=None)
    corpus = [str(folder / f"{kind}.jsonl") for kind in kinds]
    built, seconds = timed(
        lambda: build_embeddings(
            corpus, str(store), settings, model, kind=codes, tool_version="benchmark"
        )
    )
    opened = Store.open(str(store))
    taken = extent(opened, built.manifest)
    print(
        f"{codes}: {1000 * taken.windows / taken.text_bytes:.1f} windows a KB, "
        f"{taken.stored_bytes / taken.text_bytes:.2f} bytes for a byte of text, "
        f"built at {taken.text_bytes / 1e6 / seconds:.1f} MB/s"
    )
    shards = [shard for shard in built.manifest.shards if shard.path != TRAINED]
    embeddings = StoredEmbeddings.find(opened, shards, model)
    rows = []
    for shard in shards:
        kind = Path(shard.path).stem
        found, seconds = timed(lambda shard=shard: embeddings.rows(shard, asked))
        chosen = np.zeros(len(kinds[kind]), np.bool_)
        chosen[found] = True
        expected, scan_seconds = scanned[kind]
        share = (chosen & expected).sum() / max(1, expected.sum())
        scores = (f"{expected.mean():.3f}", f"{chosen.mean():.3f}", f"{share:.3f}")
        rows.append((codes, kind, len(chosen), *scores, f"{seconds:.2f}", f"{scan_seconds:.2f}"))
    return rows


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what work gives and the CPU seconds that it took."""
    started = time.process_time()
    return work(), time.process_time() - started


if __name__ == "__main__":
    main()
