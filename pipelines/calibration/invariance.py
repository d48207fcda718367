"""Invariance: the same planted documents, cut, ordered and shared out in other ways.

The documents are first examined in one batch; then in small batches of another order, or on several
threads at once. Every finding must be the same, but for the number of the document in its batch: what
a scanner carries from one document to the next, or shares between threads, shows here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import cycle, islice
from operator import attrgetter
from typing import Any, Final

import numpy as np

from pipelines.calibration.examination import all_findings
from pipelines.calibration.outcomes import POSITIONS, Outcome
from pipelines.calibration.stage import Stage
from pipelines.calibration.trials import VERBATIM, planted, trial
from pipelines.planting import Form
from scanners.findings import Finding

OTHER_SHARDS, OTHER_WORKERS = "other shards", "other workers"
MOST_IN_BATCH: Final = 5  # documents; from 1 on
WORKERS: Final = 4
BATCHES_PER_WORKER: Final = 4  # so that threads meet each other in every state

INVARIANCES: Final = {
    OTHER_SHARDS: f"in another order and batches of at most {MOST_IN_BATCH}",
    OTHER_WORKERS: f"on {WORKERS} threads",
}

# A finding but for the number of its document in the batch.
_CONTENT: Final = attrgetter(*(one.name for one in fields(Finding) if one.name != "document"))

Cut = list[list[int]]  # documents of each batch


def same_findings(stage: Stage, name: str, forms: Mapping[str, Form]) -> Iterator[Outcome]:
    """Yield a trial for each document: found where the other way gives the same findings."""
    documents = list(_documents(stage, name, forms))
    texts = [text for text, _ in documents]
    whole = _examined(texts, [list(range(len(texts)))], stage, workers=1)
    cut, workers = _other_way(name, len(texts), stage.seed)
    other = _examined(texts, cut, stage, workers)
    for number, (_, outcome) in enumerate(documents):
        status, leak_type = _strongest(whole[number], outcome)
        is_same = _comparable(whole[number]) == _comparable(other[number])
        yield replace(outcome, status=status, leak_type=leak_type, found=is_same)


def _documents(stage: Stage, name: str, forms: Mapping[str, Form]) -> Iterator[tuple[str, Outcome]]:
    """Plant another item each time, the forms taking turns, so that findings are of all kinds."""
    free = (item for item in stage.pool.tolist() if item not in stage.held)
    chosen = islice(free, stage.extent.trials)
    for n, (item, form) in enumerate(zip(chosen, cycle(forms.values()), strict=False)):
        host, position = stage.host_of(item), POSITIONS[n % len(POSITIONS)]
        random = stage.random_of(item, name)
        copy = None
        for one in (form, forms[VERBATIM]):  # which applies to all
            copy = copy or one.plant(stage.plan.items[item], random, stage.fillers[host])
        text = planted(copy or "", stage.window(host, position))
        yield text, trial("invariance", name, item, position)


def _other_way(name: str, documents: int, seed: int) -> tuple[Cut, int]:
    """Return how the documents are cut into batches, and on how many threads those are examined."""
    if name == OTHER_WORKERS:
        order = np.arange(documents)
        parts = np.array_split(order, min(documents, WORKERS * BATCHES_PER_WORKER) or 1)
        return [part.tolist() for part in parts], WORKERS
    random = np.random.default_rng(seed)
    order = random.permutation(documents)
    sizes = random.integers(1, MOST_IN_BATCH + 1, documents)  # more than are needed
    parts = np.split(order, np.cumsum(sizes))
    return [part.tolist() for part in parts if len(part)], 1


def _examined(texts: Sequence[str], cut: Cut, stage: Stage, workers: int) -> list[list[Finding]]:
    """Return the findings of each text, examined in the batches of a cut."""

    def examine(batch: list[int]) -> list[Finding]:
        return all_findings([texts[number] for number in batch], stage.plan, stage.marks)

    if workers == 1:
        told = [examine(batch) for batch in cut]
    else:
        with ThreadPoolExecutor(workers) as pool:
            told = list(pool.map(examine, cut))
    found: list[list[Finding]] = [[] for _ in texts]
    for batch, findings in zip(cut, told, strict=True):
        for finding in findings:
            found[batch[finding.document]].append(finding)
    return found


def _comparable(findings: Sequence[Finding]) -> list[tuple[Any, ...]]:
    return sorted(map(_CONTENT, findings))


def _strongest(findings: Sequence[Finding], outcome: Outcome) -> tuple[int, str]:
    own = [finding for finding in findings if finding.item == outcome.item]
    best = max(own, key=lambda finding: (finding.status, finding.score), default=None)
    if best is None:
        return outcome.status, outcome.leak_type
    return best.status, best.leak_type
