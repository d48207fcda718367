"""Sentences and their languages: where they end, what they are in, how long they are."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.character_kinds import character_kinds
from pipelines.shard_step import text_buffers
from scanners.languages import NO_LANGUAGE, common_words, sentences_of

SCRIPTS = character_kinds().scripts
OTHER_LATIN = len(SCRIPTS)
TEXTS = {
    "Latin": "The ship left the harbour at dawn. It carried salt and timber to the islands of the north.",
    "Cyrillic": "Корабль вышел из гавани на рассвете. Он вёз соль и лес на северные острова.",
    "Han": "船在黎明时离开了港口。它把盐和木材运到北方的岛屿。",
    "Hiragana": "船は夜明けに港を出ました。塩と木材を北の島々へ運びました。",
    "Arabic": "غادرت السفينة الميناء عند الفجر. هل حملت الملح والخشب إلى جزر الشمال؟",
    "Devanagari": "जहाज़ भोर में बंदरगाह से निकला। वह उत्तर के द्वीपों तक नमक और लकड़ी ले गया।",
    "Thai": "เรือออกจากท่าเรือตอนรุ่งสาง มันบรรทุกเกลือและไม้ไปยังหมู่เกาะทางเหนือ",
}
GERMAN = "Das Schiff verließ den Hafen am Morgen. Es brachte Salz und Holz zu den Inseln im Norden."
FRENCH = "Le navire a quitté le port à l'aube. Il portait du sel et du bois aux îles du nord."
CODE = "for (i = 0; i < n; i++) { x[i] += y[i] * z; }\nif (!x) { return -1; }\n"


def cut(*texts):
    data, bounds = text_buffers(pa.array(texts, pa.large_string()))
    return sentences_of(data, bounds)


def language(number):
    if number == OTHER_LATIN:
        return "other Latin"
    return "none" if number == NO_LANGUAGE else SCRIPTS[number]


@pytest.mark.parametrize("name", TEXTS)
def test_sentences_end_at_the_marks_of_their_script(name):
    text = TEXTS[name]
    found = cut(text)
    assert len(found.start) == 2
    assert [language(n) for n in found.language.tolist()] == [name, name]
    parts = [text[a:b] for a, b in zip(found.first_char, found.last_char, strict=True)]
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    encoded = text.encode()
    assert parts == [encoded[a:b].decode() for a, b in zip(found.start, found.end, strict=True)]


@pytest.mark.parametrize("text", [GERMAN, FRENCH])
def test_latin_text_that_is_not_english_is_told(text):
    assert {language(n) for n in cut(text).language.tolist()} == {"other Latin"}


def test_code_has_no_language():
    assert {language(n) for n in cut(CODE).language.tolist()} == {"none"}


def test_a_short_sentence_is_in_the_language_around_it():
    found = cut("The ship left the harbour with the tide. Salt, timber! It came back to the town.")
    assert {language(n) for n in found.language.tolist()} == {"Latin"}


def test_neighbours_in_another_document_do_not_count():
    alone = cut("Salz und Holz").language.tolist()
    beside = cut(TEXTS["Latin"], "Salz und Holz", TEXTS["Latin"]).language.tolist()
    assert beside[2:3] == alone == [OTHER_LATIN]


def test_a_number_does_not_end_a_sentence():
    assert len(cut("Es kostet 2.50 oder 3,5 Euro. Das ist viel!").start) == 2


def test_long_lines_are_cut():
    found = cut("слово " * 400, "字" * 900)
    assert found.size.max() <= 490
    assert np.bincount(found.document).tolist() == [9, 6]


def test_a_translation_is_about_as_long_as_the_text():
    size = {name: cut(text).size.sum() for name, text in TEXTS.items()}
    for name, own in size.items():
        assert size["Latin"] / 1.9 < own < 1.9 * size["Latin"], name


def test_common_words_are_english_alone():
    assert 40 < len(common_words()) < 80


PIECES = [
    *TEXTS.values(),
    GERMAN,
    CODE,
    "",
    "\n",
    " . ",
    "٣٤",
    "x",
    "\U0001f600\U0001f600",
    "\u0301",
]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=4).map(" ".join), max_size=5))
def test_nothing_but_space_is_left_out_and_batches_do_not_matter(texts):
    whole = cut(*texts)
    for number, text in enumerate(texts):
        own = whole.document == number
        places = zip(whole.first_char[own], whole.last_char[own], strict=True)
        inside = np.zeros(len(text), bool)
        for first, last in places:
            assert not inside[first:last].any()
            inside[first:last] = True
        assert all(char.isspace() for char, has in zip(text, inside, strict=True) if not has)
        alone = cut(text)
        assert np.array_equal(alone.language, whole.language[own])
        assert np.array_equal(alone.size, whole.size[own])
