"""What the calibration battery plants: items in the forms in which they leak, and what is no leak.

A form turns an item into the text that a leaking document would hold, or into None where it does not
apply (choices cannot be shuffled where there are none). Words are those of the normal form, so forms
work in scripts without spaces, too. All randomness comes from the generator that is given, and words
that edits bring in are words of the document that the text is planted into.
"""

from __future__ import annotations

import ast
import html
import io
import re
import string
import tokenize
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np

from corpora.benchmarks import Item
from corpora.normal_form import words

Expected = Literal["contaminated", "suspect", "template"]
Planting = Callable[[Item, np.random.Generator, Sequence[str]], str | None]
NullPlanting = Callable[["Subject", "Subject | None", np.random.Generator], str | None]

LONG_ANSWER_WORDS: Final = 20  # shorter ones are sentences that others write, too
TRUNCATED_FROM_WORDS: Final = 16  # half of a shorter question is a phrase
SHUFFLED_FROM_WORDS: Final = 8  # different ones; fewer may fall back into their order
DISTANCE_WORDS: Final = 40  # a paragraph between question and answer
LETTERS: Final = string.ascii_uppercase
LOOK_ALIKES: Final = str.maketrans("aeopcxy", "аеорсху")
NUMBER: Final = re.compile(r"(?<![^\W\d])\d+(?![^\W\d])")
NUMBER_NAMES: Final = (
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
NUMBER_NAME: Final = re.compile(rf"\b(?:{'|'.join(NUMBER_NAMES)})\b", re.IGNORECASE)
LATEX_SPECIAL: Final = re.compile(r"[%$&#_]")
OTHER_PUNCTUATION: Final = ".,;:!?-()"
CODE_MARKS: Final = ("def ", "return ", "import ", "class ")
EDITS: Final[tuple[tuple[int, Expected], ...]] = (
    (5, "contaminated"),
    (10, "contaminated"),
    (20, "suspect"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A way in which items leak.

    `expected` is the least that counts as found; `template` means the leak type, and `contaminated`
    satisfies all three. Where `guaranteed`, the question stands there word for word, so that a
    question of 13 words must be found, always.
    """

    plant: Planting
    expected: Expected
    description: str
    guaranteed: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """An item of a null, and the word of its question before which half of its information lies.

    Half of the words can be nearly all of an item: many begin with the same sentence.
    """

    item: Item
    middle: int


@dataclass(frozen=True, slots=True)
class Null:
    """A text made of an item and another one of its benchmark that must not count as the item.

    `plant` is given None where the benchmark has no other item that is different enough.
    """

    plant: NullPlanting
    description: str


def planted_forms(paraphrases: Mapping[str, str] | None = None) -> dict[str, Form]:
    """Return all forms by name; `paraphrases` (item id to text) adds one more."""
    if not paraphrases:
        return FORMS
    form = Form(
        lambda item, _random, _filler: paraphrases.get(item.id),
        "suspect",
        "the paraphrase that was supplied for the item",
    )
    return FORMS | {"paraphrase": form}


# --- what is printed ------------------------------------------------------------------------------


def whole(item: Item) -> str:
    """Return an item as it is printed: passage, question, choices and answer, a line each."""
    return _lines(item.passage, item.question, *item.choices, item.answer)


def _lines(*parts: str) -> str:
    return "\n".join(filter(None, parts))


def _verbatim(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    return whole(item)


def _question_only(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return item.question or None


def _answer_only(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    long = not item.choices and len(words(item.answer).starts) >= LONG_ANSWER_WORDS
    return item.answer if long else None


def _answer_first(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    if not item.answer:
        return None
    return _lines(item.answer, item.passage, item.question, *item.choices)


def _at_a_distance(item: Item, random: np.random.Generator, filler: Sequence[str]) -> str | None:
    if not item.answer or not filler:
        return None
    between = " ".join(_draw(filler, random) for _ in range(DISTANCE_WORDS))
    question = _lines(item.passage, item.question, *item.choices)
    return "\n\n".join([question, between, item.answer])


def _two_paragraphs(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """A blank line in the middle of the question, between two words."""
    starts = words(item.question).starts
    if len(starts) < 2:
        return None
    middle = int(starts[len(starts) // 2])
    first, second = item.question[:middle].rstrip(), item.question[middle:]
    return _lines(item.passage, f"{first}\n\n{second}", *item.choices, item.answer)


def _truncated(
    item: Item, _random: np.random.Generator, _filler: Sequence[str], *, share: float
) -> str | None:
    ends = words(item.question).ends
    if len(ends) < TRUNCATED_FROM_WORDS:
        return None
    return item.question[: int(ends[round(share * len(ends)) - 1])]


# --- the same words -------------------------------------------------------------------------------


def _other_case(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: "".join(map(_upper, text)))


def _upper(char: str) -> str:
    """Return the capital of a letter that folds back to it (not so the Turkish dotless i)."""
    upper = char.upper()
    return upper if upper.casefold() == char.casefold() else char


def _no_punctuation(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: "".join(" " if _is_mark(c) else c for c in text))


def _other_punctuation(
    item: Item, random: np.random.Generator, _filler: Sequence[str]
) -> str | None:
    def change(text: str) -> str:
        return "".join(
            _draw(OTHER_PUNCTUATION.replace(c, ""), random) if _is_mark(c) else c for c in text
        )

    return _changed(item, change)


def _is_mark(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")


def _full_width(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    forms = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    return _changed(item, lambda text: text.translate(forms))


def _zero_width(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """A zero-width space after every second letter of a word."""
    return _changed(item, lambda text: re.sub(r"(\w\w)(?=\w)", "\\1\N{ZERO WIDTH SPACE}", text))


def _cyrillic(item: Item, random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    def change(text: str) -> str:
        swapped = random.random(len(text)) < 0.5
        return "".join(
            c.translate(LOOK_ALIKES) if s else c for c, s in zip(text, swapped, strict=True)
        )

    return _changed(item, change)


def _decomposed(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    return _changed(item, lambda text: unicodedata.normalize("NFD", text))


def _changed(item: Item, change: Callable[[str], str]) -> str | None:
    """Return the changed item; None where that changes nothing in its question."""
    if change(item.question) == item.question:
        return None
    return change(whole(item))


# --- the same item, rendered ----------------------------------------------------------------------


def _lettered(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    if not _fits_letters(item):
        return None
    return _lines(item.passage, item.question, *_with_letters(item.choices), _letter_line(item))


def _shuffled_choices(
    item: Item, random: np.random.Generator, _filler: Sequence[str]
) -> str | None:
    if not _fits_letters(item) or len(set(item.choices)) < 3:
        return None
    choices = item.choices
    while choices == item.choices:  # three different ones: soon another order
        choices = tuple(choices[at] for at in random.permutation(len(choices)))
    answer = item.answer and f"Answer: {item.answer}"
    return _lines(item.passage, item.question, *_with_letters(choices), answer)


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
    return _lines(_tex(item.passage), body, end)


def _tex(text: str) -> str:
    return NUMBER.sub(r"$\g<0>$", LATEX_SPECIAL.sub(r"\\\g<0>", text))


def _html(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str:
    """Paragraphs with line breaks, the choices as a list, a bold answer; `&<>` escaped."""
    choices = "\n".join(f"<li>{_markup(choice)}</li>" for choice in item.choices)
    return _lines(
        item.passage and f"<blockquote>{_markup(item.passage)}</blockquote>",
        f'<p class="question">{_markup(item.question)}</p>',
        choices and f'<ol type="A">\n{choices}\n</ol>',
        item.answer and f"<p><b>Answer:</b> {_markup(item.answer)}</p>",
    )


def _markup(text: str) -> str:
    return "<br>\n".join(html.escape(text, quote=False).splitlines())


# --- edits ----------------------------------------------------------------------------------------


def _numbers_swapped(item: Item, random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """Another number in the place of each, in digits or in words."""
    if not NUMBER.search(item.question):
        return None
    text = NUMBER.sub(partial(_other_number, random=random), whole(item))
    return NUMBER_NAME.sub(partial(_other_name, random=random), text)


def _other_number(match: re.Match[str], random: np.random.Generator) -> str:
    """Return another number of about as many digits."""
    size = len(match[0])
    digits = "".join(str(d) for d in random.integers(1, 10, size))
    return digits if digits != match[0] else f"{digits[:-1]}{int(digits[-1]) % 9 + 1}"


def _other_name(match: re.Match[str], random: np.random.Generator) -> str:
    others = [name for name in NUMBER_NAMES if name != match[0].lower()]
    other = _draw(others, random)
    return other.capitalize() if match[0][0].isupper() else other


def _edited(
    item: Item,
    random: np.random.Generator,
    filler: Sequence[str],
    *,
    share: float,
    edit: Callable[[str, str], str],
) -> str | None:
    """Edit a share of the words of the whole item; None where that is less than one word."""
    text = whole(item)
    places = words(text)
    count = int(share * len(places.starts))
    if count < 1 or not filler:
        return None
    chosen = random.choice(len(places.starts), count, replace=False)
    for at in sorted(chosen.tolist(), reverse=True):  # from the end: earlier places stay
        start, end = int(places.starts[at]), int(places.ends[at])
        text = text[:start] + edit(text[start:end], _draw(filler, random)) + text[end:]
    return text


def _replace(_word: str, new: str) -> str:
    return f" {new} "


def _delete(_word: str, _new: str) -> str:
    return " "


def _insert(word: str, new: str) -> str:
    return f" {new} {word}"


def _renamed(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """Python with other names for its functions, parameters and variables."""
    together = f"{item.question}\n{item.answer}"
    if not any(mark in together for mark in CODE_MARKS):
        return None
    if (renamed := _rename(together)) is not None:
        return renamed
    renamed = _rename(item.answer)  # the question is prose
    return None if renamed is None else _lines(item.question, renamed)


def _rename(code: str) -> str | None:
    """Return code with other names; None where it is no Python or binds no name."""
    try:
        bound, functions = _bound_names(code)
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (SyntaxError, ValueError, RecursionError, tokenize.TokenError):
        return None
    new = {name: f"{name[0]}{number}" for number, name in enumerate(sorted(bound))}
    called = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(functions)))})(?=\()")
    lines = list(io.StringIO(code))
    for token in reversed(tokens):  # from the end: earlier places stay
        row, start = token.start
        if token.type == tokenize.NAME and token.string in new:
            line = lines[row - 1]
            lines[row - 1] = line[:start] + new[token.string] + line[token.end[1] :]
    renamed = "".join(lines)
    if functions:  # in examples of docstrings, too
        renamed = called.sub(lambda match: new[match[0]], renamed)
    return renamed if bound else None


def _bound_names(code: str) -> tuple[set[str], set[str]]:
    """Return the names that code gives to functions, parameters and variables; and the functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in code that is not ours
        nodes = list(ast.walk(ast.parse(code)))
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    parameters = {node.arg for node in nodes if isinstance(node, ast.arg)} - {"self", "cls"}
    stored = {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return functions | parameters | stored, functions


# --- what is no leak ------------------------------------------------------------------------------


def _words_shuffled(
    own: Subject, _other: Subject | None, random: np.random.Generator
) -> str | None:
    texts = word_texts(whole(own.item))
    if len(set(texts)) < SHUFFLED_FROM_WORDS:
        return None
    return " ".join(texts[at] for at in random.permutation(len(texts)))


def _spliced(own: Subject, other: Subject | None, _random: np.random.Generator) -> str | None:
    """Join the words before the middle of one question and those after it of the other."""
    if other is None:
        return None
    first, second = own.item.question, other.item.question
    ends, starts = words(first).ends, words(second).starts
    if own.middle < 1 or other.middle + 1 >= len(starts):
        return None
    return f"{first[: int(ends[own.middle - 1])]} {second[int(starts[other.middle + 1]) :]}"


def _sibling(_own: Subject, other: Subject | None, _random: np.random.Generator) -> str | None:
    return None if other is None else whole(other.item)


def _nothing(_own: Subject, _other: Subject | None, _random: np.random.Generator) -> str:
    return ""


def word_texts(text: str) -> list[str]:
    """Return the words of a text as they are written, in order."""
    places = words(text)
    return [text[a:b] for a, b in zip(places.starts.tolist(), places.ends.tolist(), strict=True)]


def _draw(choices: Sequence[str], random: np.random.Generator) -> str:
    return choices[int(random.integers(len(choices)))]


def _edit_forms() -> Iterator[tuple[str, Form]]:
    """Yield the forms with a share of the words edited, the slightest first."""
    for percent, expected in EDITS:
        for done, edit in (("replaced", _replace), ("deleted", _delete), ("inserted", _insert)):
            yield (
                f"{percent}% of words {done}",
                Form(
                    partial(_edited, share=percent / 100, edit=edit),
                    expected,
                    f"{percent} of 100 words of the whole item {done}, at random places",
                ),
            )


FORMS: Final[dict[str, Form]] = {
    "verbatim": Form(_verbatim, "contaminated", "question, choices and answer as they are", True),
    "question only": Form(_question_only, "contaminated", "the question as it is", True),
    "answer only": Form(_answer_only, "suspect", "a long free-text answer as it is"),
    "answer first": Form(_answer_first, "contaminated", "the answer before the question"),
    "answer at a distance": Form(
        _at_a_distance, "contaminated", f"{DISTANCE_WORDS} other words between question and answer"
    ),
    "two paragraphs": Form(
        _two_paragraphs, "contaminated", "a blank line in the middle of the question", True
    ),
    "upper case": Form(_other_case, "contaminated", "all letters in upper case", True),
    "no punctuation": Form(
        _no_punctuation, "contaminated", "a space for each punctuation mark", True
    ),
    "other punctuation": Form(
        _other_punctuation, "contaminated", "another mark for each punctuation mark", True
    ),
    "full-width": Form(_full_width, "contaminated", "full-width letters and digits", True),
    "zero-width": Form(_zero_width, "contaminated", "zero-width spaces inside words", True),
    "Cyrillic look-alikes": Form(
        _cyrillic, "contaminated", "half of the letters a, c, e, o, p, x, y Cyrillic"
    ),
    "decomposed": Form(_decomposed, "contaminated", "accents as characters of their own (NFD)"),
    "Markdown": Form(_markdown, "contaminated", "heading, bold numbers, list"),
    "LaTeX": Form(_latex, "contaminated", "numbers in mathematics, escapes, enumeration"),
    "HTML": Form(_html, "contaminated", "elements around all parts, line breaks, escapes"),
    "lettered choices": Form(_lettered, "contaminated", "choices behind A, B, C and the letter"),
    "shuffled choices": Form(
        _shuffled_choices, "contaminated", "lettered choices in another order"
    ),
    "numbers swapped": Form(
        _numbers_swapped, "template", "another number in the place of each: a sibling"
    ),
    **dict(_edit_forms()),
    "truncated to 75%": Form(
        partial(_truncated, share=0.75), "suspect", "the first 75% of the words of the question"
    ),
    "truncated to 50%": Form(
        partial(_truncated, share=0.5), "suspect", "the first half of the words of the question"
    ),
    "renamed identifiers": Form(_renamed, "suspect", "Python with other names for all it binds"),
}  # fmt: skip

NULLS: Final[dict[str, Null]] = {
    "shuffled words": Null(_words_shuffled, "the words of the item in random order"),
    "spliced halves": Null(
        _spliced, "the first half of a question and the second of another, by information"
    ),
    "sibling item": Null(
        _sibling, "another item of the benchmark, as alike as any with under half of its words"
    ),
    "plain document": Null(_nothing, "a document that holds less than a third of the item"),
}
