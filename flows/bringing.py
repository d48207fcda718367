"""Bringing a corpus into an index store: a task for each batch of shards, then the version.

The store is the truth about what is done. A task looks there first; a run after one that was killed
builds what is missing.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from uuid import UUID

from prefect import task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.futures import PrefectFuture
from prefect.runtime import task_run

from corpora.shards import Columns, Shard, resolve
from flows.batches import absolute, anywhere, batches_of
from flows.defaults import TASK
from flows.engines import Engine, open_engine
from flows.names import artifact_key, corpus_name
from flows.options import RunOptions
from flows.steps import Brought, index_batch, tool_version
from flows.storage import RETRIES, UnreadError, unread_at_urls
from indexes.store import Store
from pipelines.gate_settings import GateSettings
from pipelines.index import Built, IndexSettings, build_index, refuse_store_within
from pipelines.settings import ScanSettings

Reading = ScanSettings | GateSettings


def bring(
    corpus: Sequence[str], store: str, settings: IndexSettings, options: RunOptions
) -> tuple[Brought, Built]:
    """Bring a corpus into a store; return what was brought, and the version as `build_index` does.

    Called in a flow. Raises what `build_index` raises, and ClusterError.
    """
    shards = plan_shards(corpus, store, settings)
    with open_engine(options) as engine, Store.open(store, create=True).building():
        batches = batches_of(
            [anywhere(shard) for shard in shards], engine.slots, options.task_bytes
        )
        single = settings.model_copy(update={"jobs": 1})
        brought = _run(batches, absolute(store), single, engine, corpus_name(corpus))
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


@task(name="plan", **TASK)
def plan_shards(corpus: Sequence[str], store: str, settings: IndexSettings) -> list[Shard]:
    """List the shards of a corpus."""
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    refuse_store_within(corpus, shards, store)
    return shards


@task(name="bring", task_run_name="bring batch {number}", **TASK)
def bring_batch(
    number: int, shards: Sequence[Shard], store: str, settings: IndexSettings, engine: Engine
) -> Brought:
    """Bring a batch of shards into the store, wherever the engine runs the step."""
    del number  # it is in the name
    brought = engine.call(index_batch, shards, store, settings, tool_version())
    unread = unread_at_urls(brought.problems)
    if unread and (task_run.run_count or 1) <= RETRIES:
        raise UnreadError(unread)  # after the last try the run goes on, and ends incomplete
    return brought


@task(name="version", **TASK)
def write_version(corpus: Sequence[str], store: str, settings: IndexSettings) -> Built:
    """Write the manifest; what a batch could not bring is tried once more."""
    return build_index(corpus, store, settings, tool_version=tool_version())


def _run(
    batches: Sequence[list[Shard]], store: str, settings: IndexSettings, engine: Engine, name: str
) -> Brought:
    """Run a task for each batch, as many at a time as the engine has slots; the first error ends it."""
    finished: queue.SimpleQueue[PrefectFuture[Brought]] = queue.SimpleQueue()
    key = artifact_key("index", "progress", name)
    progress = create_progress_artifact(0.0, key=key, description=f"{len(batches)} batches")
    assert isinstance(progress, UUID), "it is a coroutine only where a loop runs"
    brought = Brought()
    under_way, number = 0, 0
    error: BaseException | None = None
    while under_way or (number < len(batches) and error is None):
        if number < len(batches) and under_way < engine.slots and error is None:
            future = bring_batch.submit(number, batches[number], store, settings, engine)
            future.add_done_callback(finished.put)
            under_way, number = under_way + 1, number + 1
            continue
        done = finished.get()
        under_way -= 1
        try:
            brought += done.result()
        except Exception as raised:  # noqa: BLE001 - raised below, when the others have ended
            error = error or raised
        update_progress_artifact(progress, 100.0 * (number - under_way) / len(batches))
    if error is not None:
        raise error
    return brought
