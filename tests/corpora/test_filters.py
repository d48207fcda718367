"""Filters of a mix's source: which documents belong to it."""

import json

import pytest

from corpora.documents import read_batches
from corpora.problems import CorpusError, ReadLog
from corpora.shards import Columns, resolve

ROWS = [
    {"id": "wiki/Dogs", "text": "dogs bark", "domain": "en"},
    {"id": "wiki/Talk:Dogs", "text": "do they", "domain": "en"},
    {"id": "wiki/Hunde", "text": "hunde bellen", "domain": "de"},
    {"text": "nobody knows"},
]


@pytest.fixture
def read(tmp_path):
    """The rows and texts that a mix with these filters reads."""

    def run(filters, domain=None):
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
        source = {"name": "a", "paths": ["a.jsonl"], "filters": filters, "domain": domain}
        mix = tmp_path / "mix.yaml"
        mix.write_text(
            f'name: m\nversion: "1"\nsources:\n  - {json.dumps(source)}\n', encoding="utf-8"
        )
        (shard,) = resolve([str(mix)], Columns())
        log = ReadLog()
        found = [
            (row, text)
            for batch in read_batches(shard, log)
            for row, text in zip(batch.rows.tolist(), batch.texts.to_pylist(), strict=True)
        ]
        assert log.documents == len(found)
        return found

    return run


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({"id": {"drop": "*/Talk:*"}}, [0, 2, 3]),
        ({"id": {"keep": ["wiki/*"], "drop": ["*/Talk:*"]}}, [0, 2]),
        ({"domain": {"keep": "de"}}, [2]),
        ({"domain": {"drop": ["de", "fr"]}, "id": {"keep": "wiki/?????*"}}, [1]),
        ({"id": {"keep": "nothing"}}, []),
    ],
)
def test_documents_that_do_not_pass_are_not_read_and_the_rest_keep_their_rows(read, filters, rows):
    assert read(filters) == [(row, ROWS[row]["text"]) for row in rows]


def test_the_filter_looks_at_the_column_not_at_the_domain_of_the_mix(read):
    assert [row for row, _ in read({"domain": {"keep": "de"}}, domain="wiki")] == [2]


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({}, "give id or domain"),
        ({"id": {}}, "give keep or drop"),
        (
            {"ident": {"keep": "a"}},
            "unknown key 'sources.0.filters.ident'; known keys are id, domain",
        ),
        ({"id": {"keep": "[a"}}, "not closed"),
    ],
)
def test_filters_that_say_nothing_are_refused_with_their_line(read, filters, said):
    with pytest.raises(CorpusError, match=r"mix.yaml, line 4: ") as refused:
        read(filters)
    assert said in str(refused.value)
