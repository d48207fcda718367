"""The content of a gate's `report.json`, version 1: the verdict, its reasons, every rule's result.

`schemas/verdict-1.json` is the same contract as JSON Schema. A key may be added within a version; one
that is removed or changes its meaning makes a new version. Shares are in [0, 1]; what a number is in
stands in `unit`.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

from reports.schema import Count, Definition, Share, Tool

SCHEMA: Final = "sluicegate.verdict/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "verdict-1.json"

Outcome = Literal["pass", "warn", "fail", "incomplete"]
Status = Literal["pass", "warn", "fail", "waived", "incomplete", "skipped"]
ScopeKind = Literal["whole", "benchmark", "domain", "token", "version", "waiver", "entry"]
Unit = Literal["share", "points", "items", "tokens", "factor", "bits per token", "none"]
EvidenceKind = Literal["item", "token", "domain", "problem", "reason"]
Line = Annotated[int, Field(ge=1)]


class Place(TypedDict):
    """A line of a file that a reader can change."""

    file: str
    line: Line


class Scope(TypedDict):
    """What a rule was applied to; `name` is empty for the whole."""

    kind: ScopeKind
    name: str


class Evidence(TypedDict):
    """One thing that shows a result: an item and its document, a token, a domain, what was unread."""

    kind: EvidenceKind
    name: str
    text: str
    shard: str | None
    row: Count | None
    doc_id: str | None
    domain: str | None
    excerpt: str | None
    place: Place | None  # the source in the mix


class Result(TypedDict):
    """One rule in one scope.

    `limit` is the one that was broken, or the next one; `floor` is how far the measured value lies
    apart between random halves of the same documents; `past` is the distance past the limit in units
    of the limit. `fingerprint` names rule and scope, whatever was measured.
    """

    rule: str
    family: str
    scope: Scope
    status: Status
    sentence: str
    unit: Unit
    measured: float | None
    limit: float | None
    floor: float | None
    past: float
    evidence: list[Evidence]
    evidence_total: Count
    command: str
    place: Place | None
    fingerprint: str


class Reason(TypedDict):
    """Why the verdict is not `pass`; `also` are lesser results on the same thing."""

    rule: str
    scope: Scope
    status: Literal["fail", "incomplete", "warn"]
    sentence: str
    command: str
    also: list[str]  # rules, in the same scope


class WaiverState(TypedDict):
    """A waiver as the policy has it, and what it did; `days_left` is negative once it has lapsed."""

    rule: str
    benchmark: str | None
    domain: str | None
    item: str | None
    token: str | None
    reason: str
    owner: str
    expires: str
    in_force: bool
    days_left: int
    results: list[str]  # "rule, scope" of what it waived, or would have
    items: Count
    place: Place | None


class JudgedBenchmark(TypedDict):
    """A benchmark, and what the scan found of it."""

    benchmark: str
    digest: str
    items: Count
    searchable: Count
    contaminated: Count
    suspect: Count
    unsearchable: Count


class Judged(TypedDict):
    """What was judged, by what: enough to file the verdict."""

    mix: str
    name: str
    shards: Count
    shards_unread: Count
    documents: Count
    bad_documents: Count
    bytes: Count
    words: Count
    normal_form: str
    calibration: Literal["CALIBRATED", "UNCALIBRATED"]
    baseline: str | None
    policy: str
    policy_file: str
    policy_digest: str
    benchmarks: list[JudgedBenchmark]


class DomainMove(TypedDict):
    """A domain's shares in both versions, by the measure of the policy."""

    domain: str
    baseline: Share
    candidate: Share
    change: float
    floor: float


class DriftPart(TypedDict):
    """What moved, in short; all of it is in the drift report."""

    measure: str
    domains: list[DomainMove]  # the largest changes
    domains_not_shown: Count
    statements: list[str]


class Verdict(TypedDict):
    """The whole of a gate's `report.json`."""

    schema: Literal["sluicegate.verdict/1"]
    tool: Tool
    title: str
    verdict: Outcome
    exit_status: Literal[0, 1, 3]
    date: str  # of the judgement: waivers hold or lapse by it
    judged: Judged
    counts: dict[Status, Count]
    reasons: list[Reason]
    results: list[Result]
    waivers: list[WaiverState]
    drift: DriftPart | None
    definitions: list[Definition]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the verdict: what `SCHEMA_FILE` holds."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | adapter().json_schema()


@cache
def adapter() -> TypeAdapter[Verdict]:
    """Return what checks that a value is a verdict."""
    return TypeAdapter(Verdict)
