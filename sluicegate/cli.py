"""The command line: arguments in, results to stdout and a folder, progress to stderr, exit status out.

Exit status: 0 done · 1 `--fail-on` met · 2 wrong usage or invalid input, in one line · 3 incomplete:
something could not be read, checked or written. Heavy modules are imported inside the commands, so `--help`
answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from sluicegate.arguments import build_parser
from sluicegate.check_arguments import STATUSES
from sluicegate.loading import load
from sluicegate.output import UntilClosed, say, say_what_was_not_read, visible

if TYPE_CHECKING:
    from pipelines.calibrate import CalibrationResult
    from pipelines.duplicates import DuplicatesResult
    from pipelines.scan import ScanResult

DONE, VIOLATED, USAGE, INCOMPLETE, INTERRUPTED = 0, 1, 2, 3, 130


class UsageError(ValueError):
    """Arguments that cannot be carried out; its text is one line with a mend."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    options = build_parser().parse_args(arguments)
    output = UntilClosed(sys.stdout)
    with redirect_stdout(cast("TextIO", output)):
        status = _run(options)
        output.flush()
    return status


def _run(options: argparse.Namespace) -> int:
    try:
        load(options.command)
        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        say("interrupted: no file was left half-written")
        return INTERRUPTED
    except OSError as error:
        say(f"incomplete: {_os_error(error)}")
        return INCOMPLETE
    except ValueError as error:
        if not _is_users(error):
            raise
        say(_one_line(error))
        return USAGE


def _scan(options: argparse.Namespace) -> int:
    from pipelines.settings import ScanSettings
    from sluicegate.api import scan
    from sluicegate.options import settings_of
    from sluicegate.progress import ProgressLine

    _check_out(options.out)
    if not options.corpus and options.store is None:
        raise UsageError("nothing to scan; name a CORPUS, or an index store with --store")
    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = scan(
            options.corpus,
            options.benchmarks,
            out=options.out,
            progress=progress.show,
            **settings_of(ScanSettings, options),
        )
    _print_result(result, options)
    if not result.complete:
        say_what_was_not_read(result.report["corpus"])
    return _exit_status(result, options.fail_on)


def _calibrate(options: argparse.Namespace) -> int:
    from pipelines.settings import CalibrateSettings
    from sluicegate.api import calibrate
    from sluicegate.options import settings_of
    from sluicegate.progress import ProgressLine

    _check_out(options.out)
    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = calibrate(
            options.corpus,
            options.benchmarks,
            out=options.out,
            progress=progress.show,
            **settings_of(CalibrateSettings, options),
        )
    _print_calibration(result, options)
    if not result.calibrated:
        say(f"uncalibrated: {visible(result.report['calibration']['reason'])}")
        return INCOMPLETE
    if not result.complete:
        say_what_was_not_read(result.report["corpus"])
        return INCOMPLETE
    return DONE


def _duplicates(options: argparse.Namespace) -> int:
    from sluicegate.corpus_api import duplicates
    from sluicegate.progress import ProgressLine

    _check_out(options.out)
    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        result = duplicates(
            options.corpus,
            options.against,
            out=options.out,
            progress=progress.show_parts,
            threshold=options.threshold,
            seed=options.seed,
            store=options.store,
            **_reading(options),
        )
    _print_duplicates(result, options)
    if result.complete:
        return DONE
    for version in result.report["versions"]:
        say_what_was_not_read(version)
    return INCOMPLETE


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return how a corpus is read."""
    return {
        "text": tuple(options.text.split(",")),
        "id": options.id,
        "domain": options.domain,
        "jobs": options.jobs,
        "skip_bad": options.skip_bad,
    }


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


def _index(options: argparse.Namespace) -> int:
    from sluicegate.index_command import run_index

    return run_index(options)


def _audit(options: argparse.Namespace) -> int:
    from sluicegate.audit_command import run_audit

    _check_out(options.out)
    if not options.corpus and options.store is None:
        raise UsageError("nothing to search; name a CORPUS, or an index store with --store")
    return run_audit(options)


def _drift(options: argparse.Namespace) -> int:
    from sluicegate.drift_command import run_drift

    _check_out(options.out)
    return run_drift(options)


def _clean(options: argparse.Namespace) -> int:
    from sluicegate.clean_command import run_clean

    _check_out(Path(options.out))
    return run_clean(options)


def _gate(options: argparse.Namespace) -> int:
    from sluicegate.gate_command import run_gate

    _check_out(options.out)
    return run_gate(options)


def _flow(options: argparse.Namespace) -> int:
    from sluicegate.flow_command import run_flow_command

    if options.flow_action == "run" and hasattr(options, "out"):
        _check_out(Path(options.out))
    return run_flow_command(options)


def _policy(options: argparse.Namespace) -> int:
    from sluicegate.gate_command import run_policy

    return run_policy(options)


def _report(options: argparse.Namespace) -> int:
    from reports.render import find_report, render_file

    path = find_report(options.dir)
    if path is None:
        file = options.dir / "report.json"
        raise UsageError(f"{file}: there is no report; name the --out folder of a finished run")
    sys.stdout.write(render_file(path, options.format))
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


def _print_calibration(result: CalibrationResult, options: argparse.Namespace) -> None:
    from reports.calibration_text import render_calibration_terminal
    from reports.render import render_json

    if options.json:
        sys.stdout.write(render_json(result.report))
        return
    sys.stdout.write(render_calibration_terminal(result.report))
    print(f"\nrates: {options.out / 'calibration.parquet'}")


def _print_duplicates(result: DuplicatesResult, options: argparse.Namespace) -> None:
    from reports.duplicates_render import render_duplicates_terminal
    from reports.render import render_json

    if options.json:
        sys.stdout.write(render_json(result.report))
        return
    sys.stdout.write(render_duplicates_terminal(result.report))
    print(f"\ncopies: {options.out / 'duplicates.parquet'}")


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
    from flows.errors import FlowError
    from indexes.background import BackgroundError
    from indexes.embeddings.errors import EncoderError
    from indexes.store import StoreError
    from reports.schema import ReportError
    from scanners.patterns import PatternsError

    users = (
        BackgroundError, BenchmarkError, CorpusError, EncoderError, FlowError, PatternsError, ReportError, StoreError,
        UsageError, ValidationError,
    )  # fmt: skip
    return isinstance(error, users)


def _one_line(error: ValueError) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        first = error.errors()[0]
        option = "".join(f"--{str(part).replace('_', '-')}: " for part in first["loc"][:1])
        if first["type"] == "value_error":  # raised by our own settings: it says all
            return f"{option}{first['msg'].removeprefix('Value error, ')}"
        return f"{option}{first['msg']}, not {first['input']!r}"
    return " ".join(str(error).split())


def _os_error(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return (
        f"{place}{error.strerror or error}; nothing was left half-written: make room or access there, "
        "or name another --out or --store"
    )


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "scan": _scan,
    "calibrate": _calibrate,
    "duplicates": _duplicates,
    "index": _index,
    "audit": _audit,
    "drift": _drift,
    "gate": _gate,
    "policy": _policy,
    "clean": _clean,
    "demo": _demo,
    "report": _report,
    "doctor": _doctor,
    "flow": _flow,
}


if __name__ == "__main__":
    sys.exit(main())
