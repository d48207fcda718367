"""The command line in the process of the tests: the same words out, without two seconds of imports.

What is about processes themselves (signals, pipes, the time to `--help`) runs the installed command.
"""

import contextlib
import io
import os
from subprocess import CompletedProcess
from unittest import mock

from sluicegate.cli import main


def run_here(*arguments, folder, environment=None):
    """Run a command in a folder; returns its exit status and what it printed."""
    words = [str(argument) for argument in arguments]
    out, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, environment or {}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            status = main(words)
        except SystemExit as left:  # argparse
            status = left.code
    return CompletedProcess(words, status, out.getvalue(), errors.getvalue())
