"""All documents of a run, gathered from the files of its steps in an order that nothing can change.

Document numbers count the baseline's documents first, then the candidate's, each by shard and row. What
each document needs in counting, 45 bytes, is in memory; its signature (512 bytes), its band keys
and its id are in files, mapped, so that memory grows slowly with the corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa

from corpora.shards import Shard
from indexes.document_links import BASELINE, CANDIDATE, band_keys
from indexes.minhash import N_PERMUTATIONS, Bands
from pipelines.signature_step import SignedPart

KEY_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents by number; n of them, the first `n_baseline` of the baseline."""

    shards: tuple[Shard, ...]  # parts, in order
    part_ends: np.ndarray  # int64 (parts,), number after the last document of each part
    versions: tuple[np.uint8, ...]  # CANDIDATE, after BASELINE where there is one
    n_baseline: int
    rows: np.ndarray  # int64 (n,), in the whole shard
    ids: pa.LargeStringArray  # mapped, nullable
    domains: tuple[str | None, ...]  # names, sorted; None first where a document has none
    domain: np.ndarray  # int32 (n,), which of the names
    bytes: np.ndarray  # int64 (n,), of text
    words: np.ndarray  # int64 (n,)
    text_hashes: np.ndarray  # uint64 (n,)
    signatures: np.ndarray  # uint32 (n, 128), mapped
    keys_path: Path  # uint64 (bands, n)

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.rows)

    def keys(self, band: int) -> np.ndarray:
        """Read the hashes of one band: uint64 (n,)."""
        n = len(self)
        return np.fromfile(self.keys_path, np.uint64, n, offset=band * n * KEY_BYTES)

    def part_of(self, documents: np.ndarray) -> np.ndarray:
        """Return the part that each document number is of: int64."""
        return np.searchsorted(self.part_ends, documents, side="right")


def gather(
    baseline: Sequence[SignedPart] | None,
    candidate: Sequence[SignedPart],
    bands: Bands,
    folder: Path,
) -> Documents:
    """Put the parts of one or two versions together in files of `folder`; their own files go.

    Raises:
        OSError: where the folder cannot be written.
    """
    parts = [*sorted(baseline or (), key=_place), *sorted(candidate, key=_place)]
    sizes = [_count(part.path) for part in parts]
    ends = np.cumsum([0, *sizes])[1:]
    n = int(ends[-1]) if parts else 0
    columns = _Columns(n)
    paths = [folder / name for name in ("signatures", "keys", "ids")]
    with ExitStack() as stack:
        signatures, keys, ids = (stack.enter_context(path.open("wb")) for path in paths)
        first = 0
        for part in parts:
            for batch in _batches(part.path):
                columns.take(batch, first)
                signed = _signatures(batch)
                signatures.write(signed.data)
                _write_keys(keys, band_keys(signed, bands), first, n)
                ids.write(columns.id_bytes(batch, first))
                first += batch.num_rows
            part.path.unlink()
    return Documents(
        shards=tuple(part.shard for part in parts),
        part_ends=ends,
        versions=(CANDIDATE,) if baseline is None else (BASELINE, CANDIDATE),
        n_baseline=sum(sizes[: len(baseline or ())]),
        rows=columns.rows,
        ids=columns.ids(paths[2]),
        domains=columns.domain_names(),
        domain=columns.domain,
        bytes=columns.bytes,
        words=columns.words,
        text_hashes=columns.text_hashes,
        signatures=_mapped(paths[0], n),
        keys_path=paths[1],
    )


class _Columns:
    """What is kept in memory of each document, filled batch by batch."""

    def __init__(self, n: int) -> None:
        self.rows, self.bytes, self.words = np.empty((3, n), np.int64)
        self.text_hashes = np.empty(n, np.uint64)
        self.domain = np.empty(n, np.int32)
        self.names: dict[str | None, int] = {}
        self.id_ends = np.zeros(n + 1, np.int64)
        self.has_id = np.zeros(n, np.bool_)

    def take(self, batch: pa.RecordBatch, first: int) -> None:
        last = first + batch.num_rows
        self.rows[first:last] = batch["row"]
        self.bytes[first:last] = batch["bytes"]
        self.words[first:last] = batch["words"]
        self.text_hashes[first:last] = batch["text_hash"]
        encoded = batch["domain"].dictionary_encode(null_encoding="encode")
        codes = [
            self.names.setdefault(name, len(self.names)) for name in encoded.dictionary.to_pylist()
        ]
        self.domain[first:last] = np.array(codes, np.int32)[encoded.indices.to_numpy()]

    def id_bytes(self, batch: pa.RecordBatch, first: int) -> pa.Buffer | bytes:
        """Note where the ids of a batch are, and return their UTF-8."""
        ids = batch["doc_id"]
        last = first + batch.num_rows
        self.has_id[first:last] = np.asarray(ids.is_valid())
        _, offsets, data = ids.buffers()
        ends = np.frombuffer(offsets, np.int64)[ids.offset : ids.offset + len(ids) + 1]
        self.id_ends[first + 1 : last + 1] = ends[1:] - ends[0] + self.id_ends[first]
        return b"" if data is None else data.slice(int(ends[0]), int(ends[-1] - ends[0]))

    def ids(self, path: Path) -> pa.LargeStringArray:
        n = len(self.rows)
        data = pa.py_buffer(b"")
        if self.id_ends[-1]:
            with pa.memory_map(str(path)) as file:
                data = file.read_buffer()
        valid = pa.py_buffer(np.packbits(self.has_id, bitorder="little"))
        return pa.LargeStringArray.from_buffers(n, pa.py_buffer(self.id_ends), data, valid)

    def domain_names(self) -> tuple[str | None, ...]:
        """Sort the names, None first, and number the documents' domains by them."""
        names = sorted(self.names, key=lambda name: (name is not None, name or ""))
        place = np.empty(len(names), np.int32)
        for new, name in enumerate(names):
            place[self.names[name]] = new
        self.domain = place[self.domain]
        return tuple(names)


def _place(part: SignedPart) -> tuple[str, tuple[int, int]]:
    return part.shard.path, part.shard.part or (0, 0)


def _count(path: Path) -> int:
    return sum(batch.num_rows for batch in _batches(path))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def _signatures(batch: pa.RecordBatch) -> np.ndarray:
    column = batch["signature"]
    data = np.frombuffer(column.buffers()[1], np.uint32)
    first = column.offset * N_PERMUTATIONS
    return data[first : first + len(column) * N_PERMUTATIONS].reshape(-1, N_PERMUTATIONS)


def _write_keys(file: BinaryIO, keys: np.ndarray, first: int, n: int) -> None:
    """Write a batch's keys so that all keys of one band stand together in the file."""
    for band, some in enumerate(keys):
        file.seek((band * n + first) * KEY_BYTES)
        file.write(some.data)


def _mapped(path: Path, n: int) -> np.ndarray:
    shape = (n, N_PERMUTATIONS)
    if n == 0:  # nothing cannot be mapped; read-only like the other, for which kernels are compiled
        return np.frombuffer(b"", np.uint32).reshape(shape)
    return np.asarray(np.memmap(path, np.uint32, "r", shape=shape))
