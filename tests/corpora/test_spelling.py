"""The characters of words, from the kernel and from the definition, on random Unicode."""

import unicodedata

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from corpora.normal_form import hash_words, table, words
from corpora.pieces import cut_text
from corpora.reference_form import reference_words
from corpora.spelling import SELF_SPELLED, SPACE, spell_words

LETTERS_PER_BYTE, WORDS_PER_BYTE = 8, 2  # the room that spell_words asks for
PAST_END = 0xFFFFFFFF

# Letters and look-alikes, marks in and out of order, characters that spell several words (½ ㏂ ﷺ), that
# are words of their own, that are nothing at all (zero-width), and symbols.
tricky = st.sampled_from(
    "aAzZ09 _-'.,\t\n\u200b\u00ad\u202e\u2060éÉ\u0301\u0327\u0345\u0308ﬁﬃ½①ßẞİıſǅ㏂㎏⑽\ufdfa"
    "аеоВвнНЅαΑνΝϹᎪᏚ学校がか\u3099ｱﾞไทยนี้ກำ한글\u1112\u1161\u11ab𝔸𝟗Ａｂ９🙂\u200d\ufe0fक्षि\u034f"
)
assigned = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x32FFF)
texts = st.one_of(
    st.text(tricky, max_size=60),
    st.text(assigned, max_size=30),
    st.text(st.characters(max_codepoint=127), max_size=80),
    st.text(st.sampled_from("abcXYZ 019é"), max_size=80),
)


def spell(data, first=0, last=None):
    """Spell bytes as the kernel does; gives the text, the place of each word's end, and their number."""
    data = np.frombuffer(bytearray(data), np.uint8)
    last = len(data) if last is None else last
    room = LETTERS_PER_BYTE * (last - first) + 2
    letters, folded = np.full((2, room + 1), PAST_END, np.uint32)
    ends = np.full(WORDS_PER_BYTE * (last - first) + 1, -1, np.int64)
    hashes = np.empty(len(ends), np.uint64)
    n = spell_words(data, first, last, *table(), letters[:room], folded[:room], ends, hashes)
    assert n == hash_words(data, first, last, *table(), np.empty(len(ends), np.uint64))
    assert letters[room] == folded[room] == PAST_END
    if n == 0:
        return "", [], 0
    assert letters[ends[n - 1]] == SPACE
    return "".join(map(chr, letters[: ends[n - 1]].tolist())), ends[:n].tolist(), n


def known_to_the_table(text):
    """A Python newer than the frozen table knows characters that the table does not."""
    if unicodedata.unidata_version == "14.0.0":
        return True
    return all(unicodedata.ucd_3_2_0.category(char) != "Cn" for char in text)


@given(texts)
@example("\u0345a")  # a mark without a word, that folds to a letter
@example(
    "\u1fb3\u0301 \u0391\u0345x"
)  # iota subscripts, in a word that folds and in one that does not
@example("a" * 7 + "é" + "b" * 9)  # a word that leaves ASCII and comes back
@example("\u0301" * 300 + "a")
@example("a" + "\u0301\u0327" * 120)  # as many marks as wait for their order together
@settings(max_examples=800, deadline=None)
def test_the_characters_are_those_of_the_words_with_a_space_between(text):
    assume(known_to_the_table(text))
    expected = [word for word, _, _ in reference_words(text)]
    spelled, ends, n = spell(text.encode())
    assert n == len(expected)
    assert spelled == " ".join(expected)
    lengths = np.diff([-1, *ends]) - 1  # a space between
    assert lengths.tolist() == [len(word) for word in expected]
    assert n == len(words(text).hashes)


@given(texts, texts, texts)
@settings(max_examples=300, deadline=None)
def test_what_stands_before_and_after_a_piece_is_not_read(before, text, after):
    data = [part.encode() for part in (before, text, after)]
    alone = spell(data[1])
    assert spell(b"".join(data), len(data[0]), len(data[0]) + len(data[1])) == alone


@given(st.text(tricky, min_size=1, max_size=40), st.sampled_from(["", " ", "\n", "学"]))
@settings(max_examples=40, deadline=None)
def test_the_pieces_of_a_long_text_have_the_words_that_hash_words_gives_them(text, glue):
    data = ((text + glue) * (4500 // len((text + glue).encode()) + 1)).encode()
    array = np.frombuffer(bytearray(data), np.uint8)
    first = 0
    while first < len(data):
        end = cut_text(array, first, len(data), 2048)
        expected = [word for word, _, _ in reference_words(data[first:end].decode())]
        spelled, _, n = spell(data, first, end)
        assert (spelled, n) == (" ".join(expected), len(expected))
        first = end


@pytest.mark.parametrize("size", range(1, 40))
def test_words_of_every_length_end_where_their_space_stands(size):
    for tail in ("", " ", "é", " é", "." * 9, "\u0301", "学"):
        text = f"{'x' * size}{tail}"
        assert spell(text.encode())[0] == " ".join(word for word, _, _ in reference_words(text))


def test_every_character_fits_the_promised_room():
    # A text spells what its characters spell, marks in another order, and a space for each word.
    spellings, worst = table(), 0.0
    for code_point in [*range(0xD800), *range(0xE000, 0x110000)]:
        page = int(spellings.page_of[code_point >> 8])
        n_parts = int(spellings.entries[page << 8 | code_point & 255]) & 255
        if 1 < n_parts < SELF_SPELLED:
            char = chr(code_point)
            worst = max(worst, (n_parts + len(words(char).hashes)) / len(char.encode()))
    assert 1 < worst <= LETTERS_PER_BYTE
