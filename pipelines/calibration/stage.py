"""The stage of a battery: the items in the order in which they take part, and the hosts."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

import numpy as np

from corpora.normal_form import word_hashes
from pipelines.calibration.examination import found_as_they_are, utf8
from pipelines.calibration.outcomes import LENGTH_BOUNDS, POSITIONS, Size
from pipelines.planting import Subject, word_texts
from pipelines.shard_step import ScanPlan
from scanners.fields import Role
from scanners.findings import Finding

Value = TypeVar("Value")

LEAST_HOST_WORDS: Final = 20
BATCH_CHARS: Final = 4 << 20


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


class Stage:
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
        self.held, self._as_it_is = self._examine_hosts()

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

    def found_in(self, host: int, position: str, item: int) -> list[Finding]:
        """Return the findings of an item in the window of a host before anything is planted."""
        return self._as_it_is.get((self.text(host, position), item), [])

    def text(self, host: int, position: str) -> str:
        """Return the window of a host as it is, with nothing planted."""
        return "".join(self.window(host, position))

    def room(self, item: int, text: str) -> float:
        """Return the share of an item's benchmark that a text has room for, by words, in [0, 1]."""
        of = self.plan.patterns.benchmark
        words = int(self.question_words[of == of[item]].sum())
        return min(1.0, len(word_hashes(text)) / max(1, words))

    def _examine_hosts(self) -> tuple[set[int], dict[tuple[str, int], list[Finding]]]:
        """Scan the hosts as they are, each window once, however many positions share it.

        Returns the items that are found in any, and by window and item what is found.
        """
        windows = dict.fromkeys(
            self.text(host, position) for host in range(len(self.hosts)) for position in POSITIONS
        )
        held: set[int] = set()
        found: dict[tuple[str, int], list[Finding]] = {}
        for texts in batches(windows, len):
            items, findings = found_as_they_are(texts, self.plan, self.marks)
            held |= items
            for finding in findings:
                found.setdefault((texts[finding.document], finding.item), []).append(finding)
        return held, found


def choose_hosts(hosts: Sequence[str], extent: Extent, seed: int) -> list[str]:
    """Draw hosts, as many as trials; their order comes from their content."""
    by_digest = {hashlib.sha256(utf8(host)).digest(): host for host in hosts}
    ordered = [host for _, host in sorted(by_digest.items())]
    order = np.random.default_rng(seed).permutation(len(ordered)).tolist()
    drawn = (ordered[number] for number in order)
    long_enough = (h for h in drawn if len(_fillers(h, extent)) >= LEAST_HOST_WORDS)
    return list(islice(long_enough, extent.trials))


def batches(values: Iterable[Value], chars_of: Callable[[Value], int]) -> Iterator[list[Value]]:
    """Yield the values in lists of about `BATCH_CHARS` characters."""
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
