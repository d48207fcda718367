"""The MinHash scanner: rewordings and heavily edited copies nominated by what they are spelled with.

A rewritten question shares few runs of words with the original but most of its character 5-grams. A
whole document's signature cannot show that: a question of 40 words in 2,000 has a Jaccard similarity of
0.02. So signatures are taken of windows as long as items, 16, 32, 64 ... words, half-overlapping: those
of blocks of 8 words are computed once and merged upwards, for the signature of a union is the smaller
of each two numbers. A question is sought in the two window sizes nearest to its own length.

Windows that share a band of locality-sensitive hashing with a question, and enough of the signature,
are candidates; `scanners.reword` reads them. The n-gram scanner guarantees, this one adds to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.kernels import kernel
from corpora.normal_form import hash_words, table
from corpora.pieces import cut_text
from corpora.spelling import spell_words
from indexes.background import Background
from indexes.lsh import LshIndex, build_lsh, equal_positions, probe
from indexes.minhash import (
    EMPTY,
    N_PERMUTATIONS,
    Bands,
    optimal_bands,
    permutations,
    sign,
    signatures,
)
from indexes.shingles import (
    LETTERS_PER_BYTE,
    SHINGLE_CHARS,
    characters,
    common_bits,
    is_common,
    shingle_at,
)
from scanners.beside import MOST_WINDOW, look_beside
from scanners.fields import UNITS_PER_BIT, Role
from scanners.loci import (
    DOCUMENT,
    DOCUMENT_WORDS,
    N_COLUMNS,
    RUN_START,
    WORD_END,
    WORD_START,
    Evidence,
)
from scanners.ngram import N_BESIDE, Beside, Scanned, Sought
from scanners.patterns import Patterns
from scanners.reword import N_FEATURES, Features, ItemText, new_scratch, read_candidate

JACCARD: Final = 0.2  # of a rewording and its original, in windows that do not fit: what is sought
MISS_WEIGHT: Final = (
    0.9  # a rewording that is missed costs more than a candidate that is read in vain
)
LEAST_EQUAL: Final = 10  # of 128 positions, for a candidate to be read
LEAST_WORDS, MOST_WORDS = 8, 2_000  # of a question that is sought
LEAST_BITS: Final = 40.0  # of information, of a question that is sought
LEAST_SHINGLES: Final = 12  # uncommon ones, of a question or a window
BLOCK_WORDS: Final = 8
MOST_LEVELS: Final = 9  # of window sizes: 16, 32, ... 4096 words
MOST_FOUND: Final = 1 << 14  # owners that one window nominates


class Signed(NamedTuple):
    """The questions that are sought by signature, and what reading a candidate needs."""

    lsh: LshIndex
    common: np.ndarray  # uint64, bits of common shingles
    a: np.ndarray
    b: np.ndarray
    levels: int  # of window sizes in use
    texts: ItemText


def bands_in_use() -> Bands:
    """Return the bands and rows of the scanner."""
    return optimal_bands(JACCARD, MISS_WEIGHT)


def sign_questions(patterns: Patterns, items: Sequence[Item], background: Background) -> Signed:
    """Sign the questions that say enough to be told apart by what they are spelled with."""
    chosen, texts = _questions(patterns, items)
    common = common_bits(background.common_shingles)
    letters = [characters(text) for text in texts]
    bounds = np.zeros(len(letters) + 1, np.int64)
    np.cumsum([len(one) for one in letters], out=bounds[1:])
    spelled = np.concatenate([np.zeros(0, np.uint32), *letters])
    shingles, shingle_bounds = _uncommon_shingles(spelled, bounds, common)
    enough = np.diff(shingle_bounds) >= LEAST_SHINGLES
    signed = signatures(shingles, shingle_bounds)
    lengths = np.diff(patterns.index.starts)[chosen]
    rows = np.flatnonzero(enough)
    nearest = _nearest_levels(lengths[rows])
    permuted = permutations()
    return Signed(
        build_lsh(signed, np.repeat(rows, 2), nearest.ravel(), bands_in_use()),
        common,
        permuted.a,
        permuted.b,
        int(nearest.max(initial=0)) + 1,
        ItemText.of(chosen, spelled, bounds),
    )


def _questions(patterns: Patterns, items: Sequence[Item]) -> tuple[np.ndarray, list[str]]:
    """Return the patterns that are questions of enough words and information, with their texts."""
    owners = patterns.owners
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    rows = np.flatnonzero(owners.role == Role.QUESTION)
    distinct, first = np.unique(pattern[rows], return_index=True)
    lengths = np.diff(patterns.index.starts)[distinct]
    fit = (lengths >= LEAST_WORDS) & (lengths <= MOST_WORDS)
    fit &= patterns.totals[distinct] >= LEAST_BITS * UNITS_PER_BIT
    owner_item = owners.item[rows[first[fit]]]
    return distinct[fit], [items[number].question for number in owner_item.tolist()]


def _nearest_levels(lengths: np.ndarray) -> np.ndarray:
    """Return the two window sizes nearest to each length, as levels: int64 (n, 2)."""
    exact = np.log2(np.maximum(lengths, 1) / (2 * BLOCK_WORDS))
    low = np.clip(np.floor(exact), 0, MOST_LEVELS - 2).astype(np.int64)
    return np.stack([low, low + 1], axis=1)


def _uncommon_shingles(
    letters: np.ndarray, bounds: np.ndarray, common: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the uncommon shingles of each text `letters[bounds[t]:bounds[t + 1]]`, in a row."""
    out = np.empty(len(letters), np.uint32)
    out_bounds = np.zeros(len(bounds), np.int64)
    n = _keep_uncommon(letters, bounds, common, out, out_bounds)
    return out[:n].copy(), out_bounds


@kernel
def _keep_uncommon(letters: Any, bounds: Any, common: Any, out: Any, out_bounds: Any) -> int:
    n = 0
    for text in range(len(bounds) - 1):
        for at in range(bounds[text], bounds[text + 1] - SHINGLE_CHARS + 1):
            shingle = shingle_at(letters, at)
            out[n] = shingle
            n += not is_common(common, shingle)
        out_bounds[text + 1] = n
    return n


def scan_rewordings(
    data: np.ndarray, bounds: np.ndarray, target: Sought, signed: Signed
) -> tuple[Scanned, Features]:
    """Scan documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8) for rewordings.

    Releases the interpreter lock.
    """
    rows, features, beside, runs, words = _scan(data, bounds, *table(), target, signed)
    scanned = Scanned(
        Evidence(*np.ascontiguousarray(rows.T)),
        Beside(*np.ascontiguousarray(beside.T)),
        runs,
        words,
    )
    return scanned, Features(*np.ascontiguousarray(features.T))


@kernel
def _scan(
    data: Any, bounds: Any, page_of: Any, entries: Any, parts: Any, target: Any, signed: Any
) -> tuple[Any, Any, Any, Any, int]:
    # A window is read where all that its reading takes is there: itself, as much as the largest window
    # on both sides, and what may stand beside the place.
    largest = BLOCK_WORDS << signed.levels
    open_words = 2 * largest + MOST_WINDOW  # windows that begin there are left to the next segment
    carried_words = open_words + largest + MOST_WINDOW
    longest_text = 0
    for document in range(len(bounds) - 1):
        longest_text = max(longest_text, bounds[document + 1] - bounds[document])
    segment = min(longest_text, target.segment_bytes)
    room = carried_words + 2 * segment + 1
    hashes = np.empty(room, np.uint64)
    ends = np.empty(room, np.int64)
    letters = np.empty(LETTERS_PER_BYTE * segment + 2, np.uint32)
    folded = np.empty(LETTERS_PER_BYTE * segment + 2, np.uint32)
    found = np.empty(MOST_FOUND, np.int32)
    n_signed = len(signed.texts.pattern)
    seen = np.full(n_signed, -1, np.int64)  # the last window that nominated it
    read_from, read_to = np.zeros(n_signed, np.int64), np.zeros(n_signed, np.int64)
    scratch = new_scratch()
    rows = np.empty((16, N_COLUMNS), np.int64)
    features = np.empty((16, N_FEATURES), np.float64)
    runs = np.empty((64, 3), np.int64)
    beside = np.empty((16, N_BESIDE), np.int64)
    n_rows = n_runs = n_beside = total_words = window = 0

    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        document_row = n_rows
        base = carried = carried_letters = done = 0  # windows that begin before `done` are read
        read_from[:] = -1
        while True:
            end = cut_text(data, first, last, target.segment_bytes)
            need = carried_letters + LETTERS_PER_BYTE * (end - first) + 2
            if need > len(letters):
                grown = np.empty(need, np.uint32)
                grown[:carried_letters] = letters[:carried_letters]
                letters, folded = grown, np.empty(need, np.uint32)
            spell_words(
                data, first, end, page_of, entries, parts, letters[carried_letters:], folded,
                ends[carried:], hashes[carried:],
            )  # fmt: skip
            n = carried + hash_words(data, first, end, page_of, entries, parts, hashes[carried:])
            for at in range(carried, n):
                ends[at] += carried_letters
            from_row = n_rows
            blocks, kept = _sign_blocks(letters, ends, n, signed)
            own_first = done - base
            own_last = max(own_first, n - open_words) if end < last else n
            done = base + own_last
            for level in range(signed.levels):
                n_blocks = len(blocks)
                for block in range(max(1, n_blocks - 1)):
                    both = block + 1 < n_blocks
                    start = block * BLOCK_WORDS << level
                    stop = min(n, start + (2 * BLOCK_WORDS << level))
                    if not own_first <= start < own_last:
                        continue
                    if kept[block] + (kept[block + 1] if both else 0) < LEAST_SHINGLES:
                        continue
                    window += 1
                    n_found = _nominate(blocks, block, both, level, signed, window, seen, found)
                    for number in found[:n_found]:
                        if (
                            read_from[number] >= 0
                            and read_from[number] <= base + start
                            and base + stop <= read_to[number]
                        ):
                            continue
                        low, high, rows, features, n_rows, runs, n_runs = read_candidate(
                            number, start, stop, hashes, letters, ends, n, target, signed.texts,
                            scratch, rows, features, from_row, n_rows, runs, n_runs,
                        )  # fmt: skip
                        read_from[number], read_to[number] = base + low, base + high
                if n_blocks == 1:
                    break
                blocks, kept = _merge_blocks(blocks, kept)
            beside, n_beside = look_beside(
                rows, from_row, n_rows, hashes, n, target, beside, n_beside
            )
            for row in rows[from_row:n_rows]:
                row[DOCUMENT] = document
                row[WORD_START] += base
                row[WORD_END] += base
            if n_rows > from_row:
                for run in runs[rows[from_row, RUN_START] : n_runs]:
                    run[1] += base
            if end >= last:
                break
            some = min(n, carried_words)
            cut_letters = ends[n - some - 1] + 1 if n > some else 0
            carried_letters = ends[n - 1] + 1 - cut_letters if n else 0
            letters[:carried_letters] = letters[cut_letters : cut_letters + carried_letters].copy()
            hashes[:some] = hashes[n - some : n].copy()
            ends[:some] = ends[n - some : n].copy()
            for at in range(some):
                ends[at] -= cut_letters
            base, carried, first = base + n - some, some, end
        total_words += base + n
        for row in rows[document_row:n_rows]:
            row[DOCUMENT_WORDS] = base + n
    return (
        rows[:n_rows].copy(), features[:n_rows].copy(), beside[:n_beside].copy(),
        runs[:n_runs].copy(), total_words,
    )  # fmt: skip


@kernel
def _sign_blocks(letters: Any, ends: Any, n: int, signed: Any) -> tuple[Any, Any]:
    """Sign every block of words by its uncommon shingles; also return how many those are."""
    n_blocks = (n + BLOCK_WORDS - 1) // BLOCK_WORDS
    blocks = np.empty((max(1, n_blocks), N_PERMUTATIONS), np.uint32)
    kept = np.zeros(max(1, n_blocks), np.int64)
    if n_blocks == 0:
        blocks[0, :] = EMPTY
        return blocks, kept
    last_start = ends[n - 1] - SHINGLE_CHARS + 1
    shingles = np.empty(0, np.uint32)
    at = 0
    for block in range(n_blocks):
        stop = ends[min(n, (block + 1) * BLOCK_WORDS) - 1] + 1
        stop = min(stop, last_start)
        if stop - at > len(shingles):
            shingles = np.empty(2 * (stop - at), np.uint32)
        count = 0
        for letter in range(at, stop):
            shingle = shingle_at(letters, letter)
            shingles[count] = shingle
            count += not is_common(signed.common, shingle)
        blocks[block, :] = EMPTY
        sign(shingles, 0, count, signed.a, signed.b, blocks[block])
        kept[block] = count
        at = max(at, stop)
    return blocks, kept


@kernel
def _merge_blocks(blocks: Any, kept: Any) -> tuple[Any, Any]:
    """Return the signatures of blocks twice as long."""
    n = (len(blocks) + 1) // 2
    for block in range(n):
        one, other = 2 * block, 2 * block + 1
        if other < len(blocks):
            for k in range(N_PERMUTATIONS):
                blocks[block, k] = min(blocks[one, k], blocks[other, k])
            kept[block] = kept[one] + kept[other]
        else:
            blocks[block, :] = blocks[one]
            kept[block] = kept[one]
    return blocks[:n], kept[:n]


@kernel
def _nominate(
    blocks: Any, block: int, both: bool, level: int, signed: Any, window: int, seen: Any, found: Any
) -> int:
    """Leave the questions that a window may hold in `found`, each once; return their number."""
    signature = np.empty(N_PERMUTATIONS, np.uint32)
    low = np.empty(N_PERMUTATIONS, np.uint8)
    for k in range(N_PERMUTATIONS):
        value = blocks[block, k]
        if both:
            value = min(value, blocks[block + 1, k])
        signature[k] = value
        low[k] = np.uint8(value)
    n = 0
    for number in found[: probe(signed.lsh, signature, level, found)]:
        if seen[number] == window:
            continue
        seen[number] = window
        if equal_positions(signed.lsh.low_bytes, number, low) >= LEAST_EQUAL:
            found[n] = number
            n += 1
    return n
