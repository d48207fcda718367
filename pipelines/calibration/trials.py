"""Trials: an item planted into a document, and what counts as found; another item each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from indexes.ngram import LONG_WORDS
from pipelines.calibration.examination import strongest_findings
from pipelines.calibration.outcomes import ALL, POSITIONS, Kind, Outcome
from pipelines.calibration.stage import Stage, batches
from pipelines.planting import Form, planted_forms
from scanners.judge import Status

VERBATIM: Final = "verbatim"  # applies to any item, in any script
DOSES: Final = {"1 copy": 1, "2 copies": 2, "4 copies": 4, "8 copies": 8}
PLAIN_BESIDE_DOSE: Final = 2  # documents without a copy among those with one
TRIED_PER_TRIAL: Final = 40  # items that are tried for one to which a form applies


@dataclass(frozen=True, slots=True)
class Planted:
    """A document to scan, and the items asked for (the second is -1 where there is one only).

    Where `place` is given, first character and the one behind the last, only what touches it counts.
    """

    text: str
    items: tuple[int, int]
    outcome: Outcome
    place: tuple[int, int] | None = None


def recall(stage: Stage, name: str, form: Form) -> Iterator[Outcome]:
    """Yield a trial for each item planted in a form: found where that is what the form expects."""
    for seen in verdicts(_recall_documents(stage, name, form), stage):
        yield replace(seen, found=_as_expected(seen, form))


def dose(stage: Stage, name: str) -> Iterator[Outcome]:
    """Plant copies of an item into as many documents; found where the scan counts as many."""
    counted: dict[int, list[Outcome]] = {}
    for seen in verdicts(_dose_documents(stage, name), stage):
        counted.setdefault(seen.item, []).append(seen)
    for documents in counted.values():
        count = sum(seen.status >= Status.SUSPECT for seen in documents)
        best = max(documents, key=lambda seen: seen.status)
        yield replace(best, position=ALL, found=count == DOSES[name])


def planted(copy: str, window: tuple[str, str]) -> str:
    """Return the document that holds a copy between the two texts of a host."""
    before, after = window
    return "\n\n".join(filter(None, (before, copy, after))) if copy else before + after


def trial(kind: Kind, form: str, item: int, position: str, guaranteed: bool = False) -> Outcome:
    """Return a trial of which nothing is found yet."""
    return Outcome(kind, form, item, position, guaranteed, Status.WEAK, "", found=False)


def _recall_documents(stage: Stage, name: str, form: Form) -> Iterator[Planted]:
    """Plant a form, each time another item, until there are enough."""
    n = 0
    items, only = stage.plan.items, form.only
    worth_trying = (i for i in stage.pool.tolist() if only is None or items[i] in only)
    for item in islice(worth_trying, TRIED_PER_TRIAL * stage.extent.trials):
        if n == stage.extent.trials:
            return
        if item in stage.held:
            continue
        host, position = stage.host_of(item), POSITIONS[n % len(POSITIONS)]
        random = stage.random_of(item, name)
        copy = form.plant(items[item], random, stage.fillers[host])
        if copy is None:
            continue
        n += 1
        promised = form.guaranteed and bool(stage.question_words[item] >= LONG_WORDS)
        text = planted(copy, stage.window(host, position))
        yield Planted(text, (item, -1), trial("recall", name, item, position, promised))


def _as_expected(outcome: Outcome, form: Form) -> bool:
    if form.expected == "contaminated" or outcome.status == Status.CONTAMINATED:
        return outcome.status == Status.CONTAMINATED
    is_template = form.expected != "template" or outcome.leak_type == "template"
    return outcome.status == Status.SUSPECT and is_template


def _dose_documents(stage: Stage, name: str) -> Iterator[Planted]:
    form = planted_forms()[VERBATIM]
    free = [item for item in stage.pool.tolist() if item not in stage.held]
    for item in free[: stage.extent.doses]:
        random = stage.random_of(item, name)
        n_documents = DOSES[name] + PLAIN_BESIDE_DOSE
        with_copy = set(random.permutation(n_documents)[: DOSES[name]].tolist())
        promised = bool(stage.question_words[item] >= LONG_WORDS)
        for document in range(n_documents):
            host = (stage.host_of(item) + document) % len(stage.hosts)
            position = POSITIONS[document % len(POSITIONS)]
            copy = form.plant(stage.plan.items[item], random, ()) if document in with_copy else ""
            text = planted(copy or "", stage.window(host, position))
            yield Planted(text, (item, -1), trial("dose", name, item, position, promised))


def verdicts(documents: Iterable[Planted], stage: Stage) -> Iterator[Outcome]:
    """Yield each document's outcome with the strongest finding of the items asked for."""
    for batch in batches(documents, lambda document: len(document.text)):
        texts = [document.text for document in batch]
        asked = np.array([document.items for document in batch], np.int64)
        places = [document.place for document in batch if document.place is not None]
        assert len(places) in (0, len(batch)), "a place for all documents or for none"
        findings = strongest_findings(texts, asked, stage.plan, stage.marks, places or None)
        found = {finding.document: finding for finding in findings}
        for number, document in enumerate(batch):
            if number not in found:
                yield document.outcome
                continue
            f = found[number]
            yield replace(document.outcome, status=f.status, leak_type=f.leak_type)
