"""The arguments of every command: what may be said, and what `--help` says of it."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from sluicegate import __version__
from sluicegate.argument_groups import add_output_flags, processors
from sluicegate.check_arguments import add_audit, add_calibrate, add_gate, add_policy, add_scan
from sluicegate.corpus_arguments import (
    add_build_flow,
    add_clean,
    add_drift,
    add_duplicates,
    add_index,
)
from sluicegate.flow_arguments import add_flow


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
    add_scan(commands)
    add_calibrate(commands)
    add_duplicates(commands)
    add_index(commands)
    add_audit(commands)
    add_drift(commands)
    add_gate(commands)
    add_policy(commands)
    add_clean(commands)
    _add_demo(commands)
    _add_report(commands)
    _add_doctor(commands)
    drift = partial(add_drift, versions="?")  # or the newest ones of a pattern
    add_flow(commands, [add_build_flow, add_scan, add_gate, add_audit, drift, add_clean])
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="scan the text that every Python installation carries, with planted leaks",
        description="Build a corpus from this Python installation, plant leaks, and find them.",
    )
    demo.add_argument("--out", type=Path, default=Path("sluicegate-demo"), metavar="DIR")
    demo.add_argument("--jobs", type=int, default=processors(), metavar="N")
    add_output_flags(demo, "report.json")


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
