"""What stage 0 of the embedding scanner rejects is looked at, and what it misses is counted."""

import json

import pytest

import scanners.semantic
from indexes.embeddings.item_search import lower_floors
from pipelines.scan import scan
from pipelines.settings import ScanSettings
from scanners.embedding import mean_items

QUESTION = (
    "A baker bakes 12 loaves of bread every morning and sells each loaf for 3 dollars. How much "
    "money does the baker earn in 7 days if all of the loaves are sold?"
)
REWORDED = (
    "Each morning, a baker makes a dozen loaves (12) of bread, and every loaf is sold at a price of "
    "3 dollars. Assuming that all loaves are sold, how much money will the baker earn over 7 days?"
)


@pytest.fixture
def here(tmp_path, write_corpus, write_benchmark, vocabulary):
    filler = " ".join(vocabulary(0, 120))
    write_corpus(tmp_path / "c.jsonl", [f"{filler}. {REWORDED} {filler}.", filler * 2])
    items = [{"id": "1", "question": QUESTION, "answer": "252"}]
    write_benchmark(tmp_path / "b.jsonl", items)
    return tmp_path


def scanned(here, **settings):
    settings = ScanSettings(
        scanners=("ngram", "embedding"), embedding_model="none", calibration="off", **settings
    )
    return scan([str(here / "c.jsonl")], [str(here / "b.jsonl")], settings, tool_version="0")


def test_a_scan_tells_what_reading_the_rejected_would_have_found(here):
    result = scanned(here)
    audit = result.run["prefilter_audit"]
    assert audit["documents"] == 2
    assert audit["nominated"] >= 1
    assert (audit["missed"], audit["missed_contaminated"]) == (0, 0)
    told = result.report["parameters"]["prefilter_audit"]
    assert told.startswith("2 documents read again with floors lower by 0.2: ")
    assert json.dumps(result.run)


def test_what_a_floor_cuts_off_is_counted_as_missed(here, monkeypatch):
    def too_strict(*given):
        meant = mean_items(*given)
        return meant._replace(lists=lower_floors(meant.lists, -0.5))  # from 0.5 to 1

    monkeypatch.setattr(scanners.semantic, "mean_items", too_strict)
    result = scanned(here)
    audit = result.run["prefilter_audit"]
    assert (audit["nominated"], result.findings.height) == (0, 0)
    assert (audit["missed"], audit["missed_contaminated"]) == (1, 1)


def test_a_scan_by_n_grams_has_nothing_to_audit(here):
    settings = ScanSettings(calibration="off")
    result = scan([str(here / "c.jsonl")], [str(here / "b.jsonl")], settings, tool_version="0")
    assert "prefilter_audit" not in result.run
