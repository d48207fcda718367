"""Builders of small stores, in this process and in others that may be killed."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BUILDER = Path(__file__).with_name("store_builder.py")


@pytest.fixture(scope="session")
def builder():
    """The module `store_builder`: what the shards of the tests hold, and how they are built."""
    spec = importlib.util.spec_from_file_location("store_builder", BUILDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Processes:
    """Starts functions of `store_builder` in processes of their own."""

    def __init__(self):
        self._server = subprocess.Popen(
            [sys.executable, BUILDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, name, *arguments):
        """The number of a new process."""
        return self._ask("start", name, [str(a) if isinstance(a, Path) else a for a in arguments])

    def wait(self, process):
        """How it ended: 0, or minus the signal."""
        return self._ask("wait", process)

    def _ask(self, *command):
        print(json.dumps(command), file=self._server.stdin, flush=True)
        return int(self._server.stdout.readline())

    def close(self):
        """End; processes that were started and not waited for go on."""
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()


@pytest.fixture(scope="session")
def processes():
    """`start(name, *arguments)` and `wait(process)`."""
    server = Processes()
    yield server
    server.close()
