"""The evidence that a place says what a question says: a sum of what each share tells, in log-odds.

Questions are of three kinds, because different things tell them apart: those of which the place has at
least two numbers (numbers decide), other prose (the ask, the choices and how much nearer it is than any
other item), and code (the order of the words, which are few, and the code's own tokens). Each kind has its weights and the two sums
from which a place is suspect and contaminated. Weights were fitted (logistic regression) on the
development half of the labelled rewordings against sibling items; the sums are those that of sibling
documents one in a hundred and about one in two thousand reach. A transformer's cosine, where it was
asked, adds or takes away: what is `expected` of siblings that come so far changes nothing.
An item's code proves itself where hardly a word of the question is left: a solution with other names
and no docstring (`lone_code`). `benchmarks/quality_semantic.py` prints what they do on the other half.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from scanners.code_match import WHOLE_SHARE
from scanners.fields import UNITS_PER_BIT
from scanners.judge import CONTAMINATED_SCORE, SUSPECT_SCORE
from scanners.judge_reworded import number_agreement
from scanners.ngram import Scanned
from scanners.read_window import Meanings

LEAST_SHARE: Final = 0.02  # under the logarithm
ENOUGH_BITS: Final = (
    100.0  # of what a place and its choices say, for its plain likeness to count whole
)
NUMBER_PRICE: Final = 0.7  # of the plain likeness, where all numbers differ
MOST_BITS: Final = 120.0  # more of them tell nothing more
RARE_CHOICES: Final = 3  # items with the same choices, up to which these are evidence
ENOUGH_CODE_BITS: Final = 60.0  # the same of code
LONE_SUSPECT, LONE_CONTAMINATED = 70.0, 160.0  # bits of code without the words
CODE_PART: Final = 0.5  # of the likeness of items that are code
ENOUGH_MARGIN: Final = 0.15  # of plain likeness before the next other item
TELLING_NUMBERS: Final = 2
SAME_WORDS: Final = 0.85  # share of the question's weight in the same words
TEMPLATE_SCORE: Final = CONTAMINATED_SCORE - 0.01  # at most, where other numbers stand


class Weights(NamedTuple):
    """What each share tells: weights, and the sums of a kind of question."""

    soft: float  # of the logarithm
    in_order: float
    told: float
    cosine: float
    numbers: float  # of the logarithm of their agreement
    ask: float
    words: float
    bits: float  # of the binary logarithm
    margin: float
    choices: float
    order: float
    code: float
    model: float  # of the transformer's cosine less the next number, where it was asked
    expected: float
    suspect: float
    contaminated: float


NUMBERS: Final = Weights(
    3.4, 4.1, 1.6, 1.8, 5.7, 1.4, 0.0, 1.9, 4.0, 0.0, 0.0, 0.0, 2.0, 1.2, 7.2, 10.5
)
PROSE: Final = Weights(
    4.8, 0.3, 1.4, 1.1, 0.0, 4.5, 0.0, 0.3, 3.2, 3.3, 0.0, 0.0, 3.0, 0.9, 6.9, 8.8
)
CODE: Final = Weights(
    0.5, 3.3, 0.0, 0.0, 0.0, 0.0, 1.3, 0.6, 1.6, 0.0, 6.8, 2.7, 1.0, 0.9, 4.4, 6.8
)
MOST_COSINE: Final = 1.5  # of the transformer, as a part of the way (`scanners.second_opinion`)


KINDS: Final = (NUMBERS, PROSE, CODE)
N_SHARES: Final = 12  # weights of shares come first in `Weights`
AGREEMENT: Final = Weights._fields.index("numbers")
MARGIN: Final = Weights._fields.index("margin")


class Told(NamedTuple):
    """What tells of each of n places."""

    kind: np.ndarray  # int8 (n,), which of `KINDS`
    shares: np.ndarray  # float64 (N_SHARES, n), what `Weights` weigh


class Scores(NamedTuple):
    """By row of the evidence: float64 (n,), and bool (n,)."""

    score: np.ndarray  # in [0, 1]: 0.4 suspect, 0.6 contaminated
    template: np.ndarray  # whether only the numbers keep the score down
    solution: np.ndarray  # whether the item's code is enough, and the words are not
    by_code: np.ndarray  # whether the code alone is enough to be contaminated


def told_of(
    meanings: Meanings,
    scanned: Scanned,
    benchmark: np.ndarray,
    is_code: np.ndarray,
    same_choices: np.ndarray,
) -> Told:
    """Return what tells of every place.

    Args:
        meanings: of n places.
        scanned: where they are.
        benchmark: int (n,), of each place's item.
        is_code: bool (n,), whether its question is code.
        same_choices: int (n,), how many items have its choices.
    """
    rare = same_choices <= RARE_CHOICES
    choice_bits = np.where(rare, meanings.choice_units, 0) / UNITS_PER_BIT
    bits = meanings.units * meanings.soft / UNITS_PER_BIT + choice_bits
    agreement = number_agreement(meanings.numbers, meanings.place_numbers, meanings.shared_numbers)
    likeness = plain_likeness(meanings, bits, agreement)
    likeness = np.where(
        is_code, (1 - CODE_PART) * likeness + CODE_PART * code_likeness(meanings), likeness
    )
    margin = margins(likeness, scanned, benchmark) / ENOUGH_MARGIN
    prose = np.where(meanings.shared_numbers >= TELLING_NUMBERS, 0, 1)
    shares = (
        _log(meanings.soft),
        _log(meanings.in_order),
        _log(meanings.told),
        _log(meanings.cosine),
        _log(agreement),
        meanings.ask,
        meanings.words,
        np.log2(8 + np.minimum(bits, MOST_BITS)),
        np.clip(margin, np.where(is_code, -1, 0), 1),
        np.where(rare, meanings.choices, 0),
        order_of(meanings),
        meanings.code_share,
    )
    return Told(np.where(is_code, 2, prose).astype(np.int8), np.stack(shares))


def semantic_scores(told: Told, meanings: Meanings) -> Scores:
    """Return the score of every place."""
    score = np.zeros(len(told.kind))
    whole = np.zeros(len(told.kind))  # the same with all numbers agreeing
    for number, weights in enumerate(KINDS):
        rows = told.kind == number
        total = np.zeros(np.count_nonzero(rows))
        for weight, share in zip(
            weights, told.shares, strict=False
        ):  # a fixed order of sums: a matrix
            total += weight * share[rows]  # product's depends on how many rows there are
        heard = np.clip(meanings.model_cosine[rows], 0, MOST_COSINE) - weights.expected
        total += weights.model * np.where(np.isnan(heard), 0, heard)
        score[rows] = _scaled(total, weights)
        whole[rows] = _scaled(total - weights.numbers * told.shares[AGREEMENT, rows], weights)
    template = (whole >= CONTAMINATED_SCORE) & (score < CONTAMINATED_SCORE)
    found = (whole >= CONTAMINATED_SCORE) | (score >= SUSPECT_SCORE)
    template |= found & (told.kind != KINDS.index(CODE)) & other_numbers(meanings)
    score = np.where(template, np.clip(score, SUSPECT_SCORE, TEMPLATE_SCORE), score)
    lone = np.where(told.shares[MARGIN] > -1, lone_code(meanings), 0)  # else it is another item's
    solution = (lone >= SUSPECT_SCORE) & (score < SUSPECT_SCORE)
    by_code = lone >= CONTAMINATED_SCORE
    return Scores(np.maximum(score, lone), template & ~by_code, solution, by_code)


def other_numbers(meanings: Meanings) -> np.ndarray:
    """Tell which places have other numbers where the question has its own: bool (n,).

    Two of them, or one in nearly the same words: rewordings change words, siblings change numbers.
    """
    fewer = np.minimum(meanings.numbers, meanings.place_numbers)
    swapped = fewer - meanings.shared_numbers
    return (swapped >= 2) | ((swapped >= 1) & (meanings.words >= SAME_WORDS))


def plain_likeness(meanings: Meanings, bits: np.ndarray, agreement: np.ndarray) -> np.ndarray:
    """Return how alike place and question are, in [0, 1]: to compare the items of one place by."""
    shares = (meanings.soft, meanings.rare, meanings.in_order, meanings.told, meanings.cosine)
    mean = np.exp(np.mean([_log(share) for share in shares], axis=0))
    enough = np.sqrt(np.minimum(1.0, bits / ENOUGH_BITS))
    numbers = 1 - NUMBER_PRICE + NUMBER_PRICE * agreement
    result: np.ndarray = mean * (1 + meanings.ask) / 2 * enough * numbers
    return result


def code_likeness(meanings: Meanings) -> np.ndarray:
    """Return how alike the code of place and item is, in [0, 1]: little of it proves little."""
    enough = np.minimum(1.0, meanings.code_bits / ENOUGH_CODE_BITS)
    result: np.ndarray = meanings.code_share * enough
    return result


def lone_code(meanings: Meanings) -> np.ndarray:
    """Return the score of the code alone, whatever the words around it say: float64 (n,) in [0, 1].

    Textbook algorithms that a benchmark has for tasks (sorting by bubbles, prime factors) tell up to 150
    bits, so they are suspect. A part of a solution is an idiom, often, so the bits count less where the
    share is small. Who gives other names gives one name another one throughout; who solves the same
    task does not.
    """
    whole = np.minimum(1.0, meanings.code_share / WHOLE_SHARE) ** 2
    above = (meanings.code_bits * whole - LONE_SUSPECT) / (LONE_CONTAMINATED - LONE_SUSPECT)
    step = CONTAMINATED_SCORE - SUSPECT_SCORE
    copied = (meanings.code_names > 0) & (meanings.code_share >= WHOLE_SHARE)
    most = np.where(copied, 1.0, CONTAMINATED_SCORE - 0.01)
    result: np.ndarray = np.clip(SUSPECT_SCORE + step * above, 0, most)
    return result


def order_of(meanings: Meanings) -> np.ndarray:
    """Return how much more of what is there stands in order than by chance: float64 (n,) in [0, 1].

    Chance is what the words give from the last to the first; so words that recur prove nothing.
    """
    more = (meanings.in_order - meanings.in_reverse) / np.maximum(meanings.soft, 1e-9)
    result: np.ndarray = np.clip(more, 0, 1)
    return result


def margins(likeness: np.ndarray, scanned: Scanned, benchmark: np.ndarray) -> np.ndarray:
    """Return how much more alike each place is to its question than to any other of the benchmark."""
    locus = scanned.evidence
    order = np.lexsort((locus.word_start, locus.document))
    out = np.empty(len(likeness))
    _margins(
        order, locus.document, locus.pattern, locus.word_start, locus.word_end, benchmark, likeness,
        out,
    )  # fmt: skip
    return out


def _log(share: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.log(np.maximum(share, LEAST_SHARE))
    return result


def _scaled(total: np.ndarray, weights: Weights) -> np.ndarray:
    """Return sums as scores: linear, 0.4 at `suspect` and 0.6 at `contaminated`."""
    step = (CONTAMINATED_SCORE - SUSPECT_SCORE) / (weights.contaminated - weights.suspect)
    result: np.ndarray = np.clip(SUSPECT_SCORE + step * (total - weights.suspect), 0, 1)
    return result


@kernel
def _margins(
    order: Any, document: Any, pattern: Any, start: Any, end: Any, benchmark: Any, likeness: Any,
    out: Any,
) -> None:  # fmt: skip
    longest = 0
    for row in order:
        longest = max(longest, end[row] - start[row])
    for k in range(len(order)):
        row = order[k]
        rival = 0.0
        for step in (-1, 1):
            at = k + step
            while 0 <= at < len(order) and document[order[at]] == document[row]:
                other = order[at]
                at += step
                if start[other] >= end[row] or start[other] + longest <= start[row]:
                    break
                if end[other] <= start[row] or pattern[other] == pattern[row]:
                    continue
                if benchmark[other] == benchmark[row]:
                    rival = max(rival, likeness[other])
        out[row] = likeness[row] - rival
