"""Each original layout, from a record as its authors (or the hub) publish it to the exact fields."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.fields import BenchmarkError, FieldMap
from corpora.layout_forms import by_map
from corpora.layout_values import FieldError, Fields
from corpora.layouts import LAYOUTS, recognise

FOUR = ("0", "4", "2", "6")
SUNS = ("dry", "wet", "cold")
RAIN = "Rain falls when clouds\ncool."

ORIGINALS: dict[str, tuple[str, dict[str, Any], Fields]] = {
    "own form": (
        "sluicegate",
        {
            "id": "x/1",
            "question": "Why? ",
            "answer": "So.",
            "passage": RAIN,
            "meta": {"answer_index": 3},
        },
        Fields("Why? ", "So.", (), RAIN, "x/1"),
    ),
    "own form without an answer": (
        "sluicegate",
        {"id": "x/2", "question": "Which?", "answer": None, "choices": ["a", "b"], "meta": {}},
        Fields("Which?", "", ("a", "b"), "", "x/2"),
    ),
    "own form with a letter": (
        "sluicegate",
        {"id": 7, "question": "Which?", "answer": "(B)", "choices": ["one", "two"]},
        Fields("Which?", "two", ("one", "two"), "", "7"),
    ),
    "GSM8K": (
        "gsm8k",
        {"question": "How many?", "answer": "He has 2+2=<<2+2=4>>4.\n#### 4"},
        Fields("How many?", "He has 2+2=<<2+2=4>>4.\n#### 4"),
    ),
    "MMLU, CSV": (
        "mmlu_csv",
        {"question": "Degree?", "A": "0", "B": "4", "C": "2", "D": "6", "answer": "B"},
        Fields("Degree?", "4", FOUR),
    ),
    "MMLU, hub": (
        "mmlu",
        {"question": "Degree?", "subject": "algebra", "choices": list(FOUR), "answer": 1},
        Fields("Degree?", "4", FOUR),
    ),
    "MMLU-Pro": (
        "mmlu_pro",
        {
            "question_id": 70,
            "question": "Degree?",
            "options": list(FOUR),
            "answer": "C",
            "answer_index": 2,
            "cot_content": "",
            "category": "math",
            "src": "ori",
        },
        Fields("Degree?", "2", FOUR, "", "70"),
    ),
    "HumanEval": (
        "humaneval",
        {
            "task_id": "HumanEval/0",
            "prompt": 'def f():\n    """One."""\n',
            "canonical_solution": "    return 1\n",
            "test": "def check(candidate):\n    assert candidate() == 1\n",
            "entry_point": "f",
        },
        Fields('def f():\n    """One."""\n', "    return 1\n", (), "", "HumanEval/0"),
    ),
    "MBPP": (
        "mbpp",
        {
            "text": "Write a function.",
            "code": "def f():\r\n  return 1",
            "task_id": 1,
            "test_setup_code": "",
            "test_list": ["assert f() == 1"],
            "challenge_test_list": [],
        },
        Fields("Write a function.", "def f():\r\n  return 1", (), "", "1"),
    ),
    "MBPP, sanitized": (
        "mbpp_sanitized",
        {
            "source_file": "Benchmark Questions Verification V2.ipynb",
            "task_id": 2,
            "prompt": "Write a function.",
            "code": "def f(): return 1",
            "test_imports": [],
            "test_list": ["assert f() == 1"],
        },
        Fields("Write a function.", "def f(): return 1", (), "", "2"),
    ),
    "ARC, hub": (
        "arc",
        {
            "id": "Mercury_1",
            "question": "Which?",
            "choices": {"text": list(SUNS), "label": ["A", "B", "C"]},
            "answerKey": "C",
        },
        Fields("Which?", "cold", SUNS, "", "Mercury_1"),
    ),
    "ARC, hub, labelled by numbers": (
        "arc",
        {
            "id": "NYSEDREGENTS_2",
            "question": "Which?",
            "choices": {"text": list(SUNS), "label": ["1", "2", "3"]},
            "answerKey": "1",
        },
        Fields("Which?", "dry", SUNS, "", "NYSEDREGENTS_2"),
    ),
    "ARC, authors": (
        "arc_original",
        {
            "id": "MCAS_3",
            "question": {
                "stem": "Which?",
                "choices": [
                    {"text": "dry", "label": "A"},
                    {"text": "wet", "label": "B"},
                    {"text": "cold", "label": "C"},
                ],
            },
            "answerKey": "B",
        },
        Fields("Which?", "wet", SUNS, "", "MCAS_3"),
    ),
    "CommonsenseQA, authors, answers hidden": (
        "arc_original",
        {
            "id": "90b3",
            "question": {
                "question_concept": "rain",
                "choices": [{"label": "A", "text": "dry"}, {"label": "B", "text": "wet"}],
                "stem": "What is rain?",
            },
        },
        Fields("What is rain?", "", ("dry", "wet"), "", "90b3"),
    ),
    "CommonsenseQA, hub": (
        "commonsense_qa",
        {
            "id": "1afa",
            "question": "What is rain?",
            "question_concept": "rain",
            "choices": {"label": ["A", "B", "C"], "text": list(SUNS)},
            "answerKey": "B",
        },
        Fields("What is rain?", "wet", SUNS, "", "1afa"),
    ),
    "OpenBookQA, hub": (
        "openbookqa",
        {
            "id": "8-376",
            "question_stem": "Rain is",
            "choices": {"text": list(SUNS), "label": ["A", "B", "C"]},
            "answerKey": "B",
        },
        Fields("Rain is", "wet", SUNS, "", "8-376"),
    ),
    "HellaSwag, authors": (
        "hellaswag",
        {
            "ind": 24,
            "activity_label": "Roof shingle removal",
            "ctx_a": "A man is sitting on a roof.",
            "ctx_b": "he",
            "ctx": "A man is sitting on a roof. he",
            "split": "val",
            "split_type": "indomain",
            "label": 1,
            "endings": ["sleeps.", "pulls up shingles."],
            "source_id": "activitynet~v_1",
        },
        Fields(
            "A man is sitting on a roof. he",
            "pulls up shingles.",
            ("sleeps.", "pulls up shingles."),
            "",
            "24",
        ),
    ),
    "HellaSwag, hub, answers hidden": (
        "hellaswag",
        {
            "ind": 14,
            "activity_label": "Wakeboarding",
            "ctx": "A man",
            "endings": ["falls.", "stands."],
            "label": "",
        },
        Fields("A man", "", ("falls.", "stands."), "", "14"),
    ),
    "HellaSwag, context in two parts": (
        "hellaswag_parts",
        {"ind": 5, "ctx_a": "A man waits.", "ctx_b": "he", "endings": ["a", "b"], "label": "0"},
        Fields("A man waits. he", "a", ("a", "b"), "", "5"),
    ),
    "PIQA": (
        "piqa",
        {"goal": "open a jar", "sol1": "twist", "sol2": "sing", "label": 0},
        Fields("open a jar", "twist", ("twist", "sing")),
    ),
    "PIQA, answers hidden": (
        "piqa",
        {"id": "ab", "goal": "open a jar", "sol1": "twist", "sol2": "sing"},
        Fields("open a jar", "", ("twist", "sing"), "", "ab"),
    ),
    "WinoGrande": (
        "winogrande",
        {
            "qID": "3QHIT-2",
            "sentence": "Ann thanked Eve as _ had helped.",
            "option1": "Ann",
            "option2": "Eve",
            "answer": "2",
        },
        Fields("Ann thanked Eve as _ had helped.", "Eve", ("Ann", "Eve"), "", "3QHIT-2"),
    ),
    "BoolQ": (
        "boolq",
        {"question": "does rain fall", "title": "Rain", "answer": True, "passage": RAIN},
        Fields("does rain fall", "yes", ("no", "yes"), RAIN),
    ),
    "BoolQ in SuperGLUE": (
        "boolq_superglue",
        {"question": "does rain fall", "passage": RAIN, "idx": 3, "label": 0},
        Fields("does rain fall", "no", ("no", "yes"), RAIN, "3"),
    ),
    "TruthfulQA, CSV": (
        "truthfulqa_csv",
        {
            "Type": "Adversarial",
            "Category": "Misconceptions",
            "Question": "What happens?",
            "Best Answer": "Nothing",
            "Correct Answers": "Nothing; Little",
            "Incorrect Answers": "You die",
            "Source": "https://example.org",
        },
        Fields("What happens?", "Nothing"),
    ),
    "TruthfulQA, hub": (
        "truthfulqa",
        {
            "type": "Adversarial",
            "category": "Misconceptions",
            "question": "What happens?",
            "best_answer": "Nothing",
            "correct_answers": ["Nothing", "Little"],
            "incorrect_answers": ["You die"],
            "source": "https://example.org",
        },
        Fields("What happens?", "Nothing"),
    ),
    "TruthfulQA, multiple choice": (
        "truthfulqa_choices",
        {
            "question": "What happens?",
            "mc1_targets": {"choices": ["You die", "Nothing"], "labels": [0, 1]},
            "mc2_targets": {"choices": ["Nothing"], "labels": [1]},
        },
        Fields("What happens?", "Nothing", ("You die", "Nothing")),
    ),
    "BBH": (
        "bbh",
        {"input": "not ( True ) is", "target": "False"},
        Fields("not ( True ) is", "False"),
    ),
    "BBH with options": (
        "bbh",
        {"input": "Which?\nOptions:\n(A) dry\n(B) wet (very)", "target": "(B)"},
        Fields("Which?\nOptions:\n(A) dry\n(B) wet (very)", "wet (very)"),
    ),
    "MATH": (
        "math",
        {
            "problem": "What is $1+1$?",
            "level": "Level 1",
            "type": "Algebra",
            "solution": r"It is $\boxed{2}$.",
        },
        Fields("What is $1+1$?", r"It is $\boxed{2}$."),
    ),
    "MATH-500": (
        "math",
        {
            "problem": "What is $1+1$?",
            "solution": r"It is $\boxed{2}$.",
            "answer": "2",
            "subject": "Algebra",
            "level": 1,
            "unique_id": "test/algebra/1.json",
        },
        Fields("What is $1+1$?", r"It is $\boxed{2}$.", (), "", "test/algebra/1.json"),
    ),
    "problem and answer": (
        "math_answer",
        {"id": 60, "problem": "What is $1+1$?", "answer": 2, "url": "https://example.org"},
        Fields("What is $1+1$?", "2", (), "", "60"),
    ),
    "AGIEval": (
        "agieval",
        {
            "passage": None,
            "question": "Which?",
            "options": ["(A)dry", "(B)wet", "(C)cold"],
            "label": "B",
            "answer": None,
            "other": {"solution": "..."},
        },
        Fields("Which?", "(B)wet", ("(A)dry", "(B)wet", "(C)cold")),
    ),
    "AGIEval, several right": (
        "agieval",
        {
            "passage": RAIN,
            "question": "Which?",
            "options": ["(A)dry", "(B)wet", "(C)cold"],
            "label": ["A", "C"],
            "answer": None,
        },
        Fields("Which?", "(A)dry\n(C)cold", ("(A)dry", "(B)wet", "(C)cold"), RAIN),
    ),
    "AGIEval, several right in one text": (
        "agieval",
        {
            "passage": "",
            "question": "Which?",
            "options": ["(A)dry", "(B)wet", "(C)cold"],
            "label": "A B",
            "answer": None,
        },
        Fields("Which?", "(A)dry\n(B)wet", ("(A)dry", "(B)wet", "(C)cold")),
    ),
    "AGIEval, cloze": (
        "agieval",
        {
            "passage": None,
            "question": "1+1=",
            "options": None,
            "label": None,
            "answer": "2",
            "other": None,
        },
        Fields("1+1=", "2"),
    ),
    "MGSM, hub": (
        "mgsm",
        {
            "question": "Wie viele?",
            "answer": None,
            "answer_number": 18,
            "equation_solution": None,
        },
        Fields("Wie viele?", "18"),
    ),
    "C-Eval": (
        "ceval",
        {
            "id": "0",
            "question": "下列哪项正确____",
            "A": "甲",
            "B": "乙",
            "C": "丙",
            "D": "丁",
            "answer": "D",
            "explanation": "",
        },
        Fields("下列哪项正确____", "丁", ("甲", "乙", "丙", "丁"), "", "0"),
    ),
    "C-Eval, answers hidden": (
        "ceval",
        {"id": 1, "question": "哪项", "A": "甲", "B": "乙", "C": "丙", "D": "丁", "answer": ""},
        Fields("哪项", "", ("甲", "乙", "丙", "丁"), "", "1"),
    ),
    "CMMLU": (
        "cmmlu",
        {"Question": "哪项", "A": "甲", "B": "乙", "C": "丙", "D": "丁", "Answer": "A"},
        Fields("哪项", "甲", ("甲", "乙", "丙", "丁")),
    ),
    "SocialIQA": (
        "social_iqa",
        {
            "context": RAIN,
            "question": "Why?",
            "answerA": "dry",
            "answerB": "wet",
            "answerC": "cold",
            "label": "2",
        },
        Fields("Why?", "wet", SUNS, RAIN),
    ),
    "SocialIQA, authors": (
        "social_iqa",
        {
            "context": RAIN,
            "question": "Why?",
            "answerA": "dry",
            "answerB": "wet",
            "answerC": "cold",
            "correct": "C",
        },
        Fields("Why?", "cold", SUNS, RAIN),
    ),
    "NQ-open": (
        "nq_open",
        {"question": "when was rain", "answer": ["14 December 1972 UTC", "December 1972"]},
        Fields("when was rain", "14 December 1972 UTC"),
    ),
    "TriviaQA, hub": (
        "triviaqa",
        {
            "question": "Which vegetable?",
            "question_id": "tc_2",
            "answer": {"value": "Onion", "aliases": ["Onions"]},
        },
        Fields("Which vegetable?", "Onion", (), "", "tc_2"),
    ),
    "TriviaQA, authors": (
        "triviaqa_original",
        {
            "Question": "Which vegetable?",
            "QuestionId": "tc_2",
            "Answer": {"Value": "Onion", "Aliases": ["Onions"]},
        },
        Fields("Which vegetable?", "Onion", (), "", "tc_2"),
    ),
    "SQuAD": (
        "squad",
        {
            "id": "56be",
            "title": "Rain",
            "context": RAIN,
            "question": "What falls?",
            "answers": {"text": ["Rain", "the rain"], "answer_start": [0, 0]},
        },
        Fields("What falls?", "Rain", (), RAIN, "56be"),
    ),
    "SQuAD 2, no answer": (
        "squad",
        {
            "id": "56bf",
            "title": "Rain",
            "context": RAIN,
            "question": "What sings?",
            "answers": {"text": [], "answer_start": []},
        },
        Fields("What sings?", "", (), RAIN, "56bf"),
    ),
    "DROP": (
        "drop",
        {
            "section_id": "nfl_1184",
            "query_id": "f37e",
            "passage": RAIN,
            "question": "How many?",
            "answers_spans": {"spans": ["2", "two"], "types": ["number", "number"]},
        },
        Fields("How many?", "2", (), RAIN, "f37e"),
    ),
    "LAMBADA": (
        "lambada",
        {"text": 'He said "yes" and\nthen he fell asleep'},
        Fields('He said "yes" and\nthen he fell', "asleep"),
    ),
    "GPQA": (
        "gpqa",
        {
            "Record ID": "rec1",
            "Question": "Which?",
            "Correct Answer": "dry",
            "Incorrect Answer 1": "wet",
            "Incorrect Answer 2": "cold",
            "Incorrect Answer 3": "hot",
            "Explanation": "...",
        },
        Fields("Which?", "dry", ("dry", "wet", "cold", "hot"), "", "rec1"),
    ),
    "IFEval": (
        "ifeval",
        {"key": 1000, "prompt": "Write.", "instruction_id_list": ["a:b"], "kwargs": [{}]},
        Fields("Write.", "", (), "", "1000"),
    ),
    "prompts alone": ("prompts", {"prompt": "Write."}, Fields("Write.")),
    "AlpacaEval": (
        "alpaca_eval",
        {"dataset": "koala", "instruction": "Name two.", "output": "A and B.", "generator": "g"},
        Fields("Name two.", "A and B."),
    ),
    "Alpaca with input": (
        "alpaca_eval",
        {"instruction": "Translate.", "input": "rain", "output": "Regen"},
        Fields("Translate.\nrain", "Regen"),
    ),
    "MT-Bench": (
        "mt_bench",
        {
            "question_id": 101,
            "category": "reasoning",
            "turns": ["Who is second?", "And last?"],
            "reference": ["You.", "Uncertain."],
        },
        Fields("Who is second?", "You.", (), "", "101"),
    ),
    "MT-Bench without reference": (
        "mt_bench",
        {"question_id": 81, "category": "writing", "turns": ["Compose.", "Rewrite."]},
        Fields("Compose.", "", (), "", "81"),
    ),
    "RACE": (
        "race",
        {
            "example_id": "high1.txt",
            "article": RAIN,
            "question": "Which?",
            "options": list(SUNS),
            "answer": "B",
        },
        Fields("Which?", "wet", SUNS, RAIN),
    ),
    "AQuA-RAT": (
        "aqua_rat",
        {"question": "Which?", "options": ["A)1", "B)2"], "rationale": "...", "correct": "B"},
        Fields("Which?", "B)2", ("A)1", "B)2")),
    ),
    "SciQ": (
        "sciq",
        {
            "question": "Which?",
            "distractor1": "dry",
            "distractor2": "wet",
            "distractor3": "cold",
            "correct_answer": "hot",
            "support": RAIN,
        },
        Fields("Which?", "hot", (*SUNS, "hot"), RAIN),
    ),
}


@pytest.mark.parametrize("source", ORIGINALS)
def test_an_original_record_is_recognised_and_gives_exactly_these_fields(source):
    layout, record, expected = ORIGINALS[source]
    assert recognise(record) == layout
    assert LAYOUTS[layout].read(record) == expected


def test_every_layout_has_an_original_record():
    assert {layout for layout, _, _ in ORIGINALS.values()} == set(LAYOUTS)


@pytest.mark.parametrize("source", ORIGINALS)
def test_recognition_does_not_depend_on_the_order_of_the_keys(source):
    layout, record, _ = ORIGINALS[source]
    assert recognise(dict(reversed(record.items()))) == layout


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"text": "a document", "id": "1", "domain": "web"},
        {"prompt": "p", "completion": "c"},
        {"question": "q", "answer": "a", "options": ["x"]},  # the options would go unread
        {"Question": "q", "Answer": "a"},
    ],
)
def test_a_record_of_no_known_layout_is_not_guessed_at(record):
    assert recognise(record) is None


def test_a_letter_that_is_a_choice_of_another_letter_means_the_place():
    blood = {"question": "Q", "A": "B", "B": "A", "C": "AB", "D": "O", "answer": "A"}
    assert LAYOUTS["mmlu_csv"].read(blood).answer == "B"


def test_a_label_that_names_no_choice_stays_as_it_is():
    record = {"question": "Q", "A": "1", "B": "2", "C": "3", "D": "4", "answer": "E"}
    assert LAYOUTS["mmlu_csv"].read(record).answer == "E"


@pytest.mark.parametrize(
    ("layout", "record", "message"),
    [
        (
            "mmlu",
            {"question": "q", "choices": ["a", "b"], "answer": 2},
            "the label '2' names none of the 2 choices",
        ),
        (
            "winogrande",
            {"sentence": "s", "option1": "a", "option2": "b", "answer": "0"},
            "the label '0' names none of the 2 choices",
        ),
        ("gsm8k", {"question": {"a": 1}, "answer": "a"}, "question is an object, not text"),
        ("gsm8k", {"question": b"q", "answer": "a"}, "question is bytes, not text"),
        ("sluicegate", {"question": "q", "choices": 3}, "choices is a number, not a list"),
        ("sluicegate", {"question": "q", "id": [1]}, "id is a list, not text or a number"),
        (
            "arc_original",
            {"question": "q", "answerKey": "A"},
            "question is or holds text where this layout has an object",
        ),
        (
            "arc",
            {"question": "q", "choices": [{"text": "a"}, "b"], "answerKey": "A"},
            "choices is or holds text where this layout has an object",
        ),
    ],
)
def test_a_field_of_the_wrong_type_is_named(layout, record, message):
    with pytest.raises(FieldError) as caught:
        LAYOUTS[layout].read(record)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("label", "answer"), [(1, "b"), ("1", "b"), (1.0, "b"), ("0.0", "a"), (-1, ""), (math.nan, "")]
)
def test_an_index_is_read_however_a_data_frame_wrote_it(label, answer):
    record = {"goal": "g", "sol1": "a", "sol2": "b", "label": label}
    assert LAYOUTS["piqa"].read(record).answer == answer


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (1.5, "1.5"),
        (True, "yes"),
        (None, ""),
        (math.nan, ""),
        (["one", "two"], "one\ntwo"),
    ],
)
def test_what_is_not_text_but_can_be_becomes_text(value, text):
    assert LAYOUTS["sluicegate"].read({"question": value, "answer": "a"}).question == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "label", "value", "choices"]), inner)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_no_value_makes_a_layout_fail_with_anything_but_a_field_error(name, data):
    layout = LAYOUTS[name]
    record = data.draw(st.fixed_dictionaries(dict.fromkeys(sorted(layout.needs), JSON)))
    try:
        fields = layout.read(record)
    except FieldError:
        return
    assert all(type(text) is str for text in (*fields[:2], *fields.choices, fields.passage))
    assert fields.id is None or type(fields.id) is str


# --- field maps -----------------------------------------------------------------------------------


def read(fields: str, record: dict[str, Any]) -> Fields:
    return by_map(FieldMap.parse(fields), set())(record)


def test_a_field_map_is_parsed_from_the_command_line():
    text = "question=prompt, answer=completion,choices=A+B,passage=doc.context,id=task id"
    assert FieldMap.parse(text) == FieldMap(
        question=("prompt",),
        answer=("completion",),
        choices=("A", "B"),
        passage=("doc.context",),
        id=("task id",),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "query=q",
            "--fields has the unknown role 'query';"
            " allowed are question, answer, choices, passage, id",
        ),
        (
            "",
            "--fields has the unknown role ''; allowed are question, answer, choices, passage, id",
        ),
        (
            "question=a,question=b",
            "--fields names 'question' twice; join keys with a plus: question=KEY+KEY",
        ),
        (
            "question=",
            "--fields gives 'question' no key; for example --fields question=prompt,"
            "answer=completion,choices=options,passage=context,id=task_id",
        ),
        (
            "id=a",
            "--fields names only the id; for example --fields question=prompt,"
            "answer=completion,choices=options,passage=context,id=task_id",
        ),
    ],
)
def test_a_wrong_field_map_says_what_is_allowed(text, message):
    with pytest.raises(BenchmarkError) as caught:
        FieldMap.parse(text)
    assert str(caught.value) == message


def test_dots_reach_into_objects_and_lists():
    record = {
        "doc": {"q": "Why?"},
        "turns": ["first", "second"],
        "messages": [{"content": "a"}, {"content": "b"}],
        "a.b": "dotted",
    }
    assert read("question=doc.q,answer=turns.1,passage=messages.content,id=a.b", record) == Fields(
        "Why?", "second", (), "a\nb", "dotted"
    )


def test_choices_may_stand_in_several_columns_with_empty_ones_at_the_end():
    record = {"q": "Q", "A": "one", "B": "two", "C": "", "key": "B"}
    assert read("question=q,choices=A+B+C,answer=key", record) == Fields("Q", "two", ("one", "two"))


@pytest.mark.parametrize(
    "choices",
    [
        ["one", "two"],
        '["one", "two"]',
        {"A": "one", "B": "two"},
        [{"text": "one"}, {"text": "two"}],
    ],
)
@pytest.mark.parametrize("answer", ["two", "B", "(B)", "B.", 1, ["two", "zwei"]])
def test_a_mapped_answer_is_the_text_of_its_choice_however_it_is_written(choices, answer):
    record = {"q": "Q", "options": choices, "key": answer}
    assert read("question=q,choices=options,answer=key", record) == Fields(
        "Q", "two", ("one", "two")
    )


def test_parts_of_a_question_are_joined_with_a_newline_and_nulls_left_out():
    assert read("question=a+b+c", {"a": "x", "b": None, "c": "y"}) == Fields("x\ny")
