"""The private Prefect server of one command: it ends with the command, however that ends.

Run as `python -m flows.server_process`. It prints its port, then serves until its standard input closes:
that happens even where the parent is killed with -9, and so no server is left behind. Its database is in a
temporary folder of its own, which goes with it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import sys
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uvicorn

SHUTDOWN_S: Final = 5.0
BACKLOG: Final = 128


def main() -> None:
    """Serve until the parent has gone."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    home = Path(tempfile.mkdtemp(prefix="sluicegate-flow-"))
    servers: list[uvicorn.Server] = []
    # Before Prefect is imported, which takes seconds in which the parent may go, too.
    threading.Thread(target=_end_with_parent, args=[servers, home], daemon=True).start()
    _serve(listener, home, servers)
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)  # threads of Prefect's services may still wait for something


def _serve(listener: socket.socket, home: Path, servers: list[uvicorn.Server]) -> None:
    database = home / "prefect.db"
    os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = f"sqlite+aiosqlite:///{database}"
    os.environ["PREFECT_UI_ENABLED"] = "0"
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    import uvicorn
    from prefect.server.api.server import create_app

    _make_tables(database)
    config = uvicorn.Config(create_app(), log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    servers.append(server)
    server.run(sockets=[listener])


def _make_tables(database: Path) -> None:
    """Make an empty database: half the time of a start, so it is copied from the last one where it can."""
    import prefect
    from prefect.server.database import provide_database_interface

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    template = cache / "sluicegate" / f"prefect-{prefect.__version__}.db"
    try:
        shutil.copyfile(template, database)
    except OSError:
        asyncio.run(provide_database_interface().create_db())
        with suppress(OSError):  # no home folder, or a full one
            template.parent.mkdir(parents=True, exist_ok=True)
            copy = template.with_name(f"{template.name}.{os.getpid()}.tmp")
            with (
                closing(sqlite3.connect(database)) as made,
                closing(sqlite3.connect(copy)) as file,
            ):
                made.backup(file)
            copy.replace(template)


def _end_with_parent(servers: list[uvicorn.Server], home: Path) -> None:
    """Wait until standard input closes, then end the server; in a hard way where it takes long."""
    while os.read(0, 1024):
        pass
    for server in servers:
        server.should_exit = server.force_exit = True
    threading.Event().wait(SHUTDOWN_S if servers else 0)
    shutil.rmtree(home, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main()
