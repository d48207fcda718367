"""Loading what a command is made of, without the garbage collector.

Imports and kernels make some 200,000 objects that stay until the end, and nothing to throw away. Python's
collector goes through them again and again meanwhile, and once more at the end: a sixth of the time of a
scan of few documents. So it rests while the modules of a command load, and what they made is frozen
(`gc.freeze`): collections pass over it. For processes that are ours only, so the API has no part in it.
"""

from __future__ import annotations

import atexit
import gc
import sys
from importlib import import_module
from typing import Final

# What each command is mostly made of; what is not named here is imported all the same, later.
MODULES: Final[dict[str, tuple[str, ...]]] = {
    "scan": ("sluicegate.api", "pipelines.scan"),
    "calibrate": ("sluicegate.api", "pipelines.calibrate"),
    "duplicates": ("sluicegate.corpus_api", "pipelines.duplicates"),
    "index": ("sluicegate.index_api", "pipelines.index"),
    "audit": ("sluicegate.api", "pipelines.audit"),
    "drift": ("sluicegate.corpus_api", "pipelines.drift"),
    "gate": ("sluicegate.api", "pipelines.gate"),
    "clean": ("sluicegate.corpus_api", "pipelines.clean"),
    "demo": ("sluicegate.api", "pipelines.scan"),
}


def load(command: str) -> None:
    """Import the modules of a command, and keep the collector from ever going through them."""
    names = [name for name in MODULES.get(command, ()) if name not in sys.modules]
    if not names:
        return
    was_on = gc.isenabled()
    gc.disable()
    try:
        for name in names:
            import_module(name)
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
    atexit.register(
        gc.freeze
    )  # before the interpreter's last collection: the system takes all back
