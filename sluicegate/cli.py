"""The command line: arguments in, results to stdout and a folder, progress to stderr, exit status out.

Exit status: 0 done · 1 `--fail-on` met · 2 wrong usage or invalid input, in one line · 3 incomplete:
something could not be read or written. Heavy modules are imported inside the commands, so `--help`
answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sluicegate import __version__

if TYPE_CHECKING:
    from pipelines.scan import ScanResult

DONE, VIOLATED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


class UsageError(ValueError):
    """Arguments that cannot be carried out; its text is one line with a mend."""


STATUSES: Final = ("contaminated", "suspect", "unsearchable")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("interrupted: no file was left half-written")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has gone; nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        _say(f"incomplete: {_os_error(error)}")
        return INCOMPLETE
    except ValueError as error:
        if not _is_users(error):
            raise
        _say(_one_line(error))
        return USAGE


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(
        prog="sluicegate",
        description="Keeps leaked benchmarks and silent drift out of LLM training data.",
    )
    parser.add_argument("--version", action="version", version=f"sluicegate {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_scan(commands)
    _add_demo(commands)
    _add_report(commands)
    _add_doctor(commands)
    return parser


def _add_scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scan = commands.add_parser(
        "scan",
        help="find benchmark items in a corpus",
        description="Find the items of benchmarks in a corpus: which leaked, where, and why we say so.",
    )
    scan.add_argument(
        "corpus",
        nargs="+",
        metavar="CORPUS",
        help="path, glob, folder, URL (s3://, gs://, file://) or mix.yaml",
    )
    scan.add_argument(
        "--benchmarks", nargs="+", required=True, metavar="FILE",
        help="JSONL, JSON, Parquet, CSV or TSV files, folders, globs or hf:// URLs",
    )  # fmt: skip
    scan.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for the results"
    )
    scan.add_argument(
        "--text", default="text", metavar="COLUMNS",
        help="text columns of the corpus, comma-separated; dots reach into nested keys (default: text)",
    )  # fmt: skip
    scan.add_argument("--id", default="id", metavar="COLUMN", help="id column (default: id)")
    scan.add_argument(
        "--domain", default="domain", metavar="COLUMN", help="domain column (default: domain)"
    )
    scan.add_argument(
        "--fields", metavar="MAP",
        help="fields of the benchmarks, as in question=prompt,answer=completion (default: recognised)",
    )  # fmt: skip
    scan.add_argument(
        "--scanners",
        default="ngram",
        metavar="NAMES",
        help="comma-separated; ngram (default: ngram)",
    )
    scan.add_argument("--device", default="auto", choices=("auto", "cpu"), help="default: auto")
    scan.add_argument(
        "--jobs",
        type=int,
        default=_processors(),
        metavar="N",
        help="threads (default: all processors)",
    )
    scan.add_argument(
        "--calibration", default="quick", choices=("full", "quick", "off"),
        help="measure the scan on planted leaks: full, quick (seconds) or off (default: quick)",
    )  # fmt: skip
    scan.add_argument(
        "--fail-on", choices=STATUSES, metavar="STATUS",
        help="exit with 1 if any item has this status or a worse one: " + ", ".join(STATUSES),
    )  # fmt: skip
    scan.add_argument(
        "--skip-bad",
        action="store_true",
        help="documents that cannot be read do not make it incomplete",
    )
    _add_output_flags(scan)
    scan.set_defaults(run=_scan)


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser(
        "demo",
        help="scan the text that every Python installation carries, with planted leaks",
        description="Build a corpus from this Python installation, plant leaks, and find them.",
    )
    demo.add_argument("--out", type=Path, default=Path("sluicegate-demo"), metavar="DIR")
    demo.add_argument("--jobs", type=int, default=_processors(), metavar="N")
    _add_output_flags(demo)
    demo.set_defaults(run=_demo)


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    report = commands.add_parser(
        "report",
        help="print the report of an earlier run",
        description="Render the report.json of a run again.",
    )
    report.add_argument("dir", type=Path, metavar="DIR", help="result folder of a run")
    report.add_argument(
        "--format", default="terminal", choices=("terminal", "html", "md", "json"),
        help="default: terminal",
    )  # fmt: skip
    report.set_defaults(run=_report)


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="check the installation",
        description="Say in words what is installed and what is broken.",
    )
    doctor.set_defaults(run=_doctor)


def _add_output_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="print report.json instead of the summary"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _scan(options: argparse.Namespace) -> int:
    from sluicegate.api import scan
    from sluicegate.progress import ProgressLine

    _check_out(options.out)
    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = scan(
            options.corpus,
            options.benchmarks,
            out=options.out,
            progress=progress.show,
            text=tuple(options.text.split(",")),
            id=options.id,
            domain=options.domain,
            fields=options.fields,
            scanners=tuple(options.scanners.split(",")),
            device=options.device,
            jobs=options.jobs,
            calibration=options.calibration,
            skip_bad=options.skip_bad,
        )
    _print_result(result, options)
    _say_what_was_not_read(result)
    return _exit_status(result, options.fail_on)


def _demo(options: argparse.Namespace) -> int:
    _check_out(options.out)
    from pipelines.demo_inputs import make_demo_inputs
    from sluicegate.api import scan
    from sluicegate.demo import hold_against
    from sluicegate.progress import ProgressLine

    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        progress.say("building a corpus from this Python installation")
        inputs = make_demo_inputs(options.out)
        result = scan(
            inputs.corpus,
            inputs.benchmarks,
            out=options.out / "result",
            progress=progress.show,
            jobs=options.jobs,
        )
    options.out = options.out / "result"
    _print_result(result, options)
    if not options.json:
        print(hold_against(result, inputs))
    return _exit_status(result, None)


def _report(options: argparse.Namespace) -> int:
    from reports.render import RENDERERS
    from reports.schema import load_report

    path = options.dir / "report.json"
    if not path.is_file():
        raise UsageError(f"{path}: there is no report; name the --out folder of a finished scan")
    sys.stdout.write(RENDERERS[options.format](load_report(path)))
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    from sluicegate.doctor import examine

    text, healthy = examine()
    print(text)
    return DONE if healthy else INCOMPLETE


def _check_out(out: Path) -> None:
    """Refuse before the work what could not be written after it."""
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise UsageError(f"--out {out}: {there} is a file; name a folder")
    if not os.access(there, os.W_OK):
        raise UsageError(f"--out {out}: {there} cannot be written; name another folder")


def _print_result(result: ScanResult, options: argparse.Namespace) -> None:
    from reports.render import RENDERERS

    if options.json:
        sys.stdout.write(RENDERERS["json"](result.report))
        return
    sys.stdout.write(RENDERERS["terminal"](result.report))
    print(f"\nreport: {options.out / 'report.html'}")


def _say_what_was_not_read(result: ScanResult) -> None:
    from reports.escape import visible

    corpus = result.report["corpus"]
    if result.complete or not corpus["problems"]:
        return
    first = corpus["problems"][0]
    more = len(corpus["problems"]) + corpus["problems_not_shown"] - 1
    place = first["shard"] if first["row"] is None else f"{first['shard']}, row {first['row']}"
    others = f" (and {more:,} more, in the report)" if more else ""
    _say(f"incomplete: {visible(place)}: {visible(first['reason'])}; {first['mend']}{others}")


def _exit_status(result: ScanResult, fail_on: str | None) -> int:
    """Return the exit status of a scan; a violation that was found stands whatever was not read."""
    if fail_on is not None:
        bad = STATUSES[: STATUSES.index(fail_on) + 1]
        if result.items["status"].is_in(list(bad)).any():
            return VIOLATED
    return DONE if result.complete else INCOMPLETE


def _is_users(error: ValueError) -> bool:
    """Tell whether an error is the user's to mend; everything else is a bug and keeps its trace."""
    from pydantic import ValidationError

    from corpora.benchmarks import BenchmarkError
    from corpora.problems import CorpusError
    from indexes.background import BackgroundError
    from reports.schema import ReportError
    from scanners.patterns import PatternsError

    users = (
        BackgroundError, BenchmarkError, CorpusError, PatternsError, ReportError, UsageError,
        ValidationError,
    )  # fmt: skip
    return isinstance(error, users)


def _one_line(error: ValueError) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"--{'.'.join(str(part) for part in first['loc'])}: {first['msg']}, got {first['input']!r}"
    return " ".join(str(error).split())


def _os_error(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return (
        f"{place}{error.strerror or error}; nothing was left half-written: make room or access there, "
        "or name another --out"
    )


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _say(message: str) -> None:
    print(f"sluicegate: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
