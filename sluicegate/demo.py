"""The last lines of the demo: what was planted against what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.demo_inputs import DemoInputs
    from pipelines.scan import ScanResult


def hold_against(result: ScanResult, inputs: DemoInputs) -> str:
    """Say in words which planted copies were found, and whether anything else was."""
    status = {
        item: state
        for benchmark, item, state in result.items.select(
            "benchmark", "item_id", "status"
        ).iter_rows()
        if benchmark == "original"
    }
    places = {
        (item, shard, row)
        for item, shard, row in result.findings.select("item_id", "shard", "row").iter_rows()
    }
    lines = ["", "planted copies of the original items, and what the scan says of them:"]
    for copy in inputs.planted:
        shard = (inputs.corpus / copy.shard).as_posix()
        there = "at its place" if (copy.item_id, shard, copy.row) in places else "NOT at its place"
        lines.append(f"  {copy.form:<24} {copy.item_id:<20} {status[copy.item_id]:<13} {there}")
    planted = {copy.item_id for copy in inputs.planted}
    others = {item: state for item, state in status.items() if item not in planted}
    wrong = sorted(item for item, state in others.items() if state == "contaminated")
    lines.append(
        f"original items that were not planted: {len(others)}, of them called contaminated: "
        f"{len(wrong)}{' ' + ', '.join(wrong) if wrong else ''}"
    )
    return "\n".join(lines)
