"""GitHub workflow commands: the gravest reasons on the lines that declared what they are about.

GitHub shows ten annotations of a kind per step. In a message `%` and line ends are escaped, in a
property also colon and comma; nothing else has a meaning there.
"""

from __future__ import annotations

from typing import Final

from reports import view
from reports.escape import one_line, visible_everywhere
from reports.verdict_schema import Place, Result, Verdict
from reports.verdict_view import reasons, where

MAX_ANNOTATIONS: Final = 10
MAX_CHARS: Final = 500
COMMANDS: Final = {"fail": "error", "incomplete": "error", "warn": "warning"}


def render_annotations(verdict: Verdict, report: str = "report.html") -> str:
    """Return at most ten lines, gravest first; where there is more, the last one says so."""
    safe: Verdict = visible_everywhere(verdict)
    found = [reason for reason, _ in reasons(safe)]
    shown = found if len(found) <= MAX_ANNOTATIONS else found[: MAX_ANNOTATIONS - 1]
    lines = [_line(each) for each in shown]
    if len(found) > len(shown):
        more = view.plural(len(found) - len(shown), "further reason")
        lines.append(f"::notice title=sluicegate gate::{escape_message(f'{more}: see {report}')}")
    return "".join(f"{line}\n" for line in lines)


def escape_message(text: str) -> str:
    """Return text as the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Return text as a property of a command."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def _line(found: Result) -> str:
    title = f"{found['status']}: {found['rule']} ({where(found)})"
    properties = [*_place(found["place"]), f"title={_property(title)}"]
    sentence = escape_message(view.clip(one_line(found["sentence"]), MAX_CHARS))
    return f"::{COMMANDS[found['status']]} {','.join(properties)}::{sentence}"


def _place(place: Place | None) -> list[str]:
    if place is None:
        return []
    return [f"file={_property(place['file'])}", f"line={place['line']}"]


def _property(text: str) -> str:
    return escape_property(view.clip(one_line(text), MAX_CHARS))
