"""Bringing vectors of a corpus's windows into an index store: one training, then a task for each batch."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from flows.bringing import bring_batches, plan_shards
from flows.defaults import TASK
from flows.names import corpus_name
from flows.options import RunOptions
from flows.steps import Brought, Expected, embed_batch, tool_version
from indexes.store import Recipe
from pipelines.index_settings import Built
from pipelines.stored_embeddings import (
    EmbeddingSettings,
    build_embeddings,
    trained_recipe,
    window_model,
)


def bring_embeddings(
    corpus: Sequence[str], store: str, settings: EmbeddingSettings, options: RunOptions
) -> tuple[Brought, Built]:
    """Bring the vectors of a corpus into a store; return what was brought, and the version of them.

    Called in a flow. Raises what `pipelines.stored_embeddings.build_embeddings` raises, and ClusterError.
    """
    recipe = train_vectors(corpus, store, settings)
    expected = Expected(tool_version(), recipe)
    single = settings.model_copy(update={"jobs": 1})
    shards = plan_shards(corpus, store, settings)
    name = corpus_name(corpus)
    brought = bring_batches("embed", shards, embed_batch, store, single, expected, options, name)
    again = settings.model_copy(update={"verify": False})
    return brought, write_embeddings(corpus, store, again, recipe)


@task(name="train", task_run_name="train", **TASK)
def train_vectors(corpus: Sequence[str], store: str, settings: EmbeddingSettings) -> Recipe:
    """Train what the vectors of all shards begin with, from a sample, where the store has nothing."""
    shards = plan_shards.fn(corpus, store, settings)
    model = window_model(settings.embedding_model, settings.device)
    return trained_recipe(shards, store, model, settings.codes)


@task(name="embeddings", task_run_name="embeddings", **TASK)
def write_embeddings(
    corpus: Sequence[str], store: str, settings: EmbeddingSettings, recipe: Recipe
) -> Built:
    """Write the manifest; what a batch could not bring is tried once more."""
    return build_embeddings(
        corpus,
        store,
        settings,
        window_model(settings.embedding_model, settings.device),
        kind=settings.codes,
        recipe=recipe,
        tool_version=tool_version(),
    )
