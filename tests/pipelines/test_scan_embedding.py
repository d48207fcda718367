"""Scans with the embedding scanner, from files to files and from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

import sluicegate
from pipelines.scan import RESULT_FILES, write_result
from pipelines.settings import ScanSettings

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("sluicegate")
MEANINGS = json.loads((ROOT / "tests" / "meanings.json").read_text(encoding="utf-8"))
BOTH = ("ngram", "embedding")
BYTE_EQUAL = [name for name in RESULT_FILES if name not in ("run.json", "calibration.parquet")]
PROSE = (
    "The harbour was quiet that evening, and the last of the fishing boats had been pulled up on the "
    "sand. An old man mended his nets under the lamp and spoke of the winter when the bay froze over. "
    "Nobody quite believed him, but the children listened, because he told it well and never twice in "
    "the same manner. Behind them the town climbed the hill in steps of slate and whitewashed stone."
)
MANUAL = (
    "To change the default behaviour, edit the configuration file and restart the service. Options "
    "given on the command line take precedence over those read from the file. When the log grows "
    "beyond the limit it is rotated, and older entries are compressed in the background. See the "
    "section on permissions before you move the data folder to another volume."
)


def scanned(corpus, benchmark, **settings):
    settings = {"scanners": BOTH, "embedding_model": "none", "calibration": "off"} | settings
    return sluicegate.scan(corpus, benchmark, **settings)


@pytest.fixture(scope="module")
def benchmark(write_benchmark, tmp_path_factory):
    items = [{"id": name, "question": pair["question"]} for name, pair in MEANINGS.items()]
    return write_benchmark(tmp_path_factory.mktemp("benchmarks") / "quiz.jsonl", items)


@pytest.fixture(scope="module")
def corpus(write_corpus, tmp_path_factory):
    pairs = list(MEANINGS.values())
    texts = [
        f"{PROSE}\n{pairs[0]['reworded']}\n{MANUAL}",
        f"{MANUAL}\n{pairs[1]['reworded']}\n{PROSE}",
        PROSE,
        f"été 学校 \U0001f600 {PROSE} {pairs[2]['reworded']} {MANUAL} {pairs[0]['reworded']}",
        "",
        f"{PROSE}\n{pairs[3]['sibling']}\n{MANUAL}",
        f"{MANUAL} {pairs[3]['question']} {PROSE}",
        MANUAL,
    ]
    rows = [
        {"id": f"d{row}", "domain": ("web", "books")[row % 2], "text": text}
        for row, text in enumerate(texts)
    ]
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder / "a.parquet", rows[:5], row_group_size=2)
    write_corpus(folder / "b.parquet", rows[5:], row_group_size=2)
    return folder


@pytest.fixture(scope="module")
def result(corpus, benchmark):
    return scanned(corpus, benchmark)


def test_rewordings_in_long_documents_are_found_where_they_are(result, corpus):
    found = result.findings.filter(pl.col("scanner") == "embedding")
    assert set(found["kind"]) == {"semantic"}
    strong = found.filter(pl.col("score") >= 0.6)
    assert set(zip(strong["doc_id"], strong["item_id"], strict=True)) == {
        ("d0", "bakery"), ("d1", "cyclists"), ("d3", "library"), ("d3", "bakery"),
    }  # fmt: skip
    texts = pl.concat([pl.read_parquet(path) for path in sorted(corpus.iterdir())])
    text_of = dict(texts.select("id", "text").iter_rows())
    for row in strong.iter_rows(named=True):
        told = MEANINGS[row["item_id"]]["reworded"]
        first = text_of[row["doc_id"]].index(told)
        shared = min(row["doc_end"], first + len(told)) - max(row["doc_start"], first)
        assert shared > 0.7 * len(told)
        assert shared > 0.6 * (row["doc_end"] - row["doc_start"])


def test_items_that_are_only_reworded_are_told(result):
    status = dict(result.items.select("item_id", "status").iter_rows())
    assert {status[name] for name in ("cyclists", "library")} == {"contaminated"}
    assert status["bakery"] == "suspect"  # its clauses change places, as those of shuffled text do
    types = dict(result.items.select("item_id", "leak_type").iter_rows())
    assert types["cyclists"] == "question"


def test_without_the_scanner_they_are_not(corpus, benchmark):
    plain = scanned(corpus, benchmark, scanners=("ngram",))
    assert set(plain.contaminated()["item_id"]) == {"paint"}


def test_a_sibling_with_other_numbers_is_no_leak_of_the_item(write_corpus, benchmark, tmp_path):
    rows = [
        {"id": name, "domain": "web", "text": f"{PROSE}\n{pair['sibling']}\n{MANUAL}"}
        for name, pair in MEANINGS.items()
    ]
    write_corpus(tmp_path / "siblings.parquet", rows)
    siblings = scanned(tmp_path / "siblings.parquet", benchmark)
    assert siblings.contaminated().is_empty()
    assert set(siblings.findings["leak_type"]) <= {"template", "passage"}


def test_a_verbatim_copy_stays_the_ngram_scanner_s(result):
    copied = result.findings.filter(pl.col("doc_id") == "d6")
    assert set(copied["scanner"]) == {"ngram"}
    assert set(copied["kind"]) == {"verbatim"}


def test_text_that_says_something_else_gives_nothing(result):
    assert result.findings.filter(pl.col("doc_id").is_in(["d2", "d7"])).is_empty()


@pytest.mark.parametrize(
    "settings", [{"jobs": 2}, {"batch_bytes": 1}, {"jobs": 3, "part_bytes": 1}]
)
def test_jobs_and_batches_change_no_byte(corpus, benchmark, result, tmp_path, settings):
    write_result(result, tmp_path / "one")
    write_result(scanned(corpus, benchmark, **settings), tmp_path / "other")
    for name in BYTE_EQUAL:
        if (tmp_path / "one" / name).exists():
            one, other = ((tmp_path / each / name).read_bytes() for each in ("one", "other"))
            assert one == other, name


def test_the_models_are_named(result):
    models = result.run["models"]
    assert models["embedding_model"] == "none"
    assert "static-" in models["static_model"]
    assert result.report["parameters"]["static_model"] == models["static_model"]


@pytest.mark.parametrize("piece", ["shuffled", "spliced"])
def test_shuffled_and_spliced_questions_are_no_rewordings(write_corpus, benchmark, tmp_path, piece):
    random = np.random.default_rng(1)
    questions = [pair["question"].split() for pair in MEANINGS.values()]
    if piece == "shuffled":
        made = [list(random.permutation(words)) for words in questions]
    else:
        other = [*questions[1:], questions[0]]
        made = [
            [*one[: len(one) // 2], *two[len(two) // 2 :]]
            for one, two in zip(questions, other, strict=True)
        ]
    rows = [
        {"id": f"m{n}", "domain": "web", "text": f"{PROSE}\n{' '.join(words)}\n{MANUAL}"}
        for n, words in enumerate(made)
    ]
    write_corpus(tmp_path / "made.parquet", rows)
    assert scanned(tmp_path / "made.parquet", benchmark).contaminated().is_empty()


def test_items_without_anything_to_compare_are_no_error(corpus, write_benchmark, tmp_path):
    short = write_benchmark(tmp_path / "short.jsonl", [{"id": "a", "question": "Why?"}])
    assert scanned(corpus, short).findings.is_empty()


@pytest.mark.slow
def test_with_a_transformer_alone_rewordings_are_found_and_nothing_is_no_error(
    corpus, benchmark, result, write_benchmark, tmp_path
):
    alone = scanned(corpus, benchmark, embedding_model=None, prefilter=False)
    assert set(result.contaminated()["item_id"]) <= set(alone.contaminated()["item_id"])
    short = write_benchmark(tmp_path / "short.jsonl", [{"id": "a", "question": "Why?"}])
    nothing = scanned(corpus, short, embedding_model=None, prefilter=False)
    assert nothing.findings.is_empty()


@pytest.mark.slow
def test_the_battery_measures_it_and_passes_on_the_demo_s_text(tmp_path):
    subprocess.run([COMMAND, "demo", "--out", tmp_path / "demo"], check=True, capture_output=True)
    data = tmp_path / "demo"
    done = subprocess.run(
        [COMMAND, "calibrate", data / "corpus", "--benchmarks", data / "benchmarks", "--scanners",
         "ngram,embedding", "--embedding-model", "none", "--out", tmp_path / "measured", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "embedding" in json.loads(done.stdout)["scanners"]


def test_without_a_model_something_must_choose():
    with pytest.raises(ValidationError, match="nothing is left to search by"):
        ScanSettings(scanners=BOTH, embedding_model="none", prefilter=False)


def test_a_lexical_scan_imports_no_library_of_models(corpus, benchmark, tmp_path):
    program = (
        "import sys; from sluicegate.cli import main; status = main(sys.argv[1:]); "
        "heavy = {'torch', 'faiss', 'sentence_transformers', 'prefect'} & sys.modules.keys(); "
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    for scanners, model in (
        ("ngram,minhash", []),
        ("ngram,embedding", ["--embedding-model", "none"]),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, "scan", corpus, "--benchmarks", benchmark, "--scanners",
             scanners, *model, "--calibration", "off", "--out", tmp_path / scanners],
            capture_output=True, text=True, cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_a_model_that_is_not_there_is_one_line(corpus, benchmark, tmp_path):
    done = subprocess.run(
        [COMMAND, "scan", corpus, "--benchmarks", benchmark, "--scanners", "ngram,embedding",
         "--embedding-model", "./nowhere", "--quiet", "--out", tmp_path / "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
