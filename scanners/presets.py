"""The labs' definitions of a contaminated item, computed from the matches of this scan.

A rate without its definition means nothing: on the same data, "any shared 8-gram" flags eight times
the items of "70% of its 8-grams". So each definition is a column of `items.parquet` and its rule is
printed beside its rate.

Where a lab counts model tokens, words of the normal form are counted here. GPT-3, PaLM and Llama 3
ask whether an n-gram occurs anywhere in the corpus; every n-gram is looked up, so those are exact
under our words. Llama 2 and Tülu 3 see every nominated place (a rare seed or a run of 13 words).
Qwen2, OLMo 3 and GPT-4 see the loci that are evidence (two fifths of the weight or a run of 13
words), of which their rules need as much or, for GPT-4 in very long questions, a little less.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from corpora.kernels import kernel
from corpora.normal_form import words
from indexes.grams import build_grams, seen_at, seen_only
from indexes.ngram import distinct_patterns, find_entry
from indexes.seeds import SEED_WORDS, seed_at
from scanners.fields import Role
from scanners.judge import Judged, LeakType
from scanners.ngram import Marks, Scanned
from scanners.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Preset:
    """A published definition: its column, its rule in words, where it is written."""

    name: str
    rule: str
    source: str


PRESETS: Final = (
    Preset(
        "gpt3",
        "any n-gram of the item occurs in the corpus; n is the 5th percentile of the benchmark's "
        "item lengths in words, at least 8 and at most 13",
        "Brown et al. 2020, appendix C",
    ),
    Preset(
        "palm",
        "at least 70% of the 8-grams of the question occur in the corpus",
        "Chowdhery et al. 2022, section 8",
    ),
    Preset(
        "llama2",
        "at least 80% of the question's words lie in shared spans of more than 10 words with at "
        "most 4 words replaced, none among the first 10 (the 'dirty' class)",
        "Touvron et al. 2023, appendix A.6",
    ),
    Preset(
        "llama3",
        "at least 50% of the question's words lie in 8-grams that occur in the corpus (the paper "
        "chooses the share per benchmark from model scores)",
        "Dubey et al. 2024, section 5.1.4",
    ),
    Preset(
        "qwen2",
        "one document shares a common subsequence of at least 13 words and of 60% of the shorter "
        "of the two texts with the question",
        "Yang et al. 2024, section 5.2.6",
    ),
    Preset(
        "tulu3",
        "more than 50% of the question's words lie in 8-grams shared with one document",
        "Lambert et al. 2024, section 3.2",
    ),
    Preset(
        "olmo3",
        "inverse-document-frequency-weighted overlap of 5-grams in one document, question 0.75 and "
        "answer 0.25 (question alone 1.0 where there is no answer), of at least 0.8; 1.0 up to 20 "
        "words, falling to 0.8 at 50; items under 20 words are left out",
        "Olmo 3 report; allenai/decon defaults",
    ),
    Preset(
        "gpt4",
        "one of 3 random substrings of 50 letters and digits of the question occurs in one "
        "document (the whole question where it is shorter)",
        "OpenAI 2023, appendix C",
    ),
)
NAMES: Final = tuple(preset.name for preset in PRESETS)

PALM_N: Final = 8
PALM_SHARE: Final = 0.7
LLAMA2_SHARE: Final = 0.8
LLAMA3_SHARE: Final = 0.5
QWEN2_WORDS, QWEN2_SHARE = 13, 0.6
OLMO3_SCORE, OLMO3_QUESTION_PART, OLMO3_STRICT_WORDS, OLMO3_RELAXED_WORDS = 0.8, 0.75, 20, 50
GPT4_CHARS, GPT4_DRAWS = 50, 3
GPT3_LEAST_N, GPT3_MOST_N, GPT3_PERCENTILE = 8, 13, 5
ONE_DOCUMENT: Final = ("qwen2", "olmo3", "gpt4")
QUESTION, COMPOSITE = int(Role.QUESTION), int(Role.COMPOSITE)


class PresetTally:
    """Collects what the definitions need while the corpus goes by. Order does not matter.

    All state is flags that only ever rise, so threads may share one tally.
    """

    def __init__(self, patterns: Patterns) -> None:
        self.patterns = patterns
        self.gpt3_n = _gpt3_n(patterns)
        self.marks = Marks(
            build_grams(
                patterns.index.words, patterns.index.starts, _chosen(patterns, self.gpt3_n)
            ),
            np.zeros(len(patterns.index.words), np.bool_),
            np.zeros(len(patterns.totals), np.bool_),
        )
        self.in_one_document = np.zeros((len(patterns.n_choices), len(ONE_DOCUMENT)), np.bool_)
        self._holders = distinct_patterns(patterns.index.seeds)
        self._drawn: dict[int, np.ndarray] = {}

    def blank_marks(self) -> Marks:
        """Return marks with nothing seen, for scans that are not of the corpus."""
        grams, covered, half_joined = self.marks
        return Marks(
            grams._replace(seen=np.zeros_like(grams.seen)),
            np.zeros_like(covered),
            np.zeros_like(half_joined),
        )

    def add(self, scanned: Scanned, judged: Judged, questions: dict[int, str]) -> None:
        """Take in the judged evidence of a batch; `questions` has the texts of the items in it."""
        owners = self.patterns.owners
        rows = np.flatnonzero(owners.role[judged.owner] == QUESTION)
        items = owners.item[judged.owner[rows]]
        draws = np.array(
            [self._draws(item, questions[item]) for item in items.tolist()], np.int64
        ).reshape(len(rows), GPT4_DRAWS, 2)
        _flag_rows(
            scanned.evidence,
            scanned.runs,
            judged.evidence[rows],
            items,
            judged.leak_type[rows] == LeakType.QUESTION_ANSWER,
            draws,
            self.patterns.index,
            self._holders,
            self.patterns.role_words,
            self.in_one_document,
        )

    def flags(self) -> dict[str, np.ndarray]:
        """Return one boolean array (items,) per definition, in the order of PRESETS."""
        patterns, owners = self.patterns, self.patterns.owners
        n_items = len(patterns.n_choices)
        out = {name: np.zeros(n_items, np.bool_) for name in NAMES}
        marks = self.marks._replace(grams=seen_only(self.marks.grams))
        _flag_items(
            patterns.index, owners.first, owners.item, owners.role, *marks,
            self.gpt3_n[patterns.benchmark] if n_items else self.gpt3_n,
            out["gpt3"], out["palm"], out["llama2"], out["llama3"], out["tulu3"],
        )  # fmt: skip
        for column, name in enumerate(ONE_DOCUMENT):
            out[name] |= self.in_one_document[:, column]
        return out

    def _draws(self, item: int, question: str) -> np.ndarray:
        if item not in self._drawn:
            self._drawn[item] = _draw_substrings(question)
        return self._drawn[item]


def _gpt3_n(patterns: Patterns) -> np.ndarray:
    """Return n of each benchmark: int64 (benchmarks,)."""
    lengths = patterns.role_words.sum(axis=1)
    n_benchmarks = int(patterns.benchmark.max(initial=-1)) + 1
    out = np.full(n_benchmarks, GPT3_MOST_N, np.int64)
    for benchmark in range(n_benchmarks):
        own = lengths[patterns.benchmark == benchmark]
        if len(own):
            out[benchmark] = np.clip(
                int(np.percentile(own, GPT3_PERCENTILE)), GPT3_LEAST_N, GPT3_MOST_N
            )
    return out


def _chosen(patterns: Patterns, gpt3_n: np.ndarray) -> dict[int, np.ndarray]:
    """Say for each n which patterns' n-grams are counted: real fields, not composites."""
    owners = patterns.owners
    n_patterns = len(patterns.totals)
    pattern = np.repeat(np.arange(n_patterns), np.diff(owners.first))
    real = owners.role != COMPOSITE
    chosen = {PALM_N: np.zeros(n_patterns, np.bool_)}
    chosen[PALM_N][pattern[real]] = True
    for n in np.unique(gpt3_n).tolist():
        use = real & (gpt3_n[patterns.benchmark[owners.item]] == n)
        flags = chosen.setdefault(n, np.zeros(n_patterns, np.bool_))
        flags[pattern[use]] = True
    return chosen


@kernel
def _flag_items(
    index: Any, owner_first: Any, owner_item: Any, owner_role: Any, grams: Any, covered: Any,
    half_joined: Any, gpt3_n: Any, gpt3: Any, palm: Any, llama2: Any, llama3: Any, tulu3: Any,
) -> None:  # fmt: skip
    """Flag the items by what occurs anywhere in the corpus."""
    for pattern in range(len(owner_first) - 1):
        start, end = index.starts[pattern], index.starts[pattern + 1]
        seen = seen_at(grams, index.words, start, end, PALM_N)
        inside = np.zeros(end - start, np.bool_)
        for at in range(len(seen)):
            if seen[at]:
                inside[at : at + PALM_N] = True
        for owner in range(owner_first[pattern], owner_first[pattern + 1]):
            item = owner_item[owner]
            if owner_role[owner] == COMPOSITE:
                continue
            if not gpt3[item]:
                gpt3[item] = seen_at(grams, index.words, start, end, gpt3_n[item]).any()
            if owner_role[owner] == QUESTION:
                palm[item] = len(seen) > 0 and seen.sum() >= PALM_SHARE * len(seen)
                llama2[item] = covered[start:end].sum() >= LLAMA2_SHARE * (end - start)
                tulu3[item] = half_joined[pattern]
                llama3[item] = inside.sum() >= LLAMA3_SHARE * (end - start)


@kernel
def _flag_rows(
    evidence: Any, runs: Any, rows: Any, items: Any, with_answer: Any, draws: Any, index: Any,
    holders: Any, role_words: Any, flags: Any,
) -> None:  # fmt: skip
    """Flag the items by what one document holds."""
    for r in range(len(rows)):
        e, item = rows[r], items[r]
        pattern = evidence.pattern[e]
        size = index.starts[pattern + 1] - index.starts[pattern]
        idf = _seed_idf(index, holders, pattern)
        shorter = min(size, evidence.document_words[e])
        matched = evidence.matched[e]
        flags[item, 0] |= matched >= max(QWEN2_WORDS, QWEN2_SHARE * shorter)
        weight, total = 0.0, idf.sum()
        for run in runs[evidence.run_start[e] : evidence.run_end[e]]:
            weight += idf[run[0] : max(run[0], run[0] + run[2] - SEED_WORDS + 1)].sum()
            for draw in range(GPT4_DRAWS):
                low, high = draws[r, draw]
                flags[item, 2] |= high > low and run[0] <= low and high <= run[0] + run[2]
        flags[item, 1] |= _olmo3(weight, total, with_answer[r], role_words[item])


@kernel
def _olmo3(weight: float, total: float, with_answer: bool, role_words: Any) -> bool:
    words = role_words[0] + role_words[2]
    if words < OLMO3_STRICT_WORDS or total <= 0:
        return False
    overlap = weight / total
    if role_words[2]:
        overlap = OLMO3_QUESTION_PART * overlap + (1 - OLMO3_QUESTION_PART) * with_answer
    decay = min(1.0, (words - OLMO3_STRICT_WORDS) / (OLMO3_RELAXED_WORDS - OLMO3_STRICT_WORDS))
    return overlap >= 1.0 - decay * (1.0 - OLMO3_SCORE)


@kernel
def _seed_idf(index: Any, holders: Any, pattern: int) -> Any:
    """Return ln(patterns / holders) of each seed of a pattern; 0 where it stood there before."""
    start, end = index.starts[pattern], index.starts[pattern + 1]
    out = np.zeros(max(0, end - start - SEED_WORDS + 1), np.float64)
    for at in range(len(out)):
        entry = find_entry(
            index.seeds.keys, index.seeds.entry, seed_at(index.words, start + at, SEED_WORDS)
        )
        low, high = index.seeds.first[entry], index.seeds.first[entry + 1]
        while low < high:  # the first posting of this pattern
            middle = (low + high) // 2
            if index.seeds.pattern[middle] < pattern:
                low = middle + 1
            else:
                high = middle
        if index.seeds.offset[low] == at:
            out[at] = np.log((len(index.starts) - 1) / holders[entry])
    return out


def _draw_substrings(question: str) -> np.ndarray:
    """Draw GPT-4's substrings as word ranges [low, high): int64 (3, 2), (0, 0) for none.

    The draw is seeded by the question, so that every run draws the same.
    """
    found = words(question)
    bounds = np.zeros(len(found.starts) + 1, np.int64)
    np.cumsum(found.ends - found.starts, out=bounds[1:])
    out = np.zeros((GPT4_DRAWS, 2), np.int64)
    if len(found.starts) == 0:
        return out
    random = np.random.default_rng(zlib.crc32(question.encode("utf-8", "replace")))
    room = int(bounds[-1]) - GPT4_CHARS
    for draw in range(GPT4_DRAWS):
        first = int(random.integers(0, room + 1)) if room > 0 else 0
        last = min(int(bounds[-1]), first + GPT4_CHARS)
        out[draw] = (
            np.searchsorted(bounds, first, side="right") - 1,
            np.searchsorted(bounds, last, side="left"),
        )
    return out
