"""Token ids are the library's, for tokenizers of many kinds, all trained here on a little text."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from corpora import token_counter
from corpora.problems import CorpusError
from corpora.token_counter import TokenCounter
from corpora.token_encoders import Cut, PiecesEncoder, make_encoder
from corpora.token_proof import KINDS, RARER_KINDS, excerpts
from corpora.tokenizer import load_tokenizer

CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEXTS = [
    "It's what we've said: they'll see the 1234567 numbers, and don't mind.",
    "def area(r):\n    # the area\n    return 3.14159 * r ** 2\n\n\nprint(area(12))\r\n",
    "Das Mädchen fährt über die Straße nach Köln. Où est l'été naïf ?",
    "中文没有空格，日本語テキストもそうです。 한국어 텍스트 हिन्दी में العربية עברית",
    "  leading,   inner    and trailing spaces   ",
    "https://example.org/a_b?c=d&e=f#g <b>bold</b> \\frac{1}{2} $x^2$ ©®™ 👍🏽 👩‍👩‍👧",
    "e\u0301 decomposed a\u0323\u0301, \u1112\u1161\u11ab and か\u3099",
    "the cat sat on the mat and the other cat sat on the other mat",
    "", " ", "\n", "x", "\x00 a\x00b \x00", "<|end|>", "a<|end|> b <|end|><|end|>c", "aaaa" * 200,
]  # fmt: skip
ALPHABET = pre_tokenizers.ByteLevel.alphabet()


def byte_level(*before, use_regex=False, **options):
    """A byte-level BPE that splits by patterns or pre-tokenizers and then, maybe, as GPT-2 does."""
    made = Library(models.BPE(**options))
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    splits = [
        pre_tokenizers.Split(Regex(one), "isolated") if isinstance(one, str) else one
        for one in before
    ]
    made.pre_tokenizer = pre_tokenizers.Sequence([*splits, last]) if splits else last
    return trained(made, trainers.BpeTrainer, initial_alphabet=ALPHABET)


def trained(made, trainer, vocab_size=700, special=(), **options):
    options |= {"vocab_size": vocab_size, "special_tokens": list(special), "show_progress": False}
    made.train_from_iterator(TEXTS, trainer(**options))
    return made


def with_normalizer(made, *parts):
    made.normalizer = normalizers.Sequence(list(parts)) if len(parts) != 1 else parts[0]
    return made


def with_tokens(made, *tokens):
    made.add_tokens(list(tokens))
    return made


PREPEND = {"type": "Prepend", "prepend": "▁"}
REPLACE = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
LLAMA_2 = {"normalizer": {"type": "Sequence", "normalizers": [PREPEND, REPLACE]}}
GEMMA = {
    "normalizer": REPLACE,
    "pre_tokenizer": {
        "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
        "invert": False,
    },
}  # fmt: skip


def metaspace(prepend_scheme, *, split):
    return {
        "pre_tokenizer": {
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": prepend_scheme,
            "split": split,
        }
    }  # fmt: skip


def sentence_piece(parts, *tokens, crossing=False, byte_fallback=True):
    """A BPE over characters that writes spaces as ▁, with the given normalizer and pre-tokenizer.

    Where it is `crossing`, merges were learnt across words.
    """
    made = Library(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=byte_fallback))
    if not crossing:
        made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.normalizer = normalizers.Replace(" ", "▁")
    bytes_and_unknown = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=900, show_progress=False, special_tokens=bytes_and_unknown, limit_alphabet=60
    )
    made.train_from_iterator(TEXTS, trainer)
    described = json.loads(made.to_str()) | {"normalizer": None, "pre_tokenizer": None} | parts
    described["added_tokens"] = []
    made = Library.from_str(json.dumps(described))
    return with_tokens(made, AddedToken("<|end|>", special=True, normalized=False), *tokens)


def word_piece():
    made = Library(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made = trained(made, trainers.WordPieceTrainer, special=["[UNK]"])
    return with_tokens(made, AddedToken("[MASK]", lstrip=True, normalized=False))


def unigram(split):
    made = Library(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace(split=split)
    return trained(made, trainers.UnigramTrainer, vocab_size=300, unk_token="<unk>")


def ignoring_merges():
    """A tokenizer with words in its vocabulary that no merge makes."""
    made = byte_level(CL100K, ignore_merges=True)
    described = json.loads(made.to_str())
    size = len(described["model"]["vocab"])
    for number, word in enumerate(["Ġnumbers", "3.14159", "123", "été", "Ġthe", "qqqqqqqqqq"]):
        described["model"]["vocab"].setdefault(word, size + number)
    return Library.from_str(json.dumps(described))


def with_merge_lost():
    """A vocabulary without a byte that UTF-8 has: it is not of the usual kind."""
    described = json.loads(byte_level(use_regex=True).to_str())
    del described["model"]["vocab"]["Ã"]
    described["model"]["merges"] = [
        merge for merge in described["model"]["merges"] if "Ã" not in "".join(merge)
    ]
    return Library.from_str(json.dumps(described))


SPACES = [AddedToken(" " * size, normalized=True) for size in range(2, 9)]
MAKERS = {
    "gpt2": (Cut.PIECES, lambda: byte_level(use_regex=True)),
    "cl100k": (Cut.PIECES, lambda: byte_level(CL100K)),
    "cl100k, the rest dropped": (
        Cut.PIECES,
        lambda: byte_level(pre_tokenizers.Split(Regex(r"\p{L}+|\s+"), "removed", invert=True)),
    ),
    "deepseek": (
        Cut.PIECES,
        lambda: byte_level(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", r" ?\p{L}+|\s+(?!\S)|\s+"),
    ),
    "starcoder": (Cut.PIECES, lambda: byte_level(pre_tokenizers.Digits(True), use_regex=True)),
    "digits together": (Cut.PIECES, lambda: byte_level(pre_tokenizers.Digits(), use_regex=True)),
    "a word as a pattern": (
        Cut.PIECES,
        lambda: byte_level(pre_tokenizers.Split("the (", "isolated"), use_regex=True),
    ),
    "llama3": (Cut.PIECES, ignoring_merges),
    "qwen2": (Cut.PIECES, lambda: with_normalizer(byte_level(CL100K), normalizers.NFC())),
    "gpt-neox": (
        Cut.PIECES,
        lambda: with_tokens(
            with_normalizer(byte_level(use_regex=True), normalizers.NFC()),
            *SPACES,
            AddedToken("<|end|>", special=True),
        ),
    ),
    "tokens that strip, and one with a space": (
        Cut.PIECES,
        lambda: with_tokens(
            byte_level(use_regex=True),
            AddedToken("<|end|>", special=True),
            AddedToken("<mask>", lstrip=True, rstrip=True),
            AddedToken("cat sat", normalized=False),
            AddedToken("the cat", normalized=True),
            AddedToken("he", single_word=True),
        ),
    ),
    "no digits of their own, a possessive pattern": (
        Cut.SPACES,
        lambda: byte_level(r"\p{L}++| ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"),
    ),
    "a space before the text": (
        Cut.SPACES,
        lambda: retouched(byte_level(use_regex=True), "pre_tokenizer", add_prefix_space=True),
    ),
    "a byte is missing": (Cut.SPACES, with_merge_lost),
    "lower case": (
        Cut.SPACES,
        lambda: with_tokens(
            with_normalizer(byte_level(use_regex=True), normalizers.Lowercase()),
            AddedToken("MAT", normalized=True),
        ),
    ),
    "lower case, a token across words": (
        Cut.WHOLE,
        lambda: with_tokens(
            with_normalizer(byte_level(use_regex=True), normalizers.Lowercase()),
            AddedToken("cat sat", normalized=True),
        ),
    ),
    "stripped text": (
        Cut.WHOLE,
        lambda: with_normalizer(byte_level(use_regex=True), normalizers.Strip()),
    ),
    "bert": (Cut.SPACES, word_piece),
    "t5": (Cut.SPACES, lambda: unigram(split=True)),
    "unigram over whole texts": (Cut.WHOLE, lambda: unigram(split=False)),
    "llama-2": (Cut.PIECES, lambda: sentence_piece(LLAMA_2)),
    "llama-2, not legacy": (
        Cut.PIECES,
        lambda: sentence_piece(metaspace("first", split=False)),
    ),
    "metaspace at each word": (
        Cut.PIECES,
        lambda: sentence_piece(metaspace("always", split=True)),
    ),
    "metaspace, merges across words": (
        Cut.WHOLE,
        lambda: sentence_piece(metaspace("never", split=False), crossing=True),
    ),
    "gemma": (
        Cut.PIECES,
        lambda: sentence_piece(
            GEMMA,
            *(AddedToken(content, normalized=False) for content in ("\n\n", "\n", "▁▁", "<b>")),
            AddedToken("<mask>", lstrip=True, normalized=False),
        ),
    ),
    "gemma, a token sought in normalised text": (
        Cut.WHOLE,
        lambda: sentence_piece(GEMMA, AddedToken("cat▁", normalized=True)),
    ),
    "llama-2 without bytes": (Cut.SPACES, lambda: sentence_piece(LLAMA_2, byte_fallback=False)),
    "merges across words": (Cut.WHOLE, lambda: sentence_piece(LLAMA_2, crossing=True)),
}


def retouched(made, part, **changes):
    described = json.loads(made.to_str())
    described[part] |= changes
    return Library.from_str(json.dumps(described))


@pytest.fixture(scope="session")
def tokenizers(tmp_path_factory):
    """Every tokenizer: {name: (the cut it should get, Tokenizer)}."""
    folder = tmp_path_factory.mktemp("tokenizers")
    loaded = {}
    for name, (cut, make) in MAKERS.items():
        file = folder / f"{name}.json"
        make().save(str(file))
        loaded[name] = cut, load_tokenizer(file)
    return loaded


def as_arrays(texts):
    raw = [text.encode() for text in texts]
    return np.frombuffer(b"".join(raw), np.uint8), np.cumsum([0, *map(len, raw)])


def as_lists(ids, ends):
    assert ids.dtype == np.uint32
    assert ends.dtype == np.int64
    return [ids[start:end].tolist() for start, end in pairwise(ends)]


kinds = st.one_of(
    st.sampled_from([*KINDS, *RARER_KINDS]),
    st.sampled_from(
        [
            "the ",
            "cat sat",
            "<|end|>",
            "<mask>",
            "[MASK]",
            " he ",
            "    ",
            "MAT",
            "123",
            "▁",
            "\n\n",
            " ▁ ",
        ]
    ),
    st.characters(exclude_categories=["Cs"]),
)
awkward = st.lists(kinds, max_size=30).map("".join)


@pytest.mark.parametrize("name", MAKERS)
def test_each_tokenizer_gets_the_finest_cut_that_holds(tokenizers, name):
    cut, tokenizer = tokenizers[name]
    assert TokenCounter(tokenizer).cut == cut


@pytest.mark.parametrize("name", MAKERS)
def test_ids_are_those_of_the_library(tokenizers, name):
    _, tokenizer = tokenizers[name]
    texts = [*TEXTS, "".join(TEXTS), *reversed(TEXTS)]
    assert as_lists(*TokenCounter(tokenizer).tokens(*as_arrays(texts))) == tokenizer.encode(texts)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(MAKERS)), st.lists(awkward, max_size=5))
def test_ids_of_awkward_texts_are_those_of_the_library(tokenizers, name, texts):
    cut, tokenizer = tokenizers[name]
    ids = make_encoder(tokenizer, cut).encode(*as_arrays(texts))  # without a proof to fall back on
    assert as_lists(*ids) == tokenizer.encode(texts)


@pytest.mark.parametrize("name", ["gpt-neox", "qwen2", "bert", "llama-2", "stripped text"])
def test_batches_order_and_what_came_before_change_nothing(tokenizers, name):
    _, tokenizer = tokenizers[name]
    counter = TokenCounter(tokenizer)
    together = as_lists(*counter.tokens(*as_arrays(TEXTS)))
    alone = [as_lists(*counter.tokens(*as_arrays([text])))[0] for text in reversed(TEXTS)]
    assert alone == together[::-1]


@pytest.mark.parametrize("name", ["cl100k", "gpt-neox", "t5", "unigram over whole texts"])
def test_a_slice_of_an_arrow_array_is_read_in_place(tokenizers, name):
    _, tokenizer = tokenizers[name]
    column = pa.array(TEXTS, pa.large_string())
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int64)[5:11]
    ids = TokenCounter(tokenizer).tokens(np.frombuffer(data, np.uint8), bounds)
    assert as_lists(*ids) == tokenizer.encode(TEXTS[5:10])


def test_threads_share_a_tokenizer(tokenizers):
    _, tokenizer = tokenizers["gpt-neox"]
    texts = [f"{text} {number}" for number in range(50) for text in TEXTS]
    expected = tokenizer.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: TokenCounter(tokenizer).tokens(*as_arrays(texts)), range(8))
        assert all(as_lists(*ids) == expected for ids in found)


@pytest.mark.parametrize("name", ["gpt2", "bert", "stripped text"])
def test_no_documents_and_empty_documents_have_no_ids(tokenizers, name):
    counter = TokenCounter(tokenizers[name][1])
    assert as_lists(*counter.tokens(*as_arrays([]))) == []
    assert as_lists(*counter.tokens(*as_arrays(["", ""]))) == [[], []]


@pytest.mark.parametrize("name", ["gpt2", "llama-2"])
def test_one_huge_word_takes_bounded_time(tokenizers, name):
    _, tokenizer = tokenizers[name]
    letters = np.random.default_rng(1).choice(list("theca"), 300_000)
    texts = ["".join(letters.tolist()), "a" * 300_000, "é" * 100_000]
    assert as_lists(*TokenCounter(tokenizer).tokens(*as_arrays(texts))) == tokenizer.encode(texts)


def test_words_of_languages_without_spaces_are_cut_where_no_token_reaches(tmp_path):
    random = np.random.default_rng(3)
    few, many = "中文字本日語ㄱéüñжщ😀𠮷", [chr(point) for point in range(0x4E00, 0x5200)]

    def words(n, longest):
        letters = random.choice([*few * 40, *many], (n, longest))
        return [
            "".join(row[:size])
            for row, size in zip(letters, random.integers(1, longest, n), strict=True)
        ]

    made = Library(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=900, initial_alphabet=ALPHABET, show_progress=False)
    made.train_from_iterator(words(3000, 9), trainer)
    made.save(str(tmp_path / "tokenizer.json"))
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.native.recipe.joins.byte_pairs.any()  # tokens with parts of characters
    texts = [" ".join(words(20, 80)) for _ in range(100)]
    ids = make_encoder(tokenizer, Cut.PIECES).encode(*as_arrays(texts))
    assert as_lists(*ids) == tokenizer.encode(texts)


def test_a_full_cache_starts_anew_and_changes_nothing(tokenizers):
    _, tokenizer = tokenizers["gpt2"]
    counter = TokenCounter(tokenizer)
    before = as_lists(*counter.tokens(*as_arrays(TEXTS)))
    words = np.random.default_rng(2).choice(list("abcdefghijklmnop"), (1_200_000, 9))
    many = np.concatenate([words, np.full((len(words), 1), " ")], axis=1)
    flood = "".join(many.ravel().tolist()).encode()
    data, bounds = np.frombuffer(flood, np.uint8), np.array([0, 5_000_000, len(flood)])
    ids, _ = counter.tokens(data, bounds)
    halves = [
        make_encoder(tokenizer, Cut.PIECES).encode(data, bounds[at : at + 2]) for at in (0, 1)
    ]
    np.testing.assert_array_equal(ids, np.concatenate([half for half, _ in halves]))
    assert as_lists(*counter.tokens(*as_arrays(TEXTS))) == before


def test_what_a_sample_disproves_is_done_again_more_coarsely(tokenizers, monkeypatch):
    """As if the pattern were not understood after all: one id is wrong."""
    _, tokenizer = tokenizers["cl100k"]
    right = PiecesEncoder.encode

    def wrong(encoder, data, bounds):
        ids, ends = right(encoder, data, bounds)
        return np.where(ids == ids.max(initial=0), ids - 1, ids), ends

    counter = TokenCounter(tokenizer)
    monkeypatch.setattr(PiecesEncoder, "encode", wrong)
    assert as_lists(*counter.tokens(*as_arrays(TEXTS))) == tokenizer.encode(TEXTS)
    assert (counter.fell_back, counter.cut) == (True, Cut.SPACES)
    counter.tokens(*as_arrays(TEXTS))
    assert counter.fell_back
    counter.begin_shard()
    assert (counter.fell_back, counter.cut) == (False, Cut.PIECES)


def test_a_counter_falls_to_whole_documents_at_last(tokenizers, monkeypatch):
    _, tokenizer = tokenizers["bert"]
    monkeypatch.setattr(token_counter, "agrees", lambda *arguments: False)
    counter = TokenCounter(tokenizer)
    assert as_lists(*counter.tokens(*as_arrays(TEXTS))) == tokenizer.encode(TEXTS)
    assert counter.cut == Cut.WHOLE


def test_a_text_that_the_library_refuses_ends_the_run_in_one_line(tmp_path):
    made = Library(models.WordPiece({"a": 0}, unk_token="[UNK]"))
    made.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CorpusError, match=r"tokenizer\.json: cannot encode a text: .*\[UNK\]"):
        TokenCounter(load_tokenizer(tmp_path)).tokens(*as_arrays(["b"]))


def test_a_cut_can_be_asked_for(tokenizers):
    assert TokenCounter(tokenizers["gpt2"][1], Cut.WHOLE).cut == Cut.WHOLE
    with pytest.raises(ValueError, match="no recipe: its model is WordPiece"):
        TokenCounter(tokenizers["bert"][1], Cut.PIECES)


@given(st.lists(st.text("aé中😀 ", max_size=3000), max_size=6), st.integers(0, 3))
@settings(deadline=None, max_examples=50)
def test_excerpts_are_valid_text_of_the_documents(texts, first):
    data, bounds = as_arrays(texts)
    bounds = bounds[min(first, len(texts)) :]
    sample, sample_bounds = excerpts(data, bounds, Cut.SPACES)
    assert len(sample_bounds) == 1 + (bounds[-1] > bounds[0])
    for start, end in pairwise(sample_bounds):
        assert 0 < end - start <= 1024
        assert any(bytes(sample[start:end]).decode() in text for text in texts)
