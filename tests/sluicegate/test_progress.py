"""The progress line on a terminal: what a person sees who waits."""

import io
import time

import pytest

from sluicegate import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stage", "stream", "told"),
    [
        (progress.LOADING, Terminal(), True),
        (progress.LOADING, io.StringIO(), False),
        ("indexing items", Terminal(), False),
    ],
    ids=["a terminal", "a log", "another stage"],
)
def test_kernels_that_have_to_be_compiled_are_told(stage, stream, told, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_S", 0.01)
    with progress.ProgressLine(stream, quiet=False) as line:
        line.say(stage)
        time.sleep(0.2)
    assert (progress.COMPILING in stream.getvalue()) == told


def test_kernels_that_were_loaded_in_time_are_not_told(monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE_S", 0.2)
    stream = Terminal()
    with progress.ProgressLine(stream, quiet=False) as line:
        line.say(progress.LOADING)
        line.say("scanning")
        time.sleep(0.4)
    assert progress.COMPILING not in stream.getvalue()
