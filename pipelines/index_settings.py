"""What a build of an index store is told, and what it says that it did."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from corpora.problems import Problem
from indexes.store import Manifest


class IndexSettings(BaseModel):
    """Settings of a build; an unknown name is an error. `jobs` and `batch_bytes` change speed only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: tuple[str, ...] = ("text",)
    id: str | None = "id"
    domain: str | None = "domain"
    name: str | None = None  # of the version; made from the arguments and the content if None
    keep_text: bool = False  # a packed copy of the documents: checking reads no corpus
    verify: bool = False  # read every shard and every stored file again
    jobs: int = Field(default=1, ge=1)
    batch_bytes: int = Field(default=8 << 20, ge=1)


@dataclass(slots=True)
class Built:
    """What a build did: the manifest (None where something could not be read) and counts."""

    store: str
    manifest: Manifest | None = None
    shards: int = 0
    built: int = 0
    recognised: int = 0  # neither read nor built
    documents: int = 0  # of what was built
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)  # shards that could not be read at all
    bad_documents: int = 0  # of the version, whenever they were met
    broken_off: int = 0  # shards of the version that are damaged: the rest of each was not read
    mended: list[str] = field(default_factory=list)  # damage that was found and built anew
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Tell whether a version was written and all its documents could be read."""
        return self.manifest is not None and self.bad_documents == 0 and self.broken_off == 0
