"""Signatures of documents in the index store, each shard signed once: by `index build` or by `duplicates`.

They lie beside the indexes of shards, under the hash of the shard's content and of how it is read. A version
of signatures has a manifest of its own, so `index list`, `verify` and `prune` work as for indexes. Bands are
not stored: the threshold decides on them, and they are read off the signatures in no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from corpora.line_offsets import FileScan
from corpora.normal_form import fingerprint
from corpora.problems import Problem, ReadLog
from corpora.shards import Columns, Shard, resolve
from indexes.document_signatures import SHINGLE_WORDS
from indexes.minhash import N_PERMUTATIONS
from indexes.store import DamagedError, Recipe, ShardWriter, Store, VersionShard
from pipelines.files import write_whole
from pipelines.index import SIGNATURES, refuse_store_within
from pipelines.index_settings import Built, IndexSettings
from pipelines.mapping import Progress
from pipelines.shard_builder import Counts, ShardBuilder
from pipelines.signature_step import SignedPart, sign_part, warm_up, write_no_documents
from pipelines.stored_versions import beside_name, drop_shard, log_so_far, write_beside

SIGNATURE_FILE: Final = "signatures.arrow"
# The number is raised when the same documents give other files.
RECIPE: Final = Recipe(
    normal_form=fingerprint(),
    fingerprints=f"{SIGNATURES}1 {N_PERMUTATIONS} of {SHINGLE_WORDS} words",
)
NAME_PREFIX: Final = "signatures-"


@dataclass(slots=True)
class StoredSignatures:
    """Corpus versions whose shards a store has signed; made by `stored_signatures`."""

    where: str
    store: Store
    tool_version: str
    build: Callable[[Sequence[Shard], Built], dict[str, VersionShard]]
    problems: dict[str, Problem] = field(default_factory=dict)

    def sign(
        self, corpus: Sequence[str], shards: Sequence[Shard]
    ) -> tuple[Built, dict[str, VersionShard]]:
        """Sign what the store lacks of a version, and write its manifest where all could be read.

        Returns what was built, and the entries of the shards by their paths.
        """
        built, entries = self._run(shards)
        if shards and not built.problems:
            own = [entries[shard.path] for shard in shards]
            name = beside_name(NAME_PREFIX, corpus, own)
            built.manifest = write_beside(self.store, name, RECIPE, self.tool_version, own)
        return built, entries

    def parts(
        self, corpus: Sequence[str], shards: Sequence[Shard], folder: Path, prefix: str
    ) -> list[SignedPart]:
        """Sign what the store lacks of a version, and give the file of each shard in the folder.

        One that could not be read has a problem in its log and no documents.
        """
        _, entries = self.sign(corpus, shards)
        return [
            self._part(shard, entries.get(shard.path), folder / f"{prefix}-{number}.arrow")
            for number, shard in enumerate(shards)
        ]

    def _run(self, shards: Sequence[Shard]) -> tuple[Built, dict[str, VersionShard]]:
        built = Built(self.where, shards=len(shards))
        entries = self.build(shards, built)
        self.problems.update({problem.shard: problem for problem in built.problems})
        return built, entries

    def _part(self, shard: Shard, entry: VersionShard | None, path: Path) -> SignedPart:
        if entry is not None:
            try:
                return self._copied(shard, entry, path)
            except DamagedError:
                drop_shard(self.store, entry.key)
                entry = self._run([shard])[1].get(shard.path)
        if entry is not None:
            return self._copied(shard, entry, path)
        log = ReadLog()
        log.add(self.problems[shard.path])
        write_no_documents(path)
        return SignedPart(shard, path, log, 0, None)

    def _copied(self, shard: Shard, entry: VersionShard, path: Path) -> SignedPart:
        record = self.store.record(entry.key)
        data = self.store.open_file(record, SIGNATURE_FILE, checked=True)
        write_whole(path, lambda file: file.write(data))
        words = record.counts["words"]
        assert isinstance(words, int)
        return SignedPart(shard, path, record.read.read_log(shard.path), words, entry.digest)


def build_signatures(
    corpus: Sequence[str],
    where: str,
    settings: IndexSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Built:
    """Sign what the store lacks of a corpus, and write the manifest of the version of signatures.

    Of the settings, `keep_text` and `name` do not bear on signatures.

    Raises:
        CorpusError: where the corpus is named wrongly or lacks the text column.
        StoreError: where there is something else at `where`, or it lies within the corpus.
        OSError: where the store cannot be written, with nothing half-written.
    """
    started = time.monotonic()
    shards = resolve(corpus, Columns(settings.text, settings.id, settings.domain))
    progress(Progress("loading kernels"))
    warm_up()
    with stored_signatures(
        [(corpus, shards)], where, settings, tool_version=tool_version, progress=progress
    ) as stored:
        built, _ = stored.sign(corpus, shards)
        built.mended[:0] = stored.store.mended
    built.seconds = round(time.monotonic() - started, 3)
    return built


@contextmanager
def stored_signatures(
    versions: Sequence[tuple[Sequence[str], Sequence[Shard]]],
    where: str,
    settings: IndexSettings,
    *,
    tool_version: str,
    progress: Callable[[Progress], None],
) -> Iterator[StoredSignatures]:
    """Open or make a store for the signatures of corpus versions; nobody prunes it meanwhile.

    Of the settings, `jobs`, `verify` and `batch_bytes` bear on it.

    Raises:
        CorpusError: where a shard lacks the text column.
        StoreError: where there is something else at `where`, or it lies within a corpus.
        OSError: where the store cannot be written, with nothing half-written.
    """
    for corpus, shards in versions:
        refuse_store_within(corpus, shards, where)
    store = Store.open(where, create=True)
    with store.building() as lease:
        maker = _Maker(settings.batch_bytes)

        def build(shards: Sequence[Shard], built: Built) -> dict[str, VersionShard]:
            builder = ShardBuilder(maker, store, settings, built, progress, lease.refresh)
            return builder.run(shards)

        yield StoredSignatures(where, store, tool_version, build)


class _Maker:
    """Makes the signatures of a shard for the store."""

    stage = "signing"
    recipe = RECIPE

    def __init__(self, batch_bytes: int) -> None:
        self.batch_bytes = batch_bytes

    def make(
        self, shard: Shard, scan: FileScan, writer: ShardWriter, tell: Callable[[ReadLog], None]
    ) -> tuple[ReadLog, Counts]:
        """Write the signatures."""
        del scan
        path = writer.file(SIGNATURE_FILE)
        part = sign_part(
            shard, path, batch_bytes=self.batch_bytes, tell=log_so_far(tell), with_digest=False
        )
        return part.log, {"words": part.words}
