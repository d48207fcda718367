"""What workers do: pure functions of shard references and settings, whose results are files in the store.

They run in a thread, a process, on Dask or on Ray, and need no Prefect there. A step may run twice at
once: the store publishes by rename and knows what it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from corpora.problems import Problem
from corpora.shards import Shard
from flows.errors import FlowError
from pipelines.index import IndexSettings, build_shards


class WorkerError(FlowError):
    """A worker cannot do its work as this program would."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a step brought into a store: counts, and the shards that could not be read."""

    shards: int = 0
    built: int = 0
    recognised: int = 0
    documents: int = 0  # of what was built
    bytes: int = 0
    problems: tuple[Problem, ...] = ()
    mended: tuple[str, ...] = ()

    def __add__(self, other: Brought) -> Brought:
        """Add up two steps."""
        return Brought(
            self.shards + other.shards,
            self.built + other.built,
            self.recognised + other.recognised,
            self.documents + other.documents,
            self.bytes + other.bytes,
            self.problems + other.problems,
            self.mended + other.mended,
        )


def tool_version() -> str:
    """Return the version of the program that is installed here."""
    return version("sluicegate")


def index_batch(
    shards: Sequence[Shard], store: str, settings: IndexSettings, expected_version: str
) -> Brought:
    """Bring what a store lacks of some shards into it.

    Raises:
        WorkerError: where another version of the program is installed than on the asking side.
        CorpusError: where a shard lacks the text column.
        StoreError: where the store cannot be used.
        OSError: where the store cannot be read or written.
    """
    if tool_version() != expected_version:
        raise WorkerError(
            f"a worker has sluicegate {tool_version()}, and {expected_version} asks; install the same on both"
        )
    built = build_shards(shards, store, settings)
    return Brought(
        shards=built.shards,
        built=built.built,
        recognised=built.recognised,
        documents=built.documents,
        bytes=built.bytes,
        problems=tuple(built.problems),
        mended=tuple(built.mended),
    )
