"""Sluicegate keeps leaked benchmarks and silent drift out of LLM training data.

    import sluicegate

    result = sluicegate.scan("corpus/*.parquet", "gsm8k_test.jsonl")
    result.contaminated()

`scan` answers with polars frames, `calibrate` with the rates at which a scan finds and misses; the
command line writes the same to files. Nothing heavy is imported before they are called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluicegate.api import audit, calibrate, gate, scan
    from sluicegate.corpus_api import build_embeddings, build_index, clean, drift, duplicates

__all__ = [
    "__version__", "audit", "build_embeddings", "build_index", "calibrate", "clean", "drift",
    "duplicates", "gate", "scan",
]  # fmt: skip
__version__ = "0.1.0"
CHECKS = frozenset({"audit", "calibrate", "gate", "scan"})  # in sluicegate.api


def __getattr__(name: str) -> object:
    """Import the API when it is first asked for, so that `sluicegate --help` stays fast."""
    if name in __all__:
        home = "sluicegate.api" if name in CHECKS else "sluicegate.corpus_api"
        return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'sluicegate' has no attribute {name!r}")
