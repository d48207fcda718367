"""Controls: what must not count as an item, and what the documents hold as they are.

Each document is its own control: the scan has seen it before anything was planted. A null is to blame for
what touches its text, and it is not planted where the document is called contaminated with its items
already. What is found in a document as it is may be a leak or a false alarm:

* where the words of the item are there, it holds them, and nothing is to be learnt from it;
* where they are not, a finding of shared runs of words is false;
* of rewordings, translations and renamed code the words say nothing: that is undecided, neither counted
  as false nor kept quiet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import compress
from typing import Final

import numpy as np

from corpora.normal_form import word_hashes
from indexes.seeds import seed_hashes
from pipelines.calibration.examination import strength
from pipelines.calibration.outcomes import POSITIONS, Outcome
from pipelines.calibration.stage import Stage
from pipelines.calibration.trials import TRIED_PER_TRIAL, Planted, planted, trial, verdicts
from pipelines.planting import NULLS
from scanners.examine import NGRAM
from scanners.findings import FIELDS, Finding
from scanners.judge import Status

SPLICED, PLAIN, AS_IT_IS = "spliced halves", "plain document", "document as it is"
SIBLINGS_DRAWN: Final = 16
SIBLING_SHARE: Final = 0.5  # of an item's distinct words; siblings below are other questions
SPLICED_SHARE: Final = 2 / 3  # where a benchmark repeats its sentences, halves make up a whole
HELD_GRAM, HELD_SHARE = 3, 1 / 3  # a document with this share of an item's 3-grams may hold it


def false_positives(stage: Stage, name: str) -> Iterator[Outcome]:
    """Yield a trial for each null of a name: found where it was called contaminated.

    With the plain documents come the undecided ones, where there are any.
    """
    if name == PLAIN:
        yield from _plain_documents(stage)
        return
    for seen in verdicts(_null_documents(stage, name), stage):
        yield replace(seen, found=seen.status == Status.CONTAMINATED)


def _null_documents(stage: Stage, name: str) -> Iterator[Planted]:
    """Plant a null where the document does not hold its items, by its words and by what was found."""
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
        if copy is None or _may_hold(stage.text(host, position), stage.words_of(item)):
            continue
        if name == SPLICED and max(_share(one, copy, stage) for one in items) > SPLICED_SHARE:
            continue
        if any(_alarms(stage.found_in(host, position, one)) for one in items):
            continue
        n += 1
        text = planted(copy, window)
        first = text.index(copy, len(window[0]))
        outcome = trial("false_positive", name, item, position)
        yield Planted(text, items, outcome, (first, first + len(copy)))


def _plain_documents(stage: Stage) -> Iterator[Outcome]:
    """Yield trials of documents with nothing planted, as the scan saw them already."""
    plain: list[Outcome] = []
    undecided: list[Outcome] = []
    for item in stage.pool[: TRIED_PER_TRIAL * stage.extent.trials].tolist():
        if len(plain) == stage.extent.trials:
            break
        host, position = stage.host_of(item), POSITIONS[len(plain) % len(POSITIONS)]
        text, found = stage.text(host, position), stage.found_in(host, position, item)
        alarms = _alarms(found)
        by_words = [alarm for alarm in alarms if alarm.scanner == NGRAM]
        if _may_hold(text, stage.words_of(item)) or _holds_field(text, item, by_words, stage):
            continue
        seen = trial("false_positive", PLAIN, item, position)
        if found:
            best = max(found, key=strength)
            seen = replace(seen, status=best.status, leak_type=best.leak_type)
        is_undecided = bool(alarms) and not by_words
        undecided.append(
            replace(
                seen,
                kind="undecided",
                form=AS_IT_IS,
                found=is_undecided,
                room=stage.room(item, text),
            )
        )
        if not is_undecided:
            plain.append(replace(seen, found=bool(alarms)))
    yield from plain
    if any(one.found for one in undecided):
        yield from undecided


def _alarms(found: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.status == Status.CONTAMINATED]


def _holds_field(text: str, item: int, alarms: Sequence[Finding], stage: Stage) -> bool:
    """Return whether a text may hold one of the fields of an item that alarms name."""
    fields = stage.plan.patterns.fields
    first, last = np.searchsorted(fields.item, [item, item + 1]).tolist()
    named = {alarm.field for alarm in alarms}
    own = [FIELDS[role] in named for role in fields.role[first:last].tolist()]
    return any(
        _may_hold(text, fields.words[fields.starts[row] : fields.starts[row + 1]])
        for row in compress(range(first, last), own)
    )


def _may_hold(text: str, item_words: np.ndarray) -> bool:
    grams = np.unique(seed_hashes(item_words, HELD_GRAM))
    held = np.isin(grams, seed_hashes(word_hashes(text), HELD_GRAM))
    return len(grams) > 0 and float(held.mean()) >= HELD_SHARE


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
