"""The kernel against the definition, on random Unicode."""

import unicodedata

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from corpora import normal_form, spelling
from corpora.reference_form import reference_words

UNICODE_14 = unicodedata.unidata_version == "14.0.0"
assigned = st.characters(exclude_categories=["Cs", "Cn"], max_codepoint=0x32FFF)
tricky = st.sampled_from(
    "aAzZ09 _-'.,\t\n\u200b\u00ad\u202eéÉ\u0301\u0327\u0345\u0308ﬁ½①ßẞİıſ"
    "аеоВвнНαΑνΝ学校がか\u3099ｱﾞไทยนี้한글\u1112\u1161\u11ab𝔸𝟗Ａｂ９\ufdfa🙂\u200d\ufe0fक्षि\u034f"
)
texts = st.one_of(
    st.text(tricky, max_size=60),
    st.text(assigned, max_size=30),
    st.text(st.characters(max_codepoint=127), max_size=80),
    st.text(st.sampled_from("abcXYZ 019é"), max_size=80),
)


def hash_of(word: str) -> int:
    """The documented word hash, in plain Python."""
    data = word.encode()
    mask = (1 << 64) - 1
    h = int(spelling.BASIS)
    for at in range(0, len(data) // 8 * 8, 8):
        h = (h ^ int.from_bytes(data[at : at + 8], "little")) * int(spelling.MULTIPLIER) & mask
        h ^= h >> 32
    h = (h ^ int.from_bytes(data[len(data) // 8 * 8 :], "little")) & mask
    h = h * int(spelling.MULTIPLIER) & mask
    h ^= h >> 32
    h = h * int(spelling.FINISHER) & mask
    return (h ^ h >> 29) & ~1 | ("0" <= word[0] <= "9")


@given(texts)
@settings(max_examples=600, deadline=None)
def test_kernel_agrees_with_the_definition(text: str) -> None:
    if not UNICODE_14 and any(unicodedata.ucd_3_2_0.category(c) == "Cn" for c in text):
        return  # a newer Python knows characters that the frozen table does not
    expected = reference_words(text)
    found = normal_form.words(text)
    places = [(s, e) for _, s, e in expected]
    assert list(zip(found.starts.tolist(), found.ends.tolist(), strict=True)) == places
    assert found.hashes.tolist() == [hash_of(word) for word, _, _ in expected]
    assert normal_form.word_hashes(text).tolist() == found.hashes.tolist()


@given(texts, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@settings(max_examples=300, deadline=None)
def test_equivalent_spellings_give_the_same_words(text: str, form: str) -> None:
    other = unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert normal_form.word_hashes(text).tolist() == normal_form.word_hashes(other).tolist()


@given(texts)
@example("0\u0301\u034f\u0e49")  # an ignored character between marks of another order
@settings(max_examples=300, deadline=None)
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    # U+0345 is a mark that folds to a letter; after a Thai or Han character that letter would be a
    # word of its own the second time.
    assume("\u0345" not in text)
    words = [word for word, _, _ in reference_words(text)]
    assert [word for word, _, _ in reference_words(" ".join(words))] == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD", "hello world"),
        ("a\u200bb so\u00adft \u202eright", "ab soft right"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("thе саt", "the cat"),  # Cyrillic letters among Latin ones, and a word of nothing else
        ("что это", "что это"),
        ("学校 へ", "学 校 へ"),
        ("snake_case x^2", "snake case x 2"),
        ("l'été 1,000", "l e\u0301te\u0301 1 000"),
    ],
)
def test_words_of_known_texts(text: str, words: str) -> None:
    assert [word for word, _, _ in reference_words(text)] == words.split()


@pytest.mark.parametrize("size", range(1, 40))
def test_word_lengths_and_buffer_ends_agree(size: int) -> None:
    for tail in ("", " ", "é", " é", "." * 9):
        text = "x" * size + tail
        assert normal_form.word_hashes(text).tolist() == normal_form.words(text).hashes.tolist()


def test_every_character_fits_the_promised_room() -> None:
    worst = 0.0
    table = normal_form.table()
    for code_point in [*range(0xD800), *range(0xE000, 0x110000)]:
        entry = int(table.entries[int(table.page_of[code_point >> 8]) << 8 | code_point & 255])
        if 1 < entry & 255 < spelling.SELF_SPELLED:
            size = len(chr(code_point).encode())
            worst = max(worst, len(normal_form.words(chr(code_point)).hashes) / size)
    assert worst <= 2


def test_fingerprint_names_version_and_table() -> None:
    assert normal_form.fingerprint().startswith("nf3-")
    assert np.array_equal(normal_form.table().page_of, normal_form.table.__wrapped__().page_of)
