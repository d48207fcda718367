"""Trials: an item planted into a document, and what counts as found; another item each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np

from corpora.normal_form import word_hashes
from indexes.ngram import LONG_WORDS
from indexes.seeds import seed_hashes
from pipelines.calibration.examination import strongest_findings
from pipelines.calibration.outcomes import ALL, POSITIONS, Kind, Outcome
from pipelines.calibration.stage import Stage, batches
from pipelines.planting import NULLS, Form, planted_forms
from scanners.judge import Status

VERBATIM: Final = "verbatim"  # applies to any item, in any script
SPLICED: Final = "spliced halves"
DOSES: Final = {"1 copy": 1, "2 copies": 2, "4 copies": 4, "8 copies": 8}
PLAIN_BESIDE_DOSE: Final = 2  # documents without a copy among those with one
SIBLINGS_DRAWN: Final = 16
SIBLING_SHARE: Final = 0.5  # of an item's distinct words; siblings below are other questions
SPLICED_SHARE: Final = 2 / 3  # where a benchmark repeats its sentences, halves make up a whole
HELD_GRAM, HELD_SHARE = 3, 1 / 3  # a document with this share of an item's 3-grams may hold it
TRIED_PER_TRIAL: Final = 40  # items that are tried for one to which a form applies


@dataclass(frozen=True, slots=True)
class Planted:
    """A document to scan, and the items asked for (the second is -1 where there is one only)."""

    text: str
    items: tuple[int, int]
    outcome: Outcome


def recall(stage: Stage, name: str, form: Form) -> Iterator[Outcome]:
    """Yield a trial for each item planted in a form: found where that is what the form expects."""
    for seen in _verdicts(_recall_documents(stage, name, form), stage):
        yield replace(seen, found=_as_expected(seen, form))


def false_positives(stage: Stage, name: str) -> Iterator[Outcome]:
    """Yield a trial for each null of a name: found where it was called contaminated."""
    for seen in _verdicts(_null_documents(stage, name), stage):
        yield replace(seen, found=seen.status == Status.CONTAMINATED)


def dose(stage: Stage, name: str) -> Iterator[Outcome]:
    """Plant copies of an item into as many documents; found where the scan counts as many."""
    counted: dict[int, list[Outcome]] = {}
    for seen in _verdicts(_dose_documents(stage, name), stage):
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


def _null_documents(stage: Stage, name: str) -> Iterator[Planted]:
    """Plant a null; what a host holds is told from its words, not by the scan that is measured."""
    n = 0
    for item in stage.pool[: TRIED_PER_TRIAL * stage.extent.trials].tolist():
        if n == stage.extent.trials:
            return
        host, position = stage.host_of(item), POSITIONS[n % len(POSITIONS)]
        random = stage.random_of(item, name)
        other = _sibling_of(item, stage, random)
        subject = None if other < 0 else stage.subject(other)
        copy = NULLS[name].plant(stage.subject(item), subject, random)
        window = stage.window(host, position)
        items = (item, other if name == SPLICED else -1)
        if copy is None or _may_hold("".join(window), stage.words_of(item)):
            continue
        if name == SPLICED and max(_share(one, copy, stage) for one in items) > SPLICED_SHARE:
            continue
        n += 1
        yield Planted(planted(copy, window), items, trial("false_positive", name, item, position))


def _sibling_of(item: int, stage: Stage, random: np.random.Generator) -> int:
    """Draw items of the benchmark; return the most alike below the share, -1 where there is none."""
    benchmark = stage.plan.patterns.benchmark
    first, last = np.searchsorted(benchmark, [benchmark[item], benchmark[item] + 1])
    own = set(stage.words_of(item).tolist())
    best, best_share = -1, -1.0
    for other in random.integers(first, last, SIBLINGS_DRAWN).tolist():
        share = len(own.intersection(stage.words_of(other).tolist())) / len(own) if own else 1.0
        if best_share < share < SIBLING_SHARE:
            best, best_share = other, share
    return best


def _share(item: int, text: str, stage: Stage) -> float:
    """Return the share of the distinct words of an item's question that a text has."""
    own = np.unique(word_hashes(stage.plan.items[item].question))
    return float(np.isin(own, word_hashes(text)).mean()) if len(own) else 1.0


def _may_hold(text: str, item_words: np.ndarray) -> bool:
    grams = np.unique(seed_hashes(item_words, HELD_GRAM))
    held = np.isin(grams, seed_hashes(word_hashes(text), HELD_GRAM))
    return len(grams) > 0 and float(held.mean()) >= HELD_SHARE


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


def _verdicts(documents: Iterable[Planted], stage: Stage) -> Iterator[Outcome]:
    """Yield each document's outcome with the strongest finding of the items asked for."""
    for batch in batches(documents, lambda document: len(document.text)):
        texts = [document.text for document in batch]
        asked = np.array([document.items for document in batch], np.int64)
        findings = strongest_findings(texts, asked, stage.plan, stage.marks)
        found = {finding.document: finding for finding in findings}
        for number, document in enumerate(batch):
            if number not in found:
                yield document.outcome
                continue
            f = found[number]
            yield replace(document.outcome, status=f.status, leak_type=f.leak_type)
