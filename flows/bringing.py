"""Bringing what is made of shards into an index store: a task for each batch of them.

The store is the truth about what is done. A task looks there first; a run after one that was killed
builds what is missing.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.futures import PrefectFuture
from prefect.runtime import task_run
from prefect.utilities.annotations import quote

from corpora.shards import Columns, Shard, resolve
from flows.batches import absolute, anywhere, batches_of
from flows.defaults import TASK
from flows.engines import open_engine
from flows.errors import FlowError
from flows.names import artifact_key, corpus_name
from flows.options import RunOptions
from flows.resources import gpus_of
from flows.steps import Brought, Expected, index_batch, profile_batch, tool_version
from flows.storage import RETRIES, UnreadError, unread_at_urls
from indexes.store import Store
from pipelines.drift_settings import DriftSettings
from pipelines.drift_unit import profile_step
from pipelines.gate_settings import GateSettings
from pipelines.index import build_index, refuse_store_within
from pipelines.index_settings import Built, IndexSettings
from pipelines.settings import ScanSettings
from pipelines.shard_index import recipe
from pipelines.stored_profiles import is_kept, recipe_of

Reading = ScanSettings | GateSettings
Searching = TypeVar("Searching", bound=ScanSettings)
PROGRESS_S: Final = 2.0  # between updates in the server, each of which costs a request


def bring(
    corpus: Sequence[str], store: str, settings: IndexSettings, options: RunOptions
) -> tuple[Brought, Built]:
    """Bring a corpus into a store; return what was brought, and the version as `build_index` does.

    Called in a flow. Raises what `build_index` raises, and ClusterError.
    """
    shards = plan_shards(corpus, store, settings)
    expected = Expected(tool_version(), recipe(keep_text=settings.keep_text))
    single = settings.model_copy(update={"jobs": 1})
    brought = bring_batches(
        "index", shards, index_batch, store, single, expected, options, corpus_name(corpus)
    )
    return brought, write_version(corpus, store, settings.model_copy(update={"verify": False}))


def bring_version(
    corpus: Sequence[str], store: str, settings: Reading, options: RunOptions
) -> str | None:
    """Bring a corpus, read as the settings say, into a store; return its version, None if unreadable."""
    wanted = IndexSettings(
        text=settings.text,
        id=settings.id,
        domain=settings.domain,
        jobs=settings.jobs,
        batch_bytes=settings.batch_bytes,
    )
    _, built = bring(corpus, store, wanted, options)
    return None if built.manifest is None else built.manifest.name


def searched_through(
    corpus: Sequence[str], settings: Searching, options: RunOptions
) -> tuple[list[str], Searching]:
    """Bring a corpus into the store of the settings; return what to search then, and with what settings.

    That is the version in the store. Where some of the corpus cannot be read there is none, and the
    corpus itself is searched: that tells what. Without a corpus or a store nothing is brought.
    """
    if not corpus or settings.store is None:
        return list(corpus), settings
    version = bring_version(corpus, settings.store, settings, options)
    if version is None:
        return list(corpus), settings.model_copy(update={"store": None, "version": None})
    return [], settings.model_copy(update={"version": version})


def bring_profiles(
    corpora: Sequence[Sequence[str]], settings: DriftSettings, options: RunOptions
) -> Brought:
    """Bring the profiles of versions into the store of the settings; the comparison then finds them there.

    Nothing is brought where there is no store, or domains depend on the paths of shards: profiles are
    not kept then.

    Raises what `pipelines.profiles.profile_version` raises, and FlowError where a cluster was asked for
    that would have nothing to do.
    """
    if settings.store is None:
        return Brought()
    planned = plan_profiles(corpora, settings)
    if planned is None:
        if options.runner != "local":
            raise FlowError(
                f"--runner {options.runner}: domains that depend on the paths of shards are not kept in a "
                "store, so its workers would have nothing to do; leave it out, or let --domain-rules look "
                "at ids and the domain column"
            )
        return Brought()
    shards, expected = planned
    name = corpus_name([argument for corpus in corpora for argument in corpus])
    single = settings.model_copy(update={"jobs": 1})
    return bring_batches(
        "profile", shards, profile_batch, settings.store, single, expected, options, name
    )


@task(name="plan", task_run_name="plan", **TASK)
def plan_shards(corpus: Sequence[str], store: str, settings: IndexSettings) -> list[Shard]:
    """List the shards of a corpus."""
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    refuse_store_within(corpus, shards, store)
    return shards


@task(name="plan profiles", task_run_name="plan profiles", **TASK)
def plan_profiles(
    corpora: Sequence[Sequence[str]], settings: DriftSettings
) -> tuple[list[Shard], Expected] | None:
    """List the shards of all versions, each once, and what is made of them; None if it is not kept."""
    step = profile_step(settings)
    if not is_kept(step):
        return None
    assert settings.store is not None, "there is a store"
    columns = Columns(settings.text, settings.id, settings.domain)
    shards: dict[Shard, None] = {}
    for corpus in corpora:
        own = resolve(corpus, columns)
        refuse_store_within(corpus, own, settings.store)
        shards.update(dict.fromkeys(replace(shard, weight=1.0) for shard in own))
    return list(shards), Expected(tool_version(), recipe_of(step))


class Batch:
    """Some shards, and how they are brought; remembers what earlier tries have built."""

    def __init__(
        self, shards: Sequence[Shard], bring: Callable[[Sequence[Shard]], Brought]
    ) -> None:
        self._shards = shards
        self._bring = bring
        self._before = Brought()

    def bring(self) -> Brought:
        """Bring them; what was built before counts as built, too."""
        brought, before = self._bring(self._shards), self._before
        brought = replace(
            brought,
            built=brought.built + before.built,
            recognised=brought.recognised - before.built,
            documents=brought.documents + before.documents,
            bytes=brought.bytes + before.bytes,
        )
        self._before = brought
        return brought


@task(name="bring", task_run_name="{what} batch {number}", **TASK)
def bring_batch(what: str, number: int, batch: Batch) -> Brought:
    """Bring a batch of shards into the store."""
    del what, number  # they are in the name
    brought = batch.bring()
    unread = unread_at_urls(brought.problems)
    if unread and (task_run.run_count or 1) <= RETRIES:
        raise UnreadError(unread)  # after the last try the run goes on, and ends incomplete
    return brought


@task(name="version", task_run_name="version", **TASK)
def write_version(corpus: Sequence[str], store: str, settings: IndexSettings) -> Built:
    """Write the manifest; what a batch could not bring is tried once more."""
    return build_index(corpus, store, settings, tool_version=tool_version())


def bring_batches(
    what: str,
    shards: Sequence[Shard],
    step: Callable[..., Brought],
    store: str,
    settings: IndexSettings | DriftSettings,
    expected: Expected,
    options: RunOptions,
    name: str,
) -> Brought:
    """Run a step for all shards in batches, and let nobody prune the store meanwhile."""
    gpus = gpus_of(settings)
    where = absolute(store)
    with open_engine(options) as engine, Store.open(store, create=True).building():
        slots = engine.slots(gpus)

        def bring(batch: Sequence[Shard]) -> Brought:
            own = (batch, where, settings, expected, engine.patience_s)
            return engine.call(step, *own, gpus=gpus)

        places = [anywhere(shard) for shard in shards]
        batches = [Batch(own, bring) for own in batches_of(places, slots, options.task_bytes)]
        return _add_up(what, batches, slots, name)


def _add_up(what: str, batches: Sequence[Batch], slots: int, name: str) -> Brought:
    """Run a task for each batch, so many at a time; the first error ends it when the others have ended."""
    finished: queue.SimpleQueue[PrefectFuture[Brought]] = queue.SimpleQueue()
    progress = _Progress(what, name, len(batches))
    brought = Brought()
    under_way, number = 0, 0
    error: BaseException | None = None
    while under_way or (number < len(batches) and error is None):
        if number < len(batches) and under_way < slots and error is None:
            # Quoted: Prefect would look through it for results of other tasks.
            batch: Any = quote(batches[number])
            future = bring_batch.submit(what, number, batch)
            future.add_done_callback(finished.put)
            under_way, number = under_way + 1, number + 1
            continue
        done = finished.get()
        under_way -= 1
        try:
            brought += done.result()
        except Exception as raised:  # noqa: BLE001 - raised below, when the others have ended
            error = error or raised
        progress.show(number - under_way)
    if error is not None:
        raise error
    return brought


class _Progress:
    """How many batches are done, in the server."""

    def __init__(self, what: str, name: str, batches: int) -> None:
        self._batches = batches
        key = artifact_key(what, "progress", name)
        made: Any = create_progress_artifact(0.0, key=key, description=f"{batches} batches")
        assert isinstance(made, UUID), "it is a coroutine only where a loop runs"
        self._artifact = made
        self._shown = time.monotonic()

    def show(self, done: int) -> None:
        """Show how many are done, not more often than makes sense to a reader."""
        if done == self._batches or time.monotonic() - self._shown >= PROGRESS_S:
            self._shown = time.monotonic()
            update_progress_artifact(self._artifact, 100.0 * done / self._batches)
