"""Names that people read in Prefect: of runs and of artifacts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, Final

from prefect.runtime import flow_run

from corpora.mix import is_mix, read_mix
from corpora.problems import CorpusError
from flows.errors import FlowError
from flows.newest import versions_to_compare

MOST_CHARS: Final = 120
KEPT_PARTS: Final = 2  # of a path: the file or glob and its folder, which is mostly the version


def corpus_name(corpus: Sequence[str] | str) -> str:
    """Return the name and version of a mix, or the ends of the paths."""
    paths = [corpus] if isinstance(corpus, str) else list(corpus)
    names = [_name(path) for path in paths[:KEPT_PARTS]]
    more = f" and {len(paths) - len(names)} more" if len(paths) > len(names) else ""
    return f"{', '.join(names)}{more}"[:MOST_CHARS]


def run_name() -> str:
    """Return the name of the flow run that is starting: the flow, the corpus and its version."""
    return name_of(flow_run.flow_name or "flow", flow_run.parameters)


def name_of(flow: str, parameters: Mapping[str, Any]) -> str:
    """Return the name of a run of these parameters."""
    if "candidate" in parameters:
        return f"{flow} {_two_versions(parameters)}"
    settings = parameters.get("settings") or {}
    settings = settings if isinstance(settings, dict) else settings.model_dump()
    corpus = parameters.get("mix") or parameters.get("corpus") or settings.get("store") or ""
    version = settings.get("name") or settings.get("version")
    return " ".join(filter(None, (flow, corpus_name(corpus), version)))


def artifact_key(*words: str) -> str:
    """Return a key of an artifact: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")[:MOST_CHARS]


def _two_versions(parameters: Mapping[str, Any]) -> str:
    told = [parameters.get(name) for name in ("baseline", "candidate", "newest_of")]
    try:
        return " to ".join(corpus_name(side) for side in versions_to_compare(*told))
    except (FlowError, CorpusError, OSError):  # the run itself says what is wrong
        return corpus_name(str(told[2]))


def _name(path: str) -> str:
    if is_mix(path):
        with suppress(CorpusError, OSError):  # the pipeline says what is wrong with it
            mix = read_mix(path)
            return f"{mix.name} {mix.version}"
    return "/".join(PurePosixPath(path.partition("?")[0]).parts[-KEPT_PARTS:])
