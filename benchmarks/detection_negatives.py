"""The negatives of the injection set, in families; see detection_set.py for their groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from detection_documents import (
    AS_FOUND,
    BARE,
    BENCHMARKS,
    CLEAN,
    CONTROL,
    NEAR,
    PART,
    TEMPLATE,
    VARIANT,
    Document,
    Draw,
    Known,
    items_of,
)
from detection_lexical import SharedFeatures
from harness import read_records

from corpora.benchmarks import Item
from corpora.normal_form import word_hashes
from pipelines.planting import NULLS, Subject, whole

Record = dict[str, Any]

GSM8K_SIBLINGS, MMLU_SIBLINGS = "GSM8K train", "MMLU validation and dev"
CODE_SIBLINGS, OTHERS = "MBPP and CodeAlpaca tasks", "other benchmarks"
SIBLINGS_OF: Final = {
    "gsm8k": GSM8K_SIBLINGS, "mmlu": MMLU_SIBLINGS, "humaneval": CODE_SIBLINGS,
}  # fmt: skip
SIBLING_FILES: Final = {
    GSM8K_SIBLINGS: ("gsm8k_train",),
    MMLU_SIBLINGS: ("mmlu_validation", "mmlu_dev"),
    CODE_SIBLINGS: ("mbpp",),
    OTHERS: (
        "agieval_en", "arc_challenge_test", "arc_easy_test", "asdiv", "bbh", "boolq_validation",
        "commonsense_qa_validation", "hellaswag_validation_subset", "math_test", "multiarith",
        "openbookqa_validation", "piqa_validation", "social_iqa_validation", "truthfulqa",
    ),
}  # fmt: skip
QUESTIONS: Final = ", questions"  # of siblings without choices and answers
OTHERS_PER_FILE: Final = 150
NEAR_SHARE: Final = 0.6  # of the distinct words of the longer question with its choices
BUILT: Final = 450  # negatives of a family that is built from items, at most
SPLICED_SHARE: Final = 2 / 3  # as in the battery: halves with more of an item's words make it up
FOUND_WORDS, FOUND_CHARS = 200, 2000  # of a document of the corpus
FOUND_PER_DOMAIN: Final = 350
CODE_DOMAINS: Final = ("code_c", "code_python")
LEAST_PASSAGE_WORDS: Final = 40
NUMBER_VARIANTS: Final = (
    "numerical substitution", "digit expansion", "integer-decimal-fraction conversion",
)  # fmt: skip
SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")


def negatives(data: Path, known: Known, draw: Draw) -> Iterator[Document]:
    """Yield the negatives, bare; detection_set.py puts them into filler."""
    yield from _siblings(data, known, draw)
    yield from _recombined(known, draw)
    yield from _parts(known, draw)
    yield from _variants(data, draw)
    yield from _found(data, draw)


def siblings_of(form: str, benchmark: str) -> str:
    """Return the family of siblings that a rewording is compared with: as much of an item as it."""
    family = SIBLINGS_OF[benchmark]
    whole_item = benchmark == "humaneval" or form.endswith(("with answer", "with choices"))
    return family if whole_item else family + QUESTIONS


def _siblings(data: Path, known: Known, draw: Draw) -> Iterator[Document]:
    """Yield items of other splits and other benchmarks; those of a test item's words are left out.

    Siblings stand whole and as questions only, like the positives that they are compared with.
    """
    likeness = _Likeness(known.items)
    for family, files in SIBLING_FILES.items():
        benchmark = {name: key for key, name in SIBLINGS_OF.items()}.get(family, "")
        for name in files:
            items = [item for item in items_of(data, name) if draw.has(item.id)]
            if family == OTHERS:
                items = draw.some(items, OTHERS_PER_FILE, name)
            for item in items:
                near, equal = likeness.of(item)
                if not equal:
                    group = NEAR if near else CLEAN
                    layout = AS_FOUND if family == OTHERS else BARE
                    yield Document(whole(item), family, group, benchmark, layout)
                    if benchmark in ("gsm8k", "mmlu"):
                        yield Document(item.question, family + QUESTIONS, group, benchmark, layout)
    for _, text in _corpus(data, "instruct", draw, 10**9, sources=("codealpaca",)):
        yield Document(text, CODE_SIBLINGS, CLEAN, "humaneval", AS_FOUND)


class _Likeness:
    """Whether a question with its choices has most or all of the words of an item's."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.words = SharedFeatures([self._of(item) for item in items])
        self.equal = {self._key(item) for item in items}

    def of(self, item: Item) -> tuple[bool, bool]:
        """Return (near, equal)."""
        own = self._of(item)
        longer = np.maximum(self.words.sizes, len(own))
        near = bool((self.words.counts(own) >= NEAR_SHARE * longer).any())
        return near, self._key(item) in self.equal

    def _of(self, item: Item) -> np.ndarray:
        return np.unique(word_hashes(_asked(item)))

    def _key(self, item: Item) -> bytes:
        return np.sort(word_hashes(_asked(item))).tobytes()


def _asked(item: Item) -> str:
    return "\n".join([item.question, *item.choices])


def _recombined(known: Known, draw: Draw) -> Iterator[Document]:
    """Yield items with their words shuffled, and the first half of one with the second of another."""
    for benchmark, items in known.of.items():
        subject_of = _Halver(items).subject
        own = [item for item in items if draw.has(item.id)]
        chosen = draw.some(own, BUILT // len(BENCHMARKS), f"recombined {benchmark}")
        for item, other in zip(chosen, [*chosen[1:], chosen[0]], strict=True):
            random = draw.random("recombined", item.id)
            first, second = subject_of(item), subject_of(other)
            text = NULLS["shuffled words"].plant(first, None, random)
            yield Document(text or "", "words shuffled", CONTROL, benchmark, BARE)
            text = NULLS["spliced halves"].plant(first, second, random)
            if text is not None and max(_share(one, text) for one in (item, other)) < SPLICED_SHARE:
                yield Document(text, "halves of two items", PART, benchmark, BARE)


class _Halver:
    """Where half of the information of a question lies; half of the words may be a shared frame."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.n_items = len(items)
        distinct = [np.unique(word_hashes(item.question)) for item in items]
        self.words, self.frequency = np.unique(np.concatenate(distinct), return_counts=True)

    def subject(self, item: Item) -> Subject:
        """Return an item of those given with its middle."""
        rows = np.searchsorted(self.words, word_hashes(item.question))
        behind = np.cumsum(np.log2(self.n_items / self.frequency[rows]))
        return Subject(item, int((2 * behind <= behind[-1]).sum()) if len(behind) else 0)


def _share(item: Item, text: str) -> float:
    own = np.unique(word_hashes(item.question))
    return float(np.isin(own, word_hashes(text)).mean()) if len(own) else 1.0


def _parts(known: Known, draw: Draw) -> Iterator[Document]:
    """Yield first sentences alone, and long questions without their last sentence, the ask."""
    for benchmark in ("gsm8k", "mmlu"):
        items = [item for item in known.of[benchmark] if draw.has(item.id)]
        sentences = [SENTENCE_END.split(item.question.strip()) for item in items]
        first = [s[0] for s in sentences if len(s) > 1 and 2 * len(s[0]) <= sum(map(len, s))]
        for text in draw.some(first, BUILT // 2, f"first {benchmark}"):
            yield Document(text, "first sentence alone", PART, benchmark, BARE)
        bodies = [" ".join(s[:-1]) for s in sentences]
        passages = [text for text in bodies if len(text.split()) >= LEAST_PASSAGE_WORDS]
        for text in draw.some(passages, BUILT // 2, f"passage {benchmark}"):
            yield Document(text, "question without its ask", PART, benchmark, BARE)


def _variants(data: Path, draw: Draw) -> Iterator[Document]:
    """Yield items with other numbers, or with another ask, as others made them."""
    records = read_records(data / "groundtruth" / "gsmplus_testmini.jsonl.zst")
    for record in records:
        if record["relation"] == "variant" and draw.has(record["benchmark_id"]):
            change = record["meta"]["perturbation"]
            group = TEMPLATE if change in NUMBER_VARIANTS else VARIANT
            yield Document(record["text"], f"GSM-Plus, {change}", group, "gsm8k", BARE)


def _found(data: Path, draw: Draw) -> Iterator[Document]:
    """Yield stretches of documents of the corpus, without the benchmark that it truly holds."""
    folder = data / "corpora" / "mix" / "v2"
    for domain in sorted({path.name.split("-")[0] for path in folder.iterdir()}):
        family = "code" if domain in CODE_DOMAINS else "documents"
        limit = 10**9 if domain in CODE_DOMAINS else FOUND_PER_DOMAIN
        apart = ("gsm8k-train", "codealpaca")
        for ident, text in _corpus(data, domain, draw, limit, without=apart):
            stretch = _stretch(text, draw.random("stretch", ident))
            yield Document(stretch, family, CLEAN, "", AS_FOUND)


def _corpus(
    data: Path,
    domain: str,
    draw: Draw,
    limit: int,
    *,
    sources: Sequence[str] | None = None,
    without: Sequence[str] = (),
) -> Iterator[tuple[str, str]]:
    """Yield (id, text) of documents of a domain, drawn at random."""
    folder = data / "corpora" / "mix" / "v2"
    records = chain.from_iterable(map(_rows, sorted(folder.glob(f"{domain}-*"))))
    fit = [
        (record["id"], record["text"])
        for record in records
        if draw.has(record["id"])
        and record["source"] not in without
        and (sources is None or record["source"] in sources)
    ]
    yield from draw.some(fit, limit, domain)


def _rows(path: Path) -> Iterable[Record]:
    if path.suffix == ".parquet":
        rows: list[Record] = pq.read_table(path, columns=["id", "text", "source"]).to_pylist()
        return rows
    return read_records(path)


def _stretch(text: str, random: np.random.Generator) -> str:
    """Return a run of words of a text from a random place, as it stands."""
    places = [match.span() for match in re.finditer(r"\S+", text)]
    if not places:
        return ""
    first = int(random.integers(max(1, len(places) - FOUND_WORDS)))
    end = places[min(first + FOUND_WORDS, len(places)) - 1][1]
    return text[places[first][0] : end][:FOUND_CHARS]
