"""What is searched for: the fields of benchmark items as weighted word patterns.

Each distinct field text is one pattern, whoever owns it (GSM8K and its Socratic edition share their
questions). A word inside common phrases only weighs a quarter of its own weight.

An item whose question is short or made of common words gets **composite** patterns too: the question
as documents print it, with lettered choices, bare choices, or the answer. So it is found by the
whole and never by a generic stem alone. What cannot be searched even so is named with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Benchmark, Item
from corpora.kernels import kernel
from corpora.normal_form import word_hashes
from indexes.background import Background
from indexes.ngram import LONG_WORDS, NgramIndex, build_index
from indexes.seeds import SEED_WORDS
from scanners.fields import (
    UNITS_PER_BIT,
    FieldTable,
    Role,
    WordWeights,
    count_words,
    sum_by_row,
    tokenize,
    weigh,
)

COMMON_PHRASE_DIVISOR: Final = 4
ENOUGH_BITS: Final = 60.0  # evidence that a text is the item and not a common phrase or a title
WHOLE_WORDS: Final = 8  # a question that long and whole needs half of it: few sentences recur so
SEARCHABLE_SHARE: Final = 0.4  # of enough bits; with less a verbatim copy would not stand out
MOST_FIELD_WORDS: Final = 20_000
ASK_FROM_WORDS: Final = 12  # questions that long may carry a text and then ask; the ask is judged
# apart
ASK_LEAST_CHARS: Final = 12
LAST_CHARS: Final = 2000  # of a question, in which its last sentence is looked for
LETTERS: Final = "a b c d e f g h i j k l m n o p"

# A mark and white space, or a line feed, or a mark of Chinese. It begins with one set of characters:
# `re` leaps to the next of them, which it does not where alternatives come first.
SENTENCE_END: Final = re.compile(r"[.!?:\n。！？：](?:(?<=[.!?:])[\"'”’)\]]*\s+|(?<=[\n。！？：]))")
CODE_MARKS: Final = ('"""', "def ", "return ", "#include")


class PatternsError(ValueError):
    """The items cannot be searched for all at once."""


class Layout(IntEnum):
    """How a composite prints its question; the `choice` of its owners."""

    LETTERED_CHOICES = 0
    BARE_CHOICES = 1
    ANNOUNCED_ANSWER = 2
    BARE_ANSWER = 3


@dataclass(frozen=True, slots=True)
class Owners:
    """Which item has a pattern as which part; one row per (pattern, owner), pattern by pattern."""

    first: np.ndarray  # int64 (patterns + 1,): rows of pattern p are first[p] .. first[p + 1]
    item: np.ndarray  # int32
    role: np.ndarray  # int8, Role
    choice: np.ndarray  # int16: number of the choice; of a composite its Layout


class ShortFields(NamedTuple):
    """Choices and answers too short to be patterns, looked for beside a found question."""

    first: np.ndarray  # int64 (items + 1,): rows of item i are first[i] .. first[i + 1]
    role: np.ndarray  # int8: CHOICE or ANSWER
    choice: np.ndarray  # int16
    start: np.ndarray  # int64 (rows + 1,), into words
    words: np.ndarray  # uint64
    units: np.ndarray  # int64 (rows,), weight of the field


@dataclass(frozen=True, slots=True)
class Patterns:
    """Everything that is searched for. Items are numbered over all benchmarks of the run."""

    index: NgramIndex
    weights: np.ndarray  # int32 (words of all patterns,), in 1/16 bits
    totals: np.ndarray  # int64 (patterns,), sum of the weights
    ask_start: np.ndarray  # int32 (patterns,), words of the part that is judged apart: the ask of a
    ask_end: np.ndarray  # long question, the question of a composite; empty: none
    ask_totals: np.ndarray  # int64 (patterns,), weight of that part
    owners: Owners
    short: ShortFields
    fields: FieldTable
    benchmark: np.ndarray  # int32 (items,), number of the benchmark
    role_words: np.ndarray  # int32 (items, 4): words of question, choices, answer, passage
    n_choices: np.ndarray  # int16 (items,)
    answer_units: np.ndarray  # int64 (items,), weight of the short answer; 0: none
    answer_letter: np.ndarray  # uint64 (items,), hash of the right choice's letter; 0: none
    reasons: tuple[str, ...]  # per item: why it is unsearchable; "" where it is searchable


def build_patterns(benchmarks: Sequence[Benchmark], background: Background) -> Patterns:
    """Turn the items of all benchmarks into searchable patterns and their index.

    Raises:
        PatternsError: where a field is too long.
    """
    items = [item for benchmark in benchmarks for item in benchmark.items]
    fields = tokenize(items)
    _refuse_too_long(fields, benchmarks)
    weigher = weigh(fields, background)
    composites = _composites(fields, weigher, len(items))
    long_enough = np.flatnonzero(np.diff(fields.starts) >= SEED_WORDS)
    at, lengths = _rows(fields.starts, long_enough)
    words = np.concatenate([fields.words[at], composites.words])
    weights = np.concatenate([weigher.fields[at], weigher.of(composites.words)])
    starts = _bounds(np.concatenate([lengths, np.diff(composites.starts)]))
    item = np.concatenate([fields.item[long_enough], composites.item])
    role = np.concatenate([fields.role[long_enough], composites.role])
    choice = np.concatenate([fields.choice[long_enough], composites.choice])
    first_of, pattern = _distinct(words, starts)
    at, lengths = _rows(starts, first_of)
    words, weights, starts = words[at], weights[at], _bounds(lengths)
    order = np.argsort(pattern, kind="stable")
    index = build_index(words, starts, background.phrase_hash)
    weights[index.common] = np.maximum(1, weights[index.common] // COMMON_PHRASE_DIVISOR)
    owners = Owners(
        np.searchsorted(pattern[order], np.arange(len(starts))),
        item[order],
        role[order],
        choice[order],
    )
    role_words = np.zeros((len(items), 4), np.int32)
    np.add.at(role_words, (fields.item, fields.role), np.diff(fields.starts).astype(np.int32))
    totals = sum_by_row(weights, starts)
    short = _short_fields(fields, weigher, len(items))
    ask_start, ask_end = _asks(items, item, role, pattern, starts, role_words)
    return Patterns(
        index=index,
        weights=weights,
        totals=totals,
        ask_start=ask_start,
        ask_end=ask_end,
        ask_totals=_part_totals(weights, starts[:-1] + ask_start, starts[:-1] + ask_end),
        owners=owners,
        short=short,
        answer_units=_answer_units(short, len(items)),
        fields=fields,
        benchmark=np.repeat(
            np.arange(len(benchmarks), dtype=np.int32), [len(b.items) for b in benchmarks]
        ),
        role_words=role_words,
        n_choices=np.array([len(item.choices) for item in items], np.int16),
        answer_letter=_answer_letters(items),
        reasons=_reasons(role_words, item, pattern, _nominates(index), totals, np.diff(starts)),
    )


def _refuse_too_long(fields: FieldTable, benchmarks: Sequence[Benchmark]) -> None:
    lengths = np.diff(fields.starts)
    if lengths.max(initial=0) <= MOST_FIELD_WORDS:
        return
    worst = int(lengths.argmax())
    number = int(fields.item[worst])
    for benchmark in benchmarks:
        if number < len(benchmark.items):
            raise PatternsError(
                f"{benchmark.path}: item {benchmark.items[number].id!r}: its "
                f"{Role(int(fields.role[worst])).name.lower()} has {lengths[worst]:,} words, more "
                f"than the {MOST_FIELD_WORDS:,} that can be searched for; split it"
            )
        number -= len(benchmark.items)


def composite_text(item: Item, layout: int) -> str:
    """Return the text whose words are those of an item's composite."""
    if layout == Layout.LETTERED_CHOICES:
        pairs = zip(LETTERS.split(), filter(None, item.choices), strict=False)
        return "\n".join([item.question, *(f"{letter} {choice}" for letter, choice in pairs)])
    if layout == Layout.BARE_CHOICES:
        return "\n".join([item.question, *item.choices])
    if layout == Layout.ANNOUNCED_ANSWER:
        return f"{item.question}\nanswer {item.answer}"
    return f"{item.question}\n{item.answer}"


def _composites(fields: FieldTable, weigher: WordWeights, n_items: int) -> FieldTable:
    """Lay out the items whose question cannot stand alone as documents print them."""
    units = sum_by_row(weigher.fields, fields.starts)
    is_question = fields.role == Role.QUESTION
    weak = np.zeros(n_items, np.bool_)
    weak[fields.item[is_question & (units < ENOUGH_BITS * UNITS_PER_BIT)]] = True
    # The fields and, after them, what stands between: rows of one table, so that words are copied once.
    between = [*(letter[None] for letter in word_hashes(LETTERS)), word_hashes("answer")]
    letters = range(len(fields.item), len(fields.item) + len(between) - 1)
    answer_word = letters.stop
    words = np.concatenate([fields.words, *between])
    sizes = np.concatenate([np.diff(fields.starts), [len(part) for part in between]])
    size_of, role_of = sizes.tolist(), fields.role.tolist()
    bounds = np.searchsorted(fields.item, np.arange(n_items + 1)).tolist()
    item, kinds, lengths, rows = [], [], [], []
    for number in np.flatnonzero(weak).tolist():
        question, choices, answer = _parts(role_of, range(bounds[number], bounds[number + 1]))
        lettered = [part for pair in zip(letters, choices, strict=False) for part in pair]
        for kind, rest in (
            (Layout.LETTERED_CHOICES, lettered),
            (Layout.BARE_CHOICES, choices),
            (Layout.ANNOUNCED_ANSWER, [answer_word, *answer] if answer else []),
            (Layout.BARE_ANSWER, answer),
        ):
            length = sum([size_of[row] for row in (question, *rest)])
            if rest and length >= SEED_WORDS:
                item.append(number)
                kinds.append(kind)
                lengths.append(length)
                rows += [question, *rest]
    at, _ = _rows(_bounds(sizes), np.array(rows, np.int64))
    return FieldTable(
        np.array(item, np.int32),
        np.full(len(item), Role.COMPOSITE, np.int8),
        np.array(kinds, np.int16),
        words[at],
        _bounds(np.array(lengths, np.int64)),
    )


def _parts(roles: Sequence[int], rows: range) -> tuple[int, list[int], list[int]]:
    """Return the row of the question, those of the choices, and that of the answer (0 or 1)."""
    by_role: dict[int, list[int]] = {role: [] for role in Role}
    for row in rows:
        by_role[roles[row]].append(row)
    return by_role[Role.QUESTION][0], by_role[Role.CHOICE], by_role[Role.ANSWER]


def _rows(starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where the words of some rows are, row after row, and the rows' lengths."""
    lengths = np.diff(starts)[rows]
    bounds = _bounds(lengths)
    return np.arange(bounds[-1]) + np.repeat(starts[rows] - bounds[:-1], lengths), lengths


def _bounds(lengths: np.ndarray) -> np.ndarray:
    out = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def _distinct(words: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first row of each distinct word sequence and, per row, its number (by first row)."""
    keys = _sequence_keys(words, starts)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    by_first = np.argsort(first, kind="stable")
    number = np.empty(len(first), np.int64)
    number[by_first] = np.arange(len(first))
    return first[by_first], number[inverse]


@kernel
def _sequence_keys(words: Any, starts: Any) -> Any:
    out = np.empty(len(starts) - 1, np.uint64)
    for row in range(len(out)):
        h = np.uint64(starts[row + 1] - starts[row])
        for at in range(starts[row], starts[row + 1]):
            h = (h ^ words[at]) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(29)
        out[row] = h
    return out


def _asks(
    items: Sequence[Item],
    item: np.ndarray,
    role: np.ndarray,
    pattern: np.ndarray,
    starts: np.ndarray,
    role_words: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the words [start, end) of each pattern's ask.

    Of a long question that is its last sentence of some length, of a composite its question.
    """
    start = np.zeros(len(starts) - 1, np.int32)
    end = np.zeros(len(starts) - 1, np.int32)
    composite = role == Role.COMPOSITE
    end[pattern[composite]] = role_words[item[composite], Role.QUESTION]
    lengths = np.diff(starts).astype(np.int32)
    rows = np.flatnonzero((role == Role.QUESTION) & (lengths[pattern] >= ASK_FROM_WORDS))
    tails = [last_sentence(items[number].question) for number in item[rows].tolist()]
    words = lengths[pattern[rows]]
    ask = count_words(tails)
    found = ask > 0
    end[pattern[rows[found]]] = words[found]
    start[pattern[rows[found]]] = (words - ask)[found]
    return start, end


def last_sentence(text: str) -> str:
    """Return the last sentence that has some words; "" for code and for a single sentence."""
    if any(mark in text for mark in CODE_MARKS):
        return ""
    ends = [end.end() for end in SENTENCE_END.finditer(text, max(0, len(text) - LAST_CHARS))]
    for end in reversed(ends):
        if len(text) - end >= ASK_LEAST_CHARS:
            return text[end:]
    return ""


def _short_fields(fields: FieldTable, weigher: WordWeights, n_items: int) -> ShortFields:
    lengths = np.diff(fields.starts)
    rows = np.flatnonzero(
        (lengths < SEED_WORDS) & (lengths > 0) & np.isin(fields.role, (Role.CHOICE, Role.ANSWER))
    )
    at, row_lengths = _rows(fields.starts, rows)
    words, start = fields.words[at], _bounds(row_lengths)
    return ShortFields(
        np.searchsorted(fields.item[rows], np.arange(n_items + 1)),
        fields.role[rows],
        fields.choice[rows],
        start,
        words,
        sum_by_row(weigher.fields[at], start),
    )


def _part_totals(weights: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Sum weights[first[p]:last[p]] for every pattern."""
    sums = np.zeros(len(weights) + 1, np.int64)
    np.cumsum(weights, out=sums[1:])
    return sums[last] - sums[first]


def _answer_units(short: ShortFields, n_items: int) -> np.ndarray:
    out = np.zeros(n_items, np.int64)
    item = np.repeat(np.arange(n_items), np.diff(short.first))
    is_answer = short.role == Role.ANSWER
    out[item[is_answer]] = short.units[is_answer]
    return out


def _answer_letters(items: Sequence[Item]) -> np.ndarray:
    """Return the hash of the letter under which the right choice is printed; 0 where unknown."""
    letters = word_hashes(LETTERS)
    out = np.zeros(len(items), np.uint64)
    for number, item in enumerate(items):
        if item.answer in item.choices[: len(letters)]:
            out[number] = letters[item.choices.index(item.answer)]
    return out


def _nominates(index: NgramIndex) -> np.ndarray:
    """Tell for each pattern whether anything nominates it: a rare seed or a long gram."""
    out = np.zeros(len(index.starts) - 1, np.bool_)
    posting_is_rare = np.repeat(index.rare, np.diff(index.seeds.first))
    out[index.seeds.pattern[posting_is_rare]] = True
    out[index.long.pattern] = True
    return out


def _reasons(
    role_words: np.ndarray,
    item: np.ndarray,
    pattern: np.ndarray,
    nominates: np.ndarray,
    totals: np.ndarray,
    lengths: np.ndarray,
) -> tuple[str, ...]:
    """Say of each item why it cannot be searched; "" where it can."""
    n_items = len(role_words)
    enough = np.where(lengths >= WHOLE_WORDS, ENOUGH_BITS / 2, ENOUGH_BITS) * UNITS_PER_BIT
    informative = totals >= SEARCHABLE_SHARE * enough
    searchable = np.zeros(n_items, np.bool_)
    searchable[item[(nominates & informative)[pattern]]] = True
    nominated = np.zeros(n_items, np.bool_)
    nominated[item[nominates[pattern]]] = True
    has_pattern = np.zeros(n_items, np.bool_)
    has_pattern[item] = True
    reasons = np.full(n_items, "", object)
    reasons[~searchable] = "common words only: a verbatim copy would not stand out"
    reasons[~nominated] = (
        f"common phrases only: no seed of its own and no run of {LONG_WORDS} words"
    )
    reasons[~has_pattern] = f"fewer than {SEED_WORDS} words, with its choices and answer"
    reasons[role_words.sum(axis=1) == 0] = "no words: symbols or white space only"
    return tuple(reasons.tolist())
