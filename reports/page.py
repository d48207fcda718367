"""What every page of ours shares: templates, style sheets, and the policy that lets nothing else apply.

A page declares a content-security-policy under which only its own style sheet, named by its hash,
may apply: should a character of corpus text ever escape its escaping, it can neither run nor load
anything. Jinja2 escapes every value; `escape` made hidden characters visible before that.
"""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from reports import view

TEMPLATES: Final = Path(__file__).with_name("templates")
_JOINT: Final = re.compile(r"(?<=[_/.:-])(?=\w)")
BASE: Final = "base.css"  # what all pages share; a page's own sheet stands after it


def render_page(template: str, *sheets: str, **values: Any) -> str:
    """Return a page of a template of `TEMPLATES`, with the style sheets after the common one."""
    text = style(*sheets)
    return (
        environment()
        .get_template(template)
        # our own file, not text of the corpus
        .render(style=Markup(text), style_hash=style_hash(text), **values)
    )


def style(*sheets: str) -> str:
    """Return the common style sheet and a page's own as one."""
    return "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in (BASE, *sheets))


def style_hash(text: str) -> str:
    """Return the content-security-policy source that allows exactly this style sheet."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def breakable(name: str) -> Markup:
    """Return a name as HTML that may be broken after its joints, as in `code_` `python`."""
    return Markup("<wbr>").join(escape(part) for part in _JOINT.split(name))


@cache
def environment() -> Environment:
    """Return the templates; they escape every value and refuse a name that is not there."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.globals.update(view=view)
    found.filters["breakable"] = breakable
    return found
