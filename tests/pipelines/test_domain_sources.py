"""Domains of a run: what is given decides where they come from."""

import json

import pytest

from corpora.domain_source import DomainOrigin, DomainSource
from pipelines.domain_sources import domains_of


def test_without_anything_the_column_is_taken():
    domains = domains_of(None, None)
    assert domains.label is None
    assert domains.source == DomainSource()


def test_rules_give_a_labeller(tmp_path):
    (tmp_path / "rules.yaml").write_text("rules: [{domain: a, id: b}]")
    domains = domains_of(tmp_path / "rules.yaml", None)
    assert domains.source.origin is DomainOrigin.RULES
    assert domains.label is not None


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


def test_both_at_once_are_refused(tmp_path):
    with pytest.raises(ValueError, match="one of the two"):
        domains_of(tmp_path / "rules.yaml", tmp_path / "examples.jsonl")
