"""The questions of benchmarks as the search for translations asks them: size, language, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from scanners.fields import Role
from scanners.foreign_windows import ladder
from scanners.languages import NO_LANGUAGE, Sentences, sentences_of
from scanners.numerals import numbers_of, spelled_numbers
from scanners.patterns import Patterns

LEAST_SIZE: Final = 20.0  # letters of a question


class Questions(NamedTuple):
    """The questions of one benchmark that may be translated: (n,) each."""

    benchmark: int
    language: int
    pattern: np.ndarray  # int64
    item: np.ndarray  # int64, the first with the question
    size: np.ndarray  # float64, in letters of English
    numbers: tuple[tuple[int, ...], ...]  # in digits
    needed: np.ndarray  # int64, of them
    spelled: tuple[tuple[int, ...], ...]  # numbers in words
    sizes: np.ndarray  # of windows


def questions_of(items: Sequence[Item], patterns: Patterns) -> list[Questions]:
    """Return what is sought of each benchmark, each question once."""
    owners = patterns.owners
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    asked = owners.role == Role.QUESTION
    of_item = np.full(len(items), -1, np.int64)
    of_item[owners.item[asked]] = pattern[asked]
    encoded = [item.question.encode() for item in items]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8)
    sentences = sentences_of(data, bounds)
    size = np.bincount(sentences.document, sentences.size, len(items))
    numbers = numbers_of(data, sentences)
    document = np.repeat(sentences.document, np.diff(numbers.first))
    first = np.searchsorted(document, np.arange(len(items) + 1))
    out = []
    for benchmark in np.unique(patterns.benchmark).tolist():
        own = np.flatnonzero(
            (patterns.benchmark == benchmark) & (of_item >= 0) & (size >= LEAST_SIZE)
        )
        _, once = np.unique(of_item[own], return_index=True)
        own = own[np.sort(once)]
        language = _language(sentences, patterns.benchmark == benchmark)
        if not len(own) or language == NO_LANGUAGE:  # code is not translated
            continue
        values = [tuple(numbers.value[first[i] : first[i + 1]].tolist()) for i in own.tolist()]
        needed = np.array([-(-len(set(own_values)) // 2) for own_values in values], np.int64)
        spelled = tuple(tuple(spelled_numbers(items[i].question)) for i in own.tolist())
        out.append(
            Questions(
                benchmark, language, of_item[own], own, size[own], tuple(values), needed,
                spelled, ladder(size[own]),
            )
        )  # fmt: skip
    return out


def _language(sentences: Sentences, chosen: np.ndarray) -> int:
    """Return the language of most sentences of chosen items (bool (items,)), by size."""
    rows = chosen[sentences.document] & (sentences.language != NO_LANGUAGE)
    if not rows.any():
        return NO_LANGUAGE
    return int(np.bincount(sentences.language[rows], sentences.size[rows]).argmax())
