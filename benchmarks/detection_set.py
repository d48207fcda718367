"""The labelled injection set: documents that hold an item in some form, and documents that hold none.

Positives are items of three benchmarks, planted in the forms of the calibration battery
(pipelines/planting.py) or reworded by others (groundtruth/), each bare and in 200 words of news and
books. Negatives made of one item stand in filler, too. They come in families; what a family may hold
of an item says its group:

* `clean`: nothing of any item. Siblings from the benchmark's other splits or of its kind, items of
  other benchmarks, code, plain documents.
* `control`: an item's words in random order: nothing that a corpus holds.
* `near`: siblings that share most of their words with a test item: near-duplicates, questions on the
  same passage, the same frame with other contents. A rule over words puts them there, no detector.
* `part`: a part of an item word for word (halves of two, a first sentence, a question without its ask).
* `template`: an item with other numbers.
* `variant`: an item with a clause added or taken away, or asked backwards: most of its words are there,
  and it is another problem. Whether that is a leak is the reader's to say.

Every draw is seeded by form and item, so that one form does not depend on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from detection_documents import (
    AS_FOUND,
    BARE,
    BENCHMARKS,
    COPIES,
    EDITS,
    IN_FILLER,
    PARTS,
    REWORDINGS,
    TEMPLATE,
    Document,
    Draw,
    Known,
)
from detection_negatives import negatives
from harness import filler_words, read_records

from pipelines.planting import FORMS

Record = dict[str, Any]

SIDE_WORDS: Final = 100  # of filler before and after a text
TEMPLATES_DRAWN: Final = 2  # times as many as of another form: they are negatives
LETTERS: Final = "ABCDEFGHIJ"
RECODE: Final = {
    "ReCode, docstring": (
        "BackTranslation", "ButterFingersPerturbation", "ChangeCharCase",
        "EnglishInflectionalVariation", "SwapCharactersPerturbation", "SynonymInsertion",
        "SynonymSubstitution", "TenseTransformationPast", "WhitespacePerturbation",
    ),
    "ReCode, function name": ("FuncRenameButterFinger", "FuncRenameCamelCase"),
    "ReCode, syntax": (
        "DeadCodeInserter", "ForWhileTransformer", "VarRenamerCB", "VarRenamerNaive",
    ),
    "ReCode, format": ("doc2comments", "new_lines", "split_lines", "tab_indent"),
}  # fmt: skip


def injection_set(data: Path, known: Known, draw: Draw) -> list[Document]:
    """Return all documents, positives first.

    Documents of the corpus and items of other benchmarks, which are there for their number, stand as
    they are.
    """
    words = filler_words(data)
    plain_words = [word for word in words if word.isalpha()]  # a number makes another question
    built = chain(
        _planted(known, draw, plain_words),
        _reworded(data, known, draw),
        _numbers_swapped(known, draw, plain_words),
        negatives(data, known, draw),
    )
    all_of_them = (document for document in built if document.text)
    return [each for document in all_of_them for each in _laid_out(document, words, draw)]


def _laid_out(document: Document, words: Sequence[str], draw: Draw) -> Iterator[Document]:
    if document.own or document.layout == AS_FOUND:
        yield document
    if document.layout == AS_FOUND:
        return
    random = draw.random(document.form, document.text)
    before, after = (
        " ".join(words[first : first + SIDE_WORDS])
        for first in random.integers(len(words) - SIDE_WORDS, size=2).tolist()
    )
    hidden = f"{before}\n\n{document.text}\n\n{after}"
    yield replace(document, text=hidden, layout=IN_FILLER)


# --- positives ------------------------------------------------------------------------------------


def _planted(known: Known, draw: Draw, words: Sequence[str]) -> Iterator[Document]:
    """Plant items in every form; benchmarks take turns, each item once a form."""
    for name, form in FORMS.items():
        if form.expected != "template":
            yield from islice(_plants(name, known, draw, words, group_of(name)), draw.per_form)


def _plants(
    name: str, known: Known, draw: Draw, words: Sequence[str], group: str
) -> Iterator[Document]:
    """Yield an item of each benchmark in turn, in the form of a name."""

    def of(benchmark: str) -> Iterator[Document]:
        items = [item for item in known.of[benchmark] if draw.has(item.id)]
        for item in draw.some(items, len(items), f"{name} {benchmark}"):
            text = FORMS[name].plant(item, draw.random(name, item.id), words)
            if text is not None:
                yield Document(text, name, group, benchmark, BARE, known.twins[item.id])

    waiting = [of(benchmark) for benchmark in BENCHMARKS]
    while waiting:
        for plants in list(waiting):
            if (document := next(plants, None)) is None:
                waiting.remove(plants)
            else:
                yield document


def group_of(form: str) -> str:
    """Return the group of a form of the calibration battery."""
    if form.startswith("renamed") or form.endswith(("replaced", "deleted", "inserted")):
        return EDITS
    return PARTS if form.startswith(("answer only", "truncated")) else COPIES


def _numbers_swapped(known: Known, draw: Draw, words: Sequence[str]) -> Iterator[Document]:
    """Yield the one form that is a negative: templates."""
    plants = _plants("numbers swapped", known, draw, words, TEMPLATE)
    for document in islice(plants, TEMPLATES_DRAWN * draw.per_form):
        yield replace(document, own=frozenset())


def _reworded(data: Path, known: Known, draw: Draw) -> Iterator[Document]:
    """Yield the rewordings that others made, one a form and item, so that trials are independent."""

    def families() -> Iterator[tuple[str, str, list[tuple[Record, str]]]]:
        pairs = _pairs(data, "benbench_gsm8k_rewritten")
        yield "GSM8K rewritten", REWORDINGS, [(r, r["text"]) for r in pairs]
        answered = [(r, f"{r['text']}\n{r['meta']['rewritten_answer']}") for r in pairs]
        yield "GSM8K rewritten, with answer", REWORDINGS, answered
        pairs = _pairs(data, "gsmplus_testmini")
        yield "GSM-Plus paraphrase", REWORDINGS, [(r, r["text"]) for r in pairs]
        pairs = _pairs(data, "llmdecon_mmlu_rephrase_en")
        yield "MMLU rephrased", REWORDINGS, [(r, r["text"]) for r in pairs]
        yield "MMLU rephrased, with choices", REWORDINGS, [(r, _lettered(r)) for r in pairs]
        pairs = _pairs(data, "llmdecon_humaneval_python")
        yield "HumanEval rephrased", REWORDINGS, [(r, r["text"]) for r in pairs]
        pairs = _pairs(data, "recode_humaneval")
        for name, kinds in RECODE.items():
            part = [(r, r["text"]) for r in pairs if r["meta"]["perturbation"] in kinds]
            yield name, EDITS, part

    for name, group, texts in families():
        seen: set[str] = set()
        for record, text in draw.some(texts, len(texts), name):
            item = record["benchmark_id"]
            if draw.has(item) and item not in seen:
                seen.add(item)
                benchmark = known.benchmark_of[item]
                yield Document(text, name, group, benchmark, BARE, known.twins[item])


def _pairs(data: Path, family: str) -> list[Record]:
    """Return the texts of a family that say the same as their item, in other words or signs."""
    records = read_records(data / "groundtruth" / f"{family}.jsonl.zst")
    return [r for r in records if r["relation"] in ("near", "paraphrase") and r["text"].strip()]


def _lettered(record: Record) -> str:
    choices = zip(LETTERS, record["meta"]["choices"], strict=False)
    return "\n".join([record["text"], *(f"{letter}. {choice}" for letter, choice in choices)])
