"""The profile of a corpus version. A fold.

    plan:   list the shards, split the large ones, and put neighbours together into groups
    map:    one step per group (pipelines.profile_step): its profile; of a store one per shard
    merge:  add the profiles up, those of equal weight first, so that integers stay integers; a store keeps
            sums (pipelines.stored_sums)

Results do not depend on the number of jobs, the order of shards or the size of batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from corpora.problems import ReadLog
from corpora.shards import Columns, Shard, resolve, split
from indexes.profile import Profile, empty_profile, merge, weighted
from pipelines.domain_sources import Domains
from pipelines.drift_settings import DriftSettings
from pipelines.mapping import Progress, Tell, run_steps
from pipelines.profile_step import ProfileStep, TokenUnit, warm_up
from pipelines.profile_sums import places_by_weight, sums_by_weight
from pipelines.shard_step import file_digest
from pipelines.stored_profiles import StoredProfiles, is_kept, stored_profiles

MEASURES: Final = ("documents", "bytes", "words", "tokens")
# Stored bytes of a group: adding profiles up costs time, so groups are large; but a small corpus is cut
# into GROUPS_AT_LEAST, for threads. Groups do not depend on their number.
GROUP_BYTES: Final = 256 << 20
GROUPS_AT_LEAST: Final = 4


@dataclass(frozen=True, slots=True)
class ReadShard:
    """A shard of a version: its path, stored bytes, digest (None for a URL) and weight."""

    path: str
    stored_bytes: int
    sha256: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Version:
    """A corpus version: its profile, and what was read for it.

    `profile` has a mix's weights in it; `documents`, `bytes`, `words` and `tokens` are as they lie in the
    files. `log` tells what could not be read, by shard; `shards_unread` counts shards that were not read
    to their end.
    """

    name: str
    profile: Profile
    log: ReadLog
    shards: tuple[ReadShard, ...]
    shards_unread: int
    documents: int
    bytes: int
    words: int
    tokens: int

    @property
    def is_weighted(self) -> bool:
        """Whether documents of some sources are drawn more often than others'."""
        return any(shard.weight != 1 for shard in self.shards)

    def is_complete(self, *, skip_bad: bool = False) -> bool:
        """Tell whether everything could be read; with `skip_bad`, but for single documents."""
        return not self.shards_unread and (skip_bad or not self.log.n_problems)


def profile_version(
    corpus: Sequence[str],
    settings: DriftSettings,
    unit: TokenUnit | None = None,
    domains: Domains | None = None,
    *,
    tool_version: str = "unknown",
    stage: str = "profiling",
    progress: Callable[[Progress], None] = lambda _: None,
) -> Version:
    """Profile all documents of a corpus version.

    `unit`: the tokens to count, words where there is none. `domains`: who gives documents theirs,
    the corpus where there is nobody. With a store in the settings the profile of each shard is made
    once, and kept there; but not where domains depend on the paths of shards.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column, or has too many domains.
        StoreError: where there is something else at the store's place.
        OSError: where the store cannot be written, with nothing half-written.
    """
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    progress(Progress("loading kernels"))
    warm_up()
    step = ProfileStep(settings.batch_bytes, unit, domains)
    if settings.store is None or not is_kept(step):
        parts = [part for shard in shards for part in split(shard, settings.part_bytes)]
        done = _add_up(_grouped(parts), _fresh(step), settings.jobs, stage, progress)
        return _version(corpus, shards, done, step.unit)
    with stored_profiles(
        corpus, shards, settings.store, step,
        jobs=settings.jobs, tool_version=tool_version, stage=stage, progress=progress,
    ) as stored:  # fmt: skip
        done = _stored_sums(stored, shards, settings.jobs)
    return _version(corpus, shards, done, step.unit)


# The profile of a group; what was read of each of its parts, and the sha256 of the part's shard: None for
# URLs and later parts.
_Done = tuple[Profile, list[tuple[ReadLog, str | None]]]
_Run = Callable[[Sequence[Shard], Tell], _Done]


def _grouped(parts: Sequence[Shard]) -> list[list[Shard]]:
    """Put consecutive parts of equal weight together."""
    target = min(GROUP_BYTES, sum(part.size_bytes for part in parts) / GROUPS_AT_LEAST)
    groups: list[list[Shard]] = []
    size = 0
    for part in parts:
        size += part.size_bytes
        if not groups or size > target or groups[-1][0].weight != part.weight:
            groups.append([])
            size = part.size_bytes
        groups[-1].append(part)
    return groups


def _fresh(step: ProfileStep) -> _Run:
    """Return what profiles a group from its files."""

    def run(parts: Sequence[Shard], tell: Tell) -> _Done:
        profile, logs = step.profile(parts, tell)
        is_first = [part.part is None or part.part[0] == 0 for part in parts]
        digests = [
            file_digest(part.path) if first else None
            for part, first in zip(parts, is_first, strict=True)
        ]
        return profile, list(zip(logs, digests, strict=True))

    return run


@dataclass(frozen=True, slots=True)
class _Sums:
    """What all steps gave."""

    by_weight: list[tuple[float, Profile]]
    logs: list[ReadLog]
    digests: dict[str, str]


def _add_up(
    groups: Sequence[Sequence[Shard]],
    step: _Run,
    jobs: int,
    stage: str,
    progress: Callable[[Progress], None],
) -> _Sums:
    """Run the step for every group, in their order, and add up what they give."""
    sums = sums_by_weight([group[0].weight for group in groups])

    def run(number: int, tell: Tell) -> list[tuple[ReadLog, str | None]]:
        profile, read = step(groups[number], tell)
        sums[groups[number][0].weight].take(number, profile)
        return read

    done = run_steps(run, range(len(groups)), jobs, stage, progress)
    read = [each for own in done for each in own]
    parts = [part for group in groups for part in group]
    return _Sums(
        [(weight, sums[weight].total()) for weight in sorted(sums)],
        [log for log, _ in read],
        {part.path: own for part, (_, own) in zip(parts, read, strict=True) if own is not None},
    )


def _stored_sums(stored: StoredProfiles, shards: Sequence[Shard], jobs: int) -> _Sums:
    """Add up what a store holds, weight by weight."""
    by_weight: list[tuple[float, Profile]] = []
    read: dict[str, tuple[ReadLog, str | None]] = {}
    places = places_by_weight([shard.weight for shard in shards])
    for weight in sorted(places):
        profile, own = stored.total([shards[place] for place in places[weight]], jobs)
        by_weight.append((weight, profile))
        read |= own
    digests = {path: digest for path, (_, digest) in read.items() if digest is not None}
    return _Sums(by_weight, [read[shard.path][0] for shard in shards], digests)


def _version(corpus: Sequence[str], shards: Sequence[Shard], sums: _Sums, unit: str) -> Version:
    log = ReadLog()
    for own in sums.logs:
        log.merge(own)
    profiles = [weighted(profile, weight) for weight, profile in sums.by_weight]
    return Version(
        name=", ".join(sorted(set(corpus))),
        profile=merge(profiles) if profiles else empty_profile(unit),
        log=log,
        shards=tuple(
            ReadShard(shard.path, shard.size_bytes, sums.digests.get(shard.path), shard.weight)
            for shard in shards
        ),
        shards_unread=len({p.shard for own in sums.logs for p in own.problems if p.row is None}),
        **{
            name: int(sum(profile.total(name) for _, profile in sums.by_weight))
            for name in MEASURES
        },
    )
