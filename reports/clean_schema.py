"""The content of `clean.json`, version 1: what a cleaned copy holds of the corpus, and what went.

`schemas/clean-1.json` is the same contract as JSON Schema. A key may be added within a version; one that is
removed or changes its meaning makes a new version.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

# pydantic needs this one instead of typing's before Python 3.12
from typing_extensions import TypedDict

from reports.schema import Count, Definition, Scalar, Share, Tool

SCHEMA: Final = "sluicegate.clean/1"
SCHEMA_FILE = Path(__file__).with_name("schemas") / "clean-1.json"


class Size(TypedDict):
    """Shards, documents and bytes of text."""

    shards: Count
    documents: Count
    bytes: Count


class Gone(TypedDict):
    """What is not in the copy any more.

    `documents_left_out` and `documents_cut` are those with findings; `characters` and `bytes` are all
    that went of their texts. A character that several findings name counts for the first of them.
    """

    documents_left_out: Count
    documents_cut: Count
    characters: Count


class Total(Gone):
    """All that went; `share_of_documents` counts those that are left out, readable or not."""

    documents_unreadable: Count
    bytes: Count
    share_of_documents: Share
    share_of_bytes: Share
    thin_documents: Count  # cut documents that keep less than a fifth of their characters


class BenchmarkGone(Gone):
    """What went because of one benchmark; a document may be counted for several."""

    benchmark: str
    items: Count


class DomainGone(Gone):
    """What went of one domain; `documents` and `bytes` are those before."""

    domain: str
    documents: Count
    bytes: Count
    documents_unreadable: Count
    removed_bytes: Count


class Shards(TypedDict):
    """What became of the shards; `names_left_out` names the first of those without any document left."""

    copied: Count
    rewritten: Count
    left_out: Count
    names_left_out: list[str]


class Round(TypedDict):
    """One round: findings it removed (of the corpus, then of the copy), and items found afterwards."""

    round: Count
    findings: Count
    items_remaining: Count


class Remaining(TypedDict):
    """An item that the copy still holds, and the first place of it in the corpus."""

    benchmark: str
    item_id: str
    status: Literal["contaminated", "suspect"]
    shard: str
    row: Count


class CleanReport(TypedDict):
    """The whole of `clean.json`."""

    schema: Literal["sluicegate.clean/1"]
    tool: Tool
    title: str
    clean: bool
    corpus: str
    copy: str
    findings: str
    parameters: dict[str, Scalar | list[Scalar]]
    normal_form: str
    before: Size
    after: Size
    removed: Total
    shards: Shards
    benchmarks: list[BenchmarkGone]
    domains: list[DomainGone]
    rounds: list[Round]
    remaining_total: Count
    remaining: list[Remaining]
    notes: list[str]
    definitions: list[Definition]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `CleanReport`: what `SCHEMA_FILE` holds."""
    schema = adapter().json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}"}
    return head | schema


@cache
def adapter() -> TypeAdapter[CleanReport]:
    """Return what checks and describes a report."""
    return TypeAdapter(CleanReport)
