"""The static model: what ships, what is read from folders, what is refused."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from indexes.embeddings.bags import background_windows, load_bags
from indexes.embeddings.static import DATA, StaticModelError, load_static
from indexes.embeddings.word_vectors import ONE_LENGTH, text_vectors

VOCABULARY = ["[PAD]", "[UNK]", "apple", "pear", "##s", "tart"]


def packed(*texts):
    encoded = [text.encode() for text in texts]
    bounds = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), np.uint8), bounds


def cosines(model, *texts):
    vectors = text_vectors(*packed(*texts), model)
    return vectors @ vectors.T


def write_model2vec(folder, vectors, kind="WordPiece"):
    """A folder of the model2vec format, by the layout that safetensors documents."""
    folder.mkdir()
    words = {piece: number for number, piece in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    text = json.loads(tokenizer.to_str())
    text["model"]["type"] = kind
    (folder / "tokenizer.json").write_text(json.dumps(text))
    entry = {"dtype": "F32", "shape": vectors.shape, "data_offsets": [0, vectors.nbytes]}
    header = json.dumps({"__metadata__": {}, "embeddings": entry}).encode()
    content = len(header).to_bytes(8, "little") + header + vectors.astype("<f4").tobytes()
    (folder / "model.safetensors").write_bytes(content)
    return folder


@pytest.fixture
def fruit():
    return np.random.default_rng(3).normal(size=(len(VOCABULARY), 5)).astype(np.float32)


def test_the_shipped_model_knows_what_is_said_in_other_words():
    near, far = cosines(
        load_static(),
        "The boy purchased ten apples at the shop and ate three of them",
        "A child bought ten apples from a store, then ate three",
        "The kernel module registers an interrupt handler for the network device",
    )[0, 1:]
    assert near > 0.7
    assert far < 0.3


def test_the_shipped_model_is_small_and_says_where_it_is_from():
    model = load_static()
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 8_000_000
    assert "MiniLM" in model.card.name
    assert model.card.licence == "Apache-2.0"
    assert model.vectors.shape[1] >= model.card.dimension
    assert not model.vectors.flags.writeable


def test_general_text_has_no_direction_in_common():
    windows = background_windows(np.array([64]), load_static())[0].astype(np.float64) / ONE_LENGTH
    assert len(windows) > 1000
    assert np.linalg.norm(windows.mean(axis=0)) < 0.3  # of unit vectors: 1 where all are alike


def test_bags_are_stretches_of_equal_length():
    data, bounds = load_bags()
    words = [len(bytes(data[a:b]).split()) for a, b in pairwise(bounds.tolist())]
    assert len(words) > 100
    assert set(words) == {576}


@pytest.mark.parametrize("name", ["static.npz", "static.json"])
def test_a_damaged_table_is_refused(tmp_path, name):
    folder = tmp_path / "model"
    shutil.copytree(DATA, folder)
    if name == "static.npz":
        content = bytearray((folder / name).read_bytes())
        content[1000] ^= 1
        (folder / name).write_bytes(content)
    else:
        record = json.loads((folder / name).read_text())
        record["normal_form"] = "nf0-other"
        (folder / name).write_text(json.dumps(record))
    with pytest.raises(StaticModelError, match="build it with"):
        load_static(folder)


def test_a_folder_of_model2vec_gives_the_mean_of_its_pieces_less_that_of_all(tmp_path, fruit):
    model = load_static(write_model2vec(tmp_path / "fruit", fruit))
    assert model.card.name == "fruit"
    assert model.card.dimension == 5
    (vector,) = text_vectors(*packed("Apples; tart PEARS, unheardof"), model)
    rows = [2, 4, 5, 3, 4]
    expected = (fruit - fruit.mean(axis=0))[rows].sum(axis=0)
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=2e-3)


def test_models_that_differ_have_different_fingerprints(tmp_path, fruit):
    one = load_static(write_model2vec(tmp_path / "one", fruit))
    fruit[2, 0] += 1
    other = load_static(write_model2vec(tmp_path / "other", fruit))
    assert len({one.card.fingerprint, other.card.fingerprint, load_static().card.fingerprint}) == 3


def test_a_tokenizer_of_another_kind_is_refused(tmp_path, fruit):
    with pytest.raises(StaticModelError, match="'Unigram'"):
        load_static(write_model2vec(tmp_path / "fruit", fruit, kind="Unigram"))


def test_tensors_that_are_cut_short_are_refused(tmp_path, fruit):
    folder = write_model2vec(tmp_path / "fruit", fruit)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-4])
    with pytest.raises(StaticModelError, match="cut short"):
        load_static(folder)
    (folder / "model.safetensors").write_bytes(b"no tensors at all")
    with pytest.raises(StaticModelError, match="no safetensors"):
        load_static(folder)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(StaticModelError, match="no static model"):
        load_static(tmp_path)


def test_a_real_model2vec_folder_is_read():
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "models" / "potion-base-4m-int8"
    if not folder.is_dir():
        pytest.skip("the folder of real data is not there")
    near, far = cosines(
        load_static(folder), "a happy person", "a very happy person", "the compiler's manual"
    )[0, 1:]
    assert near > 0.8 > 0.3 > far
