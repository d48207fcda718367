"""Reading a tokenizer.json: what is refused, and with which words."""

import hashlib
import json

import pytest
from tokenizers import AddedToken, models, pre_tokenizers
from tokenizers import Tokenizer as Library

from corpora.problems import CorpusError
from corpora.tokenizer import load_tokenizer


@pytest.fixture
def library():
    """A byte-level BPE of 256 bytes and two merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*letters, "Ġt", "he"])}
    made = Library(models.BPE(vocabulary, [("Ġ", "t"), ("h", "e")]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return made


@pytest.fixture
def saved(library, tmp_path):
    path = tmp_path / "tokenizer.json"
    library.save(str(path))
    return path


def test_digest_and_size_are_those_of_the_file_and_the_largest_id(saved):
    tokenizer = load_tokenizer(saved)
    assert tokenizer.digest == hashlib.sha256(saved.read_bytes()).hexdigest()
    assert tokenizer.size == 258


def test_a_folder_stands_for_the_file_in_it(saved):
    assert load_tokenizer(str(saved.parent)).digest == load_tokenizer(saved).digest


def test_tokens_are_readable(library, saved):
    library.add_tokens([AddedToken("<|end|>"), AddedToken("é Ġ", normalized=False)])
    library.save(str(saved))
    tokenizer = load_tokenizer(saved)
    assert [tokenizer.token(key) for key in (256, 257, 258, 259)] == [" t", "he", "<|end|>", "é Ġ"]
    (byte,) = tokenizer.encode(["é"])
    assert [tokenizer.token(key) for key in byte] == [r"\xc3", r"\xa9"]
    assert [tokenizer.token(key) for key in (-1, 260, 2**40)] == [
        "<id -1>",
        "<id 260>",
        "<id 1099511627776>",
    ]


def test_pieces_that_are_no_bytes_are_shown_as_they_are(tmp_path):
    made = Library(models.WordPiece({"[UNK]": 0, "Ġx": 1, "##é": 2}, unk_token="[UNK]"))
    made.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(tmp_path)
    assert [tokenizer.token(key) for key in range(3)] == ["[UNK]", "Ġx", "##é"]


def test_what_pads_cuts_off_or_varies_is_switched_off(library, saved):
    library.enable_truncation(2)
    library.enable_padding(length=8)
    library.model.dropout = 1.0
    library.save(str(saved))
    assert load_tokenizer(saved).encode([" the the"]) == [[256, 257, 256, 257]]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"none\.json: cannot be read: .*name a tokenizer\.json"):
        load_tokenizer(tmp_path / "none.json")


def test_a_folder_without_the_file_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"the folder has no tokenizer\.json; name the file"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tokenizer.json", b"\x0a\x0e\x0a", r"is not JSON: .*; name a tokenizer\.json"),
        ("spiece.model", b"\x0a\x0e\xff", r"this is a SentencePiece model; convert it with"),
        ("tokenizer.json", b"[1, 2]", r"is JSON but no tokenizer, for it has no 'model'"),
        ("config.json", b'{"model_type": "llama"}', r"is JSON but no tokenizer"),
        ("tokenizer.json", b'{"model": {"type": "BPE"}}', r"cannot be read as a tokenizer: .*;"),
        ("tokenizer.json", b'{"model": "BPE"}', r"is JSON but no tokenizer"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=words) as caught:
        load_tokenizer(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_of_an_unknown_kind_is_refused(library, saved):
    described = json.loads(library.to_str())
    described["model"]["type"] = "Morse"
    saved.write_text(json.dumps(described))
    with pytest.raises(CorpusError, match="a newer version of the package tokenizers"):
        load_tokenizer(saved)


@pytest.mark.parametrize("name", ["dolma2", "gpt-neox-olmo-dolma-v1_5"])
def test_tokenizers_of_real_models_load(shared_data, name):
    file = shared_data / "tokenizers" / f"{name}.tokenizer.json"
    if not file.is_file():
        pytest.skip(f"no tokenizer at {file}")
    tokenizer = load_tokenizer(file)
    assert tokenizer.native is not None
    (ids,) = tokenizer.encode([" the house"])
    assert [tokenizer.token(key) for key in ids] == [" the", " house"]
