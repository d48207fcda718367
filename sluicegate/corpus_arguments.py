"""The arguments of the commands that make something of corpora: duplicates, drift, clean, index."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from sluicegate.argument_groups import (
    add_columns,
    add_corpus,
    add_output_flags,
    add_reading,
    add_skip_bad,
    add_tokenizer,
    processors,
)

BUILD_HELP: Final = "index what the store lacks of a corpus"
SIGNATURES_HELP: Final = "sign the documents, too: duplicates --store then signs nothing"
PROFILES_HELP: Final = (
    "profile the shards, too: drift --store and gate --store with the same columns and the same "
    "--tokenizer then read nothing of them (not with --domain-rules or --domain-examples: those make "
    "profiles of their own)"
)
TOKENIZER_HELP: Final = (
    "with --profiles: a tokenizer.json whose tokens are counted, as by drift (default: words)"
)


def add_duplicates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `duplicates`."""
    duplicates = commands.add_parser(
        "duplicates",
        help="find exact and near duplicates in a corpus, and what two versions share",
        description="Count the documents that are copies of another, exactly or nearly, by domain; with "
        "--against, also what is new, kept and lost between two versions.",
    )
    add_corpus(duplicates)
    duplicates.add_argument(
        "--against", nargs="+", metavar="CORPUS", help="the version to compare with: the baseline"
    )
    duplicates.add_argument(
        "--threshold", type=float, default=0.8, metavar="J",
        help="Jaccard similarity of word 5-grams from which two documents are near duplicates, from "
        "0.3 to 0.95 (default: 0.8)",
    )  # fmt: skip
    duplicates.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="of the pairs that are drawn to be read again (default: 0)",
    )  # fmt: skip
    duplicates.add_argument(
        "--store", metavar="DIR",
        help="index store that keeps the signatures of each shard for the next time (folder or URL)",
    )  # fmt: skip
    add_output_flags(duplicates, "duplicates.json")


def add_drift(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], versions: str | None = None
) -> None:
    """Add `drift`; `versions` is how many words its two versions take."""
    drift = commands.add_parser(
        "drift",
        help="compare two data versions: what moved, is it real, and which benchmarks will feel it",
        description="Compare the domain mix and the token frequencies of two versions with how far "
        "random halves of the same documents lie apart.",
    )
    for name, meaning in (
        ("baseline", "the version to compare with"),
        ("candidate", "the new one"),
    ):
        drift.add_argument(
            name,
            nargs=versions,
            metavar=name.upper(),
            help=f"{meaning}: path, glob, folder, URL or mix.yaml",
        )
    drift.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    add_tokenizer(drift)
    drift.add_argument(
        "--benchmarks", nargs="+", default=[], metavar="FILE",
        help="benchmarks whose exposure to the change is measured: files, folders, globs or hf:// URLs",
    )  # fmt: skip
    drift.add_argument(
        "--fields", metavar="MAP",
        help="fields of the benchmarks, as in question=prompt,answer=completion (default: recognised)",
    )  # fmt: skip
    origin = drift.add_mutually_exclusive_group()
    origin.add_argument(
        "--domain-rules", type=Path, metavar="FILE",
        help="YAML rules that tell domains by shard path, id and the value of the domain column",
    )  # fmt: skip
    origin.add_argument(
        "--domain-examples", type=Path, metavar="FILE",
        help="labelled texts (text, domain) that a classifier of domains is fitted on",
    )  # fmt: skip
    drift.add_argument(
        "--store", metavar="DIR",
        help="index store that keeps the profile of each shard for the next time (folder or URL)",
    )  # fmt: skip
    drift.add_argument(
        "--minimum-share", type=float, default=0.0, metavar="S",
        help="share of the tokens that every domain must have (default: 0)",
    )  # fmt: skip
    drift.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random halves (default: 0)"
    )
    drift.add_argument(
        "--fail-on", choices=("alarm",), help="exit with 1 if anything moved beyond noise"
    )
    add_columns(drift)
    add_skip_bad(drift)
    add_output_flags(drift, "report.json")


def add_clean(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `clean`."""
    clean = commands.add_parser(
        "clean",
        help="write a copy of a corpus without what a scan of it found",
        description="Copy a corpus without the documents, or the characters, in which a scan found items "
        "of benchmarks; scan the copy with the same settings, and fail if items are still found. Formats, "
        "folders, other columns and the order of rows stay as they are.",
    )
    clean.add_argument(
        "corpus", nargs="+", metavar="CORPUS", help="what was scanned, named as it was then"
    )
    clean.add_argument(
        "--findings", required=True, metavar="DIR", help="result folder of the finished scan"
    )
    clean.add_argument(
        "--out", required=True, metavar="DIR", help="local folder; the copy is in DIR/corpus"
    )
    clean.add_argument(
        "--remove", default="document", choices=("document", "span"),
        help="leave out whole documents, or cut the matched characters (default: document)",
    )  # fmt: skip
    clean.add_argument(
        "--status", default="contaminated", choices=("contaminated", "suspect"),
        help="of the items that go; suspect: contaminated ones go, too (default: contaminated)",
    )  # fmt: skip
    clean.add_argument("--mask", metavar="TEXT", help="with span: put TEXT where something was cut")
    clean.add_argument(
        "--margin", type=int, default=0, metavar="N",
        help="with span: N more characters go on each side (default: 0)",
    )  # fmt: skip
    clean.add_argument(
        "--jobs", type=int, default=processors(), metavar="N",
        help="threads (default: all processors)",
    )  # fmt: skip
    add_output_flags(clean, "clean.json")


def add_index(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `index` and its actions."""
    index = commands.add_parser(
        "index",
        help="build an index store of a corpus once, and check any benchmark against it",
        description="Keep an index of each shard, so that new benchmarks are checked without reading "
        "the corpus again, and a new version costs what is new in it.",
    )
    actions = index.add_subparsers(title="actions", required=True, metavar="ACTION", dest="action")
    build = actions.add_parser("build", help=BUILD_HELP)
    _add_build(build)
    _add_beside(build, SIGNATURES_HELP, PROFILES_HELP, TOKENIZER_HELP)
    shown = actions.add_parser("list", help="what is stored, how large, for which versions")
    verify = actions.add_parser("verify", help="read all stored files and check them")
    prune = actions.add_parser("prune", help="remove what no version names")
    prune.add_argument("--yes", action="store_true", help="do it (default: say what would go)")
    prune.add_argument(
        "--drop-version", nargs="+", default=[], metavar="NAME", help="versions that go first"
    )
    for action in (build, shown, verify, prune):
        _add_index_flags(action)


def add_build_flow(names: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the flow of `index build`."""
    build = names.add_parser("index", help=BUILD_HELP)
    _add_build(build)
    # What a flow does not make: `flow_parameters` says so.
    _add_beside(build, argparse.SUPPRESS, argparse.SUPPRESS, argparse.SUPPRESS)
    _add_index_flags(build)


def _add_build(build: argparse.ArgumentParser) -> None:
    add_reading(build)
    build.add_argument("--name", metavar="NAME", help="of this version (default: made from CORPUS)")
    build.add_argument(
        "--keep-text", action="store_true",
        help="keep a packed copy of the texts, a quarter of their size: checks then read no corpus",
    )  # fmt: skip
    build.add_argument(
        "--verify", action="store_true",
        help="read every shard and every stored file again, whatever their dates say",
    )  # fmt: skip
    build.add_argument(
        "--embeddings", nargs="?", const="static", metavar="MODEL",
        help="keep vectors of windows, too, for scans with the embedding scanner: by the static model "
        "that ships, or by a sentence-transformers model (name or folder)",
    )  # fmt: skip
    build.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where MODEL computes"
    )


def _add_beside(
    build: argparse.ArgumentParser, signatures: str, profiles: str, tokenizer: str
) -> None:
    """Add what is made of shards for other commands; the texts are what --help says, or SUPPRESS."""
    build.add_argument("--signatures", action="store_true", help=signatures)
    build.add_argument("--profiles", action="store_true", help=profiles)
    build.add_argument("--tokenizer", type=Path, metavar="FILE", help=tokenizer)


def _add_index_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", required=True, metavar="DIR", help="folder or URL")
    parser.add_argument("--json", action="store_true", help="print the machine form")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
