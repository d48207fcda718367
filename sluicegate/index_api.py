"""The public Python API, what a corpus brings into an index store. See `sluicegate.api`.

Each imports its pipeline when it is called: an index waits for no SciPy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipelines.drift_settings import DriftSettings
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress
from sluicegate import __version__
from sluicegate.paths import PathLike, listed


def build_index(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Build what an index store lacks of a corpus; `scan([], benchmarks, store=...)` checks against it.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index_settings.IndexSettings`: text, id, domain, name, keep_text,
            verify, jobs.

    Returns:
        The manifest of the version and what was built, with the shards that could not be read.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used, or has another version of this name.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    from pipelines import index

    return index.build_index(
        listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def build_embeddings(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    model: PathLike = "static",
    device: str = "auto",
    codes: str = "sq8",
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Embed what an index store lacks of a corpus, so that scans of it find what items mean.

    The version of the index itself is made by `build_index`.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        model: "static" for the table that ships; else a sentence-transformers model, its name or folder.
        device: auto, cpu or cuda; static vectors are made on the processor.
        codes: how a vector is kept: "sq8", a byte a number, or "rabitq", a bit.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index_settings.IndexSettings`: text, id, domain, verify, jobs.

    Returns:
        The manifest of the version of embeddings and what was built.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used.
        EncoderError: where a library, the model or the device is missing.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    from pipelines import stored_embeddings

    return stored_embeddings.build_embeddings(
        listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        stored_embeddings.window_model(os.fspath(model), device),
        kind=codes,
        tool_version=__version__,
        progress=progress,
    )


def build_signatures(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Sign what an index store lacks of a corpus, so that `duplicates(..., store=...)` signs nothing.

    The version of the index itself is made by `build_index`.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index_settings.IndexSettings`: text, id, domain, verify, jobs.

    Returns:
        The manifest of the version of signatures and what was built.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where the store cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    from pipelines import stored_signatures

    return stored_signatures.build_signatures(
        listed(corpus),
        os.fspath(store),
        IndexSettings(**settings),
        tool_version=__version__,
        progress=progress,
    )


def build_profiles(
    corpus: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    tokenizer: PathLike | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    **settings: Any,
) -> Built:
    """Profile what an index store lacks of a corpus, so that `drift(..., store=...)` reads nothing of it.

    They are found again by `drift` and `gate` with the same columns and the same tokenizer; with rules or
    examples that tell domains those make profiles of their own. The version of the index itself is made by
    `build_index`.

    Args:
        corpus: path, glob, folder, URL or mix.yaml, or several of them.
        store: folder or URL of the store; made where there is none.
        tokenizer: a tokenizer.json whose tokens are counted; words are where there is none.
        progress: called as the build goes on.
        settings: the fields of `pipelines.index_settings.IndexSettings`: text, id, domain, verify, jobs.

    Returns:
        The manifest of the version of profiles and what was built.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column, or the tokenizer cannot
            be read.
        StoreError: where the store cannot be used.
        pydantic.ValidationError: where a setting is unknown or has a value that it cannot have.
        OSError: where the store cannot be written.
    """
    from pipelines import stored_profiles
    from pipelines.drift_unit import profile_step

    own = IndexSettings(**settings)
    counted = DriftSettings(
        tokenizer=None if tokenizer is None else Path(tokenizer), batch_bytes=own.batch_bytes
    )
    return stored_profiles.build_profiles(
        listed(corpus),
        os.fspath(store),
        own,
        profile_step(counted),
        tool_version=__version__,
        progress=progress,
    )
