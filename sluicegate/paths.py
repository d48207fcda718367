"""How the Python API takes paths: one, or several."""

from __future__ import annotations

import os
from collections.abc import Sequence

PathLike = str | os.PathLike[str]


def listed(paths: PathLike | Sequence[PathLike]) -> list[str]:
    """Return one path, or several, as a list of strings."""
    return [
        os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)
    ]
