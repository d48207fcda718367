"""What a window amounts to as a translation of a question: a sum of what each share tells, in log-odds.

A model's cosine is no evidence by itself: it depends on the model, the language and the benchmark, and a
translation of any other word problem is near, too. What tells is how much nearer the window is to its
question than to the next one and to the mean of the ten next, on the scale of the model (0: unrelated
sentences, 1: translations; `indexes.embeddings.probes`); whether the numbers are the question's; and whether it is
as long. Questions with two numbers and more have weights of their own. Weights were fitted (logistic
regression) on the development half of the labelled translations against translations of items that are not
in the benchmark; the sums are those that one of a hundred and of a thousand of these reach, of the benchmark that
has most. `benchmarks/quality_translations.py` prints what they do on the other half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import hash_text, word_hashes
from indexes.background import Background
from scanners.fields import LEAST_BITS, MOST_BITS
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE
from scanners.translated import Searched

TELLING_NUMBERS: Final = 2  # in digits: numbers decide
MOST_NAME_BITS: Final = 42.0  # three rare words; more tell nothing more
KEPT: Final = 0.7  # of the question's numbers, with one half assumed: fewer make a template
TEMPLATE_SUM: Final = 8.7  # of gap, margin and cosine by `NUMBERS`, where the numbers are others
LEAST_OWN: Final = 0.5  # of the window's; some languages write more of them in digits
TEMPLATE_SCORE: Final = CONTAMINATED_SCORE - 0.01  # at most


class Shares(NamedTuple):
    """What tells of each of n windows: float64 (n,) each."""

    gap: np.ndarray  # to the mean of the next questions, on the model's scale
    margin: np.ndarray  # to the next question
    cosine: np.ndarray  # on the model's scale
    kept: np.ndarray  # share of the question's numbers in digits that the window has
    own: np.ndarray  # share of the window's numbers that are the question's
    names: np.ndarray  # information of words in common, of `MOST_NAME_BITS`
    twin: np.ndarray  # how near the question is to the next question, on the model's scale
    crowd: np.ndarray  # and to the mean of the next questions
    length: np.ndarray  # how far apart the lengths are: logarithm of their ratio


class Weights(NamedTuple):
    """What each share tells, and the sums from which a window is suspect and contaminated."""

    gap: float
    margin: float
    cosine: float
    kept: float
    own: float
    names: float
    twin: float
    crowd: float
    length: float
    suspect: float
    contaminated: float


NUMBERS: Final = Weights(20.0, 11.0, 2.4, 5.4, 7.7, 0.0, 0.0, 0.0, 0.0, 16.5, 20.0)
WORDS: Final = Weights(6.8, 6.5, 3.5, 0.0, 4.5, -4.0, -0.8, 2.0, -4.0, 11.6, 17.0)


class Scores(NamedTuple):
    """Of each window, (n,)."""

    sum: np.ndarray  # float64, scaled so that 0.4 is suspect and 0.6 contaminated; not limited
    score: np.ndarray  # float64 in [0, 1], the same, limited
    template: np.ndarray  # bool, whether other numbers keep it from being contaminated


def translation_scores(shares: Shares, has_numbers: np.ndarray) -> Scores:
    """Return the scores of windows; `has_numbers` (bool (n,)): of questions with two and more."""
    total = np.where(has_numbers, _sum(shares, NUMBERS), _sum(shares, WORDS))
    cosines = NUMBERS.gap * shares.gap + NUMBERS.margin * shares.margin
    cosines = cosines + NUMBERS.cosine * shares.cosine
    other_numbers = has_numbers & ((shares.kept < KEPT) | (shares.own < LEAST_OWN))
    template = other_numbers & (cosines >= TEMPLATE_SUM)
    total = np.where(other_numbers, np.minimum(total, TEMPLATE_SCORE), total)
    total = np.where(template, TEMPLATE_SCORE, total)
    return Scores(total, np.clip(total, 0.0, 1.0), template)


def _sum(shares: Shares, weights: Weights) -> np.ndarray:
    """Return the sum of shares, scaled so that the two sums of the weights are 0.4 and 0.6."""
    total = sum(w * share for w, share in zip(weights, shares, strict=False))
    part = (total - weights.suspect) / (weights.contaminated - weights.suspect)
    result: np.ndarray = SUSPECT_SCORE + (CONTAMINATED_SCORE - SUSPECT_SCORE) * part
    return result


def shares_of(
    found: Searched, data: np.ndarray, items: Sequence[Item], background: Background
) -> tuple[Shares, np.ndarray]:
    """Return what tells of each candidate, and of which questions numbers decide (bool (n,))."""
    candidates, questions = found.candidates, found.questions
    kept, own, names = (np.zeros(len(candidates.question)) for _ in range(3))
    has_numbers = np.zeros(len(kept), np.bool_)
    for row, question in enumerate(candidates.question.tolist()):
        first, last = int(candidates.first[row]), int(candidates.last[row])
        numbers = found.numbers.first
        theirs = Counter(found.numbers.value[numbers[first] : numbers[last]].tolist())
        ours = Counter(questions.numbers[question])
        spelled = Counter(questions.spelled[question])
        kept[row] = _share((ours & theirs).total(), ours.total())
        own[row] = _share((theirs & (ours + spelled)).total(), theirs.total())
        has_numbers[row] = ours.total() >= TELLING_NUMBERS
        start, end = found.sentences.start[first], found.sentences.end[last - 1]
        words = rare_words(items[int(questions.item[question])].question, background)
        there = hash_text(data[start:end])
        names[row] = words.bits[np.isin(words.hashes, there)].sum() / MOST_NAME_BITS
    ratio = candidates.size / questions.size[candidates.question]
    shares = Shares(
        candidates.gap, candidates.margin, candidates.cosine, kept, own, np.minimum(names, 1),
        candidates.twin, candidates.crowd,
        np.abs(np.log(ratio)),
    )  # fmt: skip
    return shares, has_numbers


class RareWords(NamedTuple):
    """The different words of a question that are no numbers, and what each says."""

    hashes: np.ndarray  # uint64
    bits: np.ndarray  # float64


@lru_cache(maxsize=4096)
def rare_words(text: str, background: Background) -> RareWords:
    """Return the different words of a text that are no numbers."""
    hashes = np.unique(word_hashes(text))
    hashes = hashes[hashes & np.uint64(1) == 0]
    with np.errstate(divide="ignore"):
        bits = np.clip(-np.log2(background.rate_of(hashes)), LEAST_BITS, MOST_BITS)
    return RareWords(hashes, bits)


def _share(part: int, whole: int) -> float:
    """Return a share with one half assumed; one half of nothing."""
    return (part + 0.5) / (whole + 0.5) if whole else 0.5
