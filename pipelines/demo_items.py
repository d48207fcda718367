"""The benchmarks of `sluicegate demo`: functions of the standard library, and items that leaked nowhere."""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.demo_corpus import Document

ORIGINAL_ITEMS = Path(__file__).with_name("demo_data") / "original_items.jsonl"
FUNCTION_ITEMS = 300

_ITEMS_PER_MODULE = 3  # of functions, so that no single module makes up the benchmark
_ANSWER_WORDS = 13  # the run that the scan guarantees to find


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a benchmark, in Sluicegate's own layout."""

    id: str
    question: str
    choices: tuple[str, ...]
    answer: str


def read_originals() -> list[Item]:
    """Return the items that were written for the demo and leaked nowhere."""
    rows = map(json.loads, ORIGINAL_ITEMS.read_text(encoding="utf-8").splitlines())
    return [Item(**{**row, "choices": tuple(row["choices"])}) for row in rows]


def function_items(documents: list[Document], rng: np.random.Generator) -> list[Item]:
    """Return at most `FUNCTION_ITEMS` items from modules taken in random order, sorted by id."""
    items: dict[str, Item] = {}
    for place in rng.permutation(len(documents)):
        for item in _functions_of(documents[place])[:_ITEMS_PER_MODULE]:
            items.setdefault(item.question, item)  # some modules are copies of others
        if len(items) >= FUNCTION_ITEMS:
            break
    chosen = {item.id: item for item in list(items.values())[:FUNCTION_ITEMS]}
    return [chosen[item_id] for item_id in sorted(chosen)]


def _functions_of(document: Document) -> list[Item]:
    """Return the functions of a module that make an item, in the order of the source."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes in sources that are not ours
        try:
            tree = ast.parse(document.text)
        except SyntaxError:
            return []
    module = document.id.removeprefix("stdlib/").removesuffix(".py").replace("/", ".")
    lines = document.text.split("\n")
    found = {
        f"{module}.{name}": function for name, function in _walk(tree.body) if _makes_item(function)
    }
    items = (_function_item(name, function, lines) for name, function in found.items())
    return [item for item in items if len(re.findall(r"\w+", item.answer)) >= _ANSWER_WORDS]


def _walk(body: list[ast.stmt]) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield functions and methods with their qualified names; functions in functions are left out."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for name, function in _walk(node.body):
                yield f"{node.name}.{name}", function


def _makes_item(function: ast.FunctionDef) -> bool:
    """Tell whether the docstring has eight words and the body two statements on their own lines."""
    docstring = ast.get_docstring(function, clean=False) or ""
    return (
        len(docstring.split()) >= 8
        and len(function.body) >= 3
        and function.body[0].lineno > function.lineno
        and function.body[1].lineno > (function.body[0].end_lineno or 0)
    )


def _function_item(name: str, function: ast.FunctionDef, lines: list[str]) -> Item:
    """Take signature and docstring as the question, the rest as the answer, as they stand."""
    end_of_question = function.body[0].end_lineno
    question = "\n".join(lines[function.lineno - 1 : end_of_question])
    answer = "\n".join(lines[end_of_question : function.end_lineno])
    return Item(name, textwrap.dedent(question), (), textwrap.dedent(answer).strip("\n"))
