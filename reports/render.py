"""The renderings of every kind of report by name. Each is a pure function of the report.

A report from long ago is rendered again from its JSON file alone: `find_report`, then `render_file`.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from reports import (
    audit_schema,
    calibration,
    clean_schema,
    drift_schema,
    duplicates_schema,
    schema,
    verdict_schema,
)
from reports.audit_html import render_audit_html
from reports.audit_markdown import render_audit_markdown
from reports.audit_schema import AuditReport
from reports.audit_terminal import render_audit_terminal
from reports.calibration_text import render_calibration_markdown, render_calibration_terminal
from reports.clean_render import render_clean_markdown, render_clean_terminal
from reports.drift_html import render_drift_html
from reports.drift_markdown import render_drift_markdown
from reports.drift_schema import DriftReport
from reports.drift_terminal import render_drift_terminal
from reports.duplicates_render import render_duplicates_markdown, render_duplicates_terminal
from reports.escape import HIDDEN
from reports.html import render_html
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.sarif import render_sarif
from reports.schema import Report, ReportError, load_checked
from reports.terminal import render_terminal
from reports.verdict_html import render_verdict_html
from reports.verdict_markdown import render_verdict_markdown
from reports.verdict_schema import Verdict
from reports.verdict_terminal import render_verdict_terminal


def render_json(report: Mapping[str, object]) -> str:
    """Return a report's JSON file: sorted keys, hidden characters escaped, so that it can be shown.

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

DRIFT_RENDERERS: dict[str, Callable[[DriftReport], str]] = {
    "html": render_drift_html,
    "json": render_json,
    "md": render_drift_markdown,
    "terminal": render_drift_terminal,
}


AUDIT_RENDERERS: dict[str, Callable[[AuditReport], str]] = {
    "html": render_audit_html,
    "json": render_json,
    "md": render_audit_markdown,
    "terminal": render_audit_terminal,
}


VERDICT_RENDERERS: dict[str, Callable[[Verdict], str]] = {
    "html": render_verdict_html,
    "json": render_json,
    "junit": render_junit,
    "md": render_verdict_markdown,
    "sarif": render_sarif,
    "terminal": render_verdict_terminal,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of report: its file in a result folder, what checks it, and its renderings by name."""

    file: str
    adapter: Callable[[], TypeAdapter[Any]]
    renderers: Mapping[str, Callable[[Any], str]]


# By schema; where a folder has several files, the first of these is its report.
KINDS: Final[dict[str, Kind]] = {
    schema.SCHEMA: Kind("report.json", schema.adapter, RENDERERS),
    drift_schema.SCHEMA: Kind("report.json", drift_schema.adapter, DRIFT_RENDERERS),
    audit_schema.SCHEMA: Kind("report.json", audit_schema.adapter, AUDIT_RENDERERS),
    duplicates_schema.SCHEMA: Kind(
        "duplicates.json",
        duplicates_schema.adapter,
        {
            "json": render_json,
            "md": render_duplicates_markdown,
            "terminal": render_duplicates_terminal,
        },
    ),
    verdict_schema.SCHEMA: Kind("report.json", verdict_schema.adapter, VERDICT_RENDERERS),
    calibration.SCHEMA: Kind(
        "calibration.json",
        calibration.adapter,
        {
            "json": render_json,
            "md": render_calibration_markdown,
            "terminal": render_calibration_terminal,
        },
    ),
    clean_schema.SCHEMA: Kind(
        "clean.json",
        clean_schema.adapter,
        {
            "json": render_json,
            "md": render_clean_markdown,
            "terminal": render_clean_terminal,
        },
    ),
}


def find_report(folder: Path) -> Path | None:
    """Return the file of the report in a result folder, whatever made it; None where there is none."""
    files = (folder / kind.file for kind in KINDS.values())
    return next((file for file in files if file.is_file()), None)


def render_file(path: Path, form: str) -> str:
    """Return a rendering of the report in the file at `path`.

    Args:
        path: a file that `find_report` found.
        form: the name of the rendering: html, json, md or terminal; of a gate also junit and sarif.

    Raises:
        ReportError: when the file is not a report of a schema known here, is damaged, or its kind
            has no such rendering.
        OSError: when the file cannot be read.
    """
    report = load_checked(path, {name: kind.adapter for name, kind in KINDS.items()})
    renderers = KINDS[report["schema"]].renderers
    if form not in renderers:
        raise ReportError(
            path, f"this report has no {form} rendering; choose from {', '.join(sorted(renderers))}"
        )
    return renderers[form](report)
