"""What every `run.json` begins with: the program, its libraries, the settings and the benchmarks."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel

from corpora.benchmarks import Benchmark
from corpora.normal_form import fingerprint
from pipelines.calibration.paraphrases import ParaphraseFile
from pipelines.settings import ScanSettings

RUN_SCHEMA: Final = "sluicegate.run/1"
LIBRARIES: Final = ("datasketch", "numba", "numpy", "polars", "pyarrow")


def run_head(
    settings: ScanSettings,
    benchmarks: Sequence[Benchmark],
    paraphrases: ParaphraseFile | None,
    tool_version: str,
) -> dict[str, Any]:
    """Return what was asked for and with what it was done; the caller adds what was read."""
    head = run_start(RUN_SCHEMA, settings, tool_version)
    head["benchmarks"] = [benchmark_entry(benchmark) for benchmark in benchmarks]
    if paraphrases is not None:
        head["paraphrases"] = {
            "path": paraphrases.path,
            "sha256": paraphrases.digest,
            "texts": paraphrases.n_texts,
        }
    return head


def run_start(schema: str, settings: BaseModel, tool_version: str) -> dict[str, Any]:
    """Return the program, its libraries and the settings of a run."""
    return {
        "schema": schema,
        "tool": {"name": "sluicegate", "version": tool_version},
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "normal_form": fingerprint(),
        "settings": settings.model_dump(mode="json"),
    }


def benchmark_entry(benchmark: Benchmark) -> dict[str, Any]:
    """Return which benchmark it was."""
    return {
        "name": benchmark.name,
        "path": benchmark.path,
        "sha256": benchmark.digest,
        "layout": benchmark.layout,
        "items": len(benchmark.items),
    }


def run_json(run: dict[str, Any]) -> str:
    """Return the text of run.json."""
    return json.dumps(run, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
