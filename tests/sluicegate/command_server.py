"""Runs the command line in processes of its own that start at once, for the tests that kill them.

Imports and loads kernels, then reads from stdin, one JSON list a line: `["start", arguments, most_bytes]`
forks a process that runs the command (files of at most so many bytes, if not null) and answers its number;
`["wait", number]` answers how it ended (negative for a signal) and what it said.
"""

import json
import os
import resource
import sys

import numpy as np

import sluicegate
from indexes.background import load_background
from indexes.fingerprints import common_seeds, fingerprint
from sluicegate import cli

said_by = {}  # number of a process: where what it says is read from


def load():
    """Load what a build needs; no thread is started, since forks follow."""
    text = np.frombuffer(b"one two three four five six seven", np.uint8)
    fingerprint(text, np.array([0, len(text)]), common_seeds(load_background()))
    assert sluicegate.build_index


def start(arguments, most_bytes):
    said, say = os.pipe()  # what is said is short and finds room
    process = os.fork()
    if process:
        os.close(say)
        said_by[process] = said
        return process
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(say, 1)
    os.dup2(say, 2)
    if most_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    try:
        status = cli.main(arguments)
    except BaseException:  # noqa: BLE001 - whoever waits is told
        sys.excepthook(*sys.exc_info())
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def wait(process):
    _, status = os.waitpid(process, 0)
    with os.fdopen(said_by.pop(process)) as said:
        return os.waitstatus_to_exitcode(status), said.read()


if __name__ == "__main__":
    load()
    for line in sys.stdin:
        action, *arguments = json.loads(line)
        answer = {"start": start, "wait": wait}[action](*arguments)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
