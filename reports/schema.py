"""The content of `report.json`, version 1, and the check that a file is one.

The report is the contract: every rendering is a pure function of it. `schemas/report-1.json` is the
same contract as JSON Schema, for readers that are not Python. A key may be added within a version;
one that is removed or changes its meaning makes a new version.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NotRequired, cast

from pydantic import Field, TypeAdapter, ValidationError

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

SCHEMA: Final = "sluicegate.report/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "report-1.json"

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Scalar = str | int | float | bool | None
Segment = tuple[str, bool]  # text, and whether its words are matched


class Tool(TypedDict):
    """The program that made the report."""

    name: str
    version: str


class CalibrationRate(TypedDict):
    """How often one planted form was found (`recall`, `dose`) or mistaken (`false_positive`)."""

    kind: str
    form: str
    trials: Count
    found: Count
    ci_low: Share
    ci_high: Share


class Calibration(TypedDict):
    """Whether this run measured its own recall and false-positive rate."""

    status: Literal["CALIBRATED", "UNCALIBRATED"]
    reason: str
    rates: NotRequired[list[CalibrationRate]]


class ReadProblem(TypedDict):
    """One thing that could not be read; `row` is null when it is the file as a whole."""

    shard: str
    row: Count | None
    reason: str
    mend: str


class DomainSize(TypedDict):
    """Documents and bytes of one domain of the corpus."""

    domain: str
    documents: Count
    bytes: Count


class Corpus(TypedDict):
    """What was scanned and what could not be."""

    name: str
    shards: Count
    shards_unread: Count
    documents: Count
    bytes: Count
    words: Count
    bad_documents: Count
    problems: list[ReadProblem]
    problems_not_shown: Count
    domains: list[DomainSize]


class Definition(TypedDict):
    """A word of the report and what it means."""

    term: str
    meaning: str


class UnsearchableReason(TypedDict):
    """Why items could not be searched, and how many."""

    reason: str
    items: Count


class BenchmarkSummary(TypedDict):
    """One benchmark: items by status, and how they leaked.

    `leak_types`, `presets` and `domains` count items; `items` is the sum of `searchable` and
    `unsearchable`, and `searchable` that of `contaminated`, `suspect` and `clean`.
    """

    benchmark: str
    path: str
    digest: str
    layout: str
    items: Count
    searchable: Count
    unsearchable: Count
    contaminated: Count
    suspect: Count
    clean: Count
    leak_types: dict[str, Count]
    unsearchable_reasons: list[UnsearchableReason]
    n_findings: Count
    n_documents: Count
    presets: dict[str, Count]
    domains: dict[str, Count]


class Preset(TypedDict):
    """A lab's definition of a leaked item, in words, and where it is written."""

    name: str
    rule: str
    source: str


class Example(TypedDict):
    """One finding with the two texts; offsets are characters of the raw text."""

    benchmark: str
    item_id: str
    status: Literal["contaminated", "suspect", "clean"]
    field: str
    leak_type: str
    kind: str
    scanner: NotRequired[str]  # that found it; earlier versions did not say
    score: Share
    identity: Share
    coverage: Share
    longest_run: Count
    shard: str
    row: Count
    doc_id: str | None
    domain: str | None
    item_start: Count
    item_end: Count
    doc_start: Count
    doc_end: Count
    item_segments: list[Segment]
    document_segments: list[Segment]


class Report(TypedDict):
    """The whole of `report.json`."""

    schema: Literal["sluicegate.report/1"]
    tool: Tool
    title: str
    complete: bool
    calibration: Calibration
    corpus: Corpus
    parameters: dict[str, Scalar | list[Scalar]]
    normal_form: str
    definitions: list[Definition]
    benchmarks: list[BenchmarkSummary]
    presets: list[Preset]
    findings_total: Count
    findings_shown: Count
    examples: list[Example]


class ReportError(ValueError):
    """A file that is not a report of this version; `path` is the culprit."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


def load_report(path: Path) -> Report:
    """Return the report of a scan in the file at `path`, as it was written.

    Raises:
        ReportError: as `load_checked` does.
        OSError: when the file cannot be read.
    """
    return cast("Report", load_checked(path, {SCHEMA: adapter}))


def load_checked(path: Path, contracts: Mapping[str, Callable[[], TypeAdapter[Any]]]) -> Any:
    """Return the report in the file at `path`, as it was written, checked by the contract of its schema.

    Args:
        path: the file.
        contracts: what checks a report, by the name of its schema.

    Raises:
        ReportError: when the file is not JSON, not a report, a report of another schema version,
            or a report with a missing or impossible value.
        OSError: when the file cannot be read.
    """
    text = _text(path)
    report = _parse(path, text)
    contract = contracts[_known_schema(path, report, list(contracts))]
    try:
        # From the text: strict Python mode would refuse the lists that JSON has for tuples.
        contract().validate_json(text, strict=True)
    except ValidationError as error:
        raise ReportError(path, _first_error(error)) from None
    return report


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `Report`: what `SCHEMA_FILE` holds."""
    schema = adapter().json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | schema


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ReportError(path, _not_a_report("it is not UTF-8 text")) from None


def _parse(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno} is not JSON ({error.msg})"
    except RecursionError:
        problem = "it is nested too deeply"
    raise ReportError(path, _not_a_report(problem))


def _known_schema(path: Path, report: Any, known: Sequence[str]) -> str:
    schema = report.get("schema") if isinstance(report, dict) else None
    if isinstance(schema, str) and schema in known:
        return schema
    kin = [name for name in known if str(schema).startswith(f"{_family(name)}/")]
    if not isinstance(schema, str) or not kin:
        raise ReportError(path, _not_a_report(f'it has no "schema", as in {known[0]!r}'))
    raise ReportError(
        path,
        f"report of schema {schema!r}, and this version reads {kin[0]!r}. "
        "Render it with the version that wrote it, or run it again.",
    )


def _family(schema: str) -> str:
    return schema.rpartition("/")[0]


def _not_a_report(problem: str) -> str:
    return f"not a Sluicegate report: {problem}. Give the report.json of a finished run."


def _first_error(error: ValidationError) -> str:
    first, count = error.errors(include_url=False)[0], error.error_count()
    place = ".".join(str(part) for part in first["loc"])
    more = f" ({count - 1} more)" if count > 1 else ""
    return f"damaged report: {place}: {first['msg']}{more}. Run it again to write it anew."


@cache
def adapter() -> TypeAdapter[Report]:
    """Return what checks that a value is a report of a scan."""
    return TypeAdapter(Report)
