"""Reading a nominated window: how much of a question's meaning is there, and in which words.

Where `scanners.reword` looks for the question's own words, this looks for words that mean the same
(`scanners.soft_words`): first for the place in and around the window that gains most by them, then, in
that place,

* how much of the question's weight it stands for, in any order and in order, and in the same words;
* how much of the place's own sentences the question accounts for: a short question is soon contained
  in a longer text that says something else;
* the ask, the numbers, the choices that stand behind it.

`scanners.judge_semantic` says what they amount to.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import place_words
from corpora.pieces import cut_text
from indexes.embeddings.static import StaticModel
from indexes.embeddings.word_vectors import kept_words, new_room, spell_segment, speller
from scanners.asked import Asked
from scanners.beside import MOST_WINDOW, look_beside
from scanners.code_match import code_shares
from scanners.embedding import SIZES, Meant, Nominated
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
from scanners.read_window import (
    F_TEXT_END,
    F_TEXT_START,
    MOST_REACH,
    N_FEATURES,
    Meanings,
    read_window,
)

CARRIED_WORDS: Final = 3 * max(SIZES) + 2 * MOST_WINDOW


def read_nominated(
    data: np.ndarray,
    bounds: np.ndarray,
    nominated: Nominated,
    meant: Meant,
    asked: Asked,
    target: Sought,
    model: StaticModel,
) -> tuple[Scanned, Meanings]:
    """Read the nominated windows of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8).

    Windows that share hardly a word with their question are left out: no rewording is that far, and
    there is nothing to prove them by. Releases the interpreter lock.
    """
    rows, features, beside, runs = _read(
        data, bounds, nominated, meant.item, meant.vectors, asked, target, speller(model),
        kept_words(model),
    )  # fmt: skip
    scanned = Scanned(
        Evidence(*np.ascontiguousarray(rows.T)),
        Beside(*np.ascontiguousarray(beside.T)),
        runs,
        0,  # counted by the scanners before
    )
    meanings = Meanings(*np.ascontiguousarray(features.T))
    item = meant.item[meanings.row.astype(np.int64)]
    code = code_shares(data, bounds, target, scanned, item, meant.codes)
    return scanned, meanings._replace(
        code_bits=code.bits, code_share=code.share, code_told=code.told, code_names=code.names
    )


def with_cosines(meanings: Meanings, chosen: np.ndarray, cosines: np.ndarray) -> Meanings:
    """Return the same with the transformer's cosines (n,) of the chosen rows (int64 (n,))."""
    model_cosine = meanings.model_cosine.copy()
    model_cosine[chosen] = cosines
    return meanings._replace(model_cosine=model_cosine)


@kernel
def _read(
    data: Any, bounds: Any, nominated: Any, item_of: Any, row_vectors: Any, asked: Any, target: Any,
    spell: Any, kept: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    longest = 0
    for document in nominated.document:
        longest = max(longest, bounds[document + 1] - bounds[document])
    segment = min(longest, target.segment_bytes)
    room = 2 * segment + CARRIED_WORDS + 1
    hashes, ends = np.empty(room, np.uint64), np.empty(room, np.int64)
    letters = np.empty(0, np.uint32)
    breaks = np.empty(room, np.bool_)  # whether a sentence ends after the word
    scratch = (np.empty(room, np.uint64), np.empty(room, np.int64), np.empty(room, np.int64))
    grams = np.zeros(1 << 14, np.uint64)
    spelled = new_room()
    rows, features = np.empty((16, N_COLUMNS), np.int64), np.empty((16, N_FEATURES), np.float64)
    runs, beside = np.empty((64, 3), np.int64), np.empty((16, N_BESIDE), np.int64)
    n_rows = n_runs = n_beside = at = 0
    while at < len(nominated.document):
        document, upto = nominated.document[at], at
        while upto < len(nominated.document) and nominated.document[upto] == document:
            upto += 1
        done = np.zeros(upto - at, np.bool_)
        document_row = n_rows
        first, last = bounds[document], bounds[document + 1]
        base = n = n_letters = 0
        while True:
            end = cut_text(data, first, last, target.segment_bytes)
            spelled, n_new = spell_segment(data, first, end, spell, spelled)
            need = n_letters + (spelled[1][n_new - 1] + 1 if n_new else 0)
            if need > len(letters):
                grown = np.empty(2 * need, np.uint32)
                grown[:n_letters] = letters[:n_letters]
                letters = grown
            letters[n_letters:need] = spelled[2][: need - n_letters]
            hashes[n : n + n_new] = spelled[0][:n_new]
            for word in range(n_new):
                ends[n + word] = spelled[1][word] + n_letters
            _end_sentences(data, first, end, spell, scratch, breaks[n:])
            n, n_letters, first = n + n_new, need, end
            whole = end >= last
            for k in range(at, upto):
                margin = nominated.word_end[k] + MOST_REACH + MOST_WINDOW
                if done[k - at] or not (whole or margin <= base + n):
                    continue
                done[k - at] = True
                if asked.number[nominated.row[k]] < 0:
                    continue
                from_row = n_rows
                rows, features, n_rows, runs, n_runs = read_window(
                    nominated.row[k], nominated.word_start[k] - base, nominated.word_end[k] - base,
                    nominated.cosine[k], (hashes[:n], letters, ends, breaks), item_of, row_vectors,
                    asked, target, spell, kept, grams, rows, features, n_rows, runs, n_runs,
                )  # fmt: skip
                if n_rows == from_row:
                    continue
                beside, n_beside = look_beside(
                    rows, from_row, n_rows, hashes, n, target, beside, n_beside
                )
                row = rows[from_row]
                row[DOCUMENT] = document
                row[WORD_START] += base
                row[WORD_END] += base
                features[from_row, F_TEXT_START] += base
                features[from_row, F_TEXT_END] += base
                for run in runs[row[RUN_START] : n_runs]:
                    run[1] += base
            if whole:
                break
            some = min(n, CARRIED_WORDS)
            cut = ends[n - some - 1] + 1 if n > some else 0
            n_letters -= cut
            letters[:n_letters] = letters[cut : cut + n_letters].copy()
            hashes[:some] = hashes[n - some : n].copy()
            breaks[:some] = breaks[n - some : n].copy()
            for word in range(some):
                ends[word] = ends[n - some + word] - cut
            base, n = base + n - some, some
        for row in rows[document_row:n_rows]:
            row[DOCUMENT_WORDS] = base + n
        at = upto
    return (
        rows[:n_rows].copy(),
        features[:n_rows].copy(),
        beside[:n_beside].copy(),
        runs[:n_runs].copy(),
    )


@kernel
def _end_sentences(data: Any, first: int, end: int, spell: Any, scratch: Any, breaks: Any) -> None:
    """Tell of each word of `data[first:end]` whether a sentence or line ends behind it."""
    hashes, starts, stops = scratch
    n = place_words(
        data, first, end, spell.page_of, spell.entries, spell.parts, hashes, starts, stops
    )
    word, character = 0, 0
    for at in range(first, end):
        if data[at] & 0xC0 == 0x80:
            continue
        while word < n and stops[word] <= character:
            breaks[word] = False
            word += 1
        if word and (word == n or character < starts[word]):
            byte = data[at]
            mark = byte == 46 or byte == 33 or byte == 63 or byte == 58 or byte == 59  # . ! ? : ;
            spaced = at + 1 == end or data[at + 1] <= 32 or data[at + 1] == 34 or data[at + 1] == 39
            if byte == 10 or (mark and spaced):
                breaks[word - 1] = True
        character += 1
    while word < n:
        breaks[word] = False
        word += 1
