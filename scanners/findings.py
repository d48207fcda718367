"""Findings in words: each judged locus proven on the text, with its place in both texts.

No finding rests on a hash: the words of the item and of the document are spelled by the plain-Python
definition of the normal form and compared, run by run, before a finding is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import words
from corpora.reference_form import reference_words
from scanners.fields import Role, field_text
from scanners.judge import LEAK_TYPES, Judged
from scanners.ngram import Scanned
from scanners.patterns import Patterns, composite_text

EXCERPT_CHARS: Final = 600
EMBEDDING: Final = "embedding"  # the scanner whose findings rest on meaning
TRANSLATION: Final = "translation"  # its search for translations, of which little need be equal
FIELDS: Final = {
    Role.QUESTION: "question",
    Role.COMPOSITE: "question",
    Role.CHOICE: "choices",
    Role.ANSWER: "answer",
    Role.PASSAGE: "passage",
}
ASCII_WORD: Final = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A proven locus; the columns of `findings.parquet` plus what the summary needs."""

    item: int  # number over all benchmarks
    field: str
    leak_type: str
    kind: str  # verbatim, near or semantic
    status: int  # judge.Status
    score: float
    identity: float
    coverage: float
    longest_run: int
    document: int  # number in the batch
    item_start: int
    item_end: int
    doc_start: int
    doc_end: int
    excerpt: str
    choice: int  # number of the choice, -1 for other fields
    scanner: str


def tell(
    judged: Judged,
    scanned: Scanned,
    patterns: Patterns,
    item_of: Callable[[int], Item],
    text_of: Callable[[int], str],
    places: np.ndarray,
    scanner: str,
) -> list[Finding]:
    """Put judged loci into words; a locus whose words differ (a hash collision) is dropped.

    `text_of` gives the text of a document, `item_of` the item of a number; `places` has the
    characters of each judged locus, int64 (n, 2), from `scanners.ngram.locate`. `scanner` nominated.
    """
    found: list[Finding] = []
    locus = scanned.evidence
    document, text = -1, ""
    for row in range(len(judged.evidence)):
        e, owner = int(judged.evidence[row]), int(judged.owner[row])
        if document != locus.document[e]:
            document = int(locus.document[e])
            text = text_of(document)
        number = int(patterns.owners.item[owner])
        role, choice = int(patterns.owners.role[owner]), int(patterns.owners.choice[owner])
        item_words, starts, ends = _item_words(item_of(number), role, choice)
        runs = scanned.runs[locus.run_start[e] : locus.run_end[e]]
        doc_start, doc_end = places[row].tolist()
        first_word = int(locus.word_start[e])
        n_words = int(locus.word_end[e]) - first_word
        if not _same_words(item_words, text[doc_start:doc_end], runs, first_word, n_words):
            continue
        if scanner == TRANSLATION:
            item_start, item_end = int(starts[0]), int(ends[-1])
        else:
            item_start, item_end = _item_place(runs, starts, ends)
        matched, columns = int(locus.matched[e]), int(locus.columns[e])
        found.append(
            Finding(
                item=number,
                field=FIELDS[Role(role)],
                leak_type=LEAK_TYPES[judged.leak_type[row]],
                kind=_kind(scanner, matched, columns),
                status=int(judged.status[row]),
                score=float(judged.score[row]),
                identity=matched / columns,
                coverage=float(locus.units[e] / patterns.totals[locus.pattern[e]]),
                longest_run=int(locus.longest_run[e]),
                document=document,
                item_start=item_start,
                item_end=item_end,
                doc_start=doc_start,
                doc_end=doc_end,
                excerpt=_shorten(text[doc_start:doc_end]),
                choice=choice if role == Role.CHOICE else -1,
                scanner=scanner,
            )
        )
    return found


def _kind(scanner: str, matched: int, columns: int) -> str:
    if scanner in (EMBEDDING, TRANSLATION):
        return "semantic"
    return "verbatim" if matched == columns else "near"


@lru_cache(maxsize=64)  # many items are compared with the same place
def spelled_words(text: str) -> list[str]:
    """Return the words of a text by the definition; plain ASCII needs no table.

    A space parts words whatever stands around it, so what lies between two is spelled by itself.
    """
    found: list[str] = []
    for part in text.split(" "):
        if part.isascii():
            found += ASCII_WORD.findall(part.lower())
        else:
            found += [word for word, _, _ in reference_words(part)]
    return found


@lru_cache(maxsize=4096)
def _item_words(item: Item, role: int, choice: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return the words of a field and the characters where they start and end in it."""
    text = field_text(item, role, choice)
    places = words(text)
    spelled = composite_text(item, choice) if role == Role.COMPOSITE else text
    return spelled_words(spelled), places.starts, places.ends


def _same_words(
    item: list[str], locus: str, runs: np.ndarray, first_word: int, n_words: int
) -> bool:
    """Compare every exact run of an alignment on the text of a locus of `n_words` words."""
    document = spelled_words(locus)
    # The first and the last character may spell words outside the locus, too: "½" spells 1 and 2.
    return any(
        _are_equal(item, document[before:], runs, first_word)
        for before in range(max(1, len(document) - n_words + 1))
    )


def _are_equal(item: list[str], document: list[str], runs: np.ndarray, first_word: int) -> bool:
    for item_word, word, length in runs.tolist():
        at = word - first_word
        if item[item_word : item_word + length] != document[at : at + length]:
            return False
    return True


def _item_place(runs: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[int, int]:
    """Return the characters of the field from the first to the last matched word.

    The words of a composite go on after the question's; those have no place in it.
    """
    own = runs[runs[:, 0] < len(starts)]
    last = min(int(own[-1, 0] + own[-1, 2]), len(ends)) - 1
    return int(starts[own[0, 0]]), int(ends[last])


def _shorten(text: str) -> str:
    if len(text) <= EXCERPT_CHARS:
        return text
    half = EXCERPT_CHARS // 2 - 1
    return f"{text[:half]} … {text[-half:]}"
