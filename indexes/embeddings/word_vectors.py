"""Words to vectors, and sums of them over windows, in kernels that make no Python object.

A word's vector is the sum of its pieces' (`indexes.embeddings.pieces`), kept per thread by the word's
hash, so that a text costs one look-up a word. All numbers are whole: a window's sum is the difference of
two running sums, exact wherever it stands; running sums may pass 2**31, their difference never does.
What is kept changes no result.

With a word's vector its products with some centres may be kept (`item_search`): they are sums over
words, too, so that a window's product with every centre costs one subtraction. They say where to look and
may be rough: 16 bits, in units of `PRODUCT_UNIT`.
"""

from __future__ import annotations

import threading
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import hash_words, table
from corpora.pieces import cut_text
from corpora.spelling import spell_words
from indexes.embeddings.pieces import MOST_CHARS, cut_word
from indexes.embeddings.static import StaticModel
from indexes.shingles import LETTERS_PER_BYTE

KEPT_BITS: Final = 15  # 2**15 words of a thread are kept; when they are full it begins anew
KEPT_MODELS: Final = 3  # of a thread, with or without centres
SEGMENT_BYTES: Final = 1 << 16  # of a text that are spelled at a time
MOST_WINDOW_WORDS: Final = 4096  # times 2**15 a word stays below 2**31
LARGEST_WORD: Final = (1 << 15) - 1
ONE_LENGTH: Final = 1 << 14  # the length of a unit vector in whole numbers
PRODUCT_UNIT: Final = 64  # so that a window's product fits in 16 bits: below 2**21
LEAST_KNOWN: Final = 2  # a window's words over those with a vector: at least half are known
FREE: Final = np.uint64(0)
SLOT_SHIFT: Final = np.uint64(17)


class Kept(NamedTuple):
    """Vectors of the words that a thread has met; row 0 is that of unknown words, zeros."""

    keys: np.ndarray  # uint64 (slots,), hash of a word; 0 where free
    rows: np.ndarray  # int32 (slots,)
    vectors: np.ndarray  # int16 (rows, dimension)
    products: np.ndarray  # int16 (rows, centres), in units of PRODUCT_UNIT
    used: np.ndarray  # int64 (1,), rows in use


class Speller(NamedTuple):
    """What kernels need to turn bytes into vectors: the character table and the static model's."""

    page_of: np.ndarray
    entries: np.ndarray
    parts: np.ndarray
    keys: np.ndarray
    piece_rows: np.ndarray
    longest: int
    pieces: np.ndarray  # int16 (pieces, dimension)
    centres: np.ndarray  # int16 (centres, dimension), of length ONE_LENGTH


class Windows(NamedTuple):
    """Windows of documents: sorted by document, size and start."""

    document: np.ndarray  # int32 (n,)
    start: np.ndarray  # int64 (n,), in words of the document
    end: np.ndarray  # int64 (n,)
    vectors: np.ndarray  # int16 (n, dimension), of length ONE_LENGTH


_own = threading.local()


def speller(model: StaticModel, centres: np.ndarray | None = None) -> Speller:
    """Return what kernels need of a model, and the centres that vectors go on with."""
    if centres is None:
        centres = np.zeros((0, model.vectors.shape[1]), np.int16)
    return Speller(*table(), *model.pieces, model.vectors, centres)


def kept_words(model: StaticModel, centres: np.ndarray | None = None) -> Kept:
    """Return the calling thread's vectors of words; those of the latest few models are kept."""
    known: dict[tuple[int, int], tuple[Any, Kept]] = _own.__dict__.setdefault("known", {})
    key = id(model), id(centres)
    if key not in known:
        while len(known) >= KEPT_MODELS:
            del known[next(iter(known))]
        n_centres = 0 if centres is None else len(centres)
        kept = Kept(
            np.zeros(4 << KEPT_BITS, np.uint64),
            np.zeros(4 << KEPT_BITS, np.int32),
            np.zeros((1 << KEPT_BITS, model.vectors.shape[1]), np.int16),
            np.zeros((1 << KEPT_BITS, n_centres), np.int16),
            np.ones(1, np.int64),
        )
        known[key] = (model, centres), kept  # held, so that no other gets their numbers
    return known[key][1]


def text_vectors(data: np.ndarray, bounds: np.ndarray, model: StaticModel) -> np.ndarray:
    """Return one vector for each text `data[bounds[t]:bounds[t + 1]]` (uint8, valid UTF-8).

    float32 of shape (texts, dimension), of unit length; zeros where no word has a vector. Releases the
    interpreter lock.
    """
    sums = np.zeros((len(bounds) - 1, model.vectors.shape[1]), np.int64)
    _sum_texts(data, bounds, speller(model), kept_words(model), sums)
    vectors = sums[:, : model.card.dimension].astype(np.float64)
    lengths = np.sqrt((vectors**2).sum(axis=1))
    return (vectors / np.maximum(lengths, 1)[:, None]).astype(np.float32)


def window_vectors(
    data: np.ndarray, bounds: np.ndarray, sizes: np.ndarray, model: StaticModel
) -> Windows:
    """Return the windows of documents in all of some sizes (int64, words, ascending).

    A window begins at every quarter of its size; the last one ends with the document. A document of at
    least half the size is one window. Windows of which less than half of the words have a vector are
    left out. Releases the interpreter lock.
    """
    return Windows(
        *_collect_windows(data, bounds, sizes, strides(sizes), speller(model), kept_words(model))
    )


def strides(sizes: np.ndarray) -> np.ndarray:
    """Return after how many words the next window of each size begins."""
    return np.maximum(sizes // 4, 1)


# --- words ----------------------------------------------------------------------------------------


@kernel
def new_room() -> Any:
    """Return room that grows with the segments."""
    return (
        np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint32), np.empty(0, np.uint32),
    )  # fmt: skip


@kernel
def spell_segment(data: Any, first: int, end: int, spell: Any, room: Any) -> tuple[Any, int]:
    """Spell and hash the words of `data[first:end]`; return the room, grown, and their number."""
    hashes, ends, letters, folded = room
    size = end - first
    if 2 * size + 1 > len(hashes):
        hashes, ends = np.empty(2 * size + 1, np.uint64), np.empty(2 * size + 1, np.int64)
        letters = np.empty(LETTERS_PER_BYTE * size + 2, np.uint32)
        folded = np.empty(LETTERS_PER_BYTE * size + 2, np.uint32)
    page_of, entries, parts = spell.page_of, spell.entries, spell.parts
    spell_words(data, first, end, page_of, entries, parts, letters, folded, ends, hashes)
    n = hash_words(data, first, end, page_of, entries, parts, hashes)
    return (hashes, ends, letters, folded), n


@kernel
def word_row(word: Any, letters: Any, first: int, end: int, spell: Any, kept: Any) -> int:
    """Return the row of `kept.vectors` that is the word's; 0 for a word without a vector.

    `word` is its hash, `letters[first:end]` its spelling. A row is good until the next call, which
    may begin anew.
    """
    keys = kept.keys
    mask = len(keys) - 1
    slot = np.int64(word >> SLOT_SHIFT) & mask
    while keys[slot] != FREE:
        if keys[slot] == word:
            return kept.rows[slot]
        slot = slot + 1 & mask
    return _keep(word, letters, first, end, spell, kept)


@kernel
def _keep(word: Any, letters: Any, first: int, end: int, spell: Any, kept: Any) -> int:
    keys, rows, vectors, products, used = kept
    cut = np.empty(MOST_CHARS, np.int32)
    n = cut_word(letters, first, end, (spell.keys, spell.piece_rows, spell.longest), cut)
    if used[0] == len(vectors) or used[0] + used[0] > len(keys):
        keys[:] = FREE
        used[0] = 1
    mask = len(keys) - 1
    slot = np.int64(word >> SLOT_SHIFT) & mask
    while keys[slot] != FREE:
        slot = slot + 1 & mask
    row = 0
    if n:
        row = used[0]
        used[0] += 1
        dimension = spell.pieces.shape[1]
        for j in range(dimension):
            total = np.int64(0)
            for piece in cut[:n]:
                total += spell.pieces[piece, j]
            vectors[row, j] = min(max(total, -LARGEST_WORD), LARGEST_WORD)
        for k in range(len(spell.centres)):
            total = np.int64(0)
            for j in range(dimension):
                total += np.int64(vectors[row, j]) * np.int64(spell.centres[k, j])
            products[row, k] = np.int16(np.rint(total / (ONE_LENGTH * PRODUCT_UNIT)))
    keys[slot] = word
    rows[slot] = row
    return row


@kernel
def _sum_texts(data: Any, bounds: Any, spell: Any, kept: Any, sums: Any) -> None:
    room = new_room()
    vectors = kept.vectors
    for text in range(len(bounds) - 1):
        first, last = bounds[text], bounds[text + 1]
        total = sums[text]
        while first < last:
            end = cut_text(data, first, last, SEGMENT_BYTES)
            room, n = spell_segment(data, first, end, spell, room)
            hashes, ends, letters = room[0], room[1], room[2]
            for at in range(n):
                begin = ends[at - 1] + 1 if at else 0
                row = word_row(hashes[at], letters, begin, ends[at], spell, kept)
                for j in range(len(total)):
                    total[j] += vectors[row, j]
            first = end


# --- windows --------------------------------------------------------------------------------------


@kernel
def new_sums(n_words: int, kept: Any) -> Any:
    """Return running sums for so many words (a power of two, where they go around), all zeros."""
    return (
        np.zeros((n_words, kept.vectors.shape[1]), np.int32),
        np.zeros((n_words, kept.products.shape[1]), np.int16),
        np.zeros(n_words, np.int32),
    )


@kernel
def add_words(
    room: Any, first: int, stop: int, spell: Any, kept: Any, sums: Any, at: int, mask: int
) -> None:
    """Append the running sums of the spelled words first..stop after the first `at` words.

    Row k & mask of `sums` holds what the first k words come to: the sum of their vectors, of their
    products (both wrap around), and how many have a vector.
    """
    hashes, ends, letters = room[0], room[1], room[2]
    totals, products, known = sums
    for word in range(first, stop):
        begin = ends[word - 1] + 1 if word else 0
        row = word_row(hashes[word], letters, begin, ends[word], spell, kept)
        before, after = at & mask, at + 1 & mask
        for j in range(totals.shape[1]):
            totals[after, j] = totals[before, j] + kept.vectors[row, j]
        for k in range(products.shape[1]):
            products[after, k] = products[before, k] + kept.products[row, k]
        known[after] = known[before] + (row != 0)
        at += 1


@kernel
def window_vector(sums: Any, start: int, stop: int, total: Any, unit: Any) -> float:
    """Leave a window's sum in `total` (int32) and its unit vector in `unit` (int16).

    `start` and `stop` are rows of `sums`. Returns the sum's length; 0 where too few words are known.
    """
    totals, _, known = sums
    low, high = totals[start], totals[stop]
    square = np.int64(0)
    for j in range(len(total)):
        total[j] = high[j] - low[j]
        square += np.int64(total[j]) * np.int64(total[j])
    if square == 0:
        return 0.0
    length = np.sqrt(np.float64(square))
    scale = np.float32(ONE_LENGTH / length)
    for j in range(len(total)):
        unit[j] = np.int16(np.rint(np.float32(total[j]) * scale))
    return length


@inline_kernel
def is_known(sums: Any, start: int, stop: int, n_words: int) -> bool:
    """Tell whether at least half of a window's words have a vector."""
    return LEAST_KNOWN * np.int64(np.int32(sums[2][stop] - sums[2][start])) >= n_words


@inline_kernel
def new_start(start: int, size: int, stride: int, n_words: int, whole: bool) -> int:
    """Return where the window after the one at `start` begins; -1 where there is none yet.

    `whole`: `n_words` are all of the document; before, some of its words.
    """
    if start + stride + size <= n_words:
        return start + stride
    if whole and start + size < n_words and start >= 0:
        return n_words - size
    if whole and start < 0 and n_words < size <= 2 * n_words:
        return 0
    return -1


@kernel
def _collect_windows(
    data: Any, bounds: Any, sizes: Any, strides: Any, spell: Any, kept: Any
) -> tuple[Any, Any, Any, Any]:
    dimension = kept.vectors.shape[1]
    document_of, starts = np.empty(64, np.int32), np.empty(64, np.int64)
    stops, units = np.empty(64, np.int64), np.empty((64, dimension), np.int16)
    total, unit = np.empty(dimension, np.int32), np.empty(dimension, np.int16)
    room = new_room()
    sums = new_sums(1, kept)
    n_windows = 0
    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        n = 0
        while first < last:
            end = cut_text(data, first, last, SEGMENT_BYTES)
            room, n_new = spell_segment(data, first, end, spell, room)
            if n + n_new >= len(sums[0]):
                grown = new_sums(2 * (n + n_new), kept)
                grown[0][: n + 1], grown[2][: n + 1] = sums[0][: n + 1], sums[2][: n + 1]
                sums = grown
            add_words(room, 0, n_new, spell, kept, sums, n, -1)
            n += n_new
            first = end
        for level in range(len(sizes)):
            size, stride = sizes[level], strides[level]
            start = new_start(-stride, size, stride, n, True)
            while start >= 0:
                stop = min(n, start + size)
                known = is_known(sums, start, stop, stop - start)
                if known and window_vector(sums, start, stop, total, unit) > 0:
                    if n_windows == len(units):
                        grown = np.empty((2 * n_windows, dimension), np.int16)
                        grown[:n_windows] = units
                        units = grown
                        document_of = _doubled(document_of)
                        starts, stops = _doubled(starts), _doubled(stops)
                    document_of[n_windows] = document
                    starts[n_windows], stops[n_windows] = start, stop
                    units[n_windows] = unit
                    n_windows += 1
                start = new_start(start, size, stride, n, True)
    return (
        document_of[:n_windows].copy(), starts[:n_windows].copy(), stops[:n_windows].copy(),
        units[:n_windows].copy(),
    )  # fmt: skip


@kernel
def _doubled(array: Any) -> Any:
    grown = np.empty(2 * len(array), array.dtype)
    grown[: len(array)] = array
    return grown
