"""What the rules of `scanners.judge` look at: evidence spread over the items that own its pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scanners.fields import Role
from scanners.ngram import Scanned
from scanners.patterns import Layout, Patterns


@dataclass(frozen=True, slots=True)
class OwnedRows:
    """Evidence by owner of its pattern: one row for each (locus, item and field)."""

    evidence: np.ndarray
    owner: np.ndarray
    beside: np.ndarray  # row of Beside or -1


def by_owner(scanned: Scanned, patterns: Patterns) -> OwnedRows:
    """Spread evidence over the owners of its pattern, in order of document, item and place."""
    pattern = scanned.evidence.pattern
    first, last = patterns.owners.first[pattern], patterns.owners.first[pattern + 1]
    count = last - first
    evidence = np.repeat(np.arange(len(pattern)), count)
    owner = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
    is_question = np.isin(patterns.owners.role[owner], (Role.QUESTION, Role.COMPOSITE))
    beside = np.full(len(owner), -1, np.int64)
    beside[is_question] = np.arange(np.count_nonzero(is_question))
    locus = scanned.evidence
    order = np.lexsort(
        (
            owner,
            locus.word_start[evidence],
            patterns.owners.item[owner],
            locus.document[evidence],
        )
    )
    return OwnedRows(evidence[order], owner[order], beside[order])


class Facts(NamedTuple):
    """What the rules look at, by row."""

    document: np.ndarray
    item: np.ndarray
    start: np.ndarray
    end: np.ndarray
    role: np.ndarray
    choice: np.ndarray
    pattern: np.ndarray
    units: np.ndarray
    total: np.ndarray
    swapped_units: np.ndarray
    numbers_swapped: np.ndarray
    numbers_matched: np.ndarray
    identity: np.ndarray
    words: np.ndarray  # of the pattern
    own_words: np.ndarray  # of it without an answer that the composite adds
    ask_share: np.ndarray  # covered share of the ask; 1 where none is judged apart
    longest_run: np.ndarray
    item_words: np.ndarray
    n_choices: np.ndarray
    short_choices: np.ndarray  # from Beside
    short_answers: np.ndarray
    announced: np.ndarray
    short_units: np.ndarray
    short_words: np.ndarray
    answer_units: np.ndarray  # weight of the item's short answer


def facts_of(rows: OwnedRows, scanned: Scanned, patterns: Patterns) -> Facts:
    """Gather what the rules look at, in the order of `rows`."""
    locus, owners = scanned.evidence, patterns.owners
    e, item = rows.evidence, owners.item[rows.owner]
    beside = [
        np.where(rows.beside >= 0, np.append(column, 0)[rows.beside], 0)
        for column in scanned.beside[2:]
    ]
    pattern = locus.pattern[e]
    return Facts(
        document=locus.document[e],
        item=item.astype(np.int64),
        start=locus.word_start[e],
        end=locus.word_end[e],
        role=owners.role[rows.owner].astype(np.int64),
        choice=owners.choice[rows.owner].astype(np.int64),
        pattern=pattern,
        units=locus.units[e],
        total=patterns.totals[pattern],
        swapped_units=locus.swapped_units[e],
        numbers_swapped=locus.numbers_swapped[e],
        numbers_matched=locus.numbers_matched[e],
        identity=locus.matched[e] / locus.columns[e],
        words=_lengths(pattern, patterns),
        own_words=_own_words(rows.owner, pattern, patterns),
        ask_share=_ask_share(pattern, locus.ask_units[e], patterns),
        longest_run=locus.longest_run[e],
        item_words=patterns.role_words[item, :3].sum(axis=1, dtype=np.int64),
        n_choices=patterns.n_choices[item].astype(np.int64),
        short_choices=beside[0],
        short_answers=beside[1],
        announced=beside[2],
        short_units=beside[3],
        short_words=beside[4],
        answer_units=patterns.answer_units[item],
    )


def _own_words(owner: np.ndarray, pattern: np.ndarray, patterns: Patterns) -> np.ndarray:
    with_answer = (patterns.owners.role[owner] == Role.COMPOSITE) & np.isin(
        patterns.owners.choice[owner], (Layout.ANNOUNCED_ANSWER, Layout.BARE_ANSWER)
    )
    words = _lengths(pattern, patterns)
    return np.where(with_answer, patterns.ask_end[pattern], words)


def _lengths(pattern: np.ndarray, patterns: Patterns) -> np.ndarray:
    return patterns.index.starts[pattern + 1] - patterns.index.starts[pattern]


def _ask_share(pattern: np.ndarray, ask_units: np.ndarray, patterns: Patterns) -> np.ndarray:
    total = patterns.ask_totals[pattern]
    return np.where(total > 0, ask_units / np.maximum(1, total), 1.0)
