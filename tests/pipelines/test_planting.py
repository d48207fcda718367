import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from corpora.benchmarks import Item
from corpora.normal_form import word_hashes
from indexes.seeds import seed_hashes
from pipelines.planting import FORMS, NULLS, Subject, planted_forms, word_texts

ROBE = Item(
    "robe",
    question="A robe takes 2 bolts of blue fiber. How many bolts of é does it take in all?",
    answer="It takes 2 bolts, and half of that.\n#### 3",
    passage="",
    choices=(),
)
CELL = Item("cell", "Which organelle makes ATP?", "The ribosome", "", ("The nucleus", "The ribosome", "The wall"))  # fmt: skip
CHINESE = Item("zh", "光合作用发生在哪里", "叶绿体", "", ("细胞核", "叶绿体"))
CODE = Item(
    "code",
    'def add(x: int, y: int):\n    """Add two numbers x and y\n    >>> add(2, 3)\n    5\n    """\n',
    "    total = x + y\n    return total\n",
    "",
    (),
)
LONG = Item("long", " ".join(f"word{number}" for number in range(40)), "", "", ())
FILLER = ("lorem", "ipsum", "dolor")
SAME_WORDS = ("two paragraphs", "upper case", "no punctuation", "other punctuation", "full-width",
              "zero-width", "Cyrillic look-alikes", "decomposed")  # fmt: skip


def planted(name, item, filler=FILLER, seed=0):
    return FORMS[name].plant(item, np.random.default_rng(seed), filler)


def null(name, own, other, seed=0):
    return NULLS[name].plant(own, other, np.random.default_rng(seed))


def test_forms_that_print_the_item_differ_in_what_they_print():
    assert planted("verbatim", CELL) == (
        "Which organelle makes ATP?\nThe nucleus\nThe ribosome\nThe wall\nThe ribosome"
    )
    assert planted("question only", CELL) == "Which organelle makes ATP?"
    assert planted("answer first", ROBE) == f"{ROBE.answer}\n{ROBE.question}"


def test_the_passage_of_an_item_is_printed_before_its_question():
    item = Item("p", "Is it so?", "yes", "The text.", ())
    assert planted("verbatim", item) == "The text.\nIs it so?\nyes"


def test_only_long_free_text_answers_are_planted_alone():
    answer = " ".join(["word"] * 20)
    assert planted("answer only", Item("a", "Why?", answer, "", ())) == answer
    assert planted("answer only", Item("a", "Why?", answer, "", (answer, "no"))) is None
    assert planted("answer only", ROBE) is None


def test_an_answer_at_a_distance_has_a_paragraph_of_the_host_before_it():
    question, between, answer = planted("answer at a distance", ROBE).split("\n\n")
    assert (question, answer) == (ROBE.question, ROBE.answer)
    assert len(between.split()) == 40
    assert set(between.split()) <= set(FILLER)


def test_two_paragraphs_break_the_question_between_two_words():
    assert planted("two paragraphs", CELL).startswith("Which organelle\n\nmakes ATP?\nThe nucleus")
    assert planted("two paragraphs", CHINESE).startswith("光合作用\n\n发生在哪里\n")


@pytest.mark.parametrize("name", SAME_WORDS)
@pytest.mark.parametrize("item", [ROBE, CELL, CODE], ids=lambda item: item.id)
def test_changes_of_characters_keep_the_words(name, item):
    copy = planted(name, item)
    if copy is None:
        assert name == "decomposed"  # ASCII has nothing to decompose
    else:
        before = planted("verbatim", item)
        assert copy != before
        assert word_hashes(copy).tolist() == word_hashes(before).tolist()


def test_changes_of_characters_are_what_their_names_say():
    item = Item("x", "Ate é, ok?", "", "", ())
    assert planted("upper case", item) == "ATE É, OK?"
    assert planted("no punctuation", item) == "Ate é  ok "
    assert planted("full-width", item) == "Ａｔｅ é， ｏｋ？"
    assert planted("zero-width", item) == "At\u200be é, ok?"
    assert planted("decomposed", item) == unicodedata.normalize("NFD", "Ate é, ok?")
    cyrillic = planted("Cyrillic look-alikes", Item("e", "e" * 50, "", "", ()))
    assert set(cyrillic) == {"e", "\N{CYRILLIC SMALL LETTER IE}"}


@pytest.mark.parametrize("seed", range(20))
def test_other_punctuation_changes_every_mark(seed):
    before = planted("verbatim", ROBE)
    copy = planted("other punctuation", ROBE, seed=seed)
    for new, old in zip(copy, before, strict=True):
        assert (new == old) == (old.isalnum() or old.isspace())
        assert new == old or new in ".,;:!?-()"


def test_upper_case_leaves_letters_that_would_not_fold_back():
    assert planted("upper case", Item("tr", "kapı aç", "", "", ())) == "KAPı AÇ"


def test_a_change_that_changes_nothing_does_not_apply():
    assert planted("upper case", CHINESE) is None
    assert planted("full-width", CHINESE) is None
    assert planted("decomposed", CELL) is None


def test_renderings_are_written_out():
    assert planted("Markdown", CELL) == (
        "### Question\n\nWhich organelle makes ATP?\n\n"
        "- The nucleus\n- The ribosome\n- The wall\n\n**Answer: B**"
    )
    item = Item("tex", "Is 5% of $20 < 2?", "", "", ("yes", "no"))
    assert planted("LaTeX", item) == (
        "\\begin{problem}\nIs $5$\\% of \\$$20$ < $2$?\n\\end{problem}\n"
        "\\begin{enumerate}\n  \\item yes\n  \\item no\n\\end{enumerate}"
    )
    assert planted("HTML", item) == (
        '<p class="question">Is 5% of $20 &lt; 2?</p>\n'
        '<ol type="A">\n<li>yes</li>\n<li>no</li>\n</ol>'
    )
    assert "**2** bolts of blue" in planted("Markdown", ROBE)


def test_lettered_choices_end_with_the_letter_of_the_answer():
    assert planted("lettered choices", CELL) == (
        "Which organelle makes ATP?\nA. The nucleus\nB. The ribosome\nC. The wall\nAnswer: B"
    )
    assert planted("lettered choices", ROBE) is None


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_choices_are_the_same_in_another_order(seed):
    question, *choices, answer = planted("shuffled choices", CELL, seed=seed).split("\n")
    assert [line[:2] for line in choices] == ["A.", "B.", "C."]
    shuffled = tuple(line[3:] for line in choices)
    assert shuffled != CELL.choices
    assert sorted(shuffled) == sorted(CELL.choices)
    assert (question, answer) == (CELL.question, "Answer: The ribosome")


def test_two_choices_are_not_shuffled():
    assert planted("shuffled choices", CHINESE) is None


@pytest.mark.parametrize("seed", range(20))
def test_swapped_numbers_all_differ_and_the_rest_stays(seed):
    item = Item("n", "Two of 7 and Three of 10 in x2?", "12", "", ())
    copy = planted("numbers swapped", item, seed=seed)
    words, before = word_texts(copy), word_texts("Two of 7 and Three of 10 in x2?\n12")
    assert [a == b for a, b in zip(words, before, strict=True)] == [
        False, True, False, True, False, True, False, True, True, False,
    ]  # fmt: skip


def test_an_item_without_numbers_has_none_swapped():
    assert planted("numbers swapped", CELL) is None


@pytest.mark.parametrize(("percent", "words"), [(5, 2), (10, 4), (20, 8)])
def test_edits_change_their_share_of_the_words(percent, words):
    before = LONG.question.split()
    replaced = planted(f"{percent}% of words replaced", LONG).split()
    assert len(replaced) == 40
    changed = [new for new, old in zip(replaced, before, strict=True) if new != old]
    assert len(changed) == words
    assert set(changed) <= set(FILLER)
    deleted = planted(f"{percent}% of words deleted", LONG).split()
    assert len(deleted) == 40 - words
    assert [word for word in before if word in set(deleted)] == deleted
    inserted = planted(f"{percent}% of words inserted", LONG).split()
    assert [word for word in inserted if word not in FILLER] == before
    assert len(inserted) == 40 + words


def test_an_edit_of_less_than_one_word_does_not_apply():
    assert planted("5% of words replaced", CELL) is None


def test_edits_know_words_of_scripts_without_spaces():
    assert len(word_texts(planted("20% of words deleted", CHINESE))) == 15  # of 9 + 3 + 3 + 3


def test_every_fourth_word_is_replaced_by_one_that_the_item_does_not_have():
    item = replace(LONG, answer="and so on", choices=("word1 word2", "and so on"))
    before = word_texts(planted("verbatim", item))
    copy = word_texts(planted("every fourth word replaced", item, filler=(*FILLER, "word7", "so")))
    assert [new != old for new, old in zip(copy, before, strict=True)] == (
        [False, False, False, True] * 12
    )
    assert set(copy[3::4]) <= set(FILLER)


@pytest.mark.parametrize("item", [LONG, ROBE, CODE], ids=lambda item: item.id)
def test_no_run_of_five_words_is_left_where_every_fourth_is_replaced(item):
    long = replace(item, question=f"{item.question} {item.question}")  # its runs, twice
    copy = planted("every fourth word replaced", long)
    if len(word_texts(long.question)) < 25:
        assert copy is None
    else:
        seeds = seed_hashes(word_hashes(planted("verbatim", long)))
        assert not np.isin(seed_hashes(word_hashes(copy)), seeds).any()


def test_questions_under_25_words_are_not_thinned():
    words = LONG.question.split()
    for n, applies in ((24, False), (25, True)):
        item = Item("q", " ".join(words[:n]), "an answer of some more words", "", ())
        assert (planted("every fourth word replaced", item) is not None) == applies


def test_without_foreign_words_nothing_is_thinned():
    assert planted("every fourth word replaced", LONG, filler=("word1", "word2")) is None
    assert planted("every fourth word replaced", LONG, filler=()) is None


def test_truncation_keeps_the_beginning():
    assert planted("truncated to 75%", LONG).split() == LONG.question.split()[:30]
    assert planted("truncated to 50%", LONG).split() == LONG.question.split()[:20]
    assert planted("truncated to 50%", CELL) is None


def test_renaming_changes_all_names_that_the_code_binds_and_no_prose():
    assert planted("renamed identifiers", CODE) == (
        'def a0(x2: int, y3: int):\n    """Add two numbers x and y\n    >>> a0(2, 3)\n    5\n'
        '    """\n\n    t1 = x2 + y3\n    return t1\n'
    )


def test_renaming_finds_code_behind_a_question_in_prose():
    item = Item("m", "Write a function to add.", "def add(a):\n    return a + 1", "", ())
    assert planted("renamed identifiers", item) == (
        "Write a function to add.\ndef a1(a0):\n    return a0 + 1"
    )


@pytest.mark.parametrize(
    "answer", ["return to me", "def broken(:", "\0 return ", "return '''", "import this"]
)
def test_what_is_no_code_is_not_renamed(answer):
    assert planted("renamed identifiers", Item("x", "Prose.", answer, "", ())) is None


def test_paraphrases_are_a_form_when_there_are_some():
    assert "paraphrase" not in planted_forms()
    form = planted_forms({ROBE: ["Something else.", "Quite other."]})["paraphrase"]
    random = np.random.default_rng(0)
    drawn = {form.plant(ROBE, random, FILLER) for _ in range(20)}
    assert drawn == {"Something else.", "Quite other."}
    assert form.plant(CELL, random, FILLER) is None
    assert form.plant(replace(ROBE, question="Of another benchmark?"), random, FILLER) is None
    assert form.expected == "suspect"


def test_the_guarantee_covers_the_forms_that_keep_the_words():
    assert [name for name, form in FORMS.items() if form.guaranteed] == [
        "verbatim", "question only", "two paragraphs", "upper case", "no punctuation",
        "other punctuation", "full-width", "zero-width",
    ]  # fmt: skip


def test_every_form_says_what_it_is_and_is_the_same_for_the_same_seed():
    for name, form in FORMS.items():
        assert form.description
        assert "\n" not in form.description
        for item in (ROBE, CELL, CHINESE, CODE, LONG):
            assert planted(name, item, seed=3) == planted(name, item, seed=3)


def test_empty_fields_and_hosts_break_no_form():
    for name in FORMS:
        for item in (Item("q", "Q?", "", "", ()), Item("e", "", "", "p", ("", "a", "b"))):
            planted(name, item, filler=())


def test_nulls_are_made_of_the_words_of_items():
    own, other = Subject(ROBE, 5), Subject(LONG, 20)
    shuffled = null("shuffled words", own, None)
    whole = planted("verbatim", ROBE)
    assert sorted(word_texts(shuffled)) == sorted(word_texts(whole))
    assert word_texts(shuffled) != word_texts(whole)
    assert null("shuffled words", Subject(Item("s", "Is it so?", "yes", "", ()), 1), None) is None
    assert null("spliced halves", own, other) == (
        "A robe takes 2 bolts " + " ".join(f"word{number}" for number in range(21, 40))
    )
    assert null("spliced halves", own, None) is None
    assert null("sibling item", own, other) == LONG.question
    assert null("sibling item", own, None) is None
    assert null("plain document", own, other) == ""
