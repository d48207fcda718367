"""Loci: from the hits of a segment to aligned rows of evidence.

Hits of one pattern are grown to exact runs; from the longest one that is not part of a locus yet an
alignment goes outwards. A row is kept where the locus holds a shared run of 13 words (the guarantee)
or two fifths of the pattern's weight.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.ngram import LONG_WORDS
from scanners.align import band_of, extend
from scanners.fields import is_number
from scanners.spans import cover_spans, mark_joined

KEPT_SHARE: Final = 0.4  # of the pattern's weight; a locus with less is no evidence
# Exact runs with less of the pattern's weight are not worth aligning: of a copy with 30% of its words
# replaced, a sixth of the seeds is whole.
ALIGNED_SHARE: Final = 0.15


class Evidence(NamedTuple):
    """Aligned loci by column, (n,) each, in order of document; words count from its beginning."""

    document: np.ndarray
    pattern: np.ndarray
    item_start: np.ndarray  # first and past-the-last word of the pattern in the alignment
    item_end: np.ndarray
    word_start: np.ndarray  # first and past-the-last word of the document
    word_end: np.ndarray
    document_words: np.ndarray
    units: np.ndarray  # weight of the matched words
    ask_units: np.ndarray  # the part of it that lies in the ask
    matched: np.ndarray  # words
    columns: np.ndarray  # of the alignment: matches, mismatches and gaps
    longest_run: np.ndarray  # words
    numbers_matched: np.ndarray
    numbers_swapped: np.ndarray
    swapped_units: np.ndarray  # weight of the item's numbers that face another number
    run_start: np.ndarray  # rows of `runs`
    run_end: np.ndarray


N_COLUMNS: Final = len(Evidence._fields)
(
    DOCUMENT, PATTERN, ITEM_START, ITEM_END, WORD_START, WORD_END, DOCUMENT_WORDS, UNITS, ASK_UNITS,
    MATCHED, COLUMNS, LONGEST_RUN, NUMBERS_MATCHED, NUMBERS_SWAPPED, SWAPPED_UNITS, RUN_START, RUN_END,
) = range(N_COLUMNS)  # fmt: skip


@kernel
def align_hits(
    hits: Any, hashes: Any, n: int, base: int, goes_on: bool, target: Any, marks: Any, claimed: Any,
    trace: Any, pairs: Any, before_row: int, rows: Any, n_rows: int, runs: Any, n_runs: int,
) -> tuple[Any, int, Any, int]:  # fmt: skip
    """Align each nominated pattern where its hits are; `hits` are sorted.

    `hashes[:n]` is a segment that begins at word `base` of its document. If the document goes on,
    loci that begin in the last words are left to the next segment, which has them whole. Rows from
    `before_row` on are those of the segment before, of which this one repeats the end.
    """
    limit = n - target.open_words if goes_on else n
    from_row = n_rows
    low = 0
    while low < len(hits):
        pattern = np.int64(hits[low] >> target.word_bits >> target.word_bits)
        high = low + 1
        while (
            high < len(hits)
            and np.int64(hits[high] >> target.word_bits >> target.word_bits) == pattern
        ):
            high += 1
        exact = _exact_runs(hits[low:high], pattern, hashes, n, target)
        low = high
        first, last = target.ngrams.starts[pattern], target.ngrams.starts[pattern + 1]
        mark_joined(exact, last - first, marks.half_joined, pattern)
        if not _worth_aligning(exact, pattern, target):
            continue
        own_row = n_rows
        for row in rows[before_row:from_row]:
            if row[PATTERN] == pattern and row[WORD_END] > base:
                claimed[max(0, row[WORD_START] - base) : row[WORD_END] - base] = True
        for run in _longest_first(exact):
            i, j, length = exact[run]
            if claimed[j + length // 2]:
                continue  # this place is part of a locus already
            tried_row, tried_run = n_rows, n_runs
            rows, n_rows, runs, n_runs = _align_run(
                pattern, i, j, length, hashes, n, target, marks.covered, trace, pairs,
                rows, n_rows, runs, n_runs,
            )  # fmt: skip
            if n_rows > tried_row and rows[tried_row, WORD_START] >= limit:
                n_rows, n_runs = tried_row, tried_run
            elif n_rows > tried_row:
                claimed[rows[tried_row, WORD_START] : rows[tried_row, WORD_END]] = True
        for row in rows[own_row:n_rows]:
            claimed[row[WORD_START] : row[WORD_END]] = False
        for row in rows[before_row:from_row]:
            if row[PATTERN] == pattern and row[WORD_END] > base:
                claimed[max(0, row[WORD_START] - base) : row[WORD_END] - base] = False
    return rows, n_rows, runs, n_runs


@kernel
def _exact_runs(hits: Any, pattern: int, hashes: Any, n: int, target: Any) -> Any:
    """Grow each hit to the longest exact run on its diagonal: int64 (runs, 3), item, text, length."""
    first, last = target.ngrams.starts[pattern], target.ngrams.starts[pattern + 1]
    words = target.ngrams.words
    out = np.empty((len(hits), 3), np.int64)
    n_out = 0
    low_bits = (np.uint64(1) << target.word_bits) - np.uint64(1)
    last_diagonal, run_end = -1, -1
    for hit in hits:
        at = np.int64(hit & low_bits)
        diagonal = np.int64(hit >> target.word_bits & low_bits)
        if diagonal == last_diagonal and at < run_end:
            continue
        i, j = first + at - (diagonal - target.longest), at
        start = 0
        while i - start > first and j - start > 0 and words[i - start - 1] == hashes[j - start - 1]:
            start += 1
        end = 0
        while i + end < last and j + end < n and words[i + end] == hashes[j + end]:
            end += 1
        out[n_out, 0], out[n_out, 1], out[n_out, 2] = i - start - first, j - start, start + end
        n_out += end > 0
        last_diagonal, run_end = diagonal, j + end
    return out[:n_out]


@kernel
def _longest_first(exact: Any) -> Any:
    """Return the rows of exact runs by falling length, earlier ones first among equals."""
    if len(exact) == 1:
        return np.zeros(1, np.int64)
    return np.argsort(-exact[:, 2], kind="mergesort")


@kernel
def _worth_aligning(exact: Any, pattern: int, target: Any) -> bool:
    """Tell whether the exact runs of a pattern in a segment may be part of evidence."""
    first = target.ngrams.starts[pattern]
    enough = ALIGNED_SHARE * target.totals[pattern]
    units = 0
    for i, _, length in exact:
        if length >= LONG_WORDS:
            return True
        for at in range(first + i, first + i + length):
            units += target.weights[at]
        if units >= enough:
            return True
    return False


@kernel
def _align_run(
    pattern: int, i: int, j: int, length: int, hashes: Any, n: int, target: Any,
    covered: Any, trace: Any, pairs: Any, rows: Any, n_rows: int, runs: Any, n_runs: int,
) -> tuple[Any, int, Any, int]:  # fmt: skip
    """Align outwards from an exact run; keep the locus where it is evidence."""
    first, last = target.ngrams.starts[pattern], target.ngrams.starts[pattern + 1]
    item, weights = target.ngrams.words[first:last], target.weights[first:last]
    m = last - first
    band = band_of(m)
    left = extend(item, weights, i - 1, i, hashes, j - 1, j, -1, band, trace, pairs)
    for k in range(left // 2):  # nearest first became farthest first: text order
        for side in range(2):
            pairs[k, side], pairs[left - 1 - k, side] = pairs[left - 1 - k, side], pairs[k, side]
    for k in range(length):
        pairs[left + k, 0], pairs[left + k, 1] = i + k, j + k
    total = left + length
    total += extend(
        item, weights, i + length, m - i - length, hashes, j + length, n - j - length, 1, band,
        trace, pairs[total:],
    )  # fmt: skip

    units = ask_units = longest = here = columns = matched_numbers = swapped = swapped_units = 0
    from_run = n_runs
    for k in range(total):
        a, b = pairs[k]
        units += weights[a]
        if target.ask_start[pattern] <= a < target.ask_end[pattern]:
            ask_units += weights[a]
        matched_numbers += is_number(item[a], target.number_words)
        gap_a, gap_b = 0, 0
        if k:
            gap_a, gap_b = a - pairs[k - 1, 0] - 1, b - pairs[k - 1, 1] - 1
        columns += 1 + max(gap_a, gap_b)
        if gap_a and gap_b:
            theirs = 0
            for g in range(1, gap_b + 1):
                theirs += is_number(hashes[b - g], target.number_words)
            for g in range(1, gap_a + 1):
                if theirs and is_number(item[a - g], target.number_words):
                    theirs -= 1
                    swapped += 1
                    swapped_units += weights[a - g]
        if k and gap_a == 0 and gap_b == 0:
            here += 1
            runs[n_runs - 1, 2] += 1
        else:
            here = 1
            if n_runs == len(runs):
                runs = more_rows(runs)
            runs[n_runs, 0], runs[n_runs, 1], runs[n_runs, 2] = a, b, 1
            n_runs += 1
        longest = max(longest, here)
    cover_spans(runs[from_run:n_runs], covered[first:last])
    if longest < LONG_WORDS and units < KEPT_SHARE * target.totals[pattern]:
        return rows, n_rows, runs, from_run
    if n_rows == len(rows):
        rows = more_rows(rows)
    row = rows[n_rows]
    row[PATTERN] = pattern
    row[ITEM_START], row[ITEM_END] = pairs[0, 0], pairs[total - 1, 0] + 1
    row[WORD_START], row[WORD_END] = pairs[0, 1], pairs[total - 1, 1] + 1
    row[UNITS], row[ASK_UNITS] = units, ask_units
    row[MATCHED], row[COLUMNS], row[LONGEST_RUN] = total, columns, longest
    row[NUMBERS_MATCHED], row[NUMBERS_SWAPPED] = matched_numbers, swapped
    row[SWAPPED_UNITS] = swapped_units
    row[RUN_START], row[RUN_END] = from_run, n_runs
    return rows, n_rows + 1, runs, n_runs


@kernel
def more_rows(table: Any) -> Any:
    """Return a table with twice the room."""
    grown = np.empty((2 * len(table), table.shape[1]), np.int64)
    grown[: len(table)] = table
    return grown
