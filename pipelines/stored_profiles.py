"""Profiles of shards in the index store, each made once: by `index build`, or by who compares versions.

They lie beside the indexes of shards, under the hash of the shard's content and of what was asked: the
unit, the normal form, who gives documents their domains. A version of profiles has a manifest of its own,
so `index list`, `verify` and `prune` work as for indexes; it names the sums of its profiles, too
(`pipelines.stored_sums`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from corpora.character_kinds import kinds_fingerprint
from corpora.line_offsets import FileScan
from corpora.normal_form import fingerprint
from corpora.problems import Problem, ReadLog
from corpora.shards import Columns, Shard, resolve
from indexes.profile import Profile, ProfileError, empty_profile, from_bytes, to_bytes
from indexes.store import DamagedError, Recipe, ShardWriter, Store, StoreError, VersionShard
from pipelines.index import PROFILES, refuse_store_within
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress, Tell
from pipelines.profile_step import ProfileStep, warm_up
from pipelines.shard_builder import MOST_WAIT_S, Counts, ShardBuilder
from pipelines.stored_sums import StoredSums, is_sum
from pipelines.stored_versions import beside_name, drop_shard, log_so_far, write_beside

SCHEME: Final = f"{PROFILES}1"  # raised when the same documents give another profile
PROFILE_FILE: Final = "profile.arrow"
NAME_PREFIX: Final = "profile-"


@dataclass(frozen=True, slots=True)
class StoredProfiles:
    """The shards of a version in a store; one that could not be read has a problem instead."""

    store: Store
    entries: dict[str, VersionShard]
    problems: dict[str, Problem]
    rebuild: Callable[[Shard], Problem | None]
    unit: str
    sums: StoredSums
    built: Built

    def total(
        self, shards: Sequence[Shard], jobs: int
    ) -> tuple[Profile, dict[str, tuple[ReadLog, str | None]]]:
        """Return the sum of the profiles of some shards, and each one's log and digest by its path.

        Damage is built anew. What cannot be read has a problem in its log and no digest.
        """
        readable = [shard for shard in shards if shard.path not in self.problems]
        by_key = {self.entries[shard.path].key: shard for shard in readable}

        def load(key: str, tell: Tell) -> Profile | None:
            profile = self._profile(by_key[key])
            tell(0, 0)
            return profile

        profile = empty_profile(self.unit)
        if readable:
            self.sums.load = load
            profile = self.sums.total([self.entries[s.path].key for s in readable], jobs)
        return profile, {shard.path: self._log(shard) for shard in shards}

    def _profile(self, shard: Shard) -> Profile | None:
        """Return the profile of a shard; None where it is damaged and cannot be read any more."""
        try:
            return self._read(self.entries[shard.path])
        except (DamagedError, ProfileError):
            problem = self.rebuild(shard)
            if problem is not None:
                self.problems[shard.path] = problem
                return None
            return self._read(self.entries[shard.path])

    def _read(self, entry: VersionShard) -> Profile:
        record = self.store.record(entry.key)
        return from_bytes(self.store.open_file(record, PROFILE_FILE, checked=True))

    def _log(self, shard: Shard) -> tuple[ReadLog, str | None]:
        problem = self.problems.get(shard.path)
        if problem is None:
            entry = self.entries[shard.path]
            return self.store.record(entry.key).read.read_log(entry.path), entry.digest
        log = ReadLog()
        log.add(problem)
        return log, None


def recipe_of(step: ProfileStep) -> Recipe:
    """Return what tells profiles of this step from others: the unit, and who gives domains."""
    parts = (SCHEME, step.unit, kinds_fingerprint(), step.domains.source.identity)
    return Recipe(normal_form=fingerprint(), fingerprints=" ".join(part for part in parts if part))


def is_kept(step: ProfileStep) -> bool:
    """Tell whether a store keeps such profiles: not where domains depend on the paths of shards."""
    return not step.domains.source.looks_at_paths


def profile_shards(
    shards: Sequence[Shard],
    where: str,
    step: ProfileStep,
    *,
    jobs: int = 1,
    most_wait_s: float = MOST_WAIT_S,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Make the profiles that a store lacks of some shards; `build_profiles` then writes the manifest of them all.

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


def build_profiles(
    corpus: Sequence[str],
    where: str,
    settings: IndexSettings,
    step: ProfileStep,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Make the profiles that a store lacks of a corpus, and write the manifest of the version of profiles.

    Of the settings, `keep_text` and `name` do not bear on profiles; those of the step must be ones that are
    kept (`is_kept`).

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column, or has too many domains.
        StoreError: where there is something else at `where`, or it lies within the corpus.
        OSError: where the store cannot be written, with nothing half-written.
    """
    assert is_kept(step), "domains do not depend on the paths of shards"
    started = time.monotonic()
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    progress(Progress("loading kernels"))
    warm_up()
    with stored_profiles(
        corpus, shards, where, step,
        jobs=settings.jobs, verify=settings.verify, tool_version=tool_version, stage="profiling",
        progress=progress,
    ) as stored:  # fmt: skip
        built = stored.built
    built.seconds = round(time.monotonic() - started, 3)
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
    verify: bool = False,
) -> Iterator[StoredProfiles]:
    """Make the profiles that a store lacks, and give their sum; nobody prunes meanwhile.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where there is something else at `where`.
        OSError: where the store cannot be written, with nothing half-written.
    """
    refuse_store_within(corpus, shards, where)
    store = Store.open(where, create=True)
    built = Built(where, shards=len(shards), mended=list(store.mended))
    with store.building() as lease:
        maker = _Maker(step, stage)
        settings = IndexSettings(jobs=jobs, verify=verify)
        builder = ShardBuilder(maker, store, settings, built, progress, lease.refresh)
        entries = builder.run(shards)
        sums = StoredSums(store, maker.recipe, NAME_PREFIX, step.unit)
        own = [entries[shard.path] for shard in shards if shard.path in entries]
        name = beside_name(NAME_PREFIX, corpus, own)
        is_whole = bool(shards) and not built.problems
        if is_whole:
            sums.named = _sums_of(store, name)
            built.manifest = write_beside(
                store, name, maker.recipe, tool_version, [*own, *sums.named.values()]
            )
        known = set(sums.named)

        def rebuild(shard: Shard) -> Problem | None:
            drop_shard(store, entries[shard.path].key)
            builder.run([shard])
            return next((p for p in built.problems if p.shard == shard.path), None)

        problems = {problem.shard: problem for problem in built.problems}
        yield StoredProfiles(store, entries, problems, rebuild, step.unit, sums, built)
        if is_whole and set(sums.named) != known:
            write_beside(store, name, maker.recipe, tool_version, [*own, *sums.named.values()])


def _sums_of(store: Store, name: str) -> dict[str, VersionShard]:
    """Return the sums that a version of this name has; one that is damaged or not there has none."""
    with suppress(StoreError):
        entries = {entry.key: entry for entry in store.version(name).shards if is_sum(entry)}
        return {key: entry for key, entry in entries.items() if store.has(key)}
    return {}


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
        profile, [log] = self.step.profile([shard], log_so_far(tell))
        writer.write(PROFILE_FILE, to_bytes(profile))
        counts: Counts = {name: int(profile.total(name)) for name in ("words", "tokens")}
        return log, counts
