"""Characters that hide, reorder or drive a terminal, made visible.

Corpus and benchmark text is hostile: it may carry terminal control codes, bidirectional overrides
and characters of no width ("Trojan Source", Boucher and Anderson 2021, arXiv:2111.00169). Every
renderer shows such a character as its code point, `⟨U+202E⟩`, and then escapes for its own format.
"""

import re
import unicodedata
from typing import Any, Final

# Spelt out rather than asked of `unicodedata`, so that a page does not change with the Python that
# made it. Format characters with a shape of their own (Arabic number signs, hieroglyph joiners)
# and the two variation selectors of everyday emoji (U+FE0E, U+FE0F) are left alone.
HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, apart from tab and line feed
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # fillers and joiners
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, separators, bidi
    "\ufe00-\ufe0d\ufff9-\ufffb\ufffe\uffff"  # selectors, annotations, noncharacters
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and music controls
    "\U000e0000-\U000e0fff"  # tags and further selectors
    "\ud800-\udfff"  # half of a surrogate pair: not encodable as UTF-8
    "]"
)
_SPACE_RUN = re.compile(r"\s+")

# White space is what tokens differ in, so it gets signs of its own; a text's own such signs, and
# spaces of other widths, are shown as code points.
_SPACE_SIGNS: Final = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}
_SPACE_SIGN = re.compile(r"[ \n\t\r]")
_LIKE_SPACE_SIGNS = re.compile("[·⏎⇥␍◌\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]")


def visible(text: str) -> str:
    """Return `text` with hidden characters as `⟨U+XXXX⟩`; tab and line feed stay.

    A Windows line end becomes a line feed; a carriage return alone is hidden and shown.
    """
    return HIDDEN.sub(_code_point, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return the visible form of `text` with every run of white space as one space."""
    return _SPACE_RUN.sub(" ", visible(text)).strip()


def visible_token(text: str) -> str:
    """Return a token with its white space as signs: ` the` as `·the`, a line feed as `⏎`.

    The result has no white space, and tokens that differ in it alone have forms that differ. A mark
    that would join the character before it stands on a dotted circle.
    """
    if not text:
        return "(empty)"
    escaped = HIDDEN.sub(_hidden_but_spaces, _LIKE_SPACE_SIGNS.sub(_code_point, text))
    stands_alone = unicodedata.category(text[0]) not in ("Mn", "Mc", "Me")
    signs = _SPACE_SIGN.sub(lambda match: _SPACE_SIGNS[match.group()], escaped)
    return signs if stands_alone else f"◌{signs}"


def visible_everywhere(value: Any) -> Any:
    """Return a copy of JSON-like `value` whose strings, keys included, are all visible.

    Renderers start from this copy, so that no place in a template can forget to ask.
    """
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(key): visible_everywhere(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [visible_everywhere(inner) for inner in value]
    return value


def _hidden_but_spaces(match: re.Match[str]) -> str:
    return match.group() if match.group() in _SPACE_SIGNS else _code_point(match)


def _code_point(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match.group()):04X}⟩"
