"""Labelled examples: every kind of file gives the same, and what is wrong is named with its row."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.labelled_examples import read_examples
from corpora.problems import CorpusError

ROWS = [{"text": "a, b\nc", "domain": "x"}, {"text": "d \u00e9", "domain": "y"}]


def test_all_kinds_give_the_same(tmp_path):
    lines = "\n".join(map(json.dumps, ROWS))
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    (tmp_path / "a.csv").write_text('domain,text\nx,"a, b\nc"\ny,d \u00e9\n')
    (tmp_path / "a.tsv").write_text('text\tdomain\n"a, b\nc"\tx\nd \u00e9\ty\n')
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    for kind in ("jsonl", "jsonl.gz", "json", "csv", "tsv", "parquet"):
        found = read_examples((tmp_path / f"a.{kind}").as_posix())
        assert found.texts.to_pylist() == ["a, b\nc", "d \u00e9"], kind
        assert found.domains == ("x", "y")
        assert len(found.digest) == 64


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"text": "a"}', "row 0: there is no column 'domain', only 'text'"),
        (
            "a.jsonl",
            '{"text": "a", "domain": "x"}\n{"text": "a", "domain": null}',
            "row 1: domain is None",
        ),
        ("a.jsonl", '{"text": " ", "domain": "x"}', "row 0: text is ' '"),
        ("a.jsonl", '{"text": "a", "domain": 3}', "row 0: domain is 3"),
        ("a.jsonl", '{"text": "\\ud800", "domain": "x"}', "row 0: text holds half a surrogate"),
        ("a.jsonl", "{", "line 1 is not JSON"),
        ("a.jsonl", "", "has no rows"),
        ("a.csv", "text,label\na,b\n", "row 0: there is no column 'domain'"),
        ("a.txt", "a", "is not of a known kind"),
        ("nowhere.csv", None, "no such file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CorpusError) as caught:
        read_examples((tmp_path / name).as_posix())
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
