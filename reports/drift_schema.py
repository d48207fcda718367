"""The content of a drift run's `report.json`, version 1: what moved between two data versions.

`schemas/drift-1.json` is the same contract as JSON Schema. A key may be added within a version; one
that is removed or changes its meaning makes a new version. Shares are in [0, 1], changes are
candidate minus baseline, lengths are in tokens of the report's `unit`.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NotRequired

from pydantic import TypeAdapter

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

from reports.schema import Count, Definition, ReadProblem, Scalar, Share, Tool

SCHEMA: Final = "sluicegate.drift/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "drift-1.json"

VersionName = Literal["baseline", "candidate"]
Measure = Literal["documents", "bytes", "tokens"]
ChangeKind = Literal["riser", "faller", "vanished", "new"]
DomainState = Literal["kept", "new", "vanished", "below minimum"]
EvidenceGrade = Literal["A", "B", "C"]

# Names of divergences that renderings look for.
TOTAL_VARIATION: Final = "total variation"
WITHIN_DOMAINS: Final = "total variation within domains"


class DriftVersion(TypedDict):
    """One version: what was read of it, unweighted; `weighted` tells that a mix's weights apply below."""

    version: VersionName
    name: str
    shards: Count
    shards_unread: Count
    documents: Count
    bytes: Count
    words: Count
    tokens: Count
    weighted: bool
    bad_documents: Count
    problems: list[ReadProblem]
    problems_not_shown: Count


class Statement(TypedDict):
    """One of the things that the reader should know first, in order of weight.

    `subject` and `text` read as one sentence (`docs` `moved: 26.94% to 20.74% of tokens`), `evidence` is by
    how much against the floor, `look` goes on from "look at". `is_alarm` is False
    where something is worth a line although it is no alarm.
    """

    kind: Literal["domain", "tokens", "exposure", "documents", "whole"]
    subject: str
    text: str
    evidence: str
    look: str
    is_alarm: bool


class DomainChange(TypedDict):
    """One domain by one measure. `floor` is how far the share moves between random halves."""

    domain: str
    measure: Measure
    baseline: Share
    candidate: Share
    change: float
    relative: float | None  # change / baseline; null for a new domain
    ci_low: float
    ci_high: float
    floor: float
    state: DomainState
    alarm: bool
    alarm_from: NotRequired[float]  # least |change| that is an alarm; without it, `floor`


class Divergence(TypedDict):
    """One number for a whole change, beside the same number between random halves (the A/A floor).

    `excess` is what is left over the mean of the halves, `ratio` that in their standard deviations.
    """

    name: str
    unit: str  # "share", "bits", "nats"
    observed: float
    floor_mean: float
    floor: float  # 99 % of random halves stay below
    excess: float
    ratio: float | None
    alarm: bool


class MeasureDrift(TypedDict):
    """The domain mix as a whole by one measure."""

    measure: Measure
    divergences: list[Divergence]


class TokenChange(TypedDict):
    """One token; shares of all tokens of its version. `within` holds the domain mix fixed."""

    token_id: Count
    token: str
    baseline: Share
    candidate: Share
    log2_ratio: float | None  # null where one of them is 0
    within_log2_ratio: float | None
    z: float
    q_value: Share
    df_baseline: float
    df_candidate: float
    change_kind: ChangeKind
    domain: str  # where most of the change within domains is
    domain_share: Share  # of that change
    excerpt: str | None


class TokenDriftSummary(TypedDict):
    """Token frequencies: the whole change, its two parts, and the tokens that moved."""

    vocabulary: Count
    tested: Count
    divergences: list[Divergence]  # of the whole change, and of the part within domains
    moved: float  # total variation of the whole change
    mix: float  # total variation of the part that the domain mix explains
    within: float
    alarms: dict[ChangeKind, Count]
    shown: list[TokenChange]  # the strongest of each kind
    detectable: list[
        tuple[Count, float]
    ]  # document frequency -> least |log2 ratio| seen with power 0.8


class DomainTokens(TypedDict):
    """How much of the change of token frequencies lies in one domain."""

    domain: str
    mix: float  # part of the total variation, additive over domains
    within: float
    floor: float
    alarm: bool


class Driver(TypedDict):
    """A token or domain and its part of a change in bits per token."""

    name: str
    bits: float


class DomainEffect(TypedDict):
    """What a benchmark is made of, and what a domain's change would do by published elasticities."""

    domain: str
    composition: Share
    baseline: Share  # of the version's tokens
    candidate: Share
    loss: float | None  # nats; expected change of the loss on that domain's text
    published: str | None  # the published domain that the elasticity was measured on


class Hypothesis(TypedDict):
    """What the change may do to a benchmark: a hypothesis, never a finding."""

    direction: Literal["worse", "better", "none"]
    text: str
    grade: EvidenceGrade
    evidence: str
    effects: list[DomainEffect]


class BenchmarkExposure(TypedDict):
    """How well each version covers what a benchmark is made of, in bits per token: less is better."""

    benchmark: str
    items: Count
    tokens: Count
    baseline_bits: float
    candidate_bits: float
    change: float
    ci_low: float
    ci_high: float
    floor: float
    alarm: bool
    alarm_from: NotRequired[float]  # least |change| that is an alarm; without it, `floor`
    driver_tokens: list[Driver]
    driver_domains: list[Driver]
    vanished: list[str]
    hypothesis: Hypothesis


class ShapeBin(TypedDict):
    """One bin of a histogram: shares of both versions."""

    label: str
    baseline: Share
    candidate: Share


class Shape(TypedDict):
    """A histogram of both versions: lengths, scripts, kinds of characters.

    `unit` is what the labels of the bins count where they are ranges (`words`), `ordered` that the bins
    stand in an order of their own, as lengths do.
    """

    name: str
    unit: str
    bins: list[ShapeBin]
    divergence: Divergence
    ordered: NotRequired[bool]


class CopyShare(TypedDict):
    """Share of documents that are copies of another, by sketch, with standard errors."""

    kind: Literal["exact", "near"]
    baseline: Share
    candidate: Share
    baseline_error: float
    candidate_error: float
    alarm: bool


class ClassifiedShare(TypedDict):
    """A domain's share of documents as a classifier says it, and corrected for its confusions."""

    version: VersionName
    domain: str
    observed: Share
    corrected: Share | None
    error: float | None


class DomainOrigin(TypedDict):
    """Where domains came from: a column, rules or a classifier, and how often the last is right."""

    kind: Literal["column", "rules", "classifier"]
    file: str | None
    digest: str | None
    accuracy: Share | None  # on held-out examples
    accuracy_low: Share | None
    accuracy_high: Share | None
    held_out: Count | None
    note: str | None  # why shares could not be corrected, or that rules fit nothing
    shares: list[ClassifiedShare]


class DriftReport(TypedDict):
    """The whole of a drift run's `report.json`."""

    schema: Literal["sluicegate.drift/1"]
    tool: Tool
    title: str
    complete: bool
    alarms: Count
    normal_form: str
    unit: str  # "words", or the name of the tokenizer
    unit_digest: str | None
    parameters: dict[str, Scalar]
    versions: list[DriftVersion]
    statements: list[Statement]
    origin: DomainOrigin
    domains: list[DomainChange]
    domains_not_shown: Count
    mix: list[MeasureDrift]
    tokens: TokenDriftSummary
    domain_tokens: list[DomainTokens]
    exposure: list[BenchmarkExposure]
    shapes: list[Shape]
    copies: list[CopyShare]
    definitions: list[Definition]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the report: what `SCHEMA_FILE` holds."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | adapter().json_schema()


@cache
def adapter() -> TypeAdapter[DriftReport]:
    """Return what checks that a value is a report."""
    return TypeAdapter(DriftReport)
