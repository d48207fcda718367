"""A folder for files that a run needs while it lasts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

NAME: Final = ".sluicegate-work"


@contextmanager
def working_folder(inside: Path | None) -> Iterator[Path]:
    """Yield an empty folder that is removed afterwards; with None it is among the temporary files.

    In a folder of the user it has a fixed name, so that the next run removes what a killed one left:
    one run at a time may work there. A folder that was made for it goes with it if it stays empty.

    Raises:
        OSError: where it cannot be made, or writing into it fails; the error names it.
    """
    if inside is None:
        with tempfile.TemporaryDirectory(prefix="sluicegate-") as name:
            yield Path(name)
        return
    is_new = not inside.exists()
    folder = inside / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    except OSError as error:
        if error.filename is None:  # a full disk names no file
            raise OSError(error.errno, error.strerror or str(error), str(folder)) from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                inside.rmdir()
