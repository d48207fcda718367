"""The documents of the semantic benchmark: items in other words, siblings, and the variants between them.

Everything stands between 200 words of news and books. Halves are those of the CRC-32 of ids, as in
`thresholds_documents.py`: of the item for what is made of one, of the own id for siblings.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from detection_documents import Known, items_of
from harness import filler_words, read_records

from corpora.benchmarks import Item
from corpora.normal_form import word_hashes

SIDE_WORDS: Final = 100
POSITIVE, VARIANT, SIBLING, PLAIN = "positive", "variant", "sibling", "plain"
LETTERS: Final = "ABCDEFGHIJ"
REWORDED: Final = (  # name, file, relation (None: any), benchmark
    ("GSM8K rewritten", "benbench_gsm8k_rewritten", None, "gsm8k"),
    ("GSM-Plus paraphrases", "gsmplus_testmini", "paraphrase", "gsm8k"),
    ("MMLU rephrased", "llmdecon_mmlu_rephrase_en", None, "mmlu"),
    ("HumanEval rephrased", "llmdecon_humaneval_python", None, "humaneval"),
    ("HumanEval-X", "humaneval_x", None, "humaneval"),
)
SIBLINGS: Final = (  # name, files, benchmark
    ("GSM8K train, ASDiv, MultiArith", ("gsm8k_train", "asdiv", "multiarith"), "gsm8k"),
    ("MMLU validation and dev, ARC, OpenBookQA",
     ("mmlu_validation", "mmlu_dev", "arc_challenge_test", "openbookqa_validation"), "mmlu"),
    ("MBPP", ("mbpp",), "humaneval"),
)  # fmt: skip
LANGUAGES: Final = {"cpp": "C++", "go": "Go", "java": "Java", "js": "JavaScript", "rust": "Rust"}
CODE_VARIANTS: Final = {
    "VarRenamerCB": "ReCode, variables renamed",
    "DeadCodeInserter": "ReCode, dead code",
    "ForWhileTransformer": "ReCode, other loops",
}
TEXT_IN_CODE: Final = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|^ *#.*$|  #.*$', re.MULTILINE
)
OTHER_ITEMS: Final = "the benchmark's other items"
CODE_ALPACA: Final = "CodeAlpaca"
NEAR_SHARE: Final = 0.6  # of the distinct words of the longer of two texts
OTHERS: Final = 2_500  # items of a benchmark that stand for its other items, at most
PLAIN_PER_SHARD: Final = 100
PLAIN_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Document:
    """A text; `own` are the items that it was made of or equal to, none for siblings."""

    text: str
    family: str
    kind: str
    benchmark: str
    own: frozenset[str]
    bare: str  # the text without its surroundings


def half_of(ident: str) -> int:
    """Return 0 for the development half, 1 for the held-out one."""
    return zlib.crc32(ident.encode()) % 2


class Near:
    """Which items share most words with a text: siblings that nearly are the item."""

    def __init__(self, known: Known) -> None:
        self.words = {item.id: frozenset(_words(_asked(item))) for item in known.items}

    def is_near(self, text: str, item: str) -> bool:
        """Tell whether text and item share six of ten distinct words of the longer one."""
        ours, theirs = self.words[item], frozenset(_words(text))
        return len(ours & theirs) >= NEAR_SHARE * max(len(ours), len(theirs), 1)


def semantic_documents(
    data: Path, known: Known, half: int, seed: int, share: float
) -> list[Document]:
    """Return the documents of a half, in a fixed order; `share` of the siblings are taken."""
    random = np.random.default_rng(seed)
    words = filler_words(data)
    documents = []
    for document in _bare(data, known, half, random, share):
        first, second = random.integers(len(words) - SIDE_WORDS, size=2).tolist()
        before = " ".join(words[first : first + SIDE_WORDS])
        after = " ".join(words[second : second + SIDE_WORDS])
        text = f"{before}\n\n{document.bare}\n\n{after}"
        if document.kind == PLAIN:
            text = document.bare
        documents.append(Document(text, *_rest(document)))
    return documents


def _rest(document: Document) -> tuple[str, str, str, frozenset[str], str]:
    return document.family, document.kind, document.benchmark, document.own, document.bare


def _bare(
    data: Path, known: Known, half: int, random: np.random.Generator, share: float
) -> Iterator[Document]:
    for name, file, relation, benchmark in REWORDED:
        for record in _one_each(data, known, file, relation, half, random):
            own = known.twins[record["benchmark_id"]]
            text = record["text"]
            yield Document("", name, POSITIVE, benchmark, own, text)
            if benchmark == "mmlu":
                choices = _lettered(text, record["meta"]["choices"])
                yield Document("", f"{name}, with choices", POSITIVE, benchmark, own, choices)
    kinds = sorted({r["meta"]["perturbation"] for r in _records(data, "gsmplus_testmini")})
    for kind in kinds:
        if kind != "problem understanding":
            for record in _one_each(data, known, "gsmplus_testmini", kind, half, random):
                own = known.twins[record["benchmark_id"]]
                yield Document("", f"GSM-Plus {kind}", VARIANT, "gsm8k", own, record["text"])
    for name, files, benchmark in SIBLINGS:
        for file in files:
            for item in items_of(data, file):
                if half_of(item.id) == half and random.random() < share:
                    yield Document("", name, SIBLING, benchmark, frozenset(), _printed(item))
    for record in _instructions(data):
        if half_of(record["id"]) == half and random.random() < share:
            text = record["text"]
            yield Document("", CODE_ALPACA, SIBLING, "humaneval", frozenset(), text)
    for benchmark, items in known.of.items():
        own_half = [item for item in items if half_of(item.id) == half]
        order = random.permutation(len(own_half))[: int(OTHERS * share)]
        for number in order.tolist():
            item = own_half[number]
            twins = known.twins[item.id]
            yield Document("", OTHER_ITEMS, SIBLING, benchmark, twins, _printed(item))
    yield from _plain(data, half)
    yield from _code(data, known, half, random)


def _code(data: Path, known: Known, half: int, random: np.random.Generator) -> Iterator[Document]:
    """Yield code: other languages, solutions without a word of the question, what others judged.

    Last, so that what is drawn for the other families does not depend on it.
    """

    def documents(file: str, only: str, family: str, kind: str) -> Iterator[Document]:
        for record in _one_each(data, known, file, only, half, random):
            own = known.twins[record["benchmark_id"]]
            yield Document("", family, kind, "humaneval", own, record["text"])

    for language, name in LANGUAGES.items():
        yield from documents("humaneval_x", language, f"HumanEval-X {name}", POSITIVE)
    rephrased = documents("llmdecon_humaneval_python", "paraphrase", "", POSITIVE)
    for document in rephrased:
        code = TEXT_IN_CODE.sub("", document.bare)
        yield replace(document, family="HumanEval rephrased, code alone", bare=code)
    for kind, name in CODE_VARIANTS.items():
        yield from documents("recode_humaneval", kind, name, VARIANT)
    judged = "llmdecon_codealpaca_humaneval"
    yield from documents(judged, "paraphrase", "CodeAlpaca, judged the same", VARIANT)
    yield from documents(judged, "unrelated", "CodeAlpaca, judged unrelated", VARIANT)


def _records(data: Path, name: str) -> list[dict[str, Any]]:
    records = read_records(data / "groundtruth" / f"{name}.jsonl.zst")
    return [record for record in records if record["text"].strip()]


def _one_each(
    data: Path,
    known: Known,
    name: str,
    kind: str | None,
    half: int,
    random: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return one record of each item, so that trials are independent."""
    records = [
        record
        for record in _records(data, name)
        if record["benchmark_id"] in known.twins
        and half_of(record["benchmark_id"]) == half
        and kind in (None, record["relation"], record["lang"], record["meta"].get("perturbation"))
    ]
    shuffled = [records[at] for at in random.permutation(len(records)).tolist()]
    return list({record["benchmark_id"]: record for record in shuffled}.values())


def _plain(data: Path, half: int) -> Iterator[Document]:
    """Yield the beginnings of documents of the mix, as they stand."""
    for path in sorted((data / "corpora" / "mix" / "v1").glob("*-00000.*")):
        rows: list[dict[str, Any]]
        if path.suffix == ".parquet":
            rows = pq.read_table(path, columns=["id", "text"]).to_pylist()
        else:
            rows = read_records(path)
        own = [row["text"] for row in rows if half_of(str(row["id"])) == half]
        for text in own[:PLAIN_PER_SHARD]:
            cut = " ".join(text.split()[:PLAIN_WORDS])
            yield Document("", path.name.split("-")[0], PLAIN, "", frozenset(), cut)


def _instructions(data: Path) -> list[dict[str, Any]]:
    path = data / "corpora" / "mix" / "v1" / "instruct-00000.parquet"
    rows = pq.read_table(path, columns=["id", "text", "source"]).to_pylist()
    return [row for row in rows if row["source"] == "codealpaca"]


def _printed(item: Item) -> str:
    """Return an item as a document prints it: of code with its solution, else with its choices."""
    if item.choices:
        return _lettered(item.question, item.choices)
    whole = "def " in item.question or "def " in (item.answer or "")
    return f"{item.question}\n{item.answer}" if whole else item.question


def _lettered(question: str, choices: Any) -> str:
    return "\n".join([question, *(f"{a}. {b}" for a, b in zip(LETTERS, choices, strict=False))])


def _asked(item: Item) -> str:
    return "\n".join([item.question, *item.choices])


def _words(text: str) -> list[int]:
    found: list[int] = word_hashes(text).tolist()
    return found
