"""Sentences of documents, and which language each is in, as far as the search for translations asks.

A language is the script of most letters. Only what is Latin is told apart further, into English and other:
by the share of words that are among the commonest of English general text. Text of many signs (code,
tables, mark-up) has no language.

Sentences end at the marks of their script, at line breaks, and, where a script has neither marks nor spaces
between words (Thai, Lao, Khmer, Burmese), at its spaces; long ones are cut. A sentence's size is
told in letters of English: a letter of a script that says more by one counts more (`SIZE_OF`), so that a text
and its translation have about the same size.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.character_kinds import character_kinds
from corpora.kernels import inline_kernel, kernel
from corpora.normal_form import hash_words, table, word_hashes
from indexes.background import load_background

NO_LANGUAGE: Final = -1
# Letters of English that one letter says; of scripts that are not named, 1. Median ratios of questions of
# MGSM and XQuAD and their translations, development half; marks on letters do not count.
SIZE_OF: Final = {
    "Han": 3.0, "Hiragana": 1.5, "Katakana": 1.5, "Bopomofo": 1.5, "Hangul": 2.0, "Thai": 1.2, "Lao": 1.2,
    "Arabic": 1.2, "Hebrew": 1.2, "Devanagari": 1.75, "Bengali": 1.55, "Telugu": 1.5,
}  # fmt: skip
KANA: Final = ("Hiragana", "Katakana")
LEAST_KANA: Final = 0.1  # of the letters: Japanese, not Chinese
SPACED_SENTENCES: Final = ("Thai", "Lao", "Khmer", "Myanmar")  # scripts whose spaces end sentences
# Marks that end a sentence where a space or the text's end follows, and marks that do so alone.
ENDS: Final = ".!?…"
FULL_ENDS: Final = "。！？｡؟۔।॥։።။"
LONG_SIZE, MOST_SIZE = 240.0, 480.0  # from which a sentence is cut: between words, anywhere
COMMON_RATE: Final = 0.12  # of the background's pieces of 300 words: some sixty words, less those
# that are words of other languages, too, or what is left where a mark divides one:
OTHERS_WORDS: Final = (
    "a an are as at c d de e file i in it l n name no on or s set so system t text was will"
)
LEAST_COMMON: Final = (
    0.1  # of the words: English, of which it is 0.28; of other languages under 0.01
)
MOST_SIGNS: Final = 0.2  # of the characters that are no space: prose
LEAST_LETTERS: Final = 8  # of a sentence and its neighbours


class Sentences(NamedTuple):
    """Sentences of documents in order, (n,) each; none of them is empty."""

    document: np.ndarray  # int32
    start: np.ndarray  # int64, first byte
    end: np.ndarray  # int64, past the last byte
    first_char: np.ndarray  # int64, from the beginning of the document
    last_char: np.ndarray  # int64, past the last
    size: np.ndarray  # float64, in letters of English
    language: (
        np.ndarray
    )  # int16: a script, one past them for Latin that is not English, NO_LANGUAGE


def sentences_of(data: np.ndarray, bounds: np.ndarray) -> Sentences:
    """Return the sentences of documents `data[bounds[d]:bounds[d + 1]]` (uint8, valid UTF-8)."""
    rows = np.empty((256, N_COLUMNS), np.int64)
    sizes = np.empty(256, np.float64)
    letters = np.zeros((256, len(character_kinds().scripts)), np.int32)
    kinds = character_kinds().table
    rows, sizes, letters, n = _cut(
        data, bounds, kinds.page_of, kinds.kinds, _kinds(), rows, sizes, letters
    )
    rows, sizes, letters = rows[:n], sizes[:n], letters[:n]
    common = _count_common(data, rows, *table(), common_words())
    document = rows[:, DOCUMENT].astype(np.int32)
    language = _languages(document, letters, rows, common)
    columns = (np.ascontiguousarray(rows[:, c]) for c in (START, END, FIRST_CHAR, LAST_CHAR))
    return Sentences(document, *columns, sizes.copy(), language)


@cache
def common_words() -> np.ndarray:
    """Return the hashes of the commonest words of English general text: uint64, sorted."""
    background = load_background()
    common = background.word_df >= COMMON_RATE * background.documents
    common &= background.word_hash & np.uint64(1) == 0  # no numbers
    return np.setdiff1d(background.word_hash[common], word_hashes(OTHERS_WORDS))


# --- which language -------------------------------------------------------------------------------


def _languages(
    document: np.ndarray, letters: np.ndarray, rows: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """Return the language of each sentence, by its letters and those of its neighbours: int16 (n,)."""
    n_scripts = letters.shape[1]
    own = letters.astype(np.int64)
    script = np.argmax(own, axis=1) if len(own) else np.zeros(0, np.int64)
    has_letters = own.sum(axis=1) > 0
    script = _from_before(document, np.where(has_letters, script, NO_LANGUAGE))
    beside = _with_neighbours(
        document,
        script,
        np.column_stack([own.sum(axis=1), rows[:, SIGNS], rows[:, OTHERS], common]),
    )
    n_letters, signs, others, n_common, n_words = beside.T
    scripts = character_kinds().scripts
    kana = [scripts.index(name) for name in KANA]
    is_eastern = np.isin(script, [*kana, scripts.index("Han")])
    all_kana = _with_neighbours(document, script * ~is_eastern, own[:, kana])
    is_japanese = is_eastern & (all_kana.sum(axis=1) >= LEAST_KANA * n_letters)
    language = np.where(is_eastern, scripts.index("Han"), script)
    language = np.where(is_japanese, kana[0], language)
    is_english = n_common >= LEAST_COMMON * n_words
    language = np.where((script == scripts.index("Latin")) & ~is_english, n_scripts, language)
    is_prose = (signs <= MOST_SIGNS * (n_letters + signs + others)) & (n_letters >= LEAST_LETTERS)
    return np.where(is_prose, language, NO_LANGUAGE).astype(np.int16)


def _from_before(document: np.ndarray, script: np.ndarray) -> np.ndarray:
    """Give sentences without letters the script of the one before them in their document."""
    known = np.where(script >= 0, np.arange(len(script)), 0)
    np.maximum.accumulate(known, out=known)
    if not len(script):
        return script
    result: np.ndarray = np.where(document[known] == document, script[known], NO_LANGUAGE)
    return result


def _with_neighbours(document: np.ndarray, script: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Add to counts (n, k) those of both neighbours in the same document and script."""
    out = counts.copy()
    same = ((document[1:] == document[:-1]) & (script[1:] == script[:-1]))[:, None]
    out[1:] += counts[:-1] * same
    out[:-1] += counts[1:] * same
    return out


@kernel
def _count_common(data: Any, rows: Any, page_of: Any, entries: Any, parts: Any, common: Any) -> Any:
    """Count the common words of each sentence, and all its words: int64 (n, 2)."""
    longest = 0
    for row in rows:
        longest = max(longest, row[END] - row[START])
    hashes = np.empty(2 * longest + 1, np.uint64)
    out = np.zeros((len(rows), 2), np.int64)
    for r in range(len(rows)):
        n = hash_words(data, rows[r, START], rows[r, END], page_of, entries, parts, hashes)
        for word in hashes[:n]:
            if word & np.uint64(1):
                continue  # a number
            out[r, 1] += 1
            at = np.searchsorted(common, word)
            out[r, 0] += at < len(common) and common[at] == word
    return out


# --- where sentences are --------------------------------------------------------------------------

N_COLUMNS: Final = 7
DOCUMENT, START, END, FIRST_CHAR, LAST_CHAR, SIGNS, OTHERS = range(N_COLUMNS)
SPACE, BREAK, SIGN, OTHER = -1, -2, -3, -4  # what is no letter; OTHER: digits, marks


class Kinds(NamedTuple):
    """What the kernel needs of kinds of characters, and marks that end sentences."""

    meaning: np.ndarray  # int64 (kinds,): the script of a letter, or what it is else
    size: np.ndarray  # float64 (kinds,)
    spaced: np.ndarray  # bool (scripts,), whether spaces end sentences
    ends: np.ndarray  # int64, sorted
    full_ends: np.ndarray  # int64, sorted


@cache
def _kinds() -> Kinds:
    known = character_kinds()
    signs = {"space": SPACE, "line break": BREAK, "punctuation": SIGN, "symbol": SIGN}
    meaning = [
        script if script >= 0 else signs.get(name, OTHER)
        for name, script in zip(known.names, known.table.script_of.tolist(), strict=True)
    ]
    size = [
        SIZE_OF.get(known.scripts[m], 1.0) if m >= 0 else float(name == "digit")
        for name, m in zip(known.names, meaning, strict=True)
    ]
    return Kinds(
        np.array(meaning, np.int64),
        np.array(size),
        np.array([name in SPACED_SENTENCES for name in known.scripts]),
        np.array(sorted(map(ord, ENDS)), np.int64),
        np.array(sorted(map(ord, FULL_ENDS)), np.int64),
    )


@kernel
def _cut(
    data: Any, bounds: Any, page_of: Any, table_kinds: Any, kinds: Any, rows: Any, sizes: Any,
    letters: Any,
) -> tuple[Any, Any, Any, int]:  # fmt: skip
    """Write a row for each sentence; the arrays grow. Return them and the number of sentences."""
    n = 0
    for document in range(len(bounds) - 1):
        i, last, char = bounds[document], bounds[document + 1], 0
        inside, pending, full, script = False, False, False, -1
        while i < last or inside:
            code, width, what = 0, 0, BREAK
            if i < last:
                code, width = character(data, i)
                kind = table_kinds[np.int64(page_of[code >> 8]) << 8 | code & 255]
                what = kinds.meaning[kind]
            if inside:
                blank = what in (SPACE, BREAK)
                size = sizes[n]
                cut = what == BREAK or (full and what != SIGN) or (pending and blank)
                cut |= what == SPACE and script >= 0 and kinds.spaced[script]
                cut |= size >= LONG_SIZE and what in (SPACE, SIGN)
                cut |= size >= MOST_SIZE
                if cut:
                    n += 1
                    inside = pending = full = False
            if i >= last:
                break
            if what != SPACE and what != BREAK:
                if not inside:
                    if n == len(rows):
                        rows, sizes, letters = _grow(rows, sizes, letters)
                    rows[n] = 0
                    rows[n, DOCUMENT], rows[n, START], rows[n, FIRST_CHAR] = document, i, char
                    sizes[n] = 0.0
                    letters[n] = 0
                    inside = True
                sizes[n] += kinds.size[kind]
                rows[n, END], rows[n, LAST_CHAR] = i + width, char + 1
                if what >= 0:
                    letters[n, what] += 1
                    script = what
                    pending = full = False
                elif what == SIGN:
                    rows[n, SIGNS] += 1
                    pending |= _is_among(kinds.ends, code)
                    full |= _is_among(kinds.full_ends, code)
                else:
                    rows[n, OTHERS] += 1
                    pending = full = False
            i += width
            char += 1
    return rows, sizes, letters, n


@inline_kernel
def _is_among(codes: Any, code: int) -> bool:
    at = np.searchsorted(codes, code)
    return at < len(codes) and codes[at] == code


@kernel
def character(data: Any, i: int) -> tuple[int, int]:
    """Return the character that begins at byte `i`, and its bytes."""
    lead = np.int64(data[i])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 31) << 6 | np.int64(data[i + 1]) & 63, 2
    code = np.int64(data[i + 1]) & 63
    if lead < 0xF0:
        return (lead & 15) << 12 | code << 6 | np.int64(data[i + 2]) & 63, 3
    code = code << 12 | (np.int64(data[i + 2]) & 63) << 6 | np.int64(data[i + 3]) & 63
    return (lead & 7) << 18 | code, 4


@kernel
def _grow(rows: Any, sizes: Any, letters: Any) -> tuple[Any, Any, Any]:
    n = len(rows)
    more_rows = np.empty((2 * n, rows.shape[1]), rows.dtype)
    more_sizes = np.empty(2 * n, sizes.dtype)
    more_letters = np.zeros((2 * n, letters.shape[1]), letters.dtype)
    more_rows[:n], more_sizes[:n], more_letters[:n] = rows, sizes, letters
    return more_rows, more_sizes, more_letters
