"""Patterns of real tokenizers, split as the library splits, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from corpora.character_classes import symbols_of
from corpora.kernels import kernel
from corpora.peek import address_of
from corpora.split_automaton import build_splitter, locate_splitter, next_piece
from corpora.split_pattern import UnknownPatternError, parse_pattern
from corpora.token_recipe import BYTE_LEVEL_PATTERN

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS = {
    "gpt2": BYTE_LEVEL_PATTERN,
    "cl100k": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + REST,
    "qwen2": CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + REST,
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{CONTRACTIONS}?|\p{{N}}{{1,3}}" + REST,
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "deepseek": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "groups": r"(?:ab|a)(?=c)|(x|y)+z{2,}|a{0,2}b",
}
letters = st.sampled_from(
    "aAsStTdlLvVeExyzbc1²٣éßſǅʰ中かกक\u0903\u0301 \n\r\t\u00a0\u3000\u2028\u0085\x00'’-_/.,|(😀\u200d\ufe0f"
)
known = st.characters(max_codepoint=0x33FFF, exclude_categories=["Cs"])
texts = st.one_of(st.text(letters, max_size=40), st.text(known, max_size=20))


@kernel
def split(data, splitter, stage, found):
    text, last, where = address_of(data), np.uint64(len(data)), locate_splitter(splitter)
    at, n = np.uint64(0), 0
    while True:
        start, end = next_piece(
            text, at, last, where, splitter.starts[stage], splitter.keeps_gaps[stage]
        )
        if start == end:
            return n
        found[n, 0], found[n, 1] = start, end
        at = end
        n += 1


def pieces(splitter, stage, text):
    data = np.frombuffer(text.encode(), np.uint8)
    found = np.zeros((len(data) + 1, 2), np.uint64)
    n = split(data, splitter, stage, found)
    return [bytes(data[start:end]).decode() for start, end in found[:n].astype(int).tolist()]


@pytest.fixture(scope="session")
def splitters():
    """One Splitter with all patterns, once keeping gaps and once dropping them."""
    programs = [parse_pattern(pattern) for pattern in PATTERNS.values()]
    return {keeps: build_splitter(programs, [keeps] * len(programs)) for keeps in (True, False)}


@settings(max_examples=300, deadline=None)  # the first example compiles
@given(text=texts, stage=st.integers(0, len(PATTERNS) - 1), keeps_gaps=st.booleans())
def test_pieces_are_those_of_the_library(splitters, text, stage, keeps_gaps):
    pattern = list(PATTERNS.values())[stage]
    behavior, invert = ("isolated", False) if keeps_gaps else ("removed", True)
    theirs = pre_tokenizers.Split(Regex(pattern), behavior, invert).pre_tokenize_str(text)

    assert pieces(splitters[keeps_gaps], stage, text) == [piece for piece, _ in theirs]


@pytest.mark.parametrize(
    "pattern",
    [
        r"\p{L}++", r"a+?", r"^a", r"a$", r"\ba", r"(?<=a)b", r"(?>a)", r"(?i)a", r"(?=ab)a", r"a\1",
        r"\x61", r"(?i:[a-z])", r"(?i:ß)", r"(?i:stop)", r"(?<name>a)", r"(a", r"[a", r"a)", r"*a",
        r"a{2,1}", r"(?:a?)*", r"[]a]", r"a{1,200}{2}", "\\", "(?#x)", "",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(pattern):
    with pytest.raises(UnknownPatternError):
        build_splitter([parse_pattern(pattern)], [True])


def test_a_pattern_that_may_match_nothing_is_refused():
    with pytest.raises(UnknownPatternError, match="empty text"):
        build_splitter([parse_pattern("a*")], [True])


def test_case_is_ignored_as_the_library_does():
    table, belongs = symbols_of(["(?i:s)", "s"])
    symbol = table.symbols[(table.page_of[0x17F >> 8].astype(int) << 8) | 0x7F]  # ſ
    assert belongs[symbol].tolist() == [True, False]
