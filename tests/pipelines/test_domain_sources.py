"""Domains of a run: what is given decides where they come from, and the lines say how good they are."""

import json

import numpy as np
import pytest

from corpora.domain_source import DomainOrigin, DomainSource, HeldOut
from pipelines.domain_sources import described, domains_of


def test_without_anything_the_column_is_taken():
    domains = domains_of(None, None)
    assert domains.label is None
    assert domains.source == DomainSource()
    assert described(domains.source) == []


def test_rules_give_a_labeller(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: [{domain: a, id: b}]")
    domains = domains_of(tmp_path / "rules.yaml", None)
    assert domains.source.origin is DomainOrigin.RULES
    assert domains.label is not None
    assert described(domains.source) == []


def test_examples_give_a_labeller_that_was_measured(tmp_path):
    pytest.importorskip("sklearn")
    rows = [{"text": f"def f{i}():\n    return {i}", "domain": "code"} for i in range(30)]
    rows += [{"text": f"The {i}th of them went home.", "domain": "prose"} for i in range(30)]
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    domains = domains_of(None, path, seed=1)
    assert domains.source.origin is DomainOrigin.CLASSIFIER
    assert domains.source.file == path.as_posix()
    assert domains.source.identity.startswith("classifier:")
    assert domains.source.held_out.examples == 60
    assert domains.label is not None


def test_the_measure_is_printed_with_intervals():
    held_out = HeldOut(("code", "docs"), np.array([[45, 5], [0, 50]]))
    assert described(DomainSource(held_out=held_out)) == [
        "domains by classifier: 95.0% of 100 held-out examples right (95 % interval 88.7% to 98.4%); "
        "expect less on new sources",
        "  code   90.0% of 50 (78.2% to 96.7%), most often taken for docs",
        "  docs  100.0% of 50 (92.9% to 100.0%)",
    ]


def test_both_at_once_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one of the two"):
        domains_of(tmp_path / "rules.yaml", tmp_path / "examples.jsonl")
