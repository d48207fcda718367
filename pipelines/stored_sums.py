"""Sums of stored profiles, kept beside them: gating again adds up only what is new.

A sum lies in the store under the hash of the keys that it adds up, and the manifest of a version names it as
it names its shards; so it is checked, found damaged and pruned as they are. A whole version is kept, unless
it is a kept one and a few profiles more: integers add up to the same, however they were grouped.

That ends where the rarest words are folded (`indexes.profile.merging`). There the order decides, so sums run
along a tree that the keys alone make: they are parted by their first bit, then by the second, and so on. A new
profile changes only the sums above it, and the large ones of the others are kept, too.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from corpora.problems import ReadLog
from corpora.shards import Columns, Compression, Format, Shard
from indexes.profile import MOST_WORDS, Profile, ProfileError, empty_profile, from_bytes, to_bytes
from indexes.store import DamagedError, Recipe, Store, StoreError, VersionShard
from pipelines.mapping import Tell, run_steps
from pipelines.profile_sums import ProfileSum, Tree
from pipelines.stored_versions import drop_shard

LEAST_SUMMED: Final = 8  # profiles; fewer are added up as fast as a sum is read
FEW: Final = 0.02  # of a version's profiles that may be added to a kept sum each time
MANY_WORDS: Final = MOST_WORDS // 2  # from here on the sums of parts are kept, too
LOOKED_AT: Final = 16  # versions, the newest, in which a sum to begin with is looked for
SUM_PATH: Final = "sum of {} profiles"
SUM_FILE: Final = "profile.arrow"
KEY_BITS: Final = 128

Keys = tuple[str, ...]  # of profiles, sorted; one that is there twice counts twice


@dataclass(slots=True)
class StoredSums:
    """Adds up profiles of a store; `named` are the kept sums that belong to the version.

    `load` gives the profile of a key, None where it cannot be read: then no sum is kept.
    """

    store: Store
    recipe: Recipe
    prefix: str  # of the names of versions that may have sums
    unit: str
    named: dict[str, VersionShard] = field(default_factory=dict)
    load: Callable[[str, Tell], Profile | None] = lambda *_: None
    spoilt: threading.Event = field(default_factory=threading.Event)

    def total(self, keys: Sequence[str], jobs: int) -> Profile:
        """Return the sum of the profiles of some keys, one at least."""
        wanted = tuple(sorted(keys))
        base = self._base(wanted)
        if base is not None:
            rest = tuple((Counter(wanted) - Counter(base)).elements())
            pieces = [base, *((key,) for key in rest)]
            tree: Tree = (0, _trie([(key,) for key in rest], range(1, len(pieces))))
            total = self._add(pieces, tree, jobs)
            if not total.rare_words:
                if len(rest) > FEW * len(wanted):
                    self._keep(wanted, total)
                return total
        pieces = list(self._pieces(wanted))
        return self._add(pieces, _trie(pieces, range(len(pieces))), jobs, wanted)

    def _add(
        self, pieces: Sequence[Keys], tree: Tree, jobs: int, whole: Keys | None = None
    ) -> Profile:
        """Add up pieces along a tree; where they are those of the `whole`, keep sums."""

        def keep(part: Tree, profile: Profile) -> None:
            keys = tuple(sorted(key for n in _leaves(part) for key in pieces[n]))
            if whole is not None and (keys == whole or len(profile.names) >= MANY_WORDS):
                self._keep(keys, profile)

        def run(number: int, tell: Tell) -> None:
            total.take(number, self._piece(pieces[number], tell))

        total = ProfileSum(tree, keep)
        run_steps(run, range(len(pieces)), jobs)
        return total.total()

    def _piece(self, keys: Keys, tell: Tell) -> Profile:
        """Return the profile of a key or a kept sum; a damaged sum is added up anew."""
        if len(keys) == 1:
            profile = self.load(keys[0], tell)
            if profile is None:
                self.spoilt.set()
                return empty_profile(self.unit)
            return profile
        entry = self._entry(keys)
        try:
            record = self.store.record(entry.key)
            return from_bytes(self.store.open_file(record, SUM_FILE, checked=True))
        except (DamagedError, ProfileError):
            drop_shard(self.store, entry.key)
        pieces = [(key,) for key in keys]
        return self._add(pieces, _trie(pieces, range(len(pieces))), 1, keys)

    def _pieces(self, keys: Keys, depth: int = 0) -> Iterator[Keys]:
        """Yield the keys, those of a kept sum of the tree together."""
        if len(keys) < LEAST_SUMMED or not self._has(keys):
            if len(keys) == 1:
                yield keys
                return
            for part in _parted(keys, depth):
                yield from self._pieces(part, depth + 1)
            return
        entry = self._entry(keys)
        self.named[entry.key] = entry
        yield keys

    def _base(self, wanted: Keys) -> Keys | None:
        """Return the largest kept sum of some of these keys, at least half of them and not all."""
        if len(wanted) < LEAST_SUMMED or self._has(wanted):
            return None
        bag = Counter(wanted)
        found = [keys for keys in self._kept() if len(keys) * 2 >= len(wanted)]
        fitting = [keys for keys in found if Counter(keys) <= bag]
        return max(fitting, key=lambda keys: (len(keys), keys), default=None)

    def _kept(self) -> Iterator[Keys]:
        """Yield the keys of the sums of the newest versions in which no words are folded."""
        files = sorted(self.store.folder.children("versions"), key=lambda entry: -entry.modified)
        names = [entry.base.removesuffix(".json") for entry in files]
        for name in [name for name in names if name.startswith(self.prefix)][:LOOKED_AT]:
            with suppress(StoreError):
                manifest = self.store.version(name, self.recipe)
                for entry in manifest.shards:
                    if is_sum(entry):
                        counts = self.store.record(entry.key).counts
                        members = counts["members"]
                        if isinstance(members, dict) and not counts["rare_words"]:
                            yield tuple(sorted(Counter(members).elements()))

    def _keep(self, keys: Keys, profile: Profile) -> None:
        if len(keys) < LEAST_SUMMED or self.spoilt.is_set():
            return
        entry = self._entry(keys)
        self.named[entry.key] = entry
        if not self.store.has(entry.key):
            parameters = entry.parameters(self.recipe)
            with self.store.write_shard(parameters, entry.digest) as writer:
                writer.write(SUM_FILE, to_bytes(profile))
                counts: dict[str, int | dict[str, int]] = {
                    "members": dict(Counter(keys)),
                    "rare_words": profile.rare_words,
                }
                writer.finish(ReadLog(), counts)

    def _has(self, keys: Keys) -> bool:
        return self.store.has(self._entry(keys).key)

    def _entry(self, keys: Keys) -> VersionShard:
        digest = hashlib.sha256("\n".join(keys).encode()).hexdigest()
        path = SUM_PATH.format(len(keys))
        stand_in = Shard(path, Format.TEXT, Compression.NONE, Columns(), None, 0)
        return VersionShard.of(stand_in, self.recipe, digest)


def is_sum(entry: VersionShard) -> bool:
    """Tell whether an entry of a version of profiles is a sum, not a shard."""
    return entry.path.startswith(SUM_PATH.partition("{")[0]) and not entry.size_bytes


def _trie(pieces: Sequence[Keys], numbers: Sequence[int], depth: int = 0) -> Tree:
    """Return the tree of pieces in the order of their keys; a piece lies below one node of it."""
    if len(pieces) == 1:
        return numbers[0]
    middle = bisect_left([_rank(piece[0]) for piece in pieces], _middle(pieces[0][0], depth))
    if depth >= KEY_BITS:  # the same profile several times
        middle = len(pieces) // 2
    if middle in (0, len(pieces)):
        return _trie(pieces, numbers, depth + 1)
    halves = slice(middle), slice(middle, None)
    first, second = (_trie(pieces[half], numbers[half], depth + 1) for half in halves)
    return first, second


def _parted(keys: Keys, depth: int) -> Iterator[Keys]:
    """Yield the keys without and with a bit, those that there are."""
    middle = bisect_left([_rank(key) for key in keys], _middle(keys[0], depth))
    if depth >= KEY_BITS:
        middle = len(keys) // 2
    yield from (part for part in (keys[:middle], keys[middle:]) if part)


def _rank(key: str) -> int:
    return int(key, 16)


def _middle(key: str, depth: int) -> int:
    """Return the least number whose first `depth` bits are the key's and whose next one is set."""
    left = KEY_BITS - depth - 1
    return ((_rank(key) >> (left + 1)) << (left + 1)) + (1 << left) if left >= 0 else 0


def _leaves(tree: Tree) -> Iterator[int]:
    if isinstance(tree, int):
        yield tree
    else:
        yield from _leaves(tree[0])
        yield from _leaves(tree[1])
