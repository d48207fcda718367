"""Each lab's definition on both sides of its threshold; the rules stand in `scanners.presets`."""

import pytest

from scanners.presets import NAMES, PRESETS


@pytest.fixture
def flags_of(scan_documents, make_item, vocabulary):
    """Scan documents for a question (a text or an item) among nine others; gives its flags by name."""
    others = [
        make_item(" ".join(vocabulary(3000 + 40 * n, 3030 + 40 * n)), id=f"other {n}")
        for n in range(9)
    ]

    def flags(item, *documents):
        item = make_item(item) if isinstance(item, str) else item
        found = scan_documents([item, *others], list(documents)).flags()
        assert list(found) == list(NAMES)
        assert not any(found[name][1:].any() for name in NAMES)
        return {name: bool(found[name][0]) for name in NAMES}

    return flags


@pytest.fixture
def text(vocabulary):
    """Made-up words [first, last) as a text; every word has eight letters."""
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture
def document(text):
    """A document of 60 other words around some parts, with others between them."""

    def make(*parts):
        filler = [text(8000 + 40 * n, 8030 + 40 * n) for n in range(len(parts) + 1)]
        pieces = [piece for pair in zip(filler, parts, strict=False) for piece in pair]
        return "\n".join([*pieces, filler[-1]])

    return make


def replaced(words, places):
    """The words with others at some places."""
    return " ".join(f"kub{at}" if at in places else word for at, word in enumerate(words))


def test_each_definition_has_a_rule_and_a_source():
    assert NAMES == ("gpt3", "palm", "llama2", "llama3", "qwen2", "tulu3", "olmo3", "gpt4")
    assert all(preset.rule and preset.source for preset in PRESETS)


def test_a_whole_question_meets_every_definition_and_no_word_of_it_none(flags_of, text, document):
    assert flags_of(text(0, 30), document(text(0, 30))) == dict.fromkeys(NAMES, True)
    assert flags_of(text(0, 30), document(text(100, 130))) == dict.fromkeys(NAMES, False)


# --- GPT-3: any n-gram of the item anywhere; n is the 5th percentile of the lengths, 8 to 13 --------


@pytest.mark.parametrize(("shared", "flag"), [(12, False), (13, True)])
def test_gpt3_flags_13_words_of_long_items(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 30), document(text(9, 9 + shared)))["gpt3"] == flag


@pytest.mark.parametrize(
    ("length", "shared", "flag"),
    [(9, 8, False), (9, 9, True), (8, 7, False), (8, 8, True), (7, 7, False), (13, 12, False)],
)
def test_gpt3_flags_as_many_words_as_short_items_have(
    scan_documents, make_item, text, document, length, shared, flag
):
    # All items of the benchmark have `length` words, so that is the percentile; under 8 it stays 8.
    items = [make_item(text(20 * n, 20 * n + length), id=str(n)) for n in range(20)]
    flags = scan_documents(items, [document(text(0, shared))]).flags()["gpt3"]
    assert flags.tolist() == [flag] + [False] * 19


def test_gpt3_takes_each_benchmark_for_itself(scan_documents, make_item, text, document):
    items = [make_item(text(0, 9), id="short"), make_item(text(100, 130), id="long")]
    shared = document(text(0, 9), text(100, 109))
    scan = scan_documents(items, [shared], several_benchmarks=True)
    assert scan.flags()["gpt3"].tolist() == [True, False]


def test_gpt3_looks_at_every_field(flags_of, make_item, text, document):
    item = make_item(text(0, 30), answer=text(50, 80))
    flags = flags_of(item, document(text(60, 73)))
    assert [name for name in NAMES if flags[name]] == ["gpt3"]


# --- PaLM: 70% of the question's 8-grams anywhere ---------------------------------------------------


@pytest.mark.parametrize(("shared", "flag"), [(13, False), (14, True)])
def test_palm_flags_seven_of_ten_8_grams(flags_of, text, document, shared, flag):
    # 17 words have 10 8-grams; a run of 13 words has 6 of them, one of 14 words 7
    assert flags_of(text(0, 17), document(text(0, shared)))["palm"] == flag


def test_palm_unites_documents(flags_of, text, document):
    question = text(0, 17)
    parts = [document(text(0, 10)), document(text(6, 17))]  # 3 and 4 of 10 8-grams
    assert flags_of(question, *parts)["palm"]
    assert not flags_of(question, parts[0])["palm"]
    assert not flags_of(question, parts[1])["palm"]


def test_palm_never_flags_a_question_without_an_8_gram(flags_of, text, document):
    assert not flags_of(text(0, 7), document(text(0, 7)))["palm"]


# --- Llama 2: 80% of the words in spans of more than 10 words, 4 replaced, none of the first 10 -----


@pytest.mark.parametrize(("shared", "flag"), [(39, False), (40, True)])
def test_llama2_flags_four_fifths_of_the_words(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 50), document(text(0, shared)))["llama2"] == flag


@pytest.mark.parametrize(("shared", "flag"), [(10, False), (11, True)])
def test_llama2_spans_have_more_than_ten_words(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 12), document(text(0, shared)))["llama2"] == flag


@pytest.mark.parametrize(("equal", "flag"), [(9, False), (10, True)])
def test_llama2_spans_begin_with_ten_equal_words(flags_of, vocabulary, text, document, equal, flag):
    places = range(equal, 50, equal + 1)  # runs of `equal` words with one replaced between them
    edited = replaced(vocabulary(0, 50), places)
    assert flags_of(text(0, 50), document(edited))["llama2"] == flag


@pytest.mark.parametrize(
    ("places", "flag"),
    [
        ([10, 12, 14, 16, 26, 36, 46], False),  # 4 replaced up to word 26: a span of 26 of 50 words
        ([10, 20, 30, 40], True),  # 4 replaced: one span of 50 words
    ],
)
def test_llama2_spans_have_four_replaced_words(flags_of, vocabulary, text, document, places, flag):
    edited = replaced(vocabulary(0, 50), places)
    assert flags_of(text(0, 50), document(edited))["llama2"] == flag


def test_llama2_unites_documents(flags_of, text, document):
    parts = [document(text(0, 20)), document(text(25, 50))]  # 45 of 50 words
    assert flags_of(text(0, 50), *parts)["llama2"]


# --- Llama 3: 50% of the words in 8-grams anywhere --------------------------------------------------


@pytest.mark.parametrize(("shared", "flag"), [(9, False), (10, True)])
def test_llama3_flags_half_of_the_words(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 20), document(text(5, 5 + shared)))["llama3"] == flag


def test_llama3_unites_documents_and_counts_8_grams_only(flags_of, text, document):
    question = text(0, 30)
    assert flags_of(question, document(text(0, 8)), document(text(20, 28)))["llama3"]  # 16 of 30
    assert not flags_of(question, *[document(text(a, a + 7)) for a in (0, 8, 16)])["llama3"]


# --- Qwen2: a common subsequence of 13 words and 60% of the shorter text in one document ------------


@pytest.mark.parametrize(
    ("length", "shared", "flag"),
    [(20, 12, False), (20, 13, True), (30, 17, False), (30, 18, True)],
)
def test_qwen2_flags_13_words_and_three_fifths(flags_of, text, document, length, shared, flag):
    assert flags_of(text(0, length), document(text(0, shared)))["qwen2"] == flag


def test_qwen2_counts_a_subsequence(flags_of, vocabulary, text, document):
    edited = replaced(vocabulary(0, 30), range(6, 30, 7))  # 26 of 30 words, in runs of six
    assert flags_of(text(0, 30), document(edited))["qwen2"]


@pytest.mark.parametrize(("around", "flag"), [(8, True), (9, False)])
def test_qwen2_takes_the_shorter_text(flags_of, text, around, flag):
    # 13 of 40 words of the question: 61.9% of a document of 21 words, 59.1% of one of 22
    short_document = f"{text(10, 23)} {text(8000, 8000 + around)}"
    assert flags_of(text(0, 40), short_document)["qwen2"] == flag


# --- Tulu 3: more than 50% of the words in 8-grams of one document ----------------------------------


@pytest.mark.parametrize(("shared", "flag"), [(10, False), (11, True)])
def test_tulu3_flags_more_than_half_of_the_words(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 20), document(text(0, shared)))["tulu3"] == flag


def test_tulu3_adds_up_the_places_of_one_document_and_not_of_two(flags_of, text, document):
    question, parts = text(0, 20), [text(0, 8), text(12, 20)]
    assert flags_of(question, document(*parts))["tulu3"]
    assert not flags_of(question, *map(document, parts))["tulu3"]


def test_tulu3_adds_up_places_too_small_to_be_evidence(flags_of, text, document):
    parts = [text(0, 8), text(10, 18), text(20, 28)]
    assert flags_of(text(0, 30), document(*parts))["tulu3"]


# --- OLMo 3 / decon: weighted overlap of 5-grams of one document, question and answer --------------


@pytest.mark.parametrize(("shared", "flag"), [(40, False), (41, True)])
def test_olmo3_flags_four_fifths_of_a_long_question(flags_of, text, document, shared, flag):
    # 50 words have 46 5-grams of equal weight; 41 words have 37 (80.4%), 40 have 36 (78.3%)
    assert flags_of(text(0, 50), document(text(0, shared)))["olmo3"] == flag


@pytest.mark.parametrize(("shared", "flag"), [(19, False), (20, True)])
def test_olmo3_wants_all_of_a_question_of_20_words(flags_of, text, document, shared, flag):
    assert flags_of(text(0, 20), document(text(0, shared)))["olmo3"] == flag


@pytest.mark.parametrize(("shared", "flag"), [(31, False), (32, True)])
def test_olmo3_falls_from_20_to_50_words(flags_of, text, document, shared, flag):
    # 35 words: half way, 0.9; 31 5-grams, of which 32 words have 28 (90.3%), 31 words 27 (87.1%)
    assert flags_of(text(0, 35), document(text(0, shared)))["olmo3"] == flag


def test_olmo3_leaves_out_items_under_20_words(flags_of, text, document):
    assert not flags_of(text(0, 19), document(text(0, 19)))["olmo3"]


@pytest.mark.parametrize(
    ("shared", "with_answer", "flag"),
    [(40, True, True), (40, False, False), (31, True, True), (30, True, False)],
)
def test_olmo3_gives_the_answer_a_quarter(
    flags_of, make_item, text, document, shared, with_answer, flag
):
    # 40 + 10 words need 0.8: 0.75 without the answer; 36 5-grams, of which 27 (31 words) give
    # 0.75 * 27 / 36 + 0.25 = 0.8125 and 26 give 0.79
    item = make_item(text(0, 40), answer=text(50, 60))
    there = f"{text(0, shared)} {text(50, 60) if with_answer else ''}"
    assert flags_of(item, document(there))["olmo3"] == flag


def test_olmo3_does_not_add_up_documents(flags_of, text, document):
    assert not flags_of(text(0, 50), document(text(0, 25)), document(text(25, 50)))["olmo3"]


# --- GPT-4: one of 3 random substrings of 50 letters in one document --------------------------------


@pytest.mark.parametrize(("shared", "flag"), [(4, False), (5, True)])
def test_gpt4_wants_all_of_a_question_under_50_letters(flags_of, text, document, shared, flag):
    edited = document(f"{text(0, shared)} {text(50, 55 - shared)}")
    assert flags_of(text(0, 5), edited)["gpt4"] == flag


def test_gpt4_never_flags_what_shares_fewer_than_50_letters_in_a_row(flags_of, vocabulary, text):
    edited = replaced(vocabulary(0, 70), range(6, 70, 7))  # runs of six words, 48 letters
    assert not flags_of(text(0, 70), edited)["gpt4"]


def test_gpt4_flags_half_of_a_question_as_often_as_three_draws_hit_it(
    scan_documents, make_item, text
):
    items = [make_item(text(60 * n, 60 * n + 50), id=str(n)) for n in range(200)]
    halves = [text(60 * n, 60 * n + 25) for n in range(200)]
    rate = scan_documents(items, halves).flags()["gpt4"].mean()
    # 400 letters, a draw begins at one of 351 and lies in the first 200 from 151: 1 - (200/351)^3
    expected = 1 - (200 / 351) ** 3
    four_deviations = 4 * (expected * (1 - expected) / 200) ** 0.5
    assert abs(rate - expected) < four_deviations


def test_flags_do_not_depend_on_the_order_of_documents(scan_documents, make_item, text):
    items = [make_item(text(60 * n, 60 * n + 50), id=str(n)) for n in range(20)]
    documents = [text(60 * n, 60 * n + 10 + 2 * n) for n in range(20)]
    forward = scan_documents(items, documents).flags()
    backward = scan_documents(items, documents[::-1]).flags()
    assert {name: flags.tolist() for name, flags in forward.items()} == {
        name: flags.tolist() for name, flags in backward.items()
    }
