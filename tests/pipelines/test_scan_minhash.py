"""Scans with the MinHash scanner, from files to files and from the command line."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from datasketch import MinHashLSH
from pydantic import ValidationError

import sluicegate
from pipelines.scan import RESULT_FILES, write_result
from pipelines.settings import ScanSettings
from pipelines.tables import findings_table, items_table
from scanners.judge import Status
from scanners.minhash import JACCARD, MISS_WEIGHT

BOTH = ("ngram", "minhash")
COMMAND = Path(sys.executable).with_name("sluicegate")
ROOT = Path(__file__).parents[2]
REWORDINGS = json.loads((ROOT / "tests" / "rewordings.json").read_text(encoding="utf-8"))
BYTE_EQUAL = [name for name in RESULT_FILES if name not in ("run.json", "calibration.parquet")]


@pytest.fixture(scope="module")
def text(vocabulary):
    return lambda first, last: " ".join(vocabulary(first, last))


@pytest.fixture(scope="module")
def items(text):
    return [
        *({"id": name, "question": pair["question"], "answer": ""} for name, pair in REWORDINGS.items()),
        {"id": "copied", "question": text(0, 30), "answer": text(50, 53)},
        {"id": "both", "question": REWORDINGS["math"]["question"].replace("Lisbon", "Faro")},
        {"id": "elsewhere", "question": text(100, 130), "answer": ""},
        {"id": "what", "question": "Why?", "answer": "5"},
    ]  # fmt: skip


@pytest.fixture(scope="module")
def documents(text, items):
    reworded = {name: pair["reworded"] for name, pair in REWORDINGS.items()}
    filler = [text(2000 + 300 * n, 2300 + 300 * n) for n in range(12)]
    texts = [
        f"{filler[0]}\n{reworded['math']}\n{filler[1]}",
        f"{reworded['history']}\n{filler[2]}",
        f"{filler[3]}\n{reworded['docstring']}",
        filler[4],
        f"été 学校 \U0001f600 {filler[5]}\n{reworded['german']}\n{filler[6]}\n{reworded['history']}",
        "",
        f"{filler[7]}\n{items[4]['question']}",
        f"{items[5]['question']}\n{filler[8]}\n{reworded['math'].replace('Lisbon', 'Faro')}",
        "?!",
        filler[9],
    ]
    return [
        {"id": f"d{row}", "domain": ("web", "books")[row % 2], "text": text}
        for row, text in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def benchmark(items, write_benchmark, tmp_path_factory):
    return write_benchmark(tmp_path_factory.mktemp("benchmarks") / "quiz.jsonl", items)


@pytest.fixture(scope="module")
def corpus(documents, write_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder / "a.parquet", documents[:6], row_group_size=2)
    write_corpus(folder / "b.parquet", documents[6:], row_group_size=2)
    return folder


@pytest.fixture(scope="module")
def result(corpus, benchmark):
    return sluicegate.scan(corpus, benchmark, scanners=BOTH, calibration="off")


@pytest.fixture(scope="module")
def ngrams_alone(corpus, benchmark):
    return sluicegate.scan(corpus, benchmark, calibration="off")


def told_by(findings, scanner):
    return findings.filter(pl.col("scanner") == scanner)


# --- what is found ----------------------------------------------------------------------------------


def test_rewordings_and_copies_are_found_each_by_its_scanner(result):
    found = result.findings.filter(pl.col("item_id") != "both")
    assert set(found.select("item_id", "scanner", "kind", "doc_id").iter_rows()) == {
        ("math", "minhash", "near", "d0"),
        ("history", "minhash", "near", "d1"),
        ("docstring", "minhash", "near", "d2"),
        ("german", "minhash", "near", "d4"),
        ("history", "minhash", "near", "d4"),
        ("copied", "ngram", "verbatim", "d6"),
        # Faro for Lisbon, of 48 words:
        ("math", "ngram", "near", "d7"),
        ("math", "minhash", "near", "d7"),
    }


def test_an_item_that_both_scanners_find_in_one_document_has_a_row_for_each_place(
    result, documents
):
    found = result.findings.filter((pl.col("item_id") == "both") & (pl.col("doc_id") == "d7"))
    by_scanner = {row["scanner"]: row for row in found.iter_rows(named=True)}
    assert set(by_scanner) == set(BOTH)
    text = documents[7]["text"]
    assert text[by_scanner["minhash"]["doc_start"] :].startswith("Faro bakery")
    assert by_scanner["ngram"]["doc_end"] < by_scanner["minhash"]["doc_start"]


def test_statuses_count_what_either_scanner_found(result, ngrams_alone):
    rows = {row["item_id"]: row for row in result.items.iter_rows(named=True)}
    assert {name: row["status"] for name, row in rows.items()} == {
        **dict.fromkeys([*REWORDINGS, "copied", "both"], "contaminated"),
        "elsewhere": "clean",
        "what": "unsearchable",
    }
    assert (rows["history"]["n_documents"], rows["history"]["n_domains"]) == (2, 2)
    assert rows["history"]["leak_type"] == "question"
    assert rows["history"]["reason"].startswith("question found: ")
    alone = dict(ngrams_alone.items.select("item_id", "status").iter_rows())
    assert alone == {
        **dict.fromkeys(rows, "clean"),
        "copied": "contaminated", "both": "contaminated", "math": "contaminated",
        "what": "unsearchable",
    }  # fmt: skip


def test_every_finding_is_proven_by_the_text_at_its_offsets(result, documents, items):
    by_id = {row["id"]: row["text"] for row in documents}
    questions = {item["id"]: item["question"] for item in items}
    assert len(told_by(result.findings, "minhash")) >= len(REWORDINGS)
    for finding in result.findings.iter_rows(named=True):
        locus = by_id[finding["doc_id"]][finding["doc_start"] : finding["doc_end"]]
        assert finding["excerpt"] == locus or " … " in finding["excerpt"]
        ours = questions[finding["item_id"]][finding["item_start"] : finding["item_end"]]
        assert ours
        assert ours == ours.strip()
        assert finding["leak_type"] in ("question", "question+answer")
        for share in ("score", "identity", "coverage"):
            assert 0 < finding[share] <= 1


def test_what_ngrams_say_stays_as_it_is(result, ngrams_alone):
    assert set(ngrams_alone.findings["scanner"]) == {"ngram"}
    assert told_by(result.findings, "ngram").equals(ngrams_alone.findings)
    flags = [name for name, kind in result.items.schema.items() if kind == pl.Boolean]
    assert len(flags) == 8  # the labs' definitions count n-grams
    assert result.items.select(flags).equals(ngrams_alone.items.select(flags))


def test_a_place_that_both_scanners_tell_has_a_row_for_each(scan_documents, make_item, text):
    scan = scan_documents([make_item(text(0, 30))], [text(0, 15)])
    (place,) = scan.result.places
    told = place.finding
    assert (told.scanner, told.status) == ("ngram", Status.SUSPECT)
    for score in (
        told.score - 0.05,
        told.score + 0.05,
    ):  # the stronger one may have the lower score
        other = dataclasses.replace(
            told, scanner="minhash", status=int(Status.CONTAMINATED), score=score
        )
        scan.result.places[1:] = [dataclasses.replace(place, finding=other)]
        table = findings_table([scan.result], scan.plan)
        assert set(table.select("scanner", "score").iter_rows()) == {
            ("ngram", told.score),
            ("minhash", score),
        }
        assert items_table(table, scan.plan)["status"].to_list() == ["contaminated"]


def test_the_report_names_bands_and_rows_and_prints_the_s_curve(result, ngrams_alone):
    told = result.report["parameters"]
    assert told["scanners"] == ["ngram", "minhash"]
    index = MinHashLSH(threshold=JACCARD, num_perm=128, weights=(1 - MISS_WEIGHT, MISS_WEIGHT))
    assert (told["minhash_bands"], told["minhash_rows"]) == (index.b, index.r)
    for jaccard in (0.5, 0.6, 0.7, 0.8, 0.9):
        probability = 1 - (1 - jaccard**index.r) ** index.b
        assert told[f"minhash_probability_at_{jaccard}"] == pytest.approx(probability, abs=1e-4)
    assert not any(name.startswith("minhash") for name in ngrams_alone.report["parameters"])


# --- what changes nothing ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    write_result(result, out)
    return {name: (out / name).read_bytes() for name in BYTE_EQUAL}


@pytest.mark.parametrize(
    "settings",
    [
        {"jobs": 1},
        {"jobs": 2},
        {"jobs": 4},
        {"batch_bytes": 1},
        {"part_bytes": 1},
        {"jobs": 4, "part_bytes": 1, "batch_bytes": 3000},
        {"scanners": ("minhash", "ngram", "minhash")},
    ],
    ids=str,
)
def test_jobs_batches_and_parts_do_not_change_a_byte(corpus, benchmark, files, tmp_path, settings):
    settings = {"scanners": BOTH, "calibration": "off"} | settings
    sluicegate.scan(corpus, benchmark, out=tmp_path, **settings)
    assert {name: (tmp_path / name).read_bytes() for name in BYTE_EQUAL} == files


def test_the_order_of_shards_does_not_change_the_tables(corpus, benchmark, files, tmp_path):
    shards = sorted(corpus.iterdir(), reverse=True)
    sluicegate.scan(shards, benchmark, out=tmp_path, scanners=BOTH, calibration="off")
    for name in ("findings.parquet", "items.parquet"):
        assert (tmp_path / name).read_bytes() == files[name]


# --- settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("minhash",), (), ("minhash", "minhash")])
def test_a_scan_without_ngrams_is_refused(names):
    with pytest.raises(ValidationError, match='"ngram" must be among the scanners') as error:
        ScanSettings(scanners=names)
    assert len(error.value.errors()) == 1


@pytest.mark.parametrize("names", [("tarot",), ("ngram", "embeddings"), ("ngram", "")])
def test_an_unknown_scanner_is_refused(names):
    with pytest.raises(ValidationError, match="'ngram', 'minhash' or 'embedding'"):
        ScanSettings(scanners=names)


def test_scanners_are_put_in_order_and_named_once():
    assert ScanSettings().scanners == ("ngram",)
    assert ScanSettings(scanners=("ngram", "ngram")).scanners == ("ngram",)
    assert ScanSettings(scanners=("minhash", "ngram", "minhash")).scanners == BOTH


# --- the command ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def command(corpus, benchmark, tmp_path_factory):
    """Scan with the command into a fresh folder; gives the answer and the folder."""
    if not COMMAND.exists():
        pytest.skip(f"the command is not installed at {COMMAND}; run: make setup")

    def run(*arguments):
        out = tmp_path_factory.mktemp("command") / "out"
        named = ["scan", corpus, "--benchmarks", benchmark, "--out", out, "--quiet", *arguments]
        answer = subprocess.run(
            [COMMAND, *named], capture_output=True, text=True, timeout=300, check=False
        )
        return answer, out

    return run


def test_the_command_scans_with_both(command, result):
    answer, out = command(
        "--scanners", "ngram,minhash", "--calibration", "off", "--fail-on", "suspect"
    )
    assert (answer.returncode, answer.stderr) == (1, "")
    assert pl.read_parquet(out / "findings.parquet").equals(result.findings)
    assert pl.read_parquet(out / "items.parquet").equals(result.items)
    run = json.loads((out / "run.json").read_text())
    assert run["settings"]["scanners"] == ["ngram", "minhash"]
    assert run["complete"] is True


@pytest.mark.parametrize("names", ["minhash", "", "minhash,"])
def test_the_command_refuses_to_scan_without_ngrams_in_one_line(command, names):
    answer, out = command("--scanners", names)
    (line,) = answer.stderr.splitlines()
    assert answer.returncode == 2
    assert line.startswith("sluicegate: --scanners")
    assert "ngram" in line
    assert not out.exists()


# --- the battery ------------------------------------------------------------------------------------


def test_the_battery_of_a_scan_with_both_passes(write_corpus, tmp_path, text):
    items = [
        {
            "id": str(n),
            "question": f"{text(40 * n, 40 * n + 20 + n % 17)}. {text(9000 + 9 * n, 9009 + 9 * n)}?",
            "answer": text(20_000 + 5 * n, 20_003 + 5 * n),
        }
        for n in range(60)
    ]
    benchmark = tmp_path / "b.jsonl"
    benchmark.write_text("".join(json.dumps(item) + "\n" for item in items))
    documents = [text(5000 + 300 * n, 5300 + 300 * n) for n in range(30)]
    corpus = write_corpus(tmp_path / "c.jsonl", documents)
    found = sluicegate.scan(corpus, benchmark, scanners=BOTH)
    assert found.findings.is_empty()
    assert found.report["calibration"]["status"] == "CALIBRATED", found.report["calibration"]


def test_the_battery_of_a_scan_for_real_questions_passes(shared_data, write_corpus, tmp_path):
    # Shuffled words of GSM8K questions were called contaminated 33 times of 60.
    words = (ROOT / "LICENSE").read_text(encoding="utf-8").split()
    documents = [" ".join(words[at : at + 150]) for at in range(0, len(words) - 150, 20)]
    found = sluicegate.scan(
        write_corpus(tmp_path / "c.jsonl", documents),
        shared_data / "benchmarks" / "gsm8k_test.jsonl.zst",
        scanners=BOTH,
    )
    assert found.findings.is_empty()
    assert found.report["calibration"]["status"] == "CALIBRATED", found.report["calibration"]
