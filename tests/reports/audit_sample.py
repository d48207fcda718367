"""An audit of a scan, made by hand: one score that leakage explains in part."""

from reports.audit_answers import answer_score, note
from reports.audit_summary import DEFINITIONS

ROW = {
    "benchmark": "gsm8k_test", "model": "ours", "items": 1319, "samples": 1319, "score": 0.71,
    "n_dirty": 132, "n_clean": 1187, "n_left_out": 0, "suspect_points": 0.0, "score_dirty": 0.9, "score_clean": 0.69,
    "gap_dirty_minus_clean": 0.21, "ci_low": 0.15, "ci_high": 0.26, "epg_all_minus_clean": 0.021,
    "epg_low": 0.015, "epg_high": 0.026, "within_strata": 0.2, "within_low": 0.14, "within_high": 0.25,
    "design": "within strata", "leak_points": 0.02, "leak_low": 0.014, "leak_high": 0.025,
    "p_value": 0.0001, "minimal_detectable": 0.11, "q_value": 0.0002, "seen_from": 0.11,
    "strata": "length in 10 bands", "items_compared": 1319, "odds_ratio": 2.5, "odds_low": 1.5,
    "odds_high": 4.0, "adjusted_points": 0.17, "adjusted_low": 0.1, "adjusted_high": 0.22,
    "adjusted_p": 0.0002, "reference_models": 4, "did": None, "did_low": None, "did_high": None,
    "did_p": None, "did_minimal_detectable": None, "threshold": 0.6, "threshold_gap": 0.2,
    "threshold_p": 0.0005, "threshold_q": 0.0005, "threshold_dirty": 132, "clean_items": 1187, "clean_effective": 1187.0,
    "clean_score": 0.69, "clean_low": 0.663, "clean_high": 0.716,
}  # fmt: skip


def sample(report):
    """Return an audit of the scan that is the sample of the other tests."""
    name = report["benchmarks"][0]["benchmark"]
    row = ROW | {"benchmark": name}
    verdict, sentence = answer_score(row, report["benchmarks"][0], complete=True)
    return {
        "schema": "sluicegate.audit/1",
        "tool": report["tool"],
        "title": "1 of 1 score should not be quoted",
        "complete": report["complete"],
        "scan": report,
        "parameters": {"seed": 0, "clean_models": []},
        "definitions": list(DEFINITIONS),
        "score_files": [
            {"path": "s.jsonl", "digest": "0", "layout": "rows", "results": 1319, "without_item": 2, "skipped": {"a twin": 3}}
        ],
        "benchmarks": [
            {
                "benchmark": each["benchmark"], "items": each["items"], "clean_items": each["clean"],
                "clean_effective": float(each["clean"]), "lost_share": 0.0, "half_width": 0.03, "subjects": 3,
                "items_without_score": 0, "answer": None if each["benchmark"] == name else "yes",
                "sentence": "none was found",
            }
            for each in report["benchmarks"]
        ],
        "scores": [row | {"answer": verdict, "sentence": sentence, "note": note(row)}],
        "versions": ["v1", "v2"],
        "overlap_searched": True,
        "overlap_counts": [{"benchmark": name, "other_benchmark": "other", "kind": "equal", "pairs": 2}],
        "overlaps": [
            {"benchmark": name, "item_id": "1", "other_benchmark": "other", "other_item_id": "2", "kind": "equal", "score": 1.0}
        ],
    }  # fmt: skip
