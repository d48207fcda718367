"""Readers of single benchmarks: from a record, in the layout of its authors or of the hub, to the parts of an item."""

from __future__ import annotations

import re

from corpora.layout_values import (
    LETTERS,
    Fields,
    Record,
    choice_of_index,
    choice_of_label,
    first_of,
    id_of,
    joined,
    object_of,
    options_of,
    text_of,
)


def mmlu(record: Record) -> Fields:
    """Read MMLU: the answer is an index, counted from 0."""
    choices, _ = options_of(record["choices"])
    answer = choice_of_index(choices, record["answer"])
    return Fields(
        text_of(record["question"], "question"), answer, choices, "", id_of(record.get("id"))
    )


def mgsm(record: Record) -> Fields:
    """Read MGSM: some of its items have the number alone, without the steps."""
    answer = record.get("answer")
    answer = record["answer_number"] if answer is None else answer
    return Fields(text_of(record["question"], "question"), text_of(answer, "answer"))


def mbpp(record: Record) -> Fields:
    """Read MBPP, plain and sanitized."""
    question = record.get("text", record.get("prompt"))
    return Fields(
        text_of(question, "question"),
        text_of(record["code"], "answer"),
        id=id_of(record.get("task_id")),
    )


def arc_original(record: Record) -> Fields:
    """Read ARC as its authors publish it: stem and choices are inside the question."""
    question = object_of(record["question"], "question")
    choices, labels = options_of(question.get("choices"))
    answer = choice_of_label(choices, labels, record.get("answerKey"))
    stem = text_of(question.get("stem"), "question")
    return Fields(
        stem, answer, choices, text_of(question.get("para"), "passage"), id_of(record.get("id"))
    )


def hellaswag(record: Record) -> Fields:
    """Read HellaSwag; its context stands whole or in two parts."""
    context = record.get("ctx")
    if context is None:
        context = f"{text_of(record.get('ctx_a'), 'ctx_a')} {text_of(record.get('ctx_b'), 'ctx_b')}"
    choices, _ = options_of(record["endings"])
    answer = choice_of_index(choices, record.get("label"))
    return Fields(text_of(context, "question"), answer, choices, "", id_of(record.get("ind")))


def piqa(record: Record) -> Fields:
    """Read PIQA: a goal and two solutions, the right one counted from 0."""
    choices = (text_of(record["sol1"], "sol1"), text_of(record["sol2"], "sol2"))
    answer = choice_of_index(choices, record.get("label"))
    return Fields(text_of(record["goal"], "question"), answer, choices, "", id_of(record.get("id")))


def winogrande(record: Record) -> Fields:
    """Read WinoGrande: a sentence with a gap and two options, the right one counted from 1."""
    choices = (text_of(record["option1"], "option1"), text_of(record["option2"], "option2"))
    answer = choice_of_index(choices, record.get("answer"), first=1)
    return Fields(
        text_of(record["sentence"], "question"), answer, choices, "", id_of(record.get("qID"))
    )


def boolq(record: Record) -> Fields:
    """Read BoolQ and its form in SuperGLUE."""
    choices = ("no", "yes")
    answer = record["answer"] if "answer" in record else record["label"]
    return Fields(
        text_of(record["question"], "question"),
        # SuperGLUE on the hub has 0 and 1, and -1 where the answer is hidden.
        text_of(answer, "answer")
        if isinstance(answer, bool | str)
        else choice_of_index(choices, answer),
        choices,
        text_of(record["passage"], "passage"),
        id_of(record.get("idx")),
    )


def truthfulqa_choices(record: Record) -> Fields:
    """Read TruthfulQA with choices: the right one is labelled 1."""
    targets = object_of(record["mc1_targets"], "mc1_targets")
    choices, _ = options_of(targets.get("choices"))
    right = [n for n, label in enumerate(targets.get("labels") or []) if label == 1]
    return Fields(
        text_of(record["question"], "question"), choice_of_index(choices, first_of(right)), choices
    )


def bbh(record: Record) -> Fields:
    """Read BIG-Bench Hard: options are lines of the input, "(A) text"; the target is "(A)"."""
    question, target = text_of(record["input"], "question"), text_of(record["target"], "answer")
    options = dict(_BBH_OPTION.findall(question))
    return Fields(question, options.get(target, target), id=id_of(record.get("id")))


_BBH_OPTION = re.compile(r"^(\([A-Z]\)) (.+)$", re.MULTILINE)


def math(record: Record) -> Fields:
    """Read MATH and its kin, with the whole solution: the answer alone is a number that proves nothing."""
    answer = record["solution"] if record.get("solution") is not None else record.get("answer")
    ident = record.get("unique_id", record.get("id"))
    return Fields(
        text_of(record["problem"], "question"), text_of(answer, "answer"), id=id_of(ident)
    )


def agieval(record: Record) -> Fields:
    """Read AGIEval: one or several labels, or, without choices, an answer in words."""
    choices, labels = options_of(record["options"])
    key = record["label"] if record["label"] is not None else record.get("answer")
    answer = choice_of_label(choices, labels, key) if choices else text_of(first_of(key), "answer")
    question, passage = (
        text_of(record["question"], "question"),
        text_of(record["passage"], "passage"),
    )
    return Fields(question, answer, choices, passage, id_of(record.get("id")))


def social_iqa(record: Record) -> Fields:
    """Read Social IQa: the label is a letter or counts from 1."""
    choices = tuple(text_of(record[f"answer{letter}"], "choices") for letter in "ABC")
    label = record.get("label", record.get("correct"))
    lettered = isinstance(label, str) and label in LETTERS
    answer = (
        choice_of_label(choices, LETTERS, label)
        if lettered
        else choice_of_index(choices, label, first=1)
    )
    return Fields(
        text_of(record["question"], "question"),
        answer,
        choices,
        text_of(record["context"], "passage"),
    )


def triviaqa(record: Record) -> Fields:
    """Read TriviaQA as the hub has it."""
    answer = object_of(record["answer"], "answer").get("value")
    question = text_of(record["question"], "question")
    return Fields(question, text_of(answer, "answer"), id=id_of(record.get("question_id")))


def triviaqa_original(record: Record) -> Fields:
    """Read TriviaQA as its authors publish it."""
    answer = object_of(record["Answer"], "Answer").get("Value")
    question = text_of(record["Question"], "question")
    return Fields(question, text_of(answer, "answer"), id=id_of(record["QuestionId"]))


def squad(record: Record) -> Fields:
    """Read SQuAD: answers are {"text": [...]} on the hub, [{"text": ...}] in the authors' file."""
    answer = first_of(record["answers"])
    answer = first_of(object_of(answer, "answers").get("text"))
    return Fields(
        text_of(record["question"], "question"),
        text_of(answer, "answer"),
        (),
        text_of(record["context"], "passage"),
        id_of(record.get("id")),
    )


def drop(record: Record) -> Fields:
    """Read DROP."""
    answer = first_of(object_of(record["answers_spans"], "answers_spans").get("spans"))
    question, passage = (
        text_of(record["question"], "question"),
        text_of(record["passage"], "passage"),
    )
    return Fields(question, text_of(answer, "answer"), (), passage, id_of(record.get("query_id")))


def lambada(record: Record) -> Fields:
    """Read LAMBADA: the last word of the text is the answer."""
    text = text_of(record["text"], "text")
    parts = re.fullmatch(r"(.*\S)\s+(\S+)\s*", text, re.DOTALL)
    return Fields(text) if parts is None else Fields(parts[1], parts[2])


def gpqa(record: Record) -> Fields:
    """Read GPQA: the right answer and three wrong ones, each in a column."""
    keys = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
    choices = tuple(text_of(record[key], "choices") for key in keys)
    question = text_of(record["Question"], "question")
    return Fields(question, choices[0], choices, "", id_of(record.get("Record ID")))


def sciq(record: Record) -> Fields:
    """Read SciQ: three distractors and the right answer, each in a column; a support is its passage."""
    keys = ("distractor1", "distractor2", "distractor3", "correct_answer")
    choices = tuple(text_of(record[key], "choices") for key in keys)
    question = text_of(record["question"], "question")
    passage = text_of(record.get("support"), "passage")
    return Fields(question, choices[-1], choices, passage)


def alpaca_eval(record: Record) -> Fields:
    """Read AlpacaEval: an instruction and, where there is one, its input."""
    question = [part for part in (record["instruction"], record.get("input")) if part]
    return Fields(
        joined(question, "question"),
        text_of(record["output"], "answer"),
        id=id_of(record.get("id")),
    )


def mt_bench(record: Record) -> Fields:
    """Read the first turn of MT-Bench: a follow-up means nothing alone and stands after somebody's reply."""
    reference = record.get("reference", record.get("reference_answer"))
    question, answer = first_of(record["turns"]), first_of(reference)
    return Fields(
        text_of(question, "question"), text_of(answer, "answer"), id=id_of(record["question_id"])
    )
