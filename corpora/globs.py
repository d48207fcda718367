"""Glob patterns over columns: which values fit, in time that is in proportion to the text."""

import re
from typing import Annotated, Final

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, BeforeValidator, Field

from corpora.problems import said
from corpora.yaml_file import one_or_several

_BRACKET: Final = re.compile(r"\[(!?)(\]?[^\]]*)\]")


def as_regex(pattern: str) -> str:
    """A glob pattern in the language of RE2, which takes time in proportion to the text, always."""
    regex, at = "", 0
    while at < len(pattern):
        bracket = _BRACKET.match(pattern, at)
        if pattern[at] == "[" and bracket is None:
            raise ValueError(f"the bracket of {pattern!r} is not closed; a bare one is written [[]")
        if bracket is not None:
            members = re.sub(r"([\\\[\]^])", r"\\\1", bracket[2])
            regex += f"[{'^' if bracket[1] else ''}{members}]"
            at = bracket.end()
            continue
        regex += {"*": ".*", "?": "."}.get(pattern[at]) or re.escape(pattern[at])
        at += 1
    return rf"\A(?s:{regex})\z"


def _checked(patterns: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in patterns:
        try:
            pc.match_substring_regex(pa.scalar(""), as_regex(pattern))
        except pa.ArrowInvalid as error:
            raise ValueError(f"{pattern!r} is no pattern: {said(error)}") from error
    return patterns


Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(one_or_several),
    AfterValidator(_checked),
]


def any_fits(patterns: tuple[str, ...], texts: pa.Array | pa.Scalar) -> pa.Array | pa.Scalar:
    """Whether any of the patterns fits each text; a null fits none."""
    fits = pa.scalar(False)
    for pattern in patterns:
        fits = pc.or_(fits, pc.match_substring_regex(texts, as_regex(pattern)))
    return pc.fill_null(fits, False)
