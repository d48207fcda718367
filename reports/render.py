"""The renderings of a report by name. Each is a pure function of the report.

A report from long ago is rendered again from its `report.json` alone: `load_report`, then one of
these.
"""

import json
import re
from collections.abc import Callable, Mapping

from reports.escape import HIDDEN
from reports.html import render_html
from reports.markdown import render_markdown
from reports.schema import Report
from reports.terminal import render_terminal


def render_json(report: Mapping[str, object]) -> str:
    """Return `report.json`, or `calibration.json`: sorted keys, hidden characters escaped, so that it can be shown.

    Raises:
        ValueError: when a number is not finite.
    """
    text = json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    # All text is inside strings, where an escape means the same; line feeds between are kept.
    return HIDDEN.sub(_escape, text) + "\n"


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match.group())[1:-1]


RENDERERS: dict[str, Callable[[Report], str]] = {
    "html": render_html,
    "json": render_json,
    "md": render_markdown,
    "terminal": render_terminal,
}
