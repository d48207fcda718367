"""The same item, rendered: Markdown, LaTeX, HTML, lettered and shuffled choices."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from pipelines.planting.forms import Form
from pipelines.planting.texts import NUMBER, lines

LETTERS: Final = string.ascii_uppercase
LATEX_SPECIAL: Final = re.compile(r"[%$&#_]")


def _lettered(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    if not _fits_letters(item):
        return None
    return lines(item.passage, item.question, *_with_letters(item.choices), _letter_line(item))


def _shuffled_choices(
    item: Item, random: np.random.Generator, _filler: Sequence[str]
) -> str | None:
    if not _fits_letters(item) or len(set(item.choices)) < 3:
        return None
    choices = item.choices
    while choices == item.choices:  # three different ones: soon another order
        choices = tuple(choices[at] for at in random.permutation(len(choices)))
    answer = item.answer and f"Answer: {item.answer}"
    return lines(item.passage, item.question, *_with_letters(choices), answer)


def _fits_letters(item: Item) -> bool:
    return 2 <= len(item.choices) <= len(LETTERS)


def _with_letters(choices: Sequence[str]) -> list[str]:
    return [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]


def _letter_line(item: Item) -> str:
    """Return the line that says the right choice; the answer itself where it is none of them."""
    if item.answer in item.choices:
        return f"Answer: {LETTERS[item.choices.index(item.answer)]}"
    return item.answer and f"Answer: {item.answer}"


def _markdown(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    """A heading, bold numbers, the choices or else the lines of the answer as a list."""
    listed = item.choices or item.answer.splitlines()
    question = NUMBER.sub(r"**\g<0>**", item.question)
    items = "\n".join(f"- {line}" for line in filter(str.strip, listed))
    answer = f"**{_letter_line(item)}**" if item.choices and item.answer else ""
    return "\n\n".join(filter(None, [item.passage, f"### Question\n\n{question}", items, answer]))


def _latex(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    """Numbers in mathematics, special characters escaped, choices or answer as an enumeration."""
    listed = item.choices or item.answer.splitlines()
    items = "\n".join(f"  \\item {_tex(line)}" for line in filter(str.strip, listed))
    body = f"\\begin{{problem}}\n{_tex(item.question)}\n\\end{{problem}}"
    end = f"\\begin{{enumerate}}\n{items}\n\\end{{enumerate}}" if items else ""
    return lines(_tex(item.passage), body, end)


def _tex(text: str) -> str:
    return NUMBER.sub(r"$\g<0>$", LATEX_SPECIAL.sub(r"\\\g<0>", text))


def _html(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    """Paragraphs with line breaks, the choices as a list, a bold answer; `&<>` escaped."""
    choices = "\n".join(f"<li>{_markup(choice)}</li>" for choice in item.choices)
    return lines(
        item.passage and f"<blockquote>{_markup(item.passage)}</blockquote>",
        f'<p class="question">{_markup(item.question)}</p>',
        choices and f'<ol type="A">\n{choices}\n</ol>',
        item.answer and f"<p><b>Answer:</b> {_markup(item.answer)}</p>",
    )


def _markup(text: str) -> str:
    return "<br>\n".join(html.escape(text, quote=False).splitlines())


RENDERED: Final[dict[str, Form]] = {
    "Markdown": Form(_markdown, "contaminated", "heading, bold numbers, list"),
    "LaTeX": Form(_latex, "contaminated", "numbers in mathematics, escapes, enumeration"),
    "HTML": Form(_html, "contaminated", "elements around all parts, line breaks, escapes"),
    "lettered choices": Form(_lettered, "contaminated", "choices behind A, B, C and the letter"),
    "shuffled choices": Form(
        _shuffled_choices, "contaminated", "lettered choices in another order"
    ),
}
