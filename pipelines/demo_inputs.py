"""The inputs of `sluicegate demo`: real text that every Python installation carries.

Three things are laid into a folder: a corpus (standard-library and package sources, docstrings,
documentation and licence texts), a benchmark made from that corpus (signature and docstring of a
function as question, its body as answer), and an original benchmark that leaked nowhere, of whose
items some are planted into real documents in edited forms. `planted.jsonl` is the truth to hold
the findings against. Nothing is downloaded, and the same installation and seed give the same
bytes. Sluicegate's own files are left out, or the original items would be found in themselves.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.demo_copies import PlantedCopy, plant_copies
from pipelines.demo_corpus import JSONL_DOMAIN, Document, collect_corpus, shard_name
from pipelines.demo_items import ORIGINAL_ITEMS, function_items, read_originals

_ROW_GROUP = 256


@dataclass(frozen=True, slots=True)
class DemoInputs:
    """What `make_demo_inputs` wrote: the corpus folder, the benchmark files and the truth."""

    corpus: Path
    benchmarks: list[Path]
    planted: list[PlantedCopy]


def make_demo_inputs(out: Path, *, seed: int = 0, max_bytes: int = 40_000_000) -> DemoInputs:
    """Write the corpus, the two benchmarks and the planted truth below `out`.

    The corpus holds at most `max_bytes` of UTF-8 text, planted copies apart. Raises `OSError`
    when `out` cannot be written to.
    """
    rng = np.random.default_rng(seed)
    corpus = collect_corpus(max_bytes)
    functions = function_items(corpus.get("stdlib", []), rng)
    originals = read_originals()
    planted = plant_copies(corpus, originals, rng)
    for domain, documents in corpus.items():
        _write_domain(out / "corpus", domain, documents)
    benchmarks = out / "benchmarks"
    benchmarks.mkdir(parents=True, exist_ok=True)
    _write_lines(benchmarks / "pyfunctions.jsonl", map(asdict, functions))
    (benchmarks / "original.jsonl").write_bytes(ORIGINAL_ITEMS.read_bytes())
    _write_lines(out / "planted.jsonl", map(asdict, planted))
    files = [benchmarks / "original.jsonl", benchmarks / "pyfunctions.jsonl"]
    return DemoInputs(out / "corpus", files, planted)


def _write_domain(folder: Path, domain: str, documents: list[Document]) -> None:
    path = folder / shard_name(domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": one.id, "text": one.text, "domain": domain} for one in documents]
    if domain == JSONL_DOMAIN:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path.write_bytes(gzip.compress(lines.encode(), compresslevel=5, mtime=0))
    else:
        pq.write_table(
            pa.Table.from_pylist(rows), path, compression="zstd", row_group_size=_ROW_GROUP
        )


def _write_lines(path: Path, rows: Iterator[dict[str, object]]) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(lines, encoding="utf-8", newline="\n")
