"""The arguments of every command: what may be said, and what `--help` says of it."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import Final

from sluicegate import __version__
from sluicegate.flow_arguments import add_flow

BUILD_HELP: Final = "index what the store lacks of a corpus"
STATUSES: Final = ("contaminated", "suspect", "unsearchable")


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands; the one chosen is `command` of the parsed options."""
    parser = argparse.ArgumentParser(
        prog="sluicegate",
        description="Keeps leaked benchmarks and silent drift out of LLM training data.",
    )
    parser.add_argument("--version", action="version", version=f"sluicegate {__version__}")
    commands = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", dest="command"
    )
    _add_scan(commands)
    _add_calibrate(commands)
    _add_duplicates(commands)
    _add_index(commands)
    _add_audit(commands)
    _add_drift(commands)
    _add_gate(commands)
    _add_policy(commands)
    _add_clean(commands)
    _add_demo(commands)
    _add_report(commands)
    _add_doctor(commands)
    drift = partial(_add_drift, versions="?")  # or the newest ones of a pattern
    add_flow(commands, [_add_build_flow, _add_scan, _add_gate, _add_audit, drift, _add_clean])
    return parser


def _add_scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scan = commands.add_parser(
        "scan",
        help="find benchmark items in a corpus",
        description="Find the items of benchmarks in a corpus: which leaked, where, and why we say so.",
    )
    _add_inputs(scan, corpus="*")
    scan.add_argument(
        "--store", metavar="DIR",
        help="index store that tells which documents to read, instead of CORPUS (folder or URL)",
    )  # fmt: skip
    scan.add_argument(
        "--version", metavar="NAME", help="of the corpus in the store (default: the newest)"
    )
    scan.add_argument(
        "--calibration", default="quick", choices=("full", "quick", "off"),
        help="measure the scan on planted leaks: full, quick (seconds) or off (default: quick)",
    )  # fmt: skip
    _add_paraphrases(scan)
    scan.add_argument(
        "--fail-on", choices=STATUSES, metavar="STATUS",
        help="exit with 1 if any item has this status or a worse one: " + ", ".join(STATUSES),
    )  # fmt: skip
    _add_output_flags(scan, "report.json")


def _add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser(
        "audit",
        help="tell which scores on a benchmark can be quoted, given what the corpus holds of it",
        description="Find the items of benchmarks in a corpus, compare the scores of models on leaked and on "
        "clean items, and write the items to evaluate on.",
    )
    _add_inputs(audit, corpus="*")
    audit.add_argument(
        "--scores", nargs="+", default=[], metavar="FILE",
        help="results by item: rows of item_id, model, correct (or score); a table with a column per "
        "model; sample logs of lm-evaluation-harness; per_instance_stats.json of HELM; or folders",
    )  # fmt: skip
    audit.add_argument(
        "--metric", metavar="NAME", help="of sample logs (default: the first that is known)"
    )
    audit.add_argument(
        "--reference-model", dest="reference_models", nargs="+", default=[], metavar="NAME",
        help="models whose scores say how difficult an item is",
    )  # fmt: skip
    audit.add_argument(
        "--clean-model", dest="clean_models", nargs="+", default=[], metavar="NAME",
        help="models known not to have seen the corpus: what is easier for them, too, is no leak",
    )  # fmt: skip
    _add_store(audit)
    audit.add_argument(
        "--all-versions", action="store_true",
        help="tell the first and the last version of the store that holds each item",
    )  # fmt: skip
    audit.add_argument(
        "--no-overlap",
        dest="overlap",
        action="store_false",
        help="do not search the benchmarks in one another",
    )
    audit.add_argument(
        "--calibration", default="quick", choices=("full", "quick", "off"),
        help="measure the scan on planted leaks: full, quick (seconds) or off (default: quick)",
    )  # fmt: skip
    audit.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="of the permutations and the resamples (default: 0)",
    )  # fmt: skip
    audit.add_argument(
        "--fail-on", choices=("no", "cannot-tell"),
        help="exit with 1 if a score should not be quoted, or nobody can tell",
    )  # fmt: skip
    _add_output_flags(audit, "report.json")


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store", metavar="DIR",
        help="index store that tells which documents to read, instead of CORPUS (folder or URL)",
    )  # fmt: skip
    parser.add_argument(
        "--version", metavar="NAME", help="of the corpus in the store (default: the newest)"
    )


def _add_calibrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="measure what a scan of a corpus finds and misses, without scanning it",
        description="Plant leaks and harmless look-alikes into documents drawn from a corpus, and count "
        "what the scan makes of them. Little of the corpus is read.",
    )
    _add_inputs(calibrate)
    calibrate.add_argument(
        "--calibration", default="full", choices=("full", "quick"),
        help="up to 300 (full) or 60 (quick) trials of each form (default: full)",
    )  # fmt: skip
    _add_paraphrases(calibrate)
    calibrate.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="of the documents drawn and of what is planted (default: 0)",
    )  # fmt: skip
    _add_output_flags(calibrate, "calibration.json")


def _add_duplicates(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    duplicates = commands.add_parser(
        "duplicates",
        help="find exact and near duplicates in a corpus, and what two versions share",
        description="Count the documents that are copies of another, exactly or nearly, by domain; with "
        "--against, also what is new, kept and lost between two versions.",
    )
    _add_corpus(duplicates)
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
    _add_output_flags(duplicates, "duplicates.json")


def _add_drift(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], versions: str | None = None
) -> None:
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
    drift.add_argument(
        "--tokenizer", type=Path, metavar="FILE",
        help="a tokenizer.json whose tokens are counted (default: words)",
    )  # fmt: skip
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
    _add_columns(drift)
    _add_skip_bad(drift)
    _add_output_flags(drift, "report.json")


def _add_clean(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
        "--jobs", type=int, default=_processors(), metavar="N",
        help="threads (default: all processors)",
    )  # fmt: skip
    _add_output_flags(clean, "clean.json")


def _add_gate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    gate = commands.add_parser(
        "gate",
        help="judge a data mix by a policy: pass, warn, fail or incomplete, with the reasons",
        description="Scan a mix for benchmarks, compare it with a baseline, and judge both by a policy.",
    )
    gate.add_argument(
        "mix", metavar="MIX", help="mix.yaml, or path, glob, folder or URL of a corpus"
    )
    gate.add_argument("--against", metavar="MIX", help="the version to compare with: the baseline")
    gate.add_argument(
        "--policy", metavar="FILE", help="policy.yaml (default: the one that is shipped)"
    )
    _add_benchmarks(gate)
    gate.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    gate.add_argument(
        "--store", metavar="DIR",
        help="index store (folder or URL): only what it does not hold of the mix is read",
    )  # fmt: skip
    gate.add_argument(
        "--tokenizer", type=Path, metavar="FILE",
        help="a tokenizer.json whose tokens are counted (default: words)",
    )  # fmt: skip
    gate.add_argument(
        "--domain-rules", type=Path, metavar="FILE",
        help="YAML rules that tell domains by shard path, id and the value of the domain column",
    )  # fmt: skip
    gate.add_argument(
        "--calibration", default="quick", choices=("full", "quick", "off"),
        help="measure the scan on planted leaks: full, quick (seconds) or off (default: quick)",
    )  # fmt: skip
    gate.add_argument(
        "--fail-on", default="fail", choices=("fail", "warn"),
        help="exit with 1 from this verdict on (default: fail)",
    )  # fmt: skip
    gate.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random halves (default: 0)"
    )
    _add_columns(gate)
    _add_output_flags(gate, "report.json")


def _add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser(
        "policy",
        help="explain a policy in words",
        description="Check a policy and say in words what it asks for.",
    )
    actions = policy.add_subparsers(title="actions", required=True, metavar="ACTION", dest="action")
    check = actions.add_parser("check", help="say what a policy asks for, and which waivers hold")
    check.add_argument(
        "policy", nargs="?", metavar="FILE", help="policy.yaml (default: the one that is shipped)"
    )


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="scan the text that every Python installation carries, with planted leaks",
        description="Build a corpus from this Python installation, plant leaks, and find them.",
    )
    demo.add_argument("--out", type=Path, default=Path("sluicegate-demo"), metavar="DIR")
    demo.add_argument("--jobs", type=int, default=_processors(), metavar="N")
    _add_output_flags(demo, "report.json")


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser(
        "report",
        help="print the report of an earlier run",
        description="Render the report.json of a run again.",
    )
    report.add_argument("dir", type=Path, metavar="DIR", help="result folder of a run")
    report.add_argument(
        "--format", default="terminal", choices=("terminal", "html", "md", "json", "junit", "sarif"),
        help="default: terminal; junit and sarif are of a gate",
    )  # fmt: skip


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    commands.add_parser(
        "doctor",
        help="check the installation",
        description="Say in words what is installed and what is broken.",
    )


def _add_inputs(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names corpus and benchmarks, and how they are read and searched."""
    _add_corpus(parser, corpus)
    _add_benchmarks(parser)


def _add_benchmarks(parser: argparse.ArgumentParser) -> None:
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
        "--device", default="auto", choices=("auto", "cpu", "cuda"),
        help="where the model runs (default: auto)",
    )  # fmt: skip


def _add_corpus(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names a corpus and the results, and how it is read."""
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    _add_reading(parser, corpus)


def _add_reading(parser: argparse.ArgumentParser, corpus: str = "+") -> None:
    """Add what names a corpus, and how it is read."""
    parser.add_argument(
        "corpus",
        nargs=corpus,
        metavar="CORPUS",
        help="path, glob, folder, URL (s3://, gs://, file://) or mix.yaml",
    )
    _add_columns(parser)
    _add_skip_bad(parser)


def _add_columns(parser: argparse.ArgumentParser) -> None:
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
        default=_processors(),
        metavar="N",
        help="threads (default: all processors)",
    )


def _add_skip_bad(parser: argparse.ArgumentParser) -> None:
    """Add what a gate has no use for: there, the policy says how much has to be read."""
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="documents that cannot be read do not make it incomplete",
    )


def _add_index(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    index = commands.add_parser(
        "index",
        help="build an index store of a corpus once, and check any benchmark against it",
        description="Keep an index of each shard, so that new benchmarks are checked without reading "
        "the corpus again, and a new version costs what is new in it.",
    )
    actions = index.add_subparsers(title="actions", required=True, metavar="ACTION", dest="action")
    build = actions.add_parser("build", help=BUILD_HELP)
    _add_build(build)
    build.add_argument(
        "--embeddings", nargs="?", const="static", metavar="MODEL",
        help="keep vectors of windows, too, for scans with the embedding scanner: by the static model "
        "that ships, or by a sentence-transformers model (name or folder)",
    )  # fmt: skip
    build.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where MODEL computes"
    )
    shown = actions.add_parser("list", help="what is stored, how large, for which versions")
    verify = actions.add_parser("verify", help="read all stored files and check them")
    prune = actions.add_parser("prune", help="remove what no version names")
    prune.add_argument("--yes", action="store_true", help="do it (default: say what would go)")
    prune.add_argument(
        "--drop-version", nargs="+", default=[], metavar="NAME", help="versions that go first"
    )
    for action in (build, shown, verify, prune):
        _add_index_flags(action)


def _add_build_flow(names: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the flow of `index build`."""
    build = names.add_parser("index", help=BUILD_HELP)
    _add_build(build)
    _add_index_flags(build)


def _add_build(build: argparse.ArgumentParser) -> None:
    _add_reading(build)
    build.add_argument("--name", metavar="NAME", help="of this version (default: made from CORPUS)")
    build.add_argument(
        "--keep-text", action="store_true",
        help="keep a packed copy of the texts, a quarter of their size: checks then read no corpus",
    )  # fmt: skip
    build.add_argument(
        "--verify", action="store_true",
        help="read every shard and every stored file again, whatever their dates say",
    )  # fmt: skip


def _add_index_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", required=True, metavar="DIR", help="folder or URL")
    parser.add_argument("--json", action="store_true", help="print the machine form")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _add_paraphrases(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--paraphrases", type=Path, metavar="FILE",
        help="JSONL, CSV, TSV or Parquet of item_id, text and, where ids are not enough, benchmark: "
        "plant these texts, too",
    )  # fmt: skip


def _add_output_flags(parser: argparse.ArgumentParser, file: str) -> None:
    parser.add_argument("--json", action="store_true", help=f"print {file} instead of the summary")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
