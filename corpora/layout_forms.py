"""The forms of a record that several benchmarks share: each gives the reader from record to parts of an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpora.fields import FieldMap, present
from corpora.layout_values import (
    LETTERS,
    Fields,
    Record,
    answer_of,
    choice_of_label,
    first_of,
    id_of,
    joined,
    options_of,
    text_of,
    value_at,
)


def own(record: Record) -> Fields:
    """Read Sluicegate's own layout."""
    choices, labels = options_of(record.get("choices"))
    return Fields(
        text_of(record["question"], "question"),
        answer_of(choices, labels, record.get("answer")),
        choices,
        text_of(record.get("passage"), "passage"),
        id_of(record.get("id")),
    )


def ask(
    question: str, answer: str | None, ident: str | None = "id", passage: str | None = None
) -> Callable[[Record], Fields]:
    """Return the reader for records where each part stands under one key, without choices."""

    def read(record: Record) -> Fields:
        return Fields(
            text_of(record[question], "question"),
            text_of(first_of(value_at(record, answer)), "answer"),
            (),
            text_of(value_at(record, passage), "passage"),
            id_of(value_at(record, ident)),
        )

    return read


def pick(
    question: str, choices: str, answer: str, ident: str | None = "id", passage: str | None = None
) -> Callable[[Record], Fields]:
    """Return the reader for records with a list of choices and the label of the right one."""

    def read(record: Record) -> Fields:
        texts, labels = options_of(record[choices])
        return Fields(
            text_of(record[question], "question"),
            choice_of_label(texts, labels, record.get(answer)),
            texts,
            text_of(value_at(record, passage), "passage"),
            id_of(value_at(record, ident)),
        )

    return read


def columns(question: str, answer: str, ident: str | None = "id") -> Callable[[Record], Fields]:
    """Return the reader for records with the choices under A, B, C, D and the letter of the right one."""

    def read(record: Record) -> Fields:
        texts = tuple(text_of(record[letter], "choices") for letter in "ABCD")
        answer_text = choice_of_label(texts, LETTERS, record.get(answer))
        return Fields(
            text_of(record[question], "question"),
            answer_text,
            texts,
            "",
            id_of(value_at(record, ident)),
        )

    return read


def by_map(fields: FieldMap, found: set[str]) -> Callable[[Record], Fields]:
    """Return the reader for records that `fields` describes; it adds the keys it meets to `found`."""

    def values(record: Record, keys: tuple[str, ...]) -> list[Any]:
        pairs = list(present(record, keys))
        found.update(key for key, _ in pairs)
        return [value for _, value in pairs if value is not None]

    def read(record: Record) -> Fields:
        parts = values(record, fields.choices)
        choices, labels = options_of(
            _gathered(parts) if len(fields.choices) > 1 else next(iter(parts), None)
        )
        answers = values(record, fields.answer)
        return Fields(
            joined(values(record, fields.question), "question"),
            "\n".join(answer_of(choices, labels, answer) for answer in answers),
            choices,
            joined(values(record, fields.passage), "passage"),
            joined(values(record, fields.id), "id") or None,
        )

    return read


def _gathered(parts: list[Any]) -> list[Any]:
    """Return the choices of several columns as one list; empty cells at the end are no choices."""
    choices = [choice for part in parts for choice in (part if isinstance(part, list) else [part])]
    while choices and choices[-1] == "":
        choices.pop()
    return choices
