"""The step of a profile: one shard (or part of one) in, its profile out. A pure function of the part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa

from corpora.documents import BATCH_BYTES, read_batches
from corpora.domain_source import DomainSource, Labeller
from corpora.problems import ReadLog
from corpora.shards import Shard
from indexes.profile import WORDS, Profile, ProfileBuilder, merge
from pipelines.domain_sources import Domains
from pipelines.mapping import Tell
from pipelines.shard_step import text_buffers

MOST_DOCUMENTS: Final = 1 << 15  # at a time, however short they are


class Counter(Protocol):
    """What turns texts into token ids: `corpora.token_counter.TokenCounter`, one per thread.

    `cut` tells by which rule texts are cut. It becomes coarser where a sample of a batch disproves it, and
    then the ids of earlier batches may be wrong.
    """

    @property
    def cut(self) -> object:
        """The rule."""
        ...

    def begin_shard(self) -> None:
        """Begin with the finest rule again."""
        ...

    def tokens(self, data: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the ids of all texts, uint32, and where each text ends in them, int64 (n + 1,)."""
        ...


@dataclass(frozen=True, slots=True)
class TokenUnit:
    """The tokens of a tokenizer: the unit's name, "tokens:" and a SHA-256, and how to count them."""

    name: str
    new_counter: Callable[[], Counter]


def profile_shard(
    shard: Shard,
    *,
    unit: str = WORDS,
    counter: Counter | None = None,
    label: Labeller | None = None,
    log: ReadLog | None = None,
    batch_bytes: int = BATCH_BYTES,
    tell: Tell = lambda *_: None,
) -> Profile:
    """Return the profile of a shard's documents; what was read and what could not be goes to `log`.

    Without a counter, words of the normal form are counted. `label` gives each document its domain; without,
    the corpus does.

    Raises:
        CorpusError: where the text column is missing, or there are too many domains.
    """
    log = ReadLog() if log is None else log
    if counter is None:
        builder = ProfileBuilder(unit)
        _count(shard, builder, None, label, log, batch_bytes, tell)
        return builder.finish()
    counter.begin_shard()
    own_tell = tell
    while True:
        cut, own_log, builder = counter.cut, ReadLog(), ProfileBuilder(unit)
        _count(shard, builder, counter, label, own_log, batch_bytes, own_tell)
        if counter.cut == cut:
            log.merge(own_log)
            return builder.finish()
        own_tell = lambda *_: tell(0, 0)  # noqa: E731 - the same documents count once


class ProfileStep:
    """The step with what all of them share: who gives domains, and token counters, one for each thread."""

    def __init__(
        self, batch_bytes: int, unit: TokenUnit | None = None, domains: Domains | None = None
    ) -> None:
        self.unit = WORDS if unit is None else unit.name
        self.domains = Domains(DomainSource()) if domains is None else domains
        self._batch_bytes = batch_bytes
        self._new_counter = None if unit is None else unit.new_counter
        self._idle: list[Counter] = []

    def profile(self, parts: Sequence[Shard], tell: Tell) -> tuple[Profile, list[ReadLog]]:
        """Profile shards or parts of them, one after the other, and return what was read of each.

        Words are counted in one table. For tokens each part has its own, because it may have to be done
        again; their profiles are small.
        """
        logs = [ReadLog() for _ in parts]
        label, batch_bytes = self.domains.label, self._batch_bytes
        with self._counter() as counter:
            if counter is None:
                builder = ProfileBuilder(self.unit)
                for part, log in zip(parts, logs, strict=True):
                    _count(part, builder, None, label, log, batch_bytes, tell)
                return builder.finish(), logs
            profiles = [
                profile_shard(
                    part, unit=self.unit, counter=counter, label=label, log=log,
                    batch_bytes=batch_bytes, tell=tell,
                )
                for part, log in zip(parts, logs, strict=True)
            ]  # fmt: skip
            return merge(profiles), logs

    @contextmanager
    def _counter(self) -> Iterator[Counter | None]:
        """Lend a counter that nobody uses; what it has learnt saves time on the next part."""
        if self._new_counter is None:
            yield None
            return
        try:
            counter = self._idle.pop()
        except IndexError:
            counter = self._new_counter()
        try:
            yield counter
        finally:
            self._idle.append(counter)


def warm_up() -> None:
    """Compile the kernels before threads ask for them; takes a while after an installation only."""
    data, bounds = text_buffers(pa.array(["so it goes, ça va"], pa.large_string()))
    nowhere = pa.nulls(1, pa.large_string())
    words, tokens = ProfileBuilder(), ProfileBuilder("tokens:")
    words.add(data, bounds, nowhere)
    tokens.add(data, bounds, nowhere, (np.zeros(2, np.uint32), np.array([0, 2])))
    for profile in (words.finish(), tokens.finish()):
        merge([profile, profile])


def _count(
    shard: Shard,
    builder: ProfileBuilder,
    counter: Counter | None,
    label: Labeller | None,
    log: ReadLog,
    batch_bytes: int,
    tell: Tell,
) -> None:
    for batch in read_batches(shard, log, batch_bytes=batch_bytes):
        domains = batch.domains if label is None else label(batch)
        data, bounds = text_buffers(batch.texts)
        for first in range(0, len(domains), MOST_DOCUMENTS):
            some = bounds[first : first + MOST_DOCUMENTS + 1]
            tokens = None if counter is None else counter.tokens(data, some)
            builder.add(data, some, domains.slice(first, MOST_DOCUMENTS), tokens)
            tell(len(some) - 1, int(some[-1] - some[0]))
