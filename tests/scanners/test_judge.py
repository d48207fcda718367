"""The rules of `scanners.judge`, each by documents that a reader can check by eye.

No question shares words with another and the background is empty, so every word weighs 14 bits: four
words are too little information (56 bits, 60 are enough), five words are enough.
"""

import random

import pytest

from scanners.judge import Status

CONTAMINATED, SUSPECT, WEAK = Status.CONTAMINATED, Status.SUSPECT, Status.WEAK


@pytest.fixture
def said(scan_documents, vocabulary):
    """Scan one document for items; gives {(item, field, leak type, status)}."""

    def say(items, *parts):
        around = [" ".join(vocabulary(9000, 9030)), " ".join(vocabulary(9100, 9130))]
        text = "\n".join([around[0], *parts, around[1]])
        found = scan_documents(items, [text]).findings
        return {(f.item, f.field, f.leak_type, Status(f.status)) for f in found}

    return say


@pytest.fixture
def text(vocabulary):
    """Made-up words [first, last) as a text."""
    return lambda first, last: " ".join(vocabulary(first, last))


# --- the question ----------------------------------------------------------------------------------


def test_a_question_alone_is_contaminated(said, make_item, text):
    item = make_item(text(0, 30), answer=text(50, 53))
    assert said([item], text(0, 30)) == {(0, "question", "question", CONTAMINATED)}


@pytest.mark.parametrize("between", ["", "Answer:", "\n\n"])
def test_a_question_with_its_short_answer_says_so(said, make_item, text, between):
    item = make_item(text(0, 30), answer=text(50, 53))
    found = said([item], text(0, 30), between, text(50, 53))
    assert found == {(0, "question", "question+answer", CONTAMINATED)}


def test_a_short_answer_counts_before_the_question_too(said, make_item, text):
    item = make_item(text(0, 30), answer=text(50, 53))
    found = said([item], text(50, 53), text(0, 30))
    assert found == {(0, "question", "question+answer", CONTAMINATED)}


@pytest.mark.parametrize("answer_first", [False, True])
def test_a_long_answer_counts_on_both_sides_and_its_own_place_takes_the_type(
    said, make_item, text, answer_first
):
    item = make_item(text(0, 30), answer=text(50, 70))
    parts = [text(0, 30), text(50, 70)]
    assert said([item], *(reversed(parts) if answer_first else parts)) == {
        (0, "question", "question+answer", CONTAMINATED),
        (0, "answer", "question+answer", WEAK),
    }


def test_an_answer_far_from_the_question_does_not_belong_to_it(said, make_item, text):
    item = make_item(text(0, 30), answer=text(50, 53))
    found = said([item], text(0, 30), text(1000, 1500), text(50, 53))
    assert found == {(0, "question", "question", CONTAMINATED)}


def test_an_answer_of_little_information_counts_where_it_is_announced_only(said, make_item, text):
    others = [
        make_item(f"{text(20_000 + 20 * n, 20_010 + 20 * n)} yes", id=str(n)) for n in range(250)
    ]
    items = [make_item(text(0, 30), answer="yes"), *others]
    assert said(items, text(0, 30), "yes") == {(0, "question", "question", CONTAMINATED)}
    announced = said(items, text(0, 30), "Answer: yes")
    assert announced == {(0, "question", "question+answer", CONTAMINATED)}


@pytest.mark.parametrize(
    ("words", "there", "status"),
    [(25, 15, CONTAMINATED), (25, 14, SUSPECT), (60, 36, CONTAMINATED), (60, 35, SUSPECT)],
)
def test_a_long_question_needs_three_fifths(said, make_item, text, words, there, status):
    found = said([make_item(text(0, words))], text(0, there))
    assert found == {(0, "question", "question", status)}


@pytest.mark.parametrize(
    ("words", "there", "status"),
    [(8, 8, CONTAMINATED), (8, 7, SUSPECT), (16, 13, CONTAMINATED), (16, 12, SUSPECT)],
)
def test_a_short_question_needs_more(said, make_item, text, words, there, status):
    # 0.9 at 8 words, 0.6 at 25: 0.76 at 16, between 12 and 13 of 16 words
    found = said([make_item(text(0, words))], text(0, there))
    assert found == {(0, "question", "question", status)}


def test_two_fifths_of_a_question_are_suspect_and_less_is_nothing(said, make_item, text):
    item = make_item(text(0, 30))
    assert said([item], text(0, 12)) == {(0, "question", "question", SUSPECT)}
    assert said([item], text(0, 11)) == set()


def test_a_run_of_13_words_of_a_long_question_is_recorded_and_the_item_stays_clean(
    said, make_item, text
):
    assert said([make_item(text(0, 100))], text(40, 53)) == {(0, "question", "question", WEAK)}


def test_every_tenth_word_replaced_is_still_contaminated(said, make_item, vocabulary, text):
    words = [word if at % 10 else f"kub{at}" for at, word in enumerate(vocabulary(0, 50))]
    found = said([make_item(text(0, 50))], " ".join(words))
    assert found == {(0, "question", "question", CONTAMINATED)}


def test_the_words_in_another_order_are_nothing(said, make_item, vocabulary):
    words = vocabulary(0, 40)
    item = make_item(" ".join(words))
    random.Random(0).shuffle(words)
    assert said([item], " ".join(words)) == set()


def test_the_words_with_others_between_them_are_nothing(said, make_item, vocabulary, text):
    item = make_item(text(0, 40))
    others = vocabulary(500, 540)
    scattered = " ".join(f"{word} {o}" for word, o in zip(vocabulary(0, 40), others, strict=True))
    assert said([item], scattered) == set()


# --- several items, several places ----------------------------------------------------------------


def test_halves_of_two_items_make_no_leak_of_either(said, make_item, text):
    items = [make_item(text(0, 40), id="a"), make_item(text(100, 140), id="b")]
    assert said(items, text(0, 20), text(120, 140)) == {
        (0, "question", "question", SUSPECT),
        (1, "question", "question", SUSPECT),
    }


def test_two_scattered_halves_of_one_item_are_not_added_up(said, make_item, text):
    found = said([make_item(text(0, 40))], text(0, 20), text(2000, 2600), text(20, 40))
    assert found == {(0, "question", "question", SUSPECT)}


def test_an_item_twice_in_a_document_has_two_places(scan_documents, make_item, text):
    question = text(0, 30)
    document = f"{question}\n{text(500, 560)}\n{question}"
    findings = scan_documents([make_item(question)], [document]).findings
    assert [(f.doc_start, f.doc_end, f.status) for f in findings] == [
        (0, len(question), CONTAMINATED),
        (len(document) - len(question), len(document), CONTAMINATED),
    ]


def test_overlapping_items_are_both_found_where_they_are(scan_documents, make_item, text):
    items = [make_item(text(0, 30), id="a"), make_item(text(15, 45), id="b")]
    document = text(0, 45)
    findings = scan_documents(items, [document]).findings
    assert {(f.item, f.doc_start, f.doc_end, f.status) for f in findings} == {
        (0, 0, len(text(0, 30)), CONTAMINATED),
        (1, len(text(0, 15)) + 1, len(document), CONTAMINATED),
    }


def test_two_items_with_one_question_are_both_found(said, make_item, text):
    items = [make_item(text(0, 30), id="a"), make_item(text(0, 30), id="b", answer=text(50, 53))]
    assert said(items, text(0, 30), text(50, 53)) == {
        (0, "question", "question", CONTAMINATED),
        (1, "question", "question+answer", CONTAMINATED),
    }


# --- numbers and asks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "numbers", [("7", "41", "9"), ("seven", "forty", "nine")], ids=["digits", "in words"]
)
def test_other_numbers_make_a_template(said, make_item, text, numbers):
    story = f"{text(0, 10)} {{}} {text(10, 20)} {{}} {text(20, 30)} {{}} {text(30, 40)}"
    item = make_item(story.format("3", "12", "5"))
    assert said([item], story.format(*numbers)) == {(0, "question", "template", SUSPECT)}
    assert said([item], story.format("3", "12", "5")) == {(0, "question", "question", CONTAMINATED)}


def test_a_question_without_its_ask_is_the_passage_that_it_quotes(said, make_item, text):
    item = make_item(f"{text(0, 40)}. {text(40, 50)}?")
    assert said([item], text(0, 40)) == {(0, "question", "passage", SUSPECT)}
    assert said([item], text(0, 50)) == {(0, "question", "question", CONTAMINATED)}


# --- answers, choices and passages alone ----------------------------------------------------------


def test_a_short_answer_alone_is_nothing(said, make_item, text):
    assert said([make_item(text(0, 30), answer=text(50, 53))], text(50, 53)) == set()


def test_a_long_free_answer_alone_is_contaminated(said, make_item, text):
    item = make_item(text(0, 30), answer=text(50, 80))
    assert said([item], text(50, 80)) == {(0, "answer", "answer", CONTAMINATED)}


def test_an_answer_alone_has_to_be_whole(said, make_item, text):
    item = make_item(text(0, 30), answer=text(50, 80))
    assert said([item], text(50, 76)) == {(0, "answer", "answer", SUSPECT)}


def test_an_answer_with_another_number_is_not_the_answer(said, make_item, text):
    answer = f"{text(50, 70)} {{}} {text(70, 90)}"
    item = make_item(text(0, 30), answer=answer.format(12))
    assert said([item], answer.format(12)) == {(0, "answer", "answer", CONTAMINATED)}
    assert said([item], answer.format(13)) == {(0, "answer", "answer", SUSPECT)}


def test_an_answer_that_is_one_of_the_choices_is_at_most_suspect(said, make_item, text):
    choices = [text(100, 120), text(120, 140)]
    item = make_item(text(0, 30), answer=choices[1], choices=choices)
    assert said([item], choices[1]) == {(0, "answer", "answer", SUSPECT)}


def test_choices_alone_are_at_most_suspect(said, make_item, text):
    choices = [text(100, 120), text(120, 140), text(140, 160)]
    item = make_item(text(0, 30), choices=choices)
    assert said([item], *choices) == {(0, "choices", "answer", SUSPECT)}


def test_short_choices_alone_are_nothing(said, make_item, text):
    choices = [text(100, 103), text(103, 106), text(106, 109), text(109, 112)]
    item = make_item(text(0, 30), choices=choices, answer=choices[0])
    assert said([item], *choices) == set()


def test_a_passage_alone_is_at_most_suspect(said, make_item, text):
    item = make_item(text(0, 30), passage=text(100, 160))
    assert said([item], text(100, 160)) == {(0, "passage", "passage", SUSPECT)}


def test_a_passage_beside_its_question_takes_the_type_of_the_question(said, make_item, text):
    item = make_item(text(0, 30), passage=text(100, 160))
    assert said([item], text(100, 160), text(0, 30)) == {
        (0, "question", "question", CONTAMINATED),
        (0, "passage", "question", WEAK),
    }


# --- short questions and multiple choice ----------------------------------------------------------


@pytest.fixture
def quiz(make_item, text):
    """A question of four words (no seed, 56 bits) with four choices of two words."""
    choices = [text(100 + 2 * n, 102 + 2 * n) for n in range(4)]
    return make_item(text(0, 4), choices=choices, answer=choices[1])


def lettered(choices):
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", choices, strict=True))


def test_a_short_question_without_its_choices_is_nothing(said, quiz):
    assert said([quiz], quiz.question) == set()


def test_a_short_question_with_its_choices_is_contaminated(said, quiz):
    assert said([quiz], quiz.question, lettered(quiz.choices)) == {
        (0, "question", "question", CONTAMINATED)
    }
    assert said([quiz], quiz.question, *quiz.choices) == {(0, "question", "question", CONTAMINATED)}


def test_the_choices_of_a_short_question_without_it_are_nothing(said, quiz):
    assert said([quiz], lettered(quiz.choices)) == set()
    assert said([quiz], *quiz.choices) == set()


@pytest.mark.parametrize("line", ["Answer: B", "The correct answer is (B).", "ANSWER B"])
def test_an_announced_letter_is_the_answer(said, quiz, line):
    assert said([quiz], quiz.question, lettered(quiz.choices), line) == {
        (0, "question", "question+answer", CONTAMINATED)
    }


@pytest.mark.parametrize("line", ["Answer: C", "Answer:", "B"])
def test_another_letter_or_one_that_nothing_announces_is_not(said, quiz, line):
    assert said([quiz], quiz.question, lettered(quiz.choices), line) == {
        (0, "question", "question", CONTAMINATED)
    }


def test_the_answer_among_listed_choices_says_nothing_and_once_more_says_it(said, make_item, text):
    choices = [text(100 + 2 * n, 102 + 2 * n) for n in range(4)]
    item = make_item(text(0, 30), choices=choices, answer=choices[1])
    assert said([item], text(0, 30), lettered(choices)) == {
        (0, "question", "question", CONTAMINATED)
    }
    assert said([item], text(0, 30), lettered(choices), choices[1]) == {
        (0, "question", "question+answer", CONTAMINATED)
    }


def test_a_short_question_with_its_answer_is_contaminated(said, make_item, text):
    item = make_item(text(0, 4), answer=text(50, 53))
    assert said([item], text(0, 4), text(50, 53)) == {
        (0, "question", "question+answer", CONTAMINATED)
    }


def test_listed_choices_count_as_length_of_a_short_question(said, make_item, text):
    # 9 of 10 words: 0.9 of the weight, 0.86 are needed for 10 words; 7 of 10 only with the choices
    choices = [text(100 + 4 * n, 104 + 4 * n) for n in range(4)]
    item = make_item(text(0, 10), choices=choices, answer=choices[1])
    assert said([item], text(0, 7)) == {(0, "question", "question", SUSPECT)}
    assert said([item], text(0, 7), lettered(choices)) == {
        (0, "question", "question", CONTAMINATED)
    }
