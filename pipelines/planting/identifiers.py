"""Code that says the same: Python with other names for all that it binds."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np

from corpora.benchmarks import Item
from pipelines.planting.forms import Form
from pipelines.planting.texts import lines

CODE_MARKS: Final = ("def ", "return ", "import ", "class ")


def _renamed(item: Item, _random: np.random.Generator, _filler: Sequence[str]) -> str | None:
    """Python with other names for its functions, parameters and variables."""
    together = f"{item.question}\n{item.answer}"
    if not any(mark in together for mark in CODE_MARKS):
        return None
    if (renamed := _rename(together)) is not None:
        return renamed
    renamed = _rename(item.answer)  # the question is prose
    return None if renamed is None else lines(item.question, renamed)


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


RENAMED: Final[dict[str, Form]] = {
    "renamed identifiers": Form(_renamed, "suspect", "Python with other names for all it binds"),
}
