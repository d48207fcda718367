"""The static model: a vector for each piece of a word; a text's vector is the sum over its words.

What ships with the package was distilled from all-MiniLM-L6-v2 by `tools/build_static_table.py`; its
vectors have the background's mean subtracted and its frequency weights multiplied in, so that sums
need nothing more. A folder of the `model2vec` format with a WordPiece tokenizer is read, too, with
numpy alone (its vectors as they are: weighted already, the mean of its pieces subtracted).

Vectors are whole numbers (16 bits): sums of them are exact, in any order and over any length.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from corpora.normal_form import fingerprint
from indexes.embeddings.pieces import Pieces, enter_pieces

DATA: Final = Path(__file__).with_name("data")
RECORD, TABLE = "static.json", "static.npz"
REBUILD: Final = "build it with: python tools/build_static_table.py --debs FOLDER"
LARGEST: Final = 4096  # of a piece's numbers: eight such pieces fit in the 16 bits of a word
LANES: Final = 64  # dimensions are filled up with zeros to a multiple, for kernels
MOST_HEADER_BYTES: Final = 1 << 24
TYPES: Final = {"F32": np.float32, "F16": np.float16, "I8": np.int8}


class StaticModelError(ValueError):
    """A static model is missing, damaged or of a kind that is not read; `path` is the file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path


@dataclass(frozen=True, slots=True)
class StaticCard:
    """What a static model is; two with equal fingerprints give equal vectors."""

    name: str
    licence: str
    sha256: str  # of the file of vectors
    dimension: int  # as the model has it, without filling
    normal_form: str

    @property
    def fingerprint(self) -> str:
        """Return the name of the vectors."""
        text = f"{self.sha256} {self.dimension} {self.normal_form}"
        return f"static-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, eq=False)
class StaticModel:
    """A vector for every piece. Arrays are read-only."""

    card: StaticCard
    pieces: Pieces
    vectors: np.ndarray  # int16 (pieces, filled dimension)
    step: float  # what one unit of `vectors` stands for


@cache
def load_static(path: Path | None = None) -> StaticModel:
    """Load the model that ships with the package, or one of a folder.

    A folder holds `static.npz` with `static.json` (ours) or `model.safetensors` with `tokenizer.json`
    (model2vec).

    Raises:
        StaticModelError: where a file is damaged, of another normal form, or of a kind that is not
            read.
        OSError: where one cannot be read.
    """
    folder = DATA if path is None else path
    if (folder / RECORD).exists():
        return _read_ours(folder)
    if (folder / "tokenizer.json").exists():
        return _read_model2vec(folder)
    raise StaticModelError(
        folder, f"has neither {RECORD} nor tokenizer.json, so it is no static model"
    )


def _read_ours(folder: Path) -> StaticModel:
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    path = folder / TABLE
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != record["sha256"]:
        raise StaticModelError(
            path, f"is damaged: SHA-256 {digest!r}, recorded {record['sha256']!r}; {REBUILD}"
        )
    if record["normal_form"] != fingerprint():
        raise StaticModelError(
            path,
            f"was made for normal form {record['normal_form']!r}, this is {fingerprint()!r}; {REBUILD}",
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        vocabulary = arrays["pieces"].tobytes().decode().split("\n")
        vectors = arrays["vectors"].astype(np.float32) * arrays["scales"][:, None]
    card = StaticCard(
        record["name"], record["licence"], digest, vectors.shape[1], record["normal_form"]
    )
    return _model(card, vocabulary, vectors)


def _read_model2vec(folder: Path) -> StaticModel:
    """Read a folder of the model2vec format; only WordPiece is cut up in kernels."""
    path = folder / "tokenizer.json"
    data = path.read_bytes()
    tokenizer = json.loads(data)
    model = tokenizer.get("model", {})
    if model.get("type") != "WordPiece" or not isinstance(model.get("vocab"), dict):
        raise StaticModelError(
            path, f"is of kind {model.get('type')!r}; of static models WordPiece ones are read"
        )
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    tensors = _safetensors(weights, content)
    vectors = tensors.get("embeddings")
    vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
    rows = np.array([model["vocab"][piece] for piece in vocabulary], np.int64)
    if vectors is None or vectors.ndim != 2 or len(vectors) <= rows.max(initial=0):
        raise StaticModelError(weights, "has no table `embeddings` with a row for each piece")
    table = vectors[rows].astype(np.float32)
    if "weights" in tensors:
        table *= tensors["weights"][rows, None].astype(np.float32)
    table -= table.mean(axis=0)
    digest = hashlib.sha256(content + data).hexdigest()
    card = StaticCard(folder.name, "as its folder says", digest, table.shape[1], fingerprint())
    return _model(card, vocabulary, table)


def _safetensors(path: Path, content: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a safetensors file (its format is a JSON header and plain numbers).

    Raises:
        StaticModelError: where it is cut short or holds numbers of another type.
    """
    size = int.from_bytes(content[:8], "little")
    if size > min(MOST_HEADER_BYTES, len(content) - 8):
        raise StaticModelError(path, "is no safetensors file, or cut short")
    header: dict[str, Any] = json.loads(content[8 : 8 + size])
    header.pop("__metadata__", None)
    found = {}
    for name, entry in header.items():
        if entry["dtype"] not in TYPES:
            continue
        first, last = entry["data_offsets"]
        if 8 + size + last > len(content):
            raise StaticModelError(path, "is cut short")
        numbers = np.frombuffer(content[8 + size + first : 8 + size + last], TYPES[entry["dtype"]])
        found[name] = numbers.reshape(entry["shape"])
    return found


def _model(card: StaticCard, vocabulary: list[str], vectors: np.ndarray) -> StaticModel:
    """Turn vectors (float32) into whole numbers and fill up their dimensions."""
    step = max(float(np.abs(vectors).max(initial=0.0)), 1e-12) / LARGEST
    filled = np.zeros((len(vectors), -(-vectors.shape[1] // LANES) * LANES), np.int16)
    filled[:, : vectors.shape[1]] = np.rint(vectors / np.float32(step))
    filled.setflags(write=False)
    return StaticModel(card, enter_pieces(vocabulary), filled, step)
