"""Calibration batteries in the index store: what was measured once is not measured again.

A battery is a function of the program, the items, what was asked of it and the documents that it plants into. It lies in the store under the hash of all of them; the documents are told by the shard of
the store and the row, so nothing of the corpus is read to find it. One that did not pass is played again each
time, and so is one with the embedding scanner, which rests on more than this hash tells.

Each has a version of its own that names it; the last few stay.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numba
import numpy as np

from corpora.normal_form import fingerprint
from corpora.problems import ReadLog
from corpora.shards import Columns, Compression, Format, Shard
from indexes.store import DamagedError, Recipe, Store, StoreError, VersionShard
from pipelines.calibration import Calibration, Rate
from pipelines.index import BATTERIES
from pipelines.shard_step import ScanPlan
from pipelines.stored_versions import drop_shard, write_beside
from scanners.examine import NGRAM

BATTERY_FILE: Final = "battery.json"
NAME_PREFIX: Final = "calibration-"
KEPT: Final = 8
SOURCES: Final = ("corpora", "indexes", "pipelines", "reports", "scanners")
TABLES: Final = (".json", ".jsonl", ".npy", ".npz")  # of data that the program comes with
RECIPE: Final = Recipe(normal_form=fingerprint(), fingerprints=f"{BATTERIES}1")


@dataclass(frozen=True, slots=True)
class StoredBattery:
    """The place of a battery in a store."""

    store: Store
    entry: VersionShard
    hosts: int  # documents that it plants into
    tool_version: str

    def load(self) -> Calibration | None:
        """Return what was measured; None where it was not, or the record of it is damaged."""
        if not self.store.has(self.entry.key):
            return None
        try:
            record = self.store.record(self.entry.key)
            data = self.store.open_file(record, BATTERY_FILE, checked=True).to_pybytes()
            return _calibration(json.loads(data))
        except (DamagedError, ValueError, TypeError, KeyError):
            with suppress(OSError):
                drop_shard(self.store, self.entry.key)
            return None

    def save(self, battery: Calibration, hosts: int) -> None:
        """Keep a battery that passed and had all of its documents, `hosts` of them.

        A store that may only be read is left as it is.
        """
        if not battery.passed or hosts != self.hosts:
            return
        name = NAME_PREFIX + self.entry.key
        parameters = self.entry.parameters(RECIPE)
        with suppress(OSError, StoreError), self.store.building():
            with self.store.write_shard(parameters, self.entry.digest) as writer:
                writer.write(BATTERY_FILE, json.dumps(asdict(battery)).encode())
                writer.finish(ReadLog())
            write_beside(self.store, name, RECIPE, self.tool_version, [self.entry])
            files = sorted(self.store.folder.children("versions"), key=lambda file: -file.modified)
            own = [file.base for file in files if file.base.startswith(NAME_PREFIX)]
            for old in own[KEPT:]:
                self.store.drop_version(old.removesuffix(".json"))


def stored_battery(
    store: Store,
    plan: ScanPlan,
    hosts: Iterable[tuple[str, int]],
    asked: Sequence[str],
    tool_version: str,
) -> StoredBattery | None:
    """Return where the battery of a plan is kept; None where its inputs cannot be told in full.

    Args:
        store: Where.
        plan: What is measured.
        hosts: Key and row of each document that is planted into.
        asked: What else decides: its size, the digest of paraphrases.
        tool_version: Of the program.
    """
    if plan.scanners != (NGRAM,):
        return None
    drawn = sorted([key, row] for key, row in hosts)
    inputs = {
        "program": _program(),
        "tool": tool_version,
        "asked": list(asked),
        "reasons": hashlib.sha256("\n".join(plan.reasons).encode()).hexdigest(),
        "benchmarks": [_digest_of_items(plan, number) for number in range(len(plan.benchmarks))],
        "hosts": drawn,
    }
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    stand_in = Shard("calibration", Format.TEXT, Compression.NONE, Columns(), None, 0)
    entry = VersionShard.of(stand_in, RECIPE, digest)
    return StoredBattery(store, entry, len(drawn), tool_version)


def _digest_of_items(plan: ScanPlan, number: int) -> str:
    benchmark = plan.benchmarks[number]
    fields = [[i.id, i.question, i.answer, i.passage, i.choices] for i in benchmark.items]
    return hashlib.sha256(json.dumps([benchmark.name, fields]).encode()).hexdigest()


@cache
def _program() -> str:
    """Return the hash of all sources and tables of the program, and of what compiles them."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(f"{sys.version} {np.__version__} {numba.__version__}".encode())
    for folder in SOURCES:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix == ".py" or path.suffix in TABLES:
                name = path.relative_to(root).as_posix()
                digest.update(f"{name} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()


def _calibration(stored: dict[str, Any]) -> Calibration:
    rates = tuple(Rate(**rate) for rate in stored.pop("rates"))
    return Calibration(rates=rates, **(stored | {"reasons": tuple(stored["reasons"])}))
