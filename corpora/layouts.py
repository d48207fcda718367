"""The layouts of well-known benchmarks, recognised by the keys of their records.

A layout is one pure function `record -> Fields` and the keys that give it away; `LAYOUTS` is all of them,
the more particular before the more general. Adding one is one function and one line. They follow the
files their authors published (JSON Lines, CSV) and the form the same data has on the Hugging Face hub.

What every layout keeps to:

- text stands as in the source: nothing is trimmed, lower-cased or repaired; numbers become `str(number)`,
  booleans "yes" and "no", null "";
- `answer` is the text of the right choice where the source has a letter, a label or an index, also when
  several are right (joined with a newline); a label that names no choice stays as it is;
- of several accepted answers (NQ, TriviaQA, SQuAD, DROP) the first is the answer;
- a list where a question or a passage should stand is joined with newlines.

Files, rows and error messages are `corpora.benchmarks`' business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from corpora.fields import FieldMap, present

Record = Mapping[str, Any]

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
OWN_KEYS = frozenset({"id", "question", "answer", "choices", "passage", "meta"})


class FieldError(ValueError):
    """A field holds what no text can be made of; the message says which and what."""


class Fields(NamedTuple):
    """The parts of one item; `id` is None where the record names none."""

    question: str = ""
    answer: str = ""
    choices: tuple[str, ...] = ()
    passage: str = ""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to write items.

    Attributes:
        needs: the keys every record has.
        read: record -> Fields; raises `FieldError`.
        when: looked at for the first record only, where keys alone do not tell layouts apart.
        within: the keys a record may have at most; None = any more.
    """

    needs: frozenset[str]
    read: Callable[[Record], Fields]
    when: Callable[[Record], bool] | None = None
    within: frozenset[str] | None = None

    def fits(self, record: Record) -> bool:
        """Return whether the record has the keys of this layout."""
        keys = record.keys()
        return self.needs <= keys and (self.within is None or keys <= self.within)


def recognise(record: Record) -> str | None:
    """Return the name of the first layout that `record` has, or None."""
    for name, layout in LAYOUTS.items():
        if layout.fits(record) and (layout.when is None or layout.when(record)):
            return name
    return None


def by_map(fields: FieldMap, found: set[str]) -> Callable[[Record], Fields]:
    """Return the reader for records that `fields` describes; it adds the keys it meets to `found`."""

    def values(record: Record, keys: tuple[str, ...]) -> list[Any]:
        pairs = list(present(record, keys))
        found.update(key for key, _ in pairs)
        return [value for _, value in pairs if value is not None]

    def read(record: Record) -> Fields:
        parts = values(record, fields.choices)
        choices, labels = _options(
            _gathered(parts) if len(fields.choices) > 1 else next(iter(parts), None)
        )
        answers = values(record, fields.answer)
        return Fields(
            _joined(values(record, fields.question), "question"),
            "\n".join(_answer(choices, labels, answer) for answer in answers),
            choices,
            _joined(values(record, fields.passage), "passage"),
            _joined(values(record, fields.id), "id") or None,
        )

    return read


def _gathered(parts: list[Any]) -> list[Any]:
    """Return the choices of several columns as one list; empty cells at the end are no choices."""
    choices = [choice for part in parts for choice in (part if isinstance(part, list) else [part])]
    while choices and choices[-1] == "":
        choices.pop()
    return choices


# --- values -> text -------------------------------------------------------------------------------


def _text(value: Any, role: str) -> str:
    if type(value) is str:  # the common case first: this runs for every field of every item
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value) if value == value else ""  # NaN is how data frames write null
    if isinstance(value, list):
        return _joined(value, role)
    raise FieldError(f"{role} is {_kind(value)}, not text")


def _joined(values: Sequence[Any], role: str) -> str:
    return "\n".join(_text(value, role) for value in values if value is not None)


def _id(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, list | bool):
        raise FieldError(f"id is {_kind(value)}, not text or a number")
    return _text(value, "id")


def _kind(value: Any) -> str:
    kinds = {
        bool: "true or false",
        bytes: "bytes",
        dict: "an object",
        float: "a number",
        int: "a number",
        list: "a list",
        str: "text",
    }
    return kinds.get(type(value), f"a {type(value).__name__}")


def _at(record: Record, key: str | None) -> Any:
    return None if key is None else record.get(key)


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


# --- choices and the answer among them ------------------------------------------------------------


def _options(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the texts of the choices and their labels (A, B, C ... where the source has none).

    Choices come as a list of texts, as a list of {text, label}, as {text: [...], label: [...]}, as
    {label: text}, and in tables as a JSON list in one cell. Another text is one choice.
    """
    if isinstance(value, str):
        value = _cell(value)
    if not value:
        return (), ()
    if isinstance(value, Mapping):
        return _labelled_options(value)
    if not isinstance(value, list):
        raise FieldError(f"choices is {_kind(value)}, not a list")
    if isinstance(value[0], Mapping):
        pairs = [_object(pair, "choices") for pair in value]
        texts = [pair.get("text") for pair in pairs]
        return _labelled_options({"text": texts, "label": [pair.get("label") for pair in pairs]})
    return tuple([_text(choice, "choices") for choice in value]), LETTERS[: len(value)]


def _cell(text: str) -> Any:
    if text.startswith("["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return [text]
    return [text] if text else None


def _labelled_options(value: Record) -> tuple[tuple[str, ...], tuple[str, ...]]:
    texts, labels = value.get("text"), value.get("label")
    if not isinstance(texts, list):
        value = {label: text for label, text in value.items() if text is not None}
        texts, labels = list(value.values()), list(value.keys())
    if not isinstance(labels, list) or len(labels) != len(texts) or None in labels:
        labels = list(LETTERS[: len(texts)])
    return tuple(_text(text, "choices") for text in texts), tuple(str(label) for label in labels)


def _object(value: Any, role: str) -> Record:
    """Return `value`, an object of the source; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FieldError(f"{role} is or holds {_kind(value)} where this layout has an object")
    return value


def _of_label(choices: tuple[str, ...], labels: Sequence[str], key: Any) -> str:
    """Return the text of the choice (or choices: ["A", "C"], "AC", "A C") that `key` names."""
    if isinstance(key, list):
        return "\n".join(_of_label(choices, labels, part) for part in key)
    text = _text(key, "answer")
    named = dict(zip(labels, choices, strict=False))
    bare = text.strip().strip("().")
    if bare in named:
        return named[bare]
    several = re.sub(r"[\s,;、，]", "", bare)
    if several and set(several) <= named.keys():
        return "\n".join(named[label] for label in several)
    return text


def _of_index(choices: tuple[str, ...], index: Any, first: int = 0) -> str:
    """Return choice number `index`, counted from `first`; "" for the labels of hidden test sets.

    Raises:
        FieldError: there is no such choice.
    """
    number = str(index).removesuffix(".0")  # data frames with gaps write integers as floats
    if index is None or number in ("", "-1", "nan"):
        return ""
    if not number.isdecimal() or not first <= int(number) < first + len(choices):
        raise FieldError(f"the label {number!r} names none of the {len(choices)} choices")
    return choices[int(number) - first]


def _answer(choices: tuple[str, ...], labels: tuple[str, ...], answer: Any) -> str:
    """Return the answer where it may be a text, a letter or an index: the text of a choice first."""
    answer = _first(answer)
    if not choices or answer is None or answer in choices:
        return _text(answer, "answer")
    if isinstance(answer, int) and not isinstance(answer, bool):
        return choices[answer] if 0 <= answer < len(choices) else _text(answer, "answer")
    if isinstance(answer, str) and len(answer.strip("().")) == 1:
        return _of_label(choices, labels, answer)
    return _text(answer, "answer")


# --- one function per layout ----------------------------------------------------------------------


def _own(record: Record) -> Fields:
    choices, labels = _options(record.get("choices"))
    return Fields(
        _text(record["question"], "question"),
        _answer(choices, labels, record.get("answer")),
        choices,
        _text(record.get("passage"), "passage"),
        _id(record.get("id")),
    )


def _ask(
    question: str, answer: str | None, ident: str | None = "id", passage: str | None = None
) -> Callable[[Record], Fields]:
    """Return the reader for records where each part stands under one key, without choices."""

    def read(record: Record) -> Fields:
        return Fields(
            _text(record[question], "question"),
            _text(_first(_at(record, answer)), "answer"),
            (),
            _text(_at(record, passage), "passage"),
            _id(_at(record, ident)),
        )

    return read


def _pick(
    question: str, choices: str, answer: str, ident: str | None = "id", passage: str | None = None
) -> Callable[[Record], Fields]:
    """Return the reader for records with a list of choices and the label of the right one."""

    def read(record: Record) -> Fields:
        texts, labels = _options(record[choices])
        return Fields(
            _text(record[question], "question"),
            _of_label(texts, labels, record.get(answer)),
            texts,
            _text(_at(record, passage), "passage"),
            _id(_at(record, ident)),
        )

    return read


def _columns(question: str, answer: str, ident: str | None = "id") -> Callable[[Record], Fields]:
    """Return the reader for records with the choices under A, B, C, D and the letter of the right one."""

    def read(record: Record) -> Fields:
        texts = tuple(_text(record[letter], "choices") for letter in "ABCD")
        answer_text = _of_label(texts, LETTERS, record.get(answer))
        return Fields(
            _text(record[question], "question"), answer_text, texts, "", _id(_at(record, ident))
        )

    return read


def _mmlu(record: Record) -> Fields:
    choices, _ = _options(record["choices"])
    answer = _of_index(choices, record["answer"])
    return Fields(_text(record["question"], "question"), answer, choices, "", _id(record.get("id")))


def _mgsm(record: Record) -> Fields:
    answer = record.get("answer")
    answer = record["answer_number"] if answer is None else answer
    return Fields(_text(record["question"], "question"), _text(answer, "answer"))


def _mbpp(record: Record) -> Fields:
    question = record.get("text", record.get("prompt"))
    return Fields(
        _text(question, "question"), _text(record["code"], "answer"), id=_id(record.get("task_id"))
    )


def _arc_original(record: Record) -> Fields:
    question = _object(record["question"], "question")
    choices, labels = _options(question.get("choices"))
    answer = _of_label(choices, labels, record.get("answerKey"))
    stem = _text(question.get("stem"), "question")
    return Fields(
        stem, answer, choices, _text(question.get("para"), "passage"), _id(record.get("id"))
    )


def _hellaswag(record: Record) -> Fields:
    context = record.get("ctx")
    if context is None:
        context = f"{_text(record.get('ctx_a'), 'ctx_a')} {_text(record.get('ctx_b'), 'ctx_b')}"
    choices, _ = _options(record["endings"])
    answer = _of_index(choices, record.get("label"))
    return Fields(_text(context, "question"), answer, choices, "", _id(record.get("ind")))


def _piqa(record: Record) -> Fields:
    choices = (_text(record["sol1"], "sol1"), _text(record["sol2"], "sol2"))
    answer = _of_index(choices, record.get("label"))
    return Fields(_text(record["goal"], "question"), answer, choices, "", _id(record.get("id")))


def _winogrande(record: Record) -> Fields:
    choices = (_text(record["option1"], "option1"), _text(record["option2"], "option2"))
    answer = _of_index(choices, record.get("answer"), first=1)
    return Fields(
        _text(record["sentence"], "question"), answer, choices, "", _id(record.get("qID"))
    )


def _boolq(record: Record) -> Fields:
    choices = ("no", "yes")
    answer = record["answer"] if "answer" in record else record["label"]
    return Fields(
        _text(record["question"], "question"),
        # SuperGLUE on the hub has 0 and 1, and -1 where the answer is hidden.
        _text(answer, "answer") if isinstance(answer, bool | str) else _of_index(choices, answer),
        choices,
        _text(record["passage"], "passage"),
        _id(record.get("idx")),
    )


def _truthfulqa_choices(record: Record) -> Fields:
    targets = _object(record["mc1_targets"], "mc1_targets")
    choices, _ = _options(targets.get("choices"))
    right = [n for n, label in enumerate(targets.get("labels") or []) if label == 1]
    return Fields(_text(record["question"], "question"), _of_index(choices, _first(right)), choices)


def _bbh(record: Record) -> Fields:
    # The options are lines of the input, "(A) text"; the target is "(A)".
    question, target = _text(record["input"], "question"), _text(record["target"], "answer")
    options = dict(_BBH_OPTION.findall(question))
    return Fields(question, options.get(target, target), id=_id(record.get("id")))


_BBH_OPTION = re.compile(r"^(\([A-Z]\)) (.+)$", re.MULTILINE)


def _math(record: Record) -> Fields:
    # The whole solution, as in GSM8K: the final answer alone is a number that proves nothing.
    answer = record["solution"] if record.get("solution") is not None else record.get("answer")
    ident = record.get("unique_id", record.get("id"))
    return Fields(_text(record["problem"], "question"), _text(answer, "answer"), id=_id(ident))


def _agieval(record: Record) -> Fields:
    choices, labels = _options(record["options"])
    key = record["label"] if record["label"] is not None else record.get("answer")
    answer = _of_label(choices, labels, key) if choices else _text(_first(key), "answer")
    question, passage = _text(record["question"], "question"), _text(record["passage"], "passage")
    return Fields(question, answer, choices, passage, _id(record.get("id")))


def _social_iqa(record: Record) -> Fields:
    choices = tuple(_text(record[f"answer{letter}"], "choices") for letter in "ABC")
    label = record.get("label", record.get("correct"))
    lettered = isinstance(label, str) and label in LETTERS
    answer = _of_label(choices, LETTERS, label) if lettered else _of_index(choices, label, first=1)
    return Fields(
        _text(record["question"], "question"), answer, choices, _text(record["context"], "passage")
    )


def _triviaqa(record: Record) -> Fields:
    answer = _object(record["answer"], "answer").get("value")
    question = _text(record["question"], "question")
    return Fields(question, _text(answer, "answer"), id=_id(record.get("question_id")))


def _triviaqa_original(record: Record) -> Fields:
    answer = _object(record["Answer"], "Answer").get("Value")
    question = _text(record["Question"], "question")
    return Fields(question, _text(answer, "answer"), id=_id(record["QuestionId"]))


def _squad(record: Record) -> Fields:
    # {"text": [...]} on the hub, [{"text": ...}] in the authors' file.
    answer = _first(record["answers"])
    answer = _first(_object(answer, "answers").get("text"))
    return Fields(
        _text(record["question"], "question"),
        _text(answer, "answer"),
        (),
        _text(record["context"], "passage"),
        _id(record.get("id")),
    )


def _drop(record: Record) -> Fields:
    answer = _first(_object(record["answers_spans"], "answers_spans").get("spans"))
    question, passage = _text(record["question"], "question"), _text(record["passage"], "passage")
    return Fields(question, _text(answer, "answer"), (), passage, _id(record.get("query_id")))


def _lambada(record: Record) -> Fields:
    text = _text(record["text"], "text")
    parts = re.fullmatch(r"(.*\S)\s+(\S+)\s*", text, re.DOTALL)
    return Fields(text) if parts is None else Fields(parts[1], parts[2])


def _gpqa(record: Record) -> Fields:
    keys = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
    choices = tuple(_text(record[key], "choices") for key in keys)
    question = _text(record["Question"], "question")
    return Fields(question, choices[0], choices, "", _id(record.get("Record ID")))


def _sciq(record: Record) -> Fields:
    keys = ("distractor1", "distractor2", "distractor3", "correct_answer")
    choices = tuple(_text(record[key], "choices") for key in keys)
    question, passage = (
        _text(record["question"], "question"),
        _text(record.get("support"), "passage"),
    )
    return Fields(question, choices[-1], choices, passage)


def _alpaca_eval(record: Record) -> Fields:
    question = [part for part in (record["instruction"], record.get("input")) if part]
    return Fields(
        _joined(question, "question"), _text(record["output"], "answer"), id=_id(record.get("id"))
    )


def _mt_bench(record: Record) -> Fields:
    # The first turn: a follow-up means nothing alone and in a corpus stands after somebody's reply.
    reference = record.get("reference", record.get("reference_answer"))
    question, answer = _first(record["turns"]), _first(reference)
    return Fields(
        _text(question, "question"), _text(answer, "answer"), id=_id(record["question_id"])
    )


# --- how each is recognised -----------------------------------------------------------------------


def _value(key: str, *types: type) -> Callable[[Record], bool]:
    def when(record: Record) -> bool:
        return type(record[key]) in types

    return when


def _keys(*keys: str) -> frozenset[str]:
    return frozenset(keys)


_QA = _keys("question", "answer")

LAYOUTS: dict[str, Layout] = {
    "agieval": Layout(_keys("passage", "question", "options", "label"), _agieval),
    "race": Layout(
        _keys("article", "question", "options", "answer"),
        # RACE numbers its passages, not its questions.
        _pick("question", "options", "answer", ident=None, passage="article"),
    ),
    "mmlu_pro": Layout(
        _keys("question", "options", "answer", "answer_index"),
        _pick("question", "options", "answer", ident="question_id"),
    ),
    "aqua_rat": Layout(
        _keys("question", "options", "correct"), _pick("question", "options", "correct")
    ),
    "social_iqa": Layout(
        _keys("context", "question", "answerA", "answerB", "answerC"), _social_iqa
    ),
    "squad": Layout(_keys("context", "question", "answers"), _squad),
    "drop": Layout(_keys("passage", "question", "answers_spans"), _drop),
    "boolq": Layout(_keys("passage", "question", "answer"), _boolq, _value("answer", bool)),
    "boolq_superglue": Layout(
        _keys("passage", "question", "label"), _boolq, _value("label", bool, int)
    ),
    "ceval": Layout(
        _keys("id", "question", "A", "B", "C", "D", "answer"), _columns("question", "answer")
    ),
    "mmlu_csv": Layout(
        _keys("question", "A", "B", "C", "D", "answer"), _columns("question", "answer")
    ),
    "cmmlu": Layout(
        _keys("Question", "A", "B", "C", "D", "Answer"), _columns("Question", "Answer", ident=None)
    ),
    "commonsense_qa": Layout(
        _keys("question", "question_concept", "choices", "answerKey"),
        _pick("question", "choices", "answerKey"),
    ),
    "openbookqa": Layout(
        _keys("question_stem", "choices", "answerKey"),
        _pick("question_stem", "choices", "answerKey"),
    ),
    "arc": Layout(
        _keys("question", "choices", "answerKey"), _pick("question", "choices", "answerKey")
    ),
    # CommonsenseQA hides the answerKey of its test set; its file has this form, and OpenBookQA's too.
    "arc_original": Layout(_keys("question"), _arc_original, _value("question", dict)),
    "truthfulqa": Layout(_keys("question", "best_answer"), _ask("question", "best_answer")),
    "truthfulqa_choices": Layout(_keys("question", "mc1_targets"), _truthfulqa_choices),
    "truthfulqa_csv": Layout(_keys("Question", "Best Answer"), _ask("Question", "Best Answer")),
    "gpqa": Layout(
        _keys(
            "Question",
            "Correct Answer",
            "Incorrect Answer 1",
            "Incorrect Answer 2",
            "Incorrect Answer 3",
        ),
        _gpqa,
    ),
    "sciq": Layout(
        _keys("question", "correct_answer", "distractor1", "distractor2", "distractor3"), _sciq
    ),
    "humaneval": Layout(
        _keys("prompt", "canonical_solution"), _ask("prompt", "canonical_solution", ident="task_id")
    ),
    "mbpp": Layout(_keys("text", "code", "test_list"), _mbpp),
    "mbpp_sanitized": Layout(_keys("prompt", "code", "test_list"), _mbpp),
    "hellaswag": Layout(_keys("endings", "ctx"), _hellaswag),
    "hellaswag_parts": Layout(_keys("endings", "ctx_a", "ctx_b"), _hellaswag),
    "piqa": Layout(_keys("goal", "sol1", "sol2"), _piqa),
    "winogrande": Layout(_keys("sentence", "option1", "option2"), _winogrande),
    "bbh": Layout(_keys("input", "target"), _bbh),
    "math": Layout(_keys("problem", "solution"), _math),
    "math_answer": Layout(_keys("problem", "answer"), _math),
    "mgsm": Layout(_keys("question", "answer_number"), _mgsm),
    "mt_bench": Layout(_keys("question_id", "turns"), _mt_bench),
    "alpaca_eval": Layout(_keys("instruction", "output"), _alpaca_eval),
    "ifeval": Layout(_keys("prompt", "instruction_id_list"), _ask("prompt", None, ident="key")),
    "prompts": Layout(
        _keys("prompt"), _ask("prompt", None, ident="key"), within=_keys("prompt", "key")
    ),
    "triviaqa": Layout(_QA, _triviaqa, _value("answer", dict)),
    "triviaqa_original": Layout(_keys("Question", "QuestionId", "Answer"), _triviaqa_original),
    "nq_open": Layout(_QA, _ask("question", "answer"), _value("answer", list), within=_QA | {"id"}),
    "gsm8k": Layout(_QA, _ask("question", "answer"), within=_QA),
    "mmlu": Layout(_QA | {"choices"}, _mmlu, _value("answer", int)),
    "sluicegate": Layout(_keys("question"), _own, within=OWN_KEYS),
    # Only this one key: a corpus has `text` too, beside others, and must not pass for a benchmark.
    "lambada": Layout(_keys("text"), _lambada, within=_keys("text")),
}
