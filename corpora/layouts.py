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

`corpora.layout_readers` and, for what several share, `corpora.layout_forms` have the functions. Files, rows
and error messages are `corpora.benchmarks`' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from corpora import layout_forms, layout_readers
from corpora.layout_values import Fields, Record

OWN_KEYS = frozenset({"id", "question", "answer", "choices", "passage", "meta"})


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


def _value(key: str, *types: type) -> Callable[[Record], bool]:
    def when(record: Record) -> bool:
        return type(record[key]) in types

    return when


def _keys(*keys: str) -> frozenset[str]:
    return frozenset(keys)


_QA = _keys("question", "answer")

LAYOUTS: dict[str, Layout] = {
    "agieval": Layout(_keys("passage", "question", "options", "label"), layout_readers.agieval),
    "race": Layout(
        _keys("article", "question", "options", "answer"),
        # RACE numbers its passages, not its questions.
        layout_forms.pick("question", "options", "answer", ident=None, passage="article"),
    ),
    "mmlu_pro": Layout(
        _keys("question", "options", "answer", "answer_index"),
        layout_forms.pick("question", "options", "answer", ident="question_id"),
    ),
    "aqua_rat": Layout(
        _keys("question", "options", "correct"), layout_forms.pick("question", "options", "correct")
    ),
    "social_iqa": Layout(
        _keys("context", "question", "answerA", "answerB", "answerC"), layout_readers.social_iqa
    ),
    "squad": Layout(_keys("context", "question", "answers"), layout_readers.squad),
    "drop": Layout(_keys("passage", "question", "answers_spans"), layout_readers.drop),
    "boolq": Layout(
        _keys("passage", "question", "answer"), layout_readers.boolq, _value("answer", bool)
    ),
    "boolq_superglue": Layout(
        _keys("passage", "question", "label"), layout_readers.boolq, _value("label", bool, int)
    ),
    "ceval": Layout(
        _keys("id", "question", "A", "B", "C", "D", "answer"),
        layout_forms.columns("question", "answer"),
    ),
    "mmlu_csv": Layout(
        _keys("question", "A", "B", "C", "D", "answer"), layout_forms.columns("question", "answer")
    ),
    "cmmlu": Layout(
        _keys("Question", "A", "B", "C", "D", "Answer"),
        layout_forms.columns("Question", "Answer", ident=None),
    ),
    "commonsense_qa": Layout(
        _keys("question", "question_concept", "choices", "answerKey"),
        layout_forms.pick("question", "choices", "answerKey"),
    ),
    "openbookqa": Layout(
        _keys("question_stem", "choices", "answerKey"),
        layout_forms.pick("question_stem", "choices", "answerKey"),
    ),
    "arc": Layout(
        _keys("question", "choices", "answerKey"),
        layout_forms.pick("question", "choices", "answerKey"),
    ),
    # CommonsenseQA hides the answerKey of its test set; its file has this form, and OpenBookQA's too.
    "arc_original": Layout(
        _keys("question"), layout_readers.arc_original, _value("question", dict)
    ),
    "truthfulqa": Layout(
        _keys("question", "best_answer"), layout_forms.ask("question", "best_answer")
    ),
    "truthfulqa_choices": Layout(
        _keys("question", "mc1_targets"), layout_readers.truthfulqa_choices
    ),
    "truthfulqa_csv": Layout(
        _keys("Question", "Best Answer"), layout_forms.ask("Question", "Best Answer")
    ),
    "gpqa": Layout(
        _keys(
            "Question",
            "Correct Answer",
            "Incorrect Answer 1",
            "Incorrect Answer 2",
            "Incorrect Answer 3",
        ),
        layout_readers.gpqa,
    ),
    "sciq": Layout(
        _keys("question", "correct_answer", "distractor1", "distractor2", "distractor3"),
        layout_readers.sciq,
    ),
    "humaneval": Layout(
        _keys("prompt", "canonical_solution"),
        layout_forms.ask("prompt", "canonical_solution", ident="task_id"),
    ),
    "mbpp": Layout(_keys("text", "code", "test_list"), layout_readers.mbpp),
    "mbpp_sanitized": Layout(_keys("prompt", "code", "test_list"), layout_readers.mbpp),
    "hellaswag": Layout(_keys("endings", "ctx"), layout_readers.hellaswag),
    "hellaswag_parts": Layout(_keys("endings", "ctx_a", "ctx_b"), layout_readers.hellaswag),
    "piqa": Layout(_keys("goal", "sol1", "sol2"), layout_readers.piqa),
    "winogrande": Layout(_keys("sentence", "option1", "option2"), layout_readers.winogrande),
    "bbh": Layout(_keys("input", "target"), layout_readers.bbh),
    "math": Layout(_keys("problem", "solution"), layout_readers.math),
    "math_answer": Layout(_keys("problem", "answer"), layout_readers.math),
    "mgsm": Layout(_keys("question", "answer_number"), layout_readers.mgsm),
    "mt_bench": Layout(_keys("question_id", "turns"), layout_readers.mt_bench),
    "alpaca_eval": Layout(_keys("instruction", "output"), layout_readers.alpaca_eval),
    "ifeval": Layout(
        _keys("prompt", "instruction_id_list"), layout_forms.ask("prompt", None, ident="key")
    ),
    "prompts": Layout(
        _keys("prompt"),
        layout_forms.ask("prompt", None, ident="key"),
        within=_keys("prompt", "key"),
    ),
    "triviaqa": Layout(_QA, layout_readers.triviaqa, _value("answer", dict)),
    "triviaqa_original": Layout(
        _keys("Question", "QuestionId", "Answer"), layout_readers.triviaqa_original
    ),
    "nq_open": Layout(
        _QA, layout_forms.ask("question", "answer"), _value("answer", list), within=_QA | {"id"}
    ),
    "gsm8k": Layout(_QA, layout_forms.ask("question", "answer"), within=_QA),
    "mmlu": Layout(_QA | {"choices"}, layout_readers.mmlu, _value("answer", int)),
    "sluicegate": Layout(_keys("question"), layout_forms.own, within=OWN_KEYS),
    # Only this one key: a corpus has `text` too, beside others, and must not pass for a benchmark.
    "lambada": Layout(_keys("text"), layout_readers.lambada, within=_keys("text")),
}
