"""Drift between two versions: quiet on halves of one corpus, and every planted change found and named."""

import json

import numpy as np
import polars as pl
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from corpora.problems import CorpusError
from pipelines.drift import RESULT_FILES, drift, write_result
from pipelines.drift_settings import DriftSettings
from reports.drift_html import render_drift_html
from reports.drift_markdown import render_drift_markdown
from reports.drift_terminal import render_drift_terminal
from tests.pipelines.drift_corpora import documents, without, write

DOMAIN_COLUMNS = [
    "domain", "measure", "baseline", "candidate", "change", "ci_low", "ci_high", "floor", "alarm",
]  # fmt: skip
TOKEN_COLUMNS = [
    "token_id", "token", "baseline", "candidate", "log2_ratio", "z", "q_value", "df_baseline",
    "df_candidate", "change_kind", "alarm",
]  # fmt: skip
EXPOSURE_COLUMNS = [
    "benchmark", "baseline_bits", "candidate_bits", "change", "ci_low", "ci_high", "floor", "alarm",
]  # fmt: skip


def compare(baseline, candidate, benchmarks=(), **settings):
    return drift(
        [str(baseline)], [str(candidate)], [str(path) for path in benchmarks],
        DriftSettings(**settings), tool_version="0",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drift")


@pytest.fixture(scope="module")
def old(folder, vocabulary):
    return write(folder / "old", documents(vocabulary, 1200, seed=1))


@pytest.fixture(scope="module")
def benchmark_file(folder, vocabulary):
    """A benchmark of words of the domain `math`, which is the second."""
    rng = np.random.default_rng(5)
    own = vocabulary(1000, 1400)
    items = [
        {"id": str(n), "question": " ".join(rng.choice(own, 30)), "answer": own[n]}
        for n in range(60)
    ]
    path = folder / "bench.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")
    return path


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_other_documents_of_the_same_kind_are_no_drift(
    seed, folder, old, vocabulary, benchmark_file
):
    new = write(folder / f"same-{seed}", documents(vocabulary, 1200, seed))
    result = compare(old, new, [benchmark_file])
    assert result.report["alarms"] == 0
    assert result.report["statements"] == []
    assert result.report["title"] == "Nothing moved beyond noise"
    assert not result.tokens["alarm"].any()


def test_the_files_have_the_columns_of_the_contract(folder, old, vocabulary, benchmark_file):
    new = write(folder / "columns", documents(vocabulary, 400, 6))
    result = compare(old, new, [benchmark_file])
    write_result(result, folder / "out")
    assert {path.name for path in (folder / "out").iterdir()} == set(RESULT_FILES)
    for name, columns in (
        ("domains", DOMAIN_COLUMNS), ("tokens", TOKEN_COLUMNS), ("exposure", EXPOSURE_COLUMNS),
    ):  # fmt: skip
        frame = pl.read_parquet(folder / "out" / f"{name}.parquet")
        assert frame.columns[: len(columns)] == columns
        assert frame.schema["alarm"] == pl.Boolean
        assert frame.height > 0
    shares = pl.read_parquet(folder / "out" / "domains.parquet").group_by("measure")
    assert shares.agg(pl.col("baseline", "candidate").sum())["baseline"].to_list() == (
        pytest.approx([1, 1, 1])
    )
    assert result.tokens["baseline"].sum() == pytest.approx(1)


def test_half_a_domain_less_is_named_and_told_from_the_text_inside(
    folder, old, vocabulary, benchmark_file
):
    records = documents(vocabulary, 1200, seed=7)
    kept = [r for n, r in enumerate(records) if r["domain"] != "math" or n % 8 < 4]
    result = compare(old, write(folder / "half", kept), [benchmark_file])
    alarms = result.domains.filter(pl.col("alarm"))
    assert "math" in alarms["domain"].to_list()
    first, *others = (s for s in result.report["statements"] if s["kind"] == "domain")
    assert first["subject"] == "math"
    assert "although" not in first["text"]  # it lost documents of its own
    assert all("although" in other["text"] for other in others)  # they did not: math shrank
    # the mix moved, not the words inside the domains
    assert not result.tokens["alarm"].any()
    (exposed,) = result.report["exposure"]
    assert exposed["alarm"]
    assert exposed["alarm_from"] == result.exposure["alarm_from"].item() > exposed["floor"]
    assert exposed["change"] > 0
    assert exposed["driver_domains"][0]["name"] == "math: its share"
    assert exposed["hypothesis"]["direction"] == "worse"
    assert exposed["hypothesis"]["effects"][0]["domain"] == "math"
    assert "of its words look like math" in exposed["hypothesis"]["text"]  # no tokens were counted


def test_a_domain_that_is_gone_and_one_that_is_new_are_told(folder, old, vocabulary):
    records = documents(vocabulary, 1200, seed=8)
    moved = [r | {"domain": "forum"} if r["domain"] == "web" else r for r in records]
    result = compare(old, write(folder / "renamed", moved))
    states = dict(result.domains.select("domain", "state").rows())
    assert (states["forum"], states["web"], states["code"]) == ("new", "vanished", "kept")
    said = {s["subject"]: s["text"] for s in result.report["statements"]}
    assert said["forum"].startswith("is new")
    assert said["web"].startswith("is gone")


def test_words_that_are_taken_out_have_vanished(folder, old, vocabulary):
    records = documents(vocabulary, 1200, seed=9)
    frequent = vocabulary(20, 60)  # of the common words: each is in many documents
    result = compare(old, write(folder / "deleted", without(records, frequent)))
    vanished = result.tokens.filter(pl.col("change_kind") == "vanished")
    assert set(vanished["token"]) == set(frequent)
    assert vanished["alarm"].all()
    assert vanished["candidate"].max() == 0
    assert not result.domains["alarm"].any()
    tokens = next(s for s in result.report["statements"] if s["kind"] == "tokens")
    assert tokens["text"] == "are gone from domains that still exist"


def test_duplicated_documents_are_told_as_copies(folder, old, vocabulary):
    records = documents(vocabulary, 1200, seed=10)
    copied = records + [r | {"id": f"again-{n}"} for n, r in enumerate(records[:300])]
    result = compare(old, write(folder / "copied", copied))
    exact = next(copies for copies in result.report["copies"] if copies["kind"] == "exact")
    assert exact["alarm"]
    assert exact["candidate"] == pytest.approx(300 / 1500, abs=0.05)
    assert not result.tokens["alarm"].any()  # copies do not cry wolf


def test_jobs_batches_and_order_of_shards_change_nothing(folder, old, vocabulary, benchmark_file):
    new = write(folder / "order", documents(vocabulary, 600, seed=11))
    first = compare(old, new, [benchmark_file])
    again = compare(old, new, [benchmark_file], jobs=3, batch_bytes=4096, part_bytes=1 << 16)
    assert first.report == again.report
    for name in ("domains", "tokens", "exposure"):
        assert getattr(first, name).equals(getattr(again, name))


def test_sampling_weights_of_a_mix_count(folder, old, vocabulary):
    mix = {
        "name": "m", "version": "1",
        "sources": [{"name": "all", "paths": ["old/*.jsonl"], "weight": 1}],
    }  # fmt: skip
    records = [r for r in documents(vocabulary, 1200, seed=12) if r["domain"] == "code"]
    write(folder / "code", records, shards=1)
    for weight in (1, 3):
        weighted = {"name": "code", "paths": ["code/*.jsonl"], "weight": weight}
        text = json.dumps(mix | {"sources": [*mix["sources"], weighted]})
        (folder / f"mix{weight}.yaml").write_text(text, encoding="utf-8")
    result = compare(folder / "mix1.yaml", folder / "mix3.yaml")
    code = result.domains.filter((pl.col("domain") == "code") & (pl.col("measure") == "documents"))
    assert code["baseline"].item() == pytest.approx(600 / 1500)
    assert code["candidate"].item() == pytest.approx((300 + 3 * 300) / (1200 + 3 * 300))
    assert [version["weighted"] for version in result.report["versions"]] == [False, True]


def test_tokens_of_a_tokenizer_are_counted_exactly(folder, old, vocabulary):
    records = documents(vocabulary, 120, seed=13)
    new = write(folder / "tokens", records)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([record["text"] for record in records], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    result = compare(old, new, tokenizer=folder / "tokenizer.json")
    expected = np.zeros(tokenizer.get_vocab_size())
    for record in records:
        np.add.at(expected, tokenizer.encode(record["text"]).ids, 1)
    found = np.zeros(len(expected))
    found[result.tokens["token_id"].to_numpy()] = result.tokens["candidate"].to_numpy()
    assert found == pytest.approx(expected / expected.sum())
    assert result.report["unit"] == "tokenizer.json"
    assert result.report["versions"][1]["tokens"] == expected.sum()


def test_domains_by_rules(folder, old, vocabulary):
    new = write(folder / "ruled", documents(vocabulary, 400, seed=14))
    rules = folder / "rules.yaml"
    rules.write_text(
        "rules:\n  - {domain: first, path: '*0.jsonl'}\ndefault: rest\n", encoding="utf-8"
    )
    result = compare(old, new, domain_rules=rules)
    assert set(result.domains["domain"]) == {"first", "rest"}
    assert result.report["origin"]["kind"] == "rules"
    assert result.report["origin"]["note"] is None


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("[{domain: code, value: 'Code'}]\ndefault: web", "fits a document of the baseline or of the candidate, so all have the default domain 'web'"),
        ("[{domain: code, value: 'Code'}]", "fits a document of the baseline or of the candidate, so all have no domain"),
        ("[{domain: new, path: '*/typo/*'}]\ndefault: web", "fits a document of the baseline, so all"),
        ("[{domain: web, value: books}, {domain: code, value: Code}]\ndefault: web", "but those for the default fits a document of the baseline or of the candidate"),
        ("[{domain: web, value: Code}]\ndefault: web", None),
    ],
)  # fmt: skip
def test_rules_that_fit_nothing_are_told(rules, told, folder, old, vocabulary):
    new = folder / "typo"
    if not new.exists():
        write(new, documents(vocabulary, 400, seed=16))
    file = folder / "typo.yaml"
    file.write_text(f"rules: {rules}\n", encoding="utf-8")
    result = compare(old, new, domain_rules=file)
    note = result.report["origin"]["note"]
    assert result.run["domains"]["note"] == note
    if told is None:
        assert note is None
        return
    assert note.startswith(f"no rule in {file} ")
    assert told in note
    html, markdown, terminal = (
        " ".join(render(result.report).split())
        for render in (render_drift_html, render_drift_markdown, render_drift_terminal)
    )
    assert "stamp-DOMAINS" in html
    assert "> **DOMAINS**: no rule in " in markdown
    assert terminal.startswith("DOMAINS: no rule in ")


def test_what_cannot_be_read_makes_it_incomplete(folder, old, vocabulary):
    new = write(folder / "damaged", documents(vocabulary, 300, seed=15))
    (folder / "damaged" / "1.jsonl").write_bytes(b'{"text": "broken\n' * 3)
    result = compare(old, new)
    assert not result.complete
    candidate = result.report["versions"][1]
    assert candidate["problems"]
    assert candidate["problems"][0]["shard"].endswith("damaged/1.jsonl")


def test_a_version_without_text_is_refused(folder, old):
    empty = write(folder / "empty", [{"id": "a", "domain": "x", "text": "..."}], shards=1)
    with pytest.raises(CorpusError, match=r"empty: holds no text that could be read"):
        compare(old, empty)


def test_rules_and_examples_together_are_refused(folder):
    with pytest.raises(ValueError, match="give --domain-rules or --domain-examples"):
        DriftSettings(domain_rules=folder / "a", domain_examples=folder / "b")
