"""The documents by which thresholds are chosen, and what the scanners read in them before any threshold.

Rewordings, and the siblings that must not be taken for them, each between 200 words of news and books.
The half of an item is that of the CRC-32 of its id: the thresholds were chosen on rewordings of even
ones. Siblings, nulls and the first plain documents were all used; those of other domains (code, law,
mathematics, medicine, instructions) were not.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from harness import Filler, benchmark_file, read_records

from corpora.benchmarks import read_benchmarks
from corpora.normal_form import word_hashes
from indexes.background import load_background
from pipelines.planting import NULLS, Subject
from pipelines.shard_step import ScanPlan, text_buffers
from scanners import judge_reworded as rules
from scanners.fields import Role
from scanners.judge import Judged, Status, judge
from scanners.minhash import scan_rewordings
from scanners.ngram import Scanned, scan_texts
from scanners.patterns import Patterns, build_patterns
from scanners.reword import Features

BENCHMARKS: Final = {"GSM8K": "gsm8k_test", "MMLU": "mmlu_test", "HumanEval": "humaneval"}
REWORDING, VARIANT, SIBLING, NULL, PLAIN = "rewording", "variant", "sibling", "null", "plain"
DEVELOPMENT, HELD_OUT = "development", "held-out"
REWORDED: Final = (  # name, file, its relation (None: any), benchmark
    ("GSM8K rewritten", "benbench_gsm8k_rewritten", None, "GSM8K"),
    ("GSM-Plus paraphrases", "gsmplus_testmini", "paraphrase", "GSM8K"),
    ("GSM-Plus variants", "gsmplus_testmini", "variant", "GSM8K"),
    ("MMLU rephrased", "llmdecon_mmlu_rephrase_en", None, "MMLU"),
    ("HumanEval rephrased", "llmdecon_humaneval_python", None, "HumanEval"),
    ("ReCode", "recode_humaneval", None, "HumanEval"),
)
SIDE_WORDS: Final = 100
PLAIN_PER_SHARD, PLAIN_CHARS = 250, 20_000
PLAIN_SHARDS: Final = {"plain documents": "jsonl.zst", "other domains": "parquet"}
NULL_NAMES: Final = ("shuffled words", "spliced halves")
NULLS_PER_BENCHMARK: Final = 700

Class = tuple[float, float]  # least and most


@dataclass(frozen=True, slots=True)
class Family:
    """Documents of one kind; `own` is the id of the item that each was made of, "" for none."""

    name: str
    kind: str
    benchmark: str  # whose items they are made of or like; "" for any
    texts: list[str]
    own: list[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What both scanners read in the documents of a family."""

    family: Family
    known: Scanned
    verdicts: Judged
    reworded: Scanned
    features: Features


class Index:
    """The three benchmarks, and where their questions are."""

    def __init__(self, data: Path) -> None:
        files = {str(benchmark_file(data, file)): name for name, file in BENCHMARKS.items()}
        read = read_benchmarks(list(files))
        self.plan = ScanPlan(
            read, build_patterns(read, load_background()), scanners=("ngram", "minhash")
        )
        self.number = {item.id: number for number, item in enumerate(self.plan.items)}
        names = np.array([files[benchmark.path] for benchmark in read])
        self.benchmark = names[self.patterns.benchmark]  # of each item
        self.lengths = np.diff(self.patterns.index.starts)  # words of each pattern
        self.question = self._questions()

    @property
    def patterns(self) -> Patterns:
        """The patterns of all items."""
        return self.plan.patterns

    def question_words(self, items: np.ndarray) -> np.ndarray:
        """Return how many words the questions of items have; 0 where one is not searched for."""
        found = self.question[items]
        return np.where(found >= 0, self.lengths[found], 0)

    def read(self, family: Family) -> Reading:
        """Let both scanners read a family."""
        data, bounds = text_buffers(pa.array(family.texts, pa.large_string()))
        known = scan_texts(data, bounds, self.plan.target, self.plan.tally.marks)
        assert self.plan.signed is not None
        reworded, features = scan_rewordings(data, bounds, self.plan.target, self.plan.signed)
        return Reading(family, known, judge(known, self.patterns), reworded, features)

    def _questions(self) -> np.ndarray:
        """Return the pattern of each item's question, -1 where it has none."""
        owners = self.patterns.owners
        pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
        question = np.full(len(self.plan.items), -1)
        rows = owners.role == Role.QUESTION
        question[owners.item[rows]] = pattern[rows]
        return question


@dataclass(frozen=True, slots=True)
class Places:
    """Findings by document and item, (n,) each."""

    row: np.ndarray  # of the evidence
    document: np.ndarray
    item: np.ndarray
    role: np.ndarray
    leak_type: np.ndarray
    status: np.ndarray
    score: np.ndarray

    @classmethod
    def of(cls, scanned: Scanned, judged: Judged, index: Index) -> Places:
        """Return what was judged of what was scanned."""
        owners = index.patterns.owners
        return cls(
            judged.evidence,
            scanned.evidence.document[judged.evidence],
            owners.item[judged.owner].astype(np.int64),
            owners.role[judged.owner],
            judged.leak_type,
            judged.status,
            judged.score,
        )

    def some(self, chosen: np.ndarray) -> Places:
        """Return the places that are chosen."""
        return Places(*(getattr(self, name)[chosen] for name in self.__slots__))

    def of_own(self, reading: Reading, index: Index) -> Places:
        """Return the places of the items that the documents were made of; of all where of none."""
        if not any(reading.family.own):
            return self
        own = np.array([index.number[ident] for ident in reading.family.own])
        return self.some(self.item == own[self.document])


def by_ngrams(reading: Reading, index: Index) -> Places:
    """Return what the n-gram scanner says."""
    return Places.of(reading.known, reading.verdicts, index).of_own(reading, index)


def by_signatures(reading: Reading, index: Index, **constants: Any) -> Places:
    """Return what the MinHash scanner says, with other constants of its rules where they are given."""
    with patch.multiple(rules, **constants) if constants else nullcontext():
        judged = rules.judge_reworded(
            reading.reworded, reading.features, index.patterns, reading.known, reading.verdicts
        )
    return Places.of(reading.reworded, judged, index).of_own(reading, index)


def contaminated(places: Places) -> np.ndarray:
    """Return the documents that make an item contaminated, each once."""
    return np.unique(places.document[places.status == Status.CONTAMINATED])


def half_of(ident: str) -> str:
    """Return the half that an item belongs to."""
    return HELD_OUT if zlib.crc32(ident.encode()) % 2 else DEVELOPMENT


def rewordings(
    data: Path, index: Index, filler: Filler, half: str, *, one_per_item: bool
) -> Iterator[Family]:
    """Yield the rewordings and variants of a half; several of one item are not independent."""
    for name, file, relation, benchmark in REWORDED:
        records = [
            record
            for record in read_records(data / "groundtruth" / f"{file}.jsonl.zst")
            if record["text"].strip()
            and record["benchmark_id"] in index.number
            and half_of(record["benchmark_id"]) == half
            and (relation is None or record["relation"] == relation)
        ]
        if one_per_item:
            shuffled = [records[at] for at in filler.random.permutation(len(records)).tolist()]
            records = list({record["benchmark_id"]: record for record in shuffled}.values())
        kind = VARIANT if relation == "variant" else REWORDING
        texts = [in_filler(record["text"], filler) for record in records]
        yield Family(name, kind, benchmark, texts, [record["benchmark_id"] for record in records])


def siblings(data: Path, filler: Filler) -> Iterator[Family]:
    """Yield the siblings and the plain documents."""
    train = read_records(benchmark_file(data, "gsm8k_train"))
    yield _negatives(
        "GSM8K train", "GSM8K", [lines(r["question"], r["answer"]) for r in train], filler
    )
    tested = {_key(r["question"]) for r in read_records(benchmark_file(data, "mmlu_test"))}
    few = [
        lines(r["question"], *r["choices"])
        for name in ("mmlu_validation", "mmlu_dev")
        for r in read_records(benchmark_file(data, name))
        if _key(r["question"]) not in tested
    ]
    yield _negatives("MMLU validation, dev", "MMLU", few, filler)
    mbpp = read_records(benchmark_file(data, "mbpp"))
    tasks = [lines(r["question"], r.get("answer") or "") for r in mbpp]
    yield _negatives("MBPP", "HumanEval", tasks, filler)
    folder = data / "corpora" / "mix" / "v1"
    for name, suffix in PLAIN_SHARDS.items():
        shards = sorted(folder.glob(f"*-00000.{suffix}"))
        plain = [text[:PLAIN_CHARS] for shard in shards for text in _texts(shard)[:PLAIN_PER_SHARD]]
        yield Family(name, PLAIN, "", plain, [""] * len(plain))


def _texts(shard: Path) -> list[str]:
    if shard.suffix == ".parquet":
        texts: list[str] = pq.read_table(shard, columns=["text"])["text"].to_pylist()
        return texts
    return [record["text"] for record in read_records(shard)]


def nulls(index: Index, filler: Filler) -> Iterator[Family]:
    """Yield items of which the words are shuffled, and halves of two questions."""
    texts: dict[str, list[str]] = {name: [] for name in NULL_NAMES}
    for benchmark in BENCHMARKS:
        items = np.flatnonzero((index.benchmark == benchmark) & (index.question >= 0))
        chosen = filler.random.permutation(items)[:NULLS_PER_BENCHMARK].tolist()
        for name in NULL_NAMES:
            texts[name] += planted_nulls(name, chosen, index, filler)
    for name, made in texts.items():
        yield Family(name, NULL, "", made, [""] * len(made))


def planted_nulls(name: str, items: Sequence[int], index: Index, filler: Filler) -> list[str]:
    """Return, in filler, what a null makes of each item and the next one."""
    subjects = [Subject(index.plan.items[number], _middle(number, index)) for number in items]
    following = [*subjects[1:], subjects[0]]
    made = [
        NULLS[name].plant(own, other, filler.random)
        for own, other in zip(subjects, following, strict=True)
    ]
    return [in_filler(text, filler) for text in made if text]


def _middle(number: int, index: Index) -> int:
    """Return the word of an item's question before which half of its information lies."""
    pattern = index.question[number]
    first, last = index.patterns.index.starts[pattern : pattern + 2]
    told = np.cumsum(index.plan.target.weights[first:last])
    return int(np.searchsorted(told, told[-1] / 2))


def in_filler(text: str, filler: Filler) -> str:
    """Return a text between two runs of 100 words of filler."""
    return f"{filler.some(SIDE_WORDS)}\n\n{text}\n\n{filler.some(SIDE_WORDS)}"


def lines(*parts: str) -> str:
    """Return the parts that are not empty, a line each."""
    return "\n".join(filter(None, parts))


def _negatives(name: str, benchmark: str, texts: Sequence[str], filler: Filler) -> Family:
    hidden = [in_filler(text, filler) for text in texts]
    return Family(name, SIBLING, benchmark, hidden, [""] * len(hidden))


def _key(text: str) -> bytes:
    return word_hashes(text).tobytes()


def within(values: np.ndarray, limits: Class) -> np.ndarray:
    """Tell which values are in a class."""
    return (values >= limits[0]) & (values <= limits[1])


def class_name(limits: Class) -> str:
    """Return a class as it is printed."""
    low, high = limits
    if high == math.inf:
        return f"{low:g} and more"
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


def nearest(scores: Sequence[float], score: float) -> int:
    """Return which of the scores is nearest to one."""
    return int(np.argmin([abs(one - score) for one in scores]))
