"""The planted copies of `sluicegate demo`: items in edited forms, laid into real documents."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pipelines.demo_corpus import Document, shard_name
from pipelines.demo_items import Item

PLANTED_ITEMS = 16

_HOST_CHARS = 1_500  # shorter documents would be little more than the planted copy
_HOST_DOMAINS = ("docstrings", "licences", "package_docs", "packages_code", "stdlib_tests")


@dataclass(frozen=True, slots=True)
class PlantedCopy:
    """Where a copy of an original item was planted.

    `shard` is relative to the corpus folder, `row` counts from 0, `form` is a key of `FORMS`.
    """

    item_id: str
    shard: str
    row: int
    form: str


def plant_copies(
    corpus: dict[str, list[Document]], items: list[Item], rng: np.random.Generator
) -> list[PlantedCopy]:
    """Write edited copies of `PLANTED_ITEMS` items into documents of `corpus`, in place."""
    hosts = [
        (domain, row)
        for domain in _HOST_DOMAINS
        for row, document in enumerate(corpus.get(domain, []))
        if len(document.text) >= _HOST_CHARS
    ]
    chosen = _items_and_forms(items, rng)
    places = rng.choice(len(hosts), size=len(chosen), replace=False)
    planted = []
    for (item, form), place in zip(chosen, places, strict=True):
        domain, row = hosts[place]
        host = corpus[domain][row]
        copy = FORMS[form](item, host.text, rng)
        corpus[domain][row] = replace(host, text=_insert(host.text, copy, rng))
        planted.append(PlantedCopy(item.id, shard_name(domain), row, form))
    return sorted(planted, key=lambda copy: copy.item_id)


def _items_and_forms(items: list[Item], rng: np.random.Generator) -> list[tuple[Item, str]]:
    """Go round the forms and give each a random item that suits it, none twice."""
    left = [items[place] for place in rng.permutation(len(items))]
    chosen = []
    for turn in range(PLANTED_ITEMS):
        form = list(FORMS)[turn % len(FORMS)]
        item = next(item for item in left if _suits(item, form))
        left.remove(item)
        chosen.append((item, form))
    return chosen


def _suits(item: Item, form: str) -> bool:
    """Tell whether the form changes the item and leaves it recognisable."""
    if form == "markdown_list":
        return bool(item.choices)
    if form in {"full_width", "look_alikes", "words_replaced"}:
        return item.question.isascii()  # needs Latin letters and spaces between the words
    return True


def _insert(text: str, copy: str, rng: np.random.Generator) -> str:
    """Put the copy as a paragraph of its own between two random lines."""
    ends = [match.end() for match in re.finditer("\n", text)] or [len(text)]
    place = ends[int(rng.integers(len(ends)))]
    return f"{text[:place]}\n{copy}\n\n{text[place:]}"


def _whole(item: Item) -> str:
    return "\n".join([item.question, *item.choices, item.answer])


def _verbatim(item: Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item)


def _question_only(item: Item, _host: str, _rng: np.random.Generator) -> str:
    return item.question


def _answer_first(item: Item, _host: str, _rng: np.random.Generator) -> str:
    return "\n".join([item.answer, item.question, *item.choices])


def _words_replaced(item: Item, host: str, rng: np.random.Generator) -> str:
    """Make one word of ten, of the question and what follows, a word of the host document."""
    words = re.split(r"(\s+)", _whole(item))  # words at even places, white space between them
    spare = re.findall(r"[A-Za-z]{3,}", host) or ["word"]
    count = len(words) // 2 + 1
    for place in rng.choice(count, size=max(1, count // 10), replace=False):
        words[2 * place] = spare[int(rng.integers(len(spare)))]
    return "".join(words)


def _full_width(item: Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item).translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})


def _zero_width(item: Item, _host: str, _rng: np.random.Generator) -> str:
    """Put a zero-width space after every second letter."""
    return re.sub(r"(\w\w)(?=\w)", "\\1\N{ZERO WIDTH SPACE}", _whole(item))


def _look_alikes(item: Item, _host: str, _rng: np.random.Generator) -> str:
    return _whole(item).replace("e", "\N{CYRILLIC SMALL LETTER IE}")


def _markdown_list(item: Item, _host: str, _rng: np.random.Generator) -> str:
    choices = [
        f"- **{letter}.** {choice}" for letter, choice in zip("ABCD", item.choices, strict=True)
    ]
    letter = "ABCD"[item.choices.index(item.answer)]
    return "\n".join([f"### {item.question}", "", *choices, "", f"**Answer: {letter}**"])


def _two_paragraphs(item: Item, _host: str, _rng: np.random.Generator) -> str:
    """Put a blank line in the middle of the question, at a space where there is one."""
    middle = len(item.question) // 2
    place = item.question.find(" ", middle)
    place = middle if place < 0 else place
    first, second = item.question[:place], item.question[place:].lstrip()
    return "\n".join([first, "", second, *item.choices, item.answer])


FORMS: dict[str, Callable[[Item, str, np.random.Generator], str]] = {
    "verbatim": _verbatim,
    "question_only": _question_only,
    "answer_first": _answer_first,
    "words_replaced": _words_replaced,
    "full_width": _full_width,
    "zero_width": _zero_width,
    "look_alikes": _look_alikes,
    "markdown_list": _markdown_list,
    "two_paragraphs": _two_paragraphs,
}
