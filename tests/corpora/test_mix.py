"""mix.yaml: what it gives to shards, and that its mistakes are named with line and key."""

import re
from pathlib import Path

import pytest

from corpora.mix import read_mix
from corpora.problems import CorpusError
from corpora.shards import Columns, resolve

GOOD = """\
name: pretrain
version: 3
sources:
  - name: wiki
    paths: [wiki/*.jsonl]
    domain: encyclopedic
    weight: 2.5
    columns:
      text: [title, body]
      id: null
  - name: web
    paths:
      - web
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("wiki/a.jsonl", "wiki/b.jsonl", "web/c.txt"):
        (tmp_path / "mix" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mix" / name).write_text('{"text": "a"}\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, text: str) -> str:
    (folder / "mix/mix.yaml").write_text(text)
    return "mix/mix.yaml"


def test_sources_give_shards_their_domain_and_columns(folder):
    shards = resolve([write(folder, GOOD)], Columns(text=("content",), id="key", domain="field"))
    assert [(s.path, s.domain, s.columns) for s in shards] == [
        ("mix/web/c.txt", None, Columns(text=("content",), id="key", domain="field")),
        (
            "mix/wiki/a.jsonl",
            "encyclopedic",
            Columns(text=("title", "body"), id=None, domain="field"),
        ),
        (
            "mix/wiki/b.jsonl",
            "encyclopedic",
            Columns(text=("title", "body"), id=None, domain="field"),
        ),
    ]


def test_a_mix_by_url_finds_its_files_beside_it(folder):
    write(folder, GOOD)
    root = f"file://{folder.as_posix()}/mix"
    paths = [shard.path for shard in resolve([f"{root}/mix.yaml"], Columns())]
    assert paths == [f"{root}/web/c.txt", f"{root}/wiki/a.jsonl", f"{root}/wiki/b.jsonl"]


def test_weights_and_version_are_kept(folder):
    mix = read_mix(write(folder, GOOD))
    assert (mix.name, mix.version) == ("pretrain", "3")
    assert [source.weight for source in mix.sources] == [2.5, None]


def test_absolute_paths_and_urls_stay_as_they_are(folder):
    text = GOOD.replace("- web", "- /data/x.jsonl\n      - s3://bucket/x")
    assert read_mix(write(folder, text)).sources[1].paths == ("/data/x.jsonl", "s3://bucket/x")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("domain:", "domian:", "line 6: unknown key 'sources.0.domian'; did you mean 'domain'?"),
        (
            "      text:",
            "      txt:",
            "line 9: unknown key 'sources.0.columns.txt'; did you mean 'text'?",
        ),
        (
            "weight: 2.5",
            "weight: 0",
            "line 7: sources.0.weight: Input should be greater than 0, not 0",
        ),
        ("weight: 2.5", "weight: .nan", "line 7: sources.0.weight"),
        ("version: 3\n", "", "the key 'version' is missing"),
        ("version: 3", "version: 1.10", "line 2: version: write it in quotes"),
        ("- name: web", "- name: wiki", "line 11: the source name 'wiki' stands twice"),
        ("    weight: 2.5", "    domain: web", "line 7: the key 'domain' stands twice"),
        ("paths: [wiki/*.jsonl]", "paths: []", "line 5: sources.0.paths"),
        (
            "paths: [wiki/*.jsonl]",
            "paths: 7",
            "line 5: sources.0.paths: Input should be a list, not 7",
        ),
        ("paths: [wiki/*.jsonl]", "paths: [wiki/*.jsonl", "line 6: not valid YAML"),
        ("- web", "- wiki/a.jsonl", "the sources 'wiki' and 'web' both hold mix/wiki/a.jsonl"),
        ("- web", "- wbe", "mix/wbe: no such file or folder; did you mean 'web'?"),
        (GOOD, "", "the file is empty"),
        (GOOD, "[]", "Input should be a valid"),
        (GOOD, "name: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(folder, old, new, said):
    assert old in GOOD
    with pytest.raises(CorpusError) as caught:
        resolve([write(folder, GOOD.replace(old, new))], Columns())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_mix_in_the_readme_is_one(folder):
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(name: .*?)```", readme, re.DOTALL)
    wiki, code = read_mix(write(folder, text)).sources
    assert (wiki.paths, wiki.domain) == (("mix/wiki/*.jsonl.zst",), "encyclopedic")
    assert (code.weight, code.filters is not None) == (2.5, True)


def test_one_path_needs_no_brackets(folder):
    listed, bare = (
        read_mix(write(folder, GOOD.replace("[wiki/*.jsonl]", paths))).sources[0].paths
        for paths in ("[wiki/*.jsonl]", "wiki/*.jsonl")
    )
    assert listed == bare == ("mix/wiki/*.jsonl",)


def test_a_missing_or_unreadable_mix_is_named(folder):
    with pytest.raises(CorpusError, match="no such file"):
        read_mix("mix/nowhere.yaml")
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(CorpusError, match="not UTF-8 at byte 9"):
        read_mix("latin.yaml")
