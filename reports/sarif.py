"""`results.sarif`: SARIF 2.1.0, for code scanning on the file that declared the mix.

A result is a rule in a scope, or each of its items where all of them are known; so an alert stays the
same alert from run to run, whatever the scores. Its place is the line of the mix or of the policy
that its reader can change; shard, benchmark and item are logical locations.

OASIS, Static Analysis Results Interchange Format 2.1.0, sections 3.11 (messages), 3.27 (results).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from reports import verdict_view
from reports.escape import HIDDEN, one_line, visible_everywhere
from reports.results import fingerprint
from reports.rules import RULES
from reports.verdict_schema import Evidence, Place, Result, Verdict

MAX_RESULTS: Final = 1_000  # viewers show 5,000 at most, and nobody reads so many
MAX_CHARS: Final = 1_000
SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {"fail": "error", "incomplete": "error", "warn": "warning", "waived": "warning"}


def render_sarif(verdict: Verdict) -> str:
    """Return the verdict for code scanning; what passed or was skipped is not in it."""
    safe: Verdict = visible_everywhere(verdict)
    results = list(_results(safe))
    shown = results[:MAX_RESULTS]
    used = sorted({entry["ruleId"] for entry in shown})
    for entry in shown:
        entry["ruleIndex"] = used.index(entry["ruleId"])
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": safe["tool"]["name"],
                "version": safe["tool"]["version"],
                "rules": [_rule(name) for name in used],
            }
        },
        "automationDetails": {"id": "sluicegate/gate/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": safe["verdict"] != "incomplete",
                "exitCode": safe["exit_status"],
            }
        ],
        "properties": {
            "verdict": safe["verdict"],
            "title": safe["title"],
            "date": safe["date"],
            "policyDigest": safe["judged"]["policy_digest"],
            "resultsLeftOut": len(results) - len(shown),
        },
        "results": shown,
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    return HIDDEN.sub(lambda match: json.dumps(match.group())[1:-1], text) + "\n"


def _results(verdict: Verdict) -> Iterator[dict[str, Any]]:
    told: set[tuple[str, str]] = set()  # an item stands under its gravest rule only
    for found in verdict["results"]:
        if found["status"] not in LEVELS:
            continue
        items = [each for each in found["evidence"] if each["kind"] == "item"]
        if not items or found["evidence_total"] > len(items):
            yield _result(found, None, verdict)
            continue
        for item in items:
            key = (found["scope"]["name"], item["name"])
            if key not in told:
                told.add(key)
                yield _result(found, item, verdict)


def _result(found: Result, item: Evidence | None, verdict: Verdict) -> dict[str, Any]:
    names = [found["rule"], found["scope"]["kind"], found["scope"]["name"]]
    words = found["sentence"]
    if item is not None:
        names.append(item["name"])
        words = f"{found['scope']['name']} {item['name']}: {item['text']}{_at(item)}. {words}"
    entry: dict[str, Any] = {
        "ruleId": found["rule"],
        "level": LEVELS[found["status"]],
        "message": {"text": message(words)},
        "locations": [_location(found, item, verdict)],
        "partialFingerprints": {"sluicegate/v1": fingerprint(*names)},
        "properties": {
            "status": found["status"],
            "measured": found["measured"],
            "limit": found["limit"],
            "floor": found["floor"],
            "unit": found["unit"],
            "command": found["command"],
        },
    }
    if found["status"] == "waived":
        entry["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": one_line(found["sentence"])}
        ]
    return entry


def message(words: str) -> str:
    """Return words as a plain text message: brackets would make a link of hostile text."""
    line = one_line(words)[:MAX_CHARS]
    return line.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _at(item: Evidence) -> str:
    return "" if item["shard"] is None else f" at {item['shard']}:{item['row']}"


def _location(found: Result, item: Evidence | None, verdict: Verdict) -> dict[str, Any]:
    place = (None if item is None else item["place"]) or found["place"] or _any_place(verdict)
    location: dict[str, Any] = {"logicalLocations": list(_logical(found, item))}
    if place is not None:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": uri(place["file"])},
            "region": {"startLine": place["line"]},
        }
    return location


def _any_place(verdict: Verdict) -> Place | None:
    """Return the head of the mix, or of the policy: code scanning drops what stands nowhere."""
    file = verdict["judged"]["mix"] or verdict["judged"]["policy_file"]
    return {"file": file, "line": 1} if file else None


def _logical(found: Result, item: Evidence | None) -> Iterator[dict[str, str]]:
    yield {
        "name": found["scope"]["name"] or "mix",
        "fullyQualifiedName": verdict_view.where(found),
        "kind": "namespace",
    }
    if item is not None:
        yield {"name": item["name"], "fullyQualifiedName": f"{found['scope']['name']}/{item['name']}", "kind": "object"}  # fmt: skip
        if item["shard"] is not None:
            yield {"name": item["shard"], "fullyQualifiedName": f"{item['shard']}:{item['row']}", "kind": "resource"}  # fmt: skip


def uri(file: str) -> str:
    """Return a file as a URI reference; a path from the root gets its scheme."""
    if "://" in file:
        return quote(file, safe="/:@?&=%+,;~")
    return ("file://" if file.startswith("/") else "") + quote(file, safe="/@+,;~")


def _rule(name: str) -> dict[str, Any]:
    rule = RULES.get(name)
    words = name if rule is None else f"{rule.words[:1].upper()}{rule.words[1:]}"
    return {
        "id": name,
        "shortDescription": {"text": words},
        "help": {
            "text": f"A limit of the policy: the key {name}. `sluicegate policy check` explains it."
        },
        "defaultConfiguration": {"level": "error"},
    }
