"""The calibration without a scan, from files to files."""

import errno
import json

import polars as pl
import pytest
from pydantic import ValidationError

import pipelines.calibrate as pipeline
import sluicegate
from corpora.benchmarks import BenchmarkError
from pipelines.calibrate import RESULT_FILES, write_calibration
from pipelines.calibration import CALIBRATION_SCHEMA
from pipelines.files import write_text
from reports.calibration import SCHEMA
from scanners import examine

BYTE_EQUAL = [name for name in RESULT_FILES if name != "run.json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_corpus, write_benchmark, vocabulary):
    """Two shards of 15 documents, a benchmark of 30 questions, paraphrases of two of them."""
    folder = tmp_path_factory.mktemp("calibrate")
    for shard in range(2):
        first = 20_000 + 4000 * shard
        texts = [" ".join(vocabulary(first + 200 * n, first + 200 * n + 200)) for n in range(15)]
        write_corpus(folder / "corpus" / f"{shard}.jsonl", texts)
    questions = [" ".join(vocabulary(40 * n, 40 * n + 30)) for n in range(30)]
    items = [{"id": f"q{n}", "question": text, "answer": "4"} for n, text in enumerate(questions)]
    write_benchmark(folder / "quiz.jsonl", items)
    texts = [{"item_id": f"q{n}", "text": questions[n].upper()} for n in (3, 5)]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in texts))
    return folder


@pytest.fixture(scope="module")
def calibrate(folder):
    """Calibrate the folder's corpus, quickly."""

    def run(corpus=None, **settings):
        corpus = folder / "corpus" if corpus is None else corpus
        return sluicegate.calibrate(corpus, folder / "quiz.jsonl", calibration="quick", **settings)

    return run


@pytest.fixture(scope="module")
def result(calibrate):
    return calibrate()


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    """The files of the plain calibration, by name."""
    out = tmp_path_factory.mktemp("out")
    write_calibration(result, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(RESULT_FILES)
    return {name: (out / name).read_bytes() for name in RESULT_FILES}


def overall(result):
    whole = (pl.col("length_class") == "all") & (pl.col("position") == "all")
    return {row["form"]: row for row in result.rates.filter(whole).iter_rows(named=True)}


def test_a_healthy_scan_is_calibrated(result):
    assert (result.calibrated, result.complete) == (True, True)
    assert dict(result.rates.schema) == CALIBRATION_SCHEMA
    rates = overall(result)
    for form in ("verbatim", "upper case", "other shards", "other workers"):
        assert (rates[form]["trials"], rates[form]["found"]) == (30, 30)


def test_the_report_says_what_was_planted_where(result, files, folder):
    report = json.loads(files["calibration.json"])
    assert report == json.loads(json.dumps(result.report))
    assert (report["schema"], report["size"], report["seed"]) == (SCHEMA, "quick", 0)
    corpus = {name: report["corpus"][name] for name in ("hosts", "documents_read", "shards_read")}
    assert corpus == {"hosts": 30, "documents_read": 30, "shards_read": 2}
    (benchmark,) = report["benchmarks"]
    assert (benchmark["benchmark"], benchmark["items"], benchmark["searchable"]) == ("quiz", 30, 30)
    assert report["paraphrases"] is None
    rates = {(r["kind"], r["form"]): r["trials"] for r in report["calibration"]["rates"]}
    assert rates["invariance", "other shards"] == rates["recall", "verbatim"] == 30


def test_the_summary_says_how_many_documents_of_how_many_shards(files, folder):
    summary = files["summary.md"].decode()
    assert "> **CALIBRATED**: of 180 planted copies that are whole" in summary
    assert "Planted into 30 documents, drawn from the 30 that were read of 2 of 2 shards" in summary
    assert "| other workers | documents with the same findings | 30 | 30 | 88.4–100.0% |" in summary


def test_run_json_tells_what_was_read_and_with_what(files, folder):
    run = json.loads(files["run.json"])
    assert (run["schema"], run["complete"]) == ("sluicegate.run/1", True)
    assert run["settings"]["seed"] == 0
    assert [b["name"] for b in run["benchmarks"]] == ["quiz"]
    assert [shard["path"] for shard in run["shards"]] == [
        (folder / "corpus" / f"{n}.jsonl").as_posix() for n in range(2)
    ]
    assert set(run["timings"]) == {"started", "drawing_s", "indexing_s", "calibrating_s"}


def test_the_same_seed_gives_the_same_bytes(calibrate, files, tmp_path):
    calibrate(out=tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in BYTE_EQUAL} == {
        name: files[name] for name in BYTE_EQUAL
    }


def test_the_order_of_shards_and_the_number_of_jobs_change_no_byte(calibrate, folder, tmp_path):
    shards = sorted((folder / "corpus").iterdir())
    calibrate(shards, out=tmp_path / "a")
    calibrate(shards[::-1], out=tmp_path / "b", jobs=3)
    for name in BYTE_EQUAL:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_seed_reaches_the_draw_and_the_battery(calibrate, monkeypatch):
    seeds = []
    for name in ("draw_hosts", "run_battery"):
        real = getattr(pipeline, name)
        monkeypatch.setattr(
            pipeline,
            name,
            lambda *args, real=real, **named: (seeds.append(named["seed"]), real(*args, **named))[
                1
            ],
        )
    found = calibrate(seed=7)
    assert seeds == [7, 7]
    assert found.report["seed"] == found.run["settings"]["seed"] == 7


def test_paraphrases_are_a_form_and_told(calibrate, folder, tmp_path):
    found = calibrate(paraphrases=folder / "p.jsonl", out=tmp_path)
    assert found.report["paraphrases"]["texts"] == found.report["paraphrases"]["items"] == 2
    assert (overall(found)["paraphrase"]["trials"], overall(found)["paraphrase"]["found"]) == (2, 2)
    assert found.run["paraphrases"]["path"] == (folder / "p.jsonl").as_posix()
    assert "Paraphrases: 2 of 2 items, 2 planted." in (tmp_path / "summary.md").read_text()


def test_a_scan_plants_paraphrases_too(folder):
    found = sluicegate.scan(
        folder / "corpus", folder / "quiz.jsonl", paraphrases=folder / "p.jsonl"
    )
    assert "paraphrase" in {rate["form"] for rate in found.report["calibration"]["rates"]}
    assert found.run["paraphrases"]["texts"] == 2


def test_paraphrases_without_a_calibration_are_refused(folder):
    with pytest.raises(ValidationError, match="calibration is off"):
        sluicegate.scan(
            folder / "corpus", folder / "quiz.jsonl", paraphrases="p.jsonl", calibration="off"
        )


def test_paraphrases_of_no_item_end_it(calibrate, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"item_id": "nobody", "text": "Who?"}\n')
    with pytest.raises(BenchmarkError, match="in no benchmark, the first 'nobody'"):
        calibrate(paraphrases=tmp_path / "p.jsonl", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("setting", [{"seed": -1}, {"calibration": "off"}, {"sede": 1}], ids=str)
def test_a_setting_that_cannot_be_is_refused(folder, setting):
    with pytest.raises(ValidationError, match=next(iter(setting))):
        sluicegate.calibrate(folder / "corpus", folder / "quiz.jsonl", **setting)


# --- what fails -----------------------------------------------------------------------------------


def test_a_scan_that_misses_is_uncalibrated_and_all_files_say_so(calibrate, tmp_path, monkeypatch):
    judge = examine.judge

    def blind(scanned, patterns):
        judged = judge(scanned, patterns)
        return type(judged)(*(column[:0] for column in judged))

    monkeypatch.setattr(examine, "judge", blind)
    found = calibrate(out=tmp_path)
    assert (found.calibrated, found.complete) == (False, True)
    reason = "verbatim: 30 of 30 planted items with a question of 13 words were missed"
    assert reason in found.report["calibration"]["reason"]
    assert found.report["calibration"]["status"] == "UNCALIBRATED"
    assert f"> **UNCALIBRATED**: {reason}" in (tmp_path / "summary.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == set(RESULT_FILES)


def test_documents_that_are_too_short_leave_nothing_to_plant(calibrate, write_corpus, tmp_path):
    found = calibrate(write_corpus(tmp_path / "c.jsonl", ["a few words"] * 5), out=tmp_path / "out")
    assert not found.calibrated
    assert found.report["calibration"]["reason"].startswith("nothing to plant: no searchable item,")
    assert found.rates.is_empty()
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(RESULT_FILES)


def test_a_corpus_that_cannot_be_read_is_named_as_the_reason(calibrate, tmp_path):
    (tmp_path / "c.parquet").write_bytes(b"PAR1 nonsense")
    found = calibrate(tmp_path / "c.parquet")
    assert (found.calibrated, found.complete) == (False, False)
    assert found.report["calibration"]["reason"].startswith(
        f"nothing to plant: {tmp_path.as_posix()}/c.parquet: "
    )


def test_what_cannot_be_read_beside_the_hosts_makes_it_incomplete(calibrate, folder, tmp_path):
    (tmp_path / "bad.jsonl").write_text("{oops\n")
    corpus = [folder / "corpus", tmp_path / "bad.jsonl"]
    found = calibrate(corpus, out=tmp_path / "out")
    assert (found.calibrated, found.complete) == (True, False)
    (problem,) = found.report["corpus"]["problems"]
    assert (problem["shard"], problem["row"]) == (f"{tmp_path.as_posix()}/bad.jsonl", 0)
    assert "> **INCOMPLETE**: 1 thing that" in (tmp_path / "out" / "summary.md").read_text()
    assert calibrate(corpus, skip_bad=True).complete


def test_a_calibration_written_in_part_has_no_run_json(result, tmp_path, monkeypatch):
    write_calibration(result, tmp_path)

    def fail(path, content):
        if path.name == "summary.md":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write_text(path, content)

    monkeypatch.setattr(pipeline, "write_text", fail)
    with pytest.raises(OSError, match="No space left"):
        write_calibration(result, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(RESULT_FILES) - {"run.json"}
