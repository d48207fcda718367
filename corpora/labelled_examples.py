"""Texts with their domains, which a classifier is fitted on: a small file that a user made.

JSON Lines, JSON, Parquet, CSV or TSV with the columns `text` and `domain`. As with benchmarks, anything
wrong with the file ends the run: examples that are passed over would shift what the classifier learns.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from corpora.fields import BenchmarkError, FieldMap, reach
from corpora.places import open_input
from corpora.problems import CorpusError, said, shown
from corpora.records import MAX_BYTES, SUFFIXES, named_keys, records, too_large

TEXT, DOMAIN = "text", "domain"


@dataclass(frozen=True, slots=True)
class LabelledExamples:
    """Examples in the order of the file, without nulls; `digest` is the SHA-256 of its bytes."""

    path: str
    digest: str
    texts: pa.LargeStringArray
    domains: tuple[str, ...]


def read_examples(path: str) -> LabelledExamples:
    """Read labelled examples; raises CorpusError naming file, row and mend."""
    if not path.partition("?")[0].lower().endswith(SUFFIXES):
        raise CorpusError(
            f"{path}: is not of a known kind for examples; known are {', '.join(SUFFIXES)}"
        )
    try:
        data = _bytes(path)
        # with the columns named, no layout of a benchmark is looked for
        fields = FieldMap(question=(TEXT,), answer=(DOMAIN,))
        found = [
            (_value(path, row, record, TEXT), _value(path, row, record, DOMAIN))
            for row, record in records(data, path.partition("?")[0], fields)
        ]
    except BenchmarkError as error:
        raise CorpusError(str(error)) from error
    if not found:
        raise CorpusError(f"{path}: has no rows; give texts with their domains")
    texts, domains = zip(*found, strict=True)
    digest = hashlib.sha256(data).hexdigest()
    return LabelledExamples(path, digest, pa.array(texts, pa.large_string()), domains)


def _bytes(path: str) -> bytes:
    try:
        with open_input(path) as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; give a file of labelled texts") from error
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: cannot be read: {said(error)}; check your access to it"
        ) from error
    if len(data) > MAX_BYTES:
        raise too_large(path)
    return data


def _value(path: str, row: int, record: Mapping[str, Any], key: str) -> str:
    try:
        value = reach(record, key)
    except KeyError:
        raise CorpusError(
            f"{path}, row {row}: there is no column {key!r}, only {named_keys(dict(record))}; "
            f"examples need the columns {TEXT!r} and {DOMAIN!r}"
        ) from None
    if not isinstance(value, str) or not value.strip():
        raise CorpusError(
            f"{path}, row {row}: {key} is {shown(value)}; fill it with text or delete the row"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CorpusError(
            f"{path}, row {row}: {key} holds half a surrogate pair; write the whole character"
        ) from None
    return value
