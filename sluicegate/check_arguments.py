"""The arguments of the commands that hold benchmarks against a corpus: scan, audit, calibrate, gate, policy."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from sluicegate.argument_groups import (
    add_benchmarks,
    add_calibration,
    add_columns,
    add_inputs,
    add_output_flags,
    add_paraphrases,
    add_store,
    add_tokenizer,
)

STATUSES: Final = ("contaminated", "suspect", "unsearchable")


def add_scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `scan`."""
    scan = commands.add_parser(
        "scan",
        help="find benchmark items in a corpus",
        description="Find the items of benchmarks in a corpus: which leaked, where, and why we say so.",
    )
    add_inputs(scan, corpus="*")
    add_store(scan)
    add_calibration(scan)
    add_paraphrases(scan)
    scan.add_argument(
        "--fail-on", choices=STATUSES, metavar="STATUS",
        help="exit with 1 if any item has this status or a worse one: " + ", ".join(STATUSES),
    )  # fmt: skip
    add_output_flags(scan, "report.json")


def add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `audit`."""
    audit = commands.add_parser(
        "audit",
        help="tell which scores on a benchmark can be quoted, given what the corpus holds of it",
        description="Find the items of benchmarks in a corpus, compare the scores of models on leaked and on "
        "clean items, and write the items to evaluate on.",
    )
    add_inputs(audit, corpus="*")
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
    add_store(audit)
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
    add_calibration(audit)
    audit.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="of the permutations and the resamples (default: 0)",
    )  # fmt: skip
    audit.add_argument(
        "--fail-on", choices=("no", "cannot-tell"),
        help="exit with 1 if a score should not be quoted, or nobody can tell",
    )  # fmt: skip
    add_output_flags(audit, "report.json")


def add_calibrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `calibrate`."""
    calibrate = commands.add_parser(
        "calibrate",
        help="measure what a scan of a corpus finds and misses, without scanning it",
        description="Plant leaks and harmless look-alikes into documents drawn from a corpus, and count "
        "what the scan makes of them. Little of the corpus is read.",
    )
    add_inputs(calibrate)
    calibrate.add_argument(
        "--calibration", default="full", choices=("full", "quick"),
        help="up to 300 (full) or 60 (quick) trials of each form (default: full)",
    )  # fmt: skip
    add_paraphrases(calibrate)
    calibrate.add_argument(
        "--seed", type=int, default=0, metavar="N",
        help="of the documents drawn and of what is planted (default: 0)",
    )  # fmt: skip
    add_output_flags(calibrate, "calibration.json")


def add_gate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `gate`."""
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
    add_benchmarks(gate)
    gate.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    gate.add_argument(
        "--store", metavar="DIR",
        help="index store (folder or URL): only what it does not hold of the mix is read",
    )  # fmt: skip
    add_tokenizer(gate)
    gate.add_argument(
        "--domain-rules", type=Path, metavar="FILE",
        help="YAML rules that tell domains by shard path, id and the value of the domain column",
    )  # fmt: skip
    add_calibration(gate)
    gate.add_argument(
        "--fail-on", default="fail", choices=("fail", "warn"),
        help="exit with 1 from this verdict on (default: fail)",
    )  # fmt: skip
    gate.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random halves (default: 0)"
    )
    add_columns(gate)
    add_output_flags(gate, "report.json")


def add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `policy`."""
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
