"""What must be set before Prefect is imported: quiet, offline, and which server. Imports no Prefect."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

from flows.errors import FlowError

API_URL: Final = "PREFECT_API_URL"
QUIET: Final = {
    "DO_NOT_TRACK": "1",  # of Prefect's client
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # a failure is told in one line, by us
    "PREFECT_LOGGING_SERVER_LEVEL": "CRITICAL",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
}
# A server for one run needs no scheduler, no look-out for late runs, no automations, no clearing up.
FEW_SERVICES: Final = {"PREFECT__SERVER_EPHEMERAL": "1"}
START_S: Final = 120.0  # a busy machine needs 20 s
STOP_S: Final = 10.0
POLL_S: Final = 0.05


class ServerError(FlowError):
    """The server cannot be used."""


@contextmanager
def prefect_server(*, schedules: bool = False) -> Iterator[str]:
    """Give the URL of the API that flows talk to: the configured one, or that of a server of our own.

    To be entered before Prefect is imported, which happens here. Our own server ends with this block, or
    with this process. It looks after `schedules` only where there are any.

    Raises:
        ServerError: where our own server cannot be started.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    url = configured_api()
    if url is not None:
        yield url
        return
    with tempfile.TemporaryFile() as said, _own_server(said, schedules=schedules) as server:
        assert server.stdout is not None, "it is a pipe"
        port = server.stdout.readline().strip()
        if not port:
            raise ServerError(_did_not_start(said))
        os.environ[API_URL] = url = f"http://127.0.0.1:{port.decode()}/api"
        try:
            importlib.import_module("flows.registry")  # Prefect among it, while the server starts
            _wait_for(url, server, said)
            yield url
        finally:
            del os.environ[API_URL]


def configured_api() -> str | None:
    """Return the URL of the server that the user has set up; None for one of our own.

    That is PREFECT_API_URL, or what `prefect config set` and `prefect cloud login` have put into the
    active profile.
    """
    if os.environ.get(API_URL):
        return os.environ[API_URL]
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    profile: dict[str, Any] = profiles.get("profiles", {}).get(active, {})
    return profile.get(API_URL)


@contextmanager
def _own_server(said: IO[bytes], *, schedules: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server; closing its standard input ends it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "flows.server_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env=os.environ | ({} if schedules else FEW_SERVICES),
        start_new_session=True,  # Ctrl-C is for us: the last states are still to be recorded
    )
    try:
        yield server
    finally:
        assert server.stdin is not None, "they are pipes"
        assert server.stdout is not None, "they are pipes"
        server.stdin.close()
        server.stdout.close()
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    """Wait until the server answers.

    Raises:
        ServerError: it has ended, or does not answer for long.
    """
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=START_S):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_S)
    raise ServerError(_did_not_start(said))


def _did_not_start(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    reason = lines[-1] if lines else "it does not answer"
    return (
        f"Prefect's server does not start: {reason}; see sluicegate doctor, or name a server that runs "
        f"with {API_URL}"
    )
