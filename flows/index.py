"""The flow of `sluicegate index build`."""

from dataclasses import replace

# Annotations stay objects: Prefect cannot resolve their names in the processes of `serve`.
from prefect import flow

from flows.bringing import bring
from flows.defaults import FLOW
from flows.embedding import bring_embeddings
from flows.limits import within_limit
from flows.names import corpus_name
from flows.options import RunOptions
from flows.outcomes import DONE, INCOMPLETE, Outcome
from flows.steps import Brought
from flows.telling import finish
from pipelines.index_settings import Built, IndexSettings
from pipelines.stored_embeddings import EmbeddingSettings


@flow(name="index", **FLOW)
@within_limit
def index_flow(
    corpus: list[str],
    store: str,
    settings: IndexSettings = IndexSettings(),  # noqa: B008 - frozen
    embeddings: EmbeddingSettings | None = None,
    options: RunOptions = RunOptions(),  # noqa: B008 - frozen
    skip_bad: bool = False,
) -> Outcome:
    """Bring what a store lacks of a corpus into it, and write the manifest of its version.

    With `embeddings` the vectors of its windows, too, where the whole corpus could be read.

    Raises:
        UnmetError: where something could not be read.
    """
    brought, built = bring(corpus, store, settings, options)
    outcome = _outcome(corpus, store, brought, built, skip_bad=skip_bad)
    if embeddings is not None and built.manifest is not None:
        vectors, embedded = bring_embeddings(corpus, store, embeddings, options)
        outcome = _with_embeddings(outcome, vectors, embedded)
    return finish(outcome, options)


def _with_embeddings(outcome: Outcome, brought: Brought, embedded: Built) -> Outcome:
    """Return the outcome with what was embedded; incomplete where something changed meanwhile."""
    facts = {
        **outcome.facts,
        "embeddings": None if embedded.manifest is None else embedded.manifest.name,
        "embedded": brought.built + embedded.built,
    }
    if embedded.manifest is not None:
        return replace(outcome, facts=facts)
    headline = f"no version of embeddings was written: {embedded.problems[0]}"
    return replace(
        outcome, facts=facts, verdict="incomplete", exit_status=INCOMPLETE, headline=headline
    )


def _outcome(
    corpus: list[str], store: str, brought: Brought, built: Built, *, skip_bad: bool
) -> Outcome:
    new = brought.built + built.built
    headline = f"{built.shards:,} shards: {new:,} indexed, {built.shards - new:,} there already"
    if built.problems:
        problem = built.problems[0]
        headline = f"no version was written: {problem}"
    elif built.broken_off:
        headline = f"{built.broken_off:,} shards are damaged and were read in part"
    elif built.bad_documents and not skip_bad:
        headline = f"{built.bad_documents:,} documents could not be read"
    complete = built.complete or (skip_bad and built.manifest is not None and not built.broken_off)
    return Outcome(
        flow="index",
        corpus=corpus_name(corpus),
        verdict="complete" if complete else "incomplete",
        exit_status=DONE if complete else INCOMPLETE,
        headline=headline,
        facts={
            "store": store,
            "version": None if built.manifest is None else built.manifest.name,
            "shards": built.shards,
            "built": new,
            "recognised": built.shards - new - len(built.problems),
            "documents_read": brought.documents + built.documents,
            "bytes_read": brought.bytes + built.bytes,
            "bad_documents": built.bad_documents,
            "broken_off": built.broken_off,
            "unread": len(built.problems),
        },
    )
