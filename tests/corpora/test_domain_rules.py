"""Rules for domains: the first that fits wins, patterns mean what the docs say, mistakes are named."""

import fnmatch
import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.documents import Batch, read_batches
from corpora.domain_rules import read_rules
from corpora.domain_source import DomainOrigin
from corpora.globs import as_regex
from corpora.problems import CorpusError, ReadLog
from corpora.shards import Columns, Compression, Format, Shard, resolve

RULES = """\
rules:
  - domain: code
    path: "github/*"
    id: ["*.py", "*.c"]
  - domain: docs
    value: "*.readthedocs.io/*"
  - domain: docs
    value:
      - "https://docs.*"
  - domain: books
    path: "*/books-?????.jsonl"
default: web
"""


def batch(path="web/a.jsonl", ids=(), values=()):
    n = max(len(ids), len(values))
    texts = pa.array(["text"] * n, pa.large_string())
    shard = Shard(path, Format.JSONL, Compression.NONE, Columns(), None, 1)
    columns = [pa.array(each or [None] * n, pa.large_string()) for each in (ids, values)]
    return Batch(shard, np.arange(n), texts, *columns)


@pytest.fixture
def rules(tmp_path):
    return lambda text: read_rules(write(tmp_path, text))


def write(folder, text):
    path = folder / "rules.yaml"
    path.write_text(text)
    return path.as_posix()


def labels(rules, **columns):
    found = rules.label(batch(**columns))
    assert found.type == pa.large_string()
    return found.to_pylist()


def test_the_first_rule_that_fits_wins(rules):
    ids = ["a/b.py", "a/b.md", "x.c", None, "a.PY"]
    assert labels(rules(RULES), path="github/x.jsonl", ids=ids) == [
        "code", "web", "code", "web", "web",
    ]  # fmt: skip
    assert labels(rules(RULES), ids=ids) == ["web"] * 5  # the path does not fit
    both = "rules: [{domain: a, id: 'x*'}, {domain: b, id: '*y'}]"
    assert labels(rules(both), ids=["xy", "y", "x", "z"]) == ["a", "b", "a", None]


def test_near_urls_are_told_apart(rules):
    urls = [
        "https://flask.readthedocs.io/en/latest/",
        "https://readthedocs.io/about",  # no dot before it
        "https://flask.readthedocs.io",  # no slash after it
        "https://docs.python.org/3/",
        "http://docs.python.org/3/",
        "https://example.org/?see=https://docs.python.org",
        None,
    ]
    assert labels(rules(RULES), values=urls) == [
        "docs", "web", "web", "docs", "web", "web", "web",
    ]  # fmt: skip


def test_a_path_rule_labels_the_whole_shard_and_a_url_is_seen_without_its_query(rules):
    for path in (
        "mix/books-00000.jsonl",
        "s3://b/books-00000.jsonl?endpoint_override=localhost:9000",
    ):
        assert labels(rules(RULES), path=path, ids=["a", "b"]) == ["books", "books"]
    assert labels(rules(RULES), path="mix/books-0000.jsonl", ids=["a"]) == ["web"]


def test_the_value_is_that_of_the_chosen_column(rules, tmp_path):
    lines = [
        '{"text": "a", "meta": {"url": "https://docs.x.org/"}}',
        '{"text": "b", "meta": {"url": "https://x.org/"}}',
        '{"text": "c"}',
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (shard,) = resolve([(tmp_path / "a.jsonl").as_posix()], Columns(domain="meta.url"))
    found = [rules(RULES).label(b).to_pylist() for b in read_batches(shard, ReadLog())]
    assert found == [["docs", "web", "web"]]


@given(
    st.text("ab/.*?[]!^-\\n\u00e9", max_size=6),
    st.lists(st.text("ab/.\\^]n\u00e9\n", max_size=5), max_size=5),
)
def test_patterns_mean_what_fnmatch_means(pattern, texts):
    import pyarrow.compute as pc

    try:
        regex = as_regex(pattern)
        found = pc.match_substring_regex(pa.array(texts, pa.string()), regex).to_pylist()
    except (ValueError, pa.ArrowInvalid):
        return  # an open bracket or a range that runs backwards, which fnmatch takes as it can
    assert found == [fnmatch.fnmatchcase(text, pattern) for text in texts]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '    path: "github/*"',
            '    pth: "github/*"',
            "line 3: unknown key 'rules.0.pth'; did you mean 'path'?; known keys are domain, path, id, value",
        ),
        ("default", "defalt", "line 12: unknown key 'defalt'; did you mean 'default'?"),
        ("  - domain: code\n    path", "  - path", "line 2: the key 'rules.0.domain' is missing"),
        ('    value: "*.readthedocs.io/*"\n', "", "line 5: rules.1: the rule has no pattern; give"),
        (
            "github/*",
            "git[hub",
            "the bracket of 'git[hub' is not closed; a bare one is written [[]",
        ),
        ("github/*", "[z-a]", "line 3: rules.0.path: '[z-a]' is no pattern"),
        ('["*.py", "*.c"]', "[]", "line 4: rules.0.id"),
        ('["*.py", "*.c"]', "3", "line 4: rules.0.id: Input should be a list, not 3"),
        ("default: web", "default: ''", "line 12: default"),
        (RULES, "rules: []", "line 1: rules"),
        (RULES, "", "the file is empty; it needs the key rules"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(rules, old, new, said):
    assert old in RULES
    with pytest.raises(CorpusError) as caught:
        rules(RULES.replace(old, new))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_source_says_what_the_domains_hang_on(rules):
    source = rules(RULES).source
    assert source.origin is DomainOrigin.RULES
    assert source.looks_at_paths
    commented = rules("# a comment\n" + RULES).source
    assert commented.identity == source.identity
    assert commented.digest != source.digest
    other = rules("rules: [{domain: a, value: b}]").source
    assert other.identity != source.identity
    assert not other.looks_at_paths


def test_rules_can_be_sent_to_another_process(rules):
    label = pickle.loads(pickle.dumps(rules(RULES).label))
    assert label(batch(values=["https://docs.a"])).to_pylist() == ["docs"]
