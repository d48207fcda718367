"""What every layout makes of a value in a benchmark's file: its text, its choices, the answer among them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

Record = Mapping[str, Any]

LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class FieldError(ValueError):
    """A field holds what no text can be made of; the message says which and what."""


class Fields(NamedTuple):
    """The parts of one item; `id` is None where the record names none."""

    question: str = ""
    answer: str = ""
    choices: tuple[str, ...] = ()
    passage: str = ""
    id: str | None = None


def text_of(value: Any, role: str) -> str:
    """Return a value of the source as text; `role` names it in the error, here and below."""
    if type(value) is str:  # the common case first: this runs for every field of every item
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value) if value == value else ""  # NaN is how data frames write null
    if isinstance(value, list):
        return joined(value, role)
    raise FieldError(f"{role} is {kind_of(value)}, not text")


def joined(values: Sequence[Any], role: str) -> str:
    """Return values that are there as lines."""
    return "\n".join(text_of(value, role) for value in values if value is not None)


def id_of(value: Any) -> str | None:
    """Return the id of an item, None where the source has none."""
    if value is None or value == "":
        return None
    if isinstance(value, list | bool):
        raise FieldError(f"id is {kind_of(value)}, not text or a number")
    return text_of(value, "id")


def kind_of(value: Any) -> str:
    """Return what a value is, in words."""
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


def value_at(record: Record, key: str | None) -> Any:
    """Return what stands under `key`, None where there is no such key."""
    return None if key is None else record.get(key)


def first_of(value: Any) -> Any:
    """Return the first of a list, None of an empty one, and anything else as it is."""
    return (value[0] if value else None) if isinstance(value, list) else value


def options_of(value: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
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
        raise FieldError(f"choices is {kind_of(value)}, not a list")
    if isinstance(value[0], Mapping):
        pairs = [object_of(pair, "choices") for pair in value]
        texts = [pair.get("text") for pair in pairs]
        return _labelled_options({"text": texts, "label": [pair.get("label") for pair in pairs]})
    return tuple([text_of(choice, "choices") for choice in value]), LETTERS[: len(value)]


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
    return tuple(text_of(text, "choices") for text in texts), tuple(str(label) for label in labels)


def object_of(value: Any, role: str) -> Record:
    """Return `value`, an object of the source; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FieldError(f"{role} is or holds {kind_of(value)} where this layout has an object")
    return value


def choice_of_label(choices: tuple[str, ...], labels: Sequence[str], key: Any) -> str:
    """Return the text of the choice (or choices: ["A", "C"], "AC", "A C") that `key` names."""
    if isinstance(key, list):
        return "\n".join(choice_of_label(choices, labels, part) for part in key)
    text = text_of(key, "answer")
    named = dict(zip(labels, choices, strict=False))
    bare = text.strip().strip("().")
    if bare in named:
        return named[bare]
    several = re.sub(r"[\s,;、，]", "", bare)
    if several and set(several) <= named.keys():
        return "\n".join(named[label] for label in several)
    return text


def choice_of_index(choices: tuple[str, ...], index: Any, first: int = 0) -> str:
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


def answer_of(choices: tuple[str, ...], labels: tuple[str, ...], answer: Any) -> str:
    """Return the answer where it may be a text, a letter or an index: the text of a choice first."""
    answer = first_of(answer)
    if not choices or answer is None or answer in choices:
        return text_of(answer, "answer")
    if isinstance(answer, int) and not isinstance(answer, bool):
        return choices[answer] if 0 <= answer < len(choices) else text_of(answer, "answer")
    if isinstance(answer, str) and len(answer.strip("().")) == 1:
        return choice_of_label(choices, labels, answer)
    return text_of(answer, "answer")
