"""Arguments that several commands share: what is read, how it is searched, how results are printed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_inputs(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names corpus and benchmarks, and how they are read and searched."""
    add_corpus(parser, corpus)
    add_benchmarks(parser)


def add_benchmarks(parser: argparse.ArgumentParser) -> None:
    """Add what names benchmarks, and how they are searched for."""
    parser.add_argument(
        "--benchmarks", nargs="+", required=True, metavar="FILE",
        help="JSONL, JSON, Parquet, CSV or TSV files, folders, globs or hf:// URLs",
    )  # fmt: skip
    parser.add_argument(
        "--fields", metavar="MAP",
        help="fields of the benchmarks, as in question=prompt,answer=completion (default: recognised)",
    )  # fmt: skip
    parser.add_argument(
        "--scanners",
        default="ngram",
        metavar="NAMES",
        help="comma-separated: ngram, minhash (rewordings; an order of magnitude slower), embedding "
        "(the same thing in other words) (default: ngram)",
    )
    parser.add_argument(
        "--embedding-model", metavar="NAME",
        help="of the scanner embedding: a sentence-transformers model by name or folder, or none for "
        "static vectors alone (default: the packaged model where it is installed)",
    )  # fmt: skip
    parser.add_argument(
        "--no-prefilter", dest="prefilter", action="store_false",
        help="of the scanner embedding: show the model every window, not only those that static "
        "vectors choose (hundreds of times slower)",
    )  # fmt: skip
    parser.add_argument(
        "--translations", action="store_true",
        help="of the scanner embedding: show the model all text in other languages than the "
        "benchmarks', to find translated items; needs a multilingual --embedding-model (slow)",
    )  # fmt: skip
    parser.add_argument(
        "--device", default="auto", choices=("auto", "cpu", "cuda"),
        help="where the model runs (default: auto)",
    )  # fmt: skip


def add_corpus(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names a corpus and the results, and how it is read."""
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    add_reading(parser, corpus)


def add_reading(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names a corpus, and how it is read."""
    parser.add_argument(
        "corpus",
        nargs=corpus,
        metavar="CORPUS",
        help="path, glob, folder, URL (s3://, gs://, file://) or mix.yaml",
    )
    add_columns(parser)
    add_skip_bad(parser)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add how documents are read, and on how many threads."""
    parser.add_argument(
        "--text", default="text", metavar="COLUMNS",
        help="text columns of the corpus, comma-separated; dots reach into nested keys (default: text)",
    )  # fmt: skip
    parser.add_argument("--id", default="id", metavar="COLUMN", help="id column (default: id)")
    parser.add_argument(
        "--domain", default="domain", metavar="COLUMN", help="domain column (default: domain)"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=processors(),
        metavar="N",
        help="threads (default: all processors)",
    )


def add_skip_bad(parser: argparse.ArgumentParser) -> None:
    """Add what a gate has no use for: there, the policy says how much has to be read."""
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="documents that cannot be read do not make it incomplete",
    )


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the index store that stands for a corpus."""
    parser.add_argument(
        "--store", metavar="DIR",
        help="index store that tells which documents to read, instead of CORPUS (folder or URL)",
    )  # fmt: skip
    parser.add_argument(
        "--version", metavar="NAME", help="of the corpus in the store (default: the newest)"
    )


def add_calibration(parser: argparse.ArgumentParser) -> None:
    """Add how a scan measures itself."""
    parser.add_argument(
        "--calibration", default="quick", choices=("full", "quick", "off"),
        help="measure the scan on planted leaks: full, quick (seconds) or off (default: quick)",
    )  # fmt: skip


def add_tokenizer(parser: argparse.ArgumentParser) -> None:
    """Add what is counted."""
    parser.add_argument(
        "--tokenizer", type=Path, metavar="FILE",
        help="a tokenizer.json whose tokens are counted (default: words)",
    )  # fmt: skip


def add_paraphrases(parser: argparse.ArgumentParser) -> None:
    """Add texts of one's own that a calibration plants."""
    parser.add_argument(
        "--paraphrases", type=Path, metavar="FILE",
        help="JSONL, CSV, TSV or Parquet of item_id, text and, where ids are not enough, benchmark: "
        "plant these texts, too",
    )  # fmt: skip


def add_output_flags(parser: argparse.ArgumentParser, file: str) -> None:
    """Add how results are printed; `file` is what `--json` prints."""
    parser.add_argument("--json", action="store_true", help=f"print {file} instead of the summary")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
