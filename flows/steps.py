"""What workers do: pure functions of shard references and settings, whose results are files in the store.

They run in a thread, a process, on Dask or on Ray, and need no Prefect there. A step may run twice at
once: the store publishes by rename and knows what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from corpora.problems import Problem
from corpora.shards import Shard
from flows.errors import FlowError
from indexes.store import Recipe
from pipelines.drift_settings import DriftSettings
from pipelines.index import build_shards
from pipelines.index_settings import Built, IndexSettings
from pipelines.shard_builder import MOST_WAIT_S
from pipelines.shard_index import recipe
from pipelines.stored_profiles import profile_shards, recipe_of

if TYPE_CHECKING:
    from pipelines.stored_embeddings import EmbeddingSettings

PATIENCE_S = MOST_WAIT_S  # of steps on this machine, where it is known who still lives


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

    @staticmethod
    def of(built: Built) -> Brought:
        """Return what a build did."""
        return Brought(
            shards=built.shards,
            built=built.built,
            recognised=built.recognised,
            documents=built.documents,
            bytes=built.bytes,
            problems=tuple(built.problems),
            mended=tuple(built.mended),
        )

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


@dataclass(frozen=True, slots=True)
class Expected:
    """What the asking side is: a worker that differs would build what nobody looks for."""

    version: str  # of the program
    recipe: Recipe  # of what is built

    def check_version(self) -> None:
        """Refuse a worker with another version of the program.

        Raises:
            WorkerError: with both versions.
        """
        if tool_version() != self.version:
            raise WorkerError(
                f"a worker has sluicegate {tool_version()}, and {self.version} asks; install the same on both"
            )

    def check(self, own: Recipe) -> None:
        """Refuse a worker that would build something else.

        Raises:
            WorkerError: with what differs.
        """
        self.check_version()
        if own != self.recipe:
            raise WorkerError(
                "a worker would build something else than is asked for: the packages it has, or the files of "
                f"tokenizer, rules or examples that it reads, differ ({own.fingerprints!r}, not "
                f"{self.recipe.fingerprints!r})"
            )


def index_batch(
    shards: Sequence[Shard],
    store: str,
    settings: IndexSettings,
    expected: Expected,
    patience_s: float = PATIENCE_S,
    *,
    tell: Callable[[object], None] = lambda _: None,
) -> Brought:
    """Bring the indexes that a store lacks of some shards into it.

    Raises:
        WorkerError: where this worker would build something else than is expected.
        CorpusError: where a shard lacks the text column.
        StoreError: where the store cannot be used.
        OSError: where the store cannot be read or written.
    """
    expected.check(recipe(keep_text=settings.keep_text))
    return Brought.of(build_shards(shards, store, settings, most_wait_s=patience_s, progress=tell))


def embed_batch(
    shards: Sequence[Shard],
    store: str,
    settings: EmbeddingSettings,
    expected: Expected,
    patience_s: float = PATIENCE_S,
    *,
    tell: Callable[[object], None] = lambda _: None,
) -> Brought:
    """Bring the vectors that a store lacks of some shards into it.

    Raises: as `index_batch`; StoreError also where this worker has another model, EncoderError where it
    has none, or no FAISS.
    """
    from pipelines.stored_embeddings import embed_shards, window_model

    expected.check_version()  # and `embed_shards` holds the recipe against this worker's model
    model = window_model(settings.embedding_model, settings.device)
    return Brought.of(
        embed_shards(
            shards, store, settings, model, expected.recipe, most_wait_s=patience_s, progress=tell
        )
    )


def profile_batch(
    shards: Sequence[Shard],
    store: str,
    settings: DriftSettings,
    expected: Expected,
    patience_s: float = PATIENCE_S,
    *,
    tell: Callable[[object], None] = lambda _: None,
) -> Brought:
    """Bring the profiles that a store lacks of some shards into it.

    Raises: as `index_batch`; CorpusError also where a tokenizer, rules or examples cannot be read.
    """
    from pipelines.drift_unit import (
        profile_step,
    )  # and SciPy: what workers of an index do not wait for

    step = profile_step(settings)
    expected.check(recipe_of(step))
    return Brought.of(
        profile_shards(
            shards, store, step, jobs=settings.jobs, most_wait_s=patience_s, progress=tell
        )
    )
