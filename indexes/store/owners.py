"""Who made a temporary file or holds a lease, and whether that process still lives.

A process is named by its host, its number and the time at which it started, since numbers are given out
again. The host's name is joined by eight digits of the boot and of the process namespace: containers
that share a folder may share a host's name, and must not look up each other's process numbers.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp-"
DAY_SECONDS: Final = (
    86_400.0  # after which the work of another host's process counts as left behind
)
_NAME: Final = re.compile(
    re.escape(TEMPORARY) + r"(?P<host>[A-Za-z0-9_.]+)-(?P<pid>\d+)-(?P<started>\d+)-[0-9a-f]+"
)
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process; `started` counts clock ticks from boot, 0 where the system does not tell."""

    host: str
    pid: int
    started: int


def this_process() -> Owner:
    """Return the process that asks; after a fork it is another one."""
    return Owner(_host(), os.getpid(), _started(os.getpid()) or 0)


def temporary_name() -> str:
    """Return a new name for a temporary file or folder of this process."""
    owner = this_process()
    return f"{TEMPORARY}{owner.host}-{owner.pid}-{owner.started}-{secrets.token_hex(8)}"


def owner_of(name: str) -> Owner | None:
    """Return who made a temporary file of this name; None if the name does not tell."""
    match = _NAME.fullmatch(name)
    return match and Owner(match["host"], int(match["pid"]), int(match["started"]))


def is_at_work(owner: Owner | None, idle_seconds: float, patience_seconds: float) -> bool:
    """Tell whether a process may still go on with something it last touched so long ago.

    Of a process on this host it is known. Another host's has until the patience ends.
    """
    if owner is None or owner.host != _host():
        return idle_seconds < patience_seconds
    try:
        os.kill(owner.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's, so alive
    started = _started(owner.pid)
    if started is None or owner.started == 0:  # not told here: its number may be another's by now
        return idle_seconds < patience_seconds
    return started == owner.started


def _started(pid: int) -> int | None:
    """Return when a process started; 0 of one that is dead and not buried, None if not told."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    state, *numbers = stat.rpartition(")")[2].split()  # a command's name may hold anything
    return 0 if state in "ZX" else int(numbers[18])


@cache
def _host() -> str:
    name = socket.gethostname()
    place = "\0".join((name, _text(_PROC / "sys/kernel/random/boot_id"), _namespace()))
    tag = hashlib.sha256(place.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_.]', '_', name)[:40]}.{tag}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")  # noqa: PTH115 - it is no path, pathlib would make it one
    except OSError:
        return ""
