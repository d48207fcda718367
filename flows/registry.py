"""All flows by name. Adding one is a file, and a line here."""

from __future__ import annotations

from typing import Any, Final

from prefect import Flow

from flows.audit import audit_flow
from flows.clean import clean_flow
from flows.drift import drift_flow
from flows.gate import gate_flow
from flows.index import index_flow
from flows.scan import scan_flow

FLOWS: Final[dict[str, Flow[..., Any]]] = {
    "index": index_flow,
    "scan": scan_flow,
    "gate": gate_flow,
    "audit": audit_flow,
    "drift": drift_flow,
    "clean": clean_flow,
}
