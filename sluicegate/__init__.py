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
    from sluicegate.corpus_api import clean, drift, duplicates
    from sluicegate.index_api import (
        build_embeddings,
        build_index,
        build_profiles,
        build_signatures,
    )

__all__ = [
    "__version__", "audit", "build_embeddings", "build_index", "build_profiles", "build_signatures",
    "calibrate", "clean", "drift", "duplicates", "gate", "scan",
]  # fmt: skip
__version__ = "0.1.0"
HOMES = {
    "audit": "api", "calibrate": "api", "gate": "api", "scan": "api", "clean": "corpus_api",
    "drift": "corpus_api", "duplicates": "corpus_api", "build_embeddings": "index_api",
    "build_index": "index_api", "build_profiles": "index_api", "build_signatures": "index_api",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Import the API when it is first asked for, so that `sluicegate --help` stays fast."""
    if name in HOMES:
        return getattr(importlib.import_module(f"sluicegate.{HOMES[name]}"), name)
    raise AttributeError(f"module 'sluicegate' has no attribute {name!r}")
