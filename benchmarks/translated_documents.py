"""The documents of the benchmark of translations: translated questions in text of their language.

(There is no Telugu text of this size at hand: questions in it stand alone.)
A question stands between about 100 words (500 letters of English, as `scanners.languages` counts) of the
Universal Declaration of Human Rights or of a book in its language on each side, or alone. What is hidden
stands alone with other numbers, too: a template.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from harness import read_records

from pipelines.shard_step import text_buffers
from scanners.languages import NO_LANGUAGE, sentences_of

HIDDEN, BARE, PLAIN, RENUMBERED = "hidden", "alone", "plain", "other numbers"
FAMILIES: Final = (
    ("MGSM", "mgsm_translations", "gsm8k_test"),
    ("XQuAD", "xquad_question_translations", "xquad_en"),
)
SIDE_SIZE: Final = 500.0  # letters
PLAIN_SIZE: Final = 1000.0
SIDES: Final = 8  # different stretches of a language
DIGITS: Final = re.compile(r"\d+")
LEAST_NUMBERS: Final = 2  # of a text that is given others
DECLARATION: Final = {  # file of the declaration in each language
    "ar": "arb", "bn": "ben", "de": "deu", "el": "ell_monotonic", "es": "spa", "fr": "fra", "hi": "hin",
    "ja": "jpn", "ro": "ron", "ru": "rus", "sw": "swh", "th": "tha", "tr": "tur", "vi": "vie",
    "zh": "cmn_hans",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """A text; `item` is what it is a translation of, "" for plain text."""

    text: str
    family: str
    lang: str
    kind: str
    item: str


def half_of(ident: str) -> int:
    """Return 0 for the development half, 1 for the held-out one."""
    return zlib.crc32(ident.encode()) % 2


def fold_of(ident: str) -> int:
    """Return in which of two folds an item is left out of the benchmark."""
    return zlib.crc32(ident.encode()) // 2 % 2


def translated_documents(
    data: Path, half: int, n_hidden: int, n_alone: int, n_plain: int, seed: int
) -> list[Document]:
    """Return the documents of a half: `n_hidden` items of each family hidden in each language.

    The others stand alone in `n_alone` languages each; `n_plain` stretches of each language are plain.
    """
    random = np.random.default_rng(seed)
    texts = {lang: _half(lines, half) for lang, lines in _stretches(data)}
    sides = {lang: _cut(lines, SIDE_SIZE)[:SIDES] for lang, lines in texts.items()}
    out: list[Document] = []
    for family, file, _ in FAMILIES:
        records = [
            record
            for record in read_records(data / "groundtruth" / f"{file}.jsonl.zst")
            if record["text"].strip() and half_of(record["benchmark_id"]) == half
        ]
        ids = sorted({record["benchmark_id"] for record in records})
        hidden = {ids[k] for k in random.permutation(len(ids))[:n_hidden].tolist()}
        langs = sorted({record["lang"] for record in records})
        for record in records:
            ident, lang = record["benchmark_id"], record["lang"]
            if ident in hidden and lang in texts:
                two = random.integers(len(sides[lang]), size=2).tolist()
                before, after = (sides[lang][k] for k in two)
                text = f"{before}\n{record['text']}\n{after}"
                out.append(Document(text, family, lang, HIDDEN, ident))
                if len(DIGITS.findall(record["text"])) >= LEAST_NUMBERS:
                    text = DIGITS.sub(_another, record["text"])
                    out.append(Document(text, family, lang, RENUMBERED, ident))
            elif (langs.index(lang) - zlib.crc32(ident.encode()) // 4) % len(langs) < n_alone:
                out.append(Document(record["text"], family, lang, BARE, ident))
    for lang, lines in sorted(texts.items()):
        stretches = _cut(lines, PLAIN_SIZE)
        n = min(n_plain, len(stretches))
        chosen = (stretches[k * len(stretches) // n] for k in range(n))
        out += [Document(text, "plain", lang, PLAIN, "") for text in chosen]
    return out


def _half(lines: list[str], half: int) -> list[str]:
    """Return the first (0) or the second (1) half of the lines of a language."""
    middle = len(lines) // 2
    return lines[middle:] if half else lines[:middle]


def _another(number: re.Match[str]) -> str:
    """Return another number of as many digits, the same for the same one."""
    first = int(number[0][0])
    turned = "".join(str((int(digit) + 3) % 10) for digit in number[0][1:])
    return f"{first % 9 + 1}{turned}"


def _stretches(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each language with the paragraphs of its texts."""
    found: dict[str, list[str]] = defaultdict(list)
    files = {f"/{name}.txt": lang for lang, name in DECLARATION.items()}
    for path in sorted((data / "corpora" / "mix" / "v1").glob("multilingual-*.jsonl.zst")):
        for record in read_records(path):
            ident = record["id"].partition("#")[0]
            lang = files.get(ident[ident.rindex("/") :])
            if record["source"].startswith("progit-"):
                lang = record["lang"]
            if lang is not None:
                found[lang] += _prose(record)
    yield from found.items()


def _prose(record: dict[str, Any]) -> list[str]:
    """Return the lines of a document that are long enough to be sentences."""
    return [line.strip() for line in record["text"].splitlines() if len(line.encode()) >= 80]


def _cut(lines: Sequence[str], size: float) -> list[str]:
    """Join lines to stretches of about a size, in letters of English; code is passed over."""
    data, bounds = text_buffers(pa.array(lines, pa.large_string()))
    sentences = sentences_of(data, bounds)
    prose = np.where(sentences.language == NO_LANGUAGE, 0.0, sentences.size)
    sizes = np.bincount(sentences.document, prose, len(lines))
    out, taken, total = [], [], 0.0
    for line, own in zip(lines, sizes.tolist(), strict=True):
        if own:
            taken.append(line)
            total += own
        if total >= size:
            out.append("\n".join(taken))
            taken, total = [], 0.0
    return out
