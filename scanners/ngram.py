"""The n-gram scanner: documents in, aligned evidence out. A look-up, batch by batch.

For each document, or segment of a long one: hash its words, turn away seeds that no item has, sort what
is left by pattern and diagonal, align (`scanners.loci`), and look beside what was found. A row of
evidence is one pattern in one place (locus) of one document; `scanners.judge` says what it amounts to.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import hash_words, place_words, table
from corpora.pieces import cut_text
from indexes.grams import GramSet, mark_seen
from indexes.ngram import FREE, LONG_WORDS, NgramIndex, find_entry, may_hold
from indexes.seeds import SEED_WORDS, seed_at
from scanners.align import MOST_BAND
from scanners.beside import MOST_WINDOW, answer_markers, look_beside
from scanners.fields import number_words
from scanners.loci import (
    DOCUMENT,
    DOCUMENT_WORDS,
    N_COLUMNS,
    WORD_END,
    WORD_START,
    Evidence,
    align_hits,
)
from scanners.patterns import Patterns, PatternsError, ShortFields

SEGMENT_BYTES: Final = 1 << 19  # longer documents are scanned in pieces, so scratch stays small
MOST_WORDS_PER_BYTE: Final = 2  # of text; the room that hash_words asks for


class Sought(NamedTuple):
    """What the kernel needs of `Patterns`."""

    ngrams: NgramIndex
    weights: np.ndarray
    totals: np.ndarray
    ask_start: np.ndarray
    ask_end: np.ndarray
    owner_first: np.ndarray
    owner_item: np.ndarray
    owner_role: np.ndarray
    short: ShortFields
    item_words: np.ndarray  # int32 (items,), of question, choices and answer
    answer_letter: np.ndarray
    number_words: np.ndarray  # uint64, sorted
    answer_markers: np.ndarray  # uint64, words that announce an answer
    longest: int  # words of the longest pattern
    segment_bytes: int
    carried_words: int  # from one segment of a document to the next
    open_words: int  # at the end of a segment: loci that begin there are left to the next
    word_bits: np.uint64  # of a hit that hold its word, and as many its diagonal


class Marks(NamedTuple):
    """What the corpus as a whole holds of the items; flags that only ever rise."""

    grams: GramSet
    covered: np.ndarray  # bool (words of all patterns,): inside a span of Llama 2
    half_joined: np.ndarray  # bool (patterns,): half of it in 8-grams of one document, as in Tülu 3


class Beside(NamedTuple):
    """What stands beside a found question, one row for each (evidence, owner) of that kind."""

    evidence: np.ndarray  # row of the evidence
    owner: np.ndarray  # row of the owners
    choices: np.ndarray  # number of short choices found
    answers: np.ndarray  # times that the short answer was found
    announced: np.ndarray  # 1: the answer or its letter follows a word like "answer"
    units: np.ndarray  # weight of the short fields found
    words: np.ndarray  # of the short fields found


N_BESIDE: Final = len(Beside._fields)


class Scanned(NamedTuple):
    """What a batch of documents gave."""

    evidence: Evidence
    beside: Beside
    runs: np.ndarray  # int64 (runs, 3): pattern word, document word, length of each exact run
    words: int


def sought(patterns: Patterns) -> Sought:
    """Select what the kernel needs.

    Raises:
        PatternsError: where patterns are too many and too long to tell hits apart in 64 bits.
    """
    longest = int(np.diff(patterns.index.starts).max(initial=0))
    open_words = longest + 2 * MOST_BAND + MOST_WINDOW  # a locus, and what may stand beside it
    carried_words = open_words + MOST_WINDOW
    word_bits = (64 - max(1, len(patterns.totals).bit_length())) // 2
    if carried_words + MOST_WORDS_PER_BYTE * SEGMENT_BYTES + longest >= 1 << word_bits:
        raise PatternsError(
            f"{len(patterns.totals):,} different fields of up to {longest:,} words are too many to "
            "be scanned at once; scan the benchmarks in parts"
        )
    return Sought(
        patterns.index,
        patterns.weights,
        patterns.totals,
        patterns.ask_start,
        patterns.ask_end,
        patterns.owners.first,
        patterns.owners.item,
        patterns.owners.role,
        patterns.short,
        patterns.role_words[:, :3].sum(axis=1),
        patterns.answer_letter,
        number_words(),
        answer_markers(),
        longest,
        SEGMENT_BYTES,
        carried_words,
        open_words,
        np.uint64(word_bits),
    )


def scan_texts(data: np.ndarray, bounds: np.ndarray, target: Sought, marks: Marks) -> Scanned:
    """Scan documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8; bounds int64 (n + 1,)).

    Raises the flags of `marks`. Releases the interpreter lock.
    """
    rows, beside, runs, words = _scan(data, bounds, *table(), target, marks)
    columns, beside_columns = np.ascontiguousarray(rows.T), np.ascontiguousarray(beside.T)
    return Scanned(Evidence(*columns), Beside(*beside_columns), runs, words)


def locate(
    data: np.ndarray, bounds: np.ndarray, target: Sought, evidence: Evidence, rows: np.ndarray
) -> np.ndarray:
    """Return the characters [start, end) in their documents of some loci: int64 (n, 2).

    `rows` are rows of the evidence in order of document.
    """
    return _locate(data, bounds, *table(), target.segment_bytes, evidence, rows)


@kernel
def _scan(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, target: Any, marks: Any
) -> tuple[Any, Any, Any, int]:
    longest_text = 0
    for document in range(len(bounds) - 1):
        longest_text = max(longest_text, bounds[document + 1] - bounds[document])
    segment = min(longest_text, target.segment_bytes)
    room = target.carried_words + MOST_WORDS_PER_BYTE * segment + 1
    hashes = np.empty(room, np.uint64)
    held = np.empty(room, np.int64)
    claimed = np.empty(0, np.bool_)
    trace = np.empty((target.longest + 1) * (2 * MOST_BAND + 1), np.uint8)
    pairs = np.empty((2 * target.longest + 2, 2), np.int64)
    hits = np.empty(1024, np.uint64)
    rows = np.empty((64, N_COLUMNS), np.int64)
    runs = np.empty((64, 3), np.int64)
    beside = np.empty((64, N_BESIDE), np.int64)
    n_beside = n_rows = n_runs = total_words = 0

    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        document_row = before_row = n_rows
        base = carried = 0  # words of the document before `hashes`, and in it from before
        while True:
            end = cut_text(data, first, last, target.segment_bytes)
            n = carried + hash_words(data, first, end, page_of, entries, parts, hashes[carried:])
            hits, n_hits = _collect(hashes, n, held, target, marks.grams, hits)
            from_row, from_run = n_rows, n_runs
            if n_hits:
                if len(claimed) == 0:
                    claimed = np.zeros(room, np.bool_)
                rows, n_rows, runs, n_runs = align_hits(
                    np.sort(hits[:n_hits]), hashes, n, base, end < last, target, marks, claimed,
                    trace, pairs, before_row, rows, n_rows, runs, n_runs,
                )  # fmt: skip
                beside, n_beside = look_beside(
                    rows, from_row, n_rows, hashes, n, target, beside, n_beside
                )
                for row in rows[from_row:n_rows]:
                    row[DOCUMENT] = document
                    row[WORD_START] += base
                    row[WORD_END] += base
                for run in runs[from_run:n_runs]:
                    run[1] += base
            if end >= last:
                break
            kept = min(n, target.carried_words)
            hashes[:kept] = hashes[n - kept : n].copy()
            base, carried, first, before_row = base + n - kept, kept, end, from_row
        total_words += base + n
        for row in rows[document_row:n_rows]:
            row[DOCUMENT_WORDS] = base + n
    return rows[:n_rows].copy(), beside[:n_beside].copy(), runs[:n_runs].copy(), total_words


@kernel
def _collect(hashes: Any, n: int, held: Any, target: Any, grams: Any, hits: Any) -> tuple[Any, int]:
    """Gather (pattern, diagonal, word) of every nominating seed, packed into one number each."""
    index = target.ngrams
    n_held = 0
    for at in range(n - SEED_WORDS + 1):  # no branch: the memory accesses overlap
        held[n_held] = at
        n_held += may_hold(index.filter, index.filter_shift, seed_at(hashes, at, SEED_WORDS))
    n_hits = 0
    run, before = 0, -2
    for h in range(n_held):
        at = held[h]
        number = find_entry(index.seeds.keys, index.seeds.entry, seed_at(hashes, at, SEED_WORDS))
        if number == FREE:
            continue
        run = run + 1 if at == before + 1 else 1
        before = at
        mark_seen(grams, hashes, at, run)
        if index.rare[number]:
            hits, n_hits = _push_hits(index.seeds, number, at, target, hits, n_hits)
        if run > LONG_WORDS - SEED_WORDS:
            first = at + SEED_WORDS - LONG_WORDS
            number = find_entry(
                index.long.keys, index.long.entry, seed_at(hashes, first, LONG_WORDS)
            )
            if number != FREE:
                hits, n_hits = _push_hits(index.long, number, first, target, hits, n_hits)
    return hits, n_hits


@kernel
def _push_hits(
    postings: Any, number: int, at: int, target: Any, hits: Any, n_hits: int
) -> tuple[Any, int]:
    low, high = postings.first[number], postings.first[number + 1]
    if n_hits + high - low > len(hits):
        grown = np.empty(2 * (n_hits + high - low), np.uint64)
        grown[:n_hits] = hits[:n_hits]
        hits = grown
    for posting in range(low, high):
        diagonal = at - postings.offset[posting] + target.longest
        place = np.uint64(diagonal) << target.word_bits | np.uint64(at)
        pattern = np.uint64(postings.pattern[posting])
        hits[n_hits] = pattern << target.word_bits << target.word_bits | place
        n_hits += 1
    return hits, n_hits


@kernel
def _locate(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, segment_bytes: int,
    evidence: Any, rows: Any,
) -> Any:  # fmt: skip
    """Return the characters [start, end) of the loci `rows` in their documents: int64 (n, 2)."""
    out = np.empty((len(rows), 2), np.int64)
    longest = 0
    for e in rows:
        document = evidence.document[e]
        longest = max(longest, bounds[document + 1] - bounds[document])
    room = MOST_WORDS_PER_BYTE * min(longest, segment_bytes) + 1
    hashes = np.empty(room, np.uint64)
    starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    low = 0
    while low < len(rows):
        document, high = evidence.document[rows[low]], low
        while high < len(rows) and evidence.document[rows[high]] == document:
            high += 1
        first, last = bounds[document], bounds[document + 1]
        words = characters = 0  # of the document before this segment
        wanted = 0
        for at in range(low, high):
            wanted = max(wanted, evidence.word_end[rows[at]])
        while first < last and words < wanted:
            end = cut_text(data, first, last, segment_bytes)
            n = place_words(data, first, end, page_of, entries, parts, hashes, starts, ends)
            for at in range(low, high):
                start, stop = evidence.word_start[rows[at]], evidence.word_end[rows[at]] - 1
                if words <= start < words + n:
                    out[at, 0] = characters + starts[start - words]
                if words <= stop < words + n:
                    out[at, 1] = characters + ends[stop - words]
            words += n
            for at in range(first, end):
                characters += data[at] & 0xC0 != 0x80
            first = end
        low = high
    return out
