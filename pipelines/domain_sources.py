"""The domains of a run: from the corpus's column, from a file of rules, or from labelled examples."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from corpora.domain_rules import read_rules
from corpora.domain_source import DomainOrigin, DomainSource, Labeller
from corpora.labelled_examples import read_examples
from scanners.domain_classifier import fit_classifier


@dataclass(frozen=True, slots=True)
class Domains:
    """How each document gets its domain; without `label` the column's value is it."""

    source: DomainSource
    label: Labeller | None = None


def domains_of(rules: Path | None, examples: Path | None, seed: int = 0) -> Domains:
    """Read rules, or fit a classifier on labelled examples; with neither, the column is taken.

    Raises:
        CorpusError: the file is missing, damaged or wrong, there are too few examples, or
            scikit-learn is missing.
        ValueError: both are given.
    """
    if rules is not None and examples is not None:
        raise ValueError("domains come from rules or from examples: give one of the two")
    if rules is not None:
        read = read_rules(os.fspath(rules))
        return Domains(read.source, read.label)
    if examples is not None:
        return _fitted(os.fspath(examples), seed)
    return Domains(DomainSource())


def _fitted(path: str, seed: int) -> Domains:
    examples = read_examples(path)
    classifier, held_out = fit_classifier(examples.texts, examples.domains, seed)
    source = DomainSource(
        DomainOrigin.CLASSIFIER,
        path,
        examples.digest,
        identity=f"classifier:{classifier.digest}",
        held_out=held_out,
    )
    return Domains(source, classifier.label)
