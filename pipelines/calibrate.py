"""The calibration battery: planted leaks and nulls measure the scan itself.

Items are planted, form by form, into copies of documents of the corpus at hand, and those are scanned
as the corpus was: nominated, aligned, judged and proven on the text. What is found of them is the
recall, what is found where nothing leaked the false-positive rate, and copies must be counted right.
Every trial of a rate is another item, so that its exact interval means what it says.

After the sanity checks of Adebayo et al. 2018, with negative controls that share the items' words.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, TypeVar

import numpy as np
import polars as pl

from corpora.normal_form import word_hashes
from indexes.ngram import LONG_WORDS
from indexes.seeds import seed_hashes
from pipelines.planting import NULLS, Form, Subject, planted_forms, word_texts
from pipelines.shard_step import ScanPlan, tell_all
from reports.intervals import binomial_interval
from scanners.examine import Examined
from scanners.fields import Role
from scanners.findings import Finding
from scanners.judge import Judged, Status

Kind = Literal["recall", "false_positive", "dose"]
Size = Literal["quick", "full"]
Value = TypeVar("Value")

KINDS: Final[tuple[Kind, ...]] = ("recall", "false_positive", "dose")
ALL: Final = "all"
POSITIONS: Final = ("head", "middle", "tail")
LENGTH_BOUNDS: Final = (10, 25, 60)  # words of the question
LENGTH_CLASSES: Final = ("under 10", "10 to 24", "25 to 59", "60 and more")
DOSES: Final = {"1 copy": 1, "2 copies": 2, "4 copies": 4, "8 copies": 8}
VERBATIM: Final = "verbatim"  # applies to any item, in any script
SPLICED, SHUFFLED = "spliced halves", "shuffled words"
PLAIN_BESIDE_DOSE: Final = 2  # documents without a copy among those with one
LEAST_TRIALS: Final = 20  # of verbatim copies
LEAST_SHORT_RECALL: Final = 0.9  # of verbatim copies of items that the guarantee does not cover
MOST_FALSE_POSITIVES: Final = 0.01  # of all nulls
SIBLINGS_DRAWN: Final = 16
SIBLING_SHARE: Final = 0.5  # of an item's distinct words; siblings below are other questions
SPLICED_SHARE: Final = 2 / 3  # where a benchmark repeats its sentences, halves make up a whole
HELD_GRAM, HELD_SHARE = 3, 1 / 3  # a document with this share of an item's 3-grams may hold it
LEAST_HOST_WORDS: Final = 20
TRIED_PER_TRIAL: Final = 40  # items that are tried for one to which a form applies
BATCH_CHARS: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Rate:
    """How many trials were found: of one form, or of its trials of one length class or position.

    `found` counts trials with the result that the form asks for, of nulls those wrongly called
    contaminated, of doses those counted right; `rate` is their share and [low, high] its exact 95%
    interval. `contaminated` and `suspect` say what was found; the others were missed.
    """

    kind: Kind
    form: str
    length_class: str  # one of LENGTH_CLASSES, by the words of the question, or "all"
    position: str  # one of POSITIONS or "all"
    trials: int
    found: int
    rate: float
    low: float
    high: float
    contaminated: int
    suspect: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a battery measured; where it did not pass, the run is uncalibrated for `reasons`."""

    rates: tuple[Rate, ...]
    passed: bool
    reasons: tuple[str, ...]
    seed: int
    size: Size


@dataclass(frozen=True, slots=True)
class Outcome:
    """One trial: an item planted in a form, and what the scan made of it."""

    kind: Kind
    form: str
    item: int  # number over all benchmarks
    position: str
    guaranteed: bool  # by form and length: the scan promises to find it
    status: int  # judge.Status
    leak_type: str  # "" where nothing was found
    found: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a battery of a size does."""

    trials: int  # of a form, at most
    host_chars: int  # kept of a document around the place of the plant
    doses: int  # items that are planted several times


EXTENTS: Final[dict[Size, Extent]] = {
    "quick": Extent(trials=60, host_chars=4_000, doses=20),
    "full": Extent(trials=300, host_chars=16_000, doses=100),
}

CALIBRATION_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "kind": pl.String, "form": pl.String, "length_class": pl.String, "position": pl.String,
    "trials": pl.Int64, "found": pl.Int64, "rate": pl.Float64, "ci_low": pl.Float64,
    "ci_high": pl.Float64, "contaminated": pl.Int64, "suspect": pl.Int64,
}  # fmt: skip


def run_battery(
    plan: ScanPlan,
    hosts: Sequence[str],
    *,
    size: Size,
    seed: int = 0,
    paraphrases: Mapping[str, str] | None = None,
) -> Calibration:
    """Measure a plan's scan on leaks planted into copies of `hosts`, documents of the corpus.

    The result depends on the set of hosts, not on their order. `paraphrases` maps item ids to
    texts that say the same in other words.
    """
    outcomes = list(play(plan, hosts, size=size, seed=seed, paraphrases=paraphrases))
    question_words = plan.patterns.role_words[:, Role.QUESTION]
    reasons = tuple(_reasons(outcomes))
    return Calibration(tuple(_rates(outcomes, question_words)), not reasons, reasons, seed, size)


def calibration_table(calibration: Calibration) -> pl.DataFrame:
    """Return the rates as `calibration.parquet` has them: by kind, form, length and position."""
    rows = [
        (
            r.kind, r.form, r.length_class, r.position, r.trials, r.found, r.rate, r.low, r.high,
            r.contaminated, r.suspect,
        )
        for r in calibration.rates
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=CALIBRATION_SCHEMA, orient="row")


def play(
    plan: ScanPlan,
    hosts: Sequence[str],
    *,
    size: Size,
    seed: int = 0,
    paraphrases: Mapping[str, str] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of every trial; none where no host has `LEAST_HOST_WORDS` words."""
    extent = EXTENTS[size]
    chosen = _choose_hosts(hosts, extent, seed)
    if not chosen:
        return
    stage = _Stage(plan, chosen, extent, seed)
    for name, form in planted_forms(paraphrases).items():
        yield from _recall(stage, name, form)
    for name in NULLS:
        yield from _false_positives(stage, name)
    for name in DOSES:
        yield from _dose(stage, name)


# --- the stage: who is planted where --------------------------------------------------------------


class _Stage:
    """The items in the order in which they take part, the hosts, and what both hold."""

    def __init__(self, plan: ScanPlan, hosts: Sequence[str], extent: Extent, seed: int) -> None:
        self.plan = plan
        self.extent = extent
        self.seed = seed
        self.hosts = hosts
        self.fillers = [_fillers(host, extent) for host in hosts]
        self.question_words = plan.patterns.role_words[:, Role.QUESTION]
        self.marks = plan.tally.blank_marks()  # those of the run stay what the corpus says
        self.pool = _stratified(plan, self.question_words, seed)
        self.rank = np.empty(len(plan.items), np.int64)
        self.rank[self.pool] = np.arange(len(self.pool))
        self._question_pattern = _question_patterns(plan)
        self.held = self._held()

    def host_of(self, item: int) -> int:
        """Return the number of the host into which an item is planted."""
        return int(self.rank[item]) % len(self.hosts)

    def random_of(self, item: int, form: str) -> np.random.Generator:
        """Return a generator of its own for each trial, whatever else the battery does."""
        return np.random.default_rng([self.seed, zlib.crc32(form.encode()), item])

    def words_of(self, item: int) -> np.ndarray:
        """Return the hashes of an item's words, all fields: uint64 (n,)."""
        fields = self.plan.patterns.fields
        low, high = np.searchsorted(fields.item, [item, item + 1])
        return fields.words[fields.starts[low] : fields.starts[high]]

    def subject(self, item: int) -> Subject:
        """Return an item as nulls want it."""
        patterns = self.plan.patterns
        first, last = patterns.index.starts[self._question_pattern[item] + np.array([0, 1])]
        if self._question_pattern[item] < 0:  # too short to be sought alone
            return Subject(self.plan.items[item], int(self.question_words[item]) // 2)
        behind = np.cumsum(patterns.weights[first:last])
        return Subject(self.plan.items[item], int((2 * behind <= behind[-1]).sum()))

    def window(self, host: int, position: str) -> tuple[str, str]:
        """Return the text before and after the place of the plant."""
        return _window(self.hosts[host], position, self.extent.host_chars)

    def _held(self) -> set[int]:
        """Return the items that are found in a host before anything is planted."""
        windows = (
            "".join(self.window(host, position))
            for host in range(len(self.hosts))
            for position in POSITIONS
        )
        held: set[int] = set()
        for texts in _batches(windows, len):
            for examined in self.plan.examine(*_buffers(texts), self.marks):
                judged = examined.judged
                owners = judged.owner[judged.status >= Status.SUSPECT]
                held.update(self.plan.patterns.owners.item[owners].tolist())
        return held


def _choose_hosts(hosts: Sequence[str], extent: Extent, seed: int) -> list[str]:
    """Draw hosts, as many as trials; their order comes from their content."""
    by_digest = {hashlib.sha256(_utf8(host)).digest(): host for host in hosts}
    ordered = [host for _, host in sorted(by_digest.items())]
    order = np.random.default_rng(seed).permutation(len(ordered)).tolist()
    drawn = (ordered[number] for number in order)
    long_enough = (h for h in drawn if len(_fillers(h, extent)) >= LEAST_HOST_WORDS)
    return list(islice(long_enough, extent.trials))


def _stratified(plan: ScanPlan, question_words: np.ndarray, seed: int) -> np.ndarray:
    """Return the searchable items in random order, benchmarks and length classes taking turns."""
    random = np.random.default_rng(seed)
    searchable = np.array([not reason for reason in plan.patterns.reasons], np.bool_)
    items = random.permutation(np.flatnonzero(searchable))
    classes = np.searchsorted(LENGTH_BOUNDS, question_words[items], side="right")
    stratum = plan.patterns.benchmark[items] * (len(LENGTH_BOUNDS) + 1) + classes
    order = np.argsort(stratum, kind="stable")
    first = np.searchsorted(stratum[order], stratum[order])
    turn = np.empty(len(items), np.int64)
    turn[order] = np.arange(len(items)) - first
    return items[np.lexsort((random.random(len(items)), turn))]


def _fillers(host: str, extent: Extent) -> list[str]:
    """Return the words that edits bring in; a number would make another question."""
    texts = word_texts(host[: extent.host_chars])
    return [word for word in texts if not any(char.isdigit() for char in word)]


def _question_patterns(plan: ScanPlan) -> np.ndarray:
    """Return the pattern of each item's question: int64 (items,), -1 where it has none."""
    owners = plan.patterns.owners
    out = np.full(len(plan.items), -1, np.int64)
    pattern = np.repeat(np.arange(len(owners.first) - 1), np.diff(owners.first))
    is_question = owners.role == Role.QUESTION
    out[owners.item[is_question]] = pattern[is_question]
    return out


def _window(host: str, position: str, chars: int) -> tuple[str, str]:
    if position == "head":
        return "", host[:chars]
    if position == "tail":
        return host[-chars:], ""
    middle = len(host) // 2
    low = max(0, middle - chars // 4)
    at = max(host.rfind("\n", low, middle), low)
    if at == low:  # no line ends here
        at = max(host.rfind(" ", low, middle), low)
    return host[max(0, at - chars // 2) : at], host[at : at + chars // 2]


# --- trials ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Planted:
    """A document to scan, and the items asked for (the second is -1 where there is one only)."""

    text: str
    items: tuple[int, int]
    outcome: Outcome


def _recall(stage: _Stage, name: str, form: Form) -> Iterator[Outcome]:
    for seen in _verdicts(_recall_documents(stage, name, form), stage):
        yield replace(seen, found=_as_expected(seen, form))


def _recall_documents(stage: _Stage, name: str, form: Form) -> Iterator[_Planted]:
    """Plant a form, each time another item, until there are enough."""
    n = 0
    for item in stage.pool[: TRIED_PER_TRIAL * stage.extent.trials].tolist():
        if n == stage.extent.trials:
            return
        if item in stage.held:
            continue
        host, position = stage.host_of(item), POSITIONS[n % len(POSITIONS)]
        random = stage.random_of(item, name)
        copy = form.plant(stage.plan.items[item], random, stage.fillers[host])
        if copy is None:
            continue
        n += 1
        promised = form.guaranteed and bool(stage.question_words[item] >= LONG_WORDS)
        text = _planted(copy, stage.window(host, position))
        yield _Planted(text, (item, -1), _trial("recall", name, item, position, promised))


def _as_expected(outcome: Outcome, form: Form) -> bool:
    if form.expected == "contaminated" or outcome.status == Status.CONTAMINATED:
        return outcome.status == Status.CONTAMINATED
    is_template = form.expected != "template" or outcome.leak_type == "template"
    return outcome.status == Status.SUSPECT and is_template


def _false_positives(stage: _Stage, name: str) -> Iterator[Outcome]:
    for seen in _verdicts(_null_documents(stage, name), stage):
        yield replace(seen, found=seen.status == Status.CONTAMINATED)


def _null_documents(stage: _Stage, name: str) -> Iterator[_Planted]:
    """Plant a null; what a host holds is told from its words, not by the scan that is measured."""
    n = 0
    for item in stage.pool[: TRIED_PER_TRIAL * stage.extent.trials].tolist():
        if n == stage.extent.trials:
            return
        host, position = stage.host_of(item), POSITIONS[n % len(POSITIONS)]
        random = stage.random_of(item, name)
        other = _sibling_of(item, stage, random)
        subject = None if other < 0 else stage.subject(other)
        copy = NULLS[name].plant(stage.subject(item), subject, random)
        window = stage.window(host, position)
        items = (item, other if name == SPLICED else -1)
        if copy is None or _may_hold("".join(window), stage.words_of(item)):
            continue
        if name == SPLICED and max(_share(one, copy, stage) for one in items) > SPLICED_SHARE:
            continue
        n += 1
        yield _Planted(
            _planted(copy, window), items, _trial("false_positive", name, item, position)
        )


def _sibling_of(item: int, stage: _Stage, random: np.random.Generator) -> int:
    """Draw items of the benchmark; return the most alike below the share, -1 where there is none."""
    benchmark = stage.plan.patterns.benchmark
    first, last = np.searchsorted(benchmark, [benchmark[item], benchmark[item] + 1])
    own = np.unique(stage.words_of(item))
    best, best_share = -1, -1.0
    for other in random.integers(first, last, SIBLINGS_DRAWN).tolist():
        share = float(np.isin(own, stage.words_of(other)).mean()) if len(own) else 1.0
        if best_share < share < SIBLING_SHARE:
            best, best_share = other, share
    return best


def _share(item: int, text: str, stage: _Stage) -> float:
    """Return the share of the distinct words of an item's question that a text has."""
    own = np.unique(word_hashes(stage.plan.items[item].question))
    return float(np.isin(own, word_hashes(text)).mean()) if len(own) else 1.0


def _may_hold(text: str, item_words: np.ndarray) -> bool:
    grams = np.unique(seed_hashes(item_words, HELD_GRAM))
    held = np.isin(grams, seed_hashes(word_hashes(text), HELD_GRAM))
    return len(grams) > 0 and float(held.mean()) >= HELD_SHARE


def _dose(stage: _Stage, name: str) -> Iterator[Outcome]:
    """Plant copies of an item into as many documents; found where the scan counts as many."""
    counted: dict[int, list[Outcome]] = {}
    for seen in _verdicts(_dose_documents(stage, name), stage):
        counted.setdefault(seen.item, []).append(seen)
    for documents in counted.values():
        count = sum(seen.status >= Status.SUSPECT for seen in documents)
        best = max(documents, key=lambda seen: seen.status)
        yield replace(best, position=ALL, found=count == DOSES[name])


def _dose_documents(stage: _Stage, name: str) -> Iterator[_Planted]:
    form = planted_forms()[VERBATIM]
    free = [item for item in stage.pool.tolist() if item not in stage.held]
    for item in free[: stage.extent.doses]:
        random = stage.random_of(item, name)
        n_documents = DOSES[name] + PLAIN_BESIDE_DOSE
        with_copy = set(random.permutation(n_documents)[: DOSES[name]].tolist())
        promised = bool(stage.question_words[item] >= LONG_WORDS)
        for document in range(n_documents):
            host = (stage.host_of(item) + document) % len(stage.hosts)
            position = POSITIONS[document % len(POSITIONS)]
            copy = form.plant(stage.plan.items[item], random, ()) if document in with_copy else ""
            text = _planted(copy or "", stage.window(host, position))
            yield _Planted(text, (item, -1), _trial("dose", name, item, position, promised))


def _planted(copy: str, window: tuple[str, str]) -> str:
    before, after = window
    return "\n\n".join(filter(None, (before, copy, after))) if copy else before + after


def _trial(kind: Kind, form: str, item: int, position: str, guaranteed: bool = False) -> Outcome:
    return Outcome(kind, form, item, position, guaranteed, Status.WEAK, "", found=False)


# --- the scan of what was planted -----------------------------------------------------------------


def _verdicts(documents: Iterable[_Planted], stage: _Stage) -> Iterator[Outcome]:
    """Yield each document's outcome with the strongest finding of the items asked for."""
    for batch in _batches(documents, lambda document: len(document.text)):
        found = {finding.document: finding for finding in _strongest_findings(batch, stage)}
        for number, document in enumerate(batch):
            if number not in found:
                yield document.outcome
                continue
            f = found[number]
            yield replace(document.outcome, status=f.status, leak_type=f.leak_type)


def _strongest_findings(batch: Sequence[_Planted], stage: _Stage) -> list[Finding]:
    """Return for each document the strongest finding that makes an item suspect, proven."""
    plan = stage.plan
    data, bounds = _buffers([document.text for document in batch])
    asked = np.array([document.items for document in batch], np.int64)
    text_of = lru_cache(maxsize=1)(lambda number: batch[number].text)
    own = [
        examined._replace(judged=_strongest(examined, asked, plan.patterns.owners.item))
        for examined in plan.examine(data, bounds, stage.marks)
    ]
    best: dict[int, Finding] = {}
    for finding in tell_all(own, data, bounds, plan, text_of):
        known = best.get(finding.document)
        if known is None or (finding.status, finding.score) > (known.status, known.score):
            best[finding.document] = finding
    return [best[document] for document in sorted(best)]


def _strongest(examined: Examined, asked: np.ndarray, owner_item: np.ndarray) -> Judged:
    """Keep the strongest verdict on the items asked for in each document: int64 (documents, 2)."""
    judged = examined.judged
    document = examined.scanned.evidence.document[judged.evidence]
    is_asked = (asked[document] == owner_item[judged.owner][:, None]).any(axis=1)
    rows = np.flatnonzero(is_asked & (judged.status >= Status.SUSPECT))
    rows = rows[np.lexsort((-judged.score[rows], -judged.status[rows], document[rows]))]
    _, first = np.unique(document[rows], return_index=True)
    return Judged(*(column[rows[first]] for column in judged))


def _buffers(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the texts' bytes and bounds."""
    encoded = [_utf8(text) for text in texts]
    bounds = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=bounds[1:])
    # Writable, like Arrow's buffers: the kernels are compiled for that already.
    return np.frombuffer(bytearray().join(encoded), np.uint8), bounds


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # items may hold half of a surrogate pair


def _batches(values: Iterable[Value], chars_of: Callable[[Value], int]) -> Iterator[list[Value]]:
    batch: list[Value] = []
    chars = 0
    for value in values:
        batch.append(value)
        chars += chars_of(value)
        if chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


# --- what the trials amount to --------------------------------------------------------------------


def _rates(outcomes: Sequence[Outcome], question_words: np.ndarray) -> Iterator[Rate]:
    """Count the trials of each form: all, by length class, by position; in a total order."""
    cells: dict[tuple[int, int, int, int], list[Outcome]] = {}
    forms = list(dict.fromkeys(outcome.form for outcome in outcomes))
    for outcome in outcomes:
        length = length_class(int(question_words[outcome.item]))
        cell = (KINDS.index(outcome.kind), forms.index(outcome.form))
        for at in {
            (*cell, 0, 0),
            (*cell, 1 + LENGTH_CLASSES.index(length), 0),
            (*cell, 0, [ALL, *POSITIONS].index(outcome.position)),
        }:
            cells.setdefault(at, []).append(outcome)
    for (kind, form, length_at, position_at), trials in sorted(cells.items(), key=_place):
        yield _rate(
            KINDS[kind], forms[form], [ALL, *LENGTH_CLASSES][length_at],
            [ALL, *POSITIONS][position_at], trials,
        )  # fmt: skip


def _place(cell: tuple[tuple[int, int, int, int], list[Outcome]]) -> tuple[int, int, int, int]:
    return cell[0]


def length_class(question_words: int) -> str:
    """Return the class of a question of so many words."""
    return LENGTH_CLASSES[sum(question_words >= bound for bound in LENGTH_BOUNDS)]


def _rate(kind: Kind, form: str, length: str, position: str, trials: Sequence[Outcome]) -> Rate:
    found = sum(trial.found for trial in trials)
    low, high = binomial_interval(found, len(trials))
    return Rate(
        kind=kind,
        form=form,
        length_class=length,
        position=position,
        trials=len(trials),
        found=found,
        rate=found / len(trials),
        low=low,
        high=high,
        contaminated=sum(trial.status == Status.CONTAMINATED for trial in trials),
        suspect=sum(trial.status == Status.SUSPECT for trial in trials),
    )


def _reasons(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say why a battery did not pass; nothing where it did."""
    if not outcomes:
        yield (
            "nothing to plant: no searchable item, or no document of at least "
            f"{LEAST_HOST_WORDS} words"
        )
        return
    copies = [trial for trial in outcomes if trial.form == VERBATIM]
    if len(copies) < LEAST_TRIALS:
        yield (
            f"too few searchable items to calibrate: {len(copies)} that the documents do not hold "
            f"already, where {LEAST_TRIALS} are needed"
        )
    yield from _broken_promises([trial for trial in outcomes if trial.guaranteed])
    short = [trial.status >= Status.SUSPECT for trial in copies if not trial.guaranteed]
    if binomial_interval(sum(short), len(short))[1] < LEAST_SHORT_RECALL:  # not by bad luck
        yield (
            f"{VERBATIM}: only {sum(short)} of {len(short)} planted items with a question under "
            f"{LONG_WORDS} words left a trace"
        )
    yield from _false_positive_reasons([o for o in outcomes if o.kind == "false_positive"])


def _broken_promises(promised: Sequence[Outcome]) -> Iterator[str]:
    for form in dict.fromkeys(trial.form for trial in promised):
        found = [trial.found for trial in promised if trial.form == form]
        if not all(found):
            yield (
                f"{form}: {found.count(False)} of {len(found)} planted items with a question of "
                f"{LONG_WORDS} words were {'counted wrong' if form in DOSES else 'missed'}"
            )


def _false_positive_reasons(nulls: Sequence[Outcome]) -> Iterator[str]:
    wrong = [trial for trial in nulls if trial.found]
    if len(wrong) > MOST_FALSE_POSITIVES * len(nulls):
        yield (
            f"false positives: {len(wrong)} of {len(nulls)} nulls were called contaminated, more "
            f"than {MOST_FALSE_POSITIVES:.0%}"
        )
    shuffled = sum(trial.form == SHUFFLED for trial in wrong)
    if shuffled:
        yield f"false positives: shuffled words called contaminated {shuffled} times"
