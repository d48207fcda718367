"""What evidence amounts to: leak type, score and status of each locus.

The rules, for one item in one place of one document:

* The **score** is the coverage of the field by weight, cut down in proportion where the matched words
  carry too little information to tell the item from a common phrase (under 60 bits; 30 where 13 of
  them, or all of at least 8, are in a row) and where the alignment is mostly gaps (identity under 0.65). Information of
  listed choices and of an answer that stand beside the question counts, before or after it.
* `contaminated`: the question is there. A missing answer never vetoes it. The score needed is 0.6
  from 25 words on and rises to 0.9 for 8 words and fewer, because short questions are near the
  sentences that tell the same fact. Choices beside it count as length: no other text lists them. The
  answer does not: the sentence that tells the fact has it, too.
* `suspect`: up to 0.2 less than that, or the whole question with too little information.
* Other numbers in the place of most of its numbers (two or more), or hardly anything else than other
  numbers: leak type `template`, at most `suspect`.
* A question without its last sentence, the ask: the text that it quotes is there, leak type
  `passage`, at most `suspect`.
* A short question counts as there only together with choices or answer, and they only with it.
* An answer alone must be free text, long and whole to be `contaminated`; choices and passages alone
  are at most `suspect`: others have published them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.kernels import kernel
from indexes.ngram import LONG_WORDS
from scanners.beside import window_of
from scanners.facts import by_owner, facts_of
from scanners.fields import UNITS_PER_BIT, Role
from scanners.ngram import Scanned
from scanners.patterns import ENOUGH_BITS, SEARCHABLE_SHARE, WHOLE_WORDS, Patterns

CONTAMINATED_SCORE: Final = 0.6  # from LONG_ITEM_WORDS on
SHORT_ITEM_SCORE: Final = 0.9  # up to SHORT_ITEM_WORDS; linear between
SHORT_ITEM_WORDS, LONG_ITEM_WORDS = 8, 25
SUSPECT_SCORE: Final = SEARCHABLE_SHARE  # so that what is searchable is at least suspected
SUSPECT_MARGIN: Final = CONTAMINATED_SCORE - SUSPECT_SCORE  # below what its length needs
WHOLE_COVERAGE: Final = 0.9  # a whole question is suspect however little it says
ENOUGH_IDENTITY: Final = 0.65
ANSWER_ALONE_SCORE: Final = 0.9
ANSWER_ALONE_FACTOR: Final = 2.0  # an answer alone needs twice the bits of a question
PRESENT_COVERAGE: Final = 0.5  # of a long answer or choice beside its question
TELLING_COVERAGE: Final = 0.7  # from which it is evidence for the question, too
ASK_COVERAGE: Final = 0.25
# Several items ask different things of one long text, often in similar words.
LONG_QUESTION_WORDS, LONG_ASK_COVERAGE = 60, 0.6
TEMPLATE_SLACK: Final = 0.1  # weight that may differ besides the numbers
WEAK_ANSWER_BITS: Final = 4.0  # "4" or "yes" stand beside many a text
ENOUGH: Final = ENOUGH_BITS * UNITS_PER_BIT


class LeakType(IntEnum):
    """What of the item was there."""

    QUESTION_ANSWER = 0
    QUESTION = 1
    ANSWER = 2
    PASSAGE = 3
    TEMPLATE = 4


LEAK_TYPES: Final = ("question+answer", "question", "answer", "passage", "template")


class Status(IntEnum):
    """What one locus makes of its item."""

    WEAK = 0  # recorded, but the item stays clean
    SUSPECT = 1
    CONTAMINATED = 2


class Judged(NamedTuple):
    """Evidence by owner, (n,) each: the findings of a batch before they are put into words."""

    evidence: np.ndarray  # int64, row of the evidence
    owner: np.ndarray  # int64, row of the owners
    leak_type: np.ndarray  # int8
    status: np.ndarray  # int8
    score: np.ndarray  # float64 in [0, 1]


def judge(scanned: Scanned, patterns: Patterns) -> Judged:
    """Judge every (evidence, owner); keep what is evidence: a score of 0.4 or a run of 13 words."""
    rows = by_owner(scanned, patterns)
    leak_type, status, score, keep = _judge(facts_of(rows, scanned, patterns))
    kept = np.flatnonzero(keep)
    return Judged(rows.evidence[kept], rows.owner[kept], leak_type[kept], status[kept], score[kept])


QUESTION, CHOICE, ANSWER = int(Role.QUESTION), int(Role.CHOICE), int(Role.ANSWER)
PASSAGE, COMPOSITE = int(Role.PASSAGE), int(Role.COMPOSITE)
TYPE_QA, TYPE_Q, TYPE_A = (
    int(LeakType.QUESTION_ANSWER), int(LeakType.QUESTION), int(LeakType.ANSWER),
)  # fmt: skip
TYPE_P, TYPE_T = int(LeakType.PASSAGE), int(LeakType.TEMPLATE)
WEAK, SUSPECT, CONTAMINATED = int(Status.WEAK), int(Status.SUSPECT), int(Status.CONTAMINATED)


@kernel
def _judge(f: Any) -> tuple[Any, Any, Any, Any]:
    """Apply the rules of the module to rows sorted by document, item and place."""
    n = len(f.item)
    leak_type = np.zeros(n, np.int8)
    status = np.zeros(n, np.int8)
    score = np.zeros(n, np.float64)
    keep = np.ones(n, np.bool_)
    low = 0
    while low < n:
        high, longest = low, 0
        while high < n and f.document[high] == f.document[low] and f.item[high] == f.item[low]:
            longest = max(longest, f.end[high] - f.start[high])
            high += 1
        reach = window_of(f.item_words[low])
        for r in range(low, high):
            if f.role[r] == QUESTION or f.role[r] == COMPOSITE:
                first, last = _neighbours(f, r, low, high, reach + longest)
                leak_type[r], status[r], score[r] = _judge_question(f, r, first, last, reach)
        for r in range(low, high):
            first, last = _neighbours(f, r, low, high, reach + longest)
            if f.role[r] == QUESTION or f.role[r] == COMPOSITE:
                keep[r] = score[r] > 0 and not _told_better(f, r, first, last, score)
        for r in range(low, high):
            first, last = _neighbours(f, r, low, high, reach + longest)
            if f.role[r] != QUESTION and f.role[r] != COMPOSITE:
                leak_type[r], status[r], score[r] = _judge_other(
                    f, r, first, last, reach, leak_type, score, keep
                )
                keep[r] = not (f.role[r] == CHOICE and _is_the_answer(f, r, first, last))
        low = high
    for r in range(n):
        keep[r] &= score[r] >= SUSPECT_SCORE or f.longest_run[r] >= LONG_WORDS
    return leak_type, status, score, keep


@kernel
def _neighbours(f: Any, r: int, low: int, high: int, reach: int) -> tuple[int, int]:
    """Return the rows of the group that may lie within `reach` words of row `r`."""
    first = r
    while first > low and f.start[r] - f.start[first - 1] <= reach:
        first -= 1
    last = r + 1
    while last < high and f.start[last] - f.end[r] <= reach:
        last += 1
    return first, last


@kernel
def _judge_question(f: Any, r: int, first: int, last: int, reach: int) -> tuple[int, int, float]:
    """Return (leak type, status, score) of a question or composite."""
    answers, found = f.short_answers[r], f.short_choices[r]
    told_units, told_words, answer_units = 0, 0, 0
    long_answer = False
    for s in range(first, last):
        if _gap(f, r, s) > reach or f.units[s] < PRESENT_COVERAGE * f.total[s] or _inside(f, s, r):
            continue
        telling = f.units[s] >= TELLING_COVERAGE * f.total[s]
        if f.role[s] == ANSWER:
            answers += 1
            long_answer = True
            if telling:
                answer_units = max(answer_units, f.units[s])
        elif f.role[s] == CHOICE and not _choice_seen(f, s, first, r, reach):
            found += 1
            if telling:
                told_units += f.units[s]
                told_words += f.words[s]
    listed = f.n_choices[r] >= 2 and found >= 2
    informative = long_answer or f.answer_units[r] >= WEAK_ANSWER_BITS * UNITS_PER_BIT
    has_answer = f.announced[r] > 0 or (informative and answers >= (2 if listed else 1))
    told = f.answer_units[r] if has_answer and f.short_answers[r] > 0 else 0
    if listed:
        told = f.short_units[r] + told_units
    score = _score(f, r, f.units[r] + max(answer_units, told))
    leak_type = TYPE_QA if has_answer else TYPE_Q
    most = CONTAMINATED
    if f.role[r] == COMPOSITE and f.ask_share[r] < PRESENT_COVERAGE:
        return TYPE_A, WEAK, 0.0  # its choices or answer without the question
    asked = LONG_ASK_COVERAGE if f.own_words[r] >= LONG_QUESTION_WORDS else ASK_COVERAGE
    if f.ask_share[r] < asked and not (has_answer and long_answer):
        leak_type, most = TYPE_P, SUSPECT
    elif _is_template(f, r):
        leak_type, most = TYPE_T, SUSPECT
    needed = _needed(f.own_words[r] + (f.short_words[r] + told_words if listed else 0))
    if score < needed:
        most = min(most, SUSPECT)
    if score < needed - SUSPECT_MARGIN and f.units[r] < WHOLE_COVERAGE * f.total[r]:
        most = WEAK
    return leak_type, min(most, _status(score)), score


@kernel
def _score(f: Any, r: int, evidence: int) -> float:
    """Return coverage, cut down by too little information and too many gaps."""
    whole = f.words[r] >= WHOLE_WORDS and f.longest_run[r] >= min(LONG_WORDS, f.words[r])
    enough = ENOUGH / 2 if whole else ENOUGH
    coverage = f.units[r] / f.total[r]
    return coverage * min(1.0, evidence / enough) * min(1.0, f.identity[r] / ENOUGH_IDENTITY)


@kernel
def _is_template(f: Any, r: int) -> bool:
    """Tell whether the place differs in numbers as a sibling does."""
    if f.numbers_swapped[r] == 0:
        return False
    rest = f.total[r] - f.units[r] - f.swapped_units[r]
    many = f.numbers_swapped[r] >= 2 and f.numbers_swapped[r] > f.numbers_matched[r]
    return many or rest <= TEMPLATE_SLACK * f.total[r]


@kernel
def _needed(n_words: int) -> float:
    """Return the score that an item of so many words needs to be contaminated."""
    short = (LONG_ITEM_WORDS - n_words) / (LONG_ITEM_WORDS - SHORT_ITEM_WORDS)
    rise = SHORT_ITEM_SCORE - CONTAMINATED_SCORE
    return CONTAMINATED_SCORE + rise * min(1.0, max(0.0, short))


@kernel
def _judge_other(
    f: Any, r: int, first: int, last: int, reach: int, leak_type: Any, score: Any, keep: Any
) -> tuple[int, int, float]:
    """Return (leak type, status, score) of an answer, choice or passage."""
    coverage = f.units[r] / f.total[r]
    best = -1
    for s in range(first, last):
        is_question = keep[s] and (f.role[s] == QUESTION or f.role[s] == COMPOSITE)
        if is_question and score[s] >= SUSPECT_SCORE and _gap(f, r, s) <= reach:
            best = s if best < 0 or score[s] > score[best] else best
    if best >= 0:  # the question beside it says what the place is
        return leak_type[best], WEAK, coverage * min(1.0, f.units[r] / ENOUGH)
    if f.role[r] == PASSAGE:
        own = coverage * min(1.0, f.units[r] / ENOUGH)
        return TYPE_P, min(SUSPECT, _status(own)), own
    own = coverage * min(1.0, f.units[r] / (ANSWER_ALONE_FACTOR * ENOUGH))
    swapped = f.swapped_units[r] > 0
    free = f.role[r] == ANSWER and f.n_choices[r] < 2  # options are published sentences, often
    whole = free and own >= ANSWER_ALONE_SCORE and not swapped
    if whole and f.longest_run[r] >= LONG_WORDS:
        return TYPE_A, CONTAMINATED, own
    return TYPE_A, min(SUSPECT, _status(own)), own


@kernel
def _status(score: float) -> int:
    if score >= CONTAMINATED_SCORE:
        return CONTAMINATED
    return SUSPECT if score >= SUSPECT_SCORE else WEAK


@kernel
def _gap(f: Any, r: int, s: int) -> int:
    """Words between two loci; 0 where they touch."""
    return max(0, f.start[s] - f.end[r], f.start[r] - f.end[s])


@kernel
def _inside(f: Any, s: int, r: int) -> bool:
    """Tell whether locus `s` lies inside locus `r` of a bare question: then it adds nothing."""
    return f.role[r] == QUESTION and f.start[s] >= f.start[r] and f.end[s] <= f.end[r]


@kernel
def _choice_seen(f: Any, s: int, first: int, r: int, reach: int) -> bool:
    """Tell whether the choice of row `s` was counted already at an earlier row."""
    for t in range(first, s):
        if f.role[t] == CHOICE and f.choice[t] == f.choice[s] and _gap(f, r, t) <= reach:
            return True
    return False


@kernel
def _is_the_answer(f: Any, r: int, first: int, last: int) -> bool:
    """Tell whether the same locus is told as the item's answer."""
    for s in range(first, last):
        if f.role[s] == ANSWER and f.pattern[s] == f.pattern[r] and f.start[s] == f.start[r]:
            return True
    return False


@kernel
def _told_better(f: Any, r: int, first: int, last: int, score: Any) -> bool:
    """Tell whether another row of the item tells the place of a question or composite better."""
    for s in range(first, last):
        overlap = min(f.end[r], f.end[s]) - max(f.start[r], f.start[s])
        if overlap <= 0 or f.pattern[s] == f.pattern[r]:
            continue
        if f.longest_run[r] >= LONG_WORDS > f.longest_run[s]:
            continue
        if f.role[s] != QUESTION and f.role[s] != COMPOSITE:
            # Words of the question that stand inside the answer, say, are the answer's.
            weaker = f.units[r] * f.total[s] < f.units[s] * f.total[r]
            whole = f.units[r] >= CONTAMINATED_SCORE * f.total[r]
            if weaker and not whole and 2 * overlap >= f.end[r] - f.start[r]:
                return True
        elif score[s] > score[r] or (score[s] == score[r] and s < r):
            return True
    return False
