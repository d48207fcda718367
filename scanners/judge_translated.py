"""Windows that are translations of questions, as evidence and verdicts like those of other scanners.

Nothing need be equal in the two texts but numbers and names: the runs of the evidence are these, and the
report marks them in both texts. The leak type is `question`, or `template` where the numbers are others; the
kind is `semantic`, and the scanner is called `translation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import Words, words
from indexes.background import Background
from scanners.fields import Role
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE, Judged, LeakType, Status
from scanners.judge_reworded import best_places, told_before
from scanners.loci import N_COLUMNS, Evidence
from scanners.ngram import N_BESIDE, Beside, Scanned
from scanners.patterns import Patterns
from scanners.translated import Searched
from scanners.translation_evidence import TEMPLATE_SCORE, shares_of, translation_scores

LEAST_QUESTIONS: Final = (
    20  # of a benchmark; of fewer it cannot be told what their siblings are like
)
TELLING_BITS: Final = 6.0  # of a word that is no number, to be told as common to both texts


class Hit(NamedTuple):
    """A window that may say what a question says."""

    document: int
    pattern: int
    first_char: int
    last_char: int
    score: float
    template: bool


def judge_translated(
    data: np.ndarray,
    bounds: np.ndarray,
    searched: Sequence[Searched],
    patterns: Patterns,
    items: Sequence[Item],
    background: Background,
    known: Sequence[tuple[Scanned, Judged]],
) -> tuple[Scanned, Judged]:
    """Judge what was found of each benchmark in documents `data[bounds[d]:bounds[d + 1]]`.

    `known` is what the scanners before said to the same documents, the n-gram scanner first.
    """
    hits = sorted(_hits(data, searched, items, background))
    scanned = _evidence(data, bounds, hits, patterns, background)
    judged = _every_owner(hits, patterns)
    locus = scanned.evidence
    places = np.stack(
        [
            locus.document[judged.evidence],
            patterns.owners.item[judged.owner],
            locus.word_start[judged.evidence],
            locus.word_end[judged.evidence],
        ],
        axis=1,
    ).astype(np.int64)
    kept = best_places(places, judged.status, judged.score)
    for number, (before, verdicts) in enumerate(known):
        kept &= ~told_before(places, judged.status, before, verdicts, patterns, settles=number == 0)
    return scanned, Judged(*(column[kept] for column in judged))


def _hits(
    data: np.ndarray, searched: Sequence[Searched], items: Sequence[Item], background: Background
) -> Iterator[Hit]:
    """Yield the windows that are at least suspect."""
    for found in searched:
        shares, has_numbers = shares_of(found, data, items, background)
        _, score, template = translation_scores(shares, has_numbers)
        if len(found.questions.item) < LEAST_QUESTIONS:
            score = np.minimum(score, TEMPLATE_SCORE)
        sentences, candidates = found.sentences, found.candidates
        for row in np.flatnonzero(score >= SUSPECT_SCORE).tolist():
            first, last = candidates.first[row], candidates.last[row] - 1
            yield Hit(
                int(sentences.document[first]),
                int(found.questions.pattern[candidates.question[row]]),
                int(sentences.first_char[first]),
                int(sentences.last_char[last]),
                float(score[row]),
                bool(template[row]),
            )


def _every_owner(hits: Sequence[Hit], patterns: Patterns) -> Judged:
    """Judge each hit for every item that has the question."""
    rows = []
    owners = patterns.owners
    for row, hit in enumerate(hits):
        leak_type = LeakType.TEMPLATE if hit.template else LeakType.QUESTION
        status = Status.CONTAMINATED if hit.score >= CONTAMINATED_SCORE else Status.SUSPECT
        for owner in range(int(owners.first[hit.pattern]), int(owners.first[hit.pattern + 1])):
            if owners.role[owner] == Role.QUESTION:
                rows.append((row, owner, leak_type, status, hit.score))
    columns = zip(*rows, strict=True) if rows else ((),) * 5
    types = (np.int64, np.int64, np.int8, np.int8, np.float64)
    return Judged(*(np.array(c, t) for c, t in zip(columns, types, strict=True)))


def _evidence(
    data: np.ndarray,
    bounds: np.ndarray,
    hits: Sequence[Hit],
    patterns: Patterns,
    background: Background,
) -> Scanned:
    """Return where the hits are, and which numbers and rare words they share with their questions."""
    rows = np.zeros((len(hits), N_COLUMNS), np.int64)
    runs: list[tuple[int, int, int]] = []
    document, spelled = -1, Words(*(np.zeros(0, np.int64) for _ in range(3)))
    for number, hit in enumerate(hits):
        if document != hit.document:
            document = hit.document
            spelled = words(data[bounds[document] : bounds[document + 1]].tobytes().decode())
        start = int(np.searchsorted(spelled.starts, hit.first_char))
        end = int(np.searchsorted(spelled.starts, hit.last_char))
        low, high = patterns.index.starts[hit.pattern], patterns.index.starts[hit.pattern + 1]
        ours, theirs = patterns.index.words[low:high], spelled.hashes[start:end]
        own_runs = _shared(ours, theirs, background)
        matched = np.array([a + k for a, _, n in own_runs for k in range(n)], np.int64)
        row = {
            "document": document, "pattern": hit.pattern, "item_start": 0, "item_end": high - low,
            "word_start": start, "word_end": end, "document_words": len(spelled.hashes),
            "units": patterns.weights[low:high][matched].sum(), "ask_units": 0,
            "matched": len(matched), "columns": max(len(ours), len(theirs)),
            "longest_run": max([n for _, _, n in own_runs], default=0),
            "numbers_matched": np.count_nonzero(ours[matched] & np.uint64(1)),
            "numbers_swapped": 0, "swapped_units": 0,
            "run_start": len(runs), "run_end": len(runs) + len(own_runs),
        }  # fmt: skip
        rows[number] = [row[name] for name in Evidence._fields]
        runs += [(a, start + b, n) for a, b, n in own_runs]
    return Scanned(
        Evidence(*np.ascontiguousarray(rows.T)),
        Beside(*np.zeros((N_BESIDE, 0), np.int64)),
        np.array(runs, np.int64).reshape(-1, 3),
        0,  # counted by the scanners before
    )


def _shared(
    ours: np.ndarray, theirs: np.ndarray, background: Background
) -> list[tuple[int, int, int]]:
    """Return runs of numbers and rare words that stand in both, in order: word, word, length."""
    with np.errstate(divide="ignore"):
        rare = -np.log2(background.rate_of(ours)) >= TELLING_BITS
    telling = ours[rare | (ours & np.uint64(1) == 1)]
    at_ours = np.flatnonzero(np.isin(ours, telling))
    at_theirs = np.flatnonzero(np.isin(theirs, telling))
    matcher = SequenceMatcher(None, ours[at_ours].tolist(), theirs[at_theirs].tolist(), False)
    runs: list[tuple[int, int, int]] = []
    for block in matcher.get_matching_blocks():
        for k in range(block.size):
            a, b = int(at_ours[block.a + k]), int(at_theirs[block.b + k])
            if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (a, b):
                runs[-1] = (*runs[-1][:2], runs[-1][2] + 1)
            else:
                runs.append((a, b, 1))
    return runs
