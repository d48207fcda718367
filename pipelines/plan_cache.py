"""What a check prepares from benchmarks, kept between runs: patterns, their index and their queries.

Sorting the seeds of GSM8K, MMLU and HumanEval takes longer than looking them up in a store of 2 GB of text.
A file in the user's cache holds the arrays as they are, under the hash of the items, of the sources that
make arrays of them and of the background; it is mapped, and read through once for its checksum. A file that
is damaged, or of another program, is made again; one that cannot be written is done without. The last few
are kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
import os
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from corpora.benchmarks import Benchmark
from indexes.blocks import fold_blocks
from indexes.lookup import Queries
from indexes.ngram import GramTable, NgramIndex
from pipelines.files import write_whole
from scanners.fields import FieldTable
from scanners.patterns import Owners, Patterns, ShortFields

MAGIC: Final = b"SLUICEPL"
HEADER: Final = struct.Struct("<8sQ32s")  # magic, bytes of the description, SHA-256 of what follows
ALIGNMENT: Final = 4096  # of the arrays, and of the file
WORDS: Final = ALIGNMENT // 8
KEPT_PLANS: Final = 4
LEAST_WORDS: Final = 50_000  # of patterns: fewer are prepared as fast as read
MOST_BYTES: Final = 1 << 30  # of a file
SOURCES: Final = ("corpora", "indexes", "scanners")  # what makes the arrays


class Prepared(NamedTuple):
    """What a check through a store looks for."""

    patterns: Patterns
    queries: Queries


TYPES: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (
        FieldTable,
        GramTable,
        NgramIndex,
        Owners,
        Patterns,
        Prepared,
        Queries,
        ShortFields,
    )
}


class _BadPlanError(ValueError):
    """A file is not what was written."""


def prepared(benchmarks: Sequence[Benchmark], prepare: Callable[[], Prepared]) -> Prepared:
    """Return what `prepare` makes of the items of benchmarks, or made of them in an earlier run."""
    path = cache_folder() / f"{_key(benchmarks)}.plan"
    with suppress(OSError, _BadPlanError):
        found = _load(path)
        os.utime(path)  # it was of use: others go first
        return found
    made = prepare()
    if len(made.patterns.index.words) >= LEAST_WORDS:
        with suppress(OSError):
            _save(path, made)
            _remove_old(path.parent)
    return made


def cache_folder() -> Path:
    """Return where plans are kept."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "sluicegate" / "plans"


def _key(benchmarks: Sequence[Benchmark]) -> str:
    digest = hashlib.sha256(_sources_digest())
    for benchmark in benchmarks:
        fields = [[i.id, i.question, i.answer, i.passage, i.choices] for i in benchmark.items]
        digest.update(json.dumps(fields).encode())
    return digest.hexdigest()[:32]


@cache
def _sources_digest() -> bytes:
    """Return the hash of everything but the items that has a say in the arrays."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(np.__version__.encode())
    paths = sorted(path for name in SOURCES for path in (root / name).glob("*.py"))
    for path in [*paths, root / "indexes" / "data" / "background.json"]:
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)} ".encode() + data)
    return digest.digest()


def _save(path: Path, made: Prepared) -> None:
    arrays: list[np.ndarray] = []
    tree = _described(made, arrays)
    if sum(array.nbytes for array in arrays) > MOST_BYTES:
        return
    table = [[array.dtype.str, array.shape] for array in arrays]
    described = json.dumps({"tree": tree, "arrays": table}).encode()
    body = [_padded(described, HEADER.size), *(_padded(array.tobytes()) for array in arrays)]
    head = HEADER.pack(MAGIC, len(described), _digest(body))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: [file.write(part) for part in [head, *body]])


def _load(path: Path) -> Prepared:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < HEADER.size:
            raise _BadPlanError
        # The kernels are compiled for arrays that may be written; what is written stays in this process.
        data = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
    magic, length, digest = HEADER.unpack(data[: HEADER.size])
    first = HEADER.size + length
    first += -first % ALIGNMENT
    if magic != MAGIC or size % ALIGNMENT or first > size:
        raise _BadPlanError
    view = memoryview(data)
    if _digest([view[HEADER.size : first], view[first:]]) != digest:
        raise _BadPlanError
    described = json.loads(data[HEADER.size : HEADER.size + length])
    arrays = []
    for kind, shape in described["arrays"]:
        array: np.ndarray = np.ndarray(shape, kind, data, first)
        first += array.nbytes + -array.nbytes % ALIGNMENT
        arrays.append(array)
    made = _built(described["tree"], arrays)
    assert isinstance(made, Prepared)
    return made


def _padded(data: bytes, before: int = 0) -> bytes:
    return data + b"\0" * (-(before + len(data)) % ALIGNMENT)


def _digest(body: Sequence[bytes | memoryview]) -> bytes:
    """Return the SHA-256 of the description, and of the sums of the blocks of the arrays."""
    digest = hashlib.sha256(body[0])
    for part in body[1:]:
        digest.update(fold_blocks(np.frombuffer(part, "<u8").reshape(-1, WORDS)).T.tobytes())
    return digest.digest()


def _described(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a value as JSON; its arrays go to the list."""
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"array": len(arrays) - 1}
    if isinstance(value, np.uint64):
        return {"uint64": int(value)}
    name = type(value).__name__
    if name in TYPES:
        return {
            "type": name,
            "fields": {
                key: _described(getattr(value, key), arrays) for key in _fields(TYPES[name])
            },
        }
    assert isinstance(value, tuple), value
    assert all(isinstance(text, str) for text in value), value
    return {"texts": list(value)}


def _built(tree: Any, arrays: Sequence[np.ndarray]) -> Any:
    """Return the value that a description is of."""
    if "array" in tree:
        return arrays[tree["array"]]
    if "uint64" in tree:
        return np.uint64(tree["uint64"])
    if "texts" in tree:
        return tuple(tree["texts"])
    fields = {key: _built(value, arrays) for key, value in tree["fields"].items()}
    return TYPES[tree["type"]](**fields)


def _fields(kind: Any) -> Sequence[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    names: tuple[str, ...] = kind._fields
    return names


def _remove_old(folder: Path) -> None:
    plans = sorted(folder.glob("*.plan"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in plans[KEPT_PLANS:]:
        path.unlink(missing_ok=True)
