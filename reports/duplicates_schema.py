"""The content of `duplicates.json`, version 1: what `sluicegate duplicates` found, in counts.

`schemas/duplicates-1.json` is the same contract as JSON Schema. A key may be added within a version; one
that is removed or changes its meaning makes a new version.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

from reports.schema import Count, Definition, ReadProblem, Scalar, Share, Tool

SCHEMA: Final = "sluicegate.duplicates/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "duplicates-1.json"

VersionName = Literal["baseline", "candidate"]


class CurvePoint(TypedDict):
    """How surely a pair of a similarity is found: it shares a band; it is linked as well."""

    jaccard: Share
    shares_band: Share
    linked: Share


class Counts(TypedDict):
    """Documents of a version or a domain; all but `documents` and `bytes` are among `documents`.

    `clusters` are those of two documents or more that have one here. `kept_exact`, `kept_near`,
    `unmatched` and `without_words` add up to `documents`; the first three are null where there is one
    version only.
    """

    documents: Count
    bytes: Count
    without_words: Count
    exact_duplicates: Count
    near_duplicates: Count
    duplicate_bytes: Count
    clusters: Count
    kept_exact: Count | None
    kept_near: Count | None
    unmatched: Count | None


class VersionSummary(Counts):
    """One version: what was read of it and what is duplicate within it."""

    version: VersionName
    name: str
    shards: Count
    shards_unread: Count
    words: Count
    bad_documents: Count
    problems: list[ReadProblem]
    problems_not_shown: Count


class DomainSummary(Counts):
    """One domain of one version."""

    version: VersionName
    domain: str


class DomainPair(TypedDict):
    """Clusters of the candidate that have documents of both domains."""

    domain: str
    other_domain: str
    clusters: Count


class LargeCluster(TypedDict):
    """One of the largest clusters of the candidate: its size and its first document."""

    documents: Count
    exact_duplicates: Count
    domains: Count
    shard: str
    row: Count
    doc_id: str | None
    domain: str | None
    excerpt: str


class ProvenPair(TypedDict):
    """A linked pair that was read again."""

    shard: str
    row: Count
    other_shard: str
    other_row: Count
    estimate: Share
    jaccard: Share


class Proof(TypedDict):
    """What linked pairs, drawn at random, are on the words of their texts.

    Errors are those of the estimates: their mean, and the root of the mean square beside what theory
    gives for pairs of these similarities; null where no pair was read.
    """

    near_pairs: Count
    near_confirmed: Count
    ci_low: Share
    ci_high: Share
    least_jaccard: Share | None
    mean_error: float | None
    rms_error: float | None
    expected_rms_error: float | None
    exact_pairs: Count
    exact_confirmed: Count
    unread: Count
    weakest: list[ProvenPair]


class DuplicatesReport(TypedDict):
    """The whole of `duplicates.json`."""

    schema: Literal["sluicegate.duplicates/1"]
    tool: Tool
    title: str
    complete: bool
    normal_form: str
    parameters: dict[str, Scalar]
    s_curve: list[CurvePoint]
    versions: list[VersionSummary]
    domains: list[DomainSummary]
    domains_not_shown: Count
    domain_pairs: list[DomainPair]
    domain_pairs_not_shown: Count
    largest_clusters: list[LargeCluster]
    proof: Proof
    definitions: list[Definition]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the report: what `SCHEMA_FILE` holds."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | adapter().json_schema()


@cache
def adapter() -> TypeAdapter[DuplicatesReport]:
    """Return what checks that a value is a report."""
    return TypeAdapter(DuplicatesReport)
