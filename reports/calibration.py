"""The content of `calibration.json`, version 1: what `sluicegate calibrate` measured, and on what.

The contract is kept as that of the report is (see `reports.schema`): `schemas/calibration-1.json` is
the same as JSON Schema, a key may be added within a version, and one that is removed or changes its
meaning makes a new version. The rates by length and position stand in `calibration.parquet`.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

from reports.schema import Calibration, Count, ReadProblem, Tool

SCHEMA: Final = "sluicegate.calibration/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "calibration-1.json"


class Hosts(TypedDict):
    """The documents that leaks were planted into, and what was read of the corpus to draw them."""

    name: str
    hosts: Count
    documents_read: Count
    bytes_read: Count
    bad_documents: Count
    shards_read: Count
    shards: Count
    problems: list[ReadProblem]
    problems_not_shown: Count


class PlantedBenchmark(TypedDict):
    """A benchmark whose items were planted; `items` counts unsearchable ones, too."""

    benchmark: str
    path: str
    digest: str
    items: Count
    searchable: Count


class SuppliedParaphrases(TypedDict):
    """The file of paraphrases; `items` are those that have one."""

    path: str
    digest: str
    texts: Count
    items: Count


class CalibrationReport(TypedDict):
    """The whole of `calibration.json`."""

    schema: Literal["sluicegate.calibration/1"]
    tool: Tool
    complete: bool
    calibration: Calibration
    size: Literal["quick", "full"]
    seed: Count
    scanners: list[str]
    normal_form: str
    corpus: Hosts
    benchmarks: list[PlantedBenchmark]
    paraphrases: SuppliedParaphrases | None


def calibration_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `CalibrationReport`: what `SCHEMA_FILE` holds."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | adapter().json_schema()


@cache
def adapter() -> TypeAdapter[CalibrationReport]:
    """Return what checks that a value is a calibration."""
    return TypeAdapter(CalibrationReport)
