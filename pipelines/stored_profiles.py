"""Profiles of shards in the index store, each made once.

They lie beside the indexes of shards, under the hash of the shard's content and of what was asked: the
unit, the normal form, who gives documents their domains. A version of profiles has a manifest of its own,
so `index list`, `verify` and `prune` work as for indexes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from corpora.character_kinds import kinds_fingerprint
from corpora.line_offsets import FileScan
from corpora.normal_form import fingerprint
from corpora.problems import Problem, ReadLog
from corpora.shards import Shard
from indexes.profile import Profile, ProfileError, empty_profile, from_bytes, to_bytes
from indexes.store import (
    DamagedError,
    Manifest,
    Recipe,
    ShardWriter,
    Store,
    VersionShard,
    version_name,
)
from pipelines.index import (
    MOST_WAIT_S,
    PROFILES,
    Built,
    Counts,
    IndexSettings,
    ShardBuilder,
    refuse_store_within,
)
from pipelines.mapping import Progress, Tell
from pipelines.profile_step import ProfileStep

SCHEME: Final = f"{PROFILES}1"  # raised when the same documents give another profile
PROFILE_FILE: Final = "profile.arrow"
NAME_PREFIX: Final = "profile-"
MOST_NAME_CHARS: Final = 100


@dataclass(frozen=True, slots=True)
class StoredProfiles:
    """The shards of a version in a store; one that could not be read has a problem instead."""

    store: Store
    entries: dict[str, VersionShard]
    problems: dict[str, Problem]
    rebuild: Callable[[Shard], Problem | None]
    unit: str

    def load(self, shard: Shard, tell: Tell) -> tuple[ReadLog, Profile, str | None]:
        """Return what was read of a shard, its profile and its digest; damage is built anew."""
        problem = self.problems.get(shard.path)
        if problem is None:
            entry = self.entries[shard.path]
            try:
                log, profile = self._read(entry)
            except (DamagedError, ProfileError):
                problem = self.rebuild(shard)
                if problem is None:
                    log, profile = self._read(entry)
        if problem is not None:
            log, profile = ReadLog(), empty_profile(self.unit)
            log.add(problem)
            return log, profile, None
        tell(log.documents, log.bytes)
        return log, profile, entry.digest

    def _read(self, entry: VersionShard) -> tuple[ReadLog, Profile]:
        record = self.store.record(entry.key)
        data = self.store.open_file(record, PROFILE_FILE, checked=True)
        return record.read.read_log(entry.path), from_bytes(data)


def recipe_of(step: ProfileStep) -> Recipe:
    """Return what tells profiles of this step from others: the unit, and who gives domains."""
    parts = (SCHEME, step.unit, kinds_fingerprint(), step.domains.source.identity)
    return Recipe(normal_form=fingerprint(), fingerprints=" ".join(part for part in parts if part))


def is_kept(step: ProfileStep) -> bool:
    """Tell whether a store keeps such profiles: not where domains depend on the paths of shards."""
    return not step.domains.source.looks_at_paths


def build_profiles(
    shards: Sequence[Shard],
    where: str,
    step: ProfileStep,
    *,
    jobs: int = 1,
    most_wait_s: float = MOST_WAIT_S,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Make the profiles that a store lacks of some shards; `stored_profiles` writes the manifest of them all.

    `most_wait_s`: for a shard that another builder is at, then it is done here, too.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where there is something else at `where`.
        OSError: where the store cannot be written, with nothing half-written.
    """
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        ShardBuilder(
            _Maker(step, "profiling"),
            store,
            IndexSettings(jobs=jobs),
            built,
            progress,
            lease.refresh,
            most_wait_s,
        ).run(shards)
    return built


@contextmanager
def stored_profiles(
    corpus: Sequence[str],
    shards: Sequence[Shard],
    where: str,
    step: ProfileStep,
    *,
    jobs: int,
    tool_version: str,
    stage: str,
    progress: Callable[[Progress], None],
) -> Iterator[StoredProfiles]:
    """Make the profiles that a store lacks, and give all of them; nobody prunes meanwhile.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where there is something else at `where`.
        OSError: where the store cannot be written, with nothing half-written.
    """
    refuse_store_within(corpus, shards, where)
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards))
    with store.building() as lease:
        maker = _Maker(step, stage)
        builder = ShardBuilder(
            maker, store, IndexSettings(jobs=jobs), built, progress, lease.refresh
        )
        entries = builder.run(shards)
        if not built.problems and shards:
            own = tuple(entries[shard.path] for shard in shards)
            name = (NAME_PREFIX + version_name(corpus, own))[-MOST_NAME_CHARS:]
            now = datetime.now(UTC)
            store.write_version(
                Manifest(
                    name=name, created=now, tool_version=tool_version, recipe=maker.recipe, shards=own
                )
            )  # fmt: skip

        def rebuild(shard: Shard) -> Problem | None:
            with store.lease(entries[shard.path].key):
                store.drop(entries[shard.path].key)
            builder.run([shard])
            return next((p for p in built.problems if p.shard == shard.path), None)

        problems = {problem.shard: problem for problem in built.problems}
        yield StoredProfiles(store, entries, problems, rebuild, step.unit)


class _Maker:
    """Makes the profile of a shard for the store."""

    def __init__(self, step: ProfileStep, stage: str) -> None:
        self.stage = stage
        self.step = step
        self.recipe = recipe_of(step)

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Write the profile."""
        del scan
        so_far = ReadLog()

        def note(documents: int, size_bytes: int) -> None:
            so_far.documents += documents
            so_far.bytes += size_bytes
            tell(so_far)

        profile, [log] = self.step.profile([shard], note)
        writer.write(PROFILE_FILE, to_bytes(profile))
        counts: Counts = {name: int(profile.total(name)) for name in ("words", "tokens")}
        return log, counts
