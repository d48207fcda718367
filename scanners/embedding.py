"""The embedding scanner, stage 0: windows of documents that may say what an item says.

Every item becomes rows: its question; the question with its choices or its answer, where it says little
alone or is code; and the ask at the end of a long question. A row is sought in the two window sizes nearest
to its own length, by the cosine of static vectors (`indexes.embeddings`), with the mean of general
text subtracted.

No cosine means the same for every row, so each has its own floor, the larger of two:

* From the background: over windows of general text of the same size a row's cosine has a mean and a
  deviation. The floor is so many roots of the deviation above the mean that a share of
  `BACKGROUND_SHARE` of the background's windows reaches any row of the benchmark. (The root: halfway
  between equal cosines for all rows and equal deviations; found more rewordings than either.) At
  least `LEAST_FLOOR`, for benchmarks of few items.
* From its siblings: half of the benchmark's rows have `SIBLINGS` other items nearer than this. Where
  items are alike, as word problems are, a window that is no nearer is one more sibling. But never
  more than `MOST_FLOOR`: items of one template are nearly equal, and so are their rewordings.

Items that are code are sought by the shape of their solutions, too (`scanners.code_shapes`).

Floors of a benchmark do not depend on the other benchmarks of the run. Stage 0 only nominates: numbers
and names are looked at by `scanners.meaning`, the whole sentence by a transformer where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.kernels import kernel
from corpora.normal_form import word_hashes
from corpora.pieces import cut_text
from indexes.background import Background
from indexes.embeddings.bags import background_windows
from indexes.embeddings.item_search import (
    ItemLists,
    build_lists,
    open_all,
    search,
    search_room,
    whole_numbers,
)
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import (
    add_words,
    is_known,
    kept_words,
    new_room,
    new_start,
    new_sums,
    spell_segment,
    speller,
    strides,
    text_vectors,
    window_vector,
)
from scanners.code_match import CodeItems, code_items
from scanners.code_shapes import CodePlaces, CodeShapes, code_shapes, nominate_code
from scanners.fields import LEAST_BITS, MOST_BITS, Role
from scanners.floors import MOST_FLOOR, background_floors, sibling_floor
from scanners.ngram import SEGMENT_BYTES
from scanners.patterns import CODE_MARKS, Patterns, last_sentence

SIZES: Final = (12, 19, 30, 48, 77, 123, 197, 315, 504)  # words of windows
LEAST_WORDS: Final = 6  # of a row
LEAST_ROW_BITS: Final = 40.0  # of information, as of a question that is sought by signature
ALONE_BITS: Final = 120.0  # of a question that needs no row with its choices or answer
ASK_FROM_WORDS: Final = 40  # questions that long have a row for their ask, if it says enough:
LEAST_ASK_BITS: Final = 60.0
QUESTION, WHOLE, ASK = 0, 1, 2  # views
CHUNK_WORDS: Final = 256  # that are embedded at a time


class Meant(NamedTuple):
    """What is sought: rows, each a text of an item; equal texts once, of the first item with it."""

    item: np.ndarray  # int32 (rows,)
    pattern: np.ndarray  # int64 (rows,), of the item's question; -1 where that is none
    view: np.ndarray  # int8 (rows,): question, with choices or answer, ask
    words: np.ndarray  # int32 (rows,)
    vectors: np.ndarray  # float32 (rows, dimension), of unit length
    floor: np.ndarray  # float32 (rows,), the lowest cosine that nominates it
    sizes: np.ndarray  # int64 (levels,), window sizes in use, ascending
    lists: ItemLists
    codes: CodeItems  # of all items
    shapes: CodeShapes


class Nominated(NamedTuple):
    """Windows that may say what a row says, sorted by document, row and start."""

    document: np.ndarray  # int32 (n,)
    word_start: np.ndarray  # int64 (n,), words of the normal form from the document's beginning
    word_end: np.ndarray  # int64 (n,)
    row: np.ndarray  # int32 (n,)
    cosine: np.ndarray  # float32 (n,); 0 where the code alone nominated it


class Text(NamedTuple):
    """A text of an item."""

    item: int
    view: int
    text: str
    words: np.ndarray  # uint64, hashes
    bits: float  # of information

    @staticmethod
    def of(item: int, view: int, text: str, background: Background) -> Text:
        """Return a text with its words and what they say, by the background alone."""
        words = word_hashes(text)
        with np.errstate(divide="ignore"):
            bits = np.clip(-np.log2(background.rate_of(words)), LEAST_BITS, MOST_BITS)
        return Text(item, view, text, words, float(bits.sum()))


def mean_items(
    patterns: Patterns, items: Sequence[Item], background: Background, model: StaticModel
) -> Meant:
    """Return what is sought of items, those that say enough. `items` are those of the patterns."""
    found = _distinct(_texts(items, background))
    question = np.full(len(items), -1, np.int64)
    owners = patterns.owners
    of_rows = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    asked = owners.role == Role.QUESTION
    question[owners.item[asked]] = of_rows[asked]
    encoded = [one.text.encode() for one in found]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    vectors = text_vectors(np.frombuffer(b"".join(encoded), np.uint8), bounds, model)
    has_vector = vectors.any(axis=1)
    found = [one for one, has in zip(found, has_vector.tolist(), strict=True) if has]
    vectors = vectors[has_vector]
    item = np.array([one.item for one in found], np.int32)
    view = np.array([one.view for one in found], np.int8)
    words = np.array([len(one.words) for one in found], np.int32)
    floor, sizes, lists = _lists(vectors, item, view, words, patterns.benchmark[item], model)
    codes = code_items(items)
    return Meant(
        item, question[item], view, words, vectors, floor, sizes, lists, codes, code_shapes(codes)
    )


def _texts(items: Sequence[Item], background: Background) -> Iterator[Text]:
    """Yield the texts of items that say enough."""
    for number, item in enumerate(items):
        question = Text.of(number, QUESTION, item.question, background)
        if question.bits >= LEAST_ROW_BITS:
            yield question
        is_code = any(mark in item.question for mark in CODE_MARKS)
        if question.bits < ALONE_BITS or is_code:
            rest = item.choices or (item.answer,)
            whole = Text.of(number, WHOLE, "\n".join([item.question, *rest]), background)
            if whole.bits >= LEAST_ROW_BITS:
                yield whole
        if len(question.words) >= ASK_FROM_WORDS and (ask := last_sentence(item.question)):
            asked = Text.of(number, ASK, ask, background)
            if asked.bits >= LEAST_ASK_BITS:
                yield asked


def _distinct(texts: Iterator[Text]) -> list[Text]:
    """Keep texts of some words, each once."""
    seen: set[bytes] = set()
    kept = []
    for text in texts:
        if len(text.words) >= LEAST_WORDS and (key := text.words.tobytes()) not in seen:
            seen.add(key)
            kept.append(text)
    return kept


def _lists(
    vectors: np.ndarray,
    item: np.ndarray,
    view: np.ndarray,
    words: np.ndarray,
    benchmark: np.ndarray,
    model: StaticModel,
) -> tuple[np.ndarray, np.ndarray, ItemLists]:
    """Return the rows' lowest floors, the window sizes in use and the lists to search in."""
    near = nearest_sizes(words)
    in_use, level = np.unique(near, return_inverse=True)
    level = level.reshape(-1)
    sizes = np.array(SIZES, np.int64)[in_use]
    rows = np.repeat(np.arange(len(words), dtype=np.int32), near.shape[1])
    windows = background_windows(sizes, model)
    filled = np.zeros((len(vectors), model.vectors.shape[1]), np.int16)
    filled[:, : vectors.shape[1]] = whole_numbers(vectors)
    floors = np.zeros(len(rows))
    for number in np.unique(benchmark):
        mine = benchmark[rows] == number
        whole = np.flatnonzero((benchmark == number) & (view == QUESTION))
        siblings = min(sibling_floor(filled[whole], item[whole]), MOST_FLOOR)
        for one in range(len(sizes)):
            chosen = np.flatnonzero(mine & (level == one))
            general = background_floors(filled[rows[chosen]], windows[one])
            floors[chosen] = np.maximum(general, siblings)
    lowest = floors.reshape(-1, near.shape[1]).min(axis=1).astype(np.float32)
    return lowest, sizes, build_lists(filled, rows, level, floors, windows)


def nearest_sizes(words: np.ndarray) -> np.ndarray:
    """Return the numbers of the two window sizes nearest to each length: int64 (n, 2)."""
    apart = np.abs(np.log(np.maximum(words, 1))[:, None] - np.log(SIZES)[None, :])
    return np.sort(np.argsort(apart, axis=1, kind="stable")[:, :2], axis=1)


def nominate(
    data: np.ndarray, bounds: np.ndarray, meant: Meant, model: StaticModel, exact: bool = False
) -> Nominated:
    """Nominate windows of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8).

    Of the windows of a document that overlap and reach the same row the nearest one stays. `exact`
    looks into all lists, for audits: slow. Releases the interpreter lock.
    """
    lists = open_all(meant.lists) if exact else meant.lists
    places, cosines = _scan(
        data, bounds, meant.sizes, strides(meant.sizes), lists, len(meant.item), SEGMENT_BYTES,
        speller(model, lists.centres), kept_words(model, lists.centres),
    )  # fmt: skip
    document, row, start, stop = np.ascontiguousarray(places.T)
    by_vector = Nominated(document.astype(np.int32), start, stop, row.astype(np.int32), cosines)
    by_code = nominate_code(data, bounds, meant.codes, meant.shapes, SEGMENT_BYTES)
    return _joined(by_vector, by_code, meant) if len(by_code.item) else by_vector


def _joined(by_vector: Nominated, by_code: CodePlaces, meant: Meant) -> Nominated:
    """Return what either nominates, in order; code stands for the item's question."""
    question = np.full(len(meant.codes.total), -1, np.int32)
    asks = np.flatnonzero(meant.view == QUESTION)
    question[meant.item[asks]] = asks
    row = question[by_code.item]
    sought = row >= 0
    stop = np.minimum(by_code.word_end, by_code.word_start + max(SIZES))  # what reading carries
    nothing = np.zeros(len(row), np.float32)
    columns = (by_code.document, by_code.word_start, stop, row, nothing)
    both = Nominated(
        *(np.concatenate([a, b[sought]]) for a, b in zip(by_vector, columns, strict=True))
    )
    order = np.lexsort((both.word_end, both.word_start, both.row, both.document))
    return Nominated(*(column[order] for column in both))


@kernel
def _scan(
    data: Any, bounds: Any, sizes: Any, steps: Any, lists: Any, n_rows: int, segment_bytes: int,
    spell: Any, kept: Any,
) -> tuple[Any, Any]:  # fmt: skip
    around = 1  # rows of running sums, which go around
    while around <= CHUNK_WORDS + (sizes[-1] + steps[-1] if len(sizes) else 0):
        around *= 2
    mask = around - 1
    sums = new_sums(around, kept)
    before = np.empty(len(sizes), np.int64)  # start of the last window of each size
    rows, cosines = np.empty(n_rows, np.int32), np.empty(n_rows, np.float32)
    hits, nearness = np.empty((64, 4), np.int64), np.empty(64, np.float32)
    room = new_room()
    n_hits = 0
    for document in range(len(bounds) - 1):
        first, last = bounds[document], bounds[document + 1]
        own = n_hits
        n = 0
        sums[0][0], sums[1][0], sums[2][0] = 0, 0, 0
        before[:] = -steps
        while True:
            whole = first >= last
            n_new = done = 0
            if not whole:
                end = cut_text(data, first, last, segment_bytes)
                room, n_new = spell_segment(data, first, end, spell, room)
                first = end
            while done < n_new or whole:
                more = min(n_new - done, CHUNK_WORDS)
                add_words(room, done, done + more, spell, kept, sums, n, mask)
                n, done = n + more, done + more
                hits, nearness, n_hits = _search_windows(
                    document, n, whole, sums, mask, sizes, steps, before, lists, rows, cosines,
                    hits, nearness, n_hits,
                )  # fmt: skip
                if whole:
                    break
            if whole:
                break
        n_hits = keep_nearest(hits, nearness, own, n_hits)
    return hits[:n_hits].copy(), nearness[:n_hits].copy()


@kernel
def _search_windows(
    document: int, n: int, whole: bool, sums: Any, mask: int, sizes: Any, steps: Any, before: Any,
    lists: Any, rows: Any, cosines: Any, hits: Any, nearness: Any, n_hits: int,
) -> tuple[Any, Any, int]:  # fmt: skip
    """Search the windows that have become complete, size by size; append what they reach."""
    dimension = lists.vector.shape[1]
    total, unit = np.empty(dimension, np.int32), np.empty(dimension, np.int16)
    room = search_room(lists.near.shape[1])
    for level in range(len(sizes)):
        while True:
            start = new_start(before[level], sizes[level], steps[level], n, whole)
            if start < 0:
                break
            before[level] = start
            stop = min(start + sizes[level], n)
            first, last = start & mask, stop & mask
            if not is_known(sums, first, last, stop - start):
                continue
            length = window_vector(sums, first, last, total, unit)
            if length == 0:
                continue
            found = search(
                sums[1][first],
                sums[1][last],
                total,
                length,
                unit,
                level,
                lists,
                room,
                rows,
                cosines,
            )
            if n_hits + found > len(hits):
                hits, nearness = _more_hits(hits, nearness, n_hits + found)
            for k in range(found):
                hits[n_hits, 0], hits[n_hits, 1] = document, rows[k]
                hits[n_hits, 2], hits[n_hits, 3] = start, stop
                nearness[n_hits] = cosines[k]
                n_hits += 1
    return hits, nearness, n_hits


@kernel
def _more_hits(hits: Any, nearness: Any, least: int) -> tuple[Any, Any]:
    more_hits = np.empty((2 * least, hits.shape[1]), np.int64)
    more_nearness = np.empty(2 * least, np.float32)
    more_hits[: len(hits)], more_nearness[: len(hits)] = hits, nearness
    return more_hits, more_nearness


@kernel
def keep_nearest(hits: Any, nearness: Any, first: int, last: int) -> int:
    """Of a document's hits keep each row's nearest that do not overlap, by row and start.

    Of equally near ones the first and then the shorter stays. Returns where they end now.
    """
    order = first + np.argsort(hits[first:last, 3], kind="mergesort")
    order = order[np.argsort(hits[order, 2], kind="mergesort")]
    order = order[np.argsort(-nearness[order], kind="mergesort")]
    order = order[np.argsort(hits[order, 1], kind="mergesort")]
    own, near = hits[order], nearness[order]
    n = first
    of_row = 0
    for k in range(len(own)):
        if k == 0 or own[k, 1] != own[k - 1, 1]:
            of_row = n
        free = True
        for other in range(of_row, n):
            free &= own[k, 2] >= hits[other, 3] or own[k, 3] <= hits[other, 2]
        if free:
            hits[n], nearness[n] = own[k], near[k]
            n += 1
    order = first + np.argsort(hits[first:n, 2], kind="mergesort")
    order = order[np.argsort(hits[order, 1], kind="mergesort")]
    hits[first:n], nearness[first:n] = hits[order], nearness[order]
    return n
